/* anndata_open.h - AnnData and MuData as import sees them: one table of observations, and which rows of it are a sample. */
#ifndef MMLI_IMPORT_ANNDATA_OPEN_H
#define MMLI_IMPORT_ANNDATA_OPEN_H

#include "formats/mudata.h"
#include "import/source.h"

/* One of both. */
typedef struct mmli_ann_file {
    mmli_ann *ann;
    mmli_mudata *mudata;
    const mmli_ann_frame *obs; /* lent by either */
} mmli_ann_file;

/* As which of both it is to be read; MMLI_ANN_NONE: whichever it is. */
mml_status mmli_ann_file_open(mmli_ann_file *out, const char *path, mmli_ann_layout wanted);
void mmli_ann_file_close(mmli_ann_file *file); /* {0} is fine */
/* As mmli_h5_guard_verdict(), before the file is closed; {0} is fine. */
mml_status mmli_ann_file_verdict(mml_status st, const mmli_ann_file *file, const char *path);
/* As mmli_source_kind.probe. */
mml_status mmli_ann_probe(mmli_sureness *out, char *what, const mmli_probe *probe, mmli_ann_layout layout);

/* Rows of obs by sample: each row is one, or all rows with the same text in a column (the cells of a donor). */
typedef struct mmli_ann_samples {
    size_t n;
    char **ids;       /* (n) in the order of their first rows */
    size_t *first;    /* (n) row */
    size_t n_rows;
    size_t *of;       /* (n_rows) sample of a row; SIZE_MAX: the column says nothing there */
    size_t n_without; /* such rows */
    bool by_column;
} mmli_ann_samples;

/* sample: NULL, @index or the name of the index: each row; else a column, also written obs:NAME. */
mml_status mmli_ann_samples_make(mmli_ann_samples *out, const mmli_ann_frame *obs, const char *sample);
void mmli_ann_samples_free(mmli_ann_samples *samples); /* {0} is fine */
/* "obs:NAME" or "NAME" -> "NAME" */
const char *mmli_ann_column_name(const char *name);

/* The functions of the two kinds. */
mml_status mmli_ann_inspect(mmli_facts *facts, const char *path, mmli_ann_layout wanted);
mml_status mmli_ann_suggest(mmli_suggestion *out, const char *path, mmli_ann_layout wanted);
mml_status mmli_ann_texts(mmli_table *out, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);

#endif
