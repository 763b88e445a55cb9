/* test_explain.c - what modalities and features contribute, for every kind of model and of task. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/prep_inside.h"
#include "explain/explainer.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

enum { N = 12, MODALITIES = MMLT_MODALITIES, COLUMNS = 2 * 4, TASKS = 4 };

/* A cohort of labs, notes and scan with gaps and values that are not measured, values (N, width) of each. scan comes as two
 * tokens. Sample 3 has labs only, sample 4 nothing. */
typedef struct data {
    float x[MODALITIES][2 * N * 4];
    int64_t off[MODALITIES][N + 1];
} data;

static bool has(size_t m, size_t b)
{
    return b != 4 && !(b == 3 && m > 0) && (m != 1 || b % 3 != 1);
}

static size_t tokens(size_t m)
{
    return m == 2 ? 2 : 1;
}

static void make_data(data *d)
{
    for (size_t m = 0; m < MODALITIES; m++) {
        const size_t width = mmlt_widths[m];

        mmlt_normal(d->x[m], N * tokens(m) * width, 20 + m);
        d->off[m][0] = 0;
        for (size_t b = 0; b < N; b++)
            d->off[m][b + 1] = d->off[m][b] + (has(m, b) ? (int64_t)tokens(m) : 0);
        for (size_t i = 0; i < N * tokens(m) * width; i += 5)
            d->x[m][i] = NAN;
    }
}

static mml_cohort *write_cohort(mmlt_cohort *made, const data *d)
{
    mmlt_cohort_begin(made, N, NULL);
    for (size_t m = 0; m < MODALITIES; m++)
        mmlt_cohort_modality(made, mmlt_names[m], m == 2 ? "series" : "table", d->x[m], d->off[m], mmlt_widths[m], NULL, 0, NULL);
    return mmlt_cohort_open(made);
}

/* Preprocessing that has everything: centred, indicators, positions; scan carries values forward. */
static void set_prep(mmli_prep *p, size_t m)
{
    for (size_t f = 0; f < p->width_in; f++) {
        p->center[f] = 0.25f * (float)f;
        p->scale_inv[f] = 1.0f / (1 + 0.5f * (float)f);
        p->fill[f] = 0.125f + 0.25f * (float)f;
        p->indicator[f] = m == 1 ? f != 1 : 1;
    }
    p->o.scaling = MML_SCALE_STANDARD;
    p->o.clip = 5;
    p->o.imputation = m == 2 ? MML_IMPUTE_LOCF : MML_IMPUTE_MEDIAN;
    p->o.indicators = m == 1 ? MML_INDICATE_MISSING : MML_INDICATE_MASK;
    p->o.position_bands = m == 2 ? 1 : 0;
    mmlt_assert_ok(mmli_prep_set_width(p));
}

typedef struct how {
    const char *preset;
    int domain; /* 1 = spatial */
    mml_encoder_kind encoder;
    const mmli_backend *table;
} how;

static mml_model *make_block(size_t m, mml_task_kind task, const how *h)
{
    mml_model *model = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;
    const mml_modality_kind kind = m == 2 ? MML_SERIES : MML_TABLE;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, h->preset, kind, MML_BINARY));
    o.latent_c = 5;
    o.latent_d = 6;
    o.steps = 2;
    o.heads = 2;
    o.head_width = 4;
    if (!o.raw_layers) {
        o.encoder = h->encoder;
        o.encoder_width = h->encoder == MML_ENCODER_NONE ? 0 : 6;
        o.encoder_layers = 0;
    }
    if (h->domain)
        o.transform = MML_TRANSFORM_SPATIAL;
    mmlt_assert_ok(mmli_prep_identity(&prep, mmlt_widths[m]));
    set_prep(prep, m);
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, h->table, 2));
    model->task = mmlt_task(task);
    mmlt_assert_ok(mmli_model_add(model, mmlt_names[m], kind, h->preset, &o, prep, model->task->outputs, 0.5f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 30 + m, "outcome"));
    model->members[0].latent_rms = 0.5 + 0.5 * (double)m;
    model->members[0].from.valid_score = 0.6 + 0.05 * (double)m;
    return model;
}

/* Of modalities first .. last. */
static mml_model *make_baseline(mml_baseline_kind kind, size_t first, size_t last, mml_task_kind task)
{
    mml_model *model = NULL;
    mml_baseline_options o;
    mmli_prep *prep = NULL;

    mmlt_assert_ok(mml_baseline_options_init(&o, kind));
    o.width = o.width ? 6 : 0;
    o.hidden = o.hidden ? 6 : 0;
    o.latent_c = o.latent_c ? 5 : 0;
    o.latent_d = o.latent_d ? 6 : 0;
    o.head_width = o.head_width ? 4 : 0;
    o.self_heads = o.self_heads ? 2 : 0;
    o.reduction = o.reduction ? 2 : 0;
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BASELINE, NULL, NULL, 2));
    model->task = mmlt_task(task);
    for (size_t m = first; m <= last; m++) {
        mmlt_assert_ok(mmli_prep_identity(&prep, mmlt_widths[m]));
        set_prep(prep, m);
        mmlt_assert_ok(mmli_model_add_input(model, mmlt_names[m], m == 2 ? MML_SERIES : MML_TABLE, prep));
    }
    mmlt_assert_ok(mmli_model_declare_baseline(model, &o));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 40 + first, "outcome"));
    return model;
}

/* Of all modalities; upstream's harmonic merge: of the first two. */
static mml_model *join(const how *h, mml_task_kind task, const mml_merge_options *merge, const mml_fuse_options *fuse)
{
    const size_t n = merge && merge->upstream_harmonic ? 2 : MODALITIES;
    mml_model *m[MODALITIES], *out = NULL;

    for (size_t i = 0; i < n; i++)
        m[i] = make_block(i, task, h);
    mmlt_assert_ok(merge ? mml_merge(&out, (const mml_model *const *)m, n, merge)
                         : mml_fuse(&out, (const mml_model *const *)m, n, fuse));
    for (size_t i = 0; i < n; i++)
        mml_model_free(m[i]);
    return out;
}

/* ---- modalities ----------------------------------------------------------------------------------------------------------- */

typedef struct told {
    size_t n;
    mml_contribution list[N * MODALITIES];
} told;

static int tell(void *user, const mml_contribution *c)
{
    told *t = user;

    ck_assert_uint_lt(t->n, N * MODALITIES);
    t->list[t->n++] = *c;
    return 0;
}

/* Score of every sample with the modalities of a set, by prediction of a cohort that has only those. */
static void scores_of(double *out, double *output, const mml_model *model, const data *d, unsigned set, const size_t *cls)
{
    mml_predictor *p = NULL;
    mml_prediction got;
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, N));
    for (size_t m = 0; m < MODALITIES; m++)
        if (set >> m & 1)
            mmlt_assert_ok(mml_batch_set(batch, mmlt_names[m], d->x[m], d->off[m], mmlt_widths[m], NULL, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmlt_assert_ok(mml_predict(&got, p, batch));
    for (size_t b = 0; b < N; b++) {
        const size_t j = cls ? cls[b] : 0;
        const double prob = (double)got.output[b * got.k + j];

        out[b] = cls ? log(prob / (1 - prob)) : got.score[b];
        output[b] = cls ? prob : got.score[b];
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
}

/* The class that the model predicts from all modalities; binary: the last. */
static void classes_of(size_t *cls, const mml_model *model, const data *d)
{
    mml_predictor *p = NULL;
    mml_prediction got;
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, N));
    for (size_t m = 0; m < MODALITIES; m++)
        mmlt_assert_ok(mml_batch_set(batch, mmlt_names[m], d->x[m], d->off[m], mmlt_widths[m], NULL, 0));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 2));
    mmlt_assert_ok(mml_predict(&got, p, batch));
    for (size_t b = 0; b < N; b++) {
        cls[b] = got.k == 2 ? 1 : 0;
        for (size_t j = 0; got.k > 2 && j < got.k; j++)
            cls[b] = got.logits[b * got.k + j] > got.logits[b * got.k + cls[b]] ? j : cls[b];
    }
    mml_predictor_free(p);
    mml_batch_free(batch);
}

/* Log odds from float32 probabilities (near 0 and 1 they cancel), and the same logits in batches of another shape. */
static const double score_tol = 2e-4;

/* _i: kinds of task, for a merge and a fuse */
START_TEST(without_a_modality_means_predicted_from_the_others)
{
    const how h = {"mmlego", 0, MML_ENCODER_LINEAR, NULL};
    const mml_task_kind task = (mml_task_kind)(_i / 2);
    const bool classes = task == MML_BINARY || task == MML_MULTICLASS;
    mml_merge_options merge;
    mml_model *model;
    mml_explainer *e = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;
    size_t cls[N], at = 0;
    double score[1 << MODALITIES][N], output[1 << MODALITIES][N];
    told t = {.n = 0};
    data d;

    mmlt_assert_ok(mml_merge_options_init(&merge, "mmlego"));
    model = join(&h, task, _i % 2 ? NULL : &merge, NULL);
    make_data(&d);
    cohort = write_cohort(&made, &d);
    classes_of(cls, model, &d);
    for (unsigned set = 0; set < 1 << MODALITIES; set++)
        scores_of(score[set], output[set], model, &d, set, classes ? cls : NULL);
    mmlt_assert_ok(mml_explainer_new(&e, model, &(mml_explain_options){sizeof(mml_explain_options), NULL, 2, 5, NULL, 32, 0.01, NULL, 0}));
    mmlt_assert_ok(mml_explain_modalities(e, cohort, NULL, 0, tell, &t));
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++) {
            const mml_contribution *c = &t.list[at];
            const unsigned all = (1 << MODALITIES) - 1;

            if (!has(m, b))
                continue;
            ck_assert_uint_lt(at, t.n);
            ck_assert_uint_eq(c->sample, b);
            ck_assert_str_eq(c->modality, mmlt_names[m]);
            ck_assert_int_eq(c->prior, b == 3); /* it has nothing else */
            ck_assert_uint_eq(c->class_index, classes ? cls[b] : 0);
            ck_assert_double_eq_tol(c->score, score[all][b], score_tol);
            ck_assert_double_eq_tol(c->without, score[all & ~(1u << m)][b], score_tol);
            ck_assert_double_eq_tol(c->alone, score[1u << m][b], score_tol);
            ck_assert_double_eq_tol(c->output, output[all][b], score_tol);
            ck_assert_double_eq_tol(c->output_without, output[all & ~(1u << m)][b], score_tol);
            ck_assert_double_eq_tol(c->output_alone, output[1u << m][b], score_tol);
            at++;
        }
    ck_assert_uint_eq(at, t.n);
    mml_explainer_free(e);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* ---- gradients ------------------------------------------------------------------------------------------------------------ */

typedef struct block_told {
    double value[2][COLUMNS]; /* token, column */
    size_t feature[COLUMNS];
    bool indicator[COLUMNS];
    mml_attributions a;
    bool there;
} block_told;

/* By sample and modality. */
typedef struct features {
    const mml_model *model;
    block_told got[N][MODALITIES];
} features;

/* Place among mmlt_names of the modality of a block. */
static size_t modality_of(const mml_model *model, size_t block)
{
    size_t m = 0;

    while (strcmp(mml_model_block_modality(model, block), mmlt_names[m]) != 0)
        m++;
    return m;
}

static int keep(void *user, const mml_attributions *a)
{
    features *f = user;
    const size_t m = modality_of(f->model, a->block);
    block_told *g = &f->got[a->sample][m];

    ck_assert(!g->there);
    ck_assert_uint_le(a->n_tokens, 2);
    ck_assert_uint_le(a->n_columns, COLUMNS);
    g->a = *a;
    g->there = true;
    for (size_t t = 0; t < a->n_tokens; t++)
        for (size_t c = 0; c < a->n_columns; c++)
            g->value[t][c] = a->values[t * a->n_columns + c];
    for (size_t c = 0; c < a->n_columns; c++) {
        g->feature[c] = a->feature[c];
        g->indicator[c] = a->indicator[c];
        ck_assert_uint_lt(a->feature[c], mmlt_widths[m]);
        ck_assert_int_eq(a->indicator[c], c >= mmlt_widths[m]);
    }
    return 0;
}

static features *explain(const mml_model *model, mml_cohort *cohort, mml_explain_options *o)
{
    features *f = NULL;
    mml_explainer *e = NULL;

    mmlt_assert_ok(mmli_calloc(&f, 1, sizeof *f));
    f->model = model;
    mmlt_assert_ok(mml_explainer_new(&e, model, o));
    mmlt_assert_ok(mml_explain_gradients(e, cohort, NULL, 0, keep, f));
    mml_explainer_free(e);
    return f;
}

/* What 2048 points of a path may miss at kinks (ReLU, SELU, |z| of a harmonic mean): a fifth of this was seen. */
#define KINKS 5e-4

static void check_complete(const features *f, double tolerance, double least)
{
    for (size_t b = 0; b < N; b++) {
        double sum = 0, size = 0;
        const mml_attributions *any = NULL;

        for (size_t m = 0; m < MODALITIES; m++) {
            const block_told *g = &f->got[b][m];

            for (size_t t = 0; g->there && t < g->a.n_tokens; t++)
                for (size_t c = 0; c < g->a.n_columns; c++) {
                    sum += g->value[t][c];
                    size += fabs(g->value[t][c]);
                }
            any = g->there ? &g->a : any;
        }
        if (!any)
            continue;
        ck_assert_double_eq_tol(sum - (any->score - any->baseline), any->gap, 1e-9 * (1 + size));
        ck_assert_msg(fabs(any->gap) <= tolerance * size + KINKS,
                      "sample %zu: attributions sum to %g, scores differ by %g", b, sum, any->score - any->baseline);
        ck_assert_double_ge(size, least);
    }
}

typedef struct merging {
    const char *preset;
    int domain;
    mml_aggregation aggregation;
    mml_phase phase;
    int upstream;
    mml_head_method head;
    mml_latent_scale scale;
} merging;

static const merging merges[] = {
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 0, MML_MERGE_SUM, MML_PHASE_CIRCULAR, 0, MML_HEAD_LINEAR, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_PRODUCT, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 0, MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_RAW},
    {"paper", 0, MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"upstream", 0, MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 1, MML_HEAD_SLERP, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_ENSEMBLE, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_LAYERNORM},
    {"mmlego", 1, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 1, MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 1, MML_MERGE_PRODUCT, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_RAW},
};
enum { MERGES = sizeof merges / sizeof *merges };

static mml_model *make_merge(const merging *g, mml_task_kind task)
{
    static const double weights[] = {0.45, 0.33, 0.22}; /* none is the sum of others: opposite directions do not cancel */
    const how h = {g->preset, g->domain, MML_ENCODER_LINEAR, NULL};
    mml_merge_options o;

    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.aggregation = g->aggregation;
    o.phase = g->phase;
    o.upstream_harmonic = g->upstream;
    o.head = g->head;
    o.scale = g->scale;
    o.weighting = MML_WEIGHT_GIVEN;
    o.weights = weights;
    return join(&h, task, &o, NULL);
}

/* _i: models of the table above, then blocks and fuses of the kinds of task */
static mml_model *model_of(int i)
{
    const how linear = {"mmlego", 0, MML_ENCODER_LINEAR, NULL}, snn = {"mmlego", 0, MML_ENCODER_SNN, NULL};
    const how none = {"paper", 0, MML_ENCODER_NONE, NULL}, abmil = {"paper", 0, MML_ENCODER_ABMIL, NULL}, up = {"upstream", 0, MML_ENCODER_NONE, NULL};
    mml_fuse_options o;

    if (i < MERGES)
        return make_merge(&merges[i], (mml_task_kind)(i % TASKS));
    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    o.mode = i % 2 ? MML_FUSE_WEAVE : MML_FUSE_STACK;
    switch (i - MERGES) {
    case 0: return make_block(0, MML_BINARY, &linear);
    case 1: return make_block(1, MML_SURVIVAL, &snn);
    case 2: return make_block(2, MML_REGRESSION, &none);
    case 3: return join(&snn, MML_MULTICLASS, NULL, &o);
    case 4: return join(&none, MML_SURVIVAL, NULL, &o);
    case 5: return join(&up, MML_BINARY, NULL, &o);
    case 6: return make_baseline(MML_BASELINE_SNN, 0, 0, MML_SURVIVAL);
    case 7: return make_baseline(MML_BASELINE_ABMIL, 2, 2, MML_BINARY);
    case 8: return make_baseline(MML_BASELINE_PERCEIVER, 0, 2, MML_REGRESSION); /* reads all tokens as one set */
    case 9: return make_baseline(MML_BASELINE_HEALNET, 0, 2, MML_MULTICLASS);
    case 10: return make_baseline(MML_BASELINE_MULTIMODN, 0, 2, MML_BINARY);
    case 12: return make_baseline(MML_BASELINE_LINEAR, 0, 2, MML_BINARY); /* reads summaries */
    case 11: return make_baseline(MML_BASELINE_LATE_BILINEAR, 0, 2, MML_SURVIVAL);
    default: return make_block(2, MML_MULTICLASS, &(how){"paper", 0, abmil.encoder, NULL});
    }
}
enum { MODELS = MERGES + 14 };

START_TEST(attributions_sum_to_the_difference_of_the_scores)
{
    mml_model *model = model_of(_i);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f;
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.batch = 5;
    o.points = 64;
    o.tolerance = 0.002;
    f = explain(model, cohort, &o);
    check_complete(f, o.tolerance, 1e-6); /* something is attributed at all */
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            if (model->n == MODALITIES)
                ck_assert_int_eq(f->got[b][m].there, has(m, b));
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* Feature i of modality m among all of them. */
static size_t place(size_t m, size_t i)
{
    return i + (m > 0 ? mmlt_widths[0] : 0) + (m > 1 ? mmlt_widths[1] : 0);
}

/* Sample i differs from the baseline in one number only: then that number is all there is to attribute. So every element of
 * the gradient is seen by itself. */
START_TEST(what_alone_differs_from_the_baseline_gets_the_whole_difference)
{
    mml_model *model = model_of(_i);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f;
    data d;

    for (size_t m = 0; m < model->n; m++)
        model->members[m].prep->o.indicators = MML_INDICATE_MISSING; /* nothing is: 0 */
    make_data(&d);
    for (size_t m = 0; m < MODALITIES; m++)
        for (size_t b = 0, t = 0; b < N; b++)
            for (size_t end = (size_t)d.off[m][b + 1]; t < end; t++)
                for (size_t i = 0; i < mmlt_widths[m]; i++)
                    d.x[m][t * mmlt_widths[m] + i] = 0.25f * (float)i + (place(m, i) == b % 9 ? 1.5f : 0);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.points = 64;
    o.tolerance = 0.002;
    f = explain(model, cohort, &o);
    check_complete(f, o.tolerance, 0);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            for (size_t t = 0; f->got[b][m].there && t < f->got[b][m].a.n_tokens; t++)
                for (size_t c = 0; c < f->got[b][m].a.n_columns; c++)
                    if (c >= mmlt_widths[m] || place(m, c) != b % 9)
                        ck_assert_double_eq(f->got[b][m].value[t][c], 0);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* _i: labs with a mask, notes with flags of what is missing (but for feature 1) */
START_TEST(what_was_not_measured_gets_nothing_and_its_absence_goes_to_the_indicator)
{
    const how h = {"mmlego", 0, MML_ENCODER_LINEAR, NULL};
    const size_t width = mmlt_widths[_i];
    mml_model *model = make_block((size_t)_i, MML_BINARY, &h);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f;
    data d;
    size_t missing = 0;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    f = explain(model, cohort, &o);
    for (size_t b = 0; b < N; b++) {
        const block_told *g = &f->got[b][_i];

        for (size_t c = 0; g->there && c < g->a.n_columns; c++) {
            const bool known = !isnan(d.x[_i][(size_t)d.off[_i][b] * width + g->feature[c]]);

            ck_assert_int_eq(g->value[0][c] != 0, g->indicator[c] && _i == 1 ? !known : known);
            missing += !known;
        }
        if (g->there)
            ck_assert_uint_eq(g->a.n_columns, _i == 0 ? 8 : 5);
    }
    ck_assert_uint_gt(missing, 5);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(modalities_that_are_not_chosen_stay_as_they_are)
{
    static const char *const chosen[] = {"notes"};
    mml_model *model = model_of(0);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f;
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.modalities = chosen;
    o.n_modalities = 1;
    f = explain(model, cohort, &o);
    check_complete(f, o.tolerance, 1e-6);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            ck_assert_int_eq(f->got[b][m].there, m == 1 && has(m, b));
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* Merges are differentiated on the host, and the device's memory is not the host's. */
START_TEST(a_device_of_its_own_memory_gives_the_same)
{
    static const how h[] = {{"mmlego", 1, MML_ENCODER_LINEAR, NULL}, {"mmlego", 1, MML_ENCODER_LINEAR, &mmlt_backend_hidden}};
    mml_merge_options merge;
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    const mmlt_tol kernels = {1e-3, 1e-3}; /* float32 kernels of two backends, over all points of the path */
    features *f[2];
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    mmlt_assert_ok(mml_merge_options_init(&merge, "mmlego"));
    for (int i = 0; i < 2; i++) {
        mml_model *model = join(&h[i], MML_SURVIVAL, &merge, NULL);

        f[i] = explain(model, cohort, &o);
        mml_model_free(model);
    }
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            mmlt_assert_close_d(&f[0]->got[b][m].value[0][0], &f[1]->got[b][m].value[0][0], 2 * COLUMNS,
                                kernels);
    mmli_free(f[0]);
    mmli_free(f[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(threads_do_not_change_a_bit)
{
    mml_model *model = model_of(4);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f, *g;
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.threads = 1;
    f = explain(model, cohort, &o);
    o.threads = 3;
    g = explain(model, cohort, &o);
    for (size_t b = 0; b < N; b++)
        for (size_t m = 0; m < MODALITIES; m++)
            mmlt_assert_same_bits(f->got[b][m].value, g->got[b][m].value, sizeof f->got[b][m].value);
    mmli_free(f);
    mmli_free(g);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

/* ---- the score, options --------------------------------------------------------------------------------------------------- */

/* Against central differences in float64 of the score of float32 logits. */
START_TEST(the_derivative_of_the_score_is_right)
{
    mmli_task *task = mmlt_task((mml_task_kind)_i);
    float z[4] = {0.5f, -0.75f, 0.25f, 1.5f}, g[4];

    for (size_t cls = 0; cls < task->outputs; cls++) {
        mmli_score_grad(g, task, z, cls);
        for (size_t j = 0; j < task->outputs; j++) {
            const float at = z[j], h = 1.0f / 64;
            double up, down;

            z[j] = at + h;
            up = mmli_score(task, z, cls);
            z[j] = at - h;
            down = mmli_score(task, z, cls);
            z[j] = at;
            ck_assert_double_eq_tol((double)g[j], (up - down) / (2 * (double)h), 1e-4);
        }
    }
    mmli_task_free(task);
}
END_TEST

/* Of a linear model the gradient is its weights, everywhere: attribution = weight (x - baseline). */
START_TEST(attributions_of_a_linear_model_are_its_terms)
{
    mml_model *model = make_baseline(MML_BASELINE_LINEAR, 0, 0, MML_REGRESSION);
    const mmli_prep *prep = model->members[0].prep;
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    features *f;
    float w[COLUMNS], *x = NULL;
    size_t at = 0;
    data d;

    for (size_t i = 0; i < model->params->n; i++)
        if (model->params->list[i].role == MMLI_ROLE_WEIGHT)
            at = i;
    ck_assert_uint_eq(model->params->list[at].rows * model->params->list[at].cols, COLUMNS);
    mmlt_assert_ok(mmli_params_get(w, model->params, at));
    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    f = explain(model, cohort, &o);
    mmlt_assert_ok(mmli_calloc(&x, N * COLUMNS, sizeof *x));
    mmlt_assert_ok(mmli_prep_apply(x, prep, &(mml_tokens){"labs", d.x[0], d.off[0], 4, NULL, 0}, N));
    for (size_t b = 0; b < N; b++)
        for (size_t c = 0; f->got[b][0].there && c < COLUMNS; c++) {
            const size_t row = (size_t)d.off[0][b];
            const bool known = c >= 4 || !isnan(d.x[0][row * 4 + c]); /* else the baseline has the imputed value, too */
            const double want = known ? model->task->sd * (double)w[c] * (double)x[row * COLUMNS + c] : 0;

            ck_assert_double_eq_tol(f->got[b][0].value[0][c], want, 1e-6 * (1 + fabs(want))); /* float32 weights */
        }
    mmli_free(x);
    mmli_free(f);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

static int unused(void *user, const mml_attention *a)
{
    (void)a;
    ++*(int *)user;
    return 0;
}

START_TEST(a_baseline_has_no_attention_to_show)
{
    mml_model *model = make_baseline(MML_BASELINE_SNN, 0, 0, MML_BINARY);
    mml_explainer *e = NULL;
    mmlt_cohort made;
    mml_cohort *cohort;
    int calls = 0;
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mmlt_assert_ok(mml_explainer_new(&e, model, NULL));
    mmlt_assert_fails(mml_explain_attention(e, cohort, NULL, 0, unused, &calls), MML_E_ARG, "this one is a baseline (snn)");
    ck_assert_int_eq(calls, 0);
    mml_explainer_free(e);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

START_TEST(options_that_cannot_be_are_refused)
{
    static const char *const unknown[] = {"lab"};
    mml_model *model = mmlt_one(0, MML_MULTICLASS, NULL), *value = mmlt_one(0, MML_REGRESSION, NULL);
    mml_explain_options o;
    mml_explainer *e = NULL;

    mml_explain_options_init(&o);
    o.target = "d";
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_NOT_FOUND, "task outcome has no class `d`; it has a, b, c");
    ck_assert_ptr_null(e);
    mmlt_assert_fails(mml_explainer_new(&e, value, &o), MML_E_ARG, "no classes");
    o.target = "b";
    mmlt_assert_ok(mml_explainer_new(&e, model, &o));
    ck_assert_str_eq(mml_explainer_score(e), "log odds of b");
    mml_explainer_free(e);
    o.modalities = unknown;
    o.n_modalities = 1;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_NOT_FOUND, "no modality lab; it has labs");
    mml_explain_options_init(&o);
    o.points = 1;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "points");
    mml_explain_options_init(&o);
    o.tolerance = 0;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "tolerance");
    o.struct_size = 3;
    mmlt_assert_fails(mml_explainer_new(&e, model, &o), MML_E_ARG, "struct_size");
    mmlt_assert_fails(mml_explainer_new(&e, NULL, NULL), MML_E_ARG, "model");
    mml_explainer_free(NULL);
    mml_model_free(model);
    mml_model_free(value);
}
END_TEST

static int stop(void *user, const mml_attributions *a)
{
    (void)user;
    (void)a;
    return 1;
}

/* Names and titles are anybody's: nothing of them is markup. */
START_TEST(plots_are_files_of_their_own)
{
    static const char *const names[] = {"<b>&", "g2"};
    static const double values[] = {1, -2, NAN, 4}, x[] = {0, 0.5, 0.25, 0.75}, y[] = {0, 0.25, 0.5, 0};
    const mml_plot_text text = {"A <title>", "p&1", "hours", "weight"};
    char *svg[3] = {NULL};

    mmlt_assert_ok(mml_plot_bars(&svg[0], &text, names, values, 2));
    mmlt_assert_ok(mml_plot_grid(&svg[1], &text, names, 2, NULL, 2, values));
    mmlt_assert_ok(mml_plot_patches(&svg[2], &text, x, y, values, 4));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strstr(svg[i], "<svg"));
        ck_assert_ptr_nonnull(strstr(svg[i], "xmlns=\"http://www.w3.org/2000/svg\""));
        ck_assert_ptr_nonnull(strstr(svg[i], "A &lt;title"));
        ck_assert_ptr_nonnull(strstr(svg[i], "</svg>"));
        ck_assert_ptr_null(strstr(svg[i], "<b>"));
        ck_assert_ptr_null(strstr(svg[i], "nan"));
        if (i < 2)
            ck_assert_ptr_nonnull(strstr(svg[i], "&lt;b&gt;&amp;"));
        mml_string_free(svg[i]);
    }
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mml_plot_bars(&svg[0], &text, names, values, 2), MML_E_NOMEM, "");
    mmli_alloc_fail_at(0);
    ck_assert_ptr_null(svg[0]);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_a_clean_failure)
{
    mml_model *model = model_of(3);
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_explain_options o;
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;
    data d;

    make_data(&d);
    cohort = write_cohort(&made, &d);
    mml_explain_options_init(&o);
    o.points = 2;
    o.tolerance = 1e9;
    while (st != MML_OK) {
        const size_t samples[] = {0, 3};
        mml_explainer *e = NULL;
        told t = {.n = 0};

        ck_assert_uint_lt(++k, 3000);
        mmli_alloc_fail_at(k);
        st = mml_explainer_new(&e, model, &o);
        st = st == MML_OK ? mml_explain_modalities(e, cohort, samples, 2, tell, &t) : st;
        st = st == MML_OK ? mml_explain_gradients(e, cohort, samples, 2, stop, NULL) : st;
        st = st == MML_E_STOPPED ? MML_OK : st;
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        mml_explainer_free(e);
    }
    ck_assert_uint_gt(k, 40);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    mml_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanations");
    TCase *tc = tcase_create("explain");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, without_a_modality_means_predicted_from_the_others, 0, 2 * TASKS);
    tcase_add_loop_test(tc, attributions_sum_to_the_difference_of_the_scores, 0, MODELS);
    tcase_add_loop_test(tc, what_alone_differs_from_the_baseline_gets_the_whole_difference, 0, MODELS);
    tcase_add_loop_test(tc, what_was_not_measured_gets_nothing_and_its_absence_goes_to_the_indicator, 0, 2);
    tcase_add_test(tc, modalities_that_are_not_chosen_stay_as_they_are);
    tcase_add_test(tc, a_device_of_its_own_memory_gives_the_same);
    tcase_add_test(tc, threads_do_not_change_a_bit);
    tcase_add_loop_test(tc, the_derivative_of_the_score_is_right, 0, TASKS);
    tcase_add_test(tc, attributions_of_a_linear_model_are_its_terms);
    tcase_add_test(tc, a_baseline_has_no_attention_to_show);
    tcase_add_test(tc, options_that_cannot_be_are_refused);
    tcase_add_test(tc, plots_are_files_of_their_own);
    tcase_add_test(tc, memory_that_cannot_be_had_is_a_clean_failure);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
