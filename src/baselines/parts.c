/* parts.c - declaring and applying what several architectures have. */
#include "baselines/parts.h"

#include <math.h>
#include <stdio.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

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

void mmli_declare_name(char name[MMLI_PART_NAME], mmli_declaring *to, const char *format, va_list args)
{
    const int n = vsnprintf(name, MMLI_PART_NAME, format, args);

    if ((n < 0 || n >= MMLI_PART_NAME) && to->st == MML_OK)
        to->st = mmli_fail(MML_E_ARG, "the name of a modality is too long: parameter %s...", name);
}

void mmli_name(char name[MMLI_PART_NAME], mmli_declaring *to, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
}

mmli_linear mmli_declare_linear(mmli_declaring *to, size_t out, size_t in, size_t of, int flags, const char *format, ...)
{
    const mml_init init = flags & MMLI_NORMAL ? MML_INIT_NORMAL_FAN_IN : MML_INIT_UNIFORM_FAN_IN;
    const mmli_section section = flags & MMLI_HEAD ? MMLI_SECTION_HEAD : MMLI_SECTION_BLOCK;
    mmli_linear l = {0, SIZE_MAX};
    char name[MMLI_PART_NAME];
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    l.w = add(to, name, "weight", out, in, init, of ? sqrt((double)in / (double)of) : 1, MMLI_ROLE_WEIGHT, section);
    if (flags & MMLI_BIAS)
        l.b = add(to, name, "bias", 1, out, MML_INIT_ZERO, 1, MMLI_ROLE_BIAS, section);
    return l;
}

void mmli_declare_joint(mmli_declaring *to, mmli_linear *parts, size_t out, const size_t *widths, size_t n, int flags,
                        const char *format, ...)
{
    char name[MMLI_PART_NAME];
    size_t all = 0;
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    for (size_t i = 0; i < n; i++)
        all += widths[i];
    for (size_t i = 0; i < n; i++)
        parts[i] = mmli_declare_linear(to, out, widths[i], all, i == 0 ? flags : flags & ~MMLI_BIAS, "%s.%zu", name, i);
}

size_t mmli_declare_latent(mmli_declaring *to, size_t rows, size_t cols, const char *name)
{
    size_t index = 0;

    if (to->st == MML_OK)
        to->st = mmli_params_add(to->params, &index, "baseline.", name, rows, cols, MML_INIT_NORMAL, 1.0f, MMLI_ROLE_LATENT,
                                 MMLI_SECTION_LATENT);
    return index;
}

mmli_norm mmli_declare_norm(mmli_declaring *to, size_t width, const char *format, ...)
{
    char name[MMLI_PART_NAME];
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    return (mmli_norm){add(to, name, "weight", 1, width, MML_INIT_ONE, 1, MMLI_ROLE_NORM, MMLI_SECTION_BLOCK),
                       add(to, name, "bias", 1, width, MML_INIT_ZERO, 1, MMLI_ROLE_NORM, MMLI_SECTION_BLOCK)};
}

mmli_attention mmli_declare_attention(mmli_declaring *to, size_t d, size_t w, size_t heads, const char *format, ...)
{
    const mml_baseline_options *o = &to->b->o;
    const size_t inner = heads * o->head_width, of = w ? w : d;
    mmli_attention a = {.heads = heads, .e = o->head_width, .leaky = o->leaky_output};
    char name[MMLI_PART_NAME];
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    a.scale = (float)(1 / (sqrt((double)o->head_width) * o->tau));
    a.query_norm = mmli_declare_norm(to, d, "%s.norm", name);
    if (w)
        a.context_norm = mmli_declare_norm(to, w, "%s.context_norm", name);
    a.query = mmli_declare_linear(to, inner, d, 0, 0, "%s.query", name);
    a.key = mmli_declare_linear(to, inner, of, 0, 0, "%s.key", name);
    a.value = mmli_declare_linear(to, inner, of, 0, 0, "%s.value", name);
    a.out = mmli_declare_linear(to, d, inner, 0, MMLI_BIAS, "%s.out", name);
    return a;
}

mmli_feed_forward mmli_declare_feed_forward(mmli_declaring *to, size_t d, mmli_gate gate, const char *format, ...)
{
    char name[MMLI_PART_NAME];
    va_list args;

    va_start(args, format);
    mmli_declare_name(name, to, format, args);
    va_end(args);
    return (mmli_feed_forward){.norm = mmli_declare_norm(to, d, "%s.norm", name),
                               .in = mmli_declare_linear(to, 8 * d, d, 0, MMLI_BIAS, "%s.in", name),
                               .out = mmli_declare_linear(to, d, 4 * d, 0, MMLI_BIAS, "%s.out", name),
                               .gate = gate};
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

mmli_var *mmli_apply_joint(const mmli_baseline_pass *p, const mmli_linear *parts, mmli_var *const *v, size_t n)
{
    mmli_var *sum = mmli_apply_linear(p, parts[0], v[0]);

    for (size_t i = 1; i < n; i++)
        sum = mmli_op_add(p->tape, sum, mmli_apply_linear(p, parts[i], v[i]));
    return sum;
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

/* ---- attention ---------------------------------------------------------------------------------------- */

static mmli_cross_shape shape_of(const mmli_ragged *ragged, size_t w, size_t heads, size_t e)
{
    return (mmli_cross_shape){.segs = ragged->segs, .tokens = ragged->tokens, .w = w, .H = heads, .e = e};
}

mmli_attended mmli_attend_to(const mmli_baseline_pass *p, const mmli_input *in, size_t heads, size_t e)
{
    mmli_attended to = {.tokens = in->x, .ragged = &in->ragged};
    mmli_cross_shape shape;

    if (!in->x)
        return to;
    shape = shape_of(&in->ragged, in->x->cols, heads, e);
    to.whole = mmli_cross_is_whole(&shape);
    if (to.whole)
        to.tokens = mmli_op_normalise(p->tape, in->x);
    return to;
}

static mmli_var *project(const mmli_baseline_pass *p, const mmli_attention *a, mmli_var *x)
{
    return a->leaky ? mmli_op_act(p->tape, x, MMLI_ACT_LEAKY) : x;
}

mmli_var *mmli_apply_cross(const mmli_baseline_pass *p, const mmli_attention *a, mmli_var *rows, size_t c,
                           const mmli_attended *to)
{
    const mmli_cross x = {.latent = mmli_apply_norm(p, a->query_norm, rows), .tokens = to->tokens,
                          .gamma = mmli_p(p->bound, a->context_norm.w), .beta = mmli_p(p->bound, a->context_norm.b),
                          .query = mmli_p(p->bound, a->query.w), .key = mmli_p(p->bound, a->key.w),
                          .value = mmli_p(p->bound, a->value.w), .out = mmli_p(p->bound, a->out.w),
                          .bias = mmli_p(p->bound, a->out.b), .c = c, .H = a->heads, .scale = a->scale};
    mmli_cross_shape shape;
    mmli_cross_plan plan;

    if (!x.latent || !x.tokens)
        return NULL;
    shape = shape_of(to->ragged, to->tokens->cols, a->heads, a->e);
    shape.c = c;
    shape.d = rows->cols;
    shape.whole = to->whole;
    shape.record = mmli_tape_recording(p->tape);
    shape.tokens_need = to->tokens->need;
    plan = mmli_cross_choose(&shape);
    return project(p, a, mmli_op_cross(p->tape, &x, to->ragged, &plan));
}

mml_status mmli_equal_groups(mmli_ragged *out, const mmli_baseline_pass *p, size_t groups, size_t c)
{
    int64_t *offsets = mmli_tape_host(p->tape, (groups + 1) * sizeof *offsets);

    if (!offsets)
        return mmli_tape_status(p->tape);
    for (size_t g = 0; g <= groups; g++)
        offsets[g] = (int64_t)(g * c);
    return mmli_ragged_make(out, p->tape, offsets, groups);
}

mmli_var *mmli_apply_self(const mmli_baseline_pass *p, const mmli_attention *a, mmli_var *rows, const mmli_ragged *groups)
{
    mmli_var *n = mmli_apply_norm(p, a->query_norm, rows);
    mmli_var *q = mmli_apply_linear(p, a->query, n), *k = mmli_apply_linear(p, a->key, n), *v = mmli_apply_linear(p, a->value, n);

    v = mmli_op_attention(p->tape, q, k, v, groups, 0, a->heads, a->scale, MMLI_QUERY_RAGGED);
    return project(p, a, mmli_apply_linear(p, a->out, v));
}

mmli_var *mmli_apply_feed_forward(const mmli_baseline_pass *p, const mmli_feed_forward *f, mmli_var *x, float drop,
                                  uint64_t key)
{
    mmli_var *y;

    if (f->gate == MMLI_GATE_SELU)
        return mmli_op_feed_forward(p->tape, x,
                                    &(mmli_ff_vars){mmli_p(p->bound, f->norm.w), mmli_p(p->bound, f->norm.b),
                                                    mmli_p(p->bound, f->in.w), mmli_p(p->bound, f->in.b),
                                                    mmli_p(p->bound, f->out.w), mmli_p(p->bound, f->out.b)}, drop, key);
    y = mmli_apply_linear(p, f->in, mmli_apply_norm(p, f->norm, x));
    y = mmli_apply_linear(p, f->out, mmli_op_gate(p->tape, y, f->gate));
    return mmli_op_add(p->tape, mmli_op_dropout(p->tape, y, drop, key), x);
}
