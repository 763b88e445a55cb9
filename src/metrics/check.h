/* check.h - what the metrics refuse, and how they say it. */
#ifndef MMLI_METRICS_CHECK_H
#define MMLI_METRICS_CHECK_H

#include "mmlego/base.h"

/* 1 <= n <= INT32_MAX (pairs are counted in 64 bits), none of the `n_pointers` arrays NULL. */
mml_status mmli_check_arrays(const char *metric, size_t n, size_t n_pointers, const void *const *pointers);
/* label (n) in 0 .. k-1 and 2 <= k. `what` names the array in messages. */
mml_status mmli_check_labels(const char *metric, const char *what, const int32_t *label, size_t n, size_t k);
/* Predictions (n): finite, else MML_E_NOT_FINITE. */
mml_status mmli_check_finite(const char *metric, const char *what, const double *x, size_t n);
/* Predictions in [0, 1]. */
mml_status mmli_check_probability(const char *metric, const double *p, size_t n);
/* time finite and >= 0; event (NULL = none) 0 or 1. */
mml_status mmli_check_survival(const char *metric, const double *time, const uint8_t *event, size_t n);
/* Truth of a regression: finite, else MML_E_DATA. */
mml_status mmli_check_truth(const char *metric, const double *truth, size_t n);

#define MMLI_CHECK_ARRAYS(metric, n, ...)                                                          \
    mmli_check_arrays((metric), (n), sizeof((const void *[]){__VA_ARGS__}) / sizeof(void *),       \
                      (const void *[]){__VA_ARGS__})

#endif
