/* dropout.c - masks drawn from the counter-based generator: element i of stream `key`, whatever the
 * order or the number of threads. */
#include <math.h>

#include "backends/reference/ref.h"
#include "util/rng.h"

/* -lambda alpha of SELU: the value that a dropped unit of a self-normalising network takes. */
#define ALPHA_DROPPED (-1.7580993408473766)

static double keep(uint64_t key, size_t i, float p)
{
    return mmli_rng_uniform(key, i) >= p ? 1 : 0;
}

/* What a kept value is multiplied with. p = 1 keeps nothing (uniform numbers are below 1), so its
 * factor is never used. */
static double survivor_scale(float p)
{
    return 1.0 / (1.0 - (double)p);
}

mml_status REF(dropout)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n, float p, uint64_t key, size_t first)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = keep(key, first + i, p) > 0 ? (float)((double)x[i] * survivor_scale(p)) : 0.0f;
    return MML_OK;
}

mml_status REF(dropout_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *dy_, size_t n, float p, uint64_t key,
                             size_t first)
{
    float *dx = ref_f(dx_);
    const float *dy = ref_f(dy_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        if (keep(key, first + i, p) > 0)
            dx[i] = (float)((double)dx[i] + (double)dy[i] * survivor_scale(p));
    return MML_OK;
}

/* a and b of kernels.def: they bring mean and variance of a standard normal input back to 0 and 1. */
static void alpha_affine(double *a, double *b, float p_)
{
    const double p = (double)p_, q = 1 - p;

    *a = 1 / sqrt(q + ALPHA_DROPPED * ALPHA_DROPPED * q * p);
    *b = -*a * ALPHA_DROPPED * p;
}

mml_status REF(alpha_dropout)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n, float p, uint64_t key,
                              size_t first)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    double a, b;

    (void)dv;
    alpha_affine(&a, &b, p);
    for (size_t i = 0; i < n; i++)
        y[i] = (float)(a * (keep(key, first + i, p) > 0 ? (double)x[i] : ALPHA_DROPPED) + b);
    return MML_OK;
}

mml_status REF(alpha_dropout_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *dy_, size_t n, float p,
                                   uint64_t key, size_t first)
{
    float *dx = ref_f(dx_);
    const float *dy = ref_f(dy_);
    double a, b;

    (void)dv;
    alpha_affine(&a, &b, p);
    for (size_t i = 0; i < n; i++)
        if (keep(key, first + i, p) > 0)
            dx[i] = (float)((double)dx[i] + a * (double)dy[i]);
    return MML_OK;
}
