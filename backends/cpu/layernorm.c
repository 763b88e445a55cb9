/* layernorm.c - layer normalisation: rows are independent forward; backward also sums the gradients of
 * weight and bias over fixed tiles of rows. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    MOVE = 16384, /* elements of a tile, forward */
    ROWS = 128,   /* rows of a tile backward, at least */
    PARTS = 64,   /* and tiles at most */
};

typedef struct job {
    const mmli_vec *v;
    mmli_ln l;
    double *part; /* (tiles, 2, pad) */
    float *dgamma, *dbeta;
    size_t rows, tile, tiles, pad;
} job;

static void forward_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;

    (void)worker;
    j->v->ln_rows(&j->l, t * j->tile, mmli_min_size((t + 1) * j->tile, j->rows));
}

mml_status mmli_cpu_layernorm(mmli_device *dv, mmli_mem *y, mmli_mem *stats, const mmli_mem *x, const mmli_mem *gamma,
                              const mmli_mem *beta, size_t rows, size_t cols, float eps)
{
    const job j = {.v = mmli_cpu_of(dv)->vec,
                   .l = {.y = mmli_f(y), .stats = mmli_f(stats), .x = mmli_cf(x), .gamma = mmli_cf(gamma),
                         .beta = mmli_cf(beta), .cols = cols, .eps = eps},
                   .rows = rows,
                   .tile = 1 + MOVE / (cols + 1)};

    if (cols > 0)
        mmli_cpu_for(dv, mmli_ceil_div(rows, j.tile), (double)rows * (10 + 0.3 * (double)cols), forward_tile, &j);
    return MML_OK;
}

static void backward_tile(const void *ctx, size_t t, int worker)
{
    const job *j = ctx;
    mmli_ln l = j->l;
    double *part = j->part + t * 2 * j->pad;

    (void)worker;
    if (j->dgamma)
        l.dgamma = memset(part, 0, j->pad * sizeof *part);
    if (j->dbeta)
        l.dbeta = memset(part + j->pad, 0, j->pad * sizeof *part);
    j->v->ln_grad_rows(&l, t * j->tile, mmli_min_size((t + 1) * j->tile, j->rows));
}

static void put_total(const job *j, float *y, size_t which)
{
    double *sum = j->part + which * j->pad;

    if (!y)
        return;
    for (size_t t = 1; t < j->tiles; t++)
        for (size_t i = 0; i < j->pad; i++)
            sum[i] += sum[t * 2 * j->pad + i];
    j->v->put_acc(y, sum, j->l.cols, 1.0, 1);
}

mml_status mmli_cpu_layernorm_grad(mmli_device *dv, mmli_mem *dx, mmli_mem *dgamma, mmli_mem *dbeta, const mmli_mem *x,
                                   const mmli_mem *stats, const mmli_mem *gamma, const mmli_mem *dy, size_t rows,
                                   size_t cols)
{
    job j = {.v = mmli_cpu_of(dv)->vec,
             .l = {.dx = mmli_f(dx), .x = mmli_cf(x), .cstats = mmli_cf(stats), .gamma = mmli_cf(gamma),
                   .dy = mmli_cf(dy), .cols = cols},
             .dgamma = mmli_f(dgamma),
             .dbeta = mmli_f(dbeta),
             .rows = rows};
    mml_status st = MML_OK;

    if (rows == 0 || cols == 0)
        goto out;
    j.tile = mmli_max_size(ROWS, mmli_ceil_div(rows, 4 * PARTS) * 4); /* inner loops take four rows together */
    j.tiles = mmli_ceil_div(rows, j.tile);
    j.pad = mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD;
    MML_TRY(mmli_cpu_shared(dv, &j.part, j.tiles * 2 * j.pad, sizeof *j.part));
    mmli_cpu_for(dv, j.tiles, (double)rows * (15 + 0.8 * (double)cols), backward_tile, &j);
    put_total(&j, j.dgamma, 0);
    put_total(&j, j.dbeta, 1);
out:
    return st;
}
