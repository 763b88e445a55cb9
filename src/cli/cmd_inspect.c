/* cmd_inspect.c - mmlego inspect: what a cohort or a model is. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "cli/load.h"

typedef struct inspect_args {
    int json;
} inspect_args;

static const mmlc_opt options[] = {
    {.name = "json", .type = MMLC_FLAG, .at = offsetof(inspect_args, json), .help = "print JSON in place of text"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

/* What the library says of the file, as a cohort, or else as a model. */
static int describe(char **json, int *is_model, const mmlc_command *command, const char *path)
{
    mml_cohort *cohort = NULL;
    mml_model *model = NULL;
    char *as_cohort = NULL;
    mml_status st = mml_cohort_open(&cohort, path);
    int rc = MMLC_GO;

    if (st == MML_OK) {
        st = mml_cohort_describe(json, cohort);
    } else if (st == MML_E_FORMAT) {
        as_cohort = strdup(mml_last_error());
        st = mml_model_load(&model, path, NULL, 0);
        *is_model = 1;
        if (st == MML_OK)
            st = mml_model_describe(json, model);
    }
    if (st == MML_E_FORMAT && as_cohort != NULL && strcmp(as_cohort, mml_last_error()) != 0) {
        mmlc_say(command, "%s; %s", as_cohort, mml_last_error()); /* each says what it found */
        rc = MMLC_DATA;
    } else if (st != MML_OK) {
        rc = mmlc_fail(command, st);
    }
    free(as_cohort);
    mml_model_free(model);
    mml_cohort_close(cohort);
    return rc;
}

static int run(mmlc_call *call)
{
    const inspect_args *a = call->args;
    char *json = NULL;
    int is_model = 0, rc = describe(&json, &is_model, call->command, call->operand[0]);

    if (rc != MMLC_GO)
        return rc;
    if (a->json)
        printf("%s\n", json);
    else if ((is_model ? mmlc_model_text : mmlc_cohort_text)(stdout, json) != 0)
        rc = mmlc_no_memory(call->command);
    mml_string_free(json);
    return rc == MMLC_GO ? mmlc_flush(call->command) : rc;
}

const mmlc_command mmlc_cmd_inspect = {
    .name = "inspect",
    .summary = "show what is in a cohort or a model",
    .operands = "FILE",
    .n_min = 1,
    .n_max = 1,
    .about =
        "Shows what FILE is. A cohort: patients, modalities with their size and what is missing, tasks, columns. A "
        "model: kind, task, blocks with all their options, preprocessing, number of parameters, and where it comes "
        "from: version, seed, division, validation score, history of the training.",
    .examples = "mmlego inspect cohort.h5\n"
                "mmlego inspect fused.h5 --json\n",
    .groups = groups,
    .args_size = sizeof(inspect_args),
    .run = run,
};
