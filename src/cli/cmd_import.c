/* cmd_import.c - mmlego import: tables, arrays and files of other programs into a cohort file. */
#include "cli/cli.h"
#include "cli/progress.h"

typedef struct import_args {
    const char *output, *format;
    int dry_run, strict, quiet;
} import_args;

static const mmlc_opt options[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = offsetof(import_args, output), .arg = "FILE",
     .help = "write the cohort here; it appears whole or not at all"},
    {.name = "as", .type = MMLC_STR, .at = offsetof(import_args, format), .arg = "FORMAT",
     .help = "what FILE is, where it cannot be told by looking: ini, csv, mcat, long, hdf5, npy, anndata, mudata, bags, images, "
             "physionet2012 or mimic3"},
    {.name = "dry-run", .type = MMLC_FLAG, .at = offsetof(import_args, dry_run),
     .help = "check everything, say all that is wrong at once, and write nothing"},
    {.name = "strict", .type = MMLC_FLAG, .at = offsetof(import_args, strict),
     .help = "an image that cannot be read is an error, not a missing modality"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = offsetof(import_args, quiet),
     .help = "no progress and no report, errors only"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static int run(mmlc_call *call)
{
    import_args *a = call->args;
    int bar = !a->quiet && mmlc_is_terminal(), rc = MMLC_GO;
    char *report = NULL;
    mml_import_options o;
    mml_status st;

    if (a->output == NULL && !a->dry_run)
        return mmlc_usage_error(call->command, "-o FILE is needed");
    if (a->output != NULL)
        rc = mmlc_check_output(call->command, a->output, call->operand, call->n);
    if (rc != MMLC_GO)
        return rc;
    mmlc_signals_note();
    mml_import_options_init(&o);
    o.format = a->format;
    o.dry_run = a->dry_run;
    o.strict = a->strict;
    o.progress = bar ? mmlc_progress_line : mmlc_progress_stop;
    st = mml_import_with(call->operand[0], a->output, &o, &report);
    if (bar)
        mmlc_progress_clear();
    if (report != NULL && (st != MML_OK || !a->quiet))
        fputs(report, stderr);
    mml_string_free(report);
    if (st != MML_OK)
        return mmlc_fail_named(call->command, st);
    if (!a->quiet && a->dry_run)
        fprintf(stderr, "nothing is wrong; nothing was written\n");
    else if (!a->quiet)
        fprintf(stderr, "cohort written to %s\n", a->output);
    return MMLC_OK;
}

const mmlc_command mmlc_cmd_import = {
    .name = "import",
    .summary = "make a cohort file from tables and arrays",
    .operands = "COHORT.INI|FILE",
    .n_min = 1,
    .n_max = 1,
    .about =
        "Reads the tables (CSV, CSV.gz) and arrays (HDF5) that COHORT.INI names, checks them, and writes one file that "
        "holds all patients: what was measured of each, the labels of each task, and columns to divide them by.\n\n"
        "A patient who lacks a kind of data is kept. A report on stderr says, for each modality and task, how many "
        "patients have it and how much is missing.\n\n"
        "The sections of COHORT.INI: [cohort] has labels = FILE (a CSV, one row a patient), id = COLUMN, and optionally "
        "group = COLUMN (patients that must not be divided), columns = COLUMN, ... (to divide by) and splits = FILE (a "
        "CSV of such columns). [task NAME] has kind = binary, multiclass, survival or regression with label = COLUMN, or "
        "for survival time = COLUMN and event = COLUMN or censorship = COLUMN. [modality NAME] has kind = table, series, "
        "image or bag, file = FILE, and what of the file to read: columns = ... of a CSV, dataset = NAME and id = NAME of "
        "an HDF5 file. Paths are relative to COHORT.INI. doc/cohort.md explains all keys.\n\n"
        "A FILE or folder of another known format is imported as mmlego inspect --init suggests.",
    .examples = "mmlego import cohort.ini -o cohort.h5\n"
                "mmlego import cohort.ini --dry-run\n"
                "mmlego import table.csv.gz -o cohort.h5\n"
                "mmlego import tcga_blca_all_clean.csv.zip -o blca.h5\n"
                "mmlego inspect cohort.h5\n",
    .groups = groups,
    .args_size = sizeof(import_args),
    .run = run,
};
