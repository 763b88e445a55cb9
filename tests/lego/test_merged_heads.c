/* test_merged_heads.c - heads of a merge: ensemble, LayerNorm scaling; blocks without a transform; hidden memory. */
#include <stdlib.h>
#include <string.h>

#include "tests/lego/merges.h"

/* The head of the first block in all of them, the LayerNorm of it only with `norms`. */
static void share_head(mml_model *model, bool norms)
{
    const mmli_head *first = &model->members[0].block.head;
    float w[K * D], bias[K], norm_w[D], norm_b[D];

    mmlt_assert_ok(mmli_params_get(w, model->params, first->linear_w));
    mmlt_assert_ok(mmli_params_get(bias, model->params, first->linear_b));
    mmlt_assert_ok(mmli_params_get(norm_w, model->params, first->norm_w));
    mmlt_assert_ok(mmli_params_get(norm_b, model->params, first->norm_b));
    for (size_t i = 1; i < M; i++) {
        const mmli_head *h = &model->members[i].block.head;

        mmlt_assert_ok(mmli_params_set(model->params, h->linear_w, w));
        mmlt_assert_ok(mmli_params_set(model->params, h->linear_b, bias));
        if (norms) {
            mmlt_assert_ok(mmli_params_set(model->params, h->norm_w, norm_w));
            mmlt_assert_ok(mmli_params_set(model->params, h->norm_b, norm_b));
        }
    }
}

/* ---- heads ------------------------------------------------------------------------------------------------------ */

START_TEST(ensemble_is_the_weighted_mean_of_the_blocks_logits)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS), *block[M];
    mml_batch *batch = make_batch(78);
    float *own[M], *got;

    set_rule(merge, (rule){MML_MERGE_MEAN, MML_PHASE_CIRCULAR, MML_LATENT_RAW, MML_HEAD_ENSEMBLE});
    got = made_logits(merge, batch);
    for (size_t i = 0; i < M; i++) {
        block[i] = made_block(merge, i);
        own[i] = made_logits(block[i], batch);
    }
    for (size_t b = 0; b < B; b++) {
        float want[K];
        double total = 0;

        for (size_t i = 0; i < M; i++)
            total += tokens[i * B + b] > 0 ? merge->weights[i] : 0;
        for (size_t j = 0; j < K; j++) {
            double sum = 0;
            for (size_t i = 0; i < M; i++)
                sum += tokens[i * B + b] > 0 ? merge->weights[i] / total * (double)row(own[i], b)[j] : 0;
            want[j] = (float)sum;
        }
        mmlt_assert_close(row(got, b), want, K, MMLT_TOL_SUM);
    }
    free(got);
    for (size_t i = 0; i < M; i++) {
        free(own[i]);
        mml_model_free(block[i]);
    }
    mml_batch_free(batch);
    mml_model_free(merge);
}
END_TEST

/* Where all linear layers are one, averaging the LayerNorms before it or the logits behind it is the same. */
START_TEST(layernorm_scaling_averages_what_each_blocks_own_norm_gives)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, _i % N_VARIANTS);
    mml_batch *batch = make_batch(79);
    float *normed, *ensemble;

    share_head(merge, false);
    set_rule(merge, (rule){MML_MERGE_MEAN, MML_PHASE_CIRCULAR, MML_LATENT_LAYERNORM, MML_HEAD_SLERP});
    normed = made_logits(merge, batch);
    set_rule(merge, (rule){MML_MERGE_MEAN, MML_PHASE_CIRCULAR, MML_LATENT_RAW, MML_HEAD_ENSEMBLE});
    ensemble = made_logits(merge, batch);
    mmlt_assert_close(normed, ensemble, B * K, MMLT_TOL_SUM);
    free(normed);
    free(ensemble);
    mml_batch_free(batch);
    mml_model_free(merge);
}
END_TEST

/* ---- the spatial ablation ---------------------------------------------------------------------------------------- */

/* Blocks trained without a transform are merged in the frequency domain all the same (method.md 2): F^-1 of the merge of
 * the F(R). All have one head, so what is wanted is that head on this latent. */
START_TEST(spatial_blocks_are_merged_by_frequency)
{
    const int axes = MMLI_AXIS_C | MMLI_AXIS_D;
    mml_model *merge = make_merge(_i, SPATIAL);
    mml_batch *batch = make_batch(82);
    const mmli_merge_rule how = {.aggregation = MML_MERGE_HARMONIC, .weights = merge->weights};
    mmli_tape *tape = NULL;
    mmli_inputs in;
    mmli_bound bound;
    mmli_complex z[M];
    mmli_state state = {.samples = B};
    mmli_var *logits;
    float *got, want[B * K], plain[B * K];

    share_head(merge, true);
    set_rule(merge, rule_at(0));
    got = made_logits(merge, batch);
    mmlt_assert_ok(mmli_tape_new(&tape, merge->dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_inputs_make(&in, tape, merge, batch, NULL, NULL));
    mmlt_assert_ok(mmli_params_bind(&bound, tape, merge->params, NULL, NULL));
    mmlt_assert_ok(mmli_model_latents(z, merge, tape, &bound, &in));
    state.z = mmli_merge_latents(tape, z, M, B, C, in.present, &how);
    logits = mmli_head_apply(tape, &bound, &merge->members[0].block.head, state, C);
    mmlt_assert_ok(mmli_tape_status(tape));
    mmlt_download(plain, merge->dv, logits->data, sizeof plain);
    for (size_t i = 0; i < M; i++)
        z[i] = mmli_op_fft(tape, (mmli_complex){z[i].re, NULL}, C, axes, -1, 1.0f, false);
    state.z = mmli_merge_latents(tape, z, M, B, C, in.present, &how);
    state.z = mmli_op_fft(tape, state.z, C, axes, 1, 1.0f / (C * D), true);
    logits = mmli_head_apply(tape, &bound, &merge->members[0].block.head, state, C);
    mmlt_assert_ok(mmli_tape_status(tape));
    mmlt_download(want, merge->dv, logits->data, sizeof want);
    for (size_t b = 0; b < B; b++)
        if (n_present(b) > 0)
            mmlt_assert_close(row(got, b), row(want, b), K, ((mmlt_tol){2e-5, 1e-5})); /* as for the order of blocks */
    ck_assert(mmlt_distance(row(plain, 0), row(want, 0), K, (mmlt_tol){1e-2, 1e-2}, NULL) > 1);
    free(got);
    mmli_tape_free(tape);
    mml_batch_free(batch);
    mml_model_free(merge);
}
END_TEST

/* ---- backends ---------------------------------------------------------------------------------------------------- */

/* Nothing above the backend reads device memory, so hidden memory gives the reference's bits. */
START_TEST(hidden_backend_predicts_as_the_reference_to_the_bit)
{
    const int n = mmlt_n_backends();
    mml_batch *batch = make_batch(83);

    for (int k = 0; k < N_RULES; k++) {
        mml_model *reference = make_merge(n - 2, k % N_VARIANTS);
        mml_model *hidden = make_merge(n - 1, k % N_VARIANTS);
        float *got, *want;

        ck_assert_str_eq(reference->dv->k.name, "reference");
        ck_assert_str_eq(hidden->dv->k.name, "hidden");
        set_rule(reference, rule_at(k));
        set_rule(hidden, rule_at(k));
        want = made_predictions(reference, batch, 1, NULL);
        got = made_predictions(hidden, batch, 1, NULL);
        mmlt_assert_same_bits(got, want, B * K * sizeof(float));
        free(got);
        free(want);
        mml_model_free(reference);
        mml_model_free(hidden);
    }
    mml_batch_free(batch);
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/merged_heads");
    TCase *tc = tcase_create("merged heads");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, ensemble_is_the_weighted_mean_of_the_blocks_logits, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, layernorm_scaling_averages_what_each_blocks_own_norm_gives, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, spatial_blocks_are_merged_by_frequency, 0, n);
    tcase_add_test(tc, hidden_backend_predicts_as_the_reference_to_the_bit);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
