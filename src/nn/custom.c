/* custom.c - custom encoders: with public operations (graph.c), or opaque on host arrays, staged here. */
#include "nn/custom.h"

#include <string.h>

#include "nn/graph.h"
#include "ops/internal.h"
#include "util/alloc.h"

mml_status mmli_custom_declare(mmli_encoder *enc, mmli_params *params, const char *prefix)
{
    mml_status st = MML_OK;
    const mml_encoder *c = enc->custom;
    char *key = NULL;
    size_t i = 0;

    MML_CHECK(c != NULL, MML_E_NOT_FOUND, "a custom encoder is asked for, but none was given");
    MML_CHECK(c->width && (c->forward || c->forward_host), MML_E_ARG,
              "custom encoder %s lacks `width`, or both `forward` and `forward_host`", c->name ? c->name : "(no name)");
    enc->width = c->width(c->user, enc->in);
    MML_CHECK(enc->width > 0, MML_E_SHAPE, "custom encoder %s cannot read tokens of width %zu", c->name, enc->in);
    for (;; i++) {
        mml_param_spec spec = {NULL, 0, 0, MML_INIT_ZERO};
        if (!c->param || !c->param(c->user, enc->in, i, &spec))
            break;
        MML_CHECK(i < 4096 && spec.name && spec.rows && spec.cols, MML_E_ARG,
                  "custom encoder %s: parameter %zu has no name or size, or there is no end of them", c->name, i);
        MML_TRY(mmli_strf(&key, "encoder.%s", spec.name));
        MML_TRY(mmli_realloc(&enc->p, enc->n_p + 1, sizeof *enc->p));
        MML_TRY(mmli_params_add(params, &enc->p[enc->n_p], prefix, key, spec.rows, spec.cols, spec.init, 1.0f,
                                spec.rows == 1 ? MMLI_ROLE_BIAS : MMLI_ROLE_WEIGHT, MMLI_SECTION_ENCODER));
        enc->n_p++;
        mmli_free(key);
        key = NULL;
    }
out:
    mmli_free(key);
    return st;
}

/* What an opaque encoder needs on both ways. */
typedef struct staged {
    const mml_encoder *c;
    const mmli_ragged *ragged;
    mmli_var **param_vars;
    const float **params;
    float *x;
    size_t n_params, in, rows_out, width;
} staged;

static float *download(mmli_tape *tape, const mmli_mem *mem, size_t n)
{
    mmli_device *dv = mmli_tape_device(tape);
    float *host = mmli_tape_host(tape, n * sizeof *host);

    if (host)
        mmli_tape_fail(tape, dv->k.download(dv, host, mem, n * sizeof *host));
    return mmli_tape_ok(tape) ? host : NULL;
}

/* grad (device) += host */
static mml_status add_up(mmli_tape *tape, mmli_mem *grad, const float *host, size_t n)
{
    mmli_mem *up = mmli_tape_upload(tape, host, n * sizeof *host);

    if (up)
        MMLI_BACK(tape, axpy, grad, up, n, 1.0f);
    return mmli_tape_status(tape);
}

static float *zeros(mmli_tape *tape, size_t n)
{
    float *p = mmli_tape_host(tape, n * sizeof *p);

    if (p)
        memset(p, 0, n * sizeof *p);
    return p;
}

static mml_status opaque_back(mmli_tape *tape, mmli_node *n)
{
    staged *s = n->ptr;
    mmli_var *x = n->in[0], *y = n->out[0];
    float *dy = download(tape, y->grad, mmli_size(y));
    float **dparams = mmli_tape_host(tape, (s->n_params + 1) * sizeof *dparams);
    float *dx = x->need ? zeros(tape, mmli_size(x)) : NULL;

    if (!dy || !dparams)
        return mmli_tape_status(tape);
    for (size_t i = 0; i < s->n_params; i++)
        dparams[i] = s->param_vars[i]->need ? zeros(tape, mmli_size(s->param_vars[i])) : NULL;
    if (!mmli_tape_ok(tape))
        return mmli_tape_status(tape);
    if (s->c->backward_host(s->c->user, s->params, s->x, s->ragged->off, s->ragged->segs, s->in, dy, dparams, dx))
        return mmli_fail(MML_E_ARG, "custom encoder %s: backward_host failed", s->c->name);
    if (dx)
        mmli_tape_fail(tape, add_up(tape, mmli_tape_grad(tape, x), dx, mmli_size(x)));
    for (size_t i = 0; i < s->n_params; i++)
        if (dparams[i])
            mmli_tape_fail(tape, add_up(tape, mmli_tape_grad(tape, s->param_vars[i]), dparams[i], mmli_size(s->param_vars[i])));
    return mmli_tape_status(tape);
}

static mmli_var *opaque(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                        const mmli_ragged *ragged)
{
    const mml_encoder *c = enc->custom;
    staged *s = mmli_tape_host(tape, sizeof *s);
    mmli_var *y = NULL;
    float *out = NULL;
    bool need = x->need;
    mmli_node *n;

    if (!s)
        return NULL;
    *s = (staged){.c = c,
                  .ragged = mmli_ragged_keep(tape, ragged),
                  .n_params = enc->n_p,
                  .in = enc->in,
                  .rows_out = c->pools ? ragged->segs : ragged->tokens,
                  .width = enc->width};
    s->param_vars = mmli_tape_host(tape, (enc->n_p + 1) * sizeof *s->param_vars);
    s->params = mmli_tape_host(tape, (enc->n_p + 1) * sizeof *s->params);
    s->x = download(tape, x->data, mmli_size(x));
    if (!mmli_tape_ok(tape))
        return NULL;
    for (size_t i = 0; i < enc->n_p; i++) {
        s->param_vars[i] = mmli_p(bound, enc->p[i]);
        s->params[i] = download(tape, s->param_vars[i]->data, mmli_size(s->param_vars[i]));
        need = need || s->param_vars[i]->need;
    }
    out = zeros(tape, s->rows_out * s->width);
    if (!mmli_tape_ok(tape))
        return NULL;
    if (need && mmli_tape_recording(tape) && !c->backward_host) {
        mmli_tape_fail(tape, mmli_fail(MML_E_ARG, "custom encoder %s has no backward_host and cannot be trained", c->name));
        return NULL;
    }
    if (c->forward_host(c->user, s->params, s->x, ragged->off, ragged->segs, enc->in, out)) {
        mmli_tape_fail(tape, mmli_fail(MML_E_ARG, "custom encoder %s: forward_host failed", c->name));
        return NULL;
    }
    y = mmli_tape_input(tape, out, s->rows_out, s->width, need);
    if (y && y->need && (n = mmli_tape_node(tape, opaque_back))) {
        n->in[0] = x;
        n->out[0] = y;
        n->reads_more = true;
        n->ptr = s;
    }
    return mmli_tape_ok(tape) ? y : NULL;
}

mmli_var *mmli_custom_encode(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                             const mmli_ragged *ragged, uint64_t key)
{
    const mml_encoder *c = enc->custom;
    const size_t rows = c->pools ? ragged->segs : ragged->tokens;
    mml_graph graph = {tape, bound, enc, ragged, key, 0};
    mmli_var *y;

    if (!c->forward)
        return opaque(tape, bound, enc, x, ragged);
    y = c->forward(c->user, &graph, x);
    if (!mmli_tape_ok(tape))
        return NULL;
    if (!y || y->rows != rows || y->cols != enc->width) {
        mmli_tape_fail(tape, mmli_fail(MML_E_SHAPE, "custom encoder %s gave (%zu, %zu); (%zu, %zu) was promised", c->name,
                                       y ? y->rows : 0, y ? y->cols : 0, rows, enc->width));
        return NULL;
    }
    return y;
}
