/* study.h - comparisons under changed conditions: what may be asked, and what is changed for a job. */
#ifndef MMLI_COMPARE_STUDY_H
#define MMLI_COMPARE_STUDY_H

#include "compare/job.h"

/* Name of a study; NULL for none. */
const char *mmli_study_name(mmli_study study);
mml_status mmli_study_from_name(mmli_study *out, const char *name);

/* Points of the plan's study: plan->points[0] is the plain comparison, and is not run where the study has no use for it
 * (plan->plain). */
mml_status mmli_study_points(mml_compare *plan);
/* Has the study a job for this system at this point? */
bool mmli_study_wants(const mml_compare *plan, const mmli_system *system, const mmli_point *point);
/* The point at which the blocks are that a system is joined from, for a block of this modality. */
size_t mmli_study_block_point(const mml_compare *plan, size_t point, size_t modality);

/* Hides modalities of patients in the open cohort, as the point of the job asks. */
mml_status mmli_study_hide(const mmli_running *run);

/* {"study": "missing", "x": 0.3, "series": "rnaseq missing in test", ...} of a point. New reference. */
mml_status mmli_study_json(json_t **out, const mml_compare *plan, size_t point);

/* study_collect.c: the studies among records (contract: a record with "study"), with those of the plain comparison where a
 * curve begins or ends with them. New reference to an array. */
mml_status mmli_studies_collect(json_t **out, const json_t *const *records, size_t n);
/* All rows of one entry of it as TSV. */
mml_status mmli_study_table(char **out, const json_t *study);

#endif
