/* parts.c - declaring and applying what several architectures have. */
#include "baselines/parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

enum { NAME_BYTES = 512 };

/* ---- declaring ---------------------------------------------------------------------------------------- */

void *mmli_declare_memory(mmli_declaring *to, size_t n, size_t size)
{
    mmli_baseline *b = to->b;
    char *memory = NULL;

    if (to->st == MML_OK)
        to->st = mmli_grow(&b->kept, &b->cap_kept, b->n_kept + 1, sizeof *b->kept);
    if (to->st == MML_OK)
        to->st = mmli_calloc(&memory, n, size);
    if (to->st == MML_OK)
        b->kept[b->n_kept++] = memory;
    return memory;
}

static size_t add(mmli_declaring *to, const char *name, const char *what, size_t rows, size_t cols, mml_init init, double gain,
                  mmli_role role, mmli_section section)
{
    size_t index = 0;
    char *key = NULL;

    if (to->st == MML_OK)
        to->st = mmli_strf(&key, "%s.%s", name, what);
    if (to->st == MML_OK)
        to->st = mmli_params_add(to->params, &index, "baseline.", key, rows, cols, init, (float)gain, role, section);
    mmli_free(key);
    return index;
}

static void make_name(char name[NAME_BYTES], mmli_declaring *to, const char *format, va_list args)
{
    const int n = vsnprintf(name, NAME_BYTES, format, args);

    if ((n < 0 || n >= NAME_BYTES) && to->st == MML_OK)
        to->st = mmli_fail(MML_E_ARG, "the name of a modality is too long: parameter %s...", name);
}

mmli_linear mmli_declare_linear(mmli_declaring *to, size_t out, size_t in, size_t of, int flags, const char *format, ...)
{
    const mml_init init = flags & MMLI_NORMAL ? MML_INIT_NORMAL_FAN_IN : MML_INIT_UNIFORM_FAN_IN;
    const mmli_section section = flags & MMLI_HEAD ? MMLI_SECTION_HEAD : MMLI_SECTION_BLOCK;
    mmli_linear l = {0, SIZE_MAX};
    char name[NAME_BYTES];
    va_list args;

    va_start(args, format);
    make_name(name, to, format, args);
    va_end(args);
    l.w = add(to, name, "weight", out, in, init, of ? sqrt((double)in / (double)of) : 1, MMLI_ROLE_WEIGHT, section);
    if (flags & MMLI_BIAS)
        l.b = add(to, name, "bias", 1, out, MML_INIT_ZERO, 1, MMLI_ROLE_BIAS, section);
    return l;
}

mmli_norm mmli_declare_norm(mmli_declaring *to, size_t width, const char *format, ...)
{
    char name[NAME_BYTES];
    va_list args;

    va_start(args, format);
    make_name(name, to, format, args);
    va_end(args);
    return (mmli_norm){add(to, name, "weight", 1, width, MML_INIT_ONE, 1, MMLI_ROLE_NORM, MMLI_SECTION_BLOCK),
                       add(to, name, "bias", 1, width, MML_INIT_ZERO, 1, MMLI_ROLE_NORM, MMLI_SECTION_BLOCK)};
}

void mmli_declare_encoder(mmli_declaring *to, size_t m, mml_encoder_kind kind, size_t layers)
{
    mmli_baseline *b = to->b;
    const mml_block_options o = {.encoder = kind,
                                 .encoder_width = kind == MML_ENCODER_ABMIL ? b->o.hidden : b->o.width,
                                 .encoder_layers = layers,
                                 .encoder_dropout = b->o.dropout};
    char *prefix = NULL;

    if (to->st == MML_OK)
        to->st = mmli_strf(&prefix, "baseline.inputs.%s.", to->modalities[m].name);
    if (to->st == MML_OK)
        to->st = kind == MML_ENCODER_ABMIL
                     ? mmli_encoder_declare_abmil(&b->encoders[m], to->params, prefix, &o, b->widths[m], b->o.width)
                     : mmli_encoder_declare(&b->encoders[m], to->params, prefix, &o, b->widths[m], NULL);
    mmli_free(prefix);
}

/* ---- applying ----------------------------------------------------------------------------------------- */

mmli_var *mmli_apply_linear(const mmli_baseline_pass *p, mmli_linear l, mmli_var *x)
{
    return mmli_op_linear(p->tape, x, mmli_p(p->bound, l.w), l.b == SIZE_MAX ? NULL : mmli_p(p->bound, l.b));
}

mmli_var *mmli_apply_norm(const mmli_baseline_pass *p, mmli_norm n, mmli_var *x)
{
    return mmli_op_layernorm(p->tape, x, mmli_p(p->bound, n.w), mmli_p(p->bound, n.b));
}

mmli_var *mmli_apply_encoder(const mmli_baseline_pass *p, const mmli_baseline *b, size_t m)
{
    const mmli_input *in = &p->in[m];
    mmli_ragged ragged;
    mmli_var *h;

    if (!in->x)
        return NULL;
    h = mmli_encode(p->tape, p->bound, &b->encoders[m], in->x, &in->ragged, &ragged, mmli_rng_key(p->key, "modality", m));
    return ragged.single ? h : mmli_op_segment_mean(p->tape, h, &ragged);
}

mmli_var *mmli_for_all(const mmli_baseline_pass *p, size_t m, mmli_var *x, size_t len, size_t cols)
{
    mmli_var *zeros;

    if (x && !p->in[m].ragged.idx_dev)
        return x; /* all have it */
    zeros = mmli_op_zeros(p->tape, p->samples * len, cols);
    return p->in[m].x ? mmli_op_put(p->tape, zeros, x, &p->in[m].ragged, len) : zeros;
}

void mmli_only_stage(mmli_stages *out, const mmli_baseline_pass *p, mmli_var *logits)
{
    out->logits = mmli_tape_host(p->tape, sizeof *out->logits);
    out->share = mmli_tape_host(p->tape, sizeof *out->share);
    if (!out->logits || !out->share)
        return;
    out->logits[0] = logits;
    out->share[0] = NULL;
    out->n = 1;
}
