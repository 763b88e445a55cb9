/* rig.c - see rig.h. */
#include "tests/lego/rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/internal.h"
#include "util/rng.h"

enum { SEED = 11 };

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    ck_assert_ptr_nonnull(p);
    return p;
}

/* ---- data ---------------------------------------------------------------------------------------------- */

void rig_data_make(rig_data *d, size_t m, size_t B, const size_t *width, const size_t *tokens, uint64_t key)
{
    ck_assert_uint_le(m, RIG_MOST);
    *d = (rig_data){.m = m, .B = B};
    for (size_t i = 0; i < m; i++) {
        d->width[i] = width[i];
        d->offsets[i] = zeroed(B + 1, sizeof(int64_t));
        for (size_t b = 0; b < B; b++)
            d->offsets[i][b + 1] = d->offsets[i][b] + (int64_t)tokens[i * B + b];
        d->values[i] = zeroed((size_t)d->offsets[i][B] * width[i], sizeof(float));
        mmlt_normal(d->values[i], (size_t)d->offsets[i][B] * width[i], mmli_rng_key(key, "values", i));
    }
    d->label = zeroed(B, sizeof *d->label);
    for (size_t b = 0; b < B; b++)
        d->label[b] = (int32_t)(b % RIG_OUTPUTS);
}

void rig_data_pick(rig_data *out, const rig_data *d, const size_t *which, size_t n)
{
    *out = (rig_data){.m = d->m, .B = n};
    out->label = zeroed(n, sizeof *out->label);
    for (size_t b = 0; b < n; b++)
        out->label[b] = d->label[which[b]];
    for (size_t i = 0; i < d->m; i++) {
        const size_t width = d->width[i];
        size_t at = 0;

        out->width[i] = width;
        out->offsets[i] = zeroed(n + 1, sizeof(int64_t));
        for (size_t b = 0; b < n; b++)
            out->offsets[i][b + 1] = out->offsets[i][b] + d->offsets[i][which[b] + 1] - d->offsets[i][which[b]];
        out->values[i] = zeroed((size_t)out->offsets[i][n] * width, sizeof(float));
        for (size_t b = 0; b < n; b++) {
            const size_t from = (size_t)d->offsets[i][which[b]], len = (size_t)d->offsets[i][which[b] + 1] - from;

            memcpy(out->values[i] + at * width, d->values[i] + from * width, len * width * sizeof(float));
            at += len;
        }
    }
}

void rig_data_free(rig_data *d)
{
    for (size_t i = 0; i < d->m; i++) {
        free(d->offsets[i]);
        free(d->values[i]);
    }
    free(d->label);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

mml_block_options rig_options(const char *preset, mml_encoder_kind encoder, size_t c, size_t d, size_t steps)
{
    mml_block_options o;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, preset, MML_BAG, MML_BINARY));
    o.latent_c = c;
    o.latent_d = d;
    o.steps = steps;
    o.heads = 2;
    o.head_width = 4;
    o.dropout = 0;
    o.encoder = encoder;
    o.encoder_width = encoder == MML_ENCODER_ABMIL ? 16 : encoder == MML_ENCODER_SNN || encoder == MML_ENCODER_LINEAR ? 6 : 0;
    o.encoder_layers = encoder == MML_ENCODER_SNN ? 2 : 0;
    o.raw_layers = strcmp(preset, "upstream") == 0 && encoder == MML_ENCODER_SELFATTN;
    return o;
}

void rig_open(rig *r, int backend, int threads)
{
    *r = (rig){.dv = mmlt_device(backend, threads), .outputs = RIG_OUTPUTS};
    mmlt_assert_ok(mmli_params_new(&r->params));
    mmlt_assert_ok(mmli_tape_new(&r->tape, r->dv));
}

void rig_add(rig *r, const mml_block_options *o, size_t width, const mml_encoder *custom)
{
    char prefix[32];

    ck_assert_uint_lt(r->m, RIG_MOST);
    snprintf(prefix, sizeof prefix, "blocks.%zu.", r->m);
    mmlt_assert_ok(mmli_block_declare(&r->block[r->m], r->params, prefix, o, width, r->outputs, -1.0f, custom));
    r->order[r->m] = r->m;
    r->m++;
}

void rig_fuse(rig *r, mml_fuse_mode mode)
{
    const mml_block_options *o = &r->block[0].o;

    r->fused = true;
    r->mode = mode;
    mmlt_assert_ok(mmli_params_add(r->params, &r->latent, "fuse.", "latent", o->latent_c, o->latent_d, MML_INIT_NORMAL,
                                   1.0f, MMLI_ROLE_LATENT, MMLI_SECTION_LATENT));
    mmlt_assert_ok(mmli_head_declare(&r->head, r->params, "fuse.", o->latent_d, r->outputs, -1.0f));
}

void rig_build(rig *r)
{
    if (!r->fused) {
        r->latent = r->block[0].latent;
        r->head = r->block[0].head;
    }
    mmlt_assert_ok(mmli_params_build(r->params, r->dv));
    mmlt_assert_ok(mmli_params_start(r->params, SEED, "rig", 0));
    for (size_t i = 0; i < r->params->n; i++) {
        const mmli_param *p = &r->params->list[i];
        const size_t n = p->rows * p->cols;
        const uint64_t key = mmli_rng_key(SEED, p->name, 1);
        float *x;

        if (p->role != MMLI_ROLE_NORM && p->role != MMLI_ROLE_BIAS)
            continue;
        x = zeroed(n, sizeof *x);
        mmlt_assert_ok(mmli_params_get(x, r->params, i));
        for (size_t j = 0; j < n; j++)
            x[j] += 0.3f * mmli_rng_normal(key, j);
        mmlt_assert_ok(mmli_params_set(r->params, i, x));
        free(x);
    }
    mmlt_assert_ok(r->dv->k.alloc(r->dv, &r->grads, r->params->total * sizeof(float)));
}

void rig_close(rig *r)
{
    for (size_t i = 0; i < r->m; i++)
        mmli_block_clear(&r->block[i]);
    if (r->grads)
        r->dv->k.free(r->dv, r->grads);
    mmli_tape_free(r->tape);
    mmli_params_free(r->params);
    mmli_device_close(r->dv);
}

float *rig_params(const rig *r)
{
    float *x = zeroed(r->params->total, sizeof *x);

    mmlt_download(x, r->dv, r->params->data, r->params->total * sizeof *x);
    return x;
}

/* ---- passes -------------------------------------------------------------------------------------------- */

/* The fixed random gradient of one half of the state; its norm does not depend on n. */
static float *pull(size_t n, const char *of)
{
    float *p = zeroed(n, sizeof *p);

    mmlt_normal(p, n, mmli_rng_key(SEED, of, 0));
    for (size_t i = 0; i < n; i++)
        p[i] /= sqrtf((float)n);
    return p;
}

static void seed_gradient(mmli_tape *tape, mmli_var *x, const char *of)
{
    mmli_mem *grad = mmli_tape_grad(tape, x);
    float *p;

    if (!grad)
        return;
    p = pull(mmli_size(x), of);
    mmli_tape_fail(tape, mmli_tape_device(tape)->k.upload(mmli_tape_device(tape), grad, p, mmli_size(x) * sizeof *p));
    free(p);
}

static mml_status forward(rig_vars *v, rig *r, const rig_data *d, mmli_bound *bound)
{
    mmli_tape *tape = r->tape;
    const mmli_block *blocks[RIG_MOST];
    mmli_ragged ragged[RIG_MOST];
    uint64_t keys[RIG_MOST];
    mml_status st = MML_OK;

    for (size_t i = 0; i < r->m; i++) {
        const size_t T = (size_t)d->offsets[i][d->B];

        blocks[i] = &r->block[i];
        keys[i] = mmli_tape_key(tape, i == 0 ? "block 0" : i == 1 ? "block 1" : "block 2");
        MML_TRY(mmli_ragged_make(&ragged[i], tape, d->offsets[i], d->B));
        if (T > 0)
            v->x[i] = mmli_tape_input(tape, d->values[i], T, d->width[i], mmli_tape_recording(tape));
        MML_TRY(mmli_tape_status(tape));
    }
    v->state = mmli_state_start(tape, bound, r->latent, d->B);
    v->state = r->fused ? mmli_fuse_run(tape, bound, blocks, r->m, r->order, r->mode, v->x, ragged, keys, v->state)
                        : mmli_block_run(tape, bound, blocks[0], v->x[0], &ragged[0], v->state, keys[0]);
    v->logits = mmli_head_apply(tape, bound, &r->head, v->state, blocks[0]->o.latent_c);
    v->z = mmli_state_full(tape, &blocks[0]->o, v->state);
    st = mmli_tape_status(tape);
out:
    return st;
}

mml_status rig_pass(rig_vars *v, rig *r, const rig_data *d, int mode)
{
    mmli_tape *tape = r->tape;
    mmli_bound bound;
    mml_status st = MML_OK;
    float *w;

    memset(v, 0, sizeof *v);
    MML_TRY(mmli_tape_begin(tape, mode, SEED, 5));
    MML_TRY(r->dv->k.fill(r->dv, r->grads, r->params->total, 0.0f));
    for (size_t i = 0; i < r->params->n; i++) { /* the pass must overwrite what it finds, and leave the rest alone */
        const mmli_param *p = &r->params->list[i];
        MML_TRY(r->dv->k.fill(r->dv, mmli_at(r->grads, p->at), p->rows * p->cols, p->dead ? 0.0f : NAN));
    }
    MML_TRY(mmli_params_bind(&bound, tape, r->params, r->grads, NULL));
    MML_TRY(forward(v, r, d, &bound));
    w = mmli_tape_host(tape, d->B * sizeof *w);
    v->loss = mmli_tape_mem(tape, sizeof(double));
    MML_TRY(mmli_tape_status(tape));
    for (size_t b = 0; b < d->B; b++)
        w[b] = 1.0f / (float)d->B;
    MML_TRY(r->dv->k.fill(r->dv, v->loss, 2, 0.0f));
    MML_TRY(mmli_loss_cross_entropy(tape, v->loss, v->logits, d->label, w));
    if (mode & MMLI_RECORD) {
        if (!r->loss_only) {
            seed_gradient(tape, v->z.re, "re");
            seed_gradient(tape, v->z.im, "im");
        }
        MML_TRY(mmli_tape_backward(tape));
        MML_TRY(mmli_params_settle(&bound, tape));
    }
out:
    return st;
}

static float *fetch(const rig *r, const mmli_mem *mem, size_t n)
{
    float *host;

    if (!mem)
        return NULL;
    host = zeroed(n, sizeof *host);
    mmlt_download(host, r->dv, mem, n * sizeof *host);
    return host;
}

static double dot(const float *a, const float *b, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += (double)a[i] * (double)b[i];
    return s;
}

/* Loss and pull on the state, from host copies. */
static double objective(const rig *r, const rig_vars *v, const float *re, const float *im)
{
    const size_t n = mmli_size(v->z.re);
    float *pr = pull(n, "re"), *pi = pull(n, "im");
    double loss;

    mmlt_download(&loss, r->dv, v->loss, sizeof loss);
    loss += r->loss_only ? 0 : dot(pr, re, n) + dot(pi, im, n);
    free(pr);
    free(pi);
    return loss;
}

void rig_run(rig_result *out, rig *r, const rig_data *d, int mode)
{
    rig_vars v;

    memset(out, 0, sizeof *out);
    mmlt_assert_ok(rig_pass(&v, r, d, mode));
    out->n_logits = mmli_size(v.logits);
    out->n_state = mmli_size(v.z.re);
    out->n_params = r->params->total;
    out->logits = fetch(r, v.logits->data, out->n_logits);
    out->re = fetch(r, v.z.re->data, out->n_state);
    out->im = fetch(r, v.z.im->data, out->n_state);
    out->objective = objective(r, &v, out->re, out->im);
    if (!(mode & MMLI_RECORD))
        return;
    out->grads = fetch(r, r->grads, out->n_params);
    for (size_t i = 0; i < r->m; i++) {
        out->n_x[i] = v.x[i] ? mmli_size(v.x[i]) : 0;
        out->dx[i] = v.x[i] ? fetch(r, v.x[i]->grad, out->n_x[i]) : NULL;
    }
}

double rig_objective(rig *r, const rig_data *d, int mode)
{
    rig_result result;
    double value;

    rig_run(&result, r, d, mode & ~MMLI_RECORD);
    value = result.objective;
    rig_free(&result);
    return value;
}

void rig_free(rig_result *result)
{
    free(result->logits);
    free(result->re);
    free(result->im);
    free(result->grads);
    for (size_t i = 0; i < RIG_MOST; i++)
        free(result->dx[i]);
    memset(result, 0, sizeof *result);
}

/* ---- comparisons ------------------------------------------------------------------------------------------ */

void rig_assert_same(const rig_result *got, const rig_result *want)
{
    mmlt_assert_same_bits(got->logits, want->logits, want->n_logits * sizeof(float));
    mmlt_assert_same_bits(got->re, want->re, want->n_state * sizeof(float));
    mmlt_assert_same_bits(got->im, want->im, want->n_state * sizeof(float));
    mmlt_assert_same_bits(&got->objective, &want->objective, sizeof(double));
    ck_assert_int_eq(got->grads != NULL, want->grads != NULL);
    if (!want->grads)
        return;
    mmlt_assert_same_bits(got->grads, want->grads, want->n_params * sizeof(float));
    for (size_t i = 0; i < RIG_MOST; i++)
        if (want->dx[i])
            mmlt_assert_same_bits(got->dx[i], want->dx[i], want->n_x[i] * sizeof(float));
}

static double largest(const float *x, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

static double close(const char *what, const float *got, const float *want, size_t n, mmlt_tol tol)
{
    mmlt_assert_close_at(__FILE__, __LINE__, what, got, want, n, tol);
    return mmlt_distance(got, want, n, tol, NULL);
}

double rig_assert_close(const rig *r, const rig_result *got, const rig_result *want, mmlt_tol outputs, mmlt_tol grads,
                        double zero)
{
    double worst = 0, most;

    worst = fmax(worst, close("logits", got->logits, want->logits, want->n_logits, outputs));
    worst = fmax(worst, close("R", got->re, want->re, want->n_state, outputs));
    worst = fmax(worst, close("I", got->im, want->im, want->n_state, outputs));
    if (!want->grads)
        return worst;
    most = largest(want->grads, want->n_params);
    for (size_t i = 0; i < r->params->n; i++) {
        const mmli_param *p = &r->params->list[i];
        const size_t n = p->rows * p->cols;

        if (largest(want->grads + p->at, n) <= zero * most)
            ck_assert_msg(largest(got->grads + p->at, n) <= zero * most, "the gradient of %s should vanish", p->name);
        else
            worst = fmax(worst, close(p->name, got->grads + p->at, want->grads + p->at, n, grads));
    }
    for (size_t i = 0; i < RIG_MOST; i++)
        if (want->dx[i])
            worst = fmax(worst, close("gradient of the tokens", got->dx[i], want->dx[i], want->n_x[i], grads));
    return worst;
}
