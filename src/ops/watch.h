/* watch.h - how the tokens of a pass were weighted, for whoever wants to see it (tape.h, mmli_tape_watch).
 *
 * Layers that weigh tokens - the steps of a block, the pooling of a bag - show the weights when a watch is set and the pass
 * does not record. They are the numbers of the forward pass, from the same queries and keys. */
#ifndef MMLI_OPS_WATCH_H
#define MMLI_OPS_WATCH_H

#include "ops/ragged.h"

typedef struct mmli_seen {
    const void *of;             /* whose weights: the mmli_block of a step, the mmli_encoder of a pooling */
    size_t step;                /* of a block; 0 of an encoder */
    bool pool;                  /* weights of a pooling encoder */
    const float *weights;       /* (ragged->tokens) on the host, sum 1 in each segment; NULL: every segment has one token */
    const mmli_ragged *ragged;
} mmli_seen;

struct mmli_watch {
    mml_status (*show)(void *user, const mmli_seen *seen); /* what is shown is lent for the call */
    void *user;
};

/* Shows something to the tape's watch; a failure is the tape's. */
void mmli_show(mmli_tape *tape, const mmli_seen *seen);
/* Does somebody look at this pass? */
bool mmli_is_watched(const mmli_tape *tape);

#endif
