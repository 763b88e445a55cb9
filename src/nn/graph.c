/* graph.c - the public tensor operations of custom encoders: the tape's, checked. */
#include "nn/graph.h"

#include "util/error.h"
#include "util/rng.h"

mml_var *mml_graph_param(mml_graph *graph, size_t i)
{
    if (i < graph->enc->n_p)
        return mmli_p(graph->bound, graph->enc->p[i]);
    mmli_tape_fail(graph->tape, mmli_fail(MML_E_ARG, "custom encoder %s asks for parameter %zu of %zu",
                                          graph->enc->custom->name, i, graph->enc->n_p));
    return NULL;
}

size_t mml_var_rows(const mml_var *x)
{
    return x ? x->rows : 0;
}

size_t mml_var_cols(const mml_var *x)
{
    return x ? x->cols : 0;
}

mml_var *mml_op_linear(mml_graph *graph, mml_var *x, mml_var *w, mml_var *bias)
{
    return mmli_op_linear(graph->tape, x, w, bias);
}

mml_var *mml_op_add(mml_graph *graph, mml_var *a, mml_var *b)
{
    return mmli_op_add(graph->tape, a, b);
}

mml_var *mml_op_mul(mml_graph *graph, mml_var *a, mml_var *b)
{
    return mmli_op_mul(graph->tape, a, b);
}

mml_var *mml_op_relu(mml_graph *graph, mml_var *x)
{
    return mmli_op_act(graph->tape, x, MMLI_ACT_RELU);
}

mml_var *mml_op_elu(mml_graph *graph, mml_var *x)
{
    return mmli_op_act(graph->tape, x, MMLI_ACT_ELU);
}

mml_var *mml_op_selu(mml_graph *graph, mml_var *x)
{
    return mmli_op_act(graph->tape, x, MMLI_ACT_SELU);
}

mml_var *mml_op_tanh(mml_graph *graph, mml_var *x)
{
    return mmli_op_act(graph->tape, x, MMLI_ACT_TANH);
}

mml_var *mml_op_sigmoid(mml_graph *graph, mml_var *x)
{
    return mmli_op_act(graph->tape, x, MMLI_ACT_SIGMOID);
}

mml_var *mml_op_layernorm(mml_graph *graph, mml_var *x, mml_var *gamma, mml_var *beta)
{
    return mmli_op_layernorm(graph->tape, x, gamma, beta);
}

/* Rows of the batch before x: one a token, or one a segment. */
static size_t before(const mml_graph *graph, const mml_var *x)
{
    const mmli_ragged *r = graph->ragged;

    return !x ? 0 : x->rows == r->tokens ? r->tokens_before : x->rows == r->segs ? r->segs_before : 0;
}

mml_var *mml_op_dropout(mml_graph *graph, mml_var *x, double p)
{
    if (!(p >= 0.0 && p < 1.0)) {
        mmli_tape_fail(graph->tape, mmli_fail(MML_E_ARG, "dropout probability %g is not in [0, 1)", p));
        return NULL;
    }
    return mmli_op_dropout_part(graph->tape, x, (float)p, mmli_rng_key(graph->key, "custom", graph->calls++), before(graph, x));
}

mml_var *mml_op_segment_softmax(mml_graph *graph, mml_var *x)
{
    return mmli_op_segment_softmax(graph->tape, x, graph->ragged);
}

mml_var *mml_op_segment_sum(mml_graph *graph, mml_var *w, mml_var *x)
{
    return mmli_op_segment_sum(graph->tape, w, x, graph->ragged);
}

mml_var *mml_op_segment_mean(mml_graph *graph, mml_var *x)
{
    return mmli_op_segment_mean(graph->tape, x, graph->ragged);
}
