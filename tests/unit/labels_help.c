/* labels_help.c - see labels_help.h. */
#include "tests/unit/labels_help.h"

mml_status mmlt_labels_fit(mmli_task **out, mml_cohort *cohort, const size_t *train, size_t n, size_t bins)
{
    const mmli_task_options o = {.bins = bins};

    return mmli_task_fit(out, cohort, "t", train, n, &o);
}

mml_cohort *mmlt_open_survival(mmlt_cohort *made, const double *time, const uint8_t *event, size_t n)
{
    mmlt_cohort_begin(made, n, NULL);
    mmlt_cohort_survival(made, "t", "months", time, event);
    return mmlt_cohort_open(made);
}

void mmlt_close_made(mml_cohort *cohort, mmlt_cohort *made)
{
    mml_cohort_close(cohort);
    mmlt_cohort_remove(made);
}

void mmlt_assert_same_task(const mmli_task *a, const mmli_task *b)
{
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->outputs, b->outputs);
    ck_assert_str_eq(a->name, b->name);
    ck_assert_str_eq(a->unit, b->unit);
    ck_assert_uint_eq(a->n_train, b->n_train);
    ck_assert_uint_eq(a->n_events, b->n_events);
    mmlt_assert_same_bits(&a->mean, &b->mean, sizeof a->mean);
    mmlt_assert_same_bits(&a->sd, &b->sd, sizeof a->sd);
    mmlt_assert_same_bits(a->counts, b->counts, a->outputs * sizeof *a->counts);
    mmlt_assert_same_bits(a->prior_logits, b->prior_logits, a->outputs * sizeof(float));
    mmlt_assert_same_bits(a->prior_output, b->prior_output, a->outputs * sizeof(float));
    if (a->kind == MML_SURVIVAL)
        mmlt_assert_same_bits(a->edges, b->edges, (a->outputs + 1) * sizeof(double));
    for (size_t c = 0; a->classes != NULL && c < a->outputs; c++)
        ck_assert_str_eq(a->classes[c], b->classes[c]);
}
