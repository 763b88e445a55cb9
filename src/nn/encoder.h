/* encoder.h - encoders g_m: tokens (T, in) -> tokens (T', width) (method.md 5). */
#ifndef MMLI_NN_ENCODER_H
#define MMLI_NN_ENCODER_H

#include "mmlego/model.h"
#include "nn/params.h"
#include "ops/ops.h"

enum { MMLI_ENCODER_MAX_PARAMS = 16 };

typedef struct mmli_encoder {
    mml_encoder_kind kind;
    size_t in, width; /* of tokens before and after */
    size_t hidden, layers;
    float dropout;
    size_t heads, head_width, limit; /* selfattn */
    size_t *p;                       /* indices of its parameters */
    size_t n_p;
    const mml_encoder *custom; /* borrowed */
    size_t piece;              /* tests: of a stream, tokens that abmil takes at a time; else 0 */
} mmli_encoder;

/* Declares the parameters "encoder.*" under prefix. MML_E_ARG / MML_E_NOT_FOUND for bad options. */
mml_status mmli_encoder_declare(mmli_encoder *enc, mmli_params *params, const char *prefix, const mml_block_options *o,
                                size_t in, const mml_encoder *custom);
/* ABMIL with a hidden layer of o->encoder_width and vectors of width `out`, which need not be half of it. */
mml_status mmli_encoder_declare_abmil(mmli_encoder *enc, mmli_params *params, const char *prefix, const mml_block_options *o,
                                      size_t in, size_t out);
void mmli_encoder_clear(mmli_encoder *enc);
/* *out_ragged describes the tokens given (x itself for `none`). key: stream of its dropout. */
mmli_var *mmli_encode(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                      const mmli_ragged *ragged, mmli_ragged *out_ragged, uint64_t key);

#endif
