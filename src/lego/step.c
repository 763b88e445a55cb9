/* step.c - the update of a latent by the tokens of one modality (method.md 2).
 *
 * With A the attention of LN(R) over LN(h):
 *     U  = R + drop(phi(A Wo + bo)),   R' = U + drop(FF(LN(U))),   I' = I
 * Rows are worked on for the samples that have tokens only. Exact shortcuts: where every such sample has one
 * token, softmax over one score is 1, so each latent row gets the same value vector: no queries, no keys, one row a
 * sample instead of c. A start state is one array for all samples: its LayerNorm and queries are computed once. Several
 * tokens are normalised once for all steps, very many piece by piece in each, and attended to by the cheapest plan
 * (ops/cross.h).
 */
#include <math.h>

#include "lego/block.h"
#include "ops/internal.h"
#include "ops/watch.h"
#include "util/rng.h"

static mmli_var *norm(mmli_tape *tape, const mmli_bound *bound, mmli_var *x, size_t w, size_t b)
{
    return mmli_op_layernorm(tape, x, mmli_p(bound, w), mmli_p(bound, b));
}

static mmli_var *linear(mmli_tape *tape, const mmli_bound *bound, mmli_var *x, size_t w, size_t b)
{
    return mmli_op_linear(tape, x, mmli_p(bound, w), mmli_p(bound, b));
}

static mmli_cross_shape shape_of(const mmli_block *block, const mmli_context *context)
{
    const mml_block_options *o = &block->o;

    return (mmli_cross_shape){.segs = context->ragged.segs, .tokens = context->ragged.tokens, .c = o->latent_c,
                              .d = o->latent_d, .w = context->tokens ? context->tokens->cols : 0, .H = o->heads,
                              .e = o->head_width};
}

mmli_context mmli_block_context(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, size_t s,
                                const mmli_context *before, mmli_var *x, const mmli_ragged *ragged, uint64_t key)
{
    const mml_block_options *o = &block->o;
    mmli_context context = {.ragged = *ragged};

    if (s > 0 && !(o->encoder_each_step && mmli_tape_training(tape)))
        return *before;
    if (s > 0)
        key = mmli_rng_key(key, "encoder of step", s);
    context.tokens = mmli_encode(tape, bound, &block->encoder, x, ragged, &context.ragged, key);
    if (o->context_dft && o->transform != MML_TRANSFORM_SPATIAL && !o->raw_layers)
        context.tokens = mmli_op_segment_dft_real(tape, context.tokens, &context.ragged);
    if (!context.ragged.single && !o->raw_layers && !block->no_shortcuts) {
        const mmli_cross_shape shape = shape_of(block, &context);

        context.pieces = block->plan ? block->plan->piece > 0 : !mmli_cross_is_whole(&shape);
        context.pieces = context.pieces || (context.tokens && context.tokens->stream);
        if (!context.pieces)
            context.normal = mmli_op_normalise(tape, context.tokens);
    }
    return context;
}

/* The tokens that step s attends to; upstream's raw layers give each step its own. */
static mmli_var *step_tokens(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, const mmli_step *p,
                             const mmli_context *context)
{
    const mml_block_options *o = &block->o;
    mmli_var *x = context->tokens;

    if (!o->raw_layers)
        return x;
    x = mmli_op_feed_forward(tape, x, &(mmli_ff_vars){mmli_p(bound, p->raw_norm_w), mmli_p(bound, p->raw_norm_b),
                                                      mmli_p(bound, p->raw_in_w), mmli_p(bound, p->raw_in_b),
                                                      mmli_p(bound, p->raw_out_w), mmli_p(bound, p->raw_out_b)}, 0, 0);
    if (o->context_dft && o->transform != MML_TRANSFORM_SPATIAL)
        x = mmli_op_segment_dft_real(tape, x, &context->ragged);
    return x;
}

/* A Wo + bo with queries LN(R), (c, d) when shared, else (P c, d), by the cheapest plan. */
static mmli_var *cross(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, const mmli_step *p,
                       const mmli_context *context, mmli_var *latent, float scale, bool shared)
{
    const mml_block_options *o = &block->o;
    const mmli_cross x = {.latent = latent, .tokens = context->pieces ? context->tokens : context->normal,
                          .gamma = mmli_p(bound, p->context_norm_w), .beta = mmli_p(bound, p->context_norm_b),
                          .query = mmli_p(bound, p->query), .key = mmli_p(bound, p->key), .value = mmli_p(bound, p->value),
                          .out = mmli_p(bound, p->out_w), .bias = mmli_p(bound, p->out_b), .c = o->latent_c,
                          .H = o->heads, .scale = scale, .shared = shared};
    mmli_cross_shape shape = shape_of(block, context);
    mmli_cross_plan plan;

    if (!x.tokens)
        return NULL;
    shape.shared = shared;
    shape.whole = !context->pieces;
    shape.record = mmli_tape_recording(tape);
    shape.tokens_need = x.tokens->need;
    plan = block->plan ? *block->plan : mmli_cross_choose(&shape);
    return mmli_op_cross(tape, &x, &context->ragged, &plan);
}

/* Shows the weights of the tokens to who watches the pass. q: the normalised latent, NULL where every sample has one token. */
static void show(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, const mmli_step *p,
                 const mmli_context *context, mmli_var *tokens, mmli_var *q, float scale, bool shared)
{
    const mmli_tape_mark mark = mmli_tape_get_mark(tape);
    const mmli_cross x = {.latent = q, .tokens = tokens, .gamma = mmli_p(bound, p->context_norm_w),
                          .query = mmli_p(bound, p->query), .key = mmli_p(bound, p->key), .c = block->o.latent_c,
                          .H = block->o.heads, .scale = scale, .shared = shared};
    mmli_seen seen = {.of = block, .step = (size_t)(p - block->steps), .ragged = &context->ragged};

    if (!mmli_is_watched(tape))
        return;
    if (!context->ragged.single)
        seen.weights = mmli_cross_weights(tape, &x, &context->ragged, block->o.head_width);
    mmli_show(tape, &seen);
    mmli_tape_release(tape, mark);
}

/* phi(A Wo + bo) for the P samples with tokens, (P c, d); R (c, d) when shared, else (P c, d) */
static mmli_var *attend(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, const mmli_step *p,
                        const mmli_context *context, mmli_var *R, bool shared)
{
    const mml_block_options *o = &block->o;
    const mmli_ragged *ragged = &context->ragged;
    const float scale = (float)(1.0 / (sqrt((double)o->head_width) * o->tau));
    const mmli_act phi = o->leaky_output ? MMLI_ACT_LEAKY : MMLI_ACT_IDENTITY;
    const bool one = ragged->single && !block->no_shortcuts;
    mmli_var *q = one ? NULL : norm(tape, bound, R, p->query_norm_w, p->query_norm_b), *h, *k, *v, *a;

    if (context->normal || context->pieces) {
        show(tape, bound, block, p, context, context->tokens, q, scale, shared);
        return mmli_op_act(tape, cross(tape, bound, block, p, context, q, scale, shared), phi);
    }
    h = step_tokens(tape, bound, block, p, context);
    show(tape, bound, block, p, context, h, q, scale, shared);
    h = norm(tape, bound, h, p->context_norm_w, p->context_norm_b);
    a = v = mmli_op_linear(tape, h, mmli_p(bound, p->value), NULL);
    if (!one) {
        k = mmli_op_linear(tape, h, mmli_p(bound, p->key), NULL);
        q = mmli_op_linear(tape, q, mmli_p(bound, p->query), NULL);
        a = mmli_op_attention(tape, q, k, v, ragged, o->latent_c, o->heads, scale,
                              shared ? MMLI_QUERY_SHARED : MMLI_QUERY_FIXED);
    }
    a = mmli_op_act(tape, linear(tape, bound, a, p->out_w, p->out_b), phi);
    return one ? mmli_op_spread(tape, a, o->latent_c) : a;
}

/* What the samples with tokens go on from. Upstream normalises the latent anew before every step, and the long way of
 * tests goes there and back; samples without tokens keep `kept`. */
static mmli_state renewed(mmli_tape *tape, const mmli_block *block, mmli_state kept, bool fresh)
{
    mmli_state now = kept;

    if ((block->o.normalise_latent || block->no_shortcuts) && !fresh)
        now = mmli_state_enter(tape, &block->o, mmli_state_leave(tape, &block->o, kept));
    if (block->no_shortcuts && now.re_shared) {
        now.z.re = mmli_op_repeat(tape, now.z.re, now.samples);
        now.re_shared = false;
    }
    return now;
}

static mmli_var *per_sample(mmli_tape *tape, mmli_var *x, bool shared, size_t samples)
{
    return shared ? mmli_op_repeat(tape, x, samples) : x;
}

/* The imaginary part after a step: that of `now` (or 0) where there are tokens, that of `kept` elsewhere. */
static mmli_state put_imaginary(mmli_tape *tape, const mml_block_options *o, const mmli_ragged *ragged, mmli_state kept,
                                mmli_state now, mmli_state next)
{
    const size_t c = o->latent_c, d = o->latent_d;
    mmli_var *im = o->drop_imaginary ? NULL : now.z.im, *rest;

    next.z.im = im;
    next.im_shared = now.im_shared;
    if (ragged->segs == ragged->samples || im == kept.z.im)
        return next;
    im = im ? mmli_op_take(tape, per_sample(tape, im, now.im_shared, now.samples), ragged, c)
            : mmli_op_zeros(tape, ragged->segs * c, d);
    rest = kept.z.im ? per_sample(tape, kept.z.im, kept.im_shared, kept.samples)
                     : mmli_op_zeros(tape, kept.samples * c, d);
    next.z.im = mmli_op_put(tape, rest, im, ragged, c);
    next.im_shared = false;
    return next;
}

mmli_state mmli_block_step(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, size_t s,
                           const mmli_context *context, mmli_state state, uint64_t key)
{
    const mml_block_options *o = &block->o;
    const mmli_step *p = &block->steps[s];
    const mmli_ragged *ragged = &context->ragged;
    const float drop = (float)o->dropout;
    const size_t before = ragged->segs_before * o->latent_c;
    const mmli_state kept = mmli_state_enter(tape, o, state);
    const mmli_ff_vars ff = {mmli_p(bound, p->ff_norm_w), mmli_p(bound, p->ff_norm_b), mmli_p(bound, p->ff_in_w),
                             mmli_p(bound, p->ff_in_b), mmli_p(bound, p->ff_out_w), mmli_p(bound, p->ff_out_b)};
    mmli_state now, next = kept;
    mmli_var *R, *rest = kept.z.re, *u;

    if (ragged->segs == 0 || !mmli_tape_ok(tape))
        return kept;
    now = renewed(tape, block, kept, state.spatial);
    R = now.re_shared ? now.z.re : mmli_op_take(tape, now.z.re, ragged, o->latent_c);
    u = attend(tape, bound, block, p, context, R, now.re_shared);
    u = mmli_op_dropout_part(tape, u, drop, mmli_rng_key(key, "attention", s), before);
    u = mmli_op_add(tape, per_sample(tape, R, now.re_shared, ragged->segs), u);
    u = mmli_op_feed_forward_part(tape, u, &ff, drop, mmli_rng_key(key, "feed-forward", s), before);
    if (ragged->segs < ragged->samples)
        rest = per_sample(tape, rest, kept.re_shared, kept.samples);
    next.z.re = mmli_op_put(tape, rest, u, ragged, o->latent_c);
    next.re_shared = false;
    return put_imaginary(tape, o, ragged, kept, now, next);
}

mmli_state mmli_block_run(mmli_tape *tape, const mmli_bound *bound, const mmli_block *block, mmli_var *x,
                          const mmli_ragged *ragged, mmli_state state, uint64_t key)
{
    const mml_block_options *o = &block->o;
    mmli_context context = {0};

    if (!x)
        return mmli_state_enter(tape, o, state);
    for (size_t s = 0; s < o->steps; s++) {
        context = mmli_block_context(tape, bound, block, s, &context, x, ragged, key);
        state = mmli_block_step(tape, bound, block, s, &context, state, key);
    }
    return state;
}

mmli_var *mmli_head_apply(mmli_tape *tape, const mmli_bound *bound, const mmli_head *head, mmli_state state, size_t c)
{
    mmli_var *y = mmli_op_group_mean(tape, state.z.re, c);

    y = norm(tape, bound, y, head->norm_w, head->norm_b);
    y = linear(tape, bound, y, head->linear_w, head->linear_b);
    return state.re_shared ? mmli_op_repeat(tape, y, state.samples) : y;
}
