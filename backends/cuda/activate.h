/* activate.h - activations and gates of one number on the device, in float32: the same formulas as
 * backends/reference/elements.c, good to a few units in the last place. */
#ifndef MMLI_BACKENDS_CUDA_ACTIVATE_H
#define MMLI_BACKENDS_CUDA_ACTIVATE_H

#include "backends/cuda/cuda.h"

/* Klambauer et al. 2017, as PyTorch has them. */
#define SELU_LAMBDA 1.0507009873554804934193349852946f
#define SELU_LAMBDA_ALPHA 1.7580993408473768599402175208123f
#define LEAKY_SLOPE 0.01f

/* exp of what is not positive: it cannot overflow, and small results keep their digits. A NaN stays one. */
__device__ __forceinline__ float sigmoid(float x)
{
    const float e = expf(x > 0 ? -x : x);

    return (x > 0 ? 1.0f : e) / (1.0f + e);
}

__device__ __forceinline__ float selu(float x) { return x > 0 ? SELU_LAMBDA * x : SELU_LAMBDA_ALPHA * expm1f(x); }

__device__ __forceinline__ float selu_slope(float x) { return x > 0 ? SELU_LAMBDA : SELU_LAMBDA_ALPHA * expf(x); }

/* The normal distribution, and its density */
__device__ __forceinline__ float normal_below(float x) { return 0.5f * erfcf(-0.70710678118654752440f * x); }
__device__ __forceinline__ float normal_density(float x) { return 0.39894228040143267794f * expf(-0.5f * x * x); }

__device__ __forceinline__ float act_value(float x, mmli_act kind)
{
    switch (kind) {
    case MMLI_ACT_RELU:
        return x < 0 ? 0 : x; /* this way round a NaN stays one */
    case MMLI_ACT_LEAKY:
        return x > 0 ? x : LEAKY_SLOPE * x;
    case MMLI_ACT_ELU:
        return x > 0 ? x : expm1f(x);
    case MMLI_ACT_SELU:
        return selu(x);
    case MMLI_ACT_TANH:
        return tanhf(x);
    case MMLI_ACT_SIGMOID:
        return sigmoid(x);
    case MMLI_ACT_IDENTITY:
        break;
    }
    return x;
}

/* act'(x) from y = act(x). At a kink the left slope counts. */
__device__ __forceinline__ float act_slope(float y, mmli_act kind)
{
    switch (kind) {
    case MMLI_ACT_RELU:
        return y > 0 ? 1.0f : 0.0f;
    case MMLI_ACT_LEAKY:
        return y > 0 ? 1.0f : LEAKY_SLOPE;
    case MMLI_ACT_ELU:
        return y > 0 ? 1.0f : y + 1;
    case MMLI_ACT_SELU:
        return y > 0 ? SELU_LAMBDA : y + SELU_LAMBDA_ALPHA;
    case MMLI_ACT_TANH:
        return (1 - y) * (1 + y);
    case MMLI_ACT_SIGMOID:
        return y * (1 - y);
    case MMLI_ACT_IDENTITY:
        break;
    }
    return 1;
}

__device__ __forceinline__ float gate_value(float a, float g, mmli_gate kind)
{
    switch (kind) {
    case MMLI_GATE_SELU:
        return a * selu(g);
    case MMLI_GATE_GELU:
        return a * g * normal_below(g);
    case MMLI_GATE_TANH_SIGMOID:
        break;
    }
    return tanhf(a) * sigmoid(g);
}

/* Slopes by a and by g. */
__device__ __forceinline__ void gate_slopes(float *da, float *dg, float a, float g, mmli_gate kind)
{
    float t, s;

    switch (kind) {
    case MMLI_GATE_SELU:
        *da = selu(g);
        *dg = a * selu_slope(g);
        return;
    case MMLI_GATE_GELU:
        *da = g * normal_below(g);
        *dg = a * (normal_below(g) + g * normal_density(g));
        return;
    case MMLI_GATE_TANH_SIGMOID:
        break;
    }
    t = tanhf(a);
    s = sigmoid(g);
    *da = (1 - t) * (1 + t) * s;
    *dg = t * s * (1 - s);
}

#endif
