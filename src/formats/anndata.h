/* anndata.h - AnnData (.h5ad): tables of observations and of variables, matrices between them, read by row.
 *
 * Layouts: those with encoding attributes (anndata 0.7 and newer, MuData's modalities), and the record arrays of 0.6 and
 * older. What is read: obs, var, X, layers, raw, obsm. The rest (uns, obsp, varm, varp) is not looked at.
 *
 * Nothing is believed: shapes agree with the tables, codes with their categories, pointers of sparse matrices with their
 * entries. MML_E_FORMAT: not such a file, damaged, an encoding that is not read; MML_E_SHAPE: sizes that do not agree;
 * MML_E_NOT_FOUND: no such column or matrix, the message lists what there is.
 */
#ifndef MMLI_FORMATS_ANNDATA_H
#define MMLI_FORMATS_ANNDATA_H

#include <hdf5.h>
#include <stdbool.h>

#include "mmlego/base.h"
#include "util/text.h"

/* ---- tables -------------------------------------------------------------------------------------------------------------- */

typedef enum mmli_ann_kind {
    MMLI_ANN_INTEGER = 0,
    MMLI_ANN_UNSIGNED,
    MMLI_ANN_REAL,
    MMLI_ANN_BOOLEAN,
    MMLI_ANN_TEXT,
    MMLI_ANN_CATEGORY
} mmli_ann_kind;

typedef struct mmli_ann_column {
    mmli_ann_kind kind;
    bool single;       /* REAL: float32 or narrower on disk, which its text respects */
    bool ordered;      /* CATEGORY */
    size_t n;
    uint8_t *missing;  /* (n) 0/1 */
    int64_t *integers; /* (n) INTEGER; UNSIGNED: the bits of a uint64_t; BOOLEAN: 0/1; CATEGORY: level, -1 = missing */
    double *reals;     /* (n) REAL */
    char **texts;      /* (n) TEXT */
    char **levels;     /* (n_levels) CATEGORY, as texts whatever they are */
    size_t n_levels;
} mmli_ann_column;

/* A table: obs, var, or one in obsm. */
typedef struct mmli_ann_frame {
    const char *path; /* lent */
    hid_t loc;        /* root of the file; lent */
    char *name;       /* below loc */
    bool records;     /* 0.6 and older: one data set */
    size_t n;
    char **ids;       /* (n) */
    char *index;      /* where the ids are */
    size_t n_columns;
    char **columns;   /* in their order, the index left out */
} mmli_ann_frame;

/* loc and path must outlive it. */
mml_status mmli_ann_frame_open(mmli_ann_frame *out, hid_t loc, const char *path, const char *name);
/* {0} is fine. */
void mmli_ann_frame_free(mmli_ann_frame *frame);

mml_status mmli_ann_column_read(mmli_ann_column *out, const mmli_ann_frame *frame, const char *name);
/* {0} is fine. */
void mmli_ann_column_free(mmli_ann_column *column);
/* Element i as a CSV would have it: "" when missing, True and False, the shortest number. Lent: by the column, or room. */
const char *mmli_ann_column_text(char room[MMLI_NUMBER_BYTES], const mmli_ann_column *column, size_t i);
/* Element i as a number, NaN when missing; false when the kind is TEXT or CATEGORY. */
bool mmli_ann_column_number(double *out, const mmli_ann_column *column, size_t i);
/* "integer", "categorical", ... */
const char *mmli_ann_kind_text(mmli_ann_kind kind);

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

typedef enum mmli_ann_layout { MMLI_ANN_NONE = 0, MMLI_ANN_ANNDATA, MMLI_ANN_MUDATA } mmli_ann_layout;

/* What an open HDF5 file is. NONE: *why (may be NULL; lent) is what it seems to be instead and what to do with it: "a 10x
 * Genomics file; ..."; NULL when nothing is known. */
mml_status mmli_ann_layout_of(mmli_ann_layout *out, const char **why, hid_t file, const char *path);

typedef struct mmli_ann {
    char *path;
    hid_t loc;    /* root of the file */
    char *prefix; /* of names in it: "", or "mod/NAME/" in a MuData */
    mmli_ann_frame obs, var;
} mmli_ann;

mml_status mmli_ann_open(mmli_ann **out, const char *path);
/* One inside another file; prefix as above. */
mml_status mmli_ann_open_at(mmli_ann **out, hid_t file, const char *path, const char *prefix);
void mmli_ann_close(mmli_ann *ann);

/* ---- matrices ------------------------------------------------------------------------------------------------------------- */

typedef struct mmli_ann_matrix mmli_ann_matrix;

/* Names of what mmli_ann_matrix_open() takes: X, raw, layers/NAME, obsm/NAME. *out yours: mmli_h5_texts_free(). */
mml_status mmli_ann_matrices(char ***out, size_t *n, const mmli_ann *ann);
/* A matrix by columns is turned into one by rows at the first read, in a temporary file (util/spool.h: beside). `ann` must
 * outlive the matrix, and `beside` (may be NULL). */
mml_status mmli_ann_matrix_open(mmli_ann_matrix **out, const mmli_ann *ann, const char *which, const char *beside);
void mmli_ann_matrix_close(mmli_ann_matrix *matrix);
size_t mmli_ann_matrix_width(const mmli_ann_matrix *matrix);
const char *const *mmli_ann_matrix_names(const mmli_ann_matrix *matrix); /* (width) of its columns */
/* "dense", "csr", "csc", "table" */
const char *mmli_ann_matrix_storage(const mmli_ann_matrix *matrix);
/* Entries stored; of a dense matrix all. */
size_t mmli_ann_matrix_stored(const mmli_ann_matrix *matrix);
/* Rows first .. first+count-1 into out (count, width). What a sparse matrix does not store is 0; entries of one place are
 * added up, in float64, as anndata does it. */
mml_status mmli_ann_matrix_rows(float *out, size_t first, size_t count, mmli_ann_matrix *matrix);

#endif
