/* walk.h - a cohort in chunks of samples, for whatever runs a model over it. */
#ifndef MMLI_MODEL_WALK_H
#define MMLI_MODEL_WALK_H

#include "io/ahead.h"
#include "model/model.h"
#include "model/streams.h"

enum { MMLI_WALK_LARGE = 256 << 20 };

typedef struct mmli_walk {
    mml_cohort *cohort;
    const size_t *samples; /* (n) */
    size_t n, at, most;    /* next sample; samples in a chunk */
    bool by_size;          /* chunks also end before they hold too many values */
    const char **names;    /* (n_names) modalities of the model that the cohort has */
    mml_modality_info *info;
    size_t n_names;
    mmli_match **matches;  /* (members) how its tokens become those of training; NULL: the cohort lacks the modality */
    size_t *all; /* samples 0 .. N-1, when the caller named none */
    mmli_ahead *ahead;
    const mml_model *model;
    size_t large;          /* bytes of a sample's tokens of one modality from which on they are not read whole; 0: never */
    mml_batch *batch;      /* what is read of such a sample */
    mmli_source **sources; /* (members): of the sample of this chunk those that are not in the batch; else NULL */
} mmli_walk;

/* Checks the cohort against the model: features by name (data/match.h), kinds of modalities, at least one modality in common.
 * samples NULL = all of them; most 0 = up to 64 a chunk, fewer when they have many tokens. */
mml_status mmli_walk_begin(mmli_walk *walk, const mml_model *model, mml_cohort *cohort, const size_t *samples, size_t n,
                           size_t most);
/* *batch = the next chunk, lent; its samples are samples[0 .. *n - 1]. NULL after the last. With walk->large set (after the
 * beginning), a sample with that many tokens is a chunk of its own, without those tokens: blocks that can read them in pieces
 * have a source for them until the next call. */
mml_status mmli_walk_next(const mml_batch **batch, const size_t **samples, size_t *n, mmli_walk *walk);
void mmli_walk_end(mmli_walk *walk);

#endif
