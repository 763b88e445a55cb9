/* test_train_resume.c - a training that was stopped goes on bit for bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/train_rig.h"

/* Stops after a number of calls of the watch. */
typedef struct stopper {
    int left;
} stopper;

static int stop_after(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    stopper *s = user;

    (void)epoch;
    (void)epoch_now;
    (void)step;
    (void)steps;
    return --s->left <= 0;
}

/* Calls of the watch before the stop: in the first epoch, between epochs, in the middle of a later one. */
static const int stops[] = {1, 8, 11, 19, 30};
enum { N_STOPS = sizeof stops / sizeof *stops };

START_TEST(a_stopped_training_resumes_to_the_same_bits)
{
    static const mml_schedule schedules[] = {MML_SCHEDULE_COSINE, MML_SCHEDULE_PLATEAU, MML_SCHEDULE_CONSTANT};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    const mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_model *whole, *resumed = NULL;
    stopper s = {stops[_i]};
    char path[MMLT_PATH];

    o.schedule = schedules[_i % 3];
    o.patience = 0;
    whole = rig_train(cohort, "labs", &o);
    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    o.watch = stop_after;
    o.watch_user = &s;
    mmlt_assert_fails(mml_train_block(&resumed, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_STOPPED,
                      "resume from");
    ck_assert_int_eq(access(path, F_OK), 0);
    o.watch = NULL;
    o.resume = 1;
    resumed = rig_train(cohort, "labs", &o);
    rig_same_parameters(whole, resumed);
    ck_assert_uint_eq(whole->members[0].from.n_history, resumed->members[0].from.n_history);
    for (size_t i = 0; i < whole->members[0].from.n_history; i++) {
        const mml_epoch *a = &whole->members[0].from.history[i], *b = &resumed->members[0].from.history[i];
        ck_assert(a->train_loss == b->train_loss && a->valid_loss == b->valid_loss && a->valid_score == b->valid_score &&
                  a->learning_rate == b->learning_rate && a->gradient_norm == b->gradient_norm && a->best == b->best);
    }
    mml_model_free(whole);
    mml_model_free(resumed);
    unlink(path);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_checkpoint_of_another_training_is_refused_by_the_setting_that_differs)
{
    const rig_spec other = {.other_test = true};
    mmlt_cohort made, made_other;
    mml_cohort *cohort = rig_cohort(&made, NULL), *changed = rig_cohort(&made_other, &other);
    mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_train_options o = rig_options();
    mml_model *model;
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    model = rig_train(cohort, "labs", &o);
    mml_model_free(model);
    model = NULL;
    o.resume = 1;
    o.learning_rate *= 2;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_DATA,
                      "learning_rate");
    o.learning_rate /= 2;
    block.dropout = 0.2;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_DATA, "dropout");
    block.dropout = 0.1;
    mmlt_assert_fails(mml_train_block(&model, changed, "labs", "outcome", &block, NULL, NULL, &o), MML_E_DATA, "data_hash");
    unlink(path);
    mml_cohort_close(cohort);
    mml_cohort_close(changed);
    mmlt_cohort_remove(&made);
    mmlt_cohort_remove(&made_other);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_an_error_and_a_missing_one_a_fresh_start)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_train_options o = rig_options();
    mml_model *model = NULL;
    char path[MMLT_PATH];
    FILE *f;

    o.epochs = 1;
    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    o.resume = 1;
    model = rig_train(cohort, "labs", &o);
    mml_model_free(model);
    model = NULL;
    ck_assert_int_eq(truncate(path, 1000), 0);
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_FORMAT, path);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("not HDF5 at all", f);
    fclose(f);
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_FORMAT, path);
    o.checkpoint = "/no-such-folder/x.ckpt";
    o.resume = 0;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_IO,
                      "no-such-folder");
    unlink(path);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

static uint64_t allocations, fail_at;

static void *some(size_t n)
{
    return ++allocations == fail_at ? NULL : malloc(n);
}

/* A checkpoint would not agree with the training it is of, a model would not tell how it was made. */
START_TEST(settings_are_whole_or_there_is_no_memory_for_them)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model;
    json_t *whole, *now;
    mml_status st = MML_E_NOMEM;

    o.epochs = 1;
    model = rig_train(cohort, "labs", &o);
    mmlt_assert_ok(mmli_train_settings(&whole, model, &o, 7));
    json_set_alloc_funcs(some, free);
    for (fail_at = 1; st != MML_OK || fail_at <= allocations; fail_at++) {
        allocations = 0;
        st = mmli_train_settings(&now, model, &o, 7);
        ck_assert_msg(st == MML_E_NOMEM || (st == MML_OK && json_equal(now, whole)), "allocation %zu of %zu: %s", (size_t)fail_at,
                      (size_t)allocations, mml_status_name(st));
        json_decref(now);
    }
    json_set_alloc_funcs(malloc, free);
    json_decref(whole);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/resume");
    TCase *tc = tcase_create("resume");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_stopped_training_resumes_to_the_same_bits, 0, N_STOPS);
    tcase_add_test(tc, a_checkpoint_of_another_training_is_refused_by_the_setting_that_differs);
    tcase_add_test(tc, a_damaged_checkpoint_is_an_error_and_a_missing_one_a_fresh_start);
    tcase_add_test(tc, settings_are_whole_or_there_is_no_memory_for_them);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
