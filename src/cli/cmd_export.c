/* cmd_export.c - mmlego export: parts of a cohort for other programs. */
#include <string.h>

#include "cli/load.h"
#include "cli/progress.h"

typedef struct export_args {
    const char *output, *modality, *task;
    int format, part, quiet;
} export_args;

#define AT(field) offsetof(export_args, field)

enum { BY_NAME = -1 };

static const mmlc_choice formats[] = {{"csv", MML_EXPORT_CSV}, {"npy", MML_EXPORT_NPY}, {NULL, 0}};
static const mmlc_choice parts[] = {
    {"values", MML_EXPORT_VALUES}, {"positions", MML_EXPORT_POSITIONS}, {"offsets", MML_EXPORT_OFFSETS}, {NULL, 0}};

static const mmlc_opt options[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "FILE",
     .help = "write it here; it appears whole or not at all; - = stdout", .rules = MMLC_REQUIRED},
    {.letter = 'm', .name = "modality", .type = MMLC_STR, .at = AT(modality), .arg = "NAME",
     .help = "its tokens; without it the labels, groups and columns to divide by"},
    {.letter = 't', .name = "task", .type = MMLC_STR, .at = AT(task), .arg = "NAME", .help = "labels of this task only"},
    {.name = "format", .type = MMLC_CHOICE, .at = AT(format), .choices = formats,
     .help = "a table of text or an array of NumPy", .init = "npy if FILE ends so, else csv"},
    {.name = "part", .type = MMLC_CHOICE, .at = AT(part), .choices = parts,
     .help = "of the tokens, as an array: their values, their positions, or where those of each patient begin"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    (void)modality;
    (void)task;
    ((export_args *)args)->format = BY_NAME;
    return MML_OK;
}

static int ends_in_npy(const char *path)
{
    const size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

static mml_status put(const export_args *a, mml_cohort *cohort, const char *path)
{
    const mml_export_format format = a->format != BY_NAME        ? (mml_export_format)a->format
                                     : ends_in_npy(a->output) ? MML_EXPORT_NPY
                                                                 : MML_EXPORT_CSV;

    const int bar = !a->quiet && mmlc_is_terminal();
    const mml_progress progress = bar ? mmlc_progress_line : mmlc_progress_stop;
    const mml_status st = a->modality != NULL ? mml_export_modality(cohort, a->modality, (mml_export_part)a->part, format, path, progress, NULL)
                                              : mml_export_labels(cohort, a->task, format, path, progress, NULL);

    if (bar)
        mmlc_progress_clear();
    return st;
}

static int export(const mmlc_call *call, mml_cohort *cohort)
{
    const export_args *a = call->args;
    char *spool = NULL;
    mml_status st;
    int rc;

    mmlc_signals_note();
    rc = mmlc_is_stdout(a->output) ? mmlc_spool_open(&spool, call->command) : MMLC_GO;
    if (rc != MMLC_GO)
        return rc;
    st = put(a, cohort, spool != NULL ? spool : a->output);
    rc = st == MML_OK ? MMLC_OK : mmlc_fail_named(call->command, st);
    if (spool != NULL) {
        int printed = mmlc_spool_print(spool, call->command, st == MML_OK);

        rc = st == MML_OK ? printed : rc;
    }
    if (rc == MMLC_OK && !a->quiet)
        fprintf(stderr, "%s of %zu %s written to %s\n", a->modality != NULL ? a->modality : "labels",
                mml_cohort_size(cohort), mmlc_by_number(mml_cohort_size(cohort), "patient", "patients"), mmlc_is_stdout(a->output) ? "standard output" : a->output);
    return rc;
}

static int run(mmlc_call *call)
{
    const export_args *a = call->args;
    mml_cohort *cohort = NULL;
    int rc = mmlc_is_stdout(a->output) ? MMLC_GO : mmlc_check_output(call->command, a->output, call->operand, call->n);

    if (rc == MMLC_GO && a->modality != NULL && a->task != NULL)
        rc = mmlc_usage_error(call->command, "--modality and --task are exported one at a time");
    if (rc == MMLC_GO)
        rc = mmlc_open_cohort(&cohort, call->command, call->operand[0]);
    if (rc == MMLC_GO)
        rc = export(call, cohort);
    mml_cohort_close(cohort);
    return rc;
}

const mmlc_command mmlc_cmd_export = {
    .name = "export",
    .summary = "parts of a cohort for other programs",
    .operands = "COHORT",
    .n_min = 1,
    .n_max = 1,
    .about =
        "Writes the labels, groups and columns of a cohort as a CSV with one line a patient, or the tokens of a modality: "
        "of a table one line a patient who has it, of others one line a token, with its number and position. Cells of what "
        "was not measured are empty; numbers read back to the same bits.\n\n"
        "As arrays of NumPy: a table (patients, features) with NaN for patients who lack it; other modalities (tokens, features), "
        "those of patient i being the rows from offsets[i] to offsets[i + 1]; of a task class numbers (-1 unknown), values, "
        "or records (event, time) as scikit-survival wants them.",
    .examples = "mmlego export cohort.h5 -o labels.csv\n"
                "mmlego export cohort.h5 -m labs -o labs.csv\n"
                "mmlego export cohort.h5 -t death -o - | head\n"
                "mmlego export cohort.h5 -m xray -o xray.npy\n"
                "mmlego export cohort.h5 -m xray --part offsets -o offsets.npy\n"
                "mmlego export cohort.h5 -t survival -o y.npy\n",
    .groups = groups,
    .args_size = sizeof(export_args),
    .init = init,
    .run = run,
};
