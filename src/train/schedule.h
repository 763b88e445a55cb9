/* schedule.h - the learning rate of every step. */
#ifndef MMLI_TRAIN_SCHEDULE_H
#define MMLI_TRAIN_SCHEDULE_H

#include "mmlego/train.h"

/* Rate of step `step` (from 0) of `total`. Linear warm-up to the full rate over o->warmup steps (at most a tenth of the
 * training, so that short ones reach it too); then constant, cosine to 0, or the plateau's factor. */
double mmli_schedule_rate(const mml_train_options *o, uint64_t step, uint64_t total, double plateau_factor);

/* Reduce on plateau: after 3 epochs without a better score the factor halves, down to 1/64. */
void mmli_schedule_plateau(double *factor, double *best, size_t *bad, double score);

#endif
