/* test_own_file.c - which of our own files a file says to be. */
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/own_file.h"
#include "mmlego/data.h"
#include "tests/unit/raw_cohort.h"

static hid_t new_file(const char *name)
{
    const hid_t file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    ck_assert_int_ge(file, 0);
    return file;
}

static void make(const char *name, const char *format)
{
    const hid_t file = new_file(name);

    mmlt_assert_ok(mmli_h5_set_format(file, name, format, 1));
    H5Fclose(file);
}

static void is(const char *name, mml_file_kind kind)
{
    mml_file_kind found = MML_FILE_CHECKPOINT;

    mmlt_assert_ok(mml_file_kind_of(&found, mmlt_path(name)));
    ck_assert_int_eq(found, kind);
}

START_TEST(files_of_ours_are_known_by_their_mark)
{
    H5Fclose(mmlt_raw_cohort("c.h5"));
    is("c.h5", MML_FILE_COHORT);
    make("m.h5", MMLI_MODEL_FORMAT);
    is("m.h5", MML_FILE_MODEL);
    make("p.h5", MMLI_CHECKPOINT_FORMAT);
    is("p.h5", MML_FILE_CHECKPOINT);
}
END_TEST

START_TEST(other_files_are_of_others)
{
    hid_t file;

    make("f.h5", "mmlego");
    is("f.h5", MML_FILE_OTHER);
    file = new_file("n.h5");
    mmlt_assert_ok(mmli_h5_set_i64(file, "n.h5", "format", 3)); /* not even a text */
    H5Fclose(file);
    is("n.h5", MML_FILE_OTHER);
    H5Fclose(new_file("e.h5"));
    is("e.h5", MML_FILE_OTHER);
    mmlt_write("t.csv", "mmlego cohort\n");
    is("t.csv", MML_FILE_OTHER);
    mmlt_write("empty", "");
    is("empty", MML_FILE_OTHER);
    is("", MML_FILE_OTHER); /* the folder itself */
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
    mml_file_kind kind = MML_FILE_MODEL;
    char *bytes;
    size_t n;

    mmlt_assert_fails(mml_file_kind_of(&kind, mmlt_path("nowhere")), MML_E_IO, "nowhere: cannot be opened");
    ck_assert_int_eq(kind, MML_FILE_OTHER);
    mmlt_assert_fails(mml_file_kind_of(&kind, ""), MML_E_ARG, "a file name is needed");
    H5Fclose(mmlt_raw_cohort("c.h5"));
    bytes = mmlt_read(mmlt_path("c.h5"), &n);
    mmlt_write_bytes("c.h5", bytes, n / 2);
    mmlt_assert_fails(mml_file_kind_of(&kind, mmlt_path("c.h5")), MML_E_FORMAT, "c.h5: is damaged, truncated");
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("io/own_file");
    TCase *tc = tcase_create("kinds");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, files_of_ours_are_known_by_their_mark);
    tcase_add_test(tc, other_files_are_of_others);
    tcase_add_test(tc, what_cannot_be_read_is_an_error);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
