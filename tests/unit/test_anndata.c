/* AnnData made by hand: the encodings of columns and matrices, also rare and old ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/mudata.h"
#include "io/h5.h"
#include "tests/unit/folder.h"
#include "tests/unit/make_anndata.h"

static mmli_ann *open_file(hid_t file, const char *name)
{
    mmli_ann *a;

    H5Fclose(file);
    mmlt_assert_ok(mmli_ann_open(&a, mmlt_path(name)));
    return a;
}

static void has_texts(const mmli_ann_frame *f, const char *column, const char *const *want)
{
    mmli_ann_column c;
    char room[MMLI_NUMBER_BYTES];

    mmlt_assert_ok(mmli_ann_column_read(&c, f, column));
    for (size_t i = 0; i < c.n; i++)
        ck_assert_str_eq(mmli_ann_column_text(room, &c, i), want[i]);
    mmli_ann_column_free(&c);
}

static void has_rows(const mmli_ann *a, const char *which, const float *want, size_t width)
{
    mmli_ann_matrix *m;
    float *x = calloc(a->obs.n * width + 1, sizeof *x);

    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, which, mmlt_path("out.h5")));
    ck_assert_uint_eq(mmli_ann_matrix_width(m), width);
    mmlt_assert_ok(mmli_ann_matrix_rows(x, 0, a->obs.n, m));
    mmlt_assert_same_bits(x, want, a->obs.n * width * sizeof *x);
    mmli_ann_matrix_close(m);
    free(x);
}

/* ---- columns ---------------------------------------------------------------------------------------------------------------- */

START_TEST(columns_of_every_encoding_become_texts)
{
    static const char *const columns[] = {"i", "u", "single", "double", "flag", "text", "kind", "grade", "note", NULL};
    const char *const order[] = {"low", "high", NULL}, *const words[] = {"a", "x", "c"};
    const int8_t flags[] = {1, 0, 1}, mask[] = {0, 1, 0};
    hid_t f = mmlt_ann_empty("a.h5ad", "anndata"), type;
    mmli_ann *a;

    mmlt_ann_frame(f, "obs", "c", 3, columns);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    mmlt_h5_array(f, "obs/i", H5T_STD_I64BE, H5T_NATIVE_INT64, 1, (hsize_t[]){3},
                  (int64_t[]){-1, 0, INT64_C(9007199254740993)});
    mmlt_h5_array(f, "obs/u", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, (hsize_t[]){3}, (uint64_t[]){1, 2, UINT64_MAX});
    mmlt_h5_array(f, "obs/single", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, (hsize_t[]){3}, (float[]){0.1f, NAN, -2});
    mmlt_h5_array(f, "obs/double", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){3}, (double[]){0.1, 1e-05, NAN});
    type = H5Tenum_create(H5T_NATIVE_INT8);
    H5Tenum_insert(type, "FALSE", &(int8_t){0});
    H5Tenum_insert(type, "TRUE", &(int8_t){1});
    mmlt_h5_array(f, "obs/flag", type, type, 1, (hsize_t[]){3}, flags);
    mmlt_h5_texts(f, "obs/text", words, 3);
    mmlt_ann_categorical(f, "obs/kind", (int8_t[]){1, -1, 0}, 3, order);
    mmlt_ann_group(f, "obs/grade", "nullable-integer");
    mmlt_ann_ints(f, "obs/grade/values", (int64_t[]){3, 1, 2}, 3);
    mmlt_h5_array(f, "obs/grade/mask", type, type, 1, (hsize_t[]){3}, mask);
    mmlt_ann_group(f, "obs/note", "nullable-string-array");
    mmlt_h5_texts(f, "obs/note/values", words, 3);
    mmlt_h5_array(f, "obs/note/mask", type, type, 1, (hsize_t[]){3}, mask);
    H5Tclose(type);
    a = open_file(f, "a.h5ad");
    ck_assert_uint_eq(a->obs.n_columns, 9);
    ck_assert_str_eq(a->obs.columns[8], "note");
    ck_assert_str_eq(a->obs.ids[2], "c2");
    has_texts(&a->obs, "i", (const char *const[]){"-1", "0", "9007199254740993"});
    has_texts(&a->obs, "u", (const char *const[]){"1", "2", "18446744073709551615"});
    has_texts(&a->obs, "single", (const char *const[]){"0.1", "", "-2"});
    has_texts(&a->obs, "double", (const char *const[]){"0.1", "1e-05", ""});
    has_texts(&a->obs, "flag", (const char *const[]){"True", "False", "True"});
    has_texts(&a->obs, "text", words);
    has_texts(&a->obs, "kind", (const char *const[]){"high", "", "low"});
    has_texts(&a->obs, "grade", (const char *const[]){"3", "", "2"});
    has_texts(&a->obs, "note", (const char *const[]){"a", "", "c"});
    mmli_ann_close(a);
}
END_TEST

/* A reference attribute to obs/__categories/kind, or to another object; NULL: to none. */
static hid_t referring(const char *to)
{
    static const char *const columns[] = {"kind", NULL};
    const hid_t f = mmlt_ann_empty("a.h5ad", NULL), space = H5Screate(H5S_SCALAR);
    hobj_ref_t reference = (hobj_ref_t)1 << 40; /* far beyond the file */
    hid_t set, attr;

    mmlt_ann_frame(f, "obs", "c", 3, columns);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    mmlt_h5_array(f, "obs/kind", H5T_STD_I8LE, H5T_NATIVE_INT8, 1, (hsize_t[]){3}, (int8_t[]){1, -1, 0});
    mmlt_h5_array(f, "obs/__categories/kind", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, (hsize_t[]){2}, (int[]){10, 20});
    if (to != NULL)
        ck_assert_int_ge(H5Rcreate(&reference, f, to, H5R_OBJECT, -1), 0);
    set = H5Dopen2(f, "obs/kind", H5P_DEFAULT);
    attr = H5Acreate2(set, "categories", H5T_STD_REF_OBJ, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attr, H5T_STD_REF_OBJ, &reference);
    H5Aclose(attr);
    H5Dclose(set);
    H5Sclose(space);
    return f;
}

START_TEST(a_category_of_0_7_refers_to_its_levels)
{
    mmli_ann *a = open_file(referring("obs/__categories/kind"), "a.h5ad");

    ck_assert_uint_eq(a->obs.n_columns, 1);
    has_texts(&a->obs, "kind", (const char *const[]){"20", "", "10"});
    mmli_ann_close(a);
    for (int wild = 0; wild < 2; wild++) { /* to another data set, and to nothing at all */
        a = open_file(referring(wild ? NULL : "var/_index"), "a.h5ad");
        mmlt_assert_fails(mmli_ann_column_read(&(mmli_ann_column){0}, &a->obs, "kind"), MML_E_FORMAT,
                          "the attribute categories of obs/kind refers to something else than obs/__categories/kind");
        mmli_ann_close(a);
    }
}
END_TEST

/* Tables of records: 0.6 and older. */
typedef struct old_record {
    char index[4];
    double age;
    int8_t kind;
} old_record;

static hid_t old_type(bool in_var)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(old_record)), text = H5Tcopy(H5T_C_S1);

    H5Tset_size(text, 4);
    H5Tset_strpad(text, H5T_STR_NULLPAD);
    H5Tinsert(type, "index", offsetof(old_record, index), text);
    if (!in_var) {
        H5Tinsert(type, "age", offsetof(old_record, age), H5T_NATIVE_DOUBLE);
        H5Tinsert(type, "kind", offsetof(old_record, kind), H5T_NATIVE_INT8);
    }
    H5Tclose(text);
    return type;
}

START_TEST(record_arrays_of_0_6_are_read)
{
    const old_record obs[] = {{"c_a", 61.5, 1}, {"cell", NAN, -1}}, var[] = {{"g", 0, 0}, {"h", 0, 0}};
    hid_t f = mmlt_ann_empty("a.h5ad", NULL), type = old_type(false);
    mmli_ann *a;

    mmlt_h5_array(f, "obs", type, type, 1, (hsize_t[]){2}, obs);
    H5Tclose(type);
    type = old_type(true);
    mmlt_h5_array(f, "var", type, type, 1, (hsize_t[]){2}, var);
    mmlt_h5_array(f, "raw.var", type, type, 1, (hsize_t[]){1}, var);
    H5Tclose(type);
    mmlt_h5_texts(f, "uns/kind_categories", (const char *const[]){"low", "high"}, 2);
    mmlt_ann_dense(f, "raw.X", 2, 1, (float[]){4, 5});
    mmlt_ann_group(f, "X", NULL);
    mmlt_ann_text_attr(f, "X", "h5sparse_format", "csr");
    mmlt_ann_ints_attr(f, "X", "h5sparse_shape", (int64_t[]){2, 2}, 2);
    mmlt_ann_ints(f, "X/indptr", (int64_t[]){0, 1, 2}, 3);
    mmlt_ann_ints(f, "X/indices", (int64_t[]){1, 0}, 2);
    mmlt_ann_ints(f, "X/data", (int64_t[]){7, 8}, 2);
    a = open_file(f, "a.h5ad");
    ck_assert_str_eq(a->obs.ids[1], "cell");
    ck_assert_uint_eq(a->obs.n_columns, 2);
    has_texts(&a->obs, "age", (const char *const[]){"61.5", ""});
    has_texts(&a->obs, "kind", (const char *const[]){"high", ""});
    has_rows(a, "X", (float[]){0, 7, 8, 0}, 2);
    has_rows(a, "raw", (float[]){4, 5}, 1);
    mmli_ann_close(a);
}
END_TEST

/* ---- matrices ----------------------------------------------------------------------------------------------------------------- */

START_TEST(entries_in_any_order_and_twice_are_added_up)
{
    /* Row 1 is empty, row 2 backwards, row 0 has column 1 twice. */
    const int64_t indptr[] = {0, 3, 3, 5};
    const int32_t indices[] = {1, 0, 1, 2, 0};
    const double data[] = {0.25, 1, 0.5, 3, 4};
    const float want[] = {1, 0.75f, 0, 0, 0, 0, 4, 0, 3};
    hid_t f = mmlt_ann_new("a.h5ad", 3, 3);
    mmli_ann *a;

    mmlt_ann_sparse(f, "X", "csr_matrix", 3, 3, indptr, indices, data, 5);
    a = open_file(f, "a.h5ad");
    has_rows(a, "X", want, 3);
    mmli_ann_close(a);
}
END_TEST

START_TEST(a_matrix_by_columns_is_read_by_rows)
{
    enum { N = 3001, WIDTH = 211 }; /* 633211 entries: three buckets */
    int64_t indptr[WIDTH + 1];
    int32_t *indices = malloc((size_t)N * WIDTH * sizeof *indices);
    double *data = malloc((size_t)N * WIDTH * sizeof *data);
    float *want = calloc((size_t)N * WIDTH, sizeof *want), row[2 * WIDTH];
    hid_t f = mmlt_ann_new("a.h5ad", N, WIDTH);
    size_t stored = 0;
    mmli_ann_matrix *m;
    mmli_ann *a;

    for (size_t j = 0; j < WIDTH; j++) {
        indptr[j] = (int64_t)stored;
        for (size_t k = 0; k < N && j != 17; k++) { /* column 17 has none; rows in a scattered order */
            const size_t i = (k * 1009) % N;

            if ((i + j) % 11 == 0)
                continue;
            indices[stored] = (int32_t)i;
            want[i * WIDTH + j] = (float)(data[stored++] = (double)(i * WIDTH + j) + 0.5);
        }
    }
    indptr[WIDTH] = (int64_t)stored;
    mmlt_ann_sparse(f, "layers/counts", "csc_matrix", N, WIDTH, indptr, indices, data, stored);
    a = open_file(f, "a.h5ad");
    has_rows(a, "layers/counts", want, WIDTH);
    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "layers/counts", NULL));
    ck_assert_str_eq(mmli_ann_matrix_storage(m), "csc");
    for (size_t i = N - 2; i > 500; i -= 497) {
        mmlt_assert_ok(mmli_ann_matrix_rows(row, i, 2, m));
        mmlt_assert_same_bits(row, want + i * WIDTH, sizeof row);
    }
    mmli_ann_matrix_close(m);
    ck_assert_uint_eq(mmlt_folder_files(), 1); /* no temporary file stays */
    mmli_ann_close(a);
    free(indices);
    free(data);
    free(want);
}
END_TEST

START_TEST(embeddings_are_arrays_lists_and_tables)
{
    static const char *const columns[] = {"score", "n", NULL};
    hid_t f = mmlt_ann_new("a.h5ad", 2, 1);
    mmli_ann_matrix *m;
    mmli_ann *a;
    char **names;
    size_t n;

    mmlt_ann_dense(f, "obsm/X_pca", 2, 3, (float[]){1, 2, 3, 4, 5, 6});
    mmlt_h5_array(f, "obsm/time", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, (double[]){0.5, 1.5});
    mmlt_ann_frame(f, "obsm/qc", "c", 2, columns);
    mmlt_h5_array(f, "obsm/qc/score", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, (double[]){0.5, NAN});
    mmlt_ann_ints(f, "obsm/qc/n", (int64_t[]){3, 4}, 2);
    a = open_file(f, "a.h5ad");
    has_rows(a, "obsm/X_pca", (float[]){1, 2, 3, 4, 5, 6}, 3);
    has_rows(a, "obsm/time", (float[]){0.5f, 1.5f}, 1);
    has_rows(a, "obsm/qc", (float[]){0.5f, 3, NAN, 4}, 2);
    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "obsm/X_pca", NULL));
    ck_assert_str_eq(mmli_ann_matrix_names(m)[2], "X_pca_2");
    mmli_ann_matrix_close(m);
    mmlt_assert_ok(mmli_ann_matrices(&names, &n, a));
    ck_assert_uint_eq(n, 3);
    mmli_h5_texts_free(names, n);
    mmlt_assert_fails(mmli_ann_matrix_open(&m, a, "obsm/X_pc", NULL), MML_E_NOT_FOUND, "did you mean obsm/X_pca?");
    mmlt_assert_fails(mmli_ann_matrix_open(&m, a, "uns/x", NULL), MML_E_NOT_FOUND, "no matrix uns/x");
    mmli_ann_close(a);
}
END_TEST

START_TEST(raw_has_variables_of_its_own)
{
    hid_t f = mmlt_ann_new("a.h5ad", 2, 1);
    mmli_ann_matrix *m;
    mmli_ann *a;

    mmlt_ann_group(f, "X", "null");
    mmlt_ann_frame(f, "raw/var", "r", 3, NULL);
    mmlt_ann_dense(f, "raw/X", 2, 3, (float[]){1, 2, 3, 4, 5, 6});
    a = open_file(f, "a.h5ad");
    has_rows(a, "raw", (float[]){1, 2, 3, 4, 5, 6}, 3);
    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "raw", NULL));
    ck_assert_str_eq(mmli_ann_matrix_names(m)[2], "r2");
    mmli_ann_matrix_close(m);
    mmlt_assert_fails(mmli_ann_matrix_open(&m, a, "X", NULL), MML_E_NOT_FOUND, "no matrix X; there are: raw");
    mmli_ann_close(a);
}
END_TEST

/* ---- MuData -------------------------------------------------------------------------------------------------------------------- */

/* Modalities b (c0, c1) and a (c1, c2) of observations c0 .. c2. */
static hid_t mudata(const char *const *order)
{
    const hid_t f = mmlt_ann_empty("m.h5mu", NULL);

    mmlt_ann_frame(f, "obs", "c", 3, NULL);
    mmlt_ann_frame(f, "var", "g", 2, NULL);
    mmlt_ann_frame(f, "mod/b/obs", "c", 2, NULL);
    mmlt_ann_frame(f, "mod/b/var", "g", 1, NULL);
    mmlt_ann_dense(f, "mod/b/X", 2, 1, (float[]){1, 2});
    mmlt_ann_frame(f, "mod/a/obs", "c", 3, NULL);
    mmlt_ann_frame(f, "mod/a/var", "h", 1, NULL);
    mmlt_ann_dense(f, "mod/a/X", 3, 1, (float[]){1, 2, 3});
    if (order != NULL)
        mmlt_ann_texts_attr(f, "mod", "mod-order", order);
    return f;
}

static mmli_mudata *open_mudata(hid_t file)
{
    mmli_mudata *m;

    H5Fclose(file);
    mmlt_assert_ok(mmli_mudata_open(&m, mmlt_path("m.h5mu")));
    return m;
}

START_TEST(observations_are_matched_by_the_map_or_by_id)
{
    mmli_mudata *m = open_mudata(mudata(NULL));
    hid_t f;

    ck_assert(m->n == 2 && m->axis == 0);
    ck_assert_str_eq(m->names[0], "a"); /* by name: nothing else says an order */
    ck_assert(m->rows[0][2] == 2 && m->rows[1][0] == 0 && m->rows[1][1] == 1 && m->rows[1][2] == SIZE_MAX);
    mmli_mudata_close(m);
    f = mudata((const char *const[]){"b", "a", NULL});
    mmlt_ann_ints(f, "obsmap/b", (int64_t[]){0, 2, 1}, 3);
    m = open_mudata(f);
    ck_assert_str_eq(m->names[0], "b");
    ck_assert(m->rows[0][0] == SIZE_MAX && m->rows[0][1] == 1 && m->rows[0][2] == 0 && m->rows[1][2] == 2);
    has_rows(m->mods[0], "X", (float[]){1, 2}, 1);
    mmli_mudata_close(m);
}
END_TEST

START_TEST(a_wrong_map_is_refused)
{
    static const struct {
        int64_t map[3];
        const char *says;
        mml_status status;
    } wrong[] = {
        {{0, 3, 1}, "obsmap/b: observation c1 is mapped to row 3 of 2", MML_E_FORMAT},
        {{0, -1, 1}, "observation c1 is mapped to row -1 of 2", MML_E_FORMAT},
        {{1, 0, 1}, "row 1 belongs to two observations, the second is c2", MML_E_DATA},
    };
    mmli_mudata *m;

    for (size_t i = 0; i < 3; i++) {
        const hid_t f = mudata(NULL);

        mmlt_ann_ints(f, "obsmap/b", wrong[i].map, 3);
        H5Fclose(f);
        mmlt_assert_fails(mmli_mudata_open(&m, mmlt_path("m.h5mu")), wrong[i].status, wrong[i].says);
        ck_assert_ptr_null(m);
    }
    H5Fclose(mudata((const char *const[]){"b", "b", NULL}));
    mmlt_assert_fails(mmli_mudata_open(&m, mmlt_path("m.h5mu")), MML_E_FORMAT, "mod-order names b twice");
    H5Fclose(mudata((const char *const[]){"b", "c", NULL}));
    mmlt_assert_fails(mmli_mudata_open(&m, mmlt_path("m.h5mu")), MML_E_FORMAT, "has no mod/c/obs");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("anndata");
    TCase *tc = tcase_create("read");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, columns_of_every_encoding_become_texts);
    tcase_add_test(tc, a_category_of_0_7_refers_to_its_levels);
    tcase_add_test(tc, record_arrays_of_0_6_are_read);
    tcase_add_test(tc, entries_in_any_order_and_twice_are_added_up);
    tcase_add_test(tc, a_matrix_by_columns_is_read_by_rows);
    tcase_add_test(tc, embeddings_are_arrays_lists_and_tables);
    tcase_add_test(tc, raw_has_variables_of_its_own);
    tcase_add_test(tc, observations_are_matched_by_the_map_or_by_id);
    tcase_add_test(tc, a_wrong_map_is_refused);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
