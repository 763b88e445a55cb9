/* attention.c - ragged multi-head attention, forward: streamed over tiles of tokens with an online
 * softmax (Milakov & Gimelshein 2018; Dao et al. 2022). No score matrix beyond a tile exists.
 *
 * Few queries over many tokens (the latent over a bag): a segment's tokens are cut into chunks whose
 * partial results (maximum, sum, weighted values) are combined in order. Many queries
 * (self-attention): blocks of queries keep the threads busy, a segment is one chunk. */
#include "backends/cpu/attention.h"

#include <math.h>
#include <string.h>

enum { QUERIES = MMLI_ATTN_QUERIES, TOKENS = MMLI_ATTN_TOKENS };

typedef struct forward {
    mmli_attn a;
    size_t *task;  /* (segs + 1) first task of a segment: chunk outermost, then head, then query block */
    size_t *slot;  /* (segs + 1) first partial result; only segments of several chunks have any */
    size_t *combo; /* (segs + 1) first combination */
    float *part;   /* (slots, QUERIES, e + 2): weighted values, maxima, sums */
} forward;

static float *part_of(const forward *f, size_t slot)
{
    return f->part + slot * QUERIES * (f->a.e + 2);
}

/* Scratch of a worker: scores, o, m, then l in float64. */
static size_t own_floats(const mmli_attn *a)
{
    return QUERIES * (TOKENS + a->e + 2);
}

static void put_rows(const mmli_attn *a, size_t row, size_t h, size_t rows, const float *o, const float *m,
                     const double *l)
{
    for (size_t r = 0; r < rows; r++) {
        const mmli_el e = {.y = a->o + (row + r) * a->ld + h * a->e, .a = o + r * a->e, .s = {(float)(1.0 / l[r])}};

        a->v->scale(&e, 0, a->e);
        if (a->lse_out)
            a->lse_out[(row + r) * a->H + h] = m[r] + (float)log(l[r]);
    }
}

static void put_zeros(const mmli_attn *a, size_t row, size_t h, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        memset(a->o + (row + r) * a->ld + h * a->e, 0, a->e * sizeof *a->o);
        if (a->lse_out)
            a->lse_out[(row + r) * a->H + h] = 0;
    }
}

/* Tokens t0 .. t1-1 (rows of k and v) seen by `rows` queries: unnormalised o (rows, e), m, l. */
static void stream(const mmli_attn *a, const float *q, size_t rows, size_t h, size_t t0, size_t t1, float *scores,
                   float *o, float *m, double *l)
{
    for (size_t t = t0; t < t1; t += TOKENS) {
        const size_t n = mmli_min_size(TOKENS, t1 - t);
        const float *k = a->k + t * a->ld + h * a->e, *v = a->val + t * a->ld + h * a->e;

        mmli_cpu_sgemm(false, true, rows, n, a->e, 1, q, a->ld, k, a->ld, 0, scores, TOKENS);
        a->v->attn_softmax(scores, rows, n, TOKENS, a->scale, m, l, o, a->e, t == t0);
        mmli_cpu_sgemm(false, false, rows, a->e, n, 1, scores, TOKENS, v, a->ld, t == t0 ? 0 : 1, o, a->e);
    }
}

static void run_task(const void *ctx, size_t t, int worker)
{
    const forward *f = ctx;
    const mmli_attn *a = &f->a;
    const size_t s = mmli_attn_find(f->task, a->segs, t), local = t - f->task[s];
    const mmli_attn_cut c = mmli_attn_cut_of(a, s);
    const size_t block = local % c.blocks, h = local / c.blocks % a->H, chunk = local / c.blocks / a->H;
    const size_t q0 = block * QUERIES, rows = mmli_min_size(QUERIES, c.queries - q0);
    const size_t t0 = (size_t)a->off[s] + chunk * c.chunk, t1 = mmli_min_size(t0 + c.chunk, (size_t)a->off[s + 1]);
    float *scores = mmli_cpu_own(a->dv, worker), *o = scores + QUERIES * TOKENS, *m = o + QUERIES * a->e;
    double *l = (double *)(void *)(scores + own_floats(a));

    if (c.len == 0) {
        put_zeros(a, mmli_attn_orow(a, s) + q0, h, rows);
        return;
    }
    if (c.chunks > 1) {
        o = part_of(f, f->slot[s] + local);
        m = o + QUERIES * a->e;
    }
    stream(a, a->q + (mmli_attn_qrow(a, s) + q0) * a->ld + h * a->e, rows, h, t0, t1, scores, o, m, l);
    if (c.chunks == 1)
        put_rows(a, mmli_attn_orow(a, s) + q0, h, rows, o, m, l);
    else
        for (size_t r = 0; r < rows; r++)
            m[QUERIES + r] = (float)l[r];
}

/* The chunks of one head and query block of a segment, in order. */
static void run_combine(const void *ctx, size_t t, int worker)
{
    const forward *f = ctx;
    const mmli_attn *a = &f->a;
    const size_t s = mmli_attn_find(f->combo, a->segs, t), local = t - f->combo[s];
    const mmli_attn_cut c = mmli_attn_cut_of(a, s);
    const size_t block = local % c.blocks, h = local / c.blocks, q0 = block * QUERIES;
    const size_t rows = mmli_min_size(QUERIES, c.queries - q0), each = a->H * c.blocks, mat = QUERIES * a->e;
    float *o = mmli_cpu_own(a->dv, worker), *m = o + QUERIES * (TOKENS + a->e);
    double *l = (double *)(void *)(o + own_floats(a));

    for (size_t r = 0; r < rows; r++) {
        mmli_el e = {.y = o + r * a->e, .s = {0}};

        m[r] = -INFINITY;
        l[r] = 0;
        for (size_t i = 0; i < c.chunks; i++)
            m[r] = fmaxf(m[r], part_of(f, f->slot[s] + local + i * each)[mat + r]);
        for (size_t i = 0; i < c.chunks; i++) {
            const float *p = part_of(f, f->slot[s] + local + i * each);
            const double w = exp((double)p[mat + r] - (double)m[r]);

            l[r] += w * (double)p[mat + QUERIES + r];
            e.a = p + r * a->e;
            e.s[0] = (float)w;
            (i == 0 ? a->v->scale : a->v->axpy)(&e, 0, a->e);
        }
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

    if (segs == 0 || H == 0 || e == 0)
        goto out;
    MML_TRY(mmli_cpu_blas_fits(1, 1, 1, a->ld));
    for (size_t s = 0; s < segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(a, s);

        slots += cut.chunks > 1 ? cut.chunks * cut.blocks * H : 0;
    }
    MML_TRY(mmli_cpu_own_reserve(dv, own_floats(a) * sizeof(float) + QUERIES * sizeof(double)));
    MML_TRY(mmli_cpu_shared(dv, &list, 1, lists + slots * QUERIES * (e + 2) * sizeof(float)));
    f.task = list;
    f.slot = f.task + segs + 1;
    f.combo = f.slot + segs + 1;
    f.part = (float *)(void *)((char *)list + lists);
    f.task[0] = f.slot[0] = f.combo[0] = 0;
    for (size_t s = 0; s < segs; s++) {
        const mmli_attn_cut cut = mmli_attn_cut_of(a, s);
        const size_t each = cut.blocks * H;

        f.task[s + 1] = f.task[s] + each * mmli_max_size(1, cut.chunks); /* an empty one writes zeros */
        f.slot[s + 1] = f.slot[s] + (cut.chunks > 1 ? each * cut.chunks : 0);
        f.combo[s + 1] = f.combo[s] + (cut.chunks > 1 ? each : 0);
    }
    mmli_cpu_for(dv, f.task[segs], mmli_attn_ns(a, 2), run_task, &f);
    mmli_cpu_for(dv, f.combo[segs], (double)slots * QUERIES * (20.0 + 0.2 * (double)e), run_combine, &f);
out:
    return st;
}
