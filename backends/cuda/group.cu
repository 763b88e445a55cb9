/* group.cu - sums over several GPUs of one process, by NCCL, on a stream of their own beside each GPU's.
 *
 * What a GPU has computed is marked by an event that its sum waits for; the sum's own event is what the GPU waits for before it
 * reads the result. The host only queues. All GPUs' parts of a sum are begun together, by one thread (backends/group.c), so none of
 * them can wait for one that never comes.
 *
 * NCCL is looked for when several GPUs are asked for, not before: one GPU needs none. NCCL adds in an order that follows from the
 * number of GPUs and how they are connected, without atomics, and every GPU gets the same bits.
 */
#include "backends/cuda/cuda.h"

#if __has_include(<nccl.h>)

#include <dlfcn.h>
#include <nccl.h>
#include <stdlib.h>
#include <string.h>

#define NCCL_FILE "libnccl.so.2"

namespace {

/* What is called of NCCL. */
struct library {
    void *handle;
    decltype(&ncclCommInitAll) init;
    decltype(&ncclCommDestroy) destroy;
    decltype(&ncclCommAbort) abort;
    decltype(&ncclGroupStart) begin;
    decltype(&ncclGroupEnd) end;
    decltype(&ncclAllReduce) all_reduce;
    decltype(&ncclGetErrorString) text;
};

/* Of one GPU. */
struct member {
    mmli_device *dv; /* lent; its own state is for its own thread */
    int gpu;
    ncclComm_t comm;
    cudaStream_t stream;
    cudaEvent_t marked[MMLI_GROUP_SLOTS], done[MMLI_GROUP_SLOTS];
};

struct group {
    library nccl;
    size_t n;
    member *members;
};

mml_status check(const group *g, ncclResult_t r, const char *call)
{
    if (r == ncclSuccess)
        return MML_OK;
    return mmli_fail(MML_E_BACKEND, "%s: %s; NCCL_DEBUG=WARN in the environment tells more", call, g->nccl.text(r));
}

template <class F> mml_status find(F *out, void *handle, const char *name)
{
    *out = reinterpret_cast<F>(dlsym(handle, name));
    return *out ? MML_OK : mmli_fail(MML_E_BACKEND, "%s has no %s", NCCL_FILE, name);
}

mml_status load(library *nccl)
{
    /* Once loaded it stays: it has threads and exit handlers of its own. */
    nccl->handle = dlopen(NCCL_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!nccl->handle)
        return mmli_fail(MML_E_BACKEND, "several GPUs work together through NCCL, which cannot be loaded: %s; install it where the "
                         "system looks for libraries (ldconfig, LD_LIBRARY_PATH), or name one GPU",
                         dlerror());
    MMLI_CUDA_TRY(find(&nccl->init, nccl->handle, "ncclCommInitAll"));
    MMLI_CUDA_TRY(find(&nccl->destroy, nccl->handle, "ncclCommDestroy"));
    MMLI_CUDA_TRY(find(&nccl->abort, nccl->handle, "ncclCommAbort"));
    MMLI_CUDA_TRY(find(&nccl->begin, nccl->handle, "ncclGroupStart"));
    MMLI_CUDA_TRY(find(&nccl->end, nccl->handle, "ncclGroupEnd"));
    MMLI_CUDA_TRY(find(&nccl->all_reduce, nccl->handle, "ncclAllReduce"));
    return find(&nccl->text, nccl->handle, "ncclGetErrorString");
}

mml_status open_member(member *m, mmli_device *dv)
{
    m->dv = dv;
    m->gpu = mmli_cuda_of(dv)->gpu;
    MMLI_CUDA_CALL(cudaSetDevice(m->gpu)); /* events and streams belong to the GPU that is chosen */
    MMLI_CUDA_CALL(cudaStreamCreateWithFlags(&m->stream, cudaStreamNonBlocking));
    for (int s = 0; s < MMLI_GROUP_SLOTS; s++) {
        MMLI_CUDA_CALL(cudaEventCreateWithFlags(&m->marked[s], cudaEventDisableTiming));
        MMLI_CUDA_CALL(cudaEventCreateWithFlags(&m->done[s], cudaEventDisableTiming));
    }
    return MML_OK;
}

/* NCCL lets a GPU read what another of the same process adds up where it lies, if they are connected; memory of pools is not open to
 * others by itself. */
mml_status open_pools(const group *g)
{
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            const mmli_cuda *owner = mmli_cuda_of(g->members[i].dv), *reader = mmli_cuda_of(g->members[j].dv);
            cudaMemAccessDesc access;
            int can = 0;

            if (i == j)
                continue;
            MMLI_CUDA_CALL(cudaDeviceCanAccessPeer(&can, reader->gpu, owner->gpu));
            memset(&access, 0, sizeof access);
            access.location.type = cudaMemLocationTypeDevice;
            access.location.id = reader->gpu;
            access.flags = cudaMemAccessFlagsProtReadWrite;
            if (can)
                MMLI_CUDA_CALL(cudaMemPoolSetAccess(owner->pool, &access, 1));
        }
    return MML_OK;
}

mml_status open_comms(group *g)
{
    int *gpus = static_cast<int *>(calloc(g->n, sizeof *gpus));
    ncclComm_t *comms = static_cast<ncclComm_t *>(calloc(g->n, sizeof *comms));
    mml_status st;

    if (!gpus || !comms) {
        st = mmli_fail(MML_E_NOMEM, "out of memory for a group of %zu GPUs", g->n);
    } else {
        for (size_t i = 0; i < g->n; i++)
            gpus[i] = g->members[i].gpu;
        mmli_cuda_lock(); /* it may wait for the GPUs */
        st = check(g, g->nccl.init(comms, static_cast<int>(g->n), gpus), "ncclCommInitAll");
        mmli_cuda_unlock();
        for (size_t i = 0; i < g->n && st == MML_OK; i++)
            g->members[i].comm = comms[i];
    }
    free(gpus);
    free(comms);
    return st;
}

mml_status open_all(group *g, mmli_device *const *devices)
{
    MMLI_CUDA_TRY(load(&g->nccl));
    for (size_t i = 0; i < g->n; i++)
        MMLI_CUDA_TRY(open_member(&g->members[i], devices[i]));
    MMLI_CUDA_TRY(open_pools(g));
    return open_comms(g);
}

void wait_for_member(const member *m)
{
    if (m->dv)
        (void)cudaSetDevice(m->gpu);
    if (m->stream)
        (void)cudaStreamSynchronize(m->stream);
}

void close_member(member *m, const library *nccl)
{
    if (!m->dv)
        return;
    (void)cudaSetDevice(m->gpu);
    mmli_cuda_lock(); /* NCCL waits for the GPU */
    if (m->comm)
        (void)nccl->destroy(m->comm);
    mmli_cuda_unlock();
    for (int s = 0; s < MMLI_GROUP_SLOTS; s++) {
        if (m->marked[s])
            (void)cudaEventDestroy(m->marked[s]);
        if (m->done[s])
            (void)cudaEventDestroy(m->done[s]);
    }
    if (m->stream)
        (void)cudaStreamDestroy(m->stream);
}

/* All are waited for before the first is closed: another GPU may still read what NCCL has on this one. */
void close_group(void *state)
{
    group *g = static_cast<group *>(state);

    if (!g)
        return;
    for (size_t i = 0; g->members && i < g->n; i++)
        wait_for_member(&g->members[i]);
    for (size_t i = 0; g->members && i < g->n; i++)
        close_member(&g->members[i], &g->nccl);
    if (g->nccl.handle)
        (void)dlclose(g->nccl.handle);
    free(g->members);
    free(g);
}

mml_status open_group(void **out, mmli_device *const *devices, size_t n)
{
    group *g = static_cast<group *>(calloc(1, sizeof *g));
    mml_status st;

    *out = NULL;
    if (g) {
        g->n = n;
        g->members = static_cast<member *>(calloc(n, sizeof *g->members));
    }
    if (!g || !g->members)
        st = mmli_fail(MML_E_NOMEM, "out of memory for a group of %zu GPUs", n);
    else
        st = open_all(g, devices);
    if (st != MML_OK)
        close_group(g);
    else
        *out = g;
    return st;
}

/* A sum that waits on one GPU for another that has failed ends; the next wait for it gives whatever there is. */
void abort_group(void *state)
{
    group *g = static_cast<group *>(state);

    for (size_t i = 0; i < g->n; i++)
        if (g->members[i].comm) {
            (void)g->nccl.abort(g->members[i].comm);
            g->members[i].comm = NULL;
        }
}

mml_status mark(void *state, size_t i, size_t slot)
{
    const member *m = &static_cast<group *>(state)->members[i];

    MMLI_CUDA_CALL(cudaEventRecord(m->marked[slot], mmli_cuda_stream(m->dv)));
    return MML_OK;
}

mml_status sum(void *state, size_t slot, mmli_mem *const *x, size_t n, mmli_group_type type)
{
    const group *g = static_cast<group *>(state);
    const library *nccl = &g->nccl;
    ncclResult_t r = ncclSuccess;

    for (size_t i = 0; i < g->n; i++) {
        MMLI_CUDA_CALL(cudaSetDevice(g->members[i].gpu));
        MMLI_CUDA_CALL(cudaStreamWaitEvent(g->members[i].stream, g->members[i].marked[slot], 0));
    }
    MMLI_CUDA_TRY(check(g, nccl->begin(), "ncclGroupStart"));
    for (size_t i = 0; i < g->n && r == ncclSuccess; i++)
        r = nccl->all_reduce(x[i], x[i], n, type == MMLI_GROUP_F64 ? ncclFloat64 : ncclFloat32, ncclSum, g->members[i].comm, g->members[i].stream);
    if (r != ncclSuccess) {
        (void)nccl->end();
        return check(g, r, "ncclAllReduce");
    }
    MMLI_CUDA_TRY(check(g, nccl->end(), "ncclGroupEnd"));
    for (size_t i = 0; i < g->n; i++) {
        MMLI_CUDA_CALL(cudaSetDevice(g->members[i].gpu));
        MMLI_CUDA_CALL(cudaEventRecord(g->members[i].done[slot], g->members[i].stream));
    }
    return MML_OK;
}

mml_status wait_for(void *state, size_t i, size_t slot)
{
    const member *m = &static_cast<group *>(state)->members[i];

    MMLI_CUDA_CALL(cudaStreamWaitEvent(mmli_cuda_stream(m->dv), m->done[slot], 0));
    return MML_OK;
}

} // namespace

#else

namespace {

mml_status open_group(void **out, mmli_device *const *, size_t)
{
    *out = NULL;
    return mmli_fail(MML_E_BACKEND, "several GPUs work together through NCCL, and the module for NVIDIA GPUs was built without it "
                     "(nccl.h was not found); name one GPU");
}
/* Never called: there is no group. */
void close_group(void *) {}
void abort_group(void *) {}
mml_status mark(void *, size_t, size_t) { return MML_OK; }
mml_status sum(void *, size_t, mmli_mem *const *, size_t, mmli_group_type) { return MML_OK; }
mml_status wait_for(void *, size_t, size_t) { return MML_OK; }

} // namespace

#endif

extern "C" const mmli_backend_group mmli_cuda_group = {open_group, close_group, abort_group, mark, sum, wait_for};
