/* cuda_runtime.h (of the tests) - the part of CUDA that backends/cuda uses, for the host: its sources compile with any
 * C++17 compiler, and a grid runs on the CPU, thread by thread.
 *
 * Blocks run one after another. The threads of a block are started in turn; one that waits at a barrier or
 * for its warp is laid aside on a stack of its own, so a kernel without barriers costs a call a thread. A barrier that
 * some thread of the block (a shuffle that some lane of the mask) never comes to ends the program with a message.
 * MMLT_CUDA_ORDER=reverse starts blocks and threads from the last, MMLT_CUDA_ORDER=turns does so at every
 * second launch: kernels must not depend on the order, and one that lacks a barrier does.
 *
 * Shared memory is filled with NaN before each block. Device memory cannot be touched by the host outside of
 * kernels and copies (memory.cc). What is queued while a stream is captured becomes a graph (graphs.cc). Kernels, libraries and copies are queued, and run as late as CUDA may run them, or those of streams
 * that only copy as early (streams.cc): who writes over the source of a copy too early, or forgets to wait for an event, is found out.
 */
#ifndef MMLT_CUDA_RUNTIME_H
#define MMLT_CUDA_RUNTIME_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__) /* clang says it in its own way */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* ---- language ------------------------------------------------------------------------------------- */
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __shared__ static thread_local
#define __align__(n) alignas(n)
#define __launch_bounds__(...)
#define CUDART_VERSION 13000

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) double2 {
    double x, y;
};
struct alignas(8) int2 {
    int x, y;
};
struct alignas(16) int4 {
    int x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
static inline float2 make_float2(float x, float y) { return float2{x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return float4{x, y, z, w}; }
static inline double2 make_double2(double x, double y) { return double2{x, y}; }
static inline int2 make_int2(int x, int y) { return int2{x, y}; }

/* Of the thread that runs */
extern thread_local uint3 threadIdx, blockIdx;
extern thread_local dim3 blockDim, gridDim;
enum { warpSize = 32 };

/* ---- barriers and shuffles --------------------------------------------------------------------------- */
void mmlt_cuda_barrier(void);
/* Gives `bits` of the lane `from` of the warp, when all lanes of `mask` have come. */
uint64_t mmlt_cuda_exchange(unsigned mask, uint64_t bits, unsigned from);
unsigned mmlt_cuda_ballot(unsigned mask, bool yes);
void mmlt_cuda_syncwarp(unsigned mask);
unsigned mmlt_cuda_lane(void);

static inline void __syncthreads(void) { mmlt_cuda_barrier(); }
static inline void __syncwarp(unsigned mask = 0xffffffffu) { mmlt_cuda_syncwarp(mask); }
static inline unsigned __ballot_sync(unsigned mask, int yes) { return mmlt_cuda_ballot(mask, yes != 0); }
static inline int __any_sync(unsigned mask, int yes) { return mmlt_cuda_ballot(mask, yes != 0) != 0; }
static inline int __all_sync(unsigned mask, int yes) { return mmlt_cuda_ballot(mask, yes != 0) == mask; }
static inline void __threadfence(void) {}
static inline void __threadfence_block(void) {}

template <class T> static inline T mmlt_cuda_shuffle(unsigned mask, T x, unsigned from)
{
    uint64_t bits = 0;

    static_assert(sizeof x <= sizeof bits, "a shuffle moves 4 or 8 bytes");
    memcpy(&bits, &x, sizeof x);
    bits = mmlt_cuda_exchange(mask, bits, from);
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The lane itself where the source would be outside of its group of `width` lanes. */
template <class T> static inline T __shfl_sync(unsigned mask, T x, int from, int width = 32)
{
    const unsigned lane = mmlt_cuda_lane(), w = (unsigned)width;

    return mmlt_cuda_shuffle(mask, x, lane / w * w + (unsigned)from % w);
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T x, int by, int width = 32)
{
    const unsigned lane = mmlt_cuda_lane(), w = (unsigned)width, from = lane ^ (unsigned)by;

    return mmlt_cuda_shuffle(mask, x, from < (lane / w + 1) * w ? from : lane);
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T x, unsigned by, int width = 32)
{
    const unsigned lane = mmlt_cuda_lane(), w = (unsigned)width;

    return mmlt_cuda_shuffle(mask, x, lane % w + by < w ? lane + by : lane);
}
template <class T> static inline T __shfl_up_sync(unsigned mask, T x, unsigned by, int width = 32)
{
    const unsigned lane = mmlt_cuda_lane(), w = (unsigned)width;

    return mmlt_cuda_shuffle(mask, x, lane % w >= by ? lane - by : lane);
}

/* ---- arithmetic ---------------------------------------------------------------------------------------- */
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline void sincospi(double x, double *s, double *c)
{
    sincos(3.14159265358979323846 * x, s, c);
}
static inline void sincospif(float x, float *s, float *c)
{
    *s = (float)sin(3.14159265358979323846 * (double)x);
    *c = (float)cos(3.14159265358979323846 * (double)x);
}
static inline double cospi(double x) { return cos(3.14159265358979323846 * x); }
static inline float __fdividef(float a, float b) { return a / b; }
#define __expf(x) expf(x)
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __int_as_float(int x)
{
    float y;
    memcpy(&y, &x, sizeof y);
    return y;
}
static inline int __float_as_int(float x)
{
    int y;
    memcpy(&y, &x, sizeof y);
    return y;
}
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
template <class T> static inline T __ldg(const T *p) { return *p; }
template <class T> static inline T min(T a, T b) { return b < a ? b : a; }
template <class T> static inline T max(T a, T b) { return a < b ? b : a; }

/* ---- the runtime --------------------------------------------------------------------------------------- */
typedef enum cudaError {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInitializationError = 3,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorIllegalState = 401,
    cudaErrorStreamCaptureUnsupported = 900,
    cudaErrorStreamCaptureInvalidated = 901,
    cudaErrorStreamCaptureIsolation = 905,
    cudaErrorCapturedEvent = 907,
    cudaErrorStreamCaptureWrongThread = 908
} cudaError_t;
typedef struct mmlt_cuda_stream *cudaStream_t;
typedef struct mmlt_cuda_event *cudaEvent_t;
typedef struct mmlt_cuda_pool *cudaMemPool_t;
typedef struct mmlt_cuda_graph *cudaGraph_t;
typedef struct mmlt_cuda_exec *cudaGraphExec_t;
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal = 0, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed };

enum cudaDeviceAttr {
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
    cudaDevAttrMemoryPoolsSupported = 115
};
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaMemAllocationType { cudaMemAllocationTypePinned = 1 };
enum cudaMemLocationType { cudaMemLocationTypeDevice = 1 };
enum cudaMemAccessFlags { cudaMemAccessFlagsProtReadWrite = 3 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
struct cudaMemLocation {
    cudaMemLocationType type;
    int id;
};
struct cudaMemAccessDesc {
    cudaMemLocation location;
    cudaMemAccessFlags flags;
};
struct cudaMemPoolProps {
    cudaMemAllocationType allocType;
    cudaMemLocation location;
};
struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
    int major, minor, multiProcessorCount;
};

extern "C" {
const char *cudaGetErrorString(cudaError_t e);
const char *cudaGetErrorName(cudaError_t e);
cudaError_t cudaGetLastError(void);
cudaError_t cudaPeekAtLastError(void);
cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int i);
cudaError_t cudaGetDevice(int *i);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attr, int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaMemGetInfo(size_t *room, size_t *total);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const cudaMemPoolProps *props);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attr, void *value);
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool);
cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc *access, size_t n);
cudaError_t cudaDeviceCanAccessPeer(int *can, int device, int peer);
cudaError_t cudaMallocFromPoolAsync(void **p, size_t bytes, cudaMemPool_t pool, cudaStream_t stream);
cudaError_t cudaFreeAsync(void *p, cudaStream_t stream);
cudaError_t cudaMallocHost(void **p, size_t bytes);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
}

/* A kernel may ask for more than 48 KiB of shared memory only after this, on the GPU that was chosen then. */
cudaError_t mmlt_cuda_allow_shared(const void *kernel, int bytes);
template <class K> static inline cudaError_t cudaFuncSetAttribute(K *kernel, cudaFuncAttribute, int value)
{
    return mmlt_cuda_allow_shared(reinterpret_cast<const void *>(kernel), value);
}

/* ---- queues ----------------------------------------------------------------------------------------------- */

/* Behind all that is queued on the stream: `run` with a copy of ctx, with the memory open, once or, where the stream is captured, as
 * often as the graph is launched. copy: that is all it does. */
cudaError_t mmlt_cuda_queue(cudaStream_t stream, bool copy, void (*run)(void *ctx), const void *ctx, size_t bytes);
template <class F> static inline cudaError_t mmlt_cuda_push(cudaStream_t stream, const F &f, bool copy = false)
{
    static_assert(__is_trivially_copyable(F), "what is queued is copied byte by byte");
    return mmlt_cuda_queue(stream, copy, [](void *ctx) { (*static_cast<const F *>(ctx))(); }, &f, sizeof f);
}

/* For what runs at once: after all of the stream (nullptr: of none), with the memory open; one at a time. */
void mmlt_cuda_enter(cudaStream_t stream);
void mmlt_cuda_leave(void);
/* All that is queued anywhere. */
void mmlt_cuda_drain(void);

/* ---- captures: graphs.cc ---- */
/* Is the stream captured? Then what is queued is in its graph, unless *e says why not. */
bool mmlt_cuda_captured(cudaError_t *e, cudaStream_t stream, void (*run)(void *ctx), const void *ctx, size_t bytes);
bool mmlt_cuda_is_capturing(cudaStream_t stream);
/* What cannot be done to a stream that is captured (nullptr: while any is): its capture is spoilt, and e what the call gives. */
cudaError_t mmlt_cuda_not_captured(cudaStream_t stream, cudaError_t e);
/* What may allocate or wait, and so is not allowed in captures that are strict about it. */
cudaError_t mmlt_cuda_may_ask(void);

/* memory.cc: whether the host can touch device memory; errors that are kept for cudaGetLastError. */
void mmlt_cuda_open(void);
void mmlt_cuda_shut(void);
cudaError_t mmlt_cuda_result(cudaError_t e);

/* ---- running a grid ------------------------------------------------------------------------------------- */
bool mmlt_cuda_reverse(cudaStream_t stream);
bool mmlt_cuda_may_launch(const void *kernel, dim3 grid, dim3 block, size_t shared);
/* Is the GPU of the stream the one that the thread has chosen? Else a launch, or an event of another one, is an error. */
bool mmlt_cuda_is_chosen(cudaStream_t stream);
/* Has all been done that is queued on it? */
bool mmlt_cuda_is_idle(cudaStream_t stream);
/* Now. */
void mmlt_cuda_run(dim3 grid, dim3 block, size_t shared, bool reverse, void (*thread)(const void *), const void *ctx);
void *mmlt_cuda_dynamic_shared(void);

template <class T> struct mmlt_cuda_same {
    typedef T type;
};
template <class... P>
static inline void mmlt_cuda_launch(dim3 grid, dim3 block, size_t shared, cudaStream_t stream, void (*kernel)(P...),
                                    typename mmlt_cuda_same<P>::type... args)
{
    const auto thread = [kernel, args...]() { kernel(args...); };
    typedef decltype(thread) call;

    if (mmlt_cuda_may_launch(reinterpret_cast<const void *>(kernel), grid, block, shared) && mmlt_cuda_is_chosen(stream))
        (void)mmlt_cuda_push(stream, [grid, block, shared, stream, thread]() {
            mmlt_cuda_run(grid, block, shared, mmlt_cuda_reverse(stream), [](const void *ctx) { (*static_cast<call *>(ctx))(); },
                          &thread);
        });
}

#endif
