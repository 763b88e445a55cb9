/* rows.c - rows of matrices, and groups of equally many rows. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    COLS = 512,   /* columns of a tile of col_sum_grad: sums of 4 KiB stay in the first-level cache */
    ROWS = 256,   /* rows of a tile, at least */
    PARTS = 64,   /* tiles along the rows, at most */
    MOVE = 16384, /* elements of a tile that copies or adds */
};

/* ---- column sums ------------------------------------------------------------------------------ */
typedef struct col_sum {
    const mmli_vec *v;
    float *y;
    const float *x;
    double *part; /* (row tiles, padded columns) */
    size_t rows, cols, tile, tiles, blocks, pad;
} col_sum;

static void col_sum_tile(const void *ctx, size_t t, int worker)
{
    const col_sum *c = ctx;
    const size_t r = t / c->blocks * c->tile, j = t % c->blocks * COLS;
    double *acc = c->part + t / c->blocks * c->pad + j;
    const size_t cols = mmli_min_size(COLS, c->cols - j);

    (void)worker;
    memset(acc, 0, mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD * sizeof *acc);
    if (c->cols == 1)
        acc[0] = c->v->sum(c->x + r, mmli_min_size(c->tile, c->rows - r));
    else
        c->v->col_acc(acc, NULL, c->x + r * c->cols + j, mmli_min_size(c->tile, c->rows - r), c->cols, cols);
}

static void col_sum_total(const void *ctx, size_t t, int worker)
{
    const col_sum *c = ctx;
    const size_t j = t * COLS, cols = mmli_min_size(COLS, c->cols - j);

    (void)worker;
    for (size_t p = 1; p < c->tiles; p++)
        for (size_t i = j; i < j + cols; i++)
            c->part[i] += c->part[p * c->pad + i];
    c->v->put_acc(c->y + j, c->part + j, cols, 1.0, 1);
}

mml_status mmli_cpu_col_sum_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t rows, size_t cols)
{
    col_sum c = {.v = mmli_cpu_of(dv)->vec, .y = mmli_f(y), .x = mmli_cf(x), .rows = rows, .cols = cols};
    mml_status st = MML_OK;

    if (rows == 0 || cols == 0)
        goto out;
    c.tile = mmli_max_size(ROWS, mmli_ceil_div(rows, PARTS));
    if (cols == 1)
        c.tile = mmli_max_size(MOVE, mmli_ceil_div(rows, PARTS));
    c.tiles = mmli_ceil_div(rows, c.tile);
    c.blocks = mmli_ceil_div(cols, COLS);
    c.pad = mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD;
    MML_TRY(mmli_cpu_shared(dv, &c.part, c.tiles * c.pad, sizeof *c.part));
    mmli_cpu_for(dv, c.tiles * c.blocks, 0.15 * (double)rows * (double)cols, col_sum_tile, &c);
    mmli_cpu_for(dv, c.blocks, 0.2 * (double)c.tiles * (double)cols, col_sum_total, &c);
out:
    return st;
}

/* ---- moving and adding rows --------------------------------------------------------------------- */
typedef struct move {
    const mmli_vec *v;
    float *y;
    const float *x, *w;
    const int32_t *idx;
    size_t n, len, cols, tile; /* n units of work of `cols` elements, `tile` units a tile */
} move;

static move move_of(const mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, size_t len, size_t cols)
{
    const size_t unit = mmli_max_size(1, len) * mmli_max_size(1, cols);

    return (move){.v = mmli_cpu_of(dv)->vec,
                  .y = mmli_f(y),
                  .x = mmli_cf(x),
                  .n = n,
                  .len = len,
                  .cols = cols,
                  .tile = mmli_max_size(1, MOVE / unit)};
}

static mml_status run(mmli_device *dv, const move *m, double ns, mmli_cpu_tile fn)
{
    if (m->n > 0 && m->cols > 0)
        mmli_cpu_for(dv, mmli_ceil_div(m->n, m->tile), ns * (double)m->n * (double)m->len * (double)m->cols, fn, m);
    return MML_OK;
}

/* y[0 .. n) += alpha x */
static void add_scaled(const mmli_vec *v, float *y, const float *x, size_t n, float alpha)
{
    const mmli_el e = {.y = y, .a = x, .s = {alpha}};

    v->axpy(&e, 0, n);
}

#define UNITS(m, t, u) for (size_t u = (t) * (m)->tile; u < mmli_min_size(((t) + 1) * (m)->tile, (m)->n); u++)

static void axpy_rows_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, r)
        if (m->w[r] != 0) /* an absent row may hold NaN, and 0 * NaN = NaN */
            add_scaled(m->v, m->y + r * m->cols, m->x + r * m->cols, m->cols, m->w[r]);
}

mml_status mmli_cpu_axpy_rows(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, size_t rows,
                              size_t cols)
{
    move m = move_of(dv, y, x, rows, 1, cols);

    m.w = mmli_cf(w);
    return run(dv, &m, 0.2, axpy_rows_tile);
}

static void repeat_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, g)
        memcpy(m->y + g * m->cols, m->x, m->cols * sizeof *m->y);
}

mml_status mmli_cpu_repeat(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t n)
{
    const move m = move_of(dv, y, x, groups, 1, n);

    return run(dv, &m, 0.1, repeat_tile);
}

static void spread_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, g)
        for (size_t r = 0; r < m->len; r++)
            memcpy(m->y + (g * m->len + r) * m->cols, m->x + g * m->cols, m->cols * sizeof *m->y);
}

mml_status mmli_cpu_spread(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len, size_t cols)
{
    const move m = move_of(dv, y, x, groups, len, cols);

    return run(dv, &m, 0.1, spread_tile);
}

/* Sum (or mean, added or not) of the rows of a group, by blocks of columns. */
static void group_reduce(const move *m, size_t g, double factor, int add)
{
    double acc[COLS];

    for (size_t j = 0; j < m->cols; j += COLS) {
        const size_t cols = mmli_min_size(COLS, m->cols - j);

        memset(acc, 0, sizeof acc);
        m->v->col_acc(acc, NULL, m->x + g * m->len * m->cols + j, m->len, m->cols, cols);
        m->v->put_acc(m->y + g * m->cols + j, acc, cols, factor, add);
    }
}

static void spread_grad_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, g)
        group_reduce(m, g, 1.0, 1);
}

mml_status mmli_cpu_spread_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len,
                                size_t cols)
{
    const move m = move_of(dv, dx, dy, groups, len, cols);

    return run(dv, &m, 0.15, spread_grad_tile);
}

static void group_mean_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, g)
        group_reduce(m, g, 1.0 / (double)m->len, 0);
}

mml_status mmli_cpu_group_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len, size_t cols)
{
    const move m = move_of(dv, y, x, groups, len, cols);

    return run(dv, &m, 0.15, group_mean_tile);
}

static void group_mean_grad_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, g)
        for (size_t r = 0; r < m->len; r++)
            add_scaled(m->v, m->y + (g * m->len + r) * m->cols, m->x + g * m->cols, m->cols,
                       (float)(1.0 / (double)m->len));
}

mml_status mmli_cpu_group_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len,
                                    size_t cols)
{
    const move m = move_of(dv, dx, dy, groups, len, cols);

    return run(dv, &m, 0.2, group_mean_grad_tile);
}

/* ---- gather and scatter ------------------------------------------------------------------------------ */
static mml_status run_idx(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n, size_t block,
                          mmli_cpu_tile fn)
{
    move m = move_of(dv, y, x, n, 1, block);

    m.idx = (const int32_t *)(const void *)idx;
    return run(dv, &m, 0.2, fn);
}

static void gather_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, j)
        memcpy(m->y + j * m->cols, m->x + (size_t)m->idx[j] * m->cols, m->cols * sizeof *m->y);
}

mml_status mmli_cpu_gather(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                           size_t block)
{
    return run_idx(dv, y, x, idx, n, block, gather_tile);
}

static void gather_grad_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, j)
        add_scaled(m->v, m->y + j * m->cols, m->x + (size_t)m->idx[j] * m->cols, m->cols, 1.0f);
}

mml_status mmli_cpu_gather_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                                size_t block)
{
    return run_idx(dv, y, x, idx, n, block, gather_grad_tile);
}

static void scatter_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, j)
        memcpy(m->y + (size_t)m->idx[j] * m->cols, m->x + j * m->cols, m->cols * sizeof *m->y);
}

mml_status mmli_cpu_scatter(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                            size_t block)
{
    return run_idx(dv, y, x, idx, n, block, scatter_tile);
}

static void scatter_grad_tile(const void *ctx, size_t t, int worker)
{
    const move *m = ctx;

    (void)worker;
    UNITS (m, t, j)
        add_scaled(m->v, m->y + (size_t)m->idx[j] * m->cols, m->x + j * m->cols, m->cols, 1.0f);
}

mml_status mmli_cpu_scatter_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n,
                                 size_t block)
{
    return run_idx(dv, y, x, idx, n, block, scatter_grad_tile);
}
