/* cmd_explain.c - mmlego explain: attention, modalities and features behind the predictions of a model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/device.h"
#include "cli/explain_plots.h"
#include "cli/load.h"

enum { ATTENTION = 1, MODALITIES = 2, GRADIENTS = 4 };
static const struct {
    const char *name;
    int bit;
} subjects[] = {{"attention", ATTENTION}, {"modalities", MODALITIES}, {"gradients", GRADIENTS}};

typedef struct explain_args {
    const char *output, *on, *sample, *what, *modality, *class_name;
    size_t top;
    int per, quiet;
    mml_explain_options options;
} explain_args;

#define AT(field) offsetof(explain_args, field)

static const mmlc_choice pers[] = {
    {"feature", MMLC_PER_FEATURE}, {"token", MMLC_PER_TOKEN}, {"value", MMLC_PER_VALUE}, {NULL, 0}};

static const mmlc_opt options[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "PATH",
     .help = "folder for tables and plots, made if it is not there; with one subject of --what also a file, or - = stdout",
     .init = "- with one subject"},
    {.name = "what", .type = MMLC_STR, .at = AT(what), .arg = "LIST",
     .help = "subjects, divided by commas: attention, modalities, gradients", .init = "all that the model has"},
    {.name = "on", .type = MMLC_STR, .at = AT(on), .arg = "WHICH",
     .help = "explain these only: COLUMN=VALUE[,VALUE...], or the part train, valid or test of the model's training",
     .init = "all"},
    {.name = "sample", .type = MMLC_STR, .at = AT(sample), .arg = "ID", .help = "explain this patient only"},
    {.name = "class", .type = MMLC_STR, .at = AT(class_name), .arg = "NAME", .help = "the class whose log odds are explained",
     .init = "the last of two, else the predicted one"},
    {.letter = 'm', .name = "modality", .type = MMLC_STR, .at = AT(modality), .arg = "LIST",
     .help = "gradients: modalities whose features are explained, divided by commas; the others stay as they are",
     .init = "all"},
    {.name = "per", .type = MMLC_CHOICE, .at = AT(per), .choices = pers,
     .help = "gradients: a line a feature (sum over its tokens), a token (sum over its features), or a value of a token"},
    {.name = "top", .type = MMLC_SIZE, .at = AT(top), .arg = "K",
     .help = "gradients: features in the summary over the patients; 0 = all"},
    {.name = "points", .type = MMLC_SIZE, .at = AT(options.points), .arg = "N",
     .help = "gradients: points on the path from the baseline, to begin with", .min = 2, .max = 4096},
    {.name = "tolerance", .type = MMLC_DOUBLE, .at = AT(options.tolerance), .arg = "X",
     .help = "gradients: more points where attributions miss the difference of scores by more than this part of them",
     .rules = MMLC_ABOVE_MIN},
    {.name = "batch", .type = MMLC_SIZE, .at = AT(options.batch), .arg = "N", .help = "patients at a time",
     .init = "64, fewer when they have many tokens", .min = 1, .max = 1000000},
    {.name = "threads", .type = MMLC_INT, .at = AT(options.threads), .arg = "N",
     .help = "threads to use; the result does not depend on it", .init = "all", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(options.device), .arg = "NAME", .help = MMLC_DEVICE_HELP, .init = "cpu"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    explain_args *a = args;

    (void)modality;
    (void)task;
    mml_explain_options_init(&a->options);
    a->top = 30;
    return MML_OK;
}

/* ---- what is asked ------------------------------------------------------------------------------------------------------ */

/* A list divided by commas, cut in a copy of the text: both the caller's to free(). */
static int cut(char ***list, size_t *n, char **copy, const mmlc_command *command, const char *text)
{
    size_t most = 1;

    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    *n = 0;
    *copy = strdup(text);
    *list = calloc(most, sizeof **list);
    if (*copy == NULL || *list == NULL)
        return mmlc_no_memory(command);
    for (char *at = *copy; at != NULL;) {
        char *comma = strchr(at, ',');

        if (comma != NULL)
            *comma = '\0';
        (*list)[(*n)++] = at;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return MMLC_GO;
}

/* *bits of the subjects; without --what those that the model has. */
static int read_what(int *bits, const mmlc_command *command, const char *what, const mml_model *model)
{
    static const char *const names[] = {"attention", "modalities", "gradients"};
    char **list = NULL, *copy = NULL;
    size_t n = 0;
    int rc;

    *bits = MODALITIES | GRADIENTS | (mml_model_get_kind(model) == MML_MODEL_BASELINE ? 0 : ATTENTION);
    if (what == NULL)
        return MMLC_GO;
    *bits = 0;
    rc = cut(&list, &n, &copy, command, what);
    for (size_t i = 0; rc == MMLC_GO && i < n; i++) {
        int bit = 0;

        for (size_t s = 0; s < 3; s++)
            bit |= strcmp(list[i], subjects[s].name) == 0 ? subjects[s].bit : 0;
        if (bit == 0) {
            const char *near = mmlc_nearest(list[i], names, 3);

            rc = mmlc_usage_error(command, "--what is a list of attention, modalities and gradients; '%s' is none of them%s%s%s",
                                  list[i], near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                                  near != NULL ? "?" : "");
        }
        *bits |= bit;
    }
    free(list);
    free(copy);
    return rc;
}

static int choose(size_t **samples, size_t *n, const mmlc_call *call, const mml_cohort *cohort, const mml_model *model)
{
    const explain_args *a = call->args;
    const char *const *ids = mml_cohort_ids(cohort);

    if (a->sample == NULL)
        return mmlc_choose(samples, n, call->command, cohort, model, a->on);
    if (a->on != NULL)
        return mmlc_usage_error(call->command, "--sample names one patient and --on chooses several: one of them");
    for (size_t i = 0; i < mml_cohort_size(cohort); i++)
        if (strcmp(ids[i], a->sample) == 0) {
            *samples = malloc(sizeof **samples);
            if (*samples == NULL)
                return mmlc_no_memory(call->command);
            **samples = i;
            *n = 1;
            return MMLC_GO;
        }
    return mmlc_usage_error(call->command, "%s has no sample '%s'", mml_cohort_path(cohort), a->sample);
}

/* ---- where it goes ------------------------------------------------------------------------------------------------------ */

static int one_subject(int bits)
{
    return (bits & (bits - 1)) == 0;
}

static int is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);

    return (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) || (n > 0 && path[n - 1] == '/');
}

/* *folder: NULL = one table to the output itself. *made: it was not there before. */
static int find_place(const char **folder, int *made, const mmlc_call *call, int bits)
{
    const explain_args *a = call->args;

    *folder = NULL;
    if (one_subject(bits) && (mmlc_is_stdout(a->output) || !is_folder(a->output)))
        return !mmlc_is_stdout(a->output) ? mmlc_not_an_input(call->command, a->output, call->operand, call->n) : MMLC_GO;
    if (mmlc_is_stdout(a->output))
        return mmlc_usage_error(call->command, "several subjects make several tables: --output must name a folder");
    *folder = a->output;
    *made = mkdir(a->output, 0777) == 0;
    if (!*made && !(errno == EEXIST && is_folder(a->output))) {
        mmlc_say(call->command, "%s: the folder cannot be made: %s", a->output, strerror(errno));
        return MMLC_FAILURE;
    }
    return MMLC_GO;
}

static int open_in(mmlc_out *out, const mmlc_call *call, const char *folder, const char *name)
{
    const explain_args *a = call->args;
    char *path = NULL;
    int rc;

    if (folder == NULL)
        return mmlc_out_open(out, call->command, a->output);
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return mmlc_no_memory(call->command);
    rc = mmlc_not_an_input(call->command, path, call->operand, call->n);
    if (rc == MMLC_GO)
        rc = mmlc_out_open(out, call->command, path);
    free(path);
    return rc;
}

/* ---- the subjects ------------------------------------------------------------------------------------------------------- */

typedef struct work {
    const mmlc_call *call;
    const mml_model *model;
    mml_cohort *cohort;
    mml_explainer *explainer;
    const size_t *samples;
    size_t n;
    const char *folder;
    mmlc_plots plots;
    size_t told; /* patients that there was something to say of */
} work;

/* A stop that nobody asked for: a table could not be written (commit says why), or memory. */
static mml_status settle(const mmlc_table *t, mml_status st)
{
    return st == MML_E_STOPPED && mmlc_signal() == 0 && !t->no_memory ? MML_OK : st;
}

static int finish(work *w, mmlc_out *out, mml_status st, const mmlc_table *t)
{
    int rc;

    w->told = t->lines > w->told ? t->lines : w->told;
    st = settle(t, st);
    if (st == MML_OK)
        return mmlc_out_commit(out);
    rc = t->no_memory ? mmlc_no_memory(w->call->command) : mmlc_fail(w->call->command, st);
    mmlc_out_abort(out);
    return rc;
}

/* The summary of a table and its plot, in a folder only. */
static int put_summary(const work *w, mmlc_table *t, const char *name, const char *plot, size_t top)
{
    mmlc_plots plots = w->plots;
    mmlc_out out;
    int rc = w->folder == NULL ? MMLC_OK : open_in(&out, w->call, w->folder, name);

    if (rc != MMLC_GO)
        return rc;
    mmlc_put_summary(out.stream, t, top);
    rc = mmlc_out_commit(&out);
    if (rc == MMLC_OK && t->n > 0) {
        plots.top = top;
        mmlc_plot_summary(&plots, t, plot);
        rc = plots.rc;
    }
    return rc;
}

static int attention(work *w)
{
    mmlc_table t = {.model = w->model, .explainer = w->explainer, .ids = mml_cohort_ids(w->cohort)};
    mmlc_out out;
    int rc = open_in(&out, w->call, w->folder, "attention.tsv");

    if (rc != MMLC_GO)
        return rc;
    t.to = out.stream;
    t.plots = w->plots.id != NULL ? &w->plots : NULL;
    mmlc_attention_header(&t);
    rc = finish(w, &out, mml_explain_attention(w->explainer, w->cohort, w->samples, w->n, mmlc_attention_line, &t), &t);
    mmlc_plot_attention_end(&w->plots);
    return rc == MMLC_OK ? w->plots.rc : rc;
}

static int modalities(work *w)
{
    mmlc_table t = {.model = w->model, .explainer = w->explainer, .ids = mml_cohort_ids(w->cohort)};
    mmlc_out out;
    int rc = open_in(&out, w->call, w->folder, "modalities.tsv");

    if (rc != MMLC_GO)
        return rc;
    t.to = out.stream;
    mmlc_modalities_header(&t);
    rc = finish(w, &out, mml_explain_modalities(w->explainer, w->cohort, w->samples, w->n, mmlc_modalities_line, &t), &t);
    if (rc == MMLC_OK)
        rc = put_summary(w, &t, "modalities-summary.tsv", "modalities", 0);
    free(t.row);
    return rc;
}

static int gradients(work *w)
{
    const explain_args *a = w->call->args;
    mmlc_table t = {.model = w->model, .explainer = w->explainer, .ids = mml_cohort_ids(w->cohort), .per = (mmlc_per)a->per,
                    .first = calloc(mml_model_n_blocks(w->model) + 1, sizeof *t.first)};
    mmlc_out out, scores;
    mml_status st;
    int rc = t.first == NULL ? mmlc_no_memory(w->call->command) : open_in(&out, w->call, w->folder, "gradients.tsv");

    if (rc == MMLC_GO && w->folder != NULL && (rc = open_in(&scores, w->call, w->folder, "gradients-scores.tsv")) != MMLC_GO)
        mmlc_out_abort(&out);
    if (rc != MMLC_GO) {
        free(t.first);
        return rc;
    }
    t.to = out.stream;
    t.scores = w->folder != NULL ? scores.stream : NULL;
    t.plots = w->plots.id != NULL ? &w->plots : NULL;
    mmlc_gradients_header(&t);
    st = mml_explain_gradients(w->explainer, w->cohort, w->samples, w->n, mmlc_gradients_lines, &t);
    rc = finish(w, &out, st, &t);
    if (w->folder != NULL && rc == MMLC_OK)
        rc = mmlc_out_commit(&scores);
    else if (w->folder != NULL)
        mmlc_out_abort(&scores);
    rc = rc == MMLC_OK ? w->plots.rc : rc;
    if (rc == MMLC_OK)
        rc = put_summary(w, &t, "features.tsv", "features", a->top);
    free(t.row);
    free(t.first);
    return rc;
}

static int explain(work *w, int bits)
{
    const explain_args *a = w->call->args;
    int rc = MMLC_OK;

    if (bits & ATTENTION)
        rc = attention(w);
    if (rc == MMLC_OK && bits & MODALITIES)
        rc = modalities(w);
    if (rc == MMLC_OK && bits & GRADIENTS)
        rc = gradients(w);
    if (rc != MMLC_OK || a->quiet)
        return rc;
    if (w->told < w->n)
        mmlc_say(w->call->command, "%zu of %zu %s none of the modalities: there is nothing to explain of %s",
                 w->n - w->told, w->n, mmlc_by_number(w->n - w->told, "patients has", "patients have"), mmlc_by_number(w->n - w->told, "that one", "them"));
    if (w->folder != NULL)
        mmlc_say(w->call->command, "explained: %s; tables of %zu %s are in %s", mml_explainer_score(w->explainer), w->told,
                 mmlc_by_number(w->told, "patient", "patients"),
                 w->folder);
    return rc;
}

static int make_explainer(work *w, char ***list, char **copy)
{
    const explain_args *a = w->call->args;
    mml_explain_options o = a->options;
    mml_status st;

    o.target = a->class_name;
    if (a->modality != NULL) {
        int rc = cut(list, &o.n_modalities, copy, w->call->command, a->modality);

        if (rc != MMLC_GO)
            return rc;
        o.modalities = (const char *const *)*list;
    }
    st = mml_explainer_new(&w->explainer, w->model, &o);
    return st == MML_OK ? MMLC_GO : mmlc_fail_named(w->call->command, st);
}

static int run(mmlc_call *call)
{
    const explain_args *a = call->args;
    work w = {.call = call};
    mml_model *model = NULL;
    size_t *samples = NULL;
    char **list = NULL, *copy = NULL;
    int bits = 0, made = 0, rc = mmlc_device_say(call->command, a->options.device, a->quiet, 0);

    if (rc == MMLC_GO)
        rc = mmlc_load_model(&model, call->command, call->operand[0]);
    w.model = model;
    if (rc == MMLC_GO)
        rc = read_what(&bits, call->command, a->what, model);
    if (rc == MMLC_GO)
        rc = mmlc_open_cohort(&w.cohort, call->command, call->operand[1]);
    if (rc == MMLC_GO)
        rc = mmlc_check_overlap(call->command, w.cohort, model);
    if (rc == MMLC_GO)
        rc = choose(&samples, &w.n, call, w.cohort, model);
    if (rc == MMLC_GO)
        rc = make_explainer(&w, &list, &copy);
    if (rc == MMLC_GO)
        rc = find_place(&w.folder, &made, call, bits);
    if (rc == MMLC_GO) {
        w.samples = samples;
        w.plots = (mmlc_plots){.command = call->command, .folder = w.folder, .model = model, .cohort = w.cohort,
                               .top = a->top, .score = mml_explainer_score(w.explainer), .rc = MMLC_OK,
                               .id = w.folder != NULL && w.n == 1 ? mml_cohort_ids(w.cohort)[samples[0]] : NULL};
        if (!a->quiet)
            mmlc_say_ignored(call->command, model, w.cohort);
        mmlc_signals_note();
        rc = explain(&w, bits);
        if (rc != MMLC_OK && made)
            (void)rmdir(w.folder); /* unless something is in it */
    }
    mml_explainer_free(w.explainer);
    free(samples);
    free(list);
    free(copy);
    mml_cohort_close(w.cohort);
    mml_model_free(model);
    return rc;
}

const mmlc_command mmlc_cmd_explain = {
    .name = "explain",
    .summary = "say what the predictions of a model come from",
    .operands = "MODEL COHORT",
    .n_min = 2,
    .n_max = 2,
    .about =
        "Explains one number a patient: of classes the log odds, of survival the risk (or log relative risk), of regression "
        "the value. It describes the model, not the patient: what a model uses need not be a cause.\n\n"
        "attention: how each step of each block, and the pooling of abmil, weighted the tokens of the modality "
        "(attention.tsv: id, block, step, kind, token, position, weight). A table is one token: its whole row.\n\n"
        "modalities: the score with all modalities that the patient has, without one, and from it alone "
        "(modalities.tsv; their mean absolute contribution in modalities-summary.tsv). Without the only one it is the "
        "prior.\n\n"
        "gradients: integrated gradients from a baseline patient, of whom all has the mean of training, to the patient. They "
        "sum to the difference of the two scores (gradients.tsv, gradients-scores.tsv). A value that was not measured gets "
        "nothing; what it does that something was measured, or is missing, is on the line `measured` of its feature. "
        "features.tsv has the features with the "
        "greatest mean absolute attribution over the patients.\n\n"
        "A folder also gets plots (SVG): features.svg and modalities.svg, and of a single patient, for every block, "
        "attention-BLOCK.svg and gradients-BLOCK.svg: patches on a map, a series by time and channel, a table as bars.",
    .examples = "mmlego explain fused.h5 cohort.h5 --on test -o explained\n"
                "mmlego explain block.h5 cohort.h5 --sample p17 --what gradients --per value\n"
                "mmlego explain merged.h5 cohort.h5 --what modalities | head\n",
    .groups = groups,
    .args_size = sizeof(explain_args),
    .init = init,
    .run = run,
};
