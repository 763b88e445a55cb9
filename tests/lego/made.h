/* made.h - models made by hand: blocks with random parameters, a task with a prior, no training, no files. */
#ifndef MMLT_LEGO_MADE_H
#define MMLT_LEGO_MADE_H

#include "model/model.h"
#include "tests/lego/rig.h"

/* Blocks for modalities "m0", "m1", ... of m widths, on backend i of mmlt.h; built, parameters at their random start and
 * then moved, differently in every block. Task: multiclass with a prior that no block gives by chance. */
mml_model *made_model(mml_model_kind kind, int backend, int threads, size_t m, const mml_block_options *o,
                      const size_t *width, size_t outputs);
/* Block `member` of a merge as a model of its own, with the same values. */
mml_model *made_block(const mml_model *merge, size_t member);
/* The data as modalities "m0", "m1", ... */
mml_batch *made_batch(const rig_data *d);

/* What mmli_model_forward gives for a batch: logits (B, k) in one array, yours to free(). Heads are made anew. */
float *made_logits(const mml_model *model, const mml_batch *batch);
/* The same through a predictor of `threads`: the prior where there is no modality. prior (B) may be NULL. */
float *made_predictions(const mml_model *model, const mml_batch *batch, int threads, uint8_t *prior);

#endif
