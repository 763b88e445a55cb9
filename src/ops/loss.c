/* loss.c - losses end a forward pass: they add to a float64 sum on the device and set the gradient of the logits. Labels are looked at
 * here, while they are on the host: a device that computes beside it could tell of a wrong one only by NaN. */
#include <stdlib.h>

#include "ops/internal.h"

/* Where the gradient of the logits goes; a loss overwrites it. */
static mmli_mem *grad_of(mmli_tape *tape, mmli_var *y)
{
    if (!y || !mmli_tape_ok(tape))
        return NULL;
    if (!y->grad)
        y->grad = mmli_tape_mem(tape, mmli_size(y) * sizeof(float));
    return y->grad;
}

/* Labels below k where there is a weight. */
static bool labels_fit(mmli_tape *tape, const char *what, const int32_t *label, const float *w, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++)
        if (w[r] != 0 && (label[r] < 0 || (size_t)label[r] >= k)) {
            mmli_tape_fail(tape, mmli_fail(MML_E_INTERNAL, "%s: row %zu has label %d, not 0 to %zu", what, r, (int)label[r], k - 1));
            return false;
        }
    return true;
}

mml_status mmli_loss_cross_entropy(mmli_tape *tape, mmli_mem *loss, mmli_var *logits, const int32_t *label, const float *w)
{
    mmli_mem *grad = grad_of(tape, logits), *l, *weight;

    if (!grad || !labels_fit(tape, "cross-entropy", label, w, logits->rows, logits->cols))
        return mmli_tape_status(tape);
    l = mmli_tape_upload(tape, label, logits->rows * sizeof *label);
    weight = mmli_tape_upload(tape, w, logits->rows * sizeof *w);
    if (l && weight)
        (void)MMLI_RUN(tape, loss_cross_entropy, loss, grad, logits->data, l, weight, logits->rows, logits->cols);
    return mmli_tape_status(tape);
}

mml_status mmli_loss_survival_nll(mmli_tape *tape, mmli_mem *loss, mmli_var *logits, const int32_t *bin,
                                  const float *event, const float *w, float alpha)
{
    mmli_mem *grad = grad_of(tape, logits), *y, *ev, *weight;

    if (!grad || !labels_fit(tape, "survival loss", bin, w, logits->rows, logits->cols))
        return mmli_tape_status(tape);
    y = mmli_tape_upload(tape, bin, logits->rows * sizeof *bin);
    ev = mmli_tape_upload(tape, event, logits->rows * sizeof *event);
    weight = mmli_tape_upload(tape, w, logits->rows * sizeof *w);
    if (y && ev && weight)
        (void)MMLI_RUN(tape, loss_survival_nll, loss, grad, logits->data, y, ev, weight, logits->rows, logits->cols, alpha);
    return mmli_tape_status(tape);
}

typedef struct timed {
    double time;
    int32_t row;
} timed;

/* Latest first; equal times by row, so the order is one. */
static int later_first(const void *a, const void *b)
{
    const timed *x = a, *y = b;

    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

mml_status mmli_loss_cox(mmli_tape *tape, mmli_mem *loss, mmli_var *risk, const double *time, const float *event,
                         const float *w)
{
    mmli_mem *grad = grad_of(tape, risk), *order_dev, *tie_dev, *ev, *weight;
    timed *sorted;
    int32_t *order, *tie;
    size_t n;

    if (!grad)
        return mmli_tape_status(tape);
    if (risk->cols != 1) {
        mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "the Cox loss needs one output, not %zu", risk->cols));
        return mmli_tape_status(tape);
    }
    n = risk->rows;
    sorted = mmli_tape_host(tape, n * sizeof *sorted);
    order = mmli_tape_host(tape, n * sizeof *order);
    tie = mmli_tape_host(tape, n * sizeof *tie);
    if (!sorted || !order || !tie)
        return mmli_tape_status(tape);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (timed){time[i], (int32_t)i};
    qsort(sorted, n, sizeof *sorted, later_first);
    for (size_t i = 0; i < n; i++)
        order[i] = sorted[i].row;
    for (size_t i = n; i-- > 0;)
        tie[i] = i + 1 < n && sorted[i + 1].time == sorted[i].time ? tie[i + 1] : (int32_t)i;
    order_dev = mmli_tape_upload(tape, order, n * sizeof *order);
    tie_dev = mmli_tape_upload(tape, tie, n * sizeof *tie);
    ev = mmli_tape_upload(tape, event, n * sizeof *event);
    weight = mmli_tape_upload(tape, w, n * sizeof *w);
    if (order_dev && tie_dev && ev && weight)
        (void)MMLI_RUN(tape, loss_cox, loss, grad, risk->data, order_dev, tie_dev, ev, weight, n);
    return mmli_tape_status(tape);
}

mml_status mmli_loss_squared(mmli_tape *tape, mmli_mem *loss, mmli_var *y, const float *target, const float *w)
{
    mmli_mem *grad = grad_of(tape, y), *goal, *weight;

    if (!grad)
        return mmli_tape_status(tape);
    if (y->cols != 1) {
        mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "the squared error needs one output, not %zu", y->cols));
        return mmli_tape_status(tape);
    }
    goal = mmli_tape_upload(tape, target, y->rows * sizeof *target);
    weight = mmli_tape_upload(tape, w, y->rows * sizeof *w);
    if (goal && weight)
        (void)MMLI_RUN(tape, loss_squared, loss, grad, y->data, goal, weight, y->rows);
    return mmli_tape_status(tape);
}
