/* test_explain_attention.c - the weights that are shown are those of the forward pass, computed here once more in float64. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explainer.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

enum { N = 5, WIDTH = 5, C = 3, D = 4, HEADS = 2, E = 3, STEPS = 2, HIDDEN = 6 };
static const size_t tokens[N] = {7, 1, 0, 300, 2};
enum { TOKENS = 310 };
#define TAU 0.7

/* Weights of float32 kernels against float64: scores of a few sums, then exp. */
static const mmlt_tol tol = {2e-5, 2e-6};

static mml_cohort *make_cohort(mmlt_cohort *made, float *x, float *at)
{
    int64_t labs[N + 1] = {0}, slide[N + 1] = {0};
    float table[N * 4];

    mmlt_normal(x, TOKENS * WIDTH, 3);
    mmlt_uniform(at, TOKENS * 2, 4, 0, 1);
    mmlt_normal(table, N * 4, 5);
    for (size_t i = 0; i < N; i++) {
        labs[i + 1] = labs[i] + (i != 3);
        slide[i + 1] = slide[i] + (int64_t)tokens[i];
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
    mmlt_assert_ok(mmli_params_start(model->params, 7, "outcome"));
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

typedef struct got {
    size_t n;
    mml_attention list[200];
    float *weights[200], *positions[200];
} got;

static void *copy(const void *from, size_t bytes)
{
    void *to = NULL;

    mmlt_assert_ok(mmli_calloc(&to, bytes ? bytes : 1, 1));
    memcpy(to, from, bytes);
    return to;
}

static int collect(void *user, const mml_attention *a)
{
    got *g = user;
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

static void forget(got *g)
{
    for (size_t i = 0; i < g->n; i++) {
        mmli_free(g->weights[i]);
        mmli_free(g->positions[i]);
    }
    g->n = 0;
}

static void explain(got *g, const mml_model *model, mml_cohort *cohort, size_t batch, size_t large)
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

/* ---- the same in float64 -------------------------------------------------------------------------------------------------- */

static double *parameter(const mml_model *model, const char *key)
{
    char name[96];
    size_t at, n;
    float *x = NULL;
    double *y = NULL;

    snprintf(name, sizeof name, "blocks.slide.%s", key);
    mmlt_assert_ok(mmli_params_find(&at, model->params, name));
    n = model->params->list[at].rows * model->params->list[at].cols;
    mmlt_assert_ok(mmli_calloc(&x, n, sizeof *x));
    mmlt_assert_ok(mmli_calloc(&y, n, sizeof *y));
    mmlt_assert_ok(mmli_params_get(x, model->params, at));
    for (size_t i = 0; i < n; i++)
        y[i] = (double)x[i];
    mmli_free(x);
    return y;
}

static double *step_parameter(const mml_model *model, size_t s, const char *key)
{
    char name[64];

    snprintf(name, sizeof name, "steps.%zu.%s", s, key);
    return parameter(model, name);
}

/* y (rows, out) = x (rows, in) w^T + b */
static void linear(double *y, const double *x, const double *w, const double *b, size_t rows, size_t in, size_t out)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out; o++) {
            y[r * out + o] = b ? b[o] : 0;
            for (size_t i = 0; i < in; i++)
                y[r * out + o] += x[r * in + i] * w[o * in + i];
        }
}

static void norm(double *y, const double *x, const double *w, const double *b, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        double mean = 0, var = 0;

        for (size_t i = 0; i < cols; i++)
            mean += x[r * cols + i] / (double)cols;
        for (size_t i = 0; i < cols; i++)
            var += (x[r * cols + i] - mean) * (x[r * cols + i] - mean) / (double)cols;
        for (size_t i = 0; i < cols; i++)
            y[r * cols + i] = (x[r * cols + i] - mean) / sqrt(var + 1e-5) * w[i] + b[i];
    }
}

static void softmax(double *x, size_t n, size_t stride)
{
    double most = -INFINITY, sum = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i * stride]);
    for (size_t i = 0; i < n; i++)
        sum += x[i * stride] = exp(x[i * stride] - most);
    for (size_t i = 0; i < n; i++)
        x[i * stride] /= sum;
}

static double selu(double x)
{
    return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * expm1(x));
}

/* R (C, D) to that after step s for n tokens h; weights (n) as they are to be shown. */
static void step(double *R, double *weights, const mml_model *model, size_t s, const double *h, size_t n)
{
    enum { HE = HEADS * E };
    static const char *const keys[] = {"query_norm.weight", "query_norm.bias", "context_norm.weight", "context_norm.bias",
                                       "query.weight", "key.weight", "value.weight", "out.weight", "out.bias",
                                       "ff_norm.weight", "ff_norm.bias", "ff_in.weight", "ff_in.bias", "ff_out.weight",
                                       "ff_out.bias"};
    double *p[15], *x = malloc(n * WIDTH * sizeof *x), *k = malloc(n * HE * sizeof *k), *v = malloc(n * HE * sizeof *v);
    double *a = malloc(n * sizeof *a), q[C * HE], o[C * HE], z[C * D], u[C * D], t[C * 8 * D];

    for (size_t i = 0; i < 15; i++)
        p[i] = step_parameter(model, s, keys[i]);
    norm(z, R, p[0], p[1], C, D);
    norm(x, h, p[2], p[3], n, WIDTH);
    linear(q, z, p[4], NULL, C, D, HE);
    linear(k, x, p[5], NULL, n, WIDTH, HE);
    linear(v, x, p[6], NULL, n, WIDTH, HE);
    memset(weights, 0, n * sizeof *weights);
    memset(o, 0, sizeof o);
    for (size_t r = 0; r < C; r++)
        for (size_t head = 0; head < HEADS; head++) {
            for (size_t i = 0; i < n; i++) {
                a[i] = 0;
                for (size_t j = head * E; j < (head + 1) * E; j++)
                    a[i] += q[r * HE + j] * k[i * HE + j] / (sqrt(E) * TAU);
            }
            softmax(a, n, 1);
            for (size_t i = 0; i < n; i++) {
                weights[i] += a[i] / (C * HEADS);
                for (size_t j = head * E; j < (head + 1) * E; j++)
                    o[r * HE + j] += a[i] * v[i * HE + j];
            }
        }
    linear(u, o, p[7], p[8], C, HE, D);
    for (size_t i = 0; i < C * D; i++)
        R[i] += u[i];
    norm(z, R, p[9], p[10], C, D);
    linear(t, z, p[11], p[12], C, D, 8 * D);
    for (size_t r = 0; r < C; r++)
        for (size_t i = 0; i < 4 * D; i++)
            t[r * 4 * D + i] = t[r * 8 * D + i] * selu(t[r * 8 * D + 4 * D + i]);
    linear(u, t, p[13], p[14], C, 4 * D, D);
    for (size_t i = 0; i < C * D; i++)
        R[i] += u[i];
    for (size_t i = 0; i < 15; i++)
        mmli_free(p[i]);
    free(x);
    free(k);
    free(v);
    free(a);
}

/* Re of the unitary 2-D transform of L0 */
static void start(double *R, const mml_model *model)
{
    double *L = parameter(model, "latent");

    for (size_t k = 0; k < C; k++)
        for (size_t l = 0; l < D; l++) {
            R[k * D + l] = 0;
            for (size_t r = 0; r < C; r++)
                for (size_t j = 0; j < D; j++)
                    R[k * D + l] += L[r * D + j] / sqrt(C * D) *
                                    cos(2 * acos(-1) * ((double)(k * r) / C + (double)(l * j) / D));
        }
    mmli_free(L);
}

static void check_steps(const got *g, const mml_model *model, const float *x)
{
    size_t at = 0, first = 0;

    for (size_t b = 0; b < N; first += tokens[b], b++) {
        double *h = malloc((tokens[b] + 1) * WIDTH * sizeof *h), *w = malloc((tokens[b] + 1) * sizeof *w), R[C * D];
        float *want = malloc((tokens[b] + 1) * sizeof *want);

        for (size_t i = 0; i < tokens[b] * WIDTH; i++)
            h[i] = (double)x[first * WIDTH + i];
        start(R, model);
        for (size_t s = 0; s < STEPS && tokens[b] > 0; s++, at++) {
            ck_assert_uint_lt(at, g->n);
            ck_assert_uint_eq(g->list[at].sample, b);
            ck_assert_uint_eq(g->list[at].step, s);
            ck_assert_uint_eq(g->list[at].n, tokens[b]);
            ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS);
            step(R, w, model, s, h, tokens[b]);
            for (size_t i = 0; i < tokens[b]; i++)
                want[i] = (float)w[i];
            mmlt_assert_close(g->weights[at], want, tokens[b], tol);
        }
        free(h);
        free(w);
        free(want);
    }
    ck_assert_uint_eq(at, g->n);
}

static void check_pooling(const got *g, const mml_model *model, const float *x)
{
    enum { HALF = HIDDEN / 2 };
    static const char *const keys[] = {"encoder.fc.weight", "encoder.fc.bias", "encoder.gate.weight", "encoder.gate.bias",
                                       "encoder.score.weight", "encoder.score.bias"};
    double *p[6];
    size_t at = 0, first = 0;

    for (size_t i = 0; i < 6; i++)
        p[i] = parameter(model, keys[i]);
    for (size_t b = 0; b < N; first += tokens[b], b++) {
        const size_t n = tokens[b];
        double *s = malloc((n + 1) * sizeof *s);
        float *want = malloc((n + 1) * sizeof *want);

        if (n == 0) {
            free(s);
            free(want);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            double in[WIDTH], h[HIDDEN], t[2 * HALF], z[HALF];

            for (size_t j = 0; j < WIDTH; j++)
                in[j] = (double)x[(first + i) * WIDTH + j];
            linear(h, in, p[0], p[1], 1, WIDTH, HIDDEN);
            for (size_t j = 0; j < HIDDEN; j++)
                h[j] = fmax(h[j], 0);
            linear(t, h, p[2], p[3], 1, HIDDEN, 2 * HALF);
            for (size_t j = 0; j < HALF; j++)
                z[j] = tanh(t[j]) / (1 + exp(-t[HALF + j]));
            linear(s + i, z, p[4], p[5], 1, HALF, 1);
        }
        softmax(s, n, 1);
        for (size_t i = 0; i < n; i++)
            want[i] = (float)s[i];
        ck_assert_uint_eq(g->list[at].step, MML_STEP_POOLING);
        ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS);
        ck_assert_uint_eq(g->list[at].n, n);
        mmlt_assert_close(g->weights[at++], want, n, tol);
        for (size_t k = 0; k < STEPS; k++, at++) { /* steps read the one pooled token */
            ck_assert_uint_eq(g->list[at].step, k);
            ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS_POOLED);
            ck_assert_uint_eq(g->list[at].n, 1);
            ck_assert_ptr_null(g->positions[at]);
        }
        free(s);
        free(want);
    }
    ck_assert_uint_eq(at, g->n);
    for (size_t i = 0; i < 6; i++)
        mmli_free(p[i]);
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
    got g;

    if (_i >= 2) {
        model->members[0].block.encoder.piece = 40;
        model->members[0].block.plan = encoder == MML_ENCODER_NONE ? &plan : NULL;
    }
    if (_i >= 4)
        mml_cohort_set_memory(cohort, 0);
    explain(&g, model, cohort, _i >= 4 ? 1 : 0, _i >= 2 ? 100 * WIDTH * sizeof(float) : 0);
    if (encoder == MML_ENCODER_NONE)
        check_steps(&g, model, x);
    else
        check_pooling(&g, model, x);
    for (size_t i = 0; i < g.n; i++) { /* tokens come with their places */
        size_t first = 0;

        for (size_t b = 0; b < g.list[i].sample; b++)
            first += tokens[b];
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
    got g;

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
    mmlt_assert_ok(mmli_params_start(part[0]->params, 7, "outcome"));
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
    got g;

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
            got own;

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
        got g = {.n = 0};

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
