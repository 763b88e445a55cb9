/* train.h - training a block, fine-tuning a fuse (doc/method.md 6). */
#ifndef MMLEGO_TRAIN_H
#define MMLEGO_TRAIN_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mml_schedule { MML_SCHEDULE_COSINE = 0, MML_SCHEDULE_CONSTANT, MML_SCHEDULE_PLATEAU } mml_schedule;
typedef enum mml_survival_loss { MML_LOSS_NLL = 0, MML_LOSS_COX } mml_survival_loss;
typedef enum mml_class_weights { MML_CLASS_EQUAL = 0, MML_CLASS_BALANCED } mml_class_weights;

#define MML_FOLDS_AUTO (-1)
typedef enum mml_committee { MML_COMMITTEE_NO = 0, MML_COMMITTEE_YES, MML_COMMITTEE_AUTO } mml_committee;

/** One line of the training log. */
typedef struct mml_epoch {
    size_t epoch, epochs;      /**< from 1 */
    double train_loss, valid_loss;
    double valid_score;        /**< AUC, macro AUC, c-index or R^2; NaN when it cannot be computed */
    double learning_rate, gradient_norm; /**< last rate, mean norm before clipping */
    double seconds;            /**< wall time of the epoch */
    int best;                  /**< 1 = best so far */
} mml_epoch;

/** Called after every step but the last of an epoch (epoch NULL) and after every epoch; while a block is cross-validated, after its training,
 *  with epoch_now 0 and the fold, from 1, as step of steps. Return non-zero to stop: a checkpoint is written
 *  if asked for and the call gives MML_E_STOPPED. */
typedef int (*mml_train_watch)(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps);

/** Fill with mml_train_options_init(). */
typedef struct mml_train_options {
    size_t struct_size;
    size_t epochs;
    size_t batch;              /**< samples */
    double learning_rate;
    double weight_decay;       /**< decoupled; not on biases, LayerNorm and the latent */
    double encoder_decay;      /**< of the encoder's weights; < 0 = 0.1 for encoder linear, else weight_decay */
    mml_schedule schedule;
    size_t warmup;             /**< steps of linear warm-up */
    double clip_norm;          /**< global gradient norm; 0 = no clipping */
    size_t patience;           /**< epochs without a better validation score (at equal scores, a lower loss) before stopping;
                                    0 = never */
    double loss_share;         /**< an epoch is judged by its validation score less this times its validation loss */
    double l1;                 /**< on weights (not biases, LayerNorm, latent) */
    mml_class_weights class_weights;
    mml_survival_loss survival_loss;
    double survival_alpha;     /**< weight of uncensored patients in the NLL, a */
    size_t bins;               /**< survival time bins k */
    int weight_folds;          /**< of a block: the score that a merge weighs it by is measured by cross-validation in so many folds of
                                    its training and validation samples; 0 = it is that of the validation part; MML_FOLDS_AUTO =
                                    5 where too few samples of that part have the modality to
                                    tell (doc/method.md 6), else 0 */
    mml_committee committee;   /**< of a block: keep the trainings of that cross-validation as members beside the one on all samples. The
                                    result is then their merge (MML_MODEL_MERGE; mml_model_committee()), which mml_merge() and
                                    mml_train_fuse() take as one block: less variance, weight_folds + 1 times the size. AUTO =
                                    for survival of tables by the Cox likelihood; YES: in 5 folds where weight_folds is
                                    MML_FOLDS_AUTO; not for survival in time bins */
    int shared_head;           /**< head fixed at its shared random start while the block trains (3b point 2) */
    uint64_t seed;
    int threads;               /**< 0 = all */
    const char *device;        /**< mml_device_describe(); NULL = cpu; of a fuse: where the first model is. Several GPUs, "cuda:0,1" or
                                    "cuda:all": each has the whole model and a part of each batch; the result is that of one GPU
                                    but for the rounding of sums, and the same again for as many. A custom encoder's functions
                                    are then called by several threads at once. The model is on the first of them */
    const char *checkpoint;    /**< file written at the end of every epoch and on a stop; NULL = none */
    int resume;                /**< 1 = go on from `checkpoint` if it exists, bit for bit */
    mml_train_watch watch;     /**< may be NULL */
    void *watch_user;
    mml_split_options split;
} mml_train_options;

/** Defaults of a preset for a modality kind and a task kind. */
MML_API MML_MUST_USE mml_status mml_train_options_init(mml_train_options *options, const char *preset,
                                                       mml_modality_kind modality, mml_task_kind task);
/** Defaults of fine-tuning a fuse (2 epochs). */
MML_API MML_MUST_USE mml_status mml_train_options_init_fuse(mml_train_options *options, const char *preset, mml_task_kind task);

/**
 * Trains one block on one modality of a cohort; samples without the modality or the label are not used. A committee comes back as
 * an MML_MODEL_MERGE, else it is an MML_MODEL_BLOCK.
 *
 * @param block     NULL = preset mmlego for this modality
 * @param prep      NULL = its preprocessing
 * @param encoder   the custom encoder when block->encoder is MML_ENCODER_CUSTOM, else NULL
 * @return MML_E_DATA        empty part, one class only, infinite value (names sample and feature)
 *         MML_E_NOT_FINITE  the loss became NaN or infinite: names epoch, batch and likely cause; the last good
 *                           checkpoint is kept
 *         MML_E_STOPPED     the watch asked for it
 */
MML_API MML_MUST_USE mml_status mml_train_block(mml_model **out, mml_cohort *cohort, const char *modality,
                                                const char *task, const mml_block_options *block,
                                                const mml_prep_options *prep, const mml_encoder *encoder,
                                                const mml_train_options *options);

/** Builds a fuse of `models` (mml_fuse) and fine-tunes it on the cohort. Of committees the learning rate is divided by the size of the
 *  largest. */
MML_API MML_MUST_USE mml_status mml_train_fuse(mml_model **out, mml_cohort *cohort, const mml_model *const *models,
                                               size_t n, const mml_fuse_options *fuse,
                                               const mml_train_options *options);

#ifdef __cplusplus
}
#endif
#endif
