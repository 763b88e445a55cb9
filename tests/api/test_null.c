/* A NULL where a public function needs something is refused, whatever the other arguments are, and named; where something is
 * made, nothing is. Other arguments point to nothing that could be read: what is missing is asked for first. headers.sh sees to it
 * that no function is left out. */
#include <stdio.h>
#include <string.h>

#include <mmlego/mmlego.h>

#include "tests/support/mmlt.h"

static char room[4096]; /* as an argument of any type: not looked at */
#define ANY ((void *)room)

/* "mml_predict: batch is NULL", made of the call as it is written. argument NULL: only the status (some have words of their own). */
static void refused(const char *call, const char *argument, mml_status st)
{
    char want[200];

    ck_assert_msg(st == MML_E_ARG, "%s: %s, not refused as an argument", call, mml_status_name(st));
    ck_assert_int_eq(mml_last_status(), MML_E_ARG);
    if (argument == NULL)
        return;
    snprintf(want, sizeof want, "%.*s: %s is NULL", (int)strcspn(call, "("), call, argument);
    ck_assert_msg(strcmp(mml_last_error(), want) == 0, "%s: the message is \"%s\"", call, mml_last_error());
}
#define REFUSED(argument, call) refused(#call, argument, call)

static int number(void *user, const mml_prediction *chunk, const size_t *samples)
{
    (void)user;
    (void)chunk;
    (void)samples;
    return 0;
}

START_TEST(data_refuses_null)
{
    mml_batch *b = ANY;
    mml_cohort *c = ANY;
    char *text = room;

    REFUSED("out", mml_batch_new(NULL, 1));
    REFUSED("batch", mml_batch_set(NULL, "m", ANY, ANY, 1, NULL, 0));
    REFUSED("name", mml_batch_set(ANY, NULL, ANY, ANY, 1, NULL, 0));
    REFUSED("offsets", mml_batch_set(ANY, "m", ANY, NULL, 1, NULL, 0));
    ck_assert_int_eq(mml_batch_new(&b, 1), MML_OK);
    REFUSED(NULL, mml_batch_set(b, "m", NULL, (const int64_t[]){0, 1}, 1, NULL, 0));
    REFUSED("batch", mml_batch_set_table(NULL, "m", ANY, NULL, 1));
    REFUSED("name", mml_batch_set_table(ANY, NULL, ANY, NULL, 1));
    REFUSED(NULL, mml_batch_set_table(b, "m", NULL, NULL, 1));
    mml_batch_free(b);
    REFUSED("out", mml_batch_get(NULL, ANY, "m"));
    REFUSED("batch", mml_batch_get(ANY, NULL, "m"));
    REFUSED("name", mml_batch_get(ANY, ANY, NULL));
    REFUSED("out", mml_cohort_open(NULL, "c.h5"));
    REFUSED("path", mml_cohort_open(&c, NULL));
    ck_assert_ptr_null(c);
    REFUSED("out", mml_cohort_modality_at(NULL, ANY, 0));
    REFUSED("cohort", mml_cohort_modality_at(ANY, NULL, 0));
    REFUSED("out", mml_cohort_task_at(NULL, ANY, 0));
    REFUSED("cohort", mml_cohort_task_at(ANY, NULL, 0));
    REFUSED("out", mml_cohort_column_at(NULL, ANY, 0));
    REFUSED("cohort", mml_cohort_column_at(ANY, NULL, 0));
    REFUSED("out", mml_cohort_modality(NULL, ANY, "m"));
    REFUSED("cohort", mml_cohort_modality(ANY, NULL, "m"));
    REFUSED("name", mml_cohort_modality(ANY, ANY, NULL));
    REFUSED("out", mml_cohort_task(NULL, ANY, "t"));
    REFUSED("cohort", mml_cohort_task(ANY, NULL, "t"));
    REFUSED("name", mml_cohort_task(ANY, ANY, NULL));
    REFUSED("out", mml_cohort_column(NULL, ANY, "c"));
    REFUSED("cohort", mml_cohort_column(ANY, NULL, "c"));
    REFUSED("name", mml_cohort_column(ANY, ANY, NULL));
    REFUSED("cohort", mml_cohort_read(NULL, ANY, ANY, 1, ANY, 1));
    REFUSED("batch", mml_cohort_read(ANY, NULL, ANY, 1, ANY, 1));
    REFUSED("samples", mml_cohort_read(ANY, ANY, NULL, 1, ANY, 1));
    REFUSED("names", mml_cohort_read(ANY, ANY, ANY, 1, NULL, 1));
    REFUSED("part", mml_split(NULL, ANY, "t", NULL));
    REFUSED("cohort", mml_split(ANY, NULL, "t", NULL));
    REFUSED("task", mml_split(ANY, ANY, NULL, NULL));
    REFUSED("chosen", mml_select(NULL, ANY, "a=b"));
    REFUSED("cohort", mml_select(ANY, NULL, "a=b"));
    REFUSED("json", mml_cohort_describe(NULL, ANY));
    REFUSED("cohort", mml_cohort_describe(&text, NULL));
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(import_and_export_refuse_null)
{
    char *text = room;

    REFUSED("cohort", mml_export_modality(NULL, "m", MML_EXPORT_VALUES, MML_EXPORT_CSV, "m.csv", NULL, NULL));
    REFUSED("modality", mml_export_modality(ANY, NULL, MML_EXPORT_VALUES, MML_EXPORT_CSV, "m.csv", NULL, NULL));
    REFUSED("path", mml_export_modality(ANY, "m", MML_EXPORT_VALUES, MML_EXPORT_CSV, NULL, NULL, NULL));
    REFUSED("cohort", mml_export_labels(NULL, NULL, MML_EXPORT_CSV, "l.csv", NULL, NULL));
    REFUSED("path", mml_export_labels(ANY, NULL, MML_EXPORT_CSV, NULL, NULL, NULL));
    REFUSED("path", mml_import_with(NULL, "c.h5", NULL, &text));
    ck_assert_ptr_null(text);
    REFUSED(NULL, mml_import_with("c.ini", NULL, NULL, NULL));
    REFUSED("ini_path", mml_import(NULL, "c.h5", NULL, NULL, NULL));
    REFUSED(NULL, mml_import("c.ini", NULL, NULL, NULL, NULL));
    REFUSED("out", mml_file_kind_of(NULL, "f"));
    REFUSED("path", mml_file_kind_of(ANY, NULL));
    REFUSED("json", mml_file_describe(NULL, "f", NULL));
    text = room;
    REFUSED("path", mml_file_describe(&text, NULL, NULL));
    ck_assert_ptr_null(text);
    REFUSED("ini", mml_suggest_cohort(NULL, ANY, 1, NULL));
    text = room;
    REFUSED("paths", mml_suggest_cohort(&text, NULL, 1, NULL));
    ck_assert_ptr_null(text);
    REFUSED(NULL, mml_suggest_cohort(&text, (const char *const[]){NULL}, 1, NULL));
}
END_TEST

START_TEST(models_refuse_null)
{
    int is;
    mml_model *m = ANY;
    char *text = room;
    mml_ignored_column *list = ANY;
    size_t n = 1;

    REFUSED("block", mml_block_options_init(NULL, NULL, NULL, MML_TABLE, MML_BINARY));
    REFUSED("out", mml_encoder_from_name(NULL, "none"));
    REFUSED("name", mml_encoder_from_name(ANY, NULL));
    REFUSED("options", mml_merge_options_init(NULL, NULL));
    REFUSED("options", mml_fuse_options_init(NULL, NULL));
    REFUSED("out", mml_merge(NULL, ANY, 1, NULL));
    REFUSED(NULL, mml_merge(&m, NULL, 1, NULL));
    ck_assert_ptr_null(m);
    REFUSED(NULL, mml_merge(&m, (const mml_model *const[]){NULL}, 1, NULL));
    REFUSED("out", mml_fuse(NULL, ANY, 1, NULL));
    m = ANY;
    REFUSED(NULL, mml_fuse(&m, NULL, 1, NULL));
    ck_assert_ptr_null(m);
    REFUSED(NULL, mml_fuse(&m, (const mml_model *const[]){NULL}, 1, NULL));
    REFUSED("same", mml_model_same_block(NULL, ANY, 0, ANY, 0));
    REFUSED("a", mml_model_same_block(&is, NULL, 0, ANY, 0));
    REFUSED("b", mml_model_same_block(&is, ANY, 0, NULL, 0));
    REFUSED("out", mml_model_load(NULL, "m.h5", NULL, 0));
    m = ANY;
    REFUSED("path", mml_model_load(&m, NULL, NULL, 0));
    ck_assert_ptr_null(m);
    REFUSED("encoders", mml_model_load(&m, "m.h5", NULL, 1));
    REFUSED("model", mml_model_save(NULL, "m.h5"));
    REFUSED("path", mml_model_save(ANY, NULL));
    REFUSED("model", mml_model_save_state(NULL, "m.safetensors"));
    REFUSED("path", mml_model_save_state(ANY, NULL));
    REFUSED("out", mml_model_load_state(NULL, "m.safetensors", NULL, NULL, 0));
    m = ANY;
    REFUSED("path", mml_model_load_state(&m, NULL, NULL, NULL, 0));
    ck_assert_ptr_null(m);
    REFUSED("encoders", mml_model_load_state(&m, "m.safetensors", NULL, NULL, 1));
    REFUSED("json", mml_model_describe(NULL, ANY));
    REFUSED("model", mml_model_describe(&text, NULL));
    ck_assert_ptr_null(text);
    REFUSED("list", mml_model_ignored(NULL, &n, ANY, ANY));
    REFUSED("n", mml_model_ignored(&list, NULL, ANY, ANY));
    REFUSED("model", mml_model_ignored(&list, &n, NULL, ANY));
    ck_assert(list == NULL && n == 0);
    REFUSED("cohort", mml_model_ignored(&list, &n, ANY, NULL));
    REFUSED("out", mml_model_baseline(NULL, ANY));
    REFUSED("model", mml_model_baseline(ANY, NULL));
}
END_TEST

START_TEST(training_refuses_null)
{
    mml_model *m = ANY;
    mml_baseline_options o;

    REFUSED("options", mml_train_options_init(NULL, NULL, MML_TABLE, MML_BINARY));
    REFUSED("options", mml_train_options_init_fuse(NULL, NULL, MML_BINARY));
    REFUSED("out", mml_train_block(NULL, ANY, "m", "t", NULL, NULL, NULL, NULL));
    REFUSED("cohort", mml_train_block(&m, NULL, "m", "t", NULL, NULL, NULL, NULL));
    ck_assert_ptr_null(m);
    REFUSED("modality", mml_train_block(&m, ANY, NULL, "t", NULL, NULL, NULL, NULL));
    REFUSED("task", mml_train_block(&m, ANY, "m", NULL, NULL, NULL, NULL, NULL));
    REFUSED("out", mml_train_fuse(NULL, ANY, ANY, 1, NULL, NULL));
    m = ANY;
    REFUSED("cohort", mml_train_fuse(&m, NULL, ANY, 1, NULL, NULL));
    ck_assert_ptr_null(m);
    REFUSED("models", mml_train_fuse(&m, ANY, NULL, 1, NULL, NULL));
    REFUSED("out", mml_baseline_from_name(NULL, "snn"));
    REFUSED("name", mml_baseline_from_name(ANY, NULL));
    REFUSED("options", mml_baseline_options_init(NULL, MML_BASELINE_SNN));
    ck_assert_int_eq(mml_baseline_options_init(&o, MML_BASELINE_SNN), MML_OK);
    REFUSED("options", mml_baseline_check(NULL, ANY, 1));
    REFUSED("modalities", mml_baseline_check(&o, NULL, 1));
    REFUSED("out", mml_train_baseline(NULL, ANY, ANY, 1, "t", &o, NULL, NULL));
    m = ANY;
    REFUSED("cohort", mml_train_baseline(&m, NULL, ANY, 1, "t", &o, NULL, NULL));
    ck_assert_ptr_null(m);
    REFUSED("modalities", mml_train_baseline(&m, ANY, NULL, 1, "t", &o, NULL, NULL));
    REFUSED("task", mml_train_baseline(&m, ANY, ANY, 1, NULL, &o, NULL, NULL));
    REFUSED(NULL, mml_train_baseline(&m, ANY, ANY, 1, "t", NULL, NULL, NULL));
}
END_TEST

START_TEST(prediction_refuses_null)
{
    mml_predictor *p = ANY;
    mml_explainer *e = ANY;
    mml_prediction result;
    mml_evaluation measured;

    REFUSED("out", mml_predictor_new(NULL, ANY, NULL, 1));
    REFUSED(NULL, mml_predictor_new(&p, NULL, NULL, 1));
    ck_assert_ptr_null(p);
    REFUSED("out", mml_predict(NULL, ANY, ANY));
    REFUSED("predictor", mml_predict(&result, NULL, ANY));
    REFUSED("batch", mml_predict(&result, ANY, NULL));
    REFUSED("predictor", mml_predict_cohort(NULL, ANY, NULL, 0, 0, number, NULL));
    REFUSED("cohort", mml_predict_cohort(ANY, NULL, NULL, 0, 0, number, NULL));
    REFUSED(NULL, mml_predict_cohort(ANY, ANY, NULL, 0, 0, NULL, NULL));
    REFUSED("out", mml_evaluate(NULL, ANY, ANY, NULL));
    REFUSED("model", mml_evaluate(&measured, NULL, ANY, NULL));
    REFUSED("cohort", mml_evaluate(&measured, ANY, NULL, NULL));
    REFUSED("out", mml_explainer_new(NULL, ANY, NULL));
    REFUSED("model", mml_explainer_new(&e, NULL, NULL));
    ck_assert_ptr_null(e);
    REFUSED("explainer", mml_explain_attention(NULL, ANY, NULL, 0, NULL, NULL));
    REFUSED("cohort", mml_explain_attention(ANY, NULL, NULL, 0, NULL, NULL));
    REFUSED(NULL, mml_explain_attention(ANY, ANY, NULL, 0, NULL, NULL));
    REFUSED("explainer", mml_explain_modalities(NULL, ANY, NULL, 0, NULL, NULL));
    REFUSED("cohort", mml_explain_modalities(ANY, NULL, NULL, 0, NULL, NULL));
    REFUSED(NULL, mml_explain_modalities(ANY, ANY, NULL, 0, NULL, NULL));
    REFUSED("explainer", mml_explain_gradients(NULL, ANY, NULL, 0, NULL, NULL));
    REFUSED("cohort", mml_explain_gradients(ANY, NULL, NULL, 0, NULL, NULL));
    REFUSED(NULL, mml_explain_gradients(ANY, ANY, NULL, 0, NULL, NULL));
}
END_TEST

START_TEST(comparison_bench_and_plots_refuse_null)
{
    mml_compare *plan = ANY;
    mml_model *m = ANY;
    mml_batch *b = ANY;
    char *text = room;
    const mml_plot_text words = {.title = "t"};
    const double x[1] = {1};

    REFUSED("text", mml_build_info(NULL));
    REFUSED("text", mml_device_describe(NULL, "cpu"));
    REFUSED("out", mml_compare_new(NULL, NULL));
    REFUSED(NULL, mml_compare_new(&plan, NULL));
    ck_assert_ptr_null(plan);
    REFUSED("out", mml_compare_job_at(NULL, ANY, 0));
    REFUSED("plan", mml_compare_job_at(ANY, NULL, 0));
    REFUSED("plan", mml_compare_run(ANY, NULL, 0, NULL, NULL));
    REFUSED("plan", mml_compare_look(NULL, 0));
    REFUSED("plan", mml_compare_fail(NULL, 0, "why"));
    REFUSED("message", mml_compare_fail(ANY, 0, NULL));
    REFUSED("directories", mml_compare_collect(&text, NULL, 1, "d"));
    ck_assert_ptr_null(text);
    REFUSED("out", mml_compare_collect(NULL, ANY, 1, NULL));
    REFUSED("html", mml_report_html(NULL, ANY, 1));
    text = room;
    REFUSED("files", mml_report_html(&text, NULL, 1));
    ck_assert_ptr_null(text);
    REFUSED("out", mml_bench_case_at(NULL, 0));
    REFUSED("out", mml_bench_run(NULL, "table-train-32", NULL));
    REFUSED("name", mml_bench_run(ANY, NULL, NULL));
    REFUSED("out", mml_bench_model(NULL, "table-train-32", NULL));
    REFUSED("name", mml_bench_model(&m, NULL, NULL));
    REFUSED("out", mml_bench_batch(NULL, "table-train-32"));
    REFUSED("name", mml_bench_batch(&b, NULL));
    ck_assert(m == NULL && b == NULL);
    REFUSED("out", mml_bench_measure_limits(NULL, NULL));
    REFUSED("svg", mml_plot_bars(NULL, &words, ANY, x, 1));
    REFUSED("text", mml_plot_bars(&text, NULL, ANY, x, 1));
    REFUSED("names", mml_plot_bars(&text, &words, NULL, x, 1));
    REFUSED("values", mml_plot_bars(&text, &words, ANY, NULL, 1));
    REFUSED("svg", mml_plot_grid(NULL, &words, ANY, 1, NULL, 1, x));
    REFUSED("text", mml_plot_grid(&text, NULL, ANY, 1, NULL, 1, x));
    REFUSED("row_names", mml_plot_grid(&text, &words, NULL, 1, NULL, 1, x));
    REFUSED("values", mml_plot_grid(&text, &words, ANY, 1, NULL, 1, NULL));
    REFUSED("svg", mml_plot_patches(NULL, &words, x, x, x, 1));
    REFUSED("text", mml_plot_patches(&text, NULL, x, x, x, 1));
    REFUSED("x", mml_plot_patches(&text, &words, NULL, x, x, 1));
    REFUSED("y", mml_plot_patches(&text, &words, x, NULL, x, 1));
    REFUSED("values", mml_plot_patches(&text, &words, x, x, NULL, 1));
}
END_TEST

/* Every pointer of a metric that is not said to be optional, one after the other; arrays of two. */
START_TEST(metrics_refuse_null)
{
    double y[4];
    int32_t k[4];
    size_t m[4];
    const int32_t l[2] = {0, 1};
    const double p[4] = {0.25, 0.75, 0.75, 0.25}, t[2] = {1, 2};
    const uint8_t e[2] = {1, 1}, g[2] = {0, 1};
    mml_metric_input in;
    mml_interval interval;

    mml_metric_input_init(&in);
    REFUSED(NULL, mml_metric_auc(NULL, l, p, 2));
    REFUSED(NULL, mml_metric_auc(y, NULL, p, 2));
    REFUSED(NULL, mml_metric_auc(y, l, NULL, 2));
    REFUSED(NULL, mml_metric_average_precision(NULL, l, p, 2));
    REFUSED(NULL, mml_metric_average_precision(y, NULL, p, 2));
    REFUSED(NULL, mml_metric_average_precision(y, l, NULL, 2));
    REFUSED(NULL, mml_metric_brier(NULL, l, p, 2));
    REFUSED(NULL, mml_metric_brier(y, NULL, p, 2));
    REFUSED(NULL, mml_metric_brier(y, l, NULL, 2));
    REFUSED(NULL, mml_metric_log_loss(NULL, l, p, 2));
    REFUSED(NULL, mml_metric_log_loss(y, NULL, p, 2));
    REFUSED(NULL, mml_metric_log_loss(y, l, NULL, 2));
    REFUSED(NULL, mml_metric_f1(NULL, l, p, 2, 0.5));
    REFUSED(NULL, mml_metric_f1(y, NULL, p, 2, 0.5));
    REFUSED(NULL, mml_metric_f1(y, l, NULL, 2, 0.5));
    REFUSED(NULL, mml_metric_roc(NULL, y, y, l, p, 2));
    REFUSED(NULL, mml_metric_roc(m, NULL, y, l, p, 2));
    REFUSED(NULL, mml_metric_roc(m, y, NULL, l, p, 2));
    REFUSED(NULL, mml_metric_roc(m, y, y, NULL, p, 2));
    REFUSED(NULL, mml_metric_roc(m, y, y, l, NULL, 2));
    REFUSED(NULL, mml_metric_reliability(NULL, y, y, m, l, p, 2, 1));
    REFUSED(NULL, mml_metric_reliability(m, NULL, y, m, l, p, 2, 1));
    REFUSED(NULL, mml_metric_reliability(m, y, NULL, m, l, p, 2, 1));
    REFUSED(NULL, mml_metric_reliability(m, y, y, NULL, l, p, 2, 1));
    REFUSED(NULL, mml_metric_reliability(m, y, y, m, NULL, p, 2, 1));
    REFUSED(NULL, mml_metric_reliability(m, y, y, m, l, NULL, 2, 1));
    REFUSED(NULL, mml_metric_argmax(NULL, p, 2, 2));
    REFUSED(NULL, mml_metric_argmax(k, NULL, 2, 2));
    REFUSED(NULL, mml_metric_accuracy(NULL, l, l, 2, 2));
    REFUSED(NULL, mml_metric_accuracy(y, NULL, l, 2, 2));
    REFUSED(NULL, mml_metric_accuracy(y, l, NULL, 2, 2));
    REFUSED(NULL, mml_metric_confusion(NULL, l, l, 2, 2));
    REFUSED(NULL, mml_metric_confusion(ANY, NULL, l, 2, 2));
    REFUSED(NULL, mml_metric_confusion(ANY, l, NULL, 2, 2));
    REFUSED(NULL, mml_metric_macro_f1(NULL, l, l, 2, 2));
    REFUSED(NULL, mml_metric_macro_f1(y, NULL, l, 2, 2));
    REFUSED(NULL, mml_metric_macro_f1(y, l, NULL, 2, 2));
    REFUSED(NULL, mml_metric_macro_auc(NULL, NULL, l, p, 2, 2));
    REFUSED(NULL, mml_metric_macro_auc(y, NULL, NULL, p, 2, 2));
    REFUSED(NULL, mml_metric_macro_auc(y, NULL, l, NULL, 2, 2));
    REFUSED(NULL, mml_metric_cindex(NULL, NULL, p, t, e, 2));
    REFUSED(NULL, mml_metric_cindex(y, NULL, NULL, t, e, 2));
    REFUSED(NULL, mml_metric_cindex(y, NULL, p, NULL, e, 2));
    REFUSED(NULL, mml_metric_cindex(y, NULL, p, t, NULL, 2));
    REFUSED(NULL, mml_metric_kaplan_meier(NULL, y, y, NULL, NULL, t, e, 2));
    REFUSED(NULL, mml_metric_kaplan_meier(m, NULL, y, NULL, NULL, t, e, 2));
    REFUSED(NULL, mml_metric_kaplan_meier(m, y, NULL, NULL, NULL, t, e, 2));
    REFUSED(NULL, mml_metric_kaplan_meier(m, y, y, NULL, NULL, NULL, e, 2));
    REFUSED(NULL, mml_metric_kaplan_meier(m, y, y, NULL, NULL, t, NULL, 2));
    REFUSED(NULL, mml_metric_logrank(NULL, NULL, t, e, g, 2));
    REFUSED(NULL, mml_metric_logrank(y, NULL, NULL, e, g, 2));
    REFUSED(NULL, mml_metric_logrank(y, NULL, t, NULL, g, 2));
    REFUSED(NULL, mml_metric_logrank(y, NULL, t, e, NULL, 2));
    REFUSED(NULL, mml_metric_survival_edges(NULL, 1, t, e, 2));
    REFUSED(NULL, mml_metric_survival_edges(y, 1, NULL, e, 2));
    REFUSED(NULL, mml_metric_survival_edges(y, 1, t, NULL, 2));
    REFUSED(NULL, mml_metric_survival_labels(NULL, t, 1, t, 2));
    REFUSED(NULL, mml_metric_survival_labels(k, NULL, 1, t, 2));
    REFUSED(NULL, mml_metric_survival_labels(k, t, 1, NULL, 2));
    REFUSED(NULL, mml_metric_km_hazards(NULL, t, 1, t, e, 2));
    REFUSED(NULL, mml_metric_km_hazards(y, NULL, 1, t, e, 2));
    REFUSED(NULL, mml_metric_km_hazards(y, t, 1, NULL, e, 2));
    REFUSED(NULL, mml_metric_km_hazards(y, t, 1, t, NULL, 2));
    REFUSED(NULL, mml_metric_r2(NULL, t, t, 2));
    REFUSED(NULL, mml_metric_r2(y, NULL, t, 2));
    REFUSED(NULL, mml_metric_r2(y, t, NULL, 2));
    REFUSED(NULL, mml_metric_rmse(NULL, t, t, 2));
    REFUSED(NULL, mml_metric_rmse(y, NULL, t, 2));
    REFUSED(NULL, mml_metric_rmse(y, t, NULL, 2));
    REFUSED(NULL, mml_metric_probit(NULL, 0.5));
    REFUSED(NULL, mml_metric_dprime(NULL, 0.5, 1));
    REFUSED(NULL, mml_metric_compute(NULL, MML_METRIC_AUC, &in));
    REFUSED(NULL, mml_metric_compute(y, MML_METRIC_AUC, NULL));
    REFUSED(NULL, mml_metric_bootstrap(NULL, MML_METRIC_AUC, &in, NULL));
    REFUSED(NULL, mml_metric_bootstrap(&interval, MML_METRIC_AUC, NULL, NULL));
}
END_TEST

START_TEST(nothing_is_freed_without_a_word)
{
    mml_string_free(NULL);
    mml_batch_free(NULL);
    mml_cohort_close(NULL);
    mml_model_free(NULL);
    mml_predictor_free(NULL);
    mml_ignored_columns_free(NULL);
    mml_explainer_free(NULL);
    mml_compare_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("null");
    TCase *tc = tcase_create("null");

    tcase_add_test(tc, data_refuses_null);
    tcase_add_test(tc, import_and_export_refuse_null);
    tcase_add_test(tc, models_refuse_null);
    tcase_add_test(tc, training_refuses_null);
    tcase_add_test(tc, prediction_refuses_null);
    tcase_add_test(tc, comparison_bench_and_plots_refuse_null);
    tcase_add_test(tc, metrics_refuse_null);
    tcase_add_test(tc, nothing_is_freed_without_a_word);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
