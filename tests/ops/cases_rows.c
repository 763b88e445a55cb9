/* cases_rows.c - rows, groups of rows, gathering and scattering. */
#include <math.h>
#include <stdlib.h>

#include "tests/ops/case.h"
#include "util/rng.h"

static const size_t shapes[][2] = {{0, 5}, {1, 1}, {7, 3}, {129, 65}, {1003, 37}, {5000, 2}, {3, 4099}};

static void col_sum_grad(run *r, size_t i)
{
    const size_t rows = shapes[i][0], cols = shapes[i][1];

    CALL(r, col_sum_grad, sum_floats(r, "y", cols, MMLT_TOL_ROUND), in_random(r, rows * cols), rows, cols);
}

/* Every third weight is 0, and x has a NaN in its row. */
static void axpy_rows(run *r, size_t i)
{
    const size_t rows = shapes[i][0], cols = shapes[i][1];
    float *x = malloc((rows * cols + 1) * sizeof *x), *w = malloc((rows + 1) * sizeof *w);

    ck_assert(x && w);
    mmlt_normal(x, rows * cols, r->key);
    mmlt_normal(w, rows, r->key + 1);
    for (size_t row = 0; row < rows; row += 3) {
        w[row] = 0;
        x[row * cols] = NAN;
    }
    CALL(r, axpy_rows, sum_floats(r, "y", rows * cols, MMLT_TOL_ROUND), in_floats(r, x, rows * cols),
         in_floats(r, w, rows), rows, cols);
    free(x);
    free(w);
}

static void repeat(run *r, size_t i)
{
    const size_t groups = shapes[i][0], n = shapes[i][1];

    CALL(r, repeat, new_floats(r, "y", groups * n, MMLT_TOL_EXACT), in_random(r, n), groups, n);
}

/* groups, len, cols; the last has groups without rows, which have no mean */
static const size_t groups[][3] = {{0, 3, 4}, {1, 1, 1}, {5, 3, 7}, {40, 64, 32}, {301, 4, 17},
                                   {2, 1500, 3}, {3, 0, 4}};
enum { GROUPS = COUNT(groups) };

static void spread(run *r, size_t i)
{
    const size_t g = groups[i][0], len = groups[i][1], cols = groups[i][2];

    CALL(r, spread, new_floats(r, "y", g * len * cols, MMLT_TOL_EXACT), in_random(r, g * cols), g, len, cols);
    CALL(r, spread_grad, sum_floats(r, "dx", g * cols, MMLT_TOL_SUM), in_random(r, g * len * cols), g, len, cols);
}

static void group_mean(run *r, size_t i)
{
    const size_t g = groups[i][0], len = groups[i][1], cols = groups[i][2];

    CALL(r, group_mean, new_floats(r, "y", g * cols, MMLT_TOL_SUM), in_random(r, g * len * cols), g, len, cols);
    CALL(r, group_mean_grad, sum_floats(r, "dx", g * len * cols, MMLT_TOL_ROUND), in_random(r, g * cols), g, len,
         cols);
}

/* n blocks taken from or put into `total` */
static const size_t picks[][3] = {{0, 1, 3}, {1, 1, 1}, {7, 10, 5}, {200, 300, 33}, {64, 70, 4096}, {5000, 6000, 1}};
enum { PICKS = COUNT(picks) };

/* A random selection without repeats. */
static int32_t *selection(run *r, size_t n, size_t total)
{
    size_t *order = malloc(total * sizeof *order);
    int32_t *idx = malloc((n + 1) * sizeof *idx);

    ck_assert(order && idx);
    for (size_t j = 0; j < total; j++)
        order[j] = j;
    mmli_rng_shuffle(r->key, order, total);
    for (size_t j = 0; j < n; j++)
        idx[j] = (int32_t)order[j];
    free(order);
    return idx;
}

static void gather(run *r, size_t i)
{
    const size_t n = picks[i][0], total = picks[i][1], block = picks[i][2];
    int32_t *idx = malloc((n + 1) * sizeof *idx);
    mmli_mem *x = in_random(r, total * block), *index;

    ck_assert_ptr_nonnull(idx);
    for (size_t j = 0; j < n; j++) /* with repeats */
        idx[j] = (int32_t)mmli_rng_below(r->key, j, total);
    index = in_ints(r, idx, n);
    free(idx);
    CALL(r, gather, new_floats(r, "y", n * block, MMLT_TOL_EXACT), x, index, n, block);
    CALL(r, gather_grad, sum_floats(r, "dy", n * block, MMLT_TOL_EXACT), x, index, n, block);
}

static void scatter(run *r, size_t i)
{
    const size_t n = picks[i][0], total = picks[i][1], block = picks[i][2];
    int32_t *idx = selection(r, n, total);
    mmli_mem *x = in_random(r, n * block), *index = in_ints(r, idx, n);

    free(idx);
    CALL(r, scatter, sum_floats(r, "y", total * block, MMLT_TOL_EXACT), x, index, n, block);
    CALL(r, scatter_grad, sum_floats(r, "dy", total * block, MMLT_TOL_EXACT), x, index, n, block);
}

const kernel_case row_cases[] = {
    {"col_sum_grad", COUNT(shapes), col_sum_grad},
    {"axpy_rows", COUNT(shapes), axpy_rows},
    {"repeat", COUNT(shapes), repeat},
    {"spread", GROUPS, spread},
    {"group_mean", GROUPS - 1, group_mean},
    {"gather", PICKS, gather},
    {"scatter", PICKS, scatter},
    {NULL, 0, NULL},
};
