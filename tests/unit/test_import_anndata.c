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
    ck_assert(says("  X, csr, 2 columns\n") && says("5 observations of 3 samples (obs:donor_id)"));
    ck_assert(says("1 observation says no obs:donor_id and was left out"));
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
    ck_assert(says("overlap: 1 sample has all 2 modalities, 0 have none"));
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[modality c]\nkind = table\nfile = m.h5mu\n", MML_E_NOT_FOUND,
                             "m.h5mu: no modality c; there are: b, a");
    mmlt_assert_ok(mml_import_with(mmlt_path("m.h5mu"), mmlt_path("direct.h5"), NULL, &report)); /* without a cohort.ini */
    ck_assert_ptr_nonnull(strstr(report, "modality b (table): 2 of 3 samples"));
    mml_string_free(report);
}
END_TEST

/* ---- columns of obs as features --------------------------------------------------------------------------------------------- */

/* Columns of a table that is there already. */
static void set_columns(hid_t f, const char *name, const char *const *columns)
{
    if (H5Aexists_by_name(f, name, "column-order", H5P_DEFAULT) > 0)
        H5Adelete_by_name(f, name, "column-order", H5P_DEFAULT);
    mmlt_ann_texts_attr(f, name, "column-order", columns);
}

/* Cells of two donors: age and sex are of the donor, counts of the cell; `odd` has no encoding that is read. */
static void make_donors(void)
{
    static const char *const columns[] = {"donor", "age", "sex", "odd", "counts", "dead", "note", NULL};
    static const char *const donors[] = {"d1", "d2", NULL}, *const sexes[] = {"unused", "m", "f", NULL};
    const hid_t f = mmlt_ann_new("a.h5ad", 4, 1);

    set_columns(f, "obs", columns);
    mmlt_ann_categorical(f, "obs/donor", (int8_t[]){1, 0, 1, 0}, 4, donors);
    mmlt_ann_ints(f, "obs/age", (int64_t[]){70, 50, 70, 50}, 4);
    mmlt_ann_categorical(f, "obs/sex", (int8_t[]){1, 2, -1, 2}, 4, sexes);
    mmlt_ann_group(f, "obs/odd", "awkward-array");
    mmlt_ann_ints(f, "obs/counts", (int64_t[]){1, 2, 3, 4}, 4);
    mmlt_ann_ints(f, "obs/dead", (int64_t[]){1, 0, 1, 0}, 4);
    mmlt_h5_texts(f, "obs/note", (const char *const[]){"x", "y", "", "y"}, 4);
    mmlt_ann_dense(f, "X", 4, 1, (float[]){1, 2, 3, 4});
    H5Fclose(f);
}

#define DONORS COHORT "id = donor\n[task death]\nkind = binary\nlabel = obs:dead\n[modality clinical]\nfile = a.h5ad\nx = obs\n"

START_TEST(columns_of_obs_are_features)
{
    mml_cohort *c;

    make_donors();
    c = mmlt_imported(DONORS "kind = table\ncolumns = age, sex\n");
    ck_assert_uint_eq(c->modalities[0].width, 3);
    ck_assert_str_eq(c->modalities[0].features[0], "age");
    ck_assert_str_eq(c->modalities[0].features[1], "sex=f");
    ck_assert_str_eq(c->modalities[0].category_of[2], "sex");
    mmlt_assert_tokens(c, "clinical", (float[]){70, 0, 1, 50, 1, 0}, NULL); /* d2, whose sex one cell does not say, d1 */
    ck_assert(says("categories of sex: f, m\n"));
    mml_cohort_close(c);
    c = mmlt_imported(DONORS "kind = bag\ncolumns = counts, note\n"); /* a text that is named is a category */
    mmlt_assert_tokens(c, "clinical", (float[]){1, 1, 0, 3, NAN, NAN, 2, 0, 1, 4, 0, 1}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_pattern_leaves_out_labels_and_what_cannot_be_a_feature_of_a_sample)
{
    mml_cohort *c;

    make_donors();
    c = mmlt_imported(DONORS "kind = table\n");
    ck_assert_uint_eq(c->modalities[0].width, 3); /* age and sex */
    ck_assert(says("left out because they are labels, groups or splits: dead\n"));
    ck_assert(says("left out: ") && says("obs/counts: sample d2 has 1 and, in row 2, 3"));
    ck_assert(says("obs/odd has the encoding awkward-array"));
    ck_assert(says("obs/note is text; columns = ..., note makes a number of each of its categories"));
    mml_cohort_close(c);
    mmlt_assert_not_imported(DONORS "kind = table\ncolumns = age, counts\n", MML_E_DATA, "kind = table needs the same in all observations");
    mmlt_assert_not_imported(DONORS "kind = table\ncolumns = odd\n", MML_E_FORMAT, "awkward-array");
    mmlt_assert_not_imported(DONORS "kind = table\ncolumns = note*\n", MML_E_DATA, "no column of obs can be a feature");
    mmlt_assert_not_imported(DONORS "kind = table\ncolumns = agee\n", MML_E_NOT_FOUND, "no column agee (did you mean age?)");
}
END_TEST

START_TEST(a_column_that_nobody_asked_for_may_be_unreadable)
{
    mml_cohort *c;
    char *json;

    make_donors();
    c = mmlt_imported(COHORT "id = donor\nsplits = a.h5ad\n[modality x]\nkind = bag\nfile = a.h5ad\n");
    ck_assert_uint_eq(mml_cohort_n_columns(c), 4); /* age, sex, dead, note: counts differ, odd cannot be read */
    mml_cohort_close(c);
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("a.h5ad"), NULL));
    ck_assert_ptr_nonnull(strstr(json, "not readable"));
    mml_string_free(json);
}
END_TEST

START_TEST(observations_that_are_samples_have_different_ids)
{
    static const char *const ids[] = {"c0", "c1", "c0"}, *const columns[] = {"y", "p", NULL};
    hid_t f = mmlt_ann_new("a.h5ad", 3, 1);

    H5Ldelete(f, "obs/_index", H5P_DEFAULT);
    mmlt_h5_texts(f, "obs/_index", ids, 3);
    set_columns(f, "obs", columns);
    mmlt_ann_ints(f, "obs/y", (int64_t[]){0, 1, 0}, 3);
    mmlt_ann_ints(f, "obs/p", (int64_t[]){1, 1, 2}, 3);
    mmlt_ann_dense(f, "X", 3, 1, (float[]){1, 2, 3});
    H5Fclose(f);
    mmlt_assert_not_imported(COHORT "id = @index\n[modality x]\nkind = bag\nfile = a.h5ad\n", MML_E_DATA,
                             "a.h5ad: obs: observations 0 and 2 have the same id c0; make them different");
    mml_cohort_close(mmlt_imported(COHORT "id = p\n[modality x]\nkind = bag\nfile = a.h5ad\n")); /* of others the ids do not matter */
    f = mmlt_ann_empty("m.h5mu", "MuData"); /* without obsmap */
    mmlt_ann_frame(f, "obs", "c", 3, NULL);
    H5Ldelete(f, "obs/_index", H5P_DEFAULT);
    mmlt_h5_texts(f, "obs/_index", ids, 3);
    mmlt_ann_frame(f, "var", "g", 1, NULL);
    mmlt_ann_frame(f, "mod/a/obs", "c", 2, NULL);
    mmlt_ann_frame(f, "mod/a/var", "g", 1, NULL);
    mmlt_ann_dense(f, "mod/a/X", 2, 1, (float[]){1, 3});
    H5Fclose(f);
    mmlt_assert_not_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[modality a]\nkind = table\nfile = m.h5mu\n", MML_E_DATA,
                             "m.h5mu: obs: observations 0 and 2 have the same id c0, and there is no obsmap");
}
END_TEST

START_TEST(obs_of_a_mudata_is_that_of_all_or_of_the_modality_named)
{
    static const char *const columns[] = {"y", "age", "a:w", NULL}, *const own[] = {"w", NULL};
    mml_cohort *c;
    hid_t f;

    make_mudata();
    f = H5Fopen(mmlt_path("m.h5mu"), H5F_ACC_RDWR, H5P_DEFAULT);
    set_columns(f, "obs", columns);
    mmlt_ann_ints(f, "obs/age", (int64_t[]){40, 50, 60}, 3);
    mmlt_ann_ints(f, "obs/a:w", (int64_t[]){7, 0, 8}, 3);
    set_columns(f, "mod/a/obs", own);
    mmlt_ann_ints(f, "mod/a/obs/w", (int64_t[]){7, 8}, 2);
    H5Fclose(f);
    c = mmlt_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[task y]\nkind = binary\nlabel = y\n"
                      "[modality clinical]\nkind = table\nfile = m.h5mu\nx = obs\ncolumns = age\n"
                      "[modality w]\nkind = table\nfile = m.h5mu\nx = obs\nmodality = a\n");
    mmlt_assert_tokens(c, "clinical", (float[]){40, 50, 60}, NULL);
    mmlt_assert_tokens(c, "w", (float[]){7, 8}, NULL);
    ck_assert(c->modalities[1].offsets[1] == 1 && c->modalities[1].offsets[2] == 1);
    mml_cohort_close(c);
    c = mmlt_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[task w]\nkind = regression\nlabel = a:w\n"
                      "[modality clinical]\nkind = table\nfile = m.h5mu\nx = obs\n");
    ck_assert_uint_eq(c->modalities[0].width, 2); /* y and age */
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = m.h5mu\nid = @index\n[task w]\nkind = regression\nlabel = a:w\n"
                             "[modality w]\nkind = table\nfile = m.h5mu\nx = obs\nmodality = a\n", MML_E_DATA,
                             "no column of mod/a/obs can be a feature"); /* w is what the label a:w is a copy of */
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
    tcase_add_test(tc, columns_of_obs_are_features);
    tcase_add_test(tc, a_pattern_leaves_out_labels_and_what_cannot_be_a_feature_of_a_sample);
    tcase_add_test(tc, a_column_that_nobody_asked_for_may_be_unreadable);
    tcase_add_test(tc, observations_that_are_samples_have_different_ids);
    tcase_add_test(tc, obs_of_a_mudata_is_that_of_all_or_of_the_modality_named);
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
