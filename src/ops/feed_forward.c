/* feed_forward.c - the residual feed-forward: x + drop(W2 (a * SELU(g)) + b2), [a g] = W1 LN(x) + b1 (method.md 2). */
#include "ops/internal.h"

static mmli_ff kernel_of(mmli_var *const in[7], float p, uint64_t key, size_t before)
{
    return (mmli_ff){.gamma = in[1]->data, .beta = in[2]->data, .w1 = in[3]->data, .b1 = in[4]->data,
                     .w2 = in[5]->data, .b2 = in[6]->data, .d = in[5]->rows, .f = in[5]->cols,
                     .eps = MMLI_NORM_EPS, .p = p, .key = key, .first = before * in[5]->rows};
}

static mml_status feed_forward_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ff ff = kernel_of(n->in, n->f[0], n->key, n->n[0]);
    mmli_mem *g[7];
    mmli_ff_grad grad = {0};

    for (size_t i = 1; i < 7; i++)
        grad.add = grad.add || mmli_tape_reached(n->in[i]);
    for (size_t i = 1; i < 7; i++)
        g[i] = grad.add ? mmli_tape_grad(tape, n->in[i]) : mmli_tape_grad_first(tape, n->in[i], &(bool){false});
    grad.dx = mmli_tape_grad_over(tape, n->in[0], n->out[0]->grad, &grad.add_x); /* dx begins with dy */
    grad.gamma = g[1], grad.beta = g[2], grad.w1 = g[3], grad.b1 = g[4], grad.w2 = g[5], grad.b2 = g[6];
    if (mmli_tape_ok(tape))
        MMLI_BACK(tape, feed_forward_grad, &grad, n->in[0]->data, n->out[0]->grad, &ff, n->in[0]->rows);
    return mmli_tape_status(tape);
}

/* The same as ops of their own. */
static mmli_var *chain(mmli_tape *tape, mmli_var *x, const mmli_ff_vars *v, float p, uint64_t key, size_t before)
{
    mmli_var *y = mmli_op_layernorm(tape, x, v->gamma, v->beta);

    y = mmli_op_gate(tape, mmli_op_linear(tape, y, v->w1, v->b1), MMLI_GATE_SELU);
    y = mmli_op_linear(tape, y, v->w2, v->b2);
    return mmli_op_add(tape, x, mmli_op_dropout_part(tape, y, p, key, before));
}

mmli_var *mmli_op_feed_forward_part(mmli_tape *tape, mmli_var *x, const mmli_ff_vars *v, float p, uint64_t key, size_t before)
{
    mmli_var *const in[7] = {x, v->gamma, v->beta, v->w1, v->b1, v->w2, v->b2};
    bool need = false;
    mmli_var *y;
    mmli_node *n;
    mmli_ff ff;

    for (size_t i = 0; i < 7; i++) {
        if (!in[i])
            return NULL;
        need = need || in[i]->need;
    }
    if (!mmli_tape_ok(tape))
        return NULL;
    if (x->cols != v->w1->cols || x->cols != v->w2->rows || mmli_size(v->gamma) != x->cols || mmli_size(v->beta) != x->cols)
        return mmli_shape_error(tape, "feed-forward", x, v->w1);
    if (v->w1->rows != 2 * v->w2->cols || mmli_size(v->b1) != v->w1->rows || mmli_size(v->b2) != v->w2->rows)
        return mmli_shape_error(tape, "feed-forward (hidden units)", v->w1, v->w2);
    if (mmli_size(v->w1) + mmli_size(v->w2) > MMLI_FF_FUSED)
        return chain(tape, x, v, p, key, before);
    ff = kernel_of(in, mmli_tape_training(tape) && p > 0 ? p : 0, key, before);
    y = mmli_tape_var(tape, x->rows, x->cols, need);
    if (!y || !MMLI_RUN(tape, feed_forward, y->data, x->data, &ff, x->rows))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, feed_forward_back))) {
        for (size_t i = 0; i < 7; i++)
            n->in[i] = in[i];
        n->out[0] = y;
        n->f[0] = ff.p;
        n->key = key;
        n->n[0] = before;
    }
    return y;
}
