/* ragged.h - which tokens belong to which sample, on the host and on the device.
 *
 * Samples without tokens are left out: segment p is sample idx[p]. Nothing downstream pads or masks.
 */
#ifndef MMLI_OPS_RAGGED_H
#define MMLI_OPS_RAGGED_H

#include "ops/tape.h"

typedef struct mmli_ragged {
    size_t samples;     /* B, with and without tokens */
    size_t segs;        /* P <= B that have tokens */
    size_t tokens;      /* T */
    const int64_t *off; /* (P + 1) host */
    mmli_mem *off_dev;  /* int64 */
    const int32_t *idx; /* (P) host: sample of each segment, ascending */
    mmli_mem *idx_dev;  /* int32; NULL when P = B */
    bool single;        /* every segment has exactly one token */
    /* Of a batch that several devices share: segments and tokens of the samples before these; else 0. */
    size_t segs_before, tokens_before;
} mmli_ragged;

/* From offsets (samples + 1) of all samples. Lives as long as the pass. */
mml_status mmli_ragged_make(mmli_ragged *out, mmli_tape *tape, const int64_t *offsets, size_t samples);
/* The same segments with one token each: what a pooling encoder gives. */
mml_status mmli_ragged_pooled(mmli_ragged *out, mmli_tape *tape, const mmli_ragged *in);
/* A copy in the memory of the pass, for the way back: callers keep theirs on the stack. */
mmli_ragged *mmli_ragged_keep(mmli_tape *tape, const mmli_ragged *ragged);

#endif
