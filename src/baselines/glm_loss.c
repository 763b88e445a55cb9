/* glm_loss.c - losses of linear models, with their slopes. */
#include <math.h>
#include <string.h>

#include "baselines/glm_inside.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

/* ---- losses: from z the loss, and its slopes by z ---------------------------------------------------------------- */

static double logistic(mmli_glm_loss *l)
{
    const mmli_glm *g = l->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double sign = g->label[i] ? 1 : -1, m = sign * l->z[i], e = exp(-fabs(m));

        loss += g->w[i] * (log1p(e) + (m < 0 ? -m : 0));
        l->slope[i] = -sign * g->w[i] * (m < 0 ? 1 / (1 + e) : e / (1 + e));
    }
    return loss;
}

static double multinomial(mmli_glm_loss *l)
{
    const mmli_glm *g = l->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double *z = l->z + i * g->k;
        double most = z[0], sum = 0;

        for (size_t r = 1; r < g->k; r++)
            most = fmax(most, z[r]);
        for (size_t r = 0; r < g->k; r++)
            sum += exp(z[r] - most);
        loss += g->w[i] * (log(sum) + most - z[g->label[i]]);
        for (size_t r = 0; r < g->k; r++)
            l->slope[i * g->k + r] = g->w[i] * (exp(z[r] - most) / sum - ((size_t)g->label[i] == r));
    }
    return loss;
}

static double ridge(mmli_glm_loss *l)
{
    const mmli_glm *g = l->g;
    double loss = 0;

    for (size_t i = 0; i < g->n; i++) {
        const double d = l->z[i] - g->y[i];

        loss += g->w[i] * d * d / 2;
        l->slope[i] = g->w[i] * d;
    }
    return loss;
}

/* The end of the run of equal times that begins at `from`. */
static size_t tie_end(const mmli_glm_loss *l, size_t from)
{
    size_t to = from + 1;

    while (to < l->g->n && l->g->y[l->order[to]] == l->g->y[l->order[from]])
        to++;
    return to;
}

/* Risk sets grow from the latest time to the earliest; each event then takes its share back from all in its set. */
static double cox(mmli_glm_loss *l)
{
    const mmli_glm *g = l->g;
    double most = -HUGE_VAL, risk = 0, loss = 0, taken = 0;

    for (size_t i = 0; i < g->n; i++)
        most = fmax(most, l->z[i]);
    for (size_t from = 0, to; from < g->n; from = to) {
        to = tie_end(l, from);
        for (size_t j = from; j < to; j++) {
            const size_t i = l->order[j];

            l->share[i] = g->w[i] * exp(l->z[i] - most);
            risk += l->share[i];
        }
        for (size_t j = from; j < to; j++) {
            const size_t i = l->order[j];

            l->sums[j] = risk;
            loss -= g->w[i] * g->event[i] * (l->z[i] - most - log(risk));
        }
    }
    for (size_t to = g->n, from; to > 0; to = from) {
        from = to - 1;
        while (from > 0 && g->y[l->order[from - 1]] == g->y[l->order[to - 1]])
            from--;
        for (size_t j = from; j < to; j++)
            taken += g->w[l->order[j]] * g->event[l->order[j]] / l->sums[j];
        for (size_t j = from; j < to; j++) {
            const size_t i = l->order[j];

            l->slope[i] = l->share[i] * taken - g->w[i] * g->event[i];
        }
    }
    return loss;
}

double mmli_glm_objective(mmli_glm_loss *l, double *d, const double *beta, double penalty)
{
    const mmli_glm *g = l->g;
    const size_t p = g->p, k = g->k;
    double loss, square = 0;

    for (size_t i = 0; i < g->n; i++)
        for (size_t r = 0; r < k; r++)
            l->z[i * k + r] = mmli_glm_dot(beta + r * (p + 1), g->x + i * p, p) + beta[r * (p + 1) + p];
    loss = g->kind == MMLI_GLM_LOGISTIC      ? logistic(l)
           : g->kind == MMLI_GLM_MULTINOMIAL ? multinomial(l)
           : g->kind == MMLI_GLM_COX         ? cox(l)
                                             : ridge(l);
    memset(d, 0, l->size * sizeof *d);
    for (size_t i = 0; i < g->n; i++)
        for (size_t r = 0; r < k; r++) {
            const double a = l->slope[i * k + r] / l->weight, *x = g->x + i * p;
            double *to = d + r * (p + 1);

            for (size_t j = 0; j < p; j++)
                to[j] += a * x[j];
            to[p] += a;
        }
    for (size_t r = 0; r < k; r++) {
        const double *W = beta + r * (p + 1);
        double *to = d + r * (p + 1);

        square += mmli_glm_dot(W, W, p);
        for (size_t j = 0; j < p; j++)
            to[j] += penalty * W[j];
        if (g->kind == MMLI_GLM_COX)
            to[p] = 0;
    }
    return loss / l->weight + penalty / 2 * square;
}

/* Logistic: q (1 - q), where the slope is q, or q - 1, times the weight; of a multinomial loss the mean over the scores. Of Cox's loss
 * what its risk sets take from a sample: all but what couples it with the others. */
void mmli_glm_curvature(double *c, const mmli_glm_loss *l)
{
    const mmli_glm *g = l->g;

    for (size_t i = 0; i < g->n; i++) {
        c[i] = 0;
        for (size_t r = 0; r < g->k; r++) {
            const double q = fabs(l->slope[i * g->k + r]) / g->w[i];

            c[i] += g->kind == MMLI_GLM_RIDGE ? g->w[i]
                    : g->kind == MMLI_GLM_COX ? l->slope[i] + g->w[i] * g->event[i]
                                              : g->w[i] * q * (1 - q) / (double)g->k;
        }
        c[i] /= l->weight;
    }
}

bool mmli_glm_is_stopped(const mmli_glm *g)
{
    return g->stop && g->stop(g->stop_user);
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

mml_status mmli_glm_loss_open(mmli_glm_loss *l, const mmli_glm *g)
{
    mml_status st = MML_OK;

    *l = (mmli_glm_loss){.g = g, .size = g->k * (g->p + 1)};
    MML_TRY(mmli_calloc(&l->z, g->n * g->k, sizeof *l->z));
    MML_TRY(mmli_calloc(&l->slope, g->n * g->k, sizeof *l->slope));
    MML_TRY(mmli_calloc(&l->sums, g->n, sizeof *l->sums));
    MML_TRY(mmli_calloc(&l->share, g->n, sizeof *l->share));
    MML_TRY(mmli_calloc(&l->order, g->n, sizeof *l->order));
    for (size_t i = 0; i < g->n; i++)
        l->weight += g->kind == MMLI_GLM_COX ? g->w[i] * g->event[i] : g->w[i];
    MML_CHECK(l->weight > 0, MML_E_DATA, g->kind == MMLI_GLM_COX ? "no event to fit a Cox model to" : "no sample to fit a model to");
    if (g->kind == MMLI_GLM_COX)
        MML_TRY(latest_first(l->order, g));
out:
    return st;
}

void mmli_glm_loss_close(mmli_glm_loss *l)
{
    mmli_free(l->z);
    mmli_free(l->slope);
    mmli_free(l->sums);
    mmli_free(l->share);
    mmli_free(l->order);
}
