/* cmd_convert.c - mmlego convert: models to and from safetensors files of PyTorch. */
#include <stdlib.h>
#include <string.h>

#include "cli/load.h"

enum { TO_OTHER = 0, TO_MODEL, TO_SAFETENSORS };
enum { DOMAIN_FREQUENCY = 0, DOMAIN_SPATIAL = 1 };
enum { START_OWN = 0, START_FIRST = 1 };

typedef struct convert_args {
    const char *output, *cohort, *classes, *modality;
    int to, quiet, normalise;
    mmlc_list edges;
    mml_state_options state;
} convert_args;

#define AT(field) offsetof(convert_args, field)

static const mmlc_choice targets[] = {
    {"other", TO_OTHER}, {"model", TO_MODEL}, {"safetensors", TO_SAFETENSORS}, {NULL, 0}};
static const mmlc_choice modality_kinds[] = {
    {"table", MML_TABLE}, {"series", MML_SERIES}, {"image", MML_IMAGE}, {"bag", MML_BAG}, {NULL, 0}};
static const mmlc_choice task_kinds[] = {{"binary", MML_BINARY},
                                         {"multiclass", MML_MULTICLASS},
                                         {"survival", MML_SURVIVAL},
                                         {"regression", MML_REGRESSION},
                                         {NULL, 0}};
static const mmlc_choice domains[] = {{"frequency", DOMAIN_FREQUENCY}, {"spatial", DOMAIN_SPATIAL}, {NULL, 0}};
static const mmlc_choice joined[] = {{"merge", MML_MODEL_MERGE}, {"fuse", MML_MODEL_FUSE}, {NULL, 0}};
static const mmlc_choice aggregations[] = {{"harmonic", MML_MERGE_HARMONIC},
                                           {"mean", MML_MERGE_MEAN},
                                           {"sum", MML_MERGE_SUM},
                                           {"product", MML_MERGE_PRODUCT},
                                           {NULL, 0}};
static const mmlc_choice starts[] = {{"own", START_OWN}, {"first-block", START_FIRST}, {NULL, 0}};
static const mmlc_choice imaginary[] = {{"keep", 0}, {"drop", 1}, {NULL, 0}};

static const mmlc_opt files[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "FILE",
     .help = "write the result here; it appears whole or not at all", .rules = MMLC_REQUIRED},
    {.name = "to", .type = MMLC_CHOICE, .at = AT(to), .choices = targets,
     .help = "what to write: a model file, a safetensors file, or the one that FILE is not", .init = "other"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = NULL},
};
static const mmlc_opt missing[] = {
    {.letter = 'm', .name = "modality", .type = MMLC_STR, .at = AT(modality), .arg = "NAME[,NAME...]",
     .help = "name that the modality has in cohorts; with --as one for each block, in their order"},
    {.name = "modality-kind", .type = MMLC_CHOICE, .at = AT(state.modality_kind), .choices = modality_kinds,
     .help = "what the modality is", .init = "by the encoder, or as in --cohort"},
    {.letter = 't', .name = "task", .type = MMLC_STR, .at = AT(state.task), .arg = "NAME",
     .help = "name that the task has in cohorts"},
    {.name = "kind", .type = MMLC_CHOICE, .at = AT(state.task_kind), .choices = task_kinds, .help = "what the task is",
     .init = "as in --cohort"},
    {.name = "classes", .type = MMLC_STR, .at = AT(classes), .arg = "A,B,...",
     .help = "names of the classes, in the order of the outputs", .init = "0,1,..., or as in --cohort"},
    {.name = "edges", .type = MMLC_LIST, .at = AT(edges), .arg = "E0,E1,...",
     .help = "edges of the time bins of a survival task: one more than outputs", .init = ""},
    {.name = "unit", .type = MMLC_STR, .at = AT(state.unit), .arg = "WORD", .help = "unit of times or values"},
    {.name = "cohort", .type = MMLC_STR, .at = AT(cohort), .arg = "FILE",
     .help = "a cohort that has the modality: its features are then checked at prediction, and its kinds, classes and "
             "unit are used"},
    {.name = "heads", .type = MMLC_SIZE, .at = AT(state.heads), .arg = "N", .help = "heads of the attention",
     .init = "8", .min = 1, .max = 1024},
    {.name = "steps", .type = MMLC_SIZE, .at = AT(state.steps), .arg = "N",
     .help = "update steps, where one set of weights stands for several of them", .init = "as many as there are",
     .min = 1, .max = 64},
    {.name = "domain", .type = MMLC_CHOICE, .at = AT(state.spatial), .choices = domains,
     .help = "spatial: trained without the Fourier transform"},
    {.name = "imaginary", .type = MMLC_CHOICE, .at = AT(state.drop_imaginary), .choices = imaginary,
     .help = "drop: trained without the imaginary part"},
    {.name = "normalise-latent", .type = MMLC_FLAG, .at = AT(normalise),
     .help = "trained with the latent normalised at each step", .rules = MMLC_NEGATABLE},
    {.name = NULL},
};
static const mmlc_opt several[] = {
    {.name = "as", .type = MMLC_CHOICE, .at = AT(state.model_kind), .choices = joined,
     .help = "what the state is of: a LegoMerge and a LegoFuse have the same names", .init = "a LegoBlock"},
    {.name = "block", .type = MMLC_INT, .at = AT(state.block), .arg = "N", .help = "take this block of it only, counted from 0",
     .init = "all", .max = 1023},
    {.name = "aggregation", .type = MMLC_CHOICE, .at = AT(state.aggregation), .choices = aggregations,
     .help = "how a LegoMerge joined latents: its merge_method", .init = ""},
    {.name = "start", .type = MMLC_CHOICE, .at = AT(state.first_latent), .choices = starts,
     .help = "where the stack of a LegoFuse starts: its own latent, or that of its first block, as in some versions of the code"},
    {.name = NULL},
};
static const mmlc_group groups[] = {
    {.heading = "Files and running", .opts = files},
    {.heading = "What the state of a PyTorch module does not say", .opts = missing},
    {.heading = "Of the state of a LegoMerge or LegoFuse", .opts = several},
    {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    convert_args *a = args;

    (void)modality;
    (void)task;
    mml_state_options_init(&a->state);
    a->normalise = 1;
    a->edges.choice = -1;
    return MML_OK;
}

/* An HDF5 file is a model; what else it is, the reader of safetensors says. */
static int is_hdf5(const char *path)
{
    char bytes[8] = "";
    FILE *f = fopen(path, "rb");
    const int is = f != NULL && fread(bytes, 1, sizeof bytes, f) == sizeof bytes && memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0;

    if (f != NULL)
        fclose(f);
    return is;
}

/* "a,b,c" cut into names; both to free(). */
static int cut(char **copy, const char ***names, size_t *n, const char *list, const mmlc_command *command)
{
    size_t most = 2;

    *copy = NULL;
    *names = NULL;
    *n = 0;
    if (list == NULL)
        return MMLC_GO;
    for (const char *c = list; *c != '\0'; c++)
        most += *c == ',';
    *copy = strdup(list);
    *names = calloc(most, sizeof **names);
    if (*copy == NULL || *names == NULL)
        return mmlc_no_memory(command);
    for (char *at = *copy; at != NULL;) {
        (*names)[(*n)++] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
    return MMLC_GO;
}

static int load(mml_model **model, mmlc_call *call, int hdf5)
{
    convert_args *a = call->args;
    char *copy = NULL, *copy_m = NULL;
    const char **names = NULL, **modalities = NULL;
    int rc;

    if (hdf5)
        return mmlc_load_model(model, call->command, call->operand[0]);
    rc = cut(&copy, &names, &a->state.n_classes, a->classes, call->command);
    a->state.classes = names;
    a->state.modality = a->modality;
    if (rc == MMLC_GO && a->state.model_kind > (int)MML_MODEL_BLOCK) { /* a name may have a comma where there is one only */
        rc = cut(&copy_m, &modalities, &a->state.n_modalities, a->modality, call->command);
        a->state.modalities = modalities;
        a->state.modality = NULL;
    }
    a->state.edges = a->edges.number;
    a->state.n_edges = a->edges.n;
    a->state.not_normalised = !a->normalise;
    if (rc == MMLC_GO && a->cohort != NULL)
        rc = mmlc_open_cohort(&a->state.cohort, call->command, a->cohort);
    if (rc == MMLC_GO) {
        const mml_status st = mml_model_load_state(model, call->operand[0], &a->state, NULL, 0);

        rc = st == MML_OK ? MMLC_GO : mmlc_fail_named(call->command, st);
    }
    mml_cohort_close(a->state.cohort);
    free(copy);
    free(names);
    free(copy_m);
    free(modalities);
    return rc;
}

static int run(mmlc_call *call)
{
    convert_args *a = call->args;
    const char *inputs[2] = {call->operand[0], a->cohort};
    const int hdf5 = is_hdf5(call->operand[0]);
    const int tensors = a->to == TO_OTHER ? hdf5 : a->to == TO_SAFETENSORS;
    mml_model *model = NULL;
    mml_status st;
    int rc = mmlc_check_output(call->command, a->output, inputs, 2);

    if (rc == MMLC_GO)
        rc = load(&model, call, hdf5);
    if (rc != MMLC_GO)
        return rc;
    mmlc_signals_note();
    st = tensors ? mml_model_save_state(model, a->output) : mml_model_save(model, a->output);
    rc = st == MML_OK ? MMLC_OK : mmlc_fail(call->command, st);
    if (st == MML_OK && !a->quiet)
        fprintf(stderr, "%s of task %s, %zu parameters, written to %s as a %s\n",
                mml_model_n_blocks(model) == 1 ? mml_model_block_name(model, 0) : "the blocks", mml_model_task(model),
                mml_model_n_parameters(model), a->output, tensors ? "safetensors file" : "model file");
    mml_model_free(model);
    return rc;
}

const mmlc_command mmlc_cmd_convert = {
    .name = "convert",
    .summary = "models to and from safetensors",
    .operands = "FILE",
    .n_min = 1,
    .n_max = 1,
    .about =
        "Writes a model file as a safetensors file, with the parameters under the names that they have in the PyTorch "
        "code of the method and all else in the metadata, or such a file as a model file: there and back gives the same "
        "model to the bit.\n\n"
        "It also reads the state_dict of a LegoBlock, LegoMerge or LegoFuse of that code, saved by safetensors.torch.save_file(). "
        "Shapes and names say latent, steps, encoders and outputs; the rest must be told by options. Tokens are used as they are, "
        "without scaling, and patients without the modality get an even prior. Several blocks can then be merged or fused.\n\n"
        "A LegoFuse becomes a stack. A LegoMerge is taken where its heads were joined linearly (head_method linear), with the alpha "
        "that its merged head tells; otherwise take its blocks with --block, and merge them.",
    .examples = "mmlego convert labs.h5 -o labs.safetensors\n"
                "mmlego convert b.safetensors -o b.h5 -m rna -t site --kind multiclass\n"
                "mmlego convert b.safetensors -o b.h5 -m rna -t site --cohort cohort.h5\n"
                "mmlego convert f.safetensors -o f.h5 --as fuse -m a,b -t site --cohort c.h5\n",
    .groups = groups,
    .args_size = sizeof(convert_args),
    .init = init,
    .run = run,
};
