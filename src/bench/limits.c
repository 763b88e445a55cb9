/* limits.c - the two limits of a machine: how fast it multiplies matrices, how fast memory gives and takes.
 *
 * Products go through the backend's own gemm, which is what everything else stands on: its speed on a large square is the
 * limit that counts here. Memory of the host is read and written by plain threads, as no kernel does nothing else; that of a GPU by the
 * two kernels that do least else. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "backends/backend.h"
#include "bench/measure.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/rng.h"

/* ---- products ---------------------------------------------------------------------------------------------------------- */

/* A square; a projection of latents (their feed-forward, down and up); tokens of a bag by its encoder; a small batch of a wide
 * table; the gradient of a weight from many tokens. */
static const mmli_bench_gemm shapes[] = {{.m = 2048, .n = 2048, .k = 2048}, {.m = 2048, .n = 512, .k = 64},
                                         {.m = 2048, .n = 64, .k = 256},    {.m = 8192, .n = 512, .k = 1024},
                                         {.m = 32, .n = 256, .k = 2189},    {.m = 512, .n = 1024, .k = 8192}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static mml_status multiply(mmli_device *dv, mmli_mem *c, const mmli_mem *a, const mmli_mem *b, const mmli_bench_gemm *p)
{
    const mml_status st = dv->k.gemm(dv, p->ta, p->tb, p->m, p->n, p->k, 1.0f, a, p->ta ? p->m : p->k, b,
                                     p->tb ? p->k : p->n, 0.0f, c, p->n);

    return st == MML_OK ? dv->k.sync(dv) : st;
}

mml_status mmli_bench_time_gemm(double *flops, mmli_device *dv, const mmli_bench_gemm *p, double seconds, uint64_t seed)
{
    mml_status st = MML_OK;
    mmli_mem *a = NULL, *b = NULL, *c = NULL;
    double best = 1e30, start;

    *flops = 0;
    MML_TRY(mmli_bench_numbers(&a, dv, p->m * p->k, mmli_rng_key(seed, "a", 0)));
    MML_TRY(mmli_bench_numbers(&b, dv, p->k * p->n, mmli_rng_key(seed, "b", 0)));
    MML_TRY(dv->k.alloc(dv, &c, p->m * p->n * sizeof(float)));
    MML_TRY(multiply(dv, c, a, b, p));
    start = mmli_now();
    do {
        const double before = mmli_now();
        double took;

        MML_TRY(multiply(dv, c, a, b, p));
        took = mmli_now() - before;
        best = took < best ? took : best;
    } while (mmli_now() - start < seconds);
    *flops = best > 0 ? 2.0 * (double)p->m * (double)p->n * (double)p->k / best : 0;
out:
    if (a)
        dv->k.free(dv, a);
    if (b)
        dv->k.free(dv, b);
    if (c)
        dv->k.free(dv, c);
    return st;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

enum { LENGTH = 1 << 24, MOST_THREADS = 256 }; /* float64 a vector: 128 MiB, more than caches hold */

typedef struct slice {
    double *a;
    const double *b, *c;
    size_t n;
    bool triad;
    double sum;
    pthread_t thread;
} slice;

static void *read_slice(void *user)
{
    slice *s = user;
    double sum[8] = {0};

    for (size_t i = 0; i + 8 <= s->n; i += 8)
        for (size_t j = 0; j < 8; j++)
            sum[j] += s->b[i + j];
    for (size_t j = 0; j < 8; j++)
        s->sum += sum[j];
    return NULL;
}

static void *triad_slice(void *user)
{
    slice *s = user;

    for (size_t i = 0; i < s->n; i++)
        s->a[i] = s->b[i] + 3.0 * s->c[i];
    return NULL;
}

/* Runs the slices, the first of them here. */
static mml_status run_slices(slice *s, int threads, double *seconds)
{
    const double start = mmli_now();
    mml_status st = MML_OK;
    int made = 1;

    for (; made < threads && st == MML_OK; made++)
        if (pthread_create(&s[made].thread, NULL, s[made].triad ? triad_slice : read_slice, &s[made]) != 0) {
            st = mmli_fail(MML_E_NOMEM, "a thread could not be started to measure memory: use fewer threads");
            break;
        }
    (s[0].triad ? triad_slice : read_slice)(&s[0]);
    for (int t = 1; t < made; t++)
        pthread_join(s[t].thread, NULL);
    *seconds = mmli_now() - start;
    return st;
}

static mml_status time_memory(double *rate, double *v, bool triad, int threads, double seconds)
{
    const size_t total = triad ? LENGTH : 3 * (size_t)LENGTH; /* the read sums all three vectors */
    const double moved = 3.0 * LENGTH * sizeof *v, start = mmli_now();
    mml_status st = MML_OK;
    double best = 1e30, took;
    slice *s = NULL;

    MML_TRY(mmli_calloc(&s, (size_t)threads, sizeof *s));
    for (size_t t = 0, n = (size_t)threads; t < n; t++) {
        const size_t from = total / n * t / 8 * 8, to = t + 1 < n ? total / n * (t + 1) / 8 * 8 : total;

        s[t] = (slice){.a = v + from, .n = to - from, .triad = triad};
        s[t].b = triad ? v + LENGTH + from : v + from;
        s[t].c = triad ? v + 2 * (size_t)LENGTH + from : NULL;
    }
    do {
        MML_TRY(run_slices(s, threads, &took));
        best = took < best ? took : best;
    } while (mmli_now() - start < seconds);
    *rate = moved / best;
out:
    mmli_free(s);
    return st;
}

static mml_status measure_memory(mml_bench_limits *r, double seconds)
{
    const int threads = r->threads < MOST_THREADS ? r->threads : MOST_THREADS;
    mml_status st = MML_OK;
    double *v = NULL;

    MML_TRY(mmli_calloc(&v, 3 * (size_t)LENGTH, sizeof *v));
    for (size_t i = 0; i < 3 * (size_t)LENGTH; i++)
        v[i] = 1.0; /* pages of zeros may all be one page */
    MML_TRY(time_memory(&r->read, v, false, threads, seconds));
    MML_TRY(time_memory(&r->triad, v, true, threads, seconds));
    r->bandwidth = r->read > r->triad ? r->read : r->triad;
out:
    mmli_free(v);
    return st;
}

/* sum: v[0] = v[1] + v[2], else a copy of v[1]; n float32 each. */
static mml_status time_kernel(double *rate, mmli_device *dv, mmli_mem *const v[3], bool sum, size_t n, double seconds)
{
    const double moved = (sum ? 3.0 : 2.0) * (double)n * sizeof(float), start = mmli_now();
    mml_status st = MML_OK;
    double best = 1e30;

    do {
        double before;

        MML_TRY(dv->k.sync(dv));
        before = mmli_now();
        MML_TRY(sum ? dv->k.add(dv, v[0], v[1], v[2], n) : dv->k.copy(dv, v[0], v[1], n * sizeof(float)));
        MML_TRY(dv->k.sync(dv));
        best = fmin(best, mmli_now() - before);
    } while (mmli_now() - start < seconds);
    *rate = moved / best;
out:
    return st;
}

mml_status mmli_bench_time_memory(double *copy, double *sum, mmli_device *dv, size_t n, double seconds)
{
    mmli_mem *v[3] = {NULL, NULL, NULL};
    mml_status st = MML_OK;

    for (size_t i = 0; i < 3; i++) {
        MML_TRY(dv->k.alloc(dv, &v[i], n * sizeof(float)));
        MML_TRY(dv->k.fill(dv, v[i], n, 1.0f));
    }
    MML_TRY(time_kernel(copy, dv, v, false, n, seconds));
    MML_TRY(time_kernel(sum, dv, v, true, n, seconds));
out:
    for (size_t i = 0; i < 3; i++)
        if (v[i])
            dv->k.free(dv, v[i]);
    return st;
}

static mml_status limits_of_memory(mml_bench_limits *r, mmli_device *dv, double seconds)
{
    mml_status st = MML_OK;

    if (dv->k.host_memory)
        return measure_memory(r, seconds);
    MML_TRY(mmli_bench_time_memory(&r->read, &r->triad, dv, 2 * (size_t)LENGTH, seconds)); /* as many bytes as the host's */
    r->bandwidth = fmax(r->read, r->triad);
out:
    return st;
}

mml_status mml_bench_measure_limits(mml_bench_limits *out, const mml_bench_options *options)
{
    mml_status st = MML_OK;
    mml_bench_limits r = {.struct_size = sizeof r, .n_products = N_SHAPES};
    mml_bench_options o;
    mmli_device *dv = NULL;
    double each;

    MML_GIVEN(out);
    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_limits"));
    MML_TRY(mmli_bench_options_check(&o, options));
    MML_TRY(mmli_device_open(&dv, o.device, o.threads));
    each = 0.5 * o.seconds;
    r.threads = dv->threads;
    for (size_t i = 0; i < N_SHAPES; i++) {
        r.products[i] = (mml_bench_product){shapes[i].m, shapes[i].n, shapes[i].k, 0};
        MML_TRY(mmli_bench_time_gemm(&r.products[i].flops, dv, &shapes[i], each, o.seed));
        r.flops = r.products[i].flops > r.flops ? r.products[i].flops : r.flops;
    }
    MML_TRY(limits_of_memory(&r, dv, each));
    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_limits"));
out:
    mmli_device_close(dv);
    return st;
}
