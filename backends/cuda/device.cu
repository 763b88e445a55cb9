/* device.cu - opening a GPU, its memory, and the ways in and out.
 *
 * One stream that computes, which does not wait for the default stream. Memory comes from a pool of the device's own that keeps what
 * is freed, in the order of the stream: what a kernel still reads may be freed behind it.
 *
 * Matrix products are computed in float32; the
 * environment variable MMLEGO_CUDA_TF32=1 lets cuBLAS round operands to 10 bits of mantissa (TF32), which is several
 * times faster and good to about 1e-3. MMLEGO_CUDA_GRAPHS=0: training steps are queued call by call (step.h).
 */
#include "backends/cuda/cuda.h"

#include <stdlib.h>
#include <string.h>

static mml_status find_gpu(mmli_cuda *cuda, int gpu)
{
    int n = 0, pools = 0, shared = 0;
    const cudaError_t e = cudaGetDeviceCount(&n);

    if (e != cudaSuccess || gpu >= n) {
        (void)cudaGetLastError();
        return mmli_fail(MML_E_BACKEND, "GPU %d cannot be used: %s; see that the driver is loaded (nvidia-smi) and what "
                         "CUDA_VISIBLE_DEVICES says, or compute on the cpu",
                         gpu, e == cudaSuccess ? "there is none of that number" : cudaGetErrorString(e));
    }
    cuda->gpu = gpu;
    cuda->one = n == 1;
    MMLI_CUDA_CALL(cudaSetDevice(gpu));
    MMLI_CUDA_CALL(cudaDeviceGetAttribute(&cuda->processors, cudaDevAttrMultiProcessorCount, gpu));
    MMLI_CUDA_CALL(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, gpu));
    MMLI_CUDA_CALL(cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, gpu));
    cuda->shared_most = static_cast<size_t>(shared);
    if (!pools)
        return mmli_fail(MML_E_BACKEND, "GPU %d has no memory pools (cudaMallocAsync) with this driver; one for "
                         "CUDA 12 or later is needed",
                         gpu);
    return MML_OK;
}

static mml_status open_pool(mmli_cuda *cuda)
{
    cudaMemPoolProps props;
    uint64_t keep = UINT64_MAX; /* bytes of freed memory not given back to the driver */

    memset(&props, 0, sizeof props);
    props.allocType = cudaMemAllocationTypePinned;
    props.location.type = cudaMemLocationTypeDevice;
    props.location.id = cuda->gpu;
    MMLI_CUDA_CALL(cudaMemPoolCreate(&cuda->pool, &props));
    MMLI_CUDA_CALL(cudaMemPoolSetAttribute(cuda->pool, cudaMemPoolAttrReleaseThreshold, &keep));
    return MML_OK;
}

static bool is_set_to(const char *name, const char *value)
{
    const char *text = getenv(name);

    return text && strcmp(text, value) == 0;
}

/* Memory of cuBLAS, as much as it takes by itself; what it takes while a step is captured it would take again at each capture. The
 * algorithm may depend on it, so it has the same always. */
static mml_status open_blas(mmli_device *dv)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    cublasStatus_t s;
    int major = 0;
    size_t bytes;
    void *p;

    MMLI_CUDA_CALL(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, cuda->gpu));
    bytes = static_cast<size_t>(major >= 9 ? 32 : 4) << 20;
    mmli_cuda_lock(); /* it may wait for the GPU */
    s = cublasCreate(&cuda->blas);
    mmli_cuda_unlock();
    MMLI_CUDA_TRY(mmli_cuda_check_blas(s, "cublasCreate"));
    MMLI_CUDA_TRY(mmli_cuda_check_blas(cublasSetStream(cuda->blas, cuda->stream), "cublasSetStream"));
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_BLAS, bytes, &p));
    MMLI_CUDA_TRY(mmli_cuda_check_blas(cublasSetWorkspace(cuda->blas, p, bytes), "cublasSetWorkspace"));
    return mmli_cuda_check_blas(
        cublasSetMathMode(cuda->blas, is_set_to("MMLEGO_CUDA_TF32", "1") ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH),
        "cublasSetMathMode");
}

static mml_status open_all(mmli_device *dv)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    cudaError_t e;

    MMLI_CUDA_TRY(find_gpu(cuda, dv->k.index));
    /* Memory of other devices may be read by this one: what they were given before is there now. */
    mmli_cuda_lock();
    e = cudaDeviceSynchronize();
    mmli_cuda_unlock();
    MMLI_CUDA_TRY(mmli_cuda_check(e, "cudaDeviceSynchronize"));
    MMLI_CUDA_CALL(cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking));
    MMLI_CUDA_TRY(open_pool(cuda));
    MMLI_CUDA_TRY(mmli_cuda_staging_open(&cuda->staging));
    cuda->step.wanted = !is_set_to("MMLEGO_CUDA_GRAPHS", "0");
    return open_blas(dv);
}

mml_status cuda_open(mmli_device *dv, int threads)
{
    mmli_cuda *cuda = static_cast<mmli_cuda *>(calloc(1, sizeof *cuda));
    mml_status st;

    (void)threads; /* the host only queues */
    dv->impl = cuda;
    if (!cuda)
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes for a CUDA device could not be had", sizeof *cuda);
    if ((st = open_all(dv)) != MML_OK)
        cuda_close(dv);
    return st;
}

void cuda_close(mmli_device *dv)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);

    if (!cuda)
        return;
    if (cuda->stream)
        (void)cudaSetDevice(cuda->gpu); /* whichever thread this is: libraries give back what they have on the current GPU */
    if (cuda->ahead.stream)
        (void)cudaStreamSynchronize(cuda->ahead.stream);
    if (cuda->stream)
        (void)cudaStreamSynchronize(cuda->stream);
    mmli_cuda_step_close(&cuda->step);
    mmli_cuda_fft_free(cuda->fft);
    mmli_cuda_lt_free(cuda->lt);
    mmli_cuda_lock(); /* cuBLAS waits for the GPU */
    if (cuda->blas)
        (void)cublasDestroy(cuda->blas);
    mmli_cuda_unlock();
    for (mmli_cuda_buffer &b : cuda->scratch)
        if (b.p)
            (void)cudaFreeAsync(b.p, cuda->stream);
    mmli_cuda_ahead_close(&cuda->ahead);
    mmli_cuda_staging_close(&cuda->staging);
    if (cuda->stream)
        (void)cudaStreamSynchronize(cuda->stream);
    if (cuda->pool)
        (void)cudaMemPoolDestroy(cuda->pool);
    if (cuda->stream)
        (void)cudaStreamDestroy(cuda->stream);
    free(cuda);
    dv->impl = NULL;
}

mml_status mmli_cuda_new(mmli_device *dv, void **out, size_t bytes)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    size_t room = 0, total = 0;
    cudaError_t e;

    *out = NULL;
    if (cuda->step.capturing)
        return mmli_fail(MML_E_INTERNAL, "%zu bytes asked for while a step was captured", bytes);
    e = cudaMallocFromPoolAsync(out, bytes > 0 ? bytes : 1, cuda->pool, mmli_cuda_stream(dv));
    if (e == cudaErrorMemoryAllocation) {
        /* The pool keeps what was freed, in pieces that may all be too small: they go back to the driver before giving up. */
        (void)cudaGetLastError();
        (void)cudaStreamSynchronize(cuda->stream);
        (void)cudaMemPoolTrimTo(cuda->pool, 0);
        cuda->step.memory++; /* addresses of graphs may stand for other memory now */
        e = cudaMallocFromPoolAsync(out, bytes > 0 ? bytes : 1, cuda->pool, cuda->stream);
    }
    if (e != cudaErrorMemoryAllocation)
        return mmli_cuda_check(e, "cudaMallocFromPoolAsync");
    (void)cudaGetLastError();
    *out = NULL;
    (void)cudaMemGetInfo(&room, &total);
    return mmli_fail(MML_E_NOMEM, "out of memory on the GPU: %zu bytes asked for, %zu of %zu MiB are free; use a smaller batch, "
                     "fewer tokens a bag or a smaller model",
                     bytes, room >> 20, total >> 20);
}

mml_status cuda_alloc(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    void *p;
    const mml_status st = mmli_cuda_new(dv, &p, bytes);

    *out = static_cast<mmli_mem *>(p);
    mmli_cuda_of(dv)->ahead.fresh = true;
    return st;
}

void cuda_free(mmli_device *dv, mmli_mem *p)
{
    if (p)
        (void)cudaFreeAsync(p, mmli_cuda_stream(dv));
}

mml_status mmli_cuda_scratch(mmli_device *dv, mmli_cuda_slot slot, size_t bytes, void **out)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    mmli_cuda_buffer *b = &cuda->scratch[slot];

    *out = NULL;
    if (b->bytes < bytes || !b->p) {
        /* Half as much again: sizes that creep up do not ask every time. */
        const size_t want = bytes + (b->p ? bytes / 2 : 0);

        if (cuda->step.capturing)
            return mmli_fail(MML_E_INTERNAL, "scratch memory has to grow while a step is captured");
        if (b->p) {
            cuda->step.memory++; /* graphs may use it */
            MMLI_CUDA_CALL(cudaFreeAsync(b->p, mmli_cuda_stream(dv)));
        }
        b->p = NULL;
        b->bytes = 0;
        MMLI_CUDA_TRY(mmli_cuda_new(dv, &b->p, want));
        b->bytes = want;
    }
    *out = b->p;
    return MML_OK;
}

mml_status cuda_upload(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);

    if (mmli_cuda_step_upload(&cuda->step, dst, src, bytes))
        return MML_OK;
    return mmli_cuda_staging_upload(&cuda->staging, mmli_cuda_stream(dv), dst, src, bytes);
}

mml_status cuda_download(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes)
{
    if (bytes > 0)
        MMLI_CUDA_CALL(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, mmli_cuda_stream(dv)));
    return cuda_sync(dv);
}

mml_status cuda_copy(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes)
{
    if (bytes > 0 && dst != src)
        MMLI_CUDA_CALL(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToDevice, mmli_cuda_stream(dv)));
    return MML_OK;
}

mml_status cuda_sync(mmli_device *dv)
{
    MMLI_CUDA_TRY(mmli_cuda_check(cudaStreamSynchronize(mmli_cuda_stream(dv)), "a kernel or copy before cudaStreamSynchronize"));
    return mmli_cuda_step_status(&mmli_cuda_of(dv)->step);
}
