/* collect.h - records brought together. */
#ifndef MMLI_COMPARE_COLLECT_H
#define MMLI_COMPARE_COLLECT_H

#include <jansson.h>
#include <stdbool.h>

#include "mmlego/base.h"
#include "mmlego/metrics.h"

/* A record and the file it is from. */
typedef struct mmli_found {
    json_t *record;
    char *path;
    const char *system; /* lent from the record */
    const json_t *study; /* NULL: of the plain comparison */
    json_int_t order;
    size_t fold;
} mmli_found;

typedef struct mmli_collection {
    json_t *plan; /* of the first folder that has one */
    mmli_found *list;
    size_t n, cap, folds, plain; /* plain: those before the records of studies */
    mml_metric metric;
} mmli_collection;

/* collect_read.c: all records of n folders, into a zeroed collection, sorted. Clear it whatever the status. */
mml_status mmli_collection_read(mmli_collection *c, const char *const *directories, size_t n);
void mmli_collection_clear(mmli_collection *c);
/* Did the job end well? */
bool mmli_record_is_ok(const json_t *record);

/* collect_rows.c: new list of the systems, in their order. */
mml_status mmli_systems_json(json_t **out, const mmli_collection *c);

/* difference.c: score of system a minus that of b, mean over the folds in which both have one, with a percentile interval.
 * a, b (folds): records, or NULL. MML_E_DATA: no such fold, or predictions for different samples. */
mml_status mmli_difference(mml_interval *out, mml_metric metric, const json_t *const *a, const json_t *const *b, size_t folds);

/* table.c: the systems of a comparison, one a line, as TSV. New text. */
mml_status mmli_compare_table(char **out, const json_t *comparison);

#endif
