/* Allocation: overflow, failure on demand, growth. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"

START_TEST(new_memory_is_zero)
{
    unsigned char *p = NULL;

    mmlt_assert_ok(mmli_calloc(&p, 1000, 3));
    for (size_t i = 0; i < 3000; i++)
        ck_assert_uint_eq(p[i], 0);
    mmli_free(p);
}
END_TEST

START_TEST(nothing_at_all_is_still_a_pointer)
{
    double *p = NULL;

    mmlt_assert_ok(mmli_calloc(&p, 0, sizeof *p));
    ck_assert_ptr_nonnull(p);
    mmlt_assert_ok(mmli_realloc(&p, 0, sizeof *p));
    ck_assert_ptr_nonnull(p);
    mmli_free(p);
}
END_TEST

START_TEST(a_size_that_overflows_is_refused)
{
    char some, *p = &some;
    size_t product = 0;

    mmlt_assert_fails(mmli_calloc(&p, SIZE_MAX / 2, 3), MML_E_NOMEM, "too large");
    ck_assert_ptr_null(p);
    mmlt_assert_fails(mmli_calloc(&p, SIZE_MAX, 1), MML_E_NOMEM, "too large");
    mmlt_assert_fails(mmli_realloc(&p, SIZE_MAX / 4 + 2, 4), MML_E_NOMEM, "too large");
    ck_assert(!mmli_mul_size(&product, SIZE_MAX / 2 + 1, 2));
    ck_assert(mmli_mul_size(&product, SIZE_MAX / 2, 2));
    ck_assert_uint_eq(product, SIZE_MAX - 1);
    ck_assert(mmli_mul_size(&product, 0, SIZE_MAX));
    ck_assert_uint_eq(product, 0);
}
END_TEST

START_TEST(a_failed_realloc_leaves_the_old_block)
{
    int *p = NULL;

    mmlt_assert_ok(mmli_calloc(&p, 4, sizeof *p));
    p[3] = 17;
    mmlt_assert_fails(mmli_realloc(&p, SIZE_MAX, sizeof *p), MML_E_NOMEM, "");
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_realloc(&p, 100, sizeof *p), MML_E_NOMEM, "out of memory");
    ck_assert_int_eq(p[3], 17);
    mmlt_assert_ok(mmli_realloc(&p, 100, sizeof *p));
    ck_assert_int_eq(p[3], 17);
    mmli_free(p);
}
END_TEST

START_TEST(the_kth_call_fails_and_only_that)
{
    char *p[4] = {NULL};

    for (uint64_t k = 1; k <= 4; k++) {
        mmli_alloc_fail_at(k);
        for (uint64_t i = 1; i <= 4; i++) {
            const mml_status st = mmli_calloc(&p[i - 1], 1, 1);

            ck_assert_int_eq(st, i == k ? MML_E_NOMEM : MML_OK);
            ck_assert(i == k ? p[i - 1] == NULL : p[i - 1] != NULL);
            ck_assert_uint_eq(mmli_alloc_count(), i);
        }
        for (size_t i = 0; i < 4; i++)
            mmli_free(p[i]);
    }
    mmli_alloc_fail_at(0);
    mmlt_assert_ok(mmli_calloc(&p[0], 1, 1));
    mmli_free(p[0]);
}
END_TEST

START_TEST(strings_are_copied_and_formatted)
{
    char *text = NULL;

    mmlt_assert_ok(mmli_strdup(&text, "block"));
    ck_assert_str_eq(text, "block");
    mml_string_free(text);
    mmlt_assert_ok(mmli_strdup(&text, NULL));
    ck_assert_ptr_null(text);
    mmlt_assert_ok(mmli_strf(&text, "%s/%03d", "steps", 7));
    ck_assert_str_eq(text, "steps/007");
    mml_string_free(text);
    mml_string_free(NULL);
}
END_TEST

START_TEST(strings_without_memory_are_null)
{
    char some, *text = &some;

    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_strdup(&text, "block"), MML_E_NOMEM, "");
    ck_assert_ptr_null(text);
    text = &some;
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_strf(&text, "%d", 1), MML_E_NOMEM, "");
    ck_assert_ptr_null(text);
    mmli_alloc_fail_at(0);
}
END_TEST

START_TEST(growing_one_by_one_costs_few_reallocations)
{
    uint32_t *x = NULL;
    size_t cap = 0;

    mmli_alloc_fail_at(0);
    for (uint32_t i = 0; i < 100000; i++) {
        mmlt_assert_ok(mmli_grow(&x, &cap, i + 1, sizeof *x));
        ck_assert_uint_ge(cap, i + 1);
        x[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(x[i], i);
    ck_assert_uint_le(mmli_alloc_count(), 40);
    mmli_free(x);
}
END_TEST

START_TEST(growth_that_fails_keeps_capacity_and_content)
{
    uint32_t *x = NULL;
    size_t cap = 0, before;

    mmlt_assert_ok(mmli_grow(&x, &cap, 5, sizeof *x));
    x[4] = 99;
    before = cap;
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_grow(&x, &cap, 1000, sizeof *x), MML_E_NOMEM, "");
    mmlt_assert_fails(mmli_grow(&x, &cap, SIZE_MAX, sizeof *x), MML_E_NOMEM, "");
    ck_assert_uint_eq(cap, before);
    ck_assert_uint_eq(x[4], 99);
    mmli_free(x);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tc = tcase_create("alloc");

    tcase_add_test(tc, new_memory_is_zero);
    tcase_add_test(tc, nothing_at_all_is_still_a_pointer);
    tcase_add_test(tc, a_size_that_overflows_is_refused);
    tcase_add_test(tc, a_failed_realloc_leaves_the_old_block);
    tcase_add_test(tc, the_kth_call_fails_and_only_that);
    tcase_add_test(tc, strings_are_copied_and_formatted);
    tcase_add_test(tc, strings_without_memory_are_null);
    tcase_add_test(tc, growing_one_by_one_costs_few_reallocations);
    tcase_add_test(tc, growth_that_fails_keeps_capacity_and_content);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
