/* test_merged_model.c - LegoMerge as a model, by mmli_model_forward and by predictors: one modality, none, who has a say,
 * the same blocks twice and in another order (method.md 3). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/predictor.h"
#include "tests/lego/merges.h"

/* ---- one, none ------------------------------------------------------------------------------------------------ */

START_TEST(one_modality_gives_the_blocks_own_prediction_to_the_bit)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS), *block[M];
    mml_batch *batch = make_batch(71);
    float *own[M];

    for (size_t i = 0; i < M; i++) {
        block[i] = made_block(merge, i);
        own[i] = made_logits(block[i], batch);
    }
    for (int k = 0; k < N_RULES; k++) {
        float *logits, *predicted;

        set_rule(merge, rule_at(k));
        logits = made_logits(merge, batch);
        predicted = made_predictions(merge, batch, 1 + k % 3, NULL);
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < M && n_present(b) == 1; i++)
                if (tokens[i * B + b] > 0) {
                    mmlt_assert_same_bits(row(logits, b), row(own[i], b), K * sizeof(float));
                    mmlt_assert_same_bits(row(predicted, b), row(own[i], b), K * sizeof(float));
                }
        free(logits);
        free(predicted);
    }
    for (size_t i = 0; i < M; i++) {
        free(own[i]);
        mml_model_free(block[i]);
    }
    mml_batch_free(batch);
    mml_model_free(merge);
}
END_TEST

START_TEST(no_modality_is_zero_in_the_layer_and_the_flagged_prior_in_a_prediction)
{
    static const float zero[K];
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS);
    mml_batch *batch = make_batch(72), *empty = NULL;
    uint8_t prior[B];

    mmlt_assert_ok(mml_batch_new(&empty, B));
    for (int k = 0; k < N_RULES; k++) {
        float *logits, *predicted;

        set_rule(merge, rule_at(k));
        logits = made_logits(merge, batch);
        predicted = made_predictions(merge, batch, 1, prior);
        for (size_t b = 0; b < B; b++) {
            ck_assert_uint_eq(prior[b], n_present(b) == 0);
            for (size_t j = 0; j < K; j++)
                ck_assert(isfinite(row(logits, b)[j]));
            if (n_present(b) > 0)
                continue;
            mmlt_assert_same_bits(row(logits, b), zero, sizeof zero);
            mmlt_assert_same_bits(row(predicted, b), merge->task->prior_logits, sizeof zero);
        }
        free(logits);
        free(predicted);
        predicted = made_predictions(merge, empty, 1, prior);
        for (size_t b = 0; b < B; b++) {
            ck_assert_uint_eq(prior[b], 1);
            mmlt_assert_same_bits(row(predicted, b), merge->task->prior_logits, sizeof zero);
        }
        free(predicted);
    }
    mml_batch_free(batch);
    mml_batch_free(empty);
    mml_model_free(merge);
}
END_TEST

/* ---- who has a say ---------------------------------------------------------------------------------------------- */

/* All parameters of block 1, and what else is known of it, become others. */
static void change_block_1(mml_model *model)
{
    const size_t first = model->members[1].block.latent;

    for (size_t i = first; i < model->params->n; i++) {
        const mmli_param *p = &model->params->list[i];
        float *x;

        if (strncmp(p->name, "blocks.m1.", 10) != 0)
            break;
        x = calloc(p->rows * p->cols, sizeof *x);
        mmlt_normal(x, p->rows * p->cols, i);
        mmlt_assert_ok(mmli_params_set(model->params, i, x));
        free(x);
    }
    model->members[1].latent_rms *= 3;
    model->weights[1] *= 2;
}

START_TEST(prediction_depends_on_the_blocks_present_only)
{
    mml_batch *batch = make_batch(73);

    for (int k = 0; k < N_RULES; k++) {
        mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS);
        float *before, *after;

        set_rule(merge, rule_at(k));
        before = made_logits(merge, batch);
        change_block_1(merge);
        after = made_logits(merge, batch);
        for (size_t b = 0; b < B; b++) {
            const bool same = memcmp(row(before, b), row(after, b), K * sizeof(float)) == 0;
            ck_assert_msg(same == (tokens[B + b] == 0), "rule %d, sample %zu", k, b);
        }
        free(before);
        free(after);
        mml_model_free(merge);
    }
    mml_batch_free(batch);
}
END_TEST

/* Weight 0 is absent for whoever has another; those who have nothing else get it all the same. */
START_TEST(block_of_weight_zero_has_no_say_beside_others)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS);
    rig_data d;
    mml_batch *batch, *without;

    rig_data_make(&d, M, B, width, tokens, 74);
    batch = made_batch(&d);
    memset(d.offsets[1], 0, (B + 1) * sizeof *d.offsets[1]);
    without = made_batch(&d);
    rig_data_free(&d);
    for (int k = 0; k < N_RULES; k++) {
        float *got, *want, *equal;

        set_rule(merge, rule_at(k));
        merge->weights[1] = 0;
        got = made_logits(merge, batch);
        want = made_logits(merge, without);
        merge->weights[1] = 1;
        equal = made_logits(merge, batch);
        for (size_t b = 0; b < B; b++) {
            if (tokens[b] > 0 || tokens[2 * B + b] > 0)
                mmlt_assert_same_bits(row(got, b), row(want, b), K * sizeof(float));
            else
                mmlt_assert_same_bits(row(got, b), row(equal, b), K * sizeof(float));
        }
        free(got);
        free(want);
        free(equal);
    }
    mml_batch_free(batch);
    mml_batch_free(without);
    mml_model_free(merge);
}
END_TEST

START_TEST(predictor_says_which_blocks_were_used)
{
    mml_model *merge = make_merge(_i, 0);
    mml_batch *batch = make_batch(75);
    mml_predictor *predictor = NULL;
    mml_prediction p;

    merge->weights[0] = 0;
    mmlt_assert_ok(mmli_predictor_new_on(&predictor, merge, NULL, NULL, 1));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    for (size_t b = 0; b < B; b++) {
        uint64_t want = 0;
        for (size_t i = 1; i < M; i++)
            want |= (uint64_t)(tokens[i * B + b] > 0) << i;
        if (want == 0)
            want = tokens[b] > 0;
        ck_assert_uint_eq(p.used[b], want);
    }
    mml_predictor_free(predictor);
    mml_batch_free(batch);
    mml_model_free(merge);
}
END_TEST

/* ---- the same blocks, another order --------------------------------------------------------------------------- */

/* mean and harmonic; sum and product of a block with itself are something else. */
START_TEST(merge_of_a_block_with_itself_predicts_as_that_block)
{
    mml_model *merge = make_copies(_i / N_VARIANTS, _i % N_VARIANTS), *block = made_block(merge, 0);
    const size_t same[M] = {width[0], width[0], width[0]};
    rig_data d;
    mml_batch *batch;
    float *own;

    rig_data_make(&d, M, B, same, tokens, 76);
    for (size_t i = 1; i < M; i++) { /* the same tokens for all three */
        memcpy(d.offsets[i], d.offsets[0], (B + 1) * sizeof *d.offsets[0]);
        free(d.values[i]);
        d.values[i] = calloc((size_t)d.offsets[0][B] * width[0], sizeof(float));
        memcpy(d.values[i], d.values[0], (size_t)d.offsets[0][B] * width[0] * sizeof(float));
    }
    batch = made_batch(&d);
    rig_data_free(&d);
    own = made_logits(block, batch);
    for (int k = 0; k < N_RULES; k++) {
        const rule r = rule_at(k);
        float *got;

        if (r.aggregation == MML_MERGE_SUM || r.aggregation == MML_MERGE_PRODUCT)
            continue;
        set_rule(merge, r);
        merge->weights[1] = k % 2 ? 0.3 : 1;
        got = made_logits(merge, batch);
        for (size_t b = 0; b < B; b++)
            if (tokens[b] > 0)
                mmlt_assert_close(row(got, b), row(own, b), K, MMLT_TOL_SUM);
        free(got);
    }
    free(own);
    mml_batch_free(batch);
    mml_model_free(block);
    mml_model_free(merge);
}
END_TEST

START_TEST(order_of_the_blocks_does_not_change_a_prediction)
{
    static const size_t order[M] = {2, 0, 1};
    const mml_model *source;
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS), *other = NULL;
    mml_batch *batch = make_batch(77);

    source = merge;
    mmlt_assert_ok(mmli_model_new(&other, MML_MODEL_MERGE, NULL, &merge->dv->k, 2));
    mmlt_assert_ok(mmli_task_copy(&other->task, source->task));
    for (size_t i = 0; i < M; i++)
        mmlt_assert_ok(mmli_model_add_copy(other, source, order[i]));
    mmlt_assert_ok(mmli_model_build(other));
    for (size_t i = 0; i < M; i++) {
        mmlt_assert_ok(mmli_model_copy_values(other, i, source, order[i]));
        other->weights[i] = source->weights[order[i]];
    }
    for (int k = 0; k < N_RULES; k++) {
        float *got, *want;

        set_rule(merge, rule_at(k));
        set_rule(other, rule_at(k));
        want = made_logits(merge, batch);
        got = made_logits(other, batch);
        /* circular phases of nearly opposite numbers magnify the rounding of their sum */
        mmlt_assert_close(got, want, B * K, ((mmlt_tol){2e-5, 1e-5}));
        free(got);
        free(want);
    }
    mml_batch_free(batch);
    mml_model_free(other);
    mml_model_free(merge);
}
END_TEST

/* ---- predictors ------------------------------------------------------------------------------------------------- */

/* Heads are kept between batches: another set of modalities must not get the last one's. */
START_TEST(predictor_gives_the_same_for_every_order_of_batches)
{
    mml_model *merge = make_merge(_i, 0);
    mml_batch *batch[] = {make_batch(80), make_batch(81)};
    mml_predictor *warm = NULL;
    mml_prediction p;

    set_rule(merge, (rule){MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, MML_LATENT_POOLED, MML_HEAD_SLERP});
    mmlt_assert_ok(mmli_predictor_new_on(&warm, merge, NULL, NULL, 1));
    for (size_t k = 0; k < 4; k++) {
        float *cold = made_predictions(merge, batch[k % 2], 2, NULL);

        mmlt_assert_ok(mml_predict(&p, warm, batch[k % 2]));
        mmlt_assert_same_bits(p.logits, cold, B * K * sizeof(float));
        free(cold);
    }
    mml_predictor_free(warm);
    mml_batch_free(batch[0]);
    mml_batch_free(batch[1]);
    mml_model_free(merge);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/merged_model");
    TCase *tc = tcase_create("merged model");
    const int n = mmlt_n_backends();

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, one_modality_gives_the_blocks_own_prediction_to_the_bit, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, no_modality_is_zero_in_the_layer_and_the_flagged_prior_in_a_prediction, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, prediction_depends_on_the_blocks_present_only, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, block_of_weight_zero_has_no_say_beside_others, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, predictor_says_which_blocks_were_used, 0, n);
    tcase_add_loop_test(tc, merge_of_a_block_with_itself_predicts_as_that_block, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, order_of_the_blocks_does_not_change_a_prediction, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, predictor_gives_the_same_for_every_order_of_batches, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
