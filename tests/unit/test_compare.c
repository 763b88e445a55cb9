/* test_compare.c - jobs of a comparison: the same however they are run, resumed, failing alone, blind to the test part. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/compare_rig.h"

#define files compare_rig_files
enum { N_FILES = COMPARE_RIG_FILES };

static void same_records(const char *a, const char *b, int folds)
{
    for (int fold = 0; fold < folds; fold++)
        for (size_t i = 0; i < N_FILES; i++) {
            json_t *x = compare_rig_record(a, files[i], fold), *y = compare_rig_record(b, files[i], fold);

            ck_assert_msg(json_equal(x, y), "%s of fold %d differs", files[i], fold);
            json_decref(x);
            json_decref(y);
        }
}

START_TEST(results_are_the_same_however_the_jobs_are_distributed)
{
    compare_rig rig;
    mml_compare_options other;

    compare_rig_copy(&rig, "whole");
    other = rig.o;
    other.directory = mmlt_path("parts");
    other.threads = 2;
    other.fold = 1;
    ck_assert_uint_eq(compare_rig_run(&other), N_FILES);
    other.fold = 0;
    ck_assert_uint_eq(compare_rig_run(&other), N_FILES);
    same_records(rig.o.directory, other.directory, 2);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(scores_are_those_of_the_models_that_are_kept)
{
    compare_rig rig;
    mml_cohort *cohort = NULL;
    char path[640];

    compare_rig_copy(&rig, "c");
    mmlt_assert_ok(mml_cohort_open(&cohort, rig.made.path));
    for (size_t i = 0; i < N_FILES; i++) {
        json_t *record = compare_rig_record(rig.o.directory, files[i], 1);
        mml_model *model = NULL;

        snprintf(path, sizeof path, "%s/models/%s.1.h5", rig.o.directory, files[i]);
        mmlt_assert_ok(mml_model_load(&model, path, NULL, 0));
        ck_assert_double_eq(rig_score(model, cohort, "test"), compare_rig_number(record, "score"));
        ck_assert_double_eq(compare_rig_number(json_object_get(record, "metrics"), "auc"),
                            compare_rig_number(record, "score"));
        mml_model_free(model);
        json_decref(record);
    }
    mml_cohort_close(cohort);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(what_is_finished_is_not_run_again)
{
    compare_rig rig;
    char path[640];

    compare_rig_copy(&rig, "c");
    ck_assert_uint_eq(compare_rig_run(&rig.o), 0);
    rig.o.folds = 1;
    ck_assert_uint_eq(compare_rig_run(&rig.o), 0);
    rig.o.folds = 3; /* more folds later: only the new one */
    ck_assert_uint_eq(compare_rig_run(&rig.o), N_FILES);
    snprintf(path, sizeof path, "%s/jobs/merge.0.json", rig.o.directory);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_uint_eq(compare_rig_run(&rig.o), 1);
    snprintf(path, sizeof path, "%s/models/block@labs.1.h5", rig.o.directory);
    ck_assert_int_eq(unlink(path), 0); /* nothing could be joined from it any more */
    ck_assert_uint_eq(compare_rig_run(&rig.o), 1);
    ck_assert_int_eq(access(path, R_OK), 0);
    compare_rig_free(&rig);
}
END_TEST

/* Non-zero after some calls: as a signal would. */
static int stop_soon(void *user, const char *what, uint64_t done, uint64_t total)
{
    size_t *left = user;

    ck_assert_str_eq(what, "block:labs");
    ck_assert_uint_le(done, total);
    return (*left)-- == 0;
}

START_TEST(a_stopped_job_leaves_no_record_and_gives_the_same_result_later)
{
    compare_rig rig, whole;
    mml_compare *plan = NULL;
    size_t left = 10;
    char path[640];

    compare_rig_copy(&whole, "whole");
    rig = whole;
    rig.o.directory = mmlt_path("c");
    rig.o.folds = 1;
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    mmlt_assert_fails(mml_compare_run(NULL, plan, 0, stop_soon, &left), MML_E_STOPPED, "");
    snprintf(path, sizeof path, "%s/jobs/block@labs.0.json", rig.o.directory);
    ck_assert_int_ne(access(path, F_OK), 0);
    mml_compare_free(plan);
    compare_rig_run(&rig.o);
    same_records(rig.o.directory, whole.o.directory, 1);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_folder_of_another_comparison_is_refused_with_what_differs)
{
    compare_rig rig;
    mml_compare *plan = NULL;
    mml_compare_options other;

    compare_rig_copy(&rig, "c");
    other = rig.o;
    other.seed = 7;
    mmlt_assert_fails(mml_compare_new(&plan, &other), MML_E_ARG, "block@labs.0.json is of another comparison: seed: \"0\"");
    ck_assert_ptr_null(plan);
    other = rig.o;
    other.split.seed = 2;
    mmlt_assert_fails(mml_compare_new(&plan, &other), MML_E_ARG, "split.seed");
    compare_rig_free(&rig);
}
END_TEST

START_TEST(nothing_of_the_test_part_reaches_what_is_chosen)
{
    const rig_spec changed = {.other_test = true};
    compare_rig a, b;

    compare_rig_make(&a, NULL, "a");
    compare_rig_make(&b, &changed, "b"); /* labels, values and numbers of tokens of set b are others */
    a.o.folds = b.o.folds = 1;
    a.o.split.train = b.o.split.train = "set=a";
    a.o.split.test = b.o.split.test = "set=b";
    compare_rig_run(&a.o);
    compare_rig_run(&b.o);
    for (size_t i = 0; i < N_FILES; i++) {
        json_t *x = compare_rig_record(a.o.directory, files[i], 0), *y = compare_rig_record(b.o.directory, files[i], 0);

        ck_assert_double_eq(compare_rig_number(x, "valid_score"), compare_rig_number(y, "valid_score"));
        ck_assert_msg(json_equal(json_object_get(x, "history"), json_object_get(y, "history")), "history of %s", files[i]);
        ck_assert_msg(!json_equal(json_object_get(x, "test"), json_object_get(y, "test")), "test part of %s", files[i]);
        json_decref(x);
        json_decref(y);
    }
    compare_rig_free(&a);
    compare_rig_free(&b);
}
END_TEST

START_TEST(the_validation_part_by_column_is_drawn_anew_in_each_fold)
{
    static const char *const one[] = {"block:labs"};
    compare_rig rig;
    json_t *a, *b;

    compare_rig_make(&rig, NULL, "c");
    rig.o.systems = one;
    rig.o.n_systems = 1;
    rig.o.split.train = "set=a";
    rig.o.split.test = "set=b";
    compare_rig_run(&rig.o);
    a = compare_rig_record(rig.o.directory, "block@labs", 0);
    b = compare_rig_record(rig.o.directory, "block@labs", 1);
    ck_assert(json_equal(json_object_get(json_object_get(a, "test"), "id"), json_object_get(json_object_get(b, "test"), "id")));
    ck_assert(!json_equal(json_object_get(a, "history"), json_object_get(b, "history")));
    json_decref(a);
    json_decref(b);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_failed_block_fails_what_is_joined_from_it_and_nothing_else)
{
    const rig_spec broken = {.factor = INFINITY}; /* of labs */
    compare_rig rig;
    mml_compare *plan = NULL;
    mml_compare_state state;
    size_t open = 0;

    compare_rig_make(&rig, &broken, "c");
    rig.o.folds = 1;
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        mmlt_assert_ok(mml_compare_run(&state, plan, i, NULL, NULL));
        mmlt_assert_ok(mml_compare_look(plan, i));
        mmlt_assert_ok(mml_compare_job_at(&job, plan, i));
        ck_assert_int_eq(job.state, state);
        ck_assert_int_eq(state, strcmp(job.system, "block:vitals") == 0 ? MML_COMPARE_DONE : MML_COMPARE_FAILED);
        if (state == MML_COMPARE_FAILED)
            ck_assert_msg(strstr(job.message, "infinite") != NULL, "%s: %s", job.system, job.message);
        if (state == MML_COMPARE_FAILED && job.n_needs > 0)
            ck_assert_msg(strstr(job.message, "block:labs, which it is made of, failed") != NULL, "%s", job.message);
    }
    mml_compare_free(plan);
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o)); /* what failed is tried again */
    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        mmlt_assert_ok(mml_compare_job_at(&job, plan, i));
        open += job.state == MML_COMPARE_OPEN;
    }
    ck_assert_uint_eq(open, N_FILES - 1);
    mml_compare_free(plan);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_merge_without_its_blocks_is_refused)
{
    compare_rig rig;
    mml_compare *plan = NULL;

    compare_rig_make(&rig, NULL, "c");
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        mmlt_assert_ok(mml_compare_job_at(&job, plan, i));
        if (job.n_needs == 0)
            continue;
        ck_assert_uint_eq(job.n_needs, 2);
        mmlt_assert_fails(mml_compare_run(NULL, plan, i, NULL, NULL), MML_E_ARG, "block:labs, which has not been run yet");
    }
    mml_compare_free(plan);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(blocks_come_with_what_is_joined_from_them)
{
    static const char *const merge[] = {"merge"}, *const one[] = {"block:vitals"}, *const wrong[] = {"merg"};
    compare_rig rig;
    mml_compare *plan = NULL;
    mml_compare_job job;

    compare_rig_make(&rig, NULL, "c");
    rig.o.systems = merge;
    rig.o.n_systems = 1;
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    ck_assert_uint_eq(mml_compare_n_jobs(plan), 2 * 3);
    mml_compare_free(plan);
    rig.o.systems = one;
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    ck_assert_uint_eq(mml_compare_n_jobs(plan), 2);
    mmlt_assert_ok(mml_compare_job_at(&job, plan, 0));
    ck_assert_str_eq(job.system, "block:vitals");
    mmlt_assert_fails(mml_compare_job_at(&job, plan, 2), MML_E_ARG, "2");
    mml_compare_free(plan);
    rig.o.systems = wrong;
    mmlt_assert_fails(mml_compare_new(&plan, &rig.o), MML_E_NOT_FOUND, "did you mean `merge`");
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_changed_cohort_is_noticed_before_a_job_runs)
{
    const rig_spec changed = {.other_test = true};
    compare_rig rig, other;
    mml_compare *plan = NULL;

    compare_rig_make(&rig, NULL, "c");
    compare_rig_make(&other, &changed, "d");
    mmlt_assert_ok(mml_compare_new(&plan, &rig.o));
    ck_assert_int_eq(rename(other.made.path, rig.made.path), 0);
    mmlt_assert_fails(mml_compare_run(NULL, plan, 0, NULL, NULL), MML_E_DATA, "has changed");
    mml_compare_free(plan);
    compare_rig_free(&rig);
}
END_TEST

/* The record of a search has its trials, of which the best was kept; another search gives the same. */
static void check_search(const char *directory, const char *again, const char *name, size_t tune)
{
    json_t *record = compare_rig_record(directory, name, 0), *other = compare_rig_record(again, name, 0);
    const json_t *trials = json_object_get(record, "trials");
    double best = -1;

    ck_assert_uint_eq(json_array_size(trials), tune);
    for (size_t t = 0; t < tune; t++) {
        const json_t *trial = json_array_get(trials, t);

        best = fmax(best, compare_rig_number(trial, "valid_score"));
        ck_assert(json_equal(json_object_get(trial, "settings"),
                             json_object_get(json_array_get(json_object_get(other, "trials"), t), "settings")));
    }
    ck_assert_double_eq(compare_rig_number(record, "valid_score"), best);
    ck_assert_double_eq(compare_rig_number(record, "score"), compare_rig_number(other, "score"));
    json_decref(record);
    json_decref(other);
}

/* A block with five trials that are drawn and one that learns from them (tpe.c); what is joined with two, which cost more. */
START_TEST(a_search_begins_with_the_defaults_keeps_the_best_trial_and_repeats)
{
    static const struct {
        const char *systems[2], *files[2];
        size_t n;
        int tune;
    } cases[] = {{{"block:labs"}, {"block@labs"}, 1, 6}, {{"merge", "fuse-stack"}, {"merge", "fuse-stack"}, 2, 2}};
    compare_rig rig, again;
    json_t *defaults, *record;

    compare_rig_copy(&rig, "c");
    defaults = compare_rig_record(rig.o.directory, cases[_i].files[0], 0);
    rig.o.folds = 1;
    rig.o.tune = (size_t)cases[_i].tune;
    rig.o.systems = cases[_i].systems;
    rig.o.n_systems = cases[_i].n;
    again = rig;
    rig.o.directory = mmlt_path("tuned");
    again.o.directory = mmlt_path("again");
    compare_rig_run(&rig.o);
    for (size_t i = 0; _i == 1 && i < 2; i++) { /* the blocks have been repeated in the first case */
        char file[200];

        snprintf(file, sizeof file, "jobs/%s.0.json", files[i]);
        compare_rig_copy_file(again.o.directory, rig.o.directory, file);
        snprintf(file, sizeof file, "models/%s.0.h5", files[i]);
        compare_rig_copy_file(again.o.directory, rig.o.directory, file);
    }
    ck_assert_uint_eq(compare_rig_run(&again.o), cases[_i].n);
    for (size_t i = 0; i < cases[_i].n; i++)
        check_search(rig.o.directory, again.o.directory, cases[_i].files[i], (size_t)cases[_i].tune);
    record = compare_rig_record(rig.o.directory, cases[_i].files[0], 0);
    if (_i == 0) /* a merge's blocks are others now */
        ck_assert_double_eq(compare_rig_number(json_array_get(json_object_get(record, "trials"), 0), "valid_score"),
                            compare_rig_number(defaults, "valid_score"));
    json_decref(record);
    json_decref(defaults);
    compare_rig_free(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare");
    TCase *tc = tcase_create("jobs");

    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, compare_rig_share, compare_rig_unshare);
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, results_are_the_same_however_the_jobs_are_distributed);
    tcase_add_test(tc, scores_are_those_of_the_models_that_are_kept);
    tcase_add_test(tc, what_is_finished_is_not_run_again);
    tcase_add_test(tc, a_stopped_job_leaves_no_record_and_gives_the_same_result_later);
    tcase_add_test(tc, a_folder_of_another_comparison_is_refused_with_what_differs);
    tcase_add_test(tc, nothing_of_the_test_part_reaches_what_is_chosen);
    tcase_add_test(tc, the_validation_part_by_column_is_drawn_anew_in_each_fold);
    tcase_add_test(tc, a_failed_block_fails_what_is_joined_from_it_and_nothing_else);
    tcase_add_test(tc, a_merge_without_its_blocks_is_refused);
    tcase_add_test(tc, blocks_come_with_what_is_joined_from_them);
    tcase_add_loop_test(tc, a_search_begins_with_the_defaults_keeps_the_best_trial_and_repeats, mmlt_fast("the first of two searches over settings") ? 1 : 0, 2);
    tcase_add_test(tc, a_changed_cohort_is_noticed_before_a_job_runs);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
