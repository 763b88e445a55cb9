/* glm.c - the minimum of a penalised linear model by L-BFGS (Nocedal and Wright, Numerical Optimization, 7.4). */
#include "baselines/glm.h"

#include <math.h>
#include <string.h>

#include "baselines/glm_inside.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MEMORY = 12, MOST_STEPS = 3000, MOST_HALVINGS = 60, METRIC_STEPS = 60 };
#define TOLERANCE 1e-9 /* largest slope, times 1 + largest coefficient */

typedef struct solver {
    mmli_glm_loss *loss;
    const mmli_glm_metric *metric; /* NULL: none */
    double penalty;
    size_t size; /* k (p + 1) */
    double *s, *y, *rho, *alpha; /* the last steps: (MEMORY, size), (MEMORY) */
} solver;

static double *at(double *list, const solver *s, size_t step)
{
    return list + step % MEMORY * s->size;
}

/* direction = -H d from the last steps; H before them is the metric's inverse, or a multiple of 1 */
static void direct(double *direction, solver *s, const double *d, size_t step)
{
    const size_t first = step > MEMORY ? step - MEMORY : 0;

    for (size_t i = 0; i < s->size; i++)
        direction[i] = -d[i];
    for (size_t i = step; i-- > first;) {
        const double a = s->alpha[i % MEMORY] = s->rho[i % MEMORY] * mmli_glm_dot(at(s->s, s, i), direction, s->size);

        for (size_t j = 0; j < s->size; j++)
            direction[j] -= a * at(s->y, s, i)[j];
    }
    if (s->metric) {
        for (size_t r = 0; r < s->loss->g->k; r++)
            mmli_glm_cholesky_solve(direction + r * (s->loss->g->p + 1), s->metric->r, s->metric->m);
    } else if (step > 0) {
        const double *y = at(s->y, s, step - 1), scale = 1 / (s->rho[(step - 1) % MEMORY] * mmli_glm_dot(y, y, s->size));

        for (size_t j = 0; j < s->size; j++)
            direction[j] *= scale;
    }
    for (size_t i = first; i < step; i++) {
        const double b = s->rho[i % MEMORY] * mmli_glm_dot(at(s->y, s, i), direction, s->size);

        for (size_t j = 0; j < s->size; j++)
            direction[j] += (s->alpha[i % MEMORY] - b) * at(s->s, s, i)[j];
    }
}

static double largest(const double *x, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

/* Remembers the last step, unless it says nothing of the curvature. */
static size_t remember(solver *s, size_t step, const double *beta, const double *before, const double *d, const double *d_before)
{
    double *ds = at(s->s, s, step), *dy = at(s->y, s, step), curvature;

    for (size_t j = 0; j < s->size; j++) {
        ds[j] = beta[j] - before[j];
        dy[j] = d[j] - d_before[j];
    }
    curvature = mmli_glm_dot(ds, dy, s->size);
    if (!(curvature > 1e-300))
        return step;
    s->rho[step % MEMORY] = 1 / curvature;
    return step + 1;
}

/* Armijo's condition. Near the minimum rounding hides it: there by the slopes along the step, at its begin and its end (Hager and
 * Zhang, SIAM J. Optim. 16, 2005). */
static bool is_lower(double to, double from, double t, double slope, double slope_to)
{
    return to <= from + 1e-4 * t * slope || (to <= from + 1e-12 * (1 + fabs(from)) && slope_to <= -(1 - 2e-4) * slope);
}

/* room: (4, size). At most `most` steps, *left = true if more would be needed. Each lowers the objective enough: it is convex, so
 * halving finds such a step. */
static mml_status minimise(double *beta, bool *left, solver *s, size_t most, double *room)
{
    double *d = room, *trial = d + s->size, *d_trial = trial + s->size, *direction = d_trial + s->size;
    double f = mmli_glm_objective(s->loss, d, beta, s->penalty);
    mml_status st = MML_OK;
    size_t step = 0;

    *left = false;
    for (size_t i = 0; largest(d, s->size) > TOLERANCE * (1 + largest(beta, s->size)); i++) {
        double t = 1, slope, f_trial = f;
        size_t halvings = 0;

        *left = i == most;
        if (*left)
            break;
        MML_CHECK(!mmli_glm_is_stopped(s->loss->g), MML_E_STOPPED, "stopped");
        direct(direction, s, d, step);
        slope = mmli_glm_dot(direction, d, s->size);
        if (step == 0 && !s->metric)
            t = 1 / (1 + sqrt(mmli_glm_dot(d, d, s->size)));
        for (; halvings < MOST_HALVINGS; halvings++, t /= 2) {
            for (size_t j = 0; j < s->size; j++)
                trial[j] = beta[j] + t * direction[j];
            f_trial = mmli_glm_objective(s->loss, d_trial, trial, s->penalty);
            if (is_lower(f_trial, f, t, slope, mmli_glm_dot(direction, d_trial, s->size)))
                break;
        }
        if (halvings == MOST_HALVINGS)
            break; /* nothing is left that float64 can tell apart */
        step = remember(s, step, trial, beta, d_trial, d);
        memcpy(beta, trial, s->size * sizeof *beta);
        memcpy(d, d_trial, s->size * sizeof *d);
        f = f_trial;
    }
out:
    return st;
}

mml_status mmli_glm_minimise(double *beta, bool *left, mmli_glm_loss *l, double penalty, const mmli_glm_metric *metric)
{
    solver s = {.loss = l, .metric = metric, .penalty = penalty, .size = l->size};
    mml_status st = MML_OK;
    double *room = NULL;

    MML_TRY(mmli_calloc(&s.s, MEMORY * s.size, sizeof *s.s));
    MML_TRY(mmli_calloc(&s.y, MEMORY * s.size, sizeof *s.y));
    MML_TRY(mmli_calloc(&s.rho, MEMORY, sizeof *s.rho));
    MML_TRY(mmli_calloc(&s.alpha, MEMORY, sizeof *s.alpha));
    MML_TRY(mmli_calloc(&room, 4 * s.size, sizeof *room));
    MML_TRY(minimise(beta, left, &s, metric ? METRIC_STEPS : MOST_STEPS, room));
    for (size_t i = 0; i < s.size; i++)
        MML_CHECK(isfinite(beta[i]), MML_E_NOT_FINITE, "the penalised regression has diverged: give a larger penalty (%g now)",
                  penalty);
out:
    mmli_free(s.s);
    mmli_free(s.y);
    mmli_free(s.rho);
    mmli_free(s.alpha);
    mmli_free(room);
    return st;
}

mml_status mmli_glm_fit(double *beta, const mmli_glm *g, double penalty)
{
    mmli_glm_loss loss;
    mml_status st = MML_OK;
    bool left;

    MML_TRY(mmli_glm_loss_open(&loss, g));
    MML_TRY(mmli_glm_minimise(beta, &left, &loss, penalty, NULL));
out:
    mmli_glm_loss_close(&loss);
    return st;
}
