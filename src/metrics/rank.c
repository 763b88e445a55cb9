/* rank.c - metrics of a ranking: AUC, average precision, macro one-against-rest AUC.
 *
 * Pairs are counted in whole numbers (a tie is 1, a win 2): the AUC is rounded once, at the division, and
 * does not depend on the order of the samples.
 */
#include <inttypes.h>

#include "metrics/check.h"
#include "metrics/core.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

mml_status mmli_rank(size_t *order, const double *score, size_t n, size_t column, size_t stride)
{
    double *key = NULL;
    mml_status st;

    if (stride == 1)
        return mmli_argsort(order, score, n);
    if ((st = mmli_calloc(&key, n, sizeof *key)) != MML_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        key[i] = score[i * stride + column];
    st = mmli_argsort(order, key, n);
    mmli_free(key);
    return st;
}

bool mmli_auc(double *auc, const size_t *order, const int32_t *label, int32_t positive, const double *score,
              size_t column, size_t stride, size_t n, const uint32_t *weight)
{
    uint64_t twice = 0, below = 0, positives = 0; /* below: negatives of lower score */

    for (size_t i = 0; i < n;) {
        const double s = score[order[i] * stride + column];
        uint64_t p = 0, q = 0;

        for (; i < n && score[order[i] * stride + column] == s; i++)
            *(label[order[i]] == positive ? &p : &q) += mmli_weight(weight, order[i]);
        twice += p * (2 * below + q);
        below += q;
        positives += p;
    }
    if (positives == 0 || below == 0)
        return false;
    *auc = (double)twice / (2.0 * (double)positives * (double)below);
    return true;
}

bool mmli_average_precision(double *ap, const size_t *order, const int32_t *label, const double *score, size_t n,
                            const uint32_t *weight)
{
    uint64_t hits = 0, taken = 0;
    double sum = 0.0; /* of (positives gained) * precision */

    for (size_t i = n; i > 0;) {
        const double s = score[order[i - 1]];
        uint64_t p = 0, q = 0;

        for (; i > 0 && score[order[i - 1]] == s; i--)
            *(label[order[i - 1]] == 1 ? &p : &q) += mmli_weight(weight, order[i - 1]);
        hits += p;
        taken += p + q;
        if (p > 0)
            sum += (double)p * ((double)hits / (double)taken);
    }
    if (hits == 0)
        return false;
    *ap = sum / (double)hits;
    return true;
}

bool mmli_macro_auc(double *auc, size_t *used, const size_t *order, const int32_t *label, const double *score,
                    size_t n, size_t k, const uint32_t *weight)
{
    double sum = 0.0, one;

    *used = 0;
    for (size_t c = 0; c < k; c++) {
        if (!mmli_auc(&one, order + c * n, label, (int32_t)c, score, c, k, n, weight))
            continue;
        sum += one;
        (*used)++;
    }
    if (*used < 2)
        return false;
    *auc = sum / (double)*used;
    return true;
}

static mml_status check(const char *metric, const void *out, const int32_t *label, const double *score, size_t n)
{
    mml_status st;

    if ((st = MMLI_CHECK_ARRAYS(metric, n, out, label, score)) == MML_OK &&
        (st = mmli_check_labels(metric, "label", label, n, 2)) == MML_OK)
        st = mmli_check_finite(metric, "score", score, n);
    return st;
}

mml_status mml_metric_auc(double *auc, const int32_t *label, const double *score, size_t n)
{
    mml_status st = MML_OK;
    size_t *order = NULL;

    MML_TRY(check("AUC", auc, label, score, n));
    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_rank(order, score, n, 0, 1));
    MML_CHECK(mmli_auc(auc, order, label, 1, score, 0, 1, n, NULL), MML_E_DATA,
              "AUC: needs samples of both classes, all %zu labels are %" PRId32, n, label[0]);
out:
    mmli_free(order);
    return st;
}

mml_status mml_metric_average_precision(double *ap, const int32_t *label, const double *score, size_t n)
{
    mml_status st = MML_OK;
    size_t *order = NULL;

    MML_TRY(check("average precision", ap, label, score, n));
    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_rank(order, score, n, 0, 1));
    MML_CHECK(mmli_average_precision(ap, order, label, score, n, NULL), MML_E_DATA,
              "average precision: needs samples of class 1, all %zu labels are 0", n);
out:
    mmli_free(order);
    return st;
}

mml_status mml_metric_macro_auc(double *auc, size_t *used, const int32_t *label, const double *probability, size_t n,
                                size_t k)
{
    mml_status st = MML_OK;
    size_t *order = NULL, numbers, averaged;

    MML_TRY(MMLI_CHECK_ARRAYS("macro AUC", n, auc, label, probability));
    MML_TRY(mmli_check_labels("macro AUC", "label", label, n, k));
    MML_CHECK(mmli_mul_size(&numbers, n, k), MML_E_NOMEM, "macro AUC: %zu samples x %zu classes are too many", n, k);
    MML_TRY(mmli_check_finite("macro AUC", "probability", probability, numbers));
    MML_TRY(mmli_calloc(&order, numbers, sizeof *order));
    for (size_t c = 0; c < k; c++)
        MML_TRY(mmli_rank(order + c * n, probability, n, c, k));
    MML_CHECK(mmli_macro_auc(auc, &averaged, order, label, probability, n, k, NULL), MML_E_DATA,
              "macro AUC: needs samples of at least two classes, all %zu labels are %" PRId32, n, label[0]);
    if (used != NULL)
        *used = averaged;
out:
    mmli_free(order);
    return st;
}
