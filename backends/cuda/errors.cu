/* errors.cu - what CUDA and cuBLAS report, as a status and a message that says what to do. */
#include "backends/cuda/cuda.h"

mml_status mmli_cuda_check(cudaError_t e, const char *call)
{
    if (e == cudaSuccess)
        return MML_OK;
    (void)cudaGetLastError(); /* or the next launch would report this one again */
    if (e == cudaErrorMemoryAllocation)
        return mmli_fail(MML_E_NOMEM, "the GPU is out of memory (%s): use a smaller batch, fewer tokens a bag or a smaller model",
                         call);
    return mmli_fail(MML_E_BACKEND, "CUDA: %s failed: %s (%s)", call, cudaGetErrorString(e), cudaGetErrorName(e));
}

mml_status mmli_cuda_check_launch(cudaError_t e, const char *kernel)
{
    if (e == cudaSuccess)
        return MML_OK;
    return mmli_fail(MML_E_BACKEND, "CUDA: kernel %s could not be started: %s (%s)", kernel, cudaGetErrorString(e),
                     cudaGetErrorName(e));
}

mml_status mmli_cuda_check_blas(cublasStatus_t s, const char *call)
{
    if (s == CUBLAS_STATUS_SUCCESS)
        return MML_OK;
    if (s == CUBLAS_STATUS_ALLOC_FAILED)
        return mmli_fail(MML_E_NOMEM, "the GPU is out of memory (%s): use a smaller batch, fewer tokens a bag or a smaller model",
                         call);
    return mmli_fail(MML_E_BACKEND, "cuBLAS: %s failed: %s", call, cublasGetStatusString(s));
}
