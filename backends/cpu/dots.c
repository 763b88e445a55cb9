/* dots.c - products with a weight, y = x W^T + b, of some ten to a hundred rows: a batch of patients, a small bag. Sums run
 * along the rows of both operands (vec_dots.h), so that nothing is copied: panels (panel.c) would be copied for too few rows
 * to be worth it, and would end in half empty vectors.
 *
 * Tiles are some columns of C, with all rows; a long sum is cut, that the rows of x stay in cache, and its parts are added in
 * order. All sizes follow from m, n, k. */
#include "backends/cpu/cpu.h"

enum {
    SIDE = 16,       /* no side is shorter */
    DEPTH = 128,     /* no sum is shorter */
    ROWS = 128,      /* at most: from then on panels are faster */
    AREA = 128 << 10, /* floats of x at a time: half of the second level of cache */
    COLS = 16,       /* tiles are multiples of it: no line of C is written by two threads */
};
static const double tile_flop = 1e6; /* about; some 10 microseconds */
static const double flop_per_ns = 105;

typedef struct job {
    const mmli_panel *p;
    const mmli_vec *v;
    size_t cols, depth; /* columns of a tile; terms at a time */
} job;

static void run_tile(const void *ctx, size_t t, int worker)
{
    const job *w = ctx;
    const mmli_panel *p = w->p;
    const size_t j = t * w->cols;

    (void)worker;
    for (size_t l = 0; l < p->k; l += w->depth) {
        const mmli_mm m = {.m = p->m, .n = mmli_min_size(w->cols, p->n - j), .k = mmli_min_size(w->depth, p->k - l),
                           .a = p->a + l, .a_row = p->lda, .a_k = 1, .b = p->b + j * p->ldb + l, .ldb = p->ldb,
                           .c = p->c + j, .ldc = p->ldc, .bias = p->bias ? p->bias + j : NULL, .alpha = 1, .add = l > 0};

        w->v->mm_dots(&m);
    }
}

bool mmli_cpu_dots_better(const mmli_device *dv, const mmli_panel *p)
{
    return mmli_cpu_of(dv)->vec->mm_dots && !p->ta && p->tb && p->alpha == 1 && p->beta == 0 && p->m >= SIDE &&
           p->m <= ROWS && p->n >= SIDE && p->k >= DEPTH;
}

void mmli_cpu_dots_multiply(mmli_device *dv, const mmli_panel *p)
{
    const double flop = 2.0 * (double)p->m * (double)p->k;
    const size_t parts = mmli_ceil_div(p->k, AREA / p->m);
    const job w = {.p = p, .v = mmli_cpu_of(dv)->vec, .cols = COLS * (1 + (size_t)(tile_flop / (COLS * flop))),
                   .depth = mmli_ceil_div(mmli_ceil_div(p->k, parts), MMLI_PAD) * MMLI_PAD};

    mmli_cpu_for(dv, mmli_ceil_div(p->n, w.cols), flop * (double)p->n / flop_per_ns, run_tile, &w);
}
