/* gemm.c - matrix products: tiles of C around single-threaded BLAS calls, and for a long sum (weight
 * gradients: k = rows of the batch, few rows and columns) slices of k whose partial results are summed
 * in order. Tile sizes follow from m, n, k alone. */
#include <string.h>

#include "backends/cpu/cpu.h"

enum {
    SIDE = 128,  /* a tile is cut no smaller than this, so that packing its panels stays cheap */
    GRAIN = 32,  /* tile sides are multiples of this */
    TASKS = 16,  /* tiles wanted of a large product */
    SLICE = 1024 /* least length of a slice of k: the partial result costs as much as 100 steps of k */
};
static const double tile_flop = 6e6; /* about 40 microseconds */
static const double flop_per_ns = 100;

typedef struct product {
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc, stride_a, stride_b, stride_c, batch;
    float alpha, beta;
    const float *a, *b, *bias;
    float *c, *part; /* part (slices, m, n) */
    size_t tm, tn, tk, rows, cols, slices; /* tile sizes; tiles along m, n, k */
    size_t each;                           /* batch items in a task */
} product;

static size_t halve(size_t side)
{
    return mmli_ceil_div(side, 2 * GRAIN) * GRAIN;
}

static double flop(const product *p)
{
    return 2.0 * (double)p->m * (double)p->n * (double)p->k;
}

static void choose_tiles(product *p)
{
    p->tm = p->m;
    p->tn = p->n;
    p->tk = p->k;
    while (2.0 * (double)p->tm * (double)p->tn * (double)p->k > tile_flop) {
        if (p->tm >= p->tn && p->tm > SIDE)
            p->tm = halve(p->tm);
        else if (p->tn > SIDE)
            p->tn = halve(p->tn);
        else if (p->tm > SIDE)
            p->tm = halve(p->tm);
        else
            break;
    }
    p->rows = mmli_ceil_div(p->m, p->tm);
    p->cols = mmli_ceil_div(p->n, p->tn);
    p->slices = 1;
    if (p->batch == 1 && !p->bias && p->rows * p->cols < TASKS / 2 && flop(p) > 2 * tile_flop && p->k >= 2 * SLICE) {
        p->slices = mmli_min_size(p->k / SLICE, TASKS / (p->rows * p->cols));
        p->tk = mmli_ceil_div(p->k, p->slices);
        p->slices = mmli_ceil_div(p->k, p->tk);
    }
    p->each = p->rows * p->cols > 1 ? 1 : (size_t)(1 + 0.2 * tile_flop / (1 + flop(p)));
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

    if (p->bias) { /* BLAS adds to what is there: the bias costs no pass of its own */
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
    const size_t tiles = p->rows * p->cols, first = t / tiles * p->each;

    (void)worker;
    for (size_t i = first; i < mmli_min_size(first + p->each, p->batch); i++)
        tile(p, i, t % tiles);
}

/* C = beta C + the slices, in order; one row */
static void run_reduce(const void *ctx, size_t i, int worker)
{
    const product *p = ctx;
    float *c = p->c + i * p->ldc;

    (void)worker;
    for (size_t j = 0; j < p->n; j++) {
        double sum = p->beta == 0 ? 0 : (double)p->beta * (double)c[j];

        for (size_t s = 0; s < p->slices; s++)
            sum += (double)p->part[(s * p->m + i) * p->n + j];
        c[j] = (float)sum;
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

static mml_status run(mmli_device *dv, product *p)
{
    mml_status st = MML_OK;

    if (p->m == 0 || p->n == 0 || p->batch == 0)
        goto out;
    if (p->k == 0) {
        without_terms(p);
        goto out;
    }
    MML_TRY(mmli_cpu_blas_fits(p->m, p->n, p->k,
                               mmli_max_size(p->lda, mmli_max_size(p->ldb, p->ldc))));
    choose_tiles(p);
    if (p->batch > 1) {
        mmli_cpu_for(dv, mmli_ceil_div(p->batch, p->each) * p->rows * p->cols,
                     (double)p->batch * (500 + flop(p) / flop_per_ns), run_batch, p);
        goto out;
    }
    if (p->slices > 1)
        MML_TRY(mmli_cpu_shared(dv, &p->part, p->slices * p->m, p->n * sizeof *p->part));
    mmli_cpu_for(dv, p->rows * p->cols * p->slices, 500 + flop(p) / flop_per_ns, run_tile, p);
    if (p->slices > 1)
        mmli_cpu_for(dv, p->m, 0.5 * (double)p->slices * (double)p->m * (double)p->n, run_reduce, p);
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
