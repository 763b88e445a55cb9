/* custom.h - encoders by a user's callbacks (include/mmlego/tensor.h). */
#ifndef MMLI_NN_CUSTOM_H
#define MMLI_NN_CUSTOM_H

#include "nn/encoder.h"

/* Declares the parameters the callbacks name and sets enc->width. */
mml_status mmli_custom_declare(mmli_encoder *enc, mmli_params *params, const char *prefix);
mmli_var *mmli_custom_encode(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                             const mmli_ragged *ragged, uint64_t key);

#endif
