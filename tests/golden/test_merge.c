/* test_merge.c - LegoMerge: the merged latent of two given latents against the original code (harmonic as upstream has
 * it, mean, sum, product), and whole merges of two and three blocks against an independent reference, with missing
 * modalities, equal and unequal weights, both means of the angles, heads of the modalities present. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lego/heads.h"
#include "lego/merge.h"
#include "ops/internal.h"
#include "tests/golden/gold.h"
#include "tests/lego/made.h"

enum { MOST_PAIRS = 256 };

static void check(const gold *g, const char *path, const float *got, size_t size, double *worst)
{
    size_t n;
    float *want = gold_floats(g, path, &n);

    ck_assert_uint_eq(n, size);
    mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
    *worst = fmax(*worst, mmlt_relative_error(got, want, n));
    free(want);
}

static void check_var(const gold *g, const char *path, mmli_device *dv, const mmli_var *x, double *worst)
{
    float *got = calloc(mmli_size(x), sizeof *got);

    mmlt_download(got, dv, x->data, mmli_size(x) * sizeof *got);
    check(g, path, got, mmli_size(x), worst);
    free(got);
}

/* ---- upstream: latents given ------------------------------------------------------------------------------ */

static const struct {
    const char *file;
    mml_aggregation aggregation;
} upstream_files[] = {{"merge_harmonic_0.5", MML_MERGE_HARMONIC},
                      {"merge_harmonic_0.8", MML_MERGE_HARMONIC},
                      {"merge_mean_0.5", MML_MERGE_MEAN},
                      {"merge_sum_0.5", MML_MERGE_SUM},
                      {"merge_product_0.5", MML_MERGE_PRODUCT}};
enum { N_UPSTREAM = sizeof upstream_files / sizeof *upstream_files, SAMPLES = 4, C = 8, D = 6 /* of these files */ };

static mmli_complex given(mmli_tape *tape, const gold *g, int block)
{
    mmli_complex z;
    char path[32];
    size_t n;
    float *x;

    snprintf(path, sizeof path, "outputs/z%d_real", block);
    x = gold_floats(g, path, &n);
    ck_assert_uint_eq(n, SAMPLES * C * D);
    z.re = mmli_tape_input(tape, x, SAMPLES * C, D, false);
    free(x);
    snprintf(path, sizeof path, "outputs/z%d_imag", block);
    x = gold_floats(g, path, &n);
    z.im = mmli_tape_input(tape, x, SAMPLES * C, D, false);
    free(x);
    return z;
}

START_TEST(merged_latents_match_the_original_code)
{
    const uint8_t present[2 * SAMPLES] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int which = _i % N_UPSTREAM;
    mmli_device *dv = mmlt_device(_i / N_UPSTREAM, 0);
    mmli_tape *tape = NULL;
    mmli_merge_rule rule = {.aggregation = upstream_files[which].aggregation, .upstream_half = true};
    mmli_complex z[2], y;
    double weights[2], worst = 0;
    gold g;

    if (!gold_open(&g, upstream_files[which].file)) {
        mmli_device_close(dv);
        return;
    }
    weights[0] = gold_number(&g, "alpha", NAN);
    weights[1] = 1 - weights[0];
    rule.weights = weights;
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    z[0] = given(tape, &g, 0);
    z[1] = given(tape, &g, 1);
    y = mmli_merge_latents(tape, z, 2, SAMPLES, C, present, &rule);
    mmlt_assert_ok(mmli_tape_status(tape));
    check_var(&g, "outputs/merged_real", dv, y.re, &worst);
    check_var(&g, "outputs/merged_imag", dv, y.im, &worst);
    printf("%-20s %-10s largest relative error: %.1e\n", g.name, dv->k.name, worst);
    mmli_tape_free(tape);
    mmli_device_close(dv);
    gold_close(&g);
}
END_TEST

/* ---- paper: blocks, latents, merges, heads ----------------------------------------------------------------- */

static const char *const paper_files[] = {"paper_merge_2", "paper_merge_3"};
enum { N_PAPER = sizeof paper_files / sizeof *paper_files };

static void paper_options(mml_block_options *o, size_t *m, const gold *g)
{
    char list[64], *save = NULL;

    *m = 0;
    ck_assert(gold_text(g, "encoders", list, sizeof list));
    for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        ck_assert_uint_lt(*m, RIG_MOST);
        mmlt_assert_ok(mml_block_options_init(&o[*m], NULL, "paper", MML_BAG, MML_BINARY));
        mmlt_assert_ok(mml_encoder_from_name(&o[*m].encoder, name));
        o[*m].latent_c = (size_t)gold_number(g, "c", 0);
        o[*m].latent_d = (size_t)gold_number(g, "d", 0);
        o[*m].steps = (size_t)gold_number(g, "S", 0);
        o[*m].encoder_width = o[*m].encoder == MML_ENCODER_SNN ? 16 : o[*m].encoder == MML_ENCODER_ABMIL ? 24 : 0;
        ++*m;
    }
}

static void paper_data(rig_data *d, size_t m, const gold *g)
{
    *d = (rig_data){.m = m};
    for (size_t i = 0; i < m; i++) {
        char path[64];
        size_t n;

        snprintf(path, sizeof path, "inputs/offsets%zu", i);
        d->offsets[i] = gold_ints(g, path, &n);
        d->B = n - 1;
        snprintf(path, sizeof path, "inputs/values%zu", i);
        d->values[i] = gold_floats(g, path, &n);
        d->width[i] = n / (size_t)d->offsets[i][d->B];
    }
}

static mml_model *paper_model(const gold *g, int backend, const rig_data *d, const mml_block_options *o)
{
    mml_model *model = made_model(MML_MODEL_MERGE, backend, 0, d->m, o, d->width, 3);
    gold_pair pairs[MOST_PAIRS];

    for (size_t i = 0; i < d->m; i++) {
        const size_t n = gold_pairs(pairs, MOST_PAIRS, GOLD_PAPER, &o[i]);
        char ours[32], theirs[32];

        snprintf(ours, sizeof ours, "blocks.m%zu.", i);
        snprintf(theirs, sizeof theirs, "params/block%zu.", i);
        gold_load(model->params, ours, g, theirs, pairs, n);
    }
    model->merge.aggregation = MML_MERGE_HARMONIC;
    model->merge.scale = MML_LATENT_RAW;
    model->merge.head = MML_HEAD_SLERP;
    model->merge.upstream_harmonic = 0;
    return model;
}

/* The head of all blocks with equal weights. */
static void check_head(const gold *g, const mml_model *model, double *worst)
{
    static const char *const paths[] = {"head_all_equal/ln_weight", "head_all_equal/ln_bias", "head_all_equal/fc_weight",
                                        "head_all_equal/fc_bias"};
    const double w[RIG_MOST] = {1, 1, 1};

    for (size_t t = 0; t < 4; t++) {
        const float *v[RIG_MOST];
        float *own[RIG_MOST], *got;
        size_t n = 0;

        for (size_t i = 0; i < model->n; i++) {
            const mmli_head *h = &model->members[i].block.head;
            const size_t index[] = {h->norm_w, h->norm_b, h->linear_w, h->linear_b};
            const mmli_param *p = &model->params->list[index[t]];

            n = p->rows * p->cols;
            own[i] = calloc(n, sizeof *own[i]);
            mmlt_assert_ok(mmli_params_get(own[i], model->params, index[t]));
            v[i] = own[i];
        }
        got = calloc(n, sizeof *got);
        mmlt_assert_ok(mmli_vector_mean(got, v, w, model->n, n, MML_HEAD_SLERP));
        check(g, paths[t], got, n, worst);
        free(got);
        for (size_t i = 0; i < model->n; i++)
            free(own[i]);
    }
}

/* Final latents of every block; then merged latents and logits for one rule. */
static void check_rule(const gold *g, mml_model *model, const rig_data *d, const char *weighting, mml_phase phase,
                       double *latents, double *outputs)
{
    const char *phase_name = phase == MML_PHASE_CIRCULAR ? "circular" : "arithmetic";
    static const double unequal[][RIG_MOST] = {{0.7, 0.3, 0}, {0.5, 0.3, 0.2}};
    const size_t k = 3;
    mml_batch *batch = made_batch(d);
    mmli_tape *tape = NULL;
    mmli_inputs in;
    mmli_bound bound;
    mmli_complex z[RIG_MOST], y;
    mmli_merge_rule rule = {.aggregation = MML_MERGE_HARMONIC, .phase = phase, .weights = model->weights};
    float *logits;
    char path[64];

    for (size_t i = 0; i < model->n; i++)
        model->weights[i] = strcmp(weighting, "equal") == 0 ? 1.0 : unequal[model->n - 2][i];
    model->merge.phase = phase;
    mmlt_assert_ok(mmli_tape_new(&tape, model->dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, tape, model->params, NULL, NULL));
    mmlt_assert_ok(mmli_inputs_make(&in, tape, model, batch, NULL, NULL));
    mmlt_assert_ok(mmli_model_latents(z, model, tape, &bound, &in));
    for (size_t i = 0; i < model->n; i++) {
        snprintf(path, sizeof path, "latents/R%zu", i);
        check_var(g, path, model->dv, z[i].re, latents);
        snprintf(path, sizeof path, "latents/I%zu", i);
        check_var(g, path, model->dv, z[i].im, latents);
    }
    y = mmli_merge_latents(tape, z, model->n, d->B, model->members[0].block.o.latent_c, in.present, &rule);
    mmlt_assert_ok(mmli_tape_status(tape));
    snprintf(path, sizeof path, "outputs/Zreal_%s_%s", weighting, phase_name);
    check_var(g, path, model->dv, y.re, outputs);
    snprintf(path, sizeof path, "outputs/Zimag_%s_%s", weighting, phase_name);
    check_var(g, path, model->dv, y.im, outputs);
    logits = made_logits(model, batch);
    snprintf(path, sizeof path, "outputs/logits_%s_%s", weighting, phase_name);
    check(g, path, logits, d->B * k, outputs);
    free(logits);
    mmli_tape_free(tape);
    mml_batch_free(batch);
}

START_TEST(paper_merges_match_the_reference)
{
    const char *file = paper_files[_i % N_PAPER];
    gold g;
    rig_data d;
    mml_block_options o[RIG_MOST];
    mml_model *model;
    size_t m;
    double latents = 0, outputs = 0, head = 0;

    if (!gold_open(&g, file))
        return;
    paper_options(o, &m, &g);
    paper_data(&d, m, &g);
    model = paper_model(&g, _i / N_PAPER, &d, o);
    check_rule(&g, model, &d, "equal", MML_PHASE_ARITHMETIC, &latents, &outputs);
    check_rule(&g, model, &d, "equal", MML_PHASE_CIRCULAR, &latents, &outputs);
    check_rule(&g, model, &d, "weighted", MML_PHASE_ARITHMETIC, &latents, &outputs);
    check_rule(&g, model, &d, "weighted", MML_PHASE_CIRCULAR, &latents, &outputs);
    check_head(&g, model, &head);
    printf("%-20s %-10s largest relative error: latents %.1e, merged latents and logits %.1e, head %.1e\n", g.name,
           model->dv->k.name, latents, outputs, head);
    mml_model_free(model);
    rig_data_free(&d);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/merge");
    TCase *tc = tcase_create("merge");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, merged_latents_match_the_original_code, 0, N_UPSTREAM * mmlt_n_backends());
    tcase_add_loop_test(tc, paper_merges_match_the_reference, 0, N_PAPER * mmlt_n_backends());
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
