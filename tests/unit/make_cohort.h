/* make_cohort.h - a small cohort file for a test, written from arrays and opened.
 *
 *     mmlt_cohort_begin(&made, n, NULL);
 *     mmlt_cohort_modality(&made, "labs", "series", values, offsets, width, NULL, 0, NULL);
 *     cohort = mmlt_cohort_open(&made);
 *     ...
 *     mml_cohort_close(cohort);
 *     mmlt_cohort_remove(&made);
 *
 * A failure of any of it aborts the test. */
#ifndef MMLT_MAKE_COHORT_H
#define MMLT_MAKE_COHORT_H

#include <hdf5.h>

#include "mmlego/data.h"
#include "tests/support/mmlt.h"

enum { MMLT_PATH = 300 };

typedef struct mmlt_cohort {
    char path[MMLT_PATH];
    size_t n;
    hid_t file, modalities, tasks;
} mmlt_cohort;

/* n samples; ids NULL = "s0", "s1", ... */
void mmlt_cohort_begin(mmlt_cohort *made, size_t n, const char *const *ids);
/* offsets NULL = one token a sample; features NULL = "f0", "f1", ... */
void mmlt_cohort_modality(mmlt_cohort *made, const char *name, const char *kind, const float *values,
                          const int64_t *offsets, size_t width, const float *positions, size_t n_axes,
                          const char *const *features);
/* code (n): place among the classes, or -1. */
void mmlt_cohort_classes(mmlt_cohort *made, const char *name, const char *kind, const char *const *classes, size_t k,
                         const double *code);
void mmlt_cohort_survival(mmlt_cohort *made, const char *name, const char *unit, const double *time,
                          const uint8_t *event);
void mmlt_cohort_values(mmlt_cohort *made, const char *name, const double *value);
mml_cohort *mmlt_cohort_open(mmlt_cohort *made);
void mmlt_cohort_remove(mmlt_cohort *made);

/* Path of a new, empty file in the temporary folder (TMPDIR); the caller removes it. */
void mmlt_fresh_path(char out[MMLT_PATH], const char *suffix);

#endif
