/* make_comparison.h - made-up comparisons of systems, as mmlego compare writes them. */
#ifndef MMLT_MAKE_COMPARISON_H
#define MMLT_MAKE_COMPARISON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { MMLT_FOLDS = 5, MMLT_TESTED = 60, MMLT_EPOCHS = 24 };

/* kind: "survival", "binary", "multiclass" or "regression". Systems of all groups, one of which has failed in fold 3 and one of which
 * has never run; two studies. Better systems have better predictions. The same for the same seed. */
json_t *mmlt_comparison(const char *kind, const char *title, uint64_t seed);
/* How many systems it has, and how many of them have runs. */
size_t mmlt_comparison_systems(void);

#endif
