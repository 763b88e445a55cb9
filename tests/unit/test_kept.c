/* A CSV that is imported without an ini is surveyed and not read again: the cohort, and every message, is that of the suggested ini,
 * which reads the file itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import/import.h"
#include "import/survey.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define SURVIVAL                                       \
    "case,age,OS_Months,OS_Status,stage,g1,\"g,2\",g3\n" \
    "p1,50,1.50,1:DECEASED,I,0.25,NA,1e-3\n"           \
    "p2,,12,0:LIVING,\"II, late\",-1,2,3.4028234e38\n" \
    "p3,70,007,1:DECEASED,I,.5,,-0.0\n"

/* ---- the same cohort ------------------------------------------------------------------------------------------------------------- */

static void by_ini(char **report, mml_status want, const char *ini)
{
    mmlt_write("cohort.ini", ini);
    ck_assert_int_eq(mml_import(mmlt_path("cohort.ini"), mmlt_path("ini.h5"), report, NULL, NULL), want);
}

/* Returns the report, new. */
static char *same(const char *csv)
{
    char *ini, *report, *direct, *a, *b;
    const char *path = mmlt_path("t.csv");
    size_t n, m, files;

    mmlt_write("t.csv", csv);
    files = mmlt_folder_files();
    mmlt_assert_ok(mml_suggest_cohort(&ini, &path, 1, NULL));
    mmlt_assert_ok(mml_import(mmlt_path("t.csv"), mmlt_path("direct.h5"), &direct, NULL, NULL));
    ck_assert_uint_eq(mmlt_folder_files(), files + 1); /* no temporary file stays */
    by_ini(&report, MML_OK, ini);
    ck_assert(strncmp(direct, report, strlen(report)) == 0); /* and perhaps that no outcome was recognised */
    a = mmlt_read(mmlt_path("direct.h5"), &n);
    b = mmlt_read(mmlt_path("ini.h5"), &m);
    ck_assert_msg(n == m && memcmp(a, b, n) == 0, "other cohorts of\n%s", csv);
    free(a);
    free(b);
    mml_string_free(report);
    mml_string_free(ini);
    unlink(mmlt_path("direct.h5"));
    unlink(mmlt_path("ini.h5"));
    unlink(mmlt_path("cohort.ini"));
    return direct;
}

static void is_same(const char *csv, const char *words)
{
    char *report = same(csv);

    ck_assert_msg(strstr(report, words) != NULL, "%s", report);
    mml_string_free(report);
}

START_TEST(the_cohort_is_that_of_the_suggested_ini)
{
    is_same("sample_id,a,b\nx,1,2\ny,NaN,4\nz,-0.125,1e-40\n", "samples: 3");
    is_same(",a,b\r\nx,1,\"2\"\r\n\r\ny, 3 ,4\r\n", "samples: 2"); /* the first column, by its place */
    is_same(SURVIVAL, "task survival (survival): 3 labelled, 2 events");
    is_same("id,note,label,x\na,u,yes,1\nb,v,no,2\n", "task label (binary)");
    is_same("1,2\n3,4\n", "samples: 2"); /* no header: rows by their number, the file is read again */
}
END_TEST

/* Texts are kept of so many columns; beyond, the file is read. */
START_TEST(outcomes_that_are_not_kept_are_read_from_the_file)
{
    char csv[2000], *p = csv;

    p += sprintf(p, "id");
    for (int i = 0; i < 40; i++)
        p += sprintf(p, ",event_count_%d", i);
    p += sprintf(p, ",label,x");
    for (int row = 0; row < 4; row++) {
        p += sprintf(p, "\ns%d", row);
        for (int i = 0; i < 40; i++)
            p += sprintf(p, ",%d", i);
        p += sprintf(p, ",%s,%d.5", row % 2 == 0 ? "ill" : "well", row);
    }
    is_same(csv, "task label (binary): 4 labelled");
}
END_TEST

/* Cases that are there several times, modalities by suffix, a column of words as categories. */
START_TEST(a_wide_table_of_slides_is_the_same_too)
{
    is_same(",case_id,slide_id,age,site,survival_months,censorship,is_female,oncotree_code,train,A_rnaseq,A_cnv,A_mut\n"
            "0,p1,s1.svs,50,5,3.5,1,0.0,BLCA,1.0,0.25,-2,1\n"
            "1,p2,s2.svs,,AB,4,0.0,1.0,BLCA,,-0.5,2,0\n"
            "2,p2,s3.svs,,AB,4,0.0,1.0,BLCA,,-0.5,2,0\n",
            "1 row is a sample that came before, with the same values");
}
END_TEST

/* ---- the same messages ----------------------------------------------------------------------------------------------------------- */

static void fails_alike(const char *csv, const char *words)
{
    char *ini, *report = NULL, message[1024];
    const char *path = mmlt_path("t.csv");

    mmlt_write("t.csv", csv);
    mmlt_assert_ok(mml_suggest_cohort(&ini, &path, 1, NULL));
    mmlt_assert_fails(mml_import(mmlt_path("t.csv"), mmlt_path("direct.h5"), &report, NULL, NULL), MML_E_DATA, words);
    (void)snprintf(message, sizeof message, "%s", mml_last_error());
    by_ini(&report, MML_E_DATA, ini);
    ck_assert_str_eq(message, mml_last_error());
    mml_string_free(ini);
}

START_TEST(what_is_wrong_is_said_with_row_and_column)
{
    fails_alike("id,x,z\na,1,2\n\nb,inf,3\n", "t.csv: row 4, column x: \"inf\" is not a measurement");
    fails_alike("id,x,z\na,1,2\nb,3,1e300\n", "t.csv: row 3, column z: 1e300 is too large for a 32-bit float");
    fails_alike("id,x\na,1\nb\x01,2\n", "row 3, column id: the id cannot be used");
    fails_alike("id,x,x\na,1,2\nb,3,4\n", "columns 2 and 3 are both named x");
    fails_alike("case_id,slide_id,survival_months,censorship,A_rnaseq\np1,s1,3,0,1\np1,s2,3,0,2\np2,s3,4,1,5\n",
                "rows 2 and 3 are both p1, but differ in column A_rnaseq");
}
END_TEST

/* ---- without the file ------------------------------------------------------------------------------------------------------------- */

START_TEST(texts_that_are_kept_need_no_file)
{
    static const char *const wanted[] = {"OS_Months", "OS_Status"}, *const others[] = {"stage"};
    const char *path = mmlt_path("t.csv"); /* lent until eight others */
    mmli_kept kept = {.beside = mmlt_path("out.h5")};
    mmli_sheet sheet = {.path = path, .kept = &kept};
    mmli_survey survey;
    mmli_table t = {.path = path};
    float row[8];

    mmlt_write("t.csv", SURVIVAL);
    mmlt_assert_ok(mmli_survey_read(&survey, path, &kept));
    mmli_survey_free(&survey);
    unlink(path);
    mmlt_assert_ok(mmli_csv_texts(&t, &sheet, "case", wanted, 2));
    ck_assert_uint_eq(t.n, 3);
    ck_assert(strcmp(t.ids[2], "p3") == 0 && t.rows[2] == 4);
    ck_assert_str_eq(t.texts[0][2], "007"); /* a text, not a number */
    ck_assert_str_eq(t.texts[1][1], "0:LIVING");
    mmli_table_free(&t);
    t = (mmli_table){.path = path};
    mmlt_assert_fails(mmli_csv_texts(&t, &sheet, "case", others, 1), MML_E_IO, "t.csv: cannot be opened");
    mmli_table_free(&t);

    ck_assert(kept.odd[3] && kept.odd[4] && !kept.odd[1] && !kept.odd[5] && !kept.odd[6] && !kept.odd[7]);
    mmlt_assert_ok(mmli_rowfile_get(row, &kept.rows, 8, 8));
    ck_assert(isnan(row[1]) && row[2] == 12 && isnan(row[3]) && row[5] == -1 && row[6] == 2 && row[7] == 3.4028234e38f);
    mmlt_assert_ok(mmli_rowfile_get(row, &kept.rows, 16, 8));
    ck_assert(row[2] == 7 && row[5] == 0.5f && isnan(row[6]) && row[7] == 0 && signbit(row[7]));
    mmli_kept_free(&kept);
}
END_TEST

START_TEST(another_file_is_not_what_is_kept)
{
    char path[] = "t.csv", name[] = "names.csv";
    mmli_kept kept = {.path = path};

    ck_assert(mmli_kept_is(&kept, &(mmli_sheet){.path = "t.csv"}));
    ck_assert(!mmli_kept_is(NULL, &(mmli_sheet){.path = "t.csv"}));
    ck_assert(!mmli_kept_is(&kept, &(mmli_sheet){.path = "u.csv"}));
    ck_assert(!mmli_kept_is(&kept, &(mmli_sheet){.path = "t.csv", .n_more = 1}));
    ck_assert(!mmli_kept_is(&kept, &(mmli_sheet){.path = "t.csv", .no_header = true}));
    ck_assert(!mmli_kept_is(&kept, &(mmli_sheet){.path = "t.csv", .ids = name}));
    kept.path = NULL; /* a survey that ended too early */
    ck_assert(!mmli_kept_is(&kept, &(mmli_sheet){.path = "t.csv"}));
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;
    char *report;

    mmlt_write("t.csv", SURVIVAL);
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_alloc_fail_at(k);
        st = mml_import(mmlt_path("t.csv"), mmlt_path("out.h5"), &report, NULL, NULL);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "%d: %s", (int)st, mml_last_error());
        ck_assert_uint_lt(k, 20000);
    }
    mml_string_free(report);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kept");
    TCase *t = tcase_create("without an ini");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(t, the_cohort_is_that_of_the_suggested_ini);
    tcase_add_test(t, outcomes_that_are_not_kept_are_read_from_the_file);
    tcase_add_test(t, a_wide_table_of_slides_is_the_same_too);
    tcase_add_test(t, what_is_wrong_is_said_with_row_and_column);
    tcase_add_test(t, texts_that_are_kept_need_no_file);
    tcase_add_test(t, another_file_is_not_what_is_kept);
    tcase_add_test(t, every_failed_allocation_is_reported);
    suite_add_tcase(s, t);
    return mmlt_main(s);
}
