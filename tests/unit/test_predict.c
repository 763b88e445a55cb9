/* test_predict.c - predictions of samples that have all, some or none of a model's modalities. */
#include <math.h>
#include <string.h>

#include "tests/unit/make_model.h"

enum { B = 9, TOKENS = 3 };

/* Sample b lacks labs if b is odd, notes if b / 2 is odd, scan if b / 4 is odd: 7 lacks all of them. */
static const uint64_t some[3] = {0xaaa, 0xccc, 0xff0};

static mml_batch *batch_of(const uint64_t *missing)
{
    return mmlt_batch(B, mmlt_names, mmlt_widths, 3, missing, TOKENS, 100);
}

/* Logits (B, k) of a batch. */
static void logits_of(float *out, const mml_model *model, const char *backend, const mml_batch *batch)
{
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_predictor_new(&p, model, backend, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    memcpy(out, r.logits, r.n * r.k * sizeof *out);
    mml_predictor_free(p);
}

START_TEST(predictions_are_what_the_task_makes_of_the_logits)
{
    mml_model *model = mmlt_any(_i / 4, (mml_task_kind)(_i % 4), NULL);
    mml_batch *batch = batch_of(NULL);
    mml_predictor *p = NULL;
    mml_prediction r;
    float output[B * 4], survival[B * 4];
    double score[B];

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.n, B);
    ck_assert_uint_eq(r.k, mml_model_n_outputs(model));
    mmli_task_outputs(output, survival, score, model->task, r.logits, B);
    mmlt_assert_same_bits(r.output, output, B * r.k * sizeof *output);
    ck_assert_int_eq(r.survival != NULL, _i % 4 == MML_SURVIVAL);
    if (r.survival)
        mmlt_assert_same_bits(r.survival, survival, B * r.k * sizeof *survival);
    for (size_t b = 0; b < B; b++) {
        ck_assert(isnan(score[b]) ? isnan(r.score[b]) : r.score[b] == score[b]);
        ck_assert_uint_eq(r.prior[b], 0);
        ck_assert_uint_eq(r.used[b], _i / 4 == 0 ? 1 : 7);
    }
    ck_assert(memcmp(r.logits, r.logits + r.k, r.k * sizeof *r.logits) != 0); /* samples differ */
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_sample_without_any_modality_gets_the_prior_and_is_flagged)
{
    static const uint64_t all[3] = {~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)};
    mml_model *model = mmlt_any(_i, MML_SURVIVAL, NULL);
    mml_batch *batches[3] = {batch_of(some), batch_of(all), NULL};
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_batch_new(&batches[2], B)); /* no modality was ever set */
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    for (size_t i = 0; i < 3; i++) {
        size_t priors = 0;

        mmlt_assert_ok(mml_predict(&r, p, batches[i]));
        for (size_t b = 0; b < B; b++) {
            const bool none = i > 0 || b == 7 || (_i == 0 && b % 2 == 1); /* a block of labs sees labs only */

            ck_assert_uint_eq(r.prior[b], none);
            ck_assert_int_eq(r.used[b] == 0, none);
            if (none)
                mmlt_assert_same_bits(r.logits + b * r.k, model->task->prior_logits, r.k * sizeof *r.logits);
            priors += r.prior[b];
        }
        ck_assert_uint_eq(priors, i > 0 ? B : _i == 0 ? 4 : 1);
        mml_batch_free(batches[i]);
    }
    mml_predictor_free(p);
    mml_model_free(model);
}
END_TEST

START_TEST(a_merge_of_which_one_block_sees_a_sample_gives_the_prediction_of_that_block_to_the_bit)
{
    mml_model *merged = mmlt_any(_i == 0 ? 1 : 3, MML_BINARY, NULL);
    mml_batch *batch = batch_of(some);
    float all[B * 2], own[B * 2];
    size_t alone = 0;

    logits_of(all, merged, NULL, batch);
    for (size_t m = 0; m < 3; m++) {
        mml_model *single = mmlt_one(m, MML_BINARY, NULL);

        logits_of(own, single, NULL, batch);
        for (size_t b = 0; b < B; b++) {
            const unsigned here = (unsigned)(~(b) & 7u); /* bit m: has modality m */

            if (b < 8 && here == 1u << m) {
                mmlt_assert_same_bits(all + b * 2, own + b * 2, 2 * sizeof *own);
                alone++;
            }
        }
        mml_model_free(single);
    }
    ck_assert_uint_eq(alone, 3);
    mml_batch_free(batch);
    mml_model_free(merged);
}
END_TEST

START_TEST(the_mask_of_used_blocks_leaves_out_absent_ones_and_those_without_weight)
{
    mml_model *m[3], *merged = NULL;
    mml_batch *batch = batch_of(some);
    mml_predictor *p = NULL;
    mml_prediction r;
    mml_merge_options o;

    for (size_t i = 0; i < 3; i++)
        m[i] = mmlt_one(i, MML_BINARY, NULL);
    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.weighting = MML_WEIGHT_GIVEN;
    o.weights = (const double[]){1, 0, 2};
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const *)m, 3, &o));
    mmlt_assert_ok(mml_predictor_new(&p, merged, NULL, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    for (size_t b = 0; b < 8; b++) {
        const uint64_t here = ~b & 7u;

        ck_assert_uint_eq(r.used[b], here == 2 ? 2 : here & 5u); /* notes have weight 0: used only where they are alone */
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(merged);
    for (size_t i = 0; i < 3; i++)
        mml_model_free(m[i]);
}
END_TEST

START_TEST(modalities_that_the_model_does_not_know_change_nothing)
{
    mml_model *model = mmlt_one(0, MML_BINARY, NULL);
    mml_batch *one = mmlt_batch(B, mmlt_names, mmlt_widths, 1, NULL, TOKENS, 100), *three = batch_of(NULL);
    float a[B * 2], b[B * 2];

    logits_of(a, model, NULL, one);
    logits_of(b, model, NULL, three);
    mmlt_assert_same_bits(a, b, sizeof a);
    mml_batch_free(one);
    mml_batch_free(three);
    mml_model_free(model);
}
END_TEST

START_TEST(tokens_of_another_width_and_infinite_values_are_refused)
{
    static const size_t other[] = {5, 3, 2};
    mml_model *model = mmlt_any(1, MML_BINARY, NULL);
    mml_batch *batch = mmlt_batch(B, mmlt_names, other, 3, NULL, 1, 1);
    mml_predictor *p = NULL;
    mml_prediction r;
    float values[B * 4] = {0};

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_SHAPE, "labs: tokens have 5 values, in training they had 4");
    values[9] = INFINITY;
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", values, NULL, 4));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_DATA, "labs: sample 3");
    values[9] = NAN; /* not measured: imputed */
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", values, NULL, 4));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.used[2] & 1, 1);
    for (size_t k = 0; k < 4; k++)
        values[8 + k] = NAN; /* nothing measured: as if the modality were not there */
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", values, NULL, 4));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.used[2] & 1, 0);
    ck_assert_uint_eq(r.used[1] & 1, 1);
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_model_that_has_diverged_is_not_believed)
{
    mml_model *model = mmlt_one(0, MML_BINARY, NULL);
    mml_batch *batch = batch_of(NULL);
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mmli_params_set(model->params, model->members[0].block.head.linear_b, (const float[]){0, NAN}));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_fails(mml_predict(&r, p, batch), MML_E_NOT_FINITE, "sample 1 of the batch");
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(a_prediction_does_not_depend_on_the_other_samples)
{
    mml_model *model = mmlt_any(_i, MML_MULTICLASS, NULL);
    mml_batch *batch = batch_of(some), *single = NULL;
    float all[B * 3], one[3];

    logits_of(all, model, NULL, batch);
    for (size_t b = 0; b < B; b++) {
        mmlt_assert_ok(mml_batch_new(&single, 1));
        for (size_t m = 0; m < 3; m++) {
            mml_tokens t;
            int64_t offsets[2] = {0, 0};

            mmlt_assert_ok(mml_batch_get(&t, batch, mmlt_names[m]));
            offsets[1] = t.offsets[b + 1] - t.offsets[b];
            mmlt_assert_ok(mml_batch_set(single, mmlt_names[m], t.values + (size_t)t.offsets[b] * t.width, offsets, t.width, NULL, 0));
        }
        logits_of(one, model, NULL, single);
        mmlt_assert_close(one, all + b * 3, 3, MMLT_TOL_SUM);
        mml_batch_free(single);
    }
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

START_TEST(an_empty_batch_gives_no_predictions)
{
    mml_model *model = mmlt_any(_i, MML_BINARY, NULL);
    mml_batch *batch = NULL;
    mml_predictor *p = NULL;
    mml_prediction r;

    mmlt_assert_ok(mml_batch_new(&batch, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&r, p, batch));
    ck_assert_uint_eq(r.n, 0);
    mml_predictor_free(p);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

/* ---- inputs ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_dropped_modality_is_a_missing_modality)
{
    mml_model *model = mmlt_any(1, MML_BINARY, NULL);
    mml_batch *full = batch_of(NULL), *without = NULL;
    uint8_t drop[3 * B];
    mmli_tape *tapes[2] = {NULL, NULL};
    mmli_inputs in[2];

    for (size_t m = 0; m < 3; m++)
        for (size_t b = 0; b < B; b++)
            drop[m * B + b] = some[m] >> b & 1;
    mmlt_assert_ok(mml_batch_new(&without, B));
    for (size_t m = 0; m < 3; m++) { /* the same values, those of dropped samples taken out by hand */
        mml_tokens t;
        float values[B * TOKENS * 4];
        int64_t offsets[B + 1] = {0};

        mmlt_assert_ok(mml_batch_get(&t, full, mmlt_names[m]));
        for (size_t b = 0; b < B; b++) {
            const size_t n = drop[m * B + b] ? 0 : TOKENS;

            memcpy(values + (size_t)offsets[b] * t.width, t.values + b * TOKENS * t.width, n * t.width * sizeof *values);
            offsets[b + 1] = offsets[b] + (int64_t)n;
        }
        mmlt_assert_ok(mml_batch_set(without, mmlt_names[m], values, offsets, t.width, NULL, 0));
    }
    for (size_t i = 0; i < 2; i++) {
        mmlt_assert_ok(mmli_tape_new(&tapes[i], model->dv));
        mmlt_assert_ok(mmli_tape_begin(tapes[i], 0, 0, 0));
        mmlt_assert_ok(mmli_inputs_make(&in[i], tapes[i], model, i ? without : full, i ? NULL : drop, NULL));
    }
    mmlt_assert_same_bits(in[0].present, in[1].present, 3 * B);
    for (size_t m = 0; m < 3; m++) {
        float x[B * TOKENS * 4], y[B * TOKENS * 4];
        const size_t bytes = in[1].in[m].x->rows * mmlt_widths[m] * sizeof *x;

        for (size_t b = 0; b < B; b++)
            ck_assert_uint_eq(in[0].present[m * B + b], !drop[m * B + b]);
        ck_assert_uint_eq(in[0].in[m].x->rows, in[1].in[m].x->rows);
        ck_assert_uint_eq(in[0].in[m].ragged.segs, in[1].in[m].ragged.segs);
        mmlt_download(x, model->dv, in[0].in[m].x->data, bytes);
        mmlt_download(y, model->dv, in[1].in[m].x->data, bytes);
        mmlt_assert_same_bits(x, y, bytes);
    }
    memset(drop, 1, sizeof drop);
    mmlt_assert_ok(mmli_tape_begin(tapes[0], 0, 0, 0));
    mmlt_assert_ok(mmli_inputs_make(&in[0], tapes[0], model, full, drop, NULL));
    for (size_t m = 0; m < 3; m++)
        ck_assert_ptr_null(in[0].in[m].x);
    for (size_t i = 0; i < 2; i++)
        mmli_tape_free(tapes[i]);
    mml_batch_free(full);
    mml_batch_free(without);
    mml_model_free(model);
}
END_TEST

START_TEST(positions_stay_with_the_tokens_that_are_kept)
{
    mml_model *model = mmlt_one(2, MML_BINARY, NULL);
    mmli_prep *prep = model->members[0].prep;
    mml_batch *batch = NULL;
    mmli_tape *tape = NULL;
    mmli_inputs in;
    const float values[] = {1, 2, 3, 4, 5, 6}, positions[] = {0, 0.25f, 1};
    const uint8_t drop[] = {1, 0};
    float x[2 * 5], want[2 * 5] = {3, 4, sinf((float)M_PI / 4), cosf((float)M_PI / 4), 0.25f, 5, 6, 0, -1, 1};

    prep->o.position_bands = 1; /* [ 2 values | sin, cos, p ] */
    prep->n_axes = 1;
    prep->width_out = 5;
    mmlt_assert_ok(mml_batch_new(&batch, 2));
    mmlt_assert_ok(mml_batch_set(batch, "scan", values, (const int64_t[]){0, 1, 3}, 2, positions, 1));
    mmlt_assert_ok(mmli_tape_new(&tape, model->dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_inputs_make(&in, tape, model, batch, drop, NULL));
    ck_assert_uint_eq(in.in[0].x->rows, 2);
    mmlt_download(x, model->dv, in.in[0].x->data, sizeof x);
    mmlt_assert_close(x, want, 10, MMLT_TOL_MATH);
    mmli_tape_free(tape);
    mml_batch_free(batch);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prediction");
    TCase *tc = tcase_create("predict");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, predictions_are_what_the_task_makes_of_the_logits, 0, 12);
    tcase_add_loop_test(tc, a_sample_without_any_modality_gets_the_prior_and_is_flagged, 0, 4);
    tcase_add_loop_test(tc, a_merge_of_which_one_block_sees_a_sample_gives_the_prediction_of_that_block_to_the_bit, 0, 2);
    tcase_add_test(tc, the_mask_of_used_blocks_leaves_out_absent_ones_and_those_without_weight);
    tcase_add_test(tc, modalities_that_the_model_does_not_know_change_nothing);
    tcase_add_test(tc, tokens_of_another_width_and_infinite_values_are_refused);
    tcase_add_test(tc, a_model_that_has_diverged_is_not_believed);
    tcase_add_loop_test(tc, a_prediction_does_not_depend_on_the_other_samples, 0, 4);
    tcase_add_loop_test(tc, an_empty_batch_gives_no_predictions, 0, 3);
    tcase_add_test(tc, a_dropped_modality_is_a_missing_modality);
    tcase_add_test(tc, positions_stay_with_the_tokens_that_are_kept);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
