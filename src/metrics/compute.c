/* compute.c - the metrics by name, and their prepared form. */
#include "metrics/compute.h"

#include <math.h>
#include <string.h>

#include "metrics/check.h"
#include "util/alloc.h"
#include "util/error.h"

static const struct {
    const char *name;
    int higher_is_better;
} about[] = {
    [MML_METRIC_AUC] = {"auc", 1},
    [MML_METRIC_AVERAGE_PRECISION] = {"average_precision", 1},
    [MML_METRIC_BRIER] = {"brier", 0},
    [MML_METRIC_LOG_LOSS] = {"log_loss", 0},
    [MML_METRIC_F1] = {"f1", 1},
    [MML_METRIC_ACCURACY] = {"accuracy", 1},
    [MML_METRIC_MACRO_AUC] = {"macro_auc", 1},
    [MML_METRIC_MACRO_F1] = {"macro_f1", 1},
    [MML_METRIC_CINDEX] = {"cindex", 1},
    [MML_METRIC_R2] = {"r2", 1},
    [MML_METRIC_RMSE] = {"rmse", 0},
};

/* The enum may hold any integer when the caller is wrong. */
static bool known(mml_metric metric)
{
    return (size_t)metric < sizeof about / sizeof about[0];
}

const char *mml_metric_name(mml_metric metric)
{
    return known(metric) ? about[metric].name : NULL;
}

int mml_metric_higher_is_better(mml_metric metric)
{
    return known(metric) ? about[metric].higher_is_better : 0;
}

void mml_metric_input_init(mml_metric_input *input)
{
    *input = (mml_metric_input){.struct_size = sizeof *input, .classes = 2, .threshold = 0.5};
}

mml_status mmli_read_options(void *full, size_t full_size, const void *given, const char *init_function)
{
    size_t size;

    memcpy(&size, given, sizeof size); /* struct_size is the first member */
    if (size < sizeof size)
        return mmli_fail(MML_E_ARG, "struct_size is %zu: call %s() before setting the members", size, init_function);
    if (size > full_size)
        return mmli_fail(MML_E_ARG, "struct_size is %zu, this library (%s) knows %zu: the program was made for a "
                         "newer libmmlego", size, mml_version(), full_size);
    memcpy(full, given, size);
    memcpy(full, &full_size, sizeof full_size);
    return MML_OK;
}

/* Are probabilities of class 1 turned into classes by a threshold, or a row of k numbers by its maximum? */
static bool by_threshold(mml_metric metric, const mml_metric_input *in)
{
    return metric == MML_METRIC_ACCURACY && in->classes == 2;
}

static mml_status predict_classes(int32_t **predicted, mml_metric metric, const mml_metric_input *in)
{
    mml_status st = MML_OK;

    MML_TRY(MMLI_CHECK_ARRAYS(mml_metric_name(metric), in->n, in->score));
    MML_TRY(mmli_calloc(predicted, in->n, sizeof **predicted));
    if (!by_threshold(metric, in)) {
        st = mml_metric_argmax(*predicted, in->score, in->n, in->classes);
        goto out;
    }
    MML_CHECK(isfinite(in->threshold), MML_E_ARG, "accuracy: the threshold must be a number");
    MML_TRY(mmli_check_probability("accuracy", in->score, in->n));
    for (size_t i = 0; i < in->n; i++)
        (*predicted)[i] = in->score[i] >= in->threshold;
out:
    return st;
}

static mml_status compute(double *value, mml_metric metric, const mml_metric_input *in)
{
    mml_status st = MML_OK;
    int32_t *predicted = NULL;

    switch (metric) {
    case MML_METRIC_AUC: return mml_metric_auc(value, in->label, in->score, in->n);
    case MML_METRIC_AVERAGE_PRECISION: return mml_metric_average_precision(value, in->label, in->score, in->n);
    case MML_METRIC_BRIER: return mml_metric_brier(value, in->label, in->score, in->n);
    case MML_METRIC_LOG_LOSS: return mml_metric_log_loss(value, in->label, in->score, in->n);
    case MML_METRIC_F1: return mml_metric_f1(value, in->label, in->score, in->n, in->threshold);
    case MML_METRIC_MACRO_AUC:
        return mml_metric_macro_auc(value, NULL, in->label, in->score, in->n, in->classes);
    case MML_METRIC_CINDEX: return mml_metric_cindex(value, NULL, in->score, in->time, in->event, in->n);
    case MML_METRIC_R2: return mml_metric_r2(value, in->truth, in->score, in->n);
    case MML_METRIC_RMSE: return mml_metric_rmse(value, in->truth, in->score, in->n);
    case MML_METRIC_ACCURACY:
    case MML_METRIC_MACRO_F1: break;
    }
    MML_TRY(predict_classes(&predicted, metric, in));
    st = metric == MML_METRIC_ACCURACY ? mml_metric_accuracy(value, in->label, predicted, in->n, in->classes)
                                       : mml_metric_macro_f1(value, in->label, predicted, in->n, in->classes);
out:
    mmli_free(predicted);
    return st;
}

mml_status mml_metric_compute(double *value, mml_metric metric, const mml_metric_input *input)
{
    mml_status st = MML_OK;
    mml_metric_input in;

    MML_CHECK(value != NULL && input != NULL, MML_E_ARG, "a metric needs an input and a place for its value");
    MML_CHECK(known(metric), MML_E_ARG, "there is no metric number %d", (int)metric);
    mml_metric_input_init(&in);
    MML_TRY(mmli_read_options(&in, sizeof in, input, "mml_metric_input_init"));
    st = compute(value, metric, &in);
out:
    return st;
}

mml_status mmli_plan_make(mmli_plan *plan, mml_metric metric, const mml_metric_input *input)
{
    mml_status st = MML_OK;
    mml_metric_input *in = &plan->in;
    double value;

    *plan = (mmli_plan){.metric = metric};
    mml_metric_input_init(in);
    MML_TRY(mmli_read_options(in, sizeof *in, input, "mml_metric_input_init"));
    switch (metric) {
    case MML_METRIC_AUC:
    case MML_METRIC_AVERAGE_PRECISION:
        MML_TRY(mmli_calloc(&plan->order, in->n, sizeof *plan->order));
        MML_TRY(mmli_rank(plan->order, in->score, in->n, 0, 1));
        break;
    case MML_METRIC_MACRO_AUC:
        MML_TRY(mmli_calloc(&plan->order, in->n * in->classes, sizeof *plan->order));
        for (size_t c = 0; c < in->classes; c++)
            MML_TRY(mmli_rank(plan->order + c * in->n, in->score, in->n, c, in->classes));
        mmli_macro_auc(&value, &plan->used, plan->order, in->label, in->score, in->n, in->classes, NULL);
        break;
    case MML_METRIC_MACRO_F1:
        MML_TRY(mmli_calloc(&plan->count, in->classes * in->classes, sizeof *plan->count));
        st = predict_classes(&plan->predicted, metric, in);
        break;
    case MML_METRIC_ACCURACY:
        st = predict_classes(&plan->predicted, metric, in);
        break;
    case MML_METRIC_CINDEX:
        st = mmli_pairs_new(&plan->pairs, in->score, in->time, in->event, in->n);
        break;
    case MML_METRIC_BRIER:
    case MML_METRIC_LOG_LOSS:
    case MML_METRIC_F1:
    case MML_METRIC_R2:
    case MML_METRIC_RMSE: break; /* one pass, nothing to prepare */
    }
out:
    return st;
}

bool mmli_plan_value(double *value, mmli_plan *p, const uint32_t *weight)
{
    const mml_metric_input *in = &p->in;
    const size_t n = in->n, k = in->classes;
    mml_cindex_pairs pairs;
    size_t used;

    switch (p->metric) {
    case MML_METRIC_AUC: return mmli_auc(value, p->order, in->label, 1, in->score, 0, 1, n, weight);
    case MML_METRIC_AVERAGE_PRECISION:
        return mmli_average_precision(value, p->order, in->label, in->score, n, weight);
    case MML_METRIC_BRIER: return mmli_brier(value, in->label, in->score, n, weight);
    case MML_METRIC_LOG_LOSS: return mmli_log_loss(value, in->label, in->score, n, weight);
    case MML_METRIC_F1: return mmli_f1(value, in->label, in->score, n, in->threshold, weight);
    case MML_METRIC_ACCURACY: return mmli_accuracy(value, in->label, p->predicted, n, weight);
    case MML_METRIC_MACRO_AUC:
        /* The mean over other classes would be another figure. */
        return mmli_macro_auc(value, &used, p->order, in->label, in->score, n, k, weight) && used == p->used;
    case MML_METRIC_MACRO_F1:
        mmli_confusion(p->count, in->label, p->predicted, n, k, weight);
        return mmli_macro_f1(value, p->count, k);
    case MML_METRIC_CINDEX:
        if (!mmli_pairs_count(&pairs, p->pairs, weight))
            return false;
        *value = mmli_pairs_c(&pairs);
        return true;
    case MML_METRIC_R2: return mmli_r2(value, in->truth, in->score, n, weight);
    case MML_METRIC_RMSE: return mmli_rmse(value, in->truth, in->score, n, weight);
    }
    return false;
}

void mmli_plan_clear(mmli_plan *plan)
{
    mmli_free(plan->order);
    mmli_free(plan->predicted);
    mmli_free(plan->count);
    mmli_pairs_free(plan->pairs);
    *plan = (mmli_plan){0};
}
