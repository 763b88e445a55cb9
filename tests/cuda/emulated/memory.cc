/* memory.cc - the memory of the emulated GPU, and copies.
 *
 * Device memory is a range of addresses that the host cannot touch but while a kernel, library or copy runs (open, shut), and then only
 * what is given out; new memory holds NaN. With AddressSanitizer it comes from malloc, which watches it instead.
 * Memory is given out when it is asked for, and taken back in the order of the stream.
 *
 * MMLT_CUDA_MIB: how much memory the GPU has; MMLT_CUDA_SHARED_KIB: how much shared memory a block may have.
 * MMLT_CUDA_GPUS: how many there are [1]; they share the memory, but not streams and events.
 */
#include "cuda_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

namespace {

enum { PAGE = 4096 };
const size_t ARENA = (size_t)16 << 30;

struct block {
    char *p;
    size_t bytes, pages;
    bool freed; /* as soon as the stream gets there */
    block *next; /* by address */
};

char *arena;
block *blocks;
size_t used;        /* bytes */
char *top;          /* end of what was ever given out */
thread_local cudaError_t last;

void protect(char *p, size_t bytes, int how)
{
    if (mprotect(p, bytes, how) != 0) {
        perror("emulated CUDA: mprotect");
        abort();
    }
}

thread_local int chosen; /* GPU */

int gpus(void)
{
    const char *n = getenv("MMLT_CUDA_GPUS");

    return n ? (int)strtol(n, nullptr, 10) : 1;
}

size_t capacity(void)
{
    const char *mib = getenv("MMLT_CUDA_MIB");

    return mib ? (size_t)strtoul(mib, nullptr, 10) << 20 : (size_t)16 << 30;
}

#ifdef __SANITIZE_ADDRESS__
char *take(size_t bytes, block **after)
{
    void *p = nullptr;

    *after = nullptr;
    return posix_memalign(&p, 256, bytes) == 0 ? static_cast<char *>(p) : nullptr;
}
void give_back(block *b) { free(b->p); }
#else
/* The lowest gap that is large enough, with a page between blocks. */
char *take(size_t bytes, block **after)
{
    const size_t pages = (bytes + PAGE - 1) / PAGE + 1;
    char *at;

    if (!arena) {
        void *p = mmap(nullptr, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED)
            return nullptr;
        arena = top = static_cast<char *>(p);
    }
    at = arena;
    *after = nullptr;
    for (block *b = blocks; b && b->p < at + pages * PAGE; b = b->next) {
        at = b->p + b->pages * PAGE;
        *after = b;
    }
    if (at + pages * PAGE > arena + ARENA)
        return nullptr;
    if (at + pages * PAGE > top)
        top = at + pages * PAGE;
    return at;
}
void give_back(block *b) { protect(b->p, (b->pages - 1) * PAGE, PROT_NONE); }
#endif

} // namespace

struct mmlt_cuda_pool {
    size_t live;
};

void mmlt_cuda_open(void)
{
    for (const block *b = blocks; arena && b; b = b->next)
        protect(b->p, (b->pages - 1) * PAGE, PROT_READ | PROT_WRITE);
}
void mmlt_cuda_shut(void)
{
    if (arena && top > arena)
        protect(arena, (size_t)(top - arena), PROT_NONE);
}

cudaError_t mmlt_cuda_result(cudaError_t e)
{
    if (e != cudaSuccess)
        last = e;
    return e;
}

/* What a block may have: 227 KiB, or MMLT_CUDA_SHARED_KIB. */
static int most_shared(void)
{
    const char *kib = getenv("MMLT_CUDA_SHARED_KIB");

    return (kib ? static_cast<int>(strtol(kib, nullptr, 10)) : 227) << 10;
}

/* Kernels that may have more than 48 KiB, on each GPU. */
static struct {
    const void *kernel;
    int gpu, bytes;
} allowed[256];
static size_t n_allowed;
static pthread_mutex_t allowing = PTHREAD_MUTEX_INITIALIZER;

static int *shared_of(const void *kernel) /* with the lock; nullptr: as every kernel */
{
    for (size_t i = 0; i < n_allowed; i++)
        if (allowed[i].kernel == kernel && allowed[i].gpu == chosen)
            return &allowed[i].bytes;
    return nullptr;
}

cudaError_t mmlt_cuda_allow_shared(const void *kernel, int bytes)
{
    if (bytes > most_shared())
        return mmlt_cuda_result(cudaErrorInvalidValue);
    pthread_mutex_lock(&allowing);
    if (int *at = shared_of(kernel)) {
        *at = bytes;
    } else if (n_allowed < sizeof allowed / sizeof *allowed) {
        allowed[n_allowed].kernel = kernel;
        allowed[n_allowed].gpu = chosen;
        allowed[n_allowed++].bytes = bytes;
    }
    pthread_mutex_unlock(&allowing);
    return cudaSuccess;
}

bool mmlt_cuda_may_launch(const void *kernel, dim3 grid, dim3 block, size_t shared)
{
    const uint64_t threads = (uint64_t)block.x * block.y * block.z;
    size_t most = 48 << 10;

    pthread_mutex_lock(&allowing);
    if (const int *at = shared_of(kernel); at && static_cast<size_t>(*at) > most)
        most = static_cast<size_t>(*at);
    pthread_mutex_unlock(&allowing);
    const bool fine = grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7fffffffu && grid.y <= 65535 &&
                      grid.z <= 65535 && threads > 0 && threads <= 1024 && block.z <= 64 && shared <= most;

    if (!fine)
        mmlt_cuda_result(cudaErrorInvalidConfiguration);
    return fine;
}

static const struct {
    cudaError_t e;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the operation cannot be performed in the present state"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation", "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent", "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread", "attempt to terminate a thread-local capture sequence "
                                                                             "from another thread"},
};

const char *cudaGetErrorString(cudaError_t e)
{
    for (const auto &one : errors)
        if (one.e == e)
            return one.text;
    return "unrecognized error code";
}

const char *cudaGetErrorName(cudaError_t e)
{
    for (const auto &one : errors)
        if (one.e == e)
            return one.name;
    return "unrecognized error code";
}

cudaError_t cudaPeekAtLastError(void) { return last; }
cudaError_t cudaGetLastError(void)
{
    const cudaError_t e = last;

    last = cudaSuccess;
    return e;
}

/* As CUDA does it, CUDA_VISIBLE_DEVICES= hides the GPU. */
cudaError_t cudaGetDeviceCount(int *n)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");

    *n = visible && !*visible ? 0 : gpus();
    return *n ? cudaSuccess : mmlt_cuda_result(cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int i)
{
    if (i < 0 || i >= gpus())
        return mmlt_cuda_result(cudaErrorInvalidDevice);
    chosen = i;
    return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int *can, int device, int peer)
{
    *can = device != peer;
    return device < gpus() && peer < gpus() ? cudaSuccess : mmlt_cuda_result(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDevice(int *i)
{
    *i = chosen;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attr, int)
{
    switch (attr) {
    case cudaDevAttrMultiProcessorCount:
        *value = 3; /* few: grids get loops to do */
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *value = 8;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = most_shared();
        break;
    case cudaDevAttrMemoryPoolsSupported:
        *value = 1;
        break;
    }
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int)
{
    memset(prop, 0, sizeof *prop);
    snprintf(prop->name, sizeof prop->name, "emulated GPU");
    prop->totalGlobalMem = capacity();
    prop->major = 8;
    prop->multiProcessorCount = 3;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *room, size_t *total)
{
    *total = capacity();
    *room = *total > used ? *total - used : 0;
    return cudaSuccess;
}

/* ---- memory --------------------------------------------------------------------------------------------- */
cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const cudaMemPoolProps *)
{
    *pool = static_cast<mmlt_cuda_pool *>(calloc(1, sizeof **pool));
    return *pool ? cudaSuccess : mmlt_cuda_result(cudaErrorMemoryAllocation);
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void *) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return mmlt_cuda_may_ask(); } /* nothing is kept */
cudaError_t cudaMemPoolSetAccess(cudaMemPool_t, const cudaMemAccessDesc *access, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (access[i].location.id < 0 || access[i].location.id >= gpus())
            return mmlt_cuda_result(cudaErrorInvalidDevice);
    return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool)
{
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return cudaErrorStreamCaptureUnsupported;
    free(pool);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void **p, size_t bytes, cudaMemPool_t, cudaStream_t stream)
{
    const cudaError_t e = mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureUnsupported);
    block *b, *after;

    *p = nullptr;
    if (bytes == 0 || e != cudaSuccess)
        return e;
    if (bytes > capacity() || used > capacity() - bytes)
        mmlt_cuda_drain(); /* something may be on its way back */
    if (bytes > capacity() || used > capacity() - bytes)
        return mmlt_cuda_result(cudaErrorMemoryAllocation);
    mmlt_cuda_enter(nullptr);
    b = static_cast<block *>(calloc(1, sizeof *b));
    if (b && (b->p = take(bytes, &after))) {
        b->bytes = bytes;
        b->pages = (bytes + PAGE - 1) / PAGE + 1;
        b->next = after ? after->next : blocks;
        (after ? after->next : blocks) = b;
        used += bytes;
        *p = b->p;
    } else {
        free(b);
    }
    mmlt_cuda_leave();
    return *p ? cudaMemsetAsync(*p, 0xff, bytes, stream) : mmlt_cuda_result(cudaErrorMemoryAllocation);
}

static void drop(block *b)
{
    block **at = &blocks;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    used -= b->bytes;
    memset(b->p, 0xff, b->bytes);
    give_back(b);
    free(b);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t stream)
{
    const cudaError_t e = mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureUnsupported);
    block *b;

    if (!p || e != cudaSuccess)
        return e;
    mmlt_cuda_enter(nullptr);
    for (b = blocks; b && b->p != p; b = b->next)
        ;
    if (!b || b->freed) {
        fprintf(stderr, "emulated CUDA: cudaFreeAsync of an address that is not allocated\n");
        abort();
    }
    b->freed = true;
    mmlt_cuda_leave();
    return mmlt_cuda_push(stream, [b]() { drop(b); });
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return cudaErrorStreamCaptureUnsupported;
    *p = malloc(bytes);
    return *p ? cudaSuccess : mmlt_cuda_result(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void *p)
{
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return cudaErrorStreamCaptureUnsupported;
    free(p);
    return cudaSuccess;
}

/* Of the device: within what has been given out, and not taken back yet. */
static void must_be_there(const void *p, size_t bytes)
{
    const char *at = static_cast<const char *>(p);
    const block *b = blocks;

    while (b && !(at >= b->p && at + bytes <= b->p + b->bytes))
        b = b->next;
    if (!b) {
        fprintf(stderr, "emulated CUDA: a copy of %zu bytes from or to memory that is not there, or not any more\n", bytes);
        abort();
    }
}

/* Pinned memory of the host is read, and any is written, when the turn of the copy comes. */
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    return mmlt_cuda_push(
        stream,
        [dst, src, bytes, kind]() {
            if (kind != cudaMemcpyDeviceToHost)
                must_be_there(dst, bytes);
            if (kind != cudaMemcpyHostToDevice)
                must_be_there(src, bytes);
            memmove(dst, src, bytes);
        },
        true);
}

cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t stream)
{
    return mmlt_cuda_push(stream, [dst, value, bytes]() { memset(dst, value, bytes); });
}
