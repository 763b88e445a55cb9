/* HDF5 helpers: what they write is what they read, what they refuse, and that the application's HDF5 is left alone. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/h5.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

/* A file made with what is tested, open for writing. */
static hid_t create(const char *name)
{
    hid_t file;

    mmlt_assert_ok(mmli_h5_create(&file, mmlt_path(name), name));
    return file;
}

static hid_t open_again(hid_t file, const char *name)
{
    mmlt_assert_ok(mmli_h5_finish(&file, name));
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path(name)));
    return file;
}

START_TEST(arrays_come_back_as_they_were)
{
    const float f[] = {1.5f, -2, 3, 4, 5, 6};
    const double d[] = {1e300};
    const int64_t i[] = {-5, INT64_MAX};
    const uint8_t u[] = {0, 255, 7};
    float f2[6];
    int64_t *i2;
    uint8_t u2[3];
    double d2;
    size_t n, dims[2];
    hid_t file = create("a.h5"), group;

    mmlt_assert_ok(mmli_h5_group_new(&group, file, "a.h5", "g"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, (size_t[]){2, 3}, f, group, "a.h5", "f"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F64, 0, NULL, d, group, "a.h5", "d"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_I64, 1, (size_t[]){2}, i, file, "a.h5", "i"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_U8, 1, (size_t[]){3}, u, file, "a.h5", "u"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, (size_t[]){0, 3}, NULL, file, "a.h5", "none"));
    mmli_h5_drop(group);
    file = open_again(file, "a.h5");
    mmlt_assert_ok(mmli_h5_get(f2, MMLI_H5_F32, 2, (size_t[]){2, 3}, file, "a.h5", "g/f"));
    mmlt_assert_same_bits(f2, f, sizeof f);
    mmlt_assert_ok(mmli_h5_get(&d2, MMLI_H5_F64, 0, NULL, file, "a.h5", "/g/d"));
    ck_assert(d2 == d[0]);
    mmlt_assert_ok(mmli_h5_get_new(&i2, MMLI_H5_I64, 1, &n, file, "a.h5", "i"));
    ck_assert_uint_eq(n, 2);
    mmlt_assert_same_bits(i2, i, sizeof i);
    mmli_free(i2);
    mmlt_assert_ok(mmli_h5_get(u2, MMLI_H5_U8, 1, (size_t[]){3}, file, "a.h5", "u"));
    mmlt_assert_same_bits(u2, u, sizeof u);
    mmlt_assert_ok(mmli_h5_get_new(&i2, MMLI_H5_F32, 2, dims, file, "a.h5", "none"));
    ck_assert_uint_eq(dims[0], 0);
    mmli_free(i2);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(numbers_are_converted_from_other_types)
{
    const int16_t small[] = {-3, 4};
    const double wide[] = {0.5, 2};
    float f[2];
    int64_t i[2];
    uint8_t flags[2];
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t boolean = H5Tenum_create(H5T_NATIVE_INT8); /* as h5py writes them */

    H5Tenum_insert(boolean, "FALSE", &(int8_t){0});
    H5Tenum_insert(boolean, "TRUE", &(int8_t){1});
    mmlt_h5_array(file, "small", H5T_STD_I16BE, H5T_NATIVE_INT16, 1, (hsize_t[]){2}, small);
    mmlt_h5_array(file, "wide", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, wide);
    mmlt_h5_array(file, "flags", boolean, boolean, 1, (hsize_t[]){2}, (int8_t[]){1, 0});
    H5Tclose(boolean);
    file = open_again(file, "a.h5");
    mmlt_assert_ok(mmli_h5_get(f, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "small"));
    ck_assert(f[0] == -3 && f[1] == 4);
    mmlt_assert_ok(mmli_h5_get(i, MMLI_H5_I64, 1, (size_t[]){2}, file, "a.h5", "small"));
    ck_assert(i[0] == -3 && i[1] == 4);
    mmlt_assert_ok(mmli_h5_get(f, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "wide"));
    ck_assert(f[0] == 0.5f && f[1] == 2);
    mmlt_assert_ok(mmli_h5_get(flags, MMLI_H5_U8, 1, (size_t[]){2}, file, "a.h5", "flags"));
    ck_assert(flags[0] == 1 && flags[1] == 0);
    mmlt_assert_fails(mmli_h5_get(i, MMLI_H5_I64, 1, (size_t[]){2}, file, "a.h5", "wide"), MML_E_FORMAT,
                      "a.h5: wide is of type float, integers are needed");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(texts_of_every_kind_are_read)
{
    const char *const texts[] = {"TCGA-01", "", "\xC3\xA9t\xC3\xA9"};
    const char fixed[3][6] = {"ab    ", "abcdef", "      "};
    char **back;
    size_t n;
    hid_t file = create("a.h5"), type;

    mmlt_h5_texts(file, "variable", texts, 3);
    mmlt_assert_ok(mmli_h5_put_texts(texts, 0, file, "a.h5", "none"));
    for (int pad = H5T_STR_NULLTERM; pad <= H5T_STR_SPACEPAD; pad++) {
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 6);
        H5Tset_strpad(type, (H5T_str_t)pad);
        mmlt_h5_array(file, pad == H5T_STR_NULLTERM ? "term" : pad == H5T_STR_NULLPAD ? "null" : "space", type, type, 1,
                      (hsize_t[]){3}, fixed);
        H5Tclose(type);
    }
    file = open_again(file, "a.h5");
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", "variable"));
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(back[i], texts[i]);
    mmli_h5_texts_free(back, n);
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", "space"));
    ck_assert_str_eq(back[0], "ab");
    ck_assert_str_eq(back[1], "abcdef");
    ck_assert_str_eq(back[2], "");
    mmli_h5_texts_free(back, n);
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", "null"));
    ck_assert_str_eq(back[0], "ab    ");
    ck_assert_str_eq(back[1], "abcdef");
    mmli_h5_texts_free(back, n);
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", "none"));
    ck_assert_uint_eq(n, 0);
    mmli_h5_texts_free(back, n);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(texts_are_written_with_one_length_unless_that_wastes_much)
{
    static const char *ids[1000];
    char *note = NULL, **back;
    size_t n;
    hid_t file = create("a.h5"), set, type;

    mmlt_assert_ok(mmli_calloc(&note, 100001, 1));
    memset(note, 'x', 100000);
    for (size_t i = 0; i < 1000; i++)
        ids[i] = i % 2 == 0 ? "TCGA-OR-A5J1" : "\xC3\xA9";
    for (int much = 0; much < 2; much++) {
        const char *name = much ? "notes" : "ids";

        ids[3] = much ? note : NULL;
        mmlt_assert_ok(mmli_h5_put_texts(ids, 1000, file, "a.h5", name));
        mmlt_assert_ok(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", name));
        type = H5Dget_type(set);
        ck_assert_int_eq(H5Tis_variable_str(type) > 0, much);
        ck_assert(much || H5Tget_size(type) == 12);
        H5Tclose(type);
        mmli_h5_drop(set);
        file = open_again(file, "a.h5");
        mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", name));
        ck_assert_uint_eq(n, 1000);
        for (size_t i = 0; i < n; i++)
            ck_assert_str_eq(back[i], ids[i] == NULL ? "" : ids[i]);
        mmli_h5_texts_free(back, n);
        mmli_h5_drop(file);
        file = create("a.h5");
    }
    mmli_free(note);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(attributes_come_back_and_are_replaced)
{
    char *text, *big = NULL;
    int64_t i;
    uint64_t u;
    double d;
    bool has;
    hid_t file = create("a.h5");

    mmlt_assert_ok(mmli_calloc(&big, 200001, 1));
    memset(big, 'x', 200000); /* beyond the 64 KiB of the oldest file format */
    mmlt_assert_ok(mmli_h5_set_text(file, "a.h5", "t", "first"));
    mmlt_assert_ok(mmli_h5_set_text(file, "a.h5", "t", "second"));
    mmlt_assert_ok(mmli_h5_set_text(file, "a.h5", "big", big));
    mmlt_assert_ok(mmli_h5_set_i64(file, "a.h5", "i", INT64_MIN));
    mmlt_assert_ok(mmli_h5_set_u64(file, "a.h5", "u", UINT64_MAX));
    mmlt_assert_ok(mmli_h5_set_f64(file, "a.h5", "d", 0.1));
    file = open_again(file, "a.h5");
    mmlt_assert_ok(mmli_h5_attr_text(&text, file, "a.h5", "t"));
    ck_assert_str_eq(text, "second");
    mmli_free(text);
    mmlt_assert_ok(mmli_h5_attr_text(&text, file, "a.h5", "big"));
    ck_assert_str_eq(text, big);
    mmli_free(text);
    mmli_free(big);
    mmlt_assert_ok(mmli_h5_attr_i64(&i, file, "a.h5", "i"));
    ck_assert(i == INT64_MIN);
    mmlt_assert_ok(mmli_h5_attr_u64(&u, file, "a.h5", "u"));
    ck_assert(u == UINT64_MAX);
    mmlt_assert_ok(mmli_h5_attr_f64(&d, file, "a.h5", "d"));
    ck_assert(d == 0.1);
    mmlt_assert_ok(mmli_h5_has_attr(&has, file, "a.h5", "d"));
    ck_assert(has);
    mmlt_assert_ok(mmli_h5_has_attr(&has, file, "a.h5", "e"));
    ck_assert(!has);
    mmlt_assert_fails(mmli_h5_attr_i64(&i, file, "a.h5", "e"), MML_E_FORMAT, "a.h5: has no attribute e");
    mmlt_assert_fails(mmli_h5_attr_i64(&i, file, "a.h5", "d"), MML_E_FORMAT, "an integer is needed");
    mmlt_assert_fails(mmli_h5_attr_f64(&d, file, "a.h5", "t"), MML_E_FORMAT, "a number is needed");
    mmlt_assert_fails(mmli_h5_attr_text(&text, file, "a.h5", "d"), MML_E_FORMAT, "text is needed");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(members_come_in_the_order_they_were_made)
{
    static const char *const names[] = {"zeta", "alpha", "mid"};
    char **members;
    size_t n;
    hid_t file = create("a.h5"), group;

    for (size_t i = 0; i < 3; i++) {
        mmlt_assert_ok(mmli_h5_group_new(&group, file, "a.h5", names[i]));
        mmli_h5_drop(group);
    }
    mmlt_assert_ok(mmli_h5_members(&members, &n, file, "a.h5", NULL));
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(members[i], names[i]);
    mmli_h5_texts_free(members, n);
    mmlt_assert_ok(mmli_h5_members(&members, &n, file, "a.h5", "mid"));
    ck_assert_uint_eq(n, 0);
    mmli_h5_texts_free(members, n);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(equal_content_is_equal_bytes)
{
    char *bytes[2];
    size_t n[2];

    for (int k = 0; k < 2; k++) {
        const char *name = k == 0 ? "a.h5" : "b.h5";
        hid_t file = create(name), group;

        mmlt_assert_ok(mmli_h5_group_new(&group, file, name, "g"));
        mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 1, (size_t[]){2}, (float[]){1, 2}, group, name, "x"));
        mmlt_assert_ok(mmli_h5_put_texts((const char *const[]){"a", "b"}, 2, group, name, "t"));
        mmlt_assert_ok(mmli_h5_set_text(group, name, "kind", "k"));
        mmli_h5_drop(group);
        mmlt_assert_ok(mmli_h5_finish(&file, name));
        bytes[k] = mmlt_read(mmlt_path(name), &n[k]);
        if (k == 0)
            sleep(1); /* time stamps count seconds */
    }
    ck_assert_uint_eq(n[0], n[1]);
    mmlt_assert_same_bits(bytes[0], bytes[1], n[0]);
    free(bytes[0]);
    free(bytes[1]);
}
END_TEST

static int printed;

static herr_t count_print(hid_t stack, void *user)
{
    (void)stack;
    ck_assert_ptr_eq(user, &printed);
    printed++;
    return 0;
}

START_TEST(the_applications_error_handler_is_silent_inside_and_back_after)
{
    H5E_auto2_t handler;
    hid_t file;
    void *user;

    ck_assert_int_ge(H5Eset_auto2(H5E_DEFAULT, count_print, &printed), 0);
    mmlt_write("t.h5", "not HDF5, though long enough to hold a superblock if it were one");
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("t.h5")), MML_E_FORMAT, "is not an HDF5 file");
    ck_assert_int_eq(printed, 0);
    ck_assert_int_ge(H5Eget_auto2(H5E_DEFAULT, &handler, &user), 0);
    ck_assert(handler == count_print && user == &printed);
    ck_assert_int_lt(H5Fopen(mmlt_path("none.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    ck_assert_int_eq(printed, 1); /* the application's own failures are its own */
    mmli_h5_lock();
    mmli_h5_lock(); /* recursive */
    ck_assert_int_lt(H5Fopen(mmlt_path("none.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    ck_assert_int_lt(H5Fopen(mmlt_path("none.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    ck_assert_int_eq(printed, 1);
}
END_TEST

static void *read_many(void *name)
{
    for (int i = 0; i < 50; i++) {
        float x[2];
        hid_t file;
        size_t n;
        char **texts;

        if (mmli_h5_open(&file, name) != MML_OK ||
            mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, name, "x") != MML_OK || x[1] != 2 ||
            mmli_h5_get_texts(&texts, &n, file, name, "t") != MML_OK || strcmp(texts[0], "a") != 0)
            return name;
        mmli_h5_texts_free(texts, n);
        mmli_h5_drop(file);
    }
    return NULL;
}

START_TEST(several_threads_may_read_files)
{
    pthread_t thread[4];
    char names[4][16], paths[4][512];
    void *failed;

    for (int i = 0; i < 4; i++) {
        hid_t file;

        snprintf(names[i], sizeof names[i], "%d.h5", i / 2); /* two share a file */
        snprintf(paths[i], sizeof paths[i], "%s", mmlt_path(names[i]));
        if (i % 2 == 0) {
            file = create(names[i]);
            mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 1, (size_t[]){2}, (float[]){1, 2}, file, names[i], "x"));
            mmlt_assert_ok(mmli_h5_put_texts((const char *const[]){"a"}, 1, file, names[i], "t"));
            mmlt_assert_ok(mmli_h5_finish(&file, names[i]));
        }
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_many, paths[i]), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(thread[i], &failed), 0);
        ck_assert_msg(failed == NULL, "%s", (const char *)failed);
    }
}
END_TEST

/* _i: of the file nothing is left, half is. A disk that gives no more and a file that is damaged are told apart. */
START_TEST(a_file_that_becomes_shorter_while_it_is_read_is_said_to_do_so)
{
    float x[1000] = {0}, y[1000];
    const size_t n = 1000;
    hid_t file = create("s.h5");
    mml_status st;

    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 1, &n, x, file, "s.h5", "x"));
    file = open_again(file, "s.h5");
    ck_assert_int_eq(truncate(mmlt_path("s.h5"), _i ? 2000 : 0), 0);
    st = mmli_h5_get(y, MMLI_H5_F32, 1, &n, file, "s.h5", "x");
    ck_assert_int_ne(st, MML_OK); /* HDF5's own driver would give zeros */
    mmlt_assert_fails(mmli_h5_guard_verdict(st, file, "s.h5"), MML_E_IO, "s.h5: has become shorter while it was read");
    mmlt_assert_fails(mmli_h5_guard_trouble(file, "s.h5"), MML_E_IO, "shorter");
    mmli_h5_drop(file);
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("s.h5")), MML_E_FORMAT, "s.h5"); /* now it is only a damaged file */
}
END_TEST

START_TEST(a_file_that_is_being_written_is_said_to_be_so)
{
    hid_t file = create("w.h5");
    int fd;

    mmlt_assert_ok(mmli_h5_finish(&file, "w.h5"));
    fd = open(mmlt_path("w.h5"), O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0); /* as HDF5 does where it writes */
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("w.h5")), MML_E_IO, "w.h5: is being written by another program");
    close(fd);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("w.h5")));
    mmli_h5_drop(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5");
    TCase *good = tcase_create("round trips"), *lock = tcase_create("lock");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(good, 60);
    tcase_add_checked_fixture(lock, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(lock, 60);
    tcase_add_test(good, arrays_come_back_as_they_were);
    tcase_add_test(good, numbers_are_converted_from_other_types);
    tcase_add_test(good, texts_of_every_kind_are_read);
    tcase_add_test(good, texts_are_written_with_one_length_unless_that_wastes_much);
    tcase_add_test(good, attributes_come_back_and_are_replaced);
    tcase_add_test(good, members_come_in_the_order_they_were_made);
    tcase_add_test(good, equal_content_is_equal_bytes);
    tcase_add_test(lock, the_applications_error_handler_is_silent_inside_and_back_after);
    tcase_add_test(lock, several_threads_may_read_files);
    tcase_add_loop_test(good, a_file_that_becomes_shorter_while_it_is_read_is_said_to_do_so, 0, 2);
    tcase_add_test(good, a_file_that_is_being_written_is_said_to_be_so);
    suite_add_tcase(s, good);
    suite_add_tcase(s, lock);
    return mmlt_main(s);
}
