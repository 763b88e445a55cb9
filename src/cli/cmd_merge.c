/* cmd_merge.c - mmlego merge: blocks joined without training. */
#include <jansson.h>

#include "cli/device.h"
#include "cli/load.h"
#include "cli/training.h"

typedef struct merge_args {
    const char *output, *preset, *cohort;
    int quiet;
    mmlc_list weights;
    mml_merge_options options;
} merge_args;

#define AT(field) offsetof(merge_args, field)

static const mmlc_choice weightings[] = {{"equal", MML_WEIGHT_EQUAL},
                                         {"validation", MML_WEIGHT_VALIDATION},
                                         {"correlated", MML_WEIGHT_CORRELATED},
                                         {"search", MML_WEIGHT_SEARCH},
                                         {NULL, 0}};
static const mmlc_choice scales[] = {{"raw", MML_LATENT_RAW},
                                     {"pooled", MML_LATENT_POOLED},
                                     {"layernorm", MML_LATENT_LAYERNORM},
                                     {NULL, 0}};
static const mmlc_choice aggregations[] = {{"harmonic", MML_MERGE_HARMONIC},
                                           {"mean", MML_MERGE_MEAN},
                                           {"sum", MML_MERGE_SUM},
                                           {"product", MML_MERGE_PRODUCT},
                                           {NULL, 0}};
static const mmlc_choice phases[] = {
    {"circular", MML_PHASE_CIRCULAR}, {"arithmetic", MML_PHASE_ARITHMETIC}, {NULL, 0}};
static const mmlc_choice heads[] = {
    {"slerp", MML_HEAD_SLERP}, {"linear", MML_HEAD_LINEAR}, {"ensemble", MML_HEAD_ENSEMBLE}, {NULL, 0}};

static const mmlc_opt files[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "FILE",
     .help = "write the merged model here; it appears whole or not at all", .rules = MMLC_REQUIRED},
    {.name = "cohort", .type = MMLC_STR, .at = AT(cohort), .arg = "FILE",
     .help = "patients that have several of the modalities, for --weights correlated and search"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = "threads", .type = MMLC_INT, .at = AT(options.threads), .arg = "N",
     .help = "threads to use; the result does not depend on it", .init = "all", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(options.device), .arg = "NAME",
     .help = "of --weights correlated and search, which run the blocks: " MMLC_DEVICE_HELP, .init = "cpu"},
    {.name = NULL},
};
static const mmlc_opt how[] = {
    {.name = "preset", .type = MMLC_STR, .at = AT(preset), .choices = mmlc_presets,
     .help = "defaults of the options below", .init = "mmlego"},
    {.letter = 'w', .name = "weights", .type = MMLC_LIST, .at = AT(weights), .choices = weightings,
     .help = "weight of each block: the same; by its cross score, or by its validation score if it has none; that and how "
             "much the blocks' scores agree on patients without labels; the best found on validation patients; or "
             "numbers in the order of the blocks"},
    {.name = "scale", .type = MMLC_CHOICE, .at = AT(options.scale), .choices = scales,
     .help = "make the blocks equally loud: not, by their size in training, or by their own normalisation"},
    {.name = "aggregation", .type = MMLC_CHOICE, .at = AT(options.aggregation), .choices = aggregations,
     .help = "how latents are joined; harmonic is that of the paper"},
    {.name = "phase", .type = MMLC_CHOICE, .at = AT(options.phase), .choices = phases,
     .help = "mean of the phases with aggregation harmonic"},
    {.name = "head", .type = MMLC_CHOICE, .at = AT(options.head), .choices = heads,
     .help = "how heads are joined; ensemble = each block with its own head, outputs averaged"},
    {.name = "upstream-harmonic", .type = MMLC_FLAG, .at = AT(options.upstream_harmonic),
     .help = "aggregation harmonic with the constant factor of the released code, two blocks", .rules = MMLC_NEGATABLE},
    {.name = "seed", .type = MMLC_U64, .at = AT(options.seed), .arg = "N", .help = "seed of --weights search"},
    {.name = NULL},
};
static const mmlc_group groups[] = {
    {.heading = "Files and running", .opts = files}, {.heading = "How to merge", .opts = how}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    merge_args *a = args;
    mml_status st = mml_merge_options_init(&a->options, a->preset != NULL ? a->preset : "mmlego");

    (void)modality;
    (void)task;
    if (st == MML_OK)
        a->weights.choice = (int)a->options.weighting;
    return st;
}

static int settle(mmlc_call *call, const mmlc_models *models)
{
    merge_args *a = call->args;
    mml_status st = init(a, MML_TABLE, MML_BINARY); /* again: the preset is known now */
    int rc = st == MML_OK ? mmlc_call_apply(call) : mmlc_fail(call->command, st);

    if (rc != MMLC_GO)
        return rc;
    if (a->weights.choice >= 0) {
        a->options.weighting = (mml_weighting)a->weights.choice;
    } else {
        a->options.weighting = MML_WEIGHT_GIVEN;
        a->options.weights = a->weights.number;
        if (a->weights.n != models->n_blocks)
            return mmlc_usage_error(call->command, "--weights has %zu %s for %zu %s", a->weights.n,
                                    mmlc_by_number(a->weights.n, "number", "numbers"), models->n_blocks, mmlc_by_number(models->n_blocks, "block", "blocks"));
    }
    if (a->cohort == NULL &&
        (a->options.weighting == MML_WEIGHT_CORRELATED || a->options.weighting == MML_WEIGHT_SEARCH))
        return mmlc_usage_error(call->command, "--weights %s needs --cohort FILE",
                                a->options.weighting == MML_WEIGHT_SEARCH ? "search" : "correlated");
    return MMLC_GO;
}

/* "labs 0.62, genes 0.38": the weights as the model says them of itself, a committee in one. */
static void say_merged(const mml_model *merged, const char *output)
{
    char *text = NULL;
    json_t *json = mml_model_describe(&text, merged) == MML_OK ? json_loads(text, 0, NULL) : NULL;
    const json_t *weights = json_object_get(json, "weights");
    const size_t n = mml_model_n_blocks(merged);
    size_t blocks = 0;

    for (size_t i = 0; i < n; i += mml_model_committee(merged, i))
        blocks++;
    fprintf(stderr, "%zu %s merged for task %s", blocks, mmlc_by_number(blocks, "block", "blocks"), mml_model_task(merged));
    if (weights != NULL) /* no memory for the description: the model is written all the same */
        fprintf(stderr, ", %s", mmlc_by_number(blocks, "weight", "weights"));
    for (size_t i = 0; weights != NULL && i < n;) {
        const size_t members = mml_model_committee(merged, i);
        const char *first = mml_model_block_name(merged, i);
        double weight = 0;

        fprintf(stderr, "%s %s", i > 0 ? "," : "", first);
        for (size_t k = 0; k < members; k++, i++)
            weight += json_number_value(json_object_get(weights, mml_model_block_name(merged, i)));
        fprintf(stderr, " %.3g", weight);
        if (members > 1)
            fprintf(stderr, " (a committee of %zu)", members);
    }
    fprintf(stderr, "\nmodel written to %s\n", output);
    json_decref(json);
    mml_string_free(text);
}

static int merge(mmlc_call *call, mml_model **merged, const mmlc_models *models)
{
    merge_args *a = call->args;
    mml_status st = mml_merge(merged, (const mml_model *const *)models->model, models->n, &a->options);

    if (st == MML_OK) {
        mmlc_signals_note();
        st = mml_model_save(*merged, a->output);
    }
    if (st != MML_OK)
        return mmlc_fail(call->command, st);
    if (!a->quiet)
        say_merged(*merged, a->output);
    return MMLC_OK;
}

static int run(mmlc_call *call)
{
    merge_args *a = call->args;
    mml_model *merged = NULL;
    mmlc_models models = {.model = NULL};
    int rc = mmlc_check_output(call->command, a->output, &a->cohort, 1);

    if (rc == MMLC_GO)
        rc = mmlc_models_load(&models, call->command, call->operand, call->n);
    if (rc == MMLC_GO)
        rc = settle(call, &models);
    if (rc == MMLC_GO)
        rc = mmlc_device_say(call->command, a->options.device, a->quiet, 0);
    if (rc == MMLC_GO && a->cohort != NULL)
        rc = mmlc_open_cohort(&a->options.cohort, call->command, a->cohort);
    if (rc == MMLC_GO)
        rc = merge(call, &merged, &models);
    mml_model_free(merged);
    mmlc_models_free(&models);
    mml_cohort_close(a->options.cohort);
    return rc;
}

const mmlc_command mmlc_cmd_merge = {
    .name = "merge",
    .summary = "join blocks without training",
    .operands = "MODEL...",
    .n_min = 1,
    .n_max = 1000,
    .about =
        "Joins blocks of one task into a multimodal model, without any training and without the data of the blocks. "
        "The merged model predicts from whichever of the modalities a patient has.\n\n"
        "A merged model keeps its blocks, so that further ones can be added later: give it in place of a block. The "
        "output may be one of the inputs; no block is given twice, by a copy neither. Several blocks of one modality, trained on different patients, are "
        "merged like others: the second is NAME#2.",
    .examples = "mmlego merge labs.h5 vitals.h5 -o merged.h5\n"
                "mmlego merge merged.h5 xray.h5 --weights 0.2,0.5,0.3 -o merged3.h5\n"
                "mmlego merge labs.h5 vitals.h5 -w search --cohort cohort.h5 -o m.h5\n",
    .groups = groups,
    .args_size = sizeof(merge_args),
    .init = init,
    .run = run,
};
