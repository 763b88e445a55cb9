/* test_evaluate.c - which samples a model is scored on, what the scores are, and the guard against training samples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "mmlego/metrics.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

enum { N = 90 }; /* s0 .. s39 train, s40 .. s49 valid, s50 .. s89 test */

static mml_model *model_of(mml_task_kind task, const char *modality, size_t width, const char *const *train, size_t n_train)
{
    static char text[N][8];
    const char *ids[N];

    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "s%zu", i);
        ids[i] = text[i];
    }
    return mmlt_block(&(mmlt_block_spec){.modality = modality,
                                         .width = width,
                                         .task = task,
                                         .seed = 3,
                                         .valid_score = 0.7,
                                         .ids = {train ? train : ids, ids + 40, ids + 50},
                                         .n_ids = {train ? n_train : 40, 10, 40}});
}

typedef struct truth {
    double value[N];
    uint8_t event[N];
} truth;

/* Samples 6, 12, ... lack labs; 5, 10, ... have no label. Column set: a for even samples, b for odd. Groups of two when
 * asked for: g0 = s0, s1. */
static mml_cohort *cohort_of(mmlt_cohort *made, mml_task_kind kind, truth *t, bool groups)
{
    static const char *const two[] = {"no", "yes"}, *const three[] = {"a", "b", "c"};
    int64_t offsets[N + 1] = {0};
    float x[N * 4];
    char *group[N], *column[N];
    hid_t columns;

    mmlt_normal(x, N * 4, 21);
    for (size_t i = 0; i < N; i++) {
        const bool known = i % 5 != 0;

        offsets[i + 1] = offsets[i] + (i % 6 != 0);
        t->event[i] = i % 3 != 0;
        t->value[i] = !known ? (kind == MML_SURVIVAL || kind == MML_REGRESSION ? NAN : -1)
                      : kind == MML_BINARY ? (double)(i % 7 < 3)
                      : kind == MML_MULTICLASS ? (double)(i % 3)
                                               : (double)(i * 31 % 17) / 2;
        mmlt_assert_ok(mmli_strf(&group[i], "g%zu", i / 2));
        mmlt_assert_ok(mmli_strdup(&column[i], i % 2 ? "b" : "a"));
    }
    mmlt_cohort_begin(made, N, NULL);
    mmlt_cohort_modality(made, "labs", "table", x, offsets, 4, NULL, 0, NULL);
    if (kind == MML_SURVIVAL)
        mmlt_cohort_survival(made, "outcome", "months", t->value, t->event);
    else if (kind == MML_REGRESSION)
        mmlt_cohort_values(made, "outcome", t->value);
    else
        mmlt_cohort_classes(made, "outcome", kind == MML_BINARY ? "binary" : "multiclass", kind == MML_BINARY ? two : three,
                            kind == MML_BINARY ? 2 : 3, t->value);
    mmlt_assert_ok(mmli_h5_group_new(&columns, made->file, made->path, "columns"));
    mmlt_assert_ok(mmli_h5_put_texts((const char *const *)column, N, columns, made->path, "set"));
    mmli_h5_drop(columns);
    if (groups)
        mmlt_assert_ok(mmli_h5_put_texts((const char *const *)group, N, made->file, made->path, "samples/group"));
    for (size_t i = 0; i < N; i++) {
        mmli_free(group[i]);
        mmli_free(column[i]);
    }
    return mmlt_cohort_open(made);
}

static mml_evaluate_options on(const char *what, size_t bootstrap)
{
    mml_evaluate_options o;

    mml_evaluate_options_init(&o);
    o.on = what;
    o.bootstrap = bootstrap;
    o.threads = 1;
    return o;
}

/* Predictions of all samples. */
typedef struct predictions {
    double score[N], output[N * 4];
} predictions;

static int take(void *user, const mml_prediction *chunk, const size_t *samples)
{
    predictions *p = user;

    for (size_t b = 0; b < chunk->n; b++) {
        p->score[samples[b]] = chunk->score[b];
        for (size_t j = 0; j < chunk->k; j++)
            p->output[samples[b] * chunk->k + j] = (double)chunk->output[b * chunk->k + j];
    }
    return 0;
}

static const mml_metric_value *metric(const mml_evaluation *e, const char *name)
{
    for (size_t i = 0; i < e->n_metrics; i++)
        if (strcmp(e->metrics[i].name, name) == 0)
            return &e->metrics[i];
    ck_abort_msg("no metric %s", name);
    return NULL;
}

START_TEST(metrics_are_those_of_the_predictions_of_the_chosen_samples)
{
    static const char *const first[] = {"auc", "macro_auc", "cindex", "r2"};
    const mml_task_kind kind = (mml_task_kind)_i;
    mml_model *model = model_of(kind, "labs", 4, NULL, 0);
    mml_predictor *p = NULL;
    predictions *all = calloc(1, sizeof *all);
    truth t;
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, kind, &t, false);
    mml_evaluate_options o = on(NULL, 0); /* the model's own test part */
    mml_evaluation e;
    int32_t label[N];
    double score[N * 3], value[N], want, other;
    uint8_t event[N];
    size_t n = 0, events = 0;
    mml_cindex_pairs pairs;

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, take, all));
    for (size_t i = 50; i < N; i++) {
        if (i % 5 == 0)
            continue;
        label[n] = (int32_t)t.value[i];
        value[n] = t.value[i];
        event[n] = t.event[i];
        events += kind == MML_BINARY ? label[n] == 1 : kind == MML_SURVIVAL ? event[n] : 0;
        if (kind == MML_MULTICLASS)
            memcpy(score + 3 * n, all->output + 3 * i, 3 * sizeof *score);
        else
            score[n] = all->score[i];
        n++;
    }
    mmlt_assert_ok(mml_evaluate(&e, model, cohort, &o));
    ck_assert_uint_eq(e.n, n);
    ck_assert_uint_eq(e.n, 32);
    ck_assert_uint_eq(e.n_unlabelled, 8);
    ck_assert_uint_eq(e.n_prior, 5); /* s54, s66, s72, s78, s84: s60 has no label */
    ck_assert_uint_eq(e.n_leaked, 0);
    ck_assert_uint_eq(e.n_events, events);
    ck_assert_str_eq(e.metrics[0].name, first[_i]);
    switch (kind) {
    case MML_BINARY:
        mmlt_assert_ok(mml_metric_auc(&want, label, score, n));
        mmlt_assert_ok(mml_metric_brier(&other, label, score, n));
        ck_assert_double_eq_tol(metric(&e, "brier")->value, other, 1e-6); /* float32 predictions of other chunks */
        ck_assert_uint_eq(e.n_metrics, 6);
        break;
    case MML_MULTICLASS:
        mmlt_assert_ok(mml_metric_macro_auc(&want, NULL, label, score, n, 3));
        other = 0;
        for (size_t i = 0; i < n; i++)
            other -= log(score[3 * i + (size_t)label[i]]) / (double)n;
        ck_assert_double_eq_tol(metric(&e, "log_loss")->value, other, 1e-6);
        ck_assert_uint_eq(e.n_metrics, 4);
        break;
    case MML_SURVIVAL:
        mmlt_assert_ok(mml_metric_cindex(&want, &pairs, score, value, event, n));
        ck_assert(metric(&e, "comparable_pairs")->value == (double)pairs.comparable);
        break;
    case MML_REGRESSION:
    default:
        mmlt_assert_ok(mml_metric_r2(&want, value, score, n));
        mmlt_assert_ok(mml_metric_rmse(&other, value, score, n));
        ck_assert_double_eq_tol(metric(&e, "rmse")->value, other, 1e-6);
    }
    ck_assert_double_eq_tol(e.metrics[0].value, want, 1e-6);
    ck_assert(isnan(e.metrics[0].low) && isnan(e.metrics[0].high));
    free(all);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(intervals_hold_the_value_and_repeat_to_the_bit)
{
    mml_model *model = model_of((mml_task_kind)_i, "labs", 4, NULL, 0);
    truth t;
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, (mml_task_kind)_i, &t, false);
    mml_evaluate_options o = on("all", 200);
    mml_evaluation a, b;

    mmlt_assert_ok(mml_evaluate(&a, model, cohort, &o));
    o.threads = 2;
    mmlt_assert_ok(mml_evaluate(&b, model, cohort, &o));
    mmlt_assert_same_bits(a.metrics, b.metrics, a.n_metrics * sizeof *a.metrics);
    for (size_t i = 0; i < a.n_metrics; i++)
        if (strcmp(a.metrics[i].name, "comparable_pairs") != 0) {
            ck_assert_msg(a.metrics[i].low <= a.metrics[i].value && a.metrics[i].value <= a.metrics[i].high, "%s",
                          a.metrics[i].name);
            ck_assert(a.metrics[i].low < a.metrics[i].high);
        }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(patients_with_several_samples_are_resampled_whole)
{
    mml_model *model = model_of(MML_BINARY, "labs", 4, NULL, 0);
    truth t;
    mml_evaluation e[2];

    for (size_t groups = 0; groups < 2; groups++) {
        mmlt_cohort made;
        mml_cohort *cohort = cohort_of(&made, MML_BINARY, &t, groups);
        mml_evaluate_options o = on("all", 100);

        mmlt_assert_ok(mml_evaluate(&e[groups], model, cohort, &o));
        mml_cohort_close(cohort);
        mmlt_cohort_remove(&made);
    }
    ck_assert(e[0].metrics[0].value == e[1].metrics[0].value);
    ck_assert(e[0].metrics[0].low != e[1].metrics[0].low || e[0].metrics[0].high != e[1].metrics[0].high);
    mml_model_free(model);
}
END_TEST

START_TEST(samples_are_chosen_by_part_or_condition)
{
    static const struct {
        const char *on;
        size_t n, unlabelled, leaked;
    } cases[] = {{"train", 32, 8, 32}, {"valid", 8, 2, 0}, {"test", 32, 8, 0}, {"all", 72, 18, 32}, {"set=a", 36, 9, 16},
                 {"set=a,b", 72, 18, 32}};
    mml_model *model = model_of(MML_BINARY, "labs", 4, NULL, 0);
    truth t;
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, MML_BINARY, &t, false);
    mml_evaluate_options o = on(cases[_i].on, 0);
    mml_evaluation e;

    mmlt_assert_ok(mml_evaluate(&e, model, cohort, &o));
    ck_assert_uint_eq(e.n, cases[_i].n);
    ck_assert_uint_eq(e.n_unlabelled, cases[_i].unlabelled);
    ck_assert_uint_eq(e.n_leaked, cases[_i].leaked);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(strict_evaluation_refuses_what_any_block_was_trained_on)
{
    static const char *const other[] = {"s77"};
    mml_model *a = model_of(MML_BINARY, "labs", 4, NULL, 0), *b = model_of(MML_BINARY, "notes", 3, other, 1);
    mml_model *merged = NULL, *fused = NULL;
    truth t;
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, MML_BINARY, &t, false);
    mml_evaluate_options o = on("set=b", 0);
    mml_evaluation e;

    mmlt_assert_ok(mml_merge(&merged, (const mml_model *[]){a, b}, 2, NULL));
    mmlt_assert_ok(mml_fuse(&fused, (const mml_model *[]){a, b}, 2, NULL));
    mmlt_assert_ok(mml_evaluate(&e, merged, cohort, &o));
    ck_assert_uint_eq(e.n_leaked, 17); /* 16 labelled odd samples of s0 .. s39, and s77 of the other block */
    o.strict = 1;
    mmlt_assert_fails(mml_evaluate(&e, merged, cohort, &o), MML_E_LEAK, "17 of 36 samples to evaluate on were trained on");
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "`s1` by block labs"));
    /* the test part that the merge recorded leaves s77 out: it was trained on by one of its blocks */
    o.on = "test";
    mmlt_assert_ok(mml_evaluate(&e, merged, cohort, &o));
    ck_assert_uint_eq(e.n, 31);
    ck_assert_uint_eq(e.n_leaked, 0);
    ck_assert_int_eq((int)mml_model_part_of(merged, SIZE_MAX, "s77"), MML_PART_TRAIN);
    ck_assert_int_eq((int)mml_model_part_of(merged, 0, "s77"), MML_PART_TEST);
    ck_assert_int_eq((int)mml_model_part_of(merged, 1, "s77"), MML_PART_TRAIN);
    ck_assert_int_eq((int)mml_model_part_of(merged, 2, "s77"), MML_PART_NONE);
    ck_assert_int_eq((int)mml_model_part_of(merged, SIZE_MAX, "stranger"), MML_PART_NONE);
    ck_assert_int_eq((int)mml_model_part_of(merged, SIZE_MAX, "s41"), MML_PART_VALID);
    /* a fuse that was fine-tuned has parts of its own, and its blocks are guarded too */
    ck_assert_int_eq((int)mml_model_part_of(fused, SIZE_MAX, "s77"), MML_PART_TRAIN);
    mmlt_assert_ok(mmli_provenance_copy(&fused->from, &a->members[0].from));
    ck_assert_int_eq((int)mml_model_part_of(fused, SIZE_MAX, "s77"), MML_PART_TEST);
    mmlt_assert_fails(mml_evaluate(&e, fused, cohort, &o), MML_E_LEAK, "`s77` by block notes");
    fused->members[1].from.n_ids[0] = 0;
    fused->members[0].from.n_ids[0] = 0;
    o.on = "set=b";
    mmlt_assert_fails(mml_evaluate(&e, fused, cohort, &o), MML_E_LEAK, "when the model was fine-tuned");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(merged);
    mml_model_free(fused);
}
END_TEST

START_TEST(what_cannot_be_evaluated_is_said)
{
    mml_model *model = model_of(MML_BINARY, "labs", 4, NULL, 0), *other = model_of(MML_SURVIVAL, "labs", 4, NULL, 0);
    mml_model *untrained = mmlt_block(&(mmlt_block_spec){.modality = "labs", .width = 4});
    truth t;
    mmlt_cohort made;
    mml_cohort *cohort = cohort_of(&made, MML_BINARY, &t, false);
    mml_evaluate_options o = on("tets", 0);
    mml_evaluation e;

    mmlt_assert_fails(mml_evaluate(&e, model, cohort, &o), MML_E_ARG, "did you mean `test`?");
    o.on = "sex=m";
    mmlt_assert_fails(mml_evaluate(&e, model, cohort, &o), MML_E_NOT_FOUND, "sex");
    o.on = NULL;
    mmlt_assert_fails(mml_evaluate(&e, untrained, cohort, &o), MML_E_ARG, "no test part of its own");
    mmlt_assert_ok(mml_evaluate(&e, model, cohort, NULL)); /* defaults: the test part, with intervals */
    ck_assert(e.metrics[0].low < e.metrics[0].high);
    o.on = "test";
    mmlt_assert_fails(mml_evaluate(&e, untrained, cohort, &o), MML_E_DATA, "trained on another cohort");
    mmlt_assert_fails(mml_evaluate(&e, other, cohort, &o), MML_E_DATA, "outcome");
    o.bootstrap = 1;
    mmlt_assert_fails(mml_evaluate(&e, model, cohort, &o), MML_E_ARG, "at least 2 resamples");
    o = (mml_evaluate_options){0};
    mmlt_assert_fails(mml_evaluate(&e, model, cohort, &o), MML_E_ARG, "not initialised");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
    mml_model_free(other);
    mml_model_free(untrained);
}
END_TEST

START_TEST(one_class_only_has_no_auc)
{
    static const char *const two[] = {"no", "yes"};
    mml_model *model = model_of(MML_BINARY, "labs", 4, NULL, 0);
    double ones[4] = {1, 1, 1, -1};
    float x[16] = {0};
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_evaluate_options o = on("all", 0);
    mml_evaluation e;

    mmlt_cohort_begin(&made, 4, NULL);
    mmlt_cohort_modality(&made, "labs", "table", x, NULL, 4, NULL, 0, NULL);
    mmlt_cohort_classes(&made, "outcome", "binary", two, 2, ones);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_fails(mml_evaluate(&e, model, cohort, &o), MML_E_DATA, "auc on 3 samples");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("evaluation");
    TCase *tc = tcase_create("evaluate");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, metrics_are_those_of_the_predictions_of_the_chosen_samples, 0, 4);
    tcase_add_loop_test(tc, intervals_hold_the_value_and_repeat_to_the_bit, 0, 4);
    tcase_add_test(tc, patients_with_several_samples_are_resampled_whole);
    tcase_add_loop_test(tc, samples_are_chosen_by_part_or_condition, 0, 6);
    tcase_add_test(tc, strict_evaluation_refuses_what_any_block_was_trained_on);
    tcase_add_test(tc, what_cannot_be_evaluated_is_said);
    tcase_add_test(tc, one_class_only_has_no_auc);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
