/* scored.h - predictions beside the truth, in the form that the metrics take. */
#ifndef MMLI_MODEL_SCORED_H
#define MMLI_MODEL_SCORED_H

#include "mmlego/metrics.h"
#include "model/model.h"

typedef struct mmli_scored {
    mml_task_kind kind;
    size_t n, k;      /* samples; k scores a sample: outputs (multiclass) or 1 */
    int32_t *label;   /* (n) classes */
    double *value;    /* (n) time or target */
    uint8_t *event;   /* (n) */
    double *score;    /* (n, k): to be filled by mmli_scored_set */
} mmli_scored;

/* Truth of samples[0 .. n-1], which all have a label. */
mml_status mmli_scored_new(mmli_scored *out, const mmli_task *task, const mmli_labels *labels, const size_t *samples, size_t n);
void mmli_scored_clear(mmli_scored *s);
/* Prediction i: a row of outputs (all of the task's), and the score, as mmli_task_outputs gives them. `score` (n, k) may
 * be another array than s->score. */
void mmli_scored_set(double *score, const mmli_scored *s, size_t i, const float *output, double one);
mml_metric_input mmli_scored_input(const mmli_scored *s, const double *score);
/* AUC, macro AUC, c-index, R^2. */
mml_metric mmli_main_metric(mml_task_kind kind);
/* The main metric of s->score. NaN where these samples define none (one class alone, no comparable pair): mml_last_error() says why.
 * MML_E_NOMEM, which must not pass for that. */
mml_status mmli_scored_main(double *value, const mmli_scored *s);
/* All that a task is measured by, the main one first. Static. */
const mml_metric *mmli_task_metrics(size_t *n, mml_task_kind kind);

#endif
