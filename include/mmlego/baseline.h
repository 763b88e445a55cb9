/* baseline.h - the systems that LegoMerge and LegoFuse are compared with (doc/baselines.md): other architectures on the same
 * cohorts, preprocessing, tasks and training. What they give is an mml_model like any other: it predicts, is evaluated, saved
 * and inspected; it cannot be merged or fused.
 */
#ifndef MMLEGO_BASELINE_H
#define MMLEGO_BASELINE_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/model.h"
#include "mmlego/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mml_baseline_kind {
    MML_BASELINE_SNN = 0,      /**< one modality: self-normalising network, a linear head */
    MML_BASELINE_ABMIL,        /**< one modality: gated attention over its tokens, a linear head */
    MML_BASELINE_PERCEIVER,    /**< a latent attends to the tokens of all modalities, joined (early concatenation) */
    MML_BASELINE_MULTIMODN,    /**< a state is updated by one modality after the other and read after each */
    MML_BASELINE_LATE_CONCAT,  /**< a vector a modality, concatenated */
    MML_BASELINE_LATE_BILINEAR, /**< a vector a modality, gated Kronecker products */
    MML_BASELINE_MCAT,         /**< tables query bags, then transformers on both sides */
    MML_BASELINE_HEALNET,      /**< a latent attends to one modality after the other, in every layer */
    MML_BASELINE_LINEAR        /**< penalised logistic, Cox or ridge regression: a clinician's reference */
} mml_baseline_kind;

/** "snn", "abmil", "perceiver", "multimodn", "late-concat", "late-bilinear", "mcat", "healnet", "linear"; NULL past the last. */
MML_API const char *mml_baseline_name(mml_baseline_kind kind);
/** @return MML_E_ARG suggests the nearest name */
MML_API MML_MUST_USE mml_status mml_baseline_from_name(mml_baseline_kind *out, const char *name);

/** Fill with mml_baseline_options_init(). In brackets whose they are and, after a colon, their default. */
typedef struct mml_baseline_options {
    size_t struct_size;
    mml_baseline_kind kind;
    size_t width;        /**< of the vector of a modality [snn, abmil, late fusion, mcat: 256]; of the state [multimodn: 64] */
    size_t hidden;       /**< width of hidden layers [abmil and bags in late fusion: 512; multimodn: 64; mcat, of the
                              feed-forward: 512] */
    size_t layers;       /**< of the network that reads a table [snn, late fusion: 4; mcat: 2]; hidden ones [multimodn: 1] */
    size_t latent_c, latent_d; /**< latent [perceiver, healnet: 64 x 64] */
    size_t depth;        /**< layers of attention [perceiver, healnet: 2; mcat, transformer layers: 2] */
    size_t cross_heads;  /**< of attention to tokens [perceiver, healnet: 1] */
    size_t self_heads;   /**< of attention within the latent [perceiver, healnet: 8], or among vectors [mcat: 8] */
    size_t head_width;   /**< of a head [perceiver, healnet: 64] */
    size_t self_layers;  /**< self-attentions of the latent after attention to tokens, in every layer [perceiver, healnet: 1] */
    double tau;          /**< softmax temperature [perceiver, healnet: 0.5, as released; 1 = as published] */
    int leaky_output;    /**< LeakyReLU 0.01 after the output projection of attention [perceiver, healnet: 1, as released] */
    double dropout;      /**< [0.25; perceiver, healnet, multimodn: 0] */
    double penalty;      /**< squared norm of the weights, times half of this [linear: -1]; < 0 = chosen on the validation part */
    size_t reduction;    /**< how many times narrower vectors are before their products [late-bilinear: 8] */
} mml_baseline_options;

/** Defaults of an architecture, as published; where the publication is silent, as its code was released.
 *  @return MML_E_ARG no such kind */
MML_API MML_MUST_USE mml_status mml_baseline_options_init(mml_baseline_options *options, mml_baseline_kind kind);

/**
 * Does the architecture allow these modalities, and the options make sense? Names and widths are not looked at.
 * @param modalities  (n)
 * @return MML_E_ARG  the message says why not
 */
MML_API MML_MUST_USE mml_status mml_baseline_check(const mml_baseline_options *options, const mml_modality_info *modalities,
                                                   size_t n);

/**
 * Trains an architecture on some modalities of a cohort: on every labelled sample that has at least one of them. A missing
 * modality is skipped, or its vector is 0, or the mean of the training part (doc/baselines.md).
 *
 * @param modalities  (n) names, each once
 * @param baseline    NULL is not allowed: the kind is in it
 * @param prep        (n) preprocessing of each modality; NULL = that of preset mmlego
 * @param options     NULL = those of preset mmlego for the first modality. shared_head is not used. MML_BASELINE_LINEAR uses
 *                    class_weights, seed, split, threads and backend only, and for survival always the Cox likelihood
 * @return MML_E_ARG        as mml_baseline_check(); a modality named twice
 *         MML_E_DATA       empty part, one class only, infinite value (names sample and feature)
 *         MML_E_NOT_FINITE the loss became NaN or infinite
 *         MML_E_STOPPED    the watch asked for it
 */
MML_API MML_MUST_USE mml_status mml_train_baseline(mml_model **out, mml_cohort *cohort, const char *const *modalities, size_t n,
                                                   const char *task, const mml_baseline_options *baseline,
                                                   const mml_prep_options *prep, const mml_train_options *options);

/** The architecture of a model of kind MML_MODEL_BASELINE. @return MML_E_ARG another kind of model */
MML_API MML_MUST_USE mml_status mml_model_baseline(mml_baseline_options *out, const mml_model *model);

#ifdef __cplusplus
}
#endif
#endif
