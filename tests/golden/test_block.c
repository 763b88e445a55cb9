/* test_block.c - LegoBlock against the original code (upstream) and an independent reference (paper): outputs, final
 * latents, gradients of every parameter and of the tokens, on every backend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"

enum { MOST_PAIRS = 256 };

typedef struct run {
    mmli_device *dv;
    mmli_params *params;
    mmli_block block;
    mmli_tape *tape;
    mmli_mem *grads;
    float *host_grads, *logits, *re, *im, *dx;
    size_t B, k, T, width;
    double loss;
} run;

static void run_free(run *r)
{
    mmli_block_clear(&r->block);
    if (r->grads)
        r->dv->k.free(r->dv, r->grads);
    mmli_tape_free(r->tape);
    mmli_params_free(r->params);
    mmli_device_close(r->dv);
    free(r->host_grads);
    free(r->logits);
    free(r->re);
    free(r->im);
    free(r->dx);
}

static float *fetch(run *r, const mmli_mem *mem, size_t n)
{
    float *host = calloc(n + 1, sizeof *host);

    mmlt_download(host, r->dv, mem, n * sizeof *host);
    return host;
}

/* Forward, mean cross-entropy, backward. */
static void run_block(run *r, const float *values, const int64_t *offsets, const int64_t *labels)
{
    mmli_bound bound;
    mmli_ragged ragged;
    mmli_var *x, *logits;
    mmli_state state;
    mmli_complex z;
    mmli_mem *loss;
    int32_t *label = calloc(r->B, sizeof *label);
    float *w = calloc(r->B, sizeof *w);

    for (size_t b = 0; b < r->B; b++) {
        label[b] = (int32_t)labels[b];
        w[b] = 1.0f / (float)r->B;
    }
    mmlt_assert_ok(r->dv->k.alloc(r->dv, &r->grads, r->params->total * sizeof(float)));
    mmlt_assert_ok(r->dv->k.fill(r->dv, r->grads, r->params->total, 0.0f));
    mmlt_assert_ok(mmli_tape_new(&r->tape, r->dv));
    mmlt_assert_ok(mmli_tape_begin(r->tape, MMLI_RECORD, 0, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, r->tape, r->params, r->grads, NULL));
    mmlt_assert_ok(mmli_ragged_make(&ragged, r->tape, offsets, r->B));
    x = mmli_tape_input(r->tape, values, r->T, r->width, true);
    state = mmli_state_start(r->tape, &bound, r->block.latent, r->B);
    state = mmli_block_run(r->tape, &bound, &r->block, x, &ragged, state, 0);
    logits = mmli_head_apply(r->tape, &bound, &r->block.head, state, r->block.o.latent_c);
    mmlt_assert_ok(mmli_tape_status(r->tape));
    loss = mmli_tape_mem(r->tape, sizeof(double));
    mmlt_assert_ok(r->dv->k.fill(r->dv, loss, 2, 0.0f));
    mmlt_assert_ok(mmli_loss_cross_entropy(r->tape, loss, logits, label, w));
    z = mmli_state_full(r->tape, &r->block.o, state);
    mmlt_assert_ok(mmli_tape_backward(r->tape));
    mmlt_download(&r->loss, r->dv, loss, sizeof r->loss);
    r->k = logits->cols;
    r->logits = fetch(r, logits->data, r->B * r->k);
    r->re = fetch(r, z.re->data, mmli_size(z.re));
    r->im = fetch(r, z.im->data, mmli_size(z.im));
    r->dx = fetch(r, x->grad, mmli_size(x));
    r->host_grads = fetch(r, r->grads, r->params->total);
    free(label);
    free(w);
}

static void check_array(const gold *g, const char *path, const float *got, double *worst)
{
    size_t n;
    float *want = gold_floats(g, path, &n);
    const double e = mmlt_relative_error(got, want, n);

    mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
    *worst = e > *worst ? e : *worst;
    free(want);
}

static void compare(run *r, const gold *g, const gold_pair *pairs, size_t n_pairs, const char *re, const char *im,
                    const char *dx)
{
    double out = 0, grad = 0, e;
    float loss = (float)r->loss;

    check_array(g, "outputs/logits", r->logits, &out);
    check_array(g, "outputs/loss", &loss, &out);
    if (gold_has(g, re))
        check_array(g, re, r->re, &out);
    if (gold_has(g, im))
        check_array(g, im, r->im, &out);
    check_array(g, dx, r->dx, &grad);
    e = gold_compare_grads(r->params, "", r->host_grads, g, "grads/", pairs, n_pairs);
    grad = e > grad ? e : grad;
    printf("%-28s largest relative error: outputs %.1e, gradients %.1e\n", g->name, out, grad);
}

static void declare(run *r, const mml_block_options *o, size_t width, size_t outputs, int backend)
{
    r->dv = mmlt_device(backend, 0);
    r->width = width;
    mmlt_assert_ok(mmli_params_new(&r->params));
    mmlt_assert_ok(mmli_block_declare(&r->block, r->params, "", o, width, outputs, -1.0f, NULL));
    mmlt_assert_ok(mmli_params_build(r->params, r->dv));
}

/* ---- paper ------------------------------------------------------------------------------------------ */

static const char *const paper_files[] = {"paper_block_none", "paper_block_none_odd", "paper_block_snn",
                                          "paper_block_snn_odd", "paper_block_abmil", "paper_block_abmil_odd"};
enum { N_PAPER = sizeof paper_files / sizeof *paper_files };

static mml_block_options paper_options(const gold *g)
{
    mml_block_options o;
    char encoder[32];

    mmlt_assert_ok(mml_block_options_init(&o, NULL, "paper", MML_BAG, MML_BINARY));
    ck_assert(gold_text(g, "encoder", encoder, sizeof encoder));
    mmlt_assert_ok(mml_encoder_from_name(&o.encoder, encoder));
    o.latent_c = (size_t)gold_number(g, "c", 0);
    o.latent_d = (size_t)gold_number(g, "d", 0);
    o.steps = (size_t)gold_number(g, "S", 0);
    o.heads = (size_t)gold_number(g, "H", 0);
    o.head_width = (size_t)gold_number(g, "e", 0);
    o.dropout = 0;
    o.encoder_width = o.encoder == MML_ENCODER_SNN ? 16 : 24;
    return o;
}

START_TEST(paper_blocks_match_the_reference)
{
    const char *file = paper_files[_i % N_PAPER];
    gold g;
    gold_pair pairs[MOST_PAIRS];
    size_t n_pairs, n, n_off, n_values;
    run r = {0};
    mml_block_options o;
    float *values;
    int64_t *offsets, *labels;

    if (!gold_open(&g, file))
        return;
    o = paper_options(&g);
    values = gold_floats(&g, "inputs/values", &n_values);
    offsets = gold_ints(&g, "inputs/offsets", &n_off);
    labels = gold_ints(&g, "inputs/labels", &n);
    r.B = n_off - 1;
    r.T = (size_t)offsets[r.B];
    declare(&r, &o, n_values / r.T, 4, _i / N_PAPER);
    n_pairs = gold_pairs(pairs, MOST_PAIRS, GOLD_PAPER, &o);
    gold_load(r.params, "", &g, "params/", pairs, n_pairs);
    run_block(&r, values, offsets, labels);
    compare(&r, &g, pairs, n_pairs, "outputs/R", "outputs/I", "grads/values");
    run_free(&r);
    free(values);
    free(offsets);
    free(labels);
    gold_close(&g);
}
END_TEST

/* ---- upstream --------------------------------------------------------------------------------------- */

static const char *const upstream_files[] = {"block_raw",
                                             "block_raw_depth1",
                                             "block_raw_imaginary_dropped",
                                             "block_raw_not_normalised",
                                             "block_raw_odd_depth3",
                                             "block_raw_one_token",
                                             "block_raw_spatial_domain",
                                             "block_snn",
                                             "block_abmil"};
enum { N_UPSTREAM = sizeof upstream_files / sizeof *upstream_files };

static mml_block_options upstream_options(const gold *g)
{
    mml_block_options o;
    char encoder[32];

    mmlt_assert_ok(mml_block_options_init(&o, NULL, "upstream", MML_SERIES, MML_BINARY));
    ck_assert(gold_text(g, "encoder", encoder, sizeof encoder));
    mmlt_assert_ok(mml_encoder_from_name(&o.encoder, encoder));
    o.raw_layers = o.encoder == MML_ENCODER_SELFATTN;
    o.latent_c = (size_t)gold_number(g, "l_c", 0);
    o.latent_d = (size_t)gold_number(g, "l_d", 0);
    o.steps = (size_t)gold_number(g, "depth", 0);
    o.dropout = 0;
    o.normalise_latent = gold_number(g, "normalise", 1) != 0;
    o.drop_imaginary = gold_number(g, "track_imaginary", 1) == 0;
    if (gold_number(g, "frequency_domain", 1) == 0)
        o.transform = MML_TRANSFORM_SPATIAL;
    o.encoder_width = o.encoder == MML_ENCODER_SNN ? 16 : o.encoder == MML_ENCODER_ABMIL ? 24 : 0;
    return o;
}

START_TEST(upstream_blocks_match_the_original_code)
{
    const char *file = upstream_files[_i % N_UPSTREAM];
    gold g;
    gold_pair pairs[MOST_PAIRS];
    size_t n_pairs, n_values, tokens;
    run r = {0};
    mml_block_options o;
    float *values;
    int64_t *offsets, *labels;

    if (!gold_open(&g, file))
        return;
    o = upstream_options(&g);
    values = gold_floats(&g, "inputs/x0", &n_values);
    labels = gold_ints(&g, "inputs/labels", &r.B);
    tokens = (size_t)gold_number(&g, "tokens", 0);
    r.T = r.B * tokens;
    offsets = calloc(r.B + 1, sizeof *offsets);
    for (size_t b = 0; b <= r.B; b++)
        offsets[b] = (int64_t)(b * tokens);
    declare(&r, &o, n_values / r.T, 4, _i / N_UPSTREAM);
    n_pairs = gold_pairs(pairs, MOST_PAIRS, GOLD_UPSTREAM, &o);
    gold_load(r.params, "", &g, "params/", pairs, n_pairs);
    run_block(&r, values, offsets, labels);
    compare(&r, &g, pairs, n_pairs, "outputs/latent_real", "outputs/latent_imag", "grads/input0");
    run_free(&r);
    free(values);
    free(offsets);
    free(labels);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/block");
    TCase *tc = tcase_create("blocks");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, paper_blocks_match_the_reference, 0, N_PAPER * mmlt_n_backends());
    tcase_add_loop_test(tc, upstream_blocks_match_the_original_code, 0, N_UPSTREAM * mmlt_n_backends());
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
