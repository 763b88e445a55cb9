/* test_params.c - parameters: names, random starts that are keyed by name, freezing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "tests/lego/rig.h"

static size_t find(const mmli_params *params, const char *name)
{
    size_t i = 0;

    mmlt_assert_ok(mmli_params_find(&i, params, name));
    return i;
}

static float *get(const mmli_params *params, const char *name, size_t *n)
{
    const mmli_param *p = &params->list[find(params, name)];
    float *x = calloc(p->rows * p->cols, sizeof *x);

    *n = p->rows * p->cols;
    mmlt_assert_ok(mmli_params_get(x, params, find(params, name)));
    return x;
}

static void open_block(rig *r, int backend, mml_encoder_kind encoder, size_t width, uint64_t seed, const char *scope)
{
    const mml_block_options o = rig_options("paper", encoder, 8, 10, 2);

    rig_open(r, backend, 1);
    rig_add(r, &o, width, NULL);
    rig_build(r);
    mmlt_assert_ok(mmli_params_start(r->params, seed, scope, 0));
}

/* Whatever the modality: its latent, its head and what else has the same name and shape (method.md 3). */
START_TEST(blocks_of_one_seed_and_task_start_alike)
{
    static const char *const same[] = {"blocks.0.latent", "blocks.0.head.linear.weight", "blocks.0.steps.1.query.weight",
                                       "blocks.0.steps.0.ff_in.weight"};
    rig a, b, c, d;

    open_block(&a, _i, MML_ENCODER_SNN, 30, 7, "death");
    open_block(&b, _i, MML_ENCODER_ABMIL, 12, 7, "death");
    open_block(&c, _i, MML_ENCODER_SNN, 30, 8, "death");
    open_block(&d, _i, MML_ENCODER_SNN, 30, 7, "stay");
    for (size_t k = 0; k < 4; k++) {
        size_t n;
        float *x = get(a.params, same[k], &n), *y = get(b.params, same[k], &n), *z = get(c.params, same[k], &n);
        float *w = get(d.params, same[k], &n);

        mmlt_assert_same_bits(y, x, n * sizeof *x);
        ck_assert_int_ne(memcmp(z, x, n * sizeof *x), 0); /* another seed */
        ck_assert_int_ne(memcmp(w, x, n * sizeof *x), 0); /* another task */
        free(x);
        free(y);
        free(z);
        free(w);
    }
    rig_close(&a);
    rig_close(&b);
    rig_close(&c);
    rig_close(&d);
}
END_TEST

static void assert_moments(const rig *r, const char *name, double mean, double sd)
{
    size_t n;
    float *x = get(r->params, name, &n);
    double m = 0, v = 0;

    for (size_t i = 0; i < n; i++)
        m += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        v += ((double)x[i] - m) * ((double)x[i] - m) / (double)n;
    ck_assert_double_eq_tol(m, mean, 5 * sd / sqrt((double)n) + 1e-12); /* five standard errors */
    ck_assert_double_eq_tol(sqrt(v), sd, 5 * sd / sqrt((double)n) + 1e-12);
    free(x);
}

/* The latent N(0, 1), linear maps U(+-1/sqrt(in)), self-normalising ones N(0, 1/in), norms 1 and 0, biases 0. */
START_TEST(starts_have_their_distributions)
{
    rig r;

    open_block(&r, _i, MML_ENCODER_SNN, 30, 9, "death");
    assert_moments(&r, "blocks.0.latent", 0, 1);
    assert_moments(&r, "blocks.0.steps.0.ff_in.weight", 0, 1 / sqrt(3 * 10));
    assert_moments(&r, "blocks.0.encoder.fc0.weight", 0, 1 / sqrt(30));
    assert_moments(&r, "blocks.0.encoder.fc0.bias", 0, 0);
    assert_moments(&r, "blocks.0.steps.0.query_norm.weight", 1, 0);
    assert_moments(&r, "blocks.0.head.norm.bias", 0, 0);
    rig_close(&r);
}
END_TEST

START_TEST(head_gain_sets_the_spread_of_a_head_to_be_shared)
{
    mmli_device *dv = mmlt_device(_i, 1);
    mmli_params *params = NULL;
    mmli_head head;
    float x[50 * 40];
    double v = 0;

    mmlt_assert_ok(mmli_params_new(&params));
    mmlt_assert_ok(mmli_head_declare(&head, params, "", 40, 50, 0.25f));
    mmlt_assert_ok(mmli_params_build(params, dv));
    mmlt_assert_ok(mmli_params_start(params, 1, "t", 0));
    mmlt_assert_ok(mmli_params_get(x, params, head.linear_w));
    for (size_t i = 0; i < 50 * 40; i++)
        v += (double)x[i] * (double)x[i] / (50 * 40);
    ck_assert_double_eq_tol(sqrt(v), 0.25, 0.02);
    mmli_params_free(params);
    mmli_device_close(dv);
}
END_TEST

/* A frozen parameter gets no gradient; the others get theirs, to the bit. */
START_TEST(freezing_takes_gradients_away_and_changes_no_other)
{
    static const size_t width[] = {6}, tokens[] = {3, 0, 2, 1};
    rig r;
    rig_data d;
    rig_result all;
    mmli_bound bound;
    mmli_ragged ragged;
    mmli_state state;
    mmli_var *logits;
    uint8_t *frozen;
    float *got;
    const float w[] = {0.25f, 0.25f, 0.25f, 0.25f};

    rig_data_make(&d, 1, 4, width, tokens, 1);
    open_block(&r, _i, MML_ENCODER_ABMIL, width[0], 3, "t");
    r.loss_only = true;
    rig_run(&all, &r, &d, MMLI_RECORD);
    frozen = calloc(r.params->n, 1);
    for (size_t i = 0; i < r.params->n; i++)
        frozen[i] = r.params->list[i].section == MMLI_SECTION_ENCODER || i % 3 == 0;
    mmlt_assert_ok(mmli_tape_begin(r.tape, MMLI_RECORD, 0, 0));
    mmlt_assert_ok(r.dv->k.fill(r.dv, r.grads, r.params->total, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, r.tape, r.params, r.grads, frozen));
    mmlt_assert_ok(mmli_ragged_make(&ragged, r.tape, d.offsets[0], 4));
    state = mmli_state_start(r.tape, &bound, r.latent, 4);
    state = mmli_block_run(r.tape, &bound, &r.block[0], mmli_tape_input(r.tape, d.values[0], 6, width[0], false), &ragged,
                           state, 0);
    logits = mmli_head_apply(r.tape, &bound, &r.head, state, 8);
    mmlt_assert_ok(mmli_loss_cross_entropy(r.tape, mmli_tape_mem(r.tape, 8), logits, d.label, w));
    mmlt_assert_ok(mmli_tape_backward(r.tape));
    got = calloc(r.params->total, sizeof *got);
    mmlt_download(got, r.dv, r.grads, r.params->total * sizeof *got);
    for (size_t i = 0; i < r.params->n; i++) {
        const mmli_param *p = &r.params->list[i];

        if (!frozen[i])
            mmlt_assert_same_bits_at(__FILE__, __LINE__, p->name, got + p->at, all.grads + p->at,
                                     p->rows * p->cols * sizeof *got);
        for (size_t j = 0; frozen[i] && j < p->rows * p->cols; j++)
            ck_assert_float_eq(got[p->at + j], 0);
    }
    free(got);
    free(frozen);
    rig_free(&all);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* Upstream's self-attention of the tokens: in the file, not in the count, never trained. */
START_TEST(dead_parameters_are_carried_and_not_counted)
{
    const mml_block_options o = rig_options("upstream", MML_ENCODER_SELFATTN, 4, 5, 2);
    static const size_t width[] = {6}, tokens[] = {3, 2};
    rig r;
    rig_data d;
    rig_result got;
    size_t dead = 0, all = 0;

    rig_data_make(&d, 1, 2, width, tokens, 2);
    rig_open(&r, _i, 1);
    rig_add(&r, &o, width[0], NULL);
    rig_build(&r);
    rig_run(&got, &r, &d, MMLI_RECORD);
    for (size_t i = 0; i < r.params->n; i++) {
        const mmli_param *p = &r.params->list[i];

        all += p->rows * p->cols;
        dead += p->dead ? p->rows * p->cols : 0;
        ck_assert_int_eq(p->dead, strstr(p->name, ".raw_attention_norm.") || strstr(p->name, ".raw_query.") ||
                                      strstr(p->name, ".raw_key.") || strstr(p->name, ".raw_value.") ||
                                      strstr(p->name, ".raw_out."));
        for (size_t j = 0; p->dead && j < p->rows * p->cols; j++)
            ck_assert_float_eq(got.grads[p->at + j], 0);
    }
    ck_assert_uint_gt(dead, 0);
    ck_assert_uint_eq(mmli_params_count(r.params), all - dead);
    rig_free(&got);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

START_TEST(names_are_unique_and_known)
{
    mmli_params *params = NULL;
    size_t i;

    mmlt_assert_ok(mmli_params_new(&params));
    mmlt_assert_ok(mmli_params_add(params, &i, "blocks.a.", "latent", 2, 3, MML_INIT_ZERO, 1, MMLI_ROLE_LATENT, MMLI_SECTION_LATENT));
    ck_assert_str_eq(params->list[i].name, "blocks.a.latent");
    ck_assert_str_eq(params->list[i].key, "latent");
    mmlt_assert_fails(mmli_params_add(params, &i, "blocks.", "a.latent", 2, 3, MML_INIT_ZERO, 1, MMLI_ROLE_LATENT, MMLI_SECTION_LATENT),
                      MML_E_ARG, "blocks.a.latent");
    mmlt_assert_fails(mmli_params_add(params, &i, "", "huge", SIZE_MAX / 2, 3, MML_INIT_ZERO, 1, MMLI_ROLE_WEIGHT, MMLI_SECTION_BLOCK),
                      MML_E_NOMEM, "huge");
    mmlt_assert_fails(mmli_params_find(&i, params, "blocks.b.latent"), MML_E_NOT_FOUND, "blocks.b.latent");
    mmli_params_free(params);
    mmli_params_free(NULL);
}
END_TEST

START_TEST(options_out_of_range_are_named)
{
    static const struct {
        const char *says;
        size_t c, steps, heads, width, layers;
        double tau, dropout, encoder_dropout;
        int raw, transform;
        size_t outputs, in;
        mml_status status;
    } wrong[] = {{"latent 0 x 5", 0, 1, 1, 0, 0, 1, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"steps", 4, 0, 1, 0, 0, 1, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"steps", 4, 65, 1, 0, 0, 1, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"attention heads", 4, 1, 0, 0, 0, 1, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"tau", 4, 1, 1, 0, 0, 0, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"tau", 4, 1, 1, 0, 0, NAN, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"dropout", 4, 1, 1, 0, 0, 1, 1, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"dropout", 4, 1, 1, 0, 0, 1, NAN, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"encoder dropout", 4, 1, 1, 0, 0, 1, 0, 1, 0, 0, 2, 4, MML_E_ARG},
                 {"encoder dropout", 4, 1, 1, 0, 0, 1, 0, NAN, 0, 0, 2, 4, MML_E_ARG},
                 {"encoder of width", 4, 1, 1, 70000, 0, 1, 0, -1, 0, 0, 2, 4, MML_E_ARG},
                 {"raw layers", 4, 1, 1, 0, 0, 1, 0, -1, 1, 0, 2, 4, MML_E_ARG},
                 {"unknown transform 9", 4, 1, 1, 0, 0, 1, 0, -1, 0, 9, 2, 4, MML_E_ARG},
                 {"at least one output", 4, 1, 1, 0, 0, 1, 0, -1, 0, 0, 0, 4, MML_E_ARG},
                 {"width 0", 4, 1, 1, 0, 0, 1, 0, -1, 0, 0, 2, 0, MML_E_SHAPE}};

    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        mml_block_options o = rig_options("paper", MML_ENCODER_SNN, wrong[k].c, 5, wrong[k].steps);
        mmli_params *params = NULL;
        mmli_block block;

        o.heads = wrong[k].heads;
        o.encoder_width = wrong[k].width;
        o.encoder_layers = wrong[k].layers;
        o.tau = wrong[k].tau;
        o.dropout = wrong[k].dropout;
        o.encoder_dropout = wrong[k].encoder_dropout;
        o.raw_layers = wrong[k].raw;
        o.transform = (mml_transform)wrong[k].transform;
        mmlt_assert_ok(mmli_params_new(&params));
        mmlt_assert_fails(mmli_block_declare(&block, params, "", &o, wrong[k].in, wrong[k].outputs, -1, NULL), wrong[k].status,
                          wrong[k].says);
        mmli_params_free(params);
    }
}
END_TEST

START_TEST(abmil_of_odd_width_is_refused)
{
    mml_block_options o = rig_options("paper", MML_ENCODER_ABMIL, 4, 5, 1);
    mmli_params *params = NULL;
    mmli_block block;

    o.encoder_width = 7;
    mmlt_assert_ok(mmli_params_new(&params));
    mmlt_assert_fails(mmli_block_declare(&block, params, "", &o, 3, 2, -1, NULL), MML_E_ARG, "even, not 7");
    mmli_params_free(params);
}
END_TEST

START_TEST(unknown_presets_and_encoders_get_a_suggestion)
{
    mml_block_options o;
    mml_merge_options m;
    mml_fuse_options f;
    mml_encoder_kind kind;

    mmlt_assert_fails(mml_block_options_init(&o, NULL, "upsteam", MML_TABLE, MML_BINARY), MML_E_ARG, "did you mean upstream");
    mmlt_assert_fails(mml_merge_options_init(&m, "papr"), MML_E_ARG, "did you mean paper");
    mmlt_assert_fails(mml_fuse_options_init(&f, "xyz"), MML_E_ARG, "mmlego, paper and upstream");
    mmlt_assert_fails(mml_encoder_from_name(&kind, "abmill"), MML_E_ARG, "did you mean abmil");
    for (int k = MML_ENCODER_NONE; k <= MML_ENCODER_CUSTOM; k++) {
        mmlt_assert_ok(mml_encoder_from_name(&kind, mml_encoder_name((mml_encoder_kind)k)));
        ck_assert_int_eq(kind, k);
    }
    ck_assert_str_eq(mml_encoder_name((mml_encoder_kind)99), "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/params");
    TCase *tc = tcase_create("params");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, blocks_of_one_seed_and_task_start_alike, 0, n);
    tcase_add_loop_test(tc, starts_have_their_distributions, 0, n);
    tcase_add_loop_test(tc, head_gain_sets_the_spread_of_a_head_to_be_shared, 0, n);
    tcase_add_loop_test(tc, freezing_takes_gradients_away_and_changes_no_other, 0, n);
    tcase_add_loop_test(tc, dead_parameters_are_carried_and_not_counted, 0, n);
    tcase_add_test(tc, names_are_unique_and_known);
    tcase_add_test(tc, options_out_of_range_are_named);
    tcase_add_test(tc, abmil_of_odd_width_is_refused);
    tcase_add_test(tc, unknown_presets_and_encoders_get_a_suggestion);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
