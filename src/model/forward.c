/* forward.c - from the inputs of a batch to logits, for every kind of model; what a merge makes of latents is in forward_merge.c. */
#include "model/model.h"

static uint64_t member_key(const mml_model *model, const mmli_tape *tape, size_t i)
{
    return mmli_tape_training(tape) ? mmli_tape_key(tape, model->members[i].name) : 0;
}

static mmli_state run_member(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_inputs *inputs,
                             size_t i)
{
    const mmli_block *block = &model->members[i].block;
    const mmli_input *in = &inputs->in[i];
    const mmli_state start = mmli_state_start(tape, bound, block->latent, inputs->samples);

    return mmli_block_run(tape, bound, block, in->x, &in->ragged, start, member_key(model, tape, i));
}

static mmli_var *forward_block(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_inputs *inputs)
{
    const mmli_block *block = &model->members[0].block;

    return mmli_head_apply(tape, bound, &block->head, run_member(model, tape, bound, inputs, 0), block->o.latent_c);
}

static mmli_var *forward_fuse(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_inputs *inputs)
{
    const size_t m = model->n;
    const mmli_block **blocks = mmli_tape_host(tape, m * sizeof *blocks);
    mmli_var **x = mmli_tape_host(tape, m * sizeof *x);
    mmli_ragged *ragged = mmli_tape_host(tape, m * sizeof *ragged);
    uint64_t *keys = mmli_tape_host(tape, m * sizeof *keys);
    mmli_state state;

    if (!blocks || !x || !ragged || !keys)
        return NULL;
    for (size_t i = 0; i < m; i++) {
        blocks[i] = &model->members[i].block;
        x[i] = inputs->in[i].x;
        ragged[i] = inputs->in[i].ragged;
        keys[i] = member_key(model, tape, i);
    }
    state = mmli_state_start(tape, bound, model->latent, inputs->samples);
    state = mmli_fuse_run(tape, bound, blocks, m, model->order, model->fuse.mode, x, ragged, keys, state);
    return mmli_head_apply(tape, bound, &model->head, state, blocks[0]->o.latent_c);
}

mml_status mmli_model_latents(mmli_complex *z, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                              const mmli_inputs *inputs)
{
    for (size_t i = 0; i < model->n; i++)
        z[i] = mmli_state_full(tape, &model->members[i].block.o, run_member(model, tape, bound, inputs, i));
    return mmli_tape_status(tape);
}

static mmli_var *forward_merge(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_inputs *inputs,
                               mmli_heads *heads)
{
    mmli_complex *z = mmli_tape_host(tape, model->n * sizeof *z);
    mmli_var *logits;

    if (!z || mmli_model_latents(z, model, tape, bound, inputs) != MML_OK ||
        mmli_model_merge_logits(&logits, model, tape, bound, z, inputs->present, inputs->samples, heads) != MML_OK)
        return NULL;
    return logits;
}

/* ---- baselines ------------------------------------------------------------------------------------------ */

static mml_status forward_baseline(mmli_stages *out, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                                   const mmli_inputs *inputs, bool all)
{
    const mmli_baseline_pass pass = {.tape = tape,
                                     .bound = bound,
                                     .in = inputs->in,
                                     .present = inputs->present,
                                     .samples = inputs->samples,
                                     .key = mmli_tape_training(tape) ? mmli_tape_key(tape, "baseline") : 0,
                                     .all = all};

    return mmli_baseline_forward(out, model->baseline, &pass);
}

mml_status mmli_model_stages(mmli_stages *out, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                             const mmli_inputs *inputs)
{
    *out = (mmli_stages){0};
    if (model->kind == MML_MODEL_BASELINE)
        return forward_baseline(out, model, tape, bound, inputs, mmli_tape_recording(tape));
    out->logits = mmli_tape_host(tape, sizeof *out->logits);
    out->share = mmli_tape_host(tape, sizeof *out->share);
    if (!out->logits || !out->share)
        return mmli_tape_status(tape);
    out->share[0] = NULL;
    out->n = 1;
    return mmli_model_forward(&out->logits[0], model, tape, bound, inputs, NULL);
}

mml_status mmli_model_forward(mmli_var **logits, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                              const mmli_inputs *inputs, mmli_heads *heads)
{
    mmli_stages stages;

    *logits = NULL;
    switch (model->kind) {
    case MML_MODEL_BASELINE:
        if (forward_baseline(&stages, model, tape, bound, inputs, false) == MML_OK)
            *logits = stages.logits[stages.n - 1];
        break;
    case MML_MODEL_BLOCK:
        *logits = forward_block(model, tape, bound, inputs);
        break;
    case MML_MODEL_FUSE:
        *logits = forward_fuse(model, tape, bound, inputs);
        break;
    case MML_MODEL_MERGE:
    default:
        *logits = forward_merge(model, tape, bound, inputs, heads);
    }
    return mmli_tape_status(tape);
}
