/* weights.h - how much each block of a merge counts (method.md 3b point 4). */
#ifndef MMLI_MODEL_WEIGHTS_H
#define MMLI_MODEL_WEIGHTS_H

#include "model/model.h"

/* Sets merged->weights of a merge that has been built and filled. */
mml_status mmli_merge_weigh(mml_model *merged, const mml_merge_options *o);

/* ---- what the files weights*.c share */

/* Distance of each block's scores from chance, d' >= 0 (n). */
mml_status mmli_weights_dprime(double *d, const mml_model *model);
/* Weights from that (n): drawn together where patients are few, shared by the members of a committee. Not normalised. */
mml_status mmli_weights_known(double *w, const mml_model *model);

/* Samples of a cohort that two or more blocks can be compared on: never in the training or test part of any block; with
 * `labels`: in the validation part of every block whose modality they have, and labelled. At most `most` of them,
 * ascending, drawn by seed. MML_E_DATA when they are too few. *out yours: mmli_free(). */
mml_status mmli_weights_samples(size_t **out, size_t *n, const mml_model *model, const mml_cohort *cohort,
                                const mmli_labels *labels, size_t most, uint64_t seed);

/* Sigma^-1 d' (correlated), and the best point of the simplex (search); sum 1. */
mml_status mmli_weights_correlated(double *w, mml_model *model, const mml_merge_options *o);
mml_status mmli_weights_search(double *w, mml_model *model, const mml_merge_options *o);

/* Divides by the sum; all 0: equal weights. */
void mmli_weights_normalise(double *w, size_t n);

/* Device, tapes and parameters with which a merge is run on the samples of a cohort; device NULL: that of the model. */
typedef struct mmli_trial {
    mmli_device *dv;
    mmli_tape *blocks, *merge; /* the blocks' states of a chunk; one try at merging them */
    const mmli_params *params;
    mmli_params *copy;
} mmli_trial;
mml_status mmli_trial_begin(mmli_trial *trial, const mml_model *model, const char *device, int threads);
void mmli_trial_end(mmli_trial *trial);

#endif
