/* test_missing.c - samples that lack a modality: their state stays as it was, to the bit, and what the others have changes
 * nothing for them; nor do they for the others. Whole batches without a modality, batches of one, no tokens at all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "tests/lego/coders.h"
#include "tests/lego/rig.h"

enum { C = 4, D = 5 };

typedef struct variant {
    const char *name, *preset;
    mml_encoder_kind encoder;
    int drop, spatial;
} variant;

static const variant variants[] = {{"paper none", "paper", MML_ENCODER_NONE, 0, 0},
                                   {"paper linear", "paper", MML_ENCODER_LINEAR, 0, 0},
                                   {"paper snn", "paper", MML_ENCODER_SNN, 0, 0},
                                   {"paper abmil", "paper", MML_ENCODER_ABMIL, 0, 0},
                                   {"paper selfattn", "paper", MML_ENCODER_SELFATTN, 0, 0},
                                   {"paper custom", "paper", MML_ENCODER_CUSTOM, 0, 0},
                                   {"paper dropped", "paper", MML_ENCODER_NONE, 1, 0},
                                   {"paper spatial", "paper", MML_ENCODER_NONE, 0, 1},
                                   {"upstream raw", "upstream", MML_ENCODER_SELFATTN, 0, 0},
                                   {"upstream abmil", "upstream", MML_ENCODER_ABMIL, 0, 0},
                                   {"upstream dropped", "upstream", MML_ENCODER_SNN, 1, 0},
                                   {"mmlego none", "mmlego", MML_ENCODER_NONE, 0, 0}};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

static mml_block_options options(const variant *v)
{
    mml_block_options o = rig_options(v->preset, v->encoder, C, D, strcmp(v->preset, "mmlego") == 0 ? 1 : 3);

    o.drop_imaginary = v->drop;
    if (v->spatial)
        o.transform = MML_TRANSFORM_SPATIAL;
    return o;
}

static void open_block(rig *r, const variant *v, int backend, size_t width)
{
    const mml_block_options o = options(v);

    rig_open(r, backend, 2);
    rig_add(r, &o, width, v->encoder == MML_ENCODER_CUSTOM ? coder(1) : NULL);
    rig_build(r);
}

/* Results of one sample in batches of several shapes. A block, the long way on the reference, works row by row: same bits.
 * Elsewhere equal but for rounding: the CPU backend's matrix product may add in another order for another number of rows;
 * shortcuts and the plan of attention (ops/cross.h) follow the shape of the batch; and in a fuse the long way there and back
 * (and upstream's normalisation) is gone once more by a sample that came past a block it lacks than by one in a batch
 * without that block. */
static void assert_same_row(const rig *r, const char *what, const float *got, const float *want, size_t n)
{
    if (r->fused || !r->block[0].no_shortcuts || strcmp(r->dv->k.name, "cpu") == 0)
        mmlt_assert_close_at(__FILE__, __LINE__, what, got, want, n, MMLT_TOL_SUM);
    else
        mmlt_assert_same_bits_at(__FILE__, __LINE__, what, got, want, n * sizeof *got);
}

/* ---- blocks ----------------------------------------------------------------------------------------------- */

static const size_t width[] = {5, 3, 4};
static const size_t some[] = {3, 0, 1, 0, 2}, none[] = {0, 0, 0, 0, 0};
enum { B = 5 };

START_TEST(sample_without_tokens_keeps_the_start_state_to_the_bit)
{
    const variant *v = &variants[_i % N_VARIANTS];
    rig r;
    rig_data with, without;
    rig_result got, start;

    rig_data_make(&with, 1, B, width, some, 41);
    rig_data_make(&without, 1, B, width, none, 41);
    open_block(&r, v, _i / N_VARIANTS, width[0]);
    rig_run(&got, &r, &with, 0);
    rig_run(&start, &r, &without, 0);
    for (size_t b = 0; b < B; b++) {
        const size_t n = C * D, at = b * n;

        if (some[b] > 0) {
            ck_assert_int_ne(memcmp(got.re + at, start.re + at, n * sizeof(float)), 0);
            continue;
        }
        mmlt_assert_same_bits_at(__FILE__, __LINE__, v->name, got.re + at, start.re + at, n * sizeof(float));
        mmlt_assert_same_bits_at(__FILE__, __LINE__, v->name, got.im + at, start.im + at, n * sizeof(float));
    }
    rig_free(&got);
    rig_free(&start);
    rig_close(&r);
    rig_data_free(&with);
    rig_data_free(&without);
}
END_TEST

/* Every sample, and every pair, as a batch of its own. */
static void check_all_subsets(rig *r, const rig_data *d, const char *name)
{
    rig_result all, part;

    rig_run(&all, r, d, 0);
    for (size_t i = 0; i < d->B; i++)
        for (size_t j = i; j < d->B; j++) {
            const size_t which[] = {i, j}, n = i == j ? 1 : 2;
            rig_data sub;

            rig_data_pick(&sub, d, which, n);
            rig_run(&part, r, &sub, 0);
            for (size_t k = 0; k < n; k++) {
                const size_t size = C * D, b = which[k];
                assert_same_row(r, name, part.re + k * size, all.re + b * size, size);
                assert_same_row(r, name, part.im + k * size, all.im + b * size, size);
                assert_same_row(r, name, part.logits + k * RIG_OUTPUTS, all.logits + b * RIG_OUTPUTS, RIG_OUTPUTS);
            }
            rig_free(&part);
            rig_data_free(&sub);
        }
    rig_free(&all);
}

/* The long way, and as it is done. */
static void check_subsets(rig *r, const rig_data *d, const char *name)
{
    for (int plain = 1; plain >= 0; plain--) {
        for (size_t m = 0; m < r->m; m++)
            r->block[m].no_shortcuts = plain == 1;
        check_all_subsets(r, d, name);
    }
}

START_TEST(result_of_a_sample_does_not_depend_on_its_batch)
{
    const variant *v = &variants[_i % N_VARIANTS];
    rig r;
    rig_data d;

    rig_data_make(&d, 1, B, width, some, 42);
    open_block(&r, v, _i / N_VARIANTS, width[0]);
    check_subsets(&r, &d, v->name);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

START_TEST(batch_without_the_modality_is_the_start_state_and_trains_head_and_latent_only)
{
    const variant *v = &variants[_i % N_VARIANTS];
    rig r;
    rig_data d;
    rig_result got;

    rig_data_make(&d, 1, B, width, none, 43);
    open_block(&r, v, _i / N_VARIANTS, width[0]);
    rig_run(&got, &r, &d, MMLI_RECORD);
    for (size_t b = 1; b < B; b++) {
        mmlt_assert_same_bits(got.re + b * C * D, got.re, C * D * sizeof(float));
        mmlt_assert_same_bits(got.logits + b * RIG_OUTPUTS, got.logits, RIG_OUTPUTS * sizeof(float));
    }
    for (size_t i = 0; i < r.params->n; i++) {
        const mmli_param *p = &r.params->list[i];
        bool any = false;

        for (size_t j = 0; j < p->rows * p->cols; j++)
            any = any || got.grads[p->at + j] != 0;
        ck_assert_msg(any == (p->section == MMLI_SECTION_HEAD || p->section == MMLI_SECTION_LATENT), "%s: %s", v->name,
                      p->name);
    }
    rig_free(&got);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* Tokens given, but no rows: as if they had not been given. */
START_TEST(no_rows_of_tokens_are_no_tokens)
{
    const variant *v = &variants[_i % N_VARIANTS];
    static const int64_t offsets[4];
    rig r;
    mmli_bound bound;
    mmli_ragged ragged;
    mmli_state start, state;
    mmli_complex a, b;
    float want[3 * C * D], got[3 * C * D];

    open_block(&r, v, _i / N_VARIANTS, width[0]);
    mmlt_assert_ok(mmli_tape_begin(r.tape, MMLI_RECORD, 0, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, r.tape, r.params, r.grads, NULL));
    mmlt_assert_ok(mmli_ragged_make(&ragged, r.tape, offsets, 3));
    ck_assert_uint_eq(ragged.segs, 0);
    start = mmli_state_start(r.tape, &bound, r.latent, 3);
    state = mmli_block_run(r.tape, &bound, &r.block[0], mmli_tape_input(r.tape, want, 0, width[0], true), &ragged, start, 0);
    a = mmli_state_full(r.tape, &r.block[0].o, start);
    b = mmli_state_full(r.tape, &r.block[0].o, state);
    mmlt_assert_ok(mmli_tape_status(r.tape));
    mmlt_download(want, r.dv, a.re->data, sizeof want);
    mmlt_download(got, r.dv, b.re->data, sizeof got);
    mmlt_assert_same_bits(got, want, sizeof want);
    mmlt_download(want, r.dv, a.im->data, sizeof want);
    mmlt_download(got, r.dv, b.im->data, sizeof got);
    mmlt_assert_same_bits(got, want, sizeof want);
    mmlt_assert_ok(mmli_tape_backward(r.tape));
    rig_close(&r);
}
END_TEST

/* ---- fuses ------------------------------------------------------------------------------------------------ */

typedef struct fuse_case {
    const char *name, *preset;
    mml_fuse_mode mode;
    int drop;
} fuse_case;

static const fuse_case fuses[] = {{"paper stack", "paper", MML_FUSE_STACK, 0},
                                  {"paper weave", "paper", MML_FUSE_WEAVE, 0},
                                  {"paper weave, dropped", "paper", MML_FUSE_WEAVE, 1},
                                  {"upstream stack", "upstream", MML_FUSE_STACK, 0},
                                  {"upstream weave", "upstream", MML_FUSE_WEAVE, 0},
                                  {"upstream stack, dropped", "upstream", MML_FUSE_STACK, 1},
                                  {"upstream weave, dropped", "upstream", MML_FUSE_WEAVE, 1}};
enum { N_FUSES = sizeof fuses / sizeof *fuses };

/* Every set of three modalities, none of them included. */
static const size_t sets[3 * 8] = {1, 0, 1, 0, 1, 0, 1, 0, /* */ 2, 3, 0, 0, 1, 4, 0, 0, /* */ 1, 2, 5, 1, 0, 0, 0, 0};

static void open_fuse(rig *r, const fuse_case *c, int backend)
{
    static const mml_encoder_kind encoders[] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_NONE};
    static const size_t steps[] = {2, 3, 1};

    rig_open(r, backend, 2);
    for (size_t i = 0; i < 3; i++) {
        mml_block_options o = rig_options(c->preset, encoders[i], C, D, steps[i]);
        o.drop_imaginary = c->drop;
        rig_add(r, &o, width[i], NULL);
    }
    rig_fuse(r, c->mode);
    rig_build(r);
}

START_TEST(fused_result_of_a_sample_does_not_depend_on_its_batch)
{
    const fuse_case *c = &fuses[_i % N_FUSES];
    rig r;
    rig_data d;

    rig_data_make(&d, 3, 8, width, sets, 44);
    open_fuse(&r, c, _i / N_FUSES);
    check_subsets(&r, &d, c->name);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/missing");
    TCase *tc = tcase_create("missing");
    const int n = mmlt_n_backends();

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, sample_without_tokens_keeps_the_start_state_to_the_bit, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, result_of_a_sample_does_not_depend_on_its_batch, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, batch_without_the_modality_is_the_start_state_and_trains_head_and_latent_only, 0,
                        N_VARIANTS * n);
    tcase_add_loop_test(tc, no_rows_of_tokens_are_no_tokens, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, fused_result_of_a_sample_does_not_depend_on_its_batch, 0, N_FUSES * n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
