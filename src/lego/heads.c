/* heads.c - weighted means of parameter vectors on the sphere (method.md 3), in float64. */
#include "lego/heads.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static double norm_of(const float *v, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += (double)v[i] * v[i];
    return sqrt(s);
}

/* Angle between unit vectors: accurate near 0 and pi, where acos is not. */
static double angle(const double *a, const double *b, size_t n)
{
    double minus = 0, plus = 0;

    for (size_t i = 0; i < n; i++) {
        minus += (a[i] - b[i]) * (a[i] - b[i]);
        plus += (a[i] + b[i]) * (a[i] + b[i]);
    }
    return 2 * atan2(sqrt(minus), sqrt(plus));
}

static void linear_mean(float *out, const float *const *v, const double *w, size_t m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double s = 0;
        for (size_t j = 0; j < m; j++)
            s += w[j] > 0 ? w[j] * v[j][i] : 0;
        out[i] = (float)s;
    }
}

/* Closed form for two vectors; u1, u2 their directions. */
static void slerp_two(float *out, const float *v1, const float *v2, const double *u1, const double *u2, double mu, size_t n)
{
    const double theta = angle(u1, u2, n), s = sin(theta);
    const bool linear = s < 1e-6;
    const double a = linear ? 1 - mu : sin((1 - mu) * theta) / s, b = linear ? mu : sin(mu * theta) / s;

    for (size_t i = 0; i < n; i++)
        out[i] = (float)(a * v1[i] + b * v2[i]);
}

/* One step of the Frechet mean: mu := exp_mu(sum w log_mu(u)). Gives the length of the step. */
static double frechet_step(double *mu, const double *u, const double *w, size_t m, size_t n, double *tangent)
{
    double len;

    memset(tangent, 0, n * sizeof *tangent);
    for (size_t j = 0; j < m; j++) {
        const double theta = angle(mu, u + j * n, n);
        const double c = cos(theta), f = theta < 1e-12 ? 1 : theta / sin(theta);
        if (!(w[j] > 0) || !isfinite(f))
            continue; /* an antipode has no logarithm: it pulls in no direction */
        for (size_t i = 0; i < n; i++)
            tangent[i] += w[j] * f * (u[j * n + i] - c * mu[i]);
    }
    len = sqrt(dot(tangent, tangent, n));
    if (len > 0) {
        double r = 0;
        for (size_t i = 0; i < n; i++)
            mu[i] = cos(len) * mu[i] + sin(len) * tangent[i] / len;
        r = sqrt(dot(mu, mu, n));
        for (size_t i = 0; i < n; i++)
            mu[i] /= r;
    }
    return len;
}

/* Directions u (m, n) and scratch (2 n); out = Frechet mean of directions times the weighted mean of norms. */
static void frechet_mean(float *out, const double *u, const double *norms, const double *w, size_t m, size_t n,
                         double *scratch)
{
    double *mu = scratch, *tangent = scratch + n, len, radius = 0;

    memset(mu, 0, n * sizeof *mu);
    for (size_t j = 0; j < m; j++) {
        radius += w[j] > 0 ? w[j] * norms[j] : 0;
        for (size_t i = 0; i < n; i++)
            mu[i] += w[j] > 0 ? w[j] * u[j * n + i] : 0;
    }
    len = sqrt(dot(mu, mu, n));
    if (len > 1e-12) { /* else the directions cancel: there is no mean direction, and 0 is the honest one */
        for (size_t i = 0; i < n; i++)
            mu[i] /= len;
        for (int it = 0; it < 100; it++)
            if (frechet_step(mu, u, w, m, n, tangent) < 1e-12)
                break;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(radius * mu[i]);
}

/* true when every vector that counts is the same to the bit; *first is one of them */
static bool all_equal(size_t *first, const float *const *v, const double *w, size_t m, size_t n)
{
    *first = m;
    for (size_t j = 0; j < m; j++) {
        if (!(w[j] > 0))
            continue;
        if (*first == m)
            *first = j;
        else if (memcmp(v[j], v[*first], n * sizeof(float)) != 0)
            return false;
    }
    return true;
}

mml_status mmli_vector_mean(float *out, const float *const *v, const double *w, size_t m, size_t n, mml_head_method method)
{
    mml_status st = MML_OK;
    double *weight = NULL, *u = NULL, *norms, *scratch, total = 0;
    size_t first, count = 0, pair[2] = {0, 0};
    bool zero = false;

    for (size_t j = 0; j < m; j++)
        total += w[j] > 0 ? w[j] : 0;
    MML_CHECK(total > 0 && isfinite(total), MML_E_ARG, "weights of a merge must be positive for some block, and finite");
    if (all_equal(&first, v, w, m, n)) {
        memmove(out, v[first], n * sizeof *out);
        goto out;
    }
    MML_TRY(mmli_calloc(&weight, 2 * m, sizeof *weight));
    norms = weight + m;
    MML_CHECK(n < SIZE_MAX / (m + 2) / sizeof *u, MML_E_NOMEM, "heads of %zu values are too large", n);
    MML_TRY(mmli_calloc(&u, (m + 2) * n, sizeof *u));
    scratch = u + m * n;
    for (size_t j = 0; j < m; j++) {
        weight[j] = w[j] > 0 ? w[j] / total : 0;
        norms[j] = norm_of(v[j], n);
        if (!(weight[j] > 0))
            continue;
        zero = zero || norms[j] == 0;
        if (count < 2)
            pair[count] = j;
        count++;
        for (size_t i = 0; i < n; i++)
            u[j * n + i] = norms[j] > 0 ? v[j][i] / norms[j] : 0;
    }
    if (method == MML_HEAD_LINEAR || zero)
        linear_mean(out, v, weight, m, n);
    else if (count == 2)
        slerp_two(out, v[pair[0]], v[pair[1]], u + pair[0] * n, u + pair[1] * n, weight[pair[1]], n);
    else
        frechet_mean(out, u, norms, weight, m, n, scratch);
out:
    mmli_free(weight);
    mmli_free(u);
    return st;
}
