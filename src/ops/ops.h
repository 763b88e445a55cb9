/* ops.h - the operations of the tape: each computes now and knows its way back.
 *
 * Shapes as (rows, cols). All give a new variable, or NULL on a failed tape (tape.h).
 */
#ifndef MMLI_OPS_OPS_H
#define MMLI_OPS_OPS_H

#include "ops/ragged.h"
#include "ops/tape.h"

/* ---- elements */
mmli_var *mmli_op_add(mmli_tape *tape, mmli_var *a, mmli_var *b);
mmli_var *mmli_op_mul(mmli_tape *tape, mmli_var *a, mmli_var *b);
/* every row of x (rows, cols) times row (1, cols) */
mmli_var *mmli_op_mul_row(mmli_tape *tape, mmli_var *x, mmli_var *row);
mmli_var *mmli_op_act(mmli_tape *tape, mmli_var *x, mmli_act kind);
/* (rows, 2 f) -> (rows, f) */
mmli_var *mmli_op_gate(mmli_tape *tape, mmli_var *z, mmli_gate kind);
/* x itself when the pass does not train or p = 0. before: rows of the batch that come before x where several devices share it
 * (mmli_ragged), so that the same numbers are drawn for a sample whoever works on it. */
mmli_var *mmli_op_dropout_part(mmli_tape *tape, mmli_var *x, float p, uint64_t key, size_t before);
mmli_var *mmli_op_alpha_dropout_part(mmli_tape *tape, mmli_var *x, float p, uint64_t key, size_t before);
static inline mmli_var *mmli_op_dropout(mmli_tape *tape, mmli_var *x, float p, uint64_t key)
{
    return mmli_op_dropout_part(tape, x, p, key, 0);
}
static inline mmli_var *mmli_op_alpha_dropout(mmli_tape *tape, mmli_var *x, float p, uint64_t key)
{
    return mmli_op_alpha_dropout_part(tape, x, p, key, 0);
}

/* ---- dense */
/* x (rows, in), w (out, in), b (1, out) or NULL */
mmli_var *mmli_op_linear(mmli_tape *tape, mmli_var *x, mmli_var *w, mmli_var *b);
mmli_var *mmli_op_layernorm(mmli_tape *tape, mmli_var *x, mmli_var *gamma, mmli_var *beta);
/* x + drop(W2 (a * SELU(g)) + b2), [a g] = W1 LN(x) + b1: x (rows, d), w1 (2 f, d), w2 (d, f), vectors of these sizes.
 * One kernel, which keeps x alone for the way back, up to MMLI_FF_FUSED weights; beyond, tiles of rows do not pay for
 * reading the weights again and again. */
typedef struct mmli_ff_vars {
    mmli_var *gamma, *beta, *w1, *b1, *w2, *b2;
} mmli_ff_vars;
enum { MMLI_FF_FUSED = 1 << 20 };
mmli_var *mmli_op_feed_forward_part(mmli_tape *tape, mmli_var *x, const mmli_ff_vars *v, float p, uint64_t key, size_t before);
static inline mmli_var *mmli_op_feed_forward(mmli_tape *tape, mmli_var *x, const mmli_ff_vars *v, float p, uint64_t key)
{
    return mmli_op_feed_forward_part(tape, x, v, p, key, 0);
}
/* Products of each of H heads; b (H e, n) has a head every e rows. */
typedef enum mmli_by_head {
    MMLI_BY_HEAD_FORTH = 0, /* a (rows, H e) -> (rows, H n): a_h b_h */
    MMLI_BY_HEAD_BACK,      /* a (rows, H n) -> (rows, H e): a_h b_h^T */
    MMLI_BY_HEAD_PAIR       /* a (H e, m) -> (H m, n): a_h^T b_h */
} mmli_by_head;
mmli_var *mmli_op_by_head(mmli_tape *tape, mmli_var *a, mmli_var *b, size_t H, mmli_by_head kind);

/* ---- groups of rows */
/* The same numbers as (rows, cols); data and gradient are those of x. */
mmli_var *mmli_op_view(mmli_tape *tape, mmli_var *x, size_t rows, size_t cols);
mmli_var *mmli_op_zeros(mmli_tape *tape, size_t rows, size_t cols);
/* x (n, cols) -> (groups n, cols), copies one below another */
mmli_var *mmli_op_repeat(mmli_tape *tape, mmli_var *x, size_t groups);
/* x (groups, cols) -> (groups len, cols), each row len times */
mmli_var *mmli_op_spread(mmli_tape *tape, mmli_var *x, size_t len);
/* x (groups len, cols) -> (groups, cols) */
mmli_var *mmli_op_group_mean(mmli_tape *tape, mmli_var *x, size_t len);
/* blocks of `len` rows of the samples that have tokens: x (B len, cols) -> (P len, cols) */
mmli_var *mmli_op_take(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged, size_t len);
/* base (B len, cols) with the blocks of the samples that have tokens replaced by x (P len, cols) */
mmli_var *mmli_op_put(mmli_tape *tape, mmli_var *base, mmli_var *x, const mmli_ragged *ragged, size_t len);

/* ---- segments */
mmli_var *mmli_op_segment_softmax(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged);
/* w (T, 1) or NULL; x (T, cols) -> (P, cols) */
mmli_var *mmli_op_segment_sum(mmli_tape *tape, mmli_var *w, mmli_var *x, const mmli_ragged *ragged);
mmli_var *mmli_op_segment_mean(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged);
mmli_var *mmli_op_segment_dft_real(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged);
/* q by mode (backend.h), k and v (T, H e) -> (P c, H e), or (T, H e) for ragged queries */
mmli_var *mmli_op_attention(mmli_tape *tape, mmli_var *q, mmli_var *k, mmli_var *v, const mmli_ragged *ragged,
                            size_t c, size_t H, float scale, mmli_query mode);

/* ---- complex latents: pairs of (B c, d); im NULL = 0 */
typedef struct mmli_complex {
    mmli_var *re, *im;
} mmli_complex;
/* Each of the rows/c arrays (c, d). real_only: im of the result is not wanted and is NULL. */
mmli_complex mmli_op_fft(mmli_tape *tape, mmli_complex x, size_t c, int axes, int sign, float scale, bool real_only);
mmli_complex mmli_op_col_normalise(mmli_tape *tape, mmli_complex x, size_t c);

/* ---- losses: set the gradient of the logits and add to *loss (float64 on the device). Arrays (rows) on the host
 * are uploaded; w are weights that already hold the normalisation. Return a status: they end a forward pass. */
mml_status mmli_loss_cross_entropy(mmli_tape *tape, mmli_mem *loss, mmli_var *logits, const int32_t *label, const float *w);
mml_status mmli_loss_survival_nll(mmli_tape *tape, mmli_mem *loss, mmli_var *logits, const int32_t *bin,
                                  const float *event, const float *w, float alpha);
/* time (rows): sorted here */
mml_status mmli_loss_cox(mmli_tape *tape, mmli_mem *loss, mmli_var *risk, const double *time, const float *event, const float *w);
mml_status mmli_loss_squared(mmli_tape *tape, mmli_mem *loss, mmli_var *y, const float *target, const float *w);

#endif
