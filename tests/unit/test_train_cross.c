/* test_train_cross.c - the cross-validation inside a training that weighs a block. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/unit/folder.h"
#include "tests/unit/train_rig.h"
#include "util/alloc.h"
#include "util/rng.h"

/* A cohort of 70 samples whose table says nothing about the outcome. */
static mml_cohort *noise(mmlt_cohort *made)
{
    enum { N = 70, WIDTH = 8 };
    static const char *const classes[] = {"0", "1"};
    double code[N];
    float *x = calloc(N * WIDTH, sizeof *x);

    for (size_t i = 0; i < N; i++)
        code[i] = (double)(mmli_rng_key(17, "noise", i) & 1);
    mmlt_normal(x, N * WIDTH, 4);
    mmlt_cohort_begin(made, N, NULL);
    mmlt_cohort_modality(made, "labs", "table", x, NULL, WIDTH, NULL, 0, NULL);
    mmlt_cohort_classes(made, "outcome", "binary", classes, 2, code);
    free(x);
    return mmlt_cohort_open(made);
}

START_TEST(a_block_that_knows_nothing_is_found_out)
{
    mmlt_cohort made[2];
    mml_cohort *cohorts[2] = {noise(&made[0]), rig_cohort(&made[1], NULL)};
    mml_train_options o = rig_options();
    mml_model *model;
    const mmli_provenance *from;

    o.weight_folds = 5;
    o.epochs = 20;
    o.split.train = o.split.test = NULL;
    model = rig_train(cohorts[0], "labs", &o);
    from = &model->members[0].from;
    ck_assert_uint_eq(from->cross_folds, 5);
    /* The best of 20 epochs on some ten samples; 5 folds of a dozen: an AUC of .5 has a standard error of .07. */
    ck_assert_double_gt(from->valid_score, 0.65);
    ck_assert_double_lt(from->cross_score, from->valid_score - 0.1);
    ck_assert_double_eq_tol(from->cross_score, 0.5, 0.2);
    mml_model_free(model);
    model = rig_train(cohorts[1], "labs", &o); /* and one that knows is not */
    ck_assert_double_gt(model->members[0].from.cross_score, 0.8);
    mml_model_free(model);
    for (int i = 0; i < 2; i++) {
        mml_cohort_close(cohorts[i]);
        mmlt_cohort_remove(&made[i]);
    }
}
END_TEST

/* _i: with one thread and with two. */
START_TEST(the_block_is_the_same_with_and_without)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *plain = rig_train(cohort, "vitals", &o), *crossed, *again;

    o.weight_folds = 3;
    crossed = rig_train(cohort, "vitals", &o);
    rig_same_parameters(plain, crossed);
    ck_assert(plain->members[0].from.valid_score == crossed->members[0].from.valid_score);
    ck_assert_uint_eq(plain->members[0].from.cross_folds, 0);
    ck_assert_uint_eq(crossed->members[0].from.cross_folds, 3);
    o.threads = 1;
    again = rig_train(cohort, "vitals", &o);
    ck_assert(again->members[0].from.cross_score == crossed->members[0].from.cross_score);
    mml_model_free(plain);
    mml_model_free(crossed);
    mml_model_free(again);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* _i = 0: classes, 1: survival. */
START_TEST(the_test_part_has_no_say)
{
    const rig_spec specs[] = {{.survival = _i == 1}, {.survival = _i == 1, .other_test = true}};
    mmlt_cohort made[2];
    mml_train_options o = rig_options();
    double score[2];

    o.epochs = 3;
    o.weight_folds = 4;
    for (int i = 0; i < 2; i++) {
        mml_cohort *cohort = rig_cohort(&made[i], &specs[i]);
        mml_model *model = rig_train(cohort, "labs", &o);

        ck_assert_uint_eq(model->members[0].from.cross_folds, 4);
        score[i] = model->members[0].from.cross_score;
        mml_model_free(model);
        mml_cohort_close(cohort);
        mmlt_cohort_remove(&made[i]);
    }
    ck_assert(score[0] == score[1]);
}
END_TEST

START_TEST(it_is_done_by_itself_where_the_validation_part_is_small)
{
    const rig_spec rare = {.rare = 0.3};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &rare);
    mml_train_options o = rig_options();
    mml_model *model;

    mmlt_assert_ok(mml_train_options_init(&o, "paper", MML_TABLE, MML_BINARY));
    ck_assert_int_eq(o.weight_folds, 0);
    o = rig_options();
    o.epochs = 2;
    o.weight_folds = MML_FOLDS_AUTO;
    model = rig_train(cohort, "labs", &o);
    ck_assert_uint_eq(model->members[0].from.cross_folds, 5);
    mml_model_free(model);
    o.split.valid_fraction = 0; /* nothing was chosen by a score, and none was asked for */
    model = rig_train(cohort, "labs", &o);
    ck_assert_uint_eq(model->members[0].from.cross_folds, 0);
    mml_model_free(model);
    o.weight_folds = 5;
    model = rig_train(cohort, "labs", &o);
    ck_assert_uint_eq(model->members[0].from.cross_folds, 5);
    ck_assert(isnan(model->members[0].from.valid_score));
    mml_model_free(model);
    for (int bad = 0; bad < 3; bad++) {
        const mml_block_options block = rig_block(MML_ENCODER_NONE);

        o.weight_folds = (const int[]){1, -2, 1001}[bad];
        mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG, "weight folds");
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* 50 validation samples of the rarer class: the score is good enough. Those who lack the modality do not count. */
START_TEST(it_is_not_where_the_validation_part_is_large)
{
    enum { N = 400, CASES = 3 };
    static const struct {
        const char *train, *valid, *modality;
        size_t folds;
    } cases[CASES] = {{NULL, NULL, "labs", 5},     /* 15 %: 30 of each class */
                      {"0.6", "0.25", "labs", 0},  /* 50 of each */
                      {"0.6", "0.25", "some", 5}}; /* of whom 25 have it */
    static const char *const classes[] = {"0", "1"};
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_train_options o = rig_options();
    double *code = calloc(N, sizeof *code);
    float *x = calloc(N * 2, sizeof *x);
    int64_t *half = calloc(N + 1, sizeof *half); /* samples 0 and 1 of every four */

    for (size_t i = 0; i < N; i++) {
        code[i] = (double)(i % 2);
        half[i + 1] = half[i] + (i % 4 < 2);
    }
    mmlt_normal(x, N * 2, 4);
    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "labs", "table", x, NULL, 2, NULL, 0, NULL);
    mmlt_cohort_modality(&made, "some", "table", x, half, 2, NULL, 0, NULL);
    mmlt_cohort_classes(&made, "outcome", "binary", classes, 2, code);
    cohort = mmlt_cohort_open(&made);
    o.epochs = 1;
    o.weight_folds = MML_FOLDS_AUTO;
    o.split.test = NULL;
    for (int i = 0; i < CASES; i++) {
        mml_model *model = NULL;

        o.split.train = cases[i].train;
        o.split.valid = cases[i].valid;
        mmlt_assert_ok(mml_train_block(&model, cohort, cases[i].modality, "outcome", &block, NULL, NULL, &o));
        ck_assert_uint_eq(model->members[0].from.cross_folds, cases[i].folds);
        mml_model_free(model);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    free(code);
    free(half);
    free(x);
}
END_TEST

typedef struct seen {
    size_t folds, last, stop_at;
} seen;

static int see(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    seen *s = user;

    if (epoch_now > 0)
        return 0;
    ck_assert_ptr_null(epoch);
    s->folds = steps;
    s->last = step;
    return step == s->stop_at;
}

START_TEST(the_watch_sees_the_folds_and_can_stop_them)
{
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    seen s = {0};
    mml_model *model;

    o.epochs = 2;
    o.weight_folds = 3;
    o.watch = see;
    o.watch_user = &s;
    model = rig_train(cohort, "labs", &o);
    ck_assert_uint_eq(s.folds, 3);
    ck_assert_uint_eq(s.last, 3);
    mml_model_free(model);
    s.stop_at = 2;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_STOPPED, "stopped");
    ck_assert_ptr_null(model);
    ck_assert_uint_eq(s.last, 2);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Two samples of one class cannot be divided in five folds that all have both classes: the validation score has to do. */
START_TEST(too_few_samples_for_folds_leave_the_validation_score)
{
    enum { N = 24 };
    static const char *const classes[] = {"0", "1"};
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    double code[N] = {0};
    float x[N];
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_train_options o = rig_options();
    mml_model *model = NULL;

    code[0] = code[1] = 1;
    mmlt_normal(x, N, 9);
    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "labs", "table", x, NULL, 1, NULL, 0, NULL);
    mmlt_cohort_classes(&made, "outcome", "binary", classes, 2, code);
    cohort = mmlt_cohort_open(&made);
    o.epochs = 1;
    o.weight_folds = 5;
    o.split.train = "0.8";
    o.split.test = NULL;
    mmlt_assert_ok(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o));
    ck_assert(model->members[0].from.cross_folds < 5);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Weights d', drawn half way to their mean where all blocks were cross-validated. _i = 1: one was not. */
START_TEST(few_patients_draw_weights_together)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_merge_options mo;
    mml_model *blocks[2], *merged = NULL;
    double d[2], mean;

    o.weight_folds = 3;
    for (int i = 0; i < 2; i++) {
        blocks[i] = rig_train(cohort, modalities[i], &o);
        ck_assert_uint_eq(blocks[i]->members[0].from.cross_folds, 3);
    }
    blocks[1]->members[0].from.cross_score = 0.6; /* far from the other */
    if (_i == 1) {
        blocks[1]->members[0].from.cross_folds = 0;
        blocks[1]->members[0].from.valid_score = 0.6;
    }
    for (int i = 0; i < 2; i++)
        mmlt_assert_ok(mml_metric_dprime(&d[i], mmli_provenance_score(&blocks[i]->members[0].from), 100000));
    mean = _i == 1 ? 0 : (d[0] + d[1]) / 2;
    mmlt_assert_ok(mml_merge_options_init(&mo, NULL));
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)blocks, 2, &mo));
    ck_assert_double_eq_tol(merged->weights[0], (d[0] + mean) / (d[0] + d[1] + 2 * mean), 1e-9);
    mml_model_free(merged);
    for (int i = 0; i < 2; i++)
        mml_model_free(blocks[i]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_model_file_keeps_it)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model, *read = NULL;
    char *json = NULL;

    o.epochs = 2;
    o.weight_folds = 3;
    model = rig_train(cohort, "labs", &o);
    mmlt_assert_ok(mml_model_save(model, mmlt_path("block.h5")));
    mmlt_assert_ok(mml_model_load(&read, mmlt_path("block.h5"), NULL, 0));
    ck_assert_uint_eq(read->members[0].from.cross_folds, 3);
    ck_assert(read->members[0].from.cross_score == model->members[0].from.cross_score);
    mmlt_assert_ok(mml_model_describe(&json, read));
    ck_assert_ptr_nonnull(strstr(json, "\"cross_score\""));
    mml_string_free(json);
    mml_model_free(model);
    mml_model_free(read);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* _i: classes by their AUC, or survival by its c-index. Out of memory where a score is computed must not pass for "there is no score", by
 * which another epoch would be chosen, another weight. */
START_TEST(without_memory_there_is_no_training_rather_than_another)
{
    const rig_spec spec = {.survival = _i == 1};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &spec);
    const mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_train_options o = rig_options();
    mml_model *model = NULL;
    mml_status st = MML_E_NOMEM;
    uint64_t used = 0;

    o.epochs = 1;
    o.threads = 1;
    o.weight_folds = 2;
    model = rig_train(cohort, "labs", &o); /* what is made once is there */
    for (uint64_t k = 1; st != MML_OK; k++) {
        mml_model_free(model);
        model = NULL;
        mmli_alloc_fail_at(k);
        st = mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o);
        used = mmli_alloc_count();
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == (k <= used ? MML_E_NOMEM : MML_OK), "allocation %zu of %zu: %s: %s", (size_t)k, (size_t)used, mml_status_name(st),
                      mml_last_error());
    }
    ck_assert_uint_gt(used, 100);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("train/cross");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, a_block_that_knows_nothing_is_found_out);
    tcase_add_test(tc, the_block_is_the_same_with_and_without);
    tcase_add_loop_test(tc, the_test_part_has_no_say, 0, 2);
    tcase_add_test(tc, it_is_done_by_itself_where_the_validation_part_is_small);
    tcase_add_test(tc, it_is_not_where_the_validation_part_is_large);
    tcase_add_test(tc, the_watch_sees_the_folds_and_can_stop_them);
    tcase_add_test(tc, too_few_samples_for_folds_leave_the_validation_score);
    tcase_add_loop_test(tc, few_patients_draw_weights_together, 0, 2);
    tcase_add_test(tc, a_model_file_keeps_it);
    tcase_add_loop_test(tc, without_memory_there_is_no_training_rather_than_another, 0, 2);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
