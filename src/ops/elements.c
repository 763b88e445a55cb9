/* elements.c - sums, products, activations, gates, dropout. */
#include "ops/internal.h"

/* One of the two may go on with the memory of dy, if the other has got its part by then. */
static mml_status add_back(mmli_tape *tape, mmli_node *n)
{
    mmli_mem *dy = n->out[0]->grad, *dx;
    const size_t size = mmli_size(n->out[0]);
    bool add;

    if ((dx = mmli_tape_grad_first(tape, n->in[1], &add)) != NULL) {
        if (add)
            MMLI_BACK(tape, axpy, dx, dy, size, 1.0f);
        else
            MMLI_BACK(tape, scale, dx, dy, size, 1.0f);
    }
    return mmli_tape_pass(tape, n->in[0], dy);
}

mmli_var *mmli_op_add(mmli_tape *tape, mmli_var *a, mmli_var *b)
{
    mmli_var *y;
    mmli_node *n;

    if (!a || !b || !mmli_tape_ok(tape))
        return NULL;
    if (a->rows != b->rows || a->cols != b->cols)
        return mmli_shape_error(tape, "add", a, b);
    y = mmli_tape_var(tape, a->rows, a->cols, a->need || b->need);
    if (!y || !MMLI_RUN(tape, add, y->data, a->data, b->data, mmli_size(y)))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, add_back))) {
        n->in[0] = a;
        n->in[1] = b;
        n->out[0] = y;
    }
    return y;
}

static mml_status mul_back(mmli_tape *tape, mmli_node *n)
{
    for (int i = 0; i < 2; i++) {
        bool add;
        mmli_mem *dx = mmli_tape_grad_first(tape, n->in[i], &add);
        if (dx && add)
            MMLI_BACK(tape, mul_add, dx, n->in[1 - i]->data, n->out[0]->grad, mmli_size(n->out[0]));
        else if (dx)
            MMLI_BACK(tape, mul, dx, n->in[1 - i]->data, n->out[0]->grad, mmli_size(n->out[0]));
    }
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_mul(mmli_tape *tape, mmli_var *a, mmli_var *b)
{
    mmli_var *y;
    mmli_node *n;

    if (!a || !b || !mmli_tape_ok(tape))
        return NULL;
    if (a->rows != b->rows || a->cols != b->cols)
        return mmli_shape_error(tape, "mul", a, b);
    y = mmli_tape_var(tape, a->rows, a->cols, a->need || b->need);
    if (!y || !MMLI_RUN(tape, mul, y->data, a->data, b->data, mmli_size(y)))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, mul_back))) {
        n->in[0] = a;
        n->in[1] = b;
        n->out[0] = y;
    }
    return y;
}

/* dx += dy row, drow += column sums of dy x; products pass through memory of this moment. */
static mml_status mul_row_back(mmli_tape *tape, mmli_node *n)
{
    mmli_var *x = n->in[0], *row = n->in[1];
    const mmli_mem *dy = n->out[0]->grad;
    mmli_mem *dx = mmli_tape_grad(tape, x), *drow = mmli_tape_grad(tape, row);
    const mmli_tape_mark mark = mmli_tape_get_mark(tape);
    mmli_mem *t = dx || drow ? mmli_tape_mem(tape, mmli_size(x) * sizeof(float)) : NULL;

    if (t && dx) {
        MMLI_BACK(tape, repeat, t, row->data, x->rows, x->cols);
        MMLI_BACK(tape, mul_add, dx, t, dy, mmli_size(x));
    }
    if (t && drow) {
        MMLI_BACK(tape, mul, t, dy, x->data, mmli_size(x));
        MMLI_BACK(tape, col_sum_grad, drow, t, x->rows, x->cols);
    }
    mmli_tape_release(tape, mark);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_mul_row(mmli_tape *tape, mmli_var *x, mmli_var *row)
{
    mmli_var *y;
    mmli_node *n;

    if (!x || !row || !mmli_tape_ok(tape))
        return NULL;
    if (mmli_size(row) != x->cols)
        return mmli_shape_error(tape, "mul by a row", x, row);
    y = mmli_tape_var(tape, x->rows, x->cols, x->need || row->need);
    if (!y || !MMLI_RUN(tape, repeat, y->data, row->data, x->rows, x->cols) ||
        !MMLI_RUN(tape, mul, y->data, y->data, x->data, mmli_size(x)))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, mul_row_back))) {
        n->in[0] = x;
        n->in[1] = row;
        n->out[0] = y;
    }
    return y;
}

static mml_status act_back(mmli_tape *tape, mmli_node *n)
{
    bool add;
    mmli_mem *dx = mmli_tape_grad_over(tape, n->in[0], n->out[0]->grad, &add);

    if (dx)
        MMLI_BACK(tape, act_grad, dx, n->out[0]->data, n->out[0]->grad, mmli_size(n->out[0]), (mmli_act)n->kind, add);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_act(mmli_tape *tape, mmli_var *x, mmli_act kind)
{
    mmli_var *y;
    mmli_node *n;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    if (kind == MMLI_ACT_IDENTITY)
        return x;
    y = mmli_tape_var(tape, x->rows, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, act, y->data, x->data, mmli_size(x), kind))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, act_back))) {
        n->in[0] = x;
        n->out[0] = y;
        n->kind = (int)kind;
    }
    return y;
}

static mml_status gate_back(mmli_tape *tape, mmli_node *n)
{
    bool add;
    mmli_mem *dz = mmli_tape_grad_first(tape, n->in[0], &add);
    const mmli_var *y = n->out[0];

    if (dz)
        MMLI_BACK(tape, gate_grad, dz, n->in[0]->data, y->grad, y->rows, y->cols, (mmli_gate)n->kind, add);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_gate(mmli_tape *tape, mmli_var *z, mmli_gate kind)
{
    mmli_var *y;
    mmli_node *n;

    if (!z || !mmli_tape_ok(tape))
        return NULL;
    if (z->cols % 2)
        return mmli_shape_error(tape, "gate (an even width is needed)", z, z);
    y = mmli_tape_var(tape, z->rows, z->cols / 2, z->need);
    if (!y || !MMLI_RUN(tape, gate, y->data, z->data, y->rows, y->cols, kind))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, gate_back))) {
        n->in[0] = z;
        n->out[0] = y;
        n->kind = (int)kind;
    }
    return y;
}

/* The mask is drawn again on the way back: it is a function of (key, index), so nothing is stored. */
static mml_status dropout_back(mmli_tape *tape, mmli_node *n)
{
    mmli_mem *dx;
    bool add = true;

    dx = n->kind ? mmli_tape_grad(tape, n->in[0]) : mmli_tape_grad_over(tape, n->in[0], n->out[0]->grad, &add);
    if (!dx)
        return mmli_tape_status(tape);
    if (n->kind)
        MMLI_BACK(tape, alpha_dropout_grad, dx, n->out[0]->grad, mmli_size(n->out[0]), n->f[0], n->key, n->n[0]);
    else if (add)
        MMLI_BACK(tape, dropout_grad, dx, n->out[0]->grad, mmli_size(n->out[0]), n->f[0], n->key, n->n[0]);
    else /* linear: the gradient is the map itself */
        MMLI_BACK(tape, dropout, dx, n->out[0]->grad, mmli_size(n->out[0]), n->f[0], n->key, n->n[0]);
    return mmli_tape_status(tape);
}

static mmli_var *drop(mmli_tape *tape, mmli_var *x, float p, uint64_t key, size_t before, int alpha)
{
    mmli_var *y;
    mmli_node *n;
    bool ran;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    if (!mmli_tape_training(tape) || p <= 0.0f)
        return x;
    y = mmli_tape_var(tape, x->rows, x->cols, x->need);
    if (!y)
        return NULL;
    ran = alpha ? MMLI_RUN(tape, alpha_dropout, y->data, x->data, mmli_size(x), p, key, before * x->cols)
                : MMLI_RUN(tape, dropout, y->data, x->data, mmli_size(x), p, key, before * x->cols);
    if (!ran)
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, dropout_back))) {
        n->in[0] = x;
        n->out[0] = y;
        n->f[0] = p;
        n->key = key;
        n->n[0] = before * x->cols;
        n->kind = alpha;
    }
    return y;
}

mmli_var *mmli_op_dropout_part(mmli_tape *tape, mmli_var *x, float p, uint64_t key, size_t before)
{
    return drop(tape, x, p, key, before, 0);
}

mmli_var *mmli_op_alpha_dropout_part(mmli_tape *tape, mmli_var *x, float p, uint64_t key, size_t before)
{
    return drop(tape, x, p, key, before, 1);
}
