/* Wide tables with a row a slide (MCAT, PORPOISE, SurvPath, MMP), and the files that list the parts of a division. The numbers of the
 * real files are those of their READMEs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define WIDE                                                                                           \
    ",case_id,slide_id,age,site,survival_months,censorship,is_female,oncotree_code,train,A_B_rnaseq,A_cnv,A_mut,C_rnaseq\n" \
    "0,p1,s1.svs,50,5,3.5,1,0.0,BLCA,1.0,0.25,-2,1,7\n"                                                \
    "1,p2,s2.svs,,AB,4,0.0,1.0,BLCA,,-0.5,2,0,8\n"                                                     \
    "2,p2,s3.svs,,AB,4,0.0,1.0,BLCA,,-0.5,2,0,8\n"                                                     \
    "3,p3,s4.svs,70,AB,9,1,1.0,BLCA,,1.5,0,0,9\n"

#define COHORT "[cohort]\nlabels = w.csv\nid = case_id\nrepeats = slide_id\n"
#define RNA "[modality rnaseq]\nkind = table\nfile = w.csv\ncolumns = *_rnaseq\n"

static char *text;

/* Imported without an ini. */
static mml_cohort *direct(const char *path)
{
    mml_cohort *c;

    mml_string_free(text);
    mmlt_assert_ok(mml_import(path, mmlt_path("out.h5"), &text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    return c;
}

static const char *const *column(const mml_cohort *c, const char *name)
{
    size_t at;

    mmlt_assert_ok(mmli_cohort_find_column(&at, c, name));
    return (const char *const *)c->columns[at].text;
}

static const mmli_cohort_task *task(const mml_cohort *c, const char *name)
{
    size_t at;

    mmlt_assert_ok(mmli_cohort_find_task(&at, c, name));
    return &c->tasks[at];
}

static size_t width(const mml_cohort *c, const char *name)
{
    size_t at;

    mmlt_assert_ok(mmli_cohort_find_modality(&at, c, name));
    return c->modalities[at].width;
}

static size_t events(const mml_cohort *c, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += !isnan(task(c, name)->value[i]) && task(c, name)->event[i];
    return n;
}

static size_t count(const mml_cohort *c, const char *name, const char *value)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += strcmp(column(c, name)[i], value) == 0;
    return n;
}

START_TEST(a_wide_table_is_one_sample_a_case_and_a_modality_a_suffix)
{
    mml_cohort *c;

    mmlt_write("w.csv", WIDE);
    c = direct(mmlt_path("w.csv"));
    ck_assert_uint_eq(c->n, 3);
    mmlt_assert_tokens(c, "rnaseq", (const float[]){0.25f, 7, -0.5f, 8, 1.5f, 9}, NULL);
    mmlt_assert_tokens(c, "cnv", (const float[]){-2, 2, 0}, NULL);
    mmlt_assert_tokens(c, "mut", (const float[]){1, 0, 0}, NULL);
    mmlt_assert_tokens(c, "clinical", (const float[]){50, 0, NAN, 1, 70, 1}, NULL);
    ck_assert(c->n_modalities == 4 && c->n_tasks == 1);
    ck_assert_str_eq(task(c, "survival")->unit, "months");
    ck_assert(task(c, "survival")->event[0] == 0 && task(c, "survival")->event[1] == 1 && task(c, "survival")->value[2] == 9);
    ck_assert_str_eq(column(c, "slide_id")[1], "s2.svs;s3.svs");
    ck_assert_str_eq(column(c, "site")[0], "5");
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_wide_table_asked_for_by_name_is_one_or_refused)
{
    mml_import_options o;
    mml_cohort *c;

    mml_import_options_init(&o);
    o.format = "mcat";
    mmlt_write("w.csv", WIDE);
    mmlt_assert_ok(mml_import_with(mmlt_path("w.csv"), mmlt_path("out.h5"), &o, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    ck_assert(c->n == 3 && c->n_modalities == 4 && width(c, "rnaseq") == 2);
    mml_cohort_close(c);
    mmlt_write("w.csv", "case_id,survival_months,censorship,A_cnv\np1,3.5,1,2\n");
    mmlt_assert_fails(mml_import_with(mmlt_path("w.csv"), mmlt_path("out.h5"), &o, NULL), MML_E_FORMAT, "it has no column slide_id");
    mmlt_write("w.csv", "case_id,slide_id,survival_months,event,A_cnv\np1,s1,3.5,1,2\n");
    mmlt_assert_fails(mml_import_with(mmlt_path("w.csv"), mmlt_path("out.h5"), &o, NULL), MML_E_FORMAT,
                      "it has no time with its censorship");
    c = mmlt_imported("[cohort]\nlabels = w.csv\nid = case_id\n[modality cnv]\nkind = table\nfile = w.csv\nformat = mcat\n"
                      "columns = *_cnv\nheader = yes\n");
    mmlt_assert_tokens(c, "cnv", (const float[]){2}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(features_without_a_suffix_are_a_modality_that_warns)
{
    const char *path;

    mmlt_write("w.csv", "case_id,slide_id,age,survival_months,censorship,train,STAT1,AC002472.1,vital_status,A_cnv\n"
                        "p1,s1,50,3.5,1,1.0,0,1,1,2\np2,s2,60,4,0,,1,0,0,-1\n");
    path = mmlt_path("w.csv");
    mml_string_free(text);
    mmlt_assert_ok(mml_suggest_cohort(&text, &path, 1, NULL));
    ck_assert_ptr_nonnull(strstr(text, "[modality unsuffixed]"));
    ck_assert_ptr_nonnull(strstr(text, "; WARNING: the names of these 2 columns"));
    mml_cohort_close(direct(path));
    ck_assert_ptr_nonnull(strstr(text, "modality unsuffixed (table): 2 of 2 samples, 2 tokens of 2 features"));
}
END_TEST

START_TEST(several_endpoints_are_several_tasks)
{
    mml_cohort *c;

    mmlt_write("w.csv", ",case_id,slide_id,age,survival_months,survival_months_dss,censorship,censorship_dss\n0,a,s,1,2,3,1,0\n1,b,t,1,4,5,0,1\n");
    c = direct(mmlt_path("w.csv"));
    ck_assert(c->n_tasks == 2 && task(c, "survival")->value[1] == 4 && task(c, "survival_dss")->event[0] == 1);
    mml_cohort_close(c);
    mmlt_write("w.csv", "case_id,slide_id,sex,age_at_initial_pathologic_diagnosis,os_censorship,os_survival_days,dss_cr_censorship,dss_cr_survival_days\n"
                        "a,s,F,61,0.0,734,-1,734\nb,t,[Not Available],50,1,9,0,9\nc,u,M,50,[Not Applicable],,1,9\n");
    c = direct(mmlt_path("w.csv"));
    ck_assert(c->n_tasks == 1 && task(c, "os")->value[0] == 734 && task(c, "os")->event[0] == 1 && isnan(task(c, "os")->value[2]));
    ck_assert_str_eq(task(c, "os")->unit, "days");
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_censorship_of_minus_one_is_no_label)
{
    mml_cohort *c;

    mmlt_write("m.csv", "id,x,t,c\na,1,5,-1\nb,2,6,0\n");
    c = mmlt_imported("[cohort]\nlabels = m.csv\nid = id\n[task s]\nkind = survival\ntime = t\ncensorship = c\n[modality m]\nkind = table\nfile = m.csv\n"
                      "columns = x\n");
    ck_assert(isnan(task(c, "s")->value[0]) && task(c, "s")->event[1] == 1);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = m.csv\nid = id\n[task s]\nkind = survival\ntime = t\nevent = c\n[modality m]\nkind = table\nfile = m.csv\n"
                             "columns = x\n", MML_E_DATA, "\"-1\" is neither 0 nor 1");
}
END_TEST

START_TEST(rows_of_a_case_that_disagree_are_named)
{
    mmlt_write("w.csv", "case_id,slide_id,site,A_rnaseq\na,s,x,1\nb,t,x,2\na,u,x,3\n");
    mmlt_assert_not_imported(COHORT RNA, MML_E_DATA, "rows 2 and 4 are both a, but differ in column A_rnaseq");
    mmlt_write("w.csv", "case_id,slide_id,site,A_rnaseq\na,s,x,1\nb,t,x,2\na,u,y,1\n");
    mmlt_assert_not_imported(COHORT "columns = site\n" RNA, MML_E_DATA, "rows 2 and 4 are both a, but column site has \"x\" in one and \"y\"");
    mmlt_assert_not_imported("[cohort]\nlabels = w.csv\nid = case_id\n" RNA, MML_E_DATA, "rows 2 and 4 have the same id a");
}
END_TEST

START_TEST(lists_of_ids_become_columns_of_parts)
{
    mml_cohort *c;

    mmlt_write("w.csv", WIDE);
    mmlt_write("splits_0.csv", ",train,val\n0,p2,p1\n1,p3,\n");                       /* cases */
    mmlt_write("splits_1.csv", ",train,val,test\n0,s1.svs,s2,s4\n1,,s3.svs,\n");      /* slides, with and without ending */
    mmlt_write("splits_2_bool.csv", ",train,val,test\ns1,True,False,False\ns4,FALSE,FALSE,TRUE\n");
    c = mmlt_imported(COHORT "columns = site\nsplits = splits_0.csv, splits_1.csv,\n  splits_2_bool.csv\n" RNA);
    ck_assert_uint_eq(c->n_columns, 4);
    ck_assert_str_eq(column(c, "site")[1], "AB");
    ck_assert(strcmp(column(c, "split_0")[0], "val") == 0 && count(c, "split_0", "train") == 2);
    ck_assert(strcmp(column(c, "split_1")[1], "val") == 0 && strcmp(column(c, "split_1")[2], "test") == 0);
    ck_assert(strcmp(column(c, "split_2")[0], "train") == 0 && strcmp(column(c, "split_2")[1], "") == 0);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "column split_2: 1 train, 0 val, 1 test, 1 in none"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_list_that_cannot_be_a_division_is_refused)
{
    mmlt_write("w.csv", WIDE);
    mmlt_write("s.csv", ",train,val\n0,p2,p1\n1,p9,\n");
    mmlt_assert_not_imported(COHORT "splits = s.csv\n" RNA, MML_E_NOT_FOUND, "s.csv: row 3, column train: \"p9\" is the id of no sample");
    mmlt_write("s.csv", ",train,val\n0,s2,s1\n1,,s3\n");
    mmlt_assert_not_imported(COHORT "splits = s.csv\n" RNA, MML_E_DATA, "row 3 puts s3 into val, but row 2 has put sample p2 into train");
    mmlt_write("s.csv", ",train,val,test\nsubtype_1,101,26,24\n");
    mmlt_assert_not_imported(COHORT "splits = s.csv\n" RNA, MML_E_FORMAT, "is a table of counts");
    mmlt_write("s.csv", ",train,val\n0,p2,p1\n");
    mmlt_assert_not_imported(COHORT "splits = s.csv, s.csv\n" RNA, MML_E_DATA, "two columns are named s");
}
END_TEST

START_TEST(a_table_of_genes_can_be_a_token_a_signature)
{
    mml_cohort *c;

    mmlt_write("w.csv", WIDE);
    mmlt_write("g.csv", "Onco,Empty,Kinases\nC,Z,C\nA_B,,A\n,,A\n");
    c = mmlt_imported(COHORT "[modality x]\nkind = table\nfile = w.csv\ncolumns = *_rnaseq, *_cnv, *_mut\ntokens = g.csv\n");
    mmlt_assert_tokens(c, "x",
                       (const float[]){0.25f, NAN, NAN, 7, NAN, -2, 1, 7, -0.5f, NAN, NAN, 8, NAN, 2, 0, 8, 1.5f, NAN, NAN, 9, NAN, 0, 0, 9},
                       (const float[]){0, 1, 0, 1, 0, 1});
    ck_assert_str_eq(c->modalities[0].features[0], "A_B_rnaseq");
    ck_assert_str_eq(c->modalities[0].features[1], "A_cnv");
    ck_assert_str_eq(c->modalities[0].features[3], "C_rnaseq");
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "signature Empty: 0 columns, so no token"));
    mml_cohort_close(c);
    mmlt_write("g.csv", "gene,Onco,Kinases\nC,1,0\nA,0,1\n");
    c = mmlt_imported(COHORT "[modality x]\nkind = table\nfile = w.csv\ncolumns = *_cnv, C_*\ntokens = g.csv\n");
    mmlt_assert_tokens(c, "x", (const float[]){NAN, 7, -2, NAN, NAN, 8, 2, NAN, NAN, 9, 0, NAN}, (const float[]){0, 1, 0, 1, 0, 1});
    mml_cohort_close(c);
    mmlt_write("g.csv", "gene,Onco\nC,2\n");
    mmlt_assert_not_imported(COHORT RNA "tokens = g.csv\n", MML_E_DATA, "row 2, column Onco: \"2\" is neither 0 nor 1");
    mmlt_write("g.csv", "Onco\nQ\n");
    mmlt_assert_not_imported(COHORT RNA "tokens = g.csv\n", MML_E_DATA, "none of the 2 columns of the modality is a gene");
}
END_TEST

/* ---- the real files -------------------------------------------------------------------------------------------------------------- */

static const char *shared_file(const char *name)
{
    static char path[800];

    snprintf(path, sizeof path, "%s/%s", mmlt_shared(), name);
    return path;
}

static const struct set {
    const char *name;
    size_t cases, deaths, rnaseq, cnv, mut, unsuffixed;
} sets[] = {
    {"datasets_csv_mutsig/tcga_blca", 373, 169, 1554, 256, 371, 0},
    {"datasets_csv_mutsig/tcga_brca", 956, 130, 1558, 1333, 21, 0},
    {"datasets_csv_mutsig/tcga_kirp", 260, 40, 1557, 0, 20, 0},
    {"datasets_csv_mutsig/tcga_ucec", 480, 75, 0, 5, 1406, 0},
    {"datasets_csv/tcga_ucec", 480, 75, 0, 935, 0, 8137},
};

START_TEST(the_cohorts_of_porpoise_come_in_zipped_as_they_are)
{
    const struct set *s = &sets[_i];
    const size_t widths[] = {s->rnaseq, s->cnv, s->mut, s->unsuffixed};
    static const char *const names[] = {"rnaseq", "cnv", "mut", "unsuffixed"};
    char name[100];
    size_t n = 0;
    mml_cohort *c;

    snprintf(name, sizeof name, "tcga_porpoise/%s_all_clean.csv.zip", s->name);
    c = direct(shared_file(name));
    ck_assert_uint_eq(c->n, s->cases);
    ck_assert_uint_eq(events(c, "survival"), s->deaths);
    for (size_t i = 0; i < 4; i++) {
        n += widths[i] > 0;
        if (widths[i] > 0)
            ck_assert_uint_eq(width(c, names[i]), widths[i]);
    }
    ck_assert_uint_eq(c->n_modalities, n + 1);
    ck_assert_uint_eq(width(c, "clinical"), 2);
    mml_cohort_close(c);
}
END_TEST

START_TEST(blca_has_its_five_folds)
{
    static const size_t train[] = {298, 298, 298, 299, 299}, val[] = {75, 75, 75, 74, 74}, deaths[] = {34, 34, 34, 34, 33};
    char ini[2000], name[20];
    mml_cohort *c;

    snprintf(ini, sizeof ini,
             "[cohort]\nfolder = %s/tcga_porpoise\nlabels = datasets_csv_mutsig/tcga_blca_all_clean.csv.zip\nid = case_id\nrepeats = slide_id\n"
             "splits = splits/5foldcv/tcga_blca/splits_0.csv, splits/5foldcv/tcga_blca/splits_1.csv, splits/5foldcv/tcga_blca/splits_2.csv,\n"
             "  splits/5foldcv/tcga_blca/splits_3.csv, splits/5foldcv/tcga_blca/splits_4.csv\n"
             "[task survival]\nkind = survival\ntime = survival_months\ncensorship = censorship\n"
             "[modality aak1]\nkind = table\nfile = datasets_csv_mutsig/tcga_blca_all_clean.csv.zip\ncolumns = AAK1_rnaseq\n",
             mmlt_shared());
    c = mmlt_imported(ini);
    ck_assert_str_eq(c->ids[0], "TCGA-2F-A9KO");
    for (size_t k = 0; k < 5; k++) {
        size_t died = 0;

        snprintf(name, sizeof name, "split_%zu", k);
        ck_assert_uint_eq(count(c, name, "train"), train[k]);
        ck_assert_uint_eq(count(c, name, "val"), val[k]);
        for (size_t i = 0; i < c->n; i++)
            died += strcmp(column(c, name)[i], "val") == 0 && task(c, "survival")->event[i];
        ck_assert_uint_eq(died, deaths[k]);
    }
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_six_signatures_meet_the_columns_of_the_readme)
{
    static const struct {
        const char *cohort;
        size_t columns[6];
    } want[] = {{"blca", {102, 336, 518, 434, 199, 444}},
                {"brca", {93, 330, 529, 460, 223, 450}},
                {"kirp", {83, 306, 496, 415, 135, 424}},
                {"ucec", {20, 63, 78, 28, 150, 9}}};
    static const char *const names[] = {"Tumor Suppressor Genes", "Oncogenes", "Protein Kinases", "Cell Differentiation Markers",
                                        "Transcription Factors", "Cytokines and Growth Factors"};
    char ini[1500], line[100];
    mml_cohort *c;

    snprintf(ini, sizeof ini,
             "[cohort]\nfolder = %s/tcga_porpoise\nlabels = datasets_csv_mutsig/tcga_%s_all_clean.csv.zip\nid = case_id\nrepeats = slide_id\n"
             "[modality genes]\nkind = table\nfile = datasets_csv_mutsig/tcga_%s_all_clean.csv.zip\ntokens = datasets_csv/signatures.csv\n"
             "columns = all, -site, -oncotree_code, -train, -survival_months, -censorship\n",
             mmlt_shared(), want[_i].cohort, want[_i].cohort);
    c = mmlt_imported(ini);
    ck_assert_uint_eq(c->modalities[0].n_tokens, 6 * c->n);
    for (size_t k = 0; k < 6; k++) {
        snprintf(line, sizeof line, "signature %s: %zu columns\n", names[k], want[_i].columns[k]);
        ck_assert_msg(strstr(mmlt_report(), line) != NULL, "%s is not in %s", line, mmlt_report());
    }
    mml_cohort_close(c);
}
END_TEST

START_TEST(survpath_has_three_endpoints)
{
    mml_cohort *c = direct(shared_file("user_files/split_csv/survpath/metadata/tcga_blca.csv"));

    ck_assert_uint_eq(c->n, 359);
    ck_assert_uint_eq(events(c, "survival"), 156);
    ck_assert_uint_eq(events(c, "survival_dss"), 113);
    ck_assert_uint_eq(events(c, "survival_pfi"), 158);
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->ids[i], "TCGA-2F-A9KO") == 0)
            ck_assert(task(c, "survival")->value[i] == 24.466666666666665);
    mml_cohort_close(c);
}
END_TEST

START_TEST(mmp_has_days)
{
    mml_cohort *c = direct(shared_file("user_files/split_csv/mmp/TCGA_BLCA_overall_survival_k=0/train.csv"));

    ck_assert(c->n == 289 && events(c, "os") == 128);
    mml_cohort_close(c);
    c = direct(shared_file("user_files/split_csv/mmp/TCGA_BLCA_overall_survival_k=0/test.csv"));
    ck_assert(c->n == 70 && events(c, "os") == 28 && task(c, "os")->value[0] == 734);
    ck_assert_str_eq(c->ids[0], "TCGA-2F-A9KO");
    mml_cohort_close(c);
}
END_TEST

START_TEST(clam_lists_slides_and_flags_alike)
{
    char ini[1200];
    mml_cohort *c;

    mmlt_write("m.csv", "slide_id,x\nslide_0,1\n");
    snprintf(ini, sizeof ini,
             "[cohort]\nlabels = %s/user_files/split_csv/clam/dataset_csv/tumor_subtyping_dummy_clean.csv\nid = slide_id\ngroup = case_id\n"
             "splits = %s/user_files/split_csv/clam/splits/task_2_tumor_subtyping_50/splits_0%s.csv\n"
             "[task t]\nkind = multiclass\nlabel = label\n[modality m]\nkind = table\nfile = m.csv\n",
             mmlt_shared(), mmlt_shared(), _i == 0 ? "" : "_bool");
    c = mmlt_imported(ini);
    ck_assert(c->n == 500 && count(c, "split_0", "train") == 198 && count(c, "split_0", "val") == 50);
    ck_assert(count(c, "split_0", "test") == 50 && count(c, "split_0", "") == 202);
    ck_assert_str_eq(column(c, "split_0")[0], "train");
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import_mcat");
    TCase *tc = tcase_create("made"), *shared = tcase_create("shared");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, a_wide_table_is_one_sample_a_case_and_a_modality_a_suffix);
    tcase_add_test(tc, a_wide_table_asked_for_by_name_is_one_or_refused);
    tcase_add_test(tc, features_without_a_suffix_are_a_modality_that_warns);
    tcase_add_test(tc, several_endpoints_are_several_tasks);
    tcase_add_test(tc, a_censorship_of_minus_one_is_no_label);
    tcase_add_test(tc, rows_of_a_case_that_disagree_are_named);
    tcase_add_test(tc, lists_of_ids_become_columns_of_parts);
    tcase_add_test(tc, a_list_that_cannot_be_a_division_is_refused);
    tcase_add_test(tc, a_table_of_genes_can_be_a_token_a_signature);
    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(shared, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(shared, 120);
    tcase_add_loop_test(shared, the_cohorts_of_porpoise_come_in_zipped_as_they_are, 0, (int)(sizeof sets / sizeof sets[0]));
    tcase_add_test(shared, blca_has_its_five_folds);
    tcase_add_loop_test(shared, the_six_signatures_meet_the_columns_of_the_readme, 0, 4);
    tcase_add_test(shared, survpath_has_three_endpoints);
    tcase_add_test(shared, mmp_has_days);
    tcase_add_loop_test(shared, clam_lists_slides_and_flags_alike, 0, 2);
    if (mmlt_shared() != NULL)
        suite_add_tcase(s, shared);
    else
        puts("skip - the data sets of ../shared/data are not there (MMLEGO_SHARED)");
    return mmlt_main(s);
}
