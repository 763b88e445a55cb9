/* test_tape.c - failures on a tape stick, have a message and do nothing more; its memory. */
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "ops/pieces.h"
#include "tests/support/mmlt.h"

static mmli_device *dv;
static mmli_tape *tape;

static void begin(int backend)
{
    dv = mmlt_device(backend, 1);
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, MMLI_RECORD | MMLI_TRAINING, 0, 0));
}

static void end(void)
{
    mmli_tape_free(tape);
    mmli_device_close(dv);
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
}

/* A variable of zeros that wants a gradient. */
static mmli_var *var(size_t rows, size_t cols)
{
    static const float zero[512];

    ck_assert_uint_le(rows * cols, 512);
    return mmli_tape_input(tape, zero, rows, cols, true);
}

static void make_ragged(mmli_ragged *r, const size_t *len, size_t n)
{
    int64_t off[8] = {0};

    for (size_t i = 0; i < n; i++)
        off[i + 1] = off[i] + (int64_t)len[i];
    mmlt_assert_ok(mmli_ragged_make(r, tape, off, n));
}

/* ---- sticky failures ------------------------------------------------------------------------------------------ */

/* Every op on x (4, 6) and a ragged batch of 2, 0, 2 tokens: NULL where `x` is NULL or the tape has failed. */
static size_t count_results(mmli_var *x, mmli_var *w, mmli_var *b, const mmli_ragged *r)
{
    const mmli_complex z = {x, x};
    const mmli_pieces pieces = {.query = x, .tokens = x, .key = w, .value = w, .c = 2, .H = 3, .scale = 1, .piece = 1};
    mmli_var *results[] = {mmli_op_add(tape, x, x),
                           mmli_op_mul(tape, x, x),
                           mmli_op_mul_row(tape, x, b),
                           mmli_op_act(tape, x, MMLI_ACT_TANH),
                           mmli_op_act(tape, x, MMLI_ACT_IDENTITY),
                           mmli_op_gate(tape, x, MMLI_GATE_SELU),
                           mmli_op_dropout(tape, x, 0.5f, 1),
                           mmli_op_dropout(tape, x, 0, 1),
                           mmli_op_alpha_dropout(tape, x, 0.5f, 1),
                           mmli_op_linear(tape, x, w, b),
                           mmli_op_layernorm(tape, x, b, b),
                           mmli_op_feed_forward(tape, x, &(mmli_ff_vars){b, b, x ? mmli_op_repeat(tape, w, 2) : NULL,
                                                                         x ? mmli_op_view(tape, mmli_op_repeat(tape, b, 2), 1, 12) : NULL,
                                                                         w, b}, 0.5f, 1),
                           mmli_op_repeat(tape, x, 3),
                           mmli_op_spread(tape, x, 3),
                           mmli_op_group_mean(tape, x, 2),
                           mmli_op_take(tape, x ? mmli_op_repeat(tape, x, 3) : NULL, r, 4),
                           mmli_op_put(tape, x ? mmli_op_repeat(tape, x, 3) : NULL, x ? mmli_op_repeat(tape, x, 2) : NULL, r, 4),
                           mmli_op_segment_softmax(tape, x, r),
                           mmli_op_segment_sum(tape, NULL, x, r),
                           mmli_op_segment_mean(tape, x, r),
                           mmli_op_segment_dft_real(tape, x, r),
                           mmli_op_attention(tape, x, x, x, r, 2, 3, 1, MMLI_QUERY_FIXED),
                           mmli_op_attention_pieces(tape, &pieces, r),
                           mmli_op_fft(tape, z, 2, MMLI_AXIS_C, -1, 1, false).re,
                           mmli_op_col_normalise(tape, z, 2).re};
    size_t n = 0;

    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        n += results[i] != NULL;
    return n;
}

enum { N_OPS = 25 };

/* _i runs over the backends. */
START_TEST(operations_on_a_failed_tape_do_nothing)
{
    static const size_t len[] = {2, 0, 2};
    mmli_ragged r;
    mmli_var *x, *w, *b;

    begin(_i);
    make_ragged(&r, len, 3);
    x = var(4, 6);
    w = var(6, 6);
    b = var(1, 6);
    ck_assert_uint_eq(count_results(x, w, b, &r), N_OPS);
    ck_assert_uint_eq(count_results(NULL, w, b, &r), 0);
    mmlt_assert_ok(mmli_tape_status(tape));
    mmli_tape_fail(tape, mmli_fail(MML_E_DATA, "the first failure"));
    ck_assert_uint_eq(count_results(x, w, b, &r), 0);
    ck_assert_ptr_null(var(1, 1));
    ck_assert_ptr_null(mmli_tape_mem(tape, 8));
    ck_assert_ptr_null(mmli_tape_host(tape, 8));
    ck_assert_ptr_null(mmli_tape_upload(tape, len, 8));
    ck_assert_ptr_null(mmli_tape_grad(tape, x));
    mmlt_assert_fails(mmli_tape_backward(tape), MML_E_DATA, "the first failure");
    mmli_tape_fail(tape, MML_E_NOMEM);
    ck_assert_int_eq(mmli_tape_status(tape), MML_E_DATA);
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0)); /* a new pass, a new chance */
    ck_assert_ptr_nonnull(var(1, 1));
    end();
}
END_TEST

typedef struct misfit {
    const char *says;
    void (*fn)(const mmli_ragged *r); /* r: 3 samples of 2, 0, 2 tokens */
} misfit;

static void misfit_add(const mmli_ragged *r)
{
    (void)r;
    mmli_op_add(tape, var(2, 3), var(3, 2));
}

static void misfit_mul(const mmli_ragged *r)
{
    (void)r;
    mmli_op_mul(tape, var(2, 3), var(2, 4));
}

static void misfit_row(const mmli_ragged *r)
{
    (void)r;
    mmli_op_mul_row(tape, var(2, 3), var(1, 2));
}

static void misfit_gate(const mmli_ragged *r)
{
    (void)r;
    mmli_op_gate(tape, var(2, 3), MMLI_GATE_SELU);
}

static void misfit_linear(const mmli_ragged *r)
{
    (void)r;
    mmli_op_linear(tape, var(2, 3), var(5, 4), NULL);
}

static void misfit_bias(const mmli_ragged *r)
{
    (void)r;
    mmli_op_linear(tape, var(2, 3), var(5, 3), var(1, 4));
}

static void misfit_layernorm(const mmli_ragged *r)
{
    (void)r;
    mmli_op_layernorm(tape, var(2, 3), var(1, 3), var(1, 2));
}

static void misfit_feed_forward(const mmli_ragged *r)
{
    (void)r;
    mmli_op_feed_forward(tape, var(2, 3), &(mmli_ff_vars){var(1, 3), var(1, 3), var(4, 4), var(1, 4), var(3, 2), var(1, 3)}, 0, 0);
}

static void misfit_hidden(const mmli_ragged *r)
{
    (void)r;
    mmli_op_feed_forward(tape, var(2, 3), &(mmli_ff_vars){var(1, 3), var(1, 3), var(5, 3), var(1, 5), var(3, 2), var(1, 3)}, 0, 0);
}

static void misfit_group(const mmli_ragged *r)
{
    (void)r;
    mmli_op_group_mean(tape, var(5, 3), 2);
}

static void misfit_take(const mmli_ragged *r)
{
    mmli_op_take(tape, var(5, 3), r, 2);
}

static void misfit_put(const mmli_ragged *r)
{
    mmli_op_put(tape, var(6, 3), var(6, 3), r, 2);
}

static void misfit_softmax(const mmli_ragged *r)
{
    mmli_op_segment_softmax(tape, var(5, 3), r);
}

static void misfit_sum(const mmli_ragged *r)
{
    mmli_op_segment_sum(tape, NULL, var(3, 3), r);
}

static void misfit_weights(const mmli_ragged *r)
{
    mmli_op_segment_sum(tape, var(3, 1), var(4, 3), r);
}

static void misfit_mean(const mmli_ragged *r)
{
    mmli_op_segment_mean(tape, var(5, 3), r);
}

static void misfit_dft(const mmli_ragged *r)
{
    mmli_op_segment_dft_real(tape, var(5, 3), r);
}

static void misfit_tokens(const mmli_ragged *r)
{
    mmli_op_attention(tape, var(4, 6), var(5, 6), var(5, 6), r, 2, 2, 1, MMLI_QUERY_FIXED);
}

static void misfit_values(const mmli_ragged *r)
{
    mmli_op_attention(tape, var(4, 6), var(4, 6), var(4, 4), r, 2, 2, 1, MMLI_QUERY_FIXED);
}

static void misfit_queries(const mmli_ragged *r)
{
    mmli_op_attention(tape, var(6, 6), var(4, 6), var(4, 6), r, 2, 2, 1, MMLI_QUERY_FIXED);
}

static void misfit_heads(const mmli_ragged *r)
{
    mmli_op_attention(tape, var(4, 6), var(4, 6), var(4, 6), r, 2, 4, 1, MMLI_QUERY_FIXED);
}

/* Fits by itself, with `what` of another shape: rows of the tokens, columns of queries, rows of keys, columns of values. */
static void misfit_pieces(const mmli_ragged *r, int what)
{
    const mmli_pieces x = {.query = var(4, what == 1 ? 7 : 6), .tokens = var(what == 0 ? 5 : 4, 3), .H = 2, .c = 2,
                           .key = var(what == 2 ? 5 : 6, 3), .value = var(6, what == 3 ? 4 : 3), .scale = 1, .piece = 1};

    ck_assert_ptr_null(mmli_op_attention_pieces(tape, &x, r));
}

static void misfit_piece_tokens(const mmli_ragged *r)
{
    misfit_pieces(r, 0);
}

static void misfit_piece_queries(const mmli_ragged *r)
{
    misfit_pieces(r, 1);
}

static void misfit_piece_keys(const mmli_ragged *r)
{
    misfit_pieces(r, 2);
}

static void misfit_piece_values(const mmli_ragged *r)
{
    misfit_pieces(r, 3);
}

static void misfit_fft(const mmli_ragged *r)
{
    (void)r;
    mmli_op_fft(tape, (mmli_complex){var(5, 3), NULL}, 2, MMLI_AXIS_C, -1, 1, false);
}

static void misfit_parts(const mmli_ragged *r)
{
    (void)r;
    mmli_op_fft(tape, (mmli_complex){var(4, 3), var(4, 2)}, 2, MMLI_AXIS_C, -1, 1, false);
}

static void misfit_columns(const mmli_ragged *r)
{
    (void)r;
    mmli_op_col_normalise(tape, (mmli_complex){var(5, 3), NULL}, 2);
}

static void misfit_cox(const mmli_ragged *r)
{
    const double time[4] = {1, 2, 3, 4};
    const float w[4] = {1, 1, 1, 1};

    (void)r;
    (void)mmli_loss_cox(tape, mmli_tape_mem(tape, 8), var(4, 2), time, w, w);
}

static void misfit_squared(const mmli_ragged *r)
{
    const float w[4] = {1, 1, 1, 1};

    (void)r;
    (void)mmli_loss_squared(tape, mmli_tape_mem(tape, 8), var(4, 2), w, w);
}

static const misfit misfits[] = {{"add: (2, 3) does not fit (3, 2)", misfit_add},
                                 {"mul", misfit_mul},
                                 {"mul by a row", misfit_row},
                                 {"gate", misfit_gate},
                                 {"linear: (2, 3) does not fit (5, 4)", misfit_linear},
                                 {"bias", misfit_bias},
                                 {"layernorm", misfit_layernorm},
                                 {"feed-forward: (2, 3) does not fit (4, 4)", misfit_feed_forward},
                                 {"hidden units", misfit_hidden},
                                 {"group mean", misfit_group},
                                 {"take", misfit_take},
                                 {"put", misfit_put},
                                 {"segment softmax: 5 rows for 4 tokens", misfit_softmax},
                                 {"segment sum", misfit_sum},
                                 {"weights", misfit_weights},
                                 {"segment mean", misfit_mean},
                                 {"token DFT", misfit_dft},
                                 {"attention", misfit_tokens},
                                 {"attention", misfit_values},
                                 {"queries", misfit_queries},
                                 {"queries", misfit_heads},
                                 {"in pieces: (5, 3)", misfit_piece_tokens},
                                 {"in pieces: (4, 7)", misfit_piece_queries},
                                 {"in pieces: (5, 3)", misfit_piece_keys},
                                 {"in pieces: (6, 4)", misfit_piece_values},
                                 {"fft", misfit_fft},
                                 {"fft", misfit_parts},
                                 {"column norm", misfit_columns},
                                 {"one output, not 2", misfit_cox},
                                 {"one output, not 2", misfit_squared}};
enum { N_MISFITS = sizeof misfits / sizeof *misfits };

START_TEST(shapes_that_do_not_fit_are_named)
{
    static const size_t len[] = {2, 0, 2};
    mmli_ragged r;

    begin(_i / N_MISFITS);
    make_ragged(&r, len, 3);
    misfits[_i % N_MISFITS].fn(&r);
    mmlt_assert_fails(mmli_tape_status(tape), MML_E_SHAPE, misfits[_i % N_MISFITS].says);
    end();
}
END_TEST

START_TEST(descending_offsets_are_refused)
{
    static const int64_t off[] = {0, 3, 2, 4};
    mmli_ragged r;

    begin(_i);
    mmlt_assert_fails(mmli_ragged_make(&r, tape, off, 3), MML_E_ARG, "sample 1");
    end();
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* _i runs over the backends: on a GPU, too, before the kernel is queued. */
START_TEST(labels_out_of_range_are_refused)
{
    static const int32_t label[] = {0, 3, 4, -1};
    static const float w[] = {1, 1, 0, 1}, event[4] = {0};
    mmli_mem *loss;

    for (int kind = 0; kind < 4; kind++) {
        mmli_var *y;

        begin(_i);
        ck_assert_ptr_nonnull(loss = mmli_tape_mem(tape, sizeof(double)));
        y = var(kind % 2 ? 4 : 3, 4); /* without the last row all are in range that have a weight */
        if (kind < 2)
            (void)mmli_loss_cross_entropy(tape, loss, y, label, w);
        else
            (void)mmli_loss_survival_nll(tape, loss, y, label, event, w, 0.4f);
        if (kind % 2)
            mmlt_assert_fails(mmli_tape_status(tape), MML_E_INTERNAL, "row 3 has label -1, not 0 to 3");
        else
            mmlt_assert_ok(mmli_tape_status(tape));
        end();
    }
}
END_TEST

START_TEST(arena_memory_is_aligned_and_distinct)
{
    mmli_mem *mem[40];
    char *host[40];

    begin(_i);
    for (size_t i = 0; i < 40; i++) {
        const size_t bytes = i % 5 == 4 ? 100000 : i % 7;
        mem[i] = mmli_tape_mem(tape, bytes);
        host[i] = mmli_tape_host(tape, bytes);
        ck_assert_ptr_nonnull(mem[i]);
        ck_assert_ptr_nonnull(host[i]);
        ck_assert_uint_eq((uintptr_t)mem[i] % 64, 0);
        ck_assert_uint_eq((uintptr_t)host[i] % 64, 0);
        memset(host[i], (int)i, bytes);
        mmlt_assert_ok(dv->k.upload(dv, mem[i], host[i], bytes));
    }
    for (size_t i = 0; i < 40; i++) {
        const size_t bytes = i % 5 == 4 ? 100000 : i % 7;
        char *back = calloc(bytes + 1, 1);
        size_t others = 0;

        mmlt_download(back, dv, mem[i], bytes);
        for (size_t j = 0; j < bytes; j++)
            others += host[i][j] != (char)i || back[j] != (char)i;
        ck_assert_uint_eq(others, 0);
        free(back);
    }
    ck_assert_ptr_null(mmli_tape_mem(tape, SIZE_MAX / 2));
    mmlt_assert_fails(mmli_tape_status(tape), MML_E_NOMEM, "too large");
    end();
}
END_TEST

START_TEST(matrix_whose_size_overflows_is_refused)
{
    begin(_i);
    ck_assert_ptr_null(mmli_tape_var(tape, SIZE_MAX / 4, 8, false));
    mmlt_assert_fails(mmli_tape_status(tape), MML_E_NOMEM, "too large");
    end();
}
END_TEST

/* The hidden backend refuses what is sent over memory of the turn before. Passes of several chunks of memory each, which become one. */
START_TEST(uploads_of_training_passes_use_two_sets_of_memory_in_turns)
{
    enum { N = 50000, EACH = 5, PASSES = 6 };
    mmli_mem *first[PASSES];
    float *x = malloc(N * sizeof *x), *back = malloc(N * sizeof *back);
    size_t warm = 0;

    ck_assert(x && back);
    dv = NULL;
    mmlt_assert_ok(mmli_device_open_table(&dv, &mmlt_backend_hidden, 1));
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    for (int pass = 0; pass < PASSES; pass++) {
        mmlt_assert_ok(mmli_tape_begin(tape, MMLI_RECORD | MMLI_TRAINING, 0, 0));
        for (int i = 0; i < EACH; i++) {
            mmli_mem *mem;

            for (int j = 0; j < N; j++)
                x[j] = (float)(pass + i + j);
            mem = mmli_tape_upload(tape, x, N * sizeof *x);
            ck_assert_msg(mem != NULL, "%s", mml_last_error());
            mmlt_download(back, dv, mem, N * sizeof *back);
            mmlt_assert_same_bits(back, x, N * sizeof *x);
            if (i == 0)
                first[pass] = mem;
        }
        if (pass == 3) /* both sets are one chunk each now */
            warm = mmlt_hidden_allocs();
    }
    ck_assert_uint_eq(mmlt_hidden_allocs(), warm);
    ck_assert(first[4] != first[5] && first[2] == first[4] && first[3] == first[5]);
    free(x);
    free(back);
    end();
}
END_TEST

/* Memory that is freed takes with it what was sent to it, though new memory may lie at the same address in the same turn. */
START_TEST(new_memory_has_not_been_sent_to)
{
    enum { TRIES = 64 }; /* by then an address has come again */
    const float x[4096] = {1};

    mmlt_assert_ok(mmli_device_open_table(&dv, &mmlt_backend_hidden, 1));
    for (int i = 0; i < TRIES; i++) {
        mmli_mem *mem;

        mmlt_assert_ok(dv->k.alloc(dv, &mem, sizeof x));
        mmlt_assert_ok(dv->k.send(dv, mem, x, sizeof x));
        mmlt_assert_fails(dv->k.send(dv, mem, x, sizeof x), MML_E_INTERNAL, "sent over what was sent in the same turn");
        dv->k.free(dv, mem);
    }
    mmli_device_close(dv);
}
END_TEST

/* As a bag is read in pieces. */
START_TEST(what_is_uploaded_for_a_moment_is_given_back)
{
    enum { N = 20000 };
    float *x = calloc(N, sizeof *x);
    size_t before;

    ck_assert_ptr_nonnull(x);
    mmlt_assert_ok(mmli_device_open_table(&dv, &mmlt_backend_hidden, 1));
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, MMLI_RECORD | MMLI_TRAINING, 0, 0));
    before = mmlt_hidden_allocs();
    for (int i = 0; i < 100; i++) {
        const mmli_tape_mark mark = mmli_tape_get_mark(tape);

        ck_assert_ptr_nonnull(mmli_tape_upload(tape, x, N * sizeof *x));
        mmli_tape_release(tape, mark);
    }
    ck_assert_uint_eq(mmlt_hidden_allocs(), before + 1);
    free(x);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/tape");
    TCase *tc = tcase_create("tape");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, operations_on_a_failed_tape_do_nothing, 0, n);
    tcase_add_loop_test(tc, shapes_that_do_not_fit_are_named, 0, N_MISFITS * n);
    tcase_add_loop_test(tc, descending_offsets_are_refused, 0, n);
    tcase_add_loop_test(tc, labels_out_of_range_are_refused, 0, n);
    tcase_add_loop_test(tc, arena_memory_is_aligned_and_distinct, 0, n);
    tcase_add_loop_test(tc, matrix_whose_size_overflows_is_refused, 0, n);
    tcase_add_test(tc, uploads_of_training_passes_use_two_sets_of_memory_in_turns);
    tcase_add_test(tc, new_memory_has_not_been_sent_to);
    tcase_add_test(tc, what_is_uploaded_for_a_moment_is_given_back);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
