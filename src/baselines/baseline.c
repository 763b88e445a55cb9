/* baseline.c - an architecture with its parameters: making, running, ending. Each has a file of its own. */
#include "baselines/parts.h"

#include "util/alloc.h"
#include "util/error.h"

static const mmli_architecture *architecture(mml_baseline_kind kind)
{
    switch (kind) {
    case MML_BASELINE_SNN:
        return &mmli_snn;
    case MML_BASELINE_ABMIL:
        return &mmli_abmil_net;
    case MML_BASELINE_PERCEIVER:
        return &mmli_perceiver;
    case MML_BASELINE_HEALNET:
        return &mmli_healnet;
    case MML_BASELINE_MULTIMODN:
        return &mmli_multimodn;
    case MML_BASELINE_LATE_CONCAT:
        return &mmli_late_concat;
    case MML_BASELINE_LATE_BILINEAR:
        return &mmli_late_bilinear;
    case MML_BASELINE_MCAT:
        return &mmli_mcat;
    case MML_BASELINE_LINEAR:
        return &mmli_linear_model;
    default:
        return NULL;
    }
}

mml_status mml_baseline_check(const mml_baseline_options *options, const mml_modality_info *modalities, size_t n)
{
    mml_status st = MML_OK;
    const mmli_architecture *a;

    MML_GIVEN(options, modalities);
    MML_CHECK(n > 0, MML_E_ARG, "a baseline needs at least one modality");
    MML_TRY(mmli_baseline_options_check(options));
    a = architecture(options->kind);
    MML_CHECK(a, MML_E_ARG, "unknown baseline %d", (int)options->kind);
    MML_TRY(a->check(options, modalities, n));
out:
    return st;
}

static mml_status describe(mmli_baseline *b, const mml_baseline_options *o, const mmli_baseline_modality *modalities, size_t n,
                           size_t outputs)
{
    mml_status st = MML_OK;
    mml_modality_info *infos = NULL;

    b->o = *o;
    b->o.struct_size = sizeof b->o;
    b->n = n;
    b->outputs = outputs;
    MML_TRY(mmli_calloc(&infos, n, sizeof *infos));
    MML_TRY(mmli_calloc(&b->kinds, n, sizeof *b->kinds));
    MML_TRY(mmli_calloc(&b->widths, n, sizeof *b->widths));
    MML_TRY(mmli_calloc(&b->encoders, n, sizeof *b->encoders));
    for (size_t m = 0; m < n; m++) {
        b->kinds[m] = infos[m].kind = modalities[m].kind;
        b->widths[m] = infos[m].width = modalities[m].width;
        infos[m].name = modalities[m].name;
        MML_CHECK(modalities[m].width > 0, MML_E_SHAPE, "tokens of modality %s have width 0", modalities[m].name);
    }
    MML_TRY(mml_baseline_check(&b->o, infos, n));
out:
    mmli_free(infos);
    return st;
}

/* Encoders of two modalities have parameters of one key (encoder.fc0.weight), which would start alike: the key of a baseline
 * is all of the name. */
static void own_streams(mmli_params *params, size_t first)
{
    for (size_t i = first; i < params->n; i++)
        params->list[i].key = params->list[i].name + sizeof "baseline." - 1;
}

mml_status mmli_baseline_new(mmli_baseline **out, mmli_params *params, const mml_baseline_options *o,
                             const mmli_baseline_modality *modalities, size_t n, size_t outputs)
{
    mml_status st = MML_OK;
    mmli_baseline *b = NULL;
    mmli_declaring to = {.params = params, .modalities = modalities, .st = MML_OK};
    const size_t first = params->n;

    *out = NULL;
    MML_TRY(mmli_calloc(&b, 1, sizeof *b));
    MML_TRY(describe(b, o, modalities, n, outputs));
    to.b = b;
    architecture(o->kind)->declare(&to);
    MML_TRY(to.st);
    own_streams(params, first);
    *out = b;
    b = NULL;
out:
    mmli_baseline_free(b);
    return st;
}

void mmli_baseline_free(mmli_baseline *b)
{
    if (!b)
        return;
    for (size_t m = 0; b->encoders && m < b->n; m++)
        mmli_encoder_clear(&b->encoders[m]);
    for (size_t i = 0; i < b->n_kept; i++)
        mmli_free(b->kept[i]);
    mmli_free(b->kept);
    mmli_free(b->encoders);
    mmli_free(b->kinds);
    mmli_free(b->widths);
    mmli_free(b);
}

mml_status mmli_baseline_forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *pass)
{
    *out = (mmli_stages){0};
    architecture(b->o.kind)->forward(out, b, pass);
    return mmli_tape_status(pass->tape);
}
