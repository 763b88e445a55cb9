/* segments.c - what reduces over the tokens of a sample: softmax, sums, attention, the token DFT. */
#include "ops/internal.h"

static mmli_node *record(mmli_tape *tape, mml_status (*back)(mmli_tape *, mmli_node *), mmli_var *y, mmli_var *x,
                         const mmli_ragged *ragged)
{
    mmli_node *n = y->need ? mmli_tape_node(tape, back) : NULL;

    if (n) {
        n->in[0] = x;
        n->out[0] = y;
        n->ptr = mmli_ragged_keep(tape, ragged);
    }
    return n;
}

static bool fits(mmli_tape *tape, const char *op, const mmli_var *x, const mmli_ragged *ragged)
{
    if (x->rows == ragged->tokens)
        return true;
    mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "%s: %zu rows for %zu tokens", op, x->rows, ragged->tokens));
    return false;
}

static mml_status softmax_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    const mmli_var *y = n->out[0];
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, segment_softmax_grad, dx, y->data, y->grad, r->off_dev, r->segs, y->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_segment_softmax(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape) || !fits(tape, "segment softmax", x, ragged))
        return NULL;
    y = mmli_tape_var(tape, x->rows, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, segment_softmax, y->data, x->data, ragged->off_dev, ragged->segs, x->cols))
        return NULL;
    record(tape, softmax_back, y, x, ragged);
    return mmli_tape_ok(tape) ? y : NULL;
}

static mml_status sum_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    mmli_var *x = n->in[0], *w = n->in[1];
    mmli_mem *dx = mmli_tape_grad(tape, x), *dw = w ? mmli_tape_grad(tape, w) : NULL;

    if (dx || dw)
        MMLI_BACK(tape, segment_sum_grad, dw, dx, w ? w->data : NULL, x->data, n->out[0]->grad, r->off_dev, r->segs,
                  x->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_segment_sum(mmli_tape *tape, mmli_var *w, mmli_var *x, const mmli_ragged *ragged)
{
    mmli_var *y;
    mmli_node *n;

    if (!x || !mmli_tape_ok(tape) || !fits(tape, "segment sum", x, ragged))
        return NULL;
    if (w && mmli_size(w) != x->rows)
        return mmli_shape_error(tape, "segment sum (weights)", w, x);
    y = mmli_tape_var(tape, ragged->segs, x->cols, x->need || (w && w->need));
    if (!y || !MMLI_RUN(tape, segment_sum, y->data, w ? w->data : NULL, x->data, ragged->off_dev, ragged->segs, x->cols))
        return NULL;
    if ((n = record(tape, sum_back, y, x, ragged)))
        n->in[1] = w;
    return mmli_tape_ok(tape) ? y : NULL;
}

static mml_status mean_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, segment_mean_grad, dx, n->out[0]->grad, r->off_dev, r->segs, n->in[0]->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_segment_mean(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape) || !fits(tape, "segment mean", x, ragged))
        return NULL;
    y = mmli_tape_var(tape, ragged->segs, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, segment_mean, y->data, x->data, ragged->off_dev, ragged->segs, x->cols))
        return NULL;
    record(tape, mean_back, y, x, ragged);
    return mmli_tape_ok(tape) ? y : NULL;
}

static mml_status dft_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    mmli_mem *dx = mmli_tape_grad(tape, n->in[0]);

    if (dx)
        MMLI_BACK(tape, segment_dft_real_grad, dx, n->out[0]->grad, r->off_dev, r->off, r->segs, n->in[0]->cols);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_segment_dft_real(mmli_tape *tape, mmli_var *x, const mmli_ragged *ragged)
{
    mmli_var *y;

    if (!x || !mmli_tape_ok(tape) || !fits(tape, "token DFT", x, ragged))
        return NULL;
    if (ragged->single)
        return x; /* the DFT of one value is that value */
    y = mmli_tape_var(tape, x->rows, x->cols, x->need);
    if (!y || !MMLI_RUN(tape, segment_dft_real, y->data, x->data, ragged->off_dev, ragged->off, ragged->segs, x->cols))
        return NULL;
    record(tape, dft_back, y, x, ragged);
    return mmli_tape_ok(tape) ? y : NULL;
}

/* n: 0 c, 1 H, 2 e; f: 0 scale; mem: 0 lse */
static mml_status attention_back(mmli_tape *tape, mmli_node *n)
{
    const mmli_ragged *r = n->ptr;
    mmli_var *q = n->in[0], *k = n->in[1], *v = n->in[2];
    mmli_mem *dq = mmli_tape_grad(tape, q), *dk = mmli_tape_grad(tape, k), *dv = mmli_tape_grad(tape, v);

    if (dq || dk || dv)
        MMLI_BACK(tape, attention_grad, dq, dk, dv, n->out[0]->data, n->mem[0], q->data, k->data, v->data,
                  n->out[0]->grad, r->off_dev, r->segs, n->n[0], n->n[1], n->n[2], n->f[0], (mmli_query)n->kind, false);
    return mmli_tape_status(tape);
}

mmli_var *mmli_op_attention(mmli_tape *tape, mmli_var *q, mmli_var *k, mmli_var *v, const mmli_ragged *ragged, size_t c,
                            size_t H, float scale, mmli_query mode)
{
    size_t rows, expected, e;
    mmli_var *o;
    mmli_mem *lse;
    mmli_node *n;

    if (!q || !k || !v || !mmli_tape_ok(tape) || !fits(tape, "attention", k, ragged))
        return NULL;
    if (k->cols != v->cols || k->rows != v->rows || q->cols != k->cols)
        return mmli_shape_error(tape, "attention", q, k);
    rows = mode == MMLI_QUERY_RAGGED ? ragged->tokens : ragged->segs * c;
    expected = mode == MMLI_QUERY_SHARED ? c : rows;
    if (q->rows != expected || H == 0 || k->cols % H)
        return mmli_shape_error(tape, "attention (queries)", q, k);
    e = k->cols / H;
    o = mmli_tape_var(tape, rows, k->cols, q->need || k->need || v->need);
    lse = mmli_tape_mem(tape, rows * H * sizeof(float));
    if (!o || !lse ||
        !MMLI_RUN(tape, attention, o->data, lse, q->data, k->data, v->data, ragged->off_dev, ragged->segs, c, H, e, scale,
                  mode))
        return NULL;
    if ((n = record(tape, attention_back, o, q, ragged))) {
        n->in[1] = k;
        n->in[2] = v;
        n->mem[0] = lse;
        n->n[0] = c;
        n->n[1] = H;
        n->n[2] = e;
        n->f[0] = scale;
        n->kind = (int)mode;
    }
    return mmli_tape_ok(tape) ? o : NULL;
}
