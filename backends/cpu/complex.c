/* complex.c - norms of the columns of complex arrays (the latent of the upstream preset). */
#include <math.h>
#include <string.h>

#include "backends/cpu/cpu.h"

enum { COLS = 256 };                    /* columns of a tile */
static const double least_norm = 1e-12; /* a column of zeros stays one */

typedef struct norms {
    const mmli_vec *v;
    float *yr, *yi, *norm;
    const float *xr, *xi, *cnorm, *dyr, *dyi;
    size_t c, d, blocks;
} norms;

static mml_status run(mmli_device *dv, norms *g, size_t batch, size_t c, size_t d, mmli_cpu_tile fn)
{
    g->v = mmli_cpu_of(dv)->vec;
    g->c = c;
    g->d = d;
    g->blocks = mmli_ceil_div(d, COLS);
    mmli_cpu_for(dv, batch * g->blocks, (double)batch * (double)c * (double)d, fn, g);
    return MML_OK;
}

static void forward_tile(const void *ctx, size_t t, int worker)
{
    const norms *g = ctx;
    const size_t b = t / g->blocks, j = t % g->blocks * COLS, cols = mmli_min_size(COLS, g->d - j);
    const size_t at = b * g->c * g->d + j;
    double acc[COLS] = {0};
    float by[COLS];

    (void)worker;
    g->v->col_acc_dot(acc, g->xr + at, g->xr + at, g->c, g->d, cols);
    if (g->xi)
        g->v->col_acc_dot(acc, g->xi + at, g->xi + at, g->c, g->d, cols);
    for (size_t i = 0; i < cols; i++) {
        const double norm = sqrt(acc[i]);

        if (g->norm)
            g->norm[b * g->d + j + i] = (float)norm;
        by[i] = (float)(1.0 / (norm > least_norm || norm != norm ? norm : least_norm));
    }
    for (size_t r = 0; r < g->c; r++) {
        mmli_el e = {.y = g->yr + at + r * g->d, .a = g->xr + at + r * g->d, .b = by};

        g->v->mul(&e, 0, cols);
        if (g->xi) {
            e.y = g->yi + at + r * g->d;
            e.a = g->xi + at + r * g->d;
            g->v->mul(&e, 0, cols);
        }
    }
}

mml_status mmli_cpu_col_normalise(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, mmli_mem *norm, const mmli_mem *xr,
                                  const mmli_mem *xi, size_t batch, size_t c, size_t d)
{
    norms g = {.yr = mmli_f(yr), .yi = mmli_f(yi), .norm = mmli_f(norm), .xr = mmli_cf(xr), .xi = mmli_cf(xi)};

    return run(dv, &g, batch, c, d, forward_tile);
}

/* y += a dy - b x, rows of one part; dy NULL = 0 */
static void add_part(const norms *g, float *y, const float *x, const float *dy, const float *a, const float *b,
                     size_t cols)
{
    for (size_t r = 0; r < g->c; r++) {
        const mmli_el along = {.y = y + r * g->d, .a = dy ? dy + r * g->d : NULL, .b = a};
        const mmli_el across = {.y = y + r * g->d, .a = x + r * g->d, .b = b};

        if (dy)
            g->v->mul_add(&along, 0, cols);
        g->v->mul_add(&across, 0, cols);
    }
}

/* dx += (dy - y Re(conj(y) dy)) / norm; where the norm was raised to the least one, dy / least */
static void backward_tile(const void *ctx, size_t t, int worker)
{
    const norms *g = ctx;
    const size_t b = t / g->blocks, j = t % g->blocks * COLS, cols = mmli_min_size(COLS, g->d - j);
    const size_t at = b * g->c * g->d + j;
    const bool imaginary = g->xi != NULL;
    double dot[COLS] = {0};
    float along[COLS], across[COLS];

    (void)worker;
    g->v->col_acc_dot(dot, g->xr + at, g->dyr + at, g->c, g->d, cols);
    if (imaginary && g->dyi)
        g->v->col_acc_dot(dot, g->xi + at, g->dyi + at, g->c, g->d, cols);
    for (size_t i = 0; i < cols; i++) {
        const double norm = (double)g->cnorm[b * g->d + j + i];
        const bool raised = norm <= least_norm;

        along[i] = (float)(1.0 / (raised ? least_norm : norm));
        across[i] = raised ? 0.0f : (float)(-dot[i] / norm);
    }
    if (g->yr)
        add_part(g, g->yr + at, g->xr + at, g->dyr + at, along, across, cols);
    if (g->yi && imaginary)
        add_part(g, g->yi + at, g->xi + at, g->dyi ? g->dyi + at : NULL, along, across, cols);
}

mml_status mmli_cpu_col_normalise_grad(mmli_device *dv, mmli_mem *dxr, mmli_mem *dxi, const mmli_mem *yr,
                                       const mmli_mem *yi, const mmli_mem *norm, const mmli_mem *dyr,
                                       const mmli_mem *dyi, size_t batch, size_t c, size_t d)
{
    norms g = {.yr = mmli_f(dxr), .yi = mmli_f(dxi), .xr = mmli_cf(yr), .xi = mmli_cf(yi), .cnorm = mmli_cf(norm),
               .dyr = mmli_cf(dyr), .dyi = mmli_cf(dyi)};

    return run(dv, &g, batch, c, d, backward_tile);
}
