/* test_labels_survival.c - bins and prior of survival tasks; what no kind of task may learn from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/labels_help.h"
#include "util/alloc.h"
#include "util/rng.h"

static const char *const four[] = {"akiec", "bcc", "mel", "nv"};

/* ---- survival -------------------------------------------------------------------------------------------------------- */

enum { PATIENTS = 120 };

/* Random times, some equal, some censored, some unknown. */
static void random_survival(double *time, uint8_t *event, uint64_t seed)
{
    const uint64_t key = mmli_rng_key(seed, "survival", 0);

    for (size_t i = 0; i < PATIENTS; i++) {
        time[i] = floor(500 * (double)mmli_rng_uniform(key, 3 * i)) / (i % 5 == 0 ? 1 : 7);
        event[i] = mmli_rng_uniform(key, 3 * i + 1) < 0.6f;
        if (mmli_rng_uniform(key, 3 * i + 2) < 0.05f)
            time[i] = (double)NAN;
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* formats.md 2.6, steps 2 to 5, on the patients of the list. */
static void plain_edges(double *q, size_t k, const double *time, const uint8_t *event, const size_t *list, size_t n)
{
    double u[PATIENTS], least = HUGE_VAL, most = 0;
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        const double t = time[list[i]];

        if (isnan(t))
            continue;
        if (event[list[i]])
            u[m++] = t;
        least = t < least ? t : least;
        most = t > most ? t : most;
    }
    qsort(u, m, sizeof *u, by_value);
    for (size_t e = 0; e <= k; e++) {
        const double h = (double)((m - 1) * e) / (double)k;
        const size_t i = (size_t)floor(h), j = i + 1 < m ? i + 1 : m - 1;

        q[e] = u[i] + (h - (double)i) * (u[j] - u[i]);
    }
    q[0] = least - 1e-6;
    q[k] = most + 1e-6;
}

/* Kaplan-Meier estimate just before `t`, counted patient by patient. */
static double plain_survival(double t, const double *time, const uint8_t *event, const size_t *list, size_t n)
{
    double s = 1;

    for (size_t i = 0; i < n; i++) {
        const double at = time[list[i]];
        size_t died = 0, at_risk = 0, before = 0;

        if (isnan(at) || at >= t)
            continue;
        for (size_t j = 0; j < n; j++) {
            at_risk += time[list[j]] >= at;
            died += time[list[j]] == at && event[list[j]];
            before += j < i && time[list[j]] == at;
        }
        if (before == 0) /* every time once */
            s *= 1 - (double)died / (double)at_risk;
    }
    return s;
}

START_TEST(edges_labels_and_prior_are_those_of_the_algorithm)
{
    const size_t k = 2 + (size_t)_i % 5;
    double time[PATIENTS], edges[8], logit;
    uint8_t event[PATIENTS];
    size_t train[PATIENTS * 2 / 3];
    const size_t n = sizeof train / sizeof *train;
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_task *t = NULL;
    mmli_labels *l = NULL;
    double s = 1;

    random_survival(time, event, (uint64_t)_i);
    for (size_t i = 0; i < n; i++)
        train[i] = PATIENTS - 1 - i;
    cohort = mmlt_open_survival(&made, time, event, PATIENTS);
    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, n, k));
    mmlt_assert_ok(mmli_task_map(&l, t, cohort, MML_CLASS_BALANCED));
    plain_edges(edges, k, time, event, train, n);
    mmlt_assert_close_d(t->edges, edges, k + 1, MMLT_TOL_EXACT);
    ck_assert_str_eq(t->unit, "months");

    for (size_t i = 0; i < PATIENTS; i++) {
        int32_t bin = -1;

        for (size_t e = 0; e <= k; e++)
            bin += edges[e] <= time[i];
        bin = bin < 0 ? 0 : bin >= (int32_t)k ? (int32_t)k - 1 : bin; /* outside of training's range */
        ck_assert_int_eq(l->index[i], isnan(time[i]) ? MMLI_LABEL_MISSING : bin);
        ck_assert_float_eq(l->event[i], isnan(time[i]) ? 0.0f : (float)event[i]);
        ck_assert_float_eq(l->weight[i], isnan(time[i]) ? 0.0f : 1.0f);
        ck_assert(isnan(time[i]) ? isnan(l->value[i]) : l->value[i] == time[i]);
    }
    for (size_t j = 0; j < k; j++) {
        const double before = s;
        size_t events = 0;

        s = plain_survival(edges[j + 1], time, event, train, n);
        ck_assert_double_eq_tol((double)t->prior_output[j], fmin(fmax(1 - s / before, 1e-6), 1 - 1e-6), 1e-7);
        logit = log((double)t->prior_output[j] / (1 - (double)t->prior_output[j]));
        ck_assert_double_eq_tol((double)t->prior_logits[j], logit, 1e-2 * fabs(logit)); /* float near 1 */
        for (size_t i = 0; i < n; i++)
            events += !isnan(time[train[i]]) && event[train[i]] && l->index[train[i]] == (int32_t)j;
        ck_assert_uint_eq(t->counts[j], events);
    }
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(labels_outside_the_training_part_change_nothing)
{
    double time[PATIENTS], value[PATIENTS], code[PATIENTS];
    uint8_t event[PATIENTS];
    size_t train[PATIENTS / 2];
    static const char *const tasks[] = {"surv", "reg", "class"};
    mmlt_cohort made[2];
    mml_cohort *cohort[2];

    for (size_t i = 0; i < PATIENTS / 2; i++)
        train[i] = 2 * i + 1;
    random_survival(time, event, 77);
    for (size_t i = 0; i < PATIENTS; i++) {
        value[i] = time[i] * 3 - 100;
        code[i] = (double)(i / 2 % 3);
    }
    for (int c = 0; c < 2; c++) {
        for (size_t i = 0; c == 1 && i < PATIENTS; i += 2) {
            time[i] = i % 4 ? 1e6 + (double)i : 0;
            event[i] = i % 3 != 0;
            value[i] = 1e9;
            code[i] = i % 4 ? 3 : -1;
        }
        mmlt_cohort_begin(&made[c], PATIENTS, NULL);
        mmlt_cohort_survival(&made[c], tasks[0], "", time, event);
        mmlt_cohort_values(&made[c], tasks[1], value);
        mmlt_cohort_classes(&made[c], tasks[2], "multiclass", four, 4, code);
        cohort[c] = mmlt_cohort_open(&made[c]);
    }
    for (size_t i = 0; i < 3; i++) {
        mmli_task *a = NULL, *b = NULL;

        mmlt_assert_ok(mmli_task_fit(&a, cohort[0], tasks[i], train, PATIENTS / 2, NULL));
        mmlt_assert_ok(mmli_task_fit(&b, cohort[1], tasks[i], train, PATIENTS / 2, NULL));
        mmlt_assert_same_task(a, b);
        mmli_task_free(a);
        mmli_task_free(b);
    }
    mmlt_close_made(cohort[0], &made[0]);
    mmlt_close_made(cohort[1], &made[1]);
}
END_TEST

START_TEST(order_of_the_training_part_does_not_matter)
{
    double time[PATIENTS], value[PATIENTS];
    uint8_t event[PATIENTS];
    size_t up[PATIENTS], down[PATIENTS];
    static const char *const tasks[] = {"surv", "reg"};
    mmlt_cohort made;
    mml_cohort *cohort;

    random_survival(time, event, 5);
    for (size_t i = 0; i < PATIENTS; i++) {
        value[i] = time[i] / 3;
        up[i] = down[PATIENTS - 1 - i] = i;
    }
    mmlt_cohort_begin(&made, PATIENTS, NULL);
    mmlt_cohort_survival(&made, tasks[0], "", time, event);
    mmlt_cohort_values(&made, tasks[1], value);
    cohort = mmlt_cohort_open(&made);
    for (size_t i = 0; i < 2; i++) {
        mmli_task *a = NULL, *b = NULL;

        mmlt_assert_ok(mmli_task_fit(&a, cohort, tasks[i], up, PATIENTS, NULL));
        mmlt_assert_ok(mmli_task_fit(&b, cohort, tasks[i], down, PATIENTS, NULL));
        mmlt_assert_same_task(a, b);
        mmli_task_free(a);
        mmli_task_free(b);
    }
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(prior_is_finite_when_everybody_dies)
{
    const double time[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint8_t event[] = {1, 1, 1, 1, 1, 1, 1, 1};
    const size_t train[] = {0, 1, 2, 3, 4, 5, 6, 7};
    mmlt_cohort made;
    mml_cohort *cohort = mmlt_open_survival(&made, time, event, 8);
    mmli_task *t = NULL;

    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 8, 4));
    for (size_t j = 0; j < 4; j++)
        ck_assert(isfinite(t->prior_logits[j]) && t->prior_output[j] > 0 && t->prior_output[j] < 1);
    ck_assert_float_eq_tol(t->prior_output[0], 0.25f, 1e-6f);
    ck_assert_float_eq_tol(t->prior_output[3], 1.0f, 2e-6f); /* S = 0 after the last event */
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(too_many_bins_are_refused_with_a_number_that_works)
{
    const double time[] = {1, 5, 5, 5, 5, 5, 9, 12}, equal[] = {3, 3, 3, 3, 3, 3, 3, 3};
    const uint8_t event[] = {1, 1, 1, 1, 1, 1, 1, 0}, censored[] = {0, 0, 1, 0, 0, 0, 0, 0};
    const size_t train[] = {0, 1, 2, 3, 4, 5, 6, 7};
    mmlt_cohort made;
    mml_cohort *cohort = mmlt_open_survival(&made, time, event, 8);
    mmli_task *t = NULL;

    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, train, 8, 4), MML_E_DATA, "(2 would do)");
    ck_assert_ptr_null(t);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "task t"));
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "fewer bins"));
    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 8, 2));
    mmli_task_free(t);
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, train, 8, 513), MML_E_ARG, "bins: 513 is not between 2 and 512");
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, train, 8, 1), MML_E_ARG, "bins: 1 is not");
    mmlt_close_made(cohort, &made);

    cohort = mmlt_open_survival(&made, equal, event, 8);
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, train, 8, 4), MML_E_DATA, "equal");
    ck_assert_ptr_null(strstr(mml_last_error(), "would do"));
    mmlt_close_made(cohort, &made);

    cohort = mmlt_open_survival(&made, time, censored, 8);
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, train, 8, 4), MML_E_DATA, "1 of 8 samples have an event");
    ck_assert_ptr_null(strstr(mml_last_error(), "would do"));
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(cox_task_has_one_output_and_no_bins)
{
    const double time[] = {3, 0, 3, 3, 3, (double)NAN, 40, 3};
    const uint8_t event[] = {1, 0, 1, 1, 1, 1, 0, 0};
    const size_t train[] = {4, 3, 2, 1, 5}, censored[] = {0, 1, 6, 7}; /* all events at one time: bins would fail */
    const mmli_task_options o = {.bins = 4, .cox = true};
    mmlt_cohort made;
    mml_cohort *cohort = mmlt_open_survival(&made, time, event, 8);
    mmli_task *t = NULL;
    mmli_labels *l = NULL;

    mmlt_assert_ok(mmli_task_fit(&t, cohort, "t", train, 5, &o));
    ck_assert(mmli_task_is_cox(t));
    ck_assert_uint_eq(t->outputs, 1);
    ck_assert_uint_eq(t->n_train, 4);
    ck_assert(t->n_events == 3 && t->counts[0] == 3);
    ck_assert(t->prior_logits[0] == 0 && t->prior_output[0] == 1);
    ck_assert(t->edges[0] < 0 && t->edges[1] > 3 && t->edges[1] < 3.0001);
    mmlt_assert_ok(mmli_task_map(&l, t, cohort, MML_CLASS_EQUAL));
    for (size_t i = 0; i < 8; i++) {
        ck_assert_int_eq(l->index[i], i == 5 ? MMLI_LABEL_MISSING : 0);
        ck_assert_float_eq(l->event[i], i == 5 ? 0.0f : (float)event[i]);
        ck_assert(i == 5 || l->value[i] == time[i]);
    }
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_assert_fails(mmli_task_fit(&t, cohort, "t", censored, 4, &o), MML_E_DATA, "1 of 4 training samples have an event");
    ck_assert_ptr_null(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    static const char *const tasks[] = {"surv", "reg", "class"};
    double time[PATIENTS], code[PATIENTS];
    uint8_t event[PATIENTS];
    size_t train[PATIENTS];
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_status st = MML_E_NOMEM;

    random_survival(time, event, 9);
    for (size_t i = 0; i < PATIENTS; i++) {
        code[i] = (double)(i % 4);
        train[i] = i;
    }
    mmlt_cohort_begin(&made, PATIENTS, NULL);
    mmlt_cohort_survival(&made, tasks[0], "days", time, event);
    mmlt_cohort_values(&made, tasks[1], time);
    mmlt_cohort_classes(&made, tasks[2], "multiclass", four, 4, code);
    cohort = mmlt_cohort_open(&made);
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_task *t = NULL;
        mmli_labels *l = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_task_fit(&t, cohort, tasks[_i], train, _i == 2 ? PATIENTS / 2 : PATIENTS, NULL);
        if (st == MML_OK)
            st = mmli_task_map(&l, t, cohort, MML_CLASS_BALANCED);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_int_eq(st == MML_OK, l != NULL);
        ck_assert_uint_lt(k, 500);
        mmli_labels_free(l);
        mmli_task_free(t);
    }
    mmlt_close_made(cohort, &made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/labels_survival");
    TCase *survival = tcase_create("survival"), *part = tcase_create("training part");

    tcase_add_loop_test(survival, edges_labels_and_prior_are_those_of_the_algorithm, 0, 20);
    tcase_add_test(survival, prior_is_finite_when_everybody_dies);
    tcase_add_test(survival, too_many_bins_are_refused_with_a_number_that_works);
    tcase_add_test(survival, cox_task_has_one_output_and_no_bins);
    tcase_add_test(part, labels_outside_the_training_part_change_nothing);
    tcase_add_test(part, order_of_the_training_part_does_not_matter);
    tcase_add_loop_test(part, every_failed_allocation_is_reported, 0, 3);
    suite_add_tcase(suite, survival);
    suite_add_tcase(suite, part);
    return mmlt_main(suite);
}
