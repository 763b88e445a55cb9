/* test_threads.c - the same bits for 1, 2, 3 and 8 threads, on sizes that are cut into many tiles, and the same bits of a
 * warm and a cold tape, and of the hidden and the reference backend. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lego/merge.h"
#include "ops/internal.h"
#include "tests/lego/rig.h"
#include "util/rng.h"

static const int threads[] = {1, 2, 3, 8};
enum { N_THREADS = sizeof threads / sizeof *threads, B = 16, CPU = 0 };

typedef struct setup {
    const char *name, *preset;
    mml_encoder_kind encoder[RIG_MOST];
    size_t m, width[RIG_MOST], longest; /* tokens of the longest sample */
    mml_fuse_mode mode;
    bool fused;
    const mmli_cross_plan *plan;
} setup;

static const mmli_cross_plan folded_pieces = {.folded = true, .piece = 40}, projected_pieces = {.folded = false, .piece = 40};

static const setup setups[] = {
    {"attention", "paper", {MML_ENCODER_NONE}, 1, {70}, 60, 0, false, NULL},
    {"folded in pieces", "paper", {MML_ENCODER_NONE}, 1, {70}, 150, 0, false, &folded_pieces},
    {"projected in pieces", "paper", {MML_ENCODER_NONE}, 1, {70}, 150, 0, false, &projected_pieces},
    {"snn", "paper", {MML_ENCODER_SNN}, 1, {900}, 1, 0, false, NULL},
    {"abmil", "paper", {MML_ENCODER_ABMIL}, 1, {160}, 40, 0, false, NULL},
    {"selfattn", "paper", {MML_ENCODER_SELFATTN}, 1, {40}, 24, 0, false, NULL},
    {"upstream", "upstream", {MML_ENCODER_SELFATTN}, 1, {40}, 24, 0, false, NULL},
    {"stack", "paper", {MML_ENCODER_NONE, MML_ENCODER_SNN, MML_ENCODER_ABMIL}, 3, {64, 300, 80}, 24, MML_FUSE_STACK, true, NULL},
    {"weave", "paper", {MML_ENCODER_NONE, MML_ENCODER_SNN, MML_ENCODER_ABMIL}, 3, {64, 300, 80}, 24, MML_FUSE_WEAVE, true, NULL}};
enum { N_SETUPS = sizeof setups / sizeof *setups };

/* One sample in eight lacks the modality; an SNN gets one token a sample. */
static void make_data(rig_data *d, const setup *s)
{
    size_t tokens[RIG_MOST * B];

    for (size_t i = 0; i < s->m * B; i++) {
        const size_t most = s->encoder[i / B] == MML_ENCODER_SNN ? 1 : s->longest;
        tokens[i] = i % 8 == 5 ? 0 : 1 + (size_t)mmli_rng_below(91, i, most);
    }
    rig_data_make(d, s->m, B, s->width, tokens, 92);
}

static void open_setup(rig *r, const setup *s, int backend, int n, size_t c, size_t d)
{
    rig_open(r, backend, n);
    for (size_t i = 0; i < s->m; i++) {
        mml_block_options o = rig_options(s->preset, s->encoder[i], c, d, 2);
        o.heads = 4;
        o.head_width = 16;
        o.encoder_width = s->encoder[i] == MML_ENCODER_ABMIL ? 128 : s->encoder[i] == MML_ENCODER_SNN ? 96 : 0;
        o.dropout = 0.3;
        o.encoder_dropout = 0.25;
        rig_add(r, &o, s->width[i], NULL);
    }
    for (size_t i = 0; i < s->m; i++)
        r->block[i].plan = s->plan;
    if (s->fused)
        rig_fuse(r, s->mode);
    rig_build(r);
}

/* Threads of this process; 0 where the system does not say. */
static size_t n_running(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t n = 0;

    if (!tasks)
        return 0;
    for (struct dirent *e = readdir(tasks); e; e = readdir(tasks))
        n += e->d_name[0] != '.';
    closedir(tasks);
    return n;
}

/* The pool starts its threads when there is work for them: without any, nothing would be tested here. */
static void assert_shared(int asked)
{
    ck_assert_msg(asked == 1 || n_running() != 1, "%d threads asked for, none was started", asked);
}

START_TEST(outputs_and_gradients_do_not_depend_on_threads)
{
    const setup *s = &setups[_i];
    rig_data d;
    rig_result want = {0}, got;

    make_data(&d, s);
    for (size_t k = 0; k < N_THREADS; k++) {
        rig r;

        open_setup(&r, s, CPU, threads[k], 32, 32);
        ck_assert_str_eq(r.dv->k.name, "cpu");
        rig_run(&got, &r, &d, MMLI_RECORD | MMLI_TRAINING);
        assert_shared(threads[k]);
        if (k == 0)
            want = got;
        else
            rig_assert_same(&got, &want);
        if (k == 1) { /* on a tape that has been used */
            rig_free(&got);
            rig_run(&got, &r, &d, MMLI_RECORD | MMLI_TRAINING);
            rig_assert_same(&got, &want);
        }
        if (k > 0)
            rig_free(&got);
        rig_close(&r);
    }
    rig_free(&want);
    rig_data_free(&d);
}
END_TEST

START_TEST(hidden_memory_gives_the_bits_of_the_reference)
{
    const setup *s = &setups[_i];
    const int reference = mmlt_n_backends() - 2, hidden = mmlt_n_backends() - 1;
    rig r, h;
    rig_data d;
    rig_result want, got;

    make_data(&d, s);
    open_setup(&r, s, reference, 1, 6, 7);
    open_setup(&h, s, hidden, 1, 6, 7);
    ck_assert_str_eq(r.dv->k.name, "reference");
    ck_assert_str_eq(h.dv->k.name, "hidden");
    rig_run(&want, &r, &d, MMLI_RECORD | MMLI_TRAINING);
    rig_run(&got, &h, &d, MMLI_RECORD | MMLI_TRAINING);
    rig_assert_same(&got, &want);
    rig_free(&got);
    rig_free(&want);
    rig_close(&r);
    rig_close(&h);
    rig_data_free(&d);
}
END_TEST

/* ---- merge -------------------------------------------------------------------------------------------------- */

enum { M = 3, SAMPLES = 64, C = 64, D = 64, ALL = SAMPLES * C * D };

START_TEST(merged_latents_do_not_depend_on_threads)
{
    static float x[2 * M][ALL], want[2][ALL], got[2][ALL];
    uint8_t present[M * SAMPLES];
    const double weights[M] = {0.2, 0.5, 0.3}, rms[M] = {0.4, 1.1, 2};
    const mmli_merge_rule rule = {.aggregation = (mml_aggregation)(_i % 4),
                                  .phase = (mml_phase)(_i / 4),
                                  .scale = MML_LATENT_POOLED,
                                  .weights = weights,
                                  .rms = rms};

    for (size_t i = 0; i < 2 * M; i++)
        mmlt_uniform(x[i], ALL, i, -2, 2);
    for (size_t i = 0; i < M * SAMPLES; i++)
        present[i] = mmli_rng_below(93, i, 3) > 0;
    for (size_t k = 0; k < N_THREADS; k++) {
        mmli_device *dv = mmlt_device(CPU, threads[k]);
        mmli_tape *tape = NULL;
        mmli_complex z[M], y;

        mmlt_assert_ok(mmli_tape_new(&tape, dv));
        mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
        for (size_t i = 0; i < M; i++) {
            z[i].re = mmli_tape_input(tape, x[2 * i], SAMPLES * C, D, false);
            z[i].im = mmli_tape_input(tape, x[2 * i + 1], SAMPLES * C, D, false);
        }
        y = mmli_merge_latents(tape, z, M, SAMPLES, C, present, &rule);
        mmlt_assert_ok(mmli_tape_status(tape));
        assert_shared(threads[k]);
        mmlt_download(got[0], dv, y.re->data, sizeof got[0]);
        mmlt_download(got[1], dv, y.im->data, sizeof got[1]);
        if (k == 0)
            memcpy(want, got, sizeof want);
        mmlt_assert_same_bits(got, want, sizeof want);
        mmli_tape_free(tape);
        mmli_device_close(dv);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/threads");
    TCase *tc = tcase_create("threads"), *hidden = tcase_create("hidden"), *merge = tcase_create("merge");

    tcase_set_timeout(tc, 60);
    tcase_set_timeout(hidden, 60);
    tcase_set_timeout(merge, 60);
    tcase_add_loop_test(tc, outputs_and_gradients_do_not_depend_on_threads, 0, N_SETUPS);
    tcase_add_loop_test(hidden, hidden_memory_gives_the_bits_of_the_reference, 0, N_SETUPS);
    tcase_add_loop_test(merge, merged_latents_do_not_depend_on_threads, 0, 8);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, hidden);
    suite_add_tcase(suite, merge);
    return mmlt_main(suite);
}
