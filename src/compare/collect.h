/* collect.h - records brought together. */
#ifndef MMLI_COMPARE_COLLECT_H
#define MMLI_COMPARE_COLLECT_H

#include <jansson.h>

#include "mmlego/base.h"
#include "mmlego/metrics.h"

/* difference.c: score of system a minus that of b, mean over the folds in which both have one, with a percentile interval.
 * a, b (folds): records, or NULL. MML_E_DATA: no such fold, or predictions for different samples. */
mml_status mmli_difference(mml_interval *out, mml_metric metric, const json_t *const *a, const json_t *const *b, size_t folds);

/* table.c: the systems of a comparison, one a line, as TSV. New text. */
mml_status mmli_compare_table(char **out, const json_t *comparison);

#endif
