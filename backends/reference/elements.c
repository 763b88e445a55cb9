/* elements.c - one number in, one number out: arithmetic, activations, gates. */
#include <math.h>

#include "backends/reference/ref.h"

/* Klambauer et al. 2017, as PyTorch has them. */
#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_LAMBDA 1.0507009873554804934193349852946
#define LEAKY_SLOPE 0.01

mml_status REF(fill)(mmli_device *dv, mmli_mem *y_, size_t n, float value)
{
    float *y = ref_f(y_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = value;
    return MML_OK;
}

mml_status REF(add)(mmli_device *dv, mmli_mem *y_, const mmli_mem *a_, const mmli_mem *b_, size_t n)
{
    float *y = ref_f(y_);
    const float *a = ref_f(a_), *b = ref_f(b_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
    return MML_OK;
}

mml_status REF(mul)(mmli_device *dv, mmli_mem *y_, const mmli_mem *a_, const mmli_mem *b_, size_t n)
{
    float *y = ref_f(y_);
    const float *a = ref_f(a_), *b = ref_f(b_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
    return MML_OK;
}

mml_status REF(mul_add)(mmli_device *dv, mmli_mem *y_, const mmli_mem *a_, const mmli_mem *b_, size_t n)
{
    float *y = ref_f(y_);
    const float *a = ref_f(a_), *b = ref_f(b_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((double)y[i] + (double)a[i] * (double)b[i]);
    return MML_OK;
}

mml_status REF(axpy)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n, float alpha)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((double)y[i] + (double)alpha * (double)x[i]);
    return MML_OK;
}

mml_status REF(scale)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n, float alpha)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = alpha * x[i];
    return MML_OK;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double selu(double x)
{
    return x > 0 ? SELU_LAMBDA * x : SELU_LAMBDA * SELU_ALPHA * expm1(x);
}

static double selu_slope(double x)
{
    return x > 0 ? SELU_LAMBDA : SELU_LAMBDA * SELU_ALPHA * exp(x);
}

static double act_value(double x, mmli_act kind)
{
    switch (kind) {
    case MMLI_ACT_RELU:
        return x < 0 ? 0 : x; /* this way round a NaN stays one */
    case MMLI_ACT_LEAKY:
        return x > 0 ? x : LEAKY_SLOPE * x;
    case MMLI_ACT_ELU:
        return x > 0 ? x : expm1(x);
    case MMLI_ACT_SELU:
        return selu(x);
    case MMLI_ACT_TANH:
        return tanh(x);
    case MMLI_ACT_SIGMOID:
        return sigmoid(x);
    case MMLI_ACT_IDENTITY:
        break;
    }
    return x;
}

/* act'(x) from y = act(x). At a kink the left slope counts, as in PyTorch (except ELU: it has none). */
static double act_slope(double y, mmli_act kind)
{
    switch (kind) {
    case MMLI_ACT_RELU:
        return y > 0 ? 1 : 0;
    case MMLI_ACT_LEAKY:
        return y > 0 ? 1 : LEAKY_SLOPE;
    case MMLI_ACT_ELU:
        return y > 0 ? 1 : y + 1;
    case MMLI_ACT_SELU:
        return y > 0 ? SELU_LAMBDA : y + SELU_LAMBDA * SELU_ALPHA;
    case MMLI_ACT_TANH:
        return 1 - y * y;
    case MMLI_ACT_SIGMOID:
        return y * (1 - y);
    case MMLI_ACT_IDENTITY:
        break;
    }
    return 1;
}

mml_status REF(act)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n, mmli_act kind)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)act_value((double)x[i], kind);
    return MML_OK;
}

mml_status REF(act_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *y_, const mmli_mem *dy_, size_t n,
                         mmli_act kind, bool add)
{
    float *dx = ref_f(dx_);
    const float *y = ref_f(y_), *dy = ref_f(dy_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        dx[i] = (float)((add ? (double)dx[i] : 0) + (double)dy[i] * act_slope((double)y[i], kind));
    return MML_OK;
}

/* Phi(x), the normal distribution */
static double normal_below(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

static double gate_value(double a, double g, mmli_gate kind)
{
    switch (kind) {
    case MMLI_GATE_SELU:
        return a * selu(g);
    case MMLI_GATE_GELU:
        return a * g * normal_below(g);
    case MMLI_GATE_TANH_SIGMOID:
        break;
    }
    return tanh(a) * sigmoid(g);
}

/* Slopes by a and by g. */
static void gate_slopes(double *da, double *dg, double a, double g, mmli_gate kind)
{
    switch (kind) {
    case MMLI_GATE_SELU:
        *da = selu(g);
        *dg = a * selu_slope(g);
        return;
    case MMLI_GATE_GELU:
        *da = g * normal_below(g);
        *dg = a * (normal_below(g) + g * 0.39894228040143267794 * exp(-0.5 * g * g));
        return;
    case MMLI_GATE_TANH_SIGMOID:
        break;
    }
    *da = (1 - tanh(a) * tanh(a)) * sigmoid(g);
    *dg = tanh(a) * sigmoid(g) * (1 - sigmoid(g));
}

mml_status REF(gate)(mmli_device *dv, mmli_mem *y_, const mmli_mem *z_, size_t rows, size_t f, mmli_gate kind)
{
    float *y = ref_f(y_);
    const float *z = ref_f(z_);

    (void)dv;
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < f; j++) {
            const double a = (double)z[r * 2 * f + j], g = (double)z[r * 2 * f + f + j];

            y[r * f + j] = (float)gate_value(a, g, kind);
        }
    return MML_OK;
}

mml_status REF(gate_grad)(mmli_device *dv, mmli_mem *dz_, const mmli_mem *z_, const mmli_mem *dy_, size_t rows,
                          size_t f, mmli_gate kind, bool add)
{
    float *dz = ref_f(dz_);
    const float *z = ref_f(z_), *dy = ref_f(dy_);

    (void)dv;
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < f; j++) {
            const size_t at_a = r * 2 * f + j, at_g = at_a + f;
            const double a = (double)z[at_a], g = (double)z[at_g], d = (double)dy[r * f + j];
            double da, dg;

            gate_slopes(&da, &dg, a, g, kind);
            dz[at_a] = (float)((add ? (double)dz[at_a] : 0) + d * da);
            dz[at_g] = (float)((add ? (double)dz[at_g] : 0) + d * dg);
        }
    return MML_OK;
}
