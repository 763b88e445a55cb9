/* heads.c - products of the heads of two matrices: what folds one projection of attention through another. */
#include "ops/internal.h"

/* The part of head h in a matrix: a band of columns, or of rows. */
typedef struct view {
    mmli_var *x;
    size_t ld, stride; /* elements from row to row, from head to head */
} view;

static view by_columns(mmli_var *x, size_t H)
{
    return (view){x, x->cols, x->cols / H};
}

static view by_rows(mmli_var *x, size_t H)
{
    return (view){x, x->cols, x->rows / H * x->cols};
}

typedef struct product {
    view a, b, y;
    bool ta, tb; /* y_h = op(a_h) op(b_h) */
    size_t H, m, n, k;
} product;

static product product_of(mmli_by_head kind, mmli_var *y, mmli_var *a, mmli_var *b, size_t H)
{
    const size_t e = b->rows / H;
    product p = {.a = by_columns(a, H), .b = by_rows(b, H), .y = by_columns(y, H), .H = H};

    if (kind == MMLI_BY_HEAD_FORTH) {
        p.m = a->rows, p.n = b->cols, p.k = e;
    } else if (kind == MMLI_BY_HEAD_BACK) {
        p.tb = true;
        p.m = a->rows, p.n = e, p.k = b->cols;
    } else {
        p.a = by_rows(a, H), p.y = by_rows(y, H);
        p.ta = true;
        p.m = a->cols, p.n = b->cols, p.k = e;
    }
    return p;
}

static mml_status multiply(mmli_tape *tape, bool ta, bool tb, size_t m, size_t n, size_t k, const view *a,
                           const mmli_mem *a_data, const view *b, const mmli_mem *b_data, float beta, const view *c,
                           mmli_mem *c_data, size_t H)
{
    mmli_device *dv = mmli_tape_device(tape);

    return dv->k.gemm_batched(dv, ta, tb, m, n, k, 1, a_data, a->ld, a->stride, b_data, b->ld, b->stride, beta, c_data,
                              c->ld, c->stride, H);
}

/* y = op(a) op(b):  da = dy op(b)^T,  db = op(a)^T dy, each transposed where its operand was. */
static mml_status heads_back(mmli_tape *tape, mmli_node *node)
{
    const product p = product_of((mmli_by_head)node->kind, node->out[0], node->in[0], node->in[1], node->n[0]);
    const mmli_mem *a = p.a.x->data, *b = p.b.x->data, *dy = p.y.x->grad;
    bool add_a, add_b;
    mmli_mem *da = mmli_tape_grad_first(tape, p.a.x, &add_a), *db = mmli_tape_grad_first(tape, p.b.x, &add_b);
    const float beta_a = add_a ? 1.0f : 0.0f, beta_b = add_b ? 1.0f : 0.0f;
    mml_status st = MML_OK;

    if (da && p.ta)
        MML_TRY(multiply(tape, p.tb, true, p.k, p.m, p.n, &p.b, b, &p.y, dy, beta_a, &p.a, da, p.H));
    else if (da)
        MML_TRY(multiply(tape, false, !p.tb, p.m, p.k, p.n, &p.y, dy, &p.b, b, beta_a, &p.a, da, p.H));
    if (db && p.tb)
        MML_TRY(multiply(tape, true, p.ta, p.n, p.k, p.m, &p.y, dy, &p.a, a, beta_b, &p.b, db, p.H));
    else if (db)
        MML_TRY(multiply(tape, !p.ta, false, p.k, p.n, p.m, &p.a, a, &p.y, dy, beta_b, &p.b, db, p.H));
    st = mmli_tape_status(tape);
out:
    return st;
}

/* Shape of the result; false where the two do not fit. */
static bool result_shape(size_t *rows, size_t *cols, const mmli_var *a, const mmli_var *b, size_t H, mmli_by_head kind)
{
    if (H == 0 || b->rows == 0 || b->rows % H != 0)
        return false;
    *rows = kind == MMLI_BY_HEAD_PAIR ? H * a->cols : a->rows;
    *cols = b->cols;
    switch (kind) {
    case MMLI_BY_HEAD_FORTH:
        *cols = H * b->cols;
        return a->cols == b->rows;
    case MMLI_BY_HEAD_BACK:
        *cols = b->rows;
        return a->cols == H * b->cols;
    case MMLI_BY_HEAD_PAIR:
        return a->rows == b->rows;
    }
    return false;
}

mmli_var *mmli_op_by_head(mmli_tape *tape, mmli_var *a, mmli_var *b, size_t H, mmli_by_head kind)
{
    mmli_var *y;
    mmli_node *node;
    product p;
    size_t rows, cols;

    if (!a || !b || !mmli_tape_ok(tape))
        return NULL;
    if (!result_shape(&rows, &cols, a, b, H, kind))
        return mmli_shape_error(tape, "product of heads", a, b);
    y = mmli_tape_var(tape, rows, cols, a->need || b->need);
    if (!y)
        return NULL;
    p = product_of(kind, y, a, b, H);
    mmli_tape_fail(tape, multiply(tape, p.ta, p.tb, p.m, p.n, p.k, &p.a, a->data, &p.b, b->data, 0, &p.y, y->data, H));
    if (mmli_tape_ok(tape) && y->need && (node = mmli_tape_node(tape, heads_back))) {
        node->in[0] = a;
        node->in[1] = b;
        node->out[0] = y;
        node->n[0] = H;
        node->kind = (int)kind;
    }
    return mmli_tape_ok(tape) ? y : NULL;
}
