/* Replacing a file as a whole: what is there afterwards, with which permissions, and what is not. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/atomic.h"

static char folder[256];

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/mmlt-atomic-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *in_folder(const char *name)
{
    static char path[4][600];
    static unsigned next;
    char *p = path[next++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void assert_content(const char *path, const char *want)
{
    char text[100] = "";
    FILE *f = fopen(path, "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_le(fread(text, 1, sizeof text - 1, f), sizeof text - 1);
    fclose(f);
    ck_assert_str_eq(text, want);
}

/* Names in the folder but for . and .. */
static size_t count_files(void)
{
    DIR *d = opendir(folder);
    size_t n = 0;

    ck_assert_ptr_nonnull(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

static void remove_folder(void)
{
    DIR *d = opendir(folder);

    ck_assert_ptr_nonnull(d);
    ck_assert_int_eq(chmod(folder, 0700), 0);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            ck_assert_int_eq(remove(in_folder(e->d_name)), 0);
    closedir(d);
    ck_assert_int_eq(rmdir(folder), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat s;

    ck_assert_int_eq(stat(path, &s), 0);
    return s.st_mode & 07777;
}

START_TEST(a_new_file_appears_at_the_commit_with_the_umasks_permissions)
{
    const char *path = in_folder("new.h5");
    mmli_atomic *a = NULL;
    const mode_t mask = umask(027);

    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    umask(mask);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_str_ne(mmli_atomic_path(a), path);
    write_file(mmli_atomic_path(a), "model");
    mmlt_assert_ok(mmli_atomic_commit(a));
    assert_content(path, "model");
    ck_assert_uint_eq(mode_of(path), 0640);
    mmlt_assert_fails(mmli_atomic_commit(a), MML_E_INTERNAL, "twice");
    mmli_atomic_abort(a);
    assert_content(path, "model");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(an_old_file_is_untouched_until_the_commit_and_keeps_its_permissions)
{
    const char *path = in_folder("old.h5");
    mmli_atomic *a = NULL;

    write_file(path, "old");
    ck_assert_int_eq(chmod(path, 0604), 0);
    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    ck_assert_uint_eq(mode_of(mmli_atomic_path(a)), 0604);
    write_file(mmli_atomic_path(a), "new");
    assert_content(path, "old");
    mmlt_assert_ok(mmli_atomic_commit(a));
    mmli_atomic_abort(a);
    assert_content(path, "new");
    ck_assert_uint_eq(mode_of(path), 0604);
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(an_abort_leaves_the_old_file_and_nothing_else)
{
    const char *path = in_folder("old.h5");
    mmli_atomic *a = NULL;

    write_file(path, "old");
    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    write_file(mmli_atomic_path(a), "half");
    errno = 77;
    mmli_atomic_abort(a);
    ck_assert_int_eq(errno, 77);
    mmli_atomic_abort(NULL);
    assert_content(path, "old");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(a_link_stays_and_the_file_behind_it_is_replaced)
{
    const char *path = in_folder("latest.h5"), *real = in_folder("run1.h5");
    struct stat s;
    mmli_atomic *a = NULL;

    write_file(real, "old");
    ck_assert_int_eq(symlink("run1.h5", path), 0);
    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    write_file(mmli_atomic_path(a), "new");
    mmlt_assert_ok(mmli_atomic_commit(a));
    mmli_atomic_abort(a);
    ck_assert_int_eq(lstat(path, &s), 0);
    ck_assert(S_ISLNK(s.st_mode));
    assert_content(real, "new");
}
END_TEST

START_TEST(a_name_without_a_folder_is_in_the_current_one)
{
    char here[4096];
    mmli_atomic *a = NULL;

    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(folder), 0);
    mmlt_assert_ok(mmli_atomic_begin(&a, "plain.h5"));
    write_file(mmli_atomic_path(a), "x");
    mmlt_assert_ok(mmli_atomic_commit(a));
    mmli_atomic_abort(a);
    assert_content("plain.h5", "x");
    ck_assert_int_eq(chdir(here), 0);
}
END_TEST

START_TEST(targets_that_cannot_be_replaced_are_refused)
{
    mmli_atomic *a = NULL;

    mmlt_assert_fails(mmli_atomic_begin(&a, folder), MML_E_IO, "is a folder");
    ck_assert_ptr_null(a);
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("new/")), MML_E_IO, "name of a folder");
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("no/such.h5")), MML_E_IO, "does not exist; make it first");
    mmlt_assert_fails(mmli_atomic_begin(&a, "/dev/null"), MML_E_IO, "is a device");
    mmlt_assert_fails(mmli_atomic_begin(&a, ""), MML_E_ARG, "empty");
    mmlt_assert_fails(mmli_atomic_begin(&a, NULL), MML_E_ARG, "empty");
    ck_assert_int_eq(symlink("nowhere", in_folder("dangling")), 0);
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("dangling")), MML_E_IO, "link to a file that does not exist");
    write_file(in_folder("file"), "");
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("file/below.h5")), MML_E_IO, "Not a directory");
    ck_assert_ptr_null(a);
    ck_assert_uint_eq(count_files(), 2);
}
END_TEST

START_TEST(write_protection_is_respected)
{
    mmli_atomic *a = NULL;

    if (geteuid() == 0) {
        printf("write_protection_is_respected: SKIPPED, root may write everywhere\n");
        return;
    }
    write_file(in_folder("precious"), "kept");
    ck_assert_int_eq(chmod(in_folder("precious"), 0444), 0);
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("precious")), MML_E_IO, "write-protected");
    ck_assert_int_eq(chmod(folder, 0500), 0);
    mmlt_assert_fails(mmli_atomic_begin(&a, in_folder("new")), MML_E_IO, "Permission denied");
}
END_TEST

START_TEST(a_new_version_that_vanished_is_an_error_and_the_old_one_stays)
{
    const char *path = in_folder("old.h5");
    mmli_atomic *a = NULL;

    write_file(path, "old");
    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    ck_assert_int_eq(unlink(mmli_atomic_path(a)), 0);
    mmlt_assert_fails(mmli_atomic_commit(a), MML_E_IO, "its new version is gone");
    mmli_atomic_abort(a);
    assert_content(path, "old");
}
END_TEST

START_TEST(a_rename_that_fails_leaves_no_file_behind)
{
    const char *path = in_folder("target");
    mmli_atomic *a = NULL;

    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    ck_assert_int_eq(mkdir(path, 0700), 0); /* somebody makes a folder of that name meanwhile */
    mmlt_assert_fails(mmli_atomic_commit(a), MML_E_IO, "could not be replaced");
    mmli_atomic_abort(a);
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(two_writers_of_one_file_do_not_meet)
{
    const char *path = in_folder("shared.h5");
    mmli_atomic *a = NULL, *b = NULL;

    mmlt_assert_ok(mmli_atomic_begin(&a, path));
    mmlt_assert_ok(mmli_atomic_begin(&b, path));
    ck_assert_str_ne(mmli_atomic_path(a), mmli_atomic_path(b));
    write_file(mmli_atomic_path(a), "first");
    write_file(mmli_atomic_path(b), "second");
    mmlt_assert_ok(mmli_atomic_commit(b));
    assert_content(path, "second");
    mmlt_assert_ok(mmli_atomic_commit(a));
    assert_content(path, "first");
    mmli_atomic_abort(a);
    mmli_atomic_abort(b);
}
END_TEST

START_TEST(without_memory_no_file_is_left)
{
    mmli_atomic *a = NULL;
    uint64_t k = 1;

    for (;; k++) {
        mmli_alloc_fail_at(k);
        if (mmli_atomic_begin(&a, in_folder("new.h5")) == MML_OK)
            break;
        ck_assert_int_eq(mml_last_status(), MML_E_NOMEM);
        ck_assert_uint_eq(count_files(), 0);
    }
    mmli_alloc_fail_at(0);
    ck_assert_uint_gt(k, 3);
    mmli_atomic_abort(a);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atomic");
    TCase *tc = tcase_create("atomic");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, a_new_file_appears_at_the_commit_with_the_umasks_permissions);
    tcase_add_test(tc, an_old_file_is_untouched_until_the_commit_and_keeps_its_permissions);
    tcase_add_test(tc, an_abort_leaves_the_old_file_and_nothing_else);
    tcase_add_test(tc, a_link_stays_and_the_file_behind_it_is_replaced);
    tcase_add_test(tc, a_name_without_a_folder_is_in_the_current_one);
    tcase_add_test(tc, targets_that_cannot_be_replaced_are_refused);
    tcase_add_test(tc, write_protection_is_respected);
    tcase_add_test(tc, a_new_version_that_vanished_is_an_error_and_the_old_one_stays);
    tcase_add_test(tc, a_rename_that_fails_leaves_no_file_behind);
    tcase_add_test(tc, two_writers_of_one_file_do_not_meet);
    tcase_add_test(tc, without_memory_no_file_is_left);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
