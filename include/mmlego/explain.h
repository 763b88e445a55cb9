/* explain.h - why a model predicts what it predicts: attention, modalities, features (doc/explain.md).
 *
 * All of it describes the model, not the patient: a modality or a feature that the model uses need not be a cause, and one
 * that it does not use may still matter.
 */
#ifndef MMLEGO_EXPLAIN_H
#define MMLEGO_EXPLAIN_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_explainer mml_explainer; /**< workspace for explaining: one per thread */

typedef struct mml_explain_options {
    size_t struct_size;
    const char *device;      /**< mml_device_describe(); NULL = the one that the model is on. Borrowed for the call */
    int threads;             /**< 0 = all */
    size_t batch;            /**< samples at a time; 0 = 64, fewer when they have many tokens */
    const char *target;      /**< the class that is explained; NULL = the last (binary), the predicted one (multiclass).
                                  Borrowed for the call */
    size_t points;           /**< gradients: points on the path to begin with [32] */
    double tolerance;        /**< gradients: pieces of the path get more points where their attributions miss their
                                  difference of scores by more than this fraction of their absolute values [0.01] */
    const char *const *modalities; /**< (n_modalities) gradients: whose features are explained; the others stay as they are.
                                  NULL = all. Borrowed until mml_explainer_free() */
    size_t n_modalities;
} mml_explain_options;
MML_API void mml_explain_options_init(mml_explain_options *options);

/**
 * The score that is explained, one number a sample, from the model's logits:
 *
 *     binary, multiclass   log odds of the class, log p/(1 - p)
 *     survival             risk, -sum of S_j over the time bins; by Cox: log relative risk
 *     regression           value, in the unit of the labels
 *
 * @param options  NULL = defaults
 * @param model    borrowed until mml_explainer_free()
 * @return MML_E_NOT_FOUND (no such class or modality), MML_E_ARG, MML_E_BACKEND, MML_E_NOMEM
 */
MML_API MML_MUST_USE mml_status mml_explainer_new(mml_explainer **out, const mml_model *model,
                                                  const mml_explain_options *options);
/** NULL is fine. */
MML_API void mml_explainer_free(mml_explainer *explainer);
/** "log odds of yes", "log odds of the predicted class", "risk", "log relative risk", "value". Lent until
 *  mml_explainer_free(). */
MML_API const char *mml_explainer_score(const mml_explainer *explainer);

/* ---- attention -------------------------------------------------------------------------------------------------------- */

typedef enum mml_token_kind {
    MML_TOKENS = 0,      /**< tokens of the modality as they are in the cohort, in order */
    MML_TOKENS_POOLED,   /**< the one token that the encoder makes of all of them */
    MML_TOKENS_FREQUENCY /**< frequencies of the tokens' Fourier transform, 0 first (blocks with context_dft) */
} mml_token_kind;

/** How a block weighted the tokens of a sample. Pointers lent for the call of the sink. */
typedef struct mml_attention {
    size_t sample;           /**< of the cohort */
    size_t block;            /**< of the model */
    size_t step;             /**< update step of the block, from 0; MML_STEP_POOLING */
    mml_token_kind tokens;   /**< what is weighted */
    size_t n;                /**< how many */
    const float *weights;    /**< (n) mean over heads and rows of the latent; sum 1 */
    const float *positions;  /**< (n, n_axes) places in [0, 1] as in the cohort; NULL = not stored, or not of tokens */
    size_t n_axes;
} mml_attention;
#define MML_STEP_POOLING ((size_t)-1) /**< the pooling of the encoder (abmil), before the steps */

/** Return non-zero to stop. */
typedef int (*mml_attention_sink)(void *user, const mml_attention *attention);

/**
 * Weights of tokens, from the forward pass: for every sample, in order, for every block whose modality it has, its pooling if
 * it pools and then its steps. In a fuse the latent that asks has gone through the blocks before. Tokens too many to be
 * read whole are read in pieces (mml_predict_cohort), twice as often as for a prediction.
 *
 * @param samples  (n), NULL = all of the cohort
 * @return MML_E_ARG (a model that is not made of blocks), MML_E_STOPPED (by the sink), what mml_predict_cohort() returns
 */
MML_API MML_MUST_USE mml_status mml_explain_attention(mml_explainer *explainer, mml_cohort *cohort, const size_t *samples,
                                                      size_t n, mml_attention_sink sink, void *user);

/* ---- modalities ------------------------------------------------------------------------------------------------------- */

/** What a modality did for the prediction of a sample. */
typedef struct mml_contribution {
    size_t sample;          /**< of the cohort */
    const char *modality;   /**< Lent until the model is freed */
    size_t class_index;     /**< the class that is explained; 0 unless a classifier */
    double score;           /**< from all modalities that the sample has */
    double without;         /**< from all but this one; of a sample that has no other, the prior's */
    double alone;           /**< from this one only */
    double output, output_without, output_alone; /**< the same as probability of the class; else as the scores */
    int prior;              /**< 1 = without it there is nothing to predict from: the training prior */
} mml_contribution;

/** Return non-zero to stop. */
typedef int (*mml_contribution_sink)(void *user, const mml_contribution *contribution);

/**
 * Contributions by leaving one out: for every sample, in order, each modality of the model that it has. Exact, no surrogate:
 * the model predicts once more from what is left. score - without is what the modality adds to the others. Which class
 * is explained is decided by the prediction from all of them. Arguments and statuses as mml_explain_attention().
 */
MML_API MML_MUST_USE mml_status mml_explain_modalities(mml_explainer *explainer, mml_cohort *cohort, const size_t *samples,
                                                       size_t n, mml_contribution_sink sink, void *user);

/* ---- features --------------------------------------------------------------------------------------------------------- */

/** What the features of a block's tokens did for the score of a sample. Pointers lent for the call of the sink. */
typedef struct mml_attributions {
    size_t sample;             /**< of the cohort */
    size_t block;              /**< of the model */
    size_t class_index;        /**< the class that is explained; 0 unless a classifier */
    size_t n_tokens, n_columns;
    const double *values;      /**< (n_tokens, n_columns) attributions, in units of the score */
    const size_t *feature;     /**< (n_columns) place among the features of the modality */
    const uint8_t *indicator;  /**< (n_columns) 0 = value of the feature, 1 = indicator of whether it was measured */
    const char *const *features; /**< names of the modality's features, by place */
    const float *positions;    /**< (n_tokens, n_axes) in [0, 1], or NULL */
    size_t n_axes;
    double score, baseline;    /**< of the sample, and of its baseline: with those of the sample's other blocks the
                                    attributions sum to score - baseline, but for `gap` */
    double gap;                /**< sum of the sample's attributions - (score - baseline) */
    size_t points;             /**< gradients that were computed for this sample */
} mml_attributions;

/** Return non-zero to stop. */
typedef int (*mml_attributions_sink)(void *user, const mml_attributions *attributions);

/**
 * Integrated gradients (Sundararajan, Taly & Yan 2017) of the score by the preprocessed features:
 *
 *     attribution_i = (x_i - b_i) * integral over a in [0, 1] of d score / d x_i at b + a (x - b)
 *
 * The baseline b is a patient of whom all that was measured has the mean of training (0 after scaling; of unscaled features
 * the imputed value) and all indicators are 0: those of a mask say "not measured", those of missing values "not missing". So
 * a value that was not measured gets 0, as it is the imputed one on the whole path, and what it does to the score that
 * something was measured, or is missing, goes to its indicator. Tokens stay as many as they are, positions stay.
 * For every sample, in order, each block whose modality it has and that is explained. Tokens are read whole.
 *
 * Arguments and statuses as mml_explain_attention(); any kind of model.
 */
MML_API MML_MUST_USE mml_status mml_explain_gradients(mml_explainer *explainer, mml_cohort *cohort, const size_t *samples,
                                                      size_t n, mml_attributions_sink sink, void *user);

/* ---- plots ------------------------------------------------------------------------------------------------------------- */

/** What is written around a plot: UTF-8, NULL = nothing there. Anything may be in it. */
typedef struct mml_plot_text {
    const char *title;
    const char *subtitle;
    const char *x_title;     /**< of the x axis, with its unit */
    const char *value_title; /**< of the colours */
} mml_plot_text;

/**
 * A plot as an SVG file: readable without anything else, in dark and light. Values that are not finite are gaps. Colours are
 * about 0 (blue below, red above) where values are below 0, else from the least to the greatest.
 *
 * @param[out] svg  yours: mml_string_free(). NULL on failure
 * @return MML_E_NOMEM
 */
/** Horizontal bars: values (n) by name. */
MML_API MML_MUST_USE mml_status mml_plot_bars(char **svg, const mml_plot_text *text, const char *const *names,
                                              const double *values, size_t n);
/** Rows with names by columns at ascending places `at` (cols), NULL = 0, 1, 2, ...: channels by time. values (rows, cols) */
MML_API MML_MUST_USE mml_status mml_plot_grid(char **svg, const mml_plot_text *text, const char *const *row_names, size_t rows,
                                              const double *at, size_t cols, const double *values);
/** Squares of one size at places x (to the right) and y (downwards): the patches of an image. x, y, values (n) */
MML_API MML_MUST_USE mml_status mml_plot_patches(char **svg, const mml_plot_text *text, const double *x, const double *y,
                                                 const double *values, size_t n);

#ifdef __cplusplus
}
#endif
#endif
