/* test_explain.c - what features contribute, for every kind of model and of task. */
#include <math.h>

#include "tests/unit/explain_rig.h"
#include "util/alloc.h"

/* What 2048 points of a path may miss at kinks (ReLU, SELU, |z| of a harmonic mean): a fifth of this was seen. */
#define KINKS 5e-4

static void check_complete(const rig_features *f, double tolerance, double least)
{
    for (size_t b = 0; b < N; b++) {
        double sum = 0, size = 0;
        const mml_attributions *any = NULL;

        for (size_t m = 0; m < MODALITIES; m++) {
            const rig_told *g = &f->got[b][m];

            for (size_t t = 0; g->there && t < g->a.n_tokens; t++)
                for (size_t c = 0; c < g->a.n_columns; c++) {
                    sum += g->value[t][c];
                    size += fabs(g->value[t][c]);
                }
            any = g->there ? &g->a : any;
        }
        if (!any)
            continue;
        ck_assert_double_eq_tol(sum - (any->score - any->baseline), any->gap, 1e-9 * (1 + size));
        ck_assert_msg(fabs(any->gap) <= tolerance * size + KINKS,
                      "sample %zu: attributions sum to %g, scores differ by %g", b, sum, any->score - any->baseline);
        ck_assert_double_ge(size, least);
    }
}


START_TEST(attributions_sum_to_the_difference_of_the_scores)
{
    mml_model *model = rig_model(_i);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f;
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.batch = 5;
    o.points = 64;
    o.tolerance = 0.002;
    f = rig_explain(model, cohort, &o);
    check_complete(f, o.tolerance, 1e-6); /* something is attributed at all */
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            if (model->n == MODALITIES)
                ck_assert_int_eq(f->got[b][m].there, rig_has(m, b));
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* Feature i of modality m among all of them. */
static size_t place(size_t m, size_t i)
{
    return i + (m > 0 ? mmlt_widths[0] : 0) + (m > 1 ? mmlt_widths[1] : 0);
}

/* Sample i differs from the baseline in one number only: then that number is all there is to attribute. So every element of
 * the gradient is seen by itself. */
START_TEST(what_alone_differs_from_the_baseline_gets_the_whole_difference)
{
    mml_model *model = rig_model(_i);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f;
    rig_data d;

    for (size_t m = 0; m < model->n; m++)
        model->members[m].prep->o.indicators = MML_INDICATE_MISSING; /* nothing is: 0 */
    rig_make(&d);
    for (size_t m = 0; m < MODALITIES; m++)
        for (size_t b = 0, t = 0; b < N; b++)
            for (size_t end = (size_t)d.off[m][b + 1]; t < end; t++)
                for (size_t i = 0; i < mmlt_widths[m]; i++)
                    d.x[m][t * mmlt_widths[m] + i] = 0.25f * (float)i + (place(m, i) == b % 9 ? 1.5f : 0);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.points = 64;
    o.tolerance = 0.002;
    f = rig_explain(model, cohort, &o);
    check_complete(f, o.tolerance, 0);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            for (size_t t = 0; f->got[b][m].there && t < f->got[b][m].a.n_tokens; t++)
                for (size_t c = 0; c < f->got[b][m].a.n_columns; c++)
                    if (c >= mmlt_widths[m] || place(m, c) != b % 9)
                        ck_assert_double_eq(f->got[b][m].value[t][c], 0);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* _i: labs with a mask, notes with flags of what is missing (but for feature 1) */
START_TEST(what_was_not_measured_gets_nothing_and_its_absence_goes_to_the_indicator)
{
    const rig_how h = {"mmlego", 0, MML_ENCODER_LINEAR, NULL};
    const size_t width = mmlt_widths[_i];
    mml_model *model = rig_block((size_t)_i, MML_BINARY, &h);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f;
    rig_data d;
    size_t missing = 0;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    f = rig_explain(model, cohort, &o);
    for (size_t b = 0; b < N; b++) {
        const rig_told *g = &f->got[b][_i];

        for (size_t c = 0; g->there && c < g->a.n_columns; c++) {
            const bool known = !isnan(d.x[_i][(size_t)d.off[_i][b] * width + g->feature[c]]);

            ck_assert_int_eq(g->value[0][c] != 0, g->indicator[c] && _i == 1 ? !known : known);
            missing += !known;
        }
        if (g->there)
            ck_assert_uint_eq(g->a.n_columns, _i == 0 ? 8 : 5);
    }
    ck_assert_uint_gt(missing, 5);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(modalities_that_are_not_chosen_stay_as_they_are)
{
    static const char *const chosen[] = {"notes"};
    mml_model *model = rig_model(0);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f;
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.modalities = chosen;
    o.n_modalities = 1;
    f = rig_explain(model, cohort, &o);
    check_complete(f, o.tolerance, 1e-6);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            ck_assert_int_eq(f->got[b][m].there, m == 1 && rig_has(m, b));
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* Merges are differentiated on the host, and the device's memory is not the host's. */
START_TEST(a_device_of_its_own_memory_gives_the_same)
{
    static const rig_how h[] = {{"mmlego", 1, MML_ENCODER_LINEAR, NULL}, {"mmlego", 1, MML_ENCODER_LINEAR, &mmlt_backend_hidden}};
    mml_merge_options merge;
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    const mmlt_tol kernels = {1e-3, 1e-3}; /* float32 kernels of two backends, over all points of the path */
    rig_features *f[2];
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    mmlt_assert_ok(mml_merge_options_init(&merge, "mmlego"));
    for (int i = 0; i < 2; i++) {
        mml_model *model = rig_join(&h[i], MML_SURVIVAL, &merge, NULL);

        f[i] = rig_explain(model, cohort, &o);
        mml_model_free(model);
    }
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            mmlt_assert_close_d(&f[0]->got[b][m].value[0][0], &f[1]->got[b][m].value[0][0], 2 * COLUMNS,
                                kernels);
    mmli_free(f[0]);
    mmli_free(f[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(threads_do_not_change_a_bit)
{
    mml_model *model = rig_model(4);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f, *g;
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.threads = 1;
    f = rig_explain(model, cohort, &o);
    o.threads = 3;
    g = rig_explain(model, cohort, &o);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            mmlt_assert_same_bits(f->got[b][m].value, g->got[b][m].value, sizeof f->got[b][m].value);
    mmli_free(f);
    mmli_free(g);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanations: gradients");
    TCase *tc = tcase_create("explain");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, attributions_sum_to_the_difference_of_the_scores, 0, RIG_MODELS);
    tcase_add_loop_test(tc, what_alone_differs_from_the_baseline_gets_the_whole_difference, 0, RIG_MODELS);
    tcase_add_loop_test(tc, what_was_not_measured_gets_nothing_and_its_absence_goes_to_the_indicator, 0, 2);
    tcase_add_test(tc, modalities_that_are_not_chosen_stay_as_they_are);
    tcase_add_test(tc, a_device_of_its_own_memory_gives_the_same);
    tcase_add_test(tc, threads_do_not_change_a_bit);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
