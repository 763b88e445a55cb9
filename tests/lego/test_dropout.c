/* test_dropout.c - every dropout of a pass has a mask of its own, keyed by (seed, step, place): the keys that the kernels are
 * given, noted by a table that listens. */
#include <stdlib.h>
#include <string.h>

#include "tests/lego/coders.h"
#include "tests/lego/rig.h"

enum { MOST = 64, C = 4, D = 5 };

static struct {
    uint64_t key[MOST];
    size_t n, alphas;
} heard;

static void note(uint64_t key)
{
    ck_assert_uint_lt(heard.n, MOST);
    heard.key[heard.n++] = key;
}

static mml_status noted_dropout(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                                size_t first)
{
    note(key);
    return mmli_backend_reference.dropout(dv, y, x, n, p, key, first);
}

static mml_status noted_alpha(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float p, uint64_t key,
                                size_t first)
{
    note(key);
    heard.alphas++;
    return mmli_backend_reference.alpha_dropout(dv, y, x, n, p, key, first);
}

static mml_status noted_feed_forward(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    if (ff->p > 0)
        note(ff->key);
    return mmli_backend_reference.feed_forward(dv, y, x, ff, rows);
}

/* A rig on the reference with those three kernels. */
static void open_listening(rig *r)
{
    mmli_backend table = mmli_backend_reference;

    table.name = "listening";
    table.dropout = noted_dropout;
    table.alpha_dropout = noted_alpha;
    table.feed_forward = noted_feed_forward;
    rig_open(r, 0, 1);
    mmli_tape_free(r->tape);
    mmli_device_close(r->dv);
    mmlt_assert_ok(mmli_device_open_table(&r->dv, &table, 1));
    mmlt_assert_ok(mmli_tape_new(&r->tape, r->dv));
}

static void add(rig *r, const char *preset, mml_encoder_kind encoder, size_t steps, size_t width)
{
    mml_block_options o = rig_options(preset, encoder, C, D, steps);

    o.dropout = 0.5;
    o.encoder_dropout = 0.5;
    rig_add(r, &o, width, encoder == MML_ENCODER_CUSTOM ? coder(0) : NULL);
}

static void listen(rig *r, const rig_data *d, int mode)
{
    rig_vars v;

    memset(&heard, 0, sizeof heard);
    mmlt_assert_ok(rig_pass(&v, r, d, mode));
}

static void assert_all_differ(void)
{
    for (size_t i = 0; i < heard.n; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(heard.key[i] != heard.key[j], "dropouts %zu and %zu of the pass have one mask", j, i);
}

static const size_t width[] = {5, 3, 4}, tokens[] = {1, 0, 1, /* */ 2, 3, 0, /* */ 1, 2, 5};

static const struct {
    mml_encoder_kind encoder;
    size_t dropouts; /* of the encoder */
} encoders[] = {{MML_ENCODER_NONE, 0},  {MML_ENCODER_LINEAR, 1},   {MML_ENCODER_SNN, 2},
                {MML_ENCODER_ABMIL, 1}, {MML_ENCODER_SELFATTN, 2}, {MML_ENCODER_CUSTOM, 2}};
enum { N_ENCODERS = sizeof encoders / sizeof *encoders };

START_TEST(every_dropout_of_a_block_has_a_mask_of_its_own)
{
    rig r;
    rig_data d;

    rig_data_make(&d, 1, 3, width, tokens + 6, 1);
    open_listening(&r);
    add(&r, "paper", encoders[_i].encoder, 3, width[0]);
    rig_build(&r);
    listen(&r, &d, MMLI_TRAINING);
    ck_assert_uint_eq(heard.n, encoders[_i].dropouts + 2 * 3); /* attention and feed-forward of three steps */
    assert_all_differ();
    listen(&r, &d, 0);
    ck_assert_uint_eq(heard.n, 0); /* none in evaluation */
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* _i: stack, weave. Upstream runs its encoder anew in every step, with new dropout. */
START_TEST(every_dropout_of_a_fuse_has_a_mask_of_its_own)
{
    static const char *const presets[] = {"paper", "upstream"};

    for (int upstream = 0; upstream < 2; upstream++) {
        rig r;
        rig_data d;

        rig_data_make(&d, 3, 3, width, tokens, 2);
        open_listening(&r);
        add(&r, presets[upstream], MML_ENCODER_SNN, 2, width[0]);
        add(&r, presets[upstream], MML_ENCODER_ABMIL, 3, width[1]);
        add(&r, presets[upstream], MML_ENCODER_ABMIL, 1, width[2]);
        rig_fuse(&r, _i ? MML_FUSE_WEAVE : MML_FUSE_STACK);
        rig_build(&r);
        listen(&r, &d, MMLI_TRAINING);
        ck_assert_uint_eq(heard.alphas, upstream ? 2 * 2 : 2);
        ck_assert_uint_eq(heard.n, 2 * (2 + 3 + 1) + (upstream ? 2 * 2 + 3 + 1 : 2 + 1 + 1));
        assert_all_differ();
        rig_close(&r);
        rig_data_free(&d);
    }
}
END_TEST

START_TEST(masks_follow_from_seed_and_step)
{
    static const uint64_t seeds[][2] = {{1, 1}, {1, 1}, {1, 2}, {2, 1}};
    uint64_t first[MOST] = {0};
    mmli_device *dv = mmlt_device(0, 1);
    mmli_tape *tape = NULL;

    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    for (size_t k = 0; k < 4; k++) {
        mmlt_assert_ok(mmli_tape_begin(tape, MMLI_TRAINING, seeds[k][0], seeds[k][1]));
        first[k] = mmli_tape_key(tape, "a block");
        ck_assert(mmli_tape_key(tape, "another block") != first[k]);
    }
    ck_assert(first[0] == first[1]);
    ck_assert(first[0] != first[2]);
    ck_assert(first[0] != first[3]);
    ck_assert(first[2] != first[3]);
    mmli_tape_free(tape);
    mmli_device_close(dv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/dropout");
    TCase *tc = tcase_create("dropout");

    tcase_add_loop_test(tc, every_dropout_of_a_block_has_a_mask_of_its_own, 0, N_ENCODERS);
    tcase_add_loop_test(tc, every_dropout_of_a_fuse_has_a_mask_of_its_own, 0, 2);
    tcase_add_test(tc, masks_follow_from_seed_and_step);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
