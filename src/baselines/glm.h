/* glm.h - penalised linear models in float64 on plain arrays: logistic, multinomial, Cox and ridge regression.
 *
 *     minimise  sum_i w_i l_i / sum_i w_i  +  penalty / 2 |W|^2         (the intercepts are not penalised)
 *
 * kind          rows k   l_i
 * logistic      1        log(1 + exp(-+z)), z = W x + b the log-odds of class 1
 * multinomial   classes  -log softmax(z)[class]
 * Cox           1        -event_i (z_i - log sum over t_j >= t_i of w_j exp z_j)   Breslow's ties; divided by the sum of
 *                        w_i event_i instead, and b = 0
 * ridge         1        (y - z)^2 / 2
 *
 * The minimum is unique for penalty > 0 and is found by L-BFGS to a slope of 1e-9, which are coefficients to 1e-9 / penalty: same
 * input, same bits. */
#ifndef MMLI_BASELINES_GLM_H
#define MMLI_BASELINES_GLM_H

#include <stddef.h>
#include <stdint.h>

#include "mmlego/base.h"

typedef enum mmli_glm_kind { MMLI_GLM_LOGISTIC = 0, MMLI_GLM_MULTINOMIAL, MMLI_GLM_COX, MMLI_GLM_RIDGE } mmli_glm_kind;

typedef struct mmli_glm {
    mmli_glm_kind kind;
    size_t n, p, k;       /* samples, features, rows of W */
    const double *x;      /* (n, p) */
    const int32_t *label; /* (n) logistic: 0, 1; multinomial: class */
    const double *y;      /* (n) ridge: target; Cox: time */
    const double *event;  /* (n) Cox: 1 = event */
    const double *w;      /* (n) > 0 */
    int (*stop)(void *user); /* asked once a step; not 0 ends with MML_E_STOPPED; or NULL */
    void *stop_user;
} mmli_glm;

/* beta (k, p + 1): W and b of each row; a start on entry, the minimum on return. */
mml_status mmli_glm_fit(double *beta, const mmli_glm *g, double penalty);

/* The minima for many penalties, each from the last: for p > n in n numbers a row of W in place of p (glm_path.c). The same as
 * mmli_glm_fit finds, within what both leave. */
typedef struct mmli_glm_path mmli_glm_path;

/* g is borrowed until the path is closed. */
mml_status mmli_glm_path_open(mmli_glm_path **out, const mmli_glm *g);
/* beta (k, p + 1): the minimum; nothing on entry. */
mml_status mmli_glm_path_fit(double *beta, mmli_glm_path *path, double penalty);
void mmli_glm_path_close(mmli_glm_path *path);

#endif
