/* shard.h - the part of a batch that one device of several works on. */
#ifndef MMLI_TRAIN_SHARD_H
#define MMLI_TRAIN_SHARD_H

#include "model/model.h"

/* Samples first .. first + count - 1 of a batch. */
typedef struct mmli_shard {
    const size_t *samples; /* (all) the whole batch, lent */
    size_t all, first, count;
    bool shared; /* with other devices, which may have all of it */
} mmli_shard;

/* What of the batch comes before a shard, in one modality: dropout counts on from there. */
typedef struct mmli_before {
    size_t segs, tokens;
} mmli_before;

static inline mmli_shard mmli_shard_whole(const size_t *samples, size_t n)
{
    return (mmli_shard){samples, n, 0, n, false};
}

/* The shard of device `rank` of `ranks`: neighbours, as many as the others have, or one less. None where the batch is smaller. */
static inline mmli_shard mmli_shard_of(const size_t *samples, size_t n, size_t rank, size_t ranks)
{
    const size_t first = n / ranks * rank + (rank < n % ranks ? rank : n % ranks);

    return (mmli_shard){samples, n, first, n / ranks + (rank < n % ranks), true};
}

/* drop (members, all) of a fuse in training: 1 = present, and left out by its modality_dropout (drops.c). */
void mmli_shard_drops(uint8_t *drop, const mmli_shard *s, const mml_model *model, const int64_t *const *offsets, uint64_t seed, uint64_t step);
/* before (members) from the offsets (members) of each member's modality in the cohort. drop (members, all): 1 = left out, or NULL;
 * it becomes (members, count), that of the shard. */
void mmli_shard_cut(mmli_before *before, uint8_t *drop, const mmli_shard *s, const int64_t *const *offsets, size_t members);
void mmli_shard_place(mmli_inputs *inputs, const mmli_before *before, size_t members);

#endif
