/* Import of folders of the MIMIC-III benchmark, made here: the data need a signed agreement. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/mimic3.h"
#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define HEAD \
    "Hours,Capillary refill rate,Diastolic blood pressure,Fraction inspired oxygen,Glascow coma scale eye opening,Glascow coma scale motor " \
    "response,Glascow coma scale total,Glascow coma scale verbal response,Glucose,Heart Rate,Height,Mean blood pressure,Oxygen " \
    "saturation,Respiratory rate,Systolic blood pressure,Temperature,Weight,pH\n"
#define COHORT "[cohort]\nlabels = .\nid = stay\n[task y]\nkind = binary\nlabel = y_true\n[modality m]\nkind = series\nfile = .\n"
#define SERIES "_timeseries.csv"

enum { WIDTH = 59, MASKED = 76, MASKS = 59 };

/* Values of one sample: (tokens, width); *n tokens. */
static void tokens_of(float *out, size_t *n, float *positions, mml_cohort *c, size_t sample, size_t width)
{
    const char *name = "m";
    mml_batch *b;
    mml_tokens t;

    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &sample, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, name));
    ck_assert_uint_eq(t.width, width);
    *n = (size_t)t.offsets[1];
    ck_assert_uint_le(*n, 4);
    memcpy(out, t.values, *n * width * sizeof *out);
    memcpy(positions, t.positions, *n * sizeof *positions);
    mml_batch_free(b);
}

static size_t feature(mml_cohort *c, const char *name)
{
    mml_modality_info m;
    size_t i = 0;

    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    while (i < m.width && strcmp(m.features[i], name) != 0)
        i++;
    ck_assert_msg(i < m.width, "no feature %s", name);
    return i;
}

START_TEST(a_value_at_the_end_of_a_bin_belongs_to_it_and_the_last_row_wins)
{
    float x[4 * WIDTH], at[4];
    size_t n, heart, ph, none, total, refill;
    mml_cohort *c;

    mmlt_write("listfile.csv", "stay,y_true\n7_episode1" SERIES ",0\n8_episode2" SERIES ",1\n");
    mmlt_write("7_episode1" SERIES, HEAD "0.0,,,,,,,,,80,,,,,,,,\n"
                                         "1.0,0.0,,,None,,15.0,,,81,,,,,,,,\n"
                                         "1.0,,,,,,,,,,,,,,,,,7.25\n"
                                         "1.5,,,,,,,,,90,,,,,,,,\n"
                                         "2.0,,,,,,,,,91,,,,,,,,7.5\n"
                                         "3.0,,,,,,,,,92,,,,,,,,\n"
                                         "3.1,,,,,,,,,99,,,,,,,,\n");
    mmlt_write("8_episode2" SERIES, HEAD);
    c = mmlt_imported(COHORT "bins = 3\n");
    tokens_of(x, &n, at, c, 0, WIDTH);
    ck_assert_uint_eq(n, 3);
    ck_assert(at[0] == 0 && at[1] == 0.5f && at[2] == 1);
    heart = feature(c, "Heart Rate");
    ph = feature(c, "pH");
    none = feature(c, "Glascow coma scale eye opening->None");
    total = feature(c, "Glascow coma scale total->15");
    refill = feature(c, "Capillary refill rate->0.0");
    ck_assert(x[heart] == 81 && x[WIDTH + heart] == 91 && x[2 * WIDTH + heart] == 92);
    ck_assert(x[ph] == 7.25f && x[WIDTH + ph] == 7.5f && isnan(x[2 * WIDTH + ph]));
    ck_assert(x[none] == 1 && x[none - 1] == 0 && isnan(x[WIDTH + none]));
    ck_assert(x[total] == 1 && x[total + 1] == 0 && x[refill] == 1 && x[refill + 1] == 0);
    ck_assert_uint_eq(mml_cohort_size(c), 2);
    ck_assert_str_eq(mml_cohort_ids(c)[1], "8_episode2");
    ck_assert(c->tasks[0].value[0] == 0 && c->tasks[0].value[1] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(masks_say_which_channels_were_measured)
{
    float x[4 * MASKED], at[4];
    size_t n, measured = 0;
    mml_cohort *c;

    mmlt_write("listfile.csv", "stay,y_true\n7_episode1" SERIES ",0\n");
    mmlt_write("7_episode1" SERIES, HEAD "0.5,,,,,,,,,80,,,,,,,,7.5\n");
    c = mmlt_imported(COHORT "bins = 2\nmasks = yes\n");
    tokens_of(x, &n, at, c, 0, MASKED);
    ck_assert_uint_eq(n, 2);
    for (size_t k = MASKS; k < MASKED; k++) {
        measured += x[k] == 1;
        ck_assert(x[k] == 0 || x[k] == 1);
        ck_assert(x[MASKED + k] == 0);
    }
    ck_assert_uint_eq(measured, 2);
    ck_assert(x[MASKS + 8] == 1 && x[MASKS + 16] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_list_with_periods_has_a_sample_a_period_that_sees_nothing_later)
{
    float x[4 * WIDTH], at[4];
    size_t n;
    mml_cohort *c;

    mmlt_write("listfile.csv", "stay,period_length,y_true\n7_episode1" SERIES ",1.0,0\n7_episode1" SERIES ",2.0,1\n");
    mmlt_write("7_episode1" SERIES, HEAD "0.5,,,,,,,,,80,,,,,,,,\n1.5,,,,,,,,,81,,,,,,,,\n");
    c = mmlt_imported(COHORT "bins = 4\n");
    ck_assert_str_eq(mml_cohort_ids(c)[0], "7_episode1@1.0");
    tokens_of(x, &n, at, c, 0, WIDTH);
    ck_assert_uint_eq(n, 1);
    tokens_of(x, &n, at, c, 1, WIDTH);
    ck_assert_uint_eq(n, 2);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_folder_with_train_and_test_is_imported_without_an_ini)
{
    mml_import_options o;
    mml_cohort *c;
    char *report = NULL;

    mml_import_options_init(&o);
    ck_assert_int_eq(mkdir(mmlt_path("train"), 0700), 0);
    ck_assert_int_eq(mkdir(mmlt_path("test"), 0700), 0);
    mmlt_write("train/listfile.csv", "stay,y_true\n9_episode1" SERIES ",0\n7_episode1" SERIES ",1\n");
    mmlt_write("test/listfile.csv", "stay,y_true\n8_episode1" SERIES ",1\n");
    mmlt_write("train/9_episode1" SERIES, HEAD "0.5,,,,,,,,,80,,,,,,,,\n");
    mmlt_write("train/7_episode1" SERIES, HEAD "0.5,,,,,,,,,81,,,,,,,,\n");
    mmlt_write("test/8_episode1" SERIES, HEAD "0.5,,,,,,,,,82,,,,,,,,\n");
    mmlt_assert_ok(mml_import_with(mmlt_path(""), mmlt_path("out.h5"), &o, &report));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "8_episode1");
    ck_assert(c->tasks[0].kind == MML_BINARY && c->tasks[0].value[0] == 0 && c->tasks[0].value[2] == 1);
    mml_cohort_close(c);
    mml_string_free(report);
    unlink(mmlt_path("train/listfile.csv"));
    unlink(mmlt_path("train/9_episode1" SERIES));
    unlink(mmlt_path("train/7_episode1" SERIES));
    unlink(mmlt_path("test/listfile.csv"));
    unlink(mmlt_path("test/8_episode1" SERIES));
    rmdir(mmlt_path("train"));
    rmdir(mmlt_path("test"));
}
END_TEST

START_TEST(damage_is_named_with_its_file_and_row)
{
    static const struct {
        const char *list, *series, *message;
        mml_status status;
    } bad[] = {
        {"stay,y_true\n7_episode1" SERIES ",0\n", HEAD "soon,,,,,,,,,80,,,,,,,,\n", "row 2, column Hours: \"soon\"", MML_E_DATA},
        {"stay,y_true\n7_episode1" SERIES ",0\n", HEAD "1,,,,Wide,,,,,,,,,,,,,\n", "eye opening: \"Wide\" is no category", MML_E_DATA},
        {"stay,y_true\n7_episode1" SERIES ",0\n", HEAD "1,,,,,,,,,fast,,,,,,,,\n", "column Heart Rate: \"fast\" is not a number", MML_E_DATA},
        {"stay,y_true\n7_episode1" SERIES ",0\n", "Hours,Pulse\n1,2\n", "Pulse is no channel", MML_E_FORMAT},
        {"stay,y_true\n6_episode1" SERIES ",0\n", HEAD, "6_episode1" SERIES ": is not there, and row 2 of listfile.csv", MML_E_IO},
        {"stay,y_true\n../7_episode1" SERIES ",0\n", HEAD, "row 2, column stay: \"../7_episode1", MML_E_DATA},
        {"stay,period_length,y_true\n7_episode1" SERIES ",x,0\n", HEAD, "period_length: \"x\" is no number", MML_E_DATA},
        {"who,y_true\n7_episode1" SERIES ",0\n", HEAD, "there is no column stay", MML_E_FORMAT},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mmlt_write("listfile.csv", bad[i].list);
        mmlt_write("7_episode1" SERIES, bad[i].series);
        mmlt_assert_not_imported(COHORT, bad[i].status, bad[i].message);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import mimic3");
    TCase *tc = tcase_create("benchmark");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_value_at_the_end_of_a_bin_belongs_to_it_and_the_last_row_wins);
    tcase_add_test(tc, masks_say_which_channels_were_measured);
    tcase_add_test(tc, a_list_with_periods_has_a_sample_a_period_that_sees_nothing_later);
    tcase_add_test(tc, a_folder_with_train_and_test_is_imported_without_an_ini);
    tcase_add_test(tc, damage_is_named_with_its_file_and_row);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
