/* npy_write.h - a .npy of version 1, written front to back. */
#ifndef MMLI_FORMATS_NPY_WRITE_H
#define MMLI_FORMATS_NPY_WRITE_H

#include "util/output.h"

/* The header of a C-order array; `descr` as it stands in it, quotes included ("'<f4'"). */
mml_status mmli_npy_put_header(mmli_output *o, const char *descr, int rank, const size_t *dims);
/* n numbers, little-endian. */
mml_status mmli_npy_put_floats(mmli_output *o, const float *x, size_t n);
mml_status mmli_npy_put_int64(mmli_output *o, const int64_t *x, size_t n);
mml_status mmli_npy_put_double(mmli_output *o, double x);

#endif
