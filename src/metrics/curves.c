/* curves.c - ROC curve, reliability diagram, and what their pictures need. */
#include <math.h>

#include "metrics/check.h"
#include "metrics/core.h"
#include "metrics/curves.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

static mml_status check_labels(const char *metric, const int32_t *label, size_t n)
{
    size_t positives = 0;
    const mml_status st = mmli_check_labels(metric, "label", label, n, 2);

    if (st != MML_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        positives += (size_t)label[i];
    if (positives == 0 || positives == n)
        return mmli_fail(MML_E_DATA, "%s: all %zu labels are %d: both classes must occur", metric, n, positives == 0 ? 0 : 1);
    return MML_OK;
}

mml_status mml_metric_roc(size_t *m, double *fpr, double *tpr, const int32_t *label, const double *score, size_t n)
{
    size_t *order = NULL, count = 0, hit[2] = {0, 0}, all[2] = {0, 0};
    mml_status st = MML_OK;

    MML_TRY(MMLI_CHECK_ARRAYS("roc", n, m, fpr, tpr, label, score));
    MML_TRY(check_labels("roc", label, n));
    MML_TRY(mmli_check_finite("roc", "score", score, n));
    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_argsort(order, score, n));
    for (size_t i = 0; i < n; i++)
        all[label[i]]++;
    fpr[count] = tpr[count] = 0.0;
    count++;
    for (size_t i = n; i > 0;) {
        const double s = score[order[i - 1]];

        for (; i > 0 && score[order[i - 1]] == s; i--)
            hit[label[order[i - 1]]]++;
        fpr[count] = (double)hit[0] / (double)all[0];
        tpr[count++] = (double)hit[1] / (double)all[1];
    }
    *m = count;
out:
    mmli_free(order);
    return st;
}

double mmli_roc_height(const double *fpr, const double *tpr, size_t m, double at)
{
    size_t low = 0, high = m - 1; /* the last point with fpr <= at lies in low .. high */

    while (low < high) {
        const size_t middle = low + (high - low + 1) / 2;

        if (fpr[middle] <= at)
            low = middle;
        else
            high = middle - 1;
    }
    if (low + 1 == m || fpr[low] == at)
        return tpr[low];
    return tpr[low] + (at - fpr[low]) / (fpr[low + 1] - fpr[low]) * (tpr[low + 1] - tpr[low]);
}

mml_status mml_metric_reliability(size_t *m, double *predicted, double *observed, size_t *count, const int32_t *label,
                                  const double *probability, size_t n, size_t bins)
{
    size_t *order = NULL, b = 0;
    mml_status st = MML_OK;

    MML_TRY(MMLI_CHECK_ARRAYS("reliability", n, m, predicted, observed, count, label, probability));
    MML_CHECK(bins >= 1, MML_E_ARG, "reliability: 0 bins");
    MML_TRY(mmli_check_labels("reliability", "label", label, n, 2));
    MML_TRY(mmli_check_probability("reliability", probability, n));
    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_argsort(order, probability, n));
    for (size_t i = 0; i < n; b++) {
        /* What is left in equal parts; then those equal to the last of the part. */
        const size_t begin = i, left = bins > b ? bins - b : 1, end = i + (n - i + left - 1) / left;
        double p = 0.0, y = 0.0;

        for (; i < n && (i < end || probability[order[i]] == probability[order[i - 1]]); i++) {
            p += probability[order[i]];
            y += (double)label[order[i]];
        }
        count[b] = i - begin;
        predicted[b] = p / (double)count[b];
        observed[b] = y / (double)count[b];
    }
    *m = b;
out:
    mmli_free(order);
    return st;
}

mml_status mmli_rank_share(double *rank, const double *x, size_t n)
{
    size_t *order = NULL;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_argsort(order, x, n));
    for (size_t i = 0; i < n;) {
        const size_t begin = i;

        while (i < n && x[order[i]] == x[order[begin]])
            i++;
        for (size_t k = begin; k < i; k++)
            rank[order[k]] = ((double)begin + (double)(i - begin) / 2.0) / (double)n;
    }
out:
    mmli_free(order);
    return st;
}

size_t mmli_mean_sd(double *mean, double *sd, const double *x, size_t n)
{
    size_t count = 0;
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) {
            sum += x[i];
            count++;
        }
    *mean = count > 0 ? sum / (double)count : (double)NAN;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            squares += (x[i] - *mean) * (x[i] - *mean);
    *sd = count > 1 ? sqrt(squares / (double)(count - 1)) : count == 1 ? 0.0 : (double)NAN;
    return count;
}
