/* ahead.cu - a batch comes in while the GPU computes with the one before: what is sent (backend.h: turn, send) is copied on a stream of its own,
 * through pinned memory of its own.
 *
 *     this stream waits for    the calls before the last turn but one, which used the set of memory that is filled now;
 *                              memory that was asked for since (only until the largest batch has been seen)
 *     the other one waits for  all that was sent, before the next call of whatever kind
 *
 * An event that is waited for may be recorded anew at once: a stream waits for what it stood for. */
#include "backends/cuda/cuda.h"

/* Made at the first turn: who only predicts has no use for it. */
static mml_status open_ahead(mmli_cuda_ahead *a)
{
    cudaEvent_t *const events[] = {&a->turn[0], &a->turn[1], &a->made, &a->sent};

    for (cudaEvent_t *e : events)
        MMLI_CUDA_CALL(cudaEventCreateWithFlags(e, cudaEventDisableTiming));
    MMLI_CUDA_TRY(mmli_cuda_staging_open(&a->staging));
    MMLI_CUDA_CALL(cudaStreamCreateWithFlags(&a->stream, cudaStreamNonBlocking));
    a->fresh = true;
    return MML_OK;
}

void mmli_cuda_ahead_close(mmli_cuda_ahead *a)
{
    const cudaEvent_t events[] = {a->turn[0], a->turn[1], a->made, a->sent};

    mmli_cuda_staging_close(&a->staging);
    for (cudaEvent_t e : events)
        if (e)
            (void)cudaEventDestroy(e);
    if (a->stream)
        (void)cudaStreamDestroy(a->stream);
}

mml_status cuda_turn(mmli_device *dv)
{
    mmli_cuda_ahead *a = &mmli_cuda_of(dv)->ahead;
    const cudaStream_t stream = mmli_cuda_stream(dv);

    if (!a->stream)
        MMLI_CUDA_TRY(open_ahead(a));
    MMLI_CUDA_CALL(cudaEventRecord(a->turn[a->turns % 2], stream));
    if (a->turns > 0)
        MMLI_CUDA_CALL(cudaStreamWaitEvent(a->stream, a->turn[(a->turns - 1) % 2], 0));
    a->turns++;
    return MML_OK;
}

mml_status cuda_send(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    mmli_cuda_ahead *a = &mmli_cuda_of(dv)->ahead;

    if (bytes == 0)
        return MML_OK;
    if (a->fresh) {
        MMLI_CUDA_CALL(cudaEventRecord(a->made, mmli_cuda_stream(dv)));
        MMLI_CUDA_CALL(cudaStreamWaitEvent(a->stream, a->made, 0));
        a->fresh = false;
    }
    a->pending = true;
    return mmli_cuda_staging_upload(&a->staging, a->stream, dst, src, bytes);
}

void mmli_cuda_join(mmli_cuda *cuda)
{
    mmli_cuda_ahead *a = &cuda->ahead;

    a->pending = false;
    (void)cudaEventRecord(a->sent, a->stream);
    (void)cudaStreamWaitEvent(cuda->stream, a->sent, 0);
}
