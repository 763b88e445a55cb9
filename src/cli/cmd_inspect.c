/* cmd_inspect.c - mmlego inspect: what a cohort, a model or a file of another program is. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "cli/json_text.h"
#include "cli/load.h"

typedef struct inspect_args {
    int json, init;
    const char *format;
} inspect_args;

static const mmlc_opt options[] = {
    {.name = "json", .type = MMLC_FLAG, .at = offsetof(inspect_args, json), .help = "print JSON in place of text"},
    {.name = "init", .type = MMLC_FLAG, .at = offsetof(inspect_args, init),
     .help = "print a cohort.ini that imports the files, to be read and changed"},
    {.name = "as", .type = MMLC_STR, .at = offsetof(inspect_args, format), .arg = "FORMAT",
     .help = "what FILE is, where it cannot be told by looking: csv, hdf5, ..."},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

typedef int (*printer)(FILE *to, const char *json);

static int foreign_text(FILE *to, const char *json)
{
    json_t *object = json_loads(json, 0, NULL);

    if (!json_is_object(object))
        return -1;
    mmlc_json_print(to, object);
    json_decref(object);
    return 0;
}

static mml_status describe_cohort(char **json, const char *path)
{
    mml_cohort *cohort = NULL;
    mml_status st = mml_cohort_open(&cohort, path);

    if (st == MML_OK)
        st = mml_cohort_describe(json, cohort);
    mml_cohort_close(cohort);
    return st;
}

/* A checkpoint, too: the message says that it is one. */
static mml_status describe_model(char **json, const char *path)
{
    mml_model *model = NULL;
    mml_status st = mml_model_load(&model, path, NULL, 0);

    if (st == MML_OK)
        st = mml_model_describe(json, model);
    mml_model_free(model);
    return st;
}

static mml_status describe(char **json, printer *print, const char *path, const char *format)
{
    mml_file_kind kind = MML_FILE_OTHER;
    mml_status st = format == NULL ? mml_file_kind_of(&kind, path) : MML_OK;

    *print = kind == MML_FILE_COHORT ? mmlc_cohort_text : kind == MML_FILE_OTHER ? foreign_text : mmlc_model_text;
    if (st != MML_OK)
        return st;
    switch (kind) {
    case MML_FILE_COHORT: return describe_cohort(json, path);
    case MML_FILE_MODEL:
    case MML_FILE_CHECKPOINT: return describe_model(json, path);
    case MML_FILE_OTHER: break;
    }
    return mml_file_describe(json, path, format);
}

static int print_ini(mmlc_call *call, const char *format)
{
    char *ini = NULL;
    mml_status st = mml_suggest_cohort(&ini, call->operand, call->n, format);

    if (st != MML_OK)
        return mmlc_fail_named(call->command, st);
    fputs(ini, stdout);
    mml_string_free(ini);
    return mmlc_flush(call->command);
}

static int run(mmlc_call *call)
{
    const inspect_args *a = call->args;
    char *json = NULL;
    printer print = NULL;
    mml_status st;
    int rc = MMLC_GO;

    if (a->init)
        return print_ini(call, a->format);
    if (call->n > 1)
        return mmlc_usage_error(call->command, "several files are for --init");
    st = describe(&json, &print, call->operand[0], a->format);
    if (st != MML_OK)
        return mmlc_fail_named(call->command, st);
    if (a->json)
        printf("%s\n", json);
    else if (print(stdout, json) != 0)
        rc = mmlc_no_memory(call->command);
    mml_string_free(json);
    return rc == MMLC_GO ? mmlc_flush(call->command) : rc;
}

const mmlc_command mmlc_cmd_inspect = {
    .name = "inspect",
    .summary = "show what is in a cohort, a model, or a file to be imported",
    .operands = "FILE",
    .n_min = 1,
    .n_max = 1000,
    .about =
        "Shows what FILE is. A cohort: patients, modalities with their size and what is missing, tasks, columns. A "
        "model: kind, task, blocks with all their options, preprocessing, number of parameters, and where it comes "
        "from: version, seed, division, validation and cross score, history of the training.\n\n"
        "Any other file or folder: its format, shapes, types, ids, columns, and what is missing; of one that cannot be "
        "imported, how to convert it. With --init a cohort.ini is printed that imports the files given: the first table with "
        "ids has the labels.",
    .examples = "mmlego inspect cohort.h5\n"
                "mmlego inspect fused.h5 --json\n"
                "mmlego inspect rna.csv.gz\n"
                "mmlego inspect --init labels.csv rna.csv.gz >cohort.ini\n",
    .groups = groups,
    .args_size = sizeof(inspect_args),
    .run = run,
};
