/* segments.c - reductions over ragged segments. Long segments are cut into chunks of a fixed length,
 * so that one bag of a million tokens keeps all threads busy; partial results are float64 and
 * are put together in order. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    CHUNK = 512,     /* rows of a chunk, at least */
    SOFT = 8192,     /* the same where a row is one number */
    CHUNKS = 128,    /* chunks that a batch is cut into, about, at most */
    COLS = 512,      /* columns at a time */
    DOT = 1024,      /* elements summed in float32 before float64 takes over */
};

size_t mmli_chunks_count(const int64_t *off, size_t segs, size_t len)
{
    size_t n = 0;

    for (size_t s = 0; s < segs; s++)
        n += mmli_ceil_div((size_t)(off[s + 1] - off[s]), len);
    return n;
}

size_t mmli_chunks_bytes(size_t n, size_t segs)
{
    return mmli_ceil_div((3 * n + segs + 1) * sizeof(size_t), 64) * 64;
}

void mmli_chunks_fill(mmli_chunks *out, void *memory, const int64_t *off, size_t segs, size_t n, size_t len)
{
    size_t i = 0;

    *out = (mmli_chunks){.n = n, .seg = memory};
    out->first = out->seg + n;
    out->rows = out->first + n;
    out->start = out->rows + n;
    for (size_t s = 0; s < segs; s++) {
        const size_t last = (size_t)off[s + 1];

        out->start[s] = i;
        for (size_t r = (size_t)off[s]; r < last; r += len, i++) {
            out->seg[i] = s;
            out->first[i] = r;
            out->rows[i] = mmli_min_size(len, last - r);
        }
    }
    out->start[segs] = i;
}

typedef struct seg {
    const mmli_vec *v;
    mmli_chunks ch;
    float *y, *y2;
    const float *w, *x, *dy;
    const int64_t *off;
    double *part; /* (chunks, pad) */
    double *part2;
    size_t segs, cols, pad;
    int mean;
} seg;

/* Fills in the chunks and `per` float64 numbers a chunk. */
static mml_status prepare(mmli_device *dv, seg *g, const mmli_mem *off, size_t segs, size_t cols, size_t least,
                          size_t per)
{
    mml_status st = MML_OK;
    char *memory;
    size_t len, n, bytes;

    g->v = mmli_cpu_of(dv)->vec;
    g->off = mmli_coff(off);
    g->segs = segs;
    g->cols = cols;
    len = mmli_max_size(least, mmli_ceil_div((size_t)g->off[segs], CHUNKS));
    n = mmli_chunks_count(g->off, segs, len);
    bytes = mmli_chunks_bytes(n, segs);
    MML_TRY(mmli_cpu_shared(dv, &memory, 1, bytes + n * per * sizeof(double)));
    mmli_chunks_fill(&g->ch, memory, g->off, segs, n, len);
    g->part = (double *)(void *)(memory + bytes);
    g->part2 = g->part + n;
out:
    return st;
}

static double work(const seg *g, double ns)
{
    return ns * (double)g->off[g->segs] * (double)g->cols;
}

static size_t seg_rows(const seg *g, size_t s)
{
    return (size_t)(g->off[s + 1] - g->off[s]);
}

/* ---- sums and means ---------------------------------------------------------------------------- */
static double factor_of(const seg *g, size_t s)
{
    return g->mean ? 1.0 / (double)seg_rows(g, s) : 1.0;
}

static void sum_tile(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t s = g->ch.seg[i], first = g->ch.first[i];
    const int alone = g->ch.start[s + 1] - g->ch.start[s] == 1;
    double own[COLS];

    (void)worker;
    for (size_t j = 0; j < g->cols; j += COLS) {
        const size_t cols = mmli_min_size(COLS, g->cols - j);
        double *acc = alone ? own : g->part + i * g->pad + j;

        memset(acc, 0, mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD * sizeof *acc);
        g->v->col_acc(acc, g->w ? g->w + first : NULL, g->x + first * g->cols + j, g->ch.rows[i], g->cols, cols);
        if (alone)
            g->v->put_acc(g->y + s * g->cols + j, acc, cols, factor_of(g, s), 0);
    }
}

static void sum_total(const void *ctx, size_t s, int worker)
{
    const seg *g = ctx;
    const size_t from = g->ch.start[s], to = g->ch.start[s + 1];

    (void)worker;
    if (from == to)
        memset(g->y + s * g->cols, 0, g->cols * sizeof *g->y);
    if (to - from < 2)
        return;
    for (size_t i = from + 1; i < to; i++)
        for (size_t j = 0; j < g->cols; j++)
            g->part[from * g->pad + j] += g->part[i * g->pad + j];
    g->v->put_acc(g->y + s * g->cols, g->part + from * g->pad, g->cols, factor_of(g, s), 0);
}

static mml_status segment_sums(mmli_device *dv, seg *g, const mmli_mem *off, size_t segs, size_t cols)
{
    mml_status st = MML_OK;

    g->pad = mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD;
    MML_TRY(prepare(dv, g, off, segs, cols, CHUNK, g->pad));
    mmli_cpu_for(dv, g->ch.n, work(g, 0.2), sum_tile, g);
    mmli_cpu_for(dv, segs, 0.1 * (double)cols * (double)(segs + g->ch.n), sum_total, g);
out:
    return st;
}

mml_status mmli_cpu_segment_sum(mmli_device *dv, mmli_mem *y, const mmli_mem *w, const mmli_mem *x,
                                const mmli_mem *off, size_t segs, size_t cols)
{
    seg g = {.y = mmli_f(y), .w = mmli_cf(w), .x = mmli_cf(x)};

    return segment_sums(dv, &g, off, segs, cols);
}

mml_status mmli_cpu_segment_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                 size_t cols)
{
    seg g = {.y = mmli_f(y), .x = mmli_cf(x), .mean = 1};

    return segment_sums(dv, &g, off, segs, cols);
}

static void sum_grad_tile(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t s = g->ch.seg[i];
    const float *dy = g->dy + s * g->cols;
    const float all = (float)factor_of(g, s);

    (void)worker;
    for (size_t t = g->ch.first[i]; t < g->ch.first[i] + g->ch.rows[i]; t++) {
        if (g->y2)
            g->y2[t] += g->v->dot(g->x + t * g->cols, dy, g->cols);
        if (g->y) {
            const mmli_el e = {.y = g->y + t * g->cols, .a = dy, .s = {g->w ? g->w[t] : all}};

            g->v->axpy(&e, 0, g->cols);
        }
    }
}

mml_status mmli_cpu_segment_sum_grad(mmli_device *dv, mmli_mem *dw, mmli_mem *dx, const mmli_mem *w, const mmli_mem *x,
                                     const mmli_mem *dy, const mmli_mem *off, size_t segs, size_t cols)
{
    seg g = {.y = mmli_f(dx), .y2 = mmli_f(dw), .w = mmli_cf(w), .x = mmli_cf(x), .dy = mmli_cf(dy)};
    mml_status st = MML_OK;

    MML_TRY(prepare(dv, &g, off, segs, cols, CHUNK, 0));
    mmli_cpu_for(dv, g.ch.n, work(&g, 0.3), sum_grad_tile, &g);
out:
    return st;
}

mml_status mmli_cpu_segment_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                      size_t segs, size_t cols)
{
    seg g = {.y = mmli_f(dx), .dy = mmli_cf(dy), .mean = 1};
    mml_status st = MML_OK;

    MML_TRY(prepare(dv, &g, off, segs, cols, CHUNK, 0));
    mmli_cpu_for(dv, g.ch.n, work(&g, 0.2), sum_grad_tile, &g);
out:
    return st;
}

/* ---- softmax over the tokens of a segment ---------------------------------------------------------- */
/* One column (the case that is hot: attention weights of a bag). */
static void soft_max(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;

    (void)worker;
    g->part[i] = (double)g->v->max(g->x + g->ch.first[i], g->ch.rows[i]);
}

static void soft_exp(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t s = g->ch.seg[i], first = g->ch.first[i];
    double most = g->part[g->ch.start[s]];

    (void)worker;
    for (size_t k = g->ch.start[s] + 1; k < g->ch.start[s + 1]; k++)
        if (g->part[k] > most || g->part[k] != g->part[k])
            most = g->part[k];
    g->part2[i] = g->v->exp_sum(g->y + first, g->x + first, g->ch.rows[i], (float)most);
}

static double seg_total(const seg *g, const double *part, size_t s)
{
    double sum = 0;

    for (size_t k = g->ch.start[s]; k < g->ch.start[s + 1]; k++)
        sum += part[k];
    return sum;
}

static void soft_scale(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t first = g->ch.first[i];
    const float factor = (float)(1.0 / seg_total(g, g->part2, g->ch.seg[i]));
    const mmli_el e = {.y = g->y + first, .a = g->y + first, .s = {factor}};

    (void)worker;
    g->v->scale(&e, 0, g->ch.rows[i]);
}

static void soft_dot(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t first = g->ch.first[i];
    double sum = 0;

    (void)worker;
    for (size_t t = 0; t < g->ch.rows[i]; t += DOT)
        sum += (double)g->v->dot(g->x + first + t, g->dy + first + t, mmli_min_size(DOT, g->ch.rows[i] - t));
    g->part[i] = sum;
}

static void soft_grad(const void *ctx, size_t i, int worker)
{
    const seg *g = ctx;
    const size_t first = g->ch.first[i];
    const float dot = (float)seg_total(g, g->part, g->ch.seg[i]);

    (void)worker;
    for (size_t t = first; t < first + g->ch.rows[i]; t++)
        g->y[t] += g->x[t] * (g->dy[t] - dot);
}

/* Several columns: a segment at a time, in float64. */
static void columns_soft(const void *ctx, size_t t, int worker)
{
    const seg *g = ctx;
    const size_t s = t / g->cols, j = t % g->cols, rows = seg_rows(g, s);
    const float *x = g->x + (size_t)g->off[s] * g->cols + j;
    float *y = g->y + (size_t)g->off[s] * g->cols + j;
    float most = rows ? x[0] : 0;
    double sum = 0;
    mmli_el e = {.s = {0}};

    (void)worker;
    for (size_t r = 1; r < rows; r++)
        if (x[r * g->cols] > most || x[r * g->cols] != x[r * g->cols])
            most = x[r * g->cols];
    for (size_t r = 0; r < rows; r++)
        sum += g->v->exp_sum(y + r * g->cols, x + r * g->cols, 1, most);
    for (size_t r = 0; r < rows; r++) {
        e.y = y + r * g->cols;
        e.a = e.y;
        e.s[0] = (float)(1.0 / sum);
        g->v->scale(&e, 0, 1);
    }
}

static void columns_soft_grad(const void *ctx, size_t t, int worker)
{
    const seg *g = ctx;
    const size_t s = t / g->cols, at = (size_t)g->off[s] * g->cols + t % g->cols, rows = seg_rows(g, s);
    double dot = 0;

    (void)worker;
    for (size_t r = 0; r < rows; r++)
        dot += (double)g->x[at + r * g->cols] * (double)g->dy[at + r * g->cols];
    for (size_t r = 0; r < rows; r++)
        g->y[at + r * g->cols] += g->x[at + r * g->cols] * (g->dy[at + r * g->cols] - (float)dot);
}

mml_status mmli_cpu_segment_softmax(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                    size_t cols)
{
    seg g = {.y = mmli_f(y), .x = mmli_cf(x)};
    mml_status st = MML_OK;

    MML_TRY(prepare(dv, &g, off, segs, cols, SOFT, 2));
    if (cols == 1) {
        mmli_cpu_for(dv, g.ch.n, work(&g, 0.1), soft_max, &g);
        mmli_cpu_for(dv, g.ch.n, work(&g, 0.4), soft_exp, &g);
        mmli_cpu_for(dv, g.ch.n, work(&g, 0.1), soft_scale, &g);
    } else {
        mmli_cpu_for(dv, segs * cols, work(&g, 10), columns_soft, &g);
    }
out:
    return st;
}

mml_status mmli_cpu_segment_softmax_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy,
                                         const mmli_mem *off, size_t segs, size_t cols)
{
    seg g = {.y = mmli_f(dx), .x = mmli_cf(y), .dy = mmli_cf(dy)};
    mml_status st = MML_OK;

    MML_TRY(prepare(dv, &g, off, segs, cols, SOFT, 1));
    if (cols == 1) {
        mmli_cpu_for(dv, g.ch.n, work(&g, 0.15), soft_dot, &g);
        mmli_cpu_for(dv, g.ch.n, work(&g, 0.3), soft_grad, &g);
    } else {
        mmli_cpu_for(dv, segs * cols, work(&g, 4), columns_soft_grad, &g);
    }
out:
    return st;
}
