/* Splits: parts by group, stratified, independent of the order of rows; what leaks is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/rng.h"

enum { N = 1000, GROUPS = 300 };

static char ids[N][8], groups[N][8];
static const char *site[N];
static double label[N], days[N], stay[N];
static uint8_t died[N];
static mml_cohort *cohort;
static mml_part part[N];

/* Sample i of the file is sample order[i] of these data: 20 % positive, 30 % dead, 10 % without a label. */
static void write_cohort(const char *name, const size_t *order, bool grouped)
{
    const hid_t file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const char *id[N], *group[N], *where[N];
    double y[N], t[N], los[N];
    uint8_t e[N];
    hid_t g;

    for (size_t i = 0; i < N; i++) {
        const size_t k = order == NULL ? i : order[i];

        id[i] = ids[k];
        group[i] = groups[k];
        where[i] = site[k];
        y[i] = label[k];
        t[i] = days[k];
        e[i] = died[k];
        los[i] = stay[k];
    }
    mmlt_assert_ok(mmli_h5_set_format(file, name, MMLI_COHORT_FORMAT, 1));
    mmlt_h5_texts(file, "samples/id", id, N);
    if (grouped)
        mmlt_h5_texts(file, "samples/group", group, N);
    mmlt_h5_texts(file, "columns/site", where, N);
    mmlt_h5_array(file, "tasks/death/code", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){N}, y);
    mmlt_h5_texts(file, "tasks/death/classes", (const char *const[]){"0", "1"}, 2);
    mmlt_h5_array(file, "tasks/os/time", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){N}, t);
    mmlt_h5_array(file, "tasks/os/event", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, (hsize_t[]){N}, e);
    mmlt_h5_array(file, "tasks/los/value", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){N}, los);
    for (int k = 0; k < 3; k++) {
        static const char *const tasks[] = {"tasks/death", "tasks/os", "tasks/los"};
        static const char *const kinds[] = {"binary", "survival", "regression"};

        mmlt_assert_ok(mmli_h5_group(&g, file, name, tasks[k]));
        mmlt_assert_ok(mmli_h5_set_text(g, name, "kind", kinds[k]));
        mmli_h5_drop(g);
    }
    H5Fclose(file);
    mml_cohort_close(cohort);
    mmlt_assert_ok(mml_cohort_open(&cohort, mmlt_path(name)));
}

static void make(void)
{
    static const char *const sites[] = {"A", "B", "C"};

    mmlt_folder_make();
    for (size_t i = 0; i < N; i++) {
        snprintf(ids[i], sizeof ids[i], "s%zu", i);
        snprintf(groups[i], sizeof groups[i], "g%zu", i < GROUPS ? i : (size_t)mmli_rng_below(1, i, GROUPS));
        site[i] = sites[i % 3];
        label[i] = i % 10 == 9 ? NAN : i % 5 == 0;
        days[i] = i % 10 == 9 ? NAN : (double)i;
        died[i] = i % 10 < 3;
        stay[i] = i % 10 == 9 ? NAN : (double)i;
    }
    write_cohort("c.h5", NULL, false);
}

static void drop(void)
{
    mml_cohort_close(cohort);
    cohort = NULL;
    mmlt_folder_remove();
}

static mml_split_options options(void)
{
    mml_split_options o;

    mml_split_options_init(&o);
    return o;
}

static void count(size_t n[4], size_t positive[4], const double *y)
{
    memset(n, 0, 4 * sizeof *n);
    memset(positive, 0, 4 * sizeof *positive);
    for (size_t i = 0; i < N; i++) {
        n[part[i]]++;
        positive[part[i]] += y[i] == 1;
    }
}

START_TEST(the_default_is_70_15_15_of_the_labelled_samples_by_class)
{
    size_t n[4], positive[4];

    mmlt_assert_ok(mml_split(part, cohort, "death", NULL));
    count(n, positive, label);
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(part[i] == MML_PART_NONE, isnan(label[i]));
    ck_assert(n[MML_PART_TRAIN] == 630 && n[MML_PART_VALID] == 135 && n[MML_PART_TEST] == 135);
    ck_assert(positive[MML_PART_TRAIN] == 140 && positive[MML_PART_VALID] == 30 && positive[MML_PART_TEST] == 30);
}
END_TEST

START_TEST(survival_is_stratified_by_event_and_regression_not_at_all)
{
    size_t n[4], positive[4];
    double events[N];

    for (size_t i = 0; i < N; i++)
        events[i] = died[i];
    mmlt_assert_ok(mml_split(part, cohort, "os", NULL));
    count(n, positive, events);
    ck_assert(n[MML_PART_TRAIN] == 630 && positive[MML_PART_TRAIN] == 210 && positive[MML_PART_TEST] == 45);
    mmlt_assert_ok(mml_split(part, cohort, "los", NULL));
    count(n, positive, events);
    ck_assert(n[MML_PART_TRAIN] == 630 && n[MML_PART_VALID] == 135 && n[MML_PART_TEST] == 135);
}
END_TEST

START_TEST(folds_and_seeds_differ_and_repeat)
{
    mml_part first[N], again[N];
    mml_split_options o = options();
    size_t same[3] = {0};

    o.fold = 0;
    mmlt_assert_ok(mml_split(first, cohort, "death", &o));
    mmlt_assert_ok(mml_split(again, cohort, "death", NULL));
    mmlt_assert_same_bits(first, again, sizeof first);
    for (int k = 1; k <= 2; k++) {
        o.fold = k == 1 ? 1 : 0;
        o.seed = k == 1 ? 0 : 1;
        mmlt_assert_ok(mml_split(again, cohort, "death", &o));
        for (size_t i = 0; i < N; i++)
            same[k] += first[i] == again[i] && first[i] == MML_PART_TEST;
        ck_assert_uint_lt(same[k], 60); /* 135 x 0.15 = 20 are expected by chance */
    }
}
END_TEST

START_TEST(the_order_of_rows_does_not_matter)
{
    mml_part first[N];
    size_t order[N];
    mml_split_options o = options();

    o.train = _i == 2 ? "site=A,B" : _i == 1 ? "0.6" : NULL;
    mmlt_assert_ok(mml_split(first, cohort, "death", &o));
    mmli_rng_shuffle(5, order, N);
    write_cohort("shuffled.h5", order, false);
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(part[i], first[order[i]]);
}
END_TEST

START_TEST(a_group_is_never_divided)
{
    mml_part of[GROUPS] = {0};
    mml_split_options o = options();
    size_t n[4], positive[4];

    write_cohort("grouped.h5", NULL, true);
    o.train = _i == 0 ? NULL : "0.7";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++) {
        const size_t g = (size_t)atoi(groups[i] + 1);

        ck_assert_int_eq(part[i] == MML_PART_NONE, isnan(label[i]));
        if (part[i] == MML_PART_NONE)
            continue;
        ck_assert(of[g] == MML_PART_NONE || of[g] == part[i]);
        of[g] = part[i];
    }
    count(n, positive, label);
    if (_i == 0) { /* groups of 1 to 10 samples: near the fractions, not on them */
        ck_assert_uint_le(n[MML_PART_TRAIN] > 630 ? n[MML_PART_TRAIN] - 630 : 630 - n[MML_PART_TRAIN], 30);
        ck_assert_uint_ge(n[MML_PART_TEST], 105);
        ck_assert_uint_ge(positive[MML_PART_TEST], 15);
    }
}
END_TEST

/* Cross-validation inside a training. */
START_TEST(each_sample_of_a_training_is_held_out_once_with_its_group)
{
    enum { FOLDS = 4 };
    static mml_part whole[N];
    size_t held[N] = {0}, n[4], positive[4];
    const mml_split_options o = options();

    write_cohort("grouped.h5", NULL, true);
    mmlt_assert_ok(mml_split(whole, cohort, "death", &o));
    for (size_t k = 0; k < FOLDS; k++) {
        mml_part of[GROUPS] = {0};

        memcpy(part, whole, sizeof part);
        mmlt_assert_ok(mmli_split_again(part, cohort, "death", k, FOLDS, 0.2, 5));
        for (size_t i = 0; i < N; i++) {
            const size_t g = (size_t)atoi(groups[i] + 1);

            ck_assert((part[i] == MML_PART_NONE) == (whole[i] != MML_PART_TRAIN && whole[i] != MML_PART_VALID));
            held[i] += part[i] == MML_PART_TEST;
            if (part[i] == MML_PART_NONE)
                continue;
            ck_assert(of[g] == MML_PART_NONE || of[g] == part[i]);
            of[g] = part[i];
        }
        count(n, positive, label); /* 900 labelled, 765 of them in the training, 20 % positive; groups of 1 to 10 samples */
        ck_assert_uint_le(n[MML_PART_TEST] > 191 ? n[MML_PART_TEST] - 191 : 191 - n[MML_PART_TEST], 25);
        ck_assert_double_eq_tol((double)n[MML_PART_VALID] / (double)(n[MML_PART_VALID] + n[MML_PART_TRAIN]), 0.2, 0.04);
        ck_assert_double_eq_tol((double)positive[MML_PART_TEST] / (double)n[MML_PART_TEST], 0.2, 0.06);
    }
    for (size_t i = 0; i < N; i++)
        ck_assert_uint_eq(held[i], whole[i] == MML_PART_TRAIN || whole[i] == MML_PART_VALID);
}
END_TEST

START_TEST(fractions_give_the_parts_asked_for)
{
    mml_split_options o = options();
    size_t n[4], positive[4];

    o.train = "0.5";
    o.valid = "0.2";
    o.test = "0.1";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    count(n, positive, label);
    ck_assert(n[MML_PART_TRAIN] == 450 && n[MML_PART_VALID] == 180 && n[MML_PART_TEST] == 90 && n[MML_PART_NONE] == 280);
    o.valid = o.test = NULL; /* validation out of the training part, the rest is the test part */
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    count(n, positive, label);
    ck_assert(n[MML_PART_TEST] == 450 && positive[MML_PART_TEST] == 100);
    ck_assert_int_eq((int)n[MML_PART_VALID], 67); /* 15 % of 350 and of 100 by class */
    o.valid_fraction = 0;
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    count(n, positive, label);
    ck_assert(n[MML_PART_TRAIN] == 450 && n[MML_PART_VALID] == 0);
}
END_TEST

START_TEST(columns_give_the_parts_asked_for)
{
    mml_split_options o = options();
    size_t n[4], positive[4];

    o.train = "site=A";
    o.test = "site = B , C";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++) {
        if (isnan(label[i]))
            ck_assert_int_eq(part[i], MML_PART_NONE);
        else if (strcmp(site[i], "A") == 0)
            ck_assert(part[i] == MML_PART_TRAIN || part[i] == MML_PART_VALID);
        else
            ck_assert_int_eq(part[i], MML_PART_TEST);
    }
    count(n, positive, label);
    ck_assert(n[MML_PART_VALID] == 45 && positive[MML_PART_VALID] == 10); /* of 300, 67 */
    o.valid = "site=B";
    o.test = "site=C";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(part[i], isnan(label[i]) ? MML_PART_NONE : (mml_part)(MML_PART_TRAIN + site[i][0] - 'A'));
    o.test = NULL;
    o.valid = "0.5"; /* a fraction beside a column: of the training part */
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    count(n, positive, label);
    ck_assert(n[MML_PART_TEST] == 0 && n[MML_PART_TRAIN] == 151 && n[MML_PART_VALID] == 149);
}
END_TEST

START_TEST(a_group_on_two_sides_of_a_split_by_columns_is_refused)
{
    mml_split_options o = options();

    o.train = "site=A";
    o.test = "site=A,B";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_DATA, "sample s0 is in the training part and in the test part");
    o.test = "site=B";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    write_cohort("grouped.h5", NULL, true);
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_DATA, "group g");
}
END_TEST

START_TEST(a_sample_that_was_not_chosen_is_in_no_part_though_its_group_is)
{
    mml_split_options o = options();

    write_cohort("grouped.h5", NULL, true);
    o.train = "site=A";
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(part[i] == MML_PART_NONE, isnan(label[i]) || strcmp(site[i], "A") != 0);
    o.train = "group=g1,g2,g3,g4,g5,g6,g7,g8"; /* the groups are a column too */
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(part[i] != MML_PART_NONE, !isnan(label[i]) && strlen(groups[i]) == 2 && groups[i][1] >= '1' && groups[i][1] <= '8');
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    mml_split_options o = options();

    o.train = "0.7";
    o.fold = 1;
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "either the fold (1) or train");
    o = options();
    o.test = "site=B";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "the test part is given but not the training part");
    o = options();
    o.train = "0.7";
    o.valid = "0.2";
    o.test = "0.2";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "add up to 1.1");
    o.test = "site=B";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "so the others must be too, not chosen by column (site=B)");
    o = options();
    o.train = "site=A";
    o.test = "0.2";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "so the test part must be too, not a fraction (0.2)");
    for (int i = 0; i < 5; i++) {
        static const char *const bad[] = {"1", "0", "-0.5", "A", "nan"};

        o = options();
        o.train = bad[i];
        mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "a fraction between 0 and 1");
    }
    o = options();
    o.valid_fraction = 1;
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "valid_fraction is 1");
    o.valid_fraction = NAN;
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "valid_fraction");
    o = options();
    o.struct_size = 3;
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_ARG, "struct_size");
}
END_TEST

START_TEST(what_a_cohort_does_not_have_is_named)
{
    mml_split_options o = options();

    mmlt_assert_fails(mml_split(part, cohort, "deaht", NULL), MML_E_NOT_FOUND, "did you mean death?");
    o.train = "sites=A";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_NOT_FOUND, "no column sites (did you mean site?)");
    o.train = "site=A,D";
    mmlt_assert_fails(mml_split(part, cohort, "death", &o), MML_E_NOT_FOUND, "no sample has site=D; column site has: A, B, C");
}
END_TEST

START_TEST(a_zeroed_struct_means_the_defaults)
{
    mml_split_options zero = {0}, o = options();
    mml_part want[N];

    mmlt_assert_ok(mml_split(want, cohort, "death", &o));
    mmlt_assert_ok(mml_split(part, cohort, "death", &zero));
    mmlt_assert_same_bits(part, want, sizeof want);
    zero.train = o.train = "site=A";
    mmlt_assert_ok(mml_split(want, cohort, "death", &o));
    mmlt_assert_ok(mml_split(part, cohort, "death", &zero));
    mmlt_assert_same_bits(part, want, sizeof want);
}
END_TEST

START_TEST(an_empty_part_is_an_error)
{
    mml_split_options o = options();

    for (size_t i = 0; i < N; i++)
        label[i] = i < 3 ? (double)(i % 2) : NAN;
    write_cohort("few.h5", NULL, false);
    mmlt_assert_fails(mml_split(part, cohort, "death", NULL), MML_E_DATA, "part is empty (task death has 3 labelled samples");
    o.train = "site=A";
    o.valid_fraction = 0;
    mmlt_assert_ok(mml_split(part, cohort, "death", &o));
    for (size_t i = 0; i < N; i++)
        label[i] = NAN;
    write_cohort("none.h5", NULL, false);
    mmlt_assert_fails(mml_split(part, cohort, "death", NULL), MML_E_DATA, "no sample has a label of task death");
}
END_TEST

START_TEST(samples_are_selected_by_the_text_of_a_column)
{
    uint8_t chosen[N];

    mmlt_assert_ok(mml_select(chosen, cohort, "site=B"));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(chosen[i], strcmp(site[i], "B") == 0);
    mmlt_assert_ok(mml_select(chosen, cohort, " site = A , C "));
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(chosen[i], strcmp(site[i], "B") != 0);
    mmlt_assert_fails(mml_select(chosen, cohort, "site"), MML_E_ARG, "column=value is needed");
    mmlt_assert_fails(mml_select(chosen, cohort, NULL), MML_E_ARG, "column=value is needed");
    mmlt_assert_fails(mml_select(chosen, cohort, "site="), MML_E_NOT_FOUND, "A, B, C");
    mmlt_assert_fails(mml_select(chosen, cohort, "group=g1"), MML_E_NOT_FOUND, "no column group");
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;
    mml_split_options o = options();

    write_cohort("grouped.h5", NULL, true);
    o.train = "site=A";
    for (uint64_t k = 1; st != MML_OK; k++) {
        ck_assert_uint_lt(k, 100);
        mmli_alloc_fail_at(k);
        st = mml_split(part, cohort, "death", &o);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "%s", mml_last_error());
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("split");
    TCase *tc = tcase_create("split");

    tcase_add_checked_fixture(tc, make, drop);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_default_is_70_15_15_of_the_labelled_samples_by_class);
    tcase_add_test(tc, survival_is_stratified_by_event_and_regression_not_at_all);
    tcase_add_test(tc, folds_and_seeds_differ_and_repeat);
    tcase_add_loop_test(tc, the_order_of_rows_does_not_matter, 0, 3);
    tcase_add_loop_test(tc, a_group_is_never_divided, 0, 2);
    tcase_add_test(tc, each_sample_of_a_training_is_held_out_once_with_its_group);
    tcase_add_test(tc, fractions_give_the_parts_asked_for);
    tcase_add_test(tc, columns_give_the_parts_asked_for);
    tcase_add_test(tc, a_group_on_two_sides_of_a_split_by_columns_is_refused);
    tcase_add_test(tc, a_sample_that_was_not_chosen_is_in_no_part_though_its_group_is);
    tcase_add_test(tc, wrong_options_are_refused);
    tcase_add_test(tc, what_a_cohort_does_not_have_is_named);
    tcase_add_test(tc, a_zeroed_struct_means_the_defaults);
    tcase_add_test(tc, an_empty_part_is_an_error);
    tcase_add_test(tc, samples_are_selected_by_the_text_of_a_column);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
