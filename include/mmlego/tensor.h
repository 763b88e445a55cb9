/* tensor.h - encoders of your own: computed with the library's tensor operations, or by a pair of C
 * functions on plain arrays.
 *
 * A custom encoder turns the tokens of a batch, (T, in), into tokens (T', width) that the latent of a
 * LegoBlock attends to. It is trained with the block, saved in its model (parameters under "encoder."), and
 * found again by name when the model is loaded (mml_model_load).
 *
 * Variables and graphs live for one forward pass: never keep them. An operation on a failed graph, or on a NULL
 * variable, gives NULL; the status is reported when the encoder returns, so a chain of calls needs no checks.
 */
#ifndef MMLEGO_TENSOR_H
#define MMLEGO_TENSOR_H

#include "mmlego/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_graph mml_graph; /**< the operations of one forward pass of one encoder */
typedef struct mml_var mml_var;     /**< a float32 matrix (rows, cols) in a graph */

/** How a parameter starts. */
typedef enum mml_init {
    MML_INIT_ZERO = 0,
    MML_INIT_ONE,
    MML_INIT_UNIFORM_FAN_IN, /**< U(-1/sqrt(cols), 1/sqrt(cols)), as torch.nn.Linear */
    MML_INIT_NORMAL_FAN_IN,  /**< N(0, 1/cols), self-normalising networks */
    MML_INIT_NORMAL          /**< N(0, 1) */
} mml_init;

/** A parameter of a custom encoder. */
typedef struct mml_param_spec {
    const char *name; /**< "w1": becomes "encoder.w1" */
    size_t rows, cols;
    mml_init init;
} mml_param_spec;

typedef struct mml_encoder {
    const char *name; /**< stored in the model. Borrowed for the life of the models that use it, as is all below */
    void *user;       /**< passed to every callback; read by several threads at once */
    /** Width of the tokens given for tokens of width `in`; 0 = cannot (an error is reported). */
    size_t (*width)(void *user, size_t in);
    /** 1 = one token per sample comes out, 0 = one per token that went in. */
    int pools;
    /** The i-th parameter for input width `in`; return 0 past the last. May be NULL: no parameters. */
    int (*param)(void *user, size_t in, size_t i, mml_param_spec *spec);
    /** Way 1: with the operations below; gradients come by themselves. NULL when way 2 is used. */
    mml_var *(*forward)(void *user, mml_graph *graph, mml_var *tokens);
    /**
     * Way 2: on host arrays. `params` are the parameters in order, packed. `x` (T, in), `offsets` (n + 1),
     * `y` (T or n, width) to be filled. Returns 0, or non-zero = failure.
     */
    int (*forward_host)(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                        size_t in, float *y);
    /** Adds into dparams[i] (NULL = frozen) and dx (NULL = not wanted). Needed only for training. */
    int (*backward_host)(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                         size_t in, const float *dy, float *const *dparams, float *dx);
} mml_encoder;

/** The i-th parameter of the encoder as a variable. */
MML_API mml_var *mml_graph_param(mml_graph *graph, size_t i);
MML_API size_t mml_var_rows(const mml_var *x);
MML_API size_t mml_var_cols(const mml_var *x);

/* Operations: x (rows, in), each gives a new variable. Shapes that do not agree fail the graph (MML_E_SHAPE). */
MML_API mml_var *mml_op_linear(mml_graph *graph, mml_var *x, mml_var *w, mml_var *bias); /**< x w^T + bias; bias may be NULL */
MML_API mml_var *mml_op_add(mml_graph *graph, mml_var *a, mml_var *b);
MML_API mml_var *mml_op_mul(mml_graph *graph, mml_var *a, mml_var *b);
MML_API mml_var *mml_op_relu(mml_graph *graph, mml_var *x);
MML_API mml_var *mml_op_elu(mml_graph *graph, mml_var *x);
MML_API mml_var *mml_op_selu(mml_graph *graph, mml_var *x);
MML_API mml_var *mml_op_tanh(mml_graph *graph, mml_var *x);
MML_API mml_var *mml_op_sigmoid(mml_graph *graph, mml_var *x);
MML_API mml_var *mml_op_layernorm(mml_graph *graph, mml_var *x, mml_var *gamma, mml_var *beta);
/** Active in training only; masks are keyed by (seed, step, call number). */
MML_API mml_var *mml_op_dropout(mml_graph *graph, mml_var *x, double p);
/** Softmax over the tokens of each sample, per column. */
MML_API mml_var *mml_op_segment_softmax(mml_graph *graph, mml_var *x);
/** (T, cols) -> (n, cols): sum over the tokens of each sample, weighted by w (T, 1) or NULL. */
MML_API mml_var *mml_op_segment_sum(mml_graph *graph, mml_var *w, mml_var *x);
MML_API mml_var *mml_op_segment_mean(mml_graph *graph, mml_var *x);

#ifdef __cplusplus
}
#endif
#endif
