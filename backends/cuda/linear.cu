/* linear.cu - y = x w^T + b, the bias added where cuBLASLt writes y: y passes through memory once. The way without (a bias in y,
 * then a product added to it) writes it, reads it and writes it again: 2 x 200 MB more for 1e5 rows of 512.
 *
 * Orders. cuBLASLt is column-major, and a row-major matrix is the transposed one as it lies:
 *
 *     D = op(A) op(B)     D = y': (out, rows), ld out     A = w': (in, out), ld in, op(A) = A' = w     B = x': (in, rows), ld in
 *
 * Its bias is a number for each row of D, the same in all columns: for each output, the same in all rows of y.
 *
 * What of cuBLASLt is not used, and why:
 * - RELU after the bias. It is defined as max(x, 0), which is 0 where x is NaN: broken weights would give numbers that look fine,
 *   where every other backend gives NaN. GELU is the tanh approximation, ours (a gate, backend.h) has the normal distribution;
 *   there is no ELU, SELU or gate of two halves.
 * - gradients of the bias (BGRADA, BGRADB). They are float32 sums that overwrite; ours are float64 and add, over up to millions of
 *   rows. The pass over dy that it would save is one of 512 floats a row, beside two products of 512 x 1024.
 *
 * The same bits each time: the algorithm follows from the shape (addresses are multiples of 16, or it is not used), and may cut
 * the sum over `in` only with partial sums in memory that a second kernel adds. Choosing takes the host some microseconds, so
 * choices are kept. */
#include <cublasLt.h>

#include "backends/cuda/cuda.h"

#include <limits.h>
#include <stdlib.h>

namespace {

enum {
    PLANS = 64,
    ALIGNMENT = 16, /* bytes; of the bias, too */
};
constexpr size_t WORKSPACE = 32 << 20; /* bytes, at most: what NVIDIA advises for compute capability 9.0 */

struct plan {
    size_t rows, in, out;
    uint64_t used;
    bool refused; /* cuBLASLt has nothing for this shape */
    cublasLtMatmulAlgo_t algo;
    size_t work; /* bytes that the algorithm needs */
};

} // namespace

struct mmli_cuda_lt {
    plan p[PLANS];
    int n;
    uint64_t clock;
};

namespace {

/* One call: the operation and its matrices. */
struct call {
    cublasLtMatmulDescOpaque_t op;
    cublasLtMatrixLayoutOpaque_t a, b, d;
};

#define LT_CALL(call) MMLI_CUDA_TRY(mmli_cuda_check_blas((call), #call))

template <class T> mml_status set(call *c, cublasLtMatmulDescAttributes_t what, T value)
{
    return mmli_cuda_check_blas(cublasLtMatmulDescSetAttribute(&c->op, what, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
}

template <class T> mml_status set(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t what, T value)
{
    return mmli_cuda_check_blas(cublasLtMatmulPreferenceSetAttribute(p, what, &value, sizeof value),
                                "cublasLtMatmulPreferenceSetAttribute");
}

/* Precision as in other products of the device (device.cu). */
mml_status describe(call *c, mmli_device *dv, const float *bias, size_t rows, size_t in, size_t out)
{
    cublasMath_t math;

    LT_CALL(cublasGetMathMode(mmli_cuda_of(dv)->blas, &math));
    LT_CALL(cublasLtMatmulDescInit(&c->op, math == CUBLAS_TF32_TENSOR_OP_MATH ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                                   CUDA_R_32F));
    MMLI_CUDA_TRY(set(c, CUBLASLT_MATMUL_DESC_TRANSA, static_cast<int32_t>(CUBLAS_OP_T)));
    MMLI_CUDA_TRY(set(c, CUBLASLT_MATMUL_DESC_TRANSB, static_cast<int32_t>(CUBLAS_OP_N)));
    MMLI_CUDA_TRY(set(c, CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(CUBLASLT_EPILOGUE_BIAS)));
    MMLI_CUDA_TRY(set(c, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias));
    LT_CALL(cublasLtMatrixLayoutInit(&c->a, CUDA_R_32F, in, out, static_cast<int64_t>(in)));
    LT_CALL(cublasLtMatrixLayoutInit(&c->b, CUDA_R_32F, in, rows, static_cast<int64_t>(in)));
    LT_CALL(cublasLtMatrixLayoutInit(&c->d, CUDA_R_32F, out, rows, static_cast<int64_t>(out)));
    return MML_OK;
}

/* The handle of cuBLAS is one of cuBLASLt, too. */
cublasLtHandle_t handle(const mmli_device *dv)
{
    return reinterpret_cast<cublasLtHandle_t>(mmli_cuda_of(dv)->blas);
}

/* It does not do this shape. Where w is one row or one column (a score, a risk) some versions call that an invalid value. */
bool refuses(cublasStatus_t s)
{
    return s == CUBLAS_STATUS_NOT_SUPPORTED || s == CUBLAS_STATUS_INVALID_VALUE || s == CUBLAS_STATUS_ARCH_MISMATCH;
}

mml_status choose(plan *p, mmli_device *dv, call *c)
{
    cublasLtMatmulPreferenceOpaque_t wish;
    cublasLtMatmulHeuristicResult_t found;
    cublasStatus_t s;
    int n = 0;

    LT_CALL(cublasLtMatmulPreferenceInit(&wish));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(WORKSPACE)));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                      static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<uint32_t>(ALIGNMENT)));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<uint32_t>(ALIGNMENT)));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<uint32_t>(ALIGNMENT)));
    MMLI_CUDA_TRY(set(&wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<uint32_t>(ALIGNMENT)));
    s = cublasLtMatmulAlgoGetHeuristic(handle(dv), &c->op, &c->a, &c->b, &c->d, &c->d, &wish, 1, &found, &n);
    if (s != CUBLAS_STATUS_SUCCESS && !refuses(s))
        return mmli_cuda_check_blas(s, "cublasLtMatmulAlgoGetHeuristic");
    p->refused = s != CUBLAS_STATUS_SUCCESS || n == 0 || found.state != CUBLAS_STATUS_SUCCESS;
    if (!p->refused) {
        p->algo = found.algo;
        p->work = found.workspaceSize;
    }
    return MML_OK;
}

/* The plan for a shape: kept, or made in place of the one that was not used for longest. */
mml_status plan_for(plan **out, mmli_device *dv, call *c, size_t rows, size_t in, size_t out_)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    mmli_cuda_lt *k = cuda->lt;
    int at = 0;

    *out = NULL;
    if (!k && !(k = cuda->lt = static_cast<mmli_cuda_lt *>(calloc(1, sizeof *k))))
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes for the plans of matrix products could not be had", sizeof *k);
    k->clock++;
    for (int i = 0; i < k->n; i++) {
        plan *p = &k->p[i];

        if (p->rows == rows && p->in == in && p->out == out_) {
            p->used = k->clock;
            *out = p;
            return MML_OK;
        }
        if (p->used < k->p[at].used)
            at = i;
    }
    if (k->n == PLANS)
        k->p[at] = k->p[--k->n];
    at = k->n;
    k->p[at] = plan();
    MMLI_CUDA_TRY(choose(&k->p[at], dv, c));
    k->p[at].rows = rows;
    k->p[at].in = in;
    k->p[at].out = out_;
    k->p[at].used = k->clock;
    k->n++;
    *out = &k->p[at];
    return MML_OK;
}

bool aligned(const mmli_mem *p)
{
    return reinterpret_cast<uintptr_t>(p) % ALIGNMENT == 0;
}

/* *done false: cuBLASLt does not do this one, and y is as it was. */
mml_status fused(bool *done, mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, const mmli_mem *b, size_t rows,
                 size_t in, size_t out)
{
    const float one = 1, zero = 0;
    cublasStatus_t s;
    void *work = NULL;
    plan *p;
    call c;

    *done = false;
    if (!aligned(y) || !aligned(x) || !aligned(w) || !aligned(b) || rows > INT_MAX || in > INT_MAX || out > INT_MAX)
        return MML_OK;
    (void)mmli_cuda_stream(dv);
    MMLI_CUDA_TRY(describe(&c, dv, dev_f(b), rows, in, out));
    MMLI_CUDA_TRY(plan_for(&p, dv, &c, rows, in, out));
    if (p->refused)
        return MML_OK;
    if (p->work > 0)
        MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_LT, p->work, &work));
    s = cublasLtMatmul(handle(dv), &c.op, &one, w, &c.a, x, &c.b, &zero, y, &c.d, y, &c.d, &p->algo, work, p->work,
                       mmli_cuda_of(dv)->stream);
    p->refused = refuses(s);
    if (p->refused)
        return MML_OK;
    MMLI_CUDA_TRY(mmli_cuda_check_blas(s, "cublasLtMatmul"));
    *done = true;
    return MML_OK;
}

} // namespace

void mmli_cuda_lt_free(mmli_cuda_lt *plans)
{
    free(plans);
}

extern "C" mml_status cuda_linear(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, const mmli_mem *b, size_t rows,
                                  size_t in, size_t out)
{
    const size_t ld = in > 0 ? in : 1;
    bool done = false;

    if (b && rows > 0 && in > 0 && out > 0)
        MMLI_CUDA_TRY(fused(&done, dv, y, x, w, b, rows, in, out));
    if (done)
        return MML_OK;
    if (b)
        MMLI_CUDA_TRY(cuda_repeat(dv, y, b, rows, out));
    return cuda_gemm(dv, false, true, rows, out, in, 1.0f, x, ld, w, ld, b ? 1.0f : 0.0f, y, out > 0 ? out : 1);
}
