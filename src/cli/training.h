/* training.h - what `train` and `fuse` share: options, progress, log, the end of a run. */
#ifndef MMLC_TRAINING_H
#define MMLC_TRAINING_H

#include <mmlego/train.h>

#include "cli/cli.h"

/* Where the options of training are stored; a part of the arguments of both commands. */
typedef struct mmlc_training {
    mml_train_options options;
    const char *output, *log;
    int quiet;
    int solved; /* at once, not in epochs: there is no going on with it */
} mmlc_training;

/* Tables with offsets in mmlc_training. */
extern const mmlc_opt mmlc_opts_run[];      /* output, checkpoint, resume, log, quiet, threads, device */
extern const mmlc_opt mmlc_opts_split[];    /* train, valid, test, fold ... */
extern const mmlc_opt mmlc_opts_loss[];     /* of survival, which a fuse has from its blocks */
extern const mmlc_opt mmlc_opts_training[]; /* epochs, batch, lr ... */
extern const mmlc_choice mmlc_presets[];
extern const mmlc_choice mmlc_committees[];

/* Watches a run: progress, log, signals. */
typedef struct mmlc_watch {
    const mmlc_command *command;
    const mmlc_training *training;
    FILE *log;
    int bar;             /* 1 = stderr is a terminal */
    int log_begun, log_bad;
    double begin;        /* seconds; time of the first call */
    double drawn;        /* of the last drawing of the bar */
    double begin_share;  /* of the run done at the first call (a resumed one) */
    int seen;
    size_t fold;         /* of the cross-validation, that was shown last; 0 = none */
    mml_epoch last, best; /* epoch 0 = none yet */
} mmlc_watch;

/* The options that do not go together, the output and the log. MMLC_GO or an exit code. `inputs`: files read. */
int mmlc_training_begin(mmlc_watch *watch, const mmlc_call *call, mmlc_training *training, const char *const *inputs,
                        size_t n);
/* Saves the model when the run went well, and says how it ended. The exit code. Takes the watch apart. */
int mmlc_training_end(mmlc_watch *watch, mml_status st, const mml_model *model);
/* When the run did not begin after all. */
void mmlc_training_abort(mmlc_watch *watch);

#endif
