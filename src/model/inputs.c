/* inputs.c - a batch of raw tokens becomes what the blocks read: preprocessed, ragged, on the device. */
#include <string.h>

#include "baselines/arrange.h"
#include "io/batch.h"
#include "model/model.h"
#include "util/alloc.h"
#include "util/error.h"

/* The tokens of one modality without those of dropped samples, in the tape's memory. The kept tokens are copied before
 * preprocessing, which sees one sample at a time, so what is kept comes out as if nothing had been dropped. */
static mml_status keep(mml_tokens *tokens, mmli_tape *tape, size_t samples, const uint8_t *drop)
{
    const size_t width = tokens->width, axes = tokens->n_axes;
    const float *values = tokens->values, *positions = tokens->positions;
    const int64_t *offsets = tokens->offsets;
    const size_t most = (size_t)offsets[samples];
    int64_t *new_offsets = mmli_tape_host(tape, (samples + 1) * sizeof *new_offsets);
    float *new_values = mmli_tape_host(tape, most * width * sizeof *new_values);
    float *new_positions = mmli_tape_host(tape, most * axes * sizeof *new_positions);
    size_t at = 0;

    if (!mmli_tape_ok(tape))
        return mmli_tape_status(tape);
    new_offsets[0] = 0;
    for (size_t b = 0; b < samples; b++) {
        const size_t first = (size_t)offsets[b], n = drop[b] ? 0 : (size_t)(offsets[b + 1] - offsets[b]);

        if (n > 0)
            memcpy(new_values + at * width, values + first * width, n * width * sizeof *values);
        if (n > 0 && axes > 0)
            memcpy(new_positions + at * axes, positions + first * axes, n * axes * sizeof *positions);
        at += n;
        new_offsets[b + 1] = (int64_t)at;
    }
    tokens->values = new_values;
    tokens->positions = axes > 0 ? new_positions : NULL;
    tokens->offsets = new_offsets;
    return MML_OK;
}

/* The tokens with the features of the model, in the tape's memory. */
static mml_status match(mml_tokens *tokens, mmli_tape *tape, const mmli_match *m, size_t samples)
{
    const size_t T = (size_t)tokens->offsets[samples];
    mml_status st = MML_OK;
    size_t bytes;
    float *values;

    MML_CHECK(mmli_mul_size(&bytes, T, m->width) && mmli_mul_size(&bytes, bytes, sizeof *values), MML_E_NOMEM,
              "%zu tokens of width %zu are too many", T, m->width);
    values = mmli_tape_host(tape, bytes);
    MML_TRY(mmli_tape_status(tape));
    mmli_match_values(values, m, tokens->values, T, tokens->width);
    tokens->values = values;
    tokens->width = m->width;
out:
    return st;
}

/* Preprocessed, on the host. */
static mml_status prepare(mmli_host_tokens *out, uint8_t *present, mmli_tape *tape, const mmli_member *m, mml_tokens tokens,
                          size_t samples, const uint8_t *drop, mmli_match *how, bool summary)
{
    mml_status st = MML_OK;
    bool any_dropped = false;
    size_t T, bytes;
    float *x;

    for (size_t b = 0; b < samples; b++) {
        const bool has = tokens.offsets[b + 1] > tokens.offsets[b];

        present[b] = has && !(drop && drop[b]);
        any_dropped = any_dropped || (has && !present[b]);
    }
    if (any_dropped)
        MML_TRY(keep(&tokens, tape, samples, drop));
    T = (size_t)tokens.offsets[samples];
    if (T == 0)
        goto out;
    if (how != NULL)
        mmli_match_count(how, &tokens, samples);
    if (how != NULL && how->from != NULL)
        MML_TRY(match(&tokens, tape, how, samples));
    MML_CHECK(mmli_mul_size(&bytes, T, m->prep->width_out) && mmli_mul_size(&bytes, bytes, sizeof *x), MML_E_NOMEM,
              "%zu tokens of width %zu are too many", T, m->prep->width_out);
    x = mmli_tape_host(tape, bytes);
    MML_TRY(mmli_tape_status(tape));
    MML_TRY(mmli_prep_apply(x, m->prep, &tokens, samples));
    *out = (mmli_host_tokens){x, tokens.offsets, m->prep->width_out};
    if (summary) {
        const mmli_host_tokens all = *out;

        MML_TRY(mmli_summarise(out, tape, m->kind, &all, tokens.values, m->prep->width_in, samples));
    }
out:
    return st;
}

static mml_status upload(mmli_input *in, mmli_tape *tape, const mmli_host_tokens *host, size_t samples)
{
    mml_status st = MML_OK;

    if (!host->values)
        return MML_OK;
    MML_TRY(mmli_ragged_make(&in->ragged, tape, host->offsets, samples));
    in->x = mmli_tape_input(tape, host->values, (size_t)host->offsets[samples], host->width, false);
    st = mmli_tape_status(tape);
out:
    return st;
}

/* mml_batch_get() would make a message for a modality that is simply not there. */
static bool find(mml_tokens *out, const mml_batch *batch, const char *name)
{
    for (size_t i = 0; i < batch->n_parts; i++)
        if (strcmp(batch->parts[i].name, name) == 0) {
            const mmli_batch_part *p = &batch->parts[i];

            *out = (mml_tokens){p->name, p->values, p->offsets, p->width, p->n_axes ? p->positions : NULL, p->n_axes};
            return true;
        }
    return false;
}

mml_status mmli_inputs_make(mmli_inputs *out, mmli_tape *tape, const mml_model *model, const mml_batch *batch,
                            const uint8_t *drop, mmli_match *const *matches)
{
    const size_t B = mml_batch_size(batch);
    const bool joins = model->baseline && mmli_baseline_joins(model->baseline);
    const bool summary = model->baseline && mmli_kind_summarises(model->baseline->o.kind);
    mml_status st = MML_OK;
    mmli_host_tokens *host = mmli_tape_host(tape, model->n * sizeof *host), joined;

    *out = (mmli_inputs){.samples = B};
    out->in = mmli_tape_host(tape, model->n * sizeof *out->in);
    out->present = mmli_tape_host(tape, model->n * B);
    MML_TRY(mmli_tape_status(tape));
    memset(out->in, 0, model->n * sizeof *out->in);
    memset(host, 0, model->n * sizeof *host);
    memset(out->present, 0, model->n * B);
    for (size_t m = 0; m < model->n; m++) {
        mml_tokens tokens;

        if (!find(&tokens, batch, model->members[m].modality))
            continue;
        MML_TRY(prepare(&host[m], out->present + m * B, tape, &model->members[m], tokens, B, drop ? drop + m * B : NULL,
                        matches ? matches[m] : NULL, summary));
        if (!joins)
            MML_TRY(upload(&out->in[m], tape, &host[m], B));
    }
    if (joins) {
        MML_TRY(mmli_join_tokens(&joined, tape, model->baseline, host, B));
        MML_TRY(upload(&out->in[0], tape, &joined, B));
    }
out:
    if (st != MML_OK)
        mmli_tape_fail(tape, st);
    return st;
}
