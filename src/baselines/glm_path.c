/* glm_path.c - many penalties for one table, in as few numbers as its rank.
 *
 * Where the slope by W is 0, W = -X^T s / (penalty sum w) with the slopes s of the losses by the scores: W is a mix of the rows of
 * X. So for p > n the table is replaced by L (n, rank), K = X X^T = L L^T, which has the same products of rows: the scores,
 * the losses and |W|^2 are the same functions of the coefficients of L, and W follows from the slopes at the minimum. Duplicated
 * and constant columns need no care: they are only in K.
 *
 * L-BFGS begins from the second derivatives at the last minimum - of a multinomial loss without what couples its scores - and learns
 * the rest, and what changes, in some twenty steps, where it would else need hundreds. They cost as much as m / 4 steps. */
#include <math.h>
#include <string.h>

#include "baselines/glm_inside.h"
#include "util/alloc.h"
#include "util/error.h"

/* Below it, what is left of the slopes (1e-9) would be seen in W. */
#define LEAST_PENALTY 1e-6
enum {
    MOST_ROUNDS = 50,     /* of new second derivatives */
    MOST_MEASURED = 1500, /* more columns than that: L-BFGS alone */
};

struct mmli_glm_path {
    const mmli_glm *whole;
    mmli_glm small;       /* the table that is fitted: L, or the whole one */
    mmli_glm_loss loss;   /* of it */
    double *half;         /* L; NULL: p <= n */
    double *beta, *slope; /* (k, small.p + 1): the last minimum, and room for slopes */
    size_t m;             /* columns of L, and (but for Cox) a 1 */
    double *second;       /* (m, m): second derivatives by a row of W */
    double *root;         /* (m, m): their triangle; NULL: too many to measure */
    double *curvature, *columns, *row, *square; /* (n), (m, n), (m), (m, m): room for it */
};

static mml_status halve(mmli_glm_path *path)
{
    const mmli_glm *g = path->whole;
    mml_status st = MML_OK;
    double *k = NULL, *left = NULL;

    MML_TRY(mmli_calloc(&k, g->n * g->n, sizeof *k));
    MML_TRY(mmli_calloc(&left, g->n, sizeof *left));
    MML_TRY(mmli_calloc(&path->half, g->n * g->n, sizeof *path->half));
    MML_TRY(mmli_glm_gram(k, g->x, g->n, g->p, g));
    mmli_glm_half(path->half, &path->small.p, left, k, g->n);
    path->small.x = path->half;
out:
    mmli_free(k);
    mmli_free(left);
    return st;
}

static mml_status measurable(mmli_glm_path *path)
{
    const size_t m = path->m, n = path->whole->n;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&path->curvature, n, sizeof *path->curvature));
    MML_TRY(mmli_calloc(&path->columns, m * n, sizeof *path->columns));
    MML_TRY(mmli_calloc(&path->row, m, sizeof *path->row));
    MML_TRY(mmli_calloc(&path->square, m * m, sizeof *path->square));
    MML_TRY(mmli_calloc(&path->second, m * m, sizeof *path->second));
    MML_TRY(mmli_calloc(&path->root, m * m, sizeof *path->root));
out:
    return st;
}

mml_status mmli_glm_path_open(mmli_glm_path **out, const mmli_glm *g)
{
    mml_status st = MML_OK;
    mmli_glm_path *path = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&path, 1, sizeof *path));
    path->whole = g;
    path->small = *g;
    if (g->p > g->n)
        MML_TRY(halve(path));
    MML_TRY(mmli_glm_loss_open(&path->loss, &path->small));
    path->m = g->kind == MMLI_GLM_COX ? path->small.p : path->small.p + 1;
    if (path->m <= MOST_MEASURED)
        MML_TRY(measurable(path));
    MML_TRY(mmli_calloc(&path->beta, path->loss.size, sizeof *path->beta));
    MML_TRY(mmli_calloc(&path->slope, path->loss.size, sizeof *path->slope));
    *out = path;
    path = NULL;
out:
    mmli_glm_path_close(path);
    return st;
}

/* second += sign sum over the columns, of which n are filled: (m, n) */
static mml_status add_squares(mmli_glm_path *path, size_t n, double sign)
{
    const size_t m = path->m;
    mml_status st = MML_OK;

    MML_TRY(mmli_glm_gram(path->square, path->columns, m, n, path->whole));
    for (size_t i = 0; i < m * m; i++)
        path->second[i] += sign * path->square[i];
out:
    return st;
}

/* Of Cox's loss: what couples the samples of a risk set is the square of their mean row, less for each event. Latest first the sum
 * of rows grows as the sum of weights does. */
static mml_status couple(mmli_glm_path *path)
{
    const mmli_glm *g = &path->small;
    const mmli_glm_loss *l = &path->loss;
    size_t sets = 0;

    memset(path->row, 0, path->m * sizeof *path->row);
    for (size_t from = 0, to; from < g->n; from = to) {
        const double set = l->sums[from];
        double events = 0;

        for (to = from; to < g->n && g->y[l->order[to]] == g->y[l->order[from]]; to++) {
            const size_t i = l->order[to];

            events += g->w[i] * g->event[i];
            for (size_t j = 0; j < path->m; j++)
                path->row[j] += l->share[i] * g->x[i * g->p + j];
        }
        if (!(events > 0))
            continue;
        for (size_t j = 0; j < path->m; j++)
            path->columns[j * g->n + sets] = sqrt(events / l->weight) / set * path->row[j];
        sets++;
    }
    for (size_t j = 0; j < path->m; j++)
        memmove(path->columns + j * sets, path->columns + j * g->n, sets * sizeof *path->columns);
    return add_squares(path, sets, -1);
}

/* Second derivatives at path->beta, sum_i c_i x_i x_i^T and the penalty, where x is a row and (but for Cox) a 1 behind it; *found =
 * false if float64 cannot tell them from singular ones. */
static mml_status measure(bool *found, mmli_glm_path *path, double penalty)
{
    const mmli_glm *g = &path->small;
    const size_t m = path->m;
    mml_status st = MML_OK;

    mmli_glm_objective(&path->loss, path->slope, path->beta, penalty);
    mmli_glm_curvature(path->curvature, &path->loss);
    for (size_t i = 0; i < g->n; i++) {
        const double root = sqrt(fmax(0, path->curvature[i]));

        for (size_t j = 0; j < m; j++)
            path->columns[j * g->n + i] = root * (j < g->p ? g->x[i * g->p + j] : 1);
    }
    memset(path->second, 0, m * m * sizeof *path->second);
    MML_TRY(add_squares(path, g->n, 1));
    if (g->kind == MMLI_GLM_COX)
        MML_TRY(couple(path));
    for (size_t i = 0; i < g->p; i++)
        path->second[i * m + i] += penalty;
    *found = mmli_glm_cholesky(path->root, path->second, m);
out:
    return st;
}

/* W from the slopes of the losses at the minimum; the intercepts are the same. */
static void widen(double *beta, const mmli_glm_path *path, double penalty)
{
    const mmli_glm *g = path->whole;
    const size_t p = g->p, small = path->small.p;

    memset(beta, 0, g->k * (p + 1) * sizeof *beta);
    for (size_t i = 0; i < g->n; i++)
        for (size_t r = 0; r < g->k; r++) {
            const double a = -path->loss.slope[i * g->k + r] / (penalty * path->loss.weight), *x = g->x + i * p;

            for (size_t j = 0; j < p; j++)
                beta[r * (p + 1) + j] += a * x[j];
        }
    for (size_t r = 0; r < g->k; r++)
        beta[r * (p + 1) + p] = path->beta[r * (small + 1) + small];
}

mml_status mmli_glm_path_fit(double *beta, mmli_glm_path *path, double penalty)
{
    const mmli_glm *g = path->whole;
    mml_status st = MML_OK;
    const mmli_glm_metric metric = {path->root, path->m};
    bool found = false, left = true;

    if (path->half && penalty < LEAST_PENALTY) {
        memset(beta, 0, g->k * (g->p + 1) * sizeof *beta);
        MML_TRY(mmli_glm_fit(beta, g, penalty));
        goto out;
    }
    for (size_t round = 0; left && round < MOST_ROUNDS; round++) {
        if (path->root)
            MML_TRY(measure(&found, path, penalty));
        MML_TRY(mmli_glm_minimise(path->beta, &left, &path->loss, penalty, found ? &metric : NULL));
        left = left && found;
    }
    if (path->half) {
        mmli_glm_objective(&path->loss, path->slope, path->beta, penalty); /* the last trial was perhaps elsewhere */
        widen(beta, path, penalty);
    } else {
        memcpy(beta, path->beta, path->loss.size * sizeof *beta);
    }
out:
    return st;
}

void mmli_glm_path_close(mmli_glm_path *path)
{
    if (!path)
        return;
    mmli_glm_loss_close(&path->loss);
    mmli_free(path->half);
    mmli_free(path->beta);
    mmli_free(path->slope);
    mmli_free(path->row);
    mmli_free(path->square);
    mmli_free(path->second);
    mmli_free(path->curvature);
    mmli_free(path->columns);
    mmli_free(path->root);
    mmli_free(path);
}
