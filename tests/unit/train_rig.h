/* train_rig.h - a small made cohort with a signal, and short trainings on it. */
#ifndef MMLT_TRAIN_RIG_H
#define MMLT_TRAIN_RIG_H

#include "tests/unit/make_cohort.h"
#include "train/trainer.h"

enum { RIG_N = 160, RIG_WIDTH = 6, RIG_MOST = 5 };

/* How a cohort departs from the standard one. */
typedef struct rig_spec {
    bool survival;      /* task "outcome" is survival instead of binary */
    bool other_test;    /* values, labels and token counts of the test part (column set = b) are different ones */
    double factor;      /* multiplies the table values; 0 = 1 */
    double rare;        /* share of positives; 0 = 0.5 */
} rig_spec;

/* Modalities "labs" (table, every sample but each 7th) and "vitals" (series of 0 .. RIG_MOST tokens); column "set": every
 * fourth sample is "b", the rest "a". The label is readable from either modality, better from both. */
mml_cohort *rig_cohort(mmlt_cohort *made, const rig_spec *spec);

/* Small block, few epochs, fixed threads; trained on set = a. */
mml_block_options rig_block(mml_encoder_kind encoder);
mml_train_options rig_options(void);
mml_model *rig_train(mml_cohort *cohort, const char *modality, const mml_train_options *o);

/* All parameters, preprocessing apart, are the same to the bit. */
void rig_same_parameters(const mml_model *a, const mml_model *b);
double rig_score(const mml_model *model, mml_cohort *cohort, const char *on);

/* Allocations between calls of the watch within one epoch: on the device (hidden backend), or on the host (cpu). */
typedef struct rig_counts {
    bool device;
    uint64_t last;
    size_t grew, steps, from_epoch;
} rig_counts;

/* A watch; user: rig_counts. */
int rig_count(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps);

#endif
