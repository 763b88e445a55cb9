/* sums.h - what the devices of one training add up in a step: gradients, bucket by bucket while the way back goes on, the loss, and
 * the risks that a Cox loss compares over the whole batch. One for each device. */
#ifndef MMLI_TRAIN_SUMS_H
#define MMLI_TRAIN_SUMS_H

#include "backends/group.h"
#include "nn/ready.h"
#include "train/shard.h"

typedef struct mmli_sums {
    mmli_group *group; /* lent */
    size_t rank;
    mmli_mem *grads, *loss; /* lent: flat, and one float64 */
    mmli_buckets buckets;
} mmli_sums;

/* The way back of a shard: gradients are given as they are ready. */
mml_status mmli_sums_backward(mmli_sums *s, const mmli_bound *bound, mmli_tape *tape);
/* A shard without samples has gradients of 0. */
mml_status mmli_sums_nothing(mmli_sums *s, mmli_device *dv);
/* Gradients and loss are those of the batch. */
mml_status mmli_sums_take(mmli_sums *s);
/* risks (shard->count, 1), NULL where there are none, of every device: *all (shard->all, 1), a variable of its own on the tape. */
mml_status mmli_sums_risks(mmli_var **all, mmli_sums *s, mmli_tape *tape, const mmli_var *risks, const mmli_shard *shard);

#endif
