/* gemm.cu - matrix products by cuBLAS, in float32 (device.cu: TF32 only when asked for).
 *
 * cuBLAS is column-major. A row-major matrix is, as it lies, the transposed column-major one, so C = op(A) op(B) is had as
 * C' = op(B)' op(A)': operands change places, flags stay.
 */
#include "backends/cuda/map.h"

namespace {

/* Without anything to sum: C = beta C */
struct put_multiple {
    float *c;
    size_t m, ldc, stride;
    float beta;
    __device__ void operator()(size_t r, size_t j) const
    {
        float *at = c + r / m * stride + r % m * ldc + j;

        *at = beta == 0 ? 0.0f : beta * *at;
    }
};

cublasOperation_t op(bool transposed)
{
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}

int64_t i64(size_t n)
{
    return static_cast<int64_t>(n);
}

} // namespace

mml_status cuda_gemm_batched(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const mmli_mem *a,
                             size_t lda, size_t stride_a, const mmli_mem *b, size_t ldb, size_t stride_b, float beta,
                             mmli_mem *c, size_t ldc, size_t stride_c, size_t batch)
{
    if (m == 0 || n == 0 || batch == 0)
        return MML_OK;
    if (k == 0)
        return cells(dv, batch * m, n, put_multiple{dev_f(c), m, ldc, stride_c, beta});
    /* One B for all and rows that follow each other: one product of many rows. */
    if (batch == 1 || (stride_b == 0 && !ta && stride_a == m * lda && stride_c == m * ldc))
        return cuda_gemm(dv, ta, tb, batch * m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    (void)mmli_cuda_stream(dv);
    return mmli_cuda_check_blas(
        cublasSgemmStridedBatched_64(mmli_cuda_of(dv)->blas, op(tb), op(ta), i64(n), i64(m), i64(k), &alpha, dev_f(b), i64(ldb),
                                     i64(stride_b), dev_f(a), i64(lda), i64(stride_a), &beta, dev_f(c), i64(ldc), i64(stride_c),
                                     i64(batch)),
        "cublasSgemmStridedBatched_64");
}

mml_status cuda_gemm(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const mmli_mem *a, size_t lda,
                     const mmli_mem *b, size_t ldb, float beta, mmli_mem *c, size_t ldc)
{
    if (m == 0 || n == 0)
        return MML_OK;
    if (k == 0)
        return cells(dv, m, n, put_multiple{dev_f(c), m, ldc, 0, beta});
    (void)mmli_cuda_stream(dv);
    return mmli_cuda_check_blas(cublasSgemm_64(mmli_cuda_of(dv)->blas, op(tb), op(ta), i64(n), i64(m), i64(k), &alpha, dev_f(b),
                                               i64(ldb), dev_f(a), i64(lda), &beta, dev_f(c), i64(ldc)),
                                "cublasSgemm_64");
}
