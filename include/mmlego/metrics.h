/* metrics.h - figures of merit on plain arrays, in float64.
 *
 * Every function here checks what it is given and either gives a number or fails with a message: NaN
 * never goes in unnoticed and never comes out. All results are independent of threads, and the
 * interval functions of the order in which they are called.
 *
 * Common to all, not repeated below:
 *   MML_E_ARG         a pointer is NULL, an option is out of its range
 *   MML_E_DATA        n = 0; a label that is not a class; a time that is NaN, infinite or negative; a
 *                     probability outside [0, 1]; data for which the figure is not defined (a single
 *                     class, no comparable pair): the message says which
 *   MML_E_NOT_FINITE  NaN or infinity among the predictions
 *   MML_E_NOMEM
 * On failure the results are not written.
 */
#ifndef MMLEGO_METRICS_H
#define MMLEGO_METRICS_H

#include "mmlego/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- two classes ------------------------------------------------------------------------------ */

/**
 * Area under the ROC curve: the probability that a random positive scores above a random negative;
 * equal scores count 1/2. O(n log n).
 *
 * @param[out] auc    in [0, 1]
 * @param      label  (n) 0 or 1; both must occur
 * @param      score  (n) higher = more likely 1; any finite numbers (probabilities, logits, risks)
 * @source method.md 6; checked against scikit-learn, tests/golden/test_metrics.c
 * @since 0.1
 */
MML_API MML_MUST_USE mml_status mml_metric_auc(double *auc, const int32_t *label, const double *score, size_t n);

/**
 * Average precision: sum over distinct score thresholds of (recall_i - recall_{i-1}) precision_i, without
 * interpolation. The positives' share is its value for random scores.
 *
 * @param label  (n) 0 or 1; at least one 1
 */
MML_API MML_MUST_USE mml_status mml_metric_average_precision(double *ap, const int32_t *label, const double *score,
                                                             size_t n);

/** Brier score: mean of (probability - label)^2, 0 is best. @param probability (n) of class 1, in [0, 1] */
MML_API MML_MUST_USE mml_status mml_metric_brier(double *brier, const int32_t *label, const double *probability,
                                                 size_t n);

/**
 * Log loss: mean of -log(probability given to the true class), natural logarithm, probabilities clipped to
 * [1e-7, 1 - 1e-7] like those of the survival loss (doc/formats.md 2.7).
 */
MML_API MML_MUST_USE mml_status mml_metric_log_loss(double *loss, const int32_t *label, const double *probability,
                                                    size_t n);

/**
 * F1 = 2 TP / (2 TP + FP + FN) of class 1, which is predicted where probability >= threshold.
 * @return MML_E_DATA also when no sample is, and none is predicted to be, of class 1
 */
MML_API MML_MUST_USE mml_status mml_metric_f1(double *f1, const int32_t *label, const double *probability, size_t n,
                                              double threshold);

/**
 * Points of the ROC curve: at every distinct score, from the highest down, the shares of class 0 and of class 1
 * that have at least that score. Begins at (0, 0), ends at (1, 1); equal scores are one step.
 *
 * @param[out] m      number of points, at least 2, <= n + 1
 * @param[out] fpr    (n + 1) room for the false positive rates; the first m are set. So are those of tpr
 * @param[out] tpr    (n + 1) room for the true positive rates
 * @param      label  (n) 0 or 1; both must occur
 * @param      score  (n) higher = more likely 1; any finite numbers
 * @since 0.1
 */
MML_API MML_MUST_USE mml_status mml_metric_roc(size_t *m, double *fpr, double *tpr, const int32_t *label,
                                               const double *score, size_t n);

/**
 * Reliability diagram: are 7 of 10 with a probability of 0.7 of class 1? Samples are put into bins of equal
 * numbers by their probability (equal probabilities always into one bin), so that rare outcomes have filled bins too.
 *
 * @param[out] m            number of bins, <= `bins`
 * @param[out] predicted    (bins) mean probability in each bin, ascending; the first m are set, and of the next two
 * @param[out] observed     (bins) share of class 1 in it
 * @param[out] count        (bins) samples in it
 * @param      label        (n) 0 or 1
 * @param      probability  (n) of class 1, in [0, 1]
 * @param      bins         >= 1
 * @since 0.1
 */
MML_API MML_MUST_USE mml_status mml_metric_reliability(size_t *m, double *predicted, double *observed, size_t *count,
                                                       const int32_t *label, const double *probability, size_t n,
                                                       size_t bins);

/* ---- any number of classes ---------------------------------------------------------------------- */

/** The class of highest probability of every sample, the first of equals. @param probability (n, k), k >= 2 */
MML_API MML_MUST_USE mml_status mml_metric_argmax(int32_t *predicted, const double *probability, size_t n, size_t k);

/** Share of samples whose predicted class is the true one. @param label (n) in 0 .. k-1 @param predicted likewise */
MML_API MML_MUST_USE mml_status mml_metric_accuracy(double *accuracy, const int32_t *label, const int32_t *predicted,
                                                    size_t n, size_t k);

/** Confusion matrix. @param[out] count (k, k): row = true class, column = predicted class */
MML_API MML_MUST_USE mml_status mml_metric_confusion(uint64_t *count, const int32_t *label, const int32_t *predicted,
                                                     size_t n, size_t k);

/** Unweighted mean of the classes' F1, over the classes that occur among labels or predictions. */
MML_API MML_MUST_USE mml_status mml_metric_macro_f1(double *f1, const int32_t *label, const int32_t *predicted,
                                                    size_t n, size_t k);

/**
 * Unweighted mean over classes of the AUC "this class against the rest".
 *
 * A class without samples has no AUC and is left out of the mean; `used` says how many were averaged, so
 * that a caller can tell. At least two classes must occur.
 *
 * @param[out] used         classes averaged, or NULL
 * @param      probability  (n, k) any finite numbers, k >= 2
 */
MML_API MML_MUST_USE mml_status mml_metric_macro_auc(double *auc, size_t *used, const int32_t *label,
                                                     const double *probability, size_t n, size_t k);

/* ---- survival ----------------------------------------------------------------------------------- */
/* time (n): finite, >= 0, any unit. event (n): 1 = event (death), 0 = censored: the opposite of the
 * MCAT tables' `censorship` (doc/formats.md 3). */

/** What Harrell's c is made of: numbers of pairs. comparable = concordant + discordant + tied_risk. */
typedef struct mml_cindex_pairs {
    uint64_t comparable;
    uint64_t concordant; /**< the one who lived shorter has the higher risk */
    uint64_t discordant;
    uint64_t tied_risk;  /**< risks within 1e-8 of each other: count 1/2 */
    uint64_t tied_time;  /**< of the comparable pairs, those with equal times (one event, one censored) */
} mml_cindex_pairs;

/**
 * Harrell's concordance index, O(n log n).
 *
 * Samples i, j are comparable when i has an event and time_i < time_j, or time_i = time_j and j is censored.
 * Two events at the same time are not comparable. c = (concordant + tied_risk / 2) / comparable.
 *
 * @param[out] pairs  or NULL
 * @param      risk   (n) finite; higher = shorter life
 * @return MML_E_DATA also when no pair is comparable
 * @source doc/formats.md 3; same counts as scikit-survival, tests/golden/test_metrics.c
 * @since 0.1
 */
MML_API MML_MUST_USE mml_status mml_metric_cindex(double *c, mml_cindex_pairs *pairs, const double *risk,
                                                  const double *time, const uint8_t *event, size_t n);

/**
 * Kaplan-Meier estimate at every distinct time of the data, ascending:
 *     S *= 1 - events / at_risk
 * Those censored at a time are still at risk at it.
 *
 * @param[out] m         number of distinct times, <= n
 * @param[out] at        (n) room for the times; the first m are set. So are those of the next three
 * @param[out] survival  (n) S(t), right-continuous: after the events at t
 * @param[out] at_risk   (n) samples with time >= t, or NULL
 * @param[out] events    (n) events at t (0 where only censored ones are), or NULL
 */
MML_API MML_MUST_USE mml_status mml_metric_kaplan_meier(size_t *m, double *at, double *survival, size_t *at_risk,
                                                        size_t *events, const double *time, const uint8_t *event,
                                                        size_t n);

/**
 * Log-rank test that two groups have the same survival (Mantel; hypergeometric variance).
 *
 * @param[out] chi2   statistic, 1 degree of freedom
 * @param[out] p      its p value, or NULL
 * @param      group  (n) 0 or 1; both must occur
 * @return MML_E_DATA also when no event happens while both groups are at risk
 */
MML_API MML_MUST_USE mml_status mml_metric_logrank(double *chi2, double *p, const double *time, const uint8_t *event,
                                                   const uint8_t *group, size_t n);

/**
 * Edges of discrete survival bins: quantiles of the times of the events, by the steps of formats.md 2.6
 * (type 7; the outer edges are the least and greatest of all times, moved 1e-6 outwards).
 *
 * @param[out] edges  (bins + 1) ascending; bin j is [edges[j], edges[j+1])
 * @param      bins   >= 1; usually 4
 * @param      time   (n) one entry a patient: repeated rows of one patient are the caller's to remove
 * @return MML_E_DATA also when fewer than 2 samples have an event, or when two edges are equal (too many equal
 *         times for so many bins)
 */
MML_API MML_MUST_USE mml_status mml_metric_survival_edges(double *edges, size_t bins, const double *time,
                                                          const uint8_t *event, size_t n);

/**
 * Bin of every time: (number of edges <= time) - 1. Times before the first edge (possible where the edges
 * come from other patients) are in bin 0, those from the last edge on in the last bin.
 *
 * @param[out] bin    (n) 0 .. bins-1
 * @param      edges  (bins + 1) finite, strictly ascending
 */
MML_API MML_MUST_USE mml_status mml_metric_survival_labels(int32_t *bin, const double *edges, size_t bins,
                                                           const double *time, size_t n);

/**
 * Hazards of discrete bins by Kaplan-Meier: the prediction for a patient of whom nothing is known (method.md 3).
 *     hazard_j = 1 - product over the event times t in bin j of (1 - events / at_risk)
 * so that prod_{l <= j} (1 - hazard_l) is the Kaplan-Meier estimate just before the upper edge of bin j. The
 * first bin begins before all times and the last has no end, as in mml_metric_survival_labels().
 *
 * @param[out] hazard  (bins) in [0, 1]; 0 in a bin that no event falls in
 */
MML_API MML_MUST_USE mml_status mml_metric_km_hazards(double *hazard, const double *edges, size_t bins,
                                                      const double *time, const uint8_t *event, size_t n);

/* ---- regression --------------------------------------------------------------------------------- */

/** 1 - (sum of squared errors) / (sum of squares about the mean). MML_E_DATA when all of `truth` are equal. */
MML_API MML_MUST_USE mml_status mml_metric_r2(double *r2, const double *truth, const double *predicted, size_t n);

/** Root mean squared error, in the unit of `truth`. */
MML_API MML_MUST_USE mml_status mml_metric_rmse(double *rmse, const double *truth, const double *predicted, size_t n);

/* ---- from a score to a distance ------------------------------------------------------------------- */

/** The z with P(N(0,1) <= z) = p, to about 1e-15. @param p 0 < p < 1, else MML_E_ARG; below 1e-300
 *  it is taken as 1e-300 (z = -37.0) */
MML_API MML_MUST_USE mml_status mml_metric_probit(double *z, double p);

/**
 * d' = sqrt(2) probit(auc): how many standard deviations apart the two classes' scores are (method.md 3b).
 *
 * An AUC of exactly 0 or 1 on a small validation part would give infinity: it is held half a pair away
 * from both, to [0.5 / pairs, 1 - 0.5 / pairs].
 *
 * @param auc    AUC or c-index, in [0, 1], else MML_E_ARG
 * @param pairs  pairs that it was counted over: positives x negatives, or comparable pairs; >= 1
 */
MML_API MML_MUST_USE mml_status mml_metric_dprime(double *dprime, double auc, uint64_t pairs);

/* ---- any of them, with an interval ---------------------------------------------------------------- */

typedef enum mml_metric {
    MML_METRIC_AUC = 0,           /**< label, score */
    MML_METRIC_AVERAGE_PRECISION, /**< label, score */
    MML_METRIC_BRIER,             /**< label, score = probability of class 1 */
    MML_METRIC_LOG_LOSS,          /**< label, score = probability of class 1 */
    MML_METRIC_F1,                /**< label, score = probability of class 1, threshold */
    MML_METRIC_ACCURACY,          /**< label, classes, score: (n) and threshold if classes is 2, else (n, classes) */
    MML_METRIC_MACRO_AUC,         /**< label, classes, score (n, classes) */
    MML_METRIC_MACRO_F1,          /**< label, classes, score (n, classes) */
    MML_METRIC_CINDEX,            /**< score = risk, time, event */
    MML_METRIC_R2,                /**< truth, score = predicted value */
    MML_METRIC_RMSE               /**< truth, score = predicted value */
} mml_metric;

/** "auc", "average_precision", "brier", "log_loss", "f1", "accuracy", "macro_auc", "macro_f1", "cindex", "r2",
 *  "rmse"; NULL for no metric. Static. */
MML_API const char *mml_metric_name(mml_metric metric);
/** 1 if a higher value is a better one, 0 for losses. */
MML_API int mml_metric_higher_is_better(mml_metric metric);

/** Labels and predictions; a metric looks only at what is named beside it above. Start with mml_metric_input_init(). */
typedef struct mml_metric_input {
    size_t struct_size;
    size_t n;
    size_t classes;       /**< k [2] */
    const int32_t *label; /**< (n) */
    const double *score;  /**< (n) or (n, k) */
    double threshold;     /**< from which class 1 is predicted [0.5] */
    const double *time;   /**< (n) */
    const uint8_t *event; /**< (n) */
    const double *truth;  /**< (n) */
} mml_metric_input;
MML_API void mml_metric_input_init(mml_metric_input *input);

/** One metric. The same checks and the same value as the function of its own. */
MML_API MML_MUST_USE mml_status mml_metric_compute(double *value, mml_metric metric, const mml_metric_input *input);

typedef struct mml_bootstrap_options {
    size_t struct_size;
    size_t resamples;    /**< valid ones, >= 2 [1000] */
    double level;        /**< share of resamples inside the interval, between 0 and 1 [0.95] */
    uint64_t seed;       /**< [0] */
    const size_t *group; /**< (n) numbers below n, equal for samples of one patient: whole groups are drawn, because
                              several images of one patient are not several patients. NULL = each sample on its own */
} mml_bootstrap_options;
MML_API void mml_bootstrap_options_init(mml_bootstrap_options *options);

typedef struct mml_interval {
    double value;     /**< the metric on all samples */
    double low, high; /**< percentile interval (type 7 quantiles of the resampled values) */
    size_t resamples; /**< that the interval is made of */
    size_t redrawn;   /**< resamples thrown away because the metric was not defined on them */
} mml_interval;

/**
 * A metric with its bootstrap percentile interval.
 *
 * Every resample draws n samples (or as many groups as there are) with replacement. One on which the metric
 * is not defined (a single class, no comparable pair; for the macro AUC also: a class is lost) is thrown
 * away and drawn again, up to 10 draws for each resample asked for. The draws depend on the seed, the number of
 * the draw and the number of samples only: two models evaluated on the same samples with the same seed see
 * the same resamples (until one of them has to redraw), and a repetition gives the same bits.
 *
 * @param options  NULL = the defaults
 * @return MML_E_DATA also when there is only one sample or group, or when too many resamples had to be thrown
 *         away: the rarest class is then too rare for an interval
 */
MML_API MML_MUST_USE mml_status mml_metric_bootstrap(mml_interval *out, mml_metric metric,
                                                     const mml_metric_input *input,
                                                     const mml_bootstrap_options *options);

#ifdef __cplusplus
}
#endif
#endif
