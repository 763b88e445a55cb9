/* test_merged_model.c - LegoMerge as a model: states, merged latent, head of the modalities present, prior; by
 * mmli_model_forward and by predictors (method.md 3). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/predictor.h"
#include "tests/lego/made.h"

enum { M = 3, K = 3, C = 4, D = 5, B = 11 };

static const size_t width[M] = {5, 3, 4};
/* Every set of three modalities, some twice. */
static const size_t tokens[M * B] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, /* */ 2, 3, 0, 0, 1, 4, 0, 0, 2, 1, 0,
                                     /* */ 1, 2, 5, 1, 0, 0, 0, 0, 1, 0, 2};

typedef struct variant {
    const char *name, *preset;
    mml_transform transform;
} variant;

static const variant variants[] = {{"paper", "paper", MML_TRANSFORM_2D},
                                   {"upstream", "upstream", MML_TRANSFORM_1D},
                                   {"spatial", "paper", MML_TRANSFORM_SPATIAL}};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

typedef struct rule {
    mml_aggregation aggregation;
    mml_phase phase;
    mml_latent_scale scale;
    mml_head_method head;
} rule;

/* Every combination of the options of a merge that differs from the others: means of the latent (one has angles), raw or
 * scaled, with two kinds of head; LayerNorm scaling and the ensemble look at no merged latent. */
enum { N_MEANS = 5, N_RULES = N_MEANS * 2 * 2 + 3 };

static rule rule_at(int i)
{
    static const rule means[N_MEANS] = {{MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, 0},
                                        {MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 0, 0},
                                        {MML_MERGE_MEAN, 0, 0, 0},
                                        {MML_MERGE_SUM, 0, 0, 0},
                                        {MML_MERGE_PRODUCT, 0, 0, 0}};
    static const rule others[] = {{MML_MERGE_MEAN, 0, MML_LATENT_LAYERNORM, MML_HEAD_SLERP},
                                  {MML_MERGE_MEAN, 0, MML_LATENT_LAYERNORM, MML_HEAD_LINEAR},
                                  {MML_MERGE_MEAN, 0, MML_LATENT_RAW, MML_HEAD_ENSEMBLE}};
    rule r;

    if (i >= N_MEANS * 4)
        return others[i - N_MEANS * 4];
    r = means[i % N_MEANS];
    r.scale = i / N_MEANS % 2 ? MML_LATENT_POOLED : MML_LATENT_RAW;
    r.head = i / N_MEANS / 2 ? MML_HEAD_LINEAR : MML_HEAD_SLERP;
    return r;
}

static void set_rule(mml_model *model, rule r)
{
    model->merge.aggregation = r.aggregation;
    model->merge.phase = r.phase;
    model->merge.scale = r.scale;
    model->merge.head = r.head;
    model->merge.upstream_harmonic = 0;
}

static void make_options(mml_block_options *o, const variant *v)
{
    static const mml_encoder_kind encoders[M] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_NONE};

    for (size_t i = 0; i < M; i++) {
        o[i] = rig_options(v->preset, encoders[i], C, D, 2);
        o[i].transform = v->transform;
    }
}

static mml_model *make_merge(int backend, const variant *v)
{
    mml_block_options o[M];
    mml_model *model;

    make_options(o, v);
    model = made_model(MML_MODEL_MERGE, backend, 2, M, o, width, K);
    for (size_t i = 0; i < M; i++) {
        model->weights[i] = 0.2 + 0.3 * (double)i;
        model->members[i].latent_rms = 0.5 + (double)i;
    }
    return model;
}

/* All members as copies of the first one. Widths are that of the first modality. */
static mml_model *make_copies(int backend, const variant *v)
{
    const size_t same[M] = {width[0], width[0], width[0]};
    mml_block_options o[M];
    mml_model *model;

    make_options(o, v);
    o[1] = o[2] = o[0];
    model = made_model(MML_MODEL_MERGE, backend, 2, M, o, same, K);
    for (size_t i = 1; i < M; i++)
        mmlt_assert_ok(mmli_model_copy_values(model, i, model, 0));
    return model;
}

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

static mml_batch *make_batch(uint64_t key)
{
    rig_data d;
    mml_batch *batch;

    rig_data_make(&d, M, B, width, tokens, key);
    batch = made_batch(&d);
    rig_data_free(&d);
    return batch;
}

static size_t n_present(size_t b)
{
    size_t n = 0;

    for (size_t i = 0; i < M; i++)
        n += tokens[i * B + b] > 0;
    return n;
}

static const float *row(const float *logits, size_t b)
{
    return logits + b * K;
}

/* ---- one, none ------------------------------------------------------------------------------------------------ */

START_TEST(one_modality_gives_the_blocks_own_prediction_to_the_bit)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]), *block[M];
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
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]);
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
    const variant *v = &variants[_i % N_VARIANTS];
    mml_batch *batch = make_batch(73);

    for (int k = 0; k < N_RULES; k++) {
        mml_model *merge = make_merge(_i / N_VARIANTS, v);
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
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]);
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
    mml_model *merge = make_merge(_i, &variants[0]);
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
    mml_model *merge = make_copies(_i / N_VARIANTS, &variants[_i % N_VARIANTS]), *block = made_block(merge, 0);
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
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]), *other = NULL;
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

/* ---- heads ------------------------------------------------------------------------------------------------------ */

START_TEST(ensemble_is_the_weighted_mean_of_the_blocks_logits)
{
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]), *block[M];
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
    mml_model *merge = make_merge(_i / N_VARIANTS, &variants[_i % N_VARIANTS]);
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

/* Heads are kept between batches: another set of modalities must not get the last one's. */
START_TEST(predictor_gives_the_same_for_every_order_of_batches)
{
    mml_model *merge = make_merge(_i, &variants[0]);
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

/* ---- the spatial ablation ---------------------------------------------------------------------------------------- */

/* Blocks trained without a transform are merged in the frequency domain all the same (method.md 2): F^-1 of the merge of
 * the F(R). All have one head, so what is wanted is that head on this latent. */
START_TEST(spatial_blocks_are_merged_by_frequency)
{
    const int axes = MMLI_AXIS_C | MMLI_AXIS_D;
    mml_model *merge = make_merge(_i, &variants[2]);
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
    mmlt_assert_ok(mmli_inputs_make(&in, tape, merge, batch, NULL));
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
        mml_model *reference = make_merge(n - 2, &variants[k % N_VARIANTS]);
        mml_model *hidden = make_merge(n - 1, &variants[k % N_VARIANTS]);
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
    tcase_add_loop_test(tc, ensemble_is_the_weighted_mean_of_the_blocks_logits, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, layernorm_scaling_averages_what_each_blocks_own_norm_gives, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, predictor_gives_the_same_for_every_order_of_batches, 0, n);
    tcase_add_loop_test(tc, spatial_blocks_are_merged_by_frequency, 0, n);
    tcase_add_test(tc, hidden_backend_predicts_as_the_reference_to_the_bit);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
