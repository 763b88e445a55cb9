/* test_predict_streams.c - samples whose tokens are read in pieces are predicted like those that are read whole. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/predictor.h"
#include "model/walk.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

enum { N = 6, WIDTH = 5, OUTPUTS = 2, LARGE = 1000 * WIDTH * sizeof(float), PIECE = 300 };
static const size_t tokens[N] = {2500, 3, 0, 1000, 999, 1301};
enum { TOKENS = 2500 + 3 + 1000 + 999 + 1301 };

/* labs: a table that the fourth sample lacks; slide: bags with gaps and stored positions. bad: token with an infinite value. */
static mml_cohort *make_cohort(mmlt_cohort *made, size_t bad)
{
    int64_t labs[N + 1] = {0}, slide[N + 1] = {0};
    float *x = NULL, *at = NULL, table[N * 4];

    mmlt_assert_ok(mmli_calloc(&x, TOKENS * WIDTH, sizeof *x));
    mmlt_assert_ok(mmli_calloc(&at, TOKENS * 2, sizeof *at));
    mmlt_normal(x, TOKENS * WIDTH, 3);
    mmlt_uniform(at, TOKENS * 2, 4, 0, 1);
    mmlt_normal(table, N * 4, 5);
    for (size_t i = 0; i < TOKENS * WIDTH; i += 7)
        x[i] = NAN;
    if (bad < TOKENS)
        x[bad * WIDTH + 2] = INFINITY;
    for (size_t i = 0; i < N; i++) {
        labs[i + 1] = labs[i] + (i != 3);
        slide[i + 1] = slide[i] + (int64_t)tokens[i];
    }
    mmlt_cohort_begin(made, N, NULL);
    mmlt_cohort_modality(made, "labs", "table", table, labs, 4, NULL, 0, NULL);
    mmlt_cohort_modality(made, "slide", "bag", x, slide, WIDTH, at, 2, NULL);
    mmli_free(x);
    mmli_free(at);
    return mmlt_cohort_open(made);
}

/* A block that reads slides: values carried forward, an indicator a column, positions by bands. */
static mml_model *slide_block(mml_encoder_kind encoder)
{
    mml_model *model = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, "mmlego", MML_BAG, MML_BINARY));
    o.latent_c = 6;
    o.latent_d = 8;
    o.steps = 2;
    o.heads = 2;
    o.head_width = 4;
    o.tau = 1.0 / 3;
    o.encoder = encoder;
    o.encoder_width = encoder == MML_ENCODER_ABMIL ? 8 : 0;
    o.encoder_layers = 0;
    mmlt_assert_ok(mmli_prep_identity(&prep, WIDTH));
    prep->o.imputation = MML_IMPUTE_LOCF;
    prep->o.indicators = MML_INDICATE_MASK;
    prep->o.position_bands = 2;
    prep->n_axes = 2;
    prep->width_out = WIDTH + WIDTH + 2 * 5;
    memset(prep->indicator, 1, WIDTH);
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, NULL, 2));
    model->task = mmlt_task(MML_BINARY);
    mmlt_assert_ok(mmli_model_add(model, "slide", MML_BAG, "mmlego", &o, prep, OUTPUTS, 0.5f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 7, "outcome", 0));
    model->members[0].from.valid_score = 0.7;
    model->members[0].latent_rms = 1;
    return model;
}

/* Kinds of mml_model_kind: alone, merged with labs, fused with labs. */
static mml_model *make_model(int kind, mml_encoder_kind encoder)
{
    static const mmli_cross_plan plan = {.folded = true, .piece = PIECE};
    mml_model *slide = slide_block(encoder), *labs = mmlt_one(0, MML_BINARY, NULL), *out = slide;
    const mml_model *both[] = {labs, slide};

    if (kind == MML_MODEL_MERGE)
        mmlt_assert_ok(mml_merge(&out, both, 2, NULL));
    if (kind == MML_MODEL_FUSE)
        mmlt_assert_ok(mml_fuse(&out, both, 2, NULL));
    if (out != slide)
        mml_model_free(slide);
    mml_model_free(labs);
    for (size_t m = 0; m < out->n; m++) {
        out->members[m].block.encoder.piece = PIECE;
        if (out->members[m].block.encoder.kind == MML_ENCODER_NONE)
            out->members[m].block.plan = &plan;
    }
    return out;
}

typedef struct collected {
    float logits[N * OUTPUTS];
    uint8_t prior[N];
    uint64_t used[N];
    size_t n;
} collected;

static int collect(void *user, const mml_prediction *chunk, const size_t *samples)
{
    collected *c = user;

    for (size_t i = 0; i < chunk->n; i++) {
        ck_assert_uint_eq(samples[i], c->n);
        memcpy(c->logits + c->n * OUTPUTS, chunk->logits + i * OUTPUTS, OUTPUTS * sizeof *c->logits);
        c->prior[c->n] = chunk->prior[i];
        c->used[c->n++] = chunk->used[i];
    }
    return 0;
}

static const mml_encoder_kind encoders[] = {MML_ENCODER_NONE, MML_ENCODER_ABMIL};

/* _i runs over the kinds of model and the encoders. */
START_TEST(tokens_in_pieces_give_the_prediction_of_the_whole)
{
    mml_model *model = make_model(_i / 2, encoders[_i % 2]);
    collected whole = {.n = 0}, pieces = {.n = 0}, again = {.n = 0};
    mml_predictor *p = NULL;
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, TOKENS);

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmli_predictor_set_large(p, 0);
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &whole));
    mmli_predictor_set_large(p, LARGE);
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &pieces));
    mml_cohort_set_memory(cohort, 0); /* from the file */
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 3, collect, &again));
    ck_assert_uint_eq(pieces.n, N);
    mmlt_assert_close(pieces.logits, whole.logits, N * OUTPUTS, MMLT_TOL_SUM);
    mmlt_assert_same_bits(again.logits, pieces.logits, sizeof again.logits);
    mmlt_assert_same_bits(pieces.prior, whole.prior, sizeof whole.prior);
    mmlt_assert_same_bits(pieces.used, whole.used, sizeof whole.used);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* However wide: there is nothing to cut. */
START_TEST(a_single_token_is_read_whole)
{
    mml_model *model = make_model(MML_MODEL_BLOCK, encoders[_i]);
    collected whole = {.n = 0}, large = {.n = 0};
    int64_t off[N + 1] = {0};
    float x[N * WIDTH], at[N * 2];
    mml_predictor *p = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;

    mmlt_normal(x, N * WIDTH, 3);
    mmlt_uniform(at, N * 2, 4, 0, 1);
    for (size_t i = 0; i < N; i++)
        off[i + 1] = off[i] + 1;
    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "slide", "bag", x, off, WIDTH, at, 2, NULL);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmli_predictor_set_large(p, 0);
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &whole));
    mmli_predictor_set_large(p, 1);
    mmlt_assert_ok(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &large));
    ck_assert_uint_eq(large.n, N);
    mmlt_assert_same_bits(large.logits, whole.logits, sizeof large.logits);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(large_samples_are_chunks_of_their_own_without_their_large_tokens)
{
    static const size_t starts[] = {0, 1, 3, 4, 5};
    mml_model *model = make_model(MML_MODEL_MERGE, encoders[_i]);
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, TOKENS);
    const mml_batch *batch;
    const size_t *samples;
    mmli_walk walk;
    size_t n;

    mmlt_assert_ok(mmli_walk_begin(&walk, model, cohort, NULL, 0, 0));
    walk.large = LARGE;
    for (size_t i = 0; i < 5; i++) {
        const bool large = tokens[starts[i]] >= 1000;
        mml_tokens got;

        mmlt_assert_ok(mmli_walk_next(&batch, &samples, &n, &walk));
        ck_assert_ptr_nonnull(batch);
        ck_assert_uint_eq(samples[0], starts[i]);
        ck_assert_uint_eq(mml_batch_size(batch), n);
        ck_assert_uint_eq(n, i == 1 ? 2 : 1);
        ck_assert(large == (walk.sources && walk.sources[1]));
        ck_assert(!walk.sources || !walk.sources[0]);
        if (large)
            mmlt_assert_fails(mml_batch_get(&got, batch, "slide"), MML_E_NOT_FOUND, "slide");
    }
    mmlt_assert_ok(mmli_walk_next(&batch, &samples, &n, &walk));
    ck_assert_ptr_null(batch);
    mmli_walk_end(&walk);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* An encoder that wants all tokens gets them. */
START_TEST(encoders_that_cannot_read_pieces_read_the_whole)
{
    mml_model *model = make_model(MML_MODEL_BLOCK, MML_ENCODER_NONE);
    mml_block_options *o = &model->members[0].block.o;

    ck_assert(mmli_member_streams(&model->members[0]));
    o->context_dft = 1;
    ck_assert(!mmli_member_streams(&model->members[0]));
    o->transform = MML_TRANSFORM_SPATIAL;
    ck_assert(mmli_member_streams(&model->members[0]));
    for (int kind = MML_ENCODER_NONE; kind <= MML_ENCODER_CUSTOM; kind++) {
        o->encoder = (mml_encoder_kind)kind;
        ck_assert_int_eq(mmli_member_streams(&model->members[0]),
                         kind == MML_ENCODER_NONE || kind == MML_ENCODER_EMBEDDING || kind == MML_ENCODER_ABMIL);
    }
    o->encoder = MML_ENCODER_ABMIL;
    o->raw_layers = 1;
    ck_assert(!mmli_member_streams(&model->members[0]));
    mml_model_free(model);
}
END_TEST

START_TEST(a_bad_value_in_a_late_piece_is_named)
{
    mml_model *model = make_model(MML_MODEL_BLOCK, encoders[_i]);
    collected got = {.n = 0};
    mml_predictor *p = NULL;
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, 2003);

    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmli_predictor_set_large(p, LARGE);
    mmlt_assert_fails(mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &got), MML_E_DATA,
                      "sample 1 of the batch, token 2004: value 3 is infinite");
    ck_assert_uint_eq(got.n, 0);
    mml_predictor_free(p);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_a_clean_failure)
{
    mml_model *model = make_model(MML_MODEL_MERGE, encoders[_i]);
    mmlt_cohort made;
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;

    mml_cohort_close(make_cohort(&made, TOKENS));
    while (st != MML_OK) {
        mml_cohort *cohort = NULL;
        mml_predictor *p = NULL;
        collected got = {.n = 0};

        mmlt_assert_ok(mml_cohort_open(&cohort, made.path));
        mml_cohort_set_memory(cohort, 0);
        mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
        mmli_predictor_set_large(p, LARGE);
        ck_assert_uint_lt(++k, 2000);
        mmli_alloc_fail_at(k);
        st = mml_predict_cohort(p, cohort, NULL, 0, 0, collect, &got);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        mml_predictor_free(p);
        mml_cohort_close(cohort);
    }
    ck_assert_uint_gt(k, 20);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prediction of streams");
    TCase *tc = tcase_create("streams");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, tokens_in_pieces_give_the_prediction_of_the_whole, 0, 6);
    tcase_add_loop_test(tc, a_single_token_is_read_whole, 0, 2);
    tcase_add_loop_test(tc, large_samples_are_chunks_of_their_own_without_their_large_tokens, 0, 2);
    tcase_add_test(tc, encoders_that_cannot_read_pieces_read_the_whole);
    tcase_add_loop_test(tc, a_bad_value_in_a_late_piece_is_named, 0, 2);
    tcase_add_loop_test(tc, memory_that_cannot_be_had_is_a_clean_failure, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
