/* AnnData and MuData into a cohort: an observation a sample, or all cells of a patient one bag; labels from obs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "tests/unit/make_anndata.h"

#define COHORT "[cohort]\nlabels = a.h5ad\n"

static bool says(const char *words)
{
    return strstr(mmlt_report(), words) != NULL;
}

/* Six cells of three donors, in no order; the last but one is of nobody. Genes g0, g1. */
static void make_cells(void)
{
    static const char *const columns[] = {"donor_id", "dead", "score", NULL}, *const donors[] = {"d2", "d1", "d7", NULL};
    const int64_t indptr[] = {0, 1, 2, 3, 4, 5, 6};
    const int32_t indices[] = {0, 1, 0, 1, 0, 1};
    const double data[] = {1, 2, 3, 4, 5, 6};
    const hid_t f = mmlt_ann_empty("a.h5ad", "anndata");

    mmlt_ann_frame(f, "obs", "c", 6, columns);
    mmlt_ann_frame(f, "var", "g", 2, NULL);
    mmlt_ann_categorical(f, "obs/donor_id", (int8_t[]){0, 1, 0, 2, -1, 1}, 6, donors);
    mmlt_ann_ints(f, "obs/dead", (int64_t[]){1, 0, 1, 0, 1, 0}, 6);
    mmlt_ann_ints(f, "obs/score", (int64_t[]){1, 2, 3, 4, 5, 6}, 6);
    mmlt_ann_sparse(f, "X", "csr_matrix", 6, 2, indptr, indices, data, 6);
    mmlt_ann_dense(f, "obsm/e", 6, 1, (float[]){10, 20, 30, 40, 50, 60});
    H5Fclose(f);
}

START_TEST(the_cells_of_a_donor_are_a_bag)
{
    mml_cohort *c;

    make_cells();
    c = mmlt_imported(COHORT "id = donor_id\n[task death]\nkind = binary\nlabel = dead\n"
                             "[modality rna]\nkind = bag\nfile = a.h5ad\nsample = obs:donor_id\n"
                             "[modality e]\nkind = bag\nfile = a.h5ad\nx = obsm/e\n");
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[0], "d2");
    ck_assert_str_eq(mml_cohort_ids(c)[2], "d7");
    mmlt_assert_tokens(c, "rna", (float[]){1, 0, 3, 0, 0, 2, 0, 6, 0, 4}, NULL);
    mmlt_assert_tokens(c, "e", (float[]){10, 30, 20, 60, 40}, NULL); /* the id of the cohort is a column of obs */
    ck_assert(c->modalities[0].offsets[1] == 2 && c->modalities[0].offsets[2] == 4 && c->modalities[0].offsets[3] == 5);
    ck_assert(c->tasks[0].value[0] == 1 && c->tasks[0].value[1] == 0 && c->tasks[0].value[2] == 0);
    ck_assert(says("  X, csr, 2 columns\n") && says("the 5 observations are of 3 samples (obs:donor_id)"));
    ck_assert(says("1 observations say no obs:donor_id and were left out"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(an_observation_is_a_sample)
{
    mml_cohort *c;

    make_cells();
    c = mmlt_imported(COHORT "id = @index\n[task score]\nkind = regression\nlabel = score\n"
                             "[modality rna]\nkind = table\nfile = a.h5ad\ncolumns = g1\n");
    ck_assert_uint_eq(mml_cohort_size(c), 6);
    ck_assert_str_eq(mml_cohort_ids(c)[5], "c5");
    mmlt_assert_tokens(c, "rna", (float[]){0, 2, 0, 4, 0, 6}, NULL);
    ck_assert(c->tasks[0].value[4] == 5);
    mml_cohort_close(c);
    mmlt_write("l.csv", "case,y\nc4,1\nc0,0\nx,1\n"); /* labels from elsewhere, and the id is no column of obs */
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = case\n[task y]\nkind = binary\nlabel = y\n"
                      "[modality rna]\nkind = table\nfile = a.h5ad\n");
    mmlt_assert_tokens(c, "rna", (float[]){5, 0, 1, 0}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
    make_cells();
    mmlt_assert_not_imported(COHORT "id = donor_id\n[task score]\nkind = regression\nlabel = score\n"
                                    "[modality rna]\nkind = bag\nfile = a.h5ad\n", MML_E_DATA,
                             "obs/score: sample d2 has 1 and, in row 2, 3; what is used as a label must be the same");
    mmlt_assert_not_imported(COHORT "id = donor_id\n[modality rna]\nkind = table\nfile = a.h5ad\n", MML_E_DATA,
                             "sample d2 has 2 rows; several rows a sample are kind = bag");
    mmlt_assert_not_imported(COHORT "id = @index\n[modality rna]\nkind = bag\nfile = a.h5ad\nsample = obs:donor_i\n", MML_E_NOT_FOUND,
                             "a.h5ad: no column donor_i (did you mean donor_id?)");
    mmlt_assert_not_imported(COHORT "id = @index\n[modality rna]\nkind = table\nfile = a.h5ad\nx = layers/counts\n", MML_E_NOT_FOUND,
                             "there is no matrix layers/counts; there are: X, obsm/e");
    mmlt_assert_not_imported(COHORT "id = @index\n[modality rna]\nkind = image\nfile = a.h5ad\n", MML_E_FORMAT,
                             "rows of AnnData are kind = table");
    mmlt_assert_not_imported(COHORT "id = @index\n[modality rna]\nkind = table\nformat = csv\nfile = a.h5ad\nx = X\n", MML_E_FORMAT,
                             "x is not for");
}
END_TEST

/* Modality a: c0, c2; modality b: c2, c1. Label 1 for c2 only. */
static void make_mudata(void)
{
    static const char *const columns[] = {"y", NULL}, *const order[] = {"b", "a", NULL};
    const hid_t f = mmlt_ann_empty("m.h5mu", "MuData");

    mmlt_ann_frame(f, "obs", "c", 3, columns);
    mmlt_ann_frame(f, "var", "g", 2, NULL);
    mmlt_ann_ints(f, "obs/y", (int64_t[]){0, 0, 1}, 3);
    mmlt_ann_frame(f, "mod/a/obs", "x", 2, NULL);
    mmlt_ann_frame(f, "mod/a/var", "g", 1, NULL);
    mmlt_ann_dense(f, "mod/a/X", 2, 1, (float[]){1, 3});
    mmlt_ann_ints(f, "obsmap/a", (int64_t[]){1, 0, 2}, 3);
    mmlt_ann_frame(f, "mod/b/obs", "x", 2, NULL);
    mmlt_ann_frame(f, "mod/b/var", "h", 1, NULL);
    mmlt_ann_sparse(f, "mod/b/X", "csc_matrix", 2, 1, (int64_t[]){0, 2}, (int32_t[]){1, 0}, (double[]){20, 30}, 2);
    mmlt_ann_ints(f, "obsmap/b", (int64_t[]){0, 2, 1}, 3);
    mmlt_ann_texts_attr(f, "mod", "mod-order", order);
    H5Fclose(f);
}

START_TEST(modalities_of_mudata_are_matched_by_their_map)
{
    mml_cohort *c;
    char *report;

    make_mudata();
    c = mmlt_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[task y]\nkind = binary\nlabel = y\n"
                      "[modality a]\nkind = table\nfile = m.h5mu\n[modality other]\nkind = table\nfile = m.h5mu\nmodality = b\n");
    mmlt_assert_tokens(c, "a", (float[]){1, 3}, NULL);
    mmlt_assert_tokens(c, "other", (float[]){20, 30}, NULL); /* c1, c2 */
    ck_assert(c->modalities[0].offsets[2] == 1 && c->modalities[1].offsets[1] == 0 && c->tasks[0].value[2] == 1);
    ck_assert(says("overlap: 1 samples have all 2 modalities, 0 have none"));
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[modality c]\nkind = table\nfile = m.h5mu\n", MML_E_NOT_FOUND,
                             "m.h5mu: no modality c; there are: b, a");
    mmlt_assert_ok(mml_import_with(mmlt_path("m.h5mu"), mmlt_path("direct.h5"), NULL, &report)); /* without a cohort.ini */
    ck_assert_ptr_nonnull(strstr(report, "modality b (table): 2 of 3 samples"));
    mml_string_free(report);
}
END_TEST

START_TEST(inspect_says_what_is_in_it)
{
    char *json;

    make_cells();
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("a.h5ad"), NULL));
    ck_assert_ptr_nonnull(strstr(json, "anndata"));
    ck_assert_ptr_nonnull(strstr(json, "csr (6, 2), 6 stored"));
    ck_assert_ptr_nonnull(strstr(json, "obs/donor_id"));
    ck_assert_ptr_nonnull(strstr(json, "d2, d1, d7"));
    mml_string_free(json);
}
END_TEST

/* ---- real files ---------------------------------------------------------------------------------------------------------------- */

START_TEST(three_modalities_of_bladder_cancer_come_in_with_their_survival)
{
    static const char *const names[] = {"rna", "cnv", "mut"};
    static const double sums[] = {14402.230110573611, 601, 87}; /* NumPy, float64 sums of the float32 values */
    static const size_t missing[] = {12, 17, 7};
    char ini[2000];
    mml_cohort *c;
    size_t events = 0;

    snprintf(ini, sizeof ini, "[cohort]\nfolder = %s/user_files/reference_writers\nlabels = blca_three_modalities.h5mu\nid = @index\n"
             "[task os]\nkind = survival\ntime = survival_months\nevent = event\nunit = months\n"
             "[modality rna]\nkind = table\nfile = blca_three_modalities.h5mu\n[modality cnv]\nkind = table\n"
             "file = blca_three_modalities.h5mu\n[modality mut]\nkind = table\nfile = blca_three_modalities.h5mu\n", mmlt_shared());
    c = mmlt_imported(ini);
    ck_assert_uint_eq(mml_cohort_size(c), 57);
    ck_assert_str_eq(mml_cohort_ids(c)[0], "TCGA-2F-A9KO");
    for (size_t i = 0; i < 57; i++)
        events += c->tasks[0].event[i];
    ck_assert(events == 31 && c->tasks[0].value[0] == 24.11);
    for (size_t k = 0; k < 3; k++) {
        mml_batch *b;
        mml_tokens t;
        double sum = 0;
        size_t all[57], none = 0;

        for (size_t i = 0; i < 57; i++)
            all[i] = i;
        mmlt_assert_ok(mml_batch_new(&b, 0));
        mmlt_assert_ok(mml_cohort_read(c, b, all, 57, &names[k], 1));
        mmlt_assert_ok(mml_batch_get(&t, b, names[k]));
        for (size_t i = 0; i < 57; i++)
            none += t.offsets[i + 1] == t.offsets[i];
        for (size_t i = 0; i < (size_t)t.offsets[57] * t.width; i++)
            sum += (double)t.values[i];
        ck_assert_uint_eq(none, missing[k]);
        ck_assert_double_eq_tol(sum, sums[k], 1e-7); /* the order of 2250 additions */
        mml_batch_free(b);
    }
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import anndata");
    TCase *tc = tcase_create("made"), *shared = tcase_create("shared");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_cells_of_a_donor_are_a_bag);
    tcase_add_test(tc, an_observation_is_a_sample);
    tcase_add_test(tc, what_does_not_fit_is_named);
    tcase_add_test(tc, modalities_of_mudata_are_matched_by_their_map);
    tcase_add_test(tc, inspect_says_what_is_in_it);
    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(shared, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(shared, 60);
    tcase_add_test(shared, three_modalities_of_bladder_cancer_come_in_with_their_survival);
    if (mmlt_shared() != NULL)
        suite_add_tcase(s, shared);
    else
        puts("skip - the user files of ../shared/data are not there (MMLEGO_SHARED)");
    return mmlt_main(s);
}
