/* tpe.h - where to try next: the tree-structured Parzen estimator (Bergstra et al., NIPS 2011), deterministic.
 *
 * Trials so far are divided into the better ones and the rest; of each, in each dimension, a density of where they lie. Of
 * some candidates drawn from the density of the better ones, the next trial is the one that is most likelier there than among
 * the rest. Dimensions are independent, as in the original.
 */
#ifndef MMLI_COMPARE_TPE_H
#define MMLI_COMPARE_TPE_H

#include "mmlego/base.h"

typedef struct mmli_dimension {
    double low, high; /* of numbers: low < high */
    int log;          /* 1 = by the logarithm; low > 0 */
    size_t choices;   /* > 0: not a number but one of 0 .. choices-1 */
} mmli_dimension;

/*
 * x (n) = the trial to make after `trials` of them, past (trials, n), with their scores: higher is better, NaN = failed. The
 * first few are drawn at random. A function of its arguments, whatever the number of threads; `key` is new for each trial.
 */
mml_status mmli_tpe_next(double *x, const mmli_dimension *space, size_t n, const double *past, const double *score,
                         size_t trials, uint64_t key);

#endif
