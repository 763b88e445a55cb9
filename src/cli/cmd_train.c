/* cmd_train.c - mmlego train: one LegoBlock on one modality, or another architecture on some. */
#include <stdlib.h>
#include <string.h>

#include "cli/load.h"
#include "cli/train_system.h"
#include "cli/training.h"

typedef enum domain { DOMAIN_UNSET = 0, DOMAIN_FREQUENCY, DOMAIN_SPATIAL } domain;

typedef struct train_args {
    const char *modality, *task, *preset;
    domain domain;
    mml_block_options block;
    mml_prep_options prep;
    mmlc_training training;
    mmlc_system system;
} train_args;

#define AT(field) offsetof(train_args, field)

static const mmlc_choice encoders[] = {
    {"none", MML_ENCODER_NONE},         {"linear", MML_ENCODER_LINEAR},       {"snn", MML_ENCODER_SNN},
    {"abmil", MML_ENCODER_ABMIL},       {"selfattn", MML_ENCODER_SELFATTN},   {"embedding", MML_ENCODER_EMBEDDING},
    {NULL, 0}};
static const mmlc_choice transforms[] = {
    {"2d", MML_TRANSFORM_2D}, {"1d", MML_TRANSFORM_1D}, {"spatial", MML_TRANSFORM_SPATIAL}, {NULL, 0}};
static const mmlc_choice domains[] = {{"frequency", DOMAIN_FREQUENCY}, {"spatial", DOMAIN_SPATIAL}, {NULL, 0}};
static const mmlc_choice imaginary[] = {{"keep", 0}, {"drop", 1}, {NULL, 0}};
static const mmlc_choice scalings[] = {
    {"standard", MML_SCALE_STANDARD}, {"robust", MML_SCALE_ROBUST}, {"none", MML_SCALE_NONE}, {NULL, 0}};
static const mmlc_choice imputations[] = {{"median", MML_IMPUTE_MEDIAN}, {"mean", MML_IMPUTE_MEAN},
                                          {"zero", MML_IMPUTE_ZERO},     {"locf", MML_IMPUTE_LOCF},
                                          {NULL, 0}};
static const mmlc_choice indicators[] = {
    {"none", MML_INDICATE_NONE}, {"missing", MML_INDICATE_MISSING}, {"mask", MML_INDICATE_MASK}, {NULL, 0}};
static const mmlc_choice heads[] = {{"free", 0}, {"shared", 1}, {NULL, 0}};

static const mmlc_opt what[] = {
    {.letter = 'm', .name = "modality", .type = MMLC_STR, .at = AT(modality), .arg = "NAME",
     .help = "modality of the cohort to train on; of another --system: one or several, NAME,...", .rules = MMLC_REQUIRED},
    {.letter = 't', .name = "task", .type = MMLC_STR, .at = AT(task), .arg = "NAME",
     .help = "task of the cohort to learn", .rules = MMLC_REQUIRED},
    {.name = "system", .type = MMLC_STR, .at = AT(system.name), .arg = "NAME", .choices = mmlc_systems,
     .help = "block, or another architecture, which cannot be merged or fused: snn, abmil, perceiver, healnet, multimodn, "
             "late-concat, late-bilinear, mcat, or linear (penalised logistic, Cox or ridge regression)", .init = "block"},
    {.name = "preset", .type = MMLC_STR, .at = AT(preset), .choices = mmlc_presets,
     .help = "defaults of all options below: our own, those of the paper, or those of its released code",
     .init = "mmlego"},
    {.name = NULL},
};
static const mmlc_opt block[] = {
    {.letter = 'e', .name = "encoder", .type = MMLC_CHOICE, .at = AT(block.encoder), .choices = encoders,
     .help = "what turns the tokens of the modality into those that the block attends to"},
    {.name = "encoder-width", .type = MMLC_SIZE, .at = AT(block.encoder_width), .arg = "N",
     .help = "width of the encoder's layers; 0 = its own (linear 32, snn 256, abmil 512)", .max = 65536},
    {.name = "encoder-layers", .type = MMLC_SIZE, .at = AT(block.encoder_layers), .arg = "N",
     .help = "number of layers of encoder snn; 0 = its own (4)", .max = 64},
    {.name = "encoder-dropout", .type = MMLC_DOUBLE, .at = AT(block.encoder_dropout), .arg = "P",
     .help = "dropout in the encoder", .init = "the encoder's own", .max = 1.0, .rules = MMLC_BELOW_MAX},
    {.name = "latent", .type = MMLC_PAIR, .at = AT(block.latent_c), .arg = "CxD",
     .help = "size of the latent: rows x columns; the same in all blocks to be joined", .min = 1, .max = 4096},
    {.name = "steps", .type = MMLC_SIZE, .at = AT(block.steps), .arg = "N", .help = "update steps", .min = 1,
     .max = 64},
    {.name = "share-steps", .type = MMLC_FLAG, .at = AT(block.share_steps),
     .help = "one set of weights for all steps", .rules = MMLC_NEGATABLE},
    {.name = "heads", .type = MMLC_SIZE, .at = AT(block.heads), .arg = "N", .help = "attention heads", .min = 1,
     .max = 256},
    {.name = "head-width", .type = MMLC_SIZE, .at = AT(block.head_width), .arg = "N",
     .help = "width of an attention head", .min = 1, .max = 4096},
    {.name = "tau", .type = MMLC_DOUBLE, .at = AT(block.tau), .arg = "X", .help = "temperature of the attention",
     .rules = MMLC_ABOVE_MIN},
    {.name = "dropout", .type = MMLC_DOUBLE, .at = AT(block.dropout), .arg = "P",
     .help = "dropout after attention and feed-forward", .max = 1.0, .rules = MMLC_BELOW_MAX},
    {.name = "head", .type = MMLC_CHOICE, .at = AT(training.options.shared_head), .choices = heads,
     .help = "shared: the head keeps its start, the same in all blocks of a seed, so that they merge well"},
    {.name = "weight-folds", .type = MMLC_INT, .at = AT(training.options.weight_folds), .arg = "N",
     .help = "measure the score that 'merge' and 'fuse' weigh the block by on samples that it has not learnt from: cross-validation in N "
             "folds of the training and validation samples, N more trainings; 0 = take the validation score",
     .init = "5 where fewer than 50 validation samples with the modality are of the rarer kind, else 0", .max = 1000},
    {.name = "committee", .type = MMLC_CHOICE, .at = AT(training.options.committee), .choices = mmlc_committees,
     .help = "keep the models of that cross-validation: the block is then the mean of them all, which errs less on few patients and is N + 1 "
             "times as large; auto: for tables and survival by --loss cox"},
    {.name = "bins", .type = MMLC_SIZE, .at = AT(training.options.bins), .arg = "N",
     .help = "survival: number of time bins", .min = 2, .max = 1000},
    {.name = NULL},
};
static const mmlc_opt ablation[] = {
    {.name = "transform", .type = MMLC_CHOICE, .at = AT(block.transform), .choices = transforms,
     .help = "Fourier transform of the latent: along both axes, along its rows, or none"},
    {.name = "domain", .type = MMLC_CHOICE, .at = AT(domain), .choices = domains,
     .help = "where the block works; spatial is the same as --transform spatial", .init = "frequency"},
    {.name = "imaginary", .type = MMLC_CHOICE, .at = AT(block.drop_imaginary), .choices = imaginary,
     .help = "imaginary part of the transformed latent"},
    {.name = "normalise-latent", .type = MMLC_FLAG, .at = AT(block.normalise_latent),
     .help = "divide each column of the latent by its norm at every step", .rules = MMLC_NEGATABLE},
    {.name = "context-dft", .type = MMLC_FLAG, .at = AT(block.context_dft),
     .help = "transform the tokens too, along the token axis", .rules = MMLC_NEGATABLE},
    {.name = "leaky-output", .type = MMLC_FLAG, .at = AT(block.leaky_output),
     .help = "LeakyReLU after the attention", .rules = MMLC_NEGATABLE},
    {.name = "raw-layers", .type = MMLC_FLAG, .at = AT(block.raw_layers),
     .help = "encoder selfattn as the released code has it: a feed-forward layer on the tokens in every step, no "
             "attention among them", .rules = MMLC_NEGATABLE},
    {.name = "encoder-each-step", .type = MMLC_FLAG, .at = AT(block.encoder_each_step),
     .help = "run the encoder anew in every step: differs in training, by its dropout", .rules = MMLC_NEGATABLE},
    {.name = "handover-real", .type = MMLC_FLAG, .at = AT(block.handover_real),
     .help = "when fused: hand on the real part only", .rules = MMLC_NEGATABLE},
    {.name = "selfattn-limit", .type = MMLC_SIZE, .at = AT(block.selfattn_limit), .arg = "N",
     .help = "most tokens of a sample that encoder selfattn takes; its cost is quadratic", .min = 1, .max = 1e9},
    {.name = NULL},
};
static const mmlc_opt prep[] = {
    {.name = "scaling", .type = MMLC_CHOICE, .at = AT(prep.scaling), .choices = scalings,
     .help = "scaling of each feature, learnt on the training part"},
    {.name = "clip", .type = MMLC_DOUBLE, .at = AT(prep.clip), .arg = "X",
     .help = "limit scaled values to -X ... X; 0 = no limit"},
    {.name = "impute", .type = MMLC_CHOICE, .at = AT(prep.imputation), .choices = imputations,
     .help = "what stands for a value that was not measured; locf = the last one of the series"},
    {.name = "indicators", .type = MMLC_CHOICE, .at = AT(prep.indicators), .choices = indicators,
     .help = "add 0/1 columns: for features with missing values, or for all"},
    {.name = "position-bands", .type = MMLC_UINT, .at = AT(prep.position_bands), .arg = "N",
     .help = "Fourier bands of the position of a token (time, place); 0 = without position", .max = 64},
    {.name = NULL},
};
static const mmlc_group groups[] = {
    {.heading = "What to train", .opts = what},
    {.heading = "Files and running", .opts = mmlc_opts_run, .base = AT(training)},
    {.heading = "Division of the cohort", .opts = mmlc_opts_split, .base = AT(training)},
    {.heading = "Preprocessing", .opts = prep},
    {.heading = "Block", .opts = block},
    {.heading = "Another architecture", .opts = mmlc_opts_system, .base = AT(system)},
    {.heading = "Training", .opts = mmlc_opts_training, .base = AT(training)},
    {.heading = "Survival", .opts = mmlc_opts_loss, .base = AT(training)},
    {.heading = "Ablation", .opts = ablation},
    {.heading = NULL},
};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    train_args *a = args;
    const char *preset = a->preset != NULL ? a->preset : "mmlego";
    mml_status st = mml_block_options_init(&a->block, &a->prep, preset, modality, task);

    if (st == MML_OK)
        st = mml_train_options_init(&a->training.options, preset, modality, task);
    return st == MML_OK ? mmlc_system_init(&a->system) : st;
}

/* Now that the kinds are known: the defaults for them, and what was given on top. */
static int default_for(mmlc_call *call, mml_modality_kind modality, mml_task_kind task)
{
    const mml_status st = init(call->args, modality, task);

    return st == MML_OK ? mmlc_call_apply(call) : mmlc_fail(call->command, st);
}

/* The options that only some tasks have. */
static int check_task(const mmlc_call *call, mml_task_kind task)
{
    static const char *const survival_only[] = {"loss", "alpha", "bins"};
    const train_args *a = call->args;

    for (size_t i = 0; i < 3; i++)
        if (task != MML_SURVIVAL && mmlc_was_given(call, survival_only[i]))
            return mmlc_usage_error(call->command, "--%s is for survival tasks; '%s' is not one", survival_only[i],
                                    a->task);
    if ((task == MML_SURVIVAL || task == MML_REGRESSION) && mmlc_was_given(call, "class-weights"))
        return mmlc_usage_error(call->command, "--class-weights is for tasks with classes; '%s' has none", a->task);
    return MMLC_GO;
}

static int check_domain(mmlc_call *call)
{
    train_args *a = call->args;

    if (a->domain == DOMAIN_SPATIAL && mmlc_was_given(call, "transform") &&
        a->block.transform != MML_TRANSFORM_SPATIAL)
        return mmlc_usage_error(call->command, "--domain spatial and --transform 2d or 1d exclude each other");
    if (a->domain == DOMAIN_FREQUENCY && a->block.transform == MML_TRANSFORM_SPATIAL)
        return mmlc_usage_error(call->command, "--domain frequency and --transform spatial exclude each other");
    if (a->domain == DOMAIN_SPATIAL)
        a->block.transform = MML_TRANSFORM_SPATIAL;
    return MMLC_GO;
}

static int find_task(mml_task_info *task, const mmlc_call *call, const mml_cohort *cohort)
{
    const train_args *a = call->args;
    const mml_status st = mml_cohort_task(task, cohort, a->task);

    return st == MML_OK ? MMLC_GO : mmlc_fail_named(call->command, st);
}

static int train_block(mml_model **model, mmlc_watch *watch, mml_status *st, mmlc_call *call, mml_cohort *cohort)
{
    train_args *a = call->args;
    mml_modality_info modality;
    mml_task_info task;
    int rc;

    *st = mml_cohort_modality(&modality, cohort, a->modality);
    rc = *st == MML_OK ? find_task(&task, call, cohort) : mmlc_fail_named(call->command, *st);
    if (rc == MMLC_GO)
        rc = default_for(call, modality.kind, task.kind);
    if (rc == MMLC_GO)
        rc = check_task(call, task.kind);
    if (rc == MMLC_GO)
        rc = mmlc_system_none(call);
    if (rc == MMLC_GO)
        rc = check_domain(call);
    if (rc == MMLC_GO)
        rc = mmlc_training_begin(watch, call, &a->training, call->operand, call->n);
    if (rc == MMLC_GO)
        *st = mml_train_block(model, cohort, a->modality, a->task, &a->block, &a->prep, NULL, &a->training.options);
    return rc;
}

/* Preprocessing is by the kind of each modality, the rest by that of the first. */
static int train_system(mml_model **model, mmlc_watch *watch, mml_status *st, mmlc_call *call, mml_cohort *cohort)
{
    static const mmlc_opt *const blocks_only[] = {block, ablation, NULL};
    train_args *a = call->args;
    mml_modality_info modality;
    mml_task_info task;
    const char **names = NULL;
    char *copy = NULL;
    size_t n = 0;
    mml_prep_options *preps = NULL;
    int rc = mmlc_words(&names, &n, &copy, a->modality) ? find_task(&task, call, cohort) : mmlc_no_memory(call->command);

    if (rc == MMLC_GO && (preps = calloc(n + 1, sizeof *preps)) == NULL)
        rc = mmlc_no_memory(call->command);
    for (size_t m = n; rc == MMLC_GO && m-- > 0;) {
        *st = mml_cohort_modality(&modality, cohort, names[m]);
        rc = *st == MML_OK ? default_for(call, modality.kind, task.kind) : mmlc_fail_named(call->command, *st);
        preps[m] = a->prep;
    }
    if (rc == MMLC_GO)
        rc = check_task(call, task.kind);
    if (rc == MMLC_GO)
        rc = mmlc_system_settle(&a->system, call, &a->block, blocks_only);
    a->training.solved = a->system.baseline.kind == MML_BASELINE_LINEAR;
    if (rc == MMLC_GO)
        rc = mmlc_training_begin(watch, call, &a->training, call->operand, call->n);
    if (rc == MMLC_GO)
        *st = mml_train_baseline(model, cohort, names, n, a->task, &a->system.baseline, preps, &a->training.options);
    free(names);
    free(copy);
    free(preps);
    return rc;
}

static int run(mmlc_call *call)
{
    const train_args *a = call->args;
    mml_cohort *cohort = NULL;
    mml_model *model = NULL;
    mml_status st = MML_OK;
    mmlc_watch watch;
    int rc = mmlc_open_cohort(&cohort, call->command, call->operand[0]);

    if (rc == MMLC_GO)
        rc = (mmlc_system_is_block(&a->system) ? train_block : train_system)(&model, &watch, &st, call, cohort);
    if (rc == MMLC_GO)
        rc = mmlc_training_end(&watch, st, model);
    mml_model_free(model);
    mml_cohort_close(cohort);
    return rc;
}

const mmlc_command mmlc_cmd_train = {
    .name = "train",
    .summary = "train a block on one modality of a cohort",
    .operands = "COHORT",
    .n_min = 1,
    .n_max = 1,
    .about =
        "Trains one block: a model of one modality for one task. Blocks of several modalities are then joined by "
        "'mmlego merge' or 'mmlego fuse'. They need the same task, --latent and --transform, and join best with the "
        "same --seed. They may be trained on different patients, at different places.\n\n"
        "Patients without the modality or without the label are left out. Preprocessing is learnt on the training "
        "part and kept in the model. The epoch with the best validation score is kept.\n\n"
        "Where patients are few, the block is cross-validated (--weight-folds), and a survival block becomes the mean of "
        "the models of the folds and itself (--committee). It is merged, fused and used like any block.\n\n"
        "Defaults are those of --preset for the kind of the modality and of the task. Options given here override "
        "them one by one, and all of them are stored in the model ('mmlego inspect').\n\n"
        "--system trains another architecture in place of a block, on one modality or on several, as 'mmlego compare' does. "
        "Its model predicts and is evaluated like any other.",
    .examples = "mmlego train cohort.h5 --modality labs --task death -o labs.h5\n"
                "mmlego train cohort.h5 -m vitals -t death --train site=a -o vitals.h5\n"
                "mmlego train cohort.h5 -m rnaseq -t survival --loss cox --fold 2 -o rnaseq.h5\n"
                "mmlego train cohort.h5 -m labs,vitals -t death --system linear -o linear.h5\n",
    .groups = groups,
    .args_size = sizeof(train_args),
    .init = init,
    .run = run,
};
