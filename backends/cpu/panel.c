/* panel.c - larger products from the product in cache (vec_gemm.h): one operand is copied into panels of 64 columns, once a
 * call, and blocks of the other meet them in tiles.
 *
 * Which operand is copied follows from the shape. `upright`: panels of op(B), rows of op(A). Otherwise, where C has few rows
 * (a batch of patients), C^T = op(B)^T op(A)^T is computed from panels of op(A)^T: a large weight is then read where it lies, and
 * tiles of C^T are turned round as they are put into C. A long sum is cut into slabs, that the panels stay in cache; what
 * they give is added in their order. All sizes follow from m, n, k. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    PANEL = 64,      /* columns */
    DEPTH = 256,     /* terms of the sum that a block takes at once: 64 KiB of a panel */
    SLAB = 1 << 20,  /* floats in panels at a time */
    SIDE = 16,       /* no side of a product is shorter: a vector */
    ROWS = 96,       /* rows of a tile, at most */
    ROWS_LEAST = 24, /* two blocks of registers */
    TASKS = 32,      /* tiles wanted */
};
static const double least_flop = 5e5; /* of a tile; about 5 microseconds */
static const double flop_per_ns = 100, floats_per_ns = 2;

typedef struct job {
    const mmli_panel *p;
    const mmli_device *dv;
    bool upright, turned; /* turned: the copied operand has a row for each column of the panels */
    const float *wide, *slim; /* copied; read where it lies */
    size_t width, ld_wide;    /* columns in panels */
    size_t height, row, step; /* slim: rows, floats between rows and between terms */
    size_t panels, first, depth; /* the slab: terms first .. first+depth-1 */
    size_t rows, span;           /* of a tile: rows, panels */
    size_t row_tiles, span_tiles;
    float *pack; /* (panels, depth, PANEL) */
} job;

/* Copies DEPTH terms of a panel. */
static void run_copy(const void *ctx, size_t t, int worker)
{
    const job *w = ctx;
    const mmli_vec *v = mmli_cpu_of(w->dv)->vec;
    const size_t j = t % w->panels * PANEL, l = t / w->panels * DEPTH;
    const size_t cols = mmli_min_size(PANEL, w->width - j), depth = mmli_min_size(DEPTH, w->depth - l);
    float *to = w->pack + (j / PANEL * w->depth + l) * PANEL;

    (void)worker;
    if (w->turned) {
        v->transpose(to, PANEL, mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD, w->wide + j * w->ld_wide + w->first + l,
                     w->ld_wide, cols, depth, 1.0f, 0);
        return;
    }
    for (size_t r = 0; r < depth; r++)
        memcpy(to + r * PANEL, w->wide + (w->first + l + r) * w->ld_wide + j, cols * sizeof *to);
}

/* ---- tiles ----------------------------------------------------------------------------------------------------------- */

/* Rows i .. i+rows-1 of slim with columns j .. j+cols-1 of a panel, terms l .. of the slab. */
static mmli_mm block(const job *w, size_t i, size_t rows, size_t j, size_t l)
{
    return (mmli_mm){.m = rows, .n = mmli_min_size(PANEL, w->width - j), .k = mmli_min_size(DEPTH, w->depth - l),
                     .a = w->slim + i * w->row + (w->first + l) * w->step, .a_row = w->row, .a_k = w->step,
                     .b = w->pack + (j / PANEL * w->depth + l) * PANEL, .ldb = PANEL, .alpha = 1};
}

static void upright_tile(const job *w, size_t i, size_t rows, size_t from, size_t to)
{
    const mmli_vec *v = mmli_cpu_of(w->dv)->vec;
    const mmli_panel *p = w->p;
    const bool scaled = w->first == 0 && p->beta != 0 && p->beta != 1;

    for (size_t r = 0; scaled && r < rows; r++) {
        float *c = p->c + (i + r) * p->ldc;
        const mmli_el e = {.y = c, .a = c, .s = {p->beta}};

        v->scale(&e, from, to);
    }
    for (size_t l = 0; l < w->depth; l += DEPTH)
        for (size_t j = from; j < to; j += PANEL) {
            const bool begins = w->first + l == 0;
            mmli_mm m = block(w, i, rows, j, l);

            m.alpha = p->alpha;
            m.c = p->c + i * p->ldc + j;
            m.ldc = p->ldc;
            m.bias = begins && p->bias ? p->bias + j : NULL;
            m.add = !begins || p->beta != 0;
            v->mm(&m);
        }
}

/* C[row, i .. i+n-1] = beta C (or the bias) + values */
static void put_row(const job *w, size_t row, size_t i, const float *values, size_t n)
{
    const mmli_vec *v = mmli_cpu_of(w->dv)->vec;
    const mmli_panel *p = w->p;
    const float beta = w->first > 0 ? 1.0f : p->beta;
    float *c = p->c + row * p->ldc + i;
    const bool bias = w->first == 0 && p->bias;
    const mmli_el scaled = {.y = c, .a = c, .s = {beta}}, sum = {.y = c, .a = bias ? p->bias + i : c, .b = values};

    if (!bias && beta == 0) {
        memcpy(c, values, n * sizeof *c);
        return;
    }
    if (!bias && beta != 1)
        v->scale(&scaled, 0, n);
    v->add(&sum, 0, n);
}

static void turned_tile(const job *w, size_t i, size_t rows, size_t from, size_t to, float *own)
{
    const mmli_vec *v = mmli_cpu_of(w->dv)->vec;
    float *flat = own + ROWS * PANEL; /* (PANEL, ROWS) */

    for (size_t j = from; j < to; j += PANEL) {
        const size_t cols = mmli_min_size(PANEL, w->width - j);

        for (size_t l = 0; l < w->depth; l += DEPTH) {
            mmli_mm m = block(w, i, rows, j, l);

            m.c = own;
            m.ldc = PANEL;
            m.add = l > 0;
            v->mm(&m);
        }
        v->transpose(flat, ROWS, mmli_ceil_div(rows, MMLI_PAD) * MMLI_PAD, own, PANEL, rows, cols, w->p->alpha, 0);
        for (size_t c = 0; c < cols; c++)
            put_row(w, j + c, i, flat + c * ROWS, rows);
    }
}

static void run_tile(const void *ctx, size_t t, int worker)
{
    const job *w = ctx;
    const size_t i = t % w->row_tiles * w->rows, from = t / w->row_tiles * w->span * PANEL;
    const size_t rows = mmli_min_size(w->rows, w->height - i), to = mmli_min_size(from + w->span * PANEL, w->width);

    if (w->upright)
        upright_tile(w, i, rows, from, to);
    else
        turned_tile(w, i, rows, from, to, mmli_cpu_own(w->dv, worker));
}

/* ---- shapes ---------------------------------------------------------------------------------------------------------- */

static double tile_flop(const job *w)
{
    return 2.0 * (double)w->rows * PANEL * (double)w->span * (double)w->depth;
}

static size_t count_tiles(job *w)
{
    w->row_tiles = mmli_ceil_div(w->height, w->rows);
    w->span_tiles = mmli_ceil_div(w->panels, w->span);
    return w->row_tiles * w->span_tiles;
}

/* Long tiles use a block of rows for several panels; more tiles than threads even out. */
static size_t choose_tiles(job *w)
{
    w->rows = ROWS;
    w->span = w->panels;
    while (w->span > 1 && count_tiles(w) < TASKS && tile_flop(w) > 2 * least_flop)
        w->span = mmli_ceil_div(w->span, 2);
    while (w->rows > ROWS_LEAST && count_tiles(w) < TASKS && tile_flop(w) > 2 * least_flop)
        w->rows /= 2;
    return count_tiles(w);
}

/* Floats moved to copy, and, where C is turned round, to put tiles into it. */
static bool is_upright(const mmli_panel *p)
{
    const double m = (double)p->m, n = (double)p->n, k = (double)p->k;

    return n * k * (p->tb ? 2 : 1) <= m * k * (p->ta ? 1 : 2) + 3 * m * n;
}

static void set_up(job *w)
{
    const mmli_panel *p = w->p;

    w->upright = is_upright(p);
    if (w->upright) {
        w->wide = p->b, w->width = p->n, w->ld_wide = p->ldb, w->turned = p->tb;
        w->slim = p->a, w->height = p->m, w->row = p->ta ? 1 : p->lda, w->step = p->ta ? p->lda : 1;
    } else {
        w->wide = p->a, w->width = p->m, w->ld_wide = p->lda, w->turned = !p->ta;
        w->slim = p->b, w->height = p->n, w->row = p->tb ? p->ldb : 1, w->step = p->tb ? 1 : p->ldb;
    }
    w->panels = mmli_ceil_div(w->width, PANEL);
}

/* A handful of rows is the work of thin.c. A long sum with op(A) = A^T (the gradient of a weight from many rows) finds its terms
 * far apart in both operands: BLAS, which copies both, is faster. So it is where our vectors are narrow. */
bool mmli_cpu_panel_better(const mmli_device *dv, bool ta, size_t m, size_t n, size_t k)
{
    return mmli_cpu_of(dv)->vec != &mmli_vec_base && mmli_min_size(m, n) >= SIDE && k >= SIDE && (!ta || k <= DEPTH) &&
           2.0 * (double)m * (double)n * (double)k >= 2 * least_flop;
}

mml_status mmli_cpu_panel_multiply(mmli_device *dv, const mmli_panel *p)
{
    mml_status st = MML_OK;
    job w = {.p = p, .dv = dv};
    size_t width, slab;

    set_up(&w);
    width = w.panels * PANEL;
    slab = mmli_min_size(mmli_max_size(1, SLAB / width / DEPTH) * DEPTH, p->k);
    MML_TRY(mmli_cpu_shared(dv, &w.pack, width, slab * sizeof *w.pack));
    if (!w.upright)
        MML_TRY(mmli_cpu_own_reserve(dv, 2 * ROWS * PANEL * sizeof *w.pack));
    for (w.first = 0; w.first < p->k; w.first += slab) {
        size_t tiles;
        double floats;

        w.depth = mmli_min_size(slab, p->k - w.first);
        floats = (double)width * (double)w.depth;
        tiles = choose_tiles(&w);
        mmli_cpu_for(dv, w.panels * mmli_ceil_div(w.depth, DEPTH), floats / floats_per_ns, run_copy, &w);
        mmli_cpu_for(dv, tiles, 2.0 * (double)w.height * floats / flop_per_ns, run_tile, &w);
    }
out:
    return st;
}
