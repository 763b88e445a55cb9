/* dropout.cu - masks drawn from the counter-based generator of src/util/rng.h: element i of stream `key` is kept or
 * dropped alike on every backend. A thread takes four numbers, those of one counter where the array is whole. */
#include "backends/cuda/map.h"
#include "backends/cuda/philox.h"

#include <math.h>

#define ALPHA_DROPPED (-1.7580993408473766) /* -lambda alpha of SELU: what a dropped unit becomes */

namespace {

/* y = kept ? scale x + shift : dropped */
struct mask_put {
    float scale, shift, dropped;
    __device__ float operator()(float, float x, bool kept) const { return kept ? fmaf(scale, x, shift) : dropped; }
};
/* y += kept ? scale x : 0 */
struct mask_add {
    float scale;
    __device__ float operator()(float y, float x, bool kept) const { return kept ? fmaf(scale, x, y) : y; }
};

template <bool READ, class F>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) mask_kernel(float *y, const float *x, size_t n, float p, mmli_varying<uint64_t> stream,
                                                                 size_t first, bool wide, F f)
{
    const size_t quads = n / 4 + (n % 4 != 0);
    const uint64_t key = stream.get();

    for (size_t q = first_item(); q < quads; q += item_step()) {
        float u[4];

        philox_uniform4_from(u, key, first + 4 * q);
        if (wide && 4 * q + 4 <= n) {
            const float4 a = reinterpret_cast<const float4 *>(x)[q];
            float4 *to = reinterpret_cast<float4 *>(y) + q;
            const float4 old = READ ? *to : make_float4(0, 0, 0, 0);

            *to = make_float4(f(old.x, a.x, u[0] >= p), f(old.y, a.y, u[1] >= p), f(old.z, a.z, u[2] >= p),
                              f(old.w, a.w, u[3] >= p));
            continue;
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
            if (4 * q + k < n)
                y[4 * q + k] = f(READ ? y[4 * q + k] : 0.0f, x[4 * q + k], u[k] >= p);
    }
}

template <bool READ, class F>
mml_status masked(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key, size_t first, F f)
{
    const bool wide = map_aligned(y) && map_aligned(x);

    if (n == 0)
        return MML_OK;
    return MMLI_LAUNCH(dv, (mask_kernel<READ, F>), mmli_cuda_blocks(dv, mmli_cuda_ceil_div(n, 4), MMLI_CUDA_BLOCK),
                       MMLI_CUDA_BLOCK, 0, dev_f(y), dev_f(x), n, p, mmli_cuda_vary(dv, 0, key), first, wide, f);
}

/* What a kept value is multiplied with. p = 1 keeps nothing (uniform numbers are below 1). */
float survivor_scale(float p)
{
    return p < 1 ? static_cast<float>(1.0 / (1.0 - static_cast<double>(p))) : 0.0f;
}

/* a and b of kernels.def */
void alpha_affine(double *a, double *b, float p_)
{
    const double p = static_cast<double>(p_), q = 1 - p;

    *a = 1 / sqrt(q + ALPHA_DROPPED * ALPHA_DROPPED * q * p);
    *b = -*a * ALPHA_DROPPED * p;
}

} // namespace

mml_status cuda_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key, size_t first)
{
    return masked<false>(dv, y, x, n, p, key, first, mask_put{survivor_scale(p), 0, 0});
}

mml_status cuda_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p, uint64_t key, size_t first)
{
    return masked<true>(dv, dx, dy, n, p, key, first, mask_add{survivor_scale(p)});
}

mml_status cuda_alpha_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key, size_t first)
{
    double a, b;

    alpha_affine(&a, &b, p);
    return masked<false>(dv, y, x, n, p, key, first,
                         mask_put{static_cast<float>(a), static_cast<float>(b), static_cast<float>(a * ALPHA_DROPPED + b)});
}

mml_status cuda_alpha_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p, uint64_t key, size_t first)
{
    double a, b;

    alpha_affine(&a, &b, p);
    return masked<true>(dv, dx, dy, n, p, key, first, mask_add{static_cast<float>(a)});
}
