/* limits.c - the two limits of a machine: how fast it multiplies matrices, how fast memory gives and takes.
 *
 * Products go through the backend's own gemm, which is what everything else stands on: its speed on a large square is the
 * limit that counts here. Memory is read and written by plain threads, as no kernel does nothing else. */
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
static const struct shape {
    size_t m, n, k;
} shapes[] = {{2048, 2048, 2048}, {2048, 512, 64}, {2048, 64, 256}, {8192, 512, 1024}, {32, 256, 2189}, {512, 1024, 8192}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static mml_status multiply(mmli_device *dv, mmli_mem *c, const mmli_mem *a, const mmli_mem *b, const struct shape *s)
{
    mml_status st = dv->k.gemm(dv, false, false, s->m, s->n, s->k, 1.0f, a, s->k, b, s->n, 0.0f, c, s->n);

    return st == MML_OK ? dv->k.sync(dv) : st;
}

/* The best of many: what the machine can do, not what it did while something else ran. */
static mml_status time_product(mml_bench_product *out, mmli_device *dv, const struct shape *s, double seconds, uint64_t seed)
{
    mml_status st = MML_OK;
    mmli_mem *a = NULL, *b = NULL, *c = NULL;
    double best = 1e30, start;

    *out = (mml_bench_product){s->m, s->n, s->k, 0};
    MML_TRY(mmli_bench_numbers(&a, dv, s->m * s->k, mmli_rng_key(seed, "a", 0)));
    MML_TRY(mmli_bench_numbers(&b, dv, s->k * s->n, mmli_rng_key(seed, "b", 0)));
    MML_TRY(dv->k.alloc(dv, &c, s->m * s->n * sizeof(float)));
    MML_TRY(multiply(dv, c, a, b, s));
    start = mmli_now();
    do {
        const double before = mmli_now();
        double took;

        MML_TRY(multiply(dv, c, a, b, s));
        took = mmli_now() - before;
        best = took < best ? took : best;
    } while (mmli_now() - start < seconds);
    out->flops = best > 0 ? 2.0 * (double)s->m * (double)s->n * (double)s->k / best : 0;
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

mml_status mml_bench_measure_limits(mml_bench_limits *out, const mml_bench_options *options)
{
    mml_status st = MML_OK;
    mml_bench_limits r = {.struct_size = sizeof r, .n_products = N_SHAPES};
    mml_bench_options o;
    mmli_device *dv = NULL;
    double each;

    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_limits"));
    MML_TRY(mmli_bench_options_check(&o, options));
    MML_TRY(mmli_device_open(&dv, o.backend, o.threads));
    each = 0.5 * o.seconds;
    r.threads = dv->threads;
    for (size_t i = 0; i < N_SHAPES; i++) {
        MML_TRY(time_product(&r.products[i], dv, &shapes[i], each, o.seed));
        r.flops = r.products[i].flops > r.flops ? r.products[i].flops : r.flops;
    }
    MML_TRY(measure_memory(&r, each));
    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_limits"));
out:
    mmli_device_close(dv);
    return st;
}
