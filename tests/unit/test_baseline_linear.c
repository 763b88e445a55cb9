/* test_baseline_linear.c - the linear reference: how its penalty is chosen, what it reads of a series, and that it stops when asked to. */
#include <math.h>

#include "baselines/arrange.h"
#include "tests/unit/train_rig.h"

static const char *const both[] = {"labs", "vitals"};

static mml_baseline_options linear(void)
{
    mml_baseline_options b;

    mmlt_assert_ok(mml_baseline_options_init(&b, MML_BASELINE_LINEAR));
    return b;
}

START_TEST(the_penalty_of_the_best_validation_score_is_kept)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_baseline_options b = linear();
    mml_model *path = NULL, *given = NULL;
    const mmli_provenance *from;

    mmlt_assert_ok(mml_train_baseline(&path, cohort, both, 2, "outcome", &b, NULL, &o));
    from = &path->from;
    ck_assert_uint_eq(from->n_history, MMLI_LINEAR_PENALTIES);
    for (size_t i = 0; i < from->n_history; i++) {
        ck_assert_double_le(from->history[i].valid_score, from->valid_score);
        ck_assert(i == 0 || from->history[i].train_loss < from->history[i - 1].train_loss); /* a smaller penalty fits closer */
    }
    ck_assert(from->history[from->best_epoch - 1].valid_score == from->valid_score);
    b.penalty = from->history[from->best_epoch - 1].learning_rate;
    mmlt_assert_ok(mml_train_baseline(&given, cohort, both, 2, "outcome", &b, NULL, &o));
    ck_assert_uint_eq(given->from.n_history, 1);
    ck_assert_double_lt(fabs(given->from.history[0].train_loss - from->history[from->best_epoch - 1].train_loss), 1e-6);
    mml_model_free(path);
    mml_model_free(given);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Values with NaN of a series of one channel, then of two samples with a token each and none. */
START_TEST(a_series_is_summarised_by_what_was_measured)
{
    static const float values[] = {2, NAN, -1, NAN, NAN};
    static const int64_t offsets[] = {0, 4, 4, 5};
    static const float want[] = {0.5f, -1, 2, -1, 2, 0, 0, 0, 0, 0};
    const mmli_host_tokens x = {values, offsets, 1};
    mmli_device *dv = mmlt_device(0, 1);
    mmli_tape *tape = NULL;
    mmli_host_tokens got;

    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_summarise(&got, tape, MML_SERIES, &x, values, 1, 3));
    ck_assert_uint_eq(got.width, 5);
    ck_assert_int_eq(got.offsets[1], 1);
    ck_assert_int_eq(got.offsets[2], 1);
    ck_assert_int_eq(got.offsets[3], 2);
    mmlt_assert_close(got.values, want, 10, MMLT_TOL_EXACT);
    mmlt_assert_ok(mmli_summarise(&got, tape, MML_BAG, &x, values, 1, 3));
    ck_assert_uint_eq(got.width, 5);
    ck_assert(got.values[4] == 4.0f && got.values[9] == 1.0f); /* tokens */
    mmli_tape_free(tape);
    mmli_device_close(dv);
}
END_TEST

typedef struct stopping {
    int asked, least; /* stops once it has been asked so often */
    size_t rows;      /* of the history */
} stopping;

static int stop_at(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    stopping *s = user;

    (void)epoch_now;
    (void)step;
    (void)steps;
    s->rows += epoch != NULL;
    return ++s->asked >= s->least;
}

/* It is asked before each batch that is read, and at each step of the solver: long before a penalty is fitted. */
START_TEST(a_fit_stops_when_it_is_asked_to)
{
    static const struct {
        int least;
        size_t rows;
        const char *message;
    } cases[] = {{1, 0, "stopped after 0 of 12 penalties"}, {12, 0, "stopped after 0 of 12 penalties"}, {80, 11, "of 12 penalties"}};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_baseline_options b = linear();
    mml_train_options o = rig_options();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mml_model *model = NULL;
        stopping s = {.least = cases[i].least};

        o.watch = stop_at;
        o.watch_user = &s;
        mmlt_assert_fails(mml_train_baseline(&model, cohort, both, 2, "outcome", &b, NULL, &o), MML_E_STOPPED, cases[i].message);
        ck_assert_ptr_null(model);
        ck_assert_int_eq(s.asked, cases[i].least); /* and not once more */
        ck_assert_uint_le(s.rows, cases[i].rows);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/linear");
    TCase *tc = tcase_create("linear");

    tcase_add_test(tc, the_penalty_of_the_best_validation_score_is_kept);
    tcase_add_test(tc, a_series_is_summarised_by_what_was_measured);
    tcase_add_test(tc, a_fit_stops_when_it_is_asked_to);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
