/* cases.h - the cases of `mmlego bench`: sizes of a model, and what is done with it. */
#ifndef MMLI_BENCH_CASES_H
#define MMLI_BENCH_CASES_H

#include "mmlego/bench.h"

typedef enum mmli_work {
    MMLI_WORK_PREDICT = 0,
    MMLI_WORK_BACKWARD, /* forward, cross-entropy, backward: gradients, no step */
    MMLI_WORK_TRAIN,    /* and AdamW */
    MMLI_WORK_MERGE     /* building the merged model of blocks that are there */
} mmli_work;

/* Sizes of one block. */
typedef struct mmli_bench_block {
    mml_encoder_kind encoder;
    size_t width, tokens; /* of its input; tokens a sample */
} mmli_bench_block;

typedef struct mmli_bench_spec {
    mml_bench_case shown;
    mml_model_kind kind;
    mmli_work work;
    size_t batch;
    size_t n; /* blocks: `block` in turn, 2 kinds at most */
    mmli_bench_block block[2];
    size_t steps, c, d; /* 0 = 2, 64, 64 */
} mmli_bench_spec;

/* MML_E_ARG, with the nearest name. */
mml_status mmli_bench_find(const mmli_bench_spec **out, const char *name);

#endif
