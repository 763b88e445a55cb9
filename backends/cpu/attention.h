/* attention.h - what the forward and the backward pass of ragged attention share: how the work is cut.
 *
 * The unit of work is one head of one block of queries over one chunk of tokens; inside, tiles of tokens pass through two
 * (backward: up to five) products and a softmax, all in the second-level cache. Everything a query owns lies transposed, a
 * lane a query: Q^T, the scores S^T = K Q^T (a row a token), O^T += V^T P^T. So keys and values are read where they are,
 * whatever their width, vectors are always full, and the softmax needs no shuffles. Only Q and O are transposed, once.
 */
#ifndef MMLI_CPU_ATTENTION_H
#define MMLI_CPU_ATTENTION_H

#include "backends/cpu/cpu.h"

enum {
    MMLI_ATTN_QUERIES = 64,     /* queries of a block, at most; a multiple of MMLI_PAD */
    MMLI_ATTN_TOKENS = 224,     /* tokens of a tile, at most */
    MMLI_ATTN_TILE = 96 * 1024, /* elements of the keys of a tile, about, at most: the second-level cache has to hold them */
    MMLI_ATTN_CHUNK = 9 * MMLI_ATTN_TOKENS, /* tokens of a chunk, at least, once there are enough units without */
    MMLI_ATTN_CHUNK_LEAST = 512, /* ... and in any case */
    MMLI_ATTN_CHUNKS = 64,       /* chunks of a segment, at most */
    MMLI_ATTN_UNITS = 32,        /* units that should be there: threads, and some for evenness */
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

/* Tokens of a tile. */
static inline size_t mmli_attn_tile(const mmli_attn *a)
{
    const size_t n = MMLI_ATTN_TILE / a->e / 16 * 16;

    return mmli_min_size(MMLI_ATTN_TOKENS, mmli_max_size(n, 64));
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
    size_t chunks = 1;

    c.blocks = mmli_ceil_div(c.queries, MMLI_ATTN_QUERIES);
    if (a->mode != MMLI_QUERY_RAGGED) { /* self-attention has blocks of queries enough */
        const size_t wanted = mmli_ceil_div(MMLI_ATTN_UNITS, mmli_max_size(1, a->segs * c.blocks * a->H));

        chunks = mmli_min_size(wanted, c.len / MMLI_ATTN_CHUNK_LEAST);
        if (c.blocks <= 4) /* partial results of few queries are small */
            chunks = mmli_max_size(chunks, mmli_ceil_div(c.len, MMLI_ATTN_CHUNK));
        chunks = mmli_min_size(MMLI_ATTN_CHUNKS, mmli_max_size(1, chunks));
    }
    c.chunk = mmli_max_size(1, mmli_ceil_div(c.len, chunks));
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
    return (double)a->H * (pairs * (0.3 + 0.015 * products * (double)a->e) + 1000.0 * (double)a->segs);
}

/* Units that one task takes, of `units` that take `ns` together: about 20 microseconds. */
static inline size_t mmli_attn_each(size_t units, double ns)
{
    const double each = 20000.0 * (double)units / (ns + 1);

    return each < 1 ? 1 : each > 64 ? 64 : (size_t)each;
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
    const size_t row = mmli_attn_qrow(a, s) + block * MMLI_ATTN_QUERIES, pad = mmli_attn_pad(rows);

    a->v->transpose(own, pad, pad, a->q + row * a->ld + h * a->e, a->ld, rows, a->e, a->scale, 0);
    return own;
}

/* Floats of qt, and filling it. */
static inline size_t mmli_attn_qt_floats(const mmli_attn *a)
{
    return a->mode == MMLI_QUERY_SHARED ? mmli_ceil_div(a->c, MMLI_ATTN_QUERIES) * MMLI_ATTN_QUERIES * a->ld : 0;
}
void mmli_attn_make_qt(mmli_device *dv, const mmli_attn *a);

/* C (n, pad) = X B: X n tokens of keys or values (e columns, ld apart), B (e, pad). */
static inline void mmli_attn_by_token(const mmli_attn *a, const float *x, size_t n, const float *b, size_t pad, float *c)
{
    const mmli_mm p = {.m = n, .n = pad, .k = a->e, .a = x, .a_row = a->ld, .a_k = 1, .b = b, .ldb = pad, .c = c,
                       .ldc = pad, .alpha = 1};

    a->v->mm(&p);
}

/* C (e, pad) = X^T S [+ C], S (n, pad) */
static inline void mmli_attn_by_width(const mmli_attn *a, const float *x, size_t n, const float *s, size_t pad, float *c,
                                      bool add)
{
    const mmli_mm p = {.m = a->e, .n = pad, .k = n, .a = x, .a_row = 1, .a_k = a->ld, .b = s, .ldb = pad, .c = c,
                       .ldc = pad, .alpha = 1, .add = add};

    a->v->mm(&p);
}

#endif
