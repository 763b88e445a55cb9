/* test_memory.c - allocations that fail, one after the other, through the life of a fuse and a merge: MML_E_NOMEM, nothing
 * leaked; and what a warm pass allocates: nothing. */
#include <stdlib.h>
#include <string.h>

#include "lego/merge.h"
#include "ops/internal.h"
#include "tests/lego/coders.h"
#include "tests/lego/rig.h"
#include "util/alloc.h"

typedef struct everything {
    mmli_device *dv;
    mmli_params *params;
    mmli_block block[2];
    mmli_tape *tape;
    mmli_mem *grads;
    size_t latent;
    mmli_head head;
} everything;

/* A fuse of an ABMIL and a custom block from nothing, one pass there and back, and a merge of the two final states. */
static mml_status build_and_run(everything *e, const mmli_backend *table, const rig_data *d)
{
    const mml_block_options o[] = {rig_options("upstream", MML_ENCODER_ABMIL, 3, 4, 2),
                                   rig_options("paper", MML_ENCODER_CUSTOM, 3, 4, 2)};
    const mmli_block *blocks[] = {&e->block[0], &e->block[1]};
    const uint8_t present[] = {1, 0, 1, 1, 1, 1};
    const double weights[] = {1, 2};
    const mmli_merge_rule rule = {.aggregation = MML_MERGE_PRODUCT, .weights = weights};
    mml_status st = MML_OK;
    mmli_bound bound;
    mmli_ragged ragged[2];
    mmli_var *x[2], *logits;
    mmli_state start, state;
    mmli_complex z[2];
    mmli_mem *loss;
    const int32_t label[] = {0, 1, 2};
    const float w[] = {1, 1, 1};
    const size_t order[] = {1, 0};
    const uint64_t keys[] = {1, 2};

    MML_TRY(mmli_device_open_table(&e->dv, table, 1));
    MML_TRY(mmli_params_new(&e->params));
    MML_TRY(mmli_block_declare(&e->block[0], e->params, "a.", &o[0], d->width[0], 3, -1, NULL));
    MML_TRY(mmli_block_declare(&e->block[1], e->params, "b.", &o[1], d->width[1], 3, -1, coder(3)));
    MML_TRY(mmli_params_add(e->params, &e->latent, "f.", "latent", 3, 4, MML_INIT_NORMAL, 1, MMLI_ROLE_LATENT,
                            MMLI_SECTION_LATENT));
    MML_TRY(mmli_head_declare(&e->head, e->params, "f.", 4, 3, -1));
    MML_TRY(mmli_params_build(e->params, e->dv));
    MML_TRY(mmli_params_start(e->params, 1, "test", 0));
    MML_TRY(e->dv->k.alloc(e->dv, &e->grads, e->params->total * sizeof(float)));
    MML_TRY(e->dv->k.fill(e->dv, e->grads, e->params->total, 0));
    MML_TRY(mmli_tape_new(&e->tape, e->dv));
    for (int pass = 0; pass < 2; pass++) {
        MML_TRY(mmli_tape_begin(e->tape, MMLI_RECORD | MMLI_TRAINING, 3, 4));
        MML_TRY(mmli_params_bind(&bound, e->tape, e->params, e->grads, NULL));
        for (size_t i = 0; i < 2; i++) {
            MML_TRY(mmli_ragged_make(&ragged[i], e->tape, d->offsets[i], d->B));
            x[i] = mmli_tape_input(e->tape, d->values[i], (size_t)d->offsets[i][d->B], d->width[i], true);
        }
        start = mmli_state_start(e->tape, &bound, e->latent, d->B);
        state = mmli_fuse_run(e->tape, &bound, blocks, 2, order, MML_FUSE_WEAVE, x, ragged, keys, start);
        logits = mmli_head_apply(e->tape, &bound, &e->head, state, 3);
        loss = mmli_tape_mem(e->tape, sizeof(double));
        MML_TRY(mmli_tape_status(e->tape));
        MML_TRY(e->dv->k.fill(e->dv, loss, 2, 0));
        MML_TRY(mmli_loss_cross_entropy(e->tape, loss, logits, label, w));
        MML_TRY(mmli_tape_backward(e->tape));
        for (size_t i = 0; i < 2; i++)
            z[i] = mmli_state_full(e->tape, &o[i], mmli_block_run(e->tape, &bound, blocks[i], x[i], &ragged[i], start, 0));
        (void)mmli_merge_latents(e->tape, z, 2, d->B, 3, present, &rule);
        MML_TRY(mmli_tape_status(e->tape));
    }
out:
    return st;
}

static void clear(everything *e)
{
    mmli_tape_free(e->tape);
    for (size_t i = 0; i < 2; i++)
        mmli_block_clear(&e->block[i]);
    if (e->grads)
        e->dv->k.free(e->dv, e->grads);
    mmli_params_free(e->params);
    mmli_device_close(e->dv);
    memset(e, 0, sizeof *e);
}

static void make_small(rig_data *d)
{
    static const size_t width[] = {4, 5}, tokens[] = {2, 0, 3, /* */ 1, 4, 1};

    rig_data_make(d, 2, 3, width, tokens, 3);
}

/* The k-th allocation fails, k = 1, 2, ... until there is no k-th: on the host. */
START_TEST(host_memory_that_cannot_be_had_is_a_clean_failure)
{
    const mmli_backend *table = _i ? &mmlt_backend_hidden : &mmli_backend_cpu;
    everything e = {0};
    rig_data d;
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;

    make_small(&d);
    while (st != MML_OK) {
        ck_assert_uint_lt(++k, 5000);
        mmli_alloc_fail_at(k);
        st = build_and_run(&e, table, &d);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        ck_assert(st == MML_OK || strstr(mml_last_error(), "memory"));
        clear(&e);
        ck_assert_uint_eq(mmlt_hidden_live(), 0);
    }
    ck_assert_uint_gt(k, 50);
    rig_data_free(&d);
}
END_TEST

/* ... and on the device. */
START_TEST(device_memory_that_cannot_be_had_is_a_clean_failure)
{
    everything e = {0};
    rig_data d;
    mml_status st = MML_E_NOMEM;
    size_t k = 0;

    make_small(&d);
    while (st != MML_OK) {
        ck_assert_uint_lt(++k, 100);
        mmlt_hidden_fail_at(k);
        st = build_and_run(&e, &mmlt_backend_hidden, &d);
        mmlt_hidden_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %zu: %s", k, mml_last_error());
        clear(&e);
        ck_assert_uint_eq(mmlt_hidden_live(), 0);
    }
    ck_assert_uint_gt(k, 3);
    rig_data_free(&d);
}
END_TEST

/* A tape whose pass failed for want of memory works again when there is some. */
START_TEST(tape_recovers_from_a_failed_pass)
{
    static const size_t width[] = {5}, tokens[] = {3, 0, 1};
    const mml_block_options o = rig_options("paper", MML_ENCODER_ABMIL, 6, 7, 2);
    const int hidden = mmlt_n_backends() - 1;
    rig r;
    rig_data d;
    rig_vars v;
    rig_result got, want;

    rig_data_make(&d, 1, 3, width, tokens, 4);
    rig_open(&r, hidden, 1);
    rig_add(&r, &o, width[0], NULL);
    rig_build(&r);
    mmlt_hidden_fail_at(1);
    mmlt_assert_fails(rig_pass(&v, &r, &d, MMLI_RECORD), MML_E_NOMEM, "memory");
    mmlt_hidden_fail_at(0);
    rig_run(&got, &r, &d, MMLI_RECORD);
    mmlt_hidden_fail_at(1);
    (void)rig_pass(&v, &r, &d, MMLI_RECORD); /* joins its chunks, or needs nothing */
    mmlt_hidden_fail_at(0);
    rig_run(&want, &r, &d, MMLI_RECORD);
    rig_assert_same(&got, &want);
    rig_free(&got);
    rig_free(&want);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* ---- a warm pass ------------------------------------------------------------------------------------------------ */

static size_t device_allocs;

static mml_status counted_alloc(mmli_device *device, mmli_mem **out, size_t bytes)
{
    device_allocs++;
    return mmli_backend_cpu.alloc(device, out, bytes);
}

static const char *const warm_names[] = {"paper", "upstream"};

/* After the largest batch has been seen once and the next pass has joined the chunks: no allocation, on the host or on the
 * device, for that batch or any smaller one. (The reference's kernels take host scratch of their own.) */
START_TEST(warm_passes_allocate_nothing)
{
    static const size_t width[] = {5, 9, 4};
    static const size_t large[] = {40, 0, 30, 9, /* */ 1, 1, 0, 1, /* */ 3, 60, 2, 0};
    static const size_t small[] = {2, 1, /* */ 1, 0, /* */ 0, 5};
    static const mml_encoder_kind encoders[] = {MML_ENCODER_ABMIL, MML_ENCODER_SNN, MML_ENCODER_NONE};
    mmli_backend table = mmli_backend_cpu;
    rig r;
    rig_data big, little;
    rig_vars v;

    table.name = "counting";
    table.alloc = counted_alloc;
    rig_data_make(&big, 3, 4, width, large, 5);
    rig_data_make(&little, 3, 2, width, small, 6);
    rig_open(&r, 0, 1);
    mmli_tape_free(r.tape);
    mmli_device_close(r.dv);
    mmlt_assert_ok(mmli_device_open_table(&r.dv, &table, 2));
    mmlt_assert_ok(mmli_tape_new(&r.tape, r.dv));
    for (size_t i = 0; i < 3; i++) {
        mml_block_options o = rig_options(warm_names[_i / 2], encoders[i], 16, 16, 2);
        o.dropout = 0.2;
        rig_add(&r, &o, width[i], NULL);
    }
    rig_fuse(&r, _i % 2 ? MML_FUSE_WEAVE : MML_FUSE_STACK);
    rig_build(&r);
    for (int warm = 0; warm < 2; warm++)
        mmlt_assert_ok(rig_pass(&v, &r, &big, MMLI_RECORD | MMLI_TRAINING));
    mmlt_assert_ok(rig_pass(&v, &r, &little, MMLI_RECORD | MMLI_TRAINING)); /* plans of transforms of other lengths */
    device_allocs = 0;
    mmli_alloc_fail_at(0);
    for (int pass = 0; pass < 3; pass++) {
        mmlt_assert_ok(rig_pass(&v, &r, pass == 1 ? &little : &big, MMLI_RECORD | MMLI_TRAINING));
        ck_assert_uint_eq(device_allocs, 0);
        ck_assert_uint_eq(mmli_alloc_count(), 0);
    }
    rig_close(&r);
    rig_data_free(&big);
    rig_data_free(&little);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/memory");
    TCase *tc = tcase_create("memory");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, host_memory_that_cannot_be_had_is_a_clean_failure, 0, 2);
    tcase_add_test(tc, device_memory_that_cannot_be_had_is_a_clean_failure);
    tcase_add_test(tc, tape_recovers_from_a_failed_pass);
    tcase_add_loop_test(tc, warm_passes_allocate_nothing, 0, 4);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
