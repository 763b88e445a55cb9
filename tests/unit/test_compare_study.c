/* test_compare_study.c - studies: who sees which patients, and the curves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/study.h"
#include "io/cohort.h"
#include "tests/unit/compare_rig.h"

/* The plan of a study on the small cohort, and the parts of fold 0. */
typedef struct study_rig {
    compare_rig rig;
    mml_compare *plan;
    mml_part *part;
} study_rig;

static void study_make(study_rig *s, const char *study)
{
    mml_split_options split;
    mml_cohort *cohort = NULL;

    compare_rig_make(&s->rig, NULL, "c");
    s->rig.o.study = study;
    mmlt_assert_ok(mml_compare_new(&s->plan, &s->rig.o));
    s->part = calloc(RIG_N, sizeof *s->part);
    mml_split_options_init(&split);
    split.fold = 0;
    mmlt_assert_ok(mml_cohort_open(&cohort, s->rig.made.path));
    mmlt_assert_ok(mml_split(s->part, cohort, "outcome", &split));
    mml_cohort_close(cohort);
}

static void study_free(study_rig *s)
{
    mml_compare_free(s->plan);
    free(s->part);
    compare_rig_free(&s->rig);
}

/* has (2, RIG_N): who has labs and vitals at the point of a job of fold 0. */
static void who_has(bool has[2][RIG_N], study_rig *s, size_t point)
{
    mmli_running run = {.plan = s->plan, .part = s->part};

    while (s->plan->jobs[run.job].point != point || s->plan->jobs[run.job].fold != 0)
        run.job++;
    mmlt_assert_ok(mml_cohort_open(&run.cohort, s->rig.made.path));
    mmlt_assert_ok(mmli_study_hide(&run));
    for (size_t m = 0; m < 2; m++) {
        mml_modality_info info;

        mmlt_assert_ok(mml_cohort_modality_at(&info, run.cohort, m));
        for (size_t i = 0; i < RIG_N; i++)
            has[m][i] = info.offsets[i + 1] > info.offsets[i];
    }
    mml_cohort_close(run.cohort);
}

START_TEST(hidden_samples_have_no_tokens_and_the_others_the_same_as_before)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_batch *before = NULL, *after = NULL;
    const char *const names[] = {"vitals"};
    size_t all[RIG_N], left[RIG_N], n = 0;
    uint8_t hide[RIG_N] = {0};
    mml_tokens a, b;

    for (size_t i = 0; i < RIG_N; i++) {
        all[i] = i;
        hide[i] = i % 3 == 1;
        if (!hide[i])
            left[n++] = i;
    }
    mmlt_assert_ok(mml_batch_new(&before, 0));
    mmlt_assert_ok(mml_batch_new(&after, 0));
    mmlt_assert_ok(mml_cohort_read(cohort, before, left, n, names, 1));
    mmlt_assert_ok(mmli_cohort_hide(cohort, "vitals", hide));
    for (int turn = 0; turn < 2; turn++) { /* a second time nothing is left to be hidden */
        mmlt_assert_ok(mml_cohort_read(cohort, after, all, RIG_N, names, 1));
        mmlt_assert_ok(mml_batch_get(&a, before, "vitals"));
        mmlt_assert_ok(mml_batch_get(&b, after, "vitals"));
        ck_assert_int_eq(a.offsets[n], b.offsets[RIG_N]);
        mmlt_assert_same_bits(b.values, a.values, (size_t)a.offsets[n] * a.width * sizeof *a.values);
        for (size_t i = 0; i < RIG_N; i++)
            ck_assert(!hide[i] || b.offsets[i + 1] == b.offsets[i]);
        mmlt_assert_ok(mmli_cohort_hide(cohort, "vitals", hide));
        mml_cohort_set_memory(cohort, 0); /* from the file as well */
    }
    mml_batch_free(before);
    mml_batch_free(after);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Share of the training patients with each, and the symmetric difference of those. Patients who lack one anyway aside. */
START_TEST(blocks_share_as_many_training_patients_as_asked_for)
{
    static const double want[] = {0, 0.25, 0.5, 0.75, 1};
    bool had[2][RIG_N], has[2][RIG_N];
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    study_rig s;

    for (size_t m = 0; m < 2; m++) {
        mml_modality_info info;

        mmlt_assert_ok(mml_cohort_modality_at(&info, cohort, m));
        for (size_t i = 0; i < RIG_N; i++)
            had[m][i] = info.offsets[i + 1] > info.offsets[i];
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
    study_make(&s, "overlap");
    for (size_t p = 0; p < 5; p++) {
        double n = 0, each[2] = {0}, both = 0;

        who_has(has, &s, p + 1);
        for (size_t i = 0; i < RIG_N; i++) {
            if (s.part[i] != MML_PART_TRAIN) {
                ck_assert(has[0][i] == had[0][i] && has[1][i] == had[1][i]);
                continue;
            }
            if (!had[0][i] || !had[1][i])
                continue;
            n++;
            each[0] += has[0][i];
            each[1] += has[1][i];
            both += has[0][i] && has[1][i];
        }
        ck_assert_double_eq_tol(each[0] / n, 0.5, 0.1); /* of some 80 patients, at random places among all */
        ck_assert_double_eq_tol(each[1] / n, 0.5, 0.1);
        ck_assert_double_eq_tol((each[0] + each[1] - 2 * both) / (each[0] + each[1] - both), want[p], 0.12);
        if (want[p] <= 0 || want[p] >= 1)
            ck_assert_double_eq((each[0] + each[1] - 2 * both) / (each[0] + each[1] - both), want[p]);
    }
    study_free(&s);
}
END_TEST

START_TEST(who_lacks_a_modality_lacks_it_at_every_larger_share)
{
    bool before[2][RIG_N], has[2][RIG_N];
    study_rig s;

    study_make(&s, "missing");
    for (size_t p = 1; p < s.plan->n_points; p++) {
        const mmli_point *point = &s.plan->points[p];
        const mml_part where = point->in_training ? MML_PART_TRAIN : MML_PART_TEST;
        double n = 0, lost = 0;

        who_has(has, &s, p);
        if (point->x < 0.2)
            who_has(before, &s, p);
        for (size_t i = 0; i < RIG_N; i++) {
            ck_assert(!has[point->modality][i] || before[point->modality][i]);
            n += s.part[i] == where;
            lost += s.part[i] == where && !has[point->modality][i];
        }
        ck_assert_double_gt(lost / n, point->x - 0.25); /* 24 patients, some of whom lack it anyway */
        memcpy(before, has, sizeof has);
    }
    study_free(&s);
}
END_TEST

/* Failed jobs among the records: where nearly all patients of a small cohort lack a modality, nothing can be learnt of it. */
static size_t failed_of(const mml_compare_options *o)
{
    mml_compare *plan = NULL;
    size_t n = 0;

    mmlt_assert_ok(mml_compare_new(&plan, o));
    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        mmlt_assert_ok(mml_compare_look(plan, i));
        mmlt_assert_ok(mml_compare_job_at(&job, plan, i));
        ck_assert(job.state != MML_COMPARE_OPEN);
        ck_assert_msg(job.state != MML_COMPARE_FAILED || strstr(job.label, "missing in training, 0.9") != NULL, "%s: %s",
                      job.label, job.message);
        n += job.state == MML_COMPARE_FAILED;
    }
    mml_compare_free(plan);
    return n;
}

static json_t *collected(const char *directory)
{
    char *text = NULL;
    json_t *json;

    mmlt_assert_ok(mml_compare_collect(&text, &directory, 1, directory));
    json = json_loads(text, 0, NULL);
    mml_string_free(text);
    ck_assert_ptr_nonnull(json);
    return json;
}

static const json_t *curve_of(const json_t *comparison, size_t study, const char *title)
{
    const json_t *series = json_object_get(json_array_get(json_object_get(comparison, "studies"), study), "series");

    for (size_t i = 0; i < json_array_size(series); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(series, i), "title")), title) == 0)
            return json_array_get(series, i);
    ck_abort_msg("no curve %s", title);
    return NULL;
}

START_TEST(curves_have_the_points_of_their_study_and_begin_with_the_plain_comparison)
{
    static const char *const names[] = {"overlap", "missing", "modalities"}, *const titles[] = {"LegoMerge",
        "LegoMerge: labs missing in test", "LegoMerge"};
    static const size_t points[] = {5, 6, 2};
    static const char *const systems[] = {"merge"};
    compare_rig rig;
    json_t *all;
    const json_t *curve;

    compare_rig_make(&rig, NULL, "c");
    rig.o.folds = 1;
    rig.o.systems = systems;
    rig.o.n_systems = 1;
    rig.o.study = names[_i];
    ck_assert_uint_gt(compare_rig_run(&rig.o), 0);
    ck_assert_uint_eq(compare_rig_run(&rig.o), failed_of(&rig.o)); /* what failed is tried again, the rest is done */
    all = collected(rig.o.directory);
    curve = curve_of(all, 0, titles[_i]);
    ck_assert_uint_eq(json_array_size(json_object_get(curve, "mean")), points[_i]);
    if (_i > 0) {
        const size_t end = _i == 1 ? 0 : 1;
        const json_t *merge = json_array_get(json_object_get(all, "systems"), 2);

        ck_assert_str_eq(json_string_value(json_object_get(merge, "system")), "merge");
        ck_assert_double_eq(json_number_value(json_array_get(json_object_get(curve, "mean"), end)), compare_rig_number(merge, "mean"));
    } else {
        ck_assert_uint_eq(json_array_size(json_object_get(all, "systems")), 0);
    }
    json_decref(all);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(a_block_of_what_nobody_has_any_more_is_as_good_as_the_prior)
{
    static const char *const systems[] = {"block:labs"};
    compare_rig rig;
    json_t *all;
    const json_t *curve;
    double whole, few;

    compare_rig_make(&rig, NULL, "c");
    rig.o.systems = systems;
    rig.o.n_systems = 1;
    rig.o.study = "missing";
    compare_rig_run(&rig.o);
    all = collected(rig.o.directory);
    curve = curve_of(all, 0, "LegoBlock, labs: labs missing in test");
    whole = json_number_value(json_array_get(json_object_get(curve, "mean"), 0));
    few = json_number_value(json_array_get(json_object_get(curve, "mean"), 5));
    ck_assert_double_gt(whole, 0.8);
    ck_assert_double_lt(few, whole - 0.1);
    json_decref(all);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(mixtures_of_two_latents_lie_between_them)
{
    compare_rig rig;
    json_t *all;
    const json_t *rows, *row;
    size_t r;

    compare_rig_make(&rig, NULL, "c");
    rig.o.folds = 1;
    rig.o.systems = NULL;
    rig.o.study = "interference";
    ck_assert_uint_eq(compare_rig_run(&rig.o), 3); /* two blocks, one pair */
    all = collected(rig.o.directory);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "studies")), 3);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "systems")), 2);
    rows = json_object_get(json_array_get(json_object_get(all, "studies"), 0), "rows");
    ck_assert_uint_eq(json_array_size(rows), 33);
    json_array_foreach(rows, r, row) {
        const double a = compare_rig_number(row, "weight"), first = compare_rig_number(row, "to_first"),
                     second = compare_rig_number(row, "to_second"), kept = compare_rig_number(row, "kept");

        ck_assert_double_ge(first + second, 1 - 1e-9); /* triangle inequality */
        if (strcmp(json_string_value(json_object_get(row, "method")), "mean") == 0) {
            ck_assert_double_eq_tol(first, a, 1e-9);
            ck_assert_double_eq_tol(second, 1 - a, 1e-9);
            ck_assert_double_le(kept, 1 + 1e-9);
        }
        if (a <= 0 || a >= 1) { /* at the ends any mixture is the latent itself, in either domain */
            ck_assert_double_eq_tol(first, a, 1e-9);
            ck_assert_double_eq_tol(kept, 1, 1e-9);
        }
    }
    curve_of(all, 2, "harmonic, in space");
    json_decref(all);
    compare_rig_free(&rig);
}
END_TEST

START_TEST(an_unknown_study_is_refused)
{
    compare_rig rig;
    mml_compare *plan = NULL;

    compare_rig_make(&rig, NULL, "c");
    rig.o.study = "overlop";
    mmlt_assert_fails(mml_compare_new(&plan, &rig.o), MML_E_ARG, "did you mean `overlap`");
    compare_rig_free(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare/study");
    TCase *tc = tcase_create("study");

    tcase_set_timeout(tc, 240);
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, hidden_samples_have_no_tokens_and_the_others_the_same_as_before);
    tcase_add_test(tc, blocks_share_as_many_training_patients_as_asked_for);
    tcase_add_test(tc, who_lacks_a_modality_lacks_it_at_every_larger_share);
    tcase_add_loop_test(tc, curves_have_the_points_of_their_study_and_begin_with_the_plain_comparison, mmlt_fast("two of three studies") ? 2 : 0, 3);
    tcase_add_test(tc, a_block_of_what_nobody_has_any_more_is_as_good_as_the_prior);
    tcase_add_test(tc, mixtures_of_two_latents_lie_between_them);
    tcase_add_test(tc, an_unknown_study_is_refused);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
