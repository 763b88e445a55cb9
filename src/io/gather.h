/* gather.h - rows of a data set by list: neighbours in the file are read together, whatever their order. */
#ifndef MMLI_IO_GATHER_H
#define MMLI_IO_GATHER_H

#include "io/h5.h"

/* Rows first .. first+count-1 of the file are wanted at row `to` of the result. */
typedef struct mmli_span {
    size_t first, count, to;
} mmli_span;

/* Buffer between file and result, kept from call to call. */
typedef struct mmli_scratch {
    float *values;
    size_t cap;
} mmli_scratch;

/* out: rows of `width` floats. The spans are sorted by place in the file; they may overlap. Reads at most about
 * 4 MiB at once (or one span's part of it) and skips gaps. */
mml_status mmli_h5_gather(float *out, mmli_span *spans, size_t n, size_t width, hid_t dataset, const char *path,
                          const char *name, mmli_scratch *scratch);
void mmli_scratch_free(mmli_scratch *scratch);

#endif
