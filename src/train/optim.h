/* optim.h - AdamW over the flat parameter buffer (method.md 6). */
#ifndef MMLI_TRAIN_OPTIM_H
#define MMLI_TRAIN_OPTIM_H

#include "mmlego/train.h"
#include "nn/params.h"

/* Neighbouring parameters with equal settings. */
typedef struct mmli_run {
    size_t at, n;
    float decay;
    bool l1;
} mmli_run;

typedef struct mmli_optim {
    mmli_params *params; /* borrowed */
    mmli_mem *grads, *m, *v; /* flat, like params->data */
    mmli_mem *scale;         /* one float: clipping */
    mmli_mem *sumsq;         /* one float64: squared norm of the gradient */
    mmli_run *runs;
    size_t n_runs;
} mmli_optim;

/* frozen (params->n): 1 = left alone. */
mml_status mmli_optim_new(mmli_optim **out, mmli_params *params, const uint8_t *frozen, const mml_train_options *o);
void mmli_optim_free(mmli_optim *optim);
/* t = 1 for the first step. The squared gradient norm before clipping is left in optim->sumsq. */
mml_status mmli_optim_step(mmli_optim *optim, const mml_train_options *o, double rate, uint64_t t);

#endif
