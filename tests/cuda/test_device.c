/* test_device.c - memory and copies of a GPU, on the one that device `cuda` is: a real one, or the emulated one of
 * tests/cuda/emulated.sh. Skipped where there is neither. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cuda/there.h"
#include "tests/support/mmlt.h"

static mmli_device *open_cuda(void)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, "cuda", 1));
    return dv;
}

static void fill_bytes(unsigned char *p, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)((i * 2654435761u + seed) >> 13);
}

/* Nothing, less than a part of the pinned memory, just a part, more than all of it. */
START_TEST(bytes_come_back_as_they_went)
{
    static const size_t sizes[] = {0, 1, 63, 65, 4096, 4u << 20, (4u << 20) + 1, (17u << 20) + 5};
    mmli_device *dv = open_cuda();

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i];
        unsigned char *there = malloc(n + 1), *back = malloc(n + 1);
        mmli_mem *a, *b;

        ck_assert(there && back);
        fill_bytes(there, n, (unsigned)i);
        a = mmlt_upload(dv, there, n);
        mmlt_assert_ok(dv->k.alloc(dv, &b, n));
        mmlt_assert_ok(dv->k.copy(dv, b, a, n));
        mmlt_assert_ok(dv->k.copy(dv, b, b, n));
        mmlt_download(back, dv, b, n);
        mmlt_assert_same_bits(back, there, n);
        dv->k.free(dv, a);
        dv->k.free(dv, b);
        free(there);
        free(back);
    }
    mmli_device_close(dv);
}
END_TEST

/* More uploads in a row than are kept waiting, from one place that is overwritten after each. */
START_TEST(source_of_an_upload_is_free_when_it_returns)
{
    enum { UPLOADS = 100, BYTES = 400001 }; /* 40 MB */
    mmli_device *dv = open_cuda();
    unsigned char *from = malloc(BYTES), *back = malloc(BYTES), *want = malloc(BYTES);
    mmli_mem *all = NULL;

    ck_assert(from && back && want);
    mmlt_assert_ok(dv->k.alloc(dv, &all, (size_t)UPLOADS * BYTES));
    for (unsigned i = 0; i < UPLOADS; i++) {
        fill_bytes(from, BYTES, i);
        mmlt_assert_ok(dv->k.upload(dv, mmli_at_bytes(all, (size_t)i * BYTES), from, BYTES));
        memset(from, 0xee, BYTES);
    }
    for (unsigned i = 0; i < UPLOADS; i++) {
        fill_bytes(want, BYTES, i);
        mmlt_download(back, dv, mmli_at_bytes(all, (size_t)i * BYTES), BYTES);
        mmlt_assert_same_bits(back, want, BYTES);
    }
    dv->k.free(dv, all);
    free(from);
    free(back);
    free(want);
    mmli_device_close(dv);
}
END_TEST

START_TEST(memory_that_is_not_there_is_a_failure_and_the_device_goes_on)
{
    mmli_device *dv = open_cuda();
    const float x[] = {1, 2, 3};
    float y[3];
    mmli_mem *m = NULL;

    mmlt_assert_fails(dv->k.alloc(dv, &m, (size_t)1 << 46), MML_E_NOMEM, "smaller batch");
    ck_assert_ptr_null(m);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "70368744177664 bytes"));
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "MiB are free"));
    m = mmlt_upload_array(dv, x);
    mmlt_assert_ok(dv->k.scale(dv, m, m, 3, 2.0f));
    mmlt_download(y, dv, m, sizeof y);
    ck_assert(y[0] == 2 && y[1] == 4 && y[2] == 6);
    dv->k.free(dv, m);
    mmli_device_close(dv);
}
END_TEST

/* As a predictor reads the parameters of a model that was loaded before. */
START_TEST(memory_of_one_device_is_read_by_another)
{
    mmli_device *model = open_cuda(), *predictor;
    const float x[] = {3, 1, 4, 1, 5};
    float y[5];
    mmli_mem *m = mmlt_upload_array(model, x), *out = NULL;

    predictor = open_cuda();
    mmlt_assert_ok(predictor->k.alloc(predictor, &out, sizeof y));
    mmlt_assert_ok(predictor->k.scale(predictor, out, m, 5, -1.0f));
    mmlt_download(y, predictor, out, sizeof y);
    for (int i = 0; i < 5; i++)
        ck_assert(y[i] == -x[i]);
    predictor->k.free(predictor, out);
    mmli_device_close(predictor);
    model->k.free(model, m);
    mmli_device_close(model);
}
END_TEST

/* Ten batches in two sets of memory; what was computed with each must come from it, in whatever order the streams run (emulated.sh).
 * The fifth has new memory: the old is given back, and a set that is asked for anew is sent to at once. */
START_TEST(what_is_sent_is_there_for_the_calls_after_it_and_spares_those_before)
{
    enum { N = 3000, TURNS = 10 };
    mmli_device *dv = open_cuda();
    mmli_mem *set[2], *total = NULL;
    float *x = malloc(N * sizeof *x);

    ck_assert_ptr_nonnull(x);
    mmlt_assert_ok(dv->k.alloc(dv, &total, N * sizeof *x));
    mmlt_assert_ok(dv->k.fill(dv, total, N, 0.0f));
    for (int i = 0; i < 2; i++)
        mmlt_assert_ok(dv->k.alloc(dv, &set[i], N * sizeof *x));
    for (int t = 0; t < TURNS; t++) {
        mmlt_assert_ok(dv->k.turn(dv));
        if (t == 5) {
            dv->k.free(dv, set[t % 2]);
            mmlt_assert_ok(dv->k.alloc(dv, &set[t % 2], N * sizeof *x));
        }
        for (int i = 0; i < N; i++)
            x[i] = (float)((i + t) % 100);
        mmlt_assert_ok(dv->k.send(dv, set[t % 2], x, (N / 2) * sizeof *x));
        mmlt_assert_ok(dv->k.axpy(dv, total, set[t % 2], N / 2, 1.0f)); /* something between two of them */
        mmlt_assert_ok(dv->k.send(dv, mmli_at(set[t % 2], N / 2), x + N / 2, (N - N / 2) * sizeof *x));
        memset(x, 0xee, N * sizeof *x);
        mmlt_assert_ok(dv->k.axpy(dv, mmli_at(total, N / 2), mmli_at(set[t % 2], N / 2), N - N / 2, 1.0f));
    }
    mmlt_download(x, dv, total, N * sizeof *x);
    for (int i = 0; i < N; i++) {
        int want = 0;

        for (int t = 0; t < TURNS; t++)
            want += (i + t) % 100;
        ck_assert_msg((int)x[i] == want, "%d: %g instead of %d", i, (double)x[i], want);
    }
    mmlt_assert_ok(dv->k.turn(dv));
    x[0] = 17;
    mmlt_assert_ok(dv->k.send(dv, set[0], x, sizeof *x));
    x[0] = 0;
    mmlt_download(x, dv, set[0], sizeof *x); /* with no call between them */
    ck_assert(x[0] == 17);
    for (int i = 0; i < 2; i++)
        dv->k.free(dv, set[i]);
    dv->k.free(dv, total);
    free(x);
    mmli_device_close(dv);
}
END_TEST

/* Seen from another device, whose stream nothing puts behind anything: the second batch is there, and the call that uses the first has not
 * run. Only where copies are known to be as early as they may; a GPU promises no more than that they may be. */
START_TEST(a_batch_comes_in_before_the_one_before_it_is_done_with)
{
    const float one[] = {1, 1, 1}, two[] = {2, 2, 2}, zero[] = {0, 0, 0};
    const char *how = getenv("MMLT_CUDA_STREAMS");
    mmli_device *dv, *witness;
    mmli_mem *set[2], *total;
    float x[3];

    if (!how || strcmp(how, "ahead") != 0)
        return;
    dv = open_cuda();
    witness = open_cuda();
    set[0] = mmlt_upload_array(dv, zero);
    set[1] = mmlt_upload_array(dv, zero);
    total = mmlt_upload_array(dv, zero);
    mmlt_assert_ok(dv->k.sync(dv));
    mmlt_assert_ok(dv->k.turn(dv));
    mmlt_assert_ok(dv->k.send(dv, set[0], one, sizeof one));
    mmlt_assert_ok(dv->k.axpy(dv, total, set[0], 3, 1.0f));
    mmlt_assert_ok(dv->k.turn(dv));
    mmlt_assert_ok(dv->k.send(dv, set[1], two, sizeof two));
    mmlt_download(x, witness, set[1], sizeof x);
    ck_assert(x[0] == 2 && x[2] == 2);
    mmlt_download(x, witness, total, sizeof x);
    ck_assert(x[0] == 0 && x[2] == 0);
    mmlt_assert_ok(dv->k.axpy(dv, total, set[1], 3, 1.0f));
    mmlt_download(x, dv, total, sizeof x);
    ck_assert(x[0] == 3 && x[2] == 3);
    dv->k.free(dv, set[0]);
    dv->k.free(dv, set[1]);
    dv->k.free(dv, total);
    mmli_device_close(witness);
    mmli_device_close(dv);
}
END_TEST

/* Nobody reads what was sent: it must not arrive in memory that has been given back, or is somebody else's by then. */
START_TEST(memory_that_was_sent_to_is_given_back_behind_the_copy)
{
    enum { N = 1000 };
    mmli_device *dv = open_cuda();
    mmli_mem *sent = NULL, *other = NULL, *next = NULL;
    float x[N] = {0}, y[N];

    mmlt_assert_ok(dv->k.alloc(dv, &next, sizeof x));
    mmlt_assert_ok(dv->k.alloc(dv, &sent, sizeof x));
    mmlt_assert_ok(dv->k.turn(dv));
    mmlt_assert_ok(dv->k.sync(dv));
    mmlt_assert_ok(dv->k.send(dv, sent, x, sizeof x));
    dv->k.free(dv, sent);
    mmlt_assert_ok(dv->k.sync(dv));
    mmlt_assert_ok(dv->k.alloc(dv, &other, sizeof x));
    mmlt_assert_ok(dv->k.fill(dv, other, N, 7.0f));
    mmlt_assert_ok(dv->k.sync(dv));
    mmlt_assert_ok(dv->k.turn(dv));
    mmlt_assert_ok(dv->k.send(dv, next, x, sizeof x));
    mmlt_assert_ok(dv->k.scale(dv, next, next, N, 1.0f));
    mmlt_download(y, dv, other, sizeof y);
    for (int i = 0; i < N; i++)
        ck_assert(y[i] == 7);
    dv->k.free(dv, next);
    dv->k.free(dv, other);
    mmli_device_close(dv);
}
END_TEST

/* Through more pinned memory than there is. */
START_TEST(source_of_a_send_is_free_when_it_returns)
{
    enum { TURNS = 6, BYTES = 5000001 }; /* 30 MB */
    mmli_device *dv = open_cuda();
    unsigned char *from = malloc(BYTES), *back = malloc(BYTES), *want = malloc(BYTES);
    mmli_mem *set[2], *kept[TURNS];

    ck_assert(from && back && want);
    for (int i = 0; i < 2; i++)
        mmlt_assert_ok(dv->k.alloc(dv, &set[i], BYTES));
    for (unsigned t = 0; t < TURNS; t++) {
        mmlt_assert_ok(dv->k.alloc(dv, &kept[t], BYTES));
        mmlt_assert_ok(dv->k.turn(dv));
        fill_bytes(from, BYTES, t);
        mmlt_assert_ok(dv->k.send(dv, set[t % 2], from, BYTES));
        memset(from, 0xee, BYTES);
        mmlt_assert_ok(dv->k.copy(dv, kept[t], set[t % 2], BYTES));
    }
    for (unsigned t = 0; t < TURNS; t++) {
        fill_bytes(want, BYTES, t);
        mmlt_download(back, dv, kept[t], BYTES);
        mmlt_assert_same_bits(back, want, BYTES);
        dv->k.free(dv, kept[t]);
    }
    dv->k.free(dv, set[0]);
    dv->k.free(dv, set[1]);
    free(from);
    free(back);
    free(want);
    mmli_device_close(dv);
}
END_TEST

/* The reference refuses it; a GPU would have to wait to say so. */
START_TEST(label_out_of_range_gives_nan)
{
    static const int32_t label[] = {1, 4, -1};
    const float x[12] = {0}, w[] = {1, 1, 1};
    const double zero = 0;
    float dx[12];
    double loss;
    mmli_device *dv = open_cuda();
    mmli_mem *mx = mmlt_upload_array(dv, x), *ml = mmlt_upload_array(dv, label), *mw = mmlt_upload_array(dv, w);
    mmli_mem *mdx = mmlt_upload_array(dv, x), *mloss = mmlt_upload(dv, &zero, sizeof zero);

    mmlt_assert_ok(dv->k.loss_cross_entropy(dv, mloss, mdx, mx, ml, mw, 3, 4));
    mmlt_download(dx, dv, mdx, sizeof dx);
    mmlt_download(&loss, dv, mloss, sizeof loss);
    ck_assert(isnan(loss) && dx[1] < 0 && isnan(dx[4]) && isnan(dx[11]));
    mmlt_assert_ok(dv->k.loss_survival_nll(dv, NULL, mdx, mx, ml, mw, mw, 3, 4, 0.4f));
    mmlt_download(dx, dv, mdx, sizeof dx);
    ck_assert(isfinite(dx[1]) && isnan(dx[7]) && isnan(dx[8]));
    dv->k.free(dv, mx);
    dv->k.free(dv, ml);
    dv->k.free(dv, mw);
    dv->k.free(dv, mdx);
    dv->k.free(dv, mloss);
    mmli_device_close(dv);
}
END_TEST

START_TEST(host_cannot_read_memory_of_the_gpu)
{
    mmli_device *dv = open_cuda();
    const float x[] = {1, 2, 3};
    volatile float got = *(const volatile float *)(const void *)mmlt_upload_array(dv, x);

    (void)got;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda device");
    TCase *tc = tcase_create("memory");
    const char *fork = getenv("CK_FORK"), *sanitizers = getenv("MMLT_SANITIZERS");

    if (!mmlt_cuda_is_there("memory of a GPU"))
        return 77;
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, bytes_come_back_as_they_went);
    tcase_add_test(tc, source_of_an_upload_is_free_when_it_returns);
    tcase_add_test(tc, what_is_sent_is_there_for_the_calls_after_it_and_spares_those_before);
    tcase_add_test(tc, a_batch_comes_in_before_the_one_before_it_is_done_with);
    tcase_add_test(tc, memory_that_was_sent_to_is_given_back_behind_the_copy);
    tcase_add_test(tc, source_of_a_send_is_free_when_it_returns);
    tcase_add_test(tc, memory_that_is_not_there_is_a_failure_and_the_device_goes_on);
    tcase_add_test(tc, memory_of_one_device_is_read_by_another);
    tcase_add_test(tc, label_out_of_range_gives_nan);
    if (!(sanitizers && *sanitizers) && !(fork && strcmp(fork, "no") == 0)) /* those report the fault themselves */
        tcase_add_test_raise_signal(tc, host_cannot_read_memory_of_the_gpu, SIGSEGV);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
