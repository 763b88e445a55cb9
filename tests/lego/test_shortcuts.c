/* test_shortcuts.c - what is computed the short way equals the long way, and really is computed the short way.
 *
 * The shortcuts (method.md 2, all exact): the inverse transform of one step cancels the forward transform of the next; one
 * token has attention weight 1, so queries and keys do not matter; the start state is the same for all samples. The long
 * way (block.no_shortcuts) transforms there and back between steps, runs the attention over one token, and repeats the
 * start state for every sample.
 *
 * TOL: each way rounds by itself, and the long way twice more per step (a transform is a sum of c d terms); errors pass
 * through the steps behind them and come out some times larger than those of one sum. Gradients pass through both ways.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "tests/lego/rig.h"

#define TOL_OUTPUT MMLT_TOL_SUM
#define TOL_GRADIENT ((mmlt_tol){1e-5, 4e-6}) /* twice MMLT_TOL_SUM */
#define ROUNDING 1e-6                         /* of the largest gradient: what is left of a gradient that is 0 */

typedef struct variant {
    const char *name, *preset;
    size_t steps;
    mml_transform transform; /* where not the preset's */
    int spatial, drop, share, no_norm;
} variant;

static const variant variants[] = {{.name = "paper", .preset = "paper", .steps = 3},
                                   {.name = "mmlego", .preset = "mmlego", .steps = 1},
                                   {.name = "upstream", .preset = "upstream", .steps = 3},
                                   {.name = "upstream not normalised", .preset = "upstream", .steps = 3, .no_norm = 1},
                                   {.name = "spatial", .preset = "paper", .steps = 2, .spatial = 1},
                                   {.name = "imaginary dropped", .preset = "paper", .steps = 3, .drop = 1},
                                   {.name = "upstream, dropped", .preset = "upstream", .steps = 3, .drop = 1},
                                   {.name = "shared steps", .preset = "paper", .steps = 3, .share = 1}};
static const mml_encoder_kind encoders[] = {MML_ENCODER_NONE, MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_SELFATTN,
                                            MML_ENCODER_LINEAR};
enum { N_VARIANTS = sizeof variants / sizeof *variants, N_ENCODERS = sizeof encoders / sizeof *encoders };

static mml_block_options options(const variant *v, mml_encoder_kind encoder)
{
    mml_block_options o = rig_options(v->preset, encoder, 6, 5, v->steps);

    if (v->spatial)
        o.transform = MML_TRANSFORM_SPATIAL;
    o.drop_imaginary = v->drop;
    o.share_steps = v->share;
    if (v->no_norm)
        o.normalise_latent = 0;
    return o;
}

/* All samples have the modality, some of many tokens; some lack it; one token each; one each, some lack it. */
static const size_t tokens[][5] = {{2, 1, 7, 3, 1}, {0, 4, 0, 1, 6}, {1, 1, 1, 1, 1}, {1, 0, 0, 1, 1}};
enum { N_TOKENS = sizeof tokens / sizeof *tokens };

static double compare(const variant *v, mml_encoder_kind encoder, const size_t *counts, int backend)
{
    static const size_t width[] = {5};
    const mml_block_options o = options(v, encoder);
    /* A gradient comes back through all steps, and each adds its roundings. Measured: up to 0.7 of one TOL_GRADIENT between
     * the long way here and on the reference; between two ways here, up to 1.4 with three steps. */
    const mmlt_tol gradient = {TOL_GRADIENT.rel * (double)o.steps, TOL_GRADIENT.norm * (double)o.steps};
    rig r;
    rig_data d;
    rig_result shorter, longer;
    double worst;

    rig_data_make(&d, 1, 5, width, counts, 31);
    rig_open(&r, backend, 2);
    rig_add(&r, &o, width[0], NULL);
    rig_build(&r);
    rig_run(&shorter, &r, &d, MMLI_RECORD);
    r.block[0].no_shortcuts = true;
    rig_run(&longer, &r, &d, MMLI_RECORD);
    worst = rig_assert_close(&r, &shorter, &longer, TOL_OUTPUT, gradient, ROUNDING);
    rig_free(&shorter);
    rig_free(&longer);
    rig_close(&r);
    rig_data_free(&d);
    return worst;
}

START_TEST(shortcuts_change_nothing_but_rounding)
{
    const variant *v = &variants[_i % N_VARIANTS];
    double worst = 0;

    for (size_t e = 0; e < N_ENCODERS; e++)
        for (size_t t = 0; t < N_TOKENS; t++)
            worst = fmax(worst, compare(v, encoders[e], tokens[t], _i / N_VARIANTS));
    printf("%-24s %-10s worst %.2f of what is allowed\n", v->name, mmlt_backend_name(_i / N_VARIANTS), worst);
}
END_TEST

/* Dropout masks are keyed by place, so they are the same both ways. */
START_TEST(shortcuts_change_nothing_but_rounding_in_training)
{
    static const size_t width[] = {5};

    for (size_t t = 0; t < N_TOKENS; t++) {
        mml_block_options o = rig_options("paper", MML_ENCODER_SNN, 6, 5, 2);
        rig r;
        rig_data d;
        rig_result shorter, longer;

        o.dropout = 0.4;
        rig_data_make(&d, 1, 5, width, tokens[t], 32);
        rig_open(&r, _i, 2);
        rig_add(&r, &o, width[0], NULL);
        rig_build(&r);
        rig_run(&shorter, &r, &d, MMLI_RECORD | MMLI_TRAINING);
        r.block[0].no_shortcuts = true;
        rig_run(&longer, &r, &d, MMLI_RECORD | MMLI_TRAINING);
        rig_assert_close(&r, &shorter, &longer, TOL_OUTPUT, TOL_GRADIENT, ROUNDING);
        rig_free(&shorter);
        rig_free(&longer);
        rig_close(&r);
        rig_data_free(&d);
    }
}
END_TEST

/* All ways to compute cross-attention, whichever is the cheapest here (ops/cross.h). With an encoder, tokens have a
 * gradient; rig.h gives one to raw tokens as well. Dropout masks are the same. */
static const mmli_cross_plan plans[] = {
    {.folded = false},
    {.folded = true},
    {.folded = true, .pair_in = true},
    {.folded = true, .pair_out = true},
    {.folded = true, .pair_in = true, .pair_out = true},
    {.folded = true, .piece = 1},
    {.folded = true, .piece = 3},
    {.folded = true, .piece = 2, .pair_in = true, .pair_out = true},
    {.folded = false, .piece = 1},
    {.folded = false, .piece = 3},
    {.folded = false, .piece = 1000},
};
enum { N_PLANS = sizeof plans / sizeof *plans };

/* _i runs over the plans and the backends. */
START_TEST(every_plan_of_cross_attention_gives_the_same)
{
    static const mml_encoder_kind kinds[] = {MML_ENCODER_NONE, MML_ENCODER_SNN};
    static const size_t width[] = {5};

    for (size_t i = 0; i < 2 * 2 * N_VARIANTS; i++) {
        const mml_block_options o = options(&variants[i / 4], kinds[i % 2]);
        rig r;
        rig_data d;
        rig_result planned, plain;

        rig_data_make(&d, 1, 5, width, tokens[i / 2 % 2], 34);
        rig_open(&r, _i / N_PLANS, 2);
        rig_add(&r, &o, width[0], NULL);
        rig_build(&r);
        r.block[0].plan = &plans[_i % N_PLANS];
        rig_run(&planned, &r, &d, MMLI_RECORD | MMLI_TRAINING);
        r.block[0].no_shortcuts = true;
        rig_run(&plain, &r, &d, MMLI_RECORD | MMLI_TRAINING);
        rig_assert_close(&r, &planned, &plain, TOL_OUTPUT, TOL_GRADIENT, ROUNDING);
        rig_free(&planned);
        rig_free(&plain);
        rig_close(&r);
        rig_data_free(&d);
    }
}
END_TEST

/* From shapes alone: narrow or few queries fold, a wide latent projects; pairs of weights pay for many samples; many wide
 * tokens pass in pieces. */
START_TEST(plan_of_cross_attention_follows_from_the_shapes)
{
    const mmli_cross_shape series = {.segs = 64, .tokens = 3072, .c = 64, .d = 64, .w = 37, .H = 8, .e = 64, .record = true,
                                     .whole = true};
    const mmli_cross_shape patient = {.segs = 1, .tokens = 10000, .c = 64, .d = 64, .w = 1024, .H = 8, .e = 64};
    const mmli_cross_shape wide = {.segs = 1, .tokens = 10000, .c = 512, .d = 64, .w = 1024, .H = 8, .e = 64};
    mmli_cross_plan p = mmli_cross_choose(&series);

    ck_assert(p.folded && p.pair_in && p.pair_out);
    p = mmli_cross_choose(&patient);
    ck_assert(p.folded && !p.pair_in && !p.pair_out);
    p = mmli_cross_choose(&wide);
    ck_assert(!p.folded);
    ck_assert_msg(p.piece >= 64 && p.piece < wide.tokens, "pieces of %zu tokens", p.piece);
    ck_assert(!mmli_cross_is_whole(&wide) && mmli_cross_is_whole(&series));
    ck_assert_uint_eq(mmli_cross_choose(&series).piece, 0);
}
END_TEST

/* ---- that they are taken: a table that counts ------------------------------------------------------------- */

static struct {
    size_t ffts, attentions, shared, layernorm_rows;
} count;

static mml_status counted_fft(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi,
                              size_t batch, size_t c, size_t d, int axes, int sign, float scale)
{
    count.ffts += batch;
    return mmli_backend_reference.fft(dv, yr, yi, xr, xi, batch, c, d, axes, sign, scale);
}

static mml_status counted_attention(mmli_device *dv, mmli_mem *o, mmli_mem *lse, const mmli_mem *q, const mmli_mem *k,
                                    const mmli_mem *v, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                    float scale, mmli_query mode)
{
    count.attentions++;
    count.shared += mode == MMLI_QUERY_SHARED;
    return mmli_backend_reference.attention(dv, o, lse, q, k, v, off, segs, c, H, e, scale, mode);
}

static mml_status counted_layernorm(mmli_device *dv, mmli_mem *y, mmli_mem *stats, const mmli_mem *x,
                                    const mmli_mem *gamma, const mmli_mem *beta, size_t rows, size_t cols, float eps)
{
    count.layernorm_rows += rows;
    return mmli_backend_reference.layernorm(dv, y, stats, x, gamma, beta, rows, cols, eps);
}

/* One pass of a block of preset paper with the counts at 0 before. */
static void count_pass(size_t steps, const size_t *counts, bool no_shortcuts)
{
    static const size_t width[] = {5};
    const mml_block_options o = rig_options("paper", MML_ENCODER_NONE, 6, 5, steps);
    mmli_backend table = mmli_backend_reference;
    rig r;
    rig_data d;
    rig_vars v;

    table.name = "counting";
    table.fft = counted_fft;
    table.attention = counted_attention;
    table.layernorm = counted_layernorm;
    rig_data_make(&d, 1, 5, width, counts, 33);
    rig_open(&r, 0, 1);
    mmli_tape_free(r.tape);
    mmli_device_close(r.dv);
    mmlt_assert_ok(mmli_device_open_table(&r.dv, &table, 1));
    mmlt_assert_ok(mmli_tape_new(&r.tape, r.dv));
    rig_add(&r, &o, width[0], NULL);
    rig_build(&r);
    r.block[0].no_shortcuts = no_shortcuts;
    memset(&count, 0, sizeof count);
    mmlt_assert_ok(rig_pass(&v, &r, &d, 0));
    rig_close(&r);
    rig_data_free(&d);
}

START_TEST(chain_of_steps_is_transformed_once_for_the_whole_batch)
{
    count_pass(4, tokens[0], false);
    ck_assert_uint_eq(count.ffts, 1);
    count_pass(4, tokens[0], true);
    ck_assert_uint_eq(count.ffts, 1 + 3 * 2 * 5); /* between steps, there and back, for each of 5 samples */
}
END_TEST

START_TEST(one_token_needs_no_attention)
{
    count_pass(3, tokens[2], false);
    ck_assert_uint_eq(count.attentions, 0);
    count_pass(3, tokens[3], false);
    ck_assert_uint_eq(count.attentions, 0);
    count_pass(3, tokens[0], false);
    ck_assert_uint_eq(count.attentions, 3);
    count_pass(3, tokens[2], true);
    ck_assert_uint_eq(count.attentions, 3);
}
END_TEST

START_TEST(queries_of_the_start_state_are_computed_once_for_the_batch)
{
    size_t rows;

    count_pass(2, tokens[0], false);
    ck_assert_uint_eq(count.shared, 1); /* in the first step only */
    rows = count.layernorm_rows;
    count_pass(2, tokens[0], true);
    ck_assert_uint_eq(count.shared, 0);
    /* c rows for one sample instead of five; 14 tokens once for both steps */
    ck_assert_uint_eq(count.layernorm_rows - rows, 4 * 6 + 14);
}
END_TEST

/* ---- the transform ---------------------------------------------------------------------------------------- */

enum { C = 12, D = 10 };

/* The entered state of a latent, (C, D) twice. */
static void enter(mmli_tape *tape, const mml_block_options *o, float *latent, float *re, float *im)
{
    mmli_device *dv = mmli_tape_device(tape);
    mmli_state state = {.re_shared = true, .im_shared = true, .spatial = true, .samples = 3};

    state.z.re = mmli_tape_input(tape, latent, C, D, false);
    state = mmli_state_enter(tape, o, state);
    mmlt_assert_ok(mmli_tape_status(tape));
    ck_assert(!state.spatial && state.re_shared && state.im_shared);
    mmlt_download(re, dv, state.z.re->data, C * D * sizeof *re);
    mmlt_download(im, dv, state.z.im->data, C * D * sizeof *im);
}

static double distance(const float *a, const float *b)
{
    double s = 0;

    for (size_t i = 0; i < C * D; i++)
        s += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return s;
}

/* _i runs over the backends. */
START_TEST(unitary_transform_keeps_the_distance_of_two_latents)
{
    const mml_block_options o = rig_options("paper", MML_ENCODER_NONE, C, D, 1);
    static const float zero[C * D];
    mmli_device *dv = mmlt_device(_i, 1);
    mmli_tape *tape = NULL;
    float a[C * D], b[C * D], ar[C * D], ai[C * D], br[C * D], bi[C * D];
    double before, after;

    mmlt_normal(a, C * D, 1);
    mmlt_normal(b, C * D, 2);
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    enter(tape, &o, a, ar, ai);
    enter(tape, &o, b, br, bi);
    before = distance(a, b);
    after = distance(ar, br) + distance(ai, bi);
    mmlt_assert_close_d(&after, &before, 1, ((mmlt_tol){1e-6, 0}));
    before = distance(a, zero);
    after = distance(ar, zero) + distance(ai, zero);
    mmlt_assert_close_d(&after, &before, 1, ((mmlt_tol){1e-6, 0}));
    mmli_tape_free(tape);
    mmli_device_close(dv);
}
END_TEST

/* Merging looks at the sign of imaginary parts: rounding there would turn a phase from pi to -pi. */
START_TEST(frequencies_of_a_real_latent_that_must_be_real_are_exactly_real)
{
    static const size_t sizes[][2] = {{8, 6}, {64, 64}, {32, 32}, {7, 10}, {22, 14}, {5, 9}, {1, 2}, {26, 1}};
    mmli_device *dv = mmlt_device(_i, 1);
    mmli_tape *tape = NULL;

    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const size_t c = sizes[k][0], d = sizes[k][1];
        const mml_block_options o = rig_options("paper", MML_ENCODER_NONE, c, d, 1);
        mmli_state state = {.re_shared = true, .im_shared = true, .spatial = true, .samples = 3};
        float *x = calloc(c * d, sizeof *x);

        mmlt_normal(x, c * d, k);
        mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
        state.z.re = mmli_tape_input(tape, x, c, d, false);
        state = mmli_state_enter(tape, &o, state);
        mmlt_assert_ok(mmli_tape_status(tape));
        mmlt_download(x, dv, state.z.im->data, c * d * sizeof *x);
        for (size_t i = 0; i < c * d; i++)
            if (2 * (i / d) % c == 0 && 2 * (i % d) % d == 0)
                ck_assert_msg(x[i] == 0, "%zu x %zu: imaginary part %g at (%zu, %zu)", c, d, (double)x[i], i / d, i % d);
        free(x);
    }
    mmli_tape_free(tape);
    mmli_device_close(dv);
}
END_TEST

START_TEST(leaving_and_entering_gives_the_state_back)
{
    static const char *const presets[] = {"paper", "upstream"};
    mmli_device *dv = mmlt_device(_i, 1);
    mmli_tape *tape = NULL;
    float re[3 * C * D], im[3 * C * D], got[3 * C * D];

    mmlt_normal(re, 3 * C * D, 3);
    mmlt_normal(im, 3 * C * D, 4);
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    for (size_t k = 0; k < 2; k++) {
        mml_block_options o = rig_options(presets[k], MML_ENCODER_SNN, C, D, 1);
        mmli_state state = {.samples = 3};

        o.normalise_latent = 0;
        mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
        state.z.re = mmli_tape_input(tape, re, 3 * C, D, false);
        state.z.im = mmli_tape_input(tape, im, 3 * C, D, false);
        state = mmli_state_enter(tape, &o, mmli_state_leave(tape, &o, state));
        mmlt_assert_ok(mmli_tape_status(tape));
        mmlt_download(got, dv, state.z.re->data, sizeof got);
        mmlt_assert_close(got, re, 3 * C * D, MMLT_TOL_SUM);
        mmlt_download(got, dv, state.z.im->data, sizeof got);
        mmlt_assert_close(got, im, 3 * C * D, MMLT_TOL_SUM);
    }
    mmli_tape_free(tape);
    mmli_device_close(dv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/shortcuts");
    TCase *tc = tcase_create("shortcuts");
    const int n = mmlt_n_backends();

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, shortcuts_change_nothing_but_rounding, 0, N_VARIANTS * n);
    tcase_add_loop_test(tc, shortcuts_change_nothing_but_rounding_in_training, 0, n);
    tcase_add_loop_test(tc, every_plan_of_cross_attention_gives_the_same, 0, (int)N_PLANS * n);
    tcase_add_test(tc, plan_of_cross_attention_follows_from_the_shapes);
    tcase_add_test(tc, chain_of_steps_is_transformed_once_for_the_whole_batch);
    tcase_add_test(tc, one_token_needs_no_attention);
    tcase_add_test(tc, queries_of_the_start_state_are_computed_once_for_the_batch);
    tcase_add_loop_test(tc, unitary_transform_keeps_the_distance_of_two_latents, 0, n);
    tcase_add_loop_test(tc, frequencies_of_a_real_latent_that_must_be_real_are_exactly_real, 0, n);
    tcase_add_loop_test(tc, leaving_and_entering_gives_the_state_back, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
