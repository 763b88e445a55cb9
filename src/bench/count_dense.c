/* count_dense.c - costs of matrix products, LayerNorm and transforms.
 * Conventions are in count.h, the meaning of parameters in kernels.def. */
#include "bench/count_inside.h"

/* 5 n log2 n of a complex transform of length n, the logarithm rounded up, for every line along every axis. */
static uint64_t fft_cost(size_t batch, size_t c, size_t d, int axes)
{
    const uint64_t logs = (axes & MMLI_AXIS_C ? mmli_count_log2(c) : 0) + (axes & MMLI_AXIS_D ? mmli_count_log2(d) : 0);

    return 5 * batch * c * d * logs;
}

/* ---- matrix products */

mml_status mmli_counted_gemm(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                             const mmli_mem *a, size_t lda, const mmli_mem *b, size_t ldb, float beta, mmli_mem *c,
                             size_t ldc)
{
    MMLI_COUNTED(gemm, 2 * m * n * k, 0, m * k + k * n + (beta != 0.0f ? 2 : 1) * m * n, ta, tb, m, n, k, alpha, a, lda,
                 b, ldb, beta, c, ldc);
}

mml_status mmli_counted_gemm_batched(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                                     const mmli_mem *a, size_t lda, size_t stride_a, const mmli_mem *b, size_t ldb,
                                     size_t stride_b, float beta, mmli_mem *c, size_t ldc, size_t stride_c,
                                     size_t batch)
{
    MMLI_COUNTED(gemm_batched, 2 * m * n * k * batch, 0,
                 (stride_a ? batch : 1) * m * k + (stride_b ? batch : 1) * k * n + (beta != 0.0f ? 2 : 1) * batch * m * n,
                 ta, tb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, batch);
}

mml_status mmli_counted_linear(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, const mmli_mem *b,
                               size_t rows, size_t in, size_t out)
{
    MMLI_COUNTED(linear, 2 * rows * in * out, b ? rows * out : 0, rows * in + out * in + rows * out + (b ? out : 0), y,
                 x, w, b, rows, in, out);
}

/* ---- LayerNorm */

mml_status mmli_counted_layernorm(mmli_device *dv, mmli_mem *y, mmli_mem *stats, const mmli_mem *x,
                                  const mmli_mem *gamma, const mmli_mem *beta, size_t rows, size_t cols, float eps)
{
    MMLI_COUNTED(layernorm, 0, 8 * rows * cols, 2 * rows * cols + 2 * cols + 2 * rows, y, stats, x, gamma, beta, rows,
                 cols, eps);
}

mml_status mmli_counted_layernorm_grad(mmli_device *dv, mmli_mem *dx, mmli_mem *dgamma, mmli_mem *dbeta,
                                       const mmli_mem *x, const mmli_mem *stats, const mmli_mem *gamma,
                                       const mmli_mem *dy, size_t rows, size_t cols)
{
    MMLI_COUNTED(layernorm_grad, 0, 11 * rows * cols,
                 (uint64_t)(2 + 2 * (dx != NULL)) * rows * cols + 5 * cols + 2 * rows, dx, dgamma, dbeta, x, stats,
                 gamma, dy, rows, cols);
}

/* ---- feed-forward */

/* The parameters of one. */
static uint64_t parameters(const mmli_ff *ff)
{
    return 3 * ff->f * ff->d + 2 * ff->f + 3 * ff->d;
}

/* LayerNorm 8 a value, gate 2 a hidden unit, biases, sum, and dropout where there is any. */
mml_status mmli_counted_feed_forward(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    MMLI_COUNTED(feed_forward, 6 * rows * ff->f * ff->d, rows * ((size_t)(10 + (ff->p > 0)) * ff->d + 4 * ff->f),
                 2 * rows * ff->d + parameters(ff), y, x, ff, rows);
}

/* Eight products: both halves of the hidden values again, and two gradients of each of the three. */
mml_status mmli_counted_feed_forward_grad(mmli_device *dv, const mmli_ff_grad *grad, const mmli_mem *x,
                                          const mmli_mem *dy, const mmli_ff *ff, size_t rows)
{
    MMLI_COUNTED(feed_forward_grad, 16 * rows * ff->f * ff->d, rows * ((size_t)(21 + (ff->p > 0)) * ff->d + 12 * ff->f),
                 (uint64_t)(2 + (grad->dx ? 1 + grad->add_x : 0)) * rows * ff->d +
                     (uint64_t)(grad->add ? 3 : 2) * parameters(ff), grad, x, dy, ff, rows);
}

/* ---- Fourier and complex numbers */

mml_status mmli_counted_fft(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi,
                            size_t batch, size_t c, size_t d, int axes, int sign, float scale)
{
    MMLI_COUNTED(fft, 0, fft_cost(batch, c, d, axes), (uint64_t)(2 + (xi != NULL) + (yi != NULL)) * batch * c * d, yr,
                 yi, xr, xi, batch, c, d, axes, sign, scale);
}

mml_status mmli_counted_col_normalise(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, mmli_mem *norm, const mmli_mem *xr,
                                      const mmli_mem *xi, size_t batch, size_t c, size_t d)
{
    MMLI_COUNTED(col_normalise, 0, (uint64_t)(xi ? 6 : 3) * batch * c * d,
                 (uint64_t)(xi ? 4 : 2) * batch * c * d + batch * d, yr, yi, norm, xr, xi, batch, c, d);
}

mml_status mmli_counted_col_normalise_grad(mmli_device *dv, mmli_mem *dxr, mmli_mem *dxi, const mmli_mem *yr,
                                           const mmli_mem *yi, const mmli_mem *norm, const mmli_mem *dyr,
                                           const mmli_mem *dyi, size_t batch, size_t c, size_t d)
{
    MMLI_COUNTED(col_normalise_grad, 0, (uint64_t)(yi ? 12 : 6) * batch * c * d,
                 (uint64_t)(yi ? 8 : 4) * batch * c * d + batch * d, dxr, dxi, yr, yi, norm, dyr, dyi, batch, c, d);
}

mml_status mmli_counted_magnitude(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    MMLI_COUNTED(magnitude, 0, 4 * n, 3 * n, y, re, im, n);
}

mml_status mmli_counted_phase(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    MMLI_COUNTED(phase, 0, 2 * n, 3 * n, y, re, im, n);
}

mml_status mmli_counted_unit(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi,
                             size_t n)
{
    MMLI_COUNTED(unit, 0, 6 * n, 4 * n, yr, yi, xr, xi, n);
}

mml_status mmli_counted_from_polar(mmli_device *dv, mmli_mem *re, mmli_mem *im, const mmli_mem *mag, const mmli_mem *ph,
                                   size_t n)
{
    MMLI_COUNTED(from_polar, 0, 4 * n, 4 * n, re, im, mag, ph, n);
}

mml_status mmli_counted_recip(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n)
{
    MMLI_COUNTED(recip, 0, n, 2 * n, y, x, n);
}
