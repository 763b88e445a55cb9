/* feed_forward_grad.c - residual feed-forward, backward. Normalised rows and hidden values are computed again from the
 * input: that takes as long as reading them from memory would, and nothing has to be kept.
 *
 *   g = mask dy,  s = SELU(g_),  u = a s          [a g_] = z = W1 h + b1, h = LN(x)
 *   dW2 += g^T u,  db2 += g,  du = W2^T g,  dz = [du s, du a SELU'(g_)]
 *   dW1 += dz^T h, db1 += dz, dh = W1^T dz,  dx = dy + dLN(dh)
 *
 * each added to what is there if wanted. Gradients of parameters are sums over a group of tiles, in order, then over the groups, in order and in float64. */
#include "backends/cpu/feed_forward.h"

#include <string.h>

#include "util/alloc.h"

enum {
    HIDDEN = MMLI_FF_HIDDEN,
    GROUPS = 32,            /* at most */
    PART_FLOATS = 16 << 20, /* partial sums of all groups, at most, where there are more than GROUPS_LEAST */
    GROUPS_LEAST = 4,
    TILES_LEAST = 2, /* tiles of a group, once there are more than GROUPS_FULL */
    GROUPS_FULL = 16,
    COLS = 512, /* elements summed at a time */
    UNITS = 16, /* hidden units of dW2 summed at a time */
};

typedef struct backward {
    mmli_ffn n;
    const float *dy;
    float *dx, *dgamma, *dbeta, *dw1, *db1, *dw2, *db2;
    bool add_x, add;
    size_t each, groups; /* tiles of a group; groups */
    size_t pad;          /* d as whole vectors */
    size_t weights;      /* floats of the partial sums of weights of a group: dW1 (2 f, d), dW2^T (f, d) */
    size_t small;        /* float64 of the others: db1 (2 f), then (pad) of db2, dgamma, dbeta */
    float *part;         /* (groups, weights) */
    double *sums;        /* (groups, small) */
} backward;

/* Scratch of a worker. */
typedef struct own {
    float *h, *ht, *g, *gt, *dh; /* LN(x) and the masked dy, both also transposed; the gradient of the former */
    float *stats, *z, *u;        /* z: HIDDEN rows of a, then of the gate; u: du, then u */
} own;

static size_t own_floats(const mmli_ffn *n)
{
    return n->tile * (5 * n->d + 2 + 3 * HIDDEN);
}

static own own_of(const mmli_ffn *n, int worker)
{
    const size_t size = n->tile * n->d;
    own w = {.h = mmli_cpu_own(n->dv, worker)};

    w.ht = w.h + size;
    w.g = w.ht + size;
    w.gt = w.g + size;
    w.dh = w.gt + size;
    w.z = w.dh + size;
    w.u = w.z + 2 * HIDDEN * n->tile;
    w.stats = w.u + HIDDEN * n->tile;
    return w;
}

/* C (m, d) = S B [+ C]: S (m, pad) hidden units of a tile, B (rows, d) */
static void by_unit(const backward *b, const mmli_ff_tile *t, const float *s, size_t m, const float *x, float *c, bool add)
{
    const mmli_mm p = {.m = m, .n = b->n.d, .k = t->rows, .a = s, .a_row = t->pad, .a_k = 1, .b = x, .ldb = b->n.d,
                       .c = c, .ldc = b->n.d, .alpha = 1, .add = add};

    b->n.v->mm(&p);
}

/* dh (rows, d) = dz^T W1 [+ dh] over m hidden units from j on */
static void by_row(const backward *b, const mmli_ff_tile *t, const float *dz, size_t j, size_t m, float *dh, bool add)
{
    const mmli_mm p = {.m = t->rows, .n = b->n.d, .k = m, .a = dz, .a_row = 1, .a_k = t->pad, .b = b->n.w1 + j * b->n.d,
                       .ldb = b->n.d, .c = dh, .ldc = b->n.d, .alpha = 1, .add = add};

    b->n.v->mm(&p);
}

/* Hidden units j .. j+m-1 of a tile; `add`: not the first tile of its group. */
static void run_block(const backward *b, const mmli_ff_tile *t, size_t j, size_t m, const own *w, const float *g,
                      float *part, double *sums, bool add)
{
    const mmli_ffn *n = &b->n;
    const size_t f = n->f, d = n->d;
    float *a = w->z, *gate = w->z + HIDDEN * t->pad;
    const mmli_mm du = {.m = m, .n = t->pad, .k = d, .a = n->w2 + j, .a_row = 1, .a_k = f, .b = w->gt, .ldb = t->pad,
                        .c = w->u, .ldc = t->pad, .alpha = 1};

    mmli_ff_hidden(n, t, j, m, w->ht, a);
    mmli_ff_hidden(n, t, f + j, m, w->ht, gate);
    n->v->mm(&du);
    n->v->ff_gate_grad(a, gate, w->u, n->b1 + j, n->b1 + f + j, sums + j, sums + f + j, m, t->pad);
    if (b->dw1) {
        by_unit(b, t, a, m, w->h, part + j * d, add);
        by_unit(b, t, gate, m, w->h, part + (f + j) * d, add);
    }
    if (b->dw2)
        by_unit(b, t, w->u, m, g, part + (2 * f + j) * d, add);
    if (b->dx || b->dgamma || b->dbeta) {
        by_row(b, t, a, j, m, w->dh, j > 0);
        by_row(b, t, gate, f + j, m, w->dh, true);
    }
}

/* dx (+)= dy + the gradient through LayerNorm. From here on nobody reads dy of this tile: dx may lie in its place. */
static void finish(const backward *b, const mmli_ff_tile *t, const own *w, double *dgamma, double *dbeta)
{
    const mmli_ffn *n = &b->n;
    const size_t at = t->first * n->d;
    float *dx = b->dx ? b->dx + at : NULL;
    const mmli_el sum = {.y = dx, .a = dx, .b = b->dy + at};
    const mmli_ln l = {.dx = dx, .x = n->x + at, .gamma = n->gamma, .dy = w->dh, .cstats = w->stats, .dgamma = dgamma,
                       .dbeta = dbeta, .cols = n->d};

    if (dx && b->add_x)
        n->v->add(&sum, 0, t->rows * n->d);
    else if (dx && dx != b->dy + at)
        memcpy(dx, b->dy + at, t->rows * n->d * sizeof *dx);
    if (n->f > 0 && (dx || b->dgamma || b->dbeta)) /* else run_block() has left out dh */
        n->v->ln_grad_rows(&l, 0, t->rows);
}

static void run_tile(const backward *b, size_t i, int worker, float *part, double *sums, bool add)
{
    const mmli_ffn *n = &b->n;
    const mmli_ff_tile t = mmli_ff_tile_of(n, i);
    const own w = own_of(n, worker);
    const float *g = b->dy + t.first * n->d;
    double *more = sums + 2 * n->f;

    if (n->p > 0) {
        const mmli_el drop = {.y = w.g, .a = g, .s = {n->p, n->survivor}, .key = n->key, .first = n->first + t.first * n->d};

        n->v->dropout(&drop, 0, t.rows * n->d);
        g = w.g;
    }
    n->v->transpose(w.gt, t.pad, t.pad, g, n->d, t.rows, n->d, 1, 0);
    n->v->col_acc(more, NULL, g, t.rows, n->d, n->d);
    mmli_ff_normalise(n, &t, w.h, w.ht, w.stats);
    for (size_t j = 0; j < n->f; j += HIDDEN)
        run_block(b, &t, j, mmli_min_size(HIDDEN, n->f - j), &w, g, part, sums, add);
    finish(b, &t, &w, more + b->pad, more + 2 * b->pad);
}

static void run_group(const void *ctx, size_t k, int worker)
{
    const backward *b = ctx;
    const size_t first = k * b->each;
    double *sums = b->sums + k * b->small;

    memset(sums, 0, b->small * sizeof *sums);
    for (size_t i = first; i < mmli_min_size(first + b->each, b->n.tiles); i++)
        run_tile(b, i, worker, b->part + k * b->weights, sums, i > first);
}

/* y (n) = the groups' sums from part[at] on */
static void total(const backward *b, size_t at, size_t n, float *y, bool add)
{
    double acc[COLS];

    for (size_t j = 0; j < n; j += COLS) {
        const size_t cols = mmli_min_size(COLS, n - j);

        memset(acc, 0, mmli_ceil_div(cols, MMLI_PAD) * MMLI_PAD * sizeof *acc);
        b->n.v->col_acc(acc, NULL, b->part + at + j, b->groups, b->weights, cols);
        b->n.v->put_acc(y + j, acc, cols, 1, add);
    }
}

/* Of UNITS hidden units: their rows of dW1, of both halves, and their columns of dW2. */
static void run_reduce(const void *ctx, size_t t, int worker)
{
    const backward *b = ctx;
    const size_t d = b->n.d, f = b->n.f, j = t * UNITS, m = mmli_min_size(UNITS, f - j);
    float *dw2t = mmli_cpu_own(b->n.dv, worker);

    if (b->dw1) {
        total(b, j * d, m * d, b->dw1 + j * d, b->add);
        total(b, (f + j) * d, m * d, b->dw1 + (f + j) * d, b->add);
    }
    if (b->dw2) {
        total(b, (2 * f + j) * d, m * d, dw2t, false);
        b->n.v->transpose(b->dw2 + j, f, m, dw2t, d, m, d, 1, b->add);
    }
}

static void put_small(const backward *b, float *y, size_t at, size_t n)
{
    for (size_t k = 1; k < b->groups; k++)
        for (size_t i = at; y && i < at + n; i++)
            b->sums[i] += b->sums[k * b->small + i];
    if (y)
        b->n.v->put_acc(y, b->sums + at, n, 1, b->add);
}

static void put_zeros(const backward *b)
{
    const size_t d = b->n.d, f = b->n.f, n[] = {d, d, 2 * f * d, 2 * f, d * f, d};
    float *const y[] = {b->dgamma, b->dbeta, b->dw1, b->db1, b->dw2, b->db2};

    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        if (y[i])
            memset(y[i], 0, n[i] * sizeof **y);
}

static void choose_groups(backward *b)
{
    const size_t tiles = b->n.tiles, room = PART_FLOATS / (b->weights + 1);
    const size_t most = mmli_min_size(GROUPS, mmli_max_size(GROUPS_LEAST, room));

    b->each = mmli_max_size(tiles > GROUPS_FULL ? TILES_LEAST : 1, mmli_ceil_div(tiles, most));
    b->groups = mmli_ceil_div(tiles, b->each);
}

mml_status mmli_cpu_feed_forward_grad(mmli_device *dv, const mmli_ff_grad *grad, const mmli_mem *x, const mmli_mem *dy,
                                      const mmli_ff *ff, size_t rows)
{
    backward b = {.n = mmli_ffn_of(dv, x, ff, rows), .dy = mmli_cf(dy), .dx = mmli_f(grad->dx),
                  .dgamma = mmli_f(grad->gamma), .dbeta = mmli_f(grad->beta), .dw1 = mmli_f(grad->w1),
                  .db1 = mmli_f(grad->b1), .dw2 = mmli_f(grad->w2), .db2 = mmli_f(grad->b2), .add_x = grad->add_x,
                  .add = grad->add};
    const size_t d = ff->d, f = ff->f;
    mml_status st = MML_OK;
    size_t bytes = 0, sums;
    char *memory;

    if (ff->p > 0 && ff->first % 4 != 0) /* as in dropout.c */
        return mmli_backend_reference.feed_forward_grad(dv, grad, x, dy, ff, rows);
    if (rows == 0 || d == 0) {
        if (!b.add)
            put_zeros(&b);
        goto out;
    }
    b.pad = mmli_ceil_div(d, MMLI_PAD) * MMLI_PAD;
    b.weights = 3 * f * d;
    b.small = 2 * f + 3 * b.pad;
    choose_groups(&b);
    sums = mmli_ceil_div(b.groups * b.small * sizeof *b.sums, 64) * 64;
    MML_CHECK(mmli_mul_size(&bytes, b.groups * sizeof *b.part, b.weights) && bytes <= SIZE_MAX - sums, MML_E_NOMEM,
              "partial sums of %zu weights overflow", b.weights);
    MML_TRY(mmli_cpu_own_reserve(dv, mmli_max_size(own_floats(&b.n), UNITS * d) * sizeof(float)));
    MML_TRY(mmli_cpu_shared(dv, &memory, 1, sums + bytes));
    b.sums = (double *)(void *)memory;
    b.part = (float *)(void *)(memory + sums);
    mmli_cpu_for(dv, b.groups, mmli_ffn_ns(&b.n, 3), run_group, &b);
    if (b.dw1 || b.dw2)
        mmli_cpu_for(dv, mmli_ceil_div(f, UNITS), 0.15 * (double)(b.groups + 2) * (double)b.weights, run_reduce, &b);
    put_small(&b, b.db1, 0, 2 * f);
    put_small(&b, b.db2, 2 * f, d);
    put_small(&b, b.dgamma, 2 * f + b.pad, d);
    put_small(&b, b.dbeta, 2 * f + 2 * b.pad, d);
out:
    return st;
}
