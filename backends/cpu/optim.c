/* optim.c - sums over all gradients and the step of AdamW, one sweep each over a flat buffer. */
#include <math.h>

#include "backends/cpu/cpu.h"

enum { TILE = 16384 }; /* a multiple of MMLI_DECAY_EACH */

typedef struct job {
    mmli_el e;
    mmli_el_fn fn;
    double (*part)(const float *x, size_t n);
    double *parts;
    size_t n;
} job;

static void adamw_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;

    (void)worker;
    j->fn(&j->e, t * TILE, mmli_min_size((t + 1) * TILE, j->n));
}

/* lr / c1 is formed once, in float64. */
mml_status mmli_cpu_adamw(mmli_device *dv, mmli_mem *p, mmli_mem *m, mmli_mem *v, const mmli_mem *g,
                          const mmli_mem *scale, const mmli_mem *decay, size_t n, float lr, float b1, float b2,
                          float eps, float c1, float c2)
{
    const job j = {.e = {.y = mmli_f(p),
                         .y2 = mmli_f(m),
                         .y3 = mmli_f(v),
                         .a = mmli_cf(g),
                         .b = mmli_cf(decay),
                         .s = {scale ? *mmli_cf(scale) : 1.0f, lr, b1, b2, eps, 0,
                               (float)((double)lr / (double)c1), (float)(1.0 / sqrt((double)c2))}},
                   .fn = mmli_cpu_of(dv)->vec->adamw,
                   .n = n};

    if (scale && isnan(*mmli_cf(scale)))
        return MML_OK;
    mmli_cpu_for(dv, mmli_ceil_div(n, TILE), 0.9 * (double)n, adamw_tile, &j);
    return MML_OK;
}

static void part_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;

    (void)worker;
    j->parts[t] = j->part(j->e.a + t * TILE, mmli_min_size(TILE, j->n - t * TILE));
}

static mml_status total(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n,
                        double (*part)(const float *, size_t))
{
    job j = {.e = {.a = mmli_cf(x)}, .part = part, .n = n};
    const size_t tiles = mmli_ceil_div(n, TILE);
    double *to = (double *)(void *)out, sum = 0;
    mml_status st = MML_OK;

    MML_TRY(mmli_cpu_shared(dv, &j.parts, tiles, sizeof *j.parts));
    mmli_cpu_for(dv, tiles, 0.15 * (double)n, part_tile, &j);
    for (size_t t = 0; t < tiles; t++)
        sum += j.parts[t];
    *to += sum;
out:
    return st;
}

mml_status mmli_cpu_sum(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    return total(dv, out, x, n, mmli_cpu_of(dv)->vec->sum);
}

mml_status mmli_cpu_sum_squares(mmli_device *dv, mmli_mem *out, const mmli_mem *x, size_t n)
{
    return total(dv, out, x, n, mmli_cpu_of(dv)->vec->sum_squares);
}
