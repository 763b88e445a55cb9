/* ready.h - parts of the flat gradient buffer, and when they are complete: a gradient can be added up over devices while those of
 * earlier layers are still being computed. */
#ifndef MMLI_NN_READY_H
#define MMLI_NN_READY_H

#include "nn/params.h"

enum { MMLI_BUCKETS_MOST = 9 };

typedef struct mmli_bucket {
    size_t at, n; /* floats of the flat buffer; what is frozen in between is 0 */
} mmli_bucket;

typedef struct mmli_buckets {
    size_t n;
    mmli_bucket list[MMLI_BUCKETS_MOST];
    uint8_t *of;  /* (params) the bucket of each, MMLI_BUCKETS_MOST: none, it is not trained */
    size_t *uses; /* (MMLI_BUCKETS_MOST) of the pass under way */
} mmli_buckets;

/* Neighbouring parameters that are trained, in parts of about an eighth of them; small models have few parts. */
mml_status mmli_buckets_new(mmli_buckets *out, const mmli_params *params, const uint8_t *frozen);
void mmli_buckets_clear(mmli_buckets *buckets);

/* mmli_tape_backward and mmli_params_settle in one: `ready` is told of every bucket, once, as soon as no op that is left can
 * add to it. Its failure ends the pass. */
mml_status mmli_buckets_backward(mmli_buckets *buckets, const mmli_bound *bound, mmli_tape *tape,
                                 mml_status (*ready)(void *user, size_t bucket), void *user);

#endif
