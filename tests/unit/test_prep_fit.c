/* test_prep_fit.c - what preprocessing learns from the training part, and from nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/prep.h"
#include "tests/unit/make_cohort.h"
#include "util/alloc.h"
#include "util/rng.h"

static mml_prep_options options(mml_scaling scaling, mml_imputation imputation)
{
    return (mml_prep_options){.struct_size = sizeof(mml_prep_options), .scaling = scaling, .imputation = imputation, .clip = 5};
}

/* Learns modality m from all samples of a cohort of one-token samples. */
static mmli_prep *fit_table(const float *values, size_t n, size_t width, const mml_prep_options *o)
{
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_prep *prep = NULL;
    size_t *train = malloc((n + 1) * sizeof *train);

    ck_assert_ptr_nonnull(train);
    for (size_t i = 0; i < n; i++)
        train[i] = i;
    mmlt_cohort_begin(&made, n, NULL);
    mmlt_cohort_modality(&made, "m", "table", values, NULL, width, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mmli_prep_fit(&prep, cohort, "m", train, n, o));
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    free(train);
    return prep;
}

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

START_TEST(standard_scaling_is_by_mean_and_population_deviation)
{
    const float x[] = {1, 10, 3, NAN, 8, 30};
    const mml_prep_options o = options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
    mmli_prep *p = fit_table(x, 3, 2, &o);

    assert_near(p->center[0], 4);
    assert_near(p->scale_inv[0], 1 / sqrt(26.0 / 3)); /* ((1-4)^2 + (3-4)^2 + (8-4)^2) / 3 */
    assert_near(p->center[1], 20);                    /* what was not measured does not count */
    assert_near(p->scale_inv[1], 0.1);
    assert_near(p->fill[1], 20);
    ck_assert_uint_eq(p->width_out, 2);
    mmli_prep_free(p);
}
END_TEST

START_TEST(deviation_is_right_when_the_mean_is_a_million_times_larger)
{
    enum { N = 2000 };
    static float x[N];
    const mml_prep_options o = options(MML_SCALE_STANDARD, MML_IMPUTE_ZERO);
    mmli_prep *p;

    for (size_t i = 0; i < N; i++)
        x[i] = 4194304.0f + (i % 2 ? 0.5f : -0.5f); /* both are floats */
    p = fit_table(x, N, 1, &o);
    ck_assert_float_eq(p->center[0], 4194304.0f);
    ck_assert_float_eq(p->scale_inv[0], 2.0f);
    mmli_prep_free(p);
}
END_TEST

START_TEST(robust_scaling_is_by_median_and_interquartile_range)
{
    const float x[] = {1, 0, 2, 0, 3, 0, 4, 0, 1000, 1};
    const mml_prep_options o = options(MML_SCALE_ROBUST, MML_IMPUTE_ZERO);
    mmli_prep *p = fit_table(x, 5, 2, &o);

    assert_near(p->center[0], 3);
    assert_near(p->scale_inv[0], 1.349 / 2);
    ck_assert_float_eq(p->fill[0], p->center[0]); /* 0 after scaling */
    /* A rare mutation: both quartiles are 0, which is no reason to lose the column. */
    assert_near(p->center[1], 0);
    assert_near(p->scale_inv[1], 2.5);
    mmli_prep_free(p);
}
END_TEST

START_TEST(unscaled_values_keep_center_and_scale)
{
    const float x[] = {1, 7, NAN, 3, 7, NAN};
    const mml_prep_options o = options(MML_SCALE_NONE, MML_IMPUTE_MEDIAN);
    mmli_prep *p = fit_table(x, 2, 3, &o);

    ck_assert_float_eq(p->center[0], 0);
    ck_assert_float_eq(p->scale_inv[0], 1);
    ck_assert_float_eq(p->fill[0], 2);
    ck_assert_float_eq(p->scale_inv[1], 1); /* constant, but asked to be left alone */
    ck_assert_float_eq(p->scale_inv[2], 0); /* never measured: nothing is known of it */
    ck_assert_float_eq(p->fill[2], 0);
    mmli_prep_free(p);
}
END_TEST

START_TEST(constant_and_empty_columns_get_no_scale)
{
    /* 0.1f, three times: sums of it have rounding, so a deviation would not come out as 0. */
    const float x[] = {0.1f, NAN, 5, 0.1f, NAN, NAN, 0.1f, NAN, 5};
    mml_prep_options o = options(_i == 0 ? MML_SCALE_STANDARD : MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    mmli_prep *p = fit_table(x, 3, 3, &o);

    for (size_t c = 0; c < 3; c++)
        ck_assert_float_eq(p->scale_inv[c], 0);
    ck_assert_float_eq(p->center[0], 0.1f);
    ck_assert_float_eq(p->fill[1], 0);
    ck_assert_float_eq(p->center[2], 5);
    mmli_prep_free(p);
}
END_TEST

START_TEST(every_imputation_fills_with_its_own_value)
{
    static const float x[] = {0, 1, 8, NAN}; /* mean 3, median 1 */
    static const float want[] = {1, 3, 3, 1}; /* zero: 0 after scaling, so the mean; locf: before anything was measured */
    const mml_prep_options o = options(MML_SCALE_STANDARD, (mml_imputation)_i);
    mmli_prep *p = fit_table(x, 4, 1, &o);

    ck_assert_float_eq(p->fill[0], want[_i]);
    mmli_prep_free(p);
}
END_TEST

START_TEST(indicators_are_for_columns_with_gaps_or_for_all)
{
    const float x[] = {0, NAN, 2, 1, 1, 5};
    mml_prep_options o = options(MML_SCALE_STANDARD, MML_IMPUTE_MEDIAN);
    mmli_prep *p;

    o.indicators = MML_INDICATE_MISSING;
    p = fit_table(x, 2, 3, &o);
    ck_assert(!p->indicator[0] && p->indicator[1] && !p->indicator[2]);
    ck_assert_uint_eq(p->width_out, 4);
    mmli_prep_free(p);
    o.indicators = MML_INDICATE_MASK;
    o.position_bands = 3;
    p = fit_table(x, 2, 3, &o);
    ck_assert(p->indicator[0] && p->indicator[1] && p->indicator[2]);
    ck_assert_uint_eq(p->width_out, 3 + 3 + 7);
    mmli_prep_free(p);
}
END_TEST

/* ---- the training part, all of it, and nothing else ------------------------------------------------------------ */

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
    mml_prep_options o = options(_i % 2 ? MML_SCALE_ROBUST : MML_SCALE_STANDARD, MML_IMPUTE_MEDIAN);
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
    const mml_prep_options o = options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
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
    mml_prep_options o = options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
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
    mml_prep_options o = options(MML_SCALE_ROBUST, MML_IMPUTE_MEAN);
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
    const mml_prep_options o = options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    float *values = malloc((size_t)ROWS * COLS * sizeof *values);
    mmli_prep *p;

    ck_assert_ptr_nonnull(values);
    mmlt_normal(values, (size_t)ROWS * COLS, mmli_rng_key(5, "prep", 0));
    p = fit_table(values, ROWS, COLS, &o);
    for (size_t c = 0; c < COLS; c++) {
        const facts f = plain_facts(values, ROWS, COLS, c);

        ck_assert_float_eq(p->center[c], (float)f.median);
        ck_assert_float_eq(p->fill[c], (float)f.median);
        ck_assert_float_eq(p->scale_inv[c], (float)(1 / (f.iqr / 1.349)));
    }
    mmli_prep_free(p);
    free(values);
}
END_TEST

/* ---- failures ------------------------------------------------------------------------------------------------------ */

START_TEST(infinity_is_refused_with_sample_and_feature)
{
    const float x[] = {1, 2, 3, 4, 5, -INFINITY, 7, 8};
    const int64_t offsets[] = {0, 1, 1, 3, 4};
    static const char *const ids[] = {"anna", "bert", "cleo", "dora"}, *const features[] = {"HR", "Temp"};
    const size_t train[] = {0, 1, 2, 3}, others[] = {0, 1, 3}, none[] = {1}, twice[] = {0, 3, 0}, far[] = {4};
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_prep *p = NULL;

    mmlt_cohort_begin(&made, 4, ids);
    mmlt_cohort_modality(&made, "vitals", "series", x, offsets, 2, NULL, 0, features);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitals", train, 4, NULL), MML_E_DATA,
                      "modality vitals: sample `cleo`, token 2: feature `Temp` is infinite");
    ck_assert_ptr_null(p);
    mmlt_assert_ok(mmli_prep_fit(&p, cohort, "vitals", others, 3, NULL));
    mmli_prep_free(p);
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitals", none, 1, NULL), MML_E_DATA, "has modality vitals");
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitals", none, 0, NULL), MML_E_DATA, "has modality vitals");
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitals", twice, 3, NULL), MML_E_DATA, "sample `anna`");
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitals", far, 1, NULL), MML_E_ARG, "only 4 samples");
    mmlt_assert_fails(mmli_prep_fit(&p, cohort, "vitas", others, 3, NULL), MML_E_NOT_FOUND, "vitals");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(options_out_of_range_are_named)
{
    const float x[] = {1, 2};
    const size_t train[] = {0, 1};
    const mml_prep_options good = options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
    const struct {
        mml_prep_options o;
        const char *name;
    } bad[] = {
        {{.scaling = (mml_scaling)9}, "scaling"},
        {{.imputation = (mml_imputation)4}, "imputation"},
        {{.indicators = (mml_indicators)3}, "indicators"},
        {{.clip = -1}, "clip"},
        {{.clip = (double)NAN}, "clip"},
        {{.position_bands = 100000}, "bands"},
    };
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_prep *p = NULL;

    mmlt_cohort_begin(&made, 2, NULL);
    mmlt_cohort_modality(&made, "m", "table", x, NULL, 1, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        mmlt_assert_fails(mmli_prep_fit(&p, cohort, "m", train, 2, &bad[i].o), MML_E_ARG, bad[i].name);
    mmlt_assert_ok(mmli_prep_fit(&p, cohort, "m", train, 2, &good));
    mmli_prep_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    const mml_prep_options o = options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    const float x[] = {1, 2, 3, 4, 5, 6};
    const size_t train[] = {0, 1, 2};
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_status st = MML_E_NOMEM;

    mmlt_cohort_begin(&made, 3, NULL);
    mmlt_cohort_modality(&made, "m", "table", x, NULL, 2, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_prep *p = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_prep_fit(&p, cohort, "m", train, 3, &o);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_int_eq(st == MML_OK, p != NULL);
        ck_assert_uint_lt(k, 500);
        mmli_prep_free(p);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/prep_fit");
    TCase *tc = tcase_create("statistics"), *part = tcase_create("training part"), *fail = tcase_create("failures");

    tcase_add_test(tc, standard_scaling_is_by_mean_and_population_deviation);
    tcase_add_test(tc, deviation_is_right_when_the_mean_is_a_million_times_larger);
    tcase_add_test(tc, robust_scaling_is_by_median_and_interquartile_range);
    tcase_add_test(tc, unscaled_values_keep_center_and_scale);
    tcase_add_loop_test(tc, constant_and_empty_columns_get_no_scale, 0, 2);
    tcase_add_loop_test(tc, every_imputation_fills_with_its_own_value, 0, 4);
    tcase_add_test(tc, indicators_are_for_columns_with_gaps_or_for_all);
    tcase_add_loop_test(part, values_outside_the_training_part_change_nothing, 0, 4);
    tcase_add_test(part, every_value_of_the_training_part_counts);
    tcase_add_loop_test(part, neither_the_order_of_training_nor_memory_changes_a_bit, 0, 2);
    tcase_add_test(part, cohort_of_several_chunks_is_learnt_exactly);
    tcase_add_test(part, table_too_wide_for_one_block_of_quantiles_is_learnt_exactly);
    tcase_set_timeout(part, 60);
    tcase_add_test(fail, infinity_is_refused_with_sample_and_feature);
    tcase_add_test(fail, options_out_of_range_are_named);
    tcase_add_test(fail, every_failed_allocation_is_reported);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, part);
    suite_add_tcase(suite, fail);
    return mmlt_main(suite);
}
