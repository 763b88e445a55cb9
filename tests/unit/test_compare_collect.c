/* test_compare_collect.c - records brought together: means, the best baseline, differences with their intervals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare/collect.h"
#include "compare/plan.h"
#include "tests/unit/compare_rig.h"
#include "util/rng.h"

enum { SAMPLES = 60, FOLDS = 4 };

/* A record of SAMPLES patients, half of them positive, with scores of this strength. Patients of fold f are called
 * p0 .. p59, or f.p0 ... where `apart`. */
static json_t *made_record(const char *system, const char *group, int fold, double strength, bool apart)
{
    json_t *id = json_array(), *label = json_array(), *score = json_array();

    for (size_t i = 0; i < SAMPLES; i++) {
        char name[32];
        const uint64_t key = mmli_rng_key(5, apart ? "apart" : "same", apart ? (uint64_t)fold : 0);
        const double noise = (double)mmli_rng_normal(mmli_rng_key(key, system, 0), i);

        if (apart)
            snprintf(name, sizeof name, "%d.p%zu", fold, i);
        else
            snprintf(name, sizeof name, "p%zu", i);
        json_array_append_new(id, json_string(name));
        json_array_append_new(label, json_integer(i % 2 == 1));
        json_array_append_new(score, json_real(strength * (double)(i % 2) + noise));
    }
    return json_pack("{s:s, s:s, s:i, s:f, s:{s:o, s:o, s:o}}", "system", system, "group", group, "fold", fold, "score", 0.5,
                     "test", "id", id, "label", label, "score", score);
}

static void made_side(json_t *out[FOLDS], const char *system, double strength, bool apart)
{
    for (int f = 0; f < FOLDS; f++)
        out[f] = made_record(system, "lego", f, strength, apart);
}

static void drop(json_t *side[FOLDS])
{
    for (int f = 0; f < FOLDS; f++)
        json_decref(side[f]);
}

START_TEST(a_system_does_not_differ_from_itself)
{
    json_t *a[FOLDS];
    mml_interval d;

    made_side(a, "x", 1, true);
    mmlt_assert_ok(mmli_difference(&d, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)a, FOLDS));
    ck_assert_double_eq(d.value, 0);
    ck_assert_double_eq(d.low, 0);
    ck_assert_double_eq(d.high, 0);
    drop(a);
}
END_TEST

START_TEST(a_difference_changes_its_sign_with_the_order_and_nothing_else)
{
    json_t *a[FOLDS], *b[FOLDS];
    mml_interval d, e;

    made_side(a, "good", 2, true);
    made_side(b, "bad", 0.3, true);
    mmlt_assert_ok(mmli_difference(&d, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)b, FOLDS));
    mmlt_assert_ok(mmli_difference(&e, MML_METRIC_AUC, (const json_t *const *)b, (const json_t *const *)a, FOLDS));
    ck_assert_double_gt(d.low, 0);
    ck_assert_double_gt(d.value, d.low);
    ck_assert_double_lt(d.value, d.high);
    ck_assert_double_eq_tol(d.value, -e.value, 1e-15);
    ck_assert_double_eq_tol(d.low, -e.high, 1e-12);
    drop(a);
    drop(b);
}
END_TEST

/* Four folds on the same 60 patients say less than four folds on 240. */
START_TEST(patients_in_several_folds_count_as_the_patients_they_are)
{
    json_t *a[FOLDS], *b[FOLDS], *c[FOLDS], *e[FOLDS];
    mml_interval same, apart, one;

    made_side(a, "x", 1, false);
    made_side(b, "y", 1, false);
    made_side(c, "x", 1, true);
    made_side(e, "y", 1, true);
    mmlt_assert_ok(mmli_difference(&same, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)b, FOLDS));
    mmlt_assert_ok(mmli_difference(&one, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)b, 1));
    mmlt_assert_ok(mmli_difference(&apart, MML_METRIC_AUC, (const json_t *const *)c, (const json_t *const *)e, FOLDS));
    /* the very same predictions four times: as wide as once */
    ck_assert_double_eq_tol(same.high - same.low, one.high - one.low, 1e-12);
    ck_assert_double_lt(apart.high - apart.low, 0.7 * (same.high - same.low)); /* expected: half */
    drop(a);
    drop(b);
    drop(c);
    drop(e);
}
END_TEST

START_TEST(predictions_for_different_samples_are_not_compared)
{
    json_t *a[FOLDS], *b[FOLDS], *none[FOLDS] = {NULL};
    mml_interval d;

    made_side(a, "x", 1, false);
    made_side(b, "y", 1, true);
    mmlt_assert_fails(mmli_difference(&d, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)b, FOLDS), MML_E_DATA,
                      "different samples");
    mmlt_assert_fails(mmli_difference(&d, MML_METRIC_AUC, (const json_t *const *)a, (const json_t *const *)none, FOLDS),
                      MML_E_DATA, "no fold");
    drop(a);
    drop(b);
}
END_TEST

START_TEST(settings_that_differ_are_named_with_both_values)
{
    char text[256];
    json_t *a = json_pack("{s:{s:i, s:[i, i]}, s:s}", "training", "epochs", 20, "list", 1, 2, "same", "x"),
           *b = json_pack("{s:{s:i, s:[i, i]}, s:s}", "training", "epochs", 30, "list", 1, 2, "same", "x");

    ck_assert(!mmli_json_differs(text, sizeof text, a, a));
    ck_assert(mmli_json_differs(text, sizeof text, a, b));
    ck_assert_str_eq(text, "training.epochs: 20 there, 30 here");
    json_object_del(json_object_get(b, "training"), "epochs");
    ck_assert(mmli_json_differs(text, sizeof text, a, b));
    ck_assert_str_eq(text, "training.epochs: 20 there, nothing here");
    ck_assert(mmli_json_differs(text, sizeof text, b, a));
    ck_assert_str_eq(text, "training.epochs: nothing there, 20 here");
    json_decref(a);
    json_decref(b);
}
END_TEST

/* ---- folders --------------------------------------------------------------------------------------------------- */

static json_t *collected(const char *const *directories, size_t n)
{
    char *text = NULL;
    json_t *json;

    mmlt_assert_ok(mml_compare_collect(&text, directories, n, mmlt_path("out")));
    json = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(json);
    mml_string_free(text);
    return json;
}

static const json_t *system_of(const json_t *comparison, const char *name)
{
    const json_t *systems = json_object_get(comparison, "systems");

    for (size_t i = 0; i < json_array_size(systems); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(systems, i), "system")), name) == 0)
            return json_array_get(systems, i);
    ck_abort_msg("no system %s", name);
    return NULL;
}

START_TEST(folds_of_different_folders_collect_to_the_same_as_of_one)
{
    compare_rig rig;
    const char *directories[2];
    json_t *whole, *parts;
    char file[200];

    compare_rig_copy(&rig, "whole");
    for (int f = 0; f < 2; f++) {
        directories[f] = mmlt_path(f == 0 ? "zero" : "one");
        compare_rig_copy_file(directories[f], rig.o.directory, "plan.json");
        for (size_t i = 0; i < COMPARE_RIG_FILES; i++) {
            snprintf(file, sizeof file, "jobs/%s.%d.json", compare_rig_files[i], f);
            compare_rig_copy_file(directories[f], rig.o.directory, file);
        }
    }
    whole = collected(&rig.o.directory, 1);
    parts = collected(directories, 2);
    ck_assert_uint_eq(json_array_size(json_object_get(parts, "jobs")), 10);
    for (size_t i = 0; i < 5; i++) {
        json_t *x = json_array_get(json_object_get(whole, "systems"), i), *y = json_array_get(json_object_get(parts, "systems"), i);

        json_object_del(x, "train_seconds");
        json_object_del(y, "train_seconds");
        json_object_del(x, "peak_bytes");
        json_object_del(y, "peak_bytes");
        ck_assert_msg(json_equal(x, y), "system %zu differs", i);
    }
    json_decref(whole);
    json_decref(parts);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(means_and_the_best_baseline_follow_from_the_records)
{
    compare_rig rig;
    json_t *all, *records[2];
    const json_t *merge, *scores;
    const char *best = NULL;
    double sum = 0, most = 0;

    compare_rig_copy(&rig, "c");
    all = collected(&rig.o.directory, 1);
    merge = system_of(all, "merge");
    scores = json_object_get(merge, "scores");
    for (int f = 0; f < 2; f++) {
        records[f] = compare_rig_record(rig.o.directory, "merge", f);
        ck_assert_double_eq(json_number_value(json_array_get(scores, (size_t)f)), compare_rig_number(records[f], "score"));
        sum += compare_rig_number(records[f], "score");
    }
    ck_assert_double_eq_tol(compare_rig_number(merge, "mean"), sum / 2, 1e-15);
    ck_assert_double_eq_tol(compare_rig_number(merge, "sd"),
                            fabs(compare_rig_number(records[0], "score") - compare_rig_number(records[1], "score")) / sqrt(2),
                            1e-15);
    for (size_t i = 0; i < 5; i++) {
        const json_t *s = json_array_get(json_object_get(all, "systems"), i);

        if (strcmp(json_string_value(json_object_get(s, "group")), "lego") == 0 || compare_rig_number(s, "mean") <= most)
            continue;
        most = compare_rig_number(s, "mean");
        best = json_string_value(json_object_get(s, "system"));
    }
    ck_assert_ptr_null(json_object_get(system_of(all, best), "difference"));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(merge, "difference"), "to")), best);
    ck_assert_double_eq_tol(compare_rig_number(json_object_get(merge, "difference"), "value"), sum / 2 - most, 1e-15);
    json_decref(records[0]);
    json_decref(records[1]);
    json_decref(all);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_missing_fold_is_null_and_told)
{
    compare_rig rig;
    json_t *all;
    const json_t *merge;
    char path[640];

    compare_rig_copy(&rig, "c");
    snprintf(path, sizeof path, "%s/jobs/merge.1.json", rig.o.directory);
    ck_assert_int_eq(unlink(path), 0);
    all = collected(&rig.o.directory, 1);
    merge = system_of(all, "merge");
    ck_assert_int_eq((int)json_integer_value(json_object_get(merge, "n")), 1);
    ck_assert(json_is_null(json_array_get(json_object_get(merge, "scores"), 1)));
    ck_assert(json_is_null(json_object_get(merge, "sd")));
    ck_assert_int_eq((int)json_integer_value(json_object_get(all, "folds")), 2);
    json_decref(all);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(records_of_different_comparisons_are_refused)
{
    static const char *const one[] = {"block:labs"};
    compare_rig rig;
    mml_compare_options o;
    const char *directories[2];

    compare_rig_copy(&rig, "c");
    o = rig.o;
    o.folds = 1;
    o.systems = one;
    o.n_systems = 1;
    o.seed = 3;
    o.directory = mmlt_path("d");
    compare_rig_run(&o);
    directories[0] = rig.o.directory;
    directories[1] = o.directory;
    mmlt_assert_fails(mml_compare_collect(NULL, directories, 2, mmlt_path("out")), MML_E_ARG, "of different comparisons: seed");
    mmlt_assert_fails(mml_compare_collect(NULL, directories, 1, mmlt_path("none/out")), MML_E_IO, "none/out");
    directories[0] = mmlt_path("nowhere");
    mmlt_assert_fails(mml_compare_collect(NULL, directories, 1, mmlt_path("out")), MML_E_IO, "nowhere/jobs");
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_damaged_record_is_named)
{
    compare_rig rig;
    char path[640];
    FILE *f;

    compare_rig_copy(&rig, "c");
    snprintf(path, sizeof path, "%s/jobs/merge.0.json", rig.o.directory);
    ck_assert_int_eq(truncate(path, 100), 0);
    mmlt_assert_fails(mml_compare_collect(NULL, &rig.o.directory, 1, mmlt_path("out")), MML_E_FORMAT, "merge.0.json: line");
    f = fopen(path, "w");
    fputs("{\"format\": \"mmlego compare job\", \"version\": 1, \"status\": \"ok\"}", f);
    fclose(f);
    mmlt_assert_fails(mml_compare_collect(NULL, &rig.o.directory, 1, mmlt_path("out")), MML_E_FORMAT, "something is missing");
    compare_rig_free(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare/collect");
    TCase *tc = tcase_create("difference"), *folders = tcase_create("folders");

    tcase_add_test(tc, a_system_does_not_differ_from_itself);
    tcase_add_test(tc, a_difference_changes_its_sign_with_the_order_and_nothing_else);
    tcase_add_test(tc, patients_in_several_folds_count_as_the_patients_they_are);
    tcase_add_test(tc, predictions_for_different_samples_are_not_compared);
    tcase_add_test(tc, settings_that_differ_are_named_with_both_values);
    suite_add_tcase(suite, tc);
    tcase_set_timeout(folders, 120);
    tcase_add_unchecked_fixture(folders, compare_rig_share, compare_rig_unshare);
    tcase_add_checked_fixture(folders, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(folders, folds_of_different_folders_collect_to_the_same_as_of_one);
    tcase_add_test(folders, means_and_the_best_baseline_follow_from_the_records);
    tcase_add_test(folders, a_missing_fold_is_null_and_told);
    tcase_add_test(folders, records_of_different_comparisons_are_refused);
    tcase_add_test(folders, a_damaged_record_is_named);
    suite_add_tcase(suite, folders);
    return mmlt_main(suite);
}
