/* test_fuse.c - LegoFuse (method.md 4): what must hold between a fuse and its blocks. */
#include <string.h>

#include "tests/lego/rig.h"

enum { C = 4, D = 5, B = 4 };

static const size_t width[] = {5, 3, 4};

typedef struct kind {
    const char *name, *preset;
    mml_fuse_mode mode;
} kind;

static const kind kinds[] = {{"paper stack", "paper", MML_FUSE_STACK},
                             {"paper weave", "paper", MML_FUSE_WEAVE},
                             {"upstream stack", "upstream", MML_FUSE_STACK},
                             {"upstream weave", "upstream", MML_FUSE_WEAVE}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* Blocks of SNN, ABMIL and no encoder with these numbers of steps, with dropout everywhere. */
static void open_fuse(rig *r, const kind *k, int backend, size_t m, const size_t *steps)
{
    static const mml_encoder_kind encoders[] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_NONE};

    rig_open(r, backend, 2);
    for (size_t i = 0; i < m; i++) {
        mml_block_options o = rig_options(k->preset, encoders[i], C, D, steps[i]);
        o.dropout = 0.3;
        o.encoder_dropout = 0.25;
        rig_add(r, &o, width[i], NULL);
    }
    rig_fuse(r, k->mode);
    rig_build(r);
}

static void copy_param(rig *r, size_t to, size_t from)
{
    const size_t n = r->params->list[from].rows * r->params->list[from].cols;
    float x[C * D + 8 * D];

    ck_assert_uint_le(n, sizeof x / sizeof *x);
    mmlt_assert_ok(mmli_params_get(x, r->params, from));
    mmlt_assert_ok(mmli_params_set(r->params, to, x));
}

static void assert_same_gradient(const rig *r, const rig_result *got, size_t a, const rig_result *want, size_t b)
{
    const mmli_param *p = r->params->list;

    mmlt_assert_same_bits_at(__FILE__, __LINE__, p[b].name, got->grads + p[a].at, want->grads + p[b].at,
                             p[b].rows * p[b].cols * sizeof(float));
}

static void assert_same_outputs(const char *name, const rig_result *got, const rig_result *want)
{
    mmlt_assert_same_bits_at(__FILE__, __LINE__, name, got->logits, want->logits, want->n_logits * sizeof(float));
    mmlt_assert_same_bits_at(__FILE__, __LINE__, name, got->re, want->re, want->n_state * sizeof(float));
    mmlt_assert_same_bits_at(__FILE__, __LINE__, name, got->im, want->im, want->n_state * sizeof(float));
}

/* With its latent and its head; in training too, where upstream's encoder draws new dropout in every step. */
START_TEST(fuse_of_one_block_is_that_block)
{
    static const size_t steps[] = {3}, tokens[] = {1, 0, 1, 1};
    const kind *k = &kinds[_i % N_KINDS];
    const bool handover = k->mode == MML_FUSE_STACK && strcmp(k->preset, "upstream") == 0;

    for (int mode = MMLI_RECORD; mode <= (MMLI_RECORD | MMLI_TRAINING); mode += MMLI_TRAINING) {
        rig r;
        rig_data d;
        rig_result fused, alone;
        size_t latent;
        mmli_head head;

        rig_data_make(&d, 1, B, width, tokens, 51);
        open_fuse(&r, k, _i / N_KINDS, 1, steps);
        r.loss_only = handover; /* upstream hands R over, and no I */
        latent = r.latent;
        head = r.head;
        copy_param(&r, latent, r.block[0].latent);
        copy_param(&r, head.norm_w, r.block[0].head.norm_w);
        copy_param(&r, head.norm_b, r.block[0].head.norm_b);
        copy_param(&r, head.linear_w, r.block[0].head.linear_w);
        copy_param(&r, head.linear_b, r.block[0].head.linear_b);
        rig_run(&fused, &r, &d, mode);
        r.fused = false;
        r.latent = r.block[0].latent;
        r.head = r.block[0].head;
        rig_run(&alone, &r, &d, mode);
        for (size_t b = 0; b < B; b++) /* a sample without any modality has no start state to compare after a handover */
            if (tokens[b] > 0 || !handover)
                mmlt_assert_same_bits_at(__FILE__, __LINE__, k->name, fused.logits + b * RIG_OUTPUTS,
                                         alone.logits + b * RIG_OUTPUTS, RIG_OUTPUTS * sizeof(float));
        if (!handover) {
            assert_same_outputs(k->name, &fused, &alone);
            assert_same_gradient(&r, &fused, latent, &alone, r.latent);
            assert_same_gradient(&r, &fused, head.linear_w, &alone, r.head.linear_w);
            for (size_t s = 0; s < 3; s++) {
                assert_same_gradient(&r, &fused, r.block[0].steps[s].ff_in_w, &alone, r.block[0].steps[s].ff_in_w);
                assert_same_gradient(&r, &fused, r.block[0].steps[s].value, &alone, r.block[0].steps[s].value);
            }
        }
        rig_free(&fused);
        rig_free(&alone);
        rig_close(&r);
        rig_data_free(&d);
    }
}
END_TEST

/* _i runs over the backends. */
START_TEST(weave_of_blocks_with_one_step_is_their_stack)
{
    static const size_t steps[] = {1, 1, 1}, tokens[] = {1, 0, 1, 1, /* */ 2, 3, 0, 1, /* */ 0, 2, 5, 1};
    rig r;
    rig_data d;
    rig_result woven, stacked;

    rig_data_make(&d, 3, B, width, tokens, 52);
    open_fuse(&r, &kinds[1], _i, 3, steps);
    rig_run(&woven, &r, &d, MMLI_RECORD | MMLI_TRAINING);
    r.mode = MML_FUSE_STACK;
    rig_run(&stacked, &r, &d, MMLI_RECORD | MMLI_TRAINING);
    rig_assert_same(&woven, &stacked);
    rig_free(&woven);
    rig_free(&stacked);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* With more steps the two ways differ, and so do two orders of the blocks. */
START_TEST(stack_weave_and_order_are_different_models)
{
    static const size_t steps[] = {2, 2, 1}, tokens[] = {1, 1, 1, 1, /* */ 2, 3, 1, 1, /* */ 1, 2, 5, 1};
    rig r;
    rig_data d;
    rig_result a, b, c;

    rig_data_make(&d, 3, B, width, tokens, 53);
    open_fuse(&r, &kinds[0], _i, 3, steps);
    rig_run(&a, &r, &d, 0);
    r.mode = MML_FUSE_WEAVE;
    rig_run(&b, &r, &d, 0);
    r.mode = MML_FUSE_STACK;
    r.order[0] = 2;
    r.order[2] = 0;
    rig_run(&c, &r, &d, 0);
    for (size_t i = 0; i < B; i++) {
        ck_assert_int_ne(memcmp(a.logits + i * RIG_OUTPUTS, b.logits + i * RIG_OUTPUTS, RIG_OUTPUTS * sizeof(float)), 0);
        ck_assert_int_ne(memcmp(a.logits + i * RIG_OUTPUTS, c.logits + i * RIG_OUTPUTS, RIG_OUTPUTS * sizeof(float)), 0);
    }
    rig_free(&a);
    rig_free(&b);
    rig_free(&c);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* No sample has the middle modality: as if the fuse had only the other two blocks. */
START_TEST(block_whose_modality_is_absent_is_no_block)
{
    static const size_t steps[] = {2, 3, 1}, tokens[] = {1, 0, 1, 1, /* */ 0, 0, 0, 0, /* */ 2, 3, 0, 1};
    const kind *k = &kinds[_i % N_KINDS];
    rig r, two;
    rig_data d, e;
    rig_result got, want;

    rig_data_make(&d, 3, B, width, tokens, 54);
    open_fuse(&r, k, _i / N_KINDS, 3, steps);
    rig_run(&got, &r, &d, MMLI_RECORD);
    two = r; /* the same parameters, blocks 0 and 2 */
    two.m = 2;
    two.block[1] = r.block[2];
    e = d;
    e.m = 2;
    e.width[1] = d.width[2];
    e.offsets[1] = d.offsets[2];
    e.values[1] = d.values[2];
    rig_run(&want, &two, &e, MMLI_RECORD);
    assert_same_outputs(k->name, &got, &want);
    mmlt_assert_same_bits_at(__FILE__, __LINE__, k->name, got.grads, want.grads, want.n_params * sizeof(float));
    mmlt_assert_same_bits(got.dx[2], want.dx[1], want.n_x[1] * sizeof(float));
    rig_free(&got);
    rig_free(&want);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/fuse");
    TCase *tc = tcase_create("fuse");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, fuse_of_one_block_is_that_block, 0, N_KINDS * n);
    tcase_add_loop_test(tc, weave_of_blocks_with_one_step_is_their_stack, 0, n);
    tcase_add_loop_test(tc, stack_weave_and_order_are_different_models, 0, n);
    tcase_add_loop_test(tc, block_whose_modality_is_absent_is_no_block, 0, N_KINDS * n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
