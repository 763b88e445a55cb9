/* npy_header.h - the header of a .npy, a Python dictionary written as text. */
#ifndef MMLI_FORMATS_NPY_HEADER_H
#define MMLI_FORMATS_NPY_HEADER_H

#include "formats/npy.h"

/* Fills rank, dims, fortran, fields, record from the n bytes of `text`. `name` is for messages. */
mml_status mmli_npy_header(mmli_npy *a, const char *text, size_t n, const char *name);

#endif
