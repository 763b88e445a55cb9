/* Import of NumPy arrays: tables, series, bags and labels, with ids from where people have them; and those of others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

static char *bytes; /* of the file made last; kept for the next */

static size_t make(const char *header, const void *data, size_t n)
{
    const size_t length = strlen(header), all = (10 + length + 1 + 63) / 64 * 64;

    free(bytes);
    bytes = malloc(all + n);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    bytes[8] = (char)((all - 10) & 255);
    bytes[9] = (char)((all - 10) >> 8);
    memset(bytes + 10, ' ', all - 10);
    memcpy(bytes + 10, header, length);
    bytes[all - 1] = '\n';
    memcpy(bytes + all, data, n);
    return all + n;
}

static void npy(const char *name, const char *header, const void *data, size_t n)
{
    const size_t size = make(header, data, n);

    mmlt_write_bytes(name, bytes, size);
}

static void npz(const char *archive, const char *name, const char *header, const void *data, size_t n)
{
    zip_t *z = zip_open(mmlt_path(archive), ZIP_CREATE, NULL);
    const size_t size = make(header, data, n);

    ck_assert_ptr_nonnull(z);
    ck_assert_int_ge(zip_file_add(z, name, zip_source_buffer(z, bytes, size, 0), 0), 0);
    ck_assert_int_eq(zip_close(z), 0);
}

#define SHAPE(type, shape) "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }"
#define FORTRAN(type, shape) "{'descr': '" type "', 'fortran_order': True, 'shape': " shape ", }"

START_TEST(rows_of_a_table_have_the_ids_of_a_file_or_their_numbers)
{
    mml_cohort *c;

    npy("x.npy", SHAPE("|u1", "(2, 3)"), "\1\2\3\4\5\6", 6);
    c = mmlt_imported("[cohort]\nid = @row\n[modality m]\nkind = table\nfile = x.npy\n");
    ck_assert_uint_eq(mml_cohort_size(c), 2);
    ck_assert_str_eq(mml_cohort_ids(c)[1], "2");
    mmlt_assert_tokens(c, "m", (float[]){1, 2, 3, 4, 5, 6}, NULL);
    mml_cohort_close(c);
    mmlt_write("ids.txt", "007\np q\n");
    npy("f.npy", FORTRAN("|u1", "(2, 3)"), "\1\4\2\5\3\6", 6);
    c = mmlt_imported("[cohort]\nid = id\n[modality m]\nkind = table\nfile = f.npy\nids = ids.txt\ncolumns = c2, c0\n");
    ck_assert_str_eq(mml_cohort_ids(c)[0], "007");
    ck_assert_str_eq(mml_cohort_ids(c)[1], "p q");
    mmlt_assert_tokens(c, "m", (float[]){1, 3, 4, 6}, NULL);
    mml_cohort_close(c);
    mmlt_write("ids.txt", "a\nb\nc\n");
    mmlt_assert_not_imported("[cohort]\nid = id\n[modality m]\nkind = table\nfile = x.npy\nids = ids.txt\n", MML_E_SHAPE,
                             "ids.txt: has 3 ids, the array has 2 rows");
    mmlt_assert_not_imported("[cohort]\nid = id\n[modality m]\nkind = table\nfile = x.npy\n", MML_E_FORMAT,
                             "x.npy: an array has no sample ids; id = @row");
}
END_TEST

START_TEST(arrays_of_an_archive_are_named_and_may_hold_the_ids)
{
    mml_cohort *c;

    npz("a.npz", "values.npy", SHAPE("|i1", "(2, 2, 1)"), "\1\2\3\4", 4);
    npz("a.npz", "who.npy", SHAPE("|S2", "(2,)"), "q\0p1", 4);
    npz("a.npz", "names.npy", SHAPE("<U1", "(1,)"), "t\0\0\0", 4);
    c = mmlt_imported("[cohort]\nid = who\n[modality m]\nkind = series\nfile = a.npz\ndataset = values\nchannels = names\n");
    ck_assert_str_eq(mml_cohort_ids(c)[0], "q");
    ck_assert_str_eq(mml_cohort_ids(c)[1], "p1");
    mmlt_assert_tokens(c, "m", (float[]){1, 2, 3, 4}, (float[]){0, 1, 0, 1});
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nid = who\n[modality m]\nkind = series\nfile = a.npz\n", MML_E_NOT_FOUND,
                             "a.npz: holds 3 arrays (values.npy, who.npy, names.npy): name one of them");
    mmlt_assert_not_imported("[cohort]\nid = whom\n[modality m]\nkind = series\nfile = a.npz\ndataset = values\n", MML_E_NOT_FOUND,
                             "a.npz: no array whom");
    mmlt_assert_not_imported("[cohort]\nid = names\n[modality m]\nkind = series\nfile = a.npz\ndataset = values\n", MML_E_SHAPE,
                             "names: 2 ids in one dimension are needed");
}
END_TEST

/* Larger than a band of either way: element (i, j) is (i + 3 j) mod 251. */
START_TEST(rows_that_do_not_lie_together_are_put_in_order_whatever_the_size)
{
    enum { N = 19000, F = 1000 };
    static const size_t probes[] = {0, 1, 2097, 2098, 16777, 16778, N - 1};
    const char *m = "m";
    char *x = malloc((size_t)N * F);
    mml_cohort *c;
    mml_batch *b;
    mml_tokens t;

    ck_assert_ptr_nonnull(x);
    for (int how = 0; how < 3; how++) {
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < F; j++)
                x[how == 0 ? i * F + j : j * N + i] = (char)((i + 3 * j) % 251);
        if (how == 0)
            npz("a.npz", "x.npy", SHAPE("|u1", "(19000, 1000)"), x, (size_t)N * F);
        else if (how == 1)
            npy("x.npy", FORTRAN("|u1", "(19000, 1000)"), x, (size_t)N * F);
        else
            npz("f.npz", "x.npy", FORTRAN("|u1", "(19000, 1000)"), x, (size_t)N * F);
        c = mmlt_imported(how == 0   ? "[cohort]\nid = @row\ncompress = 0\n[modality m]\nkind = table\nfile = a.npz\n"
                          : how == 1 ? "[cohort]\nid = @row\ncompress = 0\n[modality m]\nkind = table\nfile = x.npy\n"
                                     : "[cohort]\nid = @row\ncompress = 0\n[modality m]\nkind = table\nfile = f.npz\n");
        mmlt_assert_ok(mml_batch_new(&b, 0));
        mmlt_assert_ok(mml_cohort_read(c, b, probes, 7, &m, 1));
        mmlt_assert_ok(mml_batch_get(&t, b, m));
        for (size_t k = 0; k < 7; k++)
            for (size_t j = 0; j < F; j++)
                ck_assert(t.values[k * F + j] == (float)((probes[k] + 3 * j) % 251));
        mml_batch_free(b);
        mml_cohort_close(c);
    }
    free(x);
}
END_TEST

START_TEST(a_bag_of_three_dimensions_is_a_sample_a_slab)
{
    mml_cohort *c;
    mml_modality_info m;

    npy("x.npy", SHAPE("|u1", "(2, 3, 2)"), "\1\2\3\4\5\6\7\10\11\12\13\14", 12);
    c = mmlt_imported("[cohort]\nid = @row\n[modality m]\nkind = bag\nfile = x.npy\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert_int_eq((int)m.offsets[1], 3);
    mmlt_assert_tokens(c, "m", (float[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, NULL);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nid = @row\n[modality m]\nkind = table\nfile = x.npy\n", MML_E_SHAPE,
                             "x.npy: the array has 3 dimensions; for a table it must be (samples, features)");
}
END_TEST

START_TEST(records_are_labels_and_tables)
{
    static const char data[] = "\1\0\0\0\0\0\0\xF8\x3F" "a\0" "\0\0\0\0\0\0\0\0\x40" "b\0";
    mml_cohort *c;

    npy("y.npy", "{'descr': [('event', '?'), ('time', '<f8'), ('id', '|S2')], 'fortran_order': False, 'shape': (2,), }", data, 22);
    mmlt_write("m.csv", "id,x\nb,7\n");
    c = mmlt_imported("[cohort]\nlabels = y.npy\nid = id\n[task os]\nkind = survival\nevent = event\ntime = time\n"
                      "[modality m]\nkind = table\nfile = m.csv\n[modality y]\nkind = table\nfile = y.npy\ncolumns = time, event\n");
    ck_assert_uint_eq(mml_cohort_size(c), 2);
    ck_assert_str_eq(mml_cohort_ids(c)[1], "b");
    ck_assert(c->tasks[0].value[0] == 1.5 && c->tasks[0].value[1] == 2 && c->tasks[0].event[0] == 1 && c->tasks[0].event[1] == 0);
    mmlt_assert_tokens(c, "y", (float[]){1, 1.5f, 0, 2}, NULL);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = y.npy\nid = id\n[task os]\nkind = survival\nevent = evnt\ntime = time\n"
                             "[modality m]\nkind = table\nfile = m.csv\n", MML_E_NOT_FOUND, "y.npy: no field evnt");
}
END_TEST

START_TEST(a_file_without_an_ini_is_looked_at_and_imported)
{
    char *json = NULL, *ini = NULL;
    const char *path;

    npz("a.npz", "values.npy", FORTRAN("<f4", "(2, 2)"), "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    npz("a.npz", "who.npy", SHAPE("|S2", "(2,)"), "q\0p1", 4);
    path = mmlt_path("a.npz");
    mmlt_assert_ok(mml_file_describe(&json, path, NULL));
    ck_assert_ptr_nonnull(strstr(json, "float32 (2, 2), Fortran order"));
    ck_assert_ptr_nonnull(strstr(json, "text of 2 bytes (2)"));
    mml_string_free(json);
    mmlt_assert_ok(mml_suggest_cohort(&ini, &path, 1, NULL));
    ck_assert_ptr_nonnull(strstr(ini, "dataset = values"));
    ck_assert_ptr_nonnull(strstr(ini, "id = who"));
    mml_cohort_close(mmlt_imported(ini));
    mml_string_free(ini);
}
END_TEST

START_TEST(a_safetensors_file_is_described_and_answered_with_what_reads_it)
{
    static const char header[] = "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]}}";
    char *json = NULL, file[8 + sizeof header + 3] = {sizeof header - 1}; /* length, header, two halves */

    memcpy(file + 8, header, sizeof header - 1);
    mmlt_write_bytes("t.safetensors", file, sizeof file);
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("t.safetensors"), NULL));
    ck_assert_ptr_nonnull(strstr(json, "\"a.weight\""));
    ck_assert_ptr_nonnull(strstr(json, "F16 (1, 2)"));
    mml_string_free(json);
    mmlt_assert_not_imported("[cohort]\nid = @row\n[modality m]\nkind = table\nfile = t.safetensors\n", MML_E_FORMAT,
                             "a model is read by mmlego convert");
}
END_TEST

/* ---- files of others: ../shared/data/user_files ----------------------------------------------------------------------------- */

/* A cohort.ini is in another folder: the path must be whole. */
static const char *shared_root(void)
{
    static char path[4096];

    ck_assert_ptr_nonnull(realpath(mmlt_shared(), path));
    return path;
}

static mml_cohort *shared_table(const char *name, const char *kind, const char *more)
{
    char ini[5000];

    snprintf(ini, sizeof ini, "[cohort]\nid = @row\n[modality m]\nkind = %s\nfile = %s/user_files/%s\n%s", kind, shared_root(),
             name, more);
    return mmlt_imported(ini);
}

static void first_tokens(const char *name, const char *more, size_t n, size_t width, size_t sample, const float *want,
                         size_t n_want)
{
    mml_cohort *c = shared_table(name, "table", more);
    const char *m = "m";
    mml_batch *b;
    mml_tokens t;

    ck_assert_uint_eq(mml_cohort_size(c), n);
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &sample, 1, &m, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, m));
    ck_assert_uint_eq(t.width, width);
    mmlt_assert_same_bits(t.values, want, n_want * sizeof *want);
    mml_batch_free(b);
    mml_cohort_close(c);
}

START_TEST(every_real_array_is_imported_with_the_values_that_numpy_reads)
{
    char ini[5000];

    first_tokens("npy/regress_test_small.npy", "", 200, 200, 0,
                 (float[]){(float)-0x1.fb9592667c6f2p-2, (float)-0x1.9e4c44039e701p-5, (float)-0x1.a96072513c95cp-1}, 3);
    first_tokens("npy/regress_test_small.npy", "", 200, 200, 1, (float[]){(float)0x1.088f427ae8e7cp+0}, 1);
    first_tokens("npy/sample_patch_extraction.npy", "", 1860, 3, 1859, (float[]){401, 281, 0}, 3);
    first_tokens("npy/wc_snmf_06.npy", "", 3, 3, 0, (float[]){0.70121102f, 0.33557154f, 0.16495925f}, 3);
    first_tokens("npy/merge_tiles_lab_mean.npy", "", 3, 1, 2, (float[]){(float)0x1.0d157c6406e1ap-4}, 1);
    first_tokens("npy/python3.npy", "", 2, 1, 1, (float[]){1}, 1);
    first_tokens("npy/objs-t-test.npz", "dataset = names\n", 2, 20, 0, (float[]){9, 15, 3, 18}, 4);
    first_tokens("npy/objs-t-test.npz", "dataset = scores\n", 2, 20, 0, (float[]){0.88779753f, 0.7680498f}, 2);
    first_tokens("reference_writers/arrays_deflate.npz", "dataset = features\nid = ids\n", 37, 8, 36, (float[]){(float)(716 / 500.0 - 1)}, 1);
    first_tokens("reference_writers/big_endian_f4.npy", "", 5, 3, 1, (float[]){(float)(131 / 500.0 - 1), (float)(148 / 500.0 - 1)}, 2);
    for (int npz_too = 0; npz_too < 2; npz_too++) {
        snprintf(ini, sizeof ini, "[cohort]\nid = @row\n[modality m]\nkind = table\nfile = %s/user_files/npy/py3-objarr.np%s\n",
                 shared_root(), npz_too ? "z" : "y");
        mmlt_assert_not_imported(ini, MML_E_FORMAT, "object array, holds a Python pickle");
    }
}
END_TEST

/* Labels of a file: samples, events, first, least and greatest time; features of the table in it. */
static void survival(const char *labels, const char *id, const char *event, const char *time, const char *columns, size_t n,
                     size_t events, double first, double least, double most, size_t width)
{
    char ini[10000];
    size_t seen = 0;
    double low = INFINITY, high = -INFINITY;
    mml_cohort *c;
    mml_modality_info m;

    snprintf(ini, sizeof ini,
             "[cohort]\nlabels = %s/user_files/%s\nid = %s\n[task os]\nkind = survival\nevent = %s\ntime = %s\n"
             "[modality m]\nkind = table\nfile = %s/user_files/%s\ncolumns = %s\n", shared_root(), labels, id, event, time,
             shared_root(), labels, columns);
    c = mmlt_imported(ini);
    ck_assert_uint_eq(mml_cohort_size(c), n);
    for (size_t i = 0; i < n; i++) {
        seen += c->tasks[0].event[i] == 1;
        low = fmin(low, c->tasks[0].value[i]);
        high = fmax(high, c->tasks[0].value[i]);
    }
    ck_assert_uint_eq(seen, events);
    ck_assert(c->tasks[0].value[0] == first && low == least && high == most);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert_uint_eq(m.width, width);
    mml_cohort_close(c);
}

START_TEST(survival_tables_of_scikit_survival_have_their_events_and_times)
{
    survival("sksurv_csv/gbsg2.csv", "id", "cens", "time", "all, -horTh, -menostat, -tgrade", 686, 299, 1814, 8, 2659, 5);
    survival("sksurv_csv/veterans_lung_cancer.csv", "id", "Status", "Survival_in_days", "all, -Celltype, -Prior_therapy, -Treatment",
             137, 128, 72, 1, 999, 3);
    survival("sksurv_csv/whas500.csv", "id", "fstat", "lenfol", "all", 500, 215, 2178, 1, 2358, 14);
    survival("reference_writers/sksurv_y.npy", "@row", "event", "time", "time", 57, 31, 24.11, 0.62, 108.87, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import npy");
    TCase *made = tcase_create("made"), *real = tcase_create("files of others");

    tcase_add_checked_fixture(made, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_checked_fixture(real, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(made, 60);
    tcase_set_timeout(real, 60);
    tcase_add_test(made, rows_of_a_table_have_the_ids_of_a_file_or_their_numbers);
    tcase_add_test(made, arrays_of_an_archive_are_named_and_may_hold_the_ids);
    tcase_add_test(made, rows_that_do_not_lie_together_are_put_in_order_whatever_the_size);
    tcase_add_test(made, a_bag_of_three_dimensions_is_a_sample_a_slab);
    tcase_add_test(made, records_are_labels_and_tables);
    tcase_add_test(made, a_file_without_an_ini_is_looked_at_and_imported);
    tcase_add_test(made, a_safetensors_file_is_described_and_answered_with_what_reads_it);
    suite_add_tcase(s, made);
    if (mmlt_shared() != NULL) {
        tcase_add_test(real, every_real_array_is_imported_with_the_values_that_numpy_reads);
        tcase_add_test(real, survival_tables_of_scikit_survival_have_their_events_and_times);
    }
    suite_add_tcase(s, real);
    return mmlt_main(s);
}
