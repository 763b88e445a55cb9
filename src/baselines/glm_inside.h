/* glm_inside.h - what the files of the linear models share: the objective, and dense float64 products on plain arrays. */
#ifndef MMLI_BASELINES_GLM_INSIDE_H
#define MMLI_BASELINES_GLM_INSIDE_H

#include <stdbool.h>

#include "baselines/glm.h"

/* ---- glm_loss.c ------------------------------------------------------------------------------------------------------- */

typedef struct mmli_glm_loss {
    const mmli_glm *g;
    double weight;     /* what the sum of losses is divided by */
    size_t size;       /* k (p + 1) */
    double *z, *slope; /* (n, k): scores, and slopes of the sum of losses by them, of the last objective */
    size_t *order;     /* Cox: samples by time, latest first */
    double *sums;      /* Cox: the sum of the shares of their risk set */
    double *share;     /* Cox: w exp z, times a constant */
} mmli_glm_loss;

mml_status mmli_glm_loss_open(mmli_glm_loss *l, const mmli_glm *g);
void mmli_glm_loss_close(mmli_glm_loss *l);
/* The objective at beta, and its slopes d (size). */
double mmli_glm_objective(mmli_glm_loss *l, double *d, const double *beta, double penalty);
/* c (n): second derivative of the loss by the scores of each sample, at the scores of the last objective. */
void mmli_glm_curvature(double *c, const mmli_glm_loss *l);
/* Has the caller asked for the end? */
bool mmli_glm_is_stopped(const mmli_glm *g);

/* ---- glm.c ------------------------------------------------------------------------------------------------------------ */

/* A guess of the second derivatives for the minimiser: one (m, m) matrix for each row of W, as R R^T. */
typedef struct mmli_glm_metric {
    const double *r; /* (m, m), lower triangle */
    size_t m;        /* p + 1, or p without intercept (Cox) */
} mmli_glm_metric;

/* mmli_glm_fit on an open loss. A metric (may be NULL) is good for some steps only: *left = true when they were not enough. */
mml_status mmli_glm_minimise(double *beta, bool *left, mmli_glm_loss *l, double penalty, const mmli_glm_metric *metric);

/* ---- glm_dense.c ------------------------------------------------------------------------------------------------------ */

double mmli_glm_dot(const double *a, const double *b, size_t n);
/* k (n, n) = x x^T of x (n, p). MML_E_STOPPED when g (NULL: nobody) says so. */
mml_status mmli_glm_gram(double *k, const double *x, size_t n, size_t p, const mmli_glm *g);
/* Lower triangle r (n, n) with r r^T = a, which only needs its lower triangle; false if a is not positive definite. */
bool mmli_glm_cholesky(double *r, const double *a, size_t n);
/* x = (r r^T)^-1 x */
void mmli_glm_cholesky_solve(double *x, const double *r, size_t n);
/* l (n, *rank), rows close together: l l^T = k but for what is rounding. k is read only. */
void mmli_glm_half(double *l, size_t *rank, double *left, const double *k, size_t n);

#endif
