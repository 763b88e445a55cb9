/* feed_forward.h - what the forward and the backward pass of the residual feed-forward share.
 *
 * Rows are worked on in tiles, hidden units in blocks, so that everything of a tile stays in the second-level cache: the
 * hidden values, four times as many as there are inputs and as many again for the gate, never reach memory. They lie
 * transposed, a lane a row: the products read both weights where they are, vectors are full whatever d and f. */
#ifndef MMLI_CPU_FEED_FORWARD_H
#define MMLI_CPU_FEED_FORWARD_H

#include "backends/cpu/cpu.h"

enum {
    MMLI_FF_ROWS = 64,    /* of a tile */
    MMLI_FF_FEW = 32,     /* ... where there are at most MMLI_FF_MANY: one sample keeps two threads busy */
    MMLI_FF_MANY = 256,
    MMLI_FF_COLD = 4,     /* tiles up to which weights are asked for ahead */
    MMLI_FF_HIDDEN = 128, /* hidden units of a block; the gate has as many */
};

typedef struct mmli_ffn {
    const mmli_device *dv;
    const mmli_vec *v;
    const float *x, *gamma, *beta, *w1, *b1, *w2, *b2;
    size_t rows, d, f;
    size_t tile, tiles; /* rows of a tile; tiles */
    float eps, p, survivor; /* 1 / (1 - p) */
    uint64_t key, first;
} mmli_ffn;

static inline mmli_ffn mmli_ffn_of(const mmli_device *dv, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    mmli_ffn n = {.dv = dv, .v = mmli_cpu_of(dv)->vec, .x = mmli_cf(x), .gamma = mmli_cf(ff->gamma),
                  .beta = mmli_cf(ff->beta), .w1 = mmli_cf(ff->w1), .b1 = mmli_cf(ff->b1), .w2 = mmli_cf(ff->w2),
                  .b2 = mmli_cf(ff->b2), .rows = rows, .d = ff->d, .f = ff->f, .eps = ff->eps, .p = ff->p,
                  .survivor = ff->p < 1 ? (float)(1.0 / (1.0 - (double)ff->p)) : 0.0f, .key = ff->key, .first = ff->first};

    n.tile = rows > MMLI_FF_MANY ? MMLI_FF_ROWS : MMLI_FF_FEW;
    n.tiles = mmli_ceil_div(rows, n.tile);
    return n;
}

/* Estimated time on one thread of `products` products of all rows with both weights. */
static inline double mmli_ffn_ns(const mmli_ffn *n, double products)
{
    return (double)n->rows * (double)n->d * (1 + (double)n->f * 0.1 * products);
}

/* Are weights read as often from memory as from cache? One sample is a tile or two for each thread. */
static inline bool mmli_ff_cold(const mmli_ffn *n)
{
    return n->tiles <= MMLI_FF_COLD;
}

/* One tile. */
typedef struct mmli_ff_tile {
    size_t first, rows, pad; /* pad: lanes, whole vectors */
} mmli_ff_tile;

static inline mmli_ff_tile mmli_ff_tile_of(const mmli_ffn *n, size_t t)
{
    mmli_ff_tile x = {.first = t * n->tile};

    x.rows = mmli_min_size(n->tile, n->rows - x.first);
    x.pad = mmli_ceil_div(x.rows, MMLI_PAD) * MMLI_PAD;
    return x;
}

/* h (rows, d) = LN(x), ht (d, pad) the same transposed; stats (rows, 2) or NULL */
static inline void mmli_ff_normalise(const mmli_ffn *n, const mmli_ff_tile *t, float *h, float *ht, float *stats)
{
    const mmli_ln l = {.y = h, .stats = stats, .x = n->x + t->first * n->d, .gamma = n->gamma, .beta = n->beta,
                       .cols = n->d, .eps = n->eps};

    n->v->ln_rows(&l, 0, t->rows);
    n->v->transpose(ht, t->pad, t->pad, h, n->d, t->rows, n->d, 1, 0);
}

/* z (m, pad) = rows j .. j+m-1 of W1 times ht: m hidden units, without bias */
static inline void mmli_ff_hidden(const mmli_ffn *n, const mmli_ff_tile *t, size_t j, size_t m, const float *ht, float *z)
{
    const mmli_mm p = {.m = m, .n = t->pad, .k = n->d, .a = n->w1 + j * n->d, .a_row = n->d, .a_k = 1, .b = ht,
                       .ldb = t->pad, .c = z, .ldc = t->pad, .alpha = 1, .ahead = mmli_ff_cold(n)};

    n->v->mm(&p);
}

#endif
