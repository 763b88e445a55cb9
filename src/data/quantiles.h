/* quantiles.h - exact quantiles of many columns that are seen in passes and never held in memory.
 *
 *     mmli_quantiles_new(&q, cols, probs, n_probs)
 *     do { for all rows of the data: mmli_quantiles_add(q, ...); } while (mmli_quantiles_next(q));
 *     mmli_quantiles_get(q, out);
 *
 * Radix selection: a float32 maps to a 32-bit key of the same order; each of the 4 passes counts one byte of the
 * keys that share the bytes found so far, so that the wanted order statistics are known exactly after the last.
 * Counts do not depend on the order of rows: neither does the result. Memory: 2 KiB a column and order
 * statistic (two a quantile), whatever the number of rows.
 */
#ifndef MMLI_DATA_QUANTILES_H
#define MMLI_DATA_QUANTILES_H

#include <stdbool.h>

#include "mmlego/base.h"

typedef struct mmli_quantiles mmli_quantiles;

/* probs (n_probs) in [0, 1]. */
mml_status mmli_quantiles_new(mmli_quantiles **out, size_t cols, const double *probs, size_t n_probs);
/* NULL is fine. */
void mmli_quantiles_free(mmli_quantiles *q);
/* Bytes that one column takes. */
size_t mmli_quantiles_bytes(size_t n_probs);

/* Rows of the pass: row r starts at values + r * stride, its first `cols` elements count. NaN is not a value. No
 * infinities. */
void mmli_quantiles_add(mmli_quantiles *q, const float *values, size_t rows, size_t stride);
/* Ends a pass: true = give all rows once more. */
bool mmli_quantiles_next(mmli_quantiles *q);
/* out (cols, n_probs): linear interpolation between order statistics (type 7, as NumPy); NaN for a column without
 * values. After the last pass. */
void mmli_quantiles_get(const mmli_quantiles *q, double *out);

#endif
