/* regression.c - R^2 and root mean squared error. */
#include <math.h>

#include "metrics/check.h"
#include "metrics/core.h"
#include "util/error.h"

bool mmli_r2(double *out, const double *truth, const double *predicted, size_t n, const uint32_t *weight)
{
    double mean = 0.0, residual = 0.0, total = 0.0;
    uint64_t all = 0;
    size_t one = n; /* a sample that counts */
    bool constant = true;

    for (size_t i = 0; i < n; i++) {
        const uint64_t w = mmli_weight(weight, i);

        if (w == 0)
            continue;
        if (one == n)
            one = i;
        constant = constant && truth[i] == truth[one];
        mean += (double)w * truth[i];
        all += w;
    }
    /* Compared, not total == 0: the mean of equal numbers need not be that number to the last bit. */
    if (constant)
        return false;
    mean /= (double)all;
    for (size_t i = 0; i < n; i++) {
        const double w = (double)mmli_weight(weight, i), e = truth[i] - predicted[i], d = truth[i] - mean;

        residual += w * e * e;
        total += w * d * d;
    }
    if (!(total > 0.0) || !isfinite(residual / total))
        return false; /* differences so small, or numbers so large, that squares leave float64 */
    *out = 1.0 - residual / total;
    return true;
}

bool mmli_rmse(double *out, const double *truth, const double *predicted, size_t n, const uint32_t *weight)
{
    double sum = 0.0;
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        const double e = truth[i] - predicted[i];

        sum += (double)mmli_weight(weight, i) * e * e;
        all += mmli_weight(weight, i);
    }
    if (all == 0 || !isfinite(sum))
        return false;
    *out = sqrt(sum / (double)all);
    return true;
}

static mml_status check(const char *metric, const void *out, const double *truth, const double *predicted, size_t n)
{
    mml_status st;

    if ((st = MMLI_CHECK_ARRAYS(metric, n, out, truth, predicted)) == MML_OK &&
        (st = mmli_check_truth(metric, truth, n)) == MML_OK)
        st = mmli_check_finite(metric, "predicted", predicted, n);
    return st;
}

mml_status mml_metric_r2(double *r2, const double *truth, const double *predicted, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(check("R^2", r2, truth, predicted, n));
    MML_CHECK(mmli_r2(r2, truth, predicted, n, NULL), MML_E_DATA,
              "R^2: all %zu targets are equal (%g) or out of float64's range, there is no variance to explain", n,
              truth[0]);
out:
    return st;
}

mml_status mml_metric_rmse(double *rmse, const double *truth, const double *predicted, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(check("RMSE", rmse, truth, predicted, n));
    MML_CHECK(mmli_rmse(rmse, truth, predicted, n, NULL), MML_E_DATA,
              "RMSE: the errors are so large that their squares leave float64's range");
out:
    return st;
}
