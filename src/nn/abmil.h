/* abmil.h - the pooling encoder of bags. */
#ifndef MMLI_NN_ABMIL_H
#define MMLI_NN_ABMIL_H

#include "nn/encoder.h"

/* x (T, in) -> (P, width); x may be a stream, of a single sample and without dropout. */
mmli_var *mmli_abmil(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                     const mmli_ragged *ragged, uint64_t key);

#endif
