/* predict.h - predictions and their evaluation. */
#ifndef MMLEGO_PREDICT_H
#define MMLEGO_PREDICT_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_predictor mml_predictor; /**< workspace for predicting: one per thread */

/** The predictions of a batch. Pointers lent until the next call with the same predictor. */
typedef struct mml_prediction {
    size_t n;             /**< samples B */
    size_t k;             /**< outputs */
    const float *logits;  /**< (B, k); of a sample without any modality: those of the prior */
    const float *output;  /**< (B, k) class probabilities; hazards of the time bins, or exp of the log hazard (Cox loss, k = 1); or
                               the value in the unit of the labels */
    const float *survival;/**< (B, k) S_j, survival tasks in time bins only, else NULL */
    const double *score;  /**< (B) probability of the last class (binary); risk, -sum S_j or the log hazard (survival); value
                               (regression); NaN (multiclass) */
    const uint8_t *prior; /**< (B) 1 = no modality was present: the training prior was given */
    const uint64_t *used; /**< (B) bit i = block i of the model was used (blocks 0..63, a committee is
                               one): it was present and, in a merge, has a weight */
} mml_prediction;

/**
 * @param device   mml_device_describe(); NULL = the one that the model is on: its parameters are then read where they are, else
 *                 copied
 * @param threads  0 = all. The model is borrowed and must outlive the predictor.
 */
MML_API MML_MUST_USE mml_status mml_predictor_new(mml_predictor **out, const mml_model *model, const char *device,
                                                  int threads);
MML_API void mml_predictor_free(mml_predictor *predictor);

/**
 * Predicts every sample of a batch from the modalities it has (looked up by name; those the model does not know are
 * ignored, as are those that no sample has). A sample with none gets the prior of training, flagged.
 * @return MML_E_SHAPE a modality is wider or narrower than in training (both widths in the message)
 */
MML_API MML_MUST_USE mml_status mml_predict(mml_prediction *out, mml_predictor *predictor, const mml_batch *batch);

/** Gets predictions of a cohort chunk by chunk, in the order of `samples`. Return non-zero to stop. */
typedef int (*mml_prediction_sink)(void *user, const mml_prediction *chunk, const size_t *samples);

/**
 * Predicts samples[0 .. n-1] (NULL: all of the cohort), `batch` at a time (0 = 64). Features are checked by name. The columns of a
 * table or a series may be in any order; one that training had not is ignored (mml_model_ignored()), one that is missing is
 * MML_E_DATA. Features that are categories of a column (mml_modality_info.category_of) need not be the same, nor in the same order: one that the cohort lacks is 0,
 * one that the model has not learnt counts as none of its categories, which mml_predictor_unknown() tells.
 *
 * Tokens that a sample has 256 MiB or more of, as float32, in one modality are not read whole where the block needs no more
 * than a piece at a time (no encoder, embedding or abmil; not with `context_dft`, `raw_layers`): such a sample is predicted by
 * itself, and its tokens are read from the file once (abmil) or once a step.
 */
MML_API MML_MUST_USE mml_status mml_predict_cohort(mml_predictor *predictor, mml_cohort *cohort, const size_t *samples,
                                                   size_t n, size_t batch, mml_prediction_sink sink, void *user);

/** A category of a column that a model has not learnt: its training had no sample of it. */
typedef struct mml_unknown_category {
    const char *modality, *column, *category; /**< lent by the cohort, until it is closed */
    size_t n; /**< samples that have it */
} mml_unknown_category;

/**
 * Unknown categories of the samples that the last mml_predict_cohort() of this predictor has predicted, in the order of the
 * model's blocks and of the cohort's features. What a sample has is all it is predicted from: the column says nothing about it.
 * @param[out] n  how many. The list is lent until the next mml_predict_cohort() with this predictor; NULL when there are none
 */
MML_API const mml_unknown_category *mml_predictor_unknown(const mml_predictor *predictor, size_t *n);

/** A column of a cohort that a model has not been trained on; lent by the cohort, until it is closed. */
typedef struct mml_ignored_column {
    const char *modality, *column;
} mml_ignored_column;

/**
 * The columns of a cohort that no block of a model reads though it reads their modality. Only tables and series can have any:
 * with other kinds they are an error, as are columns that the model needs and the cohort lacks.
 * @param[out] list  new, yours: mml_ignored_columns_free(). NULL when there are none
 * @param[out] n     how many
 * @return MML_E_DATA  what is missing, as mml_predict_cohort() would say it
 */
MML_API MML_MUST_USE mml_status mml_model_ignored(mml_ignored_column **list, size_t *n, const mml_model *model,
                                                  const mml_cohort *cohort);
MML_API void mml_ignored_columns_free(mml_ignored_column *list); /**< NULL is fine */

/* ---- evaluation ------------------------------------------------------------------------------------- */

typedef struct mml_evaluate_options {
    size_t struct_size;
    const char *on;       /**< "column=value[,...]", "train", "valid", "test" (as recorded in the model), "all";
                               NULL = "test" if the model has a test part, else MML_E_ARG */
    size_t bootstrap;     /**< resamples for the intervals; 0 = none [1000] */
    double level;         /**< of the intervals [0.95] */
    uint64_t seed;
    int strict;           /**< 1 = refuse (MML_E_LEAK) samples that a block was trained on */
    int threads;
    const char *device;   /**< mml_device_describe(); NULL = the one that the model is on */
} mml_evaluate_options;
MML_API void mml_evaluate_options_init(mml_evaluate_options *options);

typedef struct mml_metric_value {
    char name[32];        /**< "auc", "cindex", ... */
    double value, low, high; /**< low, high NaN without bootstrap */
} mml_metric_value;

typedef struct mml_evaluation {
    size_t n_metrics;
    mml_metric_value metrics[16];
    size_t n;             /**< samples evaluated */
    size_t n_events;      /**< positives (binary), events (survival), else 0 */
    size_t n_prior;       /**< samples that had no modality */
    size_t n_leaked;      /**< samples that some block was trained on */
    size_t n_unlabelled;  /**< chosen samples left out for want of a label */
    size_t n_unknown;     /**< categories that the model has not learnt, see mml_predictor_unknown() */
    mml_unknown_category unknown[16]; /**< the first of them */
} mml_evaluation;

/** First metric is the main one (AUC, macro AUC, c-index, R^2). Samples that leaked are counted, and evaluated unless strict. */
MML_API MML_MUST_USE mml_status mml_evaluate(mml_evaluation *out, const mml_model *model, mml_cohort *cohort,
                                             const mml_evaluate_options *options);

/**
 * Which part of the model's own division a sample was in (by its hashed id).
 * @param block  index of a block; SIZE_MAX = the model's own last training (a fuse), or the strictest over its blocks
 */
MML_API mml_part mml_model_part_of(const mml_model *model, size_t block, const char *sample_id);

#ifdef __cplusplus
}
#endif
#endif
