/* feed_forward.c - residual feed-forward, forward: LayerNorm, both products, gate, dropout and sum tile by tile. */
#include "backends/cpu/feed_forward.h"

#include <string.h>

typedef struct forward {
    mmli_ffn n;
    float *y;
} forward;

static size_t own_floats(const mmli_ffn *n)
{
    return n->tile * (3 * n->d + 2 * MMLI_FF_HIDDEN);
}

/* yt (d, pad) = W2 (a * SELU(g)), block by block of hidden units */
static void run_hidden(const mmli_ffn *n, const mmli_ff_tile *t, const float *ht, float *z, float *yt)
{
    float *gate = z + MMLI_FF_HIDDEN * t->pad;

    if (n->f == 0)
        memset(yt, 0, n->d * t->pad * sizeof *yt);
    for (size_t j = 0; j < n->f; j += MMLI_FF_HIDDEN) {
        const size_t m = mmli_min_size(MMLI_FF_HIDDEN, n->f - j);
        const mmli_mm out = {.m = n->d, .n = t->pad, .k = m, .a = n->w2 + j, .a_row = n->f, .a_k = 1, .b = z,
                             .ldb = t->pad, .c = yt, .ldc = t->pad, .alpha = 1, .add = j > 0, .ahead = mmli_ff_cold(n)};

        mmli_ff_hidden(n, t, j, m, ht, z);
        mmli_ff_hidden(n, t, n->f + j, m, ht, gate);
        n->v->ff_gate(z, gate, n->b1 + j, n->b1 + n->f + j, m, t->pad);
        n->v->mm(&out);
    }
}

static void run_tile(const void *ctx, size_t i, int worker)
{
    const forward *w = ctx;
    const mmli_ffn *n = &w->n;
    const mmli_ff_tile t = mmli_ff_tile_of(n, i);
    const size_t all = t.rows * n->d;
    float *h = mmli_cpu_own(n->dv, worker), *ht = h + n->tile * n->d, *yt = ht + n->tile * n->d, *z = yt + n->tile * n->d;
    float *y = w->y + t.first * n->d;
    const mmli_el drop = {.y = y, .a = h, .s = {n->p, n->survivor}, .key = n->key, .first = n->first + t.first * n->d};
    const mmli_el sum = {.y = y, .a = y, .b = h};

    mmli_ff_normalise(n, &t, h, ht, NULL);
    run_hidden(n, &t, ht, z, yt);
    for (size_t r = 0; r < t.rows; r++) /* h is free again: the result by rows */
        memcpy(h + r * n->d, n->b2, n->d * sizeof *h);
    n->v->transpose(h, n->d, n->d, yt, t.pad, n->d, t.rows, 1, 1);
    memcpy(y, n->x + t.first * n->d, all * sizeof *y);
    if (n->p > 0)
        n->v->dropout_grad(&drop, 0, all); /* adds what is kept */
    else
        n->v->add(&sum, 0, all);
}

mml_status mmli_cpu_feed_forward(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    const forward w = {mmli_ffn_of(dv, x, ff, rows), mmli_f(y)};
    mml_status st = MML_OK;

    if (rows == 0 || ff->d == 0)
        goto out;
    if (ff->p > 0 && ff->first % 4 != 0) /* as in dropout.c */
        return mmli_backend_reference.feed_forward(dv, y, x, ff, rows);
    MML_TRY(mmli_cpu_own_reserve(dv, own_floats(&w.n) * sizeof(float)));
    mmli_cpu_for(dv, w.n.tiles, mmli_ffn_ns(&w.n, 1), run_tile, &w);
out:
    return st;
}
