/* bins.c - discrete survival bins, step by step as doc/formats.md 2.6. */
#include <math.h>

#include "metrics/check.h"
#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

static const double margin = 1e-6; /* how far the outer edges lie outside all times */

/* Type 7 quantile k/n of m sorted numbers. */
static double quantile(const double *sorted, size_t m, size_t k, size_t n)
{
    const double h = (double)(m - 1) * (double)k / (double)n;
    const size_t i = (size_t)h;
    const size_t j = i + 1 < m ? i + 1 : m - 1;

    return sorted[i] + (h - (double)i) * (sorted[j] - sorted[i]);
}

mml_status mml_metric_survival_edges(double *edges, size_t bins, const double *time, const uint8_t *event, size_t n)
{
    mml_status st = MML_OK;
    double *u = NULL, least, greatest; /* u: times of the events */
    size_t m = 0;

    MML_TRY(MMLI_CHECK_ARRAYS("survival bins", n, edges, time, event));
    MML_CHECK(bins >= 1 && bins <= INT32_MAX, MML_E_ARG, "survival bins: their number must be at least 1, not %zu",
              bins);
    MML_TRY(mmli_check_survival("survival bins", time, event, n));
    MML_TRY(mmli_calloc(&u, n, sizeof *u));
    least = greatest = time[0];
    for (size_t i = 0; i < n; i++) {
        if (event[i])
            u[m++] = time[i];
        least = fmin(least, time[i]);
        greatest = fmax(greatest, time[i]);
    }
    MML_CHECK(m >= 2, MML_E_DATA,
              "survival bins: %zu of %zu samples have an event, at least 2 are needed; is the column perhaps "
              "`censorship` where `event` was said, or the other way round?", m, n);
    mmli_sort_doubles(u, m);
    for (size_t k = 0; k < bins; k++) {
        const double low = quantile(u, m, k, bins), high = quantile(u, m, k + 1, bins);

        MML_CHECK(low != high, MML_E_DATA,
                  "survival bins: edges %zu and %zu are both %g: too many of the %zu event times are equal for %zu "
                  "bins; ask for fewer bins", k, k + 1, low, m, bins);
    }
    for (size_t k = 0; k <= bins; k++)
        edges[k] = quantile(u, m, k, bins);
    edges[0] = least - margin;
    edges[bins] = greatest + margin;
out:
    mmli_free(u);
    return st;
}

mml_status mml_metric_survival_labels(int32_t *bin, const double *edges, size_t bins, const double *time, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(MMLI_CHECK_ARRAYS("survival bins", n, bin, edges, time));
    MML_CHECK(bins >= 1 && bins <= INT32_MAX, MML_E_ARG, "survival bins: their number must be at least 1, not %zu",
              bins);
    for (size_t k = 0; k <= bins; k++)
        MML_CHECK(isfinite(edges[k]) && (k == 0 || edges[k - 1] < edges[k]), MML_E_ARG,
                  "survival bins: edge %zu is %g, expected finite edges in ascending order", k, edges[k]);
    MML_TRY(mmli_check_survival("survival bins", time, NULL, n));
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j + 1 < bins && edges[j + 1] <= time[i])
            j++;
        bin[i] = (int32_t)j;
    }
out:
    return st;
}
