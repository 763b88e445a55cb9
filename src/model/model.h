/* model.h - the inside of mml_model: one handle over block, merge, fuse and baseline.
 *
 * Parameters of member i are named "blocks.<name>.<key>" in every kind of model, so a block's parameters keep their
 * names when it is merged; a fuse adds "fuse.latent" and "fuse.head.*". Those of a baseline begin with "baseline.".
 */
#ifndef MMLI_MODEL_MODEL_H
#define MMLI_MODEL_MODEL_H

#include "baselines/baseline.h"
#include "data/labels.h"
#include "data/match.h"
#include "data/prep.h"
#include "lego/block.h"
#include "lego/fuse.h"
#include "lego/merge.h"
#include "mmlego/model.h"
#include "mmlego/predict.h"
#include "mmlego/train.h"

/* Where a training came from: kept in the file, read by the leak guard and by `inspect`. */
typedef struct mmli_provenance {
    char *version; /* of the library; NULL = never trained */
    char *backend;
    char *split;   /* in words: "train challenge_set=a, valid 0.15 of it, test challenge_set=b" */
    char *settings; /* training options as JSON */
    uint64_t seed, data_hash;
    uint64_t *ids[3]; /* hashed ids (mmli_hash64(id, len, MMLI_ID_SALT)) of train, valid, test; ascending */
    size_t n_ids[3];
    mml_epoch *history;
    size_t n_history;
    size_t best_epoch;  /* from 1; 0 = none, or the start of a fuse */
    double valid_score; /* of the weights kept; NaN = none */
    size_t cross_folds; /* of a cross-validation; 0 = there was none, or nothing came of it */
    double cross_score; /* mean score over the folds */
    size_t committee;   /* members of the committee that the block belongs to; 0 = none. They stand side by side in a model */
    double seconds;
} mmli_provenance;
#define MMLI_ID_SALT UINT64_C(0x6d6d6c65676f)

void mmli_provenance_clear(mmli_provenance *p);
/* What is known of how good a block is: the mean of the cross-validation, else the score on the validation part (which the best
 * of many epochs was chosen by); NaN = nothing. */
double mmli_provenance_score(const mmli_provenance *p);
mml_status mmli_provenance_copy(mmli_provenance *out, const mmli_provenance *p);
/* The ids of one part alone: 0 to 2. */
mml_status mmli_provenance_copy_ids(mmli_provenance *out, const mmli_provenance *p, int part);

typedef struct mmli_member {
    char *name;     /* unique in the model: the modality, then "modality#2" */
    char *modality; /* name of the modality in cohorts and batches */
    mml_modality_kind kind;
    char *preset; /* "" = options were set one by one */
    mmli_block block; /* of a baseline: zeros (steps NULL) */
    size_t first, n_params; /* its parameters in the model's list, one after the other */
    mmli_prep *prep;
    double latent_rms; /* rms of mean over c of R_S over the training part; 1 when never trained */
    mmli_provenance from;
} mmli_member;

struct mml_model {
    mml_model_kind kind;
    mmli_device *dv; /* owns the memory of params */
    mmli_params *params;
    mmli_task *task;
    size_t n;
    mmli_member *members;
    /* merge */
    mml_merge_options merge; /* pointers in it are NULL */
    double *weights;         /* (n) as used, before normalisation over the present ones */
    /* fuse */
    mml_fuse_options fuse;
    size_t *order; /* (n) */
    size_t latent;
    mmli_head head;
    /* baseline */
    mmli_baseline *baseline;
    mmli_provenance from; /* of the fine-tuning, or of the baseline; else never trained */
};

/* Empty model on a device of its own (device NULL = cpu; table: tests, else NULL). */
mml_status mmli_model_new(mml_model **out, mml_model_kind kind, const char *device, const mmli_backend *table, int threads);
/* Adds a member; its name is made unique; its parameters are declared (head_gain as mmli_block_declare), not built.
 * prep is taken over on success. preset NULL: the one whose options these are, if any. */
mml_status mmli_model_add(mml_model *model, const char *modality, mml_modality_kind kind, const char *preset,
                          const mml_block_options *o, mmli_prep *prep, size_t outputs, float head_gain,
                          const mml_encoder *custom);
/* Adds a modality of a baseline: a member without a block. prep is taken over on success. */
mml_status mmli_model_add_input(mml_model *model, const char *modality, mml_modality_kind kind, mmli_prep *prep);
/* Declares the architecture, when its modalities and the task are there. */
mml_status mmli_model_declare_baseline(mml_model *model, const mml_baseline_options *o);
/* Declares what a fuse has of its own, when its members are there. */
mml_status mmli_model_declare_fuse(mml_model *model);
/* After the last declaration. */
mml_status mmli_model_build(mml_model *model);
/* Copies the member `from` of another model with prep and provenance, and declares its parameters. Their values: shared
 * before build, where a device of this model can read the other's memory, or copied after build. */
mml_status mmli_model_add_copy(mml_model *model, const mml_model *from, size_t member);
bool mmli_model_can_share(const mml_model *model, const mml_model *from);
mml_status mmli_model_share_values(mml_model *model, size_t member, const mml_model *from, size_t from_member);
mml_status mmli_model_copy_values(mml_model *model, size_t member, const mml_model *from, size_t from_member);

/* mml_fuse on a device of the caller's choice, for training; arguments as mmli_model_new (NULL, NULL: the device of the
 * first model). */
mml_status mmli_fuse_on(mml_model **out, const mml_model *const *models, size_t n, const mml_fuse_options *options,
                        const char *device, const mmli_backend *table, int threads);
/* Is the id (mmli_hash64, MMLI_ID_SALT) in a part of this training? MML_PART_NONE when in none of them. */
mml_part mmli_provenance_part(const mmli_provenance *p, uint64_t id);
uint64_t mmli_sample_hash(const char *id);

/* A block or a fuse, copied to a device of its own (table). MML_E_ARG: another kind of model. */
mml_status mmli_model_replica(mml_model **out, const mml_model *model, const mmli_backend *table, int threads);

/* ---- files (model/file.h: doc/model-file.md). Into and out of an open file or group, for checkpoints. */
mml_status mmli_model_write(const mml_model *model, hid_t loc, const char *path);
mml_status mmli_model_read(mml_model **out, hid_t loc, const char *path, const mml_encoder *encoders, size_t n_encoders,
                           const char *device, const mmli_backend *table, int threads);

/* ---- inputs of a pass (inputs.c) */
typedef struct mmli_inputs {
    size_t samples;
    mmli_input *in;   /* (members); a baseline that joins its modalities has all in the first (baselines/arrange.h) */
    uint8_t *present; /* (members, samples) host: 1 = has tokens (after drop) */
} mmli_inputs;
/* Preprocesses and uploads a batch. drop (members, samples): 1 = leave this modality of this sample out; NULL = keep all.
 * matches (members): how the tokens of the batch become those of training, and where unknown categories are counted; one that is
 * NULL, or all: they are the same. Memory is the tape's. Messages name the modality. */
mml_status mmli_inputs_make(mmli_inputs *out, mmli_tape *tape, const mml_model *model, const mml_batch *batch, const uint8_t *drop,
                            mmli_match *const *matches);

/* ---- forward (forward.c, forward_merge.c) */
/* Merged heads by set of present members, made on demand; belongs to one predictor. Zero to start; clear to end. */
typedef struct mmli_head_entry mmli_head_entry;
typedef struct mmli_heads {
    mmli_head_entry *list;
    size_t n, cap;
} mmli_heads;
void mmli_heads_clear(mmli_heads *heads, mmli_device *dv);

/* logits (B, k) of any kind of model. heads: needed for a merge, else NULL. Rows of samples without any modality hold
 * what the start state gives: the caller puts the prior there. */
mml_status mmli_model_forward(mmli_var **logits, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                              const mmli_inputs *inputs, mmli_heads *heads);
/* The same with all that training looks at, of a model that can be trained: one stage, but for some baselines in a pass that
 * records. */
mml_status mmli_model_stages(mmli_stages *out, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                             const mmli_inputs *inputs);
/* The second half of mmli_model_forward for a merge: logits (B, k) from final states z (members) and present
 * (members, B). The weights are model->weights, so other weights can be tried without running the blocks again (z may
 * come from another tape of the same device). heads: made for these weights only. */
mml_status mmli_model_merge_logits(mmli_var **logits, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                                   const mmli_complex *z, const uint8_t *present, size_t samples, mmli_heads *heads);
/* The head of a merge for the members of a set (n) on the host: LayerNorm weight and bias (d), linear weight (k, d) and bias
 * (k), one behind the other. Of one member: its own. */
size_t mmli_model_head_size(const mml_model *model);
mml_status mmli_model_merged_head(float *out, const mml_model *model, const uint8_t *set);
/* Final states of every member, (B c, d) each: z (members). */
mml_status mmli_model_latents(mmli_complex *z, const mml_model *model, mmli_tape *tape, const mmli_bound *bound,
                              const mmli_inputs *inputs);

#endif
