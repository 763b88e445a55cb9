/* merged.h - a pass whose logits have a way back, for any kind of model.
 *
 * A merge is never trained, so its ops do not record what follows the blocks; here their way back is computed on the
 * host, in float64, from the final states. */
#ifndef MMLI_EXPLAIN_MERGED_H
#define MMLI_EXPLAIN_MERGED_H

#include "explain/explainer.h"

typedef struct mmli_merged {
    mmli_complex *z; /* (members) final states of a merge; else NULL */
} mmli_merged;

/* As mmli_model_forward. */
mml_status mmli_merged_forward(mmli_var **logits, mmli_merged *merged, mml_explainer *e, const mmli_bound *bound,
                               const mmli_inputs *in);
/* Sets the gradients that the tape goes back from, for g (B, k) = d score / d logits. */
mml_status mmli_merged_back(const mmli_merged *merged, mml_explainer *e, const mmli_inputs *in, mmli_var *logits,
                            const float *g);

#endif
