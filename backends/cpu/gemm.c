/* gemm.c - matrix products: tiles of C around single-threaded BLAS calls, and for a long sum (weight
 * gradients: k = rows of the batch, few rows and columns) slices of k whose partial results are summed
 * in order. Most products are faster from panels (panel.c). Tile sizes follow from m, n, k alone. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    TASKS = 32,    /* tiles of a large product, about, at most */
    GRAIN = 32,    /* tile sides are multiples of this */
    SIDE = 64,     /* no side is cut below this */
    K_WORTH = 4,   /* a cut of k costs a pass over C more: k is cut when it is this much longer */
    K_LEAST = 256, /* a slice of k is no shorter */
    COLS = 512,    /* columns of C reduced at a time */
    THIN = 8,      /* rows or columns up to which thin.c is faster than BLAS */
};
static const double task_flop = 8e6; /* about 50 microseconds: a task is worth handing to a thread */
static const double flop_per_ns = 150;

typedef struct product {
    const mmli_device *dv;
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc, stride_a, stride_b, stride_c, batch;
    float alpha, beta;
    const float *a, *b, *bias;
    float *c, *part; /* part (slices, m, n) */
    size_t tm, tn, tk, rows, cols, slices; /* tile sizes; tiles along m, n, k */
    size_t each;                           /* batch items in a task */
} product;

static double flop(const product *p)
{
    return 2.0 * (double)p->m * (double)p->n * (double)p->k;
}

static size_t halve(size_t side)
{
    return mmli_ceil_div(side, 2 * GRAIN) * GRAIN;
}

static size_t count_tasks(product *p)
{
    p->rows = mmli_ceil_div(p->m, p->tm);
    p->cols = mmli_ceil_div(p->n, p->tn);
    p->slices = mmli_ceil_div(p->k, p->tk);
    return p->rows * p->cols * p->slices;
}

/* BLAS packs a panel of A for each column of tiles, one of B for each row of tiles: large, square tiles
 * are fast, and more tasks than threads even out. So the longest side is halved until there are enough. */
static void choose_tiles(product *p)
{
    const double want = flop(p) / task_flop;

    p->tm = p->m;
    p->tn = p->n;
    p->tk = p->k;
    while (count_tasks(p) < TASKS && (double)count_tasks(p) < want && p->batch == 1) {
        const size_t k = p->tk / 2 >= K_LEAST ? p->tk / K_WORTH : 0;
        const size_t m = p->tm > SIDE ? p->tm : 0, n = p->tn > SIDE ? p->tn : 0;

        if (k == 0 && m == 0 && n == 0)
            break;
        if (k > m && k > n)
            p->tk = halve(p->tk);
        else if (m >= n)
            p->tm = halve(p->tm);
        else
            p->tn = halve(p->tn);
    }
    p->each = (size_t)(1 + 0.1 * task_flop / (1 + flop(p)));
}

static void tile(const product *p, size_t item, size_t t)
{
    const size_t i = t / p->cols % p->rows * p->tm, j = t % p->cols * p->tn, s = t / p->cols / p->rows;
    const size_t m = mmli_min_size(p->tm, p->m - i), n = mmli_min_size(p->tn, p->n - j), l = s * p->tk;
    const float *a = p->a + item * p->stride_a + (p->ta ? l * p->lda + i : i * p->lda + l);
    const float *b = p->b + item * p->stride_b + (p->tb ? j * p->ldb + l : l * p->ldb + j);
    float *c = p->slices > 1 ? p->part + (s * p->m + i) * p->n + j : p->c + item * p->stride_c + i * p->ldc + j;
    const size_t ldc = p->slices > 1 ? p->n : p->ldc;
    float beta = p->slices > 1 ? 0 : p->beta;

    if (p->bias && p->slices == 1) { /* BLAS adds to what is there: the bias costs no pass of its own */
        for (size_t r = 0; r < m; r++)
            memcpy(c + r * ldc, p->bias + j, n * sizeof *c);
        beta = 1;
    }
    mmli_cpu_sgemm(p->ta, p->tb, m, n, mmli_min_size(p->tk, p->k - l), p->alpha, a, p->lda, b, p->ldb, beta, c, ldc);
}

static void run_tile(const void *ctx, size_t t, int worker)
{
    const product *p = ctx;

    (void)worker;
    tile(p, 0, t);
}

static void run_batch(const void *ctx, size_t t, int worker)
{
    const product *p = ctx;
    const size_t first = t * p->each;

    (void)worker;
    for (size_t i = first; i < mmli_min_size(first + p->each, p->batch); i++)
        tile(p, i, 0);
}

/* C = beta C (or the bias) + the slices, in order, in float64; one row */
static void run_reduce(const void *ctx, size_t i, int worker)
{
    const product *p = ctx;
    const mmli_vec *v = mmli_cpu_of(p->dv)->vec;
    float *c = p->c + i * p->ldc;
    const mmli_el scaled = {.y = c, .a = c, .s = {p->beta}};
    double acc[COLS];

    (void)worker;
    if (p->bias)
        memcpy(c, p->bias, p->n * sizeof *c);
    else if (p->beta != 0 && p->beta != 1)
        v->scale(&scaled, 0, p->n);
    for (size_t j = 0; j < p->n; j += COLS) {
        const size_t n = mmli_min_size(COLS, p->n - j);

        memset(acc, 0, mmli_ceil_div(n, MMLI_PAD) * MMLI_PAD * sizeof *acc);
        v->col_acc(acc, NULL, p->part + i * p->n + j, p->slices, p->m * p->n, n);
        v->put_acc(c + j, acc, n, 1.0, p->bias || p->beta != 0);
    }
}

/* No terms: C = beta C (or the bias). BLAS would call leading dimensions of 0 an error. */
static void without_terms(const product *p)
{
    for (size_t g = 0; g < p->batch; g++)
        for (size_t i = 0; i < p->m; i++)
            for (size_t j = 0; j < p->n; j++) {
                float *c = p->c + g * p->stride_c + i * p->ldc + j;

                *c = p->bias ? p->bias[j] : p->beta == 0 ? 0 : p->beta * *c;
            }
}

/* Few rows or few columns, both operands with contiguous rows: thin.c. */
static void thin(mmli_device *dv, const product *p)
{
    mmli_thin t = {.k = p->k, .alpha = p->alpha, .beta = p->beta, .bias = p->bias, .c = p->c};

    if (p->m <= p->n) {
        t.few = p->a, t.n_few = p->m, t.ld_few = p->lda, t.step_few = p->ldc;
        t.many = p->b, t.n_many = p->n, t.ld_many = p->ldb, t.step_many = 1;
    } else {
        t.few = p->b, t.n_few = p->n, t.ld_few = p->ldb, t.step_few = 1;
        t.many = p->a, t.n_many = p->m, t.ld_many = p->lda, t.step_many = p->ldc;
        t.bias_of_few = true;
    }
    mmli_cpu_thin(dv, &t);
}

static mmli_panel panel_of(const product *p)
{
    return (mmli_panel){.ta = p->ta, .tb = p->tb, .m = p->m, .n = p->n, .k = p->k, .lda = p->lda, .ldb = p->ldb,
                          .ldc = p->ldc, .alpha = p->alpha, .beta = p->beta, .a = p->a, .b = p->b, .bias = p->bias, .c = p->c};
}

static mml_status run_each(mmli_device *dv, const product *p);

static mml_status run(mmli_device *dv, product *p)
{
    mml_status st = MML_OK;
    const mmli_panel q = panel_of(p);

    p->dv = dv;
    if (p->m == 0 || p->n == 0 || p->batch == 0)
        goto out;
    if (p->k == 0) {
        without_terms(p);
        goto out;
    }
    if (p->batch == 1 && !p->ta && p->tb && mmli_min_size(p->m, p->n) <= THIN) {
        thin(dv, p);
        goto out;
    }
    if (p->batch > 1 && flop(p) > 4 * task_flop)
        return run_each(dv, p);
    if (p->batch == 1 && mmli_cpu_dots_better(dv, &q)) {
        mmli_cpu_dots_multiply(dv, &q);
        goto out;
    }
    if (p->batch == 1 && mmli_cpu_panel_better(dv, p->ta, p->m, p->n, p->k))
        return mmli_cpu_panel_multiply(dv, &q);
    MML_TRY(mmli_cpu_blas_fits(p->m, p->n, p->k, mmli_max_size(p->lda, mmli_max_size(p->ldb, p->ldc))));
    choose_tiles(p);
    if (p->batch > 1) {
        mmli_cpu_for(dv, mmli_ceil_div(p->batch, p->each), (double)p->batch * (500 + flop(p) / flop_per_ns), run_batch,
                     p);
        goto out;
    }
    if (p->slices > 1)
        MML_TRY(mmli_cpu_shared(dv, &p->part, p->slices * p->m, p->n * sizeof *p->part));
    mmli_cpu_for(dv, p->rows * p->cols * p->slices, 500 + flop(p) / flop_per_ns, run_tile, p);
    if (p->slices > 1)
        mmli_cpu_for(dv, p->m, 0.15 * (double)(p->slices + 2) * (double)p->m * (double)p->n, run_reduce, p);
out:
    return st;
}

/* A batch of large products: each is cut by itself. */
static mml_status run_each(mmli_device *dv, const product *p)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < p->batch; i++) {
        product one = *p;

        one.batch = 1;
        one.a += i * p->stride_a;
        one.b += i * p->stride_b;
        one.c += i * p->stride_c;
        MML_TRY(run(dv, &one));
    }
out:
    return st;
}

mml_status mmli_cpu_gemm(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                         const mmli_mem *a, size_t lda, const mmli_mem *b, size_t ldb, float beta, mmli_mem *c,
                         size_t ldc)
{
    product p = {.ta = ta, .tb = tb, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc, .batch = 1,
                 .alpha = alpha, .beta = beta, .a = mmli_cf(a), .b = mmli_cf(b), .c = mmli_f(c)};

    return run(dv, &p);
}

mml_status mmli_cpu_gemm_batched(mmli_device *dv, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                                 const mmli_mem *a, size_t lda, size_t stride_a, const mmli_mem *b, size_t ldb,
                                 size_t stride_b, float beta, mmli_mem *c, size_t ldc, size_t stride_c, size_t batch)
{
    product p = {.ta = ta, .tb = tb, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc,
                 .stride_a = stride_a, .stride_b = stride_b, .stride_c = stride_c, .batch = batch,
                 .alpha = alpha, .beta = beta, .a = mmli_cf(a), .b = mmli_cf(b), .c = mmli_f(c)};

    return run(dv, &p);
}

mml_status mmli_cpu_linear(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, const mmli_mem *b,
                           size_t rows, size_t in, size_t out)
{
    product p = {.tb = true, .m = rows, .n = out, .k = in, .lda = in, .ldb = in, .ldc = out, .batch = 1, .alpha = 1,
                 .a = mmli_cf(x), .b = mmli_cf(w), .bias = mmli_cf(b), .c = mmli_f(y)};

    return run(dv, &p);
}
