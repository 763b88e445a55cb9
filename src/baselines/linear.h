/* linear.h - the linear reference: what its training (train/linear.c) sets. */
#ifndef MMLI_BASELINES_LINEAR_H
#define MMLI_BASELINES_LINEAR_H

#include "baselines/parts.h"

/* Every modality is one row of features a sample (arrange.h); logits = sum of W_m x_m + b, with center_m for a modality that
 * is missing. */
typedef struct mmli_linear_net {
    mmli_linear *parts; /* (n) W_m (k, width), b with the first */
    size_t *centers;    /* (n) parameters (1, width) */
} mmli_linear_net;

#endif
