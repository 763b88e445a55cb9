/* cases_losses.c - losses: rows without weight hold labels and numbers that must not be read. */
#include <math.h>
#include <stdlib.h>

#include "tests/ops/case.h"
#include "util/rng.h"

enum { MOST = 2000 /* rows */, WIDEST = 7 /* outputs */ };

static const size_t shapes[][2] = {{0, 4}, {1, 1}, {1, 4}, {5, 2}, {300, 4}, {MOST, 3}, {33, WIDEST}};
enum { SHAPES = COUNT(shapes) };

typedef struct labels {
    float w[MOST], event[MOST], logits[MOST * WIDEST];
    int32_t label[MOST];
} labels;

/* Every fourth row (but not the only one) has weight 0, a NaN and a label that is none. */
static labels *make(run *r, size_t rows, size_t k, float spread)
{
    labels *l = calloc(1, sizeof *l);

    ck_assert_ptr_nonnull(l);
    mmlt_uniform(l->w, rows, r->key, 0.25f, 2);
    mmlt_uniform(l->logits, rows * k, r->key + 1, -spread, spread);
    for (size_t row = 0; row < rows; row++) {
        l->label[row] = (int32_t)mmli_rng_below(r->key + 2, row, k);
        l->event[row] = (float)mmli_rng_below(r->key + 3, row, 2);
        if (row % 4 == 1) {
            l->w[row] = 0;
            l->label[row] = row % 8 == 1 ? -1 : 1 << 30;
            l->event[row] = NAN;
            for (size_t j = 0; j < k; j++)
                l->logits[row * k + j] = NAN;
        }
    }
    return l;
}

/* Parts: 0 both outputs, 1 the loss alone (evaluation), 2 the gradient alone. Odd spreads: logits of
 * +-60, where probabilities leave float32 and the clamp of the survival loss is active. */
static float spread_of(size_t i)
{
    return i / SHAPES % 2 ? 60 : 3;
}

static mmli_mem *loss_of(run *r, size_t i)
{
    return i / (2 * SHAPES) == 2 ? NULL : sum_double(r, "loss", (mmlt_tol){2e-6, 0});
}

static mmli_mem *grad_of(run *r, size_t i, size_t n)
{
    return i / (2 * SHAPES) == 1 ? NULL : new_floats(r, "gradient", n, MMLT_TOL_MATH);
}

static void cross_entropy(run *r, size_t i)
{
    const size_t rows = shapes[i % SHAPES][0], k = shapes[i % SHAPES][1];
    labels *l = make(r, rows, k, spread_of(i));
    mmli_mem *x = in_floats(r, l->logits, rows * k), *label = in_ints(r, l->label, rows), *w = in_floats(r, l->w, rows);

    free(l);
    CALL(r, loss_cross_entropy, loss_of(r, i), grad_of(r, i, rows * k), x, label, w, rows, k);
}

static void survival_nll(run *r, size_t i)
{
    const size_t rows = shapes[i % SHAPES][0], k = shapes[i % SHAPES][1];
    labels *l = make(r, rows, k, spread_of(i));
    mmli_mem *x = in_floats(r, l->logits, rows * k), *bin = in_ints(r, l->label, rows);
    mmli_mem *event = in_floats(r, l->event, rows), *w = in_floats(r, l->w, rows);

    free(l);
    CALL(r, loss_survival_nll, loss_of(r, i), grad_of(r, i, rows * k), x, bin, event, w, rows, k, 0.4f);
}

static void squared(run *r, size_t i)
{
    const size_t rows = shapes[i % SHAPES][0];
    labels *l = make(r, rows, 1, spread_of(i));
    mmli_mem *y = in_floats(r, l->logits, rows), *w = in_floats(r, l->w, rows);

    free(l);
    CALL(r, loss_squared, loss_of(r, i), grad_of(r, i, rows), y, in_random(r, rows), w, rows);
}

static int by_time(const void *a, const void *b)
{
    const float *x = *(const float *const *)a, *y = *(const float *const *)b;

    return *x < *y ? 1 : *x > *y ? -1 : x < y ? -1 : 1; /* descending, then as they come */
}

/* Times are whole numbers below 20, so that there are ties; the NaN rows have times too. */
static void cox(run *r, size_t i)
{
    const size_t rows = shapes[i % SHAPES][0] > 300 ? 300 : shapes[i % SHAPES][0];
    float time[300];
    const float *sorted[300];
    int32_t order[300], tie[300];
    labels *l = make(r, rows, 1, spread_of(i));
    mmli_mem *risk = in_floats(r, l->logits, rows), *event = in_floats(r, l->event, rows);
    mmli_mem *w = in_floats(r, l->w, rows);

    free(l);
    for (size_t row = 0; row < rows; row++) {
        time[row] = (float)mmli_rng_below(r->key + 4, row, 20);
        sorted[row] = &time[row];
    }
    qsort(sorted, rows, sizeof *sorted, by_time);
    for (size_t p = rows; p-- > 0;) {
        order[p] = (int32_t)(sorted[p] - time);
        tie[p] = p + 1 < rows && *sorted[p] <= *sorted[p + 1] ? tie[p + 1] : (int32_t)p;
    }
    CALL(r, loss_cox, loss_of(r, i), grad_of(r, i, rows), risk, in_ints(r, order, rows), in_ints(r, tie, rows), event,
         w, rows);
}

const kernel_case loss_cases[] = {
    {"loss_cross_entropy", SHAPES * 6, cross_entropy},
    {"loss_survival_nll", SHAPES * 6, survival_nll},
    {"loss_squared", SHAPES * 6, squared},
    {"loss_cox", SHAPES * 6, cox},
    {NULL, 0, NULL},
};
