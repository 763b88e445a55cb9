/* blas_lt.cc - D = op(A) op(B) + bias of the emulated GPU, column-major, as cuBLASLt has it. It insists on what cuBLASLt insists on,
 * or should: sizes that fit, addresses of the alignment that was promised, the workspace that the algorithm asked for, an
 * algorithm for this shape, partial sums that are added in order. Else the program ends: a status could mean a shape that is refused.
 * Some are: of an A of one row or one column it says that a value is invalid, as cuBLASLt has said to PyTorch, whose addmm keeps
 * those away from it; one more is refused when asked for an algorithm, and one only when it runs. */
#include "cublasLt.h"

#include <stdio.h>

enum { REFUSED = 5 /* when asked, of D's rows or inner numbers */, FAILS = 9 /* when run */ };

cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t op, cublasComputeType_t compute, cudaDataType_t scale)
{
    *op = cublasLtMatmulDescOpaque_t();
    op->compute = compute;
    op->epilogue = 1;
    return scale == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

static cublasStatus_t put(void *to, size_t size, const void *value, size_t bytes)
{
    if (size != bytes)
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t op, cublasLtMatmulDescAttributes_t what, const void *value,
                                              size_t bytes)
{
    switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        return put(&op->ta, sizeof op->ta, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
        return put(&op->tb, sizeof op->tb, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return put(&op->epilogue, sizeof op->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return put(&op->bias, sizeof op->bias, value, bytes);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutInit(cublasLtMatrixLayout_t m, cudaDataType_t type, uint64_t rows, uint64_t cols, int64_t ld)
{
    *m = cublasLtMatrixLayoutOpaque_t{rows, cols, ld};
    return type == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceInit(cublasLtMatmulPreference_t wish)
{
    *wish = cublasLtMatmulPreferenceOpaque_t{0, 7, {256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t wish, cublasLtMatmulPreferenceAttributes_t what,
                                                    const void *value, size_t bytes)
{
    switch (what) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        return put(&wish->workspace, sizeof wish->workspace, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        return put(&wish->reductions, sizeof wish->reductions, value, bytes);
    default:
        return put(&wish->alignment[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], sizeof *wish->alignment, value, bytes);
    }
}

static bool fit(const cublasLtMatmulDescOpaque_t *op, const cublasLtMatrixLayoutOpaque_t *a, const cublasLtMatrixLayoutOpaque_t *b,
                const cublasLtMatrixLayoutOpaque_t *d)
{
    const bool ta = op->ta == CUBLAS_OP_T, tb = op->tb == CUBLAS_OP_T;

    return (ta ? a->cols : a->rows) == d->rows && (tb ? b->rows : b->cols) == d->cols &&
           (ta ? a->rows : a->cols) == (tb ? b->cols : b->rows) && a->ld >= (int64_t)a->rows && b->ld >= (int64_t)b->rows &&
           d->ld >= (int64_t)d->rows && d->rows > 0 && d->cols > 0 && a->rows > 0 && a->cols > 0;
}

static bool aligned(const void *p) { return (uintptr_t)p % 16 == 0; }

static void must(bool fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "emulated CUDA: cuBLASLt would not take %s\n", what);
        abort();
    }
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t op, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t wish, int most, cublasLtMatmulHeuristicResult_t found[],
                                              int *n)
{
    *n = 0;
    must(fit(op, a, b, d) && c->rows == d->rows && c->cols == d->cols && most > 0, "these sizes");
    must(op->epilogue == CUBLASLT_EPILOGUE_BIAS && op->bias && aligned(op->bias), "this bias");
    must(wish->reductions == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, "sums in an order that may differ");
    for (uint32_t promised : wish->alignment)
        must(promised <= 16, "a promise of more than 16 bytes");
    must(mmlt_blas_is_tf32(handle) == (op->compute == CUBLAS_COMPUTE_32F_FAST_TF32), "another precision than cuBLAS has");
    if (a->rows == 1 || a->cols == 1)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (d->rows == REFUSED || a->rows == REFUSED)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    found[0].algo = cublasLtMatmulAlgo_t{{d->rows, d->cols, a->rows}};
    found[0].workspaceSize = d->rows % 2 ? 0 : 1024 < wish->workspace ? 1024 : wish->workspace;
    found[0].state = CUBLAS_STATUS_SUCCESS;
    *n = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t op, const void *alpha, const void *a_,
                              cublasLtMatrixLayout_t la, const void *b_, cublasLtMatrixLayout_t lb, const void *beta, const void *c,
                              cublasLtMatrixLayout_t, void *d_, cublasLtMatrixLayout_t ld, const cublasLtMatmulAlgo_t *algo,
                              void *work, size_t work_bytes, cudaStream_t stream)
{
    const float *a = static_cast<const float *>(a_), *b = static_cast<const float *>(b_);
    const bool ta = op->ta == CUBLAS_OP_T, tb = op->tb == CUBLAS_OP_T;
    float *d = static_cast<float *>(d_);

    must(fit(op, la, lb, ld) && c == d_ && *static_cast<const float *>(beta) == 0, "these sizes, or a C");
    must(aligned(a) && aligned(b) && aligned(d) && aligned(op->bias), "addresses of less than 16 bytes");
    must(algo->shape[0] == ld->rows && algo->shape[1] == ld->cols && algo->shape[2] == la->rows, "an algorithm of another shape");
    must(ld->rows % 2 == 1 || (work_bytes >= 1024 && work && (uintptr_t)work % 256 == 0), "so little workspace");
    if (ld->rows == FAILS)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    /* What is needed of the arguments, as they are now: the work may be done later. */
    const int64_t m = (int64_t)ld->rows, n = (int64_t)ld->cols, k = (int64_t)(ta ? la->rows : la->cols), lda = la->ld, ldb = lb->ld;
    const int64_t ldd = ld->ld;
    const float by = *static_cast<const float *>(alpha), *bias = op->bias;
    const cudaError_t e = mmlt_cuda_push(stream, [=]() {
        if (m % 2 == 0)
            memset(work, 0xff, work_bytes);
        mmlt_blas_product(ta, tb, m, n, k, by, a, lda, b, ldb, 0, d, ldd);
        for (int64_t j = 0; j < n; j++)
            for (int64_t i = 0; i < m; i++)
                d[j * ldd + i] += bias[i];
    });
    return e == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
