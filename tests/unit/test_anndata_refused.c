/* AnnData that is broken or hostile: each refused with a message that names file, object and what is wrong. */
#include <stdlib.h>
#include <string.h>

#include "formats/anndata.h"
#include "io/h5.h"
#include "tests/unit/folder.h"
#include "tests/unit/make_anndata.h"

static mmli_ann *reopen(hid_t file)
{
    mmli_ann *a;

    H5Fclose(file);
    mmlt_assert_ok(mmli_ann_open(&a, mmlt_path("a.h5ad")));
    return a;
}

/* The matrix X of a file does not open. */
static void x_fails(hid_t file, mml_status status, const char *says)
{
    mmli_ann *a = reopen(file);
    mmli_ann_matrix *m;

    mmlt_assert_fails(mmli_ann_matrix_open(&m, a, "X", NULL), status, says);
    ck_assert_ptr_null(m);
    mmli_ann_close(a);
}

/* X opens, but its second row cannot be read; the first, of which nothing is wrong, can in a matrix by rows. */
static void rows_fail(hid_t file, const char *says)
{
    mmli_ann *a = reopen(file);
    mmli_ann_matrix *m;
    float x[6];

    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "X", NULL));
    if (strcmp(mmli_ann_matrix_storage(m), "csr") == 0)
        mmlt_assert_ok(mmli_ann_matrix_rows(x, 0, 1, m));
    mmlt_assert_fails(mmli_ann_matrix_rows(x, 0, 2, m), MML_E_FORMAT, says);
    mmli_ann_matrix_close(m);
    mmli_ann_close(a);
}

static hid_t sparse(const char *encoding, int64_t n, int64_t width, const int64_t *indptr, const int32_t *indices,
                    size_t stored)
{
    const hid_t f = mmlt_ann_new("a.h5ad", 2, 3);

    mmlt_ann_sparse(f, "X", encoding, n, width, indptr, indices, (double[]){1, 2, 3}, stored);
    return f;
}

START_TEST(pointers_that_lie_are_refused)
{
    const int32_t in[] = {0, 1, 2};

    x_fails(sparse("csr_matrix", 2, 3, (int64_t[]){1, 2, 3}, in, 3), MML_E_FORMAT,
            "a.h5ad: X/indptr begins with 1, it must be 0");
    x_fails(sparse("csr_matrix", 2, 3, (int64_t[]){0, 4, 3}, in, 3), MML_E_FORMAT,
            "X/indptr: row 1 ends at 3, before its begin at 4");
    x_fails(sparse("csr_matrix", 2, 3, (int64_t[]){0, -1, 3}, in, 3), MML_E_FORMAT, "begin at -1");
    x_fails(sparse("csr_matrix", 2, 3, (int64_t[]){0, 1, 4}, in, 3), MML_E_SHAPE,
            "X/indptr ends with 4, but 3 entries are stored");
    x_fails(sparse("csr_matrix", 2, 3, (int64_t[]){0, 1, INT64_MAX}, in, 3), MML_E_SHAPE, "but 3 entries are stored");
    x_fails(sparse("csc_matrix", 2, 3, (int64_t[]){0, 1, 3, 2}, in, 3), MML_E_FORMAT, "column 2 ends at 2");
}
END_TEST

START_TEST(indices_out_of_range_are_refused)
{
    rows_fail(sparse("csr_matrix", 2, 3, (int64_t[]){0, 1, 3}, (int32_t[]){0, 1, 3}, 3),
              "X/indices: entry 2 is in column 3, there are 3");
    rows_fail(sparse("csr_matrix", 2, 3, (int64_t[]){0, 1, 3}, (int32_t[]){0, -1, 2}, 3), "entry 1 is in column -1");
    rows_fail(sparse("csc_matrix", 2, 3, (int64_t[]){0, 1, 2, 3}, (int32_t[]){0, 1, 2}, 3), "entry 2 is in row 2, there are 2");
}
END_TEST

START_TEST(shapes_that_do_not_agree_are_refused)
{
    const int32_t in[] = {0, 1, 2};
    hid_t f;

    x_fails(sparse("csr_matrix", 3, 3, (int64_t[]){0, 1, 2, 3}, in, 3), MML_E_SHAPE, "X has 3 rows, the table obs has 2");
    x_fails(sparse("csr_matrix", 2, 2, (int64_t[]){0, 1, 3}, in, 3), MML_E_SHAPE, "X has 2 columns, the table var has 3 rows");
    x_fails(sparse("csr_matrix", 2, -3, (int64_t[]){0, 1, 3}, in, 3), MML_E_FORMAT, "shape (2, -3)");
    f = mmlt_ann_new("a.h5ad", 2, 3);
    mmlt_ann_group(f, "X", "csr_matrix");
    mmlt_ann_ints_attr(f, "X", "shape", (int64_t[]){2, 3}, 2);
    mmlt_ann_ints(f, "X/indptr", (int64_t[]){0, 3}, 2);
    mmlt_ann_ints(f, "X/indices", (int64_t[]){0, 1, 2}, 3);
    mmlt_ann_ints(f, "X/data", (int64_t[]){0, 1, 2}, 3);
    x_fails(f, MML_E_SHAPE, "X/indptr has 2 entries, 3 needed for 2 rows");
    f = mmlt_ann_new("a.h5ad", 2, 3);
    mmlt_ann_dense(f, "X", 3, 3, (float[9]){0});
    x_fails(f, MML_E_SHAPE, "X has 3 rows");
    f = mmlt_ann_new("a.h5ad", 2, 3);
    mmlt_h5_texts(f, "X", (const char *const[]){"a", "b"}, 2);
    x_fails(f, MML_E_FORMAT, "X is text, a matrix of numbers is needed");
    f = mmlt_ann_new("a.h5ad", 2, 3);
    mmlt_ann_group(f, "X", "awkward-array");
    x_fails(f, MML_E_FORMAT, "X is neither an array nor a sparse matrix");
}
END_TEST

/* A file whose table obs says that it has a column `kind`. */
static hid_t with_column(void)
{
    static const char *const columns[] = {"kind", NULL};
    const hid_t file = mmlt_ann_empty("a.h5ad", "anndata");

    mmlt_ann_frame(file, "obs", "c", 2, columns);
    mmlt_ann_frame(file, "var", "g", 1, NULL);
    return file;
}

static void column_fails(hid_t file, const char *name, mml_status status, const char *says)
{
    mmli_ann *a = reopen(file);
    mmli_ann_column c;

    mmlt_assert_fails(mmli_ann_column_read(&c, &a->obs, name), status, says);
    ck_assert(c.n == 0 && c.missing == NULL);
    mmli_ann_close(a);
}

START_TEST(columns_that_lie_are_refused)
{
    const char *const levels[] = {"low", "high", NULL};
    hid_t f;

    f = with_column();
    mmlt_ann_categorical(f, "obs/kind", (int8_t[]){0, 2}, 2, levels);
    column_fails(f, "kind", MML_E_FORMAT, "a.h5ad: obs/kind: row 1 has code 2, there are 2 categories");
    f = with_column();
    mmlt_ann_categorical(f, "obs/kind", (int8_t[]){-2, 1}, 2, levels);
    column_fails(f, "kind", MML_E_FORMAT, "row 0 has code -2");
    f = with_column();
    mmlt_ann_ints(f, "obs/kind", (int64_t[]){1, 2, 3}, 3);
    column_fails(f, "kind", MML_E_SHAPE, "obs/kind has 3 values, the table has 2 rows");
    f = with_column();
    column_fails(f, "kind", MML_E_FORMAT, "has no obs/kind");
    f = with_column();
    column_fails(f, "kid", MML_E_NOT_FOUND, "did you mean kind?");
    f = with_column();
    mmlt_ann_group(f, "obs/kind", "nullable-integer");
    mmlt_ann_ints(f, "obs/kind/values", (int64_t[]){1, 2}, 2);
    mmlt_ann_ints(f, "obs/kind/mask", (int64_t[]){1, 2, 3}, 3);
    column_fails(f, "kind", MML_E_SHAPE, "obs/kind has 2 values and a mask of 3");
    f = with_column();
    mmlt_ann_group(f, "obs/kind", "awkward-array");
    column_fails(f, "kind", MML_E_FORMAT, "obs/kind has the encoding awkward-array");
}
END_TEST

START_TEST(tables_that_lie_are_refused)
{
    mmli_ann *a;
    hid_t f = mmlt_ann_empty("a.h5ad", "anndata");

    mmlt_ann_group(f, "obs", NULL);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    H5Fclose(f);
    mmlt_assert_fails(mmli_ann_open(&a, mmlt_path("a.h5ad")), MML_E_FORMAT, "obs has no attribute _index");
    f = mmlt_ann_empty("a.h5ad", "anndata");
    mmlt_ann_ints(f, "obs", (int64_t[]){1}, 1);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    H5Fclose(f);
    mmlt_assert_fails(mmli_ann_open(&a, mmlt_path("a.h5ad")), MML_E_FORMAT, "obs is integers, a table is needed");
    H5Fclose(mmlt_ann_empty("a.h5ad", NULL));
    mmlt_assert_fails(mmli_ann_open(&a, mmlt_path("a.h5ad")), MML_E_FORMAT, "is not an AnnData file");
    ck_assert_ptr_null(a);
    f = mmlt_ann_empty("a.h5ad", NULL);
    mmlt_ann_dense(f, "matrix", 1, 1, (float[]){1});
    mmlt_ann_group(f, "row_attrs", NULL);
    mmlt_ann_group(f, "col_attrs", NULL);
    H5Fclose(f);
    mmlt_assert_fails(mmli_ann_open(&a, mmlt_path("a.h5ad")), MML_E_FORMAT, "is a Loom file");
}
END_TEST

START_TEST(links_to_other_files_are_refused)
{
    hid_t f = mmlt_ann_new("other.h5ad", 2, 1);

    mmlt_ann_dense(f, "X", 2, 1, (float[]){1, 2});
    H5Fclose(f);
    f = mmlt_ann_new("a.h5ad", 2, 1);
    H5Lcreate_external(mmlt_path("other.h5ad"), "/X", f, "X", H5P_DEFAULT, H5P_DEFAULT);
    x_fails(f, MML_E_FORMAT, "X is an external link");
    f = mmlt_ann_new("a.h5ad", 2, 1);
    H5Lcreate_soft("/obs", f, "X", H5P_DEFAULT, H5P_DEFAULT);
    x_fails(f, MML_E_FORMAT, "X is a soft link");
}
END_TEST

/* A file whose strings are one long one many times. */
START_TEST(texts_longer_than_the_file_are_refused)
{
    enum { LONG = 100000, N = 20 };
    char *words[N], *bytes;
    hid_t f = mmlt_ann_empty("a.h5ad", "anndata"), set;
    size_t n, at;
    mmli_ann *a;

    for (size_t i = 0; i < N; i++) {
        words[i] = calloc(LONG + 1, 1);
        memset(words[i], 'x', i == 0 ? LONG : 1);
    }
    mmlt_ann_group(f, "obs", "dataframe");
    mmlt_ann_text_attr(f, "obs", "_index", "_index");
    mmlt_h5_texts(f, "obs/_index", (const char *const *)words, N);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    H5Fflush(f, H5F_SCOPE_GLOBAL);
    set = H5Dopen2(f, "obs/_index", H5P_DEFAULT);
    at = (size_t)H5Dget_offset(set);
    H5Dclose(set);
    H5Fclose(f);
    bytes = mmlt_read(mmlt_path("a.h5ad"), &n);
    for (size_t i = 1; i < N; i++)
        memcpy(bytes + at + 16 * i, bytes + at, 16); /* length, heap, object */
    mmlt_write_bytes("a.h5ad", bytes, n);
    mmlt_assert_fails(mmli_ann_open(&a, mmlt_path("a.h5ad")), MML_E_FORMAT,
                      "obs/_index: the texts are longer than the whole file");
    for (size_t i = 0; i < N; i++)
        free(words[i]);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("anndata refusals");
    TCase *tc = tcase_create("refusals");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, pointers_that_lie_are_refused);
    tcase_add_test(tc, indices_out_of_range_are_refused);
    tcase_add_test(tc, shapes_that_do_not_agree_are_refused);
    tcase_add_test(tc, columns_that_lie_are_refused);
    tcase_add_test(tc, tables_that_lie_are_refused);
    tcase_add_test(tc, links_to_other_files_are_refused);
    tcase_add_test(tc, texts_longer_than_the_file_are_refused);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
