/* step.cu - see step.h. */
#include "backends/cuda/step.h"

#include "backends/cuda/cuda.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void mmli_cuda_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void mmli_cuda_unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

bool mmli_cuda_cells_grow(mmli_cuda_cells *c, size_t cells)
{
    size_t room = c->room;
    void *p;

    if (c->room - c->n >= cells)
        return true;
    room = 2 * c->room > c->n + cells ? 2 * c->room : c->n + cells + 512;
    if (!(p = realloc(c->p, room * sizeof *c->p)))
        return false;
    c->p = static_cast<uint64_t *>(p);
    c->room = room;
    return true;
}

/* ---- doing what is written down ------------------------------------------------------------------------------------------ */

namespace {

/* values: where they are on the GPU; NULL: every call gets them by value. */
mml_status do_all(mmli_cuda_step *s, const uint64_t *values)
{
    mmli_cuda_reader r = {s->calls.p, s->values.p};
    mml_status st = MML_OK;

    while (r.call < s->calls.p + s->calls.n && st == MML_OK) {
        mmli_cuda_doing doing;

        memcpy(&doing, r.call++, sizeof doing);
        s->given = values ? values + (r.value - s->values.p) : NULL;
        st = doing(s->dv, &r);
    }
    s->given = NULL;
    return st;
}

/* An upload: address and size among the calls, what is uploaded among the values. */
mml_status upload_again(mmli_device *dv, mmli_cuda_reader *r)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);
    void *const dst = reinterpret_cast<void *>(r->call[0]);
    const size_t bytes = r->call[1];
    const uint64_t *const src = r->value;

    r->call += 2;
    r->value += mmli_cuda_ceil_div(bytes, sizeof *src);
    if (cuda->step.given)
        return mmli_cuda_check(cudaMemcpyAsync(dst, cuda->step.given, bytes, cudaMemcpyDeviceToDevice, mmli_cuda_stream(dv)),
                               "cudaMemcpyAsync");
    return mmli_cuda_staging_upload(&cuda->staging, mmli_cuda_stream(dv), dst, src, bytes);
}

} // namespace

bool mmli_cuda_step_upload(mmli_cuda_step *s, void *dst, const void *src, size_t bytes)
{
    const mmli_cuda_doing doing = upload_again;
    const size_t cells = mmli_cuda_ceil_div(bytes, sizeof *s->values.p);

    if (!s->open || bytes == 0 || bytes > MMLI_CUDA_STEP_UPLOAD || !mmli_cuda_cells_grow(&s->calls, 3) ||
        !mmli_cuda_cells_grow(&s->values, cells))
        return false;
    memcpy(s->calls.p + s->calls.n, &doing, sizeof doing);
    s->calls.p[s->calls.n + 1] = reinterpret_cast<uint64_t>(dst);
    s->calls.p[s->calls.n + 2] = bytes;
    s->calls.n += 3;
    memcpy(s->values.p + s->values.n, src, bytes);
    s->values.n += cells;
    s->waiting = true;
    return true;
}

void mmli_cuda_step_hurry(mmli_cuda_step *s)
{
    s->open = s->waiting = false;
    s->st = do_all(s, NULL);
}

mml_status mmli_cuda_step_status(mmli_cuda_step *s)
{
    const mml_status st = s->st;

    s->st = MML_OK;
    return st;
}

/* ---- steps that have been ------------------------------------------------------------------------------------------------- */

namespace {

void drop(mmli_cuda_known *k)
{
    if (k->graph)
        (void)cudaGraphExecDestroy(k->graph); /* one that is under way ends first */
    k->graph = NULL;
}

/* NULL: never seen. */
mmli_cuda_known *find(mmli_cuda_step *s)
{
    const size_t n = s->calls.n;

    for (int i = 0; i < s->n; i++) {
        mmli_cuda_known *k = &s->known[i];

        if (k->calls.n == n && memcmp(k->calls.p, s->calls.p, n * sizeof *k->calls.p) == 0) {
            k->used = ++s->clock;
            return k;
        }
    }
    return NULL;
}

/* In place of the one that was not used for longest. Without memory on the host nothing is kept. */
void keep(mmli_cuda_step *s)
{
    mmli_cuda_known *k = &s->known[0];

    if (s->n < MMLI_CUDA_STEPS)
        k = &s->known[s->n++];
    for (int i = 0; i < s->n; i++)
        if (s->known[i].used < k->used)
            k = &s->known[i];
    drop(k);
    k->calls.n = 0;
    k->used = ++s->clock;
    k->failed = 0;
    if (!mmli_cuda_cells_grow(&k->calls, s->calls.n))
        return;
    memcpy(k->calls.p, s->calls.p, s->calls.n * sizeof *k->calls.p);
    k->calls.n = s->calls.n;
}

mml_status values_memory(mmli_cuda_step *s, void **out)
{
    return mmli_cuda_scratch(s->dv, MMLI_CUDA_STEP, (s->values.n + 1) * sizeof *s->values.p, out);
}

/* Other threads' devices go on meanwhile: what they ask of the driver does not concern this capture. */
mml_status record(cudaGraph_t *out, mmli_cuda_step *s, const uint64_t *values)
{
    const cudaStream_t stream = mmli_cuda_stream(s->dv);
    cudaError_t e;
    mml_status st;

    MMLI_CUDA_CALL(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    s->capturing = true;
    st = do_all(s, values);
    s->capturing = false;
    e = cudaStreamEndCapture(stream, out); /* in any case */
    return st == MML_OK ? mmli_cuda_check(e, "cudaStreamEndCapture") : st;
}

mml_status capture(mmli_cuda_step *s, mmli_cuda_known *k)
{
    cudaGraph_t graph = NULL;
    void *values;
    mml_status st;

    MMLI_CUDA_TRY(values_memory(s, &values));
    mmli_cuda_lock();
    st = record(&graph, s, static_cast<const uint64_t *>(values));
    mmli_cuda_unlock();
    if (st == MML_OK)
        st = mmli_cuda_check(cudaGraphInstantiate(&k->graph, graph, 0), "cudaGraphInstantiate");
    if (graph)
        (void)cudaGraphDestroy(graph);
    if (st != MML_OK)
        k->graph = NULL;
    (void)cudaGetLastError(); /* it has been told */
    k->memory = s->memory;
    return st;
}

/* The values are written behind the step before, which reads them. */
mml_status replay(mmli_cuda_step *s, const mmli_cuda_known *k)
{
    mmli_cuda *cuda = mmli_cuda_of(s->dv);
    void *values;

    MMLI_CUDA_TRY(values_memory(s, &values));
    MMLI_CUDA_TRY(mmli_cuda_staging_upload(&cuda->staging, mmli_cuda_stream(s->dv), values, s->values.p,
                                           s->values.n * sizeof *s->values.p));
    MMLI_CUDA_CALL(cudaGraphLaunch(k->graph, mmli_cuda_stream(s->dv)));
    return MML_OK;
}

/* By a graph, if there is one or can be. A failure has left nothing undone or half done. */
mml_status by_graph(mmli_cuda_step *s, mmli_cuda_known *k)
{
    mml_status st;

    if (k->graph && k->memory != s->memory)
        drop(k);
    st = k->graph ? MML_OK : capture(s, k);
    if (st == MML_OK)
        st = replay(s, k);
    if (st != MML_OK) {
        drop(k);
        k->failed++;
    }
    return st;
}

} // namespace

mml_status cuda_step_begin(mmli_device *dv)
{
    mmli_cuda_step *s = &mmli_cuda_of(dv)->step;

    if (s->waiting)
        mmli_cuda_step_hurry(s);
    MMLI_CUDA_TRY(mmli_cuda_step_status(s));
    s->dv = dv;
    s->open = s->wanted;
    s->calls.n = s->values.n = 0;
    return MML_OK;
}

mml_status cuda_step_end(mmli_device *dv, bool *again)
{
    mmli_cuda_step *s = &mmli_cuda_of(dv)->step;
    const bool whole = s->open && s->waiting;
    mmli_cuda_known *k;

    if (again)
        *again = false;
    s->open = s->waiting = false;
    if (!whole)
        return mmli_cuda_step_status(s);
    k = find(s);
    if (k && k->failed < MMLI_CUDA_STEP_TRIES && by_graph(s, k) == MML_OK) {
        if (again)
            *again = true;
        return MML_OK;
    }
    if (!k)
        keep(s);
    return do_all(s, NULL);
}

void mmli_cuda_step_close(mmli_cuda_step *s)
{
    for (int i = 0; i < s->n; i++) {
        drop(&s->known[i]);
        free(s->known[i].calls.p);
    }
    free(s->calls.p);
    free(s->values.p);
}
