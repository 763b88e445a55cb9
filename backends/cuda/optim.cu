/* optim.cu - reductions to one number, the tally of a training, and the step of AdamW in one sweep over memory. */
#include "backends/cuda/map.h"

namespace {

/* ---- sums: blocks add their part in float64, one block adds those; the cut follows from n alone ----------------------- */
constexpr size_t SUM_ITEMS = 16 /* of a thread, at least */, SUM_BLOCKS = 1024;

template <bool SQUARES> __global__ void __launch_bounds__(MMLI_CUDA_BLOCK) sum_kernel(double *part, const float *x, size_t n)
{
    __shared__ double memory[MMLI_WARP];
    double sum = 0;

    for (size_t i = first_item(); i < n; i += item_step()) {
        const double v = static_cast<double>(x[i]);

        sum += SQUARES ? v * v : v;
    }
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0)
        part[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) sum_parts_kernel(double *out, const double *part, size_t n)
{
    __shared__ double memory[MMLI_WARP];
    double sum = 0;

    for (size_t i = threadIdx.x; i < n; i += blockDim.x)
        sum += part[i];
    sum = block_sum(sum, memory);
    if (threadIdx.x == 0)
        *out += sum;
}

template <bool SQUARES> mml_status sum_up(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    const size_t need = mmli_cuda_ceil_div(n, SUM_ITEMS * MMLI_CUDA_BLOCK), blocks = need < SUM_BLOCKS ? need : SUM_BLOCKS;
    void *part;

    if (n == 0)
        return MML_OK;
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_SUMS, SUM_BLOCKS * sizeof(double), &part));
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, sum_kernel<SQUARES>, static_cast<unsigned>(blocks), MMLI_CUDA_BLOCK, 0,
                              static_cast<double *>(part), dev_f(x), n));
    return mmli_cuda_add_total(dv, dev_d(out), static_cast<double *>(part), blocks);
}

/* kernels.def: one thread, a handful of numbers */
__global__ void tally_kernel(double *tally, float *scale, const double *loss, const double *sumsq, mmli_varying<double> weight,
                             float max_norm, mmli_varying<uint64_t> step)
{
    const double l = *loss * weight.get(), squares = sumsq ? *sumsq : 0, norm = sqrt(squares);
    const double by = max_norm > 0 ? static_cast<double>(max_norm) / (norm + 1e-6) : 1;
    bool failed = tally[MMLI_TALLY_FAILED] != 0;

    if (!failed && !(isfinite(l) && isfinite(squares))) {
        failed = true;
        tally[MMLI_TALLY_FAILED] = static_cast<double>(step.get());
        tally[MMLI_TALLY_BAD_LOSS] = l;
        tally[MMLI_TALLY_BAD_SUMSQ] = squares;
    }
    if (!failed) {
        tally[MMLI_TALLY_LOSS] += l;
        tally[MMLI_TALLY_NORM] += norm;
    }
    if (scale)
        *scale = failed ? NAN : by < 1 ? static_cast<float>(by) : 1.0f;
}

/* ---- the optimiser ------------------------------------------------------------------------------------------------------ */

/* g, p */
struct add_sign {
    float l1;
    __device__ float operator()(const float *x) const { return x[0] + (x[1] > 0 ? l1 : x[1] < 0 ? -l1 : 0.0f); }
};

struct adamw {
    float b1, b2, eps;
    float lr, c1, c2; /* vary */
    __device__ void operator()(float *p, float *m, float *v, float g, float wd) const
    {
        *m = fmaf(b1, *m, (1 - b1) * g);
        *v = fmaf(b2, *v, (1 - b2) * g * g);
        *p -= lr * wd * *p;
        *p -= lr * (*m / c1) / (sqrtf(*v / c2) + eps);
    }
};

/* Four places at a time share one decay, as MMLI_DECAY_EACH is a multiple of four. */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) adamw_kernel(float *p, float *m, float *v, const float *g, const float *scale,
                                              const float *decay, size_t n, size_t quads, adamw step, mmli_varying<float> lr,
                                              mmli_varying<float> c1, mmli_varying<float> c2)
{
    const float by = scale ? *scale : 1.0f;

    if (isnan(by)) /* a step that is called off */
        return;
    step.lr = lr.get();
    step.c1 = c1.get();
    step.c2 = c2.get();
    for (size_t q = first_item(); q < quads; q += item_step()) {
        float4 *const p4 = reinterpret_cast<float4 *>(p) + q, *const m4 = reinterpret_cast<float4 *>(m) + q;
        float4 *const v4 = reinterpret_cast<float4 *>(v) + q;
        const float4 d = reinterpret_cast<const float4 *>(g)[q];
        const float wd = decay[q / (MMLI_DECAY_EACH / 4)];
        float4 x = *p4, first = *m4, second = *v4;

        step(&x.x, &first.x, &second.x, d.x * by, wd);
        step(&x.y, &first.y, &second.y, d.y * by, wd);
        step(&x.z, &first.z, &second.z, d.z * by, wd);
        step(&x.w, &first.w, &second.w, d.w * by, wd);
        *p4 = x;
        *m4 = first;
        *v4 = second;
    }
    for (size_t i = 4 * quads + first_item(); i < n; i += item_step())
        step(p + i, m + i, v + i, g[i] * by, decay[i / MMLI_DECAY_EACH]);
}

} // namespace

mml_status mmli_cuda_add_total(mmli_device *dv, double *out, const double *part, size_t n)
{
    return MMLI_LAUNCH(dv, sum_parts_kernel, 1, MMLI_CUDA_BLOCK, 0, out, part, n);
}

mml_status cuda_sum(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    return sum_up<false>(dv, out, x, n);
}

mml_status cuda_sum_squares(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    return sum_up<true>(dv, out, x, n);
}

mml_status cuda_tally(mmli_device *dv, mmli_mem *tally, mmli_mem *scale, const mmli_mem *loss, const mmli_mem *sumsq, double weight,
                      float max_norm, uint64_t step)
{
    return MMLI_LAUNCH(dv, tally_kernel, 1, 1, 0, dev_d(tally), dev_f(scale), dev_d(loss), dev_d(sumsq),
                       mmli_cuda_vary(dv, 0, weight), max_norm, mmli_cuda_vary(dv, 1, step));
}

mml_status cuda_l1_grad(mmli_device *dv, mmli_mem *g, const mmli_mem *p, size_t n, float l1)
{
    return map(dv, g, g, p, n, add_sign{l1});
}

mml_status cuda_adamw(mmli_device *dv, mmli_mem *p, mmli_mem *m, mmli_mem *v, const mmli_mem *g, const mmli_mem *scale,
                      const mmli_mem *decay, size_t n, float lr, float b1, float b2, float eps, float c1, float c2)
{
    const bool wide = map_aligned(p) && map_aligned(m) && map_aligned(v) && map_aligned(g);
    const size_t quads = wide ? n / 4 : 0;

    if (n == 0)
        return MML_OK;
    return MMLI_LAUNCH(dv, adamw_kernel, mmli_cuda_blocks(dv, wide ? mmli_cuda_ceil_div(n, 4) : n, MMLI_CUDA_BLOCK),
                       MMLI_CUDA_BLOCK, 0, dev_f(p), dev_f(m), dev_f(v), dev_f(g), dev_f(scale), dev_f(decay), n, quads,
                       adamw{b1, b2, eps, 0, 0, 0}, mmli_cuda_vary(dv, 0, lr), mmli_cuda_vary(dv, 1, c1), mmli_cuda_vary(dv, 2, c2));
}
