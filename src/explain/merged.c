/* merged.c - see merged.h. The forward formulas are those of lego/merge.c and model/forward_merge.c (method.md 3, 3b):
 *
 *     Z = aggregation of the states z_i,  p = mean over c of Re Z,  y = LN(p),  logits = W y + b
 *
 * and for scale `layernorm` y = sum a_i LN_i(p_i), for head `ensemble` logits = sum a_i head_i(p_i), for one block that
 * counts its own head. Gradients of complex numbers are pairs (d/dRe, d/dIm), written as complex numbers: with Z = w z,
 * dz = conj(w) dZ. Blocks of the spatial domain are merged in the frequency domain: with the unitary F, dZ = F dY, dx = Re F^H dz. */
#include "explain/merged.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "ops/internal.h"
#include "util/alloc.h"
#include "util/error.h"

typedef double complex number;

/* Arrays (B c d) as float on the tape's host memory; (n) of them for members. */
typedef struct work {
    mml_explainer *e;
    mmli_tape *tape;
    const mmli_inputs *in;
    const mml_model *model;
    size_t n, B, c, d, k;
    float **re, **im;   /* (n) states, in the domain of the merge */
    float **dre, **dim; /* (n) their gradients */
    float **own;        /* (n) gradients of the states as the blocks give them, from heads of their own */
    float **pooled;     /* (n) (B, d) of the states as the blocks give them */
    float *zre, *zim;   /* the merged state, then its gradient */
    double *a;          /* (n) weights of a sample */
    float *head;        /* as mmli_model_merged_head */
    uint8_t *set;       /* (n) */
} work;

static mmli_var *fft(mmli_tape *tape, mmli_complex *out, mmli_complex z, size_t c, int sign, bool real)
{
    const float scale = 1.0f / sqrtf((float)(c * (z.re ? z.re->cols : 1)));

    *out = mmli_op_fft(tape, z, c, MMLI_AXIS_C | MMLI_AXIS_D, sign, scale, real);
    return out->re;
}

static float *array(mmli_tape *tape, size_t n)
{
    float *x = mmli_tape_host(tape, n * sizeof *x);

    if (x)
        memset(x, 0, n * sizeof *x);
    return x;
}

static float *download(work *w, const mmli_var *x)
{
    float *out = array(w->tape, x->rows * x->cols);

    if (out)
        mmli_tape_fail(w->tape, w->e->dv->k.download(w->e->dv, out, x->data, x->rows * x->cols * sizeof *out));
    return out;
}

/* ---- weights and heads of one sample -------------------------------------------------------------------------------------- */

/* a and set of sample b, as lego/merge.c; the number of blocks that count. */
static size_t weigh(work *w, size_t b)
{
    double total = 0;
    size_t have = 0, count = 0;

    for (size_t i = 0; i < w->n; i++) {
        have += w->in->present[i * w->B + b];
        total += w->in->present[i * w->B + b] ? w->model->weights[i] : 0;
    }
    for (size_t i = 0; i < w->n; i++) {
        w->a[i] = total > 0 ? w->model->weights[i] / total : 1.0 / (double)(have ? have : 1);
        w->a[i] = w->in->present[i * w->B + b] ? w->a[i] : 0;
        w->set[i] = w->a[i] > 0;
        count += w->set[i];
    }
    return count;
}

static bool merges_latents(const mml_model *model)
{
    return model->merge.head != MML_HEAD_ENSEMBLE && model->merge.scale != MML_LATENT_LAYERNORM;
}

static mml_status head_of(work *w, size_t member)
{
    uint8_t *only = mmli_tape_host(w->tape, w->n);

    if (!only)
        return mmli_tape_status(w->tape);
    for (size_t i = 0; i < w->n; i++)
        only[i] = i == member;
    return mmli_model_merged_head(w->head, w->model, only);
}

/* dy (d) = W^T g */
static void linear_back(double *dy, const work *w, const float *g)
{
    const float *W = w->head + 2 * w->d;

    for (size_t j = 0; j < w->d; j++) {
        dy[j] = 0;
        for (size_t o = 0; o < w->k; o++)
            dy[j] += (double)W[o * w->d + j] * (double)g[o];
    }
}

/* dp (d) through LN(p) with the weight of the head: overwrites dy. */
static void norm_back(double *dy, const work *w, const float *p)
{
    const float *gamma = w->head;
    const double d = (double)w->d;
    double mean = 0, var = 0, sum = 0, along = 0, rstd;

    for (size_t j = 0; j < w->d; j++)
        mean += (double)p[j] / d;
    for (size_t j = 0; j < w->d; j++)
        var += ((double)p[j] - mean) * ((double)p[j] - mean) / d;
    rstd = 1 / sqrt(var + (double)MMLI_NORM_EPS);
    for (size_t j = 0; j < w->d; j++) {
        dy[j] *= (double)gamma[j];
        sum += dy[j] / d;
        along += dy[j] * ((double)p[j] - mean) * rstd / d;
    }
    for (size_t j = 0; j < w->d; j++)
        dy[j] = rstd * (dy[j] - sum - ((double)p[j] - mean) * rstd * along);
}

/* x (c, d) += dp / c in every row */
static void spread(float *x, const work *w, const double *dp, double times)
{
    for (size_t r = 0; r < w->c; r++)
        for (size_t j = 0; j < w->d; j++)
            x[r * w->d + j] += (float)(times * dp[j] / (double)w->c);
}

static void pool(float *p, const work *w, const float *x)
{
    for (size_t j = 0; j < w->d; j++) {
        double sum = 0;

        for (size_t r = 0; r < w->c; r++)
            sum += (double)x[r * w->d + j];
        p[j] = (float)(sum / (double)w->c);
    }
}

/* Heads that read each block's own state: of one block that counts, of an ensemble, of scale `layernorm`. */
static mml_status own_heads_back(work *w, size_t b, size_t count, const float *g, double *dy)
{
    const bool joined = count > 1 && w->model->merge.head != MML_HEAD_ENSEMBLE; /* the linear part is the merged one */
    mml_status st = MML_OK;

    for (size_t i = 0; i < w->n; i++) {
        if (!w->set[i])
            continue;
        if (joined) {
            MML_TRY(mmli_model_merged_head(w->head, w->model, w->set));
            linear_back(dy, w, g);
        }
        MML_TRY(head_of(w, i));
        if (!joined)
            linear_back(dy, w, g);
        norm_back(dy, w, w->pooled[i] + b * w->d);
        spread(w->own[i] + b * w->c * w->d, w, dy, count > 1 ? w->a[i] : 1);
    }
out:
    return st;
}

/* ---- aggregation of one element ------------------------------------------------------------------------------------------- */

static double loudness(const work *w, size_t i)
{
    return w->model->merge.scale == MML_LATENT_POOLED && w->model->members[i].latent_rms > 0
               ? w->model->members[i].latent_rms : 1.0;
}

/* What one sample's elements have in common. */
typedef struct rule {
    size_t count;
    double *linear, *phase; /* (n) factor of the block's term, and of its angle */
    double loud;            /* of the result */
} rule;

static void make_rule(rule *r, const work *w, size_t count)
{
    const mml_merge_options *o = &w->model->merge;

    r->count = count;
    r->loud = 0;
    for (size_t i = 0; i < w->n; i++)
        r->loud += w->a[i] * loudness(w, i);
    for (size_t i = 0; i < w->n; i++) {
        const double a = w->a[i], rms = loudness(w, i);
        double g = r->loud;

        r->phase[i] = o->upstream_harmonic ? 1.0 / (double)count : a;
        if (o->aggregation == MML_MERGE_HARMONIC) {
            if (o->upstream_harmonic && count == 2)
                g *= 2 * a * (1 - a);
            r->linear[i] = a > 0 ? a * rms / g : 0;
        } else if (o->aggregation == MML_MERGE_PRODUCT)
            r->linear[i] = 1 / rms;
        else
            r->linear[i] = a * g / rms * (o->aggregation == MML_MERGE_SUM ? (double)count : 1);
    }
}

static number state(const work *w, size_t i, size_t at)
{
    return (double)w->re[i][at] + (double)w->im[i][at] * I;
}

static double turn(number z)
{
    return creal(z) == 0 && cimag(z) == 0 ? 0 : cimag(z) == 0 ? (creal(z) < 0 ? acos(-1) : 0) : carg(z);
}

/* Magnitude and angle of the harmonic mean; *u: sum of the directions. */
static double harmonic(double *angle, number *u, const work *w, const rule *r, size_t at)
{
    const bool circular = w->model->merge.phase == MML_PHASE_CIRCULAR && !w->model->merge.upstream_harmonic;
    double inverse = 0;

    *angle = 0;
    *u = 0;
    for (size_t i = 0; i < w->n; i++) {
        const number z = state(w, i, at);

        if (!w->set[i])
            continue;
        inverse += r->linear[i] / cabs(z);
        *angle += r->phase[i] * turn(z);
        *u += r->phase[i] * cexp(I * turn(z));
    }
    if (circular)
        *angle = turn(*u);
    return 1 / inverse;
}

static number merged(const work *w, const rule *r, size_t at)
{
    number z = w->model->merge.aggregation == MML_MERGE_PRODUCT ? r->loud : 0;
    double angle, size;

    if (w->model->merge.aggregation == MML_MERGE_HARMONIC) {
        size = harmonic(&angle, &z, w, r, at);
        return size * cexp(I * angle);
    }
    for (size_t i = 0; i < w->n; i++)
        if (w->set[i] && w->model->merge.aggregation == MML_MERGE_PRODUCT)
            z *= r->linear[i] * state(w, i, at);
        else if (w->set[i])
            z += r->linear[i] * state(w, i, at);
    return z;
}

/* Gradient of block i's element for the gradient G of the merged one. */
static number harmonic_back(const work *w, const rule *r, size_t i, size_t at, number G)
{
    const bool circular = w->model->merge.phase == MML_PHASE_CIRCULAR && !w->model->merge.upstream_harmonic;
    const number z = state(w, i, at);
    const double size = cabs(z);
    double angle, all, by_size, by_angle;
    number u;

    all = harmonic(&angle, &u, w, r, at);
    if (size == 0 || all == 0)
        return 0; /* 1 / |z| has no derivative there */
    by_size = creal(G * conj(cexp(I * angle))) * all * all * r->linear[i] / (size * size);
    by_angle = all * cimag(G * conj(cexp(I * angle))) * r->phase[i];
    if (circular)
        by_angle *= cabs(u) > 0 ? creal(conj(u) * z / size) / (cabs(u) * cabs(u)) : 0;
    return by_size * z / size + by_angle * I * z / (size * size);
}

static number element_back(const work *w, const rule *r, size_t i, size_t at, number G)
{
    number others = r->loud * r->linear[i];

    switch (w->model->merge.aggregation) {
    case MML_MERGE_HARMONIC:
        return harmonic_back(w, r, i, at, G);
    case MML_MERGE_PRODUCT:
        for (size_t o = 0; o < w->n; o++)
            others *= w->set[o] && o != i ? r->linear[o] * state(w, o, at) : 1;
        return conj(others) * G;
    case MML_MERGE_MEAN:
    case MML_MERGE_SUM:
    default:
        return r->linear[i] * G;
    }
}

/* ---- all samples ---------------------------------------------------------------------------------------------------------- */

/* The merged states of the samples that have one; the others' stay 0. */
static void merge_all(work *w, rule *r)
{
    for (size_t b = 0; b < w->B; b++) {
        const size_t count = weigh(w, b);

        if (count < 2)
            continue;
        make_rule(r, w, count);
        for (size_t at = b * w->c * w->d; at < (b + 1) * w->c * w->d; at++) {
            const number z = merged(w, r, at);

            w->zre[at] = (float)creal(z);
            w->zim[at] = (float)cimag(z);
        }
    }
}

static void unmerge_all(work *w, rule *r)
{
    for (size_t b = 0; b < w->B; b++) {
        const size_t count = weigh(w, b);

        if (count < 2)
            continue;
        make_rule(r, w, count);
        for (size_t at = b * w->c * w->d; at < (b + 1) * w->c * w->d; at++) {
            const number G = (double)w->zre[at] + (double)w->zim[at] * I;

            for (size_t i = 0; i < w->n; i++) {
                const number dz = w->set[i] ? element_back(w, r, i, at, G) : 0;

                w->dre[i][at] = (float)creal(dz);
                w->dim[i][at] = (float)cimag(dz);
            }
        }
    }
}

/* zre, zim to the other domain and, after the last step, back: on the device. real: only zre of the result. */
static void transform(work *w, float **re, float **im, int sign, bool real)
{
    mmli_var *x = mmli_tape_input(w->tape, *re, w->B * w->c, w->d, false);
    mmli_var *y = *im ? mmli_tape_input(w->tape, *im, w->B * w->c, w->d, false) : NULL;
    mmli_complex out;

    if (!x || !fft(w->tape, &out, (mmli_complex){x, y}, w->c, sign, real))
        return;
    *re = download(w, out.re);
    *im = real ? array(w->tape, w->B * w->c * w->d) : download(w, out.im);
}

/* From the gradient of the logits to zre, zim: that of the merged state; and to `own` where heads read the blocks' states. */
static mml_status heads_back(work *w, const float *g)
{
    double *dy = mmli_tape_host(w->tape, w->d * sizeof *dy);
    float *p = mmli_tape_host(w->tape, w->d * sizeof *p);
    const size_t size = w->c * w->d;
    mml_status st = mmli_tape_status(w->tape);

    MML_TRY(st);
    for (size_t b = 0; b < w->B; b++) {
        const size_t count = weigh(w, b);
        float *z = w->zre + b * size;

        if (count > 1 && merges_latents(w->model)) {
            MML_TRY(mmli_model_merged_head(w->head, w->model, w->set));
            linear_back(dy, w, g + b * w->k);
            pool(p, w, z);
            norm_back(dy, w, p);
            memset(z, 0, size * sizeof *z);
            spread(z, w, dy, 1);
        } else if (count > 0)
            MML_TRY(own_heads_back(w, b, count, g + b * w->k, dy));
    }
    memset(w->zim, 0, w->B * size * sizeof *w->zim);
out:
    return st;
}

static mml_status take_states(work *w, const mmli_complex *z, bool spatial)
{
    for (size_t i = 0; i < w->n && mmli_tape_ok(w->tape); i++) {
        w->re[i] = download(w, z[i].re);
        w->im[i] = z[i].im ? download(w, z[i].im) : array(w->tape, w->B * w->c * w->d);
        w->dre[i] = array(w->tape, w->B * w->c * w->d);
        w->dim[i] = array(w->tape, w->B * w->c * w->d);
        w->own[i] = array(w->tape, w->B * w->c * w->d);
        w->pooled[i] = array(w->tape, w->B * w->d);
        if (!mmli_tape_ok(w->tape))
            break;
        for (size_t b = 0; b < w->B; b++)
            pool(w->pooled[i] + b * w->d, w, w->re[i] + b * w->c * w->d);
        if (spatial && merges_latents(w->model)) {
            float *none = NULL;

            transform(w, &w->re[i], &none, -1, false);
            w->im[i] = none;
        }
    }
    return mmli_tape_status(w->tape);
}

static void give(work *w, mmli_var *x, const float *d, const float *more)
{
    const size_t n = w->B * w->c * w->d;
    float *sum = mmli_tape_host(w->tape, n * sizeof *sum);
    mmli_mem *grad = x && x->need ? mmli_tape_grad(w->tape, x) : NULL;

    if (!sum || !grad)
        return;
    for (size_t i = 0; i < n; i++)
        sum[i] = d[i] + (more ? more[i] : 0);
    mmli_tape_fail(w->tape, w->e->dv->k.upload(w->e->dv, grad, sum, n * sizeof *sum));
}

static mml_status start(work *w)
{
    mmli_tape *tape = w->tape;

    w->re = mmli_tape_host(tape, w->n * sizeof *w->re);
    w->im = mmli_tape_host(tape, w->n * sizeof *w->im);
    w->dre = mmli_tape_host(tape, w->n * sizeof *w->dre);
    w->dim = mmli_tape_host(tape, w->n * sizeof *w->dim);
    w->own = mmli_tape_host(tape, w->n * sizeof *w->own);
    w->pooled = mmli_tape_host(tape, w->n * sizeof *w->pooled);
    w->zre = array(tape, w->B * w->c * w->d);
    w->zim = array(tape, w->B * w->c * w->d);
    w->a = mmli_tape_host(tape, w->n * sizeof *w->a);
    w->set = mmli_tape_host(tape, w->n);
    w->head = mmli_tape_host(tape, mmli_model_head_size(w->model) * sizeof *w->head);
    return mmli_tape_status(tape);
}

static mml_status merge_back(work *w, const mmli_complex *z, const float *g)
{
    const bool spatial = w->model->members[0].block.o.transform == MML_TRANSFORM_SPATIAL;
    const bool there_and_back = spatial && merges_latents(w->model);
    rule r = {.linear = mmli_tape_host(w->tape, w->n * sizeof(double)), .phase = mmli_tape_host(w->tape, w->n * sizeof(double))};
    mml_status st = MML_OK;

    MML_TRY(start(w));
    MML_TRY(take_states(w, z, spatial));
    if (merges_latents(w->model))
        merge_all(w, &r);
    if (there_and_back)
        transform(w, &w->zre, &w->zim, 1, true);
    MML_TRY(mmli_tape_status(w->tape));
    MML_TRY(heads_back(w, g));
    if (there_and_back)
        transform(w, &w->zre, &w->zim, -1, false);
    MML_TRY(mmli_tape_status(w->tape));
    if (merges_latents(w->model))
        unmerge_all(w, &r);
    for (size_t i = 0; i < w->n; i++) {
        if (there_and_back)
            transform(w, &w->dre[i], &w->dim[i], 1, true);
        MML_TRY(mmli_tape_status(w->tape));
        give(w, z[i].re, w->dre[i], w->own[i]);
        give(w, z[i].im, w->dim[i], NULL);
    }
    st = mmli_tape_status(w->tape);
out:
    return st;
}

mml_status mmli_merged_forward(mmli_var **logits, mmli_merged *m, mml_explainer *e, const mmli_bound *bound,
                               const mmli_inputs *in)
{
    mml_status st = MML_OK;

    *m = (mmli_merged){NULL};
    if (e->model->kind != MML_MODEL_MERGE)
        return mmli_model_forward(logits, e->model, e->tape, bound, in, &e->heads);
    m->z = mmli_tape_host(e->tape, e->model->n * sizeof *m->z);
    MML_TRY(mmli_tape_status(e->tape));
    MML_TRY(mmli_model_latents(m->z, e->model, e->tape, bound, in));
    st = mmli_model_merge_logits(logits, e->model, e->tape, bound, m->z, in->present, in->samples, &e->heads);
out:
    return st;
}

mml_status mmli_merged_back(const mmli_merged *m, mml_explainer *e, const mmli_inputs *in, mmli_var *logits, const float *g)
{
    const mml_block_options *o = &e->model->members[0].block.o;
    work w = {.e = e, .tape = e->tape, .in = in, .model = e->model, .n = e->model->n, .B = in->samples, .k = logits->cols,
              .c = o->latent_c, .d = o->latent_d};
    mmli_mem *grad;

    if (m->z)
        return merge_back(&w, m->z, g);
    grad = logits->need ? mmli_tape_grad(e->tape, logits) : NULL;
    if (grad)
        mmli_tape_fail(e->tape, e->dv->k.upload(e->dv, grad, g, logits->rows * logits->cols * sizeof *g));
    return mmli_tape_status(e->tape);
}
