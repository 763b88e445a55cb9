/* test_explain_attention.c - the weights that are shown are those of the forward pass, computed here once more in float64. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/attention_truth.h"
#include "tests/unit/make_cohort.h"
#include "util/alloc.h"

static mml_cohort *make_cohort(mmlt_cohort *made, float *x, float *at)
{
    int64_t labs[N + 1] = {0}, slide[N + 1] = {0};
    float table[N * 4];

    mmlt_normal(x, TOKENS * WIDTH, 3);
    mmlt_uniform(at, TOKENS * 2, 4, 0, 1);
    mmlt_normal(table, N * 4, 5);
    for (size_t i = 0; i < N; i++) {
        labs[i + 1] = labs[i] + (i != 3);
        slide[i + 1] = slide[i] + (int64_t)slide_tokens[i];
    }
    mmlt_cohort_begin(made, N, NULL);
    mmlt_cohort_modality(made, "labs", "table", table, labs, 4, NULL, 0, NULL);
    mmlt_cohort_modality(made, "slide", "bag", x, slide, WIDTH, at, 2, NULL);
    return mmlt_cohort_open(made);
}

/* Norms moved off 1 and 0, so that a forgotten one is seen. */
static void move_norms(mmli_params *params)
{
    for (size_t i = 0; i < params->n; i++) {
        const size_t n = params->list[i].rows * params->list[i].cols;
        float v[64], more[64];

        if (params->list[i].role != MMLI_ROLE_NORM)
            continue;
        ck_assert_uint_le(n, 64);
        mmlt_assert_ok(mmli_params_get(v, params, i));
        mmlt_normal(more, n, 100 + i);
        for (size_t j = 0; j < n; j++)
            v[j] += 0.3f * more[j];
        mmlt_assert_ok(mmli_params_set(params, i, v));
    }
}

static mml_model *slide_block_on(mml_encoder_kind encoder, const mmli_backend *table)
{
    mml_model *model = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, "paper", MML_BAG, MML_BINARY));
    o.latent_c = C;
    o.latent_d = D;
    o.steps = STEPS;
    o.heads = HEADS;
    o.head_width = E;
    o.tau = TAU;
    o.encoder = encoder;
    o.encoder_width = encoder == MML_ENCODER_ABMIL ? HIDDEN : 0;
    mmlt_assert_ok(mmli_prep_identity(&prep, WIDTH));
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, table, 2));
    model->task = mmlt_task(MML_BINARY);
    mmlt_assert_ok(mmli_model_add(model, "slide", MML_BAG, "paper", &o, prep, 2, 0.5f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 7, "outcome", 0));
    move_norms(model->params);
    model->members[0].from.valid_score = 0.7;
    model->members[0].latent_rms = 1;
    return model;
}

static mml_model *slide_block(mml_encoder_kind encoder)
{
    return slide_block_on(encoder, NULL);
}

/* ---- what was shown ------------------------------------------------------------------------------------------------------- */

static void *copy(const void *from, size_t bytes)
{
    void *to = NULL;

    mmlt_assert_ok(mmli_calloc(&to, bytes ? bytes : 1, 1));
    memcpy(to, from, bytes);
    return to;
}

static int collect(void *user, const mml_attention *a)
{
    shown *g = user;
    double sum = 0;

    ck_assert_uint_lt(g->n, 200);
    g->list[g->n] = *a;
    g->weights[g->n] = copy(a->weights, a->n * sizeof(float));
    g->positions[g->n] = a->positions ? copy(a->positions, a->n * a->n_axes * sizeof(float)) : NULL;
    for (size_t i = 0; i < a->n; i++) {
        ck_assert(a->weights[i] >= 0);
        sum += (double)a->weights[i];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-5); /* float32 */
    g->n++;
    return 0;
}

static void forget(shown *g)
{
    for (size_t i = 0; i < g->n; i++) {
        mmli_free(g->weights[i]);
        mmli_free(g->positions[i]);
    }
    g->n = 0;
}

static void explain(shown *g, const mml_model *model, mml_cohort *cohort, size_t batch, size_t large)
{
    mml_explain_options o;
    mml_explainer *e = NULL;

    mml_explain_options_init(&o);
    o.batch = batch;
    o.threads = 2;
    g->n = 0;
    mmlt_assert_ok(mml_explainer_new(&e, model, &o));
    mmli_explainer_set_large(e, large);
    mmlt_assert_ok(mml_explain_attention(e, cohort, NULL, 0, collect, g));
    mml_explainer_free(e);
}

/* _i: none, abmil; whole, or (2, 3) the long bag read in pieces; (4, 5) from the file, a sample at a time; (6, 7) the same on
 * a device whose memory the host cannot read */
START_TEST(weights_are_those_of_a_direct_computation)
{
    const mml_encoder_kind encoder = _i % 2 ? MML_ENCODER_ABMIL : MML_ENCODER_NONE;
    static const mmli_cross_plan plan = {.folded = true, .piece = 40};
    mml_model *model = slide_block_on(encoder, _i >= 6 ? &mmlt_backend_hidden : NULL);
    float x[TOKENS * WIDTH], at[TOKENS * 2];
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, x, at);
    shown g;

    if (_i >= 2) {
        model->members[0].block.encoder.piece = 40;
        model->members[0].block.plan = encoder == MML_ENCODER_NONE ? &plan : NULL;
    }
    if (_i >= 4)
        mml_cohort_set_memory(cohort, 0);
    explain(&g, model, cohort, _i >= 4 ? 1 : 0, _i >= 2 ? 100 * WIDTH * sizeof(float) : 0);
    if (encoder == MML_ENCODER_NONE)
        slide_check_steps(&g, model, x);
    else
        slide_check_pooling(&g, model, x);
    for (size_t i = 0; i < g.n; i++) { /* tokens come with their places */
        size_t first = 0;

        for (size_t b = 0; b < g.list[i].sample; b++)
            first += slide_tokens[b];
        if (g.list[i].tokens == MML_TOKENS) {
            ck_assert_uint_eq(g.list[i].n_axes, 2);
            mmlt_assert_same_bits(g.positions[i], at + 2 * first, g.list[i].n * 2 * sizeof(float));
        }
    }
    forget(&g);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* Tokens enough for several pieces of the op (ops/cross.c), alike: each has the same weight. */
START_TEST(alike_tokens_of_a_long_bag_share_the_weight)
{
    enum { LONG = 90000 };
    const int64_t off[] = {0, LONG};
    mml_model *model = slide_block(MML_ENCODER_NONE);
    float *x = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;
    shown g;

    mmlt_assert_ok(mmli_calloc(&x, LONG, WIDTH * sizeof *x));
    for (size_t i = 0; i < LONG; i++)
        for (size_t j = 0; j < WIDTH; j++)
            x[i * WIDTH + j] = (float)j - 1.5f * (float)(i % 2 && j == 0);
    mmlt_cohort_begin(&made, 1, NULL);
    mmlt_cohort_modality(&made, "slide", "bag", x, off, WIDTH, NULL, 0, NULL);
    cohort = mmlt_cohort_open(&made);
    explain(&g, model, cohort, 0, 0);
    ck_assert_uint_eq(g.n, STEPS);
    for (size_t s = 0; s < STEPS; s++)
        for (size_t i = 2; i < LONG; i++)
            ck_assert_float_eq_tol(g.weights[s][i], g.weights[s][i % 2], 1e-9f);
    ck_assert(fabsf(g.weights[0][0] - g.weights[0][1]) > 1e-7f);
    forget(&g);
    mmli_free(x);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* labs and slide; mml_merge or mml_fuse */
static mml_model *both(mml_model *part[2], bool fuse)
{
    mml_model *out = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;

    part[1] = slide_block(MML_ENCODER_NONE);
    o = part[1]->members[0].block.o;
    mmlt_assert_ok(mmli_prep_identity(&prep, 4));
    mmlt_assert_ok(mmli_model_new(&part[0], MML_MODEL_BLOCK, NULL, NULL, 2));
    part[0]->task = mmlt_task(MML_BINARY);
    mmlt_assert_ok(mmli_model_add(part[0], "labs", MML_TABLE, "paper", &o, prep, 2, 0.5f, NULL));
    mmlt_assert_ok(mmli_model_build(part[0]));
    mmlt_assert_ok(mmli_params_start(part[0]->params, 7, "outcome", 0));
    part[0]->members[0].from.valid_score = 0.6;
    mmlt_assert_ok(fuse ? mml_fuse(&out, (const mml_model *const *)part, 2, NULL)
                        : mml_merge(&out, (const mml_model *const *)part, 2, NULL));
    return out;
}

typedef struct scores {
    size_t n;
    double all[2 * N], without[2 * N], alone[2 * N];
} scores;

static int score(void *user, const mml_contribution *c)
{
    scores *s = user;

    s->all[s->n] = c->score;
    s->without[s->n] = c->without;
    s->alone[s->n++] = c->alone;
    return 0;
}

/* _i: merge, fuse */
START_TEST(contributions_of_a_bag_read_in_pieces_are_those_of_the_whole)
{
    const mmlt_tol pieces = {1e-4, 1e-5}; /* scores of float32 logits, whose tokens are summed in another order */
    mml_model *part[2], *model = both(part, _i == 1);
    float x[TOKENS * WIDTH], at[TOKENS * 2];
    scores s[2] = {{.n = 0}, {.n = 0}};
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, x, at);

    for (size_t i = 0; i < 2; i++) {
        mml_explainer *e = NULL;

        mmlt_assert_ok(mml_explainer_new(&e, model, NULL));
        mmli_explainer_set_large(e, i == 0 ? 0 : 100 * WIDTH * sizeof(float));
        mmlt_assert_ok(mml_explain_modalities(e, cohort, NULL, 0, score, &s[i]));
        mml_explainer_free(e);
    }
    ck_assert_uint_eq(s[0].n, 8);
    ck_assert_uint_eq(s[1].n, 8);
    mmlt_assert_close_d(s[1].all, s[0].all, 8, pieces);
    mmlt_assert_close_d(s[1].without, s[0].without, 8, pieces);
    mmlt_assert_close_d(s[1].alone, s[0].alone, 8, pieces);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
    mml_model_free(part[0]);
    mml_model_free(part[1]);
}
END_TEST

/* _i: merge, fuse */
START_TEST(every_block_of_a_model_shows_its_steps_for_the_samples_that_have_its_modality)
{
    mml_model *part[2], *model = both(part, _i == 1);
    float x[TOKENS * WIDTH], at[TOKENS * 2];
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, x, at);
    size_t count[2] = {0, 0};
    shown g;

    explain(&g, model, cohort, 2, 0);
    for (size_t i = 0; i < g.n; i++) {
        count[g.list[i].block]++;
        if (i > 0) {
            ck_assert_uint_ge(g.list[i].sample, g.list[i - 1].sample);
            ck_assert(g.list[i].sample > g.list[i - 1].sample || g.list[i].block >= g.list[i - 1].block);
        }
        if (g.list[i].block == 0)
            ck_assert_uint_eq(g.list[i].n, 1); /* the whole row */
    }
    ck_assert_uint_eq(count[0], 4 * STEPS);
    ck_assert_uint_eq(count[1], 4 * STEPS);
    if (_i == 0) /* what a block asks in a merge is what it asks alone */
        for (size_t i = 0, j = 0; i < 2; i++) {
            shown own;

            explain(&own, part[i], cohort, 0, 0);
            for (size_t k = j = 0; k < g.n; k++)
                if (g.list[k].block == i) {
                    ck_assert_uint_eq(own.list[j].n, g.list[k].n);
                    mmlt_assert_close(g.weights[k], own.weights[j++], g.list[k].n, MMLT_TOL_SUM);
                }
            forget(&own);
        }
    forget(&g);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
    mml_model_free(part[0]);
    mml_model_free(part[1]);
}
END_TEST

static int stop(void *user, const mml_attention *a)
{
    (void)a;
    ++*(int *)user;
    return 1;
}

START_TEST(a_sink_can_stop_it)
{
    mml_model *model = slide_block(MML_ENCODER_NONE);
    float x[TOKENS * WIDTH], at[TOKENS * 2];
    mml_explainer *e = NULL;
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, x, at);
    int calls = 0;

    mmlt_assert_ok(mml_explainer_new(&e, model, NULL));
    ck_assert_str_eq(mml_explainer_score(e), "log odds of yes");
    mmlt_assert_fails(mml_explain_attention(e, cohort, NULL, 0, stop, &calls), MML_E_STOPPED, "stopped");
    ck_assert_int_eq(calls, 1);
    mmlt_assert_fails(mml_explain_attention(e, cohort, NULL, 0, NULL, NULL), MML_E_ARG, "no function");
    mml_explainer_free(e);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_a_clean_failure)
{
    mml_model *model = slide_block(_i ? MML_ENCODER_ABMIL : MML_ENCODER_NONE);
    float x[TOKENS * WIDTH], at[TOKENS * 2];
    mmlt_cohort made;
    mml_cohort *cohort = make_cohort(&made, x, at);
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;

    while (st != MML_OK) {
        mml_explainer *e = NULL;
        shown g = {.n = 0};

        ck_assert_uint_lt(++k, 2000);
        mmli_alloc_fail_at(k);
        st = mml_explainer_new(&e, model, NULL);
        if (st == MML_OK) {
            mmli_explainer_set_large(e, 100 * WIDTH * sizeof(float));
            st = mml_explain_attention(e, cohort, NULL, 0, stop, &(int){0});
            st = st == MML_E_STOPPED ? MML_OK : st;
        }
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        mml_explainer_free(e);
        forget(&g);
    }
    ck_assert_uint_gt(k, 20);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attention explained");
    TCase *tc = tcase_create("attention");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, weights_are_those_of_a_direct_computation, 0, 8);
    tcase_add_test(tc, alike_tokens_of_a_long_bag_share_the_weight);
    tcase_add_loop_test(tc, contributions_of_a_bag_read_in_pieces_are_those_of_the_whole, 0, 2);
    tcase_add_loop_test(tc, every_block_of_a_model_shows_its_steps_for_the_samples_that_have_its_modality, 0, 2);
    tcase_add_test(tc, a_sink_can_stop_it);
    tcase_add_loop_test(tc, memory_that_cannot_be_had_is_a_clean_failure, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
