/* baseline.h - the other architectures (doc/baselines.md) on tapes: what they are made of, one pass forward.
 *
 * Parameters are named "baseline.inputs.<modality>.*" where they belong to one modality, else "baseline.*"; each has a random
 * start of its own.
 */
#ifndef MMLI_BASELINES_BASELINE_H
#define MMLI_BASELINES_BASELINE_H

#include "mmlego/baseline.h"
#include "nn/encoder.h"
#include "nn/params.h"
#include "ops/ops.h"

/* What a pass has of one modality. */
typedef struct mmli_input {
    mmli_var *x; /* preprocessed tokens; NULL = no sample of the batch has the modality */
    mmli_ragged ragged;
} mmli_input;

/* What a baseline is told of one modality. */
typedef struct mmli_baseline_modality {
    const char *name;
    mml_modality_kind kind;
    size_t width; /* of its tokens after preprocessing */
} mmli_baseline_modality;

typedef struct mmli_baseline {
    mml_baseline_options o;
    size_t n, outputs;
    mml_modality_kind *kinds; /* (n) */
    size_t *widths;           /* (n) */
    mmli_encoder *encoders;   /* (n) zeros where an architecture has none */
    void *parts;              /* what the architecture declared: parameter indices, in its own struct */
    void **kept;              /* memory of it */
    size_t n_kept, cap_kept;
} mmli_baseline;

/* Logits of one pass. Training looks at all stages: the loss is the sum over them, each sample's loss times its share
 * (host, (B); NULL = 1 for all). The prediction is the last stage. */
typedef struct mmli_stages {
    mmli_var **logits; /* (n) of (B, k) each, in the memory of the pass */
    float **share;     /* (n) */
    size_t n;
} mmli_stages;

/* One pass: inputs of all modalities, and who has which. */
typedef struct mmli_baseline_pass {
    mmli_tape *tape;
    const mmli_bound *bound;
    const mmli_input *in;   /* (n) */
    const uint8_t *present; /* (n, samples) host */
    size_t samples;         /* B */
    uint64_t key;           /* stream of its dropout */
    bool all;               /* all stages are wanted, not only the last */
} mmli_baseline_pass;

/* Ranges of the options, and what the architecture allows; the message names the option. */
mml_status mmli_baseline_options_check(const mml_baseline_options *o);
/* Declares everything. */
mml_status mmli_baseline_new(mmli_baseline **out, mmli_params *params, const mml_baseline_options *o,
                             const mmli_baseline_modality *modalities, size_t n, size_t outputs);
/* NULL is fine. */
void mmli_baseline_free(mmli_baseline *baseline);
/* Rows of samples without any modality hold what the architecture gives for nothing: the caller puts the prior there. */
mml_status mmli_baseline_forward(mmli_stages *out, const mmli_baseline *baseline, const mmli_baseline_pass *pass);

#endif
