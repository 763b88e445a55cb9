/* dropout.c - dropout and alpha dropout; the masks are those of src/util/rng.h, drawn on the fly in both
 * directions and never stored. */
#include <math.h>

#include "backends/cpu/cpu.h"

enum { TILE = 8192 }; /* elements; a multiple of 2 W for every W, as random words come in blocks of that */
/* Numbers of one value of the counter. Parts of an array that begin within one, which only the replicas of one training do, are
 * left to the plain loops. */
enum { COUNTER = 4 };

/* -lambda alpha of SELU: what a dropped unit of a self-normalising network becomes. */
static const double dropped_selu = -1.7580993408473766;

typedef struct job {
    mmli_el e;
    mmli_el_fn fn;
    size_t n;
} job;

static void run_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;

    (void)worker;
    j->fn(&j->e, t * TILE, mmli_min_size((t + 1) * TILE, j->n));
}

static mml_status run(mmli_device *dv, const job *j)
{
    mmli_cpu_for(dv, mmli_ceil_div(j->n, TILE), 0.6 * (double)j->n, run_tile, j);
    return MML_OK;
}

static float survivor_scale(float p)
{
    return p < 1 ? (float)(1.0 / (1.0 - (double)p)) : 0.0f; /* p = 1 keeps nothing */
}

/* a and b of kernels.def */
static void alpha_affine(double *a, double *b, double p)
{
    const double q = 1 - p;

    *a = 1 / sqrt(q + dropped_selu * dropped_selu * q * p);
    *b = -*a * dropped_selu * p;
}

mml_status mmli_cpu_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                            size_t first)
{
    const job j = {{.y = mmli_f(y), .a = mmli_cf(x), .key = key, .first = first, .s = {p, survivor_scale(p)}},
                   mmli_cpu_of(dv)->vec->dropout, n};

    if (first % COUNTER != 0)
        return mmli_backend_reference.dropout(dv, y, x, n, p, key, first);
    return run(dv, &j);
}

mml_status mmli_cpu_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p, uint64_t key,
                                 size_t first)
{
    const job j = {{.y = mmli_f(dx), .a = mmli_cf(dy), .key = key, .first = first, .s = {p, survivor_scale(p)}},
                   mmli_cpu_of(dv)->vec->dropout_grad, n};

    if (first % COUNTER != 0)
        return mmli_backend_reference.dropout_grad(dv, dx, dy, n, p, key, first);
    return run(dv, &j);
}

mml_status mmli_cpu_alpha_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                                  size_t first)
{
    job j = {{.y = mmli_f(y), .a = mmli_cf(x), .key = key, .first = first}, mmli_cpu_of(dv)->vec->dropout, n};
    double a, b;

    if (first % COUNTER != 0)
        return mmli_backend_reference.alpha_dropout(dv, y, x, n, p, key, first);
    alpha_affine(&a, &b, (double)p);
    j.e.s[0] = p;
    j.e.s[1] = (float)a;
    j.e.s[2] = (float)b;
    j.e.s[3] = (float)(a * dropped_selu + b);
    return run(dv, &j);
}

mml_status mmli_cpu_alpha_dropout_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t n, float p,
                                       uint64_t key, size_t first)
{
    job j = {{.y = mmli_f(dx), .a = mmli_cf(dy), .key = key, .first = first}, mmli_cpu_of(dv)->vec->dropout_grad, n};
    double a, b;

    if (first % COUNTER != 0)
        return mmli_backend_reference.alpha_dropout_grad(dv, dx, dy, n, p, key, first);
    alpha_affine(&a, &b, (double)p);
    j.e.s[0] = p;
    j.e.s[1] = (float)a;
    return run(dv, &j);
}
