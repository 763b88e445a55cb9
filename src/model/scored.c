/* scored.c - predictions beside the truth. */
#include "model/scored.h"

#include <math.h>

#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_scored_new(mmli_scored *out, const mmli_task *task, const mmli_labels *labels, const size_t *samples, size_t n)
{
    mml_status st = MML_OK;
    mmli_scored s = {.kind = task->kind, .n = n, .k = task->kind == MML_MULTICLASS ? task->outputs : 1};
    size_t all;

    MML_CHECK(mmli_mul_size(&all, n, s.k), MML_E_NOMEM, "%zu samples of %zu classes are too many", n, s.k);
    MML_TRY(mmli_calloc(&s.label, n, sizeof *s.label));
    MML_TRY(mmli_calloc(&s.value, n, sizeof *s.value));
    MML_TRY(mmli_calloc(&s.event, n, sizeof *s.event));
    MML_TRY(mmli_calloc(&s.score, all, sizeof *s.score));
    for (size_t i = 0; i < n; i++) {
        s.label[i] = labels->index[samples[i]];
        s.value[i] = labels->value[samples[i]];
        s.event[i] = labels->event[samples[i]] > 0.5f;
    }
    *out = s;
    s = (mmli_scored){0};
out:
    mmli_scored_clear(&s);
    return st;
}

void mmli_scored_clear(mmli_scored *s)
{
    mmli_free(s->label);
    mmli_free(s->value);
    mmli_free(s->event);
    mmli_free(s->score);
    *s = (mmli_scored){0};
}

void mmli_scored_set(double *score, const mmli_scored *s, size_t i, const float *output, double one)
{
    if (s->kind != MML_MULTICLASS) {
        score[i] = one;
        return;
    }
    for (size_t j = 0; j < s->k; j++)
        score[i * s->k + j] = (double)output[j];
}

mml_metric_input mmli_scored_input(const mmli_scored *s, const double *score)
{
    mml_metric_input in;

    mml_metric_input_init(&in);
    in.n = s->n;
    in.classes = s->kind == MML_MULTICLASS ? s->k : 2;
    in.label = s->label;
    in.score = score;
    in.time = s->value;
    in.truth = s->value;
    in.event = s->event;
    return in;
}

mml_metric mmli_main_metric(mml_task_kind kind)
{
    switch (kind) {
    case MML_MULTICLASS:
        return MML_METRIC_MACRO_AUC;
    case MML_SURVIVAL:
        return MML_METRIC_CINDEX;
    case MML_REGRESSION:
        return MML_METRIC_R2;
    case MML_BINARY:
    default:
        return MML_METRIC_AUC;
    }
}

mml_status mmli_scored_main(double *value, const mmli_scored *s)
{
    const mml_metric_input in = mmli_scored_input(s, s->score);
    const mml_status st = mml_metric_compute(value, mmli_main_metric(s->kind), &in);

    if (st != MML_OK)
        *value = (double)NAN;
    return st == MML_E_NOMEM ? st : MML_OK;
}

const mml_metric *mmli_task_metrics(size_t *n, mml_task_kind kind)
{
    static const mml_metric binary[] = {MML_METRIC_AUC, MML_METRIC_AVERAGE_PRECISION, MML_METRIC_ACCURACY, MML_METRIC_F1,
                                        MML_METRIC_BRIER, MML_METRIC_LOG_LOSS};
    static const mml_metric classes[] = {MML_METRIC_MACRO_AUC, MML_METRIC_ACCURACY, MML_METRIC_MACRO_F1};
    static const mml_metric survival[] = {MML_METRIC_CINDEX};
    static const mml_metric regression[] = {MML_METRIC_R2, MML_METRIC_RMSE};

    switch (kind) {
    case MML_MULTICLASS:
        *n = sizeof classes / sizeof *classes;
        return classes;
    case MML_SURVIVAL:
        *n = sizeof survival / sizeof *survival;
        return survival;
    case MML_REGRESSION:
        *n = sizeof regression / sizeof *regression;
        return regression;
    case MML_BINARY:
    default:
        *n = sizeof binary / sizeof *binary;
        return binary;
    }
}
