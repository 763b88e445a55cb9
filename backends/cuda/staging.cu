/* staging.cu - from the host without waiting: bytes are copied into pinned memory, from which the GPU fetches them when
 * their turn comes. A part of that memory is written again only after the event behind its last copy. */
#include "backends/cuda/cuda.h"

#include <string.h>

enum { PART_BYTES = 4 << 20, ALIGNMENT = 64 };

mml_status mmli_cuda_staging_open(mmli_cuda_staging *s)
{
    void *p = NULL;

    s->part_bytes = PART_BYTES;
    MMLI_CUDA_CALL(cudaMallocHost(&p, MMLI_CUDA_PARTS * s->part_bytes));
    s->pinned = static_cast<char *>(p);
    for (cudaEvent_t &done : s->done)
        MMLI_CUDA_CALL(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
    return MML_OK;
}

void mmli_cuda_staging_close(mmli_cuda_staging *s)
{
    for (cudaEvent_t done : s->done)
        if (done)
            (void)cudaEventDestroy(done);
    if (s->pinned)
        (void)cudaFreeHost(s->pinned);
}

/* The part is full: its event goes behind the copies from it, and the next part must have been fetched. */
static mml_status next_part(mmli_cuda_staging *s, cudaStream_t stream)
{
    MMLI_CUDA_CALL(cudaEventRecord(s->done[s->part], stream));
    s->part = (s->part + 1) % MMLI_CUDA_PARTS;
    s->used = 0;
    /* An event never recorded has passed. */
    MMLI_CUDA_CALL(cudaEventSynchronize(s->done[s->part]));
    return MML_OK;
}

mml_status mmli_cuda_staging_upload(mmli_cuda_staging *s, cudaStream_t stream, void *dst, const void *src, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        const size_t room = s->part_bytes - s->used, n = bytes - at < room ? bytes - at : room;
        char *pinned = s->pinned + static_cast<size_t>(s->part) * s->part_bytes + s->used;

        memcpy(pinned, static_cast<const char *>(src) + at, n);
        MMLI_CUDA_CALL(cudaMemcpyAsync(static_cast<char *>(dst) + at, pinned, n, cudaMemcpyHostToDevice, stream));
        at += n;
        s->used += (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (s->used >= s->part_bytes)
            MMLI_CUDA_TRY(next_part(s, stream));
    }
    return MML_OK;
}
