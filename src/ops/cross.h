/* cross.h - cross-attention of a latent to tokens: the ways to compute it, and which is the cheapest. */
#ifndef MMLI_OPS_CROSS_H
#define MMLI_OPS_CROSS_H

#include "ops/ops.h"

typedef struct mmli_cross {
    mmli_var *latent; /* normalised: (c, d) when shared by all samples, else (P c, d) */
    mmli_var *tokens; /* (T, w): mmli_op_normalise of the context, or itself where the plan has pieces */
    mmli_var *gamma, *beta;       /* (1, w): LayerNorm of the context */
    mmli_var *query, *key, *value; /* (H e, d), (H e, w), (H e, w) */
    mmli_var *out, *bias;         /* (d, H e), (1, d) */
    size_t c, H;
    float scale;
    bool shared;
} mmli_cross;

typedef struct mmli_cross_shape {
    size_t segs, tokens, c, d, w, H, e; /* P, T; d columns of the latent, w of the tokens */
    bool shared, record, tokens_need;   /* gradients are wanted; also of the tokens */
    bool whole;                         /* the tokens are there normalised */
} mmli_cross_shape;

/* Few enough to be normalised and projected in one piece, once for all steps? A function of tokens, w, H and e. */
bool mmli_cross_is_whole(const mmli_cross_shape *shape);

typedef struct mmli_cross_plan {
    bool folded;            /* tokens are keys and values themselves */
    bool pair_in, pair_out; /* folded: weights are multiplied with each other first */
    size_t piece;           /* 0: whole; else tokens are normalised and projected so many at a time (ops/pieces.h) */
} mmli_cross_plan;

/* The plan with the fewest operations; a function of the shapes alone. */
mmli_cross_plan mmli_cross_choose(const mmli_cross_shape *shape);

/* x^ = (x - mean) / sd by row: LayerNorm without weight and bias. */
mmli_var *mmli_op_normalise(mmli_tape *tape, mmli_var *x);

/* The weights that tokens get, mean over heads and rows of the latent: (T) on the host, sum 1 in each segment, in the memory of
 * the tape (ops/pieces.h). x->tokens are not normalised, value, out and bias not used. */
const float *mmli_cross_weights(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, size_t e);

/* A Wo + bo for the P samples that have tokens: (P c, d) */
mmli_var *mmli_op_cross(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, const mmli_cross_plan *plan);

#endif
