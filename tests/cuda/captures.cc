/* captures.cc - the emulated GPU itself: what CUDA does not allow while a stream is captured fails with CUDA's error and spoils the capture,
 * a graph does what was queued, as it was queued, and a kernel has as much shared memory as it was allowed. Made and run by emulated.sh. */
#include "emulated/cublas_v2.h"
#include "emulated/cuda_runtime.h"
#include "emulated/cufft.h"

#include <pthread.h>
#include <stdio.h>

static int failed;
static cudaStream_t a, b;
static cudaMemPool_t pool;

static void is(cudaError_t got, cudaError_t want, const char *what, int line)
{
    if (got != want) {
        printf("captures.cc:%d:F: %s gave %s, not %s\n", line, what, cudaGetErrorName(got), cudaGetErrorName(want));
        failed++;
    }
}
#define IS(call, want) is((call), (want), #call, __LINE__)
#define OK(call) IS(call, cudaSuccess)

/* Ends the capture of a: with a graph, or spoilt. */
static void end(cudaError_t want, int line)
{
    cudaGraph_t graph = nullptr;

    is(cudaStreamEndCapture(a, &graph), want, "cudaStreamEndCapture", line);
    if ((graph != nullptr) != (want == cudaSuccess)) {
        printf("captures.cc:%d:F: a graph where there is none, or none\n", line);
        failed++;
    }
    if (graph)
        OK(cudaGraphDestroy(graph));
    (void)cudaGetLastError();
}
#define END(want) end((want), __LINE__)
#define BEGIN(mode) OK(cudaStreamBeginCapture(a, cudaStreamCaptureMode##mode))

struct sum {
    float *p;
    float by;
    void operator()() const { *p += by; }
};

static float read(const float *p)
{
    float x = 0;

    OK(cudaMemcpyAsync(&x, p, sizeof x, cudaMemcpyDeviceToHost, a));
    OK(cudaStreamSynchronize(a));
    return x;
}

/* Arguments are those of the capture; what was queued while it lasted has not been done. */
static void graphs_repeat(float *p)
{
    sum s = {p, 2};
    cudaGraph_t graph;
    cudaGraphExec_t exec;

    OK(cudaMemsetAsync(p, 0, sizeof *p, a));
    BEGIN(ThreadLocal);
    OK(mmlt_cuda_push(a, s));
    s.by = 100;
    OK(cudaStreamEndCapture(a, &graph));
    OK(cudaGraphInstantiate(&exec, graph, 0));
    OK(cudaGraphDestroy(graph));
    if (read(p) != 0)
        IS(cudaErrorInvalidValue, cudaSuccess);
    for (int i = 0; i < 3; i++)
        OK(cudaGraphLaunch(exec, a));
    OK(cudaGraphExecDestroy(exec)); /* what is under way ends */
    if (read(p) != 6)
        IS(cudaErrorInvalidValue, cudaSuccess);
}

static void *from_another_thread(void *)
{
    cudaGraph_t graph;
    void *pinned;

    IS(cudaStreamEndCapture(a, &graph), cudaErrorStreamCaptureWrongThread);
    OK(cudaMallocHost(&pinned, 16)); /* the capture is its thread's affair */
    OK(cudaFreeHost(pinned));
    return nullptr;
}
static void *asks(void *)
{
    void *pinned;

    IS(cudaMallocHost(&pinned, 16), cudaErrorStreamCaptureUnsupported); /* a capture that is everybody's */
    return nullptr;
}
static void in_a_thread(void *(*run)(void *))
{
    pthread_t t;

    if (pthread_create(&t, nullptr, run, nullptr) == 0)
        pthread_join(t, nullptr);
}

static void events(float *p)
{
    cudaEvent_t outside, inside;

    OK(cudaEventCreateWithFlags(&outside, cudaEventDisableTiming));
    OK(cudaEventCreateWithFlags(&inside, cudaEventDisableTiming));
    OK(cudaEventRecord(outside, b));
    BEGIN(ThreadLocal);
    IS(cudaStreamWaitEvent(a, outside), cudaErrorStreamCaptureIsolation);
    IS(mmlt_cuda_push(a, sum{p, 1}), cudaErrorStreamCaptureInvalidated);
    END(cudaErrorStreamCaptureInvalidated);
    BEGIN(ThreadLocal);
    OK(cudaEventRecord(inside, a));
    IS(cudaEventSynchronize(inside), cudaErrorCapturedEvent);
    END(cudaErrorStreamCaptureInvalidated);
    BEGIN(ThreadLocal);
    IS(cudaEventSynchronize(outside), cudaErrorStreamCaptureUnsupported);
    END(cudaErrorStreamCaptureInvalidated);
    BEGIN(Relaxed);
    OK(cudaEventSynchronize(outside));
    END(cudaSuccess);
    OK(cudaEventDestroy(outside));
    OK(cudaEventDestroy(inside));
}

/* Each in a capture of its own. */
#define FORBIDDEN(call, want)                                                                      \
    do {                                                                                           \
        BEGIN(ThreadLocal);                                                                        \
        IS(call, want);                                                                            \
        END(cudaErrorStreamCaptureInvalidated);                                                    \
    } while (0)

static void libraries(float *p)
{
    const float one = 1;
    cublasHandle_t blas = nullptr, second = nullptr;
    cufftHandle plan = 0;
    long long n = 4;
    size_t work;

    if (cublasCreate(&blas) != CUBLAS_STATUS_SUCCESS || cublasSetStream(blas, a) != CUBLAS_STATUS_SUCCESS)
        IS(cudaErrorInvalidValue, cudaSuccess);
    BEGIN(ThreadLocal); /* without a workspace of the user's */
    if (cublasSgemm_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, p, 1, p, 1, &one, p, 1) == CUBLAS_STATUS_SUCCESS)
        IS(cudaErrorInvalidValue, cudaSuccess);
    END(cudaSuccess);
    BEGIN(ThreadLocal);
    if (cublasCreate(&second) == CUBLAS_STATUS_SUCCESS)
        IS(cudaErrorInvalidValue, cudaSuccess);
    END(cudaErrorStreamCaptureInvalidated);
    if (cufftCreate(&plan) != CUFFT_SUCCESS)
        IS(cudaErrorInvalidValue, cudaSuccess);
    BEGIN(ThreadLocal);
    if (cufftMakePlanMany64(plan, 1, &n, nullptr, 1, 0, nullptr, 1, 0, CUFFT_C2C, 1, &work) == CUFFT_SUCCESS)
        IS(cudaErrorInvalidValue, cudaSuccess);
    END(cudaErrorStreamCaptureInvalidated);
    (void)cufftDestroy(plan);
    (void)cublasDestroy(blas);
}

static void one_kernel(float *p) { *p = 1; }
static void another_kernel(float *p) { *p = 2; }

/* More than 48 KiB are for the kernel that was allowed them. */
static void shared_memory(float *p)
{
    enum { MUCH = 60 << 10 };

    mmlt_cuda_launch(1, 1, MUCH, a, one_kernel, p);
    IS(cudaGetLastError(), cudaErrorInvalidConfiguration);
    OK(cudaFuncSetAttribute(one_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, MUCH));
    mmlt_cuda_launch(1, 1, MUCH, a, one_kernel, p);
    OK(cudaGetLastError());
    mmlt_cuda_launch(1, 1, MUCH, a, another_kernel, p);
    IS(cudaGetLastError(), cudaErrorInvalidConfiguration);
    IS(cudaFuncSetAttribute(another_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 << 10), cudaErrorInvalidValue);
    (void)cudaGetLastError();
    if (read(p) != 1)
        IS(cudaErrorInvalidValue, cudaSuccess);
}

int main(void)
{
    cudaMemPoolProps props = {};
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    void *memory, *more, *pinned;
    float *p;

    OK(cudaMemPoolCreate(&pool, &props));
    OK(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
    OK(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
    OK(cudaMallocFromPoolAsync(&memory, sizeof *p, pool, a));
    p = static_cast<float *>(memory);
    OK(cudaStreamSynchronize(a));
    graphs_repeat(p);

    FORBIDDEN(cudaStreamSynchronize(a), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaDeviceSynchronize(), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaMallocFromPoolAsync(&more, 16, pool, a), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaFreeAsync(memory, a), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaMallocHost(&pinned, 16), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaMemPoolTrimTo(pool, 0), cudaErrorStreamCaptureUnsupported);
    FORBIDDEN(cudaStreamDestroy(a), cudaErrorStreamCaptureUnsupported);

    BEGIN(ThreadLocal);
    IS(cudaStreamBeginCapture(a, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
    OK(cudaStreamSynchronize(b)); /* another stream is not concerned */
    in_a_thread(from_another_thread);
    END(cudaSuccess);
    BEGIN(Global);
    in_a_thread(asks);
    END(cudaErrorStreamCaptureInvalidated);
    IS(cudaStreamEndCapture(a, &graph), cudaErrorIllegalState);
    IS(cudaGraphInstantiate(&exec, nullptr, 0), cudaErrorInvalidValue);
    events(p);
    libraries(p);
    shared_memory(p);

    OK(cudaFreeAsync(memory, a));
    OK(cudaStreamDestroy(a));
    OK(cudaStreamDestroy(b));
    OK(cudaMemPoolDestroy(pool));
    printf("100%%: Checks: 1, Failures: %d\n", failed);
    return failed ? 1 : 0;
}
