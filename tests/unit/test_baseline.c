/* test_baseline.c - other architectures as models: they learn, repeat to the bit, predict the same from a file, run on memory
 * that the host cannot touch, and stay out of merges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/options.h"
#include "tests/unit/train_rig.h"

typedef struct baseline_case {
    mml_baseline_kind kind;
    const char *modalities[2];
    size_t n;
} baseline_case;

static const baseline_case cases[] = {
    {MML_BASELINE_SNN, {"labs"}, 1},
    {MML_BASELINE_SNN, {"vitals"}, 1},
    {MML_BASELINE_ABMIL, {"vitals"}, 1},
    {MML_BASELINE_PERCEIVER, {"labs"}, 1},
    {MML_BASELINE_PERCEIVER, {"labs", "vitals"}, 2},
    {MML_BASELINE_MULTIMODN, {"labs"}, 1},
    {MML_BASELINE_MULTIMODN, {"vitals", "labs"}, 2},
    {MML_BASELINE_LATE_CONCAT, {"labs", "vitals"}, 2},
    {MML_BASELINE_LATE_BILINEAR, {"vitals", "labs"}, 2},
    {MML_BASELINE_MCAT, {"vitals", "labs"}, 2},
    {MML_BASELINE_LINEAR, {"labs"}, 1},
    {MML_BASELINE_LINEAR, {"labs", "vitals"}, 2},
    {MML_BASELINE_HEALNET, {"vitals"}, 1},
    {MML_BASELINE_HEALNET, {"labs", "vitals"}, 2},
};
enum { CASES = sizeof cases / sizeof *cases };

/* The architecture of a case, small. */
static mml_baseline_options small(const baseline_case *c)
{
    mml_baseline_options b;

    mmlt_assert_ok(mml_baseline_options_init(&b, c->kind));
    b.width = b.width ? 16 : 0;
    b.reduction = b.reduction ? 2 : 0;
    b.hidden = b.hidden ? 16 : 0;
    b.latent_c = b.latent_c ? 6 : 0;
    b.latent_d = b.latent_d ? 8 : 0;
    b.dropout = b.dropout > 0 ? 0.1 : 0; /* what is left of so few units would be too little */
    b.head_width = b.head_width ? 4 : 0;
    b.self_heads = b.self_heads ? 2 : 0;
    return b;
}

static mml_model *train_on(const baseline_case *c, mml_cohort *cohort, const mml_train_options *o, const mmli_backend *table)
{
    const mml_baseline_options b = small(c);
    mml_model *model = NULL;

    mmlt_assert_ok(mmli_train_baseline_on(&model, cohort, c->modalities, c->n, "outcome", &b, NULL, o, table));
    return model;
}

START_TEST(a_signal_that_is_there_is_learnt_and_found_again_in_the_test_part)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model;

    o.epochs = 15;
    model = train_on(&cases[_i], cohort, &o, NULL);
    ck_assert_int_eq(mml_model_get_kind(model), MML_MODEL_BASELINE);
    ck_assert_double_lt(model->from.history[model->from.n_history - 1].train_loss, model->from.history[0].train_loss);
    ck_assert_double_gt(rig_score(model, cohort, "test"), 0.75);
    ck_assert_uint_eq(mml_model_n_blocks(model), cases[_i].n);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(survival_is_learnt_by_either_loss)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &(rig_spec){.survival = true});
    mml_train_options o;
    mml_model *model;

    for (int cox = 0; cox < 2; cox++) {
        o = rig_options();
        o.epochs = 25;
        o.patience = 0;
        o.survival_loss = cox ? MML_LOSS_COX : MML_LOSS_NLL;
        model = train_on(&cases[_i], cohort, &o, NULL);
        ck_assert_double_lt(model->from.history[model->from.n_history - 1].train_loss, 0.97 * model->from.history[0].train_loss);
        ck_assert_double_gt(rig_score(model, cohort, "test"), 0.5); /* of 40 patients, a third of them censored */
        mml_model_free(model);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(one_thread_or_two_give_the_same_bits)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *models[2];

    o.epochs = 2;
    for (int i = 0; i < 2; i++) {
        o.threads = i + 1;
        models[i] = train_on(&cases[_i], cohort, &o, NULL);
    }
    rig_same_parameters(models[0], models[1]);
    mml_model_free(models[0]);
    mml_model_free(models[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(hidden_memory_gives_the_bits_of_the_reference)
{
    const mmli_backend *tables[2] = {&mmlt_backend_hidden, &mmli_backend_reference};
    const size_t live = mmlt_hidden_live();
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *models[2];
    double score[2];

    o.epochs = 1;
    for (int t = 0; t < 2; t++) {
        models[t] = train_on(&cases[_i], cohort, &o, tables[t]);
        score[t] = rig_score(models[t], cohort, "test");
    }
    rig_same_parameters(models[0], models[1]);
    ck_assert(score[0] == score[1]);
    mml_model_free(models[0]);
    mml_model_free(models[1]);
    ck_assert_uint_eq(mmlt_hidden_live(), live);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_warm_training_step_allocates_nothing)
{
    mmlt_cohort made;
    mml_cohort *cohort;

    if (cases[_i].kind == MML_BASELINE_LINEAR)
        return; /* it has no steps */
    cohort = rig_cohort(&made, NULL);
    for (int device = 0; device < 2; device++) {
        mml_train_options o = rig_options();
        rig_counts c = {.device = device, .from_epoch = 4}; /* batches differ in tokens: the largest has been seen by then */
        mml_model *model;

        o.patience = 0;
        o.watch = rig_count;
        o.watch_user = &c;
        model = train_on(&cases[_i], cohort, &o, device ? &mmlt_backend_hidden : NULL);
        ck_assert_uint_gt(c.steps, 6);
        ck_assert_uint_eq(c.grew, 0);
        mml_model_free(model);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------------------- */

typedef struct predictions {
    float output[RIG_N * 4];
    uint8_t prior[RIG_N];
    uint64_t used[RIG_N];
    size_t n;
} predictions;

static int take(void *user, const mml_prediction *p, const size_t *samples)
{
    predictions *all = user;

    (void)samples;
    memcpy(all->output + all->n * p->k, p->output, p->n * p->k * sizeof *p->output);
    memcpy(all->prior + all->n, p->prior, p->n);
    memcpy(all->used + all->n, p->used, p->n * sizeof *p->used);
    all->n += p->n;
    return 0;
}

static void predict_all(predictions *out, const mml_model *model, mml_cohort *cohort)
{
    mml_predictor *p = NULL;

    memset(out, 0, sizeof *out);
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, take, out));
    ck_assert_uint_eq(out->n, RIG_N);
    mml_predictor_free(p);
}

START_TEST(a_model_from_a_file_predicts_the_same)
{
    static predictions a, b;
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model, *again = NULL;
    mml_baseline_options options, stored;
    char path[MMLT_PATH], *one = NULL, *two = NULL;
    json_t *want, *got;

    mmlt_fresh_path(path, ".h5");
    o.epochs = 2;
    model = train_on(&cases[_i], cohort, &o, NULL);
    mmlt_assert_ok(mml_model_save(model, path));
    mmlt_assert_ok(mml_model_load(&again, path, NULL, 0));
    rig_same_parameters(model, again);
    options = small(&cases[_i]);
    mmlt_assert_ok(mml_model_baseline(&stored, again));
    want = mmli_baseline_options_json(&options);
    got = mmli_baseline_options_json(&stored);
    ck_assert(json_equal(want, got));
    json_decref(want);
    json_decref(got);
    mmlt_assert_ok(mml_model_describe(&one, model));
    mmlt_assert_ok(mml_model_describe(&two, again));
    ck_assert_str_eq(one, two);
    predict_all(&a, model, cohort);
    predict_all(&b, again, cohort);
    mmlt_assert_same_bits(&a, &b, sizeof a);
    unlink(path);
    mml_string_free(one);
    mml_string_free(two);
    mml_model_free(model);
    mml_model_free(again);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Samples without any modality of the model: each seventh lacks labs; some have no token of vitals. */
START_TEST(without_any_modality_the_prior_is_predicted)
{
    static predictions p;
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model;
    size_t priors = 0;

    o.epochs = 1;
    model = train_on(&cases[_i], cohort, &o, NULL);
    predict_all(&p, model, cohort);
    for (size_t i = 0; i < RIG_N; i++) {
        ck_assert_int_eq(p.prior[i], p.used[i] == 0);
        if (p.prior[i])
            mmlt_assert_same_bits(p.output + 2 * i, model->task->prior_output, 2 * sizeof *p.output);
        priors += p.prior[i];
    }
    ck_assert_uint_gt(priors, 0);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- what they are not --------------------------------------------------------------------------------------- */

START_TEST(a_baseline_cannot_be_merged_fused_or_converted)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *models[2], *out = NULL;

    o.epochs = 1;
    models[0] = rig_train(cohort, "labs", &o);
    models[1] = train_on(&cases[0], cohort, &o, NULL);
    mmlt_assert_fails(mml_merge(&out, (const mml_model *const *)models, 2, NULL), MML_E_ARG,
                      "model 2 of those to be merged is a baseline (snn)");
    mmlt_assert_fails(mml_fuse(&out, (const mml_model *const *)models, 2, NULL), MML_E_ARG, "is a baseline (snn)");
    mmlt_assert_fails(mml_train_fuse(&out, cohort, (const mml_model *const *)models + 1, 1, NULL, &o), MML_E_ARG, "is a baseline");
    mmlt_assert_fails(mml_model_save_state(models[1], "/tmp/mmlt_never.safetensors"), MML_E_ARG, "a baseline has no names");
    mml_model_free(models[0]);
    mml_model_free(models[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(what_is_not_allowed_is_named)
{
    static const char *const twice[] = {"labs", "labs"}, *const both[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_baseline_options b = small(&cases[0]);
    mml_baseline_kind kind;
    mml_model *out = NULL;

    mmlt_assert_fails(mml_baseline_from_name(&kind, "healnett"), MML_E_ARG, "did you mean healnet");
    mmlt_assert_ok(mml_baseline_from_name(&kind, "late-concat"));
    ck_assert_int_eq(kind, MML_BASELINE_LATE_CONCAT);
    ck_assert_ptr_null(mml_baseline_name((mml_baseline_kind)99));
    mmlt_assert_fails(mml_baseline_options_init(&b, (mml_baseline_kind)99), MML_E_ARG, "99");
    mmlt_assert_fails(mml_train_baseline(&out, cohort, both, 2, "outcome", &b, NULL, &o), MML_E_ARG, "snn reads one modality, not 2");
    mmlt_assert_fails(mml_train_baseline(&out, cohort, both, 0, "outcome", &b, NULL, &o), MML_E_ARG, "at least one modality");
    mmlt_assert_fails(mml_train_baseline(&out, cohort, both, 1, "outcome", NULL, NULL, &o), MML_E_ARG, "its kind is in them");
    b.dropout = 1;
    mmlt_assert_fails(mml_train_baseline(&out, cohort, twice, 1, "outcome", &b, NULL, &o), MML_E_ARG, "dropout");
    b.dropout = 0;
    b.width = 0;
    mmlt_assert_fails(mml_train_baseline(&out, cohort, twice, 1, "outcome", &b, NULL, &o), MML_E_ARG, "width");
    ck_assert_ptr_null(out);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/baseline");
    TCase *tc = tcase_create("baseline");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_signal_that_is_there_is_learnt_and_found_again_in_the_test_part, 0, CASES);
    tcase_add_loop_test(tc, survival_is_learnt_by_either_loss, 0, CASES);
    tcase_add_loop_test(tc, one_thread_or_two_give_the_same_bits, 0, CASES);
    tcase_add_loop_test(tc, hidden_memory_gives_the_bits_of_the_reference, 0, CASES);
    tcase_add_loop_test(tc, a_warm_training_step_allocates_nothing, 0, CASES);
    tcase_add_loop_test(tc, a_model_from_a_file_predicts_the_same, 0, CASES);
    tcase_add_loop_test(tc, without_any_modality_the_prior_is_predicted, 0, 3);
    tcase_add_test(tc, a_baseline_cannot_be_merged_fused_or_converted);
    tcase_add_test(tc, what_is_not_allowed_is_named);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
