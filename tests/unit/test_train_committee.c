/* test_train_committee.c - blocks that are committees: what they are made of, what they count in a merge, what they have seen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/unit/folder.h"
#include "tests/unit/train_rig.h"
#include "train/shard.h"

enum { FOLDS = 3 };

static const rig_spec SURVIVAL = {.survival = true};

static mml_train_options options(void)
{
    mml_train_options o = rig_options();

    o.epochs = 3;
    o.weight_folds = FOLDS;
    o.survival_loss = MML_LOSS_COX;
    o.committee = MML_COMMITTEE_AUTO;
    return o;
}

/* The members of a committee, each as a model of its own. */
static void divide(mml_model *out[FOLDS + 1], const mml_model *committee)
{
    ck_assert_uint_eq(committee->n, FOLDS + 1);
    for (size_t i = 0; i < committee->n; i++) {
        mmlt_assert_ok(mmli_model_new(&out[i], MML_MODEL_BLOCK, "cpu", NULL, 1));
        mmlt_assert_ok(mmli_task_copy(&out[i]->task, committee->task));
        mmlt_assert_ok(mmli_model_add_copy(out[i], committee, i));
        mmlt_assert_ok(mmli_model_build(out[i]));
        mmlt_assert_ok(mmli_model_copy_values(out[i], 0, committee, i));
    }
}

static int keep(void *user, const mml_prediction *chunk, const size_t *samples)
{
    double *to = user;

    for (size_t b = 0; b < chunk->n; b++) {
        to[samples[b]] = chunk->score[b];
        ck_assert_uint_eq(chunk->used[b], chunk->prior[b] ? 0 : 1); /* however many members: one block */
    }
    return 0;
}

static void predict(double score[RIG_N], const mml_model *model, mml_cohort *cohort)
{
    mml_predictor *p = NULL;
    size_t all[RIG_N];

    for (size_t i = 0; i < RIG_N; i++)
        all[i] = i;
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, cohort, all, RIG_N, 0, keep, score));
    mml_predictor_free(p);
}

/* The first member is the block that would have been made without it; all have an equal say. */
START_TEST(it_is_the_merge_of_the_block_and_those_of_the_folds)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_model *committee = rig_train(cohort, "labs", &o), *alone, *member[FOLDS + 1], *merged = NULL;
    mml_merge_options mo;
    double got[RIG_N], want[RIG_N];

    ck_assert_int_eq(mml_model_get_kind(committee), MML_MODEL_MERGE);
    divide(member, committee);
    o.committee = MML_COMMITTEE_NO;
    alone = rig_train(cohort, "labs", &o);
    ck_assert_int_eq(mml_model_get_kind(alone), MML_MODEL_BLOCK);
    ck_assert_uint_eq(mml_model_committee(alone, 0), 1);
    rig_same_parameters(alone, member[0]);
    for (size_t i = 0; i <= FOLDS; i++) {
        ck_assert_uint_eq(mml_model_committee(committee, i), FOLDS + 1);
        ck_assert_uint_eq(mml_model_committee(member[i], 0), 1); /* one that was taken out is a block like any other */
        ck_assert_double_eq_tol(committee->weights[i], 1.0 / (FOLDS + 1), 1e-12);
        ck_assert_str_eq(mml_model_block_modality(committee, i), "labs");
        ck_assert_uint_eq(committee->members[i].from.cross_folds, FOLDS);
        ck_assert(committee->members[i].from.cross_score == committee->members[0].from.cross_score);
    }
    mmlt_assert_ok(mml_merge_options_init(&mo, NULL));
    mo.weighting = MML_WEIGHT_EQUAL;
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)member, FOLDS + 1, &mo));
    predict(got, committee, cohort);
    predict(want, merged, cohort);
    mmlt_assert_same_bits(got, want, sizeof got);
    predict(want, alone, cohort);
    ck_assert_int_ne(memcmp(got, want, sizeof got), 0);
    for (size_t i = 0; i <= FOLDS; i++)
        mml_model_free(member[i]);
    mml_model_free(committee);
    mml_model_free(alone);
    mml_model_free(merged);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Without a step that changes anything they are as they started. */
START_TEST(members_start_from_other_values_but_share_the_head)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_model *committee, *member[FOLDS + 1];
    size_t heads = 0, others = 0;

    o.epochs = 1;
    o.learning_rate = 1e-30; /* below the resolution of any value */
    committee = rig_train(cohort, "labs", &o);
    divide(member, committee);
    for (size_t i = 0; i < member[0]->params->n; i++) {
        const mmli_param *p = &member[0]->params->list[i];
        const size_t n = p->rows * p->cols;
        bool random = false; /* biases and norms start at 0 and 1 everywhere */
        float *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);

        mmlt_assert_ok(mmli_params_get(x, member[0]->params, i));
        for (size_t k = 1; k < n; k++)
            random = random || x[k] != x[0];
        for (size_t m = 1; m <= FOLDS && random; m++) {
            const bool head = p->section == MMLI_SECTION_HEAD;

            mmlt_assert_ok(mmli_params_get(y, member[m]->params, i));
            ck_assert_msg((memcmp(x, y, n * sizeof *x) == 0) == head, "%s of member %zu", p->name, m);
            heads += head;
            others += !head;
        }
        free(x);
        free(y);
    }
    ck_assert_uint_gt(heads, 0);
    ck_assert_uint_gt(others, 0);
    for (size_t i = 0; i <= FOLDS; i++)
        mml_model_free(member[i]);
    mml_model_free(committee);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(it_is_kept_for_survival_unless_told_otherwise)
{
    static const struct {
        bool survival;
        mml_committee choice;
        int folds;
        size_t members;
    } cases[] = {{true, MML_COMMITTEE_AUTO, FOLDS, FOLDS + 1}, {true, MML_COMMITTEE_NO, FOLDS, 1},   {true, MML_COMMITTEE_AUTO, 0, 1},
                 {false, MML_COMMITTEE_AUTO, FOLDS, 1},        {false, MML_COMMITTEE_YES, FOLDS, FOLDS + 1},
                 {true, MML_COMMITTEE_AUTO, MML_FOLDS_AUTO, 6}, {false, MML_COMMITTEE_YES, MML_FOLDS_AUTO, 6}};
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    mml_model *model = NULL;
    mml_train_options o = options();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const rig_spec spec = {.survival = cases[i].survival};
        mmlt_cohort made;
        mml_cohort *cohort = rig_cohort(&made, &spec);

        o.committee = cases[i].choice;
        o.weight_folds = cases[i].folds;
        o.epochs = 1;
        model = rig_train(cohort, "labs", &o);
        ck_assert_msg(model->n == cases[i].members, "case %zu: %zu members", i, model->n);
        ck_assert_int_eq(mml_model_get_kind(model), model->n > 1 ? MML_MODEL_MERGE : MML_MODEL_BLOCK);
        mml_model_free(model);
        o.weight_folds = FOLDS; /* a series, by itself: none */
        o.committee = MML_COMMITTEE_AUTO;
        model = rig_train(cohort, "vitals", &o);
        ck_assert_uint_eq(model->n, 1);
        mml_model_free(model);
        o.weight_folds = 0;
        o.committee = MML_COMMITTEE_YES;
        mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG, "weight folds must not be 0");
        o.weight_folds = FOLDS;
        o.survival_loss = MML_LOSS_NLL;
        if (spec.survival)
            mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG, "time bins");
        o.survival_loss = MML_LOSS_COX;
        o.committee = (mml_committee)3;
        mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG, "committee");
        mml_cohort_close(cohort);
        mmlt_cohort_remove(&made);
    }
    mmlt_assert_ok(mml_train_options_init(&o, NULL, MML_TABLE, MML_SURVIVAL));
    ck_assert_int_eq(o.committee, MML_COMMITTEE_AUTO);
    mmlt_assert_ok(mml_train_options_init(&o, "paper", MML_TABLE, MML_SURVIVAL));
    ck_assert_int_eq(o.committee, MML_COMMITTEE_NO);
}
END_TEST

/* What one member was not trained on, others were: nothing but the test part is fit to test the whole. */
START_TEST(only_the_test_part_is_unseen)
{
    mmlt_cohort made[2];
    mml_train_options o = options();
    double score[2][RIG_N];
    char *where = calloc(RIG_N, 1);

    for (int other = 0; other < 2; other++) { /* with other patients in the test part */
        const rig_spec spec = {.survival = true, .other_test = other};
        mml_cohort *cohort = rig_cohort(&made[other], &spec);
        const char *const *ids = mml_cohort_ids(cohort);
        mml_model *model = rig_train(cohort, "labs", &o);
        mml_part *part = calloc(RIG_N, sizeof *part);
        size_t tests = 0, unseen_by_one = 0;

        mmlt_assert_ok(mml_split(part, cohort, "outcome", &o.split));
        for (size_t i = 0; i < RIG_N; i++) {
            const mml_part of = mml_model_part_of(model, SIZE_MAX, ids[i]);

            where[i] = part[i] == MML_PART_TEST;
            tests += of == MML_PART_TEST;
            ck_assert(part[i] != MML_PART_TEST || of == MML_PART_TEST || of == MML_PART_NONE); /* none: lacks the modality */
            ck_assert(part[i] == MML_PART_TEST || of != MML_PART_TEST);
            for (size_t m = 0; m < model->n; m++)
                unseen_by_one += of == MML_PART_TRAIN && mml_model_part_of(model, m, ids[i]) == MML_PART_NONE;
        }
        ck_assert_uint_gt(tests, RIG_N / 5);
        ck_assert_uint_gt(unseen_by_one, RIG_N / 2); /* every fold is held out of one member */
        predict(score[other], model, cohort);
        free(part);
        mml_model_free(model);
        mml_cohort_close(cohort);
        mmlt_cohort_remove(&made[other]);
    }
    for (size_t i = 0; i < RIG_N; i++)
        ck_assert(where[i] || score[0][i] == score[1][i]);
    free(where);
}
END_TEST

/* A patient has a modality or not: a fuse that learns without some of them leaves a committee out whole. _i = 0: now and then, 1: nearly
 * always, so that the one block that stays is as often the committee as the other one. */
START_TEST(it_is_left_out_whole)
{
    enum { STEPS = 20, MEMBERS = FOLDS + 2 };
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_fuse_options fo;
    mml_model *blocks[2], *fused = NULL;
    const int64_t *offsets[MEMBERS];
    size_t samples[RIG_N], both = 0, out[2] = {0};
    uint8_t drop[MEMBERS * RIG_N];

    o.epochs = 1;
    blocks[0] = rig_train(cohort, "labs", &o);
    o.committee = MML_COMMITTEE_NO;
    blocks[1] = rig_train(cohort, "vitals", &o);
    mmlt_assert_ok(mml_fuse_options_init(&fo, NULL));
    fo.modality_dropout = _i ? 0.999 : 0.3;
    mmlt_assert_ok(mml_fuse(&fused, (const mml_model *const *)blocks, 2, &fo));
    ck_assert_uint_eq(fused->n, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++) {
        mml_modality_info info;

        mmlt_assert_ok(mml_cohort_modality(&info, cohort, fused->members[i].modality));
        offsets[i] = info.offsets;
    }
    for (size_t b = 0; b < RIG_N; b++)
        samples[b] = b;
    for (uint64_t step = 0; step < STEPS; step++) {
        const mmli_shard whole = mmli_shard_whole(samples, RIG_N);

        mmli_shard_drops(drop, &whole, fused, offsets, 1, step);
        for (size_t b = 0; b < RIG_N; b++) {
            const uint8_t labs = drop[b], vitals = drop[(MEMBERS - 1) * RIG_N + b];
            const bool has[] = {offsets[0][b + 1] > offsets[0][b], offsets[MEMBERS - 1][b + 1] > offsets[MEMBERS - 1][b]};

            for (size_t i = 1; i <= FOLDS; i++)
                ck_assert_uint_eq(drop[i * RIG_N + b], labs);
            ck_assert(has[0] || !labs);
            ck_assert(has[1] || !vitals);
            ck_assert(!(has[0] || has[1]) || (has[0] && !labs) || (has[1] && !vitals)); /* one stays */
            if (has[0] && has[1]) {
                both++;
                out[0] += labs;
                out[1] += vitals;
            }
        }
    }
    ck_assert_uint_gt(both, 500);
    /* Chance of each: .3 less half of .09, which is when both would go; or .5. Five standard errors of 500 draws are .11. */
    for (int k = 0; k < 2; k++)
        ck_assert_double_eq_tol((double)out[k] / (double)both, _i ? 0.5 : 0.3 - 0.045, 0.11);
    mml_model_free(blocks[0]);
    mml_model_free(blocks[1]);
    mml_model_free(fused);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* In a merge and in a fuse it has the weight of one block. _i = 0: equal weights, 1: by validation, 2: given. */
START_TEST(it_counts_as_one_block)
{
    static const double given[] = {0.7, 0.3};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_model *blocks[2], *merged = NULL;
    mml_merge_options mo;
    double want[2] = {0.5, 0.5}, sum = 0;

    blocks[0] = rig_train(cohort, "labs", &o);
    o.committee = MML_COMMITTEE_NO;
    blocks[1] = rig_train(cohort, "vitals", &o);
    mmlt_assert_ok(mml_merge_options_init(&mo, NULL));
    mo.weighting = _i == 0 ? MML_WEIGHT_EQUAL : _i == 1 ? MML_WEIGHT_VALIDATION : MML_WEIGHT_GIVEN;
    mo.weights = _i == 2 ? given : NULL;
    if (_i == 2)
        memcpy(want, given, sizeof want);
    if (_i == 1) { /* d', drawn half way to its mean over the two */
        double d[2];

        for (int i = 0; i < 2; i++) {
            for (size_t m = 0; m < blocks[i]->n; m++) /* such that both count */
                blocks[i]->members[m].from.cross_score = i == 0 ? 0.8 : 0.6;
            mmlt_assert_ok(mml_metric_dprime(&d[i], i == 0 ? 0.8 : 0.6, 100000));
        }
        for (int i = 0; i < 2; i++)
            want[i] = (d[i] + (d[0] + d[1]) / 2) / 2 / (d[0] + d[1]);
        ck_assert_double_gt(fabs(want[0] - 0.5), 0.01);
    }
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)blocks, 2, &mo));
    ck_assert_uint_eq(merged->n, FOLDS + 2);
    for (size_t i = 0; i <= FOLDS; i++) {
        ck_assert_double_eq_tol(merged->weights[i], want[0] / (FOLDS + 1), 1e-9);
        sum += merged->weights[i];
    }
    ck_assert_double_eq_tol(sum, want[0], 1e-9);
    ck_assert_double_eq_tol(merged->weights[FOLDS + 1], want[1], 1e-9);
    mml_model_free(merged);
    for (int i = 0; i < 2; i++)
        mml_model_free(blocks[i]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Six blocks of no committee have the weight of six. */
START_TEST(two_committees_of_one_modality_are_two)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_model *blocks[3], *merged = NULL;
    mml_merge_options mo;

    blocks[0] = rig_train(cohort, "labs", &o);
    o.seed++;
    blocks[1] = rig_train(cohort, "labs", &o);
    o.committee = MML_COMMITTEE_NO;
    blocks[2] = rig_train(cohort, "vitals", &o);
    mmlt_assert_ok(mml_merge_options_init(&mo, NULL));
    mo.weighting = MML_WEIGHT_EQUAL;
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)blocks, 3, &mo));
    ck_assert_double_eq_tol(merged->weights[merged->n - 1], 1.0 / 3, 1e-9);
    mml_model_free(merged);
    for (int i = 0; i < 3; i++)
        mml_model_free(blocks[i]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_fuse_takes_it)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = options(), fo;
    mml_model *blocks[2], *fused = NULL, *again = NULL;

    o.epochs = 20;
    o.committee = MML_COMMITTEE_YES;
    blocks[0] = rig_train(cohort, "labs", &o);
    blocks[1] = rig_train(cohort, "vitals", &o);
    mmlt_assert_ok(mml_train_options_init_fuse(&fo, NULL, MML_BINARY));
    fo.split = o.split;
    fo.threads = 2;
    fo.schedule = MML_SCHEDULE_CONSTANT;
    mmlt_assert_ok(mml_train_fuse(&fused, cohort, (const mml_model *const *)blocks, 2, NULL, &fo));
    fo.threads = 1;
    mmlt_assert_ok(mml_train_fuse(&again, cohort, (const mml_model *const *)blocks, 2, NULL, &fo));
    ck_assert_uint_eq(fused->n, 2 * (FOLDS + 1));
    ck_assert_double_eq_tol(fused->from.history[0].learning_rate, fo.learning_rate / (FOLDS + 1), 1e-15);
    rig_same_parameters(fused, again);
    ck_assert_double_gt(rig_score(fused, cohort, "test"), 0.8); /* .5 is chance; both modalities tell */
    mml_model_free(fused);
    mml_model_free(again);
    for (int i = 0; i < 2; i++)
        mml_model_free(blocks[i]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_model_file_keeps_it)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &SURVIVAL);
    mml_train_options o = options();
    mml_model *model = rig_train(cohort, "labs", &o), *read = NULL, *again = NULL;
    char *json = NULL;

    mmlt_assert_ok(mml_model_save(model, mmlt_path("block.h5")));
    mmlt_assert_ok(mml_model_load(&read, mmlt_path("block.h5"), NULL, 0));
    ck_assert_uint_eq(mml_model_committee(read, 0), FOLDS + 1);
    ck_assert_uint_eq(mml_model_committee(read, FOLDS), FOLDS + 1);
    mmlt_assert_ok(mml_model_describe(&json, read));
    ck_assert_ptr_nonnull(strstr(json, "\"committee\""));
    mml_string_free(json);
    mmlt_assert_ok(mml_model_save_state(model, mmlt_path("block.safetensors")));
    mmlt_assert_ok(mml_model_load_state(&again, mmlt_path("block.safetensors"), NULL, NULL, 0));
    ck_assert_uint_eq(mml_model_committee(again, 0), FOLDS + 1);
    mml_model_free(model);
    mml_model_free(read);
    mml_model_free(again);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("train/committee");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, it_is_the_merge_of_the_block_and_those_of_the_folds);
    tcase_add_test(tc, members_start_from_other_values_but_share_the_head);
    tcase_add_test(tc, it_is_kept_for_survival_unless_told_otherwise);
    tcase_add_test(tc, only_the_test_part_is_unseen);
    tcase_add_loop_test(tc, it_counts_as_one_block, 0, 3);
    tcase_add_loop_test(tc, it_is_left_out_whole, 0, 2);
    tcase_add_test(tc, two_committees_of_one_modality_are_two);
    tcase_add_test(tc, a_fuse_takes_it);
    tcase_add_test(tc, a_model_file_keeps_it);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
