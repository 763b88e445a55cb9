/* cross.h - cross-validation of a block inside its training and validation samples: how good it is, for the weights of a merge. */
#ifndef MMLI_TRAIN_CROSS_H
#define MMLI_TRAIN_CROSS_H

#include "train/trainer.h"

/* What is trained; everything lent. */
typedef struct mmli_block_training mmli_block_training;
struct mmli_block_training {
    mml_cohort *cohort;
    mml_modality_info modality;
    mml_task_info task;
    mml_block_options block;
    mml_prep_options prep;
    const mml_encoder *encoder;
    const mmli_backend *table;
    /* One training on `part` (N) of the cohort. */
    mml_status (*run)(mml_model **out, const mmli_block_training *b, const mml_train_options *o, const mml_part *part);
};

/* Sets cross_folds, and with it cross_score and cross_spread, of the block that has been trained on `part` (N) with these options, if they ask for it. */
mml_status mmli_train_cross(mmli_provenance *from, const mmli_block_training *b, const mml_train_options *o, const mml_part *part);

#endif
