/* test_pieces.c - tokens that are normalised and projected piece by piece (ops/pieces.h): the same as in one piece on sizes
 * that fill tiles, and memory that does not grow with the number of tokens. Small shapes, gradients by differences and
 * threads are among those of test_shortcuts, test_differences and test_threads. */
#include <stdio.h>

#include "bench/count.h"
#include "ops/internal.h"
#include "tests/lego/rig.h"
#include "util/alloc.h"

static const mmli_cross_plan whole[] = {{.folded = true}, {.folded = false}};
static const mmli_cross_plan pieces[] = {{.folded = true, .piece = 500}, {.folded = false, .piece = 500}};

static void open_block(rig *r, const mmli_backend *table, size_t width)
{
    mml_block_options o = rig_options("paper", MML_ENCODER_NONE, 70, 16, 2);

    o.heads = 2;
    o.head_width = 24;
    rig_open(r, 0, 2);
    if (table) {
        mmli_tape_free(r->tape);
        mmli_device_close(r->dv);
        mmlt_assert_ok(mmli_device_open_table(&r->dv, table, 2));
        mmlt_assert_ok(mmli_tape_new(&r->tape, r->dv));
    }
    rig_add(r, &o, width, NULL);
    rig_build(r);
}

/* _i: folded, projected. Parts of a long sample, whole samples together, a part of one token. */
START_TEST(pieces_give_what_the_whole_gives)
{
    static const size_t width[] = {90}, tokens[] = {1700, 1, 0, 300, 150, 501, 500, 2};
    rig r;
    rig_data d;
    rig_result want, got;

    rig_data_make(&d, 1, 8, width, tokens, 41);
    open_block(&r, NULL, width[0]);
    r.block[0].plan = &whole[_i];
    rig_run(&want, &r, &d, MMLI_RECORD);
    r.block[0].plan = &pieces[_i];
    rig_run(&got, &r, &d, MMLI_RECORD);
    /* gradients come back through both steps, as in test_shortcuts */
    printf("worst %.2f of what is allowed\n",
           rig_assert_close(&r, &got, &want, MMLT_TOL_SUM, ((mmlt_tol){2e-5, 8e-6}), 1e-6));
    rig_free(&want);
    rig_free(&got);
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* Most device memory of a warm training step over one sample, and that it allocates nothing. Tokens have no gradient, and
 * lie outside of the pass. */
static uint64_t memory_of(const mmli_cross_plan *plan, size_t tokens)
{
    enum { WIDTH = 40 };
    const int64_t off[] = {0, (int64_t)tokens};
    const int32_t label = 0;
    const float weight = 1;
    mmli_backend table;
    mmli_mem *x = NULL, *loss = NULL;
    uint64_t most = 0;
    rig r;

    mmlt_assert_ok(mmli_count_table(&table, "cpu"));
    open_block(&r, &table, WIDTH);
    r.block[0].plan = plan;
    mmlt_assert_ok(r.dv->k.alloc(r.dv, &loss, sizeof(double)));
    mmlt_assert_ok(r.dv->k.alloc(r.dv, &x, tokens * WIDTH * sizeof(float)));
    mmlt_assert_ok(r.dv->k.fill(r.dv, x, tokens * WIDTH, 0.5f));
    for (int pass = 0; pass < 3; pass++) {
        mmli_bound bound;
        mmli_ragged ragged;
        mmli_state state;
        mmli_var *logits;

        mmli_count_start(r.dv);
        mmli_alloc_fail_at(0);
        mmlt_assert_ok(mmli_tape_begin(r.tape, MMLI_RECORD | MMLI_TRAINING, 1, 1));
        mmlt_assert_ok(mmli_params_bind(&bound, r.tape, r.params, r.grads, NULL));
        mmlt_assert_ok(mmli_ragged_make(&ragged, r.tape, off, 1));
        state = mmli_state_start(r.tape, &bound, r.latent, 1);
        state = mmli_block_run(r.tape, &bound, &r.block[0], mmli_tape_wrap(r.tape, x, NULL, tokens, WIDTH, false), &ragged,
                               state, 1);
        logits = mmli_head_apply(r.tape, &bound, &r.head, state, r.block[0].o.latent_c);
        mmlt_assert_ok(mmli_tape_status(r.tape));
        mmlt_assert_ok(mmli_loss_cross_entropy(r.tape, loss, logits, &label, &weight));
        mmlt_assert_ok(mmli_tape_backward(r.tape));
        most = mmli_count_of(r.dv)->most;
        ck_assert(pass < 2 || (mmli_count_of(r.dv)->allocations == 0 && mmli_alloc_count() == 0));
    }
    r.dv->k.free(r.dv, x);
    r.dv->k.free(r.dv, loss);
    rig_close(&r);
    return most - tokens * WIDTH * sizeof(float);
}

/* _i: folded, projected */
START_TEST(memory_beside_the_tokens_does_not_grow_with_them)
{
    const uint64_t few = memory_of(&pieces[_i], 2000), many = memory_of(&pieces[_i], 16000);

    ck_assert_msg(many == few, "%llu bytes for 2000 tokens, %llu for 16000", (unsigned long long)few,
                  (unsigned long long)many);
    ck_assert(memory_of(&whole[_i], 16000) > 2 * many);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/pieces");
    TCase *tc = tcase_create("pieces");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, pieces_give_what_the_whole_gives, 0, 2);
    tcase_add_loop_test(tc, memory_beside_the_tokens_does_not_grow_with_them, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
