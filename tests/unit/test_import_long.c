/* Import of tables with one measurement a row. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/bins.h"
#include "import/events.h"
#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define COHORT "[cohort]\nid = id\n"
#define LONG "[modality m]\nkind = series\nformat = long\nfile = l.csv\ntime = t\nvariable = what\nvalue = x\n"

static mml_cohort *imported_with(const char *keys)
{
    char ini[1000];

    snprintf(ini, sizeof ini, COHORT LONG "%s", keys);
    return mmlt_imported(ini);
}

static void assert_refused(const char *keys, mml_status status, const char *message)
{
    char ini[1000];

    snprintf(ini, sizeof ini, COHORT LONG "%s", keys);
    mmlt_assert_not_imported(ini, status, message);
}

START_TEST(rows_in_any_order_become_bins_of_variables)
{
    mml_cohort *c;

    mmlt_write("l.csv", "x,what,id,t\n1,hr,b,2.5\n2,hr,a,0\n3,temp,a,0.9\n4,hr,b,0.5\n5,hr,a,1\n6,hr,b,2.25\n");
    c = imported_with("bin = 1\nbins = 3\n");
    /* b: hours 0 and 2 (the later of two); a: hours 0 and 1 */
    mmlt_assert_tokens(c, "m", (float[]){4, NAN, 1, NAN, 2, 3, 5, NAN}, (float[]){0, 1, 0, 0.5f});
    ck_assert(strcmp(mml_cohort_ids(c)[0], "b") == 0 && strcmp(mml_cohort_ids(c)[1], "a") == 0);
    mml_cohort_close(c);
}
END_TEST

START_TEST(each_aggregate_says_what_several_values_come_to)
{
    static const struct {
        const char *how;
        float hr;
    } all[] = {{"last", 7}, {"first", 4}, {"mean", 4.5f}, {"min", 2}, {"max", 7}, {"sum", 18}, {"count", 4}};
    char keys[100];

    mmlt_write("l.csv", "id,t,what,x\na,3,hr,5\na,1,hr,4\na,9,hr,2\na,9,hr,7\na,12,hr,1\n");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        mml_cohort *c;

        snprintf(keys, sizeof keys, "bin = 10\nbins = 1\naggregate = %s\n", all[i].how);
        c = imported_with(keys);
        mmlt_assert_tokens(c, "m", (float[]){all[i].hr}, (float[]){0});
        mml_cohort_close(c);
    }
}
END_TEST

START_TEST(what_lies_outside_of_the_window_or_has_no_value_is_counted)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id,t,what,x\na,23:59,hr,1\na,24:00,hr,2\na,25:30:30,hr,3\na,26:00,hr,4\na,99:00,hr,5\na,24:30,hr,NA\n"
                        "b,1:00,hr,6\n");
    c = imported_with("bin = 1:00\nbins = 2\nstart = 24:00\n");
    mmlt_assert_tokens(c, "m", (float[]){2, 3}, (float[]){0, 1});
    ck_assert_uint_eq(mml_cohort_size(c), 2); /* b is known, and has nothing */
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "  1 row left out: without a value\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "  2 values left out: before the first bin\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "  2 values left out: after the last bin\n"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(only_chosen_variables_are_in_a_row)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id,t,what,x\na,0,hr,1\na,0,junk,2\na,0,temp,3\n");
    c = imported_with("bin = 1\nbins = 1\ncolumns = all, -junk\n");
    mmlt_assert_tokens(c, "m", (float[]){1, 3}, (float[]){0});
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_table_is_recognised_by_its_columns)
{
    const char *path;
    char *ini;

    mmlt_write("l.csv", "RecordID,Time,Parameter,Value\n1,00:07,HR,73\n");
    path = mmlt_path("l.csv");
    mmlt_assert_ok(mml_suggest_cohort(&ini, &path, 1, NULL));
    ck_assert_ptr_nonnull(strstr(ini, "kind = series\n"));
    ck_assert_ptr_nonnull(strstr(ini, "format = long\nid = RecordID\ntime = Time\nvariable = Parameter\nvalue = Value\nbin = 1:00\n"));
    mml_string_free(ini);
}
END_TEST

/* The four columns as people call them: which one has the samples? */
static const struct layout {
    const char *header, *id;
} layouts[] = {{"patient,time,variable,value", "patient"}, {"Subject,hour,test,result", "Subject"}, {"case_id,days,analyte,val", "case_id"},
               {"id,time,variable,value", "id"},           {"id,time,patient,value,variable", "patient"}}; /* id: of the row */

START_TEST(a_table_is_described_by_its_four_columns)
{
    const struct layout *l = &layouts[_i];
    const bool last = strstr(l->header, "value,variable") != NULL;
    const char *path;
    char csv[200], want[200], *text;

    snprintf(csv, sizeof csv, last ? "%s\n1,0,a,80,hr\n2,1,a,82,hr\n3,0,b,120,sbp\n" : "%s\na,0,hr,80\na,1,hr,82\nb,0,sbp,120\n", l->header);
    mmlt_write("l.csv", csv);
    mmlt_assert_ok(mml_file_describe(&text, mmlt_path("l.csv"), NULL));
    snprintf(want, sizeof want, "\"id column\": \"%s: 2 samples, each in as many rows as it has measurements\"", l->id);
    ck_assert_msg(strstr(text, "\"format\": \"long\"") && strstr(text, want) && strstr(text, ": 2 variables (hr, sbp)"), "%s", text);
    ck_assert_msg(!strstr(text, "none found"), "%s", text);
    mml_string_free(text);
    path = mmlt_path("l.csv");
    mmlt_assert_ok(mml_suggest_cohort(&text, &path, 1, NULL));
    snprintf(want, sizeof want, "format = long\nid = %s\n", l->id);
    ck_assert_msg(strstr(text, want) != NULL, "%s", text);
    mml_string_free(text);
}
END_TEST

START_TEST(wrong_rows_and_options_are_named)
{
    mmlt_write("l.csv", "id,t,what,x\na,0,hr,1\na,soon,hr,2\n");
    assert_refused("bin = 1\nbins = 2\n", MML_E_DATA, "l.csv: row 3, column t: \"soon\" is no time");
    assert_refused("bins = 2\n", MML_E_FORMAT, "needs bin = the width of a bin");
    assert_refused("bin = 0\nbins = 2\n", MML_E_FORMAT, "bin = 0: a number above 0");
    assert_refused("bin = 1\nbins = 0\n", MML_E_FORMAT, "bins = 0: a whole number from 1");
    assert_refused("bin = 1\nbins = 2\naggregate = median\n", MML_E_FORMAT, "aggregate = median: possible are: last, first, mean");
    mmlt_write("l.csv", "id,t,what,x\na,0:10,hr,1\n");
    assert_refused("bin = 1\nbins = 2\n", MML_E_DATA, "row 2, column t: 0:10 is a time HH:MM, and bin = 1 is a number");
    mmlt_write("l.csv", "id,t,what,x\na,0,hr,high\n");
    assert_refused("bin = 1\nbins = 2\n", MML_E_DATA, "row 2, column x: \"high\" is not a number");
    mmlt_write("l.csv", "id,t,what,x\na,0,,1\n");
    assert_refused("bin = 1\nbins = 2\n", MML_E_DATA, "row 2, column what: the name cannot be used");
    mmlt_write("l.csv", "id,t,what,x\na,0,hr,\n");
    assert_refused("bin = 1\nbins = 2\n", MML_E_DATA, "no row has a value");
}
END_TEST

START_TEST(events_come_back_by_sample_in_their_order_whatever_the_order_of_samples)
{
    enum { N = 200000, SAMPLES = 7 }; /* several blocks */
    mmli_events e;
    mmli_event got;
    size_t seen[SAMPLES] = {0};

    mmlt_assert_ok(mmli_events_open(&e, mmlt_path("out")));
    for (uint32_t i = 0; i < N; i++)
        mmlt_assert_ok(mmli_events_add(&e, &(mmli_event){i, 2.0 * i, (i * 5 + i / 100) % SAMPLES, 3}));
    mmlt_assert_ok(mmli_events_finish(&e, SAMPLES + 1));
    ck_assert(e.mixed && e.counts[SAMPLES] == 0);
    for (uint32_t i = 0; i < N; i++) {
        const size_t s = (i * 5 + i / 100) % SAMPLES, at = seen[s]++;

        if (i % 977 != 0)
            continue;
        mmlt_assert_ok(mmli_events_get(&got, &e, s, at, 1));
        ck_assert(got.time == i && got.value == 2.0 * i && got.sample == s && got.channel == 3);
    }
    for (size_t s = 0; s < SAMPLES; s++)
        ck_assert_uint_eq(seen[s], e.counts[s]);
    mmli_events_close(&e);
}
END_TEST

START_TEST(a_clock_is_hours_and_minutes_below_sixty)
{
    static const char *const bad[] = {"", "1", "1:0", "1:60", "1:00:60", "1:00:00:00", ":30", "1:", "-1:00", "a:00", "1:0a", "99999999:00"};
    double s;

    ck_assert(mmli_parse_clock(&s, "07:05", 5) && s == 25500);
    ck_assert(mmli_parse_clock(&s, " 100:00:59 ", 11) && s == 360059);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!mmli_parse_clock(&s, bad[i], strlen(bad[i])), "%s", bad[i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import long");
    TCase *tc = tcase_create("tables");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, rows_in_any_order_become_bins_of_variables);
    tcase_add_test(tc, each_aggregate_says_what_several_values_come_to);
    tcase_add_test(tc, what_lies_outside_of_the_window_or_has_no_value_is_counted);
    tcase_add_test(tc, only_chosen_variables_are_in_a_row);
    tcase_add_test(tc, a_table_is_recognised_by_its_columns);
    tcase_add_loop_test(tc, a_table_is_described_by_its_four_columns, 0, sizeof layouts / sizeof layouts[0]);
    tcase_add_test(tc, wrong_rows_and_options_are_named);
    tcase_add_test(tc, events_come_back_by_sample_in_their_order_whatever_the_order_of_samples);
    tcase_add_test(tc, a_clock_is_hours_and_minutes_below_sixty);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
