/* anndata_inside.h - what the files anndata*.c share; others use formats/anndata.h. */
#ifndef MMLI_FORMATS_ANNDATA_INSIDE_H
#define MMLI_FORMATS_ANNDATA_INSIDE_H

#include "formats/anndata.h"
#include "io/h5packed.h"

/* Group of the categories of 0.1.0 columns, among the columns. */
#define MMLI_ANN_CATEGORIES "__categories"

/* A column, also the index, whose length is not checked. On failure *out may hold something: free it. */
mml_status mmli_ann_column_any(mmli_ann_column *out, const mmli_ann_frame *frame, const char *name);

/* Text attribute of an object that is there; NULL when it has none. Yours: mmli_free(). */
mml_status mmli_ann_attr(char **out, hid_t loc, const char *path, const char *name, const char *attr);

/* ---- sparse matrices (anndata_sparse.c, anndata_transpose.c) --------------------------------------------------------------- */

/* Compressed rows, or columns: slice s (a row, a column) has the entries pointers[s] .. pointers[s + 1] - 1. */
typedef struct mmli_ann_sparse {
    const char *path;
    char *name;
    size_t n, width;   /* shape of the matrix */
    bool by_columns;
    size_t slices, across; /* its rows and columns, or the other way round */
    size_t stored;
    uint64_t *pointers; /* (slices + 1) */
    hid_t data, indices; /* data sets, open */
    mmli_packed *packed_data, *packed_indices;
    int spool;         /* by columns: the copy by rows, or -1; then pointers are those of the rows */
    const char *beside;
} mmli_ann_sparse;

/* An entry of the copy by rows in the temporary file. */
typedef struct mmli_ann_entry {
    double value;
    uint32_t row, column; /* the row counts within a bucket */
} mmli_ann_entry;

enum { MMLI_ANN_PIECE = 1 << 16 }; /* entries handled at once */

/* *is: a sparse matrix lies at `name`; checked and open then. */
mml_status mmli_ann_sparse_open(bool *is, mmli_ann_sparse *out, hid_t loc, const char *path, const char *name);
/* {0} is not fine, one opened is. */
void mmli_ann_sparse_close(mmli_ann_sparse *m);
/* Entries first .. first+count-1 of the file into values and across (count), which are in range. */
mml_status mmli_ann_sparse_entries(double *values, int64_t *across, size_t first, size_t count, const mmli_ann_sparse *m);
/* Makes the copy by rows. */
mml_status mmli_ann_sparse_transpose(mmli_ann_sparse *m);
mml_status mmli_ann_sparse_rows(float *out, size_t first, size_t count, mmli_ann_sparse *m);

#endif
