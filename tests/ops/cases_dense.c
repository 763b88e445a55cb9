/* cases_dense.c - matrix products and LayerNorm. */
#include <math.h>

#include "tests/ops/case.h"

static const size_t shapes[][3] = {{0, 3, 4},    {3, 0, 4},    {3, 4, 0},     {1, 1, 1},      {1, 70, 33},
                                   {5, 7, 3},    {64, 64, 64}, {33, 129, 257}, {300, 1, 65},  {301, 70, 66},
                                   {2, 3, 1500}, {513, 31, 17}};
enum { SHAPES = COUNT(shapes) };

static const struct {
    float alpha, beta;
} factors[] = {{1, 0}, {-0.5f, 1}, {2, 0.25f}};
enum { FACTORS = COUNT(factors) };

/* Variant: shape, then factors, then which operands are transposed, then packed or with rows further
 * apart (the gaps of C must stay as they are). beta = 0 must not read C: it holds NaN. */
static void gemm(run *r, size_t i)
{
    const size_t m = shapes[i % SHAPES][0], n = shapes[i % SHAPES][1], k = shapes[i % SHAPES][2];
    const size_t f = i / SHAPES % FACTORS, transposed = i / (SHAPES * FACTORS) % 4;
    const size_t gap = i / (SHAPES * FACTORS * 4) * 3;
    const bool ta = transposed & 1, tb = transposed & 2;
    const size_t lda = (ta ? m : k) + gap + (gap || (ta ? m : k) ? 0 : 1);
    const size_t ldb = (tb ? k : n) + gap + (gap || (tb ? k : n) ? 0 : 1), ldc = n + gap + (n ? 0 : 1);
    mmli_mem *c = factors[f].beta == 0 ? new_floats(r, "c", m * ldc, MMLT_TOL_SUM)
                                       : sum_floats(r, "c", m * ldc, MMLT_TOL_SUM);

    CALL(r, gemm, ta, tb, m, n, k, factors[f].alpha, in_random(r, (ta ? k : m) * lda), lda,
         in_random(r, (tb ? n : k) * ldb), ldb, factors[f].beta, c, ldc);
}

/* batch, m, n, k */
static const size_t batches[][4] = {{0, 2, 3, 4}, {1, 5, 6, 7}, {5, 1, 1, 9}, {3, 64, 33, 40}, {41, 7, 5, 3},
                                    {130, 16, 17, 8}};
enum { BATCHES = COUNT(batches) };

/* Which operand all matrices share (stride 0): none, A, B; then transposes; then factors. */
static void gemm_batched(run *r, size_t i)
{
    const size_t *z = batches[i % BATCHES], share = i / BATCHES % 3, transposed = i / (BATCHES * 3) % 4;
    const size_t f = i / (BATCHES * 12), batch = z[0], m = z[1], n = z[2], k = z[3];
    const bool ta = transposed & 1, tb = transposed & 2;
    const size_t lda = (ta ? m : k) + 1, ldb = (tb ? k : n) + 2, ldc = n + 3;
    const size_t size_a = (ta ? k : m) * lda, size_b = (tb ? n : k) * ldb, size_c = m * ldc + 5;
    mmli_mem *a = in_random(r, share == 1 ? size_a : batch * size_a);
    mmli_mem *b = in_random(r, share == 2 ? size_b : batch * size_b);
    mmli_mem *c = factors[f].beta == 0 ? new_floats(r, "c", batch * size_c, MMLT_TOL_SUM)
                                       : sum_floats(r, "c", batch * size_c, MMLT_TOL_SUM);

    CALL(r, gemm_batched, ta, tb, m, n, k, factors[f].alpha, a, lda, share == 1 ? 0 : size_a, b, ldb,
         share == 2 ? 0 : size_b, factors[f].beta, c, ldc, size_c, batch);
}

/* rows, in, out; an odd number of them, so that each comes aligned and shifted */
static const size_t layers[][3] = {{0, 3, 4}, {1, 1, 1}, {5, 0, 3}, {3, 4, 0}, {7, 5, 3}, {1, 300, 256},
                                   {130, 64, 65}, {1001, 17, 9}, {33, 128, 96}, {40, 256, 1}, {6, 1, 20}};
enum { LAYERS = COUNT(layers) };

static void linear(run *r, size_t i)
{
    const size_t rows = layers[i % LAYERS][0], in = layers[i % LAYERS][1], out = layers[i % LAYERS][2];
    mmli_mem *bias = i < 2 * LAYERS ? in_random(r, out) : NULL;

    CALL(r, linear, new_floats(r, "y", rows * out, MMLT_TOL_SUM), in_random(r, rows * in), in_random(r, out * in),
         bias, rows, in, out);
}

/* More shapes than a backend keeps plans of, there and back: each twice, aligned and shifted. */
enum { MANY = 70 };
static void linear_many(run *r, size_t i)
{
    const size_t k = i / 2 < MANY ? i / 2 : 2 * MANY - 1 - i / 2, rows = 1 + k % 7, out = 3 + k / 7;

    CALL(r, linear, new_floats(r, "y", rows * out, MMLT_TOL_SUM), in_random(r, rows * 4), in_random(r, out * 4),
         in_random(r, out), rows, 4, out);
}

static const size_t norms[][2] = {{0, 4}, {1, 1}, {7, 3}, {64, 64}, {1001, 37}, {33, 513}, {2, 5000}, {5, 200}, {3, 400}};
enum { NORMS = COUNT(norms) };

/* Second half: rows far from 0, where mean(x^2) - mean(x)^2 would lose the variance. Odd bits of i:
 * stats not kept. */
static void layernorm(run *r, size_t i)
{
    const size_t rows = norms[i % NORMS][0], cols = norms[i % NORMS][1];
    const float middle = i / NORMS % 2 ? 1000.0f : 0.0f;
    const bool keep = i < 2 * NORMS;
    mmli_mem *x = in_uniform(r, rows * cols, middle - 2, middle + 2);

    CALL(r, layernorm, new_floats(r, "y", rows * cols, MMLT_TOL_SUM),
         keep ? new_floats(r, "stats", rows * 2, MMLT_TOL_SUM) : NULL, x, in_random(r, cols), in_random(r, cols), rows,
         cols, 1e-5f);
}

/* Bits of `part`: which gradients are wanted. A row of one number has variance 0: its gradient is 0, as a
 * difference of terms of size rstd = 1/sqrt(eps). */
static void layernorm_grad(run *r, size_t i)
{
    const size_t rows = norms[i % NORMS][0], cols = norms[i % NORMS][1], part = i / NORMS;
    const float eps = 1e-5f;
    mmli_mem *x = in_random(r, rows * cols), *gamma = in_random(r, cols), *beta = in_random(r, cols);
    mmli_mem *stats = new_floats(r, "stats", rows * 2, MMLT_TOL_SUM);
    mmli_mem *dx = part & 1 ? sum_floats(r, "dx", rows * cols, MMLT_TOL_SUM) : NULL;

    CALL(r, layernorm, new_floats(r, "y", rows * cols, MMLT_TOL_SUM), stats, x, gamma, beta, rows, cols, eps);
    CALL(r, layernorm_grad, of_terms(r, dx, cols == 1 ? 1 / sqrt((double)eps) : 0),
         part & 2 ? sum_floats(r, "dgamma", cols, MMLT_TOL_SUM) : NULL,
         part & 4 ? sum_floats(r, "dbeta", cols, MMLT_TOL_SUM) : NULL, x, stats, gamma, in_random(r, rows * cols), rows,
         cols);
}

/* rows, d, f: tiles of 32 and of 64, hidden units in blocks of 128 */
static const size_t forwards[][3] = {{0, 3, 4}, {1, 1, 1}, {3, 5, 0}, {7, 0, 3}, {33, 5, 3}, {64, 64, 256}, {257, 33, 130}};
enum { FORWARDS = COUNT(forwards) };

/* Weights of a size that keeps the hidden values near 1; part of an array that begins somewhere. */
static mmli_ff feed_forward_of(run *r, size_t rows, size_t d, size_t f, float p)
{
    const float in = d ? 1 / sqrtf((float)d) : 0, out = f ? 1 / sqrtf((float)f) : 0;

    return (mmli_ff){.gamma = in_random(r, d), .beta = in_random(r, d), .w1 = in_uniform(r, 2 * f * d, -in, in),
                     .b1 = in_random(r, 2 * f), .w2 = in_uniform(r, d * f, -out, out), .b2 = in_random(r, d), .d = d, .f = f,
                     .eps = 1e-2f, .p = p, .key = 99, .first = p < 0.5f ? rows % 7 : 4};
}

/* Second and third round: with dropout, and with all of it. */
static void feed_forward(run *r, size_t i)
{
    static const float p[] = {0, 0.3f, 1};
    const size_t rows = forwards[i % FORWARDS][0], d = forwards[i % FORWARDS][1], f = forwards[i % FORWARDS][2];
    const mmli_ff ff = feed_forward_of(r, rows, d, f, p[i / FORWARDS]);

    CALL(r, feed_forward, new_floats(r, "y", rows * d, MMLT_TOL_SUM), in_random(r, rows * d), &ff, rows);
}

/* Rounds: everything wanted, without and with dropout; each gradient in turn left out; only one in turn; parameters'
 * overwritten; dx overwritten; all of that, without and with dropout and dx in the place of dy. */
static void feed_forward_grad(run *r, size_t i)
{
    const size_t rows = forwards[i % FORWARDS][0], d = forwards[i % FORWARDS][1], f = forwards[i % FORWARDS][2];
    const size_t round = i / FORWARDS;
    const unsigned all = 0x7f;
    const unsigned wanted = round < 2 || round >= 16 ? all : round < 9 ? all & ~(1u << (round - 2)) : 1u << (round - 9);
    const bool add_x = round < 17, add = round != 16 && round < 18;
    const mmli_ff ff = feed_forward_of(r, rows, d, f, round == 0 || round == 18 ? 0 : 0.3f);
    const size_t size[] = {rows * d, d, d, 2 * f * d, 2 * f, d * f, d};
    static const char *const label[] = {"dx", "dgamma", "dbeta", "dw1", "db1", "dw2", "db2"};
    mmli_mem *g[COUNT(size)];
    mmli_ff_grad grad;

    for (size_t k = 0; k < COUNT(size); k++) {
        const bool kept = k == 0 ? add_x || round >= 18 : add;

        g[k] = wanted & 1u << k ? (kept ? sum_floats : new_floats)(r, label[k], size[k], MMLT_TOL_SUM) : NULL;
    }
    grad = (mmli_ff_grad){g[0], g[1], g[2], g[3], g[4], g[5], g[6], .add_x = add_x, .add = add};
    CALL(r, feed_forward_grad, &grad, in_random(r, rows * d), round >= 18 ? g[0] : in_random(r, rows * d), &ff, rows);
}

const kernel_case dense_cases[] = {
    {"gemm", SHAPES * FACTORS * 4 * 2, gemm},
    {"gemm_batched", BATCHES * 3 * 4 * FACTORS, gemm_batched},
    {"linear", 4 * LAYERS, linear},
    {"linear of many shapes", 4 * MANY, linear_many},
    {"layernorm", 3 * NORMS, layernorm},
    {"layernorm_grad", 8 * NORMS, layernorm_grad},
    {"feed_forward", 3 * FORWARDS, feed_forward},
    {"feed_forward_grad", 20 * FORWARDS, feed_forward_grad},
    {NULL, 0, NULL},
};
