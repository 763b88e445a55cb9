/* test_train_backends.c - the trainer above a backend whose memory it cannot touch, and what a warm step costs. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/train_rig.h"

static mml_model *train_on(mml_cohort *cohort, const char *modality, mml_train_options *o, const mmli_backend *table)
{
    const mml_block_options block = rig_block(strcmp(modality, "labs") == 0 ? MML_ENCODER_SNN : MML_ENCODER_ABMIL);
    mml_model *model = NULL;

    mmlt_assert_ok(mmli_train_block_on(&model, cohort, modality, "outcome", &block, NULL, NULL, o, table));
    return model;
}

START_TEST(blocks_and_fuse_train_on_memory_that_the_host_cannot_touch_with_the_bits_of_the_reference)
{
    static const mml_fuse_mode modes[] = {MML_FUSE_STACK, MML_FUSE_WEAVE};
    const mmli_backend *tables[2] = {&mmlt_backend_hidden, &mmli_backend_reference};
    const size_t live = mmlt_hidden_live();
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_fuse_options fo;
    mml_model *blocks[2][2], *fused[2];

    o.epochs = 1;
    mmlt_assert_ok(mml_fuse_options_init(&fo, NULL));
    fo.mode = modes[_i];
    fo.modality_dropout = 0.3;
    for (int t = 0; t < 2; t++) {
        blocks[t][0] = train_on(cohort, "labs", &o, tables[t]);
        blocks[t][1] = train_on(cohort, "vitals", &o, tables[t]);
        mmlt_assert_ok(mmli_train_fuse_on(&fused[t], cohort, (const mml_model *const *)blocks[t], 2, &fo, &o, tables[t]));
    }
    rig_same_parameters(blocks[0][0], blocks[1][0]);
    rig_same_parameters(blocks[0][1], blocks[1][1]);
    rig_same_parameters(fused[0], fused[1]);
    for (int t = 0; t < 2; t++) {
        mml_model_free(blocks[t][0]);
        mml_model_free(blocks[t][1]);
        mml_model_free(fused[t]);
    }
    ck_assert_uint_eq(mmlt_hidden_live(), live);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_merge_of_hidden_blocks_predicts)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *blocks[2], *merged = NULL;
    double score;

    o.epochs = 2;
    blocks[0] = train_on(cohort, "labs", &o, &mmlt_backend_hidden);
    blocks[1] = train_on(cohort, "vitals", &o, &mmlt_backend_hidden);
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)blocks, 2, NULL));
    ck_assert_str_eq(merged->dv->k.name, mmlt_backend_hidden.name);
    score = rig_score(merged, cohort, "set=b");
    ck_assert_double_gt(score, 0.6);
    mml_model_free(merged);
    mml_model_free(blocks[0]);
    mml_model_free(blocks[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_warm_training_step_allocates_nothing)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    rig_counts c = {.device = _i / 2, .from_epoch = 4}; /* batches differ in tokens: the largest has been seen by then */
    mml_model *model;

    o.epochs = 6;
    o.patience = 0;
    o.watch = rig_count;
    o.watch_user = &c;
    model = train_on(cohort, modalities[_i % 2], &o, c.device ? &mmlt_backend_hidden : NULL);
    ck_assert_uint_gt(c.steps, 6);
    ck_assert_uint_eq(c.grew, 0);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- a backend that counts how often it is waited for */

static size_t waits;

static mml_status counted_download(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes)
{
    waits++;
    return mmlt_backend_hidden.download(dv, dst, src, bytes);
}

static mml_status counted_sync(mmli_device *dv)
{
    waits++;
    return mmlt_backend_hidden.sync(dv);
}

typedef struct steps {
    size_t n, waited, from;
} steps;

/* Steps of an epoch that something was waited for in; the last step is looked at. */
static int count_waits(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t all)
{
    steps *s = user;

    (void)epoch_now;
    if (!epoch && step > 1 && step < all) {
        s->n++;
        s->waited += waits != s->from;
    }
    s->from = waits;
    return 0;
}

START_TEST(a_training_step_waits_for_nothing)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmli_backend table = mmlt_backend_hidden;
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    steps s = {0, 0, 0};
    mml_model *model;

    table.download = counted_download;
    table.sync = counted_sync;
    o.epochs = 2;
    o.l1 = 1e-4;
    o.watch = count_waits;
    o.watch_user = &s;
    model = train_on(cohort, modalities[_i], &o, &table);
    ck_assert_uint_gt(s.n, 4);
    ck_assert_uint_eq(s.waited, 0);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- numbers that are not finite */

static int count_steps(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t all)
{
    (void)epoch_now, (void)step, (void)all;
    *(size_t *)user += !epoch;
    return 0;
}

/* Batches of one sample: an epoch of more than 64 steps. The loss of the second one is not finite already. */
START_TEST(an_epoch_that_has_diverged_ends_at_the_next_look)
{
    const mml_block_options block = rig_block(MML_ENCODER_SNN);
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model = NULL;
    size_t n = 0, batch = 0;
    const char *at;

    o.batch = 1;
    o.learning_rate = 1e30;
    o.schedule = MML_SCHEDULE_CONSTANT;
    o.warmup = 0;
    o.watch = count_steps;
    o.watch_user = &n;
    mmlt_assert_fails(mmli_train_block_on(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o,
                                          _i ? &mmlt_backend_hidden : &mmli_backend_cpu),
                      MML_E_NOT_FINITE, "in epoch 1, batch ");
    at = strstr(mml_last_error(), "batch ");
    batch = strtoul(at + strlen("batch "), NULL, 10);
    ck_assert_msg(batch >= 2 && batch < 10, "%s", mml_last_error());
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "(1e+30 now)"));
    ck_assert_uint_eq(n, 63); /* the watch is not asked after the step that was looked at */
    ck_assert_ptr_null(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/backends");
    TCase *tc = tcase_create("backends");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, blocks_and_fuse_train_on_memory_that_the_host_cannot_touch_with_the_bits_of_the_reference, 0, 2);
    tcase_add_test(tc, a_merge_of_hidden_blocks_predicts);
    tcase_add_loop_test(tc, a_warm_training_step_allocates_nothing, 0, 4);
    tcase_add_loop_test(tc, a_training_step_waits_for_nothing, 0, 2);
    tcase_add_loop_test(tc, an_epoch_that_has_diverged_ends_at_the_next_look, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
