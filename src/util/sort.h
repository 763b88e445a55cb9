/* sort.h - the order that sorts an array. */
#ifndef MMLI_UTIL_SORT_H
#define MMLI_UTIL_SORT_H

#include "mmlego/base.h"

/* order (n): key[order[0]] <= key[order[1]] <= ...; equal keys keep their index order, so the result
 * does not depend on the C library's sort. Keys without NaN. */
mml_status mmli_argsort(size_t *order, const double *key, size_t n);
/* Sorts an array of numbers without NaN, ascending, in place. */
void mmli_sort_doubles(double *x, size_t n);

#endif
