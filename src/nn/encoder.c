/* encoder.c - the built-in encoders (method.md 5). Pooling of bags is in abmil.c, custom ones in custom.c. */
#include "nn/encoder.h"

#include <math.h>
#include <stdio.h>

#include "nn/abmil.h"
#include "nn/custom.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

/* Adds a parameter and notes its index. */
static mml_status add(mmli_encoder *enc, mmli_params *params, const char *prefix, const char *key, size_t rows,
                      size_t cols, mml_init init, mmli_role role)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_realloc(&enc->p, enc->n_p + 1, sizeof *enc->p));
    MML_TRY(mmli_params_add(params, &enc->p[enc->n_p], prefix, key, rows, cols, init, 1.0f, role, MMLI_SECTION_ENCODER));
    enc->n_p++;
out:
    return st;
}

/* Weight (out, in) and bias (1, out) of "encoder.<what>", as torch.nn.Linear starts them; for `normal`, N(0, 1/in)
 * and bias 0 (self-normalising networks). The bias of torch is U(+-1/sqrt(in)); ours starts at 0: nothing here needs
 * symmetry broken there, and weight decay does not touch it. */
static mml_status add_linear(mmli_encoder *enc, mmli_params *params, const char *prefix, const char *what, size_t out,
                             size_t in, bool normal, bool bias)
{
    mml_status st = MML_OK;
    char *key = NULL;

    MML_TRY(mmli_strf(&key, "encoder.%s.weight", what));
    MML_TRY(add(enc, params, prefix, key, out, in, normal ? MML_INIT_NORMAL_FAN_IN : MML_INIT_UNIFORM_FAN_IN,
                MMLI_ROLE_WEIGHT));
    mmli_free(key);
    key = NULL;
    if (bias) {
        MML_TRY(mmli_strf(&key, "encoder.%s.bias", what));
        MML_TRY(add(enc, params, prefix, key, 1, out, MML_INIT_ZERO, MMLI_ROLE_BIAS));
    }
out:
    mmli_free(key);
    return st;
}

static mml_status add_norm(mmli_encoder *enc, mmli_params *params, const char *prefix, const char *what, size_t width)
{
    mml_status st = MML_OK;
    char *key = NULL;

    MML_TRY(mmli_strf(&key, "encoder.%s.weight", what));
    MML_TRY(add(enc, params, prefix, key, 1, width, MML_INIT_ONE, MMLI_ROLE_NORM));
    mmli_free(key);
    key = NULL;
    MML_TRY(mmli_strf(&key, "encoder.%s.bias", what));
    MML_TRY(add(enc, params, prefix, key, 1, width, MML_INIT_ZERO, MMLI_ROLE_NORM));
out:
    mmli_free(key);
    return st;
}

static mml_status declare_snn(mmli_encoder *enc, mmli_params *params, const char *prefix)
{
    mml_status st = MML_OK;
    size_t in = enc->in;

    for (size_t i = 0; i < enc->layers; i++) {
        char what[32];
        snprintf(what, sizeof what, "fc%zu", i);
        MML_TRY(add_linear(enc, params, prefix, what, enc->hidden, in, true, true));
        in = enc->hidden;
    }
    enc->width = enc->hidden;
out:
    return st;
}

/* hidden -> vectors of width enc->width */
static mml_status declare_abmil(mmli_encoder *enc, mmli_params *params, const char *prefix)
{
    mml_status st = MML_OK;
    const size_t half = enc->width;

    MML_TRY(add_linear(enc, params, prefix, "fc", enc->hidden, enc->in, false, true));
    /* rows 0 .. half-1 feed tanh, the rest the sigmoid */
    MML_TRY(add_linear(enc, params, prefix, "gate", 2 * half, enc->hidden, false, true));
    MML_TRY(add_linear(enc, params, prefix, "score", 1, half, false, true));
    MML_TRY(add_linear(enc, params, prefix, "rho", half, enc->hidden, false, true));
out:
    return st;
}

static mml_status declare_selfattn(mmli_encoder *enc, mmli_params *params, const char *prefix)
{
    mml_status st = MML_OK;
    const size_t inner = enc->heads * enc->head_width, in = enc->in;

    MML_TRY(add_norm(enc, params, prefix, "norm", in));
    MML_TRY(add_linear(enc, params, prefix, "query", inner, in, false, false));
    MML_TRY(add_linear(enc, params, prefix, "key", inner, in, false, false));
    MML_TRY(add_linear(enc, params, prefix, "value", inner, in, false, false));
    MML_TRY(add_linear(enc, params, prefix, "out", in, inner, false, true));
    MML_TRY(add_norm(enc, params, prefix, "ff_norm", in));
    MML_TRY(add_linear(enc, params, prefix, "ff_in", 8 * in, in, false, true));
    MML_TRY(add_linear(enc, params, prefix, "ff_out", in, 4 * in, false, true));
out:
    return st;
}

static size_t or_default(size_t given, size_t fallback)
{
    return given ? given : fallback;
}

static float dropout_or(double given, float fallback)
{
    return given < 0 ? fallback : (float)given;
}

mml_status mmli_encoder_declare(mmli_encoder *enc, mmli_params *params, const char *prefix, const mml_block_options *o,
                                size_t in, const mml_encoder *custom)
{
    mml_status st = MML_OK;

    *enc = (mmli_encoder){.kind = o->encoder,
                          .in = in,
                          .width = in,
                          .heads = o->heads,
                          .head_width = o->head_width,
                          .limit = o->selfattn_limit,
                          .custom = custom};
    MML_CHECK(in > 0, MML_E_SHAPE, "tokens of width 0 cannot be encoded");
    switch (o->encoder) {
    case MML_ENCODER_NONE:
    case MML_ENCODER_EMBEDDING:
        break;
    case MML_ENCODER_LINEAR:
        enc->hidden = or_default(o->encoder_width, 32);
        enc->dropout = dropout_or(o->encoder_dropout, 0.5f);
        MML_TRY(add_linear(enc, params, prefix, "linear", enc->hidden, in, false, true));
        enc->width = enc->hidden;
        break;
    case MML_ENCODER_SNN:
        enc->hidden = or_default(o->encoder_width, 256);
        enc->layers = or_default(o->encoder_layers, 4);
        enc->dropout = dropout_or(o->encoder_dropout, 0.25f);
        MML_TRY(declare_snn(enc, params, prefix));
        break;
    case MML_ENCODER_ABMIL:
        enc->hidden = or_default(o->encoder_width, 512);
        enc->dropout = dropout_or(o->encoder_dropout, 0.25f);
        MML_CHECK(enc->hidden >= 2 && enc->hidden % 2 == 0, MML_E_ARG, "encoder width of abmil must be even, not %zu",
                  enc->hidden);
        enc->width = enc->hidden / 2;
        MML_TRY(declare_abmil(enc, params, prefix));
        break;
    case MML_ENCODER_SELFATTN:
        enc->dropout = dropout_or(o->encoder_dropout, 0.0f);
        if (!o->raw_layers) /* else the steps own the layers (block.c) and tokens pass as they are */
            MML_TRY(declare_selfattn(enc, params, prefix));
        break;
    case MML_ENCODER_CUSTOM:
        MML_TRY(mmli_custom_declare(enc, params, prefix));
        break;
    default:
        MML_CHECK(0, MML_E_ARG, "unknown encoder %d", (int)o->encoder);
    }
out:
    if (st != MML_OK)
        mmli_encoder_clear(enc);
    return st;
}

mml_status mmli_encoder_declare_abmil(mmli_encoder *enc, mmli_params *params, const char *prefix, const mml_block_options *o,
                                      size_t in, size_t out)
{
    mml_status st;

    *enc = (mmli_encoder){.kind = MML_ENCODER_ABMIL,
                          .in = in,
                          .width = out,
                          .hidden = o->encoder_width,
                          .dropout = dropout_or(o->encoder_dropout, 0.25f)};
    if ((st = declare_abmil(enc, params, prefix)) != MML_OK)
        mmli_encoder_clear(enc);
    return st;
}

void mmli_encoder_clear(mmli_encoder *enc)
{
    mmli_free(enc->p);
    enc->p = NULL;
    enc->n_p = 0;
}

/* x -> W x + b with the i-th and (i+1)-th parameter */
static mmli_var *linear(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, size_t i, mmli_var *x)
{
    return mmli_op_linear(tape, x, mmli_p(bound, enc->p[i]), mmli_p(bound, enc->p[i + 1]));
}

static mmli_var *snn(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x, size_t before, uint64_t key)
{
    for (size_t i = 0; i < enc->layers; i++) {
        x = mmli_op_act(tape, linear(tape, bound, enc, 2 * i, x), MMLI_ACT_ELU);
        x = mmli_op_alpha_dropout_part(tape, x, enc->dropout, mmli_rng_key(key, "encoder", i), before);
    }
    return x;
}

/* x1 = x + drop(Wo MHA(LN x)), x2 = x1 + drop(FF(LN x1)), within each sample */
static mmli_var *selfattn(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                          const mmli_ragged *ragged, uint64_t key)
{
    const size_t *p = enc->p;
    const float scale = 1.0f / sqrtf((float)enc->head_width);
    mmli_var *n, *q, *k, *v, *o;

    for (size_t s = 0; s < ragged->segs; s++) {
        const int64_t len = ragged->off[s + 1] - ragged->off[s];
        if ((uint64_t)len > enc->limit) {
            mmli_tape_fail(tape, mmli_fail(MML_E_ARG,
                                           "a sample has %lld tokens; encoder selfattn costs their square and stops at %zu: raise "
                                           "the limit or use abmil or none",
                                           (long long)len, enc->limit));
            return NULL;
        }
    }
    n = mmli_op_layernorm(tape, x, mmli_p(bound, p[0]), mmli_p(bound, p[1]));
    q = mmli_op_linear(tape, n, mmli_p(bound, p[2]), NULL);
    k = mmli_op_linear(tape, n, mmli_p(bound, p[3]), NULL);
    v = mmli_op_linear(tape, n, mmli_p(bound, p[4]), NULL);
    o = mmli_op_attention(tape, q, k, v, ragged, 0, enc->heads, scale, MMLI_QUERY_RAGGED);
    o = mmli_op_linear(tape, o, mmli_p(bound, p[5]), mmli_p(bound, p[6]));
    x = mmli_op_add(tape, x, mmli_op_dropout_part(tape, o, enc->dropout, mmli_rng_key(key, "encoder", 0), ragged->tokens_before));
    return mmli_op_feed_forward_part(tape, x, &(mmli_ff_vars){mmli_p(bound, p[7]), mmli_p(bound, p[8]), mmli_p(bound, p[9]),
                                                         mmli_p(bound, p[10]), mmli_p(bound, p[11]), mmli_p(bound, p[12])},
                                enc->dropout, mmli_rng_key(key, "encoder", 1), ragged->tokens_before);
}

mmli_var *mmli_encode(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                      const mmli_ragged *ragged, mmli_ragged *out_ragged, uint64_t key)
{
    *out_ragged = *ragged;
    if (!x || !mmli_tape_ok(tape))
        return NULL;
    switch (enc->kind) {
    case MML_ENCODER_LINEAR:
        x = mmli_op_dropout_part(tape, x, enc->dropout, mmli_rng_key(key, "encoder", 0), ragged->tokens_before);
        return linear(tape, bound, enc, 0, x);
    case MML_ENCODER_SNN:
        return snn(tape, bound, enc, x, ragged->tokens_before, key);
    case MML_ENCODER_ABMIL:
        mmli_tape_fail(tape, mmli_ragged_pooled(out_ragged, tape, ragged));
        return mmli_abmil(tape, bound, enc, x, ragged, key);
    case MML_ENCODER_SELFATTN:
        return enc->n_p ? selfattn(tape, bound, enc, x, ragged, key) : x;
    case MML_ENCODER_CUSTOM:
        if (enc->custom->pools)
            mmli_tape_fail(tape, mmli_ragged_pooled(out_ragged, tape, ragged));
        return mmli_custom_encode(tape, bound, enc, x, ragged, key);
    case MML_ENCODER_NONE:
    case MML_ENCODER_EMBEDDING:
    default:
        return x;
    }
}
