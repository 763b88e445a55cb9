/* test_explain_score.c - the score that is explained, options, plots, memory. */
#include <math.h>
#include <string.h>

#include "tests/unit/explain_rig.h"
#include "util/alloc.h"

/* Against central differences in float64 of the score of float32 logits. */
START_TEST(the_derivative_of_the_score_is_right)
{
    mmli_task *task = mmlt_task((mml_task_kind)_i);
    float z[4] = {0.5f, -0.75f, 0.25f, 1.5f}, g[4];

    for (size_t cls = 0; cls < task->outputs; cls++) {
        mmli_score_grad(g, task, z, cls);
        for (size_t j = 0; j < task->outputs; j++) {
            const float at = z[j], h = 1.0f / 64;
            double up, down;

            z[j] = at + h;
            up = mmli_score(task, z, cls);
            z[j] = at - h;
            down = mmli_score(task, z, cls);
            z[j] = at;
            ck_assert_double_eq_tol((double)g[j], (up - down) / (2 * (double)h), 1e-4);
        }
    }
    mmli_task_free(task);
}
END_TEST

/* Of a linear model the gradient is its weights, everywhere: attribution = weight (x - baseline). */
START_TEST(attributions_of_a_linear_model_are_its_terms)
{
    mml_model *model = rig_baseline(MML_BASELINE_LINEAR, 0, 0, MML_REGRESSION);
    const mmli_prep *prep = model->members[0].prep;
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    rig_features *f;
    float w[COLUMNS], *x = NULL;
    size_t at = 0;
    rig_data d;

    for (size_t i = 0; i < model->params->n; i++)
        if (model->params->list[i].role == MMLI_ROLE_WEIGHT)
            at = i;
    ck_assert_uint_eq(model->params->list[at].rows * model->params->list[at].cols, COLUMNS);
    mmlt_assert_ok(mmli_params_get(w, model->params, at));
    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    f = rig_explain(model, cohort, &o);
    mmlt_assert_ok(mmli_calloc(&x, N * COLUMNS, sizeof *x));
    mmlt_assert_ok(mmli_prep_apply(x, prep, &(mml_tokens){"labs", d.x[0], d.off[0], 4, NULL, 0}, N));
    for (size_t b = 0; b < N; b++)
        for (size_t c = 0; f->got[b][0].there && c < COLUMNS; c++) {
            const size_t row = (size_t)d.off[0][b];
            const bool known = c >= 4 || !isnan(d.x[0][row * 4 + c]); /* else the baseline has the imputed value, too */
            const double want = known ? model->task->sd * (double)w[c] * (double)x[row * COLUMNS + c] : 0;

            ck_assert_double_eq_tol(f->got[b][0].value[0][c], want, 1e-6 * (1 + fabs(want))); /* float32 weights */
        }
    mmli_free(x);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

static int unused(void *user, const mml_attention *a)
{
    (void)a;
    ++*(int *)user;
    return 0;
}

START_TEST(a_baseline_has_no_attention_to_show)
{
    mml_model *model = rig_baseline(MML_BASELINE_SNN, 0, 0, MML_BINARY);
    mml_explainer *e = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;
    int calls = 0;
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mmlt_assert_ok(mml_explainer_new(&e, model, NULL));
    mmlt_assert_fails(mml_explain_attention(e, cohort, NULL, 0, unused, &calls), MML_E_ARG, "this one is a baseline (snn)");
    ck_assert_int_eq(calls, 0);
    mml_explainer_free(e);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(options_that_cannot_be_are_refused)
{
    static const char *const unknown[] = {"lab"};
    mml_model *model = mmlt_one(0, MML_MULTICLASS, NULL), *value = mmlt_one(0, MML_REGRESSION, NULL);
    mml_explain_options o;
    mml_explainer *e = NULL;

    mml_explain_options_init(&o);
    o.target = "d";
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_NOT_FOUND, "task outcome has no class `d`; it has a, b, c");
    ck_assert_ptr_null(e);
    mmlt_assert_fails(mml_explainer_new(&e, value, &o), MML_E_ARG, "no classes");
    o.target = "b";
    mmlt_assert_ok(mml_explainer_new(&e, model, &o));
    ck_assert_str_eq(mml_explainer_score(e), "log odds of b");
    mml_explainer_free(e);
    o.modalities = unknown;
    o.n_modalities = 1;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_NOT_FOUND, "no modality lab; it has labs");
    mml_explain_options_init(&o);
    o.points = 1;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "points");
    mml_explain_options_init(&o);
    o.tolerance = 0;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "tolerance");
    o.struct_size = 3;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "struct_size");
    mmlt_assert_fails(mml_explainer_new(&e, NULL, NULL), MML_E_ARG, "model");
    mml_explainer_free(NULL);
    mml_model_free(model);
    mml_model_free(value);
}
END_TEST

static int stop(void *user, const mml_attributions *a)
{
    (void)user;
    (void)a;
    return 1;
}

/* Names and titles are anybody's: nothing of them is markup. */
START_TEST(plots_are_files_of_their_own)
{
    static const char *const names[] = {"<b>&", "g2"};
    static const double values[] = {1, -2, NAN, 4}, x[] = {0, 0.5, 0.25, 0.75}, y[] = {0, 0.25, 0.5, 0};
    const mml_plot_text text = {"A <title>", "p&1", "hours", "weight"};
    char *svg[3] = {NULL};

    mmlt_assert_ok(mml_plot_bars(&svg[0], &text, names, values, 2));
    mmlt_assert_ok(mml_plot_grid(&svg[1], &text, names, 2, NULL, 2, values));
    mmlt_assert_ok(mml_plot_patches(&svg[2], &text, x, y, values, 4));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strstr(svg[i], "<svg"));
        ck_assert_ptr_nonnull(strstr(svg[i], "xmlns=\"http://www.w3.org/2000/svg\""));
        ck_assert_ptr_nonnull(strstr(svg[i], "A &lt;title"));
        ck_assert_ptr_nonnull(strstr(svg[i], "</svg>"));
        ck_assert_ptr_null(strstr(svg[i], "<b>"));
        ck_assert_ptr_null(strstr(svg[i], "nan"));
        if (i < 2)
            ck_assert_ptr_nonnull(strstr(svg[i], "&lt;b&gt;&amp;"));
        mml_string_free(svg[i]);
    }
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mml_plot_bars(&svg[0], &text, names, values, 2), MML_E_NOMEM, "");
    mmli_alloc_fail_at(0);
    ck_assert_ptr_null(svg[0]);
}
END_TEST

static int count(void *user, const mml_contribution *c)
{
    (void)c;
    ++*(size_t *)user;
    return 0;
}

START_TEST(memory_that_cannot_be_had_is_a_clean_failure)
{
    mml_model *model = rig_model(3);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;
    rig_data d;

    rig_make(&d);
    cohort = rig_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.points = 2;
    o.tolerance = 1e9;
    while (st != MML_OK) {
        const size_t samples[] = {0, 3};
        mml_explainer *e = NULL;
        size_t told = 0;

        ck_assert_uint_lt(++k, 3000);
        mmli_alloc_fail_at(k);
        st = mml_explainer_new(&e, model, &o);
        st = st == MML_OK ? mml_explain_modalities(e, cohort, samples, 2, count, &told) : st;
        st = st == MML_OK ? mml_explain_gradients(e, cohort, samples, 2, stop, NULL) : st;
        st = st == MML_E_STOPPED ? MML_OK : st;
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        ck_assert_uint_le(told, 2 * MODALITIES);
        mml_explainer_free(e);
    }
    ck_assert_uint_gt(k, 40);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanations: scores and options");
    TCase *tc = tcase_create("explain");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_derivative_of_the_score_is_right, 0, TASKS);
    tcase_add_test(tc, attributions_of_a_linear_model_are_its_terms);
    tcase_add_test(tc, a_baseline_has_no_attention_to_show);
    tcase_add_test(tc, options_that_cannot_be_are_refused);
    tcase_add_test(tc, plots_are_files_of_their_own);
    tcase_add_test(tc, memory_that_cannot_be_had_is_a_clean_failure);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
