/* state.h - parameters of a model under the names that they have in PyTorch (formats.md 5.2: those of the released code).
 *
 * A block:  latent, layers.S.L.MODULE.weight, encoder.*, to_logits.1.* (norm), to_logits.2.* (linear). A merge and a fuse
 * have each block under layers.m., m its place in the order of a fuse, a fuse also L and to_logits.combined_layers.1.* and .2.*; the heads of the first
 * two members are also to_logits.head1.* and .head2.*. Keys and values
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
    bool part;     /* tensors that do not begin with the prefix are others' */
    bool first_latent; /* mml_state_options */
} mmli_state_reading;
mml_status mmli_state_check(void *reading, const mml_model *model);
mml_status mmli_state_fill(void *reading, mml_model *model);

/* What a foreign file is of. */
typedef struct mmli_state_layout {
    char prefix[MMLI_STATE_NAME]; /* what comes before "latent", or before "L": "" or "module." and such, of wrappers */
    size_t n;                     /* blocks of a LegoMerge or LegoFuse; 0: a LegoBlock */
    size_t outputs;
} mmli_state_layout;
mml_status mmli_state_look(mmli_state_layout *out, const mmli_tensors *tensors, const char *path);
/* What comes before "latent" of block m of it. */
void mmli_state_block_prefix(char out[MMLI_STATE_NAME], const mmli_state_layout *layout, size_t m);
/* The options of a block that the shapes and names of its tensors tell; others are as given. *width of its tokens. */
mml_status mmli_state_infer(mml_block_options *o, mml_modality_kind *kind, size_t *width, const char *prefix,
                            const mmli_tensors *tensors, const mml_state_options *options, const char *path);
/* How the heads of a filled merge of two blocks were joined, by to_logits.combined_layers: sets options and weights. */
mml_status mmli_state_take_merge(mml_model *model, const mmli_state_reading *reading, const mml_state_options *options);

/* Keys of __metadata__. */
#define MMLI_STATE_FACTS "mmlego.model"
#define MMLI_STATE_VERSION "mmlego.version"
#define MMLI_STATE_ABOUT "mmlego.about"

#endif
