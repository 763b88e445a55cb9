/* state.h - parameters of a model under the names that they have in PyTorch (formats.md 5.2: those of the released code).
 *
 * A block:  latent, layers.S.L.MODULE.weight, encoder.*, to_logits.1.* (norm), to_logits.2.* (linear). A merge and a fuse
 * have the block of member m under layers.m., a fuse also L and to_logits.combined_layers.1.* and .2.*. Keys and values
 * are halves of one tensor there, the two halves of our gate are two tensors. Modules that are used twice have two names:
 * the encoder is also layers.S.0 of every step, shared steps are all steps.
 */
#ifndef MMLI_MODEL_STATE_H
#define MMLI_MODEL_STATE_H

#include "formats/safetensors.h"
#include "model/model.h"

enum { MMLI_STATE_NAME = 512 };

/* Rows of a parameter of ours that are rows of a tensor of theirs. */
typedef struct mmli_state_piece {
    char name[MMLI_STATE_NAME]; /* of their tensor */
    size_t at, rows;            /* of ours */
    size_t their_at, their_rows;/* where they lie in theirs, and how many theirs has */
    bool flat;                  /* theirs has one dimension (biases, norms) */
} mmli_state_piece;

/* Piece `i` (0 or 1) of parameter p under its k-th name; false: there is none, or a name does not fit. `prefix` is put
 * before every name. */
bool mmli_state_piece_at(mmli_state_piece *out, const mml_model *model, const mmli_param *p, const char *prefix, size_t i,
                         size_t k);
/* The name that the piece has in step `step` instead of its own; false when p is not of a step. */
bool mmli_state_step_name(mmli_state_piece *out, const mml_model *model, const mmli_param *p, const char *prefix, size_t i,
                          size_t step, size_t *own);

/* Sets all parameters of a declared model from tensors: check before it is built, fill after (model/file.h). */
typedef struct mmli_state_reading {
    mmli_tensors *tensors;
    const char *path, *prefix; /* lent */
    bool foreign;  /* steps may be shared without a word, and unused parts of the released code are skipped */
} mmli_state_reading;
mml_status mmli_state_check(void *reading, const mml_model *model);
mml_status mmli_state_fill(void *reading, mml_model *model);

/* The options of a block that the shapes and names of its tensors tell; others are as given. *width of its tokens. */
mml_status mmli_state_infer(mml_block_options *o, mml_modality_kind *kind, size_t *width, size_t *outputs, const char **prefix,
                            char prefix_room[MMLI_STATE_NAME], const mmli_tensors *tensors, const mml_state_options *options,
                            const char *path);

/* Keys of __metadata__. */
#define MMLI_STATE_FACTS "mmlego.model"
#define MMLI_STATE_VERSION "mmlego.version"
#define MMLI_STATE_ABOUT "mmlego.about"

#endif
