/* raw_cohort.h - a small cohort file as another program would write it: raw HDF5, other types than import's. */
#ifndef MMLT_RAW_COHORT_H
#define MMLT_RAW_COHORT_H

#include "tests/unit/folder.h"

enum { MMLT_RAW_N = 5 };
extern const char *const mmlt_raw_ids[MMLT_RAW_N];

/* In the test's folder (folder.h), open: two modalities (`bag` of 7 tokens with positions, big-endian; `table` in
 * float64), three tasks (`stage`, `os`, `los`), a column `site`. To be damaged, and closed, by the test. */
hid_t mmlt_raw_cohort(const char *name);
/* The attribute `kind` of a group, made or replaced. */
void mmlt_raw_kind(hid_t file, const char *group, const char *kind);

#endif
