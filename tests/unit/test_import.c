/* Import: what tables and arrays become, value by value. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define LABELS "[cohort]\nlabels = l.csv\nid = id\n"

static void make(void)
{
    mmlt_folder_make();
    mmlt_write("l.csv", "id,y,stage,t,dead,who,set\n"
                        "a,1,II,10,1,P1,x\n"
                        "b,0,I,20.5,0,P1,x\n"
                        "007,,IV,,1,P2,y\n"
                        "d,1.0,,30,NA,P3,\n");
}

START_TEST(labels_become_classes_times_and_values)
{
    mml_cohort *c = mmlt_imported(LABELS "group = who\ncolumns = set\n"
                                         "[task y]\nkind = binary\nlabel = y\n"
                                         "[task stage]\nkind = multiclass\nlabel = stage\n"
                                         "[task os]\nkind = survival\ntime = t\nevent = dead\nunit = months\n"
                                         "[task cens]\nkind = survival\ntime = t\ncensorship = dead\n"
                                         "[task t]\nkind = regression\nlabel = t\nunit = days\n"
                                         "[modality m]\nkind = table\nfile = m.csv\n");
    mml_task_info t;
    mml_column_info column;

    ck_assert_uint_eq(mml_cohort_size(c), 4);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "007");
    ck_assert_str_eq(mml_cohort_groups(c)[1], "P1");
    mmlt_assert_ok(mml_cohort_column(&column, c, "set"));
    ck_assert_str_eq(column.text[2], "y");
    ck_assert_str_eq(column.text[3], "");
    mmlt_assert_ok(mml_cohort_task_at(&t, c, 0)); /* in the order of the ini */
    ck_assert_str_eq(t.name, "y");
    ck_assert(t.n_classes == 2 && strcmp(t.classes[0], "0") == 0 && strcmp(t.classes[1], "1") == 0);
    ck_assert(t.value[0] == 1 && t.value[1] == 0 && isnan(t.value[2]) && t.value[3] == 1);
    mmlt_assert_ok(mml_cohort_task(&t, c, "stage"));
    ck_assert(t.n_classes == 3 && strcmp(t.classes[1], "II") == 0);
    ck_assert(t.value[0] == 1 && t.value[1] == 0 && t.value[2] == 2 && isnan(t.value[3]));
    mmlt_assert_ok(mml_cohort_task(&t, c, "os"));
    ck_assert(t.value[0] == 10 && t.value[1] == 20.5 && isnan(t.value[2]) && isnan(t.value[3])); /* half a label is none */
    ck_assert(t.event[0] == 1 && t.event[1] == 0);
    ck_assert_str_eq(t.unit, "months");
    mmlt_assert_ok(mml_cohort_task(&t, c, "cens"));
    ck_assert(t.event[0] == 0 && t.event[1] == 1);
    mmlt_assert_ok(mml_cohort_task(&t, c, "t"));
    ck_assert(t.kind == MML_REGRESSION && t.value[3] == 30 && isnan(t.value[2]));
    mml_cohort_close(c);
}
END_TEST

START_TEST(numeric_classes_are_sorted_by_number_and_written_alike)
{
    mml_cohort *c;
    mml_task_info t;

    mmlt_write("l.csv", "id,k\na,10\nb,2\nc,2.0\nd,-1\ne,\n");
    c = mmlt_imported(LABELS "[task k]\nkind = multiclass\nlabel = k\n[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(mml_cohort_task(&t, c, "k"));
    ck_assert_uint_eq(t.n_classes, 3);
    ck_assert_str_eq(t.classes[0], "-1");
    ck_assert_str_eq(t.classes[1], "2");
    ck_assert_str_eq(t.classes[2], "10");
    ck_assert(t.value[0] == 2 && t.value[1] == 1 && t.value[2] == 1 && t.value[3] == 0 && isnan(t.value[4]));
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_binary_label_of_one_value_keeps_both_classes)
{
    mml_cohort *c;
    mml_task_info t;

    mmlt_write("l.csv", "id,k\na,1\nb,1.0\n");
    c = mmlt_imported(LABELS "[task k]\nkind = binary\nlabel = k\n[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(mml_cohort_task(&t, c, "k"));
    ck_assert(t.n_classes == 2 && t.value[0] == 1 && t.value[1] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_table_is_one_token_a_sample_in_the_order_of_the_labels)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write_gz("m.csv.gz", "x,id,note,y\n1,d,7,NA\n,007,8,\n3e-1,a,9,-0.5\n5,zz,1,2\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv.gz\ncolumns = all, -no*\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert(m.width == 2 && m.n_axes == 0 && m.kind == MML_TABLE);
    ck_assert_str_eq(m.features[0], "x");
    ck_assert_str_eq(m.features[1], "y");
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 1, 1, 1, 2}), 5 * sizeof(int64_t)); /* 007 has nothing */
    mmlt_assert_tokens(c, "m", (float[]){0.3f, -0.5f, 1, NAN}, NULL);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "modality m (table): 2 of 4 samples, 2 tokens of 2 features, 25 % of their values missing"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "1 row of "));
    mml_cohort_close(c);
}
END_TEST

START_TEST(an_empty_row_is_a_token_when_that_is_asked_for)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("m.csv", "id,x\na,1\nb,\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\ndrop_empty_rows = no\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 1, 2, 2, 2}), 5 * sizeof(int64_t));
    mml_cohort_close(c);
}
END_TEST

START_TEST(labels_groups_and_splits_are_not_features_unless_named)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("l.csv", ",id,y,t,dead,who,set,age,g1,Unnamed: 0\n0,a,1,1,0,1,5,60,0.5,0\n1,b,0,2,1,1,6,70,0.25,1\n");
    c = mmlt_imported(LABELS "group = who\ncolumns = set\n[task y]\nkind = binary\nlabel = y\n"
                             "[task os]\nkind = survival\ntime = t\nevent = dead\n"
                             "[modality all]\nkind = table\nfile = l.csv\n"
                             "[modality named]\nkind = table\nfile = l.csv\ncolumns = g*, set\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "all"));
    ck_assert_uint_eq(m.width, 2);
    ck_assert_str_eq(m.features[0], "age");
    ck_assert_str_eq(m.features[1], "g1");
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "left out because they are labels, groups or splits: y, t, dead, who, set"));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "named"));
    ck_assert_uint_eq(m.width, 2);
    ck_assert_str_eq(m.features[0], "set");
    mml_cohort_close(c);
}
END_TEST

START_TEST(columns_are_chosen_by_name_pattern_and_exclusion)
{
    static const struct {
        const char *columns, *want;
    } cases[] = {{"all", "HR HR.max RR a_rna b_rna b_cnv"},
                 {"*_rna", "a_rna b_rna"},
                 {"b_cnv, HR", "HR b_cnv"},
                 {"-*_rna", "HR HR.max RR b_cnv"},
                 {"*R*, -*.max", "HR RR"},
                 {"all, -HR, -RR, -b_*", "HR.max a_rna"},
                 {"-*_*, a*\n  b_rna", "HR HR.max RR a_rna b_rna"}};

    mmlt_write("m.csv", "id,HR,HR.max,RR,a_rna,b_rna,b_cnv\na,1,2,3,4,5,6\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char ini[400], got[200] = "";
        mml_modality_info m;
        mml_cohort *c;

        snprintf(ini, sizeof ini, LABELS "[modality m]\nkind = table\nfile = m.csv\ncolumns = %s\n", cases[i].columns);
        c = mmlt_imported(ini);
        mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
        for (size_t k = 0; k < m.width; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k > 0 ? " " : "", m.features[k]);
        ck_assert_str_eq(got, cases[i].want);
        mml_cohort_close(c);
    }
}
END_TEST

START_TEST(log1p_is_taken_where_asked_for)
{
    mml_cohort *c;

    mmlt_write("m.csv", "id,x,y\na,0,36893\nb,1.5,\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\ntransform = log1p\n");
    mmlt_assert_tokens(c, "m", (float[]){0, (float)log1p(36893.0), (float)log1p(1.5), NAN}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_bag_has_as_many_tokens_as_rows)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("m.csv", "id,x\nb,1\na,2\nb,3\nd,\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = bag\nfile = m.csv\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert(m.kind == MML_BAG && m.n_present == 2);
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 1, 3, 3, 3}), 5 * sizeof(int64_t));
    mmlt_assert_tokens(c, "m", (float[]){2, 1, 3}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(splits_may_come_from_a_file_of_their_own)
{
    mml_cohort *c;
    mml_column_info column;

    mmlt_write("s.csv", "id,challenge_set,site\nd,a,05\nb,b,5\nzz,a,5\n");
    c = mmlt_imported(LABELS "splits = s.csv\n[modality m]\nkind = table\nfile = m.csv\n");
    ck_assert_uint_eq(mml_cohort_n_columns(c), 2); /* all of them when none is named */
    mmlt_assert_ok(mml_cohort_column(&column, c, "challenge_set"));
    ck_assert_str_eq(column.text[0], "");
    ck_assert_str_eq(column.text[1], "b");
    ck_assert_str_eq(column.text[3], "a");
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "1 id of "));
    mml_cohort_close(c);
    c = mmlt_imported(LABELS "splits = s.csv\ncolumns = site\n[modality m]\nkind = table\nfile = m.csv\n");
    ck_assert_uint_eq(mml_cohort_n_columns(c), 1);
    mmlt_assert_ok(mml_cohort_column(&column, c, "site"));
    ck_assert_str_eq(column.text[3], "05");
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_report_says_how_modalities_overlap)
{
    mml_cohort *c;

    mmlt_write("m.csv", "id,x\na,1\nb,1\n");
    mmlt_write("n.csv", "id,x\nb,1\nd,1\n");
    c = mmlt_imported(LABELS "[task y]\nkind = binary\nlabel = y\n[modality m]\nkind = table\nfile = m.csv\n"
                             "[modality n]\nkind = table\nfile = n.csv\n[modality o]\nkind = table\nfile = n.csv\n");
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "samples: 4\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "task y (binary): 3 labelled, 1 without a label; 0 1, 1 2\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "overlap: 1 sample has all 3 modalities, 1 has none\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "  m + n: 1\n  m + o: 1\n  n + o: 2\n"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_same_data_give_the_same_file_whatever_the_order_of_a_table)
{
    char *first, *second;
    size_t n, n2;
    uint64_t hash, other;
    mml_cohort *c;

    mmlt_write("m.csv", "id,x\na,1\nb,2\nd,3\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(mmli_cohort_hash(&hash, c));
    mml_cohort_close(c);
    first = mmlt_read(mmlt_path("out.h5"), &n);
    mmlt_write("m.csv", "x,id\n3.0,d\n1,a\n2,b\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\n");
    mml_cohort_close(c);
    second = mmlt_read(mmlt_path("out.h5"), &n2);
    ck_assert_uint_eq(n, n2);
    mmlt_assert_same_bits(first, second, n);
    free(first);
    free(second);
    mmlt_write("m.csv", "id,x\na,1\nb,2\nd,3.5\n");
    c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(mmli_cohort_hash(&other, c));
    ck_assert_uint_ne(hash, other);
    mml_cohort_close(c);
}
END_TEST

START_TEST(compression_is_a_choice_and_changes_no_value)
{
    mml_cohort *c;

    for (int level = 0; level <= 9; level += 9) {
        char ini[200];

        mmlt_write("m.csv", "id,x\na,1\nb,2\nd,3\n");
        snprintf(ini, sizeof ini, LABELS "compress = %d\n[modality m]\nkind = table\nfile = m.csv\n", level);
        c = mmlt_imported(ini);
        mmlt_assert_tokens(c, "m", (float[]){1, 2, 3}, NULL);
        mml_cohort_close(c);
    }
}
END_TEST

START_TEST(only_tokens_that_shrink_are_packed_by_default)
{
    static char csv[900000];
    mml_cohort *c;
    hid_t list;

    for (int noisy = 0; noisy < 2; noisy++) {
        char *p = csv + sprintf(csv, "id");
        uint64_t x = 1;

        for (int j = 0; j < 50000; j++)
            p += sprintf(p, ",g%d", j);
        p += sprintf(p, "\na");
        for (int j = 0; j < 50000; j++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            p += sprintf(p, ",%d", noisy ? (int)(x >> 40) : (int)(x >> 63));
        }
        mmlt_write("m.csv", csv);
        c = mmlt_imported(LABELS "[modality m]\nkind = table\nfile = m.csv\n");
        list = H5Dget_create_plist(c->modalities[0].values_set);
        ck_assert_int_eq(H5Pget_nfilters(list), noisy ? 0 : 2); /* shuffle and gzip */
        H5Pclose(list);
        mml_cohort_close(c);
    }
}
END_TEST

START_TEST(file_names_are_relative_to_the_ini_or_to_the_folder_named)
{
    char ini[1400], folder[512];
    mml_cohort *c;

    mmlt_write("m.csv", "id,x\na,1\n");
    snprintf(folder, sizeof folder, "%s", mmlt_path(""));
    snprintf(ini, sizeof ini, "[cohort]\nfolder = %s\nlabels = ./l.csv\nid = id\n[modality m]\nkind = table\nfile = %s/m.csv\n",
             folder, folder);
    c = mmlt_imported(ini);
    mml_cohort_close(c);
    c = mmlt_imported("[cohort]\nfolder = .\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n");
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import");
    TCase *tc = tcase_create("tables");

    tcase_add_checked_fixture(tc, make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, labels_become_classes_times_and_values);
    tcase_add_test(tc, numeric_classes_are_sorted_by_number_and_written_alike);
    tcase_add_test(tc, a_binary_label_of_one_value_keeps_both_classes);
    tcase_add_test(tc, a_table_is_one_token_a_sample_in_the_order_of_the_labels);
    tcase_add_test(tc, an_empty_row_is_a_token_when_that_is_asked_for);
    tcase_add_test(tc, labels_groups_and_splits_are_not_features_unless_named);
    tcase_add_test(tc, columns_are_chosen_by_name_pattern_and_exclusion);
    tcase_add_test(tc, log1p_is_taken_where_asked_for);
    tcase_add_test(tc, a_bag_has_as_many_tokens_as_rows);
    tcase_add_test(tc, splits_may_come_from_a_file_of_their_own);
    tcase_add_test(tc, the_report_says_how_modalities_overlap);
    tcase_add_test(tc, the_same_data_give_the_same_file_whatever_the_order_of_a_table);
    tcase_add_test(tc, compression_is_a_choice_and_changes_no_value);
    tcase_add_test(tc, only_tokens_that_shrink_are_packed_by_default);
    tcase_add_test(tc, file_names_are_relative_to_the_ini_or_to_the_folder_named);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
