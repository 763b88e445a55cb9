/* glm_dense.c - dense products and triangles in float64, for what is done once a fit: plain loops that the compiler makes vectors of,
 * every sum in one fixed order. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "baselines/glm_inside.h"
#include "util/alloc.h"
#include "util/error.h"

/* In four parts, which the processor can add at once; always the same order. */
double mmli_glm_dot(const double *a, const double *b, size_t n)
{
    double sum[4] = {0, 0, 0, 0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

enum { TILE = 8 };

/* s, t (TILE): products of the rows a and b (p) with TILE rows, which lie in panel (p, TILE) */
static void tile(double *restrict s, double *restrict t, const double *a, const double *b, const double *restrict panel, size_t p)
{
    double u[TILE] = {0}, v[TILE] = {0};

    for (size_t j = 0; j < p; j++, panel += TILE)
        for (size_t c = 0; c < TILE; c++) {
            u[c] += a[j] * panel[c];
            v[c] += b[j] * panel[c];
        }
    memcpy(s, u, sizeof u);
    memcpy(t, v, sizeof v);
}

mml_status mmli_glm_gram(double *k, const double *x, size_t n, size_t p, const mmli_glm *g)
{
    double *panel = NULL, s[TILE], t[TILE];
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&panel, p * TILE, sizeof *panel));
    for (size_t from = 0; from < n; from += TILE) {
        const size_t rows = n - from < TILE ? n - from : TILE;

        MML_CHECK(!g || !mmli_glm_is_stopped(g), MML_E_STOPPED, "stopped");
        for (size_t c = 0; c < rows; c++)
            for (size_t j = 0; j < p; j++)
                panel[j * TILE + c] = x[(from + c) * p + j];
        for (size_t i = from; i < n; i += 2) {
            const size_t next = i + 1 < n ? i + 1 : i;

            tile(s, t, x + i * p, x + next * p, panel, p);
            for (size_t c = 0; c < rows; c++) {
                k[i * n + from + c] = k[(from + c) * n + i] = s[c];
                k[next * n + from + c] = k[(from + c) * n + next] = t[c];
            }
        }
    }
out:
    mmli_free(panel);
    return st;
}

bool mmli_glm_cholesky(double *r, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            const double left = a[i * n + j] - mmli_glm_dot(r + i * n, r + j * n, j);

            if (i == j && !(left > 0))
                return false;
            r[i * n + j] = i == j ? sqrt(left) : left / r[j * n + j];
        }
    return true;
}

void mmli_glm_cholesky_solve(double *x, const double *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - mmli_glm_dot(r + i * n, x, i)) / r[i * n + i];
    for (size_t i = n; i-- > 0;) {
        x[i] /= r[i * n + i];
        for (size_t j = 0; j < i; j++)
            x[j] -= x[i] * r[i * n + j];
    }
}

/* Cholesky's columns with the largest rest on the diagonal next, until nothing but rounding is left (n eps of the largest, as in
 * Higham, Accuracy and Stability of Numerical Algorithms, 10.3). left (n): the rest of the diagonal. */
void mmli_glm_half(double *l, size_t *rank, double *left, const double *k, size_t n)
{
    double largest = 0;
    size_t r = 0;

    for (size_t i = 0; i < n; i++) {
        left[i] = k[i * n + i];
        largest = fmax(largest, left[i]);
    }
    memset(l, 0, n * n * sizeof *l);
    for (; r < n; r++) {
        size_t pivot = 0;
        double root;

        for (size_t i = 1; i < n; i++)
            if (left[i] > left[pivot])
                pivot = i;
        if (!(left[pivot] > (double)n * DBL_EPSILON * largest))
            break;
        root = sqrt(left[pivot]);
        for (size_t i = 0; i < n; i++) {
            if (left[i] < 0) /* has been a pivot */
                continue;
            l[i * n + r] = (k[i * n + pivot] - mmli_glm_dot(l + i * n, l + pivot * n, r)) / root;
            left[i] = fmax(0, left[i] - l[i * n + r] * l[i * n + r]);
        }
        l[pivot * n + r] = root;
        left[pivot] = -1;
    }
    for (size_t i = 1; i < n; i++)
        memmove(l + i * r, l + i * n, r * sizeof *l);
    *rank = r;
}
