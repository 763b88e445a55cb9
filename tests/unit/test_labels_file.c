/* test_labels_file.c - tasks in files, compared with each other, and logits turned into what they mean. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/labels.h"
#include "data/labels_inside.h"
#include "io/h5.h"
#include "tests/unit/make_cohort.h"
#include "util/alloc.h"

static const char *const grades[] = {"low", "m\u00e9dium", "high"};

/* A number that make_task() takes for a kind: survival by the Cox loss. */
#define COX ((mml_task_kind)(MML_REGRESSION + 1))

/* A task of every kind, with numbers that a careless way through a file would change. */
static mmli_task *make_task(mml_task_kind kind)
{
    static const double edges[] = {-1e-6, 0.1, 1.0 / 3, 1e300};
    const size_t k = kind == MML_BINARY ? 2 : kind == MML_REGRESSION || kind == COX ? 1 : 3;
    mmli_task *t = NULL;

    if (kind == COX)
        kind = MML_SURVIVAL;
    mmlt_assert_ok(mmli_task_new(&t, kind, "outcome", kind == MML_SURVIVAL ? "months" : "", k,
                                 kind == MML_BINARY || kind == MML_MULTICLASS ? grades : NULL));
    t->n_train = 10 * k;
    for (size_t j = 0; j < k; j++) {
        t->counts[j] = kind == MML_SURVIVAL && k > 1 ? j : 10;
        t->prior_output[j] = 0.1f * (float)(j + 1);
        t->prior_logits[j] = -1.0f / (float)(3 * j + 7);
    }
    if (kind == MML_SURVIVAL) {
        memcpy(t->edges, edges, (k + 1) * sizeof *edges);
        t->n_events = k > 1 ? 3 : 10;
    }
    if (kind == MML_REGRESSION) {
        t->mean = 0.1;
        t->sd = 1e-300;
    }
    return t;
}

static void assert_equal(const mmli_task *a, const mmli_task *b)
{
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->outputs, b->outputs);
    ck_assert_uint_eq(a->n_train, b->n_train);
    ck_assert_uint_eq(a->n_events, b->n_events);
    ck_assert_str_eq(a->name, b->name);
    ck_assert_str_eq(a->unit, b->unit);
    ck_assert_int_eq(a->classes == NULL, b->classes == NULL);
    ck_assert_int_eq(a->edges == NULL, b->edges == NULL);
    for (size_t c = 0; a->classes != NULL && c < a->outputs; c++)
        ck_assert_str_eq(a->classes[c], b->classes[c]);
    if (a->edges != NULL)
        mmlt_assert_same_bits(a->edges, b->edges, (a->outputs + 1) * sizeof(double));
    mmlt_assert_same_bits(&a->mean, &b->mean, sizeof(double));
    mmlt_assert_same_bits(&a->sd, &b->sd, sizeof(double));
    mmlt_assert_same_bits(a->counts, b->counts, a->outputs * sizeof(uint64_t));
    mmlt_assert_same_bits(a->prior_logits, b->prior_logits, a->outputs * sizeof(float));
    mmlt_assert_same_bits(a->prior_output, b->prior_output, a->outputs * sizeof(float));
}

static char path[MMLT_PATH];
static hid_t file, group;

static void save(const mmli_task *t)
{
    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mmli_h5_create(&file, path, path));
    mmlt_assert_ok(mmli_h5_group_new(&group, file, path, "task"));
    mmlt_assert_ok(mmli_task_save(t, group, path));
}

static void reopen(void)
{
    mmli_h5_drop(group);
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    mmlt_assert_ok(mmli_h5_open(&file, path));
    mmlt_assert_ok(mmli_h5_group(&group, file, path, "task"));
}

static void finish(void)
{
    mmli_h5_drop(group);
    mmli_h5_drop(file);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(task_comes_back_from_a_file_to_the_bit)
{
    mmli_task *t = make_task((mml_task_kind)_i), *back = NULL, *copy = NULL;

    save(t);
    reopen();
    mmlt_assert_ok(mmli_task_load(&back, group, path));
    finish();
    assert_equal(t, back);
    mmlt_assert_ok(mmli_task_copy(&copy, t));
    mmli_task_free(t);
    assert_equal(copy, back);
    mmli_task_free(copy);
    mmli_task_free(back);
}
END_TEST

/* ---- damaged groups --------------------------------------------------------------------------------------------------- */

static void replace(const char *name, mmli_h5_type type, size_t n, const void *data)
{
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(group, name, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    if (data != NULL)
        mmlt_assert_ok(mmli_h5_put(type, 1, &n, data, group, path, name));
}

static void replace_classes(const char *const *classes, size_t k)
{
    replace("classes", MMLI_H5_U8, 0, NULL);
    mmlt_assert_ok(mmli_h5_put_texts(classes, k, group, path, "classes"));
}

static void damage_kind(void) { mmlt_assert_ok(mmli_h5_set_text(group, path, "kind", "ranking")); }
static void damage_name(void) { mmlt_assert_ok(mmli_h5_set_text(group, path, "name", "a/b")); }
static void damage_sd(void) { mmlt_assert_ok(mmli_h5_set_f64(group, path, "sd", 0)); }
static void damage_train(void) { mmlt_assert_ok(mmli_h5_set_u64(group, path, "n_train", 0)); }
static void damage_one(void) { replace_classes(grades, 1); }
static void damage_twice(void) { replace_classes((const char *const[]){"a", "b", "a"}, 3); }
static void damage_more(void) { replace_classes((const char *const[]){"a", "b", "c", "d"}, 4); }
static void damage_prior(void) { replace("prior_logits", MMLI_H5_F32, 3, (const float[]){0, -INFINITY, 0}); }
static void damage_rate(void) { replace("prior_output", MMLI_H5_F32, 3, (const float[]){0, 0.5f, 1.5f}); }
static void damage_counts(void) { replace("counts", MMLI_H5_U64, 3, (const uint64_t[]){10, 10, 9}); }
static void damage_empty(void) { replace("counts", MMLI_H5_U64, 3, (const uint64_t[]){15, 15, 0}); }
static void damage_absent(void) { replace("counts", MMLI_H5_U64, 0, NULL); }
static void damage_edges(void) { replace("edges", MMLI_H5_F64, 4, (const double[]){0, 2, 1, 3}); }
static void damage_no_edges(void) { replace("edges", MMLI_H5_F64, 1, (const double[]){0}); }
static void damage_nan_edge(void) { replace("edges", MMLI_H5_F64, 4, (const double[]){0, 2, (double)NAN, 3}); }
static void damage_short_edges(void) { replace("edges", MMLI_H5_F64, 3, (const double[]){0, 2, 3}); }

static const struct {
    mml_task_kind kind;
    void (*damage)(void);
    const char *message;
} damages[] = {
    {MML_MULTICLASS, damage_kind, "`ranking` is none of binary"},
    {MML_MULTICLASS, damage_name, "name of the task: it has a /"},
    {MML_REGRESSION, damage_sd, "standard deviation 0"},
    {MML_REGRESSION, damage_train, "0 training samples"},
    {MML_MULTICLASS, damage_one, "1 classes for a multiclass task"},
    {MML_BINARY, damage_twice, "3 classes for a binary task"},
    {MML_MULTICLASS, damage_twice, "class `a` is there twice"},
    {MML_MULTICLASS, damage_more, "counts"},
    {MML_MULTICLASS, damage_prior, "prior 2 is not a finite number"},
    {MML_MULTICLASS, damage_rate, "prior 3 is 1.5, not a probability"},
    {MML_MULTICLASS, damage_counts, "do not add up"},
    {MML_MULTICLASS, damage_empty, "0 of 30 training samples are in class or bin 3"},
    {MML_MULTICLASS, damage_absent, "counts"},
    {MML_SURVIVAL, damage_edges, "edge 3 of the time bins"},
    {MML_SURVIVAL, damage_no_edges, "edges of time bins are damaged"},
    {MML_SURVIVAL, damage_nan_edge, "edge 3 of the time bins"},
    {MML_SURVIVAL, damage_short_edges, "counts"},
};
enum { DAMAGES = sizeof damages / sizeof *damages };

START_TEST(damaged_group_is_refused)
{
    mmli_task *t = make_task(damages[_i].kind), *back = t;

    save(t);
    damages[_i].damage();
    reopen();
    mmlt_assert_fails(mmli_task_load(&back, group, path), MML_E_FORMAT, damages[_i].message);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), path));
    ck_assert_ptr_null(back);
    finish();
    mmli_task_free(t);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mmli_task *t = make_task((mml_task_kind)_i);
    mml_status st = MML_E_NOMEM;

    save(t);
    reopen();
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_task *back = NULL, *copy = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_task_load(&back, group, path);
        if (st == MML_OK)
            st = mmli_task_copy(&copy, back);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_int_eq(st == MML_OK, copy != NULL);
        ck_assert_uint_lt(k, 500);
        mmli_task_free(back);
        mmli_task_free(copy);
    }
    finish();
    mmli_task_free(t);
}
END_TEST

START_TEST(inspect_sees_every_output)
{
    mmli_task *t = make_task((mml_task_kind)_i);
    json_t *json = mmli_task_json(t), *last;

    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "name")), "outcome");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "n_train")), (json_int_t)t->n_train);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "outputs")), t->outputs);
    last = json_array_get(json_object_get(json, "outputs"), t->outputs - 1);
    ck_assert_double_eq(json_real_value(json_object_get(last, "prior")), (double)t->prior_output[t->outputs - 1]);
    if (t->classes != NULL)
        ck_assert_str_eq(json_string_value(json_object_get(last, "class")), t->classes[t->outputs - 1]);
    if (mmli_task_is_cox(t))
        ck_assert_str_eq(json_string_value(json_object_get(last, "loss")), "cox");
    else if (t->edges != NULL)
        ck_assert_double_eq(json_real_value(json_object_get(last, "to")), 1e300);
    if (t->edges != NULL)
        ck_assert_int_eq(json_integer_value(json_object_get(json, "n_events")), (json_int_t)t->n_events);
    json_decref(json);
    mmli_task_free(t);
}
END_TEST

/* ---- do two tasks agree ------------------------------------------------------------------------------------------------ */

START_TEST(tasks_agree_with_themselves_only)
{
    mmli_task *t[4];
    char *note = NULL;

    for (int i = 0; i < 4; i++)
        t[i] = make_task((mml_task_kind)i);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            if (i != j) {
                mmlt_assert_fails(mmli_task_agree(&note, t[i], t[j]), MML_E_ARG, "one model was trained on the");
                continue;
            }
            mmlt_assert_ok(mmli_task_agree(&note, t[i], t[j]));
            ck_assert_ptr_null(note);
            mmlt_assert_ok(mmli_task_agree(NULL, t[i], t[j]));
        }
    for (int i = 0; i < 4; i++)
        mmli_task_free(t[i]);
}
END_TEST

START_TEST(tasks_that_mean_something_else_do_not_agree)
{
    mmli_task *a = make_task(MML_MULTICLASS), *b = make_task(MML_MULTICLASS), *c = NULL, *d = NULL;
    char *note = NULL;

    b->prior_logits[0] += 1; /* a prior is no matter */
    mmlt_assert_ok(mmli_task_agree(&note, a, b));
    ck_assert_ptr_null(note);
    b->classes[2][0] = 'H';
    mmlt_assert_fails(mmli_task_agree(&note, a, b), MML_E_ARG, "low, m\u00e9dium, Hig");
    mmlt_assert_ok(mmli_task_new(&c, MML_MULTICLASS, "outcome", "", 2, grades));
    mmlt_assert_fails(mmli_task_agree(&note, a, c), MML_E_SHAPE, "the 3 classes");
    mmlt_assert_ok(mmli_task_new(&d, MML_MULTICLASS, "other", "", 3, grades));
    mmlt_assert_fails(mmli_task_agree(&note, a, d), MML_E_ARG, "the task outcome, the other on other");
    mmli_task_free(a);
    mmli_task_free(b);
    mmli_task_free(c);
    mmli_task_free(d);
}
END_TEST

START_TEST(small_differences_are_noted)
{
    mmli_task *a = make_task(MML_SURVIVAL), *b = make_task(MML_SURVIVAL), *c = NULL;
    mmli_task *cox = make_task(COX), *other = make_task(COX);
    mmli_task *x = make_task(MML_REGRESSION), *y = make_task(MML_REGRESSION);
    char *note = NULL;

    b->edges[1] = 0.125;
    mmlt_assert_ok(mmli_task_agree(&note, a, b));
    ck_assert_str_eq(note, "their time bins differ: edge 2 of 4 is 0.1 in one and 0.125 in the other");
    mmli_free(note);
    mmlt_assert_ok(mmli_task_new(&c, MML_SURVIVAL, "outcome", "", 4, NULL));
    mmlt_assert_fails(mmli_task_agree(&note, a, c), MML_E_SHAPE, "one model has 3 time bins, the other 4");
    ck_assert_ptr_null(note);
    mmlt_assert_fails(mmli_task_agree(&note, a, cox), MML_E_SHAPE, "by the Cox loss (1 output), the other for 3 time bins");
    mmlt_assert_fails(mmli_task_agree(&note, cox, a), MML_E_SHAPE, "by the Cox loss (1 output), the other for 3 time bins");
    other->edges[1] = 0.25; /* of no meaning */
    mmlt_assert_ok(mmli_task_agree(&note, cox, other));
    ck_assert_ptr_null(note);
    y->mean = nextafter(y->mean, 1);
    mmlt_assert_ok(mmli_task_agree(&note, x, y));
    ck_assert_ptr_nonnull(strstr(note, "standardised differently"));
    mmli_free(note);
    mmli_task_free(cox);
    mmli_task_free(other);
    mmli_task_free(a);
    mmli_task_free(b);
    mmli_task_free(c);
    mmli_task_free(x);
    mmli_task_free(y);
}
END_TEST

/* ---- outputs -------------------------------------------------------------------------------------------------------------- */

START_TEST(class_logits_become_probabilities)
{
    mmli_task *t = make_task(MML_BINARY), *many = make_task(MML_MULTICLASS);
    const float logits[] = {0, 0, 1, 3, 1000, -1000, -500, -499};
    const double want[] = {0.5, 1 / (1 + exp(-2)), 0, 1 / (1 + exp(-1))};
    float output[8], in_place[8];
    double score[4];

    memcpy(in_place, logits, sizeof logits);
    mmli_task_outputs(output, NULL, score, t, logits, 4);
    mmli_task_outputs(in_place, NULL, NULL, t, in_place, 4);
    mmlt_assert_same_bits(in_place, output, sizeof output);
    mmlt_assert_close_d(score, want, 4, MMLT_TOL_F64);
    for (size_t r = 0; r < 4; r++) {
        ck_assert_float_eq(output[2 * r + 1], (float)score[r]);
        ck_assert_float_eq_tol(output[2 * r] + output[2 * r + 1], 1, 1e-7f);
    }
    mmli_task_outputs(output, NULL, score, many, (const float[]){1, 1, 1}, 1);
    ck_assert(isnan(score[0]) && output[0] == output[2]);
    ck_assert_float_eq_tol(output[1], 1 / 3.0f, 1e-7f);
    mmli_task_free(t);
    mmli_task_free(many);
}
END_TEST

START_TEST(hazards_multiply_to_survival)
{
    mmli_task *t = make_task(MML_SURVIVAL);
    const float logits[] = {0, (float)log(1 / 3.0), -100, 100, 0, 40};
    const float hazards[] = {0.5f, 0.25f, 0, 1, 0.5f, 1}, survivals[] = {0.5f, 0.375f, 0.375f, 0, 0, 0};
    float output[6], survival[6], only[6];
    double score[2];

    mmli_task_outputs(output, survival, score, t, logits, 2);
    mmlt_assert_close(output, hazards, 6, MMLT_TOL_ROUND);
    mmlt_assert_close(survival, survivals, 6, MMLT_TOL_ROUND);
    ck_assert_double_eq_tol(score[0], -1.25, 1e-7);
    ck_assert(score[1] < 0 && score[1] > -1e-40); /* 1 - h is not 0 where h is 1 in float32: risks stay in order */
    mmli_task_outputs(NULL, only, NULL, t, logits, 2);
    mmlt_assert_same_bits(only, survival, sizeof only);
    mmli_task_free(t);
}
END_TEST

START_TEST(cox_logit_is_the_log_of_the_risk)
{
    mmli_task *t = make_task(COX);
    const float logits[] = {0, 1, -200, 500};
    float output[4], survival[4];
    double score[4];

    mmli_task_outputs(output, survival, score, t, logits, 4);
    ck_assert_float_eq(output[0], 1);
    ck_assert_float_eq(output[1], (float)exp(1));
    ck_assert_float_eq(output[2], 0);
    ck_assert(isfinite(output[3]) && output[3] > 1e38f);
    for (size_t i = 0; i < 4; i++)
        ck_assert(score[i] == (double)logits[i] && isnan(survival[i]));
    mmli_task_free(t);
}
END_TEST

START_TEST(regression_is_in_the_unit_of_the_labels)
{
    mmli_task *t = make_task(MML_REGRESSION);
    float output[2];
    double score[2];

    t->mean = 50;
    t->sd = 4;
    mmli_task_outputs(output, NULL, score, t, (const float[]){0, -1.5f}, 2);
    ck_assert(output[0] == 50 && output[1] == 44 && score[0] == 50 && score[1] == 44);
    mmli_task_free(t);
}
END_TEST

START_TEST(prior_logits_mean_the_prior)
{
    const double code[] = {0, 1, 1, 1, 2, 2, 0, 0, 1, 1}, time[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 9};
    const uint8_t event[] = {1, 1, 0, 1, 1, 1, 0, 1, 1, 0};
    const size_t train[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const char *const names[] = {"grade", "os", "los"};
    mmlt_cohort made;
    mml_cohort *cohort;

    mmlt_cohort_begin(&made, 10, NULL);
    mmlt_cohort_classes(&made, names[0], "multiclass", grades, 3, code);
    mmlt_cohort_survival(&made, names[1], "", time, event);
    mmlt_cohort_values(&made, names[2], time);
    cohort = mmlt_cohort_open(&made);
    for (size_t i = 0; i < 3; i++) {
        mmli_task *t = NULL;
        float output[4];

        mmlt_assert_ok(mmli_task_fit(&t, cohort, names[i], train, 10, NULL));
        mmli_task_outputs(output, NULL, NULL, t, t->prior_logits, 1);
        mmlt_assert_close(output, t->prior_output, t->outputs, MMLT_TOL_ROUND);
        mmli_task_free(t);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/labels_file");
    TCase *files = tcase_create("files"), *agree = tcase_create("agree"), *outputs = tcase_create("outputs");

    tcase_add_loop_test(files, task_comes_back_from_a_file_to_the_bit, 0, 5);
    tcase_add_loop_test(files, damaged_group_is_refused, 0, DAMAGES);
    tcase_add_loop_test(files, every_failed_allocation_is_reported, 0, 5);
    tcase_add_loop_test(files, inspect_sees_every_output, 0, 5);
    tcase_add_test(agree, tasks_agree_with_themselves_only);
    tcase_add_test(agree, tasks_that_mean_something_else_do_not_agree);
    tcase_add_test(agree, small_differences_are_noted);
    tcase_add_test(outputs, class_logits_become_probabilities);
    tcase_add_test(outputs, hazards_multiply_to_survival);
    tcase_add_test(outputs, cox_logit_is_the_log_of_the_risk);
    tcase_add_test(outputs, regression_is_in_the_unit_of_the_labels);
    tcase_add_test(outputs, prior_logits_mean_the_prior);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, agree);
    suite_add_tcase(suite, outputs);
    return mmlt_main(suite);
}
