/* test_quantiles.c - exact quantiles in passes, against sorting. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "data/quantiles.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"

static const double probs[4] = {0.5, 0.25, 0.75, 1.0};

/* values (rows, stride), the first `cols` columns; rows are given `step` at a time. */
static void run(double *out, const float *values, size_t rows, size_t stride, size_t cols, size_t step)
{
    mmli_quantiles *q = NULL;

    mmlt_assert_ok(mmli_quantiles_new(&q, cols, probs, 4));
    do
        for (size_t r = 0; r < rows; r += step)
            mmli_quantiles_add(q, values + r * stride, rows - r < step ? rows - r : step, stride);
    while (mmli_quantiles_next(q));
    mmli_quantiles_get(q, out);
    mmli_quantiles_free(q);
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

/* The textbook way, type 7. */
static double by_sorting(const float *values, size_t rows, size_t stride, size_t c, double p)
{
    float *sorted = malloc((rows + 1) * sizeof *sorted);
    size_t n = 0;
    double h, result = NAN;

    ck_assert_ptr_nonnull(sorted);
    for (size_t r = 0; r < rows; r++)
        if (!isnan(values[r * stride + c]))
            sorted[n++] = values[r * stride + c];
    qsort(sorted, n, sizeof *sorted, by_value);
    if (n > 0) {
        const size_t i = (size_t)(h = (double)(n - 1) * p), j = i + 1 < n ? i + 1 : n - 1;

        result = (double)sorted[i] + (h - (double)i) * ((double)sorted[j] - (double)sorted[i]);
    }
    free(sorted);
    return result;
}

static void compare(const float *values, size_t rows, size_t stride, size_t cols)
{
    double *got = malloc(cols * 4 * sizeof *got), *want = malloc(cols * 4 * sizeof *want);

    ck_assert(got != NULL && want != NULL);
    run(got, values, rows, stride, cols, rows + 1);
    for (size_t c = 0; c < cols; c++)
        for (size_t p = 0; p < 4; p++)
            want[c * 4 + p] = by_sorting(values, rows, stride, c, probs[p]);
    mmlt_assert_close_d(got, want, cols * 4, MMLT_TOL_EXACT);
    free(want);
    free(got);
}

START_TEST(quantiles_are_those_of_the_sorted_values)
{
    static const size_t rows[] = {1, 2, 3, 4, 5, 7, 100, 1001};
    const size_t n = rows[_i], stride = 9;
    float *x = malloc(n * stride * sizeof *x);

    ck_assert_ptr_nonnull(x);
    mmlt_normal(x, n * stride, mmli_rng_key(1, "quantiles", (uint64_t)_i));
    for (size_t r = 0; r < n; r++) {
        x[r * stride + 1] = roundf(x[r * stride + 1]);         /* many ties, zeros of both signs */
        x[r * stride + 2] = r % 3 == 0 ? NAN : x[r * stride + 2];
        x[r * stride + 3] *= 1e-42f;                           /* below the normal numbers */
        x[r * stride + 4] *= 1e37f;
        x[r * stride + 5] = 7.5f;
        x[r * stride + 6] = r % 20 == 0 ? 1.0f : 0.0f;         /* quartiles in one value, maximum in another */
        x[r * stride + 7] = 1000.0f + 1e-3f * x[r * stride + 7]; /* differ in the last byte of the key only */
    }
    compare(x, n, stride, 9);
    compare(x, n, stride, 3); /* columns at the end do not belong to it */
    free(x);
}
END_TEST

START_TEST(largest_and_smallest_floats_are_in_order)
{
    const float x[] = {FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, 0.0f};

    compare(x, 7, 1, 1);
    compare(x, 6, 1, 1);
    compare(x, 2, 1, 1); /* interpolated between the ends of the range */
}
END_TEST

START_TEST(column_without_values_has_no_quantiles)
{
    const float x[] = {NAN, 1, NAN, 3};
    double out[8];

    run(out, x, 2, 2, 2, 1);
    ck_assert(isnan(out[0]) && isnan(out[1]) && isnan(out[2]) && isnan(out[3]));
    ck_assert_double_eq(out[4], 2);
    run(out, x, 0, 2, 2, 1);
    ck_assert(isnan(out[0]) && isnan(out[4]));
}
END_TEST

START_TEST(neither_order_nor_pieces_of_the_rows_matter)
{
    enum { N = 501, WIDTH = 5 };
    static float x[N * WIDTH], turned[N * WIDTH];
    double a[WIDTH * 4], b[WIDTH * 4];

    mmlt_normal(x, N * WIDTH, mmli_rng_key(2, "quantiles", 0));
    for (size_t r = 0; r < N; r++)
        for (size_t c = 0; c < WIDTH; c++)
            turned[r * WIDTH + c] = x[(N - 1 - r) * WIDTH + c];
    run(a, x, N, WIDTH, WIDTH, N);
    run(b, x, N, WIDTH, WIDTH, 17);
    mmlt_assert_same_bits(b, a, sizeof a);
    run(b, turned, N, WIDTH, WIDTH, 100);
    mmlt_assert_same_bits(b, a, sizeof a);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mmli_quantiles *q = NULL;
    mml_status st = MML_E_NOMEM;

    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_alloc_fail_at(k);
        st = mmli_quantiles_new(&q, 3, probs, 4);
        ck_assert(st == MML_OK || (st == MML_E_NOMEM && q == NULL));
        ck_assert_uint_lt(k, 50);
    }
    mmli_alloc_fail_at(0);
    mmli_quantiles_free(q);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/quantiles");
    TCase *tc = tcase_create("quantiles");

    tcase_add_loop_test(tc, quantiles_are_those_of_the_sorted_values, 0, 8);
    tcase_add_test(tc, largest_and_smallest_floats_are_in_order);
    tcase_add_test(tc, column_without_values_has_no_quantiles);
    tcase_add_test(tc, neither_order_nor_pieces_of_the_rows_matter);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
