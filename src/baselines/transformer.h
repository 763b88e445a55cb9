/* transformer.h - transformer encoder layers among the rows of a sample, and gated attention pooling of them (MCAT). */
#ifndef MMLI_BASELINES_TRANSFORMER_H
#define MMLI_BASELINES_TRANSFORMER_H

#include "baselines/parts.h"

typedef struct mmli_transformer_layer {
    mmli_linear query, key, value, out, in, back;
    mmli_norm attention_norm, norm;
} mmli_transformer_layer;

typedef struct mmli_transformer {
    mmli_transformer_layer *layers; /* (o.depth) */
    mmli_linear gate, score, rho;
    size_t width, heads;
} mmli_transformer;

/* Width o.width, o.self_heads heads, feed-forward o.hidden. Nothing when the status has failed. */
mmli_transformer mmli_declare_transformer(mmli_declaring *to, const char *name);
/* rows of `groups` (G segments) -> one vector each (G, width) */
mmli_var *mmli_apply_transformer(const mmli_baseline_pass *p, const mmli_transformer *t, const mml_baseline_options *o,
                                 mmli_var *rows, const mmli_ragged *groups, uint64_t key);

#endif
