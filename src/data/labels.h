/* labels.h - what a model knows of its task, learnt on the training part, and a cohort's labels in those terms.
 *
 * A task is fitted once, on ALL labelled samples of the training part, whether or not they have the modality of the
 * block that is trained: blocks of one cohort and split then have the same classes, edges and prior to the bit and
 * can be merged. Nothing of a sample outside `train` is looked at: neither its value nor the name of its class.
 *
 *     mmli_task_fit(&task, cohort, "survival", train, n, NULL);            once, stored in the model
 *     mmli_task_map(&labels, task, cohort, MML_CLASS_EQUAL);               all samples of any cohort
 *     loss of sample i: labels->index[i], labels->event[i], labels->target[i], labels->weight[i]
 *
 * kind          k outputs           logits                 output                        score
 * binary        2                   log-odds by class      class probabilities           probability of the last class
 * multiclass    classes             by class               class probabilities           NaN
 * survival      bins                of the hazards         hazards h_j                   -sum_j S_j, S_j = prod_{l<=j} (1 - h_l)
 * survival, Cox 1                   log relative risk      relative risk exp(logit)      logit; no S_j: NaN
 * regression    1                   (y - mean) / sd        y in the unit of the labels   y
 */
#ifndef MMLI_DATA_LABELS_H
#define MMLI_DATA_LABELS_H

#include <hdf5.h>
#include <jansson.h>
#include <stdbool.h>

#include "mmlego/data.h"
#include "mmlego/train.h"

typedef struct mmli_task {
    mml_task_kind kind;
    char *name;
    char *unit;          /* of times or targets, as the cohort has it ("months"); "" = not said. Never NULL */
    size_t outputs;      /* k */
    char **classes;      /* (k) binary, multiclass: those that occur in the training part, sorted by number if all
                          * are numbers, else by byte; binary: the last is the positive one. Else NULL */
    double *edges;       /* (k + 1) survival: bin j is [edges[j], edges[j+1]) (formats.md 2.6); Cox: just below the
                          * least and above the greatest time. Else NULL */
    double mean, sd;     /* regression: of the training part, population sd, 1 when constant. Else 0, 1 */
    size_t n_train;      /* labelled samples that it was fitted on */
    size_t n_events;     /* survival: how many of them had the event. Else 0 */
    uint64_t *counts;    /* (k) training samples by class; survival: events by bin; regression: n_train */
    float *prior_logits; /* (k) what is predicted without any modality; finite. Classes: log of the base rates;
                          * survival: logits of the Kaplan-Meier hazards; Cox, regression: 0 */
    float *prior_output; /* (k) base rates; hazards, 1 - product over the event times in bin j of (1 - d/n), limited
                          * to [1e-6, 1 - 1e-6]; Cox: 1; regression: the mean */
} mmli_task;

/* Trained by the Cox partial likelihood: one output, the log of the risk relative to the mean patient; there are no
 * hazards. */
static inline bool mmli_task_is_cox(const mmli_task *task)
{
    return task->kind == MML_SURVIVAL && task->outputs == 1;
}

typedef struct mmli_task_options {
    size_t bins; /* survival: k, 2 .. 512; 0 = 4 */
    bool cox;    /* survival: one output, for the Cox loss; bins do not matter */
} mmli_task_options;

/* Learns from the samples train[0 .. n_train-1], in any order; those without a label do not count. options NULL = defaults.
 * MML_E_NOT_FOUND  no such task
 * MML_E_DATA       no labelled sample; one class only; a binary task with more than two classes; an infinite value or
 *                  a negative time (names the sample); a sample listed twice; fewer than 2 events, or edges that
 *                  coincide because too many event times are equal (the message says how many bins would do)
 * MML_E_ARG        bins out of range; an index of train beyond the cohort */
mml_status mmli_task_fit(mmli_task **out, const mml_cohort *cohort, const char *task, const size_t *train,
                         size_t n_train, const mmli_task_options *options);
/* For a model from elsewhere, of whose training nothing is known: the prior is even (classes alike; hazards 1 / (k + 1 - j),
 * so that each bin takes an equal share), n_train counts made-up samples. classes (k) of binary and multiclass, edges
 * (k + 1) of survival, else NULL. MML_E_ARG: k does not fit the kind; names or edges that cannot be used. */
mml_status mmli_task_blank(mmli_task **out, mml_task_kind kind, const char *name, const char *unit, size_t k,
                           const char *const *classes, const double *edges);
/* NULL is fine. */
void mmli_task_free(mmli_task *task);
mml_status mmli_task_copy(mmli_task **out, const mmli_task *task);

/* Can the outputs of two models be merged? MML_E_ARG: another kind, name, unit or list of classes; MML_E_SHAPE: another
 * number of outputs; the message has both. MML_OK and *note a new text (mmli_free) when they agree in all of that but were
 * standardised, or cut into bins, a little differently (other training parts); NULL when they agree to the bit. The
 * priors do not matter. note may be NULL. */
mml_status mmli_task_agree(char **note, const mmli_task *a, const mmli_task *b);

/* ---- labels of a cohort ----------------------------------------------------------------------------- */

enum {
    MMLI_LABEL_MISSING = -1, /* the sample has no label */
    MMLI_LABEL_UNKNOWN = -2  /* its class did not occur in training: can be predicted for, not trained or scored on */
};

typedef struct mmli_labels {
    size_t n;          /* N, samples of the cohort */
    int32_t *index;    /* (N) class, or survival bin, or 0 (regression); < 0: see above. A time before the first edge is
                        * in the first bin, one beyond the last in the last */
    double *value;     /* (N) class index as above, time, or target, in the unit of the cohort; NaN where index < 0 */
    float *event;      /* (N) survival: 1 = event, 0 = censored; else 0 */
    float *target;     /* (N) regression: (value - mean) / sd, else 0; 0 where index < 0 */
    float *weight;     /* (N) 0 where index < 0, else 1; balanced: n_train / (k counts[class]) */
    size_t n_labelled, n_missing, n_unknown; /* together N */
    char *unknown;     /* names of the unknown classes, "a, b"; "" when there are none */
} mmli_labels;

/* The labels of the cohort's task of the same name. Classes are matched by name, whatever their order in the cohort; if
 * no name is the same, by number: 1 and 1.0 are one class (tables with empty cells often have the second).
 * MML_CLASS_BALANCED weighs classes only; survival and regression keep 1. The weights hold no 1/B.
 * MML_E_NOT_FOUND  the cohort has no such task (lists those it has); MML_E_DATA it is of another kind, or in another
 *                  unit (both are said and differ); an infinite value or a negative time (names the sample). An unknown
 *                  class is no error. */
mml_status mmli_task_map(mmli_labels **out, const mmli_task *task, const mml_cohort *cohort, mml_class_weights weights);
/* NULL is fine. */
void mmli_labels_free(mmli_labels *labels);

/* ---- from logits to outputs ---------------------------------------------------------------------------- */

/* The table above for logits (rows, k): output (rows, k), survival (rows, k) for survival tasks, score (rows). Each may be
 * NULL. output may be logits. Computed in float64. */
void mmli_task_outputs(float *output, float *survival, double *score, const mmli_task *task, const float *logits,
                       size_t rows);

/* ---- files -------------------------------------------------------------------------------------------- */

/* Into and out of the group of a model file; comes back the same to the bit. MML_E_FORMAT when the group does not hold a
 * task that this could have written. */
mml_status mmli_task_save(const mmli_task *task, hid_t group, const char *path);
mml_status mmli_task_load(mmli_task **out, hid_t group, const char *path);
/* For inspect. New reference. NULL = no memory. */
json_t *mmli_task_json(const mmli_task *task);

#endif
