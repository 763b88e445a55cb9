/* compute.h - a metric made ready to be computed many times with different weights. */
#ifndef MMLI_METRICS_COMPUTE_H
#define MMLI_METRICS_COMPUTE_H

#include "metrics/core.h"

typedef struct mmli_plan {
    mml_metric metric;
    mml_metric_input in; /* arrays borrowed */
    size_t *order;       /* (n), or (classes, n) for the macro AUC */
    int32_t *predicted;  /* (n) */
    uint64_t *count;     /* (classes, classes) */
    mmli_pairs *pairs;
    size_t used;         /* macro AUC: classes that occur in all the samples */
} mmli_plan;

/* Copies an options struct that may be older than this library: what its struct_size does not cover keeps the
 * value that is in `full`. MML_E_ARG: struct_size is 0 (not initialised) or larger than the library's. */
mml_status mmli_read_options(void *full, size_t full_size, const void *given, const char *init_function);

/* `in` has been accepted by mml_metric_compute(). mmli_plan_clear() also after a failure. */
mml_status mmli_plan_make(mmli_plan *plan, mml_metric metric, const mml_metric_input *in);
/* false: not defined with these weights. Not for two threads at once. */
bool mmli_plan_value(double *value, mmli_plan *plan, const uint32_t *weight);
void mmli_plan_clear(mmli_plan *plan);

#endif
