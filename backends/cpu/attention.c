/* attention.c - ragged multi-head attention, forward: streamed over tiles of tokens with an online
 * softmax (Milakov & Gimelshein 2018; Dao et al. 2022). No score matrix beyond a tile exists.
 *
 * Few queries over many tokens (the latent over a bag): a segment's tokens are cut into chunks whose
 * partial results (maximum, sum, weighted values) are combined in order. Many queries
 * (self-attention): blocks of queries keep the threads busy, a segment is one chunk. */
#include "backends/cpu/attention.h"

#include <math.h>
#include <string.h>

enum { QUERIES = MMLI_ATTN_QUERIES };

typedef struct forward {
    mmli_attn a;
    size_t *unit;  /* (segs + 1) first unit of a segment: chunk outermost, then head, then query block */
    size_t *slot;  /* (segs + 1) first partial result; only segments of several chunks have any */
    size_t *combo; /* (segs + 1) first combination */
    float *part;   /* (slots, e + 2, QUERIES): weighted values transposed, maxima, sums */
    size_t each;   /* units of a task */
} forward;

static float *part_of(const forward *f, size_t slot)
{
    return f->part + slot * QUERIES * (f->a.e + 2);
}

/* Scratch of a worker: scores (tile, pad); o and q transposed (e, pad); maxima, sums, fade. */
typedef struct own {
    float *scores, *o, *qt, *m, *l, *fade;
} own;

static size_t own_floats(const mmli_attn *a)
{
    return QUERIES * (mmli_attn_tile(a) + 2 * a->e + 3);
}

static own own_of(const mmli_attn *a, int worker)
{
    own w = {.scores = mmli_cpu_own(a->dv, worker)};

    w.o = w.scores + QUERIES * mmli_attn_tile(a);
    w.qt = w.o + QUERIES * a->e;
    w.m = w.qt + QUERIES * a->e;
    w.l = w.m + QUERIES;
    w.fade = w.l + QUERIES;
    return w;
}

static void qt_tile(const void *ctx, size_t t, int worker)
{
    const mmli_attn *a = ctx;
    const size_t block = t / a->H, h = t % a->H, q0 = block * QUERIES, rows = mmli_min_size(QUERIES, a->c - q0);
    const size_t pad = mmli_attn_pad(rows);

    (void)worker;
    a->v->transpose(a->qt + t * a->e * QUERIES, pad, pad, a->q + q0 * a->ld + h * a->e, a->ld, rows, a->e, a->scale, 0);
}

void mmli_attn_make_qt(mmli_device *dv, const mmli_attn *a)
{
    if (a->mode == MMLI_QUERY_SHARED)
        mmli_cpu_for(dv, mmli_ceil_div(a->c, QUERIES) * a->H, 0.3 * (double)a->c * (double)a->ld, qt_tile, a);
}

/* Rows of the result: o / l, and the logarithm of the sums. o is spoilt. */
static void put_rows(const mmli_attn *a, size_t row, size_t h, size_t rows, float *o, const float *m, const double *l)
{
    const size_t pad = mmli_attn_pad(rows);
    float by[QUERIES] = {0};

    for (size_t r = 0; r < rows; r++)
        by[r] = (float)(1.0 / l[r]);
    a->v->attn_scale(o, o, a->e, pad, by, 0);
    a->v->transpose(a->o + row * a->ld + h * a->e, a->ld, a->e, o, pad, a->e, rows, 1, 0);
    for (size_t r = 0; a->lse_out && r < rows; r++)
        a->lse_out[(row + r) * a->H + h] = (float)((double)m[r] + log(l[r]));
}

static void put_zeros(const mmli_attn *a, size_t row, size_t h, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        memset(a->o + (row + r) * a->ld + h * a->e, 0, a->e * sizeof *a->o);
        if (a->lse_out)
            a->lse_out[(row + r) * a->H + h] = 0;
    }
}

/* Tokens t0 .. t1-1 (rows of k and v) seen by `pad` queries: o (e, pad), not normalised, m, l. */
static void stream(const mmli_attn *a, const float *qt, size_t pad, size_t h, size_t t0, size_t t1, const own *w)
{
    const size_t tile = mmli_attn_tile(a);

    for (size_t t = t0; t < t1; t += tile) {
        const size_t n = mmli_min_size(tile, t1 - t), at = t * a->ld + h * a->e;
        const size_t then = mmli_min_size(tile, t1 - t - n);
        const mmli_attn_next next = {.row = {a->val == a->k ? NULL : a->val + at, then ? a->k + at + n * a->ld : NULL},
                                     .n = {n, then},
                                     .step = a->ld * sizeof(float),
                                     .bytes = a->e * sizeof(float)};

        mmli_attn_by_token(a, a->k + at, n, qt, pad, w->scores);
        a->v->attn_softmax(w->scores, n, pad, w->m, w->l, w->fade, t == t0, &next);
        if (t != t0)
            a->v->attn_scale(w->o, w->o, a->e, pad, w->fade, 0);
        mmli_attn_by_width(a, a->val + at, n, w->scores, pad, w->o, t != t0);
    }
}

static void run_unit(const forward *f, size_t u, int worker)
{
    const mmli_attn *a = &f->a;
    const size_t s = mmli_attn_find(f->unit, a->segs, u), local = u - f->unit[s];
    const mmli_attn_cut c = mmli_attn_cut_of(a, s);
    const size_t block = local % c.blocks, h = local / c.blocks % a->H, chunk = local / c.blocks / a->H;
    const size_t q0 = block * QUERIES, rows = mmli_min_size(QUERIES, c.queries - q0), row = mmli_attn_orow(a, s) + q0;
    const size_t t0 = (size_t)a->off[s] + chunk * c.chunk, t1 = mmli_min_size(t0 + c.chunk, (size_t)a->off[s + 1]);
    own w = own_of(a, worker);
    double l[QUERIES];

    if (c.len == 0) {
        put_zeros(a, row, h, rows);
        return;
    }
    if (c.chunks > 1) {
        w.o = part_of(f, f->slot[s] + local);
        w.m = w.o + QUERIES * a->e;
        w.l = w.m + QUERIES;
    }
    stream(a, mmli_attn_qt(a, s, block, h, rows, w.qt), mmli_attn_pad(rows), h, t0, t1, &w);
    if (c.chunks > 1)
        return;
    for (size_t r = 0; r < rows; r++)
        l[r] = (double)w.l[r];
    put_rows(a, row, h, rows, w.o, w.m, l);
}

static void run_task(const void *ctx, size_t t, int worker)
{
    const forward *f = ctx;

    for (size_t u = t * f->each; u < mmli_min_size((t + 1) * f->each, f->unit[f->a.segs]); u++)
        run_unit(f, u, worker);
}

/* The chunks of one head and query block of a segment, in order. */
static void run_combine(const void *ctx, size_t t, int worker)
{
    const forward *f = ctx;
    const mmli_attn *a = &f->a;
    const size_t s = mmli_attn_find(f->combo, a->segs, t), local = t - f->combo[s];
    const mmli_attn_cut c = mmli_attn_cut_of(a, s);
    const size_t block = local % c.blocks, h = local / c.blocks, q0 = block * QUERIES;
    const size_t rows = mmli_min_size(QUERIES, c.queries - q0), pad = mmli_attn_pad(rows);
    const size_t first = f->slot[s] + local, each = a->H * c.blocks, mat = QUERIES * a->e;
    float *o = own_of(a, worker).o, m[QUERIES], by[QUERIES] = {0};
    double l[QUERIES] = {0};

    for (size_t r = 0; r < rows; r++) {
        m[r] = -INFINITY;
        for (size_t i = 0; i < c.chunks; i++)
            m[r] = fmaxf(m[r], part_of(f, first + i * each)[mat + r]);
    }
    for (size_t i = 0; i < c.chunks; i++) {
        const float *p = part_of(f, first + i * each);

        for (size_t r = 0; r < rows; r++) {
            const double w = exp((double)p[mat + r] - (double)m[r]);

            l[r] += w * (double)p[mat + QUERIES + r];
            by[r] = (float)w;
        }
        a->v->attn_scale(o, p, a->e, pad, by, i > 0);
    }
    put_rows(a, mmli_attn_orow(a, s) + q0, h, rows, o, m, l);
}

mml_status mmli_cpu_attention(mmli_device *dv, mmli_mem *o, mmli_mem *lse, const mmli_mem *q, const mmli_mem *k,
                              const mmli_mem *v, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                              float scale, mmli_query mode)
{
    mml_status st = MML_OK;
    forward f = {.a = {.dv = dv, .v = mmli_cpu_of(dv)->vec, .mode = mode, .off = mmli_coff(off), .segs = segs, .c = c,
                       .H = H, .e = e, .ld = H * e, .scale = scale, .q = mmli_cf(q), .k = mmli_cf(k),
                       .val = mmli_cf(v), .o = mmli_f(o), .lse_out = mmli_f(lse)}};
    const size_t lists = mmli_ceil_div(3 * (segs + 1) * sizeof(size_t), 64) * 64;
    size_t *list, slots = 0;
    const mmli_attn *a = &f.a;
    double ns;

    if (segs == 0 || H == 0 || e == 0)
        goto out;
    for (size_t s = 0; s < segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(a, s);

        slots += cut.chunks > 1 ? cut.chunks * cut.blocks * H : 0;
    }
    MML_TRY(mmli_cpu_own_reserve(dv, own_floats(a) * sizeof(float)));
    MML_TRY(mmli_cpu_shared(dv, &list, 1,
                            lists + (mmli_attn_qt_floats(a) + slots * QUERIES * (e + 2)) * sizeof(float)));
    f.unit = list;
    f.slot = f.unit + segs + 1;
    f.combo = f.slot + segs + 1;
    f.a.qt = (float *)(void *)((char *)list + lists);
    f.part = f.a.qt + mmli_attn_qt_floats(a);
    f.unit[0] = f.slot[0] = f.combo[0] = 0;
    for (size_t s = 0; s < segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(a, s);
        const size_t each = cut.blocks * H;

        f.unit[s + 1] = f.unit[s] + each * mmli_max_size(1, cut.chunks); /* an empty one writes zeros */
        f.slot[s + 1] = f.slot[s] + (cut.chunks > 1 ? each * cut.chunks : 0);
        f.combo[s + 1] = f.combo[s] + (cut.chunks > 1 ? each : 0);
    }
    ns = mmli_attn_ns(a, 2);
    f.each = mmli_attn_each(f.unit[segs], ns);
    mmli_attn_make_qt(dv, a);
    mmli_cpu_for(dv, mmli_ceil_div(f.unit[segs], f.each), ns, run_task, &f);
    mmli_cpu_for(dv, f.combo[segs], (double)slots * QUERIES * (20.0 + 0.2 * (double)e), run_combine, &f);
out:
    return st;
}
