/* blas.cc - matrix products of the emulated GPU: column-major, as cuBLAS has them, with its rules for arguments. */
#include "cublas_v2.h"

struct mmlt_cublas {
    cudaStream_t stream;
    cublasMath_t math;
    void *work; /* the user's; nullptr: its own */
};

const char *cublasGetStatusString(cublasStatus_t s)
{
    return s == CUBLAS_STATUS_SUCCESS        ? "CUBLAS_STATUS_SUCCESS"
           : s == CUBLAS_STATUS_ALLOC_FAILED ? "CUBLAS_STATUS_ALLOC_FAILED"
           : s == CUBLAS_STATUS_EXECUTION_FAILED ? "CUBLAS_STATUS_EXECUTION_FAILED"
           : s == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                             : "CUBLAS_STATUS_INVALID_VALUE";
}

cublasStatus_t cublasCreate(cublasHandle_t *handle)
{
    *handle = nullptr;
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return CUBLAS_STATUS_ALLOC_FAILED;
    *handle = static_cast<mmlt_cublas *>(calloc(1, sizeof **handle));
    return *handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_ALLOC_FAILED;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    if (cudaDeviceSynchronize() != cudaSuccess) /* as cuBLAS does */
        return CUBLAS_STATUS_EXECUTION_FAILED;
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    handle->work = nullptr; /* as cuBLAS does */
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *memory, size_t bytes)
{
    if (!memory || (uintptr_t)memory % 256 || bytes == 0)
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->work = memory;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t *mode)
{
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
}
bool mmlt_blas_is_tf32(cublasHandle_t handle) { return handle->math == CUBLAS_TF32_TENSOR_OP_MATH; }

/* Columns of C one by one: c = beta c + alpha op(A) op(b). Long sums are added in pieces, as a GPU's are. */
void mmlt_blas_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                       int64_t ldb, float beta, float *c, int64_t ldc)
{
    for (int64_t j = 0; j < n; j++)
        for (int64_t i0 = 0; i0 < m; i0 += 64) {
            const int64_t rows = m - i0 < 64 ? m - i0 : 64;
            float sum[64] = {0}, piece[64] = {0};

            for (int64_t l = 0; l < k; l++) {
                const float x = tb ? b[l * ldb + j] : b[j * ldb + l];

                if (ta)
                    for (int64_t i = 0; i < rows; i++)
                        piece[i] += a[(i0 + i) * lda + l] * x;
                else
                    for (int64_t i = 0; i < rows; i++)
                        piece[i] += a[l * lda + i0 + i] * x;
                if (l % 256 == 255 || l == k - 1)
                    for (int64_t i = 0; i < rows; i++) {
                        sum[i] += piece[i];
                        piece[i] = 0;
                    }
            }
            for (int64_t i = 0; i < rows; i++) {
                float *y = &c[j * ldc + i0 + i];

                *y = beta == 0 ? alpha * sum[i] : alpha * sum[i] + beta * *y;
            }
        }
}

cublasStatus_t cublasSgemmStridedBatched_64(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int64_t m,
                                            int64_t n, int64_t k, const float *alpha, const float *a, int64_t lda,
                                            long long stride_a, const float *b, int64_t ldb, long long stride_b,
                                            const float *beta, float *c, int64_t ldc, long long stride_c, int64_t batch)
{
    const int64_t rows_a = ta == CUBLAS_OP_N ? m : k, rows_b = tb == CUBLAS_OP_N ? k : n;

    if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < (rows_a > 1 ? rows_a : 1) || ldb < (rows_b > 1 ? rows_b : 1) ||
        ldc < (m > 1 ? m : 1))
        return CUBLAS_STATUS_INVALID_VALUE;
    /* Its own it would take from a pool, at every capture anew. */
    if (!handle->work && mmlt_cuda_is_capturing(handle->stream))
        return CUBLAS_STATUS_ALLOC_FAILED;
    const float by = *alpha, keep = *beta;
    const cudaError_t e = mmlt_cuda_push(handle->stream, [=]() {
        for (int64_t i = 0; i < batch; i++)
            mmlt_blas_product(ta == CUBLAS_OP_T, tb == CUBLAS_OP_T, m, n, k, by, a + i * stride_a, lda, b + i * stride_b, ldb, keep,
                              c + i * stride_c, ldc);
    });
    return e == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasSgemm_64(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int64_t m, int64_t n,
                              int64_t k, const float *alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                              const float *beta, float *c, int64_t ldc)
{
    return cublasSgemmStridedBatched_64(handle, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
