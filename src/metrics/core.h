/* core.h - the metrics with whole-number weights, which is what a bootstrap resample is.
 *
 * Drawing samples with replacement gives sample i a multiplicity w_i. So the sorting is done once, and
 * every resample costs O(n) (c-index: O(n log n), without a sort). Weights are NULL for "all 1".
 *
 * Functions that give a bool write nothing and give false where the metric is not defined on the
 * weighted samples (one class, no pair, ...). Input has been checked by the callers (check.h).
 */
#ifndef MMLI_METRICS_CORE_H
#define MMLI_METRICS_CORE_H

#include "mmlego/metrics.h"
#include <stdbool.h>

static inline uint64_t mmli_weight(const uint32_t *weight, size_t i)
{
    return weight == NULL ? 1 : weight[i];
}

/* ---- rank.c: AUC, average precision, macro AUC */

/* order (n): samples by ascending score. column of (n, stride) scores. */
mml_status mmli_rank(size_t *order, const double *score, size_t n, size_t column, size_t stride);
/* Is sample i a positive: label == positive. score as for mmli_rank. */
bool mmli_auc(double *auc, const size_t *order, const int32_t *label, int32_t positive, const double *score,
              size_t column, size_t stride, size_t n, const uint32_t *weight);
bool mmli_average_precision(double *ap, const size_t *order, const int32_t *label, const double *score, size_t n,
                            const uint32_t *weight);
/* order (k, n): of every column. */
bool mmli_macro_auc(double *auc, size_t *used, const size_t *order, const int32_t *label, const double *score,
                    size_t n, size_t k, const uint32_t *weight);

/* ---- classes.c */
bool mmli_brier(double *out, const int32_t *label, const double *probability, size_t n, const uint32_t *weight);
bool mmli_log_loss(double *out, const int32_t *label, const double *probability, size_t n, const uint32_t *weight);
bool mmli_f1(double *out, const int32_t *label, const double *probability, size_t n, double threshold,
             const uint32_t *weight);
bool mmli_accuracy(double *out, const int32_t *label, const int32_t *predicted, size_t n, const uint32_t *weight);
/* count (k, k) is overwritten. */
void mmli_confusion(uint64_t *count, const int32_t *label, const int32_t *predicted, size_t n, size_t k,
                    const uint32_t *weight);
bool mmli_macro_f1(double *out, const uint64_t *count, size_t k);
void mmli_argmax(int32_t *predicted, const double *probability, size_t n, size_t k);

/* ---- cindex.c */
typedef struct mmli_pairs mmli_pairs; /* the sorted form of (risk, time, event) */

mml_status mmli_pairs_new(mmli_pairs **out, const double *risk, const double *time, const uint8_t *event, size_t n);
void mmli_pairs_free(mmli_pairs *pairs);
/* Uses a workspace inside `pairs`: not for two threads at once. */
bool mmli_pairs_count(mml_cindex_pairs *count, mmli_pairs *pairs, const uint32_t *weight);
double mmli_pairs_c(const mml_cindex_pairs *count);

/* ---- regression.c */
bool mmli_r2(double *out, const double *truth, const double *predicted, size_t n, const uint32_t *weight);
bool mmli_rmse(double *out, const double *truth, const double *predicted, size_t n, const uint32_t *weight);

#endif
