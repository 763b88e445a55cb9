/* cmd_fuse.c - mmlego fuse: blocks stacked or woven, and fine-tuned together. */
#include "cli/division.h"
#include "cli/load.h"
#include "cli/training.h"

typedef struct fuse_args {
    const char *preset;
    mml_fuse_options fuse;
    mmlc_training training;
} fuse_args;

#define AT(field) offsetof(fuse_args, field)

static const mmlc_choice modes[] = {{"stack", MML_FUSE_STACK}, {"weave", MML_FUSE_WEAVE}, {NULL, 0}};
static const mmlc_choice freezes[] = {{"nothing", MML_FREEZE_NOTHING},
                                      {"encoders", MML_FREEZE_ENCODERS},
                                      {"blocks", MML_FREEZE_BLOCKS},
                                      {NULL, 0}};
static const mmlc_choice orders[] = {{"validation", MML_ORDER_VALIDATION}, {"given", MML_ORDER_GIVEN}, {NULL, 0}};
static const mmlc_choice loudnesses[] = {{"weighted", MML_LOUD_WEIGHTED}, {"trained", MML_LOUD_TRAINED}, {NULL, 0}};
static const mmlc_choice heads[] = {{"slerp", MML_HEAD_SLERP}, {"linear", MML_HEAD_LINEAR}, {NULL, 0}};

static const mmlc_opt how[] = {
    {.name = "preset", .type = MMLC_STR, .at = AT(preset), .choices = mmlc_presets,
     .help = "defaults of all other options", .init = "mmlego"},
    {.name = "mode", .type = MMLC_CHOICE, .at = AT(fuse.mode), .choices = modes,
     .help = "one block after the other, or step by step in turn; the same where blocks have one step, as in preset mmlego"},
    {.name = "order", .type = MMLC_CHOICE, .at = AT(fuse.order), .choices = orders,
     .help = "order of the blocks: the best last, by cross score or, without one, validation score; or as given"},
    {.name = "freeze", .type = MMLC_CHOICE, .at = AT(fuse.freeze), .choices = freezes,
     .help = "what is not fine-tuned"},
    {.name = "modality-dropout", .type = MMLC_DOUBLE, .at = AT(fuse.modality_dropout), .arg = "P",
     .help = "chance that a modality of a patient is left out of a training step, one always stays", .max = 1.0,
     .rules = MMLC_BELOW_MAX},
    {.name = "head", .type = MMLC_CHOICE, .at = AT(fuse.head), .choices = heads,
     .help = "how the heads of the blocks are joined at the start"},
    {.name = "loudness", .type = MMLC_CHOICE, .at = AT(fuse.loudness), .choices = loudnesses,
     .help = "how loud each block is at the start: by its cross or validation score, as in a merge, or as it was trained"},
    {.name = NULL},
};
static const mmlc_group groups[] = {
    {.heading = "How to fuse", .opts = how},
    {.heading = "Files and running", .opts = mmlc_opts_run, .base = AT(training)},
    {.heading = "Division of the cohort", .opts = mmlc_opts_split, .base = AT(training)},
    {.heading = "Fine-tuning", .opts = mmlc_opts_training, .base = AT(training)},
    {.heading = NULL},
};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    fuse_args *a = args;
    const char *preset = a->preset != NULL ? a->preset : "mmlego";
    mml_status st = mml_fuse_options_init(&a->fuse, preset);

    (void)modality;
    return st != MML_OK ? st : mml_train_options_init_fuse(&a->training.options, preset, task);
}

static int settle(mmlc_call *call, mml_task_kind task)
{
    mml_status st = init(call->args, MML_TABLE, task);
    int rc = st == MML_OK ? mmlc_call_apply(call) : mmlc_fail(call->command, st);

    if (rc != MMLC_GO)
        return rc;
    if (task != MML_SURVIVAL && (mmlc_was_given(call, "loss") || mmlc_was_given(call, "alpha")))
        return mmlc_usage_error(call->command, "--loss and --alpha are for survival tasks");
    if ((task == MML_SURVIVAL || task == MML_REGRESSION) && mmlc_was_given(call, "class-weights"))
        return mmlc_usage_error(call->command, "--class-weights is for tasks with classes");
    return MMLC_GO;
}

/* Without a division of the user's: the one that the blocks were trained on. */
static int divide(const mmlc_call *call, mmlc_division *division, const mmlc_models *models)
{
    fuse_args *a = call->args;
    mml_split_options *split = &a->training.options.split;
    int rc = MMLC_GO;

    for (const mmlc_opt *o = mmlc_opts_split; o->name != NULL; o++)
        if (mmlc_was_given(call, o->name))
            return MMLC_GO;
    rc = mmlc_division_read(division, call->command, models);
    if (rc != MMLC_GO || !division->found)
        return rc;
    split->train = division->train;
    split->valid = division->valid;
    split->test = division->test;
    split->fold = division->fold;
    split->valid_fraction = division->valid_fraction;
    split->seed = division->seed;
    if (!a->training.quiet && division->words != NULL)
        fprintf(stderr, "cohort divided as for the blocks: %s\n", division->words);
    return MMLC_GO;
}

static int run(mmlc_call *call)
{
    fuse_args *a = call->args;
    mml_cohort *cohort = NULL;
    mml_model *fused = NULL;
    mmlc_models models = {.model = NULL};
    mmlc_division division = {.found = 0};
    mmlc_watch watch;
    int rc = mmlc_open_cohort(&cohort, call->command, call->operand[0]);

    if (rc == MMLC_GO)
        rc = mmlc_models_load(&models, call->command, call->operand + 1, call->n - 1);
    if (rc == MMLC_GO)
        rc = settle(call, mml_model_task_kind(models.model[0]));
    if (rc == MMLC_GO)
        rc = mmlc_training_begin(&watch, call, &a->training, call->operand, call->n);
    if (rc == MMLC_GO && (rc = divide(call, &division, &models)) != MMLC_GO)
        mmlc_training_abort(&watch);
    for (int i = 0; rc == MMLC_GO && !a->training.quiet && i < (int)models.n; i++)
        mmlc_say_ignored(call->command, models.model[i], cohort);
    if (rc == MMLC_GO) {
        mml_status st = mml_train_fuse(&fused, cohort, (const mml_model *const *)models.model, models.n, &a->fuse,
                                       &a->training.options);

        rc = mmlc_training_end(&watch, st, fused);
    }
    mml_model_free(fused);
    mmlc_models_free(&models);
    mmlc_division_free(&division);
    mml_cohort_close(cohort);
    return rc;
}

const mmlc_command mmlc_cmd_fuse = {
    .name = "fuse",
    .summary = "join blocks and fine-tune them together",
    .operands = "COHORT MODEL...",
    .n_min = 2,
    .n_max = 1001,
    .about =
        "Joins blocks of one task and trains them a little further on patients of COHORT, from whichever of the "
        "modalities each has. A merged model contributes its blocks.\n\n"
        "Without any option about the division of the cohort, the one that the blocks were trained on is used, so that no "
        "patient that a block was trained on is among those that judge the result. If you give one, 'mmlego evaluate' "
        "finds out and warns. Of a committee ('mmlego train --committee') all members but one have seen a validation patient: its validation "
        "score is too high, the test part is untouched.\n\n"
        "COHORT need not be the one that the blocks were trained on. Its columns must be there, in any order; others "
        "are ignored, and named on stderr. Categorical columns may have other categories: one that a block has not learnt counts as "
        "none of those it knows, as in 'mmlego predict', which tells how many patients have it.",
    .examples = "mmlego fuse cohort.h5 labs.h5 vitals.h5 -o fused.h5\n"
                "mmlego fuse cohort.h5 labs.h5 vitals.h5 --mode weave --fold 2 -o fused.h5\n",
    .groups = groups,
    .args_size = sizeof(fuse_args),
    .init = init,
    .run = run,
};
