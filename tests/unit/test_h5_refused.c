/* HDF5 files that are not what they should be: each refused with a message that names file and object. */
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "tests/unit/folder.h"

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

START_TEST(wrong_shapes_are_named_with_both)
{
    float x[6] = {0};
    size_t n;
    hid_t file = create("a.h5"), set;

    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, (size_t[]){2, 3}, (float[6]){0}, file, "a.h5", "f"));
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 2, (size_t[]){3, 2}, file, "a.h5", "f"), MML_E_SHAPE,
                      "a.h5: f has shape (2, 3), (3, 2) needed");
    mmlt_assert_fails(mmli_h5_get_new(&(float *){NULL}, MMLI_H5_F32, 1, &n, file, "a.h5", "f"), MML_E_SHAPE,
                      "f has 2 dimensions, 1 needed");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){6}, file, "a.h5", "g"), MML_E_FORMAT, "a.h5: has no g");
    mmlt_assert_fails(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", "."), MML_E_FORMAT, "a data set is needed");
    mmlt_assert_fails(mmli_h5_group(&set, file, "a.h5", "f"), MML_E_FORMAT, "f: a group is needed");
    mmlt_h5_array(file, "deep", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 5, (hsize_t[]){1, 1, 1, 1, 1}, x);
    mmlt_assert_fails(mmli_h5_shape(&n, &(int){0}, file, "a.h5", "deep"), MML_E_SHAPE, "deep has 5 dimensions");
    mmlt_assert_ok(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", "f"));
    mmlt_assert_fails(mmli_h5_get_rows(x, MMLI_H5_F32, 0, 1, 4, set, "a.h5", "f"), MML_E_SHAPE, "3 values, 4 needed");
    mmlt_assert_fails(mmli_h5_get_rows(x, MMLI_H5_F32, 1, 2, 3, set, "a.h5", "f"), MML_E_SHAPE, "2 rows, rows 1 to 2");
    mmli_h5_drop(set);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(files_that_are_none_are_called_by_their_name)
{
    hid_t file = create("a.h5");
    char *bytes;
    size_t n;

    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 1, (size_t[]){1000}, (float[1000]){0}, file, "a.h5", "f"));
    mmlt_assert_ok(mmli_h5_finish(&file, "a.h5"));
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("none.h5")), MML_E_IO, "none.h5: cannot be opened");
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path(".")), MML_E_IO, "a file is needed");
    mmlt_assert_fails(mmli_h5_open(&file, ""), MML_E_ARG, "empty");
    mmlt_write("t.h5", "id,label\n");
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("t.h5")), MML_E_FORMAT, "t.h5: is not an HDF5 file");
    bytes = mmlt_read(mmlt_path("a.h5"), &n);
    mmlt_write_bytes("cut.h5", bytes, n / 2);
    mmlt_assert_fails(mmli_h5_open(&file, mmlt_path("cut.h5")), MML_E_FORMAT, "cut.h5: is damaged, truncated");
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "(HDF5: truncated file: eof = ")); /* the reason outlives the closing */
    ck_assert_int_lt(file, 0);
    free(bytes);
    mmlt_assert_fails(mmli_h5_create(&file, mmlt_path("no/such/folder.h5"), "folder.h5"), MML_E_IO, "folder.h5");
}
END_TEST

START_TEST(links_and_foreign_storage_are_refused)
{
    float x[2] = {1, 2};
    mmli_h5_kind kind;
    hid_t file, list, space, from, to;
    bool there;

    file = H5Fcreate(mmlt_path("other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mmlt_h5_array(file, "secret", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, (hsize_t[]){2}, x);
    H5Fclose(file);
    mmlt_write_bytes("secret.raw", x, sizeof x);
    file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/elsewhere", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(mmlt_path("other.h5"), "/secret", file, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(mmlt_path("other.h5"), "/", file, "folder", H5P_DEFAULT, H5P_DEFAULT);
    space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, mmlt_path("secret.raw"), 0, sizeof x);
    H5Dclose(H5Dcreate2(file, "raw", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    from = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    to = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    H5Pset_virtual(list, to, mmlt_path("other.h5"), "/secret", from);
    H5Dclose(H5Dcreate2(file, "virtual", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(from);
    H5Sclose(to);
    H5Sclose(space);
    H5Pclose(list);
    file = open_again(file, "a.h5");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "soft"), MML_E_FORMAT, "a soft link");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "external"), MML_E_FORMAT,
                      "external is an external link");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "folder/secret"), MML_E_FORMAT,
                      "folder is an external link");
    mmlt_assert_fails(mmli_h5_exists(&there, file, "a.h5", "soft"), MML_E_FORMAT, "a soft link");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "raw"), MML_E_FORMAT, "external storage");
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "virtual"), MML_E_FORMAT,
                      "virtual data set");
    mmlt_assert_fails(mmli_h5_kind_of(&kind, file, "a.h5", "virtual"), MML_E_FORMAT, "virtual is a virtual data set");
    mmli_h5_drop(file);
}
END_TEST

/* A filter that is there only while the file is written. */
static size_t no_change(unsigned flags, size_t n_values, const unsigned *values, size_t bytes, size_t *size, void **buffer)
{
    (void)flags;
    (void)n_values;
    (void)values;
    (void)size;
    (void)buffer;
    return bytes;
}

START_TEST(a_filter_that_is_not_installed_is_named)
{
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 32999, 1, 1, "imaginary", NULL, NULL, no_change};
    float x[2] = {1, 2};
    hid_t file, list, space, set;

    ck_assert_int_ge(H5Zregister(&filter), 0);
    file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, (hsize_t[]){2});
    H5Pset_filter(list, 32999, 0, 0, NULL);
    set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
    ck_assert_int_ge(H5Zunregister(32999), 0);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_F32, 1, (size_t[]){2}, file, "a.h5", "x"), MML_E_FORMAT,
                      "x is packed with filter 32999 (imaginary), which is not installed");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(a_shape_beyond_what_is_stored_takes_no_memory)
{
    float *x;
    char **texts;
    size_t n;
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list, space, set;

    space = H5Screate_simple(1, (hsize_t[]){(hsize_t)1 << 40}, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, (hsize_t[]){1024});
    set = H5Dcreate2(file, "huge", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dclose(set);
    set = H5Dcreate2(file, "words", H5T_C_S1, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    file = open_again(file, "a.h5");
    mmlt_assert_fails(mmli_h5_get_new(&x, MMLI_H5_F32, 1, &n, file, "a.h5", "huge"), MML_E_FORMAT, "truncated or damaged");
    ck_assert_ptr_null(x);
    mmlt_assert_fails(mmli_h5_get_texts(&texts, &n, file, "a.h5", "words"), MML_E_FORMAT, "truncated or damaged");
    mmli_h5_drop(file);
}
END_TEST

/* Links as messages in the group's header, which has no checksum in the oldest format: HDF5 1.10 frees what it never had of a list of
 * them when one cannot be decoded. */
START_TEST(a_group_with_a_damaged_link_is_not_listed)
{
    enum { LINKS = 8, BEFORE_NAME = 11 }; /* version, flags, creation order (8), length of the name */
    hid_t file, list = H5Pcreate(H5P_GROUP_CREATE), group;
    char name[24], *bytes, *at = NULL, **members;
    size_t n, count;

    file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED);
    group = H5Gcreate2(file, "group", H5P_DEFAULT, list, H5P_DEFAULT);
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "member%d", i);
        H5Gclose(H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
    H5Gclose(group);
    H5Pclose(list);
    H5Fclose(file);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_ok(mmli_h5_members(&members, &count, file, "a.h5", "group"));
    ck_assert_uint_eq(count, LINKS);
    mmli_h5_texts_free(members, count);
    mmli_h5_drop(file);
    bytes = mmlt_read(mmlt_path("a.h5"), &n);
    for (size_t i = BEFORE_NAME; i + 7 <= n; i++)
        if (memcmp(bytes + i, "member1", 7) == 0)
            at = bytes + i - BEFORE_NAME;
    ck_assert(at != NULL && at[0] == 1 && at[BEFORE_NAME - 1] == 7);
    at[0] = 99; /* no such version */
    mmlt_write_bytes("a.h5", bytes, n);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_fails(mmli_h5_members(&members, &count, file, "a.h5", "group"), MML_E_FORMAT, "a.h5: group: damaged (HDF5: a link of an unknown kind, at byte ");
    ck_assert_ptr_null(members);
    mmli_h5_drop(file);
    free(bytes);
}
END_TEST

START_TEST(formats_and_versions_are_checked)
{
    hid_t file = create("a.h5");
    int64_t version;

    mmlt_assert_fails(mmli_h5_check_format(NULL, file, "a.h5", "mmlego cohort", 1), MML_E_FORMAT,
                      "a.h5: is not an mmlego cohort (it has no attribute `format`)");
    mmlt_assert_ok(mmli_h5_set_format(file, "a.h5", "mmlego model", 3));
    mmlt_assert_fails(mmli_h5_check_format(NULL, file, "a.h5", "mmlego cohort", 1), MML_E_FORMAT, "it is an mmlego model");
    mmlt_assert_fails(mmli_h5_check_format(NULL, file, "a.h5", "mmlego model", 2), MML_E_FORMAT, "newer libmmlego (version 3");
    mmlt_assert_ok(mmli_h5_check_format(&version, file, "a.h5", "mmlego model", 3));
    ck_assert_int_eq(version, 3);
    mmlt_assert_ok(mmli_h5_set_i64(file, "a.h5", "version", 0));
    mmlt_assert_fails(mmli_h5_check_format(NULL, file, "a.h5", "mmlego model", 3), MML_E_FORMAT, "version 0");
    mmli_h5_drop(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 refusals");
    TCase *tc = tcase_create("refusals");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, wrong_shapes_are_named_with_both);
    tcase_add_test(tc, files_that_are_none_are_called_by_their_name);
    tcase_add_test(tc, links_and_foreign_storage_are_refused);
    tcase_add_test(tc, a_filter_that_is_not_installed_is_named);
    tcase_add_test(tc, a_shape_beyond_what_is_stored_takes_no_memory);
    tcase_add_test(tc, a_group_with_a_damaged_link_is_not_listed);
    tcase_add_test(tc, formats_and_versions_are_checked);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
