/* test_cpu.c - what is particular to the CPU backend: its threads, scratch memory, plans and BLAS. That its numbers
 * are right is the business of test_conformance.c. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static mmli_device *open_cpu(int threads)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, "cpu", threads));
    return dv;
}

static mmli_mem *normal(mmli_device *dv, size_t n, uint64_t key)
{
    float *x = malloc((n + 1) * sizeof *x);
    mmli_mem *m;

    ck_assert_ptr_nonnull(x);
    mmlt_normal(x, n, key);
    m = mmlt_upload(dv, x, n * sizeof *x);
    free(x);
    return m;
}

/* A device and the operands of a call of every kernel that needs scratch memory. */
enum { ROWS = 5000, COLS = 64, HEADS = 4, SEGS = 2 };

typedef struct setup {
    mmli_device *dv;
    mmli_mem *x, *y, *z, *w, *stats, *grad, *off, *sum;
    const int64_t *host; /* off */
} setup;

static setup set_up(int threads)
{
    static const int64_t off[SEGS + 1] = {0, 4500, ROWS};
    static const double zero = 0;
    setup s = {.dv = open_cpu(threads)};

    s.x = normal(s.dv, ROWS * COLS, 1);
    s.y = normal(s.dv, ROWS * COLS, 2);
    s.z = normal(s.dv, ROWS * COLS, 3);
    s.w = normal(s.dv, COLS * COLS, 4);
    s.stats = normal(s.dv, 2 * ROWS, 5);
    s.grad = normal(s.dv, COLS * COLS, 6);
    s.off = mmlt_upload(s.dv, off, sizeof off);
    s.host = off;
    s.sum = mmlt_upload(s.dv, &zero, sizeof zero);
    return s;
}

static void tear_down(setup *s)
{
    mmli_mem *const all[] = {s->x, s->y, s->z, s->w, s->stats, s->grad, s->off, s->sum};

    for (size_t i = 0; i < COUNT(all); i++)
        s->dv->k.free(s->dv, all[i]);
    mmli_device_close(s->dv);
}

static mml_status call(const setup *s, int kernel)
{
    mmli_device *dv = s->dv;

    switch (kernel) {
    case 0:
        return dv->k.col_sum_grad(dv, s->grad, s->x, ROWS, COLS);
    case 1:
        return dv->k.segment_sum(dv, s->grad, NULL, s->x, s->off, SEGS, COLS);
    case 2:
        return dv->k.segment_softmax(dv, s->y, s->x, s->off, SEGS, 1);
    case 3:
        return dv->k.attention(dv, s->grad, s->stats, s->w, s->x, s->y, s->off, SEGS, 16, HEADS, COLS / HEADS, 0.25f,
                               MMLI_QUERY_SHARED);
    case 4:
        return dv->k.attention_grad(dv, s->w, NULL, s->z, s->grad, s->stats, s->w, s->x, s->y, s->grad, s->off, SEGS,
                                    16, HEADS, COLS / HEADS, 0.25f, MMLI_QUERY_SHARED, false);
    case 5:
        return dv->k.gemm(dv, true, false, COLS, COLS, ROWS, 1, s->x, COLS, s->y, COLS, 0, s->grad, COLS);
    case 6:
        return dv->k.layernorm_grad(dv, s->z, s->grad, s->grad, s->x, s->stats, s->w, s->y, ROWS, COLS);
    case 7:
        return dv->k.fft(dv, s->y, s->z, s->x, NULL, 4, COLS, COLS, MMLI_AXIS_C | MMLI_AXIS_D, -1, 1);
    case 8:
        return dv->k.segment_dft_real(dv, s->y, s->x, s->off, s->host, SEGS, COLS);
    case 9:
        return dv->k.sum_squares(dv, s->sum, s->x, ROWS * COLS);
    }
    return MML_OK;
}
enum { KERNELS = 10 };

START_TEST(scratch_that_cannot_be_had_is_a_failure_and_the_next_call_works)
{
    setup s = set_up(2);
    uint64_t k = 1;
    mml_status st;

    do { /* the k-th allocation of the first call fails, for every k there is */
        mmli_alloc_fail_at(k++);
        st = call(&s, _i);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "status %s", mml_status_name(st));
    } while (st != MML_OK);
    ck_assert_uint_gt(k, 2);
    mmlt_assert_ok(call(&s, _i));
    tear_down(&s);
}
END_TEST

START_TEST(a_warm_call_allocates_nothing)
{
    setup s = set_up(2);
    uint64_t before;

    mmlt_assert_ok(call(&s, _i));
    before = mmli_alloc_count();
    mmlt_assert_ok(call(&s, _i));
    ck_assert_uint_eq(mmli_alloc_count(), before);
    tear_down(&s);
}
END_TEST

START_TEST(a_forked_process_has_no_threads_but_the_same_results)
{
    static float want[COLS * COLS], got[COLS * COLS];
    setup s = set_up(2);
    int status = -1;
    pid_t child;

    for (int i = 0; i < 50; i++) /* threads are running */
        mmlt_assert_ok(call(&s, 5));
    mmlt_download(want, s.dv, s.grad, sizeof want);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const mml_status st = call(&s, 5);

        mmlt_download(got, s.dv, s.grad, sizeof got);
        mmli_device_close(s.dv);
        _exit(st == MML_OK && memcmp(want, got, sizeof got) == 0 ? 42 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    tear_down(&s);
}
END_TEST

START_TEST(a_batch_of_large_products_is_its_products_one_by_one)
{
    enum { N = 300, BATCH = 3 };
    static float together[BATCH * N * N], single[BATCH * N * N];
    mmli_device *dv = open_cpu(2);
    mmli_mem *a = normal(dv, BATCH * N * N, 1), *b = normal(dv, N * N, 2), *c = normal(dv, BATCH * N * N, 3);

    mmlt_assert_ok(dv->k.gemm_batched(dv, true, false, N, N, N, 2, a, N, N * N, b, N, 0, 0, c, N, N * N, BATCH));
    mmlt_download(together, dv, c, sizeof together);
    for (size_t i = 0; i < BATCH; i++)
        mmlt_assert_ok(dv->k.gemm(dv, true, false, N, N, N, 2, mmli_at(a, i * N * N), N, b, N, 0,
                                  mmli_at(c, i * N * N), N));
    mmlt_download(single, dv, c, sizeof single);
    mmlt_assert_same_bits(together, single, sizeof single);
    dv->k.free(dv, a);
    dv->k.free(dv, b);
    dv->k.free(dv, c);
    mmli_device_close(dv);
}
END_TEST

START_TEST(a_side_too_long_for_blas_is_refused)
{
    mmli_device *dv = open_cpu(1);
    mmli_mem *a = normal(dv, 400, 1);

    mmlt_assert_fails(dv->k.gemm(dv, false, false, 20, 20, 20, 1, a, (size_t)INT_MAX + 1, a, 20, 0, a, 20), MML_E_SHAPE,
                      "2147483648");
    dv->k.free(dv, a);
    mmli_device_close(dv);
}
END_TEST

/* More lengths than plans are kept: plans are given up and made again. */
START_TEST(bags_of_many_lengths_are_transformed_alike_each_time)
{
    enum { SEGMENTS = 400, TOKENS = SEGMENTS * (SEGMENTS + 1) / 2 };
    static float first[TOKENS], again[TOKENS];
    static int64_t off[SEGMENTS + 1];
    mmli_device *dv = open_cpu(2);
    mmli_mem *x = normal(dv, TOKENS, 1), *y = normal(dv, TOKENS, 2), *o;

    for (int i = 0; i < SEGMENTS; i++)
        off[i + 1] = off[i] + i + 1;
    o = mmlt_upload(dv, off, sizeof off);
    mmlt_assert_ok(dv->k.segment_dft_real(dv, y, x, o, off, SEGMENTS, 1));
    mmlt_download(first, dv, y, sizeof first);
    mmlt_assert_ok(dv->k.segment_dft_real(dv, y, x, o, off, SEGMENTS, 1));
    mmlt_download(again, dv, y, sizeof again);
    mmlt_assert_same_bits(again, first, sizeof first);
    dv->k.free(dv, x);
    dv->k.free(dv, y);
    dv->k.free(dv, o);
    mmli_device_close(dv);
}
END_TEST

/* The last, partial vector of a loop runs through the same instructions as a full one. */
START_TEST(a_value_does_not_depend_on_its_place)
{
    enum { N = 77 };
    float whole[N], one;
    mmli_device *dv = open_cpu(1);
    mmli_mem *x = normal(dv, N, 1), *y = normal(dv, N, 2);

    mmlt_assert_ok(dv->k.act(dv, y, x, N, (mmli_act)_i));
    mmlt_download(whole, dv, y, sizeof whole);
    for (size_t i = 0; i < N; i++) {
        mmlt_assert_ok(dv->k.act(dv, y, mmli_at(x, i), 1, (mmli_act)_i));
        mmlt_download(&one, dv, y, sizeof one);
        mmlt_assert_same_bits(&whole[i], &one, sizeof one);
    }
    dv->k.free(dv, x);
    dv->k.free(dv, y);
    mmli_device_close(dv);
}
END_TEST

START_TEST(the_description_names_its_parts_and_fits_its_room)
{
    static const char *const keys[] = {"processor: ", "vector code: ", "fft: ", "blas: "};
    char text[2048], small[20];

    ck_assert_uint_gt(mmli_cpu_describe(text, sizeof text), 0);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_msg(strstr(text, keys[i]) != NULL, "no `%s` in:\n%s", keys[i], text);
    memset(small, 'x', sizeof small);
    mmli_cpu_describe(small, 10);
    ck_assert_uint_lt(strlen(small), 10);
    ck_assert_int_eq(small[10], 'x');
    mmli_cpu_describe(small, 0);
}
END_TEST

START_TEST(kernels_chosen_by_the_user_are_not_questioned)
{
    ck_assert_int_eq(setenv("OPENBLAS_CORETYPE", "Haswell", 1), 0);
    ck_assert_ptr_null(mml_blas_better_coretype());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu backend");
    TCase *tc = tcase_create("cpu");

    tcase_add_loop_test(tc, scratch_that_cannot_be_had_is_a_failure_and_the_next_call_works, 0, KERNELS);
    tcase_add_loop_test(tc, a_warm_call_allocates_nothing, 0, KERNELS);
    tcase_add_test(tc, a_forked_process_has_no_threads_but_the_same_results);
    tcase_add_test(tc, a_batch_of_large_products_is_its_products_one_by_one);
    tcase_add_test(tc, a_side_too_long_for_blas_is_refused);
    tcase_add_test(tc, bags_of_many_lengths_are_transformed_alike_each_time);
    tcase_add_loop_test(tc, a_value_does_not_depend_on_its_place, 0, MMLI_ACT_SIGMOID + 1);
    tcase_add_test(tc, the_description_names_its_parts_and_fits_its_room);
    tcase_add_test(tc, kernels_chosen_by_the_user_are_not_questioned);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
