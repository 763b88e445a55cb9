/* coders.c - see coders.h. */
#include "tests/lego/coders.h"

#include <math.h>
#include <string.h>

static size_t width(void *user, size_t in)
{
    (void)user;
    return in > 0 ? CODER_WIDTH : 0;
}

/* w (5, in), b (1, 5); the pooled one of operations also has a score (1, 5) and a norm */
static int param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    const mml_param_spec list[] = {{"w", CODER_WIDTH, in, MML_INIT_UNIFORM_FAN_IN},
                                   {"b", 1, CODER_WIDTH, MML_INIT_ZERO},
                                   {"score", 1, CODER_WIDTH, MML_INIT_NORMAL},
                                   {"gamma", 1, CODER_WIDTH, MML_INIT_ONE},
                                   {"beta", 1, CODER_WIDTH, MML_INIT_ZERO}};
    const size_t n = strcmp(user, "pooled") == 0 ? 5 : 2;

    if (i >= n)
        return 0;
    *spec = list[i];
    return 1;
}

static mml_var *linear(mml_graph *graph, mml_var *x)
{
    return mml_op_linear(graph, x, mml_graph_param(graph, 0), mml_graph_param(graph, 1));
}

static mml_var *tokens(void *user, mml_graph *graph, mml_var *x)
{
    mml_var *y = linear(graph, x), *s = mml_op_sigmoid(graph, y);

    (void)user;
    y = mml_op_mul(graph, mml_op_selu(graph, y), s);
    y = mml_op_dropout(graph, y, 0.2);
    return mml_op_add(graph, y, mml_op_dropout(graph, mml_op_elu(graph, s), 0.3));
}

static mml_var *pooled(void *user, mml_graph *graph, mml_var *x)
{
    mml_var *y = mml_op_tanh(graph, linear(graph, x)), *w;

    (void)user;
    y = mml_op_layernorm(graph, y, mml_graph_param(graph, 3), mml_graph_param(graph, 4));
    w = mml_op_segment_softmax(graph, mml_op_linear(graph, y, mml_graph_param(graph, 2), NULL));
    return mml_op_add(graph, mml_op_segment_sum(graph, w, y), mml_op_segment_mean(graph, y));
}

/* y[t] = tanh(w x[t] + b); *user "mean": the mean of that over the sample */
static int forward_host(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                        size_t in, float *y)
{
    const int mean = strcmp(user, "mean") == 0;

    for (size_t s = 0; s < n; s++) {
        const double len = (double)(offsets[s + 1] - offsets[s]);
        for (int64_t t = offsets[s]; t < offsets[s + 1]; t++)
            for (size_t j = 0; j < CODER_WIDTH; j++) {
                double z = (double)params[1][j];
                for (size_t i = 0; i < in; i++)
                    z += (double)params[0][j * in + i] * (double)x[(size_t)t * in + i];
                if (mean)
                    y[s * CODER_WIDTH + j] += (float)(tanh(z) / len);
                else
                    y[(size_t)t * CODER_WIDTH + j] = (float)tanh(z);
            }
    }
    return 0;
}

static int backward_host(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                         size_t in, const float *dy, float *const *dparams, float *dx)
{
    const int mean = strcmp(user, "mean") == 0;

    for (size_t s = 0; s < n; s++) {
        const double len = (double)(offsets[s + 1] - offsets[s]);
        for (int64_t t = offsets[s]; t < offsets[s + 1]; t++)
            for (size_t j = 0; j < CODER_WIDTH; j++) {
                double z = (double)params[1][j], d;
                for (size_t i = 0; i < in; i++)
                    z += (double)params[0][j * in + i] * (double)x[(size_t)t * in + i];
                d = mean ? (double)dy[s * CODER_WIDTH + j] / len : (double)dy[(size_t)t * CODER_WIDTH + j];
                d *= 1 - tanh(z) * tanh(z);
                for (size_t i = 0; i < in; i++) {
                    if (dparams[0])
                        dparams[0][j * in + i] += (float)(d * (double)x[(size_t)t * in + i]);
                    if (dx)
                        dx[(size_t)t * in + i] += (float)(d * (double)params[0][j * in + i]);
                }
                if (dparams[1])
                    dparams[1][j] += (float)d;
            }
    }
    return 0;
}

const mml_encoder *coder(int i)
{
    static char kind[CODERS][8] = {"tokens", "pooled", "tokens", "mean"};
    static const mml_encoder list[CODERS] = {
        {.name = "ops", .user = kind[0], .width = width, .param = param, .forward = tokens},
        {.name = "ops pooled", .user = kind[1], .width = width, .pools = 1, .param = param, .forward = pooled},
        {.name = "host",
         .user = kind[2],
         .width = width,
         .param = param,
         .forward_host = forward_host,
         .backward_host = backward_host},
        {.name = "host pooled",
         .user = kind[3],
         .width = width,
         .pools = 1,
         .param = param,
         .forward_host = forward_host,
         .backward_host = backward_host}};

    return &list[i];
}
