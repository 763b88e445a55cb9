/* cmd_compare.c - mmlego compare: every system on the same divisions of a cohort. */
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mmlego/compare.h>
#include <mmlego/report.h>

#include "cli/compare_table.h"
#include "cli/device.h"
#include "cli/jobs.h"
#include "cli/training.h"

typedef struct compare_args {
    const char *systems, *modalities;
    int collect, report, quiet, json;
    size_t jobs;
    mml_compare_options o;
} compare_args;

#define AT(field) offsetof(compare_args, field)

static const mmlc_choice studies[] = {{"overlap", 0}, {"missing", 1}, {"modalities", 2}, {"interference", 3}, {NULL, 0}};

static const mmlc_opt what[] = {
    {.letter = 't', .name = "task", .type = MMLC_STR, .at = AT(o.task), .arg = "NAME",
     .help = "task of the cohort to compare on"},
    {.letter = 's', .name = "systems", .type = MMLC_STR, .at = AT(systems), .arg = "LIST",
     .help = "systems by name (merge,block:labs) or group: unimodal, multimodal, lego, reference, all. The blocks that a "
             "system is joined from are added", .init = "all"},
    {.letter = 'm', .name = "modality", .type = MMLC_STR, .at = AT(modalities), .arg = "LIST",
     .help = "modalities to use, in this order", .init = "all of the cohort"},
    {.name = "weight-folds", .type = MMLC_INT, .at = AT(o.weight_folds), .arg = "N",
     .help = "cross-validate each block in N folds for the weights of merge and fuse, as 'train' does; 0 = not at all",
     .init = "5 where fewer than 50 validation samples with the modality are of the rarer kind, else 0", .max = 1000},
    {.name = "committee", .type = MMLC_CHOICE, .at = AT(o.committee), .choices = mmlc_committees,
     .help = "keep the models of that cross-validation as members of each block, as 'train' does; auto: for tables and survival"},
    {.name = "tune", .type = MMLC_SIZE, .at = AT(o.tune), .arg = "N",
     .help = "search the settings of each system with N trials on the validation part; 0 = the defaults alone", .max = 100000},
    {.name = "study", .type = MMLC_STR, .at = AT(o.study), .choices = studies,
     .help = "compare under changed conditions too: blocks trained on different patients; modalities missing in test or "
             "training; the first 1, 2, ... modalities; or what mixing two latents does to them", .init = "none"},
    {.name = "seed", .type = MMLC_U64, .at = AT(o.seed), .arg = "N",
     .help = "seed of training; fold K of every system starts from seed N + K"},
    {.name = NULL},
};
static const mmlc_opt files[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(o.directory), .arg = "DIR",
     .help = "folder for records, models, compare.json, table.tsv and report.html; jobs that it has a record of are not run again"},
    {.letter = 'j', .name = "jobs", .type = MMLC_SIZE, .at = AT(jobs), .arg = "N",
     .help = "jobs to run at a time, each with one thread", .init = "one a processor, one on a GPU", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(o.device), .arg = "NAME", .help = MMLC_DEVICE_HELP, .init = "cpu"},
    {.name = "collect", .type = MMLC_FLAG, .at = AT(collect),
     .help = "run nothing; bring the records of the folders DIR... together, into --output or the first of them"},
    {.name = "report", .type = MMLC_FLAG, .at = AT(report),
     .help = "run nothing; one page of the comparisons in the folders DIR..., each collected already, into the file --output"},
    {.name = "json", .type = MMLC_FLAG, .at = AT(json), .help = "print compare.json in place of a table"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "no progress, errors only"},
    {.name = NULL},
};
static const mmlc_opt division[] = {
    {.name = "folds", .type = MMLC_INT, .at = AT(o.folds), .arg = "N",
     .help = "number of divisions: repetitions of the seeded division 70/15/15, by group and stratified", .min = 1,
     .max = 1000},
    {.name = "fold", .type = MMLC_INT, .at = AT(o.fold), .arg = "K",
     .help = "run only the jobs of fold K, from 0, and do not collect: for the jobs of a cluster", .init = "all", .max = 999},
    {.name = "train", .type = MMLC_STR, .at = AT(o.split.train), .arg = "WHICH",
     .help = "train on these: COLUMN=VALUE[,VALUE...], or a fraction; {fold} stands for the number of the fold, as in "
             "split_{fold}=train"},
    {.name = "valid", .type = MMLC_STR, .at = AT(o.split.valid), .arg = "WHICH", .help = "choose on these",
     .init = "a part of the training samples"},
    {.name = "test", .type = MMLC_STR, .at = AT(o.split.test), .arg = "WHICH", .help = "compare on these",
     .init = "the rest when --train is a fraction"},
    {.name = "valid-fraction", .type = MMLC_DOUBLE, .at = AT(o.split.valid_fraction), .arg = "X",
     .help = "part of the training samples to choose on when there is no --valid", .max = 1.0,
     .rules = MMLC_ABOVE_MIN | MMLC_BELOW_MAX},
    {.name = "split-seed", .type = MMLC_U64, .at = AT(o.split.seed), .arg = "N", .help = "seed of the divisions"},
    {.name = NULL},
};
static const mmlc_group groups[] = {
    {.heading = "What to compare", .opts = what},
    {.heading = "Files and running", .opts = files},
    {.heading = "Division of the cohort", .opts = division},
    {.heading = NULL},
};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    compare_args *a = args;

    (void)modality;
    (void)task;
    mml_compare_options_init(&a->o);
    a->o.threads = 1;
    return MML_OK;
}

/* The command line, to be recorded. NULL = no memory. */
static char *command_line(const mmlc_call *call)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return NULL;
    fputs("mmlego compare", f);
    for (size_t i = 0; i < call->n; i++)
        fprintf(f, " %s", call->operand[i]);
    for (size_t i = 0; i < call->n_given; i++)
        fprintf(f, " --%s%s%s%s", call->given[i].off ? "no-" : "", call->given[i].opt->name,
                call->given[i].text != NULL ? " " : "", call->given[i].text != NULL ? call->given[i].text : "");
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int failed_jobs(const mml_compare *plan)
{
    int n = 0;

    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        n += mml_compare_job_at(&job, plan, i) == MML_OK && job.state == MML_COMPARE_FAILED;
    }
    return n;
}

static int collect(const mmlc_call *call, const char *const *directories, size_t n, const char *out)
{
    const compare_args *a = call->args;
    char *text = NULL;
    json_t *json;
    mml_status st;
    int rc;

    mmlc_signals_note();
    st = mml_compare_collect(&text, directories, n, out);
    json = st == MML_OK ? json_loads(text, 0, NULL) : NULL;
    rc = st == MML_OK ? MMLC_OK : mmlc_fail(call->command, st);
    if (rc == MMLC_OK && json == NULL)
        rc = mmlc_no_memory(call->command);
    if (rc == MMLC_OK && a->json)
        puts(text);
    else if (rc == MMLC_OK) {
        mmlc_compare_table(stdout, json);
        mmlc_compare_studies(stdout, json);
    }
    if (rc == MMLC_OK)
        rc = mmlc_flush(call->command);
    json_decref(json);
    mml_string_free(text);
    return rc;
}

static int run_jobs(const mmlc_call *call, mml_compare *plan)
{
    const compare_args *a = call->args;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const bool many = processors > 1 && mmlc_device_is_cpu(a->o.device);
    const size_t most = a->jobs > 0 ? a->jobs : many ? (size_t)processors : 1;
    int rc = mmlc_jobs_run(plan, call->command, most, a->quiet), failed = 0;

    if (rc != MMLC_GO)
        return rc;
    failed = failed_jobs(plan);
    rc = a->o.fold >= 0 ? MMLC_OK : collect(call, &a->o.directory, 1, a->o.directory);
    if (failed > 0)
        mmlc_say(call->command, "%d of %zu jobs failed; the rest is complete. Repeat the command to try them again.", failed,
                 mml_compare_n_jobs(plan));
    else if (a->o.fold >= 0 && !a->quiet)
        fprintf(stderr, "fold %d is complete; 'mmlego compare --collect %s' when the others are\n", a->o.fold, a->o.directory);
    return rc == MMLC_OK && failed > 0 ? MMLC_FAILURE : rc;
}

static int compare(const mmlc_call *call)
{
    compare_args *a = call->args;
    const char **systems = NULL, **modalities = NULL;
    char *copy[2] = {NULL, NULL}, *line = command_line(call);
    mml_compare *plan = NULL;
    int rc = MMLC_GO;

    if (line == NULL || !mmlc_words(&systems, &a->o.n_systems, &copy[0], a->systems) ||
        !mmlc_words(&modalities, &a->o.n_modalities, &copy[1], a->modalities))
        rc = mmlc_no_memory(call->command);
    a->o.cohort = call->operand[0];
    a->o.command = line;
    a->o.systems = systems;
    a->o.modalities = modalities;
    if (rc == MMLC_GO) {
        mml_status st;

        mmlc_signals_note();
        st = mml_compare_new(&plan, &a->o);
        rc = st == MML_OK ? run_jobs(call, plan) : mmlc_fail_named(call->command, st);
    }
    mml_compare_free(plan);
    free(line);
    free(systems);
    free(modalities);
    free(copy[0]);
    free(copy[1]);
    return rc;
}

/* One page of several comparisons. */
static int report(const mmlc_call *call)
{
    const compare_args *a = call->args;
    char **path = calloc(call->n, sizeof *path), *html = NULL;
    mmlc_out out = {.stream = NULL};
    mml_status st = MML_OK;
    int rc = path != NULL ? MMLC_GO : mmlc_no_memory(call->command);

    for (size_t i = 0; i < call->n && rc == MMLC_GO; i++)
        if (asprintf(&path[i], "%s/compare.json", call->operand[i]) < 0) {
            path[i] = NULL;
            rc = mmlc_no_memory(call->command);
        }
    if (rc == MMLC_GO && (st = mml_report_html(&html, (const char *const *)path, call->n)) != MML_OK)
        rc = mmlc_fail(call->command, st);
    if (rc == MMLC_GO)
        rc = mmlc_out_open(&out, call->command, a->o.directory);
    if (rc == MMLC_GO) {
        fputs(html, out.stream);
        rc = mmlc_out_commit(&out);
    }
    mml_string_free(html);
    for (size_t i = 0; path != NULL && i < call->n; i++)
        free(path[i]);
    free(path);
    return rc;
}

static int run(mmlc_call *call)
{
    compare_args *a = call->args;
    static const char *const not_there[] = {"task", "systems", "modality", "weight-folds", "tune", "study", "seed", "jobs", "device", "folds", "fold", "train", "valid",
                                            "test", "valid-fraction", "split-seed"};
    int rc;

    for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++)
        if ((a->collect || a->report) && mmlc_was_given(call, not_there[i]))
            return mmlc_usage_error(call->command, "--%s runs nothing: --%s has no meaning with it",
                                    a->collect ? "collect" : "report", not_there[i]);
    if (a->collect && a->report)
        return mmlc_usage_error(call->command, "--collect and --report exclude each other");
    if (a->report)
        return a->o.directory != NULL ? report(call) : mmlc_usage_error(call->command, "--output is needed");
    if (a->o.directory != NULL && mmlc_is_stdout(a->o.directory))
        return mmlc_not_stdout(call->command, a->o.directory);
    if (a->collect) {
        return collect(call, call->operand, call->n, a->o.directory != NULL ? a->o.directory : call->operand[0]);
    }
    if (call->n != 1)
        return mmlc_usage_error(call->command, "one cohort is compared on, %zu are given", call->n);
    if (a->o.task == NULL || a->o.directory == NULL)
        return mmlc_usage_error(call->command, "--%s is needed", a->o.task == NULL ? "task" : "output");
    if (a->o.split.train == NULL && (a->o.split.valid != NULL || a->o.split.test != NULL))
        return mmlc_usage_error(call->command, "--valid and --test need --train");
    rc = mmlc_device_say(call->command, a->o.device, a->quiet, MMLC_DEVICE_APART);
    return rc == MMLC_GO ? compare(call) : rc;
}

const mmlc_command mmlc_cmd_compare = {
    .name = "compare",
    .summary = "compare all systems on the same divisions of a cohort",
    .operands = "COHORT | --collect DIR... | --report DIR...",
    .n_min = 1,
    .n_max = 1000,
    .about =
        "Trains every system - blocks, their ensemble, merge and fuses, other architectures, a penalised regression - on "
        "the same divisions of a cohort, and compares their scores on the test parts: mean and standard deviation over the "
        "folds, and the difference to the best baseline with a bootstrap interval over patients. Everything is chosen on "
        "validation parts; a test part is read once by each system.\n\n"
        "Each system on each fold is a job, in a process of its own, and leaves DIR/jobs/SYSTEM.FOLD.json and "
        "DIR/models/SYSTEM.FOLD.h5. Stopped by Ctrl-C or killed, the same command goes on where it was. The result does not "
        "depend on --jobs, nor on whether folds are run at different places (--fold) and collected afterwards.\n\n"
        "A job that fails is recorded with its reason, the others go on; the exit status is then 1.",
    .examples = "mmlego compare cohort.h5 --task death -o comparison\n"
                "mmlego compare cohort.h5 -t os --train cv{fold}=a --test cv{fold}=b -o cv\n"
                "mmlego compare cohort.h5 -t death --fold 3 -o comparison\n"
                "mmlego compare --collect comparison\n"
                "mmlego compare --report comparison cv -o both.html\n",
    .groups = groups,
    .args_size = sizeof(compare_args),
    .init = init,
    .run = run,
};
