/* attention_grad.c - ragged multi-head attention, backward: probabilities are computed again from the scores and
 * the stored log-sums, tile by tile.
 *
 *   p = exp(scale q k - lse), dp = do v^T, ds = p (dp - rowsum(do o)) scale
 *   dv += p^T do,  dk += ds^T q,  dq += ds k
 *
 * A task is one head of one chunk of tokens with all queries of its segment, so each row of dk and dv has one writer.
 * dq has several where a segment has several chunks or the queries are shared by all segments: then
 * tasks write partial sums, for a fixed number of chunks at a time (a wave), that are summed in
 * order. */
#include "backends/cpu/attention.h"

#include <string.h>

enum {
    QUERIES = MMLI_ATTN_QUERIES,
    TOKENS = MMLI_ATTN_TOKENS,
    WAVE = 64,                 /* chunks in a wave, at most */
    WAVE_LEAST = 8,
    WAVE_FLOATS = 2 << 20,     /* partial sums of a wave, about */
    COLS = 512,                /* elements of dq summed at a time */
    DOTS = 256,                /* rows and heads of a tile of dot */
};

typedef struct backward {
    mmli_attn a;
    size_t *seg, *first, *last; /* (chunks) segment; rows of k first .. last-1 */
    size_t rows;                /* of o */
    float *dot;                 /* (rows, H): rowsum(do o) */
    float *part;                /* (wave, c, ld) */
    size_t from, to;            /* chunks of this wave */
    size_t group[WAVE + 1], groups; /* of chunks with the same dq, relative to `from` */
    bool direct;                    /* every dq row has one writer */
} backward;

static void run_dot(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const mmli_attn *a = &b->a;

    (void)worker;
    for (size_t i = t * DOTS; i < mmli_min_size((t + 1) * DOTS, b->rows * a->H); i++)
        b->dot[i] = a->v->dot(a->dout + i * a->e, a->out + i * a->e, a->e);
}

/* Scratch of a worker: p and dp, transposed; q and do transposed; lse and dot of a block. */
typedef struct own {
    float *p, *dp, *qt, *gt, *lse, *dot;
} own;

static size_t own_floats(const mmli_attn *a)
{
    return QUERIES * (2 * TOKENS + 2 * a->e + 2);
}

static own own_of(const mmli_attn *a, int worker)
{
    own w = {.p = mmli_cpu_own(a->dv, worker)};

    w.dp = w.p + QUERIES * TOKENS;
    w.qt = w.dp + QUERIES * TOKENS;
    w.gt = w.qt + QUERIES * a->e;
    w.lse = w.gt + QUERIES * a->e;
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
    a->v->transpose(w->gt, x.pad, x.g, x.rows, a->e, a->ld, 1);
    for (size_t r = 0; r < x.pad; r++) {
        w->lse[r] = r < x.rows ? a->lse[(orow + r) * a->H + h] : 0;
        w->dot[r] = r < x.rows ? b->dot[(orow + r) * a->H + h] : 0;
    }
    return x;
}

/* Tokens t .. t+n-1, followed by `then` more in the next tile. `add`: dq already holds something. */
static void run_tile(const mmli_attn *a, const block *x, size_t t, size_t n, size_t then, bool add, const own *w)
{
    const size_t at = t * a->ld + x->h * a->e, after = at + n * a->ld;
    const mmli_attn_next next = {.row = {a->dval ? a->dval + at : NULL, a->dk ? a->dk + at : NULL,
                                         then ? a->k + after : NULL, then ? a->val + after : NULL},
                                 .n = {n, n, then, then},
                                 .step = a->ld * sizeof(float),
                                 .bytes = a->e * sizeof(float)};

    mmli_cpu_sgemm(false, false, n, x->pad, a->e, 1, a->k + at, a->ld, x->qt, x->pad, 0, w->p, x->pad);
    mmli_cpu_sgemm(false, false, n, x->pad, a->e, 1, a->val + at, a->ld, w->gt, x->pad, 0, w->dp, x->pad);
    a->v->attn_grad(w->p, w->dp, n, x->pad, a->scale, w->lse, w->dot, &next);
    if (a->dval)
        mmli_cpu_sgemm(false, false, n, a->e, x->rows, 1, w->p, x->pad, x->g, a->ld, 1, a->dval + at, a->ld);
    if (a->dk)
        mmli_cpu_sgemm(false, false, n, a->e, x->rows, 1, w->dp, x->pad, x->q, a->ld, 1, a->dk + at, a->ld);
    if (x->dq)
        mmli_cpu_sgemm(true, false, x->rows, a->e, n, 1, w->dp, x->pad, a->k + at, a->ld, add ? 1 : 0, x->dq, a->ld);
}

/* One token: p = 1 whatever the score, so queries and keys get exactly nothing. */
static void run_single(const backward *b, size_t i, size_t h)
{
    const mmli_attn *a = &b->a;
    const size_t s = b->seg[i], queries = mmli_attn_queries(a, s);
    const float *g = a->dout + mmli_attn_orow(a, s) * a->ld + h * a->e;
    double acc[COLS];

    for (size_t j = 0; a->dval && j < a->e; j += COLS) {
        const size_t cols = mmli_min_size(COLS, a->e - j);

        memset(acc, 0, sizeof acc);
        a->v->col_acc(acc, NULL, g + j, queries, a->ld, cols);
        a->v->put_acc(a->dval + b->first[i] * a->ld + h * a->e + j, acc, cols, 1.0, 1);
    }
    for (size_t r = 0; a->dq && !b->direct && r < queries; r++)
        memset(b->part + ((i - b->from) * a->c + r) * a->ld + h * a->e, 0, a->e * sizeof(float));
}

static void run_task(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const mmli_attn *a = &b->a;
    const size_t i = b->from + t / a->H, h = t % a->H, s = b->seg[i];
    const size_t blocks = mmli_ceil_div(mmli_attn_queries(a, s), QUERIES);
    const own w = own_of(a, worker);
    float *dq = NULL;

    if (mmli_attn_len(a, s) == 1) {
        run_single(b, i, h);
        return;
    }
    if (a->dq)
        dq = b->direct ? a->dq + mmli_attn_qrow(a, s) * a->ld : b->part + (i - b->from) * a->c * a->ld;
    for (size_t j = 0; j < blocks; j++) {
        const block x = prepare_block(b, s, j, h, &w, dq);

        for (size_t k = b->first[i]; k < b->last[i]; k += TOKENS) {
            const size_t n = mmli_min_size(TOKENS, b->last[i] - k), then = mmli_min_size(TOKENS, b->last[i] - k - n);

            run_tile(a, &x, k, n, then, b->direct || k != b->first[i], &w);
        }
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
    const double ns = mmli_attn_ns(a, 5) / (double)chunks;
    const size_t n = a->c * a->ld;

    for (b->from = 0; b->from < chunks; b->from = b->to) {
        b->to = mmli_min_size(b->from + wave, chunks);
        mmli_cpu_for(dv, (b->to - b->from) * a->H, ns * (double)(b->to - b->from), run_task, b);
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

    for (size_t s = 0; s < b->a.segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(&b->a, s);

        for (size_t j = 0; j < cut.chunks; j++, i++) {
            b->seg[i] = s;
            b->first[i] = (size_t)b->a.off[s] + j * cut.chunk;
            b->last[i] = mmli_min_size(b->first[i] + cut.chunk, (size_t)b->a.off[s + 1]);
        }
    }
}

mml_status mmli_cpu_attention_grad(mmli_device *dv, mmli_mem *dq, mmli_mem *dk, mmli_mem *dv_, const mmli_mem *o,
                                   const mmli_mem *lse, const mmli_mem *q, const mmli_mem *k, const mmli_mem *v,
                                   const mmli_mem *do_, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                   float scale, mmli_query mode)
{
    mml_status st = MML_OK;
    backward b = {.a = {.dv = dv, .v = mmli_cpu_of(dv)->vec, .mode = mode, .off = mmli_coff(off), .segs = segs, .c = c,
                        .H = H, .e = e, .ld = H * e, .scale = scale, .q = mmli_cf(q), .k = mmli_cf(k),
                        .val = mmli_cf(v), .out = mmli_cf(o), .lse = mmli_cf(lse), .dout = mmli_cf(do_),
                        .dq = mmli_f(dq), .dk = mmli_f(dk), .dval = mmli_f(dv_)}};
    const mmli_attn *a = &b.a;
    size_t chunks, wave, lists, dots, parts;
    bool several;
    char *memory;

    b.rows = mode == MMLI_QUERY_RAGGED ? (size_t)a->off[segs] : segs * c;
    if (H == 0 || e == 0 || b.rows == 0 || (chunks = count_chunks(a, &several)) == 0)
        goto out;
    MML_TRY(mmli_cpu_blas_fits(1, 1, 1, a->ld));
    b.direct = mode == MMLI_QUERY_RAGGED || (mode == MMLI_QUERY_FIXED && !several);
    wave = b.direct ? chunks : mmli_min_size(WAVE, mmli_max_size(WAVE_LEAST, WAVE_FLOATS / (c * a->ld)));
    lists = mmli_ceil_div(3 * chunks * sizeof(size_t), 64) * 64;
    dots = mmli_ceil_div(b.rows * H * sizeof(float), 64) * 64;
    MML_TRY(mmli_cpu_own_reserve(dv, own_floats(a) * sizeof(float)));
    parts = mmli_attn_qt_floats(a) + (b.direct ? 0 : wave * c * a->ld);
    MML_TRY(mmli_cpu_shared(dv, &memory, 1, lists + dots + parts * sizeof(float)));
    b.seg = (size_t *)(void *)memory;
    b.first = b.seg + chunks;
    b.last = b.first + chunks;
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
