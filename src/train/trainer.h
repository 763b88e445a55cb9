/* trainer.h - one training under way: what the files of this folder share. */
#ifndef MMLI_TRAIN_TRAINER_H
#define MMLI_TRAIN_TRAINER_H

#include <jansson.h>

#include "io/ahead.h"
#include "model/model.h"
#include "model/scored.h"
#include "model/walk.h"
#include "train/optim.h"
#include "train/schedule.h"
#include "train/sums.h"

/* Samples of a part that can be used: labelled, and (but for the test part) with a modality of the model. */
typedef struct mmli_part {
    size_t *samples;
    size_t n;
} mmli_part;

/* Where the training is: all of it goes into a checkpoint. */
typedef struct mmli_progress {
    size_t epoch;     /* epochs finished */
    size_t in_epoch;  /* steps done in the epoch under way */
    uint64_t step;    /* optimiser steps in all */
    double weight_sum;         /* of the epoch under way */
    double loss_sum, norm_sum; /* so too, as of the last mmli_train_look */
    double best_value;                     /* of the weights kept: what is compared (loop.c); -inf before the first */
    double best_score;                     /* theirs; NaN before the first and where there is none */
    double best_loss;                      /* theirs: decides between equal values, which few samples give often */
    size_t best_epoch, since_best;
    double plateau_factor, plateau_best;
    size_t plateau_bad;
    double seconds; /* spent before this process */
} mmli_progress;

/* What a batch of the validation part comes to. */
typedef struct mmli_batch_loss {
    double loss, weight; /* sum of weighted losses, sum of weights */
} mmli_batch_loss;

typedef struct mmli_parallel mmli_parallel;

typedef struct mmli_trainer {
    mml_model *model; /* borrowed */
    mml_cohort *cohort;
    const mml_train_options *o;
    mmli_labels *labels;
    mmli_part part[3]; /* train, valid, test */
    size_t *order;     /* training samples of the epoch under way */
    size_t steps;      /* a epoch */
    mmli_tape *tape;
    mmli_ahead *ahead;
    const mml_batch *batch; /* of the pass under way; lent */
    mmli_part next;         /* what the pass after it will want, lent; n = 0: not known */
    const char **names; /* modalities to read, each once */
    size_t n_names;
    mmli_match **matches; /* (members) how tokens of the cohort become those that a block of a fuse has learnt */
    mmli_optim *optim;
    uint8_t *frozen;
    mmli_mem *best;  /* parameters with the best validation score so far */
    mmli_mem *sums;  /* float64: loss, of the step under way */
    mmli_scored scored; /* validation truth; n = 0 when there is none */
    bool from_start;    /* the start is worth keeping: it competes with the epochs for the best weights (a fuse) */
    bool by_score;      /* the validation score exists; else the validation loss decides, where there is one */
    bool by_loss;       /* the validation loss exists: there are samples, for the Cox loss some with the event */
    mmli_progress at;
    mml_epoch *history;
    size_t n_history;
    json_t *settings; /* what a checkpoint must agree in */
    /* validation: a batch of outputs, as numbers of the task and as scores, and what all batches came to */
    float *outputs; /* (batch, outputs) */
    double *one;    /* (batch) */
    mmli_batch_loss *batches;
    /* arrays (batch) filled for each loss */
    int32_t *label;
    float *event, *target, *weight;
    double *time;
    uint8_t *drop; /* (members, batch) modality dropout; NULL without */
    const int64_t **offsets; /* (members) of each member's modality in the cohort; lent */
    /* several devices (parallel.h); NULL: one */
    mmli_parallel *parallel; /* of the first one */
    mmli_sums *shared;       /* of each; lent */
    mmli_shard shard;        /* of the step under way */
    mmli_before *before;     /* (members) */
} mmli_trainer;

/* loop.c: trains from t->at to the end, or to MML_E_STOPPED; parameters are the best ones afterwards. */
mml_status mmli_train_run(mmli_trainer *t);

/* pass.c: t->batch = these samples, while those of t->next are read. */
mml_status mmli_train_read(mmli_trainer *t, const size_t *samples, size_t n);
/* Queues forward, loss, and (train) backward for samples; *weight = sum of weights, and t->sums = the loss that is
 * differentiated: the sum of weighted losses divided by it. Waits for nothing. Of several devices each is given the samples of its
 * shard, t->shard, when it trains; weight, sums and gradients are those of the whole batch. */
mml_status mmli_train_pass(mmli_trainer *t, const size_t *samples, size_t n, bool train, double *weight, mmli_var **logits);
/* t->next = the batch from samples[at] on, of `all`. */
void mmli_train_expect(mmli_trainer *t, size_t *samples, size_t at, size_t all);
/* One optimiser step on samples, queued. What it adds up to stays on the device; now and then, and after the last step of an epoch,
 * it is looked at. */
mml_status mmli_train_step(mmli_trainer *t, const size_t *samples, size_t n, double rate);
/* Waits for the steps so far: the sums of t->at, or MML_E_NOT_FINITE with the batch where the training diverged. */
mml_status mmli_train_look(mmli_trainer *t);

/* validate.c */
mml_status mmli_train_validate(mmli_trainer *t, double *loss, double *score);
/* t's part in it: batches first, first + stride, ... of the validation part, for `into`, whose part is the same. */
mml_status mmli_train_validate_batches(mmli_trainer *t, mmli_trainer *into, size_t first, size_t stride);
/* rms over the training part of mean over c of R_S, for every member. */
mml_status mmli_train_loudness(mmli_trainer *t);

/* checkpoint.c */
mml_status mmli_checkpoint_save(const mmli_trainer *t, const char *path);
/* *found = false when there is no such file. MML_E_DATA when it is of another training: names what differs. */
mml_status mmli_checkpoint_load(mmli_trainer *t, const char *path, bool *found);

/* settings.c: everything that decides the result, for checkpoints and provenance. New reference. */
/* The options alone. New reference; NULL = no memory. */
json_t *mmli_train_options_json(const mml_train_options *o);
mml_status mmli_train_settings(json_t **out, const mml_model *model, const mml_train_options *o, uint64_t data_hash);

/* Entries with a backend table (tests); NULL = by o->device. */
mml_status mmli_train_block_on(mml_model **out, mml_cohort *cohort, const char *modality, const char *task,
                               const mml_block_options *block, const mml_prep_options *prep, const mml_encoder *encoder,
                               const mml_train_options *options, const mmli_backend *table);
mml_status mmli_train_fuse_on(mml_model **out, mml_cohort *cohort, const mml_model *const *models, size_t n,
                              const mml_fuse_options *fuse, const mml_train_options *options, const mmli_backend *table);

mml_status mmli_train_baseline_on(mml_model **out, mml_cohort *cohort, const char *const *modalities, size_t n,
                                  const char *task, const mml_baseline_options *baseline, const mml_prep_options *prep,
                                  const mml_train_options *options, const mmli_backend *table);

/* linear.c: the linear reference, instead of mmli_train_run; an epoch is a penalty. */
enum { MMLI_LINEAR_PENALTIES = 12 };
double mmli_linear_penalty(size_t i);
mml_status mmli_train_linear(mmli_trainer *t);

/* train.c: what the three begin with. Ranges of the options; the parts of the cohort; places of a part's samples (new),
 * where offsets are given only of those that have tokens. */
mml_status mmli_train_check(const mml_train_options *o);
mml_status mmli_train_check_folds(int folds, mml_committee committee);
mml_status mmli_train_divide(mml_part **part, mml_cohort *cohort, const char *task, const mml_train_options *o);
mml_status mmli_train_places(size_t **out, size_t *n, const mml_part *part, size_t N, mml_part which, const int64_t *offsets);

/* trainer.c: sets up and runs on the devices, of which the model is on the first; `part` (N) of the cohort is how it was divided.
 * Fills provenance into `from`. */
mml_status mmli_train_model(mml_model *model, mml_cohort *cohort, const mml_train_options *o, const mml_part *part,
                            const uint8_t *frozen, const mmli_devices *devices, mmli_provenance *from);
/* A trainer with model, cohort and o; cleared also after a failure. */
mml_status mmli_trainer_init(mmli_trainer *t, const mml_part *part, const uint8_t *frozen);
void mmli_trainer_clear(mmli_trainer *t);
/* The devices that the options name; those of a table instead (tests). */
mml_status mmli_train_devices(mmli_devices *out, const char *name, const mmli_backend *table);

#endif
