/* attention_truth.c - see attention_truth.h. */
#include "tests/unit/attention_truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

const size_t slide_tokens[N] = {7, 1, 0, 300, 2};

/* Weights of float32 kernels against float64: scores of a few sums, then exp. */
static const mmlt_tol tol = {2e-5, 2e-6};

static double *parameter(const mml_model *model, const char *key)
{
    char name[96];
    size_t at, n;
    float *x = NULL;
    double *y = NULL;

    snprintf(name, sizeof name, "blocks.slide.%s", key);
    mmlt_assert_ok(mmli_params_find(&at, model->params, name));
    n = model->params->list[at].rows * model->params->list[at].cols;
    mmlt_assert_ok(mmli_calloc(&x, n, sizeof *x));
    mmlt_assert_ok(mmli_calloc(&y, n, sizeof *y));
    mmlt_assert_ok(mmli_params_get(x, model->params, at));
    for (size_t i = 0; i < n; i++)
        y[i] = (double)x[i];
    mmli_free(x);
    return y;
}

static double *step_parameter(const mml_model *model, size_t s, const char *key)
{
    char name[64];

    snprintf(name, sizeof name, "steps.%zu.%s", s, key);
    return parameter(model, name);
}

/* y (rows, out) = x (rows, in) w^T + b */
static void linear(double *y, const double *x, const double *w, const double *b, size_t rows, size_t in, size_t out)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out; o++) {
            y[r * out + o] = b ? b[o] : 0;
            for (size_t i = 0; i < in; i++)
                y[r * out + o] += x[r * in + i] * w[o * in + i];
        }
}

static void norm(double *y, const double *x, const double *w, const double *b, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        double mean = 0, var = 0;

        for (size_t i = 0; i < cols; i++)
            mean += x[r * cols + i] / (double)cols;
        for (size_t i = 0; i < cols; i++)
            var += (x[r * cols + i] - mean) * (x[r * cols + i] - mean) / (double)cols;
        for (size_t i = 0; i < cols; i++)
            y[r * cols + i] = (x[r * cols + i] - mean) / sqrt(var + 1e-5) * w[i] + b[i];
    }
}

static void softmax(double *x, size_t n, size_t stride)
{
    double most = -INFINITY, sum = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i * stride]);
    for (size_t i = 0; i < n; i++)
        sum += x[i * stride] = exp(x[i * stride] - most);
    for (size_t i = 0; i < n; i++)
        x[i * stride] /= sum;
}

static double selu(double x)
{
    return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * expm1(x));
}

/* R (C, D) to that after step s for n tokens h; weights (n) as they are to be shown. */
static void step(double *R, double *weights, const mml_model *model, size_t s, const double *h, size_t n)
{
    enum { HE = HEADS * E };
    static const char *const keys[] = {"query_norm.weight", "query_norm.bias", "context_norm.weight", "context_norm.bias",
                                       "query.weight", "key.weight", "value.weight", "out.weight", "out.bias",
                                       "ff_norm.weight", "ff_norm.bias", "ff_in.weight", "ff_in.bias", "ff_out.weight",
                                       "ff_out.bias"};
    double *p[15], *x = malloc(n * WIDTH * sizeof *x), *k = malloc(n * HE * sizeof *k), *v = malloc(n * HE * sizeof *v);
    double *a = malloc(n * sizeof *a), q[C * HE], o[C * HE], z[C * D], u[C * D], t[C * 8 * D];

    for (size_t i = 0; i < 15; i++)
        p[i] = step_parameter(model, s, keys[i]);
    norm(z, R, p[0], p[1], C, D);
    norm(x, h, p[2], p[3], n, WIDTH);
    linear(q, z, p[4], NULL, C, D, HE);
    linear(k, x, p[5], NULL, n, WIDTH, HE);
    linear(v, x, p[6], NULL, n, WIDTH, HE);
    memset(weights, 0, n * sizeof *weights);
    memset(o, 0, sizeof o);
    for (size_t r = 0; r < C; r++)
        for (size_t head = 0; head < HEADS; head++) {
            for (size_t i = 0; i < n; i++) {
                a[i] = 0;
                for (size_t j = head * E; j < (head + 1) * E; j++)
                    a[i] += q[r * HE + j] * k[i * HE + j] / (sqrt(E) * TAU);
            }
            softmax(a, n, 1);
            for (size_t i = 0; i < n; i++) {
                weights[i] += a[i] / (C * HEADS);
                for (size_t j = head * E; j < (head + 1) * E; j++)
                    o[r * HE + j] += a[i] * v[i * HE + j];
            }
        }
    linear(u, o, p[7], p[8], C, HE, D);
    for (size_t i = 0; i < C * D; i++)
        R[i] += u[i];
    norm(z, R, p[9], p[10], C, D);
    linear(t, z, p[11], p[12], C, D, 8 * D);
    for (size_t r = 0; r < C; r++)
        for (size_t i = 0; i < 4 * D; i++)
            t[r * 4 * D + i] = t[r * 8 * D + i] * selu(t[r * 8 * D + 4 * D + i]);
    linear(u, t, p[13], p[14], C, 4 * D, D);
    for (size_t i = 0; i < C * D; i++)
        R[i] += u[i];
    for (size_t i = 0; i < 15; i++)
        mmli_free(p[i]);
    free(x);
    free(k);
    free(v);
    free(a);
}

/* Re of the unitary 2-D transform of L0 */
static void start(double *R, const mml_model *model)
{
    double *L = parameter(model, "latent");

    for (size_t k = 0; k < C; k++)
        for (size_t l = 0; l < D; l++) {
            R[k * D + l] = 0;
            for (size_t r = 0; r < C; r++)
                for (size_t j = 0; j < D; j++)
                    R[k * D + l] += L[r * D + j] / sqrt(C * D) *
                                    cos(2 * acos(-1) * ((double)(k * r) / C + (double)(l * j) / D));
        }
    mmli_free(L);
}

void slide_check_steps(const shown *g, const mml_model *model, const float *x)
{
    size_t at = 0, first = 0;

    for (size_t b = 0; b < N; first += slide_tokens[b], b++) {
        double *h = malloc((slide_tokens[b] + 1) * WIDTH * sizeof *h), *w = malloc((slide_tokens[b] + 1) * sizeof *w), R[C * D];
        float *want = malloc((slide_tokens[b] + 1) * sizeof *want);

        for (size_t i = 0; i < slide_tokens[b] * WIDTH; i++)
            h[i] = (double)x[first * WIDTH + i];
        start(R, model);
        for (size_t s = 0; s < STEPS && slide_tokens[b] > 0; s++, at++) {
            ck_assert_uint_lt(at, g->n);
            ck_assert_uint_eq(g->list[at].sample, b);
            ck_assert_uint_eq(g->list[at].step, s);
            ck_assert_uint_eq(g->list[at].n, slide_tokens[b]);
            ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS);
            step(R, w, model, s, h, slide_tokens[b]);
            for (size_t i = 0; i < slide_tokens[b]; i++)
                want[i] = (float)w[i];
            mmlt_assert_close(g->weights[at], want, slide_tokens[b], tol);
        }
        free(h);
        free(w);
        free(want);
    }
    ck_assert_uint_eq(at, g->n);
}

void slide_check_pooling(const shown *g, const mml_model *model, const float *x)
{
    enum { HALF = HIDDEN / 2 };
    static const char *const keys[] = {"encoder.fc.weight", "encoder.fc.bias", "encoder.gate.weight", "encoder.gate.bias",
                                       "encoder.score.weight", "encoder.score.bias"};
    double *p[6];
    size_t at = 0, first = 0;

    for (size_t i = 0; i < 6; i++)
        p[i] = parameter(model, keys[i]);
    for (size_t b = 0; b < N; first += slide_tokens[b], b++) {
        const size_t n = slide_tokens[b];
        double *s = malloc((n + 1) * sizeof *s);
        float *want = malloc((n + 1) * sizeof *want);

        if (n == 0) {
            free(s);
            free(want);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            double in[WIDTH], h[HIDDEN], t[2 * HALF], z[HALF];

            for (size_t j = 0; j < WIDTH; j++)
                in[j] = (double)x[(first + i) * WIDTH + j];
            linear(h, in, p[0], p[1], 1, WIDTH, HIDDEN);
            for (size_t j = 0; j < HIDDEN; j++)
                h[j] = fmax(h[j], 0);
            linear(t, h, p[2], p[3], 1, HIDDEN, 2 * HALF);
            for (size_t j = 0; j < HALF; j++)
                z[j] = tanh(t[j]) / (1 + exp(-t[HALF + j]));
            linear(s + i, z, p[4], p[5], 1, HALF, 1);
        }
        softmax(s, n, 1);
        for (size_t i = 0; i < n; i++)
            want[i] = (float)s[i];
        ck_assert_uint_eq(g->list[at].step, MML_STEP_POOLING);
        ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS);
        ck_assert_uint_eq(g->list[at].n, n);
        mmlt_assert_close(g->weights[at++], want, n, tol);
        for (size_t k = 0; k < STEPS; k++, at++) { /* steps read the one pooled token */
            ck_assert_uint_eq(g->list[at].step, k);
            ck_assert_int_eq((int)g->list[at].tokens, MML_TOKENS_POOLED);
            ck_assert_uint_eq(g->list[at].n, 1);
            ck_assert_ptr_null(g->positions[at]);
        }
        free(s);
        free(want);
    }
    ck_assert_uint_eq(at, g->n);
    for (size_t i = 0; i < 6; i++)
        mmli_free(p[i]);
}
