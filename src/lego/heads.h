/* heads.h - merging parameter vectors on the host: spherical and linear (method.md 3). */
#ifndef MMLI_LEGO_HEADS_H
#define MMLI_LEGO_HEADS_H

#include "mmlego/model.h"

/* out (n) = weighted mean of vectors v[m] (n), weights w >= 0 with a positive sum (normalised here); in float64.
 * slerp, M = 2: w1 sin((1-mu) theta)/sin(theta) + w2 sin(mu theta)/sin(theta), mu = weight of the second;
 * linear when sin(theta) < 1e-6 or a vector is zero. M > 2: Frechet mean of the directions times the weighted mean norm.
 * Vectors equal to the bit give that vector to the bit. Blocks of weight 0 do not count. */
mml_status mmli_vector_mean(float *out, const float *const *v, const double *w, size_t m, size_t n, mml_head_method method);

#endif
