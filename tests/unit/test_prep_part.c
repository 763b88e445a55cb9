/* test_prep_part.c - preprocessing is learnt from the whole training part, however large, and from nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/prep_help.h"
#include "util/rng.h"

static void assert_same_prep(const mmli_prep *a, const mmli_prep *b)
{
    ck_assert_uint_eq(a->width_in, b->width_in);
    ck_assert_uint_eq(a->width_out, b->width_out);
    mmlt_assert_same_bits(a->center, b->center, a->width_in * sizeof *a->center);
    mmlt_assert_same_bits(a->scale_inv, b->scale_inv, a->width_in * sizeof *a->center);
    mmlt_assert_same_bits(a->fill, b->fill, a->width_in * sizeof *a->center);
    mmlt_assert_same_bits(a->indicator, b->indicator, a->width_in);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Mean, population sd, median and IQR of a column, the plain way. */
typedef struct facts {
    double mean, sd, median, iqr;
    size_t missing;
} facts;

static double quantile(const double *sorted, size_t n, double p)
{
    const double h = (double)(n - 1) * p;
    const size_t i = (size_t)h;

    return sorted[i] + (h - (double)i) * (sorted[i + 1 < n ? i + 1 : i] - sorted[i]);
}

static facts plain_facts(const float *values, size_t rows, size_t width, size_t c)
{
    double *x = malloc((rows + 1) * sizeof *x);
    facts f = {0};
    size_t n = 0;

    ck_assert_ptr_nonnull(x);
    for (size_t r = 0; r < rows; r++)
        if (!isnan(values[r * width + c]))
            x[n++] = (double)values[r * width + c];
    f.missing = rows - n;
    qsort(x, n, sizeof *x, by_value);
    for (size_t i = 0; i < n; i++)
        f.mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        f.sd += (x[i] - f.mean) * (x[i] - f.mean) / (double)n;
    f.sd = sqrt(f.sd);
    f.median = quantile(x, n, 0.5);
    f.iqr = quantile(x, n, 0.75) - quantile(x, n, 0.25);
    free(x);
    return f;
}

/* One float32 rounding, and what the plain way itself loses. */
static void assert_near(float got, double want)
{
    ck_assert_double_eq_tol((double)got, want, 1.2e-7 * fabs(want) + 1e-12);
}

enum { N = 40, WIDTH = 6 };

/* A ragged cohort with gaps; samples 10 .. 19 are empty. */
static void ragged(float **values, int64_t *offsets)
{
    uint64_t key = mmli_rng_key(3, "prep", 0);
    size_t tokens;

    offsets[0] = 0;
    for (size_t i = 0; i < N; i++)
        offsets[i + 1] = offsets[i] + (i / 10 == 1 ? 0 : 1 + (int64_t)mmli_rng_below(key, i, 5));
    tokens = (size_t)offsets[N];
    *values = malloc(tokens * WIDTH * sizeof **values);
    ck_assert_ptr_nonnull(*values);
    mmlt_normal(*values, tokens * WIDTH, key);
    for (size_t i = 0; i < tokens * WIDTH; i += 7)
        (*values)[i] = NAN;
}

static mmli_prep *fit_ragged(const float *values, const int64_t *offsets, const size_t *train, size_t n, size_t memory,
                             const mml_prep_options *o)
{
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_prep *prep = NULL;

    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "m", "series", values, offsets, WIDTH, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    mml_cohort_set_memory(cohort, memory);
    mmlt_assert_ok(mmli_prep_fit(&prep, cohort, "m", train, n, o));
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    return prep;
}

START_TEST(values_outside_the_training_part_change_nothing)
{
    static const float odd[] = {1e30f, NAN, INFINITY, -7};
    mml_prep_options o = mmlt_prep_options(_i % 2 ? MML_SCALE_ROBUST : MML_SCALE_STANDARD, MML_IMPUTE_MEDIAN);
    size_t train[N / 2];
    int64_t offsets[N + 1];
    float *values;
    mmli_prep *before, *after;

    o.indicators = MML_INDICATE_MISSING;
    ragged(&values, offsets);
    for (size_t i = 0; i < N / 2; i++)
        train[i] = 2 * i;
    before = fit_ragged(values, offsets, train, N / 2, 1 << 20, &o);
    for (size_t i = 1; i < N; i += 2)
        for (int64_t t = offsets[i]; t < offsets[i + 1]; t++)
            for (size_t c = 0; c < WIDTH; c++)
                values[(size_t)t * WIDTH + c] = odd[_i];
    after = fit_ragged(values, offsets, train, N / 2, 1 << 20, &o);
    assert_same_prep(before, after);
    mmli_prep_free(before);
    mmli_prep_free(after);
    free(values);
}
END_TEST

START_TEST(every_value_of_the_training_part_counts)
{
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
    size_t train[N];
    int64_t offsets[N + 1];
    float *values;

    for (size_t i = 0; i < N; i++)
        train[i] = i;
    ragged(&values, offsets);
    for (size_t i = 0; i < (size_t)offsets[N]; i += 11) {
        mmli_prep *before = fit_ragged(values, offsets, train, N, 1 << 20, &o), *after;

        values[i * WIDTH + 2] = isnan(values[i * WIDTH + 2]) ? 3 : values[i * WIDTH + 2] + 3;
        after = fit_ragged(values, offsets, train, N, 1 << 20, &o);
        ck_assert(before->center[2] < after->center[2]);
        ck_assert(before->center[1] == after->center[1]);
        mmli_prep_free(before);
        mmli_prep_free(after);
    }
    free(values);
}
END_TEST

START_TEST(neither_the_order_of_training_nor_memory_changes_a_bit)
{
    mml_prep_options o = mmlt_prep_options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    size_t train[N], turned[N];
    int64_t offsets[N + 1];
    float *values;
    mmli_prep *a, *b;

    for (size_t i = 0; i < N; i++)
        train[i] = turned[N - 1 - i] = i;
    ragged(&values, offsets);
    o.scaling = _i ? MML_SCALE_ROBUST : MML_SCALE_STANDARD;
    a = fit_ragged(values, offsets, train, N, 1 << 20, &o);
    b = fit_ragged(values, offsets, turned, N, 0, &o);
    assert_same_prep(a, b);
    mmli_prep_free(a);
    mmli_prep_free(b);
    free(values);
}
END_TEST

START_TEST(cohort_of_several_chunks_is_learnt_exactly)
{
    enum { SAMPLES = 3000, TOKENS = 200, COLS = 8 }; /* 4.8 million values: more than are read at a time */
    const size_t rows = (size_t)SAMPLES * TOKENS;
    mml_prep_options o = mmlt_prep_options(MML_SCALE_ROBUST, MML_IMPUTE_MEAN);
    float *values = malloc(rows * COLS * sizeof *values);
    int64_t *offsets = malloc((SAMPLES + 1) * sizeof *offsets);
    size_t *train = malloc(SAMPLES * sizeof *train);
    mmlt_cohort made;
    mml_cohort *cohort;

    ck_assert(values != NULL && offsets != NULL && train != NULL);
    mmlt_uniform(values, rows * COLS, mmli_rng_key(4, "prep", 0), -1, 3);
    for (size_t r = 0; r < rows; r++) {
        values[r * COLS + 1] += 1000;
        values[r * COLS + 2] = r % 4 ? values[r * COLS + 2] : NAN;
    }
    for (size_t i = 0; i <= SAMPLES; i++)
        offsets[i] = (int64_t)(i * TOKENS);
    for (size_t i = 0; i < SAMPLES; i++)
        train[i] = i;
    mmlt_cohort_begin(&made, SAMPLES, NULL);
    mmlt_cohort_modality(&made, "m", "bag", values, offsets, COLS, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    mml_cohort_set_memory(cohort, 0);
    for (int robust = 0; robust < 2; robust++) {
        mmli_prep *p = NULL;

        o.scaling = robust ? MML_SCALE_ROBUST : MML_SCALE_STANDARD;
        mmlt_assert_ok(mmli_prep_fit(&p, cohort, "m", train, SAMPLES, &o));
        for (size_t c = 0; c < COLS; c++) {
            const facts f = plain_facts(values, rows, COLS, c);

            if (robust) {
                ck_assert_float_eq(p->center[c], (float)f.median);
                ck_assert_float_eq(p->scale_inv[c], (float)(1 / (f.iqr / 1.349)));
            } else {
                assert_near(p->center[c], f.mean);
                assert_near(p->scale_inv[c], 1 / f.sd);
            }
            assert_near(p->fill[c], f.mean);
        }
        mmli_prep_free(p);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    free(train);
    free(offsets);
    free(values);
}
END_TEST

START_TEST(table_too_wide_for_one_block_of_quantiles_is_learnt_exactly)
{
    enum { ROWS = 5, COLS = 50000 };
    mml_prep_options o = mmlt_prep_options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    float *values = malloc((size_t)ROWS * COLS * sizeof *values);
    mmli_prep *p;

    ck_assert_ptr_nonnull(values);
    mmlt_normal(values, (size_t)ROWS * COLS, mmli_rng_key(5, "prep", 0));
    for (size_t c = 0; c < COLS; c += 1000)
        values[2 * COLS + c] = NAN;
    o.indicators = MML_INDICATE_MISSING;
    p = mmlt_prep_fit(values, ROWS, COLS, &o);
    for (size_t c = 0; c < COLS; c++) {
        const facts f = plain_facts(values, ROWS, COLS, c);

        ck_assert_float_eq(p->center[c], (float)f.median);
        ck_assert_float_eq(p->fill[c], (float)f.median);
        ck_assert_float_eq(p->scale_inv[c], (float)(1 / (f.iqr / 1.349)));
        ck_assert_uint_eq(p->indicator[c], f.missing > 0);
    }
    ck_assert_uint_eq(p->width_out, COLS + COLS / 1000);
    mmli_prep_free(p);
    free(values);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/prep_part");
    TCase *part = tcase_create("training part"), *large = tcase_create("large");

    tcase_add_loop_test(part, values_outside_the_training_part_change_nothing, 0, 4);
    tcase_add_test(part, every_value_of_the_training_part_counts);
    tcase_add_loop_test(part, neither_the_order_of_training_nor_memory_changes_a_bit, 0, 2);
    tcase_add_test(large, cohort_of_several_chunks_is_learnt_exactly);
    tcase_add_test(large, table_too_wide_for_one_block_of_quantiles_is_learnt_exactly);
    tcase_set_timeout(large, 60);
    suite_add_tcase(suite, part);
    suite_add_tcase(suite, large);
    return mmlt_main(suite);
}
