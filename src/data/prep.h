/* prep.h - preprocessing that is learnt on the training part and stored in the model.
 *
 * Raw tokens (T, width) with NaN for values not measured become tokens (T, width_out) without NaN:
 *   [ scaled and imputed values | indicator columns | Fourier features of the positions ]
 * Scaling: standard = (x - mean) / sd (population sd, formats.md 2.2), robust = (x - median) / (IQR/1.349), or / sd
 * where the IQR is 0 but not all values are equal (rare mutations), then clip to +-clip; none = as it is, not
 * clipped. A column constant in training gives 0 everywhere unless scaling is none; one without any measured value
 * always. Statistics are over all measured values of all tokens of the training samples, in float64; medians and
 * quartiles are exact. They do not depend on the order of `train`, nor on how the cohort is read.
 * Imputation acts before scaling: median | mean | zero (0 after scaling: the training mean, robust the median) |
 * locf (series: last value carried forward within the sample, before the first measurement the median).
 * Indicators: 1 where the value was measured, 0 where not (`mask`: all columns; `missing`: 1 where
 * missing, only for columns with a missing value in training).
 * Positions: per axis, for k = 1 .. bands sin(pi k p), cos(pi k p), then p itself (method.md 5); without
 * stored positions, token j of n is at j / max(n - 1, 1).
 */
#ifndef MMLI_DATA_PREP_H
#define MMLI_DATA_PREP_H

#include <hdf5.h>
#include <jansson.h>

#include "mmlego/data.h"
#include "mmlego/model.h"

typedef struct mmli_prep {
    mml_prep_options o; /* include/mmlego/model.h */
    size_t width_in, n_axes, width_out;
    char **features;    /* (width_in) names, checked against a cohort at prediction; NULL: identity */
    char **category_of; /* (width_in) column that a feature is a category of (match.h), "" = a number; NULL: all are numbers */
    float *center, *scale_inv, *fill; /* (width_in): out = clip((x - center) * scale_inv); fill in raw units */
    uint8_t *indicator; /* (width_in) 1 = has an indicator column */
} mmli_prep;

/* Learns from the samples train[0 .. n-1] of a cohort, reading it in passes, chunk by chunk: 2 of them, 4 when medians or
 * quartiles are needed. options NULL = standard scaling, clip 5, median. MML_E_DATA when no sample has the modality,
 * when one is listed twice, or on infinity (names sample, token and feature); MML_E_ARG for an option out of range. */
mml_status mmli_prep_fit(mmli_prep **out, mml_cohort *cohort, const char *modality, const size_t *train,
                         size_t n, const mml_prep_options *options);
/* Identity: raw tokens are used as they are (tests, callers with features of their own); NaN becomes 0. */
mml_status mmli_prep_identity(mmli_prep **out, size_t width);
/* The same with names, which cohorts are then checked against, and the columns that they are categories of (match.h); NULL: none
 * is one. */
mml_status mmli_prep_identity_named(mmli_prep **out, const char *const *features, const char *const *category_of, size_t width);
void mmli_prep_free(mmli_prep *prep);
mml_status mmli_prep_copy(mmli_prep **out, const mmli_prep *prep);

/* out (T, width_out), caller's, T = offsets[n]. MML_E_SHAPE when the width of tokens, or of positions, differs from
 * training (both in the message); MML_E_DATA on an infinite value or a position that is not finite, naming sample and
 * feature. Allocates nothing; any number of threads may share a prep. */
mml_status mmli_prep_apply(float *out, const mmli_prep *prep, const mml_tokens *tokens, size_t n_samples);

/* The same for a part of one sample, tokens first .. of `total`; above: the row of out before it, NULL when first = 0. */
mml_status mmli_prep_apply_part(float *out, const mmli_prep *prep, const mml_tokens *tokens, size_t first, size_t total,
                                const float *above);

/* A cohort's modality must have the features of training, in order: MML_E_DATA names the first that differs, and says so
 * when they are the same in another order. */
mml_status mmli_prep_check(const mmli_prep *prep, const mml_modality_info *info);

/* Into and out of the group of a model file: numbers as data sets, options as attributes. */
mml_status mmli_prep_save(const mmli_prep *prep, hid_t group, const char *path);
mml_status mmli_prep_load(mmli_prep **out, hid_t group, const char *path);
/* For inspect. New reference. NULL = no memory. */
json_t *mmli_prep_json(const mmli_prep *prep);

#endif
