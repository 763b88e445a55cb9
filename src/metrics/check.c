/* check.c - one wording for every kind of unusable input. */
#include "metrics/check.h"

#include <inttypes.h>
#include <math.h>

#include "util/error.h"

mml_status mmli_check_arrays(const char *metric, size_t n, size_t n_pointers, const void *const *pointers)
{
    if (n == 0)
        return mmli_fail(MML_E_DATA, "%s: there are no samples to compute it from", metric);
    if (n > INT32_MAX)
        return mmli_fail(MML_E_ARG, "%s: %zu samples are more than the %" PRId32 " that can be counted", metric, n,
                         INT32_MAX);
    for (size_t i = 0; i < n_pointers; i++)
        if (pointers[i] == NULL)
            return mmli_fail(MML_E_ARG, "%s: an array that it needs is NULL (number %zu of %zu)", metric, i + 1,
                             n_pointers);
    return MML_OK;
}

mml_status mmli_check_labels(const char *metric, const char *what, const int32_t *label, size_t n, size_t k)
{
    if (k < 2 || k > INT32_MAX)
        return mmli_fail(MML_E_ARG, "%s: needs at least 2 classes, not %zu", metric, k);
    for (size_t i = 0; i < n; i++)
        if (label[i] < 0 || (size_t)label[i] >= k)
            return mmli_fail(MML_E_DATA, "%s: %s[%zu] is %" PRId32 ", expected a class from 0 to %zu", metric, what, i,
                             label[i], k - 1);
    return MML_OK;
}

mml_status mmli_check_finite(const char *metric, const char *what, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return mmli_fail(MML_E_NOT_FINITE, "%s: %s[%zu] is %s; a prediction must be a number", metric, what, i,
                             isnan(x[i]) ? "NaN" : "infinite");
    return MML_OK;
}

mml_status mmli_check_probability(const char *metric, const double *p, size_t n)
{
    mml_status st = mmli_check_finite(metric, "probability", p, n);

    for (size_t i = 0; st == MML_OK && i < n; i++)
        if (p[i] < 0.0 || p[i] > 1.0)
            st = mmli_fail(MML_E_DATA, "%s: probability[%zu] is %g, outside 0 to 1; give probabilities, not logits",
                           metric, i, p[i]);
    return st;
}

mml_status mmli_check_survival(const char *metric, const double *time, const uint8_t *event, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(time[i]) || time[i] < 0.0)
            return mmli_fail(MML_E_DATA, "%s: time[%zu] is %g, expected a finite time that is not negative", metric, i,
                             time[i]);
        if (event != NULL && event[i] > 1)
            return mmli_fail(MML_E_DATA, "%s: event[%zu] is %u, expected 1 (event) or 0 (censored)", metric, i,
                             (unsigned)event[i]);
    }
    return MML_OK;
}

mml_status mmli_check_truth(const char *metric, const double *truth, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(truth[i]))
            return mmli_fail(MML_E_DATA, "%s: truth[%zu] is %s; leave samples without a target out", metric, i,
                             isnan(truth[i]) ? "NaN" : "infinite");
    return MML_OK;
}
