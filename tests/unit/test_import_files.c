/* Import of what people have: tables without headers, in parts, of different samples. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/source.h"
#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

/* ---- samples ---------------------------------------------------------------------------------------------------------- */

START_TEST(without_a_labels_file_the_samples_are_those_of_all_modalities)
{
    mml_cohort *c;
    const char *const *ids;

    mmlt_write("m.csv", "id,x\nb,1\na,2\n");
    mmlt_write("n.csv", "id,y\nc,3\na,4\n");
    mmlt_write("y.csv", "who,dead\nc,1\nz,0\n");
    c = mmlt_imported("[cohort]\nid = id\n[task death]\nkind = binary\nfile = y.csv\nid = who\nlabel = dead\n"
                      "[modality m]\nkind = table\nfile = m.csv\n[modality n]\nkind = table\nfile = n.csv\n");
    ids = mml_cohort_ids(c);
    ck_assert_uint_eq(mml_cohort_size(c), 4); /* of the task's file, of m, of n */
    ck_assert(strcmp(ids[0], "c") == 0 && strcmp(ids[1], "z") == 0 && strcmp(ids[2], "b") == 0 && strcmp(ids[3], "a") == 0);
    mmlt_assert_tokens(c, "m", (float[]){1, 2}, NULL);
    mmlt_assert_tokens(c, "n", (float[]){3, 4}, NULL);
    ck_assert(c->tasks[0].value[0] == 1 && c->tasks[0].value[1] == 0 && isnan(c->tasks[0].value[2]) && isnan(c->tasks[0].value[3]));
    ck_assert(mmlt_has(mmlt_report(), "overlap: 1 sample has all 2 modalities, 1 has none\n"));
    mml_cohort_close(c);
}
END_TEST

/* The list of samples grows with the first table and moves; the second adds nobody. */
START_TEST(two_tables_of_the_same_samples_need_no_labels_file)
{
    enum { N = 3000 };
    char *rows = malloc((size_t)N * 16 + 16), *p = rows;
    mml_cohort *c;

    p += sprintf(p, "id,x\n");
    for (int i = 0; i < N; i++)
        p += sprintf(p, "sample%d,%d\n", i, i % 7);
    mmlt_write("m.csv", rows);
    mmlt_write("n.csv", rows);
    free(rows);
    c = mmlt_imported("[cohort]\nid = id\n[modality m]\nkind = table\nfile = m.csv\n[modality n]\nkind = table\nfile = n.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), N);
    ck_assert(mmlt_has(mmlt_report(), "overlap: 3000 samples have all 2 modalities, 0 have none\n"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(samples_all_keeps_those_that_the_labels_file_lacks)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id,y,who\na,0,p\nb,1,p\n");
    mmlt_write("m.csv", "id,x\nq,5\nb,1\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\nsamples = all\ngroup = who\n[task y]\nkind = binary\nlabel = y\n"
                      "[modality m]\nkind = table\nfile = m.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "q");
    ck_assert_str_eq(mml_cohort_groups(c)[1], "p");
    ck_assert_str_eq(mml_cohort_groups(c)[2], "q"); /* of nobody else */
    mmlt_assert_tokens(c, "m", (float[]){1, 5}, NULL);
    mml_cohort_close(c);
}
END_TEST

/* ---- tables that lack something ------------------------------------------------------------------------------------------ */

START_TEST(tables_without_header_and_ids_are_matched_by_row_over_several_files)
{
    mml_cohort *c;
    mml_modality_info m;
    mml_column_info part;

    mmlt_write("y_tr.csv", "0\n1\n");
    mmlt_write("y_te.csv", "1\n");
    mmlt_write("x_tr.csv", "1.5,2\n3,4\n");
    mmlt_write("x_te.csv", "5,6\n");
    mmlt_write("x_names.csv", "TP53\nEGFR\n");
    c = mmlt_imported("[cohort]\nlabels = y_tr.csv, y_te.csv\nheader = no\nid = @row\ncolumns = @file\n"
                      "[task ad]\nkind = binary\nlabel = c1\n"
                      "[modality x]\nkind = table\nfile = x_tr.csv, x_te.csv\nheader = no\nnames = x_names.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "3");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "x"));
    ck_assert(m.width == 2 && strcmp(m.features[1], "EGFR") == 0);
    mmlt_assert_tokens(c, "x", (float[]){1.5f, 2, 3, 4, 5, 6}, NULL);
    mmlt_assert_ok(mml_cohort_column(&part, c, "@file"));
    ck_assert(strcmp(part.text[1], "y_tr") == 0 && strcmp(part.text[2], "y_te") == 0);
    mml_cohort_close(c);
}
END_TEST

START_TEST(ids_may_stand_in_a_file_of_their_own)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\nb\na\n");
    mmlt_write("m.csv", "7\n8\n");
    mmlt_write("ids.txt", "a\nb\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n"
                      "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\nid = @ids\n");
    mmlt_assert_tokens(c, "m", (float[]){8, 7}, NULL);
    mml_cohort_close(c);
    mmlt_write("ids.txt", "a\nb\nc\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n"
                             "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\nid = @ids\n",
                             MML_E_DATA, "has 3 ids for the 2 rows");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n"
                             "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\n", MML_E_NOT_FOUND,
                             "no column id; the ids of ids = ids.txt are the column @ids: say id = @ids");
    mmlt_assert_not_imported("[cohort]\n[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\n", MML_E_FORMAT, "needs id = @ids");
}
END_TEST

START_TEST(parts_of_a_table_must_have_the_same_columns)
{
    mmlt_write("l.csv", "id\na\nb\n");
    mmlt_write("m1.csv", "id,x\na,1\n");
    mmlt_write("m2.csv", "id,y\nb,1\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m1.csv, m2.csv\n",
                             MML_E_FORMAT, "column 2 is y, in");
}
END_TEST

START_TEST(tabs_and_semicolons_divide_cells_where_there_is_no_comma)
{
    mml_cohort *c;

    mmlt_write("l.csv", "\"\";x\n\"a\";1\nb;2\n");
    mmlt_write("m.csv", "id\tx y\nb\t2\na\t1\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = @index\n[modality m]\nkind = table\nfile = m.csv\nid = id\n");
    mmlt_assert_tokens(c, "m", (float[]){1, 2}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(samples_may_be_columns)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\na\nb\nc\n");
    mmlt_write("m.csv", "\"\",\"b\",\"zz\",\"a\"\n\"TP53\",1,9,NA\n\"EGFR\",2,9,4\nKRAS,3,9,5\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\norientation = columns\n"
                      "columns = all, -KRAS\n");
    mmlt_assert_tokens(c, "m", (float[]){NAN, 4, 1, 2}, NULL);
    ck_assert_str_eq(c->modalities[0].features[0], "TP53");
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n", MML_E_DATA,
                             "2 names of columns are ids of samples: if the samples are the columns, orientation = columns");
}
END_TEST

START_TEST(many_samples_in_columns_are_turned_round_in_bands)
{
    enum { N = 37, F = 300000 }; /* 44 MB: two tiles */
    char *csv = malloc((size_t)F * (N * 3 + 12) + 400), *p = csv;
    size_t one = 1;
    const char *name = "m";
    mml_batch *b;
    mml_tokens t;
    mml_cohort *c;

    mmlt_write("l.csv", "id\ns0\ns36\n");
    p += sprintf(p, "f");
    for (int i = 0; i < N; i++)
        p += sprintf(p, ",s%d", i);
    for (int f = 0; f < F; f++) {
        p += sprintf(p, "\ng%d", f);
        for (int i = 0; i < N; i++)
            p += sprintf(p, ",%d", (f + i) % 90);
    }
    mmlt_write("m.csv", csv);
    free(csv);
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\ncompress = 0\n[modality m]\nkind = table\nfile = m.csv\n"
                      "orientation = columns\n");
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &one, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, "m"));
    for (size_t f = 0; f < F; f++)
        ck_assert(t.values[f] == (float)((f + 36) % 90));
    mml_batch_free(b);
    mml_cohort_close(c);
}
END_TEST

START_TEST(categories_become_a_number_each)
{
    mml_cohort *c;
    const char ini[] = "[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\ncategorical = stage%s\n";
    char text_of_it[300];

    mmlt_write("l.csv", "id\na\nb\nc\nd\n");
    mmlt_write("m.csv", "id,age,stage,smokes\na,50,iv,True\nb,60, i ,False\nc,70,,yes\nd,80,ii,no\n");
    snprintf(text_of_it, sizeof text_of_it, ini, "");
    c = mmlt_imported(text_of_it);
    ck_assert_uint_eq(c->modalities[0].width, 5);
    ck_assert_str_eq(c->modalities[0].features[1], "stage=i");
    ck_assert_str_eq(c->modalities[0].features[3], "stage=iv");
    for (size_t f = 0; f < 5; f++)
        ck_assert_str_eq(c->modalities[0].category_of[f], f >= 1 && f <= 3 ? "stage" : "");
    mmlt_assert_tokens(c, "m", (float[]){50, 0, 0, 1, 1, 60, 1, 0, 0, 0, 70, NAN, NAN, NAN, 1, 80, 0, 1, 0, 0}, NULL);
    ck_assert(mmlt_has(mmlt_report(), "  categories of stage: i, ii, iv\n"));
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, ":iv|i|x"); /* as another cohort had them: order kept, ii is none of them */
    c = mmlt_imported(text_of_it);
    ck_assert_str_eq(c->modalities[0].features[1], "stage=iv");
    mmlt_assert_tokens(c, "m", (float[]){50, 1, 0, 0, 1, 60, 0, 1, 0, 0, 70, NAN, NAN, NAN, 1, 80, 0, 0, 0, 0}, NULL);
    ck_assert(mmlt_has(mmlt_report(), "WARNING: 1 cell of stage is of none of these categories\n"));
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, "s");
    mmlt_assert_not_imported(text_of_it, MML_E_NOT_FOUND, "stage");
    snprintf(text_of_it, sizeof text_of_it, ini, "\ncolumns = age, stage\ntransform = log1p\nclip = 2:9");
    c = mmlt_imported(text_of_it); /* amounts change, categories stay 0 and 1 */
    mmlt_assert_tokens(c, "m", (float[]){log1pf(9), 0, 0, 1, log1pf(9), 1, 0, 0, log1pf(9), NAN, NAN, NAN, log1pf(9), 0, 1, 0}, NULL);
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, "\ntransform = rank");
    mmlt_assert_not_imported(text_of_it, MML_E_FORMAT, "transform = rank is for numbers only");
    mmlt_write("m.csv", "id,age,stage\na,50,\nb,60,NA\n");
    snprintf(text_of_it, sizeof text_of_it, ini, "");
    c = mmlt_imported(text_of_it); /* patients to predict, of whom nobody's stage is known */
    ck_assert_str_eq(c->modalities[0].features[1], "stage=");
    ck_assert_str_eq(c->modalities[0].category_of[1], "stage");
    mmlt_assert_tokens(c, "m", (float[]){50, NAN, 60, NAN}, NULL);
    ck_assert(mmlt_has(mmlt_report(), "WARNING: column stage is empty in all rows\n"));
    ck_assert(!mmlt_has(mmlt_report(), "categories of stage"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(ranks_and_limits_change_values_within_a_sample)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\na\nb\n");
    mmlt_write("m.csv", "id,p,q,r,s\na,5,1,5,NA\nb,-7,0,100,3\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\ntransform = rank\n"
                      "[modality n]\nkind = table\nfile = m.csv\nclip = 0:10\n[modality o]\nkind = table\nfile = m.csv\nclip = 0:\n"
                      "transform = log1p\n");
    mmlt_assert_tokens(c, "m", (float[]){0.75f, 0, 0.75f, NAN, 0, (float)(1.0 / 3), 1, (float)(2.0 / 3)}, NULL);
    mmlt_assert_tokens(c, "n", (float[]){5, 1, 5, NAN, 0, 0, 10, 3}, NULL);
    mmlt_assert_tokens(c, "o", (float[]){(float)log1p(5), (float)log1p(1), (float)log1p(5), NAN, 0, 0, (float)log1p(100), (float)log1p(3)},
                       NULL);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\nclip = 3:1\n",
                             MML_E_FORMAT, "clip = 3:1: two numbers LEAST:MOST are needed");
}
END_TEST

START_TEST(a_decimal_comma_is_called_by_its_name)
{
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("m.csv", "id;x\na;0,5\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n", MML_E_DATA,
                             "row 2, column x: \"0,5\" is not a number: it has a decimal comma");
}
END_TEST

START_TEST(an_event_may_be_a_word)
{
    mml_cohort *c;
    const char ini[] = "[cohort]\nlabels = l.csv\nid = id\n[task os]\nkind = survival\ntime = t\nevent = status:1:DECEASED\n"
                       "[modality m]\nkind = table\nfile = m.csv\n";

    mmlt_write("l.csv", "id,t,status\na,1,1:DECEASED\nb,2,0:LIVING\nc,3,NA\n");
    c = mmlt_imported(ini);
    ck_assert(c->tasks[0].event[0] == 1 && c->tasks[0].event[1] == 0 && isnan(c->tasks[0].value[2]));
    mml_cohort_close(c);
    mmlt_write("l.csv", "id,t,status\na,1,1:Deceased\nb,2,0:LIVING\nc,3,NA\n");
    mmlt_assert_not_imported(ini, MML_E_DATA, "no cell of column status is 1:DECEASED (did you mean 1:Deceased?)");
}
END_TEST

/* What a format cannot look at for want of memory is not "none of mine": another would take the file, and make another cohort of it. */
START_TEST(without_memory_nothing_is_taken_for_something_else)
{
    static const struct {
        const char *file, *format;
    } seeds[] = {{"anndata/sparse.h5ad", "anndata"}, {"anndata/two.h5mu", "mudata"}, {"bag/once_trident.h5", "bags"}, {"bag", "bags"},
                 {"image", "images"}, {"image/grey.png", "images"}, {"npy/packed.npz", "npy"}, {"h5/v108.h5", "hdf5"}};
    char path[4096];
    const mmli_source_kind *kind;
    mml_status st = MML_OK;
    uint64_t used = 1;

    ck_assert_ptr_nonnull(getenv("MMLT_SRCDIR"));
    snprintf(path, sizeof path, "%s/tests/fuzz/seeds/%s", getenv("MMLT_SRCDIR"), seeds[_i].file);
    for (uint64_t k = 1; k <= used; k++) {
        mmli_alloc_fail_at(k);
        st = mmli_source_recognise(&kind, NULL, path);
        used = mmli_alloc_count() + 1; /* and once more, with none that fails */
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK ? strcmp(kind->name, seeds[_i].format) == 0 : st == MML_E_NOMEM && k < used && kind == NULL,
                      "%s, allocation %zu: %s: %s", path, (size_t)k, mml_status_name(st), mml_last_error());
    }
    ck_assert_int_eq(st, MML_OK);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import files");
    TCase *tc = tcase_create("files");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, without_a_labels_file_the_samples_are_those_of_all_modalities);
    tcase_add_test(tc, two_tables_of_the_same_samples_need_no_labels_file);
    tcase_add_test(tc, samples_all_keeps_those_that_the_labels_file_lacks);
    tcase_add_test(tc, tables_without_header_and_ids_are_matched_by_row_over_several_files);
    tcase_add_test(tc, ids_may_stand_in_a_file_of_their_own);
    tcase_add_test(tc, parts_of_a_table_must_have_the_same_columns);
    tcase_add_test(tc, tabs_and_semicolons_divide_cells_where_there_is_no_comma);
    tcase_add_test(tc, samples_may_be_columns);
    tcase_add_test(tc, many_samples_in_columns_are_turned_round_in_bands);
    tcase_add_test(tc, categories_become_a_number_each);
    tcase_add_test(tc, ranks_and_limits_change_values_within_a_sample);
    tcase_add_test(tc, a_decimal_comma_is_called_by_its_name);
    tcase_add_test(tc, an_event_may_be_a_word);
    tcase_add_loop_test(tc, without_memory_nothing_is_taken_for_something_else, 0, 8);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
