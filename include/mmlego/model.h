/* model.h - LegoBlock, LegoMerge, LegoFuse: their options, and the model handle over all of them.
 *
 * A model is a block (one modality), a merge (blocks joined without training), a fuse (blocks stacked or
 * woven and fine-tuned) or a baseline (another architecture, baseline.h). A merged or fused model contains its blocks; what
 * is called a block of a baseline is one of its modalities. A loaded or trained model is only read
 * afterwards: any number of threads may predict with it, each with a predictor of its own (predict.h).
 */
#ifndef MMLEGO_MODEL_H
#define MMLEGO_MODEL_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mml_model mml_model;

/* ---- preprocessing ---------------------------------------------------------------------------- */
typedef enum mml_scaling { MML_SCALE_STANDARD = 0, MML_SCALE_ROBUST, MML_SCALE_NONE } mml_scaling;
typedef enum mml_imputation { MML_IMPUTE_MEDIAN = 0, MML_IMPUTE_MEAN, MML_IMPUTE_ZERO, MML_IMPUTE_LOCF } mml_imputation;
typedef enum mml_indicators { MML_INDICATE_NONE = 0, MML_INDICATE_MISSING, MML_INDICATE_MASK } mml_indicators;

/** Learnt on the training part, stored in the model, applied unchanged at prediction. */
typedef struct mml_prep_options {
    size_t struct_size;
    mml_scaling scaling;       /**< per feature */
    double clip;               /**< scaled values limited to +-clip; 0 = not [5] */
    mml_imputation imputation; /**< of values not measured */
    mml_indicators indicators; /**< extra 0/1 columns */
    unsigned position_bands;   /**< Fourier bands per position axis; 0 = no positions */
} mml_prep_options;

/* ---- blocks ------------------------------------------------------------------------------------- */
typedef enum mml_encoder_kind {
    MML_ENCODER_NONE = 0,
    MML_ENCODER_LINEAR,
    MML_ENCODER_SNN,
    MML_ENCODER_ABMIL,
    MML_ENCODER_SELFATTN,
    MML_ENCODER_EMBEDDING,
    MML_ENCODER_CUSTOM
} mml_encoder_kind;

typedef enum mml_transform {
    MML_TRANSFORM_2D = 0,  /**< unitary 2-D DFT of the latent (paper) */
    MML_TRANSFORM_1D,      /**< DFT along the latent-channel axis, not normalised (upstream) */
    MML_TRANSFORM_SPATIAL  /**< none: ablation `domain = spatial`, I = 0 */
} mml_transform;

typedef enum mml_start { MML_START_RANDOM = 0, MML_START_SHARED } mml_start;

/** Everything that defines a LegoBlock (doc/method.md 2). Fill with mml_block_options_init(). */
typedef struct mml_block_options {
    size_t struct_size;
    size_t latent_c, latent_d; /**< latent L0 (c x d) */
    size_t steps;              /**< update steps S */
    size_t heads, head_width;  /**< H, e */
    int share_steps;           /**< 1 = one set of weights for all steps */
    mml_transform transform;
    int normalise_latent;      /**< each column of the latent divided by its 2-norm at every step (upstream) */
    int context_dft;           /**< context = Re(DFT of the tokens along the token axis) (upstream) */
    int drop_imaginary;        /**< ablation `imaginary = drop`: I = 0 after step 0 */
    double tau;                /**< softmax temperature */
    int leaky_output;          /**< phi = LeakyReLU 0.01 after the output projection; 0 = identity */
    int raw_layers;            /**< encoder selfattn as upstream has it: x_enc = FF_s(x) + x in step s, attention not computed */
    int encoder_each_step;     /**< the encoder runs anew in every step: differs in training only, by its dropout (upstream) */
    int handover_real;         /**< LegoFuse stack hands R over as if spatial (upstream) */
    double dropout;            /**< on the outputs of attention and feed-forward */
    mml_encoder_kind encoder;
    size_t encoder_width;      /**< snn 256, linear 32, abmil 512 (then 256 and 256); 0 = that default */
    size_t encoder_layers;     /**< snn 4; 0 = default */
    double encoder_dropout;    /**< snn alpha dropout, linear input dropout, abmil dropout; < 0 = default */
    size_t selfattn_limit;     /**< selfattn refuses samples with more tokens [4096] */
    const char *custom;        /**< name of the custom encoder (mml_encoder), else NULL. Borrowed */
} mml_block_options;

/**
 * Options of a preset: "mmlego" (default), "paper", "upstream"; see doc/method.md 2.
 * @param kind  what the modality is: chooses the encoder and the preprocessing defaults
 * @param prep  may be NULL
 * @return MML_E_ARG unknown preset (message lists them)
 */
MML_API MML_MUST_USE mml_status mml_block_options_init(mml_block_options *block, mml_prep_options *prep,
                                                       const char *preset, mml_modality_kind kind, mml_task_kind task);

/** "none", "linear", ... and back (MML_E_ARG suggests the nearest). */
MML_API const char *mml_encoder_name(mml_encoder_kind kind);
MML_API MML_MUST_USE mml_status mml_encoder_from_name(mml_encoder_kind *out, const char *name);

/* ---- merge ---------------------------------------------------------------------------------------- */
typedef enum mml_aggregation {
    MML_MERGE_HARMONIC = 0, /**< equation 4 */
    MML_MERGE_MEAN,         /**< sum a_m Z_m, a normalised */
    MML_MERGE_SUM,          /**< sum of Z_m over the blocks present, weights times their number */
    MML_MERGE_PRODUCT       /**< product of Z_m (unweighted) */
} mml_aggregation;
typedef enum mml_phase { MML_PHASE_CIRCULAR = 0, MML_PHASE_ARITHMETIC } mml_phase;
typedef enum mml_head_method { MML_HEAD_SLERP = 0, MML_HEAD_LINEAR, MML_HEAD_ENSEMBLE } mml_head_method;
typedef enum mml_latent_scale { MML_LATENT_RAW = 0, MML_LATENT_POOLED, MML_LATENT_LAYERNORM } mml_latent_scale;
typedef enum mml_weighting {
    MML_WEIGHT_EQUAL = 0,
    MML_WEIGHT_GIVEN,      /**< options.weights */
    MML_WEIGHT_VALIDATION, /**< proportional to d' = sqrt(2) probit(score) of each block: that of its cross-validation,
                                or without one that of its validation part; if all were cross-validated, to the mean of
                                their d' and that of the block (doc/method.md 3b point 4) */
    MML_WEIGHT_CORRELATED, /**< Sigma^-1 d' from scores on paired unlabelled samples: needs a cohort */
    MML_WEIGHT_SEARCH      /**< simplex search on paired validation samples: needs a cohort */
} mml_weighting;

typedef struct mml_merge_options {
    size_t struct_size;
    mml_aggregation aggregation;
    mml_phase phase;           /**< of harmonic */
    int upstream_harmonic;     /**< harmonic as upstream has it: 2 a (1-a) times equation 4 for two blocks, angles averaged
                                    equally whatever the weights */
    mml_head_method head;
    mml_latent_scale scale;    /**< same loudness (doc/method.md 3b point 3) */
    mml_weighting weighting;
    const double *weights;     /**< for MML_WEIGHT_GIVEN: one a block (those of a merged model count one by one, a committee as one), >= 0,
                                    not all 0. Borrowed */
    mml_cohort *cohort;        /**< for correlated and search; else NULL. Borrowed */
    uint64_t seed;             /**< draws samples for correlated and search from a very large cohort */
    int threads;               /**< 0 = all */
    const char *device;        /**< mml_device_describe(): where the blocks run for correlated and search; NULL = where the first
                                    of them is, and there the merged model is in any case. Borrowed */
} mml_merge_options;
/** "mmlego" or "paper" or "upstream". */
MML_API MML_MUST_USE mml_status mml_merge_options_init(mml_merge_options *options, const char *preset);

/**
 * Joins blocks without training (doc/method.md 3). A merged model among `models` contributes its blocks.
 * The arguments may be freed: what the result has of them it keeps. Parameters are not copied but shared, and go with the
 * last model that has them, in whichever thread. Further blocks of one modality are called "modality#2", ...
 *
 * @param options  NULL = defaults
 * @return MML_E_SHAPE  latents or outputs differ in size
 *         MML_E_ARG    different transform or task; time bins or standardisation that differ because the blocks were
 *                      trained on different splits; a fuse or a baseline among the models
 *         MML_E_DATA   weights: a block without validation score, or too few samples to choose them on
 */
MML_API MML_MUST_USE mml_status mml_merge(mml_model **out, const mml_model *const *models, size_t n,
                                          const mml_merge_options *options);

/* ---- fuse ------------------------------------------------------------------------------------------ */
typedef enum mml_fuse_mode { MML_FUSE_STACK = 0, MML_FUSE_WEAVE } mml_fuse_mode;
typedef enum mml_freeze { MML_FREEZE_NOTHING = 0, MML_FREEZE_ENCODERS, MML_FREEZE_BLOCKS } mml_freeze;
/** How loud each block starts: as it was trained, or as a merge with weights by validation would hear it (doc/method.md 4). */
typedef enum mml_loudness { MML_LOUD_TRAINED = 0, MML_LOUD_WEIGHTED } mml_loudness;
typedef enum mml_order { MML_ORDER_VALIDATION = 0, MML_ORDER_GIVEN } mml_order; /**< weakest first by the score that
                                                                             VALIDATION weighs by, or as given */

typedef struct mml_fuse_options {
    size_t struct_size;
    mml_fuse_mode mode;
    mml_freeze freeze;
    mml_order order;
    double modality_dropout; /**< chance that a present modality is dropped for a sample in training; one stays */
    mml_head_method head;    /**< of the start: slerp or linear */
    mml_loudness loudness;   /**< of the start */
} mml_fuse_options;
MML_API MML_MUST_USE mml_status mml_fuse_options_init(mml_fuse_options *options, const char *preset);

/** The fused model at its start, before fine-tuning (train.h has mml_train_fuse). Owns copies of the blocks. */
MML_API MML_MUST_USE mml_status mml_fuse(mml_model **out, const mml_model *const *models, size_t n,
                                         const mml_fuse_options *options);

/* ---- files and facts --------------------------------------------------------------------------------- */
typedef enum mml_model_kind { MML_MODEL_BLOCK = 0, MML_MODEL_MERGE, MML_MODEL_FUSE, MML_MODEL_BASELINE } mml_model_kind;

/**
 * @param encoders  custom encoders by name, for models that use one (tensor.h); NULL when n_encoders is 0
 * @return MML_E_IO, MML_E_FORMAT (not a model, truncated, newer format version), MML_E_NOT_FOUND (its custom encoder
 *         is not among `encoders`)
 */
MML_API MML_MUST_USE mml_status mml_model_load(mml_model **out, const char *path, const mml_encoder *encoders,
                                               size_t n_encoders);
/** Whole or not at all: a temporary file, fsync, rename. */
MML_API MML_MUST_USE mml_status mml_model_save(const mml_model *model, const char *path);
/** NULL is fine. */
MML_API void mml_model_free(mml_model *model);

/**
 * A model as a safetensors file for PyTorch: parameters under the names of the released code's modules (doc/model-file.md 7),
 * modules that are used twice under each of their names; everything else of the model in `__metadata__`, so that
 * mml_model_load_state() gives the same model to the bit. Whole or not at all.
 */
MML_API MML_MUST_USE mml_status mml_model_save_state(const mml_model *model, const char *path);

/** What the state_dict of a LegoBlock, LegoMerge or LegoFuse of the released code does not say. Not needed for files of
 * mml_model_save_state(). */
typedef struct mml_state_options {
    size_t struct_size;
    const char *modality;        /**< its name in cohorts: needed, of a LegoMerge or LegoFuse `modalities` instead */
    int modality_kind;           /**< mml_modality_kind, or -1: table for an SNN, bag for attention-based MIL, else series.
                                      -1 for several blocks: of each by its encoder, or as in `cohort` */
    const char *const *features; /**< (n_features) names of one block, checked at prediction; NULL = not checked */
    size_t n_features;
    const char *task;            /**< its name in cohorts: needed */
    int task_kind;               /**< mml_task_kind: needed unless the cohort has the task; -1 = not given */
    const char *const *classes;  /**< (n_classes) in the order of the outputs; none = "0", "1", ... */
    size_t n_classes;
    const double *edges;         /**< (n_edges) survival: edges of the time bins, one more than outputs */
    size_t n_edges;
    const char *unit;            /**< of times or values; NULL = not said */
    mml_cohort *cohort;          /**< kinds, features, classes and unit as this cohort has them; or NULL. Borrowed */
    size_t heads;                /**< of attention; 0 = 8 */
    size_t steps;                /**< where one set of weights stands for several steps; 0 = as many as there are */
    int spatial, drop_imaginary, not_normalised; /**< ablations of the released code that leave no trace in its state */
    int model_kind;              /**< mml_model_kind: a LegoMerge and a LegoFuse have the same names. -1 = a LegoBlock */
    const char *const *modalities; /**< (n_modalities) of a LegoMerge or LegoFuse, in the order of its blocks */
    size_t n_modalities;
    int block;                   /**< of a LegoMerge or LegoFuse, only this block, counted from 0; -1 = all */
    int aggregation;             /**< of a LegoMerge: mml_aggregation (its merge_method): needed; -1 = not given */
    int first_latent;            /**< a LegoFuse whose stack starts from the latent of its first block, not from its own */
} mml_state_options;
MML_API void mml_state_options_init(mml_state_options *options);

/**
 * A model out of a safetensors file: of mml_model_save_state(), or the state_dict of a LegoBlock, LegoMerge or LegoFuse of the
 * released code (then preset upstream, tokens used as they are, an even prior). Shapes say latent, steps, encoder and outputs;
 * the merged head of a LegoMerge says its alpha. Refused, for they compute what no model here does: a LegoMerge whose heads
 * were not joined linearly, or of more than two blocks; one that means or sums latents with an alpha that is not 1/2.
 * A LegoFuse is a stack: what the released code calls weave is another computation than here.
 * @param options   NULL = defaults; used for a state_dict only
 * @param encoders  as mml_model_load()
 * @return MML_E_IO, MML_E_FORMAT (not safetensors; damaged; a tensor missing or too much), MML_E_SHAPE (a tensor's shape;
 *         numbers of classes or features), MML_E_ARG (something that options have to say), MML_E_NOT_FOUND
 */
MML_API MML_MUST_USE mml_status mml_model_load_state(mml_model **out, const char *path, const mml_state_options *options,
                                                     const mml_encoder *encoders, size_t n_encoders);

/** What a model is. All pointers are lent until mml_model_free(). */
MML_API mml_model_kind mml_model_get_kind(const mml_model *model); /**< a block, merged, fused or a baseline */
MML_API mml_task_kind mml_model_task_kind(const mml_model *model); /**< what it predicts */
MML_API const char *mml_model_task(const mml_model *model);       /**< name of the task. Lent */
MML_API size_t mml_model_n_outputs(const mml_model *model);       /**< k: classes, hazards, or 1 */
MML_API size_t mml_model_n_blocks(const mml_model *model);
/** Members of the committee that a block belongs to (mml_train_options.committee): they stand side by side, and share the weight of one block.
 *  1 = it is none, or alone. */
MML_API size_t mml_model_committee(const mml_model *model, size_t i);
MML_API const char *mml_model_block_name(const mml_model *model, size_t i);     /**< Lent; NULL past the end */
MML_API const char *mml_model_block_modality(const mml_model *model, size_t i); /**< Lent; NULL past the end */
/** Is a block of one model a block of another (or of the same one): of one modality, with the same parameters to the bit? Blocks that were
 *  trained differ; these are copies, which a merge would weigh twice.
 *  @param[out] same  1 or 0
 *  @return MML_E_ARG past the end; MML_E_NOMEM, MML_E_DEVICE */
MML_API MML_MUST_USE mml_status mml_model_same_block(int *same, const mml_model *a, size_t i, const mml_model *b, size_t j);
MML_API size_t mml_model_n_classes(const mml_model *model);       /**< 0 unless a classifier */
MML_API const char *mml_model_class(const mml_model *model, size_t i);          /**< Lent; NULL past the end */
/** Upper edges of the survival time bins, (k+1) values with the lower edge first, in the cohort's time unit; NULL otherwise. Lent */
MML_API const double *mml_model_bins(const mml_model *model);
MML_API size_t mml_model_n_parameters(const mml_model *model);    /**< scalars in all */
/** What `mmlego inspect` says of a model, as JSON. @param[out] json yours: mml_string_free() */
MML_API MML_MUST_USE mml_status mml_model_describe(char **json, const mml_model *model);

#ifdef __cplusplus
}
#endif
#endif
