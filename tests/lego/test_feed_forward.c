/* test_feed_forward.c - the residual feed-forward of the tape is the kernel of that name, and from a certain size on a chain
 * of ops that gives the same. */
#include <stdlib.h>

#include "ops/ops.h"
#include "tests/support/mmlt.h"

enum { ROWS = 3, INPUTS = 7, SMALL = 20, LARGE = 300, KEY = 5 };
static const float drop = 0.25f;

/* Host copies: x and the parameters in the order of mmli_ff_vars; dy; what comes back. */
typedef struct numbers {
    size_t d, f, n[INPUTS];
    float *in[INPUTS], *dy, *y, *grad[INPUTS];
} numbers;

static float *made(size_t n, uint64_t key, float size)
{
    float *x = calloc(n, sizeof *x);

    ck_assert_ptr_nonnull(x);
    mmlt_uniform(x, n, key, -size, size);
    return x;
}

static numbers make(size_t d)
{
    const size_t f = 4 * d;
    numbers z = {.d = d, .f = f, .n = {ROWS * d, d, d, 2 * f * d, 2 * f, d * f, d}};

    for (size_t i = 0; i < INPUTS; i++) {
        z.in[i] = made(z.n[i], i, i == 3 || i == 5 ? 0.1f : 1);
        z.grad[i] = calloc(z.n[i], sizeof(float));
    }
    z.dy = made(ROWS * d, 10, 1);
    z.y = calloc(ROWS * d, sizeof(float));
    return z;
}

static void clear(numbers *z)
{
    for (size_t i = 0; i < INPUTS; i++) {
        free(z->in[i]);
        free(z->grad[i]);
    }
    free(z->dy);
    free(z->y);
}

/* By the kernel of the reference, without a tape. */
static void by_kernel(numbers *z, float p)
{
    mmli_device *dv = NULL;
    mmli_mem *in[INPUTS], *grad[INPUTS], *y, *dy;
    mmli_ff ff = {.d = z->d, .f = z->f, .eps = 1e-5f, .p = p, .key = KEY};

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    for (size_t i = 0; i < INPUTS; i++) {
        in[i] = mmlt_upload(dv, z->in[i], z->n[i] * sizeof(float));
        grad[i] = mmlt_upload(dv, z->grad[i], z->n[i] * sizeof(float));
    }
    y = mmlt_upload(dv, z->y, z->n[0] * sizeof(float));
    dy = mmlt_upload(dv, z->dy, z->n[0] * sizeof(float));
    ff.gamma = in[1], ff.beta = in[2], ff.w1 = in[3], ff.b1 = in[4], ff.w2 = in[5], ff.b2 = in[6];
    mmlt_assert_ok(dv->k.feed_forward(dv, y, in[0], &ff, ROWS));
    mmlt_assert_ok(dv->k.feed_forward_grad(
        dv, &(mmli_ff_grad){grad[0], grad[1], grad[2], grad[3], grad[4], grad[5], grad[6], .add = true}, in[0], dy, &ff, ROWS));
    mmlt_download(z->y, dv, y, z->n[0] * sizeof(float));
    for (size_t i = 0; i < INPUTS; i++) {
        mmlt_download(z->grad[i], dv, grad[i], z->n[i] * sizeof(float));
        dv->k.free(dv, in[i]);
        dv->k.free(dv, grad[i]);
    }
    dv->k.free(dv, y);
    dv->k.free(dv, dy);
    mmli_device_close(dv);
}

static void by_tape(numbers *z, int backend, int mode)
{
    const size_t rows[INPUTS] = {ROWS, 1, 1, 2 * z->f, 1, z->d, 1};
    mmli_device *dv = mmlt_device(backend, 2);
    mmli_tape *tape = NULL;
    mmli_var *in[INPUTS], *y;

    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, mode, 0, 0));
    for (size_t i = 0; i < INPUTS; i++)
        in[i] = mmli_tape_input(tape, z->in[i], rows[i], z->n[i] / rows[i], true);
    y = mmli_op_feed_forward(tape, in[0], &(mmli_ff_vars){in[1], in[2], in[3], in[4], in[5], in[6]}, drop, KEY);
    ck_assert_ptr_nonnull(y);
    y->grad = mmli_tape_upload(tape, z->dy, z->n[0] * sizeof(float));
    mmlt_assert_ok(mmli_tape_backward(tape));
    mmlt_download(z->y, dv, y->data, z->n[0] * sizeof(float));
    for (size_t i = 0; i < INPUTS; i++)
        mmlt_download(z->grad[i], dv, in[i]->grad, z->n[i] * sizeof(float));
    mmli_tape_free(tape);
    mmli_device_close(dv);
}

/* _i: backend, then size. Sums of up to 2400 terms. */
START_TEST(small_and_large_ones_give_what_the_kernel_gives)
{
    const size_t d = _i / mmlt_n_backends() ? LARGE : SMALL;

    for (int train = 0; train < 2; train++) {
        numbers got = make(d), want = make(d);

        ck_assert_int_eq(3 * got.f * got.d > MMLI_FF_FUSED, d == LARGE);
        by_kernel(&want, train ? drop : 0);
        by_tape(&got, _i % mmlt_n_backends(), MMLI_RECORD | (train ? MMLI_TRAINING : 0));
        mmlt_assert_close(got.y, want.y, want.n[0], MMLT_TOL_SUM);
        for (size_t i = 0; i < INPUTS; i++)
            mmlt_assert_close(got.grad[i], want.grad[i], want.n[i], MMLT_TOL_SUM);
        clear(&got);
        clear(&want);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/feed-forward");
    TCase *tc = tcase_create("feed-forward");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, small_and_large_ones_give_what_the_kernel_gives, 0, 2 * mmlt_n_backends());
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
