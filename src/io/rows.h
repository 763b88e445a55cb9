/* rows.h - the rows of an open data set of numbers, as floats, quickly whatever wrote it.
 *
 * float32, float16, int32 and int64 (little-endian, no filters) that lie in the file whole or in chunks of whole rows are read
 * past HDF5, as bytes: one-row chunks then cost hardly more than a contiguous data set, no lock is held, and HDF5's slow conversion of
 * float16 is not used. All else HDF5 reads, with the same result. */
#ifndef MMLI_IO_ROWS_H
#define MMLI_IO_ROWS_H

#include "io/h5.h"

typedef struct mmli_rows mmli_rows;

/* Rows first .. first+count-1 of the file are wanted at row `to` of the result. */
typedef struct mmli_span {
    size_t first, count, to;
} mmli_span;

/* `dataset` and both names are lent until the closing. `axis` is the dimension of the rows; those before it must be 1 (bags
 * with a leading axis: (1, N, D), axis 1). MML_E_FORMAT: not numbers; MML_E_SHAPE. The first reading looks at the layout (for one-row chunks
 * 8 bytes a row are kept); warm ones ask for no memory. */
mml_status mmli_rows_open(mmli_rows **out, hid_t dataset, int axis, const char *path, const char *name);
void mmli_rows_close(mmli_rows *rows); /* NULL is fine */
size_t mmli_rows_count(const mmli_rows *rows);
size_t mmli_rows_width(const mmli_rows *rows); /* values of one */
bool mmli_rows_are_half(const mmli_rows *rows); /* float16 in the file */
bool mmli_rows_are_bytes(const mmli_rows *rows); /* read past HDF5, after the first reading; for tests */
/* Rows first .. first+count-1 into out (count, width). MML_E_SHAPE: beyond the end; MML_E_IO. */
mml_status mmli_rows_get(float *out, size_t first, size_t count, mmli_rows *rows);
/* Rows by list. The spans are sorted by place in the file; they may overlap. Small ones are read together where they are
 * neighbours, at most about 4 MiB at once. */
mml_status mmli_rows_gather(float *out, mmli_span *spans, size_t n, mmli_rows *rows);

#endif
