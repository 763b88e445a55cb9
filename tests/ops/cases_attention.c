/* cases_attention.c - attention over segments, in all three places where queries can be. */
#include <math.h>

#include "tests/ops/ragged.h"

enum { MODES = MMLI_QUERY_RAGGED + 1 };

/* c, H, e; the pattern of segments follows from the variant */
static const size_t shapes[][3] = {{1, 1, 1}, {5, 3, 4}, {33, 2, 16}, {7, 8, 5}, {64, 1, 64}, {12, 2, 20}, {30, 1, 36}};
enum { SHAPES = COUNT(shapes), VARIANTS = MODES * SHAPES * RAGGED };

typedef struct batch {
    mmli_query mode;
    size_t segs, tokens, c, H, e, q_rows, o_rows;
    float scale;
    mmli_mem *off, *q, *k, *v;
} batch;

static batch make(run *r, size_t i, float spread)
{
    const size_t shape = i / MODES % SHAPES;
    size_t len[RAGGED_MOST];
    batch b = {.mode = (mmli_query)(i % MODES), .c = shapes[shape][0], .H = shapes[shape][1], .e = shapes[shape][2]};

    b.segs = ragged(len, i / (MODES * SHAPES));
    if (b.segs > 70) /* the oracle is slow */
        b.segs = 70;
    for (size_t s = 0; s < b.segs; s++)
        if (len[s] > 130)
            len[s] = 130;
    b.off = in_offsets(r, len, b.segs, &b.tokens);
    b.o_rows = b.mode == MMLI_QUERY_RAGGED ? b.tokens : b.segs * b.c;
    b.q_rows = b.mode == MMLI_QUERY_SHARED ? b.c : b.o_rows;
    b.scale = 1 / sqrtf((float)b.e);
    b.q = in_uniform(r, b.q_rows * b.H * b.e, -spread, spread);
    b.k = in_uniform(r, b.tokens * b.H * b.e, -spread, spread);
    b.v = in_random(r, b.tokens * b.H * b.e);
    return b;
}

static void attention(run *r, size_t i)
{
    const batch b = make(r, i, 2);
    const size_t width = b.H * b.e;
    const double terms = width == 1 ? 0.5 : 0; /* of which one output is made, and it alone */
    mmli_mem *o = new_floats(r, "o", b.o_rows * width, MMLT_TOL_SUM), *dq, *dk, *dval;
    mmli_mem *lse = new_floats(r, "lse", b.o_rows * b.H, MMLT_TOL_SUM);

    dq = sum_floats(r, "dq", b.q_rows * width, MMLT_TOL_SUM);
    dk = sum_floats(r, "dk", b.tokens * width, MMLT_TOL_SUM);
    dval = sum_floats(r, "dv", b.tokens * width, MMLT_TOL_SUM);
    CALL(r, attention, of_terms(r, o, terms), lse, b.q, b.k, b.v, b.off, b.segs, b.c, b.H, b.e, b.scale, b.mode);
    CALL(r, attention_grad, of_terms(r, dq, terms), dk, dval, o, lse, b.q, b.k, b.v,
         in_random(r, b.o_rows * width), b.off, b.segs, b.c, b.H, b.e, b.scale, b.mode, false);
}

/* Heads wider than what is worked on at once (and one that is not), with queries for each of the tiles that cuda has; segments of none to
 * three tiles. Second half: tokens are keys and values in one, and so are their gradients, as for a latent that asks the tokens
 * themselves. */
static const size_t wide_c[] = {5, 12, 20, 23, 30, 50}, wide_e[] = {40, 68, 130, 268};
enum { WIDE = MODES * COUNT(wide_c) * COUNT(wide_e) };

static void attention_wide(run *r, size_t i)
{
    static const size_t len[] = {3, 0, 150, 66, 1};
    const mmli_query mode = (mmli_query)(i % MODES);
    const size_t c = wide_c[i / MODES % COUNT(wide_c)], e = wide_e[i / MODES / COUNT(wide_c) % COUNT(wide_e)];
    const size_t segs = COUNT(len), H = e == 68 ? 2 : 1, width = H * e;
    const bool one = i >= WIDE;
    const float scale = 1 / sqrtf((float)e);
    size_t tokens;
    mmli_mem *off = in_offsets(r, len, segs, &tokens);
    const size_t o_rows = mode == MMLI_QUERY_RAGGED ? tokens : segs * c, q_rows = mode == MMLI_QUERY_SHARED ? c : o_rows;
    mmli_mem *q = in_uniform(r, q_rows * width, -2, 2), *k = in_uniform(r, tokens * width, -2, 2);
    mmli_mem *v = one ? k : in_random(r, tokens * width);
    mmli_mem *o = new_floats(r, "o", o_rows * width, MMLT_TOL_SUM), *lse = new_floats(r, "lse", o_rows * H, MMLT_TOL_SUM);
    mmli_mem *dq = sum_floats(r, "dq", q_rows * width, MMLT_TOL_SUM), *dk = sum_floats(r, "dk", tokens * width, MMLT_TOL_SUM);
    mmli_mem *dval = one ? dk : sum_floats(r, "dv", tokens * width, MMLT_TOL_SUM);

    CALL(r, attention, o, lse, q, k, v, off, segs, c, H, e, scale, mode);
    CALL(r, attention_grad, dq, dk, dval, o, lse, q, k, v, in_random(r, o_rows * width), off, segs, c, H, e, scale, mode, false);
}

/* Outputs that are not wanted: lse in prediction, gradients of frozen parts in training. */
static void attention_parts(run *r, size_t i)
{
    const size_t part = i / MODES;
    const batch b = make(r, i % MODES + MODES * (1 + 5 * SHAPES), 2);
    const size_t width = b.H * b.e;
    mmli_mem *o = new_floats(r, "o", b.o_rows * width, MMLT_TOL_SUM);
    mmli_mem *lse = new_floats(r, "lse", b.o_rows * b.H, MMLT_TOL_SUM);

    CALL(r, attention, new_floats(r, "o alone", b.o_rows * width, MMLT_TOL_SUM), NULL, b.q, b.k, b.v, b.off, b.segs,
         b.c, b.H, b.e, b.scale, b.mode);
    CALL(r, attention, o, lse, b.q, b.k, b.v, b.off, b.segs, b.c, b.H, b.e, b.scale, b.mode);
    CALL(r, attention_grad, part & 1 ? sum_floats(r, "dq", b.q_rows * width, MMLT_TOL_SUM) : NULL,
         part & 2 ? sum_floats(r, "dk", b.tokens * width, MMLT_TOL_SUM) : NULL,
         part & 4 ? sum_floats(r, "dv", b.tokens * width, MMLT_TOL_SUM) : NULL, o, lse, b.q, b.k, b.v,
         in_random(r, b.o_rows * width), b.off, b.segs, b.c, b.H, b.e, b.scale, b.mode, false);
}

/* Scores of +-1e4 and more: the largest takes all, nothing overflows. Queries, keys and the scale are
 * whole numbers, so that scores are exact in float32. */
static void attention_large(run *r, size_t i)
{
    enum { TOKENS = 40, E = 4 };
    const size_t len[] = {TOKENS};
    const mmli_query mode = (mmli_query)i;
    size_t tokens;
    float q[TOKENS * E], k[TOKENS * E];
    mmli_mem *off = in_offsets(r, len, 1, &tokens), *v = in_random(r, TOKENS * E);

    mmlt_uniform(q, COUNT(q), r->key, -50, 50);
    mmlt_uniform(k, COUNT(k), r->key + 1, -50, 50);
    for (size_t j = 0; j < COUNT(q); j++) {
        q[j] = rintf(q[j]);
        k[j] = rintf(k[j]);
    }
    CALL(r, attention, new_floats(r, "o", TOKENS * E, MMLT_TOL_SUM), new_floats(r, "lse", TOKENS, MMLT_TOL_SUM),
         in_floats(r, q, COUNT(q)), in_floats(r, k, COUNT(k)), v, off, 1, TOKENS, 1, E, 4.0f, mode);
}

/* Tokens in two pieces, of every segment a third and the rest, in either order: joined, and the gradients of the last piece
 * from what was joined. Segments of one or two tokens are empty in one piece, some in both. */
static void attention_join(run *r, size_t i)
{
    const size_t shape = i % SHAPES, pattern = i / SHAPES % RAGGED, first = i / SHAPES / RAGGED;
    const size_t c = shapes[shape][0], H = shapes[shape][1], e = shapes[shape][2], width = H * e;
    const float scale = 1 / sqrtf((float)e);
    size_t len[RAGGED_MOST], piece[RAGGED_MOST], tokens, segs = ragged(len, pattern);
    mmli_mem *q = in_uniform(r, c * width, -2, 2), *o, *lse, *state, *o_part, *lse_part, *off, *k, *v, *dout, *dq;

    segs = segs > 70 ? 70 : segs;
    o = new_floats(r, "o", segs * c * width, MMLT_TOL_SUM);
    lse = new_floats(r, "lse", segs * c * H, MMLT_TOL_SUM);
    state = new_floats(r, "state", 2 * segs * c * H, MMLT_TOL_SUM);
    o_part = new_floats(r, "o of the piece", segs * c * width, MMLT_TOL_SUM);
    lse_part = new_floats(r, "lse of the piece", segs * c * H, MMLT_TOL_SUM);
    CALL(r, fill, state, 2 * segs * c * H, -INFINITY);
    CALL(r, fill, o, segs * c * width, 0); /* of segments that are empty everywhere */
    CALL(r, fill, lse, segs * c * H, 0);
    /* terms scale p (dp - do . o) k, k up to 2 and scale dp up to 2 or 3; the rounding of lse is in all of a segment alike */
    dq = of_terms(r, sum_floats(r, "dq", c * width, MMLT_TOL_SUM), 4);
    dout = in_random(r, segs * c * width);
    for (size_t j = 0; j < 2; j++) {
        for (size_t s = 0; s < segs; s++) {
            const size_t third = len[s] > 130 ? 40 : len[s] / 3, rest = len[s] > 130 ? 90 : len[s] - third;

            piece[s] = j == first ? third : rest;
        }
        off = in_offsets(r, piece, segs, &tokens);
        k = in_uniform(r, tokens * width, -2, 2);
        v = in_random(r, tokens * width);
        CALL(r, attention, o_part, lse_part, q, k, v, off, segs, c, H, e, scale, MMLI_QUERY_SHARED);
        CALL(r, attention_join, o, lse, state, o_part, lse_part, off, segs, c, H, e);
    }
    /* of the last piece alone */
    CALL(r, attention_grad, dq, of_terms(r, sum_floats(r, "dk", tokens * width, MMLT_TOL_SUM), 4),
         sum_floats(r, "dv", tokens * width, MMLT_TOL_SUM), o, lse, q, k, v, dout, off, segs, c, H, e, scale,
         MMLI_QUERY_SHARED, true);
}

/* One NaN, in what is asked (q), asked for (k, v) or flows back, stays in its segment: tiles of self-attention hold rows of several,
 * so what is masked must be left out, not multiplied by 0. Whatever a row has of it is NaN, a row of nothing but NaN scores, too.
 * (No segment has one token: its probability is 1 for a backend that does not look at the score.) */
static void attention_nan(run *r, size_t i)
{
    enum { C = 3, H = 2, E = 8, WIDTH = H * E, TOKENS = 188, SEGS = 7, MIDDLE = 8 + 17 /* a row of the third segment */ };
    static const size_t len[SEGS] = {5, 3, 40, 4, 64, 2, 70};
    const mmli_query mode = (mmli_query)(i % MODES);
    const size_t which = i / MODES, o_rows = mode == MMLI_QUERY_RAGGED ? TOKENS : SEGS * C;
    const size_t q_rows = mode == MMLI_QUERY_SHARED ? C : o_rows, rows[] = {q_rows, TOKENS, TOKENS, o_rows};
    const size_t in_segment = mode == MMLI_QUERY_RAGGED ? MIDDLE : mode == MMLI_QUERY_FIXED ? 2 * C + 1 : 1;
    float x[TOKENS * WIDTH];
    mmli_mem *m[4], *off, *o, *lse;
    size_t tokens;

    off = in_offsets(r, len, SEGS, &tokens);
    for (size_t k = 0; k < 4; k++) {
        mmlt_uniform(x, rows[k] * WIDTH, r->key + k, -2, 2);
        if (k == which)
            x[(k == 0 ? in_segment : k == 3 && mode != MMLI_QUERY_RAGGED ? 2 * C + 1 : MIDDLE) * WIDTH + 3] = NAN;
        m[k] = in_floats(r, x, rows[k] * WIDTH);
    }
    o = new_floats(r, "o", o_rows * WIDTH, MMLT_TOL_SUM);
    lse = new_floats(r, "lse", o_rows * H, MMLT_TOL_SUM);
    CALL(r, attention, o, lse, m[0], m[1], m[2], off, SEGS, C, H, E, 0.3f, mode);
    CALL(r, attention_grad, sum_floats(r, "dq", q_rows * WIDTH, MMLT_TOL_SUM), sum_floats(r, "dk", TOKENS * WIDTH, MMLT_TOL_SUM),
         sum_floats(r, "dv", TOKENS * WIDTH, MMLT_TOL_SUM), o, lse, m[0], m[1], m[2], m[3], off, SEGS, C, H, E, 0.3f, mode, false);
}

/* A piece with a NaN, then one without: nothing of it is forgotten. */
static void attention_join_nan(run *r, size_t i)
{
    enum { C = 2, E = 4, TOKENS = 3 };
    const size_t len[] = {TOKENS}, bad = i; /* the piece */
    mmli_mem *q = in_random(r, C * E), *o = new_floats(r, "o", C * E, MMLT_TOL_SUM), *lse = new_floats(r, "lse", C, MMLT_TOL_SUM);
    mmli_mem *state = new_floats(r, "state", 2 * C, MMLT_TOL_SUM), *off;
    size_t tokens;

    off = in_offsets(r, len, 1, &tokens);
    CALL(r, fill, state, 2 * C, -INFINITY);
    for (size_t j = 0; j < 3; j++) {
        mmli_mem *o_part = new_floats(r, "o of the piece", C * E, MMLT_TOL_SUM);
        mmli_mem *lse_part = new_floats(r, "lse of the piece", C, MMLT_TOL_SUM);
        float k[TOKENS * E];

        mmlt_uniform(k, COUNT(k), r->key + j, -2, 2);
        for (size_t t = 0; j == bad && t < TOKENS; t++)
            k[t * E] = NAN;
        CALL(r, attention, o_part, lse_part, q, in_floats(r, k, COUNT(k)), in_random(r, TOKENS * E), off, 1, C, 1, E, 0.5f,
             MMLI_QUERY_SHARED);
        CALL(r, attention_join, o, lse, state, o_part, lse_part, off, 1, C, 1, E);
    }
}

const kernel_case attention_cases[] = {
    {"attention", VARIANTS, attention},
    {"attention with wide heads", 2 * WIDE, attention_wide},
    {"attention without some outputs", 8 * MODES, attention_parts},
    {"attention with large scores", MODES, attention_large},
    {"attention with a NaN in one segment", 4 * MODES, attention_nan},
    {"attention with a NaN in a piece", 3, attention_join_nan},
    {"attention to tokens in two pieces", 2 * SHAPES * RAGGED, attention_join},
    {NULL, 0, NULL},
};
