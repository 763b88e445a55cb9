/* dense.c - linear maps and LayerNorm. */
#include "ops/internal.h"

/* y = x w^T + b:  dx += dy w,  dw += dy^T x,  db += column sums of dy */
static mml_status linear_back(mmli_tape *tape, mmli_node *n)
{
    mmli_var *x = n->in[0], *w = n->in[1], *b = n->in[2];
    const mmli_mem *dy = n->out[0]->grad;
    const size_t rows = x->rows, in = x->cols, out = w->rows;
    bool add_x, add_w;
    mmli_mem *dx = mmli_tape_grad_first(tape, x, &add_x), *dw = mmli_tape_grad_first(tape, w, &add_w);
    mmli_mem *db = b ? mmli_tape_grad(tape, b) : NULL;

    if (dx)
        MMLI_BACK(tape, gemm, false, false, rows, in, out, 1.0f, dy, out, w->data, in, add_x ? 1.0f : 0.0f, dx, in);
    if (dw)
        MMLI_BACK(tape, gemm, true, false, out, in, rows, 1.0f, dy, out, x->data, in, add_w ? 1.0f : 0.0f, dw, in);
    if (db)
        MMLI_BACK(tape, col_sum_grad, db, dy, rows, out);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_linear(mmli_tape *tape, mmli_var *x, mmli_var *w, mmli_var *b)
{
    mmli_var *y;
    mmli_node *n;

    if (!x || !w || !mmli_tape_ok(tape))
        return NULL;
    if (x->cols != w->cols)
        return mmli_shape_error(tape, "linear", x, w);
    if (b && mmli_size(b) != w->rows)
        return mmli_shape_error(tape, "linear (bias)", b, w);
    y = mmli_tape_var(tape, x->rows, w->rows, x->need || w->need || (b && b->need));
    if (!y || !MMLI_RUN(tape, linear, y->data, x->data, w->data, b ? b->data : NULL, x->rows, x->cols, w->rows))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, linear_back))) {
        n->in[0] = x;
        n->in[1] = w;
        n->in[2] = b;
        n->out[0] = y;
    }
    return y;
}

static mml_status layernorm_back(mmli_tape *tape, mmli_node *n)
{
    mmli_var *x = n->in[0], *gamma = n->in[1], *beta = n->in[2];
    mmli_mem *dx = mmli_tape_grad(tape, x), *dg = mmli_tape_grad(tape, gamma), *db = mmli_tape_grad(tape, beta);

    if (dx || dg || db)
        MMLI_BACK(tape, layernorm_grad, dx, dg, db, x->data, n->mem[0], gamma->data, n->out[0]->grad, x->rows, x->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_layernorm(mmli_tape *tape, mmli_var *x, mmli_var *gamma, mmli_var *beta)
{
    mmli_var *y;
    mmli_mem *stats;
    mmli_node *n;

    if (!x || !gamma || !beta || !mmli_tape_ok(tape))
        return NULL;
    if (mmli_size(gamma) != x->cols || mmli_size(beta) != x->cols)
        return mmli_shape_error(tape, "layernorm", x, gamma);
    y = mmli_tape_var(tape, x->rows, x->cols, x->need || gamma->need || beta->need);
    stats = mmli_tape_mem(tape, 2 * x->rows * sizeof(float));
    if (!y || !stats ||
        !MMLI_RUN(tape, layernorm, y->data, stats, x->data, gamma->data, beta->data, x->rows, x->cols,
                  MMLI_NORM_EPS))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, layernorm_back))) {
        n->in[0] = x;
        n->in[1] = gamma;
        n->in[2] = beta;
        n->out[0] = y;
        n->mem[0] = stats;
    }
    return y;
}
