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

static int is_hdf5(const char *path)
{
    char bytes[8] = "";
    FILE *file = fopen(path, "rb");
    size_t n = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;

    if (file != NULL)
        fclose(file);
    return n == sizeof bytes && memcmp(bytes, "\x89HDF\r\n\x1a\n", sizeof bytes) == 0;
}

/* What the library says of the file as a cohort or as a model. Else MMLC_GO with *json NULL, and *why in case that it is one of
 * them and damaged (free). */
static mml_status describe_own(char **json, printer *print, char **why, const char *path)
{
    mml_cohort *cohort = NULL;
    mml_model *model = NULL;
    mml_status st = mml_cohort_open(&cohort, path);

    if (st == MML_OK) {
        *print = mmlc_cohort_text;
        st = mml_cohort_describe(json, cohort);
    } else {
        *why = strdup(mml_last_error());
        st = mml_model_load(&model, path, NULL, 0);
        *print = mmlc_model_text;
        if (st == MML_OK)
            st = mml_model_describe(json, model);
    }
    mml_model_free(model);
    mml_cohort_close(cohort);
    return st;
}

/* Is it one of ours for which no other format is to be expected? One without the mark of ours is what the other reader says. */
static int is_own(const char *path, const char *as_cohort)
{
    return as_cohort != NULL && is_hdf5(path) && strstr(as_cohort, "it has no attribute `format`") == NULL;
}

static int describe(char **json, printer *print, const mmlc_command *command, const char *path, const char *format)
{
    char *as_cohort = NULL, *as_model = NULL;
    mml_status st = MML_E_FORMAT;
    int rc = MMLC_GO;

    if (format == NULL)
        st = describe_own(json, print, &as_cohort, path);
    if (st == MML_E_FORMAT || (st == MML_E_IO && as_cohort != NULL)) {
        as_model = strdup(mml_last_error());
        *print = foreign_text;
        st = mml_file_describe(json, path, format);
    }
    if (st == MML_E_FORMAT && as_model != NULL && is_own(path, as_cohort)) {
        mmlc_say(command, "%s%s%s", as_cohort, strcmp(as_cohort, as_model) != 0 ? "; " : "",
                 strcmp(as_cohort, as_model) != 0 ? as_model : ""); /* each says what it found */
        rc = MMLC_DATA;
    } else if (st != MML_OK) {
        rc = mmlc_fail_named(command, st);
    }
    free(as_cohort);
    free(as_model);
    return rc;
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
    int rc;

    if (a->init)
        return print_ini(call, a->format);
    if (call->n > 1)
        return mmlc_usage_error(call->command, "several files are for --init");
    rc = describe(&json, &print, call->command, call->operand[0], a->format);
    if (rc != MMLC_GO)
        return rc;
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
        "from: version, seed, division, validation score, history of the training.\n\n"
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
