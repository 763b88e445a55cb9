/* labels_inside.h - what the files labels*.c share; others use data/labels.h. */
#ifndef MMLI_DATA_LABELS_INSIDE_H
#define MMLI_DATA_LABELS_INSIDE_H

#include "data/labels.h"

/* Survival bins at most: more than any cohort can tell apart. */
enum { MMLI_TASK_MAX_BINS = 512 };

/* A task with room for k outputs, nothing learnt yet. classes may be NULL (survival, regression). */
mml_status mmli_task_new(mmli_task **out, mml_task_kind kind, const char *name, const char *unit, size_t outputs,
                         const char *const *classes);
bool mmli_task_has_classes(mml_task_kind kind);

/* false: both say a unit, and not the same one (letter case apart). */
bool mmli_task_same_unit(const char *a, const char *b);

/* Checks the label of a sample as the cohort has it; *missing = there is none. MML_E_DATA names the sample. */
mml_status mmli_label_check(bool *missing, const mml_task_info *info, const mml_cohort *cohort, size_t sample);

#endif
