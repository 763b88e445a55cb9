/* normal.c - the inverse of the normal distribution, and d'. */
#include <inttypes.h>
#include <math.h>

#include "mmlego/metrics.h"
#include "util/error.h"

/* z <= 0 with Phi(z) = p for 0 < p <= 1/2.
 *
 * Start: Abramowitz and Stegun 26.2.23 (off by at most 4.5e-4). Then Newton on log Phi(z) = log p, whose
 * slope phi / Phi stays of the order of z where p itself underflows; the error squares in each step. */
static double lower_tail(double p)
{
    const double sqrt_half = 0.70710678118654752440, sqrt_half_pi = 1.25331413731550025121;
    const double t = sqrt(-2.0 * log(p));
    double z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;

    if (p == 0.5)
        return 0.0;
    for (int step = 0; step < 4; step++) {
        const double tail = erfc(-z * sqrt_half); /* 2 Phi(z) */

        /* Phi / phi = sqrt(pi / 2) erfc(-z / sqrt 2) exp(z^2 / 2): both factors are finite down to p = 1e-300 */
        z -= log(0.5 * tail / p) * sqrt_half_pi * tail * exp(0.5 * z * z);
    }
    return z;
}

mml_status mml_metric_probit(double *z, double p)
{
    if (z == NULL)
        return mmli_fail(MML_E_ARG, "probit: there is nowhere to put the result");
    if (!(p > 0.0 && p < 1.0))
        return mmli_fail(MML_E_ARG, "probit: %g is not between 0 and 1", p);
    *z = p <= 0.5 ? lower_tail(p < 1e-300 ? 1e-300 : p) : -lower_tail(1.0 - p);
    return MML_OK;
}

mml_status mml_metric_dprime(double *dprime, double auc, uint64_t pairs)
{
    const double sqrt_two = 1.41421356237309504880;
    mml_status st = MML_OK;
    double edge, z;

    MML_CHECK(dprime != NULL, MML_E_ARG, "d': there is nowhere to put the result");
    MML_CHECK(auc >= 0.0 && auc <= 1.0, MML_E_ARG, "d': an AUC is from 0 to 1, not %g", auc);
    MML_CHECK(pairs >= 1, MML_E_ARG, "d': an AUC is over at least one pair");
    edge = fmax(0.5 / (double)pairs, 1e-15); /* 1 - edge must not round to 1 */
    /* fmin last: with a single pair both ends are 1/2 */
    MML_TRY(mml_metric_probit(&z, fmin(fmax(auc, edge), fmax(1.0 - edge, 0.5))));
    *dprime = sqrt_two * z;
out:
    return st;
}
