/* losses.c - losses and their gradients by row. The loss is added to a float64; the gradient
 * overwrites. Rows of weight 0 are not read at all. */
#include <math.h>

#include "backends/reference/ref.h"
#include "util/alloc.h"
#include "util/error.h"

#define LEAST_PROBABILITY 1e-7 /* under a logarithm: formats.md 2.7 */

static void zero(float *x, size_t n)
{
    for (size_t i = 0; x && i < n; i++)
        x[i] = 0;
}

mml_status REF(loss_cross_entropy)(mmli_device *dv, mmli_mem *loss_, mmli_mem *dlogits_, const mmli_mem *logits_,
                                   const mmli_mem *label_, const mmli_mem *w_, size_t rows, size_t k)
{
    double *loss = ref_d(loss_), total = 0;
    float *dlogits = ref_f(dlogits_);
    const float *logits = ref_f(logits_), *w = ref_f(w_);
    const int32_t *label = ref_i32(label_);

    (void)dv;
    zero(dlogits, rows * k);
    for (size_t r = 0; r < rows; r++) {
        const float *x = logits + r * k;
        double most = -HUGE_VAL, sum = 0;

        if (w[r] == 0)
            continue;
        if (label[r] < 0 || (size_t)label[r] >= k)
            return mmli_fail(MML_E_INTERNAL, "cross-entropy: row %zu has label %d, not below %zu", r, (int)label[r], k);
        for (size_t j = 0; j < k; j++)
            most = fmax(most, (double)x[j]);
        for (size_t j = 0; j < k; j++)
            sum += exp((double)x[j] - most);
        total += (double)w[r] * (most + log(sum) - (double)x[label[r]]);
        for (size_t j = 0; dlogits && j < k; j++)
            dlogits[r * k + j] = (float)((double)w[r] * (exp((double)x[j] - most) / sum -
                                                         (j == (size_t)label[r] ? 1 : 0)));
    }
    if (loss)
        *loss += total;
    return MML_OK;
}

static double hazard(float logit)
{
    return 1 / (1 + exp(-(double)logit));
}

/* S_j of the first `n` hazards: the product of 1 - h */
static double survival(const float *logits, size_t n)
{
    double s = 1;

    for (size_t j = 0; j < n; j++)
        s *= hazard(-logits[j]); /* 1 - h(x) = h(-x), without cancellation */
    return s;
}

static double clamped_log(double x)
{
    return log(x > LEAST_PROBABILITY ? x : LEAST_PROBABILITY);
}

/* One row of the discrete-time likelihood; dx (k) or NULL is overwritten.
 * d log S_n / dx_j = -h_j for j < n, d log h_j / dx_j = 1 - h_j; a clamped logarithm has no slope. */
static double survival_row(float *dx, const float *x, size_t bin, double event, size_t k, double alpha, double w)
{
    const double before = survival(x, bin), at = hazard(x[bin]), after = survival(x, bin + 1);
    const double unc = -event * (clamped_log(before) + clamped_log(at));
    const double cens = -(1 - event) * clamped_log(after);

    for (size_t j = 0; dx && j < k; j++) {
        double d_unc = 0, d_cens = 0;

        if (j < bin && before > LEAST_PROBABILITY)
            d_unc += event * hazard(x[j]);
        if (j == bin && at > LEAST_PROBABILITY)
            d_unc -= event * hazard(-x[j]);
        if (j <= bin && after > LEAST_PROBABILITY)
            d_cens += (1 - event) * hazard(x[j]);
        dx[j] = (float)(w * ((1 - alpha) * (d_cens + d_unc) + alpha * d_unc));
    }
    return w * ((1 - alpha) * (cens + unc) + alpha * unc);
}

mml_status REF(loss_survival_nll)(mmli_device *dv, mmli_mem *loss_, mmli_mem *dlogits_, const mmli_mem *logits_,
                                  const mmli_mem *bin_, const mmli_mem *event_, const mmli_mem *w_, size_t rows,
                                  size_t k, float alpha)
{
    double *loss = ref_d(loss_), total = 0;
    float *dlogits = ref_f(dlogits_);
    const float *logits = ref_f(logits_), *event = ref_f(event_), *w = ref_f(w_);
    const int32_t *bin = ref_i32(bin_);

    (void)dv;
    zero(dlogits, rows * k);
    for (size_t r = 0; r < rows; r++) {
        if (w[r] == 0)
            continue;
        if (bin[r] < 0 || (size_t)bin[r] >= k)
            return mmli_fail(MML_E_INTERNAL, "survival loss: row %zu has bin %d, not below %zu", r, (int)bin[r], k);
        total += survival_row(dlogits ? dlogits + r * k : NULL, logits + r * k, (size_t)bin[r], (double)event[r], k,
                              (double)alpha, (double)w[r]);
    }
    if (loss)
        *loss += total;
    return MML_OK;
}

/* log of the sum of exp(risk) over the risk set: positions 0 .. last of `order`, weights not 0 */
static double risk_set(const float *risk, const float *w, const int32_t *order, size_t last)
{
    double most = -HUGE_VAL, sum = 0;

    for (size_t p = 0; p <= last; p++)
        if (w[order[p]] != 0)
            most = fmax(most, (double)risk[order[p]]);
    for (size_t p = 0; p <= last; p++)
        if (w[order[p]] != 0)
            sum += exp((double)risk[order[p]] - most);
    return most + log(sum);
}

/* drisk_j = -w_j event_j + sum of w_i event_i exp(risk_j - lse_i) over the i whose risk set has j */
mml_status REF(loss_cox)(mmli_device *dv, mmli_mem *loss_, mmli_mem *drisk_, const mmli_mem *risk_,
                         const mmli_mem *order_, const mmli_mem *tie_, const mmli_mem *event_, const mmli_mem *w_,
                         size_t rows)
{
    double *loss = ref_d(loss_), total = 0, *grad = NULL;
    float *drisk = ref_f(drisk_);
    const float *risk = ref_f(risk_), *event = ref_f(event_), *w = ref_f(w_);
    const int32_t *order = ref_i32(order_), *tie = ref_i32(tie_);
    mml_status st = MML_OK;

    (void)dv;
    MML_TRY(mmli_calloc(&grad, rows, sizeof *grad));
    for (size_t p = 0; p < rows; p++) {
        const size_t i = (size_t)order[p], last = (size_t)tie[p];
        double lse, weight;

        if (w[i] == 0 || event[i] == 0)
            continue;
        weight = (double)w[i] * (double)event[i];
        lse = risk_set(risk, w, order, last);
        total -= weight * ((double)risk[i] - lse);
        grad[i] -= weight;
        for (size_t o = 0; o <= last; o++)
            if (w[order[o]] != 0)
                grad[order[o]] += weight * exp((double)risk[order[o]] - lse);
    }
    for (size_t i = 0; drisk && i < rows; i++)
        drisk[i] = (float)grad[i];
    if (loss)
        *loss += total;
out:
    mmli_free(grad);
    return st;
}

mml_status REF(loss_squared)(mmli_device *dv, mmli_mem *loss_, mmli_mem *dy_, const mmli_mem *y_,
                             const mmli_mem *target_, const mmli_mem *w_, size_t rows)
{
    double *loss = ref_d(loss_), total = 0;
    float *dy = ref_f(dy_);
    const float *y = ref_f(y_), *target = ref_f(target_), *w = ref_f(w_);

    (void)dv;
    zero(dy, rows);
    for (size_t r = 0; r < rows; r++) {
        double diff;

        if (w[r] == 0)
            continue;
        diff = (double)y[r] - (double)target[r];
        total += (double)w[r] * diff * diff;
        if (dy)
            dy[r] = (float)(2 * (double)w[r] * diff);
    }
    if (loss)
        *loss += total;
    return MML_OK;
}
