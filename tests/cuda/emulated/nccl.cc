/* nccl.cc - sums over emulated GPUs. What a real NCCL would wait for until the program is ended, a sum that not all GPUs have come to
 * when its group ends, ends the program with a message.
 *
 * The sum is queued on the first GPU's stream behind what is on all the streams, and all of them go on behind it. It is taken in
 * order, in float64.
 *
 * A library of its own, libnccl.so.2, as the module looks for it; what it needs of the emulator is in the module that is loaded.
 */
#include "nccl.h"

#include <stdio.h>

enum { MOST = 16 };

/* A sum that is being put together: all GPUs' parts. */
struct part {
    const void *from;
    void *to;
    cudaStream_t stream;
};
struct mmlt_nccl_world {
    int n, left; /* communicators; those that are not destroyed */
    size_t count;
    ncclDataType_t type;
    int given;
    part parts[MOST];
    int gpus[MOST];
};
struct mmlt_nccl {
    mmlt_nccl_world *world;
    int rank;
};

namespace {

thread_local int depth;                  /* of groups */
thread_local mmlt_nccl_world *under_way; /* the one whose sum this thread's group is about */

struct sum_call {
    int n;
    size_t count;
    ncclDataType_t type;
    const void *from[MOST];
    void *to[MOST];

    template <class T> void add() const
    {
        for (size_t k = 0; k < count; k++) {
            double all = 0;

            for (int i = 0; i < n; i++)
                all += static_cast<double>(static_cast<const T *>(from[i])[k]);
            for (int i = 0; i < n; i++)
                static_cast<T *>(to[i])[k] = static_cast<T>(all);
        }
    }
    void operator()() const
    {
        if (type == ncclFloat64)
            add<double>();
        else
            add<float>();
    }
};

/* `stream` goes on behind what is on `other`, a stream of that GPU. */
cudaError_t behind(cudaStream_t stream, cudaStream_t other, int gpu)
{
    int before = 0;
    cudaEvent_t event;
    cudaError_t e = cudaGetDevice(&before);

    if (e == cudaSuccess)
        e = cudaSetDevice(gpu);
    if (e == cudaSuccess)
        e = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);

    if (e == cudaSuccess)
        e = cudaEventRecord(event, other);
    if (e == cudaSuccess)
        e = cudaStreamWaitEvent(stream, event, 0);
    if (e == cudaSuccess)
        e = cudaEventDestroy(event);
    (void)cudaSetDevice(before);
    return e;
}

ncclResult_t queue(mmlt_nccl_world *w)
{
    sum_call call = {w->n, w->count, w->type, {}, {}};

    for (int i = 0; i < w->n; i++) {
        call.from[i] = w->parts[i].from;
        call.to[i] = w->parts[i].to;
        if (i > 0 && behind(w->parts[0].stream, w->parts[i].stream, w->gpus[i]) != cudaSuccess)
            return ncclInvalidUsage;
    }
    mmlt_cuda_push(w->parts[0].stream, call);
    for (int i = 1; i < w->n; i++)
        if (behind(w->parts[i].stream, w->parts[0].stream, w->gpus[0]) != cudaSuccess)
            return ncclInvalidUsage;
    w->given = 0;
    return ncclSuccess;
}

} // namespace

ncclResult_t ncclCommInitAll(ncclComm_t *comms, int n, const int *gpus)
{
    mmlt_nccl_world *w = static_cast<mmlt_nccl_world *>(calloc(1, sizeof *w));

    if (!w || n < 1 || n > MOST)
        return ncclInvalidArgument;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (gpus[i] == gpus[j]) {
                free(w);
                return ncclInvalidUsage; /* NCCL: a GPU twice */
            }
    w->n = w->left = n;
    for (int i = 0; i < n; i++) {
        w->gpus[i] = gpus[i];
        comms[i] = static_cast<mmlt_nccl *>(calloc(1, sizeof **comms));
        *comms[i] = mmlt_nccl{w, i};
    }
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm)
{
    if (--comm->world->left == 0)
        free(comm->world);
    free(comm);
    return ncclSuccess;
}

/* What a GPU has for NCCL is read by the others: none of them may be adding up any more when the first goes. */
ncclResult_t ncclCommDestroy(ncclComm_t comm)
{
    const mmlt_nccl_world *w = comm->world;

    for (int i = 0; i < w->n && w->left == w->n; i++)
        if (w->parts[i].stream && !mmlt_cuda_is_idle(w->parts[i].stream)) {
            fprintf(stderr, "emulated NCCL: GPU %d is taken from sums that GPU %d has not done yet\n", comm->rank, i);
            abort();
        }
    return ncclCommAbort(comm);
}

ncclResult_t ncclGroupStart(void)
{
    depth++;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *from, void *to, size_t n, ncclDataType_t type, ncclRedOp_t, ncclComm_t comm, cudaStream_t stream)
{
    mmlt_nccl_world *w = comm->world;

    if (depth == 0 || (w->given > 0 && (n != w->count || type != w->type)))
        return ncclInvalidUsage;
    under_way = w;
    w->count = n;
    w->type = type;
    w->parts[comm->rank] = part{from, to, stream};
    w->given++;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void)
{
    mmlt_nccl_world *w = under_way;

    if (--depth > 0 || !w)
        return ncclSuccess;
    under_way = nullptr;
    if (w->given != w->n) {
        fprintf(stderr, "emulated NCCL: %d of %d GPUs came to a sum: it would wait for ever\n", w->given, w->n);
        abort();
    }
    return queue(w);
}

const char *ncclGetErrorString(ncclResult_t r)
{
    return r == ncclSuccess ? "no error" : r == ncclInvalidArgument ? "invalid argument" : "invalid usage";
}
