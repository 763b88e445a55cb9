/* training.c - the options of training, and how a run begins and ends. */
#include "cli/training.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/device.h"
#include "cli/progress.h"

#define AT(field) offsetof(mmlc_training, field)

const mmlc_choice mmlc_presets[] = {{"mmlego", 0}, {"paper", 1}, {"upstream", 2}, {NULL, 0}};

const mmlc_choice mmlc_committees[] = {
    {"auto", MML_COMMITTEE_AUTO}, {"yes", MML_COMMITTEE_YES}, {"no", MML_COMMITTEE_NO}, {NULL, 0}};

static const mmlc_choice schedules[] = {{"cosine", MML_SCHEDULE_COSINE},
                                        {"constant", MML_SCHEDULE_CONSTANT},
                                        {"plateau", MML_SCHEDULE_PLATEAU},
                                        {NULL, 0}};
static const mmlc_choice class_weights[] = {{"equal", MML_CLASS_EQUAL}, {"balanced", MML_CLASS_BALANCED}, {NULL, 0}};
static const mmlc_choice losses[] = {{"nll", MML_LOSS_NLL}, {"cox", MML_LOSS_COX}, {NULL, 0}};

const mmlc_opt mmlc_opts_run[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "FILE",
     .help = "write the model here; it appears whole or not at all", .rules = MMLC_REQUIRED},
    {.name = "checkpoint", .type = MMLC_STR, .at = AT(options.checkpoint), .arg = "FILE",
     .help = "write the state of training here after every epoch, and when stopped by Ctrl-C or SIGTERM"},
    {.name = "resume", .type = MMLC_FLAG, .at = AT(options.resume),
     .help = "go on from the checkpoint if there is one; the result is that of a run without a break"},
    {.name = "log", .type = MMLC_STR, .at = AT(log), .arg = "FILE",
     .help = "write one line an epoch here, as TSV: epoch, train_loss, valid_loss, valid_score, lr, grad_norm, "
             "seconds, best"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "no progress, errors only"},
    {.name = "threads", .type = MMLC_INT, .at = AT(options.threads), .arg = "N",
     .help = "threads to use; the result does not depend on it", .init = "all", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(options.device), .arg = "NAME", .help = MMLC_DEVICES_HELP, .init = "cpu"},
    {.name = NULL},
};

const mmlc_opt mmlc_opts_split[] = {
    {.name = "train", .type = MMLC_STR, .at = AT(options.split.train), .arg = "WHICH",
     .help = "train on these: COLUMN=VALUE[,VALUE...], or a fraction such as 0.7"},
    {.name = "valid", .type = MMLC_STR, .at = AT(options.split.valid), .arg = "WHICH",
     .help = "choose the best epoch on these", .init = "a part of the training samples"},
    {.name = "test", .type = MMLC_STR, .at = AT(options.split.test), .arg = "WHICH",
     .help = "keep these for 'evaluate'", .init = "the rest when --train is a fraction"},
    {.name = "fold", .type = MMLC_INT, .at = AT(options.split.fold), .arg = "K",
     .help = "repetition K of the seeded division 70/15/15, by group and stratified, from 0",
     .init = "0 when no --train is given", .min = 0, .max = 1000000},
    {.name = "valid-fraction", .type = MMLC_DOUBLE, .at = AT(options.split.valid_fraction), .arg = "X",
     .help = "part of the training samples to validate on when there is no --valid", .min = 0.0, .max = 1.0,
     .rules = MMLC_ABOVE_MIN | MMLC_BELOW_MAX},
    {.name = "split-seed", .type = MMLC_U64, .at = AT(options.split.seed), .arg = "N",
     .help = "seed of the division; give the blocks to be joined the same"},
    {.name = NULL},
};

const mmlc_opt mmlc_opts_training[] = {
    {.name = "epochs", .type = MMLC_SIZE, .at = AT(options.epochs), .arg = "N",
     .help = "passes over the training part", .min = 1, .max = 1000000},
    {.name = "batch", .type = MMLC_SIZE, .at = AT(options.batch), .arg = "N", .help = "samples per step", .min = 1,
     .max = 1000000},
    {.name = "lr", .type = MMLC_DOUBLE, .at = AT(options.learning_rate), .arg = "X",
     .help = "learning rate of AdamW; a fuse of committees takes it divided by their size", .rules = MMLC_ABOVE_MIN},
    {.name = "weight-decay", .type = MMLC_DOUBLE, .at = AT(options.weight_decay), .arg = "X",
     .help = "decoupled weight decay"},
    {.name = "encoder-decay", .type = MMLC_DOUBLE, .at = AT(options.encoder_decay), .arg = "X",
     .help = "weight decay of the encoder", .init = "survival: 1; linear encoder: 0.1; else --weight-decay"},
    {.name = "schedule", .type = MMLC_CHOICE, .at = AT(options.schedule), .choices = schedules,
     .help = "course of the learning rate"},
    {.name = "warmup", .type = MMLC_SIZE, .at = AT(options.warmup), .arg = "N",
     .help = "steps in which the learning rate rises to its full value", .max = 1e9},
    {.name = "grad-clip", .type = MMLC_DOUBLE, .at = AT(options.clip_norm), .arg = "X",
     .help = "largest norm of the gradient; 0 = no limit"},
    {.name = "patience", .type = MMLC_SIZE, .at = AT(options.patience), .arg = "N",
     .help = "stop after N epochs without a better validation score; 0 = never", .max = 1000000},
    {.name = "loss-share", .type = MMLC_DOUBLE, .at = AT(options.loss_share), .arg = "X",
     .help = "judge an epoch by its validation score less X times its validation loss"},
    {.name = "l1", .type = MMLC_DOUBLE, .at = AT(options.l1), .arg = "X", .help = "L1 penalty on the weights"},
    {.name = "class-weights", .type = MMLC_CHOICE, .at = AT(options.class_weights), .choices = class_weights,
     .help = "weight of the classes in the loss; balanced = the same for each class in all"},
    {.name = "alpha", .type = MMLC_DOUBLE, .at = AT(options.survival_alpha), .arg = "X",
     .help = "survival: weight of the patients with an event in the likelihood", .max = 1.0},
    {.name = "seed", .type = MMLC_U64, .at = AT(options.seed), .arg = "N",
     .help = "seed of the start and of dropout; blocks with the same seed merge better"},
    {.name = NULL},
};

const mmlc_opt mmlc_opts_loss[] = {
    {.name = "loss", .type = MMLC_CHOICE, .at = AT(options.survival_loss), .choices = losses,
     .help = "discrete-time likelihood, or Cox partial likelihood; a fuse has that of its blocks"},
    {.name = NULL},
};

/* Options that contradict each other, or that mean nothing without another. */
static int check_options(const mmlc_call *call, const mmlc_training *training)
{
    const mmlc_command *command = call->command;
    const char *const columns[] = {"train", "valid", "test", "valid-fraction"};

    if (training->options.resume && training->options.checkpoint == NULL)
        return mmlc_usage_error(command, "--resume needs --checkpoint FILE");
    for (size_t i = 0; i < 4; i++)
        if (mmlc_was_given(call, "fold") && mmlc_was_given(call, columns[i]))
            return mmlc_usage_error(command, "--fold and --%s exclude each other", columns[i]);
    if (training->options.split.train == NULL && (training->options.split.valid != NULL ||
                                                  training->options.split.test != NULL))
        return mmlc_usage_error(command, "--valid and --test need --train");
    if (mmlc_was_given(call, "valid") && mmlc_was_given(call, "valid-fraction"))
        return mmlc_usage_error(command, "--valid and --valid-fraction exclude each other");
    return MMLC_GO;
}

/* What is written is written to a file of its own. */
static int check_outputs(const mmlc_command *command, const mmlc_training *training)
{
    const char *const path[] = {training->output, training->options.checkpoint, training->log};
    const char *const name[] = {"output", "checkpoint", "log"};

    for (size_t i = 0; i < 3; i++)
        for (size_t j = i + 1; j < 3; j++)
            if (path[i] != NULL && path[j] != NULL && mmlc_same_file(path[i], path[j]))
                return mmlc_usage_error(command, "--%s and --%s are the same file", name[j], name[i]);
    return MMLC_GO;
}

int mmlc_training_begin(mmlc_watch *watch, const mmlc_call *call, mmlc_training *training, const char *const *inputs,
                        size_t n)
{
    int rc = check_options(call, training);

    *watch = (mmlc_watch){.command = call->command, .training = training};
    if (rc == MMLC_GO)
        rc = mmlc_check_output(call->command, training->output, inputs, n);
    if (rc == MMLC_GO && training->options.checkpoint != NULL)
        rc = mmlc_check_output(call->command, training->options.checkpoint, inputs, n);
    if (rc == MMLC_GO)
        rc = check_outputs(call->command, training);
    if (rc == MMLC_GO)
        rc = mmlc_device_say(call->command, training->options.device, training->quiet, MMLC_DEVICE_SEVERAL);
    if (rc == MMLC_GO && training->log != NULL) {
        rc = mmlc_not_stdout(call->command, training->log);
        if (rc == MMLC_GO)
            rc = mmlc_not_an_input(call->command, training->log, inputs, n);
        if (rc != MMLC_GO)
            return rc;
        watch->log = fopen(training->log, "a+"); /* an old log goes when the first epoch is there to be written */
        if (watch->log == NULL) {
            mmlc_say(call->command, "%s: cannot be written: %s", training->log, strerror(errno));
            return MMLC_FAILURE;
        }
    }
    if (rc != MMLC_GO)
        return rc;
    watch->bar = !training->quiet && mmlc_is_terminal();
    training->options.watch = mmlc_watch_step;
    training->options.watch_user = watch;
    mmlc_signals_note();
    return MMLC_GO;
}

void mmlc_training_abort(mmlc_watch *watch)
{
    if (watch->log != NULL)
        fclose(watch->log);
    watch->log = NULL;
}

static void say_stopped(const mmlc_watch *watch)
{
    const char *checkpoint = watch->training->options.checkpoint;

    if (checkpoint != NULL)
        mmlc_say(watch->command, "stopped; the state is in %s. Repeat the command with --resume to go on.",
                 checkpoint);
    else if (watch->training->solved)
        mmlc_say(watch->command, "stopped; nothing is kept.");
    else
        mmlc_say(watch->command, "stopped; nothing is kept. With --checkpoint FILE a run can be gone on with.");
}

/* What a merge will weigh a block by, where that was measured anew. */
static void say_cross(const mml_model *model)
{
    char *text = NULL;
    json_t *all = NULL, *from;

    if (mml_model_describe(&text, model) == MML_OK)
        all = json_loads(text, 0, NULL);
    from = json_object_get(json_array_get(json_object_get(all, "blocks"), 0), "provenance");
    if (mml_model_get_kind(model) != MML_MODEL_FUSE && json_integer_value(json_object_get(from, "cross_folds")) > 0)
        fprintf(stderr, "cross-validation, %" JSON_INTEGER_FORMAT " folds: mean score %.4f\n",
                json_integer_value(json_object_get(from, "cross_folds")), json_number_value(json_object_get(from, "cross_score")));
    if (mml_model_get_kind(model) == MML_MODEL_MERGE)
        fprintf(stderr, "the block is a committee of %zu\n", mml_model_n_blocks(model));
    json_decref(all);
    mml_string_free(text);
}

int mmlc_training_end(mmlc_watch *watch, mml_status st, const mml_model *model)
{
    const mmlc_training *training = watch->training;
    int rc = MMLC_OK;

    mmlc_watch_clear(watch);
    if (st == MML_E_STOPPED && mmlc_signal() != 0) {
        say_stopped(watch);
        rc = 128 + mmlc_signal();
    } else if (st != MML_OK) {
        rc = mmlc_fail_named(watch->command, st);
    } else {
        st = mml_model_save(model, training->output);
        if (st != MML_OK)
            rc = mmlc_fail(watch->command, st);
    }
    if (watch->log != NULL && (fclose(watch->log) != 0 || watch->log_bad)) {
        mmlc_say(watch->command, "%s: the log could not be written whole", training->log);
        rc = rc == MMLC_OK ? MMLC_FAILURE : rc;
    }
    watch->log = NULL;
    if (st != MML_OK || training->quiet)
        return rc;
    if (watch->best.epoch > 0 && isfinite(watch->best.valid_score))
        fprintf(stderr, "best epoch %zu of %zu: validation score %.4f\n", watch->best.epoch, watch->last.epoch,
                watch->best.valid_score);
    say_cross(model);
    fprintf(stderr, "model written to %s\n", training->output);
    return rc;
}
