/* labels_help.h - cohorts with one task, "t", and what is learnt of it. */
#ifndef MMLT_LABELS_HELP_H
#define MMLT_LABELS_HELP_H

#include "data/labels.h"
#include "tests/unit/make_cohort.h"

/* Learns the task "t". */
mml_status mmlt_labels_fit(mmli_task **out, mml_cohort *cohort, const size_t *train, size_t n, size_t bins);
mml_cohort *mmlt_open_survival(mmlt_cohort *made, const double *time, const uint8_t *event, size_t n);
void mmlt_close_made(mml_cohort *cohort, mmlt_cohort *made);
/* To the bit. */
void mmlt_assert_same_task(const mmli_task *a, const mmli_task *b);

#endif
