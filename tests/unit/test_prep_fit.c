/* test_prep_fit.c - the statistics that preprocessing learns, and what it refuses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/prep_help.h"
#include "util/alloc.h"

/* One float32 rounding, and what the plain way itself loses. */
static void assert_near(float got, double want)
{
    ck_assert_double_eq_tol((double)got, want, 1.2e-7 * fabs(want) + 1e-12);
}

START_TEST(standard_scaling_is_by_mean_and_population_deviation)
{
    const float x[] = {1, 10, 3, NAN, 8, 30};
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
    mmli_prep *p = mmlt_prep_fit(x, 3, 2, &o);

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
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_STANDARD, MML_IMPUTE_ZERO);
    mmli_prep *p;

    for (size_t i = 0; i < N; i++)
        x[i] = 4194304.0f + (i % 2 ? 0.5f : -0.5f); /* both are floats */
    p = mmlt_prep_fit(x, N, 1, &o);
    ck_assert_float_eq(p->center[0], 4194304.0f);
    ck_assert_float_eq(p->scale_inv[0], 2.0f);
    mmli_prep_free(p);
}
END_TEST

START_TEST(robust_scaling_is_by_median_and_interquartile_range)
{
    const float x[] = {1, 0, 2, 0, 3, 0, 4, 0, 1000, 1};
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_ROBUST, MML_IMPUTE_ZERO);
    mmli_prep *p = mmlt_prep_fit(x, 5, 2, &o);

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
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_NONE, MML_IMPUTE_MEDIAN);
    mmli_prep *p = mmlt_prep_fit(x, 2, 3, &o);

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
    enum { ROWS = 1000, COLS = 50 };
    static float x[ROWS * COLS];
    mml_prep_options o = mmlt_prep_options(_i == 0 ? MML_SCALE_STANDARD : MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
    mmli_prep *p;

    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = i % 7 == 0 ? NAN : 0.1f * (float)(i % COLS);
    for (size_t r = 0; r < ROWS; r++)
        x[r * COLS + 3] = NAN;
    p = mmlt_prep_fit(x, ROWS, COLS, &o);
    for (size_t c = 0; c < COLS; c++) {
        ck_assert_float_eq(p->scale_inv[c], 0);
        ck_assert_float_eq(p->center[c], c == 3 ? 0 : 0.1f * (float)c);
        ck_assert_float_eq(p->fill[c], p->center[c]);
    }
    mmli_prep_free(p);
}
END_TEST

START_TEST(every_imputation_fills_with_its_own_value)
{
    static const float x[] = {0, 1, 8, NAN}; /* mean 3, median 1 */
    static const float want[] = {1, 3, 3, 1}; /* zero: 0 after scaling, so the mean; locf: before anything was measured */
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_STANDARD, (mml_imputation)_i);
    mmli_prep *p = mmlt_prep_fit(x, 4, 1, &o);

    ck_assert_float_eq(p->fill[0], want[_i]);
    mmli_prep_free(p);
}
END_TEST

START_TEST(indicators_are_for_columns_with_gaps_or_for_all)
{
    const float x[] = {0, NAN, 2, 1, 1, 5};
    mml_prep_options o = mmlt_prep_options(MML_SCALE_STANDARD, MML_IMPUTE_MEDIAN);
    mmli_prep *p;

    o.indicators = MML_INDICATE_MISSING;
    p = mmlt_prep_fit(x, 2, 3, &o);
    ck_assert(!p->indicator[0] && p->indicator[1] && !p->indicator[2]);
    ck_assert_uint_eq(p->width_out, 4);
    mmli_prep_free(p);
    o.indicators = MML_INDICATE_MASK;
    o.position_bands = 3;
    p = mmlt_prep_fit(x, 2, 3, &o);
    ck_assert(p->indicator[0] && p->indicator[1] && p->indicator[2]);
    ck_assert_uint_eq(p->width_out, 3 + 3 + 7);
    mmli_prep_free(p);
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
    const mml_prep_options good = mmlt_prep_options(MML_SCALE_STANDARD, MML_IMPUTE_MEAN);
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
    const mml_prep_options o = mmlt_prep_options(MML_SCALE_ROBUST, MML_IMPUTE_MEDIAN);
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
    TCase *tc = tcase_create("statistics"), *fail = tcase_create("failures");

    tcase_add_test(tc, standard_scaling_is_by_mean_and_population_deviation);
    tcase_add_test(tc, deviation_is_right_when_the_mean_is_a_million_times_larger);
    tcase_add_test(tc, robust_scaling_is_by_median_and_interquartile_range);
    tcase_add_test(tc, unscaled_values_keep_center_and_scale);
    tcase_add_loop_test(tc, constant_and_empty_columns_get_no_scale, 0, 2);
    tcase_add_loop_test(tc, every_imputation_fills_with_its_own_value, 0, 4);
    tcase_add_test(tc, indicators_are_for_columns_with_gaps_or_for_all);
    tcase_add_test(fail, infinity_is_refused_with_sample_and_feature);
    tcase_add_test(fail, options_out_of_range_are_named);
    tcase_add_test(fail, every_failed_allocation_is_reported);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, fail);
    return mmlt_main(suite);
}
