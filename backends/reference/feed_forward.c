/* feed_forward.c - y = x + drop(W2 (a * SELU(g)) + b2), [a g] = W1 LN(x) + b1, row by row. */
#include <math.h>

#include "backends/reference/ref.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

/* Klambauer et al. 2017, as PyTorch has them. */
#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_LAMBDA 1.0507009873554804934193349852946

/* One row on its way: arrays of d and f float64 numbers. */
typedef struct row {
    double rstd;
    double *hat, *h;          /* (d) normalised; LN(x) */
    double *a, *s, *slope;    /* (f) linear half; SELU of the gate and its derivative */
    double *dout, *dh;        /* (d) masked dy; gradient of h */
    double *da, *dg;          /* (f) */
} row;

enum { ROW_D = 4, ROW_F = 5 }; /* arrays of each length */

static mml_status row_new(row *w, double **memory, size_t d, size_t f)
{
    mml_status st = MML_OK;
    double *p;

    MML_TRY(mmli_calloc(memory, ROW_D * d + ROW_F * f, sizeof **memory));
    p = *memory;
    *w = (row){.hat = p, .h = p + d, .dout = p + 2 * d, .dh = p + 3 * d};
    p += ROW_D * d;
    w->a = p, w->s = p + f, w->slope = p + 2 * f, w->da = p + 3 * f, w->dg = p + 4 * f;
out:
    return st;
}

static void normalise(row *w, const float *x, const mmli_ff *ff)
{
    const float *gamma = ref_f(ff->gamma), *beta = ref_f(ff->beta);
    double mean = 0, var = 0;

    for (size_t i = 0; i < ff->d; i++)
        mean += (double)x[i] / (double)ff->d;
    for (size_t i = 0; i < ff->d; i++)
        var += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)ff->d;
    w->rstd = 1 / sqrt(var + (double)ff->eps);
    for (size_t i = 0; i < ff->d; i++) {
        w->hat[i] = ((double)x[i] - mean) * w->rstd;
        w->h[i] = w->hat[i] * (double)gamma[i] + (double)beta[i];
    }
}

static double unit(const row *w, const mmli_ff *ff, size_t j)
{
    const float *w1 = ref_f(ff->w1), *b1 = ref_f(ff->b1);
    double z = (double)b1[j];

    for (size_t i = 0; i < ff->d; i++)
        z += (double)w1[j * ff->d + i] * w->h[i];
    return z;
}

static void hidden(row *w, const mmli_ff *ff)
{
    for (size_t j = 0; j < ff->f; j++) {
        const double g = unit(w, ff, ff->f + j);

        w->a[j] = unit(w, ff, j);
        w->s[j] = g > 0 ? SELU_LAMBDA * g : SELU_LAMBDA * SELU_ALPHA * expm1(g);
        w->slope[j] = g > 0 ? SELU_LAMBDA : w->s[j] + SELU_LAMBDA * SELU_ALPHA;
    }
}

/* What element i of the array is multiplied with; uniform numbers are below 1, so p = 1 keeps nothing. */
static double factor(const mmli_ff *ff, size_t i)
{
    if (ff->p <= 0)
        return 1;
    return mmli_rng_uniform(ff->key, ff->first + i) >= ff->p ? 1 / (1 - (double)ff->p) : 0;
}

mml_status REF(feed_forward)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_ff *ff, size_t rows)
{
    const size_t d = ff->d, f = ff->f;
    const float *x = ref_f(x_), *w2 = ref_f(ff->w2), *b2 = ref_f(ff->b2);
    float *y = ref_f(y_);
    mml_status st = MML_OK;
    double *memory = NULL;
    row w;

    (void)dv;
    MML_TRY(row_new(&w, &memory, d, f));
    for (size_t r = 0; r < rows; r++) {
        normalise(&w, x + r * d, ff);
        hidden(&w, ff);
        for (size_t o = 0; o < d; o++) {
            double out = (double)b2[o];

            for (size_t j = 0; j < f; j++)
                out += (double)w2[o * f + j] * w.a[j] * w.s[j];
            y[r * d + o] = (float)((double)x[r * d + o] + factor(ff, r * d + o) * out);
        }
    }
out:
    mmli_free(memory);
    return st;
}

/* Gradients of the parameters, summed over all rows. */
typedef struct sums {
    double *gamma, *beta, *w1, *b1, *w2, *b2;
} sums;

static sums sums_in(double *p, size_t d, size_t f)
{
    sums s = {.gamma = p, .beta = p + d, .b2 = p + 2 * d};

    s.b1 = s.b2 + d;
    s.w1 = s.b1 + 2 * f;
    s.w2 = s.w1 + 2 * f * d;
    return s;
}

static void hidden_grad(row *w, const sums *s, const mmli_ff *ff)
{
    const size_t d = ff->d, f = ff->f;
    const float *w1 = ref_f(ff->w1), *w2 = ref_f(ff->w2);

    for (size_t j = 0; j < f; j++) {
        double du = 0;

        for (size_t o = 0; o < d; o++) {
            du += (double)w2[o * f + j] * w->dout[o];
            s->w2[o * f + j] += w->dout[o] * w->a[j] * w->s[j];
        }
        w->da[j] = du * w->s[j];
        w->dg[j] = du * w->a[j] * w->slope[j];
        s->b1[j] += w->da[j];
        s->b1[f + j] += w->dg[j];
    }
    for (size_t i = 0; i < d; i++) {
        w->dh[i] = 0;
        for (size_t j = 0; j < f; j++) {
            w->dh[i] += (double)w1[j * d + i] * w->da[j] + (double)w1[(f + j) * d + i] * w->dg[j];
            s->w1[j * d + i] += w->da[j] * w->h[i];
            s->w1[(f + j) * d + i] += w->dg[j] * w->h[i];
        }
    }
}

/* With g = dh gamma:  dx (+)= dy + rstd (g - mean(g) - hat mean(g hat)) */
static void norm_grad(float *dx, bool add, const float *dy, const row *w, const sums *s, const mmli_ff *ff)
{
    const float *gamma = ref_f(ff->gamma);
    double mean = 0, mean_hat = 0;

    for (size_t i = 0; i < ff->d; i++) {
        mean += w->dh[i] * (double)gamma[i] / (double)ff->d;
        mean_hat += w->dh[i] * (double)gamma[i] * w->hat[i] / (double)ff->d;
        s->gamma[i] += w->dh[i] * w->hat[i];
        s->beta[i] += w->dh[i];
    }
    for (size_t i = 0; dx && i < ff->d; i++)
        dx[i] = (float)((add ? (double)dx[i] : 0) + (double)dy[i] +
                        w->rstd * (w->dh[i] * (double)gamma[i] - mean - w->hat[i] * mean_hat));
}

static void put_sums(mmli_mem *y_, bool add, const double *s, size_t n)
{
    float *y = ref_f(y_);

    for (size_t i = 0; y && i < n; i++)
        y[i] = (float)((add ? (double)y[i] : 0) + s[i]);
}

mml_status REF(feed_forward_grad)(mmli_device *dv, const mmli_ff_grad *grad, const mmli_mem *x_, const mmli_mem *dy_,
                                  const mmli_ff *ff, size_t rows)
{
    const size_t d = ff->d, f = ff->f;
    const float *x = ref_f(x_), *dy = ref_f(dy_);
    float *dx = ref_f(grad->dx);
    mml_status st = MML_OK;
    double *memory = NULL, *total = NULL;
    row w;
    sums s;

    (void)dv;
    MML_TRY(row_new(&w, &memory, d, f));
    MML_TRY(mmli_calloc(&total, 3 * d + 2 * f + 3 * d * f, sizeof *total));
    s = sums_in(total, d, f);
    for (size_t r = 0; r < rows; r++) {
        normalise(&w, x + r * d, ff);
        hidden(&w, ff);
        for (size_t o = 0; o < d; o++) {
            w.dout[o] = factor(ff, r * d + o) * (double)dy[r * d + o];
            s.b2[o] += w.dout[o];
        }
        hidden_grad(&w, &s, ff);
        norm_grad(dx ? dx + r * d : NULL, grad->add_x, dy + r * d, &w, &s, ff);
    }
    put_sums(grad->gamma, grad->add, s.gamma, d);
    put_sums(grad->beta, grad->add, s.beta, d);
    put_sums(grad->w1, grad->add, s.w1, 2 * f * d);
    put_sums(grad->b1, grad->add, s.b1, 2 * f);
    put_sums(grad->w2, grad->add, s.w2, d * f);
    put_sums(grad->b2, grad->add, s.b2, d);
out:
    mmli_free(total);
    mmli_free(memory);
    return st;
}
