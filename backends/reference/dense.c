/* dense.c - matrix products. */
#include "backends/reference/ref.h"

/* One product; pointers are the host's. c may hold anything, NaN included, when beta = 0. */
static void product(bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
                    const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;

            for (size_t l = 0; l < k; l++)
                sum += (double)(ta ? a[l * lda + i] : a[i * lda + l]) * (double)(tb ? b[j * ldb + l] : b[l * ldb + j]);
            sum *= (double)alpha;
            if (beta != 0)
                sum += (double)beta * (double)c[i * ldc + j];
            c[i * ldc + j] = (float)sum;
        }
}

mml_status REF(gemm)(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const mmli_mem *a,
                     size_t lda, const mmli_mem *b, size_t ldb, float beta, mmli_mem *c, size_t ldc)
{
    (void)dv;
    product(ta, tb, m, n, k, alpha, ref_f(a), lda, ref_f(b), ldb, beta, ref_f(c), ldc);
    return MML_OK;
}

mml_status REF(gemm_batched)(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                             const mmli_mem *a, size_t lda, size_t stride_a, const mmli_mem *b, size_t ldb,
                             size_t stride_b, float beta, mmli_mem *c, size_t ldc, size_t stride_c, size_t batch)
{
    (void)dv;
    for (size_t i = 0; i < batch; i++)
        product(ta, tb, m, n, k, alpha, ref_f(mmli_at(a, i * stride_a)), lda, ref_f(mmli_at(b, i * stride_b)), ldb,
                beta, ref_f(mmli_at(c, i * stride_c)), ldc);
    return MML_OK;
}

mml_status REF(linear)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *w_, const mmli_mem *b_,
                       size_t rows, size_t in, size_t out)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_), *w = ref_f(w_), *b = ref_f(b_);

    (void)dv;
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) {
            double sum = b ? (double)b[j] : 0;

            for (size_t i = 0; i < in; i++)
                sum += (double)x[r * in + i] * (double)w[j * in + i];
            y[r * out + j] = (float)sum;
        }
    return MML_OK;
}
