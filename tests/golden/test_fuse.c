/* test_fuse.c - LegoFuse against the original code (upstream, stack) and an independent reference (paper, stack and
 * weave, two and three blocks, samples with missing modalities): logits, loss and all gradients, on every backend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/golden/gold.h"
#include "tests/lego/rig.h"

enum { MOST_PAIRS = 256 };

/* The encoders of the attribute "snn,abmil,none", narrow as in all golden files. */
static size_t encoders(mml_encoder_kind *out, const gold *g)
{
    char list[64], *save = NULL;
    size_t m = 0;

    ck_assert(gold_text(g, "encoders", list, sizeof list));
    for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        ck_assert_uint_lt(m, RIG_MOST);
        mmlt_assert_ok(mml_encoder_from_name(&out[m++], name));
    }
    return m;
}

static mml_block_options options(const char *preset, mml_encoder_kind encoder, size_t c, size_t d, size_t steps)
{
    mml_block_options o;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, preset, MML_BAG, MML_BINARY));
    o.encoder = encoder;
    o.latent_c = c;
    o.latent_d = d;
    o.steps = steps;
    o.dropout = 0;
    o.encoder_width = encoder == MML_ENCODER_SNN ? 16 : encoder == MML_ENCODER_ABMIL ? 24 : 0;
    return o;
}

static void set(rig *r, size_t index, const gold *g, const char *path)
{
    size_t n;
    float *x = gold_floats(g, path, &n);

    ck_assert_uint_eq(n, r->params->list[index].rows * r->params->list[index].cols);
    mmlt_assert_ok(mmli_params_set(r->params, index, x));
    free(x);
}

static void check(const gold *g, const char *path, const float *got, size_t size, double *worst)
{
    size_t n;
    float *want = gold_floats(g, path, &n);

    ck_assert_uint_eq(n, size);
    mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
    *worst = fmax(*worst, mmlt_relative_error(got, want, n));
    free(want);
}

/* ---- paper ----------------------------------------------------------------------------------------------- */

static const char *const paper_files[] = {"paper_fuse_stack_2", "paper_fuse_stack_3", "paper_fuse_weave_2",
                                          "paper_fuse_weave_3"};
enum { N_PAPER = sizeof paper_files / sizeof *paper_files };

static void paper_data(rig_data *d, size_t m, const gold *g)
{
    int64_t *labels = gold_ints(g, "inputs/labels", &d->B);

    d->m = m;
    d->label = calloc(d->B, sizeof *d->label);
    for (size_t b = 0; b < d->B; b++)
        d->label[b] = (int32_t)labels[b];
    free(labels);
    for (size_t i = 0; i < m; i++) {
        char path[64];
        size_t n, n_off;

        snprintf(path, sizeof path, "inputs/offsets%zu", i);
        d->offsets[i] = gold_ints(g, path, &n_off);
        ck_assert_uint_eq(n_off, d->B + 1);
        snprintf(path, sizeof path, "inputs/values%zu", i);
        d->values[i] = gold_floats(g, path, &n);
        d->width[i] = n / (size_t)d->offsets[i][d->B];
    }
}

/* Pairs of the parameters that a fuse has of its own. */
static size_t own_pairs(gold_pair *out)
{
    static const char *const names[][2] = {{"latent", "L0"},
                                           {"head.norm.weight", "head.ln.weight"},
                                           {"head.norm.bias", "head.ln.bias"},
                                           {"head.linear.weight", "head.fc.weight"},
                                           {"head.linear.bias", "head.fc.bias"}};

    memset(out, 0, 5 * sizeof *out);
    for (size_t i = 0; i < 5; i++) {
        snprintf(out[i].ours, sizeof out[i].ours, "%s", names[i][0]);
        snprintf(out[i].theirs, sizeof out[i].theirs, "%s", names[i][1]);
    }
    return 5;
}

START_TEST(paper_fuses_match_the_reference)
{
    const char *file = paper_files[_i % N_PAPER];
    gold g;
    rig r;
    rig_data d = {0};
    rig_result got;
    gold_pair pairs[RIG_MOST][MOST_PAIRS], own[5];
    size_t n_pairs[RIG_MOST], m;
    mml_encoder_kind kinds[RIG_MOST];
    double out = 0, grad;
    float loss;

    if (!gold_open(&g, file))
        return;
    m = encoders(kinds, &g);
    paper_data(&d, m, &g);
    rig_open(&r, _i / N_PAPER, 0);
    r.loss_only = true;
    for (size_t i = 0; i < m; i++) {
        const mml_block_options o = options("paper", kinds[i], (size_t)gold_number(&g, "c", 0),
                                            (size_t)gold_number(&g, "d", 0), (size_t)gold_number(&g, "S", 0));
        rig_add(&r, &o, d.width[i], NULL);
        n_pairs[i] = gold_pairs(pairs[i], MOST_PAIRS, GOLD_PAPER, &o);
    }
    rig_fuse(&r, strstr(file, "weave") ? MML_FUSE_WEAVE : MML_FUSE_STACK);
    rig_build(&r);
    own_pairs(own);
    gold_load(r.params, "fuse.", &g, "params/", own, 5);
    for (size_t i = 0; i < m; i++) {
        char ours[32], theirs[32];
        snprintf(ours, sizeof ours, "blocks.%zu.", i);
        snprintf(theirs, sizeof theirs, "params/blocks.%zu.", i);
        gold_load(r.params, ours, &g, theirs, pairs[i], n_pairs[i]);
    }
    rig_run(&got, &r, &d, MMLI_RECORD);
    loss = (float)got.objective;
    check(&g, "outputs/logits", got.logits, got.n_logits, &out);
    check(&g, "outputs/loss", &loss, 1, &out);
    grad = gold_compare_grads(r.params, "fuse.", got.grads, &g, "grads/", own, 5);
    for (size_t i = 0; i < m; i++) {
        char ours[32], theirs[32];
        snprintf(ours, sizeof ours, "blocks.%zu.", i);
        snprintf(theirs, sizeof theirs, "grads/blocks.%zu.", i);
        grad = fmax(grad, gold_compare_grads(r.params, ours, got.grads, &g, theirs, pairs[i], n_pairs[i]));
    }
    printf("%-20s %-10s largest relative error: outputs %.1e, gradients %.1e\n", g.name, r.dv->k.name, out, grad);
    rig_free(&got);
    rig_close(&r);
    rig_data_free(&d);
    gold_close(&g);
}
END_TEST

/* ---- upstream -------------------------------------------------------------------------------------------- */

static void upstream_data(rig_data *d, const gold *g)
{
    static const size_t tokens[] = {1, 9}, width[] = {30, 16}; /* shapes of inputs/x0 and x1: (B, tokens, width) */

    d->m = 2;
    for (size_t i = 0; i < 2; i++) {
        char path[32];
        size_t n;

        snprintf(path, sizeof path, "inputs/x%zu", i);
        d->values[i] = gold_floats(g, path, &n);
        d->width[i] = width[i];
        d->B = n / (tokens[i] * width[i]);
        ck_assert_uint_eq(d->B * tokens[i] * width[i], n);
        d->offsets[i] = calloc(d->B + 1, sizeof *d->offsets[i]);
        for (size_t b = 0; b <= d->B; b++)
            d->offsets[i][b] = (int64_t)(b * tokens[i]);
    }
    d->label = calloc(d->B, sizeof *d->label); /* not used: the file has no loss */
}

START_TEST(upstream_stack_matches_the_original_code)
{
    static const mml_encoder_kind kinds[] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL};
    gold g;
    rig r;
    rig_data d = {0};
    rig_result got;
    gold_pair pairs[MOST_PAIRS];
    double out = 0;

    if (!gold_open(&g, "fuse_stack"))
        return;
    upstream_data(&d, &g);
    rig_open(&r, _i, 0);
    r.outputs = (size_t)gold_number(&g, "n_classes", 0);
    for (size_t i = 0; i < 2; i++) {
        const mml_block_options o = options("upstream", kinds[i], (size_t)gold_number(&g, "l_c", 0),
                                            (size_t)gold_number(&g, "l_d", 0), (size_t)gold_number(&g, "depth", 0));
        rig_add(&r, &o, d.width[i], NULL);
    }
    rig_fuse(&r, MML_FUSE_STACK);
    rig_build(&r);
    for (size_t i = 0; i < 2; i++) {
        char ours[32], theirs[32];
        const size_t n = gold_pairs(pairs, MOST_PAIRS, GOLD_UPSTREAM, &r.block[i].o);
        snprintf(ours, sizeof ours, "blocks.%zu.", i);
        snprintf(theirs, sizeof theirs, "params/layers.%zu.", i);
        gold_load(r.params, ours, &g, theirs, pairs, n);
    }
    set(&r, r.latent, &g, "params/L");
    set(&r, r.head.norm_w, &g, "params/to_logits.combined_layers.1.weight");
    set(&r, r.head.norm_b, &g, "params/to_logits.combined_layers.1.bias");
    set(&r, r.head.linear_w, &g, "params/to_logits.combined_layers.2.weight");
    set(&r, r.head.linear_b, &g, "params/to_logits.combined_layers.2.bias");
    rig_run(&got, &r, &d, 0);
    check(&g, "outputs/logits", got.logits, got.n_logits, &out);
    check(&g, "outputs/latent", got.re, got.n_state, &out);
    printf("%-20s %-10s largest relative error: outputs %.1e\n", g.name, r.dv->k.name, out);
    rig_free(&got);
    rig_close(&r);
    rig_data_free(&d);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/fuse");
    TCase *tc = tcase_create("fuse");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, paper_fuses_match_the_reference, 0, N_PAPER * mmlt_n_backends());
    tcase_add_loop_test(tc, upstream_stack_matches_the_original_code, 0, mmlt_n_backends());
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
