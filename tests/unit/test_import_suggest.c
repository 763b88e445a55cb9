/* Import without an ini, and what is suggested for one; files that are described, or known and not read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"

/* ---- without an ini ---------------------------------------------------------------------------------------------------------- */

static void suggest(const char *const *names, size_t n)
{
    const char *paths[4];

    for (size_t i = 0; i < n; i++)
        paths[i] = mmlt_path(names[i]);
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_suggest_cohort(&mmlt_text, paths, n, NULL));
}

START_TEST(a_table_is_imported_without_an_ini)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("tab.csv", "case_id,age,sex,survival_months,censorship,TP53\np1,50,m,3,1,0.5\np2,60,f,4.5,0,NA\n");
    mmlt_assert_ok(mml_import(mmlt_path("tab.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "tab"));
    ck_assert(m.width == 2 && strcmp(m.features[0], "age") == 0 && strcmp(m.features[1], "TP53") == 0);
    ck_assert(c->n_tasks == 1 && c->tasks[0].kind == MML_SURVIVAL && c->tasks[0].event[0] == 0 && c->tasks[0].event[1] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_suggestion_leaves_out_what_may_tell_the_outcome)
{
    mmlt_write("l.csv", "id,time,event,days_to_death,x\na,1,1,4,2\nb,2,0,5,3\n");
    mmlt_write("rna.csv", "id,g1,g2\na,1,2\nb,3,4\n");
    suggest((const char *const[]){"l.csv", "rna.csv"}, 2);
    ck_assert(mmlt_has(mmlt_text, "columns = all, -time, -event, -days_to_death\n"));
    ck_assert(mmlt_has(mmlt_text, "[task survival]\nkind = survival\ntime = time\nevent = event\n"));
    ck_assert(mmlt_has(mmlt_text, "[modality rna]\nkind = table\n"));
    mmlt_write("w.csv", "id,age,fstat,lenfol,TIMELESS_rnaseq\na,1,1,4,2\nb,2,0,5,3\n"); /* nothing says which is the outcome */
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert(mmlt_has(mmlt_text, "; No outcome was recognised") && mmlt_has(mmlt_text, "columns = all, -fstat, -lenfol\n"));
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    ck_assert(mmlt_has(mmlt_text, "WARNING: no outcome was recognised"));
    /* Endpoints of the TCGA clinical data resource; a name that a list cannot hold is left out by a pattern. */
    mmlt_write("w.csv", "id,time,status,PFI,DSS,\"time to death, days\",-months,\"day\nof death\",g\na,1,1,0,1,3,4,5,2\nb,2,0,1,0,3,4,5,3\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert(mmlt_has(mmlt_text, ", -PFI, -DSS, -time to death* days, -*months, -day*of death\n"));
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    ck_assert(mmlt_has(mmlt_text, "modality w (table): 2 of 2 samples, 2 tokens of 1 feature"));
}
END_TEST

START_TEST(words_that_could_be_categories_are_told)
{
    mmlt_write("w.csv", "id,age,side,stage,note,status\na,1,left,I,,x\nb,2,right,II,,y\nc,3,left,II,so,x\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(mmlt_has(mmlt_text, "columns = all, -side, -stage, -note, -status\n"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "; for categories, unless it is an outcome: take its exclusion away, and add categorical = side, stage\n"), "%s", mmlt_text);
}
END_TEST

START_TEST(answers_are_features)
{
    const float na = NAN;
    const float want[] = {1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, na, na, na, na, 1, 0, na, 0, 1};
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("w.csv", "id,age,smoker,treated,er,status\na,1,yes,TRUE,Positive,yes\nb,1,No,true,negative,no\n"
                        "c,0,NO,False,negative,no\nd,2,,NA,,yes\ne,1,no,,negative,yes\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(mmlt_has(mmlt_text, "columns = all, -status\n; an outcome among these belongs into a section [task NAME], and not here\ncategorical = er\n"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "; yes is 1 and no is 0, unless it is an outcome, which belongs into a section [task NAME]: smoker, treated\n"), "%s", mmlt_text);
    ck_assert_msg(!mmlt_has(mmlt_text, "for categories") && !mmlt_has(mmlt_text, "which it is left out"), "%s", mmlt_text);
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "w"));
    ck_assert(m.width == 5 && strcmp(m.features[1], "smoker") == 0 && strcmp(m.features[3], "er=Positive") == 0 &&
              strcmp(m.features[4], "er=negative") == 0);
    mmlt_assert_tokens(c, "w", want, NULL);
    mml_cohort_close(c);
}
END_TEST

/* A column of these two cells: is it a feature? */
static const struct answer {
    const char *name, *first, *second;
    bool feature, categorical;
} answers[] = {
    {"x", "yes", "no", true, false},       {"x", "Yes", "No", true, false},          {"x", "TRUE", "FALSE", true, false},
    {"x", "1", "no", true, false},         {"x", "Y", "N", true, true},              {"x", "n", "y", true, true},
    {"x", "T", "F", true, true},           {"x", "negative", "positive", true, true}, {"x", "Neg", "Pos", true, true},
    {"x", "absent", "Present", true, true}, {"x", "Y", "no", false, false},          {"x", "yes", "unknown", false, false},
    {"x", "2", "no", false, false},        {"x", "Y", "y", false, false},            {"x", "positive", "equivocal", false, false},
    {"x:y", "Y", "N", false, false}, /* names a category in a list */
    {"relapse", "yes", "no", false, false}, {"responder", "yes", "no", false, false}, {"alive", "Y", "N", false, false},
    {"metastasis", "positive", "negative", false, false}, {"in_remission", "TRUE", "FALSE", false, false},
    {"death", "yes", "no", false, false},   {"val", "True", "False", false, false},  {"Test", "no", "yes", false, false},
    {"test", "1", "0", true, false},        {"contest", "yes", "no", true, false},
};

START_TEST(a_column_of_two_words_is_a_feature_if_they_are_an_answer)
{
    const struct answer *a = &answers[_i];
    char csv[200], excluded[60];

    snprintf(csv, sizeof csv, "id,age,%s\na,1,%s\nb,2,%s\nc,3,\n", a->name, a->first, a->second);
    snprintf(excluded, sizeof excluded, ", -%s", a->name);
    mmlt_write("w.csv", csv);
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(mmlt_has(mmlt_text, excluded) == !a->feature, "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "\ncategorical = x\n") == a->categorical, "%s", mmlt_text);
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    ck_assert_msg(mmlt_has(mmlt_text, !a->feature ? "of 1 feature," : a->categorical ? "of 3 features," : "of 2 features,"), "%s", mmlt_text);
}
END_TEST

/* Each row: a header, two rows, and a part of the ini; NULL: no survival task. */
static const struct survival {
    const char *header, *first, *second, *ini, *says;
} survivals[] = {
    {"days,event", "3,1", "5,0", "[task survival]\nkind = survival\ntime = days\nevent = event\nunit = days\n", NULL},
    {"Months,Status", "3,1", "5,0", "time = Months\nevent = Status\nunit = months\n", NULL},
    {"years,vital_status", "3,Dead", "5,Alive", "time = years\n; after the colon: the word that says that it happened; there are Dead and Alive\n"
     "event = vital_status:Dead\nunit = years\n", NULL},
    {"TIME,DEATH", "3,no", "5,yes", "time = TIME\n; after the colon: the word that says that it happened; there are no and yes\nevent = DEATH:yes\n", NULL},
    {"survival_days,died", "3,1.0", "5,0.0", "time = survival_days\nevent = died\nunit = days\n", NULL},
    {"time,status", "3,TRUE", "5,FALSE", "time = time\nevent = status\n", NULL},
    {"duration,event_observed", "3,1", "5,0", "time = duration\nevent = event_observed\n", NULL},
    {"follow-up time,dead", "3,1", "5,0", "time = follow-up time\nevent = dead\n", NULL},
    {"OS,OS.time,PFI,PFI.time", "1,3,0,2", "0,5,1,4", "[task survival]\nkind = survival\ntime = OS.time\nevent = OS\nunit = days\n\n"
     "[task survival_pfi]\nkind = survival\ntime = PFI.time\nevent = PFI\nunit = days\n", NULL},
    {"DSS_MONTHS,DSS_STATUS", "3,0:ALIVE OR DEAD TUMOR FREE", "5,1:DEAD WITH TUMOR", "[task survival_dss]\nkind = survival\ntime = DSS_MONTHS\n"
     "; after the colon: the word that says that it happened; there are 0:ALIVE OR DEAD TUMOR FREE and 1:DEAD WITH TUMOR\n"
     "event = DSS_STATUS:1:DEAD WITH TUMOR\nunit = months\n", NULL},
    {"OS_MONTHS,OS_STATUS", "3,1:DECEASED", "5,0:LIVING", "event = OS_STATUS:1:DECEASED\n", NULL}, /* in whatever order they come */
    {"OS,OS_event", "3.5,1", "5,0", "time = OS\nevent = OS_event\n", NULL},
    {"time_days,time_months,event", "30,1,1", "60,2,0", "time = time_days\nevent = event\nunit = days\n", NULL},
    {"time,event,status", "3,1,0", "5,0,1", "time = time\nevent = event\n", NULL},
    {"time,event,days_to_death", "3,1,3", "5,0,", "time = time\nevent = event\n", NULL},
    /* not certain */
    {"days,status", "3,smoker", "5,former", NULL, "No survival task was made of the time days and the event status, which is not 0 and 1"},
    {"time,status", "3,1", "5,2", NULL, "which is not 0 and 1: say which word or number"},
    {"time,status", "3,yes", "5,no", NULL, "which is not 0 and 1: say which word or number"},
    {"time,days,event", "3,4,1", "5,6,0", NULL, "made of the time time or days and the event event: say which are meant"},
    {"time,death,status", "3,1,1", "5,0,1", NULL, "made of the time time and the event death or status: say which"},
    {"days,x", "3,1", "5,0", NULL, "No outcome was recognised"},
    {"status,x", "1,1", "0,0", NULL, "No outcome was recognised"},
    {"days,event", "-3,1", "5,0", NULL, "No outcome was recognised"},
    {"days,event", "soon,1", "later,0", NULL, "No outcome was recognised"},
    {"OS.time,PFI", "3,1", "5,0", NULL, "No outcome was recognised"},
};

START_TEST(a_time_and_an_event_are_a_survival_task_where_that_is_certain)
{
    const struct survival *s = &survivals[_i];
    char csv[400];

    snprintf(csv, sizeof csv, "id,%s,age\na,%s,50\nb,%s,60\n", s->header, s->first, s->second);
    mmlt_write("w.csv", csv);
    suggest((const char *const[]){"w.csv"}, 1);
    if (s->ini != NULL)
        ck_assert_msg(mmlt_has(mmlt_text, s->ini) && !mmlt_has(mmlt_text, "No "), "%s", mmlt_text);
    else
        ck_assert_msg(!mmlt_has(mmlt_text, "[task survival]\nkind") && mmlt_has(mmlt_text, s->says) && mmlt_has(mmlt_text, "No outcome"), "%s", mmlt_text);
    mml_string_free(mmlt_text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    ck_assert_msg(mmlt_has(mmlt_text, "(survival): 2 labelled") == (s->ini != NULL), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "taken for task survival") == (s->ini != NULL), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, mmlt_has(s->header, ",x") ? "of 2 features," : "of 1 feature,"), "%s", mmlt_text); /* none tells the outcome */
}
END_TEST

START_TEST(an_outcome_in_doubt_is_no_task)
{
    mmlt_write("w.csv", "id,days,status,OS.time,OS,age\na,3,smoker,4,1,50\nb,5,former,6,0,60\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(mmlt_has(mmlt_text, "; No survival task was made of the time days and the event status"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "\n[task survival]\nkind = survival\ntime = OS.time\nevent = OS\nunit = days\n"), "%s", mmlt_text); /* not survival_os */
    ck_assert_msg(!mmlt_has(mmlt_text, "No outcome"), "%s", mmlt_text);
}
END_TEST

START_TEST(arrays_of_an_hdf5_file_are_suggested_with_their_ids)
{
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const float x[6] = {1, 2, 3, 4, 5, 6};
    mml_cohort *c;

    mmlt_h5_array(file, "expr", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 3}, x);
    mmlt_h5_texts(file, "genes", (const char *const[]){"A", "B", "C"}, 3);
    mmlt_h5_texts(file, "cases", (const char *const[]){"p", "q"}, 2);
    H5Fclose(file);
    mmlt_assert_ok(mml_import(mmlt_path("a.h5"), mmlt_path("out.h5"), &mmlt_text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_tokens(c, "expr", x, NULL);
    ck_assert_str_eq(c->modalities[0].features[2], "C");
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_table_is_described_column_by_column)
{
    mmlt_write("t.tsv", "Unnamed: 0\tpatient_id\tage\tstage\n0\tp1\t50\tii\n1\tp2\tNA\tiv\n2\tp3\t61.5\t\n");
    mmlt_assert_ok(mml_file_describe(&mmlt_text, mmlt_path("t.tsv"), NULL));
    ck_assert(mmlt_has(mmlt_text, "\"format\": \"csv\"") && mmlt_has(mmlt_text, "\"rows\": \"3\"") && mmlt_has(mmlt_text, "patient_id (p1 to p3)"));
    ck_assert(mmlt_has(mmlt_text, "\"values\": \"ii, iv\"") && mmlt_has(mmlt_text, "\"missing\": 1") && mmlt_has(mmlt_text, "\"type\": \"number\""));
}
END_TEST

/* ---- known and not read --------------------------------------------------------------------------------------------------------- */

START_TEST(files_that_are_not_read_are_answered_with_what_converts_them)
{
    const struct {
        const char *name, *bytes, *what, *recipe;
        size_t n;
    } files[] = {
        {"a.pt", NULL, "a PyTorch file", "weights_only=True", 0},
        {"b.pth", "\200\2}q\1.", "a PyTorch file", "save_file", 6},
        {"c.pkl", "\200\4]\224.", "a Python pickle", "read_pickle", 5},
        {"d.parquet", "PAR1\25\4\25", "a Parquet file", "read_parquet", 7},
        {"e.feather", "ARROW1\0\0", "a Feather (Arrow) file", "read_feather", 8},
        {"f.rds", "X\n\0\0\0\3\0\4", "an R object (.rds)", "readRDS", 8},
        {"g.RData", "RDX3\nX\n", "an R workspace (.RData)", "write.csv", 7},
    };
    char dicom[200] = "", zip[64];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t n = files[i].n;
        const char *bytes = files[i].bytes;

        if (n == 0) { /* header of the first member of a zip: 30 bytes, the name's length at 26 */
            memset(zip, 0, sizeof zip);
            memcpy(zip, "PK\3\4", 4);
            zip[26] = 12;
            memcpy(zip + 30, "abc/data.pkl", 12);
            bytes = zip;
            n = 42;
        }
        mmlt_write_bytes(files[i].name, bytes, n);
        mmlt_assert_fails(mml_file_describe(&mmlt_text, mmlt_path(files[i].name), NULL), MML_E_FORMAT, files[i].what);
        ck_assert(mmlt_has(mml_last_error(), files[i].recipe));
        ck_assert(mmlt_has(mml_last_error(), files[i].name));
    }
    memcpy(dicom + 128, "DICM", 4);
    mmlt_write_bytes("h.dcm", dicom, sizeof dicom);
    mmlt_assert_fails(mml_import(mmlt_path("h.dcm"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_FORMAT, "a DICOM image");
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = d.parquet\nid = id\n[modality m]\nkind = table\nfile = l.csv\n");
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_FORMAT, "read_parquet");
}
END_TEST

START_TEST(a_name_that_a_shell_would_run_is_not_put_into_a_recipe)
{
    mmlt_write_bytes("a'$(x).parquet", "PAR1PAR1", 8);
    mmlt_assert_fails(mml_file_describe(&mmlt_text, mmlt_path("a'$(x).parquet"), NULL), MML_E_FORMAT, "read_parquet(\"FILE\")");
}
END_TEST

START_TEST(what_no_format_fits_is_said_to_be_so)
{
    mmlt_write_bytes("x.bin", "\1\2\3\4", 4);
    mmlt_assert_fails(mml_file_describe(&mmlt_text, mmlt_path("x.bin"), NULL), MML_E_FORMAT, "a file of no format that import knows");
    mmlt_assert_fails(mml_file_describe(&mmlt_text, mmlt_path("x.bin"), "csvv"), MML_E_NOT_FOUND, "csv");
    mmlt_assert_fails(mml_import(mmlt_path("nowhere"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_IO, "nowhere");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import, suggested");
    TCase *tc = tcase_create("suggested");

    tcase_add_checked_fixture(tc, mmlt_text_make, mmlt_text_free);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_table_is_imported_without_an_ini);
    tcase_add_test(tc, a_suggestion_leaves_out_what_may_tell_the_outcome);
    tcase_add_test(tc, words_that_could_be_categories_are_told);
    tcase_add_test(tc, answers_are_features);
    tcase_add_loop_test(tc, a_column_of_two_words_is_a_feature_if_they_are_an_answer, 0, sizeof answers / sizeof answers[0]);
    tcase_add_loop_test(tc, a_time_and_an_event_are_a_survival_task_where_that_is_certain, 0, (int)(sizeof survivals / sizeof survivals[0]));
    tcase_add_test(tc, an_outcome_in_doubt_is_no_task);
    tcase_add_test(tc, arrays_of_an_hdf5_file_are_suggested_with_their_ids);
    tcase_add_test(tc, a_table_is_described_column_by_column);
    tcase_add_test(tc, files_that_are_not_read_are_answered_with_what_converts_them);
    tcase_add_test(tc, a_name_that_a_shell_would_run_is_not_put_into_a_recipe);
    tcase_add_test(tc, what_no_format_fits_is_said_to_be_so);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
