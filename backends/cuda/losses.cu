/* losses.cu - losses and their gradients by row, in float64 as there are few numbers. Rows of weight 0 are not read. The losses
 * of the rows are kept and added in order.
 *
 * Labels are in range (src/ops/loss.c). One that is not could only be reported by waiting: its row would get a loss and a gradient
 * of NaN, and no address is made of it. */
#include "backends/cuda/map.h"

#define LEAST_PROBABILITY 1e-7 /* under a logarithm: formats.md 2.7 */

namespace {

/* Rows as cells of one column: dx (k numbers of the row, or NULL) and the loss of the row, w included. */
struct cross_entropy {
    double *loss;
    float *dx;
    const float *x, *w;
    const int32_t *label;
    size_t k;

    __device__ void operator()(size_t, size_t r) const
    {
        const float *const in = x + r * k;
        float *const out = dx ? dx + r * k : nullptr;
        const double weight = static_cast<double>(w[r]);
        double most = -static_cast<double>(INFINITY), sum = 0;

        if (weight == 0 || label[r] < 0 || static_cast<size_t>(label[r]) >= k) {
            loss[r] = weight == 0 ? 0 : static_cast<double>(NAN);
            for (size_t j = 0; out && j < k; j++)
                out[j] = weight == 0 ? 0 : NAN;
            return;
        }
        for (size_t j = 0; j < k; j++)
            most = fmax(most, static_cast<double>(in[j]));
        for (size_t j = 0; j < k; j++)
            sum += exp(static_cast<double>(in[j]) - most);
        loss[r] = weight * (most + log(sum) - static_cast<double>(in[label[r]]));
        for (size_t j = 0; out && j < k; j++) {
            const double p = exp(static_cast<double>(in[j]) - most) / sum;

            out[j] = static_cast<float>(weight * (p - (j == static_cast<size_t>(label[r]) ? 1 : 0)));
        }
    }
};

__device__ double hazard(float logit)
{
    return 1 / (1 + exp(-static_cast<double>(logit)));
}

/* S_j of the first `n` hazards: the product of 1 - h */
__device__ double survival(const float *logits, size_t n)
{
    double s = 1;

    for (size_t j = 0; j < n; j++)
        s *= hazard(-logits[j]); /* 1 - h(x) = h(-x), without cancellation */
    return s;
}

__device__ double clamped_log(double x)
{
    return log(x > LEAST_PROBABILITY ? x : LEAST_PROBABILITY);
}

struct survival_nll {
    double *loss;
    float *dx;
    const float *x, *event, *w;
    const int32_t *bin;
    size_t k;
    double alpha;

    /* d log S_n / dx_j = -h_j for j < n, d log h_j / dx_j = 1 - h_j; a clamped logarithm has no slope */
    __device__ void row(float *out, const float *in, size_t r, size_t b) const
    {
        const double before = survival(in, b), at = hazard(in[b]), after = survival(in, b + 1);
        const double e = static_cast<double>(event[r]), weight = static_cast<double>(w[r]);
        const double unc = -e * (clamped_log(before) + clamped_log(at)), cens = -(1 - e) * clamped_log(after);

        loss[r] = weight * ((1 - alpha) * (cens + unc) + alpha * unc);
        for (size_t j = 0; out && j < k; j++) {
            double d_unc = 0, d_cens = 0;

            if (j < b && before > LEAST_PROBABILITY)
                d_unc += e * hazard(in[j]);
            if (j == b && at > LEAST_PROBABILITY)
                d_unc -= e * hazard(-in[j]);
            if (j <= b && after > LEAST_PROBABILITY)
                d_cens += (1 - e) * hazard(in[j]);
            out[j] = static_cast<float>(weight * ((1 - alpha) * (d_cens + d_unc) + alpha * d_unc));
        }
    }

    __device__ void operator()(size_t, size_t r) const
    {
        float *const out = dx ? dx + r * k : nullptr;

        if (w[r] != 0 && bin[r] >= 0 && static_cast<size_t>(bin[r]) < k) {
            row(out, x + r * k, r, static_cast<size_t>(bin[r]));
            return;
        }
        loss[r] = w[r] == 0 ? 0 : static_cast<double>(NAN);
        for (size_t j = 0; out && j < k; j++)
            out[j] = w[r] == 0 ? 0 : NAN;
    }
};

struct squared {
    double *loss;
    float *dy;
    const float *y, *target, *w;
    __device__ void operator()(size_t, size_t r) const
    {
        const double weight = static_cast<double>(w[r]);
        const double diff = weight == 0 ? 0 : static_cast<double>(y[r]) - static_cast<double>(target[r]);

        loss[r] = weight * diff * diff;
        if (dy)
            dy[r] = static_cast<float>(2 * weight * diff);
    }
};

/* ---- Cox: every warp takes positions of `order`; the risk set of position p is 0 .. tie[p] --------------------------------- */
struct cox {
    double *loss;        /* by position */
    double *lse, *weight; /* log of the sum of exp(risk) over the risk set, and w event: 0 where the row does not count */
    float *drisk;
    const float *risk, *event, *w;
    const int32_t *order, *tie;
    size_t rows;
};

__device__ size_t first_warp() { return first_item() / MMLI_WARP; }
__device__ size_t warp_step() { return item_step() / MMLI_WARP; }

__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) cox_risk_kernel(cox c)
{
    const unsigned lane = threadIdx.x % MMLI_WARP;

    for (size_t p = first_warp(); p < c.rows; p += warp_step()) {
        const size_t i = static_cast<size_t>(c.order[p]), end = static_cast<size_t>(c.tie[p]) + 1;
        const bool counts = c.w[i] != 0 && c.event[i] != 0;
        double most = -static_cast<double>(INFINITY), sum = 0;

        for (size_t o = lane; counts && o < end; o += MMLI_WARP)
            if (c.w[c.order[o]] != 0)
                most = fmax(most, static_cast<double>(c.risk[c.order[o]]));
        most = warp_max(most);
        for (size_t o = lane; counts && o < end; o += MMLI_WARP)
            if (c.w[c.order[o]] != 0)
                sum += exp(static_cast<double>(c.risk[c.order[o]]) - most);
        sum = most + log(warp_sum(sum));
        if (lane == 0) {
            c.weight[p] = counts ? static_cast<double>(c.w[i]) * static_cast<double>(c.event[i]) : 0;
            c.lse[p] = sum;
            c.loss[p] = counts ? -c.weight[p] * (static_cast<double>(c.risk[i]) - sum) : 0;
        }
    }
}

/* drisk_j = -weight_j + sum of weight_p exp(risk_j - lse_p) over the positions p whose risk set has j */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) cox_grad_kernel(cox c)
{
    const unsigned lane = threadIdx.x % MMLI_WARP;

    for (size_t o = first_warp(); o < c.rows; o += warp_step()) {
        const size_t j = static_cast<size_t>(c.order[o]);
        const bool there = c.w[j] != 0;
        const double risk = there ? static_cast<double>(c.risk[j]) : 0;
        double sum = 0;

        for (size_t p = lane; there && p < c.rows; p += MMLI_WARP)
            if (static_cast<size_t>(c.tie[p]) >= o && c.weight[p] != 0)
                sum += c.weight[p] * exp(risk - c.lse[p]);
        sum = warp_sum(sum);
        if (lane == 0)
            c.drisk[j] = static_cast<float>(there ? sum - c.weight[o] : 0);
    }
}

mml_status row_losses(mmli_device *dv, size_t rows, double **out)
{
    void *p;
    const mml_status st = mmli_cuda_scratch(dv, MMLI_CUDA_ROW_LOSS, rows * sizeof(double), &p);

    *out = static_cast<double *>(p);
    return st;
}

/* After the rows: their losses added to the total, if it is wanted. */
template <class F> mml_status by_row(mmli_device *dv, mmli_mem *loss, size_t rows, const F &f)
{
    MMLI_CUDA_TRY(cells(dv, 1, rows, f));
    return loss ? mmli_cuda_add_total(dv, dev_d(loss), f.loss, rows) : MML_OK;
}

} // namespace

mml_status cuda_loss_cross_entropy(mmli_device *dv, mmli_mem *loss, mmli_mem *dlogits, const mmli_mem *logits,
                                   const mmli_mem *label, const mmli_mem *w, size_t rows, size_t k)
{
    double *each;

    if (rows == 0)
        return MML_OK;
    MMLI_CUDA_TRY(row_losses(dv, rows, &each));
    return by_row(dv, loss, rows, cross_entropy{each, dev_f(dlogits), dev_f(logits), dev_f(w), dev_i32(label), k});
}

mml_status cuda_loss_survival_nll(mmli_device *dv, mmli_mem *loss, mmli_mem *dlogits, const mmli_mem *logits, const mmli_mem *bin,
                                  const mmli_mem *event, const mmli_mem *w, size_t rows, size_t k, float alpha)
{
    double *each;

    if (rows == 0)
        return MML_OK;
    MMLI_CUDA_TRY(row_losses(dv, rows, &each));
    return by_row(dv, loss, rows, survival_nll{each, dev_f(dlogits), dev_f(logits), dev_f(event), dev_f(w), dev_i32(bin), k,
                                               static_cast<double>(alpha)});
}

mml_status cuda_loss_squared(mmli_device *dv, mmli_mem *loss, mmli_mem *dy, const mmli_mem *y, const mmli_mem *target,
                             const mmli_mem *w, size_t rows)
{
    double *each;

    if (rows == 0)
        return MML_OK;
    MMLI_CUDA_TRY(row_losses(dv, rows, &each));
    return by_row(dv, loss, rows, squared{each, dev_f(dy), dev_f(y), dev_f(target), dev_f(w)});
}

mml_status cuda_loss_cox(mmli_device *dv, mmli_mem *loss, mmli_mem *drisk, const mmli_mem *risk, const mmli_mem *order,
                         const mmli_mem *tie, const mmli_mem *event, const mmli_mem *w, size_t rows)
{
    cox c = {NULL, NULL, NULL, dev_f(drisk), dev_f(risk), dev_f(event), dev_f(w), dev_i32(order), dev_i32(tie), rows};
    const unsigned blocks = mmli_cuda_blocks(dv, rows, MMLI_CUDA_BLOCK / MMLI_WARP);
    void *p;

    if (rows == 0)
        return MML_OK;
    MMLI_CUDA_TRY(row_losses(dv, rows, &c.loss));
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_COX, 2 * rows * sizeof(double), &p));
    c.lse = static_cast<double *>(p);
    c.weight = c.lse + rows;
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, cox_risk_kernel, blocks, MMLI_CUDA_BLOCK, 0, c));
    if (drisk)
        MMLI_CUDA_TRY(MMLI_LAUNCH(dv, cox_grad_kernel, blocks, MMLI_CUDA_BLOCK, 0, c));
    return loss ? mmli_cuda_add_total(dv, dev_d(loss), c.loss, rows) : MML_OK;
}
