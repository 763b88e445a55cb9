/* importing.h - one import as its stages see it; import.c has their order. */
#ifndef MMLI_IMPORT_IMPORTING_H
#define MMLI_IMPORT_IMPORTING_H

#include "import/copy.h"
#include "util/text.h"

typedef struct mmli_importing {
    mmli_import_config config;
    mmli_problems problems;
    mmli_table labels, splits;
    bool folds;             /* the splits files are lists (folds.h), not a table */
    mmli_table *own;        /* (n_tasks) of tasks with a file of their own; else empty */
    mmli_source **sources;  /* (n_modalities) NULL: not open, not any more, or not to be opened */
    bool suggested; /* the config was made up, */
    mmli_kept kept; /* and this was read for it */
    const char *out_path;
    mmli_source_context context;
    char **ids;             /* (n) samples: of the labels file, then the others; lent by the tables, or own */
    size_t n, cap_ids, n_lent;
    mmli_index samples;     /* of ids */
    mmli_cohort_writer writer;
    uint8_t *present;       /* (n_modalities, n) */
    mmli_buf report;
    mml_progress progress;
    void *user;
} mmli_importing;

/* spare.c: MML_E_ARG if `out_path` is one of the files that are read, or lies in a folder that is. NULL is fine. */
mml_status mmli_importing_spare(const mmli_import_config *config, const char *out_path);

/* import_samples.c: labels, tasks' own files and splits as tables; the samples of the cohort, in order: of the labels file, of the
 * tasks' own files, of the modalities; their groups (lent texts, *out NULL: there are none). */
mml_status mmli_importing_tables(mmli_importing *im);
mml_status mmli_importing_samples(mmli_importing *im);
mml_status mmli_importing_groups(char ***out, mmli_importing *im);
/* Opens the source of a modality if it is not open yet. */
mml_status mmli_importing_open(mmli_importing *im, size_t which);
/* A line for the report: ids of a table that are no samples. */
mml_status mmli_importing_unknown(mmli_importing *im, const mmli_table *table);

/* import_columns.c, import_tasks.c, import_modalities.c: written and reported. */
mml_status mmli_importing_columns(mmli_importing *im);
mml_status mmli_importing_task(mmli_importing *im, size_t which);
/* Of a config that nobody has written: the columns that were taken for its tasks. */
mml_status mmli_importing_taken(mmli_importing *im);
mml_status mmli_importing_modality(mmli_importing *im, size_t which);
/* Samples that have several modalities: what merging and fusing can be judged on. */
mml_status mmli_importing_overlap(mmli_importing *im);

#endif
