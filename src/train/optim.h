/* optim.h - AdamW over the flat parameter buffer (method.md 6). */
#ifndef MMLI_TRAIN_OPTIM_H
#define MMLI_TRAIN_OPTIM_H

#include "mmlego/train.h"
#include "nn/params.h"

/* Neighbouring parameters, with what lies between them. */
typedef struct mmli_run {
    size_t at, n;
} mmli_run;

typedef struct mmli_optim {
    mmli_params *params; /* borrowed */
    mmli_mem *grads, *m, *v; /* flat, like params->data */
    mmli_mem *scale;         /* one float: clipping */
    mmli_mem *sumsq;         /* one float64: squared norm of the gradient */
    mmli_mem *decay;         /* of MMLI_DECAY_EACH parameters each */
    mmli_run *runs, *weights; /* what is trained; of that, what L1 acts on */
    size_t n_runs, n_weights;
} mmli_optim;

/* frozen (params->n): 1 = left alone. */
mml_status mmli_optim_new(mmli_optim **out, mmli_params *params, const uint8_t *frozen, const mml_train_options *o);
void mmli_optim_free(mmli_optim *optim);
/* t = 1 for the first step. The squared gradient norm before clipping is left in optim->sumsq. */
mml_status mmli_optim_step(mmli_optim *optim, const mml_train_options *o, double rate, uint64_t t);

#endif
