/* attention.h - what the forward and the backward pass of ragged attention share: how the work is cut.
 *
 * A task is one head of one block of queries over one chunk of tokens; inside, tiles of TOKENS tokens
 * pass through two (backward: five) small products and a softmax, all in the second-level cache. Scores
 * lie transposed, a row a token: S^T = K Q^T with Q transposed once beforehand. Then no product needs its
 * large operand transposed, and the softmax runs down the rows, a lane a query.
 */
#ifndef MMLI_CPU_ATTENTION_H
#define MMLI_CPU_ATTENTION_H

#include "backends/cpu/cpu.h"

enum {
    MMLI_ATTN_QUERIES = 64, /* queries of a tile, at most; a multiple of MMLI_PAD */
    MMLI_ATTN_TOKENS = 224, /* tokens of a tile, at most: 64 x 64 x 224 < 1e6, where OpenBLAS leaves packing out */
    MMLI_ATTN_CHUNK = 9 * MMLI_ATTN_TOKENS, /* tokens of a chunk, at least */
    MMLI_ATTN_CHUNKS = 64,  /* chunks of a segment, at most */
};

typedef struct mmli_attn {
    const mmli_device *dv;
    const mmli_vec *v;
    mmli_query mode;
    const int64_t *off;
    size_t segs, c, H, e, ld; /* ld = H e */
    float scale;
    float *qt; /* MMLI_QUERY_SHARED: scale Q^T of every block and head, (blocks, H, e, QUERIES) */
    const float *q, *k, *val, *out, *lse, *dout;
    float *o, *lse_out, *dq, *dk, *dval;
} mmli_attn;

static inline size_t mmli_attn_len(const mmli_attn *a, size_t s)
{
    return (size_t)(a->off[s + 1] - a->off[s]);
}
static inline size_t mmli_attn_queries(const mmli_attn *a, size_t s)
{
    return a->mode == MMLI_QUERY_RAGGED ? mmli_attn_len(a, s) : a->c;
}
/* First row of the queries of segment s in q, and in o and lse. */
static inline size_t mmli_attn_qrow(const mmli_attn *a, size_t s)
{
    return a->mode == MMLI_QUERY_SHARED ? 0 : a->mode == MMLI_QUERY_FIXED ? s * a->c : (size_t)a->off[s];
}
static inline size_t mmli_attn_orow(const mmli_attn *a, size_t s)
{
    return a->mode == MMLI_QUERY_RAGGED ? (size_t)a->off[s] : s * a->c;
}

/* How segment s is cut. */
typedef struct mmli_attn_cut {
    size_t len, queries;
    size_t blocks;        /* of queries */
    size_t chunk, chunks; /* tokens of a chunk, chunks; an empty segment has none */
} mmli_attn_cut;

static inline mmli_attn_cut mmli_attn_cut_of(const mmli_attn *a, size_t s)
{
    mmli_attn_cut c = {.len = mmli_attn_len(a, s), .queries = mmli_attn_queries(a, s)};

    c.blocks = mmli_ceil_div(c.queries, MMLI_ATTN_QUERIES);
    c.chunk = mmli_max_size(MMLI_ATTN_CHUNK, mmli_ceil_div(c.len, MMLI_ATTN_CHUNKS));
    if (c.blocks > 4) /* enough tasks, and partial results would be large */
        c.chunk = mmli_max_size(c.len, 1);
    c.chunks = mmli_ceil_div(c.len, c.chunk);
    return c;
}

/* The last i < n with first[i] <= t; first[] does not fall. */
static inline size_t mmli_attn_find(const size_t *first, size_t n, size_t t)
{
    size_t lo = 0, hi = n;

    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;

        if (first[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* Estimated time of all products on one thread: `products` per tile. */
static inline double mmli_attn_ns(const mmli_attn *a, int products)
{
    double pairs = 0;

    for (size_t s = 0; s < a->segs; s++)
        pairs += (double)mmli_attn_len(a, s) * (double)mmli_attn_queries(a, s);
    return (double)a->H * (pairs * (0.3 + 0.02 * products * (double)a->e) + 2000.0 * (double)a->segs);
}

/* Columns of a transposed block of `rows` queries: whole vectors. */
static inline size_t mmli_attn_pad(size_t rows)
{
    return mmli_ceil_div(rows, MMLI_PAD) * MMLI_PAD;
}

/* scale Q^T (e, pad) of a block and head: made beforehand when shared, else in `own`. */
static inline const float *mmli_attn_qt(const mmli_attn *a, size_t s, size_t block, size_t h, size_t rows, float *own)
{
    if (a->mode == MMLI_QUERY_SHARED)
        return a->qt + (block * a->H + h) * a->e * MMLI_ATTN_QUERIES;
    const size_t row = mmli_attn_qrow(a, s) + block * MMLI_ATTN_QUERIES;

    a->v->transpose(own, mmli_attn_pad(rows), a->q + row * a->ld + h * a->e, rows, a->e, a->ld, a->scale);
    return own;
}

/* Floats of qt, and filling it. */
static inline size_t mmli_attn_qt_floats(const mmli_attn *a)
{
    return a->mode == MMLI_QUERY_SHARED ? mmli_ceil_div(a->c, MMLI_ATTN_QUERIES) * MMLI_ATTN_QUERIES * a->ld : 0;
}
void mmli_attn_make_qt(mmli_device *dv, const mmli_attn *a);

#endif
