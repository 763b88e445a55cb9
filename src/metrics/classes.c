/* classes.c - metrics of probabilities and of predicted classes. */
#include <math.h>
#include <string.h>

#include "metrics/check.h"
#include "metrics/core.h"
#include "util/alloc.h"
#include "util/error.h"

/* A single "impossible" that happens would make the log loss infinite. Predictions are float32, in which
 * 1 - 1e-7 and 1 are neighbours: what is nearer to 1 than that cannot be told from 1. */
static const double least_probability = 1e-7;

bool mmli_brier(double *out, const int32_t *label, const double *probability, size_t n, const uint32_t *weight)
{
    double sum = 0.0;
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t w = mmli_weight(weight, i);
        const double d = probability[i] - (double)label[i];

        sum += (double)w * d * d;
        all += w;
    }
    if (all == 0)
        return false;
    *out = sum / (double)all;
    return true;
}

bool mmli_log_loss(double *out, const int32_t *label, const double *probability, size_t n, const uint32_t *weight)
{
    double sum = 0.0;
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t w = mmli_weight(weight, i);
        const double p = fmin(fmax(probability[i], least_probability), 1.0 - least_probability);

        sum -= (double)w * (label[i] == 1 ? log(p) : log1p(-p));
        all += w;
    }
    if (all == 0)
        return false;
    *out = sum / (double)all;
    return true;
}

bool mmli_f1(double *out, const int32_t *label, const double *probability, size_t n, double threshold,
             const uint32_t *weight)
{
    uint64_t hit = 0, wrong = 0;

    for (size_t i = 0; i < n; i++) {
        const int predicted = probability[i] >= threshold;

        if (predicted && label[i] == 1)
            hit += mmli_weight(weight, i);
        else if (predicted || label[i] == 1)
            wrong += mmli_weight(weight, i);
    }
    if (hit + wrong == 0)
        return false;
    *out = 2.0 * (double)hit / (double)(2 * hit + wrong);
    return true;
}

void mmli_argmax(int32_t *predicted, const double *probability, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = probability + i * k;
        size_t best = 0;

        for (size_t c = 1; c < k; c++)
            if (row[c] > row[best])
                best = c;
        predicted[i] = (int32_t)best;
    }
}

bool mmli_accuracy(double *out, const int32_t *label, const int32_t *predicted, size_t n, const uint32_t *weight)
{
    uint64_t right = 0, all = 0;

    for (size_t i = 0; i < n; i++) {
        right += label[i] == predicted[i] ? mmli_weight(weight, i) : 0;
        all += mmli_weight(weight, i);
    }
    if (all == 0)
        return false;
    *out = (double)right / (double)all;
    return true;
}

void mmli_confusion(uint64_t *count, const int32_t *label, const int32_t *predicted, size_t n, size_t k,
                    const uint32_t *weight)
{
    memset(count, 0, k * k * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[(size_t)label[i] * k + (size_t)predicted[i]] += mmli_weight(weight, i);
}

bool mmli_macro_f1(double *out, const uint64_t *count, size_t k)
{
    double sum = 0.0;
    size_t occurring = 0;

    for (size_t c = 0; c < k; c++) {
        uint64_t truth = 0, predicted = 0;

        for (size_t j = 0; j < k; j++) {
            truth += count[c * k + j];
            predicted += count[j * k + c];
        }
        if (truth + predicted == 0)
            continue;
        /* 2 TP + FP + FN = truth + predicted */
        sum += 2.0 * (double)count[c * k + c] / (double)(truth + predicted);
        occurring++;
    }
    if (occurring == 0)
        return false;
    *out = sum / (double)occurring;
    return true;
}

static mml_status check_probabilities(const char *metric, const void *out, const int32_t *label,
                                      const double *probability, size_t n)
{
    mml_status st;

    if ((st = MMLI_CHECK_ARRAYS(metric, n, out, label, probability)) == MML_OK &&
        (st = mmli_check_labels(metric, "label", label, n, 2)) == MML_OK)
        st = mmli_check_probability(metric, probability, n);
    return st;
}

mml_status mml_metric_brier(double *brier, const int32_t *label, const double *probability, size_t n)
{
    mml_status st = check_probabilities("Brier score", brier, label, probability, n);

    if (st == MML_OK)
        mmli_brier(brier, label, probability, n, NULL);
    return st;
}

mml_status mml_metric_log_loss(double *loss, const int32_t *label, const double *probability, size_t n)
{
    mml_status st = check_probabilities("log loss", loss, label, probability, n);

    if (st == MML_OK)
        mmli_log_loss(loss, label, probability, n, NULL);
    return st;
}

mml_status mml_metric_f1(double *f1, const int32_t *label, const double *probability, size_t n, double threshold)
{
    mml_status st = MML_OK;

    MML_TRY(check_probabilities("F1", f1, label, probability, n));
    MML_CHECK(isfinite(threshold), MML_E_ARG, "F1: the threshold must be a number");
    MML_CHECK(mmli_f1(f1, label, probability, n, threshold, NULL), MML_E_DATA,
              "F1: no sample of class 1, and none predicted at threshold %g: it is not defined", threshold);
out:
    return st;
}

mml_status mml_metric_argmax(int32_t *predicted, const double *probability, size_t n, size_t k)
{
    mml_status st = MML_OK;
    size_t numbers;

    MML_TRY(MMLI_CHECK_ARRAYS("predicted class", n, predicted, probability));
    MML_CHECK(k >= 2 && k <= INT32_MAX, MML_E_ARG, "predicted class: needs at least 2 classes, not %zu", k);
    MML_CHECK(mmli_mul_size(&numbers, n, k), MML_E_NOMEM, "%zu samples x %zu classes are too many", n, k);
    MML_TRY(mmli_check_finite("predicted class", "probability", probability, numbers));
    mmli_argmax(predicted, probability, n, k);
out:
    return st;
}

static mml_status check_classes(const char *metric, const void *out, const int32_t *label, const int32_t *predicted,
                                size_t n, size_t k)
{
    mml_status st;

    if ((st = MMLI_CHECK_ARRAYS(metric, n, out, label, predicted)) == MML_OK &&
        (st = mmli_check_labels(metric, "label", label, n, k)) == MML_OK)
        st = mmli_check_labels(metric, "predicted", predicted, n, k);
    return st;
}

mml_status mml_metric_accuracy(double *accuracy, const int32_t *label, const int32_t *predicted, size_t n, size_t k)
{
    mml_status st = check_classes("accuracy", accuracy, label, predicted, n, k);

    if (st == MML_OK)
        mmli_accuracy(accuracy, label, predicted, n, NULL);
    return st;
}

mml_status mml_metric_confusion(uint64_t *count, const int32_t *label, const int32_t *predicted, size_t n, size_t k)
{
    mml_status st = check_classes("confusion matrix", count, label, predicted, n, k);

    if (st == MML_OK)
        mmli_confusion(count, label, predicted, n, k, NULL);
    return st;
}

mml_status mml_metric_macro_f1(double *f1, const int32_t *label, const int32_t *predicted, size_t n, size_t k)
{
    mml_status st = MML_OK;
    uint64_t *count = NULL;
    size_t cells;

    MML_TRY(check_classes("macro F1", f1, label, predicted, n, k));
    MML_CHECK(mmli_mul_size(&cells, k, k), MML_E_NOMEM, "macro F1: %zu classes are too many", k);
    MML_TRY(mmli_calloc(&count, cells, sizeof *count));
    mmli_confusion(count, label, predicted, n, k, NULL);
    mmli_macro_f1(f1, count, k);
out:
    mmli_free(count);
    return st;
}
