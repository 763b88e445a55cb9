/* streams.cc - streams and events of the emulated GPU.
 *
 * Nothing runs when it is queued, but when somebody waits for it: the host, or another stream that the host waits for. Then only that runs
 * which streams and events put before it; all else is as late as CUDA allows. So who forgets to wait for an event reads what has not come yet.
 *
 * MMLT_CUDA_STREAMS=ahead: streams that only copy are as early as CUDA allows instead: what is queued on them runs at once, or when the
 * last event has passed that it waits for. So who forgets to wait there writes over what other streams have not read yet.
 *
 * One lock: the GPU does one thing at a time.
 */
#include "cuda_runtime.h"

#include <pthread.h>
#include <stdio.h>

struct mmlt_cuda_op {
    mmlt_cuda_op *next;
    void (*run)(void *ctx); /* nullptr: wait until `other` has done `to` */
    mmlt_cuda_stream *other;
    uint64_t to;
};
struct mmlt_cuda_stream {
    mmlt_cuda_op *first, *last;
    uint64_t pushed, done;
    unsigned launches;
    int gpu;
    bool computes; /* it has had something else than a copy to do */
    bool busy;     /* its first is running, or waiting */
    mmlt_cuda_stream *next;
};
struct mmlt_cuda_event {
    mmlt_cuda_stream *stream;
    uint64_t position;
    int gpu;
    bool captured; /* last recorded in a capture: it stands for nothing that will be done */
};

namespace {

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
mmlt_cuda_stream *streams;

bool ahead(const mmlt_cuda_stream *s)
{
    const char *how = getenv("MMLT_CUDA_STREAMS");

    return !s->computes && how && strcmp(how, "ahead") == 0;
}

void *context(mmlt_cuda_op *o)
{
    return reinterpret_cast<char *>(o) + (sizeof *o + 15) / 16 * 16;
}

void run_to(mmlt_cuda_stream *s, uint64_t to);

void run_first(mmlt_cuda_stream *s)
{
    mmlt_cuda_op *o = s->first;

    s->busy = true;
    if (o->run)
        o->run(context(o));
    else
        run_to(o->other, o->to);
    if (!(s->first = o->next))
        s->last = nullptr;
    s->done++;
    s->busy = false;
    free(o);
}

/* Those that are ahead, as far as events let them. */
void run_ahead(void)
{
    for (mmlt_cuda_stream *s = streams; s; s = s->next)
        while (ahead(s) && !s->busy && s->first && (s->first->run || s->first->other->done >= s->first->to))
            run_first(s);
}

void run_to(mmlt_cuda_stream *s, uint64_t to)
{
    while (s->done < to) {
        run_first(s);
        if (!ahead(s))
            run_ahead();
    }
}

void push(mmlt_cuda_stream *s, mmlt_cuda_op *o)
{
    if (s->last)
        s->last->next = o;
    else
        s->first = o;
    s->last = o;
    s->pushed++;
    if (ahead(s)) {
        mmlt_cuda_open();
        run_ahead();
        mmlt_cuda_shut();
    }
}

mmlt_cuda_op *new_op(size_t bytes)
{
    mmlt_cuda_op *o = static_cast<mmlt_cuda_op *>(calloc(1, (sizeof *o + 15) / 16 * 16 + bytes));

    if (!o) {
        fprintf(stderr, "emulated CUDA: out of memory\n");
        abort();
    }
    return o;
}

} // namespace

cudaError_t mmlt_cuda_queue(cudaStream_t s, bool copy, void (*run)(void *), const void *ctx, size_t bytes)
{
    mmlt_cuda_op *o;
    cudaError_t e;

    if (!s) {
        fprintf(stderr, "emulated CUDA: there is no legacy stream: nobody needs one that waits for all the others\n");
        abort();
    }
    if (mmlt_cuda_captured(&e, s, run, ctx, bytes))
        return mmlt_cuda_result(e);
    o = new_op(bytes);
    o->run = run;
    memcpy(context(o), ctx, bytes);
    pthread_mutex_lock(&lock);
    s->computes = s->computes || !copy;
    push(s, o);
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

void mmlt_cuda_enter(cudaStream_t s)
{
    pthread_mutex_lock(&lock);
    mmlt_cuda_open();
    if (s)
        run_to(s, s->pushed);
}

void mmlt_cuda_leave(void)
{
    mmlt_cuda_shut();
    pthread_mutex_unlock(&lock);
}

bool mmlt_cuda_reverse(cudaStream_t s)
{
    const char *order = getenv("MMLT_CUDA_ORDER");

    return order && (strcmp(order, "reverse") == 0 || (strcmp(order, "turns") == 0 && s->launches++ % 2 == 1));
}

void mmlt_cuda_drain(void)
{
    mmlt_cuda_enter(nullptr);
    for (mmlt_cuda_stream *s = streams; s; s = s->next)
        run_to(s, s->pushed);
    mmlt_cuda_leave();
}

cudaError_t cudaDeviceSynchronize(void)
{
    const cudaError_t e = mmlt_cuda_not_captured(nullptr, cudaErrorStreamCaptureUnsupported);

    if (e == cudaSuccess)
        mmlt_cuda_drain();
    return e;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    mmlt_cuda_stream *s = static_cast<mmlt_cuda_stream *>(calloc(1, sizeof *s));

    if (!(*stream = s))
        return mmlt_cuda_result(cudaErrorMemoryAllocation);
    (void)cudaGetDevice(&s->gpu);
    pthread_mutex_lock(&lock);
    s->next = streams;
    streams = s;
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    const cudaError_t e = mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureUnsupported);

    if (e != cudaSuccess)
        return e;
    mmlt_cuda_enter(stream);
    mmlt_cuda_leave();
    return cudaSuccess;
}

/* Others may wait for something on it: they get it first. */
cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    if (mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureUnsupported) != cudaSuccess)
        return cudaErrorStreamCaptureUnsupported;
    mmlt_cuda_drain();
    pthread_mutex_lock(&lock);
    for (mmlt_cuda_stream **at = &streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    free(stream);
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = static_cast<mmlt_cuda_event *>(calloc(1, sizeof **event));
    return *event ? cudaGetDevice(&(*event)->gpu) : mmlt_cuda_result(cudaErrorMemoryAllocation);
}

bool mmlt_cuda_is_idle(cudaStream_t stream)
{
    pthread_mutex_lock(&lock);
    const bool idle = stream->done == stream->pushed;
    pthread_mutex_unlock(&lock);
    return idle;
}

bool mmlt_cuda_is_chosen(cudaStream_t stream)
{
    int gpu;

    (void)cudaGetDevice(&gpu);
    if (gpu != stream->gpu)
        (void)mmlt_cuda_result(cudaErrorInvalidResourceHandle);
    return gpu == stream->gpu;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    if (event->gpu != stream->gpu)
        return mmlt_cuda_result(cudaErrorInvalidResourceHandle);
    event->captured = mmlt_cuda_is_capturing(stream);
    pthread_mutex_lock(&lock);
    event->stream = stream;
    event->position = stream->pushed;
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

/* For what the event stands for now: it may be recorded anew before its turn comes. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    cudaError_t e = cudaSuccess;

    if (event->captured && event->stream != stream) {
        fprintf(stderr, "emulated CUDA: a capture that spreads to another stream is not emulated\n");
        abort();
    }
    if (event->stream && !event->captured)
        e = mmlt_cuda_not_captured(stream, cudaErrorStreamCaptureIsolation);
    if (e != cudaSuccess)
        return e;
    if (event->stream && event->stream != stream) {
        mmlt_cuda_op *o = new_op(0);

        pthread_mutex_lock(&lock);
        o->other = event->stream;
        o->to = event->position;
        push(stream, o);
        pthread_mutex_unlock(&lock);
    }
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    const cudaError_t e = event->captured ? mmlt_cuda_not_captured(event->stream, cudaErrorCapturedEvent) : mmlt_cuda_may_ask();

    if (e != cudaSuccess)
        return e;
    if (event->stream) {
        mmlt_cuda_enter(nullptr);
        run_to(event->stream, event->position);
        mmlt_cuda_leave();
    }
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    free(event);
    return cudaSuccess;
}
