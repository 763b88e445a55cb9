/* cases_large.c - shapes large enough to be cut into many tiles, several times over: products along each
 * of their sides, long bags, long columns. Sizes are a little over what a power of two would divide. */
#include <math.h>

#include "tests/ops/case.h"

/* m, n, k; the longest side is each of the three once, then few rows or columns beside large sides, then sums longer than what
 * the cpu backend copies at once, and a small bag by its encoder */
static const size_t products[][3] = {{301, 262, 260}, {40, 33, 9001}, {3001, 70, 65},  {70, 3001, 65}, {3, 701, 2100},
                                     {701, 5, 2100},  {1, 3001, 130}, {17, 30, 17001}, {30, 17, 17001}, {101, 515, 1030}};
enum { PRODUCTS = COUNT(products) };

/* Sums of k products of random signs, of which the largest is about 3 sqrt(k). In float32, one after the other, as a GPU may add
 * them, roundings of the partial sums have a standard deviation of 2^-24 k / sqrt(6): five of them over the largest. */
static mmlt_tol tol_of_terms(size_t k)
{
    const double norm = 5 * 0x1p-24 * sqrt((double)k / 6) / 3;

    return (mmlt_tol){MMLT_TOL_SUM.rel, fmax(MMLT_TOL_SUM.norm, norm)};
}

/* Transposes from the second digit of i; beta in turn 0 and 1. */
static void gemm(run *r, size_t i)
{
    const size_t m = products[i % PRODUCTS][0], n = products[i % PRODUCTS][1], k = products[i % PRODUCTS][2];
    const size_t lda = i / PRODUCTS & 1 ? m : k, ldb = i / PRODUCTS & 2 ? k : n;
    mmli_mem *c = (i % 2 ? new_floats : sum_floats)(r, "c", m * n, tol_of_terms(k));

    CALL(r, gemm, i / PRODUCTS & 1, i / PRODUCTS & 2, m, n, k, 1.0f, in_random(r, m * k), lda, in_random(r, k * n), ldb,
         i % 2 ? 0.0f : 1.0f, c, n);
}

static void gemm_batched(run *r, size_t i)
{
    enum { BATCH = 9, M = 131, N = 67, K = 120 };
    mmli_mem *a = in_random(r, BATCH * M * K), *b = in_random(r, K * N);

    CALL(r, gemm_batched, i & 1, i & 2, M, N, K, 0.5f, a, i & 1 ? M : K, M * K, b, i & 2 ? K : N, 0, 0.0f,
         new_floats(r, "c", BATCH * M * N, MMLT_TOL_SUM), N, M * N, BATCH);
}

/* As x w^T: rows, out and in of the same list. */
static void linear(run *r, size_t i)
{
    const size_t rows = products[i][0], out = products[i][1], in = products[i][2];

    CALL(r, linear, new_floats(r, "y", rows * out, tol_of_terms(in)), in_random(r, rows * in), in_random(r, out * in),
         in_random(r, out), rows, in, out);
}

/* c, H, e, place of the queries, lengths of the segments */
static const struct {
    size_t c, H, e;
    mmli_query mode;
    size_t segs, len[3];
} bags[] = {
    {3, 2, 4, MMLI_QUERY_SHARED, 1, {5003}},          {70, 1, 8, MMLI_QUERY_SHARED, 3, {4033, 0, 2500}},
    {65, 1, 8, MMLI_QUERY_FIXED, 3, {7, 4033, 1}},    {300, 1, 4, MMLI_QUERY_SHARED, 2, {2100, 5}},
    {300, 1, 4, MMLI_QUERY_FIXED, 1, {2100}},         {0, 2, 4, MMLI_QUERY_RAGGED, 2, {701, 90}},
    {2, 2, 4, MMLI_QUERY_SHARED, 2, {130001, 300}},
};
enum { BAGS = COUNT(bags) };

static void attention(run *r, size_t i)
{
    const size_t c = bags[i].c, H = bags[i].H, e = bags[i].e, segs = bags[i].segs, width = H * e;
    const mmli_query mode = bags[i].mode;
    size_t tokens;
    mmli_mem *off = in_offsets(r, bags[i].len, segs, &tokens);
    const size_t o_rows = mode == MMLI_QUERY_RAGGED ? tokens : segs * c;
    const size_t q_rows = mode == MMLI_QUERY_SHARED ? c : o_rows;
    mmli_mem *q = in_random(r, q_rows * width), *k = in_random(r, tokens * width), *v = in_random(r, tokens * width);
    mmli_mem *o = new_floats(r, "o", o_rows * width, MMLT_TOL_SUM);
    mmli_mem *lse = new_floats(r, "lse", o_rows * H, MMLT_TOL_SUM);

    CALL(r, attention, o, lse, q, k, v, off, segs, c, H, e, 0.5f, mode);
    CALL(r, attention_grad, sum_floats(r, "dq", q_rows * width, MMLT_TOL_SUM),
         sum_floats(r, "dk", tokens * width, MMLT_TOL_SUM), sum_floats(r, "dv", tokens * width, MMLT_TOL_SUM), o, lse,
         q, k, v, in_random(r, o_rows * width), off, segs, c, H, e, 0.5f, mode, false);
}

/* Columns 1 and 3; values around 1, for the sums not to cancel. */
static void segments(run *r, size_t i)
{
    static const size_t len[] = {20001, 0, 70001, 5};
    const size_t segs = COUNT(len), cols = i ? 3 : 1;
    size_t n;
    mmli_mem *off = in_offsets(r, len, segs, &n), *x = in_uniform(r, n * cols, -1, 3);
    mmli_mem *w = in_uniform(r, n, -1, 3), *dy = in_random(r, segs * cols);
    mmli_mem *p = new_floats(r, "softmax", n * cols, MMLT_TOL_SUM);

    CALL(r, segment_softmax, p, x, off, segs, cols);
    CALL(r, segment_softmax_grad, sum_floats(r, "softmax dx", n * cols, MMLT_TOL_SUM), p, in_random(r, n * cols), off,
         segs, cols);
    CALL(r, segment_sum, new_floats(r, "sum", segs * cols, MMLT_TOL_SUM), w, x, off, segs, cols);
    CALL(r, segment_sum_grad, sum_floats(r, "dw", n, MMLT_TOL_SUM), sum_floats(r, "dx", n * cols, MMLT_TOL_ROUND), w, x,
         dy, off, segs, cols);
    CALL(r, segment_mean, new_floats(r, "mean", segs * cols, MMLT_TOL_SUM), x, off, segs, cols);
    CALL(r, segment_mean_grad, sum_floats(r, "mean dx", n * cols, MMLT_TOL_ROUND), dy, off, segs, cols);
}

static void columns(run *r, size_t i)
{
    const size_t rows = i ? 20003 : 9001, cols = i ? 3 : 67;
    mmli_mem *x = in_random(r, rows * cols), *gamma = in_random(r, cols), *beta = in_random(r, cols);
    mmli_mem *stats = new_floats(r, "stats", 2 * rows, MMLT_TOL_SUM), *dy = in_random(r, rows * cols);

    CALL(r, col_sum_grad, sum_floats(r, "sum", cols, MMLT_TOL_ROUND), x, rows, cols);
    CALL(r, layernorm, new_floats(r, "y", rows * cols, MMLT_TOL_SUM), stats, x, gamma, beta, rows, cols, 1e-2f);
    CALL(r, layernorm_grad, sum_floats(r, "dx", rows * cols, MMLT_TOL_SUM), sum_floats(r, "dgamma", cols, MMLT_TOL_SUM),
         sum_floats(r, "dbeta", cols, MMLT_TOL_SUM), x, stats, gamma, dy, rows, cols);
    CALL(r, gate, new_floats(r, "gate", rows * cols, MMLT_TOL_MATH), in_random(r, 2 * rows * cols), rows, cols,
         MMLI_GATE_SELU);
}

/* More tiles than groups of tiles, and the last of both partly filled. */
static void feed_forward(run *r, size_t i)
{
    enum { ROWS = 4511, D = 19, F = 21 };
    const mmli_ff ff = {.gamma = in_random(r, D), .beta = in_random(r, D), .w1 = in_uniform(r, 2 * F * D, -0.3f, 0.3f),
                        .b1 = in_random(r, 2 * F), .w2 = in_uniform(r, D * F, -0.3f, 0.3f), .b2 = in_random(r, D), .d = D,
                        .f = F, .eps = 1e-2f, .p = i ? 0.3f : 0, .key = 99};
    const mmli_ff_grad grad = {sum_floats(r, "dx", ROWS * D, MMLT_TOL_SUM), sum_floats(r, "dgamma", D, MMLT_TOL_SUM),
                               sum_floats(r, "dbeta", D, MMLT_TOL_SUM), sum_floats(r, "dw1", 2 * F * D, MMLT_TOL_SUM),
                               sum_floats(r, "db1", 2 * F, MMLT_TOL_SUM), sum_floats(r, "dw2", D * F, MMLT_TOL_SUM),
                               sum_floats(r, "db2", D, MMLT_TOL_SUM),
                               .add_x = true, .add = true};
    mmli_mem *x = in_random(r, ROWS * D);

    CALL(r, feed_forward, new_floats(r, "y", ROWS * D, MMLT_TOL_SUM), x, &ff, ROWS);
    CALL(r, feed_forward_grad, &grad, x, in_random(r, ROWS * D), &ff, ROWS);
}

const kernel_case large_cases[] = {
    {"large gemm", 4 * PRODUCTS, gemm},
    {"large gemm_batched", 4, gemm_batched},
    {"large linear", PRODUCTS, linear},
    {"attention to long bags", BAGS, attention},
    {"long segments", 2, segments},
    {"long columns", 2, columns},
    {"feed-forward of many rows", 2, feed_forward},
    {NULL, 0, NULL},
};
