/* attention_grad.c - ragged multi-head attention, backward: probabilities are computed again from the scores and
 * the stored log-sums, tile by tile.
 *
 *   p = exp(scale q k - lse), dp = do v^T, ds = p (dp - rowsum(do o)) scale
 *   dv += p^T do,  dk += ds^T q,  dq += ds k
 *
 * A unit is one head of one chunk of tokens: with all queries of its segment where keys or values have a gradient, so that
 * each row of dk and dv has one writer, else with one block of them. dq has several writers where a segment has several
 * chunks or the queries are shared by several segments: then units write partial sums, for a fixed number of chunks at a
 * time (a wave), that are summed in order. */
#include "backends/cpu/attention.h"

#include <string.h>

enum {
    QUERIES = MMLI_ATTN_QUERIES,
    WAVE = 64,                 /* chunks in a wave, at most */
    WAVE_LEAST = 8,
    WAVE_FLOATS = 2 << 20,     /* partial sums of a wave, about */
    COLS = 512,                /* elements of dq summed at a time */
    DOTS = 256,                /* rows and heads of a tile of dot */
};

typedef struct backward {
    mmli_attn a;
    size_t *seg, *first, *last; /* (chunks) segment; rows of k first .. last-1 */
    size_t *unit;               /* (chunks + 1) first unit of a chunk: head outermost, then query block */
    size_t rows;                /* of o */
    float *dot;                 /* (rows, H): rowsum(do o) */
    float *part;                /* (wave, c, ld) */
    size_t from, to;            /* chunks of this wave */
    size_t group[WAVE + 1], groups; /* of chunks with the same dq, relative to `from` */
    size_t each;                    /* units of a task */
    bool direct;                    /* every dq row has one writer */
    bool whole;                     /* a unit has all queries */
    bool partial;                   /* o and lse are of more tokens than these */
} backward;

static void run_dot(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const mmli_attn *a = &b->a;

    (void)worker;
    for (size_t i = t * DOTS; i < mmli_min_size((t + 1) * DOTS, b->rows * a->H); i++)
        b->dot[i] = a->v->dot(a->dout + i * a->e, a->out + i * a->e, a->e);
}

/* Scratch of a worker: p and dp, transposed (tile, pad); q, do and dq transposed (e, pad); lse and dot of a block. */
typedef struct own {
    float *p, *dp, *qt, *gt, *dqt, *lse, *dot;
} own;

static size_t own_floats(const mmli_attn *a)
{
    return QUERIES * (2 * mmli_attn_tile(a) + 3 * a->e + 2);
}

static own own_of(const mmli_attn *a, int worker)
{
    own w = {.p = mmli_cpu_own(a->dv, worker)};

    w.dp = w.p + QUERIES * mmli_attn_tile(a);
    w.qt = w.dp + QUERIES * mmli_attn_tile(a);
    w.gt = w.qt + QUERIES * a->e;
    w.dqt = w.gt + QUERIES * a->e;
    w.lse = w.dqt + QUERIES * a->e;
    w.dot = w.lse + QUERIES;
    return w;
}

/* A block of queries of one segment and head. */
typedef struct block {
    size_t rows, pad, h;
    const float *q, *g, *qt; /* g: do */
    float *dq;               /* NULL: not wanted */
} block;

static block prepare_block(const backward *b, size_t s, size_t i, size_t h, const own *w, float *dq)
{
    const mmli_attn *a = &b->a;
    const size_t q0 = i * QUERIES, orow = mmli_attn_orow(a, s) + q0;
    block x = {.rows = mmli_min_size(QUERIES, mmli_attn_queries(a, s) - q0), .h = h};

    x.pad = mmli_attn_pad(x.rows);
    x.q = a->q + (mmli_attn_qrow(a, s) + q0) * a->ld + h * a->e;
    x.g = a->dout + orow * a->ld + h * a->e;
    x.dq = dq ? dq + q0 * a->ld + h * a->e : NULL;
    x.qt = mmli_attn_qt(a, s, i, h, x.rows, w->qt);
    a->v->transpose(w->gt, x.pad, x.pad, x.g, a->ld, x.rows, a->e, 1, 0);
    for (size_t r = 0; r < x.pad; r++) {
        w->lse[r] = r < x.rows ? a->lse[(orow + r) * a->H + h] : 0;
        w->dot[r] = r < x.rows ? b->dot[(orow + r) * a->H + h] : 0;
    }
    return x;
}

/* y (n, e) += S G: S (n, pad) scores transposed, G the block's rows of queries or of do */
static void add_tokens(const mmli_attn *a, const block *x, const float *s, size_t n, const float *g, float *y)
{
    const mmli_mm p = {.m = n, .n = a->e, .k = x->rows, .a = s, .a_row = x->pad, .a_k = 1, .b = g, .ldb = a->ld,
                       .c = y, .ldc = a->ld, .alpha = 1, .add = 1};

    a->v->mm(&p);
}

/* Tokens t .. t+n-1, followed by `then` more in the next tile. */
static void run_tile(const mmli_attn *a, const block *x, size_t t, size_t n, size_t then, bool first, const own *w)
{
    const size_t at = t * a->ld + x->h * a->e, after = at + n * a->ld;
    const mmli_attn_next next = {.row = {a->dval ? a->dval + at : NULL, a->dk && a->dk != a->dval ? a->dk + at : NULL,
                                         then ? a->k + after : NULL, then && a->val != a->k ? a->val + after : NULL},
                                 .n = {n, n, then, then},
                                 .step = a->ld * sizeof(float),
                                 .bytes = a->e * sizeof(float)};

    mmli_attn_by_token(a, a->k + at, n, x->qt, x->pad, w->p);
    mmli_attn_by_token(a, a->val + at, n, w->gt, x->pad, w->dp);
    a->v->attn_grad(w->p, w->dp, n, x->pad, a->scale, w->lse, w->dot, &next);
    if (a->dval)
        add_tokens(a, x, w->p, n, x->g, a->dval + at);
    if (a->dk)
        add_tokens(a, x, w->dp, n, x->q, a->dk + at);
    if (x->dq)
        mmli_attn_by_width(a, a->k + at, n, w->dp, x->pad, w->dqt, !first);
}

/* One token: p = 1 whatever the score, so queries and keys get exactly nothing. */
static void run_single(const backward *b, size_t i, size_t h, size_t q0, size_t q1)
{
    const mmli_attn *a = &b->a;
    const float *g = a->dout + (mmli_attn_orow(a, b->seg[i]) + q0) * a->ld + h * a->e;
    double acc[COLS];

    for (size_t j = 0; a->dval && j < a->e; j += COLS) {
        const size_t cols = mmli_min_size(COLS, a->e - j);

        memset(acc, 0, sizeof acc);
        a->v->col_acc(acc, NULL, g + j, q1 - q0, a->ld, cols);
        a->v->put_acc(a->dval + b->first[i] * a->ld + h * a->e + j, acc, cols, 1.0, 1);
    }
    for (size_t r = q0; a->dq && !b->direct && r < q1; r++)
        memset(b->part + ((i - b->from) * a->c + r) * a->ld + h * a->e, 0, a->e * sizeof(float));
}

/* Chunk i, head h, query blocks j0 .. j1-1. */
static void run_unit(const backward *b, size_t i, size_t h, size_t j0, size_t j1, int worker)
{
    const mmli_attn *a = &b->a;
    const size_t s = b->seg[i], tile = mmli_attn_tile(a);
    const own w = own_of(a, worker);
    float *dq = NULL;

    if (mmli_attn_len(a, s) == 1 && !b->partial) {
        run_single(b, i, h, j0 * QUERIES, mmli_min_size(j1 * QUERIES, mmli_attn_queries(a, s)));
        return;
    }
    if (a->dq)
        dq = b->direct ? a->dq + mmli_attn_qrow(a, s) * a->ld : b->part + (i - b->from) * a->c * a->ld;
    for (size_t j = j0; j < j1; j++) {
        const block x = prepare_block(b, s, j, h, &w, dq);

        for (size_t k = b->first[i]; k < b->last[i]; k += tile) {
            const size_t n = mmli_min_size(tile, b->last[i] - k), then = mmli_min_size(tile, b->last[i] - k - n);

            run_tile(a, &x, k, n, then, k == b->first[i], &w);
        }
        if (x.dq)
            a->v->transpose(x.dq, a->ld, a->e, w.dqt, x.pad, a->e, x.rows, 1, b->direct);
    }
}

static void run_task(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const mmli_attn *a = &b->a;
    const size_t first = b->unit[b->from] + t * b->each;

    for (size_t u = first; u < mmli_min_size(first + b->each, b->unit[b->to]); u++) {
        const size_t i = b->from + mmli_attn_find(b->unit + b->from, b->to - b->from, u), local = u - b->unit[i];
        const size_t blocks = mmli_ceil_div(mmli_attn_queries(a, b->seg[i]), QUERIES);

        if (b->whole)
            run_unit(b, i, local, 0, blocks, worker);
        else
            run_unit(b, i, local / blocks, local % blocks, local % blocks + 1, worker);
    }
}

/* dq += partial sums of the wave; a task is COLS elements of one group. */
static void run_reduce(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const mmli_attn *a = &b->a;
    const size_t n = a->c * a->ld, blocks = mmli_ceil_div(n, COLS), g = t / blocks, j = t % blocks * COLS;
    const size_t cols = mmli_min_size(COLS, n - j);
    double acc[COLS] = {0};

    (void)worker;
    a->v->col_acc(acc, NULL, b->part + b->group[g] * n + j, b->group[g + 1] - b->group[g], n, cols);
    a->v->put_acc(a->dq + mmli_attn_qrow(a, b->seg[b->from + b->group[g]]) * a->ld + j, acc, cols, 1.0, 1);
}

static void find_groups(backward *b)
{
    b->groups = 0;
    for (size_t i = b->from; i < b->to; i++)
        if (i == b->from || (b->a.mode != MMLI_QUERY_SHARED && b->seg[i] != b->seg[i - 1]))
            b->group[b->groups++] = i - b->from;
    b->group[b->groups] = b->to - b->from;
}

static void run_waves(mmli_device *dv, backward *b, size_t chunks, size_t wave)
{
    const mmli_attn *a = &b->a;
    const double ns = mmli_attn_ns(a, 2 + !!a->dq + !!a->dk + !!a->dval) / (double)b->unit[chunks];
    const size_t n = a->c * a->ld;

    b->each = mmli_attn_each(1, ns);
    for (b->from = 0; b->from < chunks; b->from = b->to) {
        b->to = mmli_min_size(b->from + wave, chunks);
        const size_t units = b->unit[b->to] - b->unit[b->from];

        mmli_cpu_for(dv, mmli_ceil_div(units, b->each), ns * (double)units, run_task, b);
        if (b->direct || !a->dq)
            continue;
        find_groups(b);
        mmli_cpu_for(dv, b->groups * mmli_ceil_div(n, COLS), 0.2 * (double)(b->to - b->from) * (double)n, run_reduce,
                     b);
    }
}

static size_t count_chunks(const mmli_attn *a, bool *several)
{
    size_t chunks = 0;

    *several = false;
    for (size_t s = 0; s < a->segs; s++) {
        const size_t n = mmli_attn_cut_of(a, s).chunks;

        chunks += n;
        *several = *several || n > 1;
    }
    return chunks;
}

static void list_chunks(backward *b)
{
    size_t i = 0;

    b->unit[0] = 0;
    for (size_t s = 0; s < b->a.segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(&b->a, s);

        for (size_t j = 0; j < cut.chunks; j++, i++) {
            b->seg[i] = s;
            b->first[i] = (size_t)b->a.off[s] + j * cut.chunk;
            b->last[i] = mmli_min_size(b->first[i] + cut.chunk, (size_t)b->a.off[s + 1]);
            b->unit[i + 1] = b->unit[i] + b->a.H * (b->whole ? 1 : cut.blocks);
        }
    }
}

mml_status mmli_cpu_attention_grad(mmli_device *dv, mmli_mem *dq, mmli_mem *dk, mmli_mem *dv_, const mmli_mem *o,
                                   const mmli_mem *lse, const mmli_mem *q, const mmli_mem *k, const mmli_mem *v,
                                   const mmli_mem *do_, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                   float scale, mmli_query mode, bool part)
{
    mml_status st = MML_OK;
    backward b = {.a = {.dv = dv, .v = mmli_cpu_of(dv)->vec, .mode = mode, .off = mmli_coff(off), .segs = segs, .c = c,
                        .H = H, .e = e, .ld = H * e, .scale = scale, .q = mmli_cf(q), .k = mmli_cf(k),
                        .val = mmli_cf(v), .out = mmli_cf(o), .lse = mmli_cf(lse), .dout = mmli_cf(do_),
                        .dq = mmli_f(dq), .dk = mmli_f(dk), .dval = mmli_f(dv_)},
                  .partial = part};
    const mmli_attn *a = &b.a;
    size_t chunks, wave, lists, dots, parts;
    bool several;
    char *memory;

    b.rows = mode == MMLI_QUERY_RAGGED ? (size_t)a->off[segs] : segs * c;
    if (H == 0 || e == 0 || b.rows == 0 || (chunks = count_chunks(a, &several)) == 0)
        goto out;
    b.whole = a->dk || a->dval;
    b.direct = mode == MMLI_QUERY_RAGGED || (!several && (mode == MMLI_QUERY_FIXED || segs == 1));
    wave = chunks;
    if (!b.direct) /* ragged queries have no c */
        wave = mmli_min_size(wave, mmli_min_size(WAVE, mmli_max_size(WAVE_LEAST, WAVE_FLOATS / (c * a->ld))));
    lists = mmli_ceil_div((4 * chunks + 1) * sizeof(size_t), 64) * 64;
    dots = mmli_ceil_div(b.rows * H * sizeof(float), 64) * 64;
    MML_TRY(mmli_cpu_own_reserve(dv, own_floats(a) * sizeof(float)));
    parts = mmli_attn_qt_floats(a) + (b.direct || !dq ? 0 : wave * c * a->ld);
    MML_TRY(mmli_cpu_shared(dv, &memory, 1, lists + dots + parts * sizeof(float)));
    b.seg = (size_t *)(void *)memory;
    b.first = b.seg + chunks;
    b.last = b.first + chunks;
    b.unit = b.last + chunks;
    b.dot = (float *)(void *)(memory + lists);
    b.a.qt = (float *)(void *)(memory + lists + dots);
    b.part = b.a.qt + mmli_attn_qt_floats(a);
    list_chunks(&b);
    mmli_attn_make_qt(dv, a);
    mmli_cpu_for(dv, mmli_ceil_div(b.rows * H, DOTS), 0.2 * (double)b.rows * (double)a->ld, run_dot, &b);
    run_waves(dv, &b, chunks, wave);
out:
    return st;
}
