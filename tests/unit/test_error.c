/* Messages and statuses: what error.h and base.h promise. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mmlego/base.h"
#include "tests/support/mmlt.h"
#include "util/error.h"

START_TEST(a_failure_gives_its_status_and_keeps_its_text)
{
    ck_assert_int_eq(mmli_fail(MML_E_IO, "%s: line %d", "a.csv", 7), MML_E_IO);
    ck_assert_str_eq(mml_last_error(), "a.csv: line 7");
    ck_assert_int_eq(mml_last_status(), MML_E_IO);
}
END_TEST

START_TEST(before_the_first_failure_there_is_no_text)
{
    /* Each test runs in a process of its own, or after others (CK_FORK=no): then not checked. */
    if (mml_last_status() != MML_OK)
        return;
    ck_assert_str_eq(mml_last_error(), "");
}
END_TEST

START_TEST(a_message_may_contain_the_message_before_it)
{
    ck_assert_int_eq(mmli_fail(MML_E_DATA, "inner"), MML_E_DATA);
    ck_assert_int_eq(mmli_fail(MML_E_FORMAT, "outer(%s)", mml_last_error()), MML_E_FORMAT);
    ck_assert_str_eq(mml_last_error(), "outer(inner)");
}
END_TEST

START_TEST(a_prefix_goes_before_the_message_and_replaces_the_status)
{
    ck_assert_int_eq(mmli_fail(MML_E_DATA, "row 3"), MML_E_DATA);
    ck_assert_int_eq(mmli_fail_prefix(MML_E_FORMAT, "%s.csv", "b"), MML_E_FORMAT);
    ck_assert_str_eq(mml_last_error(), "b.csv: row 3");
    ck_assert_int_eq(mml_last_status(), MML_E_FORMAT);
}
END_TEST

START_TEST(a_failure_cannot_be_called_ok)
{
    ck_assert_int_eq(mmli_fail(MML_OK, "a slip"), MML_E_INTERNAL);
    ck_assert_int_eq(mml_last_status(), MML_E_INTERNAL);
}
END_TEST

START_TEST(a_long_message_ends_in_dots_and_never_inside_a_character)
{
    char text[8192], expected[8];
    size_t n;

    for (size_t shift = 0; shift < 3; shift++) { /* the euro sign has three bytes: cut at each of them */
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        ck_assert_int_eq(mmli_fail(MML_E_DATA, "%s", text), MML_E_DATA);
        n = strlen(mml_last_error());
        ck_assert_uint_gt(n, 1000);
        memcpy(expected, mml_last_error() + n - 6, 7);
        ck_assert_str_eq(expected, "\xe2\x82\xac...");
    }
}
END_TEST

START_TEST(a_message_of_just_the_buffer_is_not_cut)
{
    char text[2048];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(mmli_fail(MML_E_DATA, "%s", text), MML_E_DATA);
    ck_assert_str_eq(mml_last_error(), text);
}
END_TEST

START_TEST(control_characters_out_of_files_do_not_reach_a_terminal)
{
    ck_assert_int_eq(mmli_fail(MML_E_DATA, "id \x1b[31m\a\x7f\r\n\tok \xc3\xa9"), MML_E_DATA);
    ck_assert_str_eq(mml_last_error(), "id ?[31m???\n\tok \xc3\xa9");
}
END_TEST

static void *fail_elsewhere(void *seen)
{
    *(mml_status *)seen = mml_last_status();
    return mmli_fail(MML_E_IO, "of the other thread") == MML_E_IO ? seen : NULL;
}

START_TEST(each_thread_has_a_message_of_its_own)
{
    pthread_t thread;
    mml_status seen = MML_E_INTERNAL;
    void *result = NULL;

    ck_assert_int_eq(mmli_fail(MML_E_SHAPE, "of this thread"), MML_E_SHAPE);
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, &seen), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_nonnull(result);
    ck_assert_int_eq(seen, MML_OK);
    ck_assert_str_eq(mml_last_error(), "of this thread");
    ck_assert_int_eq(mml_last_status(), MML_E_SHAPE);
}
END_TEST

static mml_status steps(int fails_at, int *cleaned)
{
    mml_status st = MML_OK;

    MML_TRY(fails_at == 1 ? mmli_fail(MML_E_IO, "first") : MML_OK);
    MML_CHECK(fails_at != 2, MML_E_DATA, "second of %d", 2);
out:
    ++*cleaned;
    return st;
}

START_TEST(try_and_check_leave_through_the_label_out)
{
    int cleaned = 0;

    ck_assert_int_eq(steps(0, &cleaned), MML_OK);
    ck_assert_int_eq(steps(1, &cleaned), MML_E_IO);
    ck_assert_str_eq(mml_last_error(), "first");
    ck_assert_int_eq(steps(2, &cleaned), MML_E_DATA);
    ck_assert_str_eq(mml_last_error(), "second of 2");
    ck_assert_int_eq(cleaned, 3);
}
END_TEST

START_TEST(every_status_has_a_name_of_its_own)
{
    for (int i = MML_OK; i <= MML_E_INTERNAL; i++) {
        ck_assert_str_ne(mml_status_name((mml_status)i), "unknown");
        for (int j = MML_OK; j < i; j++)
            ck_assert_str_ne(mml_status_name((mml_status)i), mml_status_name((mml_status)j));
    }
    ck_assert_str_eq(mml_status_name((mml_status)999), "unknown");
}
END_TEST

START_TEST(the_version_is_three_numbers)
{
    int major, minor, micro, end = 0;

    ck_assert_int_eq(sscanf(mml_version(), "%d.%d.%d%n", &major, &minor, &micro, &end), 3);
    ck_assert_uint_eq((size_t)end, strlen(mml_version()));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tc = tcase_create("error");

    tcase_add_test(tc, before_the_first_failure_there_is_no_text);
    tcase_add_test(tc, a_failure_gives_its_status_and_keeps_its_text);
    tcase_add_test(tc, a_message_may_contain_the_message_before_it);
    tcase_add_test(tc, a_prefix_goes_before_the_message_and_replaces_the_status);
    tcase_add_test(tc, a_failure_cannot_be_called_ok);
    tcase_add_test(tc, a_long_message_ends_in_dots_and_never_inside_a_character);
    tcase_add_test(tc, a_message_of_just_the_buffer_is_not_cut);
    tcase_add_test(tc, control_characters_out_of_files_do_not_reach_a_terminal);
    tcase_add_test(tc, each_thread_has_a_message_of_its_own);
    tcase_add_test(tc, try_and_check_leave_through_the_label_out);
    tcase_add_test(tc, every_status_has_a_name_of_its_own);
    tcase_add_test(tc, the_version_is_three_numbers);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
