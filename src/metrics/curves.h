/* curves.h - what a picture of several folds is made of. */
#ifndef MMLI_METRICS_CURVES_H
#define MMLI_METRICS_CURVES_H

#include "mmlego/metrics.h"

/* Height of a ROC curve of m points (mml_metric_roc) at a false positive rate in [0, 1], on the straight line between its
 * neighbours; where the curve rises vertically, its top. */
double mmli_roc_height(const double *fpr, const double *tpr, size_t m, double at);

/* rank (n) = (samples below + half of the equal ones, itself among them) / n: between 0 and 1, whatever unit x has. x without NaN. */
mml_status mmli_rank_share(double *rank, const double *x, size_t n);

/* Mean and standard deviation (divisor n - 1; 0 of a single value) of those of x (n) that are not NaN; gives their number. None: NaN. */
size_t mmli_mean_sd(double *mean, double *sd, const double *x, size_t n);

#endif
