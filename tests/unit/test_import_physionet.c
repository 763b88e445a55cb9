/* Import of the PhysioNet / CinC Challenge 2012: a synthetic folder, and the twelve raw records of ../shared/data with the
 * values of the data set that was prepared of all stays by other means (literals of it are here). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

enum { CHANNELS = 37, GCS = 10, HR = 14, MAP = 18, MECHVENT = 19, NIMAP = 22, URINE = 34, WEIGHT = 36 };

static char *report;

static void make(void)
{
    mmlt_folder_make();
    report = NULL;
}

static void clean(void)
{
    mml_string_free(report);
    mmlt_folder_remove();
}

static mml_cohort *imported(const char *folder)
{
    mml_import_options o;
    mml_cohort *c;

    mml_import_options_init(&o);
    mmlt_assert_ok(mml_import_with(folder, mmlt_path("out.h5"), &o, &report));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    return c;
}

static size_t place(const mml_cohort *c, const char *id)
{
    for (size_t i = 0; i < mml_cohort_size(c); i++)
        if (strcmp(mml_cohort_ids(c)[i], id) == 0)
            return i;
    ck_abort_msg("no sample %s", id);
    return 0;
}

/* All cells of a stay: NaN where the hour has no token. */
static void cells_of(float cells[48][CHANNELS], mml_cohort *c, const char *id)
{
    const size_t at = place(c, id);
    const char *name = "series";
    mml_batch *b;
    mml_tokens t;

    for (size_t k = 0; k < 48 * (size_t)CHANNELS; k++)
        cells[k / CHANNELS][k % CHANNELS] = NAN;
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &at, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, name));
    ck_assert_uint_eq(t.width, CHANNELS);
    for (size_t i = 0; i < (size_t)t.offsets[1]; i++)
        memcpy(cells[lrint((double)t.positions[i] * 47)], t.values + i * CHANNELS, sizeof cells[0]);
    mml_batch_free(b);
}

static void sum_of(size_t *n, double *sum, float cells[48][CHANNELS])
{
    *n = 0;
    *sum = 0;
    for (size_t k = 0; k < 48 * (size_t)CHANNELS; k++)
        if (!isnan(cells[k / CHANNELS][k % CHANNELS])) {
            ++*n;
            *sum += (double)cells[k / CHANNELS][k % CHANNELS];
        }
}

/* ---- the twelve records ------------------------------------------------------------------------------------------------- */

static mml_cohort *raw_records(void)
{
    char path[600];

    snprintf(path, sizeof path, "%s/user_files/physionet2012_raw", mmlt_shared());
    return imported(path);
}

START_TEST(twelve_raw_records_have_the_hours_of_the_prepared_data_set)
{
    static const char *const ids[12] = {"132539", "132540", "132541", "132543", "132545", "132547",
                                        "132548", "132551", "132554", "132555", "132556", "132567"};
    mml_cohort *c = raw_records();
    float cells[48][CHANNELS];
    size_t n, total = 0;
    double sum;

    ck_assert_uint_eq(mml_cohort_size(c), 12); /* the 3988 outcomes without a record are none */
    for (size_t i = 0; i < 12; i++) {
        cells_of(cells, c, ids[i]);
        sum_of(&n, &sum, cells);
        total += n;
    }
    ck_assert_uint_eq(total, 4058);
    cells_of(cells, c, "132539");
    sum_of(&n, &sum, cells);
    ck_assert_uint_eq(n, 242);
    ck_assert(sum == 18167.46498709917);
    ck_assert(cells[0][URINE] == 960 && cells[0][HR] == 75 && cells[0][GCS] == 15 && cells[3][NIMAP] == 72.67f);
    ck_assert(isnan(cells[0][WEIGHT]) && isnan(cells[7][MECHVENT]) && isnan(cells[12][MAP]));
    cells_of(cells, c, "132541");
    sum_of(&n, &sum, cells);
    ck_assert_uint_eq(n, 371);
    ck_assert(sum == 28288.52170905471);
    ck_assert(cells[0][WEIGHT] == 56.7f && cells[1][HR] == 96 && cells[3][NIMAP] == 91.67f && cells[30][HR] == 90);
    cells_of(cells, c, "132555");
    sum_of(&n, &sum, cells);
    ck_assert_uint_eq(n, 343);
    ck_assert(sum == 27110.639917641878);
    ck_assert(cells[1][HR] == 72.5f && cells[12][MAP] == 76 && isnan(cells[0][GCS]));
    mml_cohort_close(c);
}
END_TEST

START_TEST(twelve_raw_records_have_the_descriptors_and_outcomes_of_their_readme)
{
    static const struct {
        const char *id;
        float age, gender, height, weight;
        int icu;
    } known[] = {{"132539", 54, 0, NAN, NAN, 4},       {"132540", 76, 1, 175.3f, 76, 2}, {"132541", 44, 0, NAN, 56.7f, 3},
                 {"132547", 64, 1, 180.3f, 114, 1},    {"132548", 68, 0, 162.6f, 87, 3}, {"132551", 78, 0, 162.6f, 48.4f, 3},
                 {"132567", 71, 0, 157.5f, 56, 2}};
    mml_cohort *c = raw_records();
    const char *name = "static";
    mml_task_info task;
    mml_batch *b;
    mml_tokens t;

    mmlt_assert_ok(mml_batch_new(&b, 0));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const size_t at = place(c, known[i].id);
        float row[8] = {known[i].age, known[i].gender, known[i].height, known[i].weight};

        row[3 + known[i].icu] = 1;
        mmlt_assert_ok(mml_cohort_read(c, b, &at, 1, &name, 1));
        mmlt_assert_ok(mml_batch_get(&t, b, name));
        ck_assert_uint_eq(t.width, 8);
        for (size_t k = 0; k < 8; k++)
            ck_assert(t.values[k] == row[k] || (isnan(row[k]) && isnan(t.values[k])));
    }
    mmlt_assert_ok(mml_cohort_task(&task, c, "in_hospital_death"));
    ck_assert_int_eq(task.kind, MML_BINARY);
    ck_assert(task.value[place(c, "132539")] == 0 && task.value[place(c, "132541")] == 0);
    mml_batch_free(b);
    mml_cohort_close(c);
}
END_TEST

/* ---- rules ------------------------------------------------------------------------------------------------------------------ */

#define HEAD "Time,Parameter,Value\n"
#define OUTCOMES "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n"

START_TEST(late_values_go_to_the_last_hour_and_impossible_ones_are_counted)
{
    mml_cohort *c;
    float cells[48][CHANNELS];

    mmlt_write("7.txt", HEAD "00:00,RecordID,7\n00:00,Height,17\n00:10,HR,50\n00:59,HR,53\n00:20,HR,0\n48:00,HR,80\n"
                             "47:59,HR,90\n51:30,Urine,5\n47:00,Urine,6\n02:00,MechVent,1\n02:30,MechVent,1\n03:00,Odd,1\n");
    mmlt_write("8.txt", HEAD "00:00,RecordID,8\n00:00,ICUType,-1\n");
    mmlt_write("Outcomes-a.txt", OUTCOMES "9,1,1,1,1,1\n8,1,1,1,-1,1\n7,-1,1,1,20,0\n");
    c = imported(mmlt_path(""));
    cells_of(cells, c, "7");
    ck_assert(cells[0][HR] == 51.5f && cells[47][HR] == 85 && cells[47][URINE] == 11 && cells[2][MECHVENT] == 1);
    ck_assert_ptr_nonnull(strstr(report, "  1 value left out: no patient can have it\n"));
    ck_assert_ptr_nonnull(strstr(report, "  2 values stamped 48:00 or later went to the last hour\n"));
    ck_assert_ptr_nonnull(strstr(report, "  1 value left out: of unknown parameters\n"));
    ck_assert_uint_eq(mml_cohort_size(c), 2);
    ck_assert(c->tasks[0].value[place(c, "8")] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(minus_one_is_a_missing_outcome)
{
    mml_cohort *c;

    mmlt_write("7.txt", HEAD "00:00,Age,60\n");
    mmlt_write("8.txt", HEAD "00:00,Age,61\n");
    mmlt_write("Outcomes-b.txt", OUTCOMES "7,4,1,1,-1,0\n8,-1,1,1,30,1\n");
    c = mmlt_imported("[cohort]\nlabels = .\nid = RecordID\n[task saps]\nkind = regression\nlabel = SAPS-I\n"
                      "[task days]\nkind = regression\nlabel = Survival\n[modality s]\nkind = table\nfile = .\ncolumns = age_years\n");
    ck_assert(c->tasks[0].value[0] == 4 && isnan(c->tasks[0].value[1]));
    ck_assert(isnan(c->tasks[1].value[0]) && c->tasks[1].value[1] == 30);
    mmlt_assert_tokens(c, "s", (float[]){60, 61}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(an_age_that_nobody_has_is_missing)
{
    mml_cohort *c;

    mmlt_write("7.txt", HEAD "00:00,Age,1e39\n00:00,Gender,1\n"); /* not infinite, though float32 ends before it */
    mmlt_write("8.txt", HEAD "00:00,Age,130\n00:00,Gender,0\n");
    c = mmlt_imported("[cohort]\nid = RecordID\n[modality s]\nkind = table\nformat = physionet2012\nfile = .\n"
                      "columns = age_years, gender_male\n");
    mmlt_assert_tokens(c, "s", (float[]){NAN, 1, 130, 0}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(damaged_records_are_named_with_their_row)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {HEAD "00:00,Age,60\n0:1,HR,70\n", "7.txt: row 3, Time: \"0:1\" is no time HH:MM"},
        {HEAD "00:60,HR,70\n", "row 2, Time"},
        {HEAD "00:00,HR,fast\n", "7.txt: row 2, Value: \"fast\" is not a number"},
        {HEAD "00:00,RecordID,8\n", "row 2: RecordID is 8, the name of the file says 7"},
        {HEAD "00:00,ICUType,5\n", "row 2, ICUType: 1, 2, 3, 4 or -1"},
        {"Time,Value\n00:00,1\n", "7.txt: row 1: the header Time,Parameter,Value is needed"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mmlt_write("7.txt", bad[i].text);
        mmlt_assert_not_imported("[cohort]\nid = RecordID\n[modality s]\nkind = series\nformat = physionet2012\nfile = .\n",
                                 strstr(bad[i].text, "Parameter") != NULL ? MML_E_DATA : MML_E_FORMAT, bad[i].message);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import physionet2012");
    TCase *rules = tcase_create("rules"), *real = tcase_create("raw records");

    tcase_add_checked_fixture(rules, make, clean);
    tcase_add_checked_fixture(real, make, clean);
    tcase_set_timeout(rules, 60);
    tcase_set_timeout(real, 60);
    tcase_add_test(rules, late_values_go_to_the_last_hour_and_impossible_ones_are_counted);
    tcase_add_test(rules, minus_one_is_a_missing_outcome);
    tcase_add_test(rules, an_age_that_nobody_has_is_missing);
    tcase_add_test(rules, damaged_records_are_named_with_their_row);
    suite_add_tcase(s, rules);
    if (mmlt_shared() != NULL) {
        tcase_add_test(real, twelve_raw_records_have_the_hours_of_the_prepared_data_set);
        tcase_add_test(real, twelve_raw_records_have_the_descriptors_and_outcomes_of_their_readme);
    }
    suite_add_tcase(s, real);
    return mmlt_main(s);
}
