/* merge.h - LegoMerge on final states (method.md 3, 3b). */
#ifndef MMLI_LEGO_MERGE_H
#define MMLI_LEGO_MERGE_H

#include "lego/block.h"

typedef struct mmli_merge_rule {
    mml_aggregation aggregation;
    mml_phase phase;
    mml_latent_scale scale;
    const double *weights; /* (m) a_m >= 0, over all blocks; normalised over the present ones per sample */
    const double *rms;     /* (m) loudness of each block (pooled rms of R on its training part), for MML_LATENT_POOLED */
    bool upstream_half;    /* mml_merge_options.upstream_harmonic */
} mmli_merge_rule;

/* z (m): final states (B c, d); present (m x B) host, 1 = block m has sample b. Result (B c, d). Samples with one
 * block present get that block's state to the bit; with none: zeros. Weights of blocks of weight 0 whose sample has only
 * such blocks count as equal. */
mmli_complex mmli_merge_latents(mmli_tape *tape, const mmli_complex *z, size_t m, size_t B, size_t c,
                                const uint8_t *present, const mmli_merge_rule *rule);

#endif
