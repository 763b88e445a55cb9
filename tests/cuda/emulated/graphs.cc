/* graphs.cc - captures and graphs of the emulated GPU.
 *
 * While a stream is captured, what is queued on it goes into a graph instead, with its arguments as they are then. A launch does all of
 * that again, later and as often as it likes: an argument that ought to have changed has not, and memory of the graph that has been given
 * back by then cannot be touched any more (memory.cc).
 *
 * What CUDA does not allow meanwhile fails as it does there, and spoils the capture: waiting for the stream or the device, events that
 * come from outside, events of the capture that are waited for, and, as far as the mode of the capture asks for it, calls that may allocate or
 * wait. Two things that CUDA would allow fail too, as nobody here wants them: memory of pools that is asked for or given back
 * in a capture (it would be so at every launch), and a capture that spreads to other streams.
 *
 * MMLT_CUDA_GRAPHS_FAIL=begin, end, instantiate or launch: that call fails always.
 */
#include "cuda_runtime.h"

#include <pthread.h>
#include <stdio.h>

struct mmlt_cuda_node {
    mmlt_cuda_node *next;
    void (*run)(void *ctx);
    void *ctx;
};
struct mmlt_cuda_graph {
    mmlt_cuda_node *first, *last;
    int users; /* handles, and launches that are queued */
};

namespace {

struct capture {
    capture *next;
    cudaStream_t stream;
    cudaStreamCaptureMode mode;
    pthread_t thread;
    bool spoilt;
    mmlt_cuda_graph *graph;
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows; may be taken while the streams' is held, not the other way */
capture *captures;

bool fails(const char *call)
{
    const char *which = getenv("MMLT_CUDA_GRAPHS_FAIL");

    return which && strcmp(which, call) == 0;
}

void *room(size_t bytes)
{
    void *p = calloc(1, bytes > 0 ? bytes : 1);

    if (!p) {
        fprintf(stderr, "emulated CUDA: out of memory\n");
        abort();
    }
    return p;
}

capture *of(cudaStream_t stream)
{
    capture *c = captures;

    while (c && c->stream != stream)
        c = c->next;
    return c;
}

mmlt_cuda_node *new_node(void (*run)(void *), const void *ctx, size_t bytes)
{
    mmlt_cuda_node *n = static_cast<mmlt_cuda_node *>(room(sizeof *n));

    n->run = run;
    n->ctx = room(bytes);
    memcpy(n->ctx, ctx, bytes);
    return n;
}

void free_node(mmlt_cuda_node *n)
{
    free(n->ctx);
    free(n);
}

void release(mmlt_cuda_graph *g)
{
    if (--g->users > 0)
        return;
    while (mmlt_cuda_node *n = g->first) {
        g->first = n->next;
        free_node(n);
    }
    free(g);
}

void do_graph(mmlt_cuda_graph *g)
{
    for (mmlt_cuda_node *n = g->first; n; n = n->next)
        n->run(n->ctx);
}

/* Spoils what matches; the error that its call gives. */
template <class F> cudaError_t forbidden(cudaError_t e, const F &concerns)
{
    bool any = false;

    pthread_mutex_lock(&lock);
    for (capture *c = captures; c; c = c->next)
        if (concerns(c)) {
            c->spoilt = any = true;
        }
    pthread_mutex_unlock(&lock);
    return any ? mmlt_cuda_result(e) : cudaSuccess;
}

} // namespace

bool mmlt_cuda_captured(cudaError_t *e, cudaStream_t stream, void (*run)(void *), const void *ctx, size_t bytes)
{
    mmlt_cuda_node *n;

    *e = cudaSuccess;
    if (!mmlt_cuda_is_capturing(stream))
        return false;
    n = new_node(run, ctx, bytes);
    pthread_mutex_lock(&lock);
    if (const capture *c = of(stream); c && !c->spoilt) {
        (c->graph->last ? c->graph->last->next : c->graph->first) = n;
        c->graph->last = n;
    } else {
        *e = cudaErrorStreamCaptureInvalidated;
        free_node(n);
    }
    pthread_mutex_unlock(&lock);
    return true;
}

bool mmlt_cuda_is_capturing(cudaStream_t stream)
{
    pthread_mutex_lock(&lock);
    const bool yes = of(stream) != nullptr;
    pthread_mutex_unlock(&lock);
    return yes;
}

cudaError_t mmlt_cuda_not_captured(cudaStream_t stream, cudaError_t e)
{
    return forbidden(e, [stream](const capture *c) { return !stream || c->stream == stream; });
}

cudaError_t mmlt_cuda_may_ask(void)
{
    return forbidden(cudaErrorStreamCaptureUnsupported, [](const capture *c) {
        return c->mode == cudaStreamCaptureModeGlobal ||
               (c->mode == cudaStreamCaptureModeThreadLocal && pthread_equal(c->thread, pthread_self()));
    });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode)
{
    cudaError_t e = cudaSuccess;

    if (fails("begin"))
        return mmlt_cuda_result(cudaErrorMemoryAllocation);
    if (!stream)
        return mmlt_cuda_result(cudaErrorStreamCaptureUnsupported);
    pthread_mutex_lock(&lock);
    if (of(stream)) {
        e = cudaErrorIllegalState;
    } else {
        capture *c = static_cast<capture *>(room(sizeof *c));

        c->stream = stream;
        c->mode = mode;
        c->thread = pthread_self();
        c->graph = static_cast<mmlt_cuda_graph *>(room(sizeof *c->graph));
        c->graph->users = 1;
        c->next = captures;
        captures = c;
    }
    pthread_mutex_unlock(&lock);
    return mmlt_cuda_result(e);
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    cudaError_t e = cudaSuccess;
    capture **at = &captures, *c;

    *graph = nullptr;
    pthread_mutex_lock(&lock);
    while (*at && (*at)->stream != stream)
        at = &(*at)->next;
    c = *at;
    if (!c) {
        e = cudaErrorIllegalState;
    } else if (c->mode != cudaStreamCaptureModeRelaxed && !pthread_equal(c->thread, pthread_self())) {
        e = cudaErrorStreamCaptureWrongThread;
    } else {
        *at = c->next;
        if (c->spoilt || fails("end")) {
            e = cudaErrorStreamCaptureInvalidated;
            release(c->graph);
        } else {
            *graph = c->graph;
        }
        free(c);
    }
    pthread_mutex_unlock(&lock);
    return mmlt_cuda_result(e);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    pthread_mutex_lock(&lock);
    release(graph);
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

/* The nodes do not change: both handles are of the same ones. */
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    *exec = nullptr;
    if (!graph || flags)
        return mmlt_cuda_result(cudaErrorInvalidValue);
    if (fails("instantiate"))
        return mmlt_cuda_result(cudaErrorMemoryAllocation);
    if (mmlt_cuda_may_ask() != cudaSuccess)
        return cudaErrorStreamCaptureUnsupported;
    pthread_mutex_lock(&lock);
    graph->users++;
    pthread_mutex_unlock(&lock);
    *exec = reinterpret_cast<cudaGraphExec_t>(graph);
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    return cudaGraphDestroy(reinterpret_cast<cudaGraph_t>(exec));
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    mmlt_cuda_graph *g = reinterpret_cast<cudaGraph_t>(exec);
    cudaError_t e;

    if (fails("launch"))
        return mmlt_cuda_result(cudaErrorMemoryAllocation);
    if ((e = mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureUnsupported)) != cudaSuccess)
        return e;
    if (!mmlt_cuda_is_chosen(stream))
        return cudaErrorInvalidResourceHandle;
    pthread_mutex_lock(&lock);
    g->users++;
    pthread_mutex_unlock(&lock);
    return mmlt_cuda_push(stream, [g]() {
        do_graph(g);
        (void)cudaGraphDestroy(g);
    });
}
