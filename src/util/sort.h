/* sort.h - the order that sorts an array, and what is read off a sorted one. */
#ifndef MMLI_UTIL_SORT_H
#define MMLI_UTIL_SORT_H

#include "mmlego/base.h"

/* order (n): key[order[0]] <= key[order[1]] <= ...; equal keys keep their index order, so the result
 * does not depend on the C library's sort. Keys without NaN. */
mml_status mmli_argsort(size_t *order, const double *key, size_t n);
/* Sorts an array of numbers without NaN, ascending, in place. */
void mmli_sort_doubles(double *x, size_t n);
/* Quantile q in [0, 1] of n >= 1 sorted numbers: linear between neighbours (type 7, as NumPy). */
double mmli_quantile(const double *sorted, size_t n, double q);

#endif
