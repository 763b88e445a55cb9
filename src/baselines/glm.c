/* glm.c - losses and slopes of linear models, and their minimum by L-BFGS (Nocedal and Wright, Numerical Optimization, 7.4). */
#include "baselines/glm.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

enum { MEMORY = 12, MOST_STEPS = 3000, MOST_HALVINGS = 60 };
#define TOLERANCE 1e-9 /* largest slope, times 1 + largest coefficient */

typedef struct solver {
    const mmli_glm *g;
    double penalty, weight; /* sum of weights */
    size_t size;            /* k (p + 1) */
    double *z, *slope;      /* (n, k): scores, and slopes of the loss by them */
    size_t *order;          /* Cox: samples by time, latest first */
    double *sums;           /* and the sum of their risk set, up to each */
    double *s, *y, *rho, *alpha; /* the last steps: (MEMORY, size), (MEMORY) */
} solver;

/* In four parts, which the processor can add at once; always the same order. */
static double dot(const double *a, const double *b, size_t n)
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

/* ---- losses: from z the loss, and its slopes by z ---------------------------------------------------------------- */

static double logistic(solver *s)
{
    const mmli_glm *g = s->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double sign = g->label[i] ? 1 : -1, m = sign * s->z[i], e = exp(-fabs(m));

        loss += g->w[i] * (log1p(e) + (m < 0 ? -m : 0));
        s->slope[i] = -sign * g->w[i] * (m < 0 ? 1 / (1 + e) : e / (1 + e));
    }
    return loss;
}

static double multinomial(solver *s)
{
    const mmli_glm *g = s->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double *z = s->z + i * g->k;
        double most = z[0], sum = 0;

        for (size_t r = 1; r < g->k; r++)
            most = fmax(most, z[r]);
        for (size_t r = 0; r < g->k; r++)
            sum += exp(z[r] - most);
        loss += g->w[i] * (log(sum) + most - z[g->label[i]]);
        for (size_t r = 0; r < g->k; r++)
            s->slope[i * g->k + r] = g->w[i] * (exp(z[r] - most) / sum - ((size_t)g->label[i] == r));
    }
    return loss;
}

static double ridge(solver *s)
{
    const mmli_glm *g = s->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double d = s->z[i] - g->y[i];

        loss += g->w[i] * d * d / 2;
        s->slope[i] = g->w[i] * d;
    }
    return loss;
}

/* The end of the run of equal times that begins at `from`. */
static size_t tie_end(const solver *s, size_t from)
{
    size_t to = from + 1;

    while (to < s->g->n && s->g->y[s->order[to]] == s->g->y[s->order[from]])
        to++;
    return to;
}

/* Risk sets grow from the latest time to the earliest; each event then takes its share back from all in its set. */
static double cox(solver *s)
{
    const mmli_glm *g = s->g;
    double most = -HUGE_VAL, risk = 0, loss = 0, taken = 0;

    for (size_t i = 0; i < g->n; i++)
        most = fmax(most, s->z[i]);
    for (size_t from = 0, to; from < g->n; from = to) {
        to = tie_end(s, from);
        for (size_t j = from; j < to; j++)
            risk += g->w[s->order[j]] * exp(s->z[s->order[j]] - most);
        for (size_t j = from; j < to; j++) {
            const size_t i = s->order[j];

            s->sums[j] = risk;
            loss -= g->w[i] * g->event[i] * (s->z[i] - most - log(risk));
        }
    }
    for (size_t to = g->n, from; to > 0; to = from) {
        from = to - 1;
        while (from > 0 && g->y[s->order[from - 1]] == g->y[s->order[to - 1]])
            from--;
        for (size_t j = from; j < to; j++)
            taken += g->w[s->order[j]] * g->event[s->order[j]] / s->sums[j];
        for (size_t j = from; j < to; j++) {
            const size_t i = s->order[j];

            s->slope[i] = g->w[i] * exp(s->z[i] - most) * taken - g->w[i] * g->event[i];
        }
    }
    return loss;
}

/* The objective, and its slopes d (size). */
static double objective(solver *s, double *d, const double *beta)
{
    const mmli_glm *g = s->g;
    const size_t p = g->p, k = g->k;
    double loss, square = 0;

    for (size_t i = 0; i < g->n; i++)
        for (size_t r = 0; r < k; r++)
            s->z[i * k + r] = dot(beta + r * (p + 1), g->x + i * p, p) + beta[r * (p + 1) + p];
    loss = g->kind == MMLI_GLM_LOGISTIC      ? logistic(s)
           : g->kind == MMLI_GLM_MULTINOMIAL ? multinomial(s)
           : g->kind == MMLI_GLM_COX         ? cox(s)
                                             : ridge(s);
    memset(d, 0, s->size * sizeof *d);
    for (size_t i = 0; i < g->n; i++)
        for (size_t r = 0; r < k; r++) {
            const double a = s->slope[i * k + r] / s->weight, *x = g->x + i * p;
            double *to = d + r * (p + 1);

            for (size_t j = 0; j < p; j++)
                to[j] += a * x[j];
            to[p] += a;
        }
    for (size_t r = 0; r < k; r++) {
        const double *W = beta + r * (p + 1);
        double *to = d + r * (p + 1);

        square += dot(W, W, p);
        for (size_t j = 0; j < p; j++)
            to[j] += s->penalty * W[j];
        if (g->kind == MMLI_GLM_COX)
            to[p] = 0;
    }
    return loss / s->weight + s->penalty / 2 * square;
}

/* ---- L-BFGS ----------------------------------------------------------------------------------------------------------- */

static double *at(double *list, const solver *s, size_t step)
{
    return list + step % MEMORY * s->size;
}

/* direction = -H d from the last steps */
static void direct(double *direction, solver *s, const double *d, size_t step)
{
    const size_t first = step > MEMORY ? step - MEMORY : 0;

    for (size_t i = 0; i < s->size; i++)
        direction[i] = -d[i];
    for (size_t i = step; i-- > first;) {
        const double a = s->alpha[i % MEMORY] = s->rho[i % MEMORY] * dot(at(s->s, s, i), direction, s->size);

        for (size_t j = 0; j < s->size; j++)
            direction[j] -= a * at(s->y, s, i)[j];
    }
    if (step > 0) {
        const double *y = at(s->y, s, step - 1), scale = 1 / (s->rho[(step - 1) % MEMORY] * dot(y, y, s->size));

        for (size_t j = 0; j < s->size; j++)
            direction[j] *= scale;
    }
    for (size_t i = first; i < step; i++) {
        const double b = s->rho[i % MEMORY] * dot(at(s->y, s, i), direction, s->size);

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
    curvature = dot(ds, dy, s->size);
    if (!(curvature > 1e-300))
        return step;
    s->rho[step % MEMORY] = 1 / curvature;
    return step + 1;
}

/* room: (4, size). Steps that lower the objective enough (Armijo); it is convex, so halving finds one. */
static void minimise(double *beta, solver *s, double *room)
{
    double *d = room, *trial = d + s->size, *d_trial = trial + s->size, *direction = d_trial + s->size;
    double f = objective(s, d, beta);
    size_t step = 0;

    for (size_t i = 0; i < MOST_STEPS && largest(d, s->size) > TOLERANCE * (1 + largest(beta, s->size)); i++) {
        double t = 1, slope, f_trial = f;
        size_t halvings = 0;

        direct(direction, s, d, step);
        slope = dot(direction, d, s->size);
        if (step == 0)
            t = 1 / (1 + sqrt(dot(d, d, s->size)));
        for (; halvings < MOST_HALVINGS; halvings++, t /= 2) {
            for (size_t j = 0; j < s->size; j++)
                trial[j] = beta[j] + t * direction[j];
            f_trial = objective(s, d_trial, trial);
            if (f_trial <= f + 1e-4 * t * slope)
                break;
        }
        if (halvings == MOST_HALVINGS)
            break; /* nothing is left that float64 can tell apart */
        step = remember(s, step, trial, beta, d_trial, d);
        memcpy(beta, trial, s->size * sizeof *beta);
        memcpy(d, d_trial, s->size * sizeof *d);
        f = f_trial;
    }
}

static mml_status latest_first(size_t *order, const mmli_glm *g)
{
    mml_status st = MML_OK;
    double *key = NULL;

    MML_TRY(mmli_calloc(&key, g->n, sizeof *key));
    for (size_t i = 0; i < g->n; i++)
        key[i] = -g->y[i];
    MML_TRY(mmli_argsort(order, key, g->n));
out:
    mmli_free(key);
    return st;
}

mml_status mmli_glm_fit(double *beta, const mmli_glm *g, double penalty)
{
    solver s = {.g = g, .penalty = penalty, .size = g->k * (g->p + 1)};
    mml_status st = MML_OK;
    double *room = NULL;

    MML_TRY(mmli_calloc(&s.z, g->n * g->k, sizeof *s.z));
    MML_TRY(mmli_calloc(&s.slope, g->n * g->k, sizeof *s.slope));
    MML_TRY(mmli_calloc(&s.s, MEMORY * s.size, sizeof *s.s));
    MML_TRY(mmli_calloc(&s.y, MEMORY * s.size, sizeof *s.y));
    MML_TRY(mmli_calloc(&s.rho, MEMORY, sizeof *s.rho));
    MML_TRY(mmli_calloc(&s.alpha, MEMORY, sizeof *s.alpha));
    MML_TRY(mmli_calloc(&s.sums, g->n, sizeof *s.sums));
    MML_TRY(mmli_calloc(&room, 4 * s.size, sizeof *room));
    MML_TRY(mmli_calloc(&s.order, g->n, sizeof *s.order));
    for (size_t i = 0; i < g->n; i++)
        s.weight += g->kind == MMLI_GLM_COX ? g->w[i] * g->event[i] : g->w[i];
    MML_CHECK(s.weight > 0, MML_E_DATA, g->kind == MMLI_GLM_COX ? "no event to fit a Cox model to" : "no sample to fit a model to");
    if (g->kind == MMLI_GLM_COX)
        MML_TRY(latest_first(s.order, g));
    minimise(beta, &s, room);
    for (size_t i = 0; i < s.size; i++)
        MML_CHECK(isfinite(beta[i]), MML_E_NOT_FINITE, "the penalised regression has diverged: give a larger penalty (%g now)",
                  penalty);
out:
    mmli_free(s.z);
    mmli_free(s.slope);
    mmli_free(s.s);
    mmli_free(s.y);
    mmli_free(s.rho);
    mmli_free(s.alpha);
    mmli_free(s.order);
    mmli_free(s.sums);
    mmli_free(room);
    return st;
}
