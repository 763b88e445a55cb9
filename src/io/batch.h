/* batch.h - the inside of mml_batch: ragged tokens on the host, buffers reused between fills. */
#ifndef MMLI_IO_BATCH_H
#define MMLI_IO_BATCH_H

#include "mmlego/data.h"

typedef struct mmli_batch_part {
    char *name;
    size_t width, n_axes;
    float *values;    /* (offsets[B], width) */
    float *positions; /* (offsets[B], n_axes) */
    int64_t *offsets; /* (B + 1) */
    size_t cap_values, cap_positions, cap_offsets; /* in elements */
} mmli_batch_part;

struct mml_batch {
    size_t n;
    size_t n_parts, cap_parts;
    mmli_batch_part *parts;
};

/* Makes the batch one of n samples with no tokens, keeping its buffers for mmli_batch_reserve. */
mml_status mmli_batch_reset(mml_batch *batch, size_t n);
/* The part `name`, found or added, with room for `tokens` rows; offsets not yet set. */
mml_status mmli_batch_reserve(mmli_batch_part **out, mml_batch *batch, const char *name, size_t tokens,
                              size_t width, size_t n_axes);

#endif
