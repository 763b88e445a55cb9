/* rows.c - copying, spreading and averaging rows; taking and putting the samples that have tokens. */
#include "ops/internal.h"

static mmli_var *finish(mmli_tape *tape, mmli_var *y, mmli_var *x, mml_status (*back)(mmli_tape *, mmli_node *),
                        size_t len)
{
    mmli_node *n;

    if (y->need && (n = mmli_tape_node(tape, back))) {
        n->in[0] = x;
        n->out[0] = y;
        n->n[0] = len;
    }
    return mmli_tape_ok(tape) ? y : NULL;
}

/* Everything that used the view has been walked by now: its gradient can be had. */
static mml_status view_back(mmli_tape *tape, mmli_node *n)
{
    return mmli_tape_pass(tape, n->in[0], n->out[0]->grad);
}

mmli_var *mmli_op_view(mmli_tape *tape, mmli_var *x, size_t rows, size_t cols)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    if (rows * cols != mmli_size(x)) {
        mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "view: (%zu, %zu) as (%zu, %zu)", x->rows, x->cols, rows, cols));
        return NULL;
    }
    y = mmli_tape_wrap(tape, x->data, NULL, rows, cols, x->need);
    return y ? finish(tape, y, x, view_back, 0) : NULL;
}

mmli_var *mmli_op_zeros(mmli_tape *tape, size_t rows, size_t cols)
{
    mmli_var *y = mmli_tape_var(tape, rows, cols, false);

    return y && MMLI_RUN(tape, fill, y->data, mmli_size(y), 0.0f) ? y : NULL;
}

static mml_status repeat_back(mmli_tape *tape, mmli_node *n)
{
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, col_sum_grad, dx, n->out[0]->grad, n->n[0], mmli_size(n->in[0]));
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_repeat(mmli_tape *tape, mmli_var *x, size_t groups)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    y = mmli_tape_var(tape, groups * x->rows, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, repeat, y->data, x->data, groups, mmli_size(x)))
        return NULL;
    return finish(tape, y, x, repeat_back, groups);
}

static mml_status spread_back(mmli_tape *tape, mmli_node *n)
{
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, spread_grad, dx, n->out[0]->grad, n->in[0]->rows, n->n[0], n->in[0]->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_spread(mmli_tape *tape, mmli_var *x, size_t len)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    y = mmli_tape_var(tape, x->rows * len, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, spread, y->data, x->data, x->rows, len, x->cols))
        return NULL;
    return finish(tape, y, x, spread_back, len);
}

static mml_status group_mean_back(mmli_tape *tape, mmli_node *n)
{
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, group_mean_grad, dx, n->out[0]->grad, n->out[0]->rows, n->n[0], n->out[0]->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_group_mean(mmli_tape *tape, mmli_var *x, size_t len)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    if (len == 0 || x->rows % len)
        return mmli_shape_error(tape, "group mean", x, x);
    y = mmli_tape_var(tape, x->rows / len, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, group_mean, y->data, x->data, y->rows, len, y->cols))
        return NULL;
    return finish(tape, y, x, group_mean_back, len);
}

static mml_status take_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, scatter_grad, dx, n->out[0]->grad, r->idx_dev, r->segs, n->n[0]);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_take(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged, size_t len)
{
    mmli_var *y;
    mmli_node *n;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    if (!ragged->idx_dev)
        return x; /* every sample has tokens */
    if (x->rows != ragged->samples * len)
        return mmli_shape_error(tape, "take", x, x);
    y = mmli_tape_var(tape, ragged->segs * len, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, gather, y->data, x->data, ragged->idx_dev, ragged->segs, len * x->cols))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, take_back))) {
        n->in[0] = x;
        n->out[0] = y;
        n->n[0] = len * x->cols;
        n->ptr = mmli_ragged_keep(tape, ragged);
    }
    return mmli_tape_ok(tape) ? y : NULL;
}

/* dbase += dy where base was kept; dx += dy where x was put */
static mml_status put_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    const mmli_var *y = n->out[0];
    const size_t block = n->n[0];
    mmli_mem *dbase = mmli_tape_grad(tape, n->in[0]), *dx = mmli_tape_grad(tape, n->in[1]);

    if (dbase) {
        mmli_mem *rest = mmli_tape_mem(tape, mmli_size(y) * sizeof(float));
        mmli_mem *zero = mmli_tape_mem(tape, r->segs * block * sizeof(float));
        if (!rest || !zero)
            return mmli_tape_status(tape);
        MMLI_BACK(tape, copy, rest, y->grad, mmli_size(y) * sizeof(float));
        MMLI_BACK(tape, fill, zero, r->segs * block, 0.0f);
        MMLI_BACK(tape, scatter, rest, zero, r->idx_dev, r->segs, block);
        MMLI_BACK(tape, axpy, dbase, rest, mmli_size(y), 1.0f);
    }
    if (dx)
        MMLI_BACK(tape, gather_grad, dx, y->grad, r->idx_dev, r->segs, block);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_put(mmli_tape *tape, mmli_var *base, mmli_var *x, const mmli_ragged *ragged, size_t len)
{
    mmli_var *y;
    mmli_node *n;

    if (!base || !x || !mmli_tape_ok(tape))
        return NULL;
    if (!ragged->idx_dev)
        return x; /* every sample is replaced */
    if (base->rows != ragged->samples * len || x->rows != ragged->segs * len || x->cols != base->cols)
        return mmli_shape_error(tape, "put", base, x);
    y = mmli_tape_var(tape, base->rows, base->cols, base->need || x->need);
    if (!y || !MMLI_RUN(tape, copy, y->data, base->data, mmli_size(y) * sizeof(float)) ||
        !MMLI_RUN(tape, scatter, y->data, x->data, ragged->idx_dev, ragged->segs, len * x->cols))
        return NULL;
    if (y->need && (n = mmli_tape_node(tape, put_back))) {
        n->in[0] = base;
        n->in[1] = x;
        n->out[0] = y;
        n->n[0] = len * x->cols;
        n->ptr = mmli_ragged_keep(tape, ragged);
    }
    return mmli_tape_ok(tape) ? y : NULL;
}
