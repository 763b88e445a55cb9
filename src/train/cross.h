/* cross.h - cross-validation of a block inside its training and validation samples: how good it is, for the weights of a merge, and the
 * committee that its trainings make. */
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
    size_t member; /* of a committee: 0 = the block itself. Others start from other values, but for the head, which is shared */
    /* One training on `part` (N) of the cohort. */
    mml_status (*run)(mml_model **out, const mmli_block_training *b, const mml_train_options *o, const mml_part *part);
};

/* Sets cross_folds and cross_score of *block, which has been trained on `part` (N) with these options, if they ask for it. Where they
 * ask for a committee, *block is replaced by the merge of it and of the blocks of the folds. */
mml_status mmli_train_cross(mml_model **block, const mmli_block_training *b, const mml_train_options *o, const mml_part *part);

/* Replaces *block by the merge, with equal weights, of it and of n blocks of the same modality, all of which then say that they are
 * one committee and how good *block is (committee.c). */
mml_status mmli_committee_make(mml_model **block, mml_model *const *more, size_t n);

#endif
