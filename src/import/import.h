/* import.h - what the files of the import share. Each is one stage:
 *
 *     config.c    cohort.ini -> what to do, checked before any data is read (config_*.c: its sections)
 *     table.c     labels, groups, split columns: texts by sample
 *     tasks.c     texts -> classes, times, values
 *     source.c    any format as rows of floats by sample id (source.h); the formats are kind_*.c
 *     tokens.c    rows -> tokens
 *     copy.c      rows of known samples, read, made into tokens, written (io/cohort_write.h)
 *     import.c    the order of it all (importing.h); import_*.c: samples, columns, tasks, modalities, each with its report
 */
#ifndef MMLI_IMPORT_IMPORT_H
#define MMLI_IMPORT_IMPORT_H

#include "import/problems.h"
#include "import/sheet.h"
#include "import/signatures.h"
#include "io/cohort.h"
#include "io/ini.h"

typedef struct mmli_import_task {
    const char *name; /* lent by the ini, as all texts here unless said otherwise */
    size_t line;
    mml_task_kind kind;
    char *file;     /* a table of its own, resolved; own; NULL: the labels file */
    const char *id; /* its column with the ids */
    const char *label;             /* binary, multiclass, regression */
    const char *time, *event;      /* survival; exactly one of event and censorship, a column: flag */
    const char *censorship, *unit; /* unit may be NULL */
    char *flag, *word;             /* own; word: the cell that means 1, or NULL: 0, 1, true, false */
} mmli_import_task;

typedef struct mmli_import_modality {
    const char *name;
    size_t line;
    mml_modality_kind kind;
    const mmli_ini_section *section; /* for keys of the format; lent, as the path */
    const char *ini_path;
    const char *format;   /* NULL: recognised by the file */
    char *file;           /* resolved; own */
    char **more;          /* (n_more) further files of the same columns, resolved; own */
    size_t n_more;
    const char *id;       /* column or data set */
    char **columns;       /* own; "all" is one of the patterns */
    size_t n_columns;     /* 0 = all */
    const char *dataset;  /* NULL = a CSV */
    const char *channels; /* data set with feature names, or NULL */
    bool summary;         /* a series as one token */
    char *signatures;     /* a table as one token for each signature of this file, resolved; own; NULL: one token */
    size_t patch;         /* side of an image patch */
    bool log1p, rank;     /* rank: of the values of a token, 0 to 1 */
    float least, most;    /* values beyond are set to these, before the transform; infinite: no limit */
    size_t from, to;      /* steps of a series; to = SIZE_MAX: to its end */
    bool half;            /* float16 = yes: rounded to float16 and kept so */
    bool drop_empty;      /* a row with nothing measured is a missing modality */
    const char *const *reserved; /* columns that `all` and patterns leave out: labels, groups, splits; lent */
    size_t n_reserved;
} mmli_import_modality;

typedef struct mmli_import_config {
    mmli_ini ini;
    char *folder;         /* of relative file names; own */
    char *labels, *splits; /* resolved; own; may be NULL */
    char **more_splits;   /* (n_more_splits) further splits files, resolved; own */
    size_t n_more_splits;
    char **more;          /* (n_more) further labels files, resolved; own */
    size_t n_more;
    bool no_header;       /* of the labels */
    char *names;          /* file with the names of their columns, resolved; own; may be NULL */
    const char *id, *group; /* may be NULL; id only without labels */
    const char *repeats;  /* column by which rows of one sample differ, or NULL */
    bool strict;          /* what cannot be read is an error, whatever a modality says; set by the caller */
    bool all_samples;     /* also those of modalities that the labels file lacks */
    char **columns;       /* split columns; own */
    size_t n_columns;
    unsigned compress;    /* gzip level, 0 = none, or MMLI_COMPRESS_AUTO */
    const char **reserved; /* own, its texts lent */
    size_t n_reserved;
    mmli_import_task *tasks;
    mmli_import_modality *modalities;
    size_t n_tasks, n_modalities;
} mmli_import_config;

mml_status mmli_import_config_read(mmli_import_config *out, const char *ini_path, mmli_problems *problems);
/* The same of a text; `name` is what messages call it, and where its relative file names begin. */
mml_status mmli_import_config_parse(mmli_import_config *out, const char *text, const char *name, mmli_problems *problems);
void mmli_import_config_free(mmli_import_config *config);
/* A file name of the ini, relative to its folder. */
mml_status mmli_import_file_name(char **out, const mmli_import_config *config, const char *name);

/* Chooses columns by a list of names, patterns with *, `all`, and exclusions -name (also patterns). chosen (n) 0/1,
 * left_out (n) 0/1: reserved ones that a pattern met. The column `skip` (the id) and unnamed ones are never met by
 * patterns. MML_E_NOT_FOUND: an item that meets nothing (problems: each is noted); MML_E_DATA: nothing is left. */
mml_status mmli_choose_columns(uint8_t *chosen, uint8_t *left_out, const mmli_import_modality *modality,
                               const char *const *names, size_t n, const char *skip, mmli_problems *problems);

/* ---- texts of a CSV by sample ------------------------------------------------------------------------------------- */

typedef struct mmli_table {
    size_t n, cap;
    char **ids;    /* (n) checked: usable, no two alike */
    size_t *rows;  /* (n) row of the file, for messages */
    size_t n_columns;
    char **names;  /* (n_columns) */
    char ***texts; /* (n_columns) of (n) */
    char **other;  /* (n_other) texts by which rows are known too, such as slides of a case; see repeats.h */
    size_t *other_at, n_other; /* and their rows */
    const char *path; /* lent */
} mmli_table;

/* Of any format that has texts by sample: the columns wanted (n_wanted), or with wanted = NULL all but the id column. Empty if
 * sheet->problems has noted that some are not there. */
mml_status mmli_table_read(mmli_table *out, const mmli_sheet *sheet, const char *id, const char *const *wanted,
                           size_t n_wanted);
void mmli_table_free(mmli_table *table);
/* Of a CSV. Ids may occur twice; t->path is set, t is freed by the caller, also after a failure. */
mml_status mmli_csv_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);
/* NULL when absent. */
char **mmli_table_column(const mmli_table *table, const char *name);

/* A column of a CSV by its name (@index: the first): MML_E_NOT_FOUND with the nearest; MML_E_DATA when two have that name. */
mml_status mmli_csv_column(size_t *out, const char *path, const char *const *names, size_t n, const char *name);

/* ---- tasks ---------------------------------------------------------------------------------------------------------- */

/* Fills a task (its name included) from texts, in the order of their table. */
mml_status mmli_import_task_read(mmli_cohort_task *out, const mmli_import_task *task, const mmli_table *labels,
                                 mmli_problems *problems);
/* Columns of a task that are not NULL: how many of names[4]. */
size_t mmli_import_task_columns(const char *names[4], const mmli_import_task *task);

/* ---- tokens ----------------------------------------------------------------------------------------------------------- */

struct mmli_source;

typedef struct mmli_ranked {
    float value;
    size_t place;
} mmli_ranked;

typedef struct mmli_tokenizer {
    const mmli_import_modality *m;
    const struct mmli_source *source; /* lent, as all of its texts */
    size_t width, n_axes;
    size_t most;         /* tokens of one row at most */
    char **features;     /* (width) */
    const char **category_of; /* (width) as of the source, its texts lent; NULL: all are numbers */
    mmli_ranked *ranked; /* (width) room for ranking; NULL: not wanted */
    mmli_signatures signatures; /* of m->signatures; n = 0: none */
    float *row;          /* (picks of the source) room for them */
    mmli_buf notes;      /* lines for the report */
} mmli_tokenizer;

mml_status mmli_tokenizer_make(mmli_tokenizer *out, const mmli_import_modality *modality, const struct mmli_source *source);
void mmli_tokenizer_free(mmli_tokenizer *t);
/* Are the tokens kept as float16: by order, or because the source has no more and every value stays what it is? */
bool mmli_tokens_are_half(const mmli_tokenizer *t);
/* One row: values (most, width), positions (most, n_axes); *n tokens come out. `place`: positions that the source gives for
 * the row, or NULL. MML_E_DATA: infinite, negative under log1p, too large for float16 (names sample and feature). */
mml_status mmli_tokenize(float *values, float *positions, size_t *n, const mmli_tokenizer *t, const float *row,
                         const float *place, const char *sample);

#endif
