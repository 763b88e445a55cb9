/* cross.c - cross-attention of a latent to tokens, from the normalised latent to A Wo + bo (method.md 2), over tokens
 * that are normalised but not yet scaled: LN(x) = gamma x^ + beta.
 *
 * gamma goes into the weights, Gk = Wk gamma, Gv = Wv gamma. beta adds Wv beta to every value, and as weights sum to 1
 * that goes into the bias of the result. To the keys it adds the same for every token, which softmax does not see. So
 * tokens have a gradient only where the encoder wants one, and there are two ways that give the same:
 *
 *     projected   k = x^ Gk^T, v = x^ Gv^T; H heads of width e ask c queries each
 *     folded      q~_h = q_h Gk_h, o_h = o~_h Gv_h^T; c H queries of width w ask the tokens themselves: no keys, no values
 *
 * Folded, the two products in a row, Wq and then Gk, Gv and then Wo, may be made one matrix first ("paired"): that depends
 * on parameters alone, so it is worth it for many samples.
 *
 * Many tokens are normalised and projected piece by piece (ops/pieces.h), each time they are read: then projections cost
 * 4 w H e once more on the way back.
 *
 * The choice, from shapes: operations of the products, forward, and backward where gradients are wanted. Per token
 * (projected / folded): forward 4 w H e + 4 c H e / 4 c H w, backward 4 w H e + 10 c H e / 6 c H w, and where tokens have a
 * gradient 4 w H e / 4 c H w more. Keys, values and their gradients pass through memory some 7 times, a byte costing as
 * much as 8 operations. Per row of queries or of the result: 2 d H e / 2 d H e + 2 H e w / (paired) 2 d H w, three times
 * that with gradients, and 2 d H e w for a pair. */
#include "ops/cross.h"

#include "ops/internal.h"
#include "ops/pieces.h"

enum {
    FLOP_PER_BYTE = 8,
    PASSES = 7,
    WHOLE = 8 << 20, /* floats of normalised tokens, keys and values, at most, that are made in one piece */
    PIECE = 2 << 20, /* floats of a piece, about, and ... */
    PIECE_LEAST = 64, /* ... its tokens, at least */
};

bool mmli_cross_is_whole(const mmli_cross_shape *z)
{
    return (double)z->tokens * ((double)z->w + 2 * (double)(z->H * z->e)) <= (double)WHOLE;
}

static size_t piece_of(const mmli_cross_shape *z, bool projected)
{
    const size_t n = PIECE / (z->w + (projected ? 2 * z->H * z->e : 0) + 1);

    return n > PIECE_LEAST ? n : PIECE_LEAST;
}

/* Two products in a row for `rows` rows, and the cheaper way: by a paired matrix? */
static double chain(bool *pair, const mmli_cross_shape *z, double rows, double times)
{
    const double d = (double)z->d, w = (double)z->w, He = (double)(z->H * z->e), H = (double)z->H;
    const double turn = 2 * rows * He * (d + w), paired = 2 * d * He * w + 2 * rows * d * H * w;

    *pair = paired < turn;
    return times * (paired < turn ? paired : turn);
}

mmli_cross_plan mmli_cross_choose(const mmli_cross_shape *z)
{
    const double T = (double)z->tokens, c = (double)z->c, w = (double)z->w, H = (double)z->H, He = (double)(z->H * z->e);
    const double out = (double)z->segs * c, in = z->shared ? c : out, times = z->record ? 3 : 1;
    const double token = z->record && z->tokens_need ? 1 : 0, back = z->record ? 1 : 0;
    mmli_cross_plan plan = {.folded = true, .piece = z->whole ? 0 : piece_of(z, false)};
    double folded, projected;

    folded = chain(&plan.pair_in, z, in, times) + chain(&plan.pair_out, z, out, times);
    folded += T * c * H * w * (4 + 6 * back + 4 * token);
    projected = times * 2 * (double)z->d * He * (in + out);
    projected += T * He * (w * (4 + 4 * back + 4 * token) + c * (4 + 10 * back));
    projected += T * 2 * He * sizeof(float) * (back > 0 ? PASSES : 2) * FLOP_PER_BYTE;
    if (!z->whole)
        projected += back * T * He * 4 * w;
    return folded < projected ? plan : (mmli_cross_plan){.piece = z->whole ? 0 : piece_of(z, true)};
}

mmli_var *mmli_op_normalise(mmli_tape *tape, mmli_var *x)
{
    mmli_var *one;

    if (!x || !mmli_tape_ok(tape))
        return NULL;
    one = mmli_tape_var(tape, 1, x->cols, false);
    if (!one || !MMLI_RUN(tape, fill, one->data, x->cols, 1.0f))
        return NULL;
    return mmli_op_layernorm(tape, x, one, mmli_op_zeros(tape, 1, x->cols));
}

/* H heads of c queries each to the tokens, projected by key and value unless both are NULL. */
static mmli_var *attention(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, const mmli_cross_plan *plan,
                           mmli_var *q, mmli_var *key, mmli_var *value, size_t c, size_t H)
{
    const mmli_pieces pieces = {.query = q, .tokens = x->tokens, .key = key, .value = value, .c = c, .H = H,
                                .scale = x->scale, .shared = x->shared, .piece = plan->piece};
    mmli_var *k = x->tokens, *v = x->tokens;

    if (plan->piece > 0)
        return mmli_op_attention_pieces(tape, &pieces, ragged);
    if (!plan->folded) {
        k = mmli_op_linear(tape, x->tokens, key, NULL);
        v = mmli_op_linear(tape, x->tokens, value, NULL);
    }
    return mmli_op_attention(tape, q, k, v, ragged, c, H, x->scale, x->shared ? MMLI_QUERY_SHARED : MMLI_QUERY_FIXED);
}

static mmli_var *folded(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, const mmli_cross_plan *plan,
                        mmli_var *key, mmli_var *value, mmli_var *bias)
{
    const size_t H = x->H, w = x->tokens->cols, rows = ragged->segs * x->c;
    mmli_var *q, *o;

    if (plan->pair_in)
        q = mmli_op_linear(tape, x->latent, mmli_op_by_head(tape, key, x->query, H, MMLI_BY_HEAD_PAIR), NULL);
    else
        q = mmli_op_by_head(tape, mmli_op_linear(tape, x->latent, x->query, NULL), key, H, MMLI_BY_HEAD_FORTH);
    /* (rows, H w) and (rows H, w) are the same numbers in the same order: every head of a query is a query */
    q = mmli_op_view(tape, q, q ? q->rows * H : 0, w);
    o = attention(tape, x, ragged, plan, q, NULL, NULL, x->c * H, 1);
    o = mmli_op_view(tape, o, rows, H * w);
    if (plan->pair_out)
        return mmli_op_linear(tape, o, mmli_op_by_head(tape, x->out, value, H, MMLI_BY_HEAD_FORTH), bias);
    return mmli_op_linear(tape, mmli_op_by_head(tape, o, value, H, MMLI_BY_HEAD_BACK), x->out, bias);
}

mmli_var *mmli_op_cross(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, const mmli_cross_plan *plan)
{
    mmli_var *key, *value, *bias, *q, *o;

    if (!x->latent || !x->tokens || !mmli_tape_ok(tape))
        return NULL;
    if (x->gamma->cols != x->tokens->cols || x->key->cols != x->tokens->cols)
        return mmli_shape_error(tape, "cross-attention", x->tokens, x->key);
    key = mmli_op_mul_row(tape, x->key, x->gamma);
    value = mmli_op_mul_row(tape, x->value, x->gamma);
    bias = mmli_op_linear(tape, mmli_op_linear(tape, x->beta, x->value, NULL), x->out, x->bias);
    if (plan->folded)
        return folded(tape, x, ragged, plan, key, value, bias);
    q = mmli_op_linear(tape, x->latent, x->query, NULL);
    if (!key || !value)
        return NULL;
    o = attention(tape, x, ragged, plan, q, key, value, x->c, x->H);
    return mmli_op_linear(tape, o, x->out, bias);
}

const float *mmli_cross_weights(mmli_tape *tape, const mmli_cross *x, const mmli_ragged *ragged, size_t e)
{
    mmli_pieces pieces = {.tokens = x->tokens, .c = x->c, .H = x->H, .scale = x->scale, .shared = x->shared};

    if (!x->latent || !x->tokens || !mmli_tape_ok(tape))
        return NULL;
    pieces.piece = piece_of(&(mmli_cross_shape){.w = x->tokens->cols, .H = x->H, .e = e}, true);
    pieces.key = mmli_op_mul_row(tape, x->key, x->gamma);
    pieces.query = mmli_op_linear(tape, x->latent, x->query, NULL);
    return pieces.key ? mmli_attention_weights(tape, &pieces, ragged) : NULL;
}
