/* A file written as a stream: what is there afterwards, and what is said where it did not get there. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/output.h"

/* Bytes that a file may have; more than that, which a stream keeps back until it is closed; more than it keeps back. */
enum { ROOM = 100, FEW = 1000, MORE = 1 << 16 };

static void assert_content(const char *name, const char *want)
{
    size_t n;
    char *text = mmlt_read(mmlt_path(name), &n);

    ck_assert_str_eq(text, want);
    free(text);
}

START_TEST(file_that_is_ended_well_takes_the_place_of_the_old_one)
{
    mmli_output o = {0};

    mmlt_write("a", "old");
    ck_assert_int_eq(mmli_output_begin(&o, mmlt_path("a")), MML_OK);
    assert_content("a", "old");
    fputs("new", o.f);
    ck_assert_int_eq(mmli_output_put(&o, " text", 5), MML_OK);
    ck_assert_int_eq(mmli_output_check(&o), MML_OK);
    ck_assert_int_eq(mmli_output_end(&o, MML_OK), MML_OK);
    assert_content("a", "new text");
    ck_assert_uint_eq(mmlt_folder_files(), 1);
}
END_TEST

START_TEST(failure_of_who_writes_is_passed_on_and_leaves_the_old_file)
{
    mmli_output o = {0};

    mmlt_write("a", "old");
    ck_assert_int_eq(mmli_output_begin(&o, mmlt_path("a")), MML_OK);
    fputs("new", o.f);
    ck_assert_int_eq(mmli_output_end(&o, MML_E_DATA), MML_E_DATA);
    assert_content("a", "old");
    ck_assert_uint_eq(mmlt_folder_files(), 1);
}
END_TEST

START_TEST(output_that_could_not_be_begun_may_be_ended)
{
    mmli_output o = {0};

    ck_assert_int_eq(mmli_output_end(&o, MML_E_ARG), MML_E_ARG);
    mmlt_assert_fails(mmli_output_begin(&o, mmlt_path("none/a")), MML_E_IO, "does not exist");
    ck_assert_int_eq(mmli_output_end(&o, MML_E_IO), MML_E_IO);
    ck_assert_uint_eq(mmlt_folder_files(), 0);
}
END_TEST

/* ---- no room ------------------------------------------------------------------------------------------------------------------ */

static void limit(rlim_t bytes)
{
    struct rlimit now;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &now), 0);
    now.rlim_cur = bytes == 0 ? now.rlim_max : bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &now), 0);
}

static char *many(void)
{
    char *bytes = malloc(MORE);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', MORE);
    return bytes;
}

/* How the failure is noticed. */
enum { BY_PUT, BY_CHECK, AT_THE_END, BY_CLOSING, WAYS };

static mml_status write_more(mmli_output *o, const char *bytes, int way)
{
    if (way == BY_PUT)
        return mmli_output_put(o, bytes, MORE);
    (void)!fwrite(bytes, 1, way == BY_CLOSING ? FEW : MORE, o->f);
    return way == BY_CHECK ? mmli_output_check(o) : MML_OK;
}

START_TEST(disk_without_room_is_said_with_the_file_and_the_reason)
{
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN); /* write() then fails with EFBIG */
    char *bytes = many(), *path = NULL;
    mmli_output o = {0};
    mml_status st;

    mmlt_write("a", "old");
    ck_assert_int_eq(mmli_strdup(&path, mmlt_path("a")), MML_OK);
    ck_assert_int_eq(mmli_output_begin(&o, path), MML_OK);
    limit(ROOM);
    st = write_more(&o, bytes, _i);
    ck_assert_int_eq(st, _i == BY_PUT || _i == BY_CHECK ? MML_E_IO : MML_OK);
    st = mmli_output_end(&o, st);
    limit(0);
    signal(SIGXFSZ, before);
    ck_assert_int_eq(st, MML_E_IO);
    ck_assert_msg(strstr(mml_last_error(), path) == mml_last_error() &&
                      strstr(mml_last_error(), ": cannot be written: File too large") != NULL, "%s", mml_last_error());
    assert_content("a", "old");
    ck_assert_uint_eq(mmlt_folder_files(), 1);
    mmli_free(path);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("output");
    TCase *tc = tcase_create("output");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, file_that_is_ended_well_takes_the_place_of_the_old_one);
    tcase_add_test(tc, failure_of_who_writes_is_passed_on_and_leaves_the_old_file);
    tcase_add_test(tc, output_that_could_not_be_begun_may_be_ended);
    tcase_add_loop_test(tc, disk_without_room_is_said_with_the_file_and_the_reason, 0, WAYS);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
