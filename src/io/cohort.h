/* cohort.h - the inside of an open cohort file. The format is in doc/cohort.md. */
#ifndef MMLI_IO_COHORT_H
#define MMLI_IO_COHORT_H

#include <pthread.h>

#include "io/own_file.h"
#include "io/rows.h"
#include "mmlego/data.h"

enum { MMLI_COHORT_VERSION = 1 };

typedef struct mmli_cohort_modality {
    char *name;
    mml_modality_kind kind;
    size_t width, n_axes, n_tokens, n_present;
    char **features;      /* (width) */
    char **category_of;   /* (width) column that a feature is a category of, "" = a number; NULL: all are */
    int64_t *offsets;     /* (N + 1) */
    int64_t *first;       /* (N) row of a sample's first token, where some samples are hidden; NULL = offsets */
    hid_t values_set, axes_set; /* data sets (T, width) and (T, n_axes); axes -1 when n_axes = 0 */
    mmli_rows *values, *axes;   /* their rows; axes NULL when n_axes = 0 */
    float *values_kept, *axes_kept; /* all of them in memory, or NULL */
    size_t bytes;         /* of both */
} mmli_cohort_modality;

typedef struct mmli_cohort_task {
    char *name, *unit;
    mml_task_kind kind;
    char **classes;
    size_t n_classes;
    double *value;
    uint8_t *event;
} mmli_cohort_task;

typedef struct mmli_cohort_column {
    char *name;
    char **text; /* (N) */
} mmli_cohort_column;

struct mml_cohort {
    pthread_mutex_t mutex; /* of what reading changes: a thread may read ahead (io/ahead.h) between calls of the owner */
    char *path;
    hid_t file;
    size_t n;
    char **ids, **groups; /* (N); groups may be NULL */
    mmli_cohort_modality *modalities;
    mmli_cohort_task *tasks;
    mmli_cohort_column *columns;
    size_t n_modalities, n_tasks, n_columns;
    size_t memory, memory_used; /* bytes of tokens that may be, and are, kept */
    mmli_span *spans;
    size_t cap_spans;
    bool has_hash;
    uint64_t hash; /* as import stored it */
};

/* Tokens first .. first+count-1 of a sample and modality, as a batch of one sample. MML_E_ARG: it has fewer. */
mml_status mmli_cohort_read_part(mml_cohort *cohort, mml_batch *batch, size_t sample, const char *name, size_t first,
                                 size_t count);
/* From here on samples with hide[i] (N) lack the modality, as if the file had no tokens of them; those hidden before stay so.
 * For what is to be learnt or predicted without them. The file is left alone, and its stored hash. */
mml_status mmli_cohort_hide(mml_cohort *cohort, const char *modality, const uint8_t *hide);
/* Are these modalities too large for the memory of the cohort, so that readings go to the file? */
mml_status mmli_cohort_is_on_disk(bool *out, mml_cohort *cohort, const char *const *names, size_t n);

/* For provenance: the hash of all content that import stored or, in a file without one, of ids, labels and
 * offsets. */
mml_status mmli_cohort_hash(uint64_t *out, mml_cohort *cohort);

/* The place of a modality, task or column; MML_E_NOT_FOUND lists the names there are and the nearest. */
/* Cross-validation inside a training: of the training and validation samples of `part` (N), fold `fold` of `folds` becomes test, a
 * share `valid` of the others validation, the rest training, by group and stratified like mml_split(); all other samples are in
 * no part. */
mml_status mmli_split_again(mml_part *part, const mml_cohort *cohort, const char *task, size_t fold, size_t folds, double valid,
                            uint64_t seed);
mml_status mmli_cohort_find_modality(size_t *out, const mml_cohort *cohort, const char *name);
mml_status mmli_cohort_find_task(size_t *out, const mml_cohort *cohort, const char *name);
mml_status mmli_cohort_find_column(size_t *out, const mml_cohort *cohort, const char *name);

/* Words of the format for kinds; NULL for another number. mmli_*_kind: false for another word. */
const char *mmli_modality_kind_name(mml_modality_kind kind);
const char *mmli_task_kind_name(mml_task_kind kind);
bool mmli_modality_kind_of(mml_modality_kind *out, const char *word);
bool mmli_task_kind_of(mml_task_kind *out, const char *word);

/* Is this text fit to be a name or an id: UTF-8, not empty, no control characters, at most 4096 bytes? Else a
 * static text that says why not. */
const char *mmli_bad_id(const char *text);
/* As above, and no '/' and not "." (a name is a link in the file). */
const char *mmli_bad_name(const char *text);

/* Is the feature `COLUMN=CATEGORY` of this column? CATEGORY may be empty: a column of which no category is known. */
bool mmli_is_category_of(const char *feature, const char *column);

/* "a has no task x; did you mean y? It has: ..." */
mml_status mmli_not_found(const char *path, const char *what, const char *name, const char *const *names, size_t n);

/* Calls made by mml_cohort_open; each reads and checks one part of the file (cohort_load.c). */
mml_status mmli_cohort_load(mml_cohort *cohort);

#endif
