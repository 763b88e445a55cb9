/* block.h - LegoBlock: an encoder and a latent that reads its tokens (method.md 2). */
#ifndef MMLI_LEGO_BLOCK_H
#define MMLI_LEGO_BLOCK_H

#include "mmlego/model.h"
#include "nn/encoder.h"
#include "nn/params.h"
#include "ops/cross.h"

/* Indices of the parameters of one step. */
typedef struct mmli_step {
    size_t query_norm_w, query_norm_b, context_norm_w, context_norm_b;
    size_t query, key, value, out_w, out_b;
    size_t ff_norm_w, ff_norm_b, ff_in_w, ff_in_b, ff_out_w, ff_out_b;
    size_t raw_norm_w, raw_norm_b, raw_in_w, raw_in_b, raw_out_w, raw_out_b; /* with o.raw_layers */
} mmli_step;

typedef struct mmli_head {
    size_t norm_w, norm_b, linear_w, linear_b;
} mmli_head;

typedef struct mmli_block {
    mml_block_options o; /* o.custom points to custom_name */
    char *custom_name;
    size_t outputs;
    mmli_encoder encoder;
    size_t latent;
    mmli_step *steps; /* (o.steps); equal entries when shared */
    mmli_head head;
    bool no_shortcuts; /* tests: every exact shortcut is taken the long way (FFT elision, one-token attention, shared
                          start state, projections folded) */
    const mmli_cross_plan *plan; /* tests: instead of the cheapest plan of attention; else NULL */
} mmli_block;

/* Declares all parameters of a block for tokens of width `in` under prefix. head_gain < 0: head starts as
 * torch.nn.Linear; else N(0, head_gain^2), bias 0. MML_E_ARG names the option at fault. */
mml_status mmli_block_declare(mmli_block *block, mmli_params *params, const char *prefix, const mml_block_options *o,
                              size_t in, size_t outputs, float head_gain, const mml_encoder *custom);
void mmli_block_clear(mmli_block *block);
mml_status mmli_head_declare(mmli_head *head, mmli_params *params, const char *prefix, size_t d, size_t outputs, float gain);
/* Checks ranges and combinations of options; message names the option. */
mml_status mmli_block_options_check(const mml_block_options *o);

/* The state of a latent between steps: z as one (c, d) array for all samples while `shared`, else (B c, d).
 * spatial: the inverse transform has been made (only when something between steps needs the spatial latent). */
typedef struct mmli_state {
    mmli_complex z; /* im NULL = 0 */
    bool re_shared, im_shared;
    bool spatial;
    size_t samples; /* B */
} mmli_state;

/* State before the first step, from a latent parameter. */
mmli_state mmli_state_start(mmli_tape *tape, const mmli_bound *bound, size_t latent, size_t samples);
/* The state in the domain the steps work in: the forward transform, when it is still due. */
mmli_state mmli_state_enter(mmli_tape *tape, const mml_block_options *o, mmli_state state);
/* The other way: the spatial latent, complex. */
mmli_state mmli_state_leave(mmli_tape *tape, const mml_block_options *o, mmli_state state);

/* What the steps attend to. */
typedef struct mmli_context {
    mmli_var *tokens; /* encoder output h, (T', w) */
    mmli_var *normal; /* the same normalised, where several tokens of a sample are attended to, by all steps; else NULL */
    bool pieces;      /* several, but too many for that: every step normalises them piece by piece */
    mmli_ragged ragged;
} mmli_context;
/* That of step s from that of the step before (not read when s = 0): the same, unless the encoder runs anew in every step
 * (o.encoder_each_step, in training). */
mmli_context mmli_block_context(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, size_t s,
                                const mmli_context *before, mmli_var *x, const mmli_ragged *ragged, uint64_t key);
/* Step s; samples without tokens keep their state. key: stream of this block's dropout in this pass. */
mmli_state mmli_block_step(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, size_t s,
                           const mmli_context *context, mmli_state state, uint64_t key);
/* All steps from `state`. NULL tokens (no sample has the modality): the state itself. */
mmli_state mmli_block_run(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, mmli_var *x,
                          const mmli_ragged *ragged, mmli_state state, uint64_t key);
/* The final state as per-sample frequency-domain pair (B c, d): what merge reads. im never NULL. */
mmli_complex mmli_state_full(mmli_tape *tape, const mml_block_options *o, mmli_state state);
/* logits (B, k) = Wh LN(mean over c of R) + bh; the state must have been entered */
mmli_var *mmli_head_apply(mmli_tape *tape, const mmli_bound *bound, const mmli_head *head, mmli_state state, size_t c);

#endif
