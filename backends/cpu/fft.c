/* fft.c - Fourier transforms of arrays given as real and imaginary parts, and of the tokens of ragged segments.
 * A plan is made once per shape and device; each array of a batch is packed into pairs, transformed
 * and unpacked in the scratch of a worker, so the batch size does not change a result. */
#include <math.h>

#include "backends/cpu/cpu.h"
#include "backends/cpu/fft_plan.h"
#include "util/alloc.h"

enum {
    PLANS = 256,         /* plans kept; bags have thousands of different lengths */
    WAVE = PLANS / 2,    /* segments at a time, so that none of their plans is given up meanwhile */
    PAIRS = 8,           /* column pairs gathered together: a cache line of each row */
    GATHER = 128 * 1024  /* numbers gathered together, unless one pair has more */
};

typedef struct entry {
    size_t c, d;
    int axes, sign;
    uint64_t used;
    mmli_fft_plan *plan;
} entry;

struct mmli_cpu_fft_cache {
    entry e[PLANS];
    size_t n;
    uint64_t clock;
};

void mmli_cpu_fft_free(mmli_cpu_fft_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n; i++)
        mmli_fft_plan_free(cache->e[i].plan);
    mmli_free(cache);
}

/* The plan for a shape: kept, or made in place of the one that was not used for longest. Lent until
 * WAVE other plans have been asked for. */
static mml_status plan_for(mmli_device *dv, mmli_fft_plan **out, size_t c, size_t d, int axes, int sign)
{
    mml_status st = MML_OK;
    mmli_cpu *cpu = mmli_cpu_of(dv);
    mmli_cpu_fft_cache *k;
    mmli_fft_plan *plan = NULL;
    size_t at = 0;

    *out = NULL;
    if (!cpu->fft)
        MML_TRY(mmli_calloc(&cpu->fft, 1, sizeof *cpu->fft));
    k = cpu->fft;
    k->clock++;
    for (size_t i = 0; i < k->n; i++) {
        const entry *e = &k->e[i];

        if (e->c == c && e->d == d && e->axes == axes && e->sign == sign) {
            k->e[i].used = k->clock;
            *out = e->plan;
            goto out;
        }
        if (e->used < k->e[at].used)
            at = i;
    }
    MML_TRY(mmli_fft_plan_new(&plan, c, d, axes, sign));
    if (k->n < PLANS)
        at = k->n++;
    else
        mmli_fft_plan_free(k->e[at].plan);
    k->e[at] = (entry){c, d, axes, sign, k->clock, plan};
    *out = plan;
out:
    return st;
}

/* Two aligned buffers of `pairs` pairs for every worker. */
static mml_status reserve(mmli_device *dv, size_t pairs, size_t *half)
{
    *half = mmli_ceil_div(2 * pairs, MMLI_PAD) * MMLI_PAD;
    return mmli_cpu_own_reserve(dv, 2 * *half * sizeof(float));
}

/* ---- (c, d) arrays --------------------------------------------------------------------------------- */
typedef struct grid {
    const mmli_device *dv;
    const mmli_fft_plan *plan;
    const float *xr, *xi;
    float *yr, *yi, scale;
    size_t n, half, c, d;
    int axes;
} grid;

/* Real input: y[-k] is the conjugate of y[k], so where k = -k along every transformed axis y[k] is real. */
static void make_real(float *yi, const grid *g)
{
    const bool along_c = (g->axes & MMLI_AXIS_C) != 0, along_d = (g->axes & MMLI_AXIS_D) != 0;
    const size_t row = !along_c ? 1 : g->c % 2 == 0 ? g->c / 2 : g->c;
    const size_t col = !along_d ? 1 : g->d % 2 == 0 ? g->d / 2 : g->d;

    for (size_t i = 0; i < g->c; i += row)
        for (size_t j = 0; j < g->d; j += col)
            yi[i * g->d + j] = 0;
}

static void grid_tile(const void *ctx, size_t t, int worker)
{
    const grid *g = ctx;
    float *in = mmli_cpu_own(g->dv, worker), *out = in + g->half;
    const float *xr = g->xr + t * g->n, *xi = g->xi ? g->xi + t * g->n : NULL;
    float *yr = g->yr + t * g->n, *yi = g->yi ? g->yi + t * g->n : NULL;

    for (size_t i = 0; i < g->n; i++) {
        in[2 * i] = xr[i];
        in[2 * i + 1] = xi ? xi[i] : 0;
    }
    mmli_fft_plan_run(g->plan, in, out);
    for (size_t i = 0; i < g->n; i++) {
        yr[i] = g->scale * out[2 * i];
        if (yi)
            yi[i] = g->scale * out[2 * i + 1];
    }
    if (!xi && yi)
        make_real(yi, g);
}

static double fft_ns(double arrays, size_t n)
{
    return arrays * (double)n * (2.0 + 0.4 * log2((double)n + 1));
}

mml_status mmli_cpu_fft(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi,
                        size_t batch, size_t c, size_t d, int axes, int sign, float scale)
{
    mml_status st = MML_OK;
    grid g = {.dv = dv, .xr = mmli_cf(xr), .xi = mmli_cf(xi), .yr = mmli_f(yr), .yi = mmli_f(yi), .scale = scale,
              .n = c * d, .c = c, .d = d, .axes = axes};
    mmli_fft_plan *plan;

    if (g.n == 0 || batch == 0)
        goto out;
    MML_TRY(plan_for(dv, &plan, c, d, axes, sign));
    g.plan = plan;
    MML_TRY(reserve(dv, g.n, &g.half));
    mmli_cpu_for(dv, batch, fft_ns((double)batch, g.n), grid_tile, &g);
out:
    return st;
}

/* ---- tokens of a segment ---------------------------------------------------------------------------
 * The real part of the transform of x is the transform of its even part, (x[t] + x[n - t]) / 2, and
 * that is real: two columns ride in one complex transform, as its real and imaginary parts. */
typedef struct tokens {
    const mmli_device *dv;
    const mmli_fft_plan *plan[WAVE]; /* of segments first, first + 1, ... */
    const int64_t *off;
    const float *x;
    float *y;
    size_t first, cols, blocks, pairs, half;
    int add;
} tokens;

/* Floats from one pair of columns to the next in scratch: aligned. */
static size_t pair_floats(size_t n)
{
    return mmli_ceil_div(2 * n, MMLI_PAD) * MMLI_PAD;
}

static void gather_even(float *in, const float *x, size_t n, size_t cols, size_t j, size_t pairs)
{
    const size_t step = pair_floats(n);

    for (size_t t = 0; t < n; t++) {
        const float *a = x + t * cols, *b = x + (t ? n - t : 0) * cols;

        for (size_t i = j; i < mmli_min_size(j + 2 * pairs, cols); i++)
            in[(i - j) / 2 * step + 2 * t + (i - j) % 2] = 0.5f * (a[i] + b[i]);
        if (j + 2 * pairs > cols) /* an odd column rides alone */
            in[(pairs - 1) * step + 2 * t + 1] = 0;
    }
}

/* The result is even as well: one half is written to both. */
static void scatter_even(float *y, const float *out, size_t n, size_t cols, size_t j, size_t pairs, int add)
{
    const size_t step = pair_floats(n), to = mmli_min_size(j + 2 * pairs, cols);

    for (size_t k = 0; k <= n / 2; k++) {
        float *a = y + k * cols, *b = y + (n - k) * cols;
        const int twice = k > 0 && n - k != k;

        for (size_t i = j; i < to; i++) {
            const float v = out[(i - j) / 2 * step + 2 * k + (i - j) % 2];

            a[i] = add ? a[i] + v : v;
            if (twice)
                b[i] = add ? b[i] + v : v;
        }
    }
}

static void tokens_tile(const void *ctx, size_t t, int worker)
{
    const tokens *g = ctx;
    const size_t i = t / g->blocks, s = g->first + i, n = (size_t)(g->off[s + 1] - g->off[s]);
    const size_t at = (size_t)g->off[s] * g->cols, j = t % g->blocks * 2 * g->pairs;
    const size_t pairs = mmli_min_size(g->pairs, mmli_ceil_div(g->cols - j, 2));
    float *in = mmli_cpu_own(g->dv, worker), *out = in + g->half;

    if (n == 0)
        return;
    gather_even(in, g->x + at, n, g->cols, j, pairs);
    for (size_t p = 0; p < pairs; p++)
        mmli_fft_plan_run(g->plan[i], in + p * pair_floats(n), out + p * pair_floats(n));
    scatter_even(g->y + at, out, n, g->cols, j, pairs, g->add);
}

static mml_status dft_real(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                           size_t cols, int add)
{
    mml_status st = MML_OK;
    tokens g = {.dv = dv, .off = mmli_coff(off), .x = mmli_cf(x), .y = mmli_f(y), .cols = cols, .add = add};
    size_t last;

    for (g.first = 0; cols > 0 && g.first < segs; g.first = last) {
        size_t longest = 1;
        double ns = 0;

        last = mmli_min_size(g.first + WAVE, segs);
        for (size_t s = g.first; s < last; s++) {
            const size_t n = (size_t)(g.off[s + 1] - g.off[s]);
            mmli_fft_plan *plan = NULL;

            if (n > 0)
                MML_TRY(plan_for(dv, &plan, 1, n, MMLI_AXIS_D, -1));
            g.plan[s - g.first] = plan;
            longest = mmli_max_size(longest, n);
            ns += fft_ns(0.5 * (double)cols, n);
        }
        g.pairs = mmli_max_size(1, mmli_min_size(PAIRS, GATHER / (2 * longest)));
        g.blocks = mmli_ceil_div(cols, 2 * g.pairs);
        MML_TRY(reserve(dv, g.pairs * pair_floats(longest) / 2, &g.half));
        mmli_cpu_for(dv, (last - g.first) * g.blocks, ns, tokens_tile, &g);
    }
out:
    return st;
}

mml_status mmli_cpu_segment_dft_real(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, const int64_t *host,
                                     size_t segs, size_t cols)
{
    (void)host;
    return dft_real(dv, y, x, off, segs, cols, 0);
}

mml_status mmli_cpu_segment_dft_real_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                          const int64_t *host, size_t segs, size_t cols)
{
    (void)host;
    return dft_real(dv, dx, dy, off, segs, cols, 1);
}
