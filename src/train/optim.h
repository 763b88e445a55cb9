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
    mmli_mem *scale;         /* one float: clipping; NaN: no step */
    mmli_mem *sumsq;         /* one float64: squared norm of the gradient */
    mmli_mem *tally;         /* MMLI_TALLY float64: what the steps of an epoch add up to; kernel `tally` */
    mmli_mem *decay;         /* of MMLI_DECAY_EACH parameters each */
    mmli_run *runs, *weights; /* what is trained; of that, what L1 acts on */
    size_t n_runs, n_weights;
} mmli_optim;

/* frozen (params->n): 1 = left alone. */
mml_status mmli_optim_new(mmli_optim **out, mmli_params *params, const uint8_t *frozen, const mml_train_options *o);
void mmli_optim_free(mmli_optim *optim);
/* Queues step t, 1 for the first one, and waits for nothing. The tally gets weight * loss (float64, on the device) and the norm of the
 * gradient before clipping. weight = 0: there is nothing to learn from, and no gradient is read. A step whose loss or
 * gradient is not finite changes nothing, nor does any after it, until the tally is begun anew. */
mml_status mmli_optim_step(mmli_optim *optim, const mml_train_options *o, const mmli_mem *loss, double weight, double rate,
                           uint64_t t);
/* Begins a tally with these sums. */
mml_status mmli_optim_begin(mmli_optim *optim, double loss, double norm);
/* Waits for all steps, and reads what they add up to. */
mml_status mmli_optim_read(double tally[MMLI_TALLY], const mmli_optim *optim);

#endif
