/* test_devices.c - backends by name, memory, what the registry fills in, and the hidden backend. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"

START_TEST(default_backend_is_the_first_of_the_list)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, NULL, 0));
    ck_assert_str_eq(dv->k.name, mmli_backend_at(0)->name);
    ck_assert_int_ge(dv->threads, 1);
    mmli_device_close(dv);
    mmlt_assert_ok(mmli_device_open(&dv, "reference", 5));
    ck_assert_int_eq(dv->threads, 5);
    mmli_device_close(dv);
    mmli_device_close(NULL);
}
END_TEST

START_TEST(unknown_backend_fails_and_the_message_lists_all)
{
    mmli_device *dv = (mmli_device *)&dv;

    mmlt_assert_fails(mmli_device_open(&dv, "abacus", 0), MML_E_BACKEND, "abacus");
    ck_assert_ptr_null(dv);
    for (size_t i = 0; mmli_backend_at(i); i++)
        ck_assert_ptr_nonnull(strstr(mml_last_error(), mmli_backend_at(i)->name));
}
END_TEST

START_TEST(negative_number_of_threads_is_refused)
{
    mmli_device *dv = NULL;

    mmlt_assert_fails(mmli_device_open(&dv, NULL, -1), MML_E_ARG, "-1 threads");
    ck_assert_ptr_null(dv);
}
END_TEST

START_TEST(opening_without_memory_fails_and_leaks_nothing)
{
    for (uint64_t k = 1;; k++) {
        mmli_device *dv = NULL;
        mml_status st;

        ck_assert_uint_lt(k, 100);
        mmli_alloc_fail_at(k);
        st = mmli_device_open(&dv, NULL, 2);
        mmli_alloc_fail_at(0);
        if (st == MML_OK) {
            mmli_device_close(dv);
            break;
        }
        ck_assert_int_eq(st, MML_E_NOMEM);
        ck_assert_ptr_null(dv);
    }
}
END_TEST

static mml_status marked_fill(mmli_device *dv, mmli_mem *y, size_t n, float value)
{
    return mmli_backend_reference.fill(dv, y, n, value + 1);
}

START_TEST(empty_slots_of_host_memory_are_the_reference)
{
    const mmli_backend table = {.name = "partial", .host_memory = true, .fill = marked_fill};
    mmli_device *dv = NULL;
    mmli_mem *y = NULL;
    float got[2];

    mmlt_assert_ok(mmli_device_open_table(&dv, &table, 1));
    mmlt_assert_ok(dv->k.alloc(dv, &y, sizeof got));
    mmlt_assert_ok(dv->k.fill(dv, y, 2, 4));
    mmlt_assert_ok(dv->k.scale(dv, y, y, 2, 10));
    mmlt_download(got, dv, y, sizeof got);
    ck_assert_float_eq(got[0], 50);
    ck_assert_float_eq(got[1], 50);
    dv->k.free(dv, y);
    mmli_device_close(dv);
}
END_TEST

START_TEST(other_memory_inherits_nothing)
{
    mmli_backend table = mmlt_backend_hidden;
    mmli_device *dv = NULL;

    table.layernorm_grad = NULL;
    mmlt_assert_fails(mmli_device_open_table(&dv, &table, 1), MML_E_INTERNAL, "layernorm_grad");
    ck_assert_ptr_null(dv);
}
END_TEST

/* _i runs over the backends. */
START_TEST(memory_is_aligned_and_moves_by_mmli_at)
{
    mmli_device *dv = mmlt_device(_i, 1);
    const float x[] = {1, 2, 3, 4};
    float y[4] = {0};
    mmli_mem *a = mmlt_upload_array(dv, x), *b = NULL, *empty = NULL, *other = NULL;

    mmlt_assert_ok(dv->k.alloc(dv, &b, sizeof y));
    ck_assert_uint_eq((uintptr_t)a % 64, 0);
    ck_assert_uint_eq((uintptr_t)b % 64, 0);
    mmlt_assert_ok(dv->k.copy(dv, b, mmli_at(a, 2), 2 * sizeof *x));
    mmlt_assert_ok(dv->k.copy(dv, mmli_at(b, 2), a, 2 * sizeof *x));
    mmlt_download(y, dv, b, sizeof y);
    mmlt_assert_close(y, ((const float[]){3, 4, 1, 2}), 4, MMLT_TOL_EXACT);
    mmlt_download(y, dv, mmli_at_bytes(a, 12), sizeof *y);
    ck_assert_float_eq(y[0], 4);
    ck_assert_ptr_null(mmli_at(NULL, 5));

    mmlt_assert_ok(dv->k.alloc(dv, &empty, 0));
    mmlt_assert_ok(dv->k.alloc(dv, &other, 0));
    ck_assert_ptr_nonnull(empty);
    ck_assert_ptr_ne(empty, other);
    mmlt_assert_ok(dv->k.upload(dv, empty, NULL, 0));
    mmlt_assert_ok(dv->k.download(dv, NULL, empty, 0));
    mmlt_assert_ok(dv->k.copy(dv, empty, other, 0));
    mmlt_assert_ok(dv->k.sync(dv));
    dv->k.free(dv, a);
    dv->k.free(dv, b);
    dv->k.free(dv, empty);
    dv->k.free(dv, other);
    dv->k.free(dv, NULL);
    mmli_device_close(dv);
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
}
END_TEST

/* _i runs over the backends. */
START_TEST(impossible_allocation_is_a_failure_with_a_message)
{
    mmli_device *dv = mmlt_device(_i, 1);
    mmli_mem *m = NULL;

    mmlt_assert_fails(dv->k.alloc(dv, &m, SIZE_MAX - 3), MML_E_NOMEM, "bytes");
    ck_assert_ptr_null(m);
    mmlt_assert_fails(dv->k.alloc(dv, &m, SIZE_MAX / 4), MML_E_NOMEM, "bytes");
    ck_assert_ptr_null(m);
    mmli_device_close(dv);
}
END_TEST

/* Scratch of a kernel that cannot be had is a status, not a crash, on the reference. */
START_TEST(reference_kernels_report_scratch_that_cannot_be_had)
{
    static const int64_t off[] = {0, 2, 3};
    const float x[12] = {0};
    mmli_device *dv = NULL;
    mmli_mem *m, *o;

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    m = mmlt_upload_array(dv, x);
    o = mmlt_upload_array(dv, off);
    for (uint64_t k = 1; k <= 3; k++) {
        mmli_mem *y = mmlt_upload_array(dv, x), *dy = mmlt_upload_array(dv, x);

        mmli_alloc_fail_at(k);
        mmlt_assert_fails(dv->k.fft(dv, y, NULL, m, NULL, 1, 3, 4, MMLI_AXIS_C, -1, 1), MML_E_NOMEM, "");
        mmli_alloc_fail_at(k);
        mmlt_assert_fails(dv->k.attention_grad(dv, y, dy, dy, m, m, m, m, m, m, o, 2, 1, 1, 2, 1, MMLI_QUERY_SHARED, false),
                          MML_E_NOMEM, "");
        if (k <= 2) {
            mmli_alloc_fail_at(k);
            mmlt_assert_fails(dv->k.attention(dv, y, NULL, m, m, m, o, 2, 1, 1, 2, 1, MMLI_QUERY_SHARED), MML_E_NOMEM,
                              "");
        }
        mmli_alloc_fail_at(0);
        dv->k.free(dv, y);
        dv->k.free(dv, dy);
    }
    dv->k.free(dv, m);
    dv->k.free(dv, o);
    mmli_device_close(dv);
}
END_TEST

/* A label out of range would be read as an address by a kernel: the oracle says which row it was. */
START_TEST(reference_losses_refuse_labels_out_of_range)
{
    static const int32_t label[] = {0, 4};
    const float x[8] = {0}, w[] = {1, 1};
    mmli_device *dv = NULL;
    mmli_mem *mx, *ml, *mw;

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    mx = mmlt_upload_array(dv, x);
    ml = mmlt_upload_array(dv, label);
    mw = mmlt_upload_array(dv, w);
    mmlt_assert_fails(dv->k.loss_cross_entropy(dv, NULL, NULL, mx, ml, mw, 2, 4), MML_E_INTERNAL, "row 1 has label 4");
    mmlt_assert_fails(dv->k.loss_survival_nll(dv, NULL, NULL, mx, ml, mw, mw, 2, 4, 0.4f), MML_E_INTERNAL,
                      "row 1 has bin 4");
    dv->k.free(dv, mx);
    dv->k.free(dv, ml);
    dv->k.free(dv, mw);
    mmli_device_close(dv);
}
END_TEST

/* ---- hidden -------------------------------------------------------------------------------------- */
static mmli_device *open_hidden(void)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open_table(&dv, &mmlt_backend_hidden, 1));
    return dv;
}

/* AddressSanitizer reports the fault itself, with an exit status of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_SEE_FAULTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_SEE_FAULTS 0
#endif
#endif
#ifndef CAN_SEE_FAULTS
#define CAN_SEE_FAULTS 1
#endif

/* Both end by SIGSEGV: see main. */
START_TEST(host_cannot_read_hidden_memory)
{
    mmli_device *dv = open_hidden();
    const float x[] = {1, 2, 3};
    volatile float got;

    got = *(const volatile float *)(const void *)mmli_at(mmlt_upload_array(dv, x), 1);
    (void)got;
}
END_TEST

START_TEST(host_cannot_write_hidden_memory)
{
    mmli_device *dv = open_hidden();
    const float x[] = {1, 2, 3};

    *(volatile float *)(void *)mmlt_upload_array(dv, x) = 4;
}
END_TEST

START_TEST(hidden_memory_is_counted)
{
    mmli_device *dv = open_hidden();
    const size_t allocs = mmlt_hidden_allocs(), live = mmlt_hidden_live();
    mmli_mem *a = NULL, *b = NULL;

    mmlt_assert_ok(dv->k.alloc(dv, &a, 8));
    mmlt_assert_ok(dv->k.alloc(dv, &b, 0));
    ck_assert_uint_eq(mmlt_hidden_live(), live + 2);
    dv->k.free(dv, a);
    dv->k.free(dv, NULL);
    ck_assert_uint_eq(mmlt_hidden_live(), live + 1);
    dv->k.free(dv, b);
    ck_assert_uint_eq(mmlt_hidden_live(), live);
    ck_assert_uint_eq(mmlt_hidden_allocs(), allocs + 2);

    mmlt_hidden_fail_at(2);
    mmlt_assert_ok(dv->k.alloc(dv, &a, 8));
    mmlt_assert_fails(dv->k.alloc(dv, &b, 8), MML_E_NOMEM, "8 bytes");
    ck_assert_ptr_null(b);
    dv->k.free(dv, a);
    mmlt_hidden_fail_at(0);
    mmli_device_close(dv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("devices");
    TCase *tc = tcase_create("registry and memory");
    const char *fork = getenv("CK_FORK");

    tcase_add_test(tc, default_backend_is_the_first_of_the_list);
    tcase_add_test(tc, unknown_backend_fails_and_the_message_lists_all);
    tcase_add_test(tc, negative_number_of_threads_is_refused);
    tcase_add_test(tc, opening_without_memory_fails_and_leaks_nothing);
    tcase_add_test(tc, empty_slots_of_host_memory_are_the_reference);
    tcase_add_test(tc, other_memory_inherits_nothing);
    tcase_add_loop_test(tc, memory_is_aligned_and_moves_by_mmli_at, 0, mmlt_n_backends());
    tcase_add_loop_test(tc, impossible_allocation_is_a_failure_with_a_message, 0, mmlt_n_backends());
    tcase_add_test(tc, reference_kernels_report_scratch_that_cannot_be_had);
    tcase_add_test(tc, reference_losses_refuse_labels_out_of_range);
    tcase_add_test(tc, hidden_memory_is_counted);
    if (CAN_SEE_FAULTS && !(fork && strcmp(fork, "no") == 0)) {
        tcase_add_test_raise_signal(tc, host_cannot_read_hidden_memory, SIGSEGV);
        tcase_add_test_raise_signal(tc, host_cannot_write_hidden_memory, SIGSEGV);
    }
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
