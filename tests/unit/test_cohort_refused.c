/* Cohort files with one thing wrong each: refused on opening, and the message says what and where. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/cohort.h"
#include "tests/unit/raw_cohort.h"

enum { N = MMLT_RAW_N };

static hid_t file;

static void make(void)
{
    mmlt_folder_make();
    file = mmlt_raw_cohort("c.h5");
}

static void refuses(mml_status status, const char *text)
{
    mml_cohort *c = NULL;

    H5Fclose(file);
    mmlt_assert_fails(mml_cohort_open(&c, mmlt_path("c.h5")), status, text);
    mmlt_assert_fails(mml_cohort_open(&c, mmlt_path("c.h5")), status, "c.h5: ");
    ck_assert_ptr_null(c);
    file = H5Fopen(mmlt_path("c.h5"), H5F_ACC_RDWR, H5P_DEFAULT); /* the next thing wrong */
}

static void texts(const char *name, const char *const *t, size_t n)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        H5Ldelete(file, name, H5P_DEFAULT);
    mmlt_h5_texts(file, name, t, n);
}

static void doubles(const char *name, int rank, const hsize_t *dims, const double *x)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        H5Ldelete(file, name, H5P_DEFAULT);
    mmlt_h5_array(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rank, dims, x);
}

static void integers(const char *name, hsize_t n, const int64_t *x)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        H5Ldelete(file, name, H5P_DEFAULT);
    mmlt_h5_array(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &n, x);
}

#define TEXTS(name, ...) texts(name, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define DOUBLES(name, ...)                                                                         \
    doubles(name, 1, (hsize_t[]){sizeof((double[]){__VA_ARGS__}) / sizeof(double)}, (double[]){__VA_ARGS__})
#define INTEGERS(name, ...) integers(name, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

START_TEST(another_format_or_a_newer_version_is_refused)
{
    mmlt_assert_ok(mmli_h5_set_i64(file, "c.h5", "version", 2));
    refuses(MML_E_FORMAT, "newer libmmlego (version 2 of the format");
    mmlt_assert_ok(mmli_h5_set_text(file, "c.h5", "format", "mmlego model"));
    refuses(MML_E_FORMAT, "is not an mmlego cohort, it is an mmlego model");
    H5Adelete(file, "format");
    refuses(MML_E_FORMAT, "is not an mmlego cohort");
    H5Fclose(file);
    ck_assert_int_eq(truncate(mmlt_path("c.h5"), 900), 0);
    mmlt_assert_fails(mml_cohort_open(&(mml_cohort *){NULL}, mmlt_path("c.h5")), MML_E_FORMAT, "truncated");
    mmlt_write("c.h5", "id,label\n");
    mmlt_assert_fails(mml_cohort_open(&(mml_cohort *){NULL}, mmlt_path("c.h5")), MML_E_FORMAT, "is not an HDF5 file");
    mmlt_assert_fails(mml_cohort_open(&(mml_cohort *){NULL}, mmlt_path("d.h5")), MML_E_IO, "cannot be opened");
    file = -1;
}
END_TEST

START_TEST(ids_that_cannot_be_used_are_refused)
{
    TEXTS("samples/id", "a", "b", "c", "b", "e");
    refuses(MML_E_DATA, "samples 1 and 3 have the same id b");
    TEXTS("samples/id", "a", "", "c", "d", "e");
    refuses(MML_E_DATA, "id of sample 1: it is empty");
    TEXTS("samples/id", "a", "b\t", "c", "d", "e");
    refuses(MML_E_DATA, "id of sample 1: it has a control character");
    TEXTS("samples/id", "a", "b", "\xE9", "d", "e");
    refuses(MML_E_DATA, "id of sample 2: it is not UTF-8");
    TEXTS("samples/id", "a", "b", "\xC0\x80", "d", "e"); /* NUL, spelled too long */
    refuses(MML_E_DATA, "id of sample 2: it is not UTF-8");
    TEXTS("samples/id", "a", "b", "\xED\xA0\x80", "d", "e"); /* a surrogate */
    refuses(MML_E_DATA, "id of sample 2: it is not UTF-8");
    DOUBLES("samples/id", 1, 2, 3, 4, 5);
    refuses(MML_E_FORMAT, "samples/id is of type float, text is needed");
    H5Ldelete(file, "samples/id", H5P_DEFAULT);
    refuses(MML_E_FORMAT, "has no samples/id");
}
END_TEST

START_TEST(texts_that_do_not_fit_the_samples_are_refused)
{
    TEXTS("samples/group", "a", "b", "c");
    refuses(MML_E_SHAPE, "samples/group has 3 entries, the cohort 5 samples");
    TEXTS("samples/group", "a", "a", "", "b", "c");
    refuses(MML_E_DATA, "group of sample p3: it is empty");
    H5Ldelete(file, "samples/group", H5P_DEFAULT);
    TEXTS("columns/site", "A");
    refuses(MML_E_SHAPE, "columns/site has 1 entries");
    TEXTS("columns/site", "A", "B", "\xFF", "A", "B");
    refuses(MML_E_DATA, "column site of sample p3: it is not UTF-8");
}
END_TEST

START_TEST(class_codes_and_names_that_do_not_fit_are_refused)
{
    DOUBLES("tasks/stage/code", 0, 1, 3, 2, 1);
    refuses(MML_E_DATA, "task stage: class code 3 of sample p3; 0 to 2 are possible");
    DOUBLES("tasks/stage/code", 0, 1, 0.5, 2, 1);
    refuses(MML_E_DATA, "class code 0.5 of sample p3");
    DOUBLES("tasks/stage/code", 0, 1, -2, 2, 1);
    refuses(MML_E_DATA, "class code -2 of sample p3");
    DOUBLES("tasks/stage/code", 0, 1, 1);
    refuses(MML_E_SHAPE, "tasks/stage/code has shape (3), (5) needed");
    DOUBLES("tasks/stage/code", 0, 1, -1, NAN, 1);
    TEXTS("tasks/stage/classes", "I", "II", "I");
    refuses(MML_E_DATA, "class name I occurs twice");
    TEXTS("tasks/stage/classes", "I");
    refuses(MML_E_DATA, "has 1 class names");
    TEXTS("tasks/stage/classes", "I", "II", "III");
    mmlt_raw_kind(file, "tasks/stage", "binary");
    refuses(MML_E_DATA, "is binary but has 3 class names");
    mmlt_raw_kind(file, "tasks/stage", "ordinal");
    refuses(MML_E_FORMAT, "task stage is of kind ordinal");
    H5Adelete_by_name(file, "tasks/stage", "kind", H5P_DEFAULT);
    refuses(MML_E_FORMAT, "tasks/stage has no attribute kind");
}
END_TEST

START_TEST(survival_that_makes_no_sense_is_refused)
{
    DOUBLES("tasks/os/event", 1, 0, 1, 2, 1);
    refuses(MML_E_DATA, "event of sample p4 is 2; 1 = event and 0 = censored are possible");
    DOUBLES("tasks/os/event", 1, 0, 1, NAN, 1); /* unknown */
    DOUBLES("tasks/os/time", 1, -0.5, 1, 1, 1);
    refuses(MML_E_DATA, "time of sample p2 is -0.5");
    DOUBLES("tasks/os/time", 1, 1, INFINITY, 1, 1);
    refuses(MML_E_DATA, "time of sample p3 is inf");
    H5Ldelete(file, "tasks/os/event", H5P_DEFAULT);
    refuses(MML_E_FORMAT, "has no tasks/os/event");
    DOUBLES("tasks/os/event", 1, 0, 1, 0, 1);
    DOUBLES("tasks/os/time", 1, 1, 1, 1, 1);
    DOUBLES("tasks/los/value", 1, 1, -INFINITY, 1, 1);
    refuses(MML_E_DATA, "value of sample p3 is infinite");
}
END_TEST

START_TEST(offsets_that_point_outside_are_refused)
{
    INTEGERS("modalities/bag/offsets", 1, 3, 3, 4, 6, 7);
    refuses(MML_E_DATA, "modality bag: offsets begin with 1, not 0");
    INTEGERS("modalities/bag/offsets", 0, 3, 2, 4, 6, 7);
    refuses(MML_E_DATA, "offsets descend at sample p2 (2 after 3)");
    INTEGERS("modalities/bag/offsets", 0, 3, 3, 4, 6, 8);
    refuses(MML_E_SHAPE, "offsets end at 8 but there are 7 tokens");
    INTEGERS("modalities/bag/offsets", 0, 3, 3, 4, 6, 6);
    refuses(MML_E_SHAPE, "offsets end at 6 but there are 7 tokens");
    INTEGERS("modalities/bag/offsets", 0, 3, 3, 4, 7);
    refuses(MML_E_SHAPE, "modalities/bag/offsets has shape (5), (6) needed");
    DOUBLES("modalities/bag/offsets", 0, 3, 3, 4, 6, 7);
    refuses(MML_E_FORMAT, "integers are needed");
}
END_TEST

START_TEST(tokens_of_the_wrong_shape_or_type_are_refused)
{
    doubles("modalities/bag/values", 1, (hsize_t[]){7}, (double[7]){0});
    refuses(MML_E_SHAPE, "modalities/bag/values has 1 dimension, 2 needed");
    doubles("modalities/bag/values", 2, (hsize_t[]){7, 0}, NULL);
    refuses(MML_E_SHAPE, "tokens of width 0");
    doubles("modalities/bag/values", 2, (hsize_t[]){7, 3}, (double[21]){0});
    refuses(MML_E_SHAPE, "2 feature names for tokens of width 3");
    TEXTS("modalities/bag/features", "x", "y", "x");
    refuses(MML_E_DATA, "features 0 and 2 have the same name x");
    TEXTS("modalities/bag/features", "x", "y", "");
    refuses(MML_E_DATA, "name of feature 2: it is empty");
    TEXTS("modalities/bag/features", "x", "y=1", "y=2");
    TEXTS("modalities/bag/category_of", "", "y", "x");
    refuses(MML_E_DATA, "category_of: feature 2 is `y=2`, which is no category of a column `x`");
    TEXTS("modalities/bag/category_of", "", "y");
    refuses(MML_E_SHAPE, "category_of has 2 entries for tokens of width 3");
    TEXTS("modalities/bag/category_of", "", "y", "y");
    doubles("modalities/bag/positions", 2, (hsize_t[]){6, 1}, (double[6]){0});
    refuses(MML_E_SHAPE, "positions have shape (6, 1) for 7 tokens");
    TEXTS("modalities/bag/values", "a");
    refuses(MML_E_SHAPE, "1 dimension");
    mmlt_raw_kind(file, "modalities/table", "matrix");
    H5Ldelete(file, "modalities/bag", H5P_DEFAULT);
    refuses(MML_E_FORMAT, "modality table is of kind matrix");
}
END_TEST

START_TEST(a_link_to_another_file_is_refused)
{
    H5Ldelete(file, "modalities/table/values", H5P_DEFAULT);
    H5Lcreate_external("/etc/hostname", "/values", file, "modalities/table/values", H5P_DEFAULT, H5P_DEFAULT);
    refuses(MML_E_FORMAT, "modalities/table/values is an external link");
    H5Ldelete(file, "tasks/los", H5P_DEFAULT);
    H5Lcreate_soft("/tasks/os", file, "tasks/los", H5P_DEFAULT, H5P_DEFAULT);
    refuses(MML_E_FORMAT, "tasks/los is a soft link");
}
END_TEST

START_TEST(values_that_cannot_be_unpacked_are_an_error_of_the_read)
{
    /* The chunk of the table's values is damaged, not its description: opening is fine, reading is not. */
    static const char *const names[] = {"table"};
    hid_t space = H5Screate_simple(2, (hsize_t[]){3, 1}, NULL), list = H5Pcreate(H5P_DATASET_CREATE), set;
    haddr_t at = 0;
    hsize_t size = 0, offset[2];
    unsigned mask;
    mml_cohort *c;
    mml_batch *b;
    char *bytes;
    size_t n;

    H5Ldelete(file, "modalities/table/values", H5P_DEFAULT);
    H5Pset_chunk(list, 2, (hsize_t[]){3, 1});
    H5Pset_deflate(list, 9);
    set = H5Dcreate2(file, "modalities/table/values", H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, (double[]){1, 2, 3});
    H5Fflush(file, H5F_SCOPE_LOCAL);
    ck_assert_int_ge(H5Dget_chunk_info(set, space, 0, offset, &mask, &at, &size), 0);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
    bytes = mmlt_read(mmlt_path("c.h5"), &n);
    memset(bytes + at, 0x5A, (size_t)size);
    mmlt_write_bytes("c.h5", bytes, n);
    free(bytes);
    file = -1;
    for (int kept = 0; kept < 2; kept++) {
        mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("c.h5")));
        mml_cohort_set_memory(c, kept ? 1000 : 0);
        mmlt_assert_ok(mml_batch_new(&b, 0));
        mmlt_assert_fails(mml_cohort_read(c, b, (size_t[]){0}, 1, names, 1), MML_E_IO, "c.h5: table could not be read");
        ck_assert_uint_eq(mml_batch_size(b), 0);
        mml_batch_free(b);
        mml_cohort_close(c);
    }
}
END_TEST

static void drop(void)
{
    if (file >= 0)
        H5Fclose(file);
    mmlt_folder_remove();
}

int main(void)
{
    Suite *s = suite_create("cohort refused");
    TCase *tc = tcase_create("refused");

    tcase_add_checked_fixture(tc, make, drop);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, another_format_or_a_newer_version_is_refused);
    tcase_add_test(tc, ids_that_cannot_be_used_are_refused);
    tcase_add_test(tc, texts_that_do_not_fit_the_samples_are_refused);
    tcase_add_test(tc, class_codes_and_names_that_do_not_fit_are_refused);
    tcase_add_test(tc, survival_that_makes_no_sense_is_refused);
    tcase_add_test(tc, offsets_that_point_outside_are_refused);
    tcase_add_test(tc, tokens_of_the_wrong_shape_or_type_are_refused);
    tcase_add_test(tc, a_link_to_another_file_is_refused);
    tcase_add_test(tc, values_that_cannot_be_unpacked_are_an_error_of_the_read);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
