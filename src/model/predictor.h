/* predictor.h - making a predictor on a table of one's own (tests, and whatever runs a model on its own backend). */
#ifndef MMLI_MODEL_PREDICTOR_H
#define MMLI_MODEL_PREDICTOR_H

#include "model/model.h"

/* device and table NULL: the device that the model is on. */
mml_status mmli_predictor_new_on(mml_predictor **out, const mml_model *model, const char *device,
                                 const mmli_backend *table, int threads);

/* Bytes of the tokens that a sample has of one modality from which on a cohort's are read in pieces; 0: never. */
void mmli_predictor_set_large(mml_predictor *predictor, size_t bytes);

/* Parameters of a model for device dv: the model's own when dv can read its memory (then *copy is NULL), else a copy. */
mml_status mmli_params_for(const mmli_params **out, mmli_params **copy, const mml_model *model, mmli_device *dv);

#endif
