/* condition.h - "column=value[,value...]" against a cohort. */
#ifndef MMLI_IO_CONDITION_H
#define MMLI_IO_CONDITION_H

#include "io/cohort.h"

/* chosen (N): 1 where the column has one of the values, else 0. The column is a text column of the cohort, or
 * `group`. MML_E_ARG: not a condition; MML_E_NOT_FOUND: no such column, or a value that no sample has (lists
 * those there are). */
mml_status mmli_condition(uint8_t *chosen, const mml_cohort *cohort, const char *condition);

/* Distinct texts of (n), sorted by byte; the array is yours (mmli_free), its texts are lent. */
mml_status mmli_distinct(const char ***out, size_t *n_out, char *const *texts, size_t n);

#endif
