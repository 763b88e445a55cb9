/* test_train_fuse.c - fine-tuning a fuse; survival by both losses; merging what was trained. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/train_rig.h"

typedef struct pair {
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_model *blocks[2];
} pair;

static void pair_make(pair *p, const rig_spec *spec, const mml_train_options *o)
{
    p->cohort = rig_cohort(&p->made, spec);
    p->blocks[0] = rig_train(p->cohort, "labs", o);
    p->blocks[1] = rig_train(p->cohort, "vitals", o);
}

static void pair_free(pair *p)
{
    mml_model_free(p->blocks[0]);
    mml_model_free(p->blocks[1]);
    mml_cohort_close(p->cohort);
    mmlt_cohort_remove(&p->made);
}

static mml_train_options fine_tuning(mml_task_kind kind)
{
    mml_train_options o;

    mmlt_assert_ok(mml_train_options_init_fuse(&o, NULL, kind));
    o.learning_rate = 1e-3;
    o.batch = 16;
    o.threads = 2;
    o.split.train = "set=a";
    o.split.test = "set=b";
    return o;
}

START_TEST(merge_and_fuse_are_better_than_either_block_where_each_sees_a_part)
{
    static const mml_fuse_mode modes[] = {MML_FUSE_STACK, MML_FUSE_WEAVE};
    mml_train_options o = rig_options(), fo = fine_tuning(MML_BINARY);
    mml_fuse_options fuse;
    mml_model *merged = NULL, *fused = NULL;
    double best;
    pair p;

    o.epochs = 15;
    pair_make(&p, NULL, &o);
    best = fmax(rig_score(p.blocks[0], p.cohort, "set=b"), rig_score(p.blocks[1], p.cohort, "set=b"));
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)p.blocks, 2, NULL));
    ck_assert_double_gt(rig_score(merged, p.cohort, "set=b"), best);
    mmlt_assert_ok(mml_fuse_options_init(&fuse, NULL));
    fuse.mode = modes[_i];
    mmlt_assert_ok(mml_train_fuse(&fused, p.cohort, (const mml_model *const *)p.blocks, 2, &fuse, &fo));
    ck_assert_double_gt(rig_score(fused, p.cohort, "set=b"), best);
    ck_assert_uint_eq(fused->from.n_history, 2);
    mml_model_free(merged);
    mml_model_free(fused);
    pair_free(&p);
}
END_TEST

/* Is parameter i of the fuse still what the block had? */
static bool unchanged(const mml_model *fused, const mml_model *block, const char *name)
{
    size_t a, b, n;
    float *x, *y;
    bool same;

    mmlt_assert_ok(mmli_params_find(&a, fused->params, name));
    mmlt_assert_ok(mmli_params_find(&b, block->params, name));
    n = fused->params->list[a].rows * fused->params->list[a].cols;
    x = calloc(n, sizeof *x);
    y = calloc(n, sizeof *y);
    mmlt_assert_ok(mmli_params_get(x, fused->params, a));
    mmlt_assert_ok(mmli_params_get(y, block->params, b));
    same = memcmp(x, y, n * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

START_TEST(what_is_frozen_stays_to_the_bit_and_the_rest_moves)
{
    static const mml_freeze freezes[] = {MML_FREEZE_NOTHING, MML_FREEZE_ENCODERS, MML_FREEZE_BLOCKS};
    mml_train_options o = rig_options(), fo = fine_tuning(MML_BINARY);
    mml_fuse_options fuse;
    mml_model *fused = NULL;
    pair p;

    o.epochs = 2;
    pair_make(&p, NULL, &o);
    mmlt_assert_ok(mml_fuse_options_init(&fuse, NULL));
    fuse.freeze = freezes[_i];
    mmlt_assert_ok(mml_train_fuse(&fused, p.cohort, (const mml_model *const *)p.blocks, 2, &fuse, &fo));
    ck_assert_int_eq(unchanged(fused, p.blocks[0], "blocks.labs.encoder.fc0.weight"), _i > 0);
    ck_assert_int_eq(unchanged(fused, p.blocks[0], "blocks.labs.steps.0.value.weight"), _i == 2);
    /* the blocks' own heads and latents are not in the fused pass */
    ck_assert(unchanged(fused, p.blocks[0], "blocks.labs.head.linear.weight"));
    ck_assert(unchanged(fused, p.blocks[0], "blocks.labs.latent"));
    mml_model_free(fused);
    pair_free(&p);
}
END_TEST

START_TEST(fusing_repeats_to_the_bit_for_any_number_of_threads)
{
    static const int threads[] = {1, 2, 3, 8};
    mml_train_options o = rig_options(), fo = fine_tuning(MML_BINARY);
    mml_fuse_options fuse;
    mml_model *first = NULL;
    pair p;

    o.epochs = 1;
    pair_make(&p, NULL, &o);
    mmlt_assert_ok(mml_fuse_options_init(&fuse, NULL));
    fuse.modality_dropout = 0.4;
    for (size_t i = 0; i < 4; i++) {
        mml_model *fused = NULL;
        fo.threads = threads[i];
        mmlt_assert_ok(mml_train_fuse(&fused, p.cohort, (const mml_model *const *)p.blocks, 2, &fuse, &fo));
        if (first)
            rig_same_parameters(first, fused);
        else
            first = fused;
        if (fused != first)
            mml_model_free(fused);
    }
    mml_model_free(first);
    pair_free(&p);
}
END_TEST

START_TEST(survival_is_learnt_by_either_loss_merged_and_fused)
{
    static const mml_survival_loss losses[] = {MML_LOSS_NLL, MML_LOSS_COX};
    const rig_spec spec = {.survival = true};
    mml_train_options o = rig_options(), fo = fine_tuning(MML_SURVIVAL);
    mml_model *merged = NULL, *fused = NULL;
    pair p;

    o.epochs = 30;
    o.shared_head = 0; /* a fixed head of four outputs reads too little from a latent of 8 columns */
    o.patience = 0;
    o.survival_loss = fo.survival_loss = losses[_i];
    pair_make(&p, &spec, &o);
    ck_assert_uint_eq(p.blocks[0]->task->outputs, losses[_i] == MML_LOSS_COX ? 1 : 4);
    ck_assert_double_gt(rig_score(p.blocks[0], p.cohort, "set=b"), 0.65);
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)p.blocks, 2, NULL));
    ck_assert_double_gt(rig_score(merged, p.cohort, "set=b"), 0.65);
    mmlt_assert_ok(mml_train_fuse(&fused, p.cohort, (const mml_model *const *)p.blocks, 2, NULL, &fo));
    ck_assert_double_gt(rig_score(fused, p.cohort, "set=b"), 0.65);
    mml_model_free(merged);
    mml_model_free(fused);
    pair_free(&p);
}
END_TEST

/* Steps of this size spoil any model: what is kept is what the training began with. */
START_TEST(a_fuse_that_only_gets_worse_keeps_its_start)
{
    mml_train_options o = rig_options(), fo = fine_tuning(MML_BINARY);
    mml_model *fused = NULL, *start = NULL;
    pair p;

    o.epochs = 15;
    fo.learning_rate = 10;
    fo.clip_norm = 0;
    pair_make(&p, NULL, &o);
    mmlt_assert_ok(mml_fuse(&start, (const mml_model *const *)p.blocks, 2, NULL));
    mmlt_assert_ok(mml_train_fuse(&fused, p.cohort, (const mml_model *const *)p.blocks, 2, NULL, &fo));
    ck_assert_uint_eq(fused->from.n_history, 2);
    ck_assert_uint_eq(fused->from.best_epoch, 0);
    ck_assert_double_gt(fused->from.valid_score, fused->from.history[0].valid_score);
    ck_assert_double_gt(fused->from.valid_score, fused->from.history[1].valid_score);
    rig_same_parameters(start, fused);
    mml_model_free(start);
    mml_model_free(fused);
    pair_free(&p);
}
END_TEST

START_TEST(blocks_that_did_not_learn_the_same_task_are_refused)
{
    const rig_spec spec = {.survival = true};
    mml_train_options o = rig_options(), fo = fine_tuning(MML_BINARY);
    const mml_model *mixed[2];
    mml_model *fused = NULL;
    pair binary, survival;

    o.epochs = 1;
    pair_make(&binary, NULL, &o);
    pair_make(&survival, &spec, &o);
    mixed[0] = binary.blocks[0];
    mixed[1] = survival.blocks[1];
    mmlt_assert_fails(mml_train_fuse(&fused, binary.cohort, mixed, 2, NULL, &fo), MML_E_ARG, "outcome");
    ck_assert_ptr_null(fused);
    pair_free(&binary);
    pair_free(&survival);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/fuse");
    TCase *tc = tcase_create("fuse");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, merge_and_fuse_are_better_than_either_block_where_each_sees_a_part, 0, 2);
    tcase_add_loop_test(tc, what_is_frozen_stays_to_the_bit_and_the_rest_moves, 0, 3);
    tcase_add_test(tc, fusing_repeats_to_the_bit_for_any_number_of_threads);
    tcase_add_loop_test(tc, survival_is_learnt_by_either_loss_merged_and_fused, 0, 2);
    tcase_add_test(tc, a_fuse_that_only_gets_worse_keeps_its_start);
    tcase_add_test(tc, blocks_that_did_not_learn_the_same_task_are_refused);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
