/* pieces.c - see pieces.h. A piece is some whole samples, or, of a sample that is longer than a piece, a part: then its
 * result is joined to that of the parts before (kernel attention_join). On the way back a piece is normalised and projected
 * again, and gets its gradients from the o and lse of all tokens. What pieces add to one gradient they add in order. */
#include "ops/pieces.h"

#include <math.h>

#include "ops/internal.h"

typedef struct piece {
    size_t first, n; /* tokens */
    size_t seg, segs;
    bool part;          /* of one segment */
    const int64_t *off; /* (segs + 1) host, from 0 */
} piece;

typedef struct attend {
    mmli_pieces x;
    const mmli_ragged *ragged;
    mmli_query mode;
    size_t w, width, e; /* width = H e */
    mmli_mem *one, *zero;  /* (w): LayerNorm without weight and bias */
    mmli_mem *lse, *state; /* (P c, H), or NULL where not wanted; (P c, H, 2) */
} attend;

/* A piece on the device, until it is released. */
typedef struct made {
    mmli_mem *off, *stats, *normal;
    mmli_mem *k, *v;
} made;

static bool folded(const attend *a)
{
    return a->x.key == NULL;
}

/* ---- cutting --------------------------------------------------------------------------------------------------------- */

/* The piece behind `p` (all 0: the first one). A long segment is cut into parts of nearly the same size. */
static bool next_piece(piece *p, const attend *a)
{
    const int64_t *off = a->ragged->off;
    size_t s = p->seg + p->segs, at = p->first + p->n;
    const size_t most = a->x.piece;

    if (p->part && at < (size_t)off[p->seg + 1])
        s = p->seg;
    if (s == a->ragged->segs)
        return false;
    *p = (piece){.first = at, .seg = s, .segs = 1, .off = off};
    if ((size_t)(off[s + 1] - off[s]) > most) {
        const size_t left = (size_t)off[s + 1] - at, parts = left / most + (left % most != 0);

        p->n = left / parts + (left % parts != 0);
        p->part = true;
        return true;
    }
    while (s + p->segs < a->ragged->segs && (size_t)off[s + p->segs + 1] - at <= most)
        p->segs++;
    p->n = (size_t)off[s + p->segs] - at;
    return true;
}

static mmli_mem *upload_offsets(mmli_tape *tape, const piece *p)
{
    int64_t *off = mmli_tape_host(tape, (p->segs + 1) * sizeof *off);

    if (!off)
        return NULL;
    for (size_t s = 0; s < p->segs; s++)
        off[s] = s == 0 ? 0 : p->off[p->seg + s] - p->off[p->seg];
    off[p->segs] = (int64_t)p->n; /* of a part, too */
    return mmli_tape_upload(tape, off, (p->segs + 1) * sizeof *off);
}

static mmli_mem *floats(mmli_tape *tape, size_t rows, size_t cols)
{
    mmli_var *x = mmli_tape_var(tape, rows, cols, false);

    return x ? x->data : NULL;
}

/* ---- one piece ------------------------------------------------------------------------------------------------------- */

/* Normalises the tokens at x, and makes their keys and values. */
static bool make(made *m, mmli_tape *tape, const attend *a, const piece *p, const mmli_mem *x)
{
    *m = (made){.off = upload_offsets(tape, p), .stats = floats(tape, p->n, 2), .normal = floats(tape, p->n, a->w)};
    if (!mmli_tape_ok(tape) || !MMLI_RUN(tape, layernorm, m->normal, m->stats, x, a->one, a->zero, p->n, a->w,
                                           MMLI_NORM_EPS))
        return false;
    m->k = m->v = m->normal;
    if (folded(a))
        return true;
    m->k = floats(tape, p->n, a->width);
    m->v = a->x.value == a->x.key ? m->k : floats(tape, p->n, a->width);
    return mmli_tape_ok(tape) &&
           MMLI_RUN(tape, linear, m->k, m->normal, a->x.key->data, NULL, p->n, a->w, a->width) &&
           (m->v == m->k || MMLI_RUN(tape, linear, m->v, m->normal, a->x.value->data, NULL, p->n, a->w, a->width));
}

/* Floats before the queries, and before the result, of segment s. */
static size_t at_query(const attend *a, size_t s)
{
    return a->x.shared ? 0 : s * a->x.c * a->width;
}

static size_t at_out(const attend *a, size_t s)
{
    return s * a->x.c * a->width;
}

static size_t at_lse(const attend *a, size_t s)
{
    return s * a->x.c * a->x.H;
}

mmli_mem *mmli_piece_rows(mmli_tape *tape, const mmli_var *x, size_t first, size_t n, size_t next)
{
    const float *rows;

    if (!x->stream)
        return mmli_at(x->data, first * x->cols);
    if (!mmli_tape_ok(tape))
        return NULL;
    mmli_tape_fail(tape, x->stream->read(x->stream->user, &rows, first, n, next));
    return mmli_tape_ok(tape) ? mmli_tape_upload(tape, rows, n * x->cols * sizeof *rows) : NULL;
}

/* Those of a piece; the one behind it is read ahead. */
static mmli_mem *rows_of(mmli_tape *tape, const attend *a, const piece *p)
{
    piece then = *p;

    return mmli_piece_rows(tape, a->x.tokens, p->first, p->n, next_piece(&then, a) ? then.n : 0);
}

static void forward_piece(mmli_tape *tape, const attend *a, const piece *p, mmli_mem *out)
{
    const mmli_mem *x = rows_of(tape, a, p);
    const mmli_mem *q = mmli_at(a->x.query->data, at_query(a, p->seg));
    mmli_mem *o = mmli_at(out, at_out(a, p->seg)), *lse = mmli_at(a->lse, at_lse(a, p->seg)), *o_part = o, *lse_part = lse;
    made m;

    if (!x || !make(&m, tape, a, p, x))
        return;
    if (p->part) {
        o_part = floats(tape, a->x.c, a->width);
        lse_part = floats(tape, a->x.c, a->x.H);
    }
    if (mmli_tape_ok(tape) && MMLI_RUN(tape, attention, o_part, lse_part, q, m.k, m.v, m.off, p->segs, a->x.c, a->x.H, a->e,
                                       a->x.scale, a->mode) && p->part)
        MMLI_RUN(tape, attention_join, o, lse, mmli_at(a->state, 2 * at_lse(a, p->seg)), o_part, lse_part, m.off, 1, a->x.c,
                 a->x.H, a->e);
}

/* ---- the way back ---------------------------------------------------------------------------------------------------- */

typedef struct gradients {
    mmli_mem *query, *tokens, *key, *value; /* NULL: not wanted */
    const mmli_mem *out;
} gradients;

static mmli_mem *zeros(mmli_tape *tape, size_t rows, size_t cols)
{
    mmli_var *x = mmli_op_zeros(tape, rows, cols);

    return x ? x->data : NULL;
}

/* What keys and values pass on, to their weights and to the normalised tokens. */
static mml_status project_back(mmli_tape *tape, const attend *a, const piece *p, const made *m, const gradients *g,
                               const mmli_mem *dk, const mmli_mem *dv, mmli_mem *dnormal)
{
    const size_t n = p->n, w = a->w, width = a->width;

    if (g->key)
        MMLI_BACK(tape, gemm, true, false, width, w, n, 1.0f, dk, width, m->normal, w, 1.0f, g->key, w);
    if (g->value)
        MMLI_BACK(tape, gemm, true, false, width, w, n, 1.0f, dv, width, m->normal, w, 1.0f, g->value, w);
    if (dnormal) {
        MMLI_BACK(tape, gemm, false, false, n, w, width, 1.0f, dk, width, a->x.key->data, w, 0.0f, dnormal, w);
        MMLI_BACK(tape, gemm, false, false, n, w, width, 1.0f, dv, width, a->x.value->data, w, 1.0f, dnormal, w);
    }
    return MML_OK;
}

static mml_status backward_piece(mmli_tape *tape, const attend *a, const piece *p, const mmli_mem *o, const gradients *g)
{
    const mmli_mem *x = mmli_at(a->x.tokens->data, p->first * a->w);
    mmli_mem *dq = mmli_at(g->query, at_query(a, p->seg)), *dnormal = NULL, *dk = NULL, *dv = NULL;
    made m;

    if (!make(&m, tape, a, p, x))
        return mmli_tape_status(tape);
    if (g->tokens)
        dnormal = zeros(tape, p->n, a->w); /* folded: keys and values, both add to it */
    if (folded(a))
        dk = dv = dnormal;
    else {
        dk = g->tokens || g->key ? zeros(tape, p->n, a->width) : NULL;
        dv = g->tokens || g->value ? zeros(tape, p->n, a->width) : NULL;
    }
    if (!mmli_tape_ok(tape))
        return mmli_tape_status(tape);
    MMLI_BACK(tape, attention_grad, dq, dk, dv, mmli_at(o, at_out(a, p->seg)), mmli_at(a->lse, at_lse(a, p->seg)),
              mmli_at(a->x.query->data, at_query(a, p->seg)), m.k, m.v, mmli_at(g->out, at_out(a, p->seg)), m.off, p->segs,
              a->x.c, a->x.H, a->e, a->x.scale, a->mode, p->part);
    if (!folded(a)) {
        const mml_status st = project_back(tape, a, p, &m, g, dk, dv, dnormal);

        if (st != MML_OK)
            return st;
    }
    if (dnormal)
        MMLI_BACK(tape, layernorm_grad, mmli_at(g->tokens, p->first * a->w), NULL, NULL, x, m.stats, a->one, dnormal, p->n,
                  a->w);
    return MML_OK;
}

static mml_status back(mmli_tape *tape, mmli_node *node)
{
    const attend *a = node->ptr;
    gradients g = {.query = mmli_tape_grad(tape, a->x.query),
                   .tokens = mmli_tape_grad(tape, a->x.tokens),
                   .out = node->out[0]->grad};
    piece p = {0};

    if (!folded(a)) {
        g.key = mmli_tape_grad(tape, a->x.key);
        g.value = mmli_tape_grad(tape, a->x.value);
    }
    while (mmli_tape_ok(tape) && next_piece(&p, a)) {
        const mmli_tape_mark mark = mmli_tape_get_mark(tape);

        mmli_tape_fail(tape, backward_piece(tape, a, &p, node->out[0]->data, &g));
        mmli_tape_release(tape, mark);
    }
    return mmli_tape_status(tape);
}

/* ---- the op ---------------------------------------------------------------------------------------------------------- */

static bool fits(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged)
{
    const size_t width = x->query->cols, rows = x->shared ? x->c : ragged->segs * x->c;
    const mmli_var *odd = NULL;

    if (x->tokens->rows != ragged->tokens)
        odd = x->tokens;
    else if (x->query->rows != rows || x->H == 0 || width % x->H != 0 || (!x->key && width != x->tokens->cols))
        odd = x->query;
    else if (x->key && (x->key->rows != width || x->key->cols != x->tokens->cols))
        odd = x->key;
    else if (x->value && (x->value->rows != width || x->value->cols != x->tokens->cols))
        odd = x->value;
    if (odd)
        mmli_shape_error(tape, "attention in pieces", odd, x->tokens);
    return odd == NULL;
}

/* Memory that stays until the way back; NULL: the tape has failed. */
static attend *start(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged, bool need)
{
    const size_t rows = ragged->segs * x->c;
    attend *a = mmli_tape_host(tape, sizeof *a);

    if (!a)
        return NULL;
    *a = (attend){.x = *x, .ragged = mmli_ragged_keep(tape, ragged), .w = x->tokens->cols, .width = x->query->cols};
    a->mode = x->shared ? MMLI_QUERY_SHARED : MMLI_QUERY_FIXED;
    a->e = a->width / x->H;
    a->one = floats(tape, 1, a->w);
    a->zero = zeros(tape, 1, a->w);
    a->state = floats(tape, rows * x->H, 2);
    a->lse = need ? floats(tape, rows, x->H) : NULL;
    return mmli_tape_ok(tape) && MMLI_RUN(tape, fill, a->one, a->w, 1.0f) &&
                   MMLI_RUN(tape, fill, a->state, 2 * rows * x->H, -INFINITY)
               ? a
               : NULL;
}

mmli_var *mmli_op_attention_pieces(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged)
{
    const bool weights = x->key && x->value;
    piece p = {0};
    mmli_var *o;
    mmli_node *node;
    attend *a;
    bool need;

    if (!x->query || !x->tokens || !mmli_tape_ok(tape) || !fits(tape, x, ragged))
        return NULL;
    if (x->tokens->stream && mmli_tape_recording(tape)) {
        mmli_tape_fail(tape, mmli_fail(MML_E_INTERNAL, "a stream of tokens cannot be read backwards"));
        return NULL;
    }
    need = mmli_tape_recording(tape) &&
           (x->query->need || x->tokens->need || (weights && (x->key->need || x->value->need)));
    o = mmli_tape_var(tape, ragged->segs * x->c, x->query->cols, need);
    a = start(tape, x, ragged, need);
    if (!o || !a)
        return NULL;
    while (mmli_tape_ok(tape) && next_piece(&p, a)) {
        const mmli_tape_mark mark = mmli_tape_get_mark(tape);

        forward_piece(tape, a, &p, o->data);
        mmli_tape_release(tape, mark);
    }
    if (need && (node = mmli_tape_node(tape, back))) {
        node->in[0] = x->query;
        node->in[1] = x->tokens;
        node->in[2] = x->key;
        node->in[3] = x->value;
        node->out[0] = o;
        node->ptr = a;
    }
    return mmli_tape_ok(tape) ? o : NULL;
}

/* ---- weights --------------------------------------------------------------------------------------------------------- */

/* out (n) = sum over heads of the first column of each in x (n, H e), which is (1 / (c H)) sum over queries of p. */
static void reduce(float *out, const float *x, size_t n, size_t H, size_t e)
{
    for (size_t t = 0; t < n; t++) {
        double sum = 0;

        for (size_t h = 0; h < H; h++)
            sum += (double)x[(t * H + h) * e];
        out[t] = (float)sum;
    }
}

/* The gradient of mean over queries and heads of o by the values is the mean of the weights: so the kernel of the way back
 * gives them, from the denominators lse of all tokens. g (P c, H e): 1 / (c H) everywhere. */
static void weigh_piece(mmli_tape *tape, const attend *a, const piece *p, const mmli_mem *o, const mmli_mem *g, float *out)
{
    const mmli_mem *x = rows_of(tape, a, p);
    mmli_mem *weights = zeros(tape, p->n, a->width);
    float *host = mmli_tape_host(tape, p->n * a->width * sizeof *host);
    mmli_device *dv = mmli_tape_device(tape);
    made m;

    if (!x || !host || !make(&m, tape, a, p, x) ||
        !MMLI_RUN(tape, attention_grad, NULL, NULL, weights, mmli_at(o, at_out(a, p->seg)), mmli_at(a->lse, at_lse(a, p->seg)),
                  mmli_at(a->x.query->data, at_query(a, p->seg)), m.k, m.v, mmli_at(g, at_out(a, p->seg)), m.off, p->segs,
                  a->x.c, a->x.H, a->e, a->x.scale, a->mode, p->part))
        return;
    mmli_tape_fail(tape, dv->k.download(dv, host, weights, p->n * a->width * sizeof *host));
    if (mmli_tape_ok(tape))
        reduce(out + p->first, host, p->n, a->x.H, a->e);
}

const float *mmli_attention_weights(mmli_tape *tape, const mmli_pieces *x, const mmli_ragged *ragged)
{
    float *out = mmli_tape_host(tape, ragged->tokens * sizeof *out);
    mmli_var *o, *g;
    attend *a;

    if (!out || !x->query || !x->tokens || !mmli_tape_ok(tape) || !fits(tape, x, ragged))
        return NULL;
    o = mmli_tape_var(tape, ragged->segs * x->c, x->query->cols, false);
    g = mmli_tape_var(tape, ragged->segs * x->c, x->query->cols, false);
    a = start(tape, x, ragged, true);
    if (a)
        a->x.value = a->x.key; /* what is summed does not matter */
    if (!o || !g || !a || !MMLI_RUN(tape, fill, g->data, mmli_size(g), 1.0f / (float)(x->c * x->H)))
        return NULL;
    for (int pass = 0; pass < 2; pass++)
        for (piece p = {0}; mmli_tape_ok(tape) && next_piece(&p, a);) {
            const mmli_tape_mark mark = mmli_tape_get_mark(tape);

            if (pass == 0)
                forward_piece(tape, a, &p, o->data);
            else
                weigh_piece(tape, a, &p, o->data, g->data, out);
            mmli_tape_release(tape, mark);
        }
    return mmli_tape_ok(tape) ? out : NULL;
}
