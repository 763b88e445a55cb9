/* pieces.h - attention to tokens that are normalised and projected piece by piece, so that beside the tokens themselves there
 * is memory for one piece, however many they are. */
#ifndef MMLI_OPS_PIECES_H
#define MMLI_OPS_PIECES_H

#include "ops/ops.h"

typedef struct mmli_pieces {
    mmli_var *query;       /* (c, H e) when shared, else (P c, H e) */
    mmli_var *tokens;      /* (T, w); may be a stream (tape.h) when nothing is recorded */
    mmli_var *key, *value; /* (H e, w); both NULL: normalised tokens are keys and values themselves, H e = w */
    size_t c, H;
    float scale;
    bool shared;  /* the same queries for all samples */
    size_t piece; /* tokens of a piece, at most; >= 1 */
} mmli_pieces;

/* With x^ the tokens normalised by row (mmli_op_normalise): mmli_op_attention of the queries to keys x^ Wk^T and values
 * x^ Wv^T. (P c, H e) */
mmli_var *mmli_op_attention_pieces(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged);

/* The weights of the tokens, mean over the c queries of a sample and the H heads of each: (T) floats on the host, in the
 * memory of the tape; in each segment they sum to 1. value is not used. The tokens are read twice: for the denominators, then
 * for the weights. Not in a pass that records. NULL: the tape has failed. */
const float *mmli_attention_weights(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged);

/* Rows first .. first + n - 1 of a variable, on the device: part of its memory or, of a stream, read into memory of the tape,
 * while `next` more may be read ahead. NULL: the tape has failed. */
mmli_mem *mmli_piece_rows(mmli_tape *tape, const mmli_var *x, size_t first, size_t n, size_t next);

#endif
