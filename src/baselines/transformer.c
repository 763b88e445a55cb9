/* transformer.c - in each layer, within the rows x of a sample (Vaswani et al. 2017, post-norm as torch.nn.TransformerEncoderLayer):
 *
 *     x = LN(x + drop(MHA(x)))
 *     x = LN(x + drop(W2 drop(ReLU(W1 x + b1)) + b2))
 *
 * then their mean weighted by gated attention, s = softmax of c . (tanh(A x) * sigmoid(B x)), v = drop(ReLU(R sum s x + r)).
 * Keys have no bias: it would add the same to all scores of a query. */
#include "baselines/transformer.h"

#include <math.h>

#include "util/rng.h"

mmli_transformer mmli_declare_transformer(mmli_declaring *to, const char *name)
{
    const mml_baseline_options *o = &to->b->o;
    const size_t w = o->width;
    mmli_transformer t = {.width = w, .heads = o->self_heads};

    t.layers = mmli_declare_memory(to, o->depth, sizeof *t.layers);
    for (size_t i = 0; t.layers && i < o->depth; i++)
        t.layers[i] = (mmli_transformer_layer){
            .query = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "%s.%zu.query", name, i),
            .key = mmli_declare_linear(to, w, w, 0, 0, "%s.%zu.key", name, i),
            .value = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "%s.%zu.value", name, i),
            .out = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "%s.%zu.out", name, i),
            .attention_norm = mmli_declare_norm(to, w, "%s.%zu.attention_norm", name, i),
            .in = mmli_declare_linear(to, o->hidden, w, 0, MMLI_BIAS, "%s.%zu.in", name, i),
            .back = mmli_declare_linear(to, w, o->hidden, 0, MMLI_BIAS, "%s.%zu.back", name, i),
            .norm = mmli_declare_norm(to, w, "%s.%zu.norm", name, i)};
    t.gate = mmli_declare_linear(to, 2 * w, w, 0, MMLI_BIAS, "%s.gate", name);
    t.score = mmli_declare_linear(to, 1, w, 0, 0, "%s.score", name);
    t.rho = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "%s.rho", name);
    return t;
}

static mmli_var *layer(const mmli_baseline_pass *p, const mmli_transformer *t, const mmli_transformer_layer *l, mmli_var *x,
                       const mmli_ragged *groups, float drop, uint64_t key)
{
    const float scale = 1.0f / sqrtf((float)(t->width / t->heads));
    mmli_var *q = mmli_apply_linear(p, l->query, x), *k = mmli_apply_linear(p, l->key, x), *v = mmli_apply_linear(p, l->value, x);
    mmli_var *y = mmli_op_attention(p->tape, q, k, v, groups, 0, t->heads, scale, MMLI_QUERY_RAGGED);

    y = mmli_op_dropout(p->tape, mmli_apply_linear(p, l->out, y), drop, mmli_rng_key(key, "attention", 0));
    x = mmli_apply_norm(p, l->attention_norm, mmli_op_add(p->tape, y, x));
    y = mmli_op_act(p->tape, mmli_apply_linear(p, l->in, x), MMLI_ACT_RELU);
    y = mmli_apply_linear(p, l->back, mmli_op_dropout(p->tape, y, drop, mmli_rng_key(key, "hidden", 0)));
    y = mmli_op_dropout(p->tape, y, drop, mmli_rng_key(key, "feed-forward", 0));
    return mmli_apply_norm(p, l->norm, mmli_op_add(p->tape, y, x));
}

mmli_var *mmli_apply_transformer(const mmli_baseline_pass *p, const mmli_transformer *t, const mml_baseline_options *o,
                                 mmli_var *rows, const mmli_ragged *groups, uint64_t key)
{
    const float drop = (float)o->dropout;
    mmli_var *s;

    for (size_t i = 0; i < o->depth; i++)
        rows = layer(p, t, &t->layers[i], rows, groups, drop, mmli_rng_key(key, "layer", i));
    s = mmli_apply_linear(p, t->score, mmli_op_gate(p->tape, mmli_apply_linear(p, t->gate, rows), MMLI_GATE_TANH_SIGMOID));
    rows = mmli_op_segment_sum(p->tape, mmli_op_segment_softmax(p->tape, s, groups), rows, groups);
    rows = mmli_op_act(p->tape, mmli_apply_linear(p, t->rho, rows), MMLI_ACT_RELU);
    return mmli_op_dropout(p->tape, rows, drop, mmli_rng_key(key, "rho", 0));
}
