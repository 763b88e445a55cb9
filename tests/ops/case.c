/* case.c - see case.h. */
#include "tests/ops/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/rng.h"

enum { GUARD = 64 /* bytes on each side */, GUARD_BYTE = 0xa5 };

#define SPREAD 1.7320508f /* uniform between +-sqrt(3): variance 1, and cheaper than normal numbers */

static size_t type_size(run_type type)
{
    return type == RUN_F32 || type == RUN_I32 ? 4 : 8;
}

/* Bytes before the data: the guard, and in a shifted run one element more. */
static size_t lead(const run *r, run_type type)
{
    return GUARD + (r->shifted ? type_size(type) : 0);
}

static size_t block_bytes(const run *r, const run_buffer *b)
{
    return lead(r, b->type) + b->n * type_size(b->type) + GUARD;
}

static void *data_of(const run *r, const run_buffer *b)
{
    return (char *)b->host + lead(r, b->type);
}

/* A buffer whose host copy is filled by the caller, who then calls place(). */
static run_buffer *make(run *r, run_type type, size_t n, const char *out, mmlt_tol tol)
{
    run_buffer *b = &r->buffer[r->n];

    ck_assert_uint_lt(r->n, RUN_BUFFERS);
    r->n++;
    *b = (run_buffer){.type = type, .n = n, .out = out, .tol = tol};
    ck_assert_ptr_nonnull(b->host = malloc(block_bytes(r, b)));
    memset(b->host, GUARD_BYTE, block_bytes(r, b));
    return b;
}

static mmli_mem *place(run *r, run_buffer *b)
{
    b->block = mmlt_upload(r->dv, b->host, block_bytes(r, b));
    return b->mem = mmli_at_bytes(b->block, lead(r, b->type));
}

static uint64_t next_key(const run *r)
{
    return mmli_rng_key(r->key, "buffer", r->n);
}

mmli_mem *in_uniform(run *r, size_t n, float low, float high)
{
    const uint64_t key = next_key(r);
    run_buffer *b = make(r, RUN_F32, n, NULL, MMLT_TOL_EXACT);

    mmlt_uniform(data_of(r, b), n, key, low, high);
    return place(r, b);
}

mmli_mem *in_random(run *r, size_t n)
{
    return in_uniform(r, n, -SPREAD, SPREAD);
}

mmli_mem *in_floats(run *r, const float *x, size_t n)
{
    run_buffer *b = make(r, RUN_F32, n, NULL, MMLT_TOL_EXACT);

    if (n > 0)
        memcpy(data_of(r, b), x, n * sizeof *x);
    return place(r, b);
}

mmli_mem *in_ints(run *r, const int32_t *x, size_t n)
{
    run_buffer *b = make(r, RUN_I32, n, NULL, MMLT_TOL_EXACT);

    if (n > 0)
        memcpy(data_of(r, b), x, n * sizeof *x);
    return place(r, b);
}

mmli_mem *in_offsets(run *r, const size_t *len, size_t segs, size_t *tokens)
{
    run_buffer *b = make(r, RUN_I64, segs + 1, NULL, MMLT_TOL_EXACT);
    int64_t *off = data_of(r, b);

    off[0] = 0;
    for (size_t s = 0; s < segs; s++)
        off[s + 1] = off[s] + (int64_t)len[s];
    *tokens = (size_t)off[segs];
    return place(r, b);
}

const int64_t *host_offsets(const run *r, const mmli_mem *off)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->buffer[i].mem == off)
            return data_of(r, &r->buffer[i]);
    ck_abort_msg("these are no offsets of this case");
}

mmli_mem *new_floats(run *r, const char *label, size_t n, mmlt_tol tol)
{
    run_buffer *b = make(r, RUN_F32, n, label, tol);
    float *x = data_of(r, b);

    for (size_t i = 0; i < n; i++)
        x[i] = NAN;
    return place(r, b);
}

mmli_mem *sum_floats(run *r, const char *label, size_t n, mmlt_tol tol)
{
    const uint64_t key = next_key(r);
    run_buffer *b = make(r, RUN_F32, n, label, tol);

    mmlt_uniform(data_of(r, b), n, key, -SPREAD, SPREAD);
    return place(r, b);
}

mmli_mem *sum_doubles(run *r, const char *label, size_t n, mmlt_tol tol)
{
    const uint64_t key = next_key(r);
    run_buffer *b = make(r, RUN_F64, n, label, tol);
    double *x = data_of(r, b);

    for (size_t i = 0; i < n; i++)
        x[i] = (double)mmli_rng_normal(key, i);
    return place(r, b);
}

mmli_mem *sum_double(run *r, const char *label, mmlt_tol tol)
{
    return sum_doubles(r, label, 1, tol);
}

mmli_mem *of_terms(run *r, mmli_mem *out, double size)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->buffer[i].mem == out)
            r->buffer[i].least = size;
    return out;
}

void run_call(run *r, const char *kernel, mml_status st)
{
    if (st != MML_OK)
        ck_abort_msg("%s on %s failed: %s", kernel, r->dv->k.name, mml_last_error());
    ck_assert_uint_lt(r->calls, RUN_CALLS);
    r->called[r->calls++] = kernel;
}

static bool untouched(const char *block, size_t from, size_t to)
{
    for (size_t at = from; at < to; at++)
        if ((unsigned char)block[at] != GUARD_BYTE)
            return false;
    return true;
}

static void check_guards(const run *r, const run_buffer *b, const char *block, const kernel_case *c, size_t i)
{
    const size_t from = lead(r, b->type), to = from + b->n * type_size(b->type);

    if (!untouched(block, 0, from) || !untouched(block, to, block_bytes(r, b)))
        ck_abort_msg("%s, variant %zu on %s: wrote outside buffer %zu (%s)", c->name, i, r->dv->k.name,
                     (size_t)(b - r->buffer), b->out ? b->out : "an input");
}

/* Fetches the outputs; inputs and guards must be as they were. */
static void collect(run *r, const kernel_case *c, size_t i)
{
    for (size_t at = 0; at < r->n; at++) {
        run_buffer *b = &r->buffer[at];
        const size_t bytes = block_bytes(r, b);
        char *back = malloc(bytes);

        ck_assert_ptr_nonnull(back);
        mmlt_download(back, r->dv, b->block, bytes);
        check_guards(r, b, back, c, i);
        if (!b->out && memcmp(back, b->host, bytes) != 0)
            ck_abort_msg("%s, variant %zu on %s: input buffer %zu was written to", c->name, i, r->dv->k.name, at);
        free(b->host);
        b->host = back;
        r->dv->k.free(r->dv, b->block);
        b->block = b->mem = NULL;
    }
}

void run_case(run *r, const kernel_case *c, size_t i, mmli_device *dv)
{
    *r = (run){.dv = dv, .key = mmli_rng_key(1, c->name, i), .shifted = i % 2 == 1};
    c->fn(r, i);
    mmlt_assert_ok(dv->k.sync(dv));
    collect(r, c, i);
}

void run_free(run *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->buffer[i].host);
    r->n = 0;
}

/* Distance of one output of two runs, in units of what is allowed. */
static double buffer_distance(const run_buffer *w, const void *got, const void *want, size_t *worst)
{
    const float *x = want;
    mmlt_tol tol = w->tol;
    double most = 0;

    if (w->type == RUN_F64)
        return mmlt_distance_d(got, want, w->n, tol, worst);
    for (size_t i = 0; i < w->n; i++)
        most = isfinite(x[i]) ? fmax(most, fabs((double)x[i])) : most;
    if (most > 0 && most < w->least)
        tol.norm *= w->least / most;
    return mmlt_distance(got, want, w->n, tol, worst);
}

void assert_runs_agree(const run *got, const run *want, const kernel_case *c, size_t i, const char *who)
{
    ck_assert_uint_eq(got->n, want->n);
    for (size_t at = 0; at < want->n; at++) {
        const run_buffer *g = &got->buffer[at], *w = &want->buffer[at];
        const void *a = data_of(got, g), *b = data_of(want, w);
        size_t worst = 0;
        double d;

        if (!w->out)
            continue;
        d = buffer_distance(w, a, b, &worst);
        if (d > 1)
            ck_abort_msg("%s, variant %zu: %s[%zu of %zu] is %.9g on %s, %.9g on the reference (%.3g times what is "
                         "allowed)",
                         c->name, i, w->out, worst, w->n,
                         w->type == RUN_F64 ? ((const double *)a)[worst] : (double)((const float *)a)[worst], who,
                         w->type == RUN_F64 ? ((const double *)b)[worst] : (double)((const float *)b)[worst], d);
    }
}

void assert_runs_equal(const run *got, const run *want, const kernel_case *c, size_t i, const char *who)
{
    ck_assert_uint_eq(got->n, want->n);
    for (size_t at = 0; at < want->n; at++) {
        const run_buffer *g = &got->buffer[at], *w = &want->buffer[at];

        if (w->out && memcmp(data_of(got, g), data_of(want, w), w->n * type_size(w->type)) != 0)
            ck_abort_msg("%s, variant %zu: %s has other bits with %s", c->name, i, w->out, who);
    }
}

static const kernel_case *const families[] = {element_cases, row_cases,  segment_cases, attention_cases, dense_cases,
                                              fourier_cases, loss_cases, optim_cases,   large_cases};

const kernel_case *case_at(size_t i)
{
    for (size_t f = 0; f < COUNT(families); f++)
        for (const kernel_case *c = families[f]; c->name; c++)
            if (i-- == 0)
                return c;
    return NULL;
}

size_t n_cases(void)
{
    size_t n = 0;

    while (case_at(n))
        n++;
    return n;
}
