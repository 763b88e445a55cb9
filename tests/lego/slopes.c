/* slopes.c - see slopes.h. */
#include "tests/lego/slopes.h"

#include <math.h>
#include <stdlib.h>

#include "util/rng.h"

#define ERROR 1e-3
#define NOISE 2e-5
enum { DIRECTIONS = 3, STEPS = 5 };
static const double widest = 0x1p-5;

double slope_norm(const float *x, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += (double)x[i] * (double)x[i];
    return sqrt(s);
}

/* Measured minus predicted slope over the step h; both for the places really reached in float32. */
static double gap(const slope_place *p, const double *u, double h)
{
    float *plus = calloc(p->n, sizeof *plus), *minus = calloc(p->n, sizeof *minus);
    double predicted = 0, f;

    for (size_t i = 0; i < p->n; i++) {
        plus[i] = (float)((double)p->x[i] + h * u[i]);
        minus[i] = (float)((double)p->x[i] - h * u[i]);
        predicted += (double)p->g[i] * ((double)plus[i] - (double)minus[i]);
    }
    p->put(p->user, plus);
    f = p->objective(p->user);
    p->put(p->user, minus);
    f -= p->objective(p->user);
    p->put(p->user, p->x);
    free(plus);
    free(minus);
    return (f - predicted) / (2 * h);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of all h; of the first ones when one of them is near enough. */
static double nearest_gap(const slope_place *p, const double *u, double allowed)
{
    double before = gap(p, u, widest), least = HUGE_VAL;

    for (int i = 1; i < STEPS && least > allowed; i++) {
        const double now = gap(p, u, ldexp(widest, -i));
        least = fmin(least, fabs(4 * now - before) / 3);
        before = now;
    }
    return least;
}

/* When most directions are near enough, so is the median: then the largest of theirs, and the others are not tried. */
static double median_gap(const slope_place *p, double size, uint64_t key, double allowed)
{
    double gaps[DIRECTIONS], near = 0, *u = calloc(p->n, sizeof *u);
    size_t n_near = 0;

    for (size_t k = 0; k < DIRECTIONS && n_near <= DIRECTIONS / 2; k++) {
        double len = 0;

        for (size_t i = 0; i < p->n; i++) {
            u[i] = (double)mmli_rng_normal(key + k, i) / sqrt((double)p->n);
            u[i] += size > 0 ? (double)p->g[i] / size : 0;
            len += u[i] * u[i];
        }
        for (size_t i = 0; i < p->n; i++)
            u[i] /= sqrt(len);
        gaps[k] = nearest_gap(p, u, allowed);
        if (gaps[k] <= allowed) {
            near = fmax(near, gaps[k]);
            n_near++;
        }
    }
    free(u);
    if (n_near > DIRECTIONS / 2)
        return near;
    qsort(gaps, DIRECTIONS, sizeof *gaps, ascending);
    return gaps[DIRECTIONS / 2];
}

double slope_gap(const slope_place *p, const char *name, double whole)
{
    const double size = slope_norm(p->g, p->n), allowed = ERROR * size + NOISE * whole;

    if (size == 0) {
        double *u = calloc(p->n, sizeof *u), off;
        for (size_t i = 0; i < p->n; i++)
            u[i] = (i % 3 ? 1 : -1) / sqrt((double)p->n);
        off = fabs(gap(p, u, 1));
        free(u);
        return off / (NOISE * whole);
    }
    return median_gap(p, size, mmli_rng_key(1, name, 0), allowed) / allowed;
}
