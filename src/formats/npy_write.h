/* npy_write.h - a .npy of version 1, written front to back. */
#ifndef MMLI_FORMATS_NPY_WRITE_H
#define MMLI_FORMATS_NPY_WRITE_H

#include <stdio.h>

#include "mmlego/base.h"

/* The header of a C-order array; `descr` as it stands in it, quotes included ("'<f4'"). `path` is for messages. */
mml_status mmli_npy_put_header(FILE *f, const char *path, const char *descr, int rank, const size_t *dims);
/* n numbers, little-endian. */
mml_status mmli_npy_put_floats(FILE *f, const char *path, const float *x, size_t n);
mml_status mmli_npy_put_int64(FILE *f, const char *path, const int64_t *x, size_t n);
mml_status mmli_npy_put_double(FILE *f, const char *path, double x);

#endif
