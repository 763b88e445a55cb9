/* import.h - what the files of the import share. Each is one stage:
 *
 *     import_config.c  cohort.ini -> what to do, checked before any data is read
 *     table.c          labels, groups, split columns: texts by sample
 *     import_tasks.c   texts -> classes, times, values
 *     source.c         a CSV or an array of HDF5 as rows of floats by sample id
 *     tokens.c         one row -> its tokens
 *     cohort_write.c   tokens -> file
 *     import.c         the order of it all, and the report
 */
#ifndef MMLI_IO_IMPORT_H
#define MMLI_IO_IMPORT_H

#include "io/cohort.h"
#include "io/ini.h"

typedef struct mmli_import_task {
    const char *name; /* lent by the ini, as all texts here unless said otherwise */
    size_t line;
    mml_task_kind kind;
    const char *label;             /* binary, multiclass, regression */
    const char *time, *event;      /* survival; exactly one of event and censorship */
    const char *censorship, *unit; /* unit may be NULL */
} mmli_import_task;

typedef struct mmli_import_modality {
    const char *name;
    size_t line;
    mml_modality_kind kind;
    char *file;           /* resolved; own */
    const char *id;       /* column or data set */
    char **columns;       /* own; "all" is one of the patterns */
    size_t n_columns;     /* 0 = all */
    const char *dataset;  /* NULL = a CSV */
    const char *channels; /* data set with feature names, or NULL */
    bool summary;         /* a series as one token */
    size_t patch;         /* side of an image patch */
    bool log1p;
    size_t from, to;      /* steps of a series; to = SIZE_MAX: to its end */
    bool drop_empty;      /* a row with nothing measured is a missing modality */
    const char *const *reserved; /* columns that `all` and patterns leave out: labels, groups, splits; lent */
    size_t n_reserved;
} mmli_import_modality;

typedef struct mmli_import_config {
    mmli_ini ini;
    char *folder;         /* of relative file names; own */
    char *labels, *splits; /* resolved; own; splits may be NULL */
    const char *id, *group; /* group may be NULL */
    char **columns;       /* split columns; own */
    size_t n_columns;
    unsigned compress;    /* gzip level, 0 = none */
    const char **reserved; /* own, its texts lent */
    size_t n_reserved;
    mmli_import_task *tasks;
    mmli_import_modality *modalities;
    size_t n_tasks, n_modalities;
} mmli_import_config;

mml_status mmli_import_config_read(mmli_import_config *out, const char *ini_path);
void mmli_import_config_free(mmli_import_config *config);

/* Chooses columns by a list of names, patterns with *, `all`, and exclusions -name (also patterns). chosen (n) 0/1,
 * left_out (n) 0/1: reserved ones that a pattern met. The column `skip` (the id) and unnamed ones are never met by
 * patterns. MML_E_NOT_FOUND: an item that meets nothing; MML_E_DATA: nothing is left. */
mml_status mmli_choose_columns(uint8_t *chosen, uint8_t *left_out, const mmli_import_modality *modality,
                               const char *const *names, size_t n, const char *skip);

/* ---- texts of a CSV by sample ------------------------------------------------------------------------------------- */

typedef struct mmli_table {
    size_t n, cap;
    char **ids;    /* (n) checked: usable, no two alike */
    size_t *rows;  /* (n) row of the file, for messages */
    size_t n_columns;
    char **names;  /* (n_columns) */
    char ***texts; /* (n_columns) of (n) */
    const char *path; /* lent */
} mmli_table;

/* The columns wanted (n_wanted), or with wanted = NULL all but the id column. */
mml_status mmli_table_read(mmli_table *out, const char *path, const char *id, const char *const *wanted, size_t n_wanted);
void mmli_table_free(mmli_table *table);
/* NULL when absent. */
char **mmli_table_column(const mmli_table *table, const char *name);

/* A column of a CSV by its name: MML_E_NOT_FOUND with the nearest; MML_E_DATA when two have that name. */
mml_status mmli_csv_column(size_t *out, const char *path, const char *const *names, size_t n, const char *name);

/* ---- tasks ---------------------------------------------------------------------------------------------------------- */

/* Fills a task (its name included) from the texts of the labels file. */
mml_status mmli_import_task_read(mmli_cohort_task *out, const mmli_import_task *task, const mmli_table *labels);

/* ---- rows of a modality --------------------------------------------------------------------------------------------- */

typedef struct mmli_source mmli_source;

/* Opens and checks; a CSV is read once, into an unnamed temporary file in the folder of `beside`. */
mml_status mmli_source_open(mmli_source **out, const mmli_import_modality *modality, const char *beside);
void mmli_source_close(mmli_source *source);
size_t mmli_source_n_rows(const mmli_source *source);
const char *const *mmli_source_ids(const mmli_source *source); /* (n_rows); two alike only for bags */
/* Shape of a row: rank 1 (F), 2 (T, C), 3 (H, W, C); the last is what names and picks are about. */
int mmli_source_shape(size_t dims[3], const mmli_source *source);
const char *const *mmli_source_names(const mmli_source *source); /* (last dimension) */
/* Columns chosen: indices into the last dimension, ascending. */
size_t mmli_source_picks(const size_t **picks, const mmli_source *source);
/* Of those that the choice would have had, the reserved ones left out. */
size_t mmli_source_left_out(const char *const **names, const mmli_source *source);
bool mmli_source_is_bytes(const mmli_source *source); /* uint8: to be scaled by 1/255 in an image */
/* Rows by list into out, as mmli_h5_gather. */
mml_status mmli_source_rows(float *out, mmli_span *spans, size_t n, mmli_source *source);

/* ---- tokens ----------------------------------------------------------------------------------------------------------- */

typedef struct mmli_tokenizer {
    const mmli_import_modality *m;
    int rank;
    size_t dims[3];
    const char *const *names; /* of the last dimension; lent by the source, as picks */
    const size_t *picks;
    size_t n_picks;
    float scale;         /* applied first */
    size_t width, n_axes;
    size_t most;         /* tokens of one row at most */
    char **features;     /* (width) */
} mmli_tokenizer;

mml_status mmli_tokenizer_make(mmli_tokenizer *out, const mmli_import_modality *modality, const mmli_source *source);
void mmli_tokenizer_free(mmli_tokenizer *t);
/* values (most, width), positions (most, n_axes). *n tokens come out. MML_E_DATA: infinite, or negative under log1p
 * (names sample and feature). */
mml_status mmli_tokenize(float *values, float *positions, size_t *n, const mmli_tokenizer *t, const float *row,
                         const char *sample);

/* ---- the file --------------------------------------------------------------------------------------------------------- */

/* Everything written goes into the hash, in order. */
typedef struct mmli_cohort_writer {
    hid_t file, columns, tasks, modalities;
    const char *path; /* lent */
    size_t n;
    unsigned compress;
    uint64_t hash;
} mmli_cohort_writer;

mml_status mmli_cohort_write_begin(mmli_cohort_writer *w, const char *real, const char *path, char *const *ids,
                                   char *const *groups, size_t n, unsigned compress);
mml_status mmli_cohort_write_column(mmli_cohort_writer *w, const char *name, char *const *texts);
mml_status mmli_cohort_write_task(mmli_cohort_writer *w, const mmli_cohort_task *task);
/* Writes the hash and closes. */
mml_status mmli_cohort_write_end(mmli_cohort_writer *w);
/* After a failure; {0} is not fine, one begun is. */
void mmli_cohort_write_drop(mmli_cohort_writer *w);

typedef struct mmli_token_writer {
    mmli_cohort_writer *w;
    const char *name;    /* lent */
    hid_t group, values, axes;
    size_t width, n_axes;
    float *buffer, *axes_buffer; /* `room` tokens */
    size_t room, held, written;
    int64_t *offsets;    /* (N + 1) */
    size_t next;         /* samples before this have their end offset */
    uint64_t *measured;  /* (width) values that are not NaN */
    size_t n_present;
} mmli_token_writer;

mml_status mmli_token_write_begin(mmli_token_writer *t, mmli_cohort_writer *w, const char *name, mml_modality_kind kind,
                                  size_t width, size_t n_axes, char *const *features);
/* Tokens of a sample, after those of the samples before it; more of the same sample may follow. */
mml_status mmli_token_write(mmli_token_writer *t, size_t sample, const float *values, const float *positions, size_t n);
/* The rest. t keeps offsets, measured and n_present until mmli_token_write_free(). */
mml_status mmli_token_write_end(mmli_token_writer *t);
void mmli_token_write_free(mmli_token_writer *t);

#endif
