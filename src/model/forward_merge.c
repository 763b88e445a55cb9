/* forward_merge.c - from the latents of the blocks to the logits of a merge: samples are grouped by the set of blocks that count, and
 * every such set has a merged head, made when it is first met. */
#include <math.h>
#include <string.h>

#include "lego/heads.h"
#include "model/model.h"
#include "ops/internal.h"
#include "util/alloc.h"

/* ---- heads ----------------------------------------------------------------------------------------------- */

enum { HEAD_TENSORS = 4 };

struct mmli_head_entry {
    uint8_t *set;      /* (members) */
    mmli_mem *data;    /* the four tensors, one behind the other */
};

void mmli_heads_clear(mmli_heads *heads, mmli_device *dv)
{
    for (size_t i = 0; i < heads->n; i++) {
        mmli_free(heads->list[i].set);
        if (heads->list[i].data)
            dv->k.free(dv, heads->list[i].data);
    }
    mmli_free(heads->list);
    memset(heads, 0, sizeof *heads);
}

static size_t tensor(const mmli_head *head, size_t t)
{
    const size_t index[HEAD_TENSORS] = {head->norm_w, head->norm_b, head->linear_w, head->linear_b};

    return index[t];
}

/* The weights over a set; all 0: equal, as in merge.c. */
static void set_weights(double *w, const mml_model *model, const uint8_t *set)
{
    double total = 0;

    for (size_t i = 0; i < model->n; i++)
        total += set[i] ? model->weights[i] : 0;
    for (size_t i = 0; i < model->n; i++)
        w[i] = !set[i] ? 0 : total > 0 ? model->weights[i] : 1;
}

/* Host copies of the members' tensors t (m, n), then their mean into out (n). */
static mml_status merge_tensor(float *out, const mml_model *model, const double *w, size_t t)
{
    mml_status st = MML_OK;
    const mmli_param *list = model->params->list;
    const mmli_param *first = &list[tensor(&model->members[0].block.head, t)];
    const size_t n = first->rows * first->cols;
    const float **v = NULL;
    float *all = NULL;

    MML_TRY(mmli_calloc(&v, model->n, sizeof *v));
    MML_TRY(mmli_calloc(&all, model->n * n, sizeof *all));
    for (size_t i = 0; i < model->n; i++) {
        MML_TRY(mmli_params_get(all + i * n, model->params, tensor(&model->members[i].block.head, t)));
        v[i] = all + i * n;
    }
    MML_TRY(mmli_vector_mean(out, v, w, model->n, n, model->merge.head));
out:
    mmli_free(v);
    mmli_free(all);
    return st;
}

size_t mmli_model_head_size(const mml_model *model)
{
    size_t total = 0;

    for (size_t t = 0; t < HEAD_TENSORS; t++) {
        const mmli_param *p = &model->params->list[tensor(&model->members[0].block.head, t)];
        total += p->rows * p->cols;
    }
    return total;
}

mml_status mmli_model_merged_head(float *out, const mml_model *model, const uint8_t *set)
{
    mml_status st = MML_OK;
    double *w = NULL;

    MML_TRY(mmli_calloc(&w, model->n, sizeof *w));
    set_weights(w, model, set);
    for (size_t t = 0; t < HEAD_TENSORS; t++) {
        const mmli_param *p = &model->params->list[tensor(&model->members[0].block.head, t)];
        MML_TRY(merge_tensor(out, model, w, t));
        out += p->rows * p->cols;
    }
out:
    mmli_free(w);
    return st;
}

static mml_status make_head(mmli_head_entry *entry, const mml_model *model, mmli_device *dv, const uint8_t *set)
{
    const size_t total = mmli_model_head_size(model);
    mml_status st = MML_OK;
    float *host = NULL;

    MML_TRY(mmli_calloc(&host, total, sizeof *host));
    MML_TRY(mmli_calloc(&entry->set, model->n, 1));
    memcpy(entry->set, set, model->n);
    MML_TRY(mmli_model_merged_head(host, model, set));
    MML_TRY(dv->k.alloc(dv, &entry->data, total * sizeof *host));
    MML_TRY(dv->k.upload(dv, entry->data, host, total * sizeof *host));
out:
    mmli_free(host);
    return st;
}

static mml_status find_head(const mmli_head_entry **out, mmli_heads *heads, const mml_model *model, mmli_device *dv,
                            const uint8_t *set)
{
    mml_status st = MML_OK;
    mmli_head_entry entry = {NULL, NULL};

    for (size_t i = 0; i < heads->n; i++) {
        if (memcmp(heads->list[i].set, set, model->n) == 0) {
            *out = &heads->list[i];
            return MML_OK;
        }
    }
    MML_TRY(mmli_grow(&heads->list, &heads->cap, heads->n + 1, sizeof *heads->list));
    MML_TRY(make_head(&entry, model, dv, set));
    heads->list[heads->n] = entry;
    *out = &heads->list[heads->n++];
    memset(&entry, 0, sizeof entry);
out:
    mmli_free(entry.set);
    if (entry.data)
        dv->k.free(dv, entry.data);
    return st;
}

/* The merged parameters as a bound set that mmli_head_apply can use: variables 0 .. 3. */
static mmli_bound entry_bound(mmli_tape *tape, const mml_model *model, const mmli_head_entry *entry, mmli_head *head)
{
    mmli_bound bound = {model->params, mmli_tape_host(tape, HEAD_TENSORS * sizeof(mmli_var))};
    size_t at = 0;

    *head = (mmli_head){0, 1, 2, 3};
    for (size_t t = 0; bound.vars && t < HEAD_TENSORS; t++) {
        const mmli_param *p = &model->params->list[tensor(&model->members[0].block.head, t)];
        bound.vars[t] = (mmli_var){.rows = p->rows, .cols = p->cols, .data = mmli_at(entry->data, at)};
        at += p->rows * p->cols;
    }
    return bound;
}

/* ---- logits ---------------------------------------------------------------------------------------------- */

/* Rows of the samples `idx` (n): pooled latent (n, d). */
static mmli_var *pooled_rows(mmli_tape *tape, const mmli_var *re, size_t c, const int32_t *idx, size_t n)
{
    mmli_mem *dev = mmli_tape_upload(tape, idx, n * sizeof *idx);
    mmli_var *rows = mmli_tape_var(tape, n * c, re->cols, false);

    if (!dev || !rows || !MMLI_RUN(tape, gather, rows->data, re->data, dev, n, c * re->cols))
        return NULL;
    return mmli_op_group_mean(tape, rows, c);
}

/* Weight of member i among the set, normalised. */
static float share(const mml_model *model, const uint8_t *set, size_t i)
{
    double total = 0, w;
    size_t n = 0;

    for (size_t j = 0; j < model->n; j++) {
        total += set[j] ? model->weights[j] : 0;
        n += set[j];
    }
    w = total > 0 ? model->weights[i] / total : 1.0 / (double)(n ? n : 1);
    return (float)(set[i] ? w : 0);
}

/* logits of the samples idx (n) for which only block `only` counts: its own prediction, to the bit. The head runs over
 * the whole batch as it does when the block predicts alone: a matrix product may round by its number of rows. */
static mmli_var *solo_logits(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_complex *z,
                             size_t only, const int32_t *idx, size_t n, size_t B)
{
    const mmli_block *block = &model->members[only].block;
    const mmli_state state = {.z = z[only], .samples = B};
    mmli_var *all = mmli_head_apply(tape, bound, &block->head, state, block->o.latent_c);
    mmli_mem *dev = mmli_tape_upload(tape, idx, n * sizeof *idx);
    mmli_var *rows = mmli_tape_var(tape, n, block->outputs, false);

    if (!all || !dev || !rows || !MMLI_RUN(tape, gather, rows->data, all->data, dev, n, block->outputs))
        return NULL;
    return rows;
}

/* logits of some samples that have the same set of two or more blocks, (n, k) */
static mmli_var *group_logits(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, mmli_heads *heads,
                              const mmli_complex *z, const mmli_var *merged, const uint8_t *set, const int32_t *idx,
                              size_t n)
{
    const size_t c = model->members[0].block.o.latent_c;
    const bool ensemble = model->merge.head == MML_HEAD_ENSEMBLE, normed = model->merge.scale == MML_LATENT_LAYERNORM;
    mmli_device *dv = mmli_tape_device(tape);
    const mmli_head_entry *entry = NULL;
    mmli_var *sum = NULL;
    mmli_bound own = {NULL, NULL};
    mmli_head head = {0, 0, 0, 0};

    if (!ensemble) {
        mmli_tape_fail(tape, find_head(&entry, heads, model, dv, set));
        if (!mmli_tape_ok(tape))
            return NULL;
        own = entry_bound(tape, model, entry, &head);
        if (!own.vars)
            return NULL;
    }
    if (!ensemble && !normed) {
        mmli_var *x = pooled_rows(tape, merged, c, idx, n);

        x = mmli_op_layernorm(tape, x, mmli_p(&own, head.norm_w), mmli_p(&own, head.norm_b));
        return mmli_op_linear(tape, x, mmli_p(&own, head.linear_w), mmli_p(&own, head.linear_b));
    }
    /* Averages of each block's own LayerNorm output, or of its own logits. */
    for (size_t i = 0; i < model->n && mmli_tape_ok(tape); i++) {
        const mmli_head *h = &model->members[i].block.head;
        const float w = share(model, set, i);
        mmli_var *x;

        if (!set[i])
            continue;
        x = pooled_rows(tape, z[i].re, c, idx, n);
        x = mmli_op_layernorm(tape, x, mmli_p(bound, h->norm_w), mmli_p(bound, h->norm_b));
        if (ensemble)
            x = mmli_op_linear(tape, x, mmli_p(bound, h->linear_w), mmli_p(bound, h->linear_b));
        if (!x || !MMLI_RUN(tape, scale, x->data, x->data, mmli_size(x), w))
            return NULL;
        sum = sum ? mmli_op_add(tape, sum, x) : x;
    }
    return ensemble ? sum : mmli_op_linear(tape, sum, mmli_p(&own, head.linear_w), mmli_p(&own, head.linear_b));
}

/* The blocks that count for sample b (merge.c): those present with a weight, or all present if none has one. */
static void counting_set(uint8_t *set, const mml_model *model, const uint8_t *present, size_t B, size_t b)
{
    double total = 0;

    for (size_t i = 0; i < model->n; i++)
        total += present[i * B + b] ? model->weights[i] : 0;
    for (size_t i = 0; i < model->n; i++)
        set[i] = present[i * B + b] && (total <= 0 || model->weights[i] > 0);
}

/* The only member of a set, or m when there are several. */
static size_t solo(const uint8_t *set, size_t m)
{
    const uint8_t *first = memchr(set, 1, m);
    const size_t at = first ? (size_t)(first - set) : m;

    return at < m && !memchr(set + at + 1, 1, m - at - 1) ? at : m;
}

/* Blocks trained in the spatial domain are merged in the frequency domain too (method.md 2), and the result brought back. */
static mmli_complex to_frequency(mmli_tape *tape, mmli_complex z, size_t c)
{
    const float scale = 1.0f / sqrtf((float)(c * (z.re ? z.re->cols : 1)));

    z.im = NULL;
    return mmli_op_fft(tape, z, c, MMLI_AXIS_C | MMLI_AXIS_D, -1, scale, false);
}

static mmli_complex to_space(mmli_tape *tape, mmli_complex z, size_t c)
{
    const float scale = 1.0f / sqrtf((float)(c * (z.re ? z.re->cols : 1)));

    return mmli_op_fft(tape, z, c, MMLI_AXIS_C | MMLI_AXIS_D, 1, scale, true);
}

static mmli_complex merged_latent(const mml_model *model, mmli_tape *tape, const mmli_complex *z, const uint8_t *present,
                                  size_t B)
{
    const mmli_complex none = {NULL, NULL};
    const mml_block_options *o = &model->members[0].block.o;
    const bool spatial = o->transform == MML_TRANSFORM_SPATIAL;
    const size_t m = model->n, c = o->latent_c;
    double *rms = mmli_tape_host(tape, m * sizeof *rms);
    mmli_complex *in = mmli_tape_host(tape, m * sizeof *in), y;
    mmli_merge_rule rule = {.aggregation = model->merge.aggregation,
                            .phase = model->merge.phase,
                            .scale = model->merge.scale,
                            .weights = model->weights,
                            .rms = rms,
                            .upstream_half = model->merge.upstream_harmonic != 0};

    if (!rms || !in)
        return none;
    for (size_t i = 0; i < m; i++) {
        rms[i] = model->members[i].latent_rms;
        in[i] = spatial ? to_frequency(tape, z[i], c) : z[i];
    }
    y = mmli_merge_latents(tape, in, m, B, c, present, &rule);
    return spatial ? to_space(tape, y, c) : y;
}

static mmli_var *merge_logits(const mml_model *model, mmli_tape *tape, const mmli_bound *bound, const mmli_complex *z,
                              const uint8_t *present, size_t B, mmli_heads *heads)
{
    const size_t m = model->n, k = model->members[0].block.outputs;
    const bool latents = model->merge.head != MML_HEAD_ENSEMBLE && model->merge.scale != MML_LATENT_LAYERNORM;
    mmli_complex merged = {NULL, NULL};
    uint8_t *sets = mmli_tape_host(tape, (B + 1) * m), *done = mmli_tape_host(tape, B + 1);
    int32_t *idx = mmli_tape_host(tape, (B + 1) * sizeof *idx);
    mmli_var *logits = mmli_tape_var(tape, B, k, false);

    if (!sets || !done || !idx || !logits || !MMLI_RUN(tape, fill, logits->data, B * k, 0.0f))
        return NULL;
    if (latents) {
        merged = merged_latent(model, tape, z, present, B);
        if (!merged.re)
            return NULL;
    }
    for (size_t b = 0; b < B; b++)
        counting_set(sets + b * m, model, present, B, b);
    memset(done, 0, B);
    for (size_t b = 0; b < B && mmli_tape_ok(tape); b++) {
        const uint8_t *set = sets + b * m;
        mmli_mem *idx_dev;
        mmli_var *part;
        size_t n = 0, only;

        if (done[b] || !memchr(set, 1, m))
            continue; /* no modality at all: zeros, the caller gives the prior */
        for (size_t o = b; o < B; o++) {
            if (!done[o] && memcmp(sets + o * m, set, m) == 0) {
                idx[n++] = (int32_t)o;
                done[o] = 1;
            }
        }
        only = solo(set, m);
        part = only < m ? solo_logits(model, tape, bound, z, only, idx, n, B)
                        : group_logits(model, tape, bound, heads, z, merged.re, set, idx, n);
        idx_dev = mmli_tape_upload(tape, idx, n * sizeof *idx);
        if (!part || !idx_dev || !MMLI_RUN(tape, scatter, logits->data, part->data, idx_dev, n, k))
            return NULL;
    }
    return mmli_tape_ok(tape) ? logits : NULL;
}

mml_status mmli_model_merge_logits(mmli_var **logits, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                                   const mmli_complex *z, const uint8_t *present, size_t samples, mmli_heads *heads)
{
    *logits = merge_logits(model, tape, bound, z, present, samples, heads);
    return mmli_tape_status(tape);
}
