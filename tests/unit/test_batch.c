/* Batches from plain arrays: what they hold, what they refuse, that buffers are used again. */
#include <math.h>
#include <string.h>

#include "io/batch.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"

static mml_batch *batch;

static void make(void)
{
    mmlt_assert_ok(mml_batch_new(&batch, 3));
}

static void drop(void)
{
    mml_batch_free(batch);
}

START_TEST(tokens_set_are_the_tokens_got)
{
    const float values[] = {1, 2, 3, 4, 5, 6}, places[] = {0, 0.5f, 1};
    const int64_t offsets[] = {0, 2, 2, 3};
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set(batch, "labs", values, offsets, 2, places, 1));
    mmlt_assert_ok(mml_batch_get(&t, batch, "labs"));
    ck_assert_uint_eq(mml_batch_size(batch), 3);
    ck_assert_str_eq(t.name, "labs");
    ck_assert_uint_eq(t.width, 2);
    ck_assert_uint_eq(t.n_axes, 1);
    mmlt_assert_same_bits(t.values, values, sizeof values);
    mmlt_assert_same_bits(t.offsets, offsets, sizeof offsets);
    mmlt_assert_same_bits(t.positions, places, sizeof places);
    ck_assert_ptr_ne(t.values, values); /* a copy */
}
END_TEST

START_TEST(a_table_has_at_most_one_token_a_sample)
{
    const float values[] = {1, 2, 30, 40, 5, NAN};
    const uint8_t present[] = {1, 0, 1};
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set_table(batch, "a", values, NULL, 2));
    mmlt_assert_ok(mml_batch_set_table(batch, "b", values, present, 2));
    mmlt_assert_ok(mml_batch_get(&t, batch, "a"));
    ck_assert_int_eq(t.offsets[3], 3);
    ck_assert_ptr_null(t.positions);
    mmlt_assert_same_bits(t.values, values, sizeof values);
    mmlt_assert_ok(mml_batch_get(&t, batch, "b"));
    mmlt_assert_same_bits(t.offsets, ((int64_t[]){0, 1, 1, 2}), 4 * sizeof(int64_t));
    mmlt_assert_same_bits(t.values, ((float[]){1, 2, 5, NAN}), 4 * sizeof(float));
}
END_TEST

START_TEST(a_row_without_any_known_value_is_no_token)
{
    const float values[] = {NAN, NAN, 30, NAN, NAN, NAN};
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set_table(batch, "a", values, NULL, 2));
    mmlt_assert_ok(mml_batch_get(&t, batch, "a"));
    mmlt_assert_same_bits(t.offsets, ((int64_t[]){0, 0, 1, 1}), 4 * sizeof(int64_t));
    mmlt_assert_same_bits(t.values, ((float[]){30, NAN}), 2 * sizeof(float));
    mmlt_assert_ok(mml_batch_set_table(batch, "a", values, (const uint8_t[]){1, 0, 1}, 2));
    mmlt_assert_ok(mml_batch_get(&t, batch, "a"));
    ck_assert_int_eq(t.offsets[3], 0);
}
END_TEST

START_TEST(a_later_call_replaces_the_tokens)
{
    const float first[] = {1, 2, 3}, second[] = {4, 5, 6, 7, 8, 9};
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set_table(batch, "a", first, NULL, 1));
    mmlt_assert_ok(mml_batch_set_table(batch, "a", second, NULL, 2));
    mmlt_assert_ok(mml_batch_get(&t, batch, "a"));
    ck_assert_uint_eq(t.width, 2);
    mmlt_assert_same_bits(t.values, second, sizeof second);
    ck_assert_uint_eq(batch->n_parts, 1);
}
END_TEST

START_TEST(all_samples_may_lack_a_modality)
{
    const int64_t offsets[] = {0, 0, 0, 0};
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set(batch, "a", NULL, offsets, 4, NULL, 0));
    mmlt_assert_ok(mml_batch_get(&t, batch, "a"));
    ck_assert_int_eq(t.offsets[3], 0);
    mmlt_assert_ok(mml_batch_set_table(batch, "b", NULL, (const uint8_t[]){0, 0, 0}, 4));
}
END_TEST

START_TEST(wrong_offsets_and_missing_arrays_are_refused)
{
    const float v[] = {1, 2, 3};

    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){1, 1, 2, 3}, 1, NULL, 0), MML_E_ARG, "begin with 0");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){0, 2, 1, 3}, 1, NULL, 0), MML_E_ARG, "offsets[2] = 1");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, NULL, 1, NULL, 0), MML_E_ARG, "offsets");
    mmlt_assert_fails(mml_batch_set(batch, "a", NULL, (const int64_t[]){0, 1, 2, 3}, 1, NULL, 0), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){0, 1, 2, 3}, 1, v, 0), MML_E_ARG, "n_axes");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){0, 1, 2, 3}, 1, NULL, 1), MML_E_ARG, "n_axes");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){0, 1, 2, 3}, 0, NULL, 0), MML_E_ARG, "width");
    mmlt_assert_fails(mml_batch_set(batch, "", v, (const int64_t[]){0, 1, 2, 3}, 1, NULL, 0), MML_E_ARG, "name");
    mmlt_assert_fails(mml_batch_set_table(batch, NULL, v, NULL, 1), MML_E_ARG, "name");
    mmlt_assert_fails(mml_batch_set_table(batch, "a", v, NULL, 0), MML_E_ARG, "width");
    mmlt_assert_fails(mml_batch_set_table(batch, "a", NULL, NULL, 1), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_batch_set(batch, "a", v, (const int64_t[]){0, 1, 2, INT64_MAX}, SIZE_MAX / 2, NULL, 0),
                      MML_E_NOMEM, "too many");
}
END_TEST

START_TEST(an_unknown_modality_is_answered_with_those_there_are)
{
    mml_tokens t;

    mmlt_assert_fails(mml_batch_get(&t, batch, "a"), MML_E_NOT_FOUND, "(none)");
    mmlt_assert_ok(mml_batch_set_table(batch, "labs", (const float[]){1, 2, 3}, NULL, 1));
    mmlt_assert_fails(mml_batch_get(&t, batch, "lab"), MML_E_NOT_FOUND, "labs");
}
END_TEST

START_TEST(a_warm_batch_allocates_nothing)
{
    mmli_batch_part *a, *b, *again;
    float *values;

    mmlt_assert_ok(mmli_batch_reserve(&a, batch, "a", 100, 3, 1));
    mmlt_assert_ok(mmli_batch_reserve(&b, batch, "b", 50, 2, 0));
    values = batch->parts[1].values;
    mmlt_assert_ok(mmli_batch_reset(batch, 3));
    ck_assert_uint_eq(batch->n_parts, 0);
    mmli_alloc_fail_at(0);
    mmlt_assert_ok(mmli_batch_reserve(&again, batch, "b", 40, 2, 0)); /* in another order */
    ck_assert_ptr_eq(again->values, values);
    mmlt_assert_ok(mmli_batch_reserve(&again, batch, "a", 90, 3, 1));
    ck_assert_uint_eq(mmli_alloc_count(), 0);
    ck_assert_uint_eq(batch->n_parts, 2);
}
END_TEST

START_TEST(a_modality_not_read_again_is_gone)
{
    mmli_batch_part *part;
    mml_tokens t;

    mmlt_assert_ok(mml_batch_set_table(batch, "a", (const float[]){1, 2, 3}, NULL, 1));
    mmlt_assert_ok(mmli_batch_reset(batch, 1));
    mmlt_assert_ok(mmli_batch_reserve(&part, batch, "b", 1, 1, 0));
    mmlt_assert_fails(mml_batch_get(&t, batch, "a"), MML_E_NOT_FOUND, "b");
    ck_assert_uint_eq(mml_batch_size(batch), 1);
}
END_TEST

START_TEST(a_failed_allocation_leaves_a_batch_that_works)
{
    const float v[] = {1, 2, 3};
    mml_status st = MML_E_NOMEM;
    mml_tokens t;

    for (uint64_t k = 1; st != MML_OK; k++) {
        mml_batch *fresh;

        ck_assert_uint_le(k, 6);
        mmlt_assert_ok(mml_batch_new(&fresh, 3));
        mmli_alloc_fail_at(k);
        st = mml_batch_set(fresh, "a", v, (const int64_t[]){0, 1, 2, 3}, 1, v, 1);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        if (st != MML_OK)
            mmlt_assert_fails(mml_batch_get(&t, fresh, "a"), MML_E_NOT_FOUND, "(none)");
        mmlt_assert_ok(mml_batch_set(fresh, "a", v, (const int64_t[]){0, 1, 2, 3}, 1, v, 1));
        mmlt_assert_ok(mml_batch_get(&t, fresh, "a"));
        mml_batch_free(fresh);
    }
    mml_batch_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("batch");
    TCase *tc = tcase_create("batch");

    tcase_add_checked_fixture(tc, make, drop);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, tokens_set_are_the_tokens_got);
    tcase_add_test(tc, a_table_has_at_most_one_token_a_sample);
    tcase_add_test(tc, a_row_without_any_known_value_is_no_token);
    tcase_add_test(tc, a_later_call_replaces_the_tokens);
    tcase_add_test(tc, all_samples_may_lack_a_modality);
    tcase_add_test(tc, wrong_offsets_and_missing_arrays_are_refused);
    tcase_add_test(tc, an_unknown_modality_is_answered_with_those_there_are);
    tcase_add_test(tc, a_warm_batch_allocates_nothing);
    tcase_add_test(tc, a_modality_not_read_again_is_gone);
    tcase_add_test(tc, a_failed_allocation_leaves_a_batch_that_works);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
