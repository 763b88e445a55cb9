/* state_rig.h - states of others, made of a model's own: a list of tensors that a test changes before it is read. */
#ifndef MMLT_STATE_RIG_H
#define MMLT_STATE_RIG_H

#include "formats/safetensors.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"

/* A block of a preset, random parameters. */
mml_model *rig_block(const char *preset, mml_modality_kind kind, mml_encoder_kind encoder, int share);

/* The state: tensors, their names and values. */
enum { RIG_MOST = 200 };
extern mmli_tensor_out rig_list[RIG_MOST];
extern char rig_names[RIG_MOST][128];
extern float *rig_values[RIG_MOST];
extern size_t rig_n;

/* The tensors of a model, which is freed, as a state without a word of ours. Uses the file. */
void rig_state_of(mml_model *model, const char *path);
/* Place of a tensor that is there. */
size_t rig_at(const char *name);
void rig_drop(const char *name);
/* Writes the state into the file and reads it as a model. */
mml_status rig_load(mml_model **out, const char *path, const mml_state_options *o);
/* What the state of a block of "x" does not say. */
mml_state_options rig_options(void);
/* A model, which is freed, through a state of ours. */
void rig_comes_back(mml_model *model);
void rig_same_values(const mml_model *a, const mml_model *b);

#endif
