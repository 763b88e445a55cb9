/* bins.h - measurements of one sample, at any times and in any order, into cells of (steps, channels): one number a cell. */
#ifndef MMLI_IMPORT_BINS_H
#define MMLI_IMPORT_BINS_H

#include <stdbool.h>

#include "mmlego/base.h"

typedef enum mmli_aggregate {
    MMLI_LAST, /* the latest; of those at the same time the one that was added last */
    MMLI_FIRST, /* the earliest; of those at the same time the one that was added first */
    MMLI_MEAN,
    MMLI_MIN,
    MMLI_MAX,
    MMLI_SUM,
    MMLI_COUNT, /* of the measurements; a cell without any is not measured, as with the others */
    MMLI_N_AGGREGATES
} mmli_aggregate;

extern const char *const mmli_aggregate_names[MMLI_N_AGGREGATES];

typedef struct mmli_bins {
    size_t steps, channels;
    struct mmli_bin_cell *cells; /* (steps, channels) */
} mmli_bins;

/* MML_E_SHAPE, MML_E_NOMEM. {0} can be freed. */
mml_status mmli_bins_make(mmli_bins *out, size_t steps, size_t channels);
void mmli_bins_free(mmli_bins *bins);
/* Forgets all measurements: for the next sample. */
void mmli_bins_clear(mmli_bins *bins);
void mmli_bins_add(mmli_bins *bins, size_t step, size_t channel, double time, double value);
/* What all measurements of a cell come to (sums in double precision); NaN for a cell without any. */
double mmli_bins_get(const mmli_bins *bins, size_t step, size_t channel, mmli_aggregate how);

/* "7:05", "07:05:30": hours of any number of digits, minutes and seconds below 60; *seconds of it. */
bool mmli_parse_clock(double *seconds, const char *s, size_t n);

#endif
