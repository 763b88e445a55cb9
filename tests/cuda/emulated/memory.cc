/* memory.cc - the memory of the emulated GPU, its streams and copies.
 *
 * Device memory is a range of addresses that the host cannot touch but while a kernel, library or copy runs (enter, leave);
 * new memory holds NaN. With AddressSanitizer it comes from malloc, and its borders are watched instead. Copies from the host are
 * queued and done at the next thing that must see them. One lock: the GPU does one thing at a time.
 *
 * MMLT_CUDA_MIB: how much memory the GPU has.
 */
#include "cuda_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

namespace {

enum { PAGE = 4096, MOST_COPIES = 256 };
const size_t ARENA = (size_t)16 << 30;

struct copy {
    void *dst;
    const void *src;
    size_t bytes;
};

struct block {
    char *p;
    size_t bytes, pages;
    block *next; /* by address */
};

char *arena;
block *blocks;
size_t used;        /* bytes */
char *top;          /* end of what was ever given out */
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
mmlt_cuda_stream *streams;
thread_local cudaError_t last;
thread_local int allowed_shared = 48 << 10;

cudaError_t result(cudaError_t e)
{
    if (e != cudaSuccess)
        last = e;
    return e;
}

void protect(int how)
{
    if (arena && top > arena && mprotect(arena, (size_t)(top - arena), how) != 0) {
        perror("emulated CUDA: mprotect");
        abort();
    }
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
void give_back(block *b) { (void)b; }
#endif

} // namespace

struct mmlt_cuda_stream {
    copy queue[MOST_COPIES];
    uint64_t pushed, done;
    unsigned launches;
    mmlt_cuda_stream *next;
};
struct mmlt_cuda_event {
    mmlt_cuda_stream *stream;
    uint64_t position;
};
struct mmlt_cuda_pool {
    size_t live;
};

/* With the memory open. */
static void flush(mmlt_cuda_stream *s, uint64_t to)
{
    for (; s->done < to; s->done++) {
        const copy *c = &s->queue[s->done % MOST_COPIES];

        memcpy(c->dst, c->src, c->bytes);
    }
}

void mmlt_cuda_enter(cudaStream_t s)
{
    pthread_mutex_lock(&lock);
    protect(PROT_READ | PROT_WRITE);
    if (s)
        flush(s, s->pushed);
}

void mmlt_cuda_leave(void)
{
    protect(PROT_NONE);
    pthread_mutex_unlock(&lock);
}

bool mmlt_cuda_reverse(cudaStream_t s)
{
    const char *order = getenv("MMLT_CUDA_ORDER");

    return order && (strcmp(order, "reverse") == 0 || (strcmp(order, "turns") == 0 && s->launches++ % 2 == 1));
}

cudaError_t mmlt_cuda_allow_shared(int bytes)
{
    if (bytes > 227 << 10)
        return result(cudaErrorInvalidValue);
    if (bytes > allowed_shared)
        allowed_shared = bytes;
    return cudaSuccess;
}

bool mmlt_cuda_may_launch(dim3 grid, dim3 block, size_t shared)
{
    const uint64_t threads = (uint64_t)block.x * block.y * block.z;
    const bool fine = grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7fffffffu && grid.y <= 65535 &&
                      grid.z <= 65535 && threads > 0 && threads <= 1024 && block.z <= 64 &&
                      shared <= (size_t)allowed_shared;

    if (!fine)
        result(cudaErrorInvalidConfiguration);
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

    *n = visible && !*visible ? 0 : 1;
    return *n ? cudaSuccess : result(cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int i) { return i == 0 ? cudaSuccess : result(cudaErrorInvalidValue); }
cudaError_t cudaGetDevice(int *i)
{
    *i = 0;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attr, int)
{
    switch (attr) {
    case cudaDevAttrMultiProcessorCount:
        *value = 3; /* few: grids get loops to do */
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *value = 9;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = 227 << 10;
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
    prop->major = 9;
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

/* ---- streams and events -------------------------------------------------------------------------- */
cudaError_t cudaDeviceSynchronize(void)
{
    mmlt_cuda_enter(nullptr);
    for (mmlt_cuda_stream *s = streams; s; s = s->next)
        flush(s, s->pushed);
    mmlt_cuda_leave();
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    mmlt_cuda_stream *s = static_cast<mmlt_cuda_stream *>(calloc(1, sizeof *s));

    if (!(*stream = s))
        return result(cudaErrorMemoryAllocation);
    pthread_mutex_lock(&lock);
    s->next = streams;
    streams = s;
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    mmlt_cuda_enter(stream);
    mmlt_cuda_leave();
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    mmlt_cuda_enter(stream);
    for (mmlt_cuda_stream **at = &streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    mmlt_cuda_leave();
    free(stream);
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = static_cast<mmlt_cuda_event *>(calloc(1, sizeof **event));
    return *event ? cudaSuccess : result(cudaErrorMemoryAllocation);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    event->stream = stream;
    event->position = stream->pushed;
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    if (event->stream) {
        mmlt_cuda_enter(nullptr);
        flush(event->stream, event->position);
        mmlt_cuda_leave();
    }
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    free(event);
    return cudaSuccess;
}

/* ---- memory --------------------------------------------------------------------------------------------- */
cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const cudaMemPoolProps *)
{
    *pool = static_cast<mmlt_cuda_pool *>(calloc(1, sizeof **pool));
    return *pool ? cudaSuccess : result(cudaErrorMemoryAllocation);
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void *) { return cudaSuccess; }
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool)
{
    free(pool);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void **p, size_t bytes, cudaMemPool_t, cudaStream_t)
{
    block *b, *after;

    *p = nullptr;
    if (bytes == 0)
        return cudaSuccess;
    if (bytes > capacity() || used > capacity() - bytes)
        return result(cudaErrorMemoryAllocation);
    mmlt_cuda_enter(nullptr);
    b = static_cast<block *>(calloc(1, sizeof *b));
    if (b && (b->p = take(bytes, &after))) {
        b->bytes = bytes;
        b->pages = (bytes + PAGE - 1) / PAGE + 1;
        b->next = after ? after->next : blocks;
        (after ? after->next : blocks) = b;
        used += bytes;
        protect(PROT_READ | PROT_WRITE);
        memset(b->p, 0xff, bytes);
        *p = b->p;
    } else {
        free(b);
    }
    mmlt_cuda_leave();
    return *p ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeAsync(void *p, cudaStream_t stream)
{
    block **at = &blocks;

    if (!p)
        return cudaSuccess;
    mmlt_cuda_enter(stream);
    while (*at && (*at)->p != p)
        at = &(*at)->next;
    if (*at) {
        block *b = *at;

        *at = b->next;
        used -= b->bytes;
        give_back(b);
        free(b);
    } else {
        fprintf(stderr, "emulated CUDA: cudaFreeAsync of an address that is not allocated\n");
        abort();
    }
    mmlt_cuda_leave();
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    *p = malloc(bytes);
    return *p ? cudaSuccess : result(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void *p)
{
    free(p);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    if (kind == cudaMemcpyHostToDevice) {
        if (stream->pushed - stream->done == MOST_COPIES)
            (void)cudaStreamSynchronize(stream);
        stream->queue[stream->pushed++ % MOST_COPIES] = copy{dst, src, bytes};
        return cudaSuccess;
    }
    mmlt_cuda_enter(stream);
    memmove(dst, src, bytes);
    mmlt_cuda_leave();
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t stream)
{
    mmlt_cuda_enter(stream);
    memset(dst, value, bytes);
    mmlt_cuda_leave();
    return cudaSuccess;
}
