/* block_declare.c - the parameters of a LegoBlock, and what its options may be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lego/block.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_LATENT = 65536, MOST_STEPS = 64, MOST_WIDTH = 65536 };

mml_status mmli_block_options_check(const mml_block_options *o)
{
    mml_status st = MML_OK;

    MML_CHECK(o->latent_c >= 1 && o->latent_c <= MOST_LATENT && o->latent_d >= 1 && o->latent_d <= MOST_LATENT, MML_E_ARG,
              "latent %zu x %zu: both sizes must be between 1 and %d", o->latent_c, o->latent_d, MOST_LATENT);
    MML_CHECK(o->steps >= 1 && o->steps <= MOST_STEPS, MML_E_ARG, "steps must be between 1 and %d, not %zu", MOST_STEPS,
              o->steps);
    MML_CHECK(o->heads >= 1 && o->heads <= 1024 && o->head_width >= 1 && o->head_width <= 4096, MML_E_ARG,
              "%zu attention heads of width %zu: heads must be 1 to 1024, widths 1 to 4096", o->heads, o->head_width);
    MML_CHECK(isfinite(o->tau) && o->tau > 0, MML_E_ARG, "tau must be above 0, not %g", o->tau);
    MML_CHECK(o->dropout >= 0 && o->dropout < 1, MML_E_ARG, "dropout must be in [0, 1), not %g", o->dropout);
    MML_CHECK(o->encoder_dropout < 1, MML_E_ARG, "encoder dropout must be below 1, not %g", o->encoder_dropout);
    MML_CHECK(o->encoder_width <= MOST_WIDTH && o->encoder_layers <= 64, MML_E_ARG,
              "encoder of width %zu and %zu layers: at most %d and 64", o->encoder_width, o->encoder_layers, MOST_WIDTH);
    MML_CHECK(!o->raw_layers || o->encoder == MML_ENCODER_SELFATTN || o->encoder == MML_ENCODER_NONE, MML_E_ARG,
              "raw layers go with encoder selfattn or none, not %s", mml_encoder_name(o->encoder));
    MML_CHECK(o->transform == MML_TRANSFORM_2D || o->transform == MML_TRANSFORM_1D || o->transform == MML_TRANSFORM_SPATIAL,
              MML_E_ARG, "unknown transform %d", (int)o->transform);
out:
    return st;
}

/* What a declaration needs again and again. */
typedef struct declaring {
    mmli_params *params;
    const char *prefix;
    mml_status st; /* sticks: a list of declarations reads as a list */
} declaring;

static size_t add(declaring *to, const char *key, size_t rows, size_t cols, mml_init init, float gain, mmli_role role,
                  mmli_section section)
{
    size_t index = 0;

    if (to->st == MML_OK)
        to->st = mmli_params_add(to->params, &index, to->prefix, key, rows, cols, init, gain, role, section);
    return index;
}

static size_t step_param(declaring *to, size_t s, const char *what, size_t rows, size_t cols, mml_init init, mmli_role role)
{
    char key[96];

    snprintf(key, sizeof key, "steps.%zu.%s", s, what);
    return add(to, key, rows, cols, init, 1.0f, role, MMLI_SECTION_BLOCK);
}

/* Upstream keeps a self-attention whose result it throws away (method.md 2): carried, never computed. */
static void declare_dead_attention(declaring *to, size_t s, size_t in, size_t inner)
{
    const size_t first = to->params->n;

    step_param(to, s, "raw_attention_norm.weight", 1, in, MML_INIT_ONE, MMLI_ROLE_NORM);
    step_param(to, s, "raw_attention_norm.bias", 1, in, MML_INIT_ZERO, MMLI_ROLE_NORM);
    step_param(to, s, "raw_query.weight", inner, in, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    step_param(to, s, "raw_key.weight", inner, in, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    step_param(to, s, "raw_value.weight", inner, in, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    step_param(to, s, "raw_out.weight", in, inner, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    step_param(to, s, "raw_out.bias", 1, in, MML_INIT_ZERO, MMLI_ROLE_BIAS);
    for (size_t i = first; i < to->params->n; i++)
        to->params->list[i].dead = true;
}

static mmli_step declare_step(declaring *to, const mml_block_options *o, size_t s, size_t in, size_t w)
{
    const size_t d = o->latent_d, inner = o->heads * o->head_width;
    mmli_step p;

    memset(&p, 0, sizeof p);
    if (o->raw_layers) {
        declare_dead_attention(to, s, in, inner);
        p.raw_norm_w = step_param(to, s, "raw_ff_norm.weight", 1, in, MML_INIT_ONE, MMLI_ROLE_NORM);
        p.raw_norm_b = step_param(to, s, "raw_ff_norm.bias", 1, in, MML_INIT_ZERO, MMLI_ROLE_NORM);
        p.raw_in_w = step_param(to, s, "raw_ff_in.weight", 8 * in, in, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
        p.raw_in_b = step_param(to, s, "raw_ff_in.bias", 1, 8 * in, MML_INIT_ZERO, MMLI_ROLE_BIAS);
        p.raw_out_w = step_param(to, s, "raw_ff_out.weight", in, 4 * in, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
        p.raw_out_b = step_param(to, s, "raw_ff_out.bias", 1, in, MML_INIT_ZERO, MMLI_ROLE_BIAS);
    }
    p.query_norm_w = step_param(to, s, "query_norm.weight", 1, d, MML_INIT_ONE, MMLI_ROLE_NORM);
    p.query_norm_b = step_param(to, s, "query_norm.bias", 1, d, MML_INIT_ZERO, MMLI_ROLE_NORM);
    p.context_norm_w = step_param(to, s, "context_norm.weight", 1, w, MML_INIT_ONE, MMLI_ROLE_NORM);
    p.context_norm_b = step_param(to, s, "context_norm.bias", 1, w, MML_INIT_ZERO, MMLI_ROLE_NORM);
    p.query = step_param(to, s, "query.weight", inner, d, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.key = step_param(to, s, "key.weight", inner, w, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.value = step_param(to, s, "value.weight", inner, w, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.out_w = step_param(to, s, "out.weight", d, inner, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.out_b = step_param(to, s, "out.bias", 1, d, MML_INIT_ZERO, MMLI_ROLE_BIAS);
    p.ff_norm_w = step_param(to, s, "ff_norm.weight", 1, d, MML_INIT_ONE, MMLI_ROLE_NORM);
    p.ff_norm_b = step_param(to, s, "ff_norm.bias", 1, d, MML_INIT_ZERO, MMLI_ROLE_NORM);
    p.ff_in_w = step_param(to, s, "ff_in.weight", 8 * d, d, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.ff_in_b = step_param(to, s, "ff_in.bias", 1, 8 * d, MML_INIT_ZERO, MMLI_ROLE_BIAS);
    p.ff_out_w = step_param(to, s, "ff_out.weight", d, 4 * d, MML_INIT_UNIFORM_FAN_IN, MMLI_ROLE_WEIGHT);
    p.ff_out_b = step_param(to, s, "ff_out.bias", 1, d, MML_INIT_ZERO, MMLI_ROLE_BIAS);
    return p;
}

mml_status mmli_head_declare(mmli_head *head, mmli_params *params, const char *prefix, size_t d, size_t outputs, float gain)
{
    declaring to = {params, prefix, MML_OK};
    const mml_init init = gain < 0 ? MML_INIT_UNIFORM_FAN_IN : MML_INIT_NORMAL;

    head->norm_w = add(&to, "head.norm.weight", 1, d, MML_INIT_ONE, 1.0f, MMLI_ROLE_NORM, MMLI_SECTION_HEAD);
    head->norm_b = add(&to, "head.norm.bias", 1, d, MML_INIT_ZERO, 1.0f, MMLI_ROLE_NORM, MMLI_SECTION_HEAD);
    head->linear_w = add(&to, "head.linear.weight", outputs, d, init, gain < 0 ? 1.0f : gain, MMLI_ROLE_WEIGHT,
                         MMLI_SECTION_HEAD);
    head->linear_b = add(&to, "head.linear.bias", 1, outputs, MML_INIT_ZERO, 1.0f, MMLI_ROLE_BIAS, MMLI_SECTION_HEAD);
    return to.st;
}

mml_status mmli_block_declare(mmli_block *block, mmli_params *params, const char *prefix, const mml_block_options *o,
                              size_t in, size_t outputs, float head_gain, const mml_encoder *custom)
{
    mml_status st = MML_OK;
    declaring to = {params, prefix, MML_OK};

    memset(block, 0, sizeof *block);
    MML_TRY(mmli_block_options_check(o));
    MML_CHECK(outputs >= 1, MML_E_ARG, "a block needs at least one output");
    block->o = *o;
    block->outputs = outputs;
    MML_TRY(mmli_strdup(&block->custom_name, custom ? custom->name : o->custom));
    block->o.custom = block->custom_name;
    block->latent = add(&to, "latent", o->latent_c, o->latent_d, MML_INIT_NORMAL, 1.0f, MMLI_ROLE_LATENT,
                        MMLI_SECTION_LATENT);
    MML_TRY(to.st);
    MML_TRY(mmli_encoder_declare(&block->encoder, params, prefix, o, in, custom));
    MML_TRY(mmli_calloc(&block->steps, o->steps, sizeof *block->steps));
    for (size_t s = 0; s < o->steps; s++)
        block->steps[s] = s > 0 && o->share_steps ? block->steps[0]
                                                  : declare_step(&to, o, s, in, block->encoder.width);
    MML_TRY(to.st);
    MML_TRY(mmli_head_declare(&block->head, params, prefix, o->latent_d, outputs, head_gain));
out:
    if (st != MML_OK)
        mmli_block_clear(block);
    return st;
}

void mmli_block_clear(mmli_block *block)
{
    mmli_encoder_clear(&block->encoder);
    mmli_free(block->steps);
    mmli_free(block->custom_name);
    memset(block, 0, sizeof *block);
}
