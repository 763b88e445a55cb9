/* record.h - a comparison as it is read from JSON: what the plots ask for, with everything that may be missing made NaN or NULL.
 *
 * Nothing in the JSON is trusted: a value of another type is as good as none. Texts and values are lent from it. The format is that of
 * the file compare.json (doc/report.md).
 */
#ifndef MMLI_REPORT_RECORD_H
#define MMLI_REPORT_RECORD_H

#include <jansson.h>

#include "mmlego/base.h"
#include <stdbool.h>

typedef enum mmli_outcome {
    MMLI_OUTCOME_OTHER = 0,
    MMLI_OUTCOME_SURVIVAL,
    MMLI_OUTCOME_BINARY,
    MMLI_OUTCOME_MULTICLASS,
    MMLI_OUTCOME_REGRESSION
} mmli_outcome;

/* In the order of the table. */
typedef enum mmli_group { MMLI_GROUP_UNIMODAL = 0, MMLI_GROUP_MULTIMODAL, MMLI_GROUP_LEGO, MMLI_GROUP_REFERENCE, MMLI_GROUP_OTHER } mmli_group;
enum { MMLI_GROUPS = 5 };

typedef struct mmli_entry { /* a system */
    const char *name, *title;
    mmli_group group;
    const json_t *json;
    const json_t **job; /* (folds) its runs that went well; NULL = none */
    double *score;      /* (folds) on the test part */
    double mean, sd;
    const char *to; /* difference to this system; NULL = not given */
    double difference, low, high;
    double parameters, train_seconds, peak_bytes;
} mmli_entry;

typedef struct mmli_comparison {
    const json_t *json;
    const char *title;
    mmli_outcome outcome;
    const char *metric_title;
    bool higher; /* is better */
    size_t folds, n;
    mmli_entry *entry;              /* (n) groups together, inside them in the order of the file */
    size_t best, second;            /* by mean; n = none */
    size_t baseline, block;         /* the best one, and the best single block; n = none */
} mmli_comparison;

/* MML_E_FORMAT: not a comparison, or of a newer version. */
mml_status mmli_comparison_read(mmli_comparison *c, const json_t *json);
void mmli_comparison_free(mmli_comparison *c);
/* By name; n where there is none. */
size_t mmli_entry_find(const mmli_comparison *c, const char *name);
/* Is a mean better than another? A NaN is no better than anything. */
bool mmli_is_better(const mmli_comparison *c, double a, double b);

/* Those that plots of curves show first: fuses, merge, ensemble, best baseline, best block, the linear reference; with a mean, each once.
 * Gives their number. */
enum { MMLI_MOST_CHOSEN = 7 };
size_t mmli_choose(size_t chosen[MMLI_MOST_CHOSEN], const mmli_comparison *c);

/* ---- predictions of a run on its test part -------------------------------------------------------------------------------- */
typedef struct mmli_test {
    size_t n;
    const json_t *id;  /* array of n, or NULL */
    double *score;     /* (n) */
    double *label;     /* (n) or NULL, as the next */
    double *time, *event, *truth;
    double *probability; /* (n, k) of several classes */
    size_t k;
} mmli_test;
/* n = 0 where the run has no predictions, or arrays of different lengths. */
mml_status mmli_test_read(mmli_test *t, const json_t *job);
void mmli_test_free(mmli_test *t);

/* ---- values ------------------------------------------------------------------------------------------------------------------ */
const char *mmli_json_text(const json_t *object, const char *key);  /* NULL = none */
double mmli_json_number(const json_t *value);                       /* true = 1, false = 0; NaN = none, or beyond 1e100 */
double mmli_json_number_at(const json_t *object, const char *key);
/* *out (n) new, NULL where it is no array. */
mml_status mmli_json_numbers(double **out, size_t *n, const json_t *array);

#endif
