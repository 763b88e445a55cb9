/* cmd_predict.c - mmlego predict: a table of predictions, one line a patient. */
#include <stdlib.h>
#include <string.h>

#include <mmlego/predict.h>

#include "cli/device.h"
#include "cli/load.h"

typedef struct predict_args {
    const char *output, *on, *device;
    size_t batch;
    int threads;
} predict_args;

#define AT(field) offsetof(predict_args, field)

static const mmlc_opt options[] = {
    {.letter = 'o', .name = "output", .type = MMLC_STR, .at = AT(output), .arg = "FILE",
     .help = "write the table here, whole or not at all; - = stdout", .init = "-"},
    {.name = "on", .type = MMLC_STR, .at = AT(on), .arg = "WHICH",
     .help = "predict these only: COLUMN=VALUE[,VALUE...], or the part train, valid or test of the model's training",
     .init = "all"},
    {.name = "batch", .type = MMLC_SIZE, .at = AT(batch), .arg = "N",
     .help = "patients at a time; changes the last digits at most", .min = 1, .max = 1000000},
    {.name = "threads", .type = MMLC_INT, .at = AT(threads), .arg = "N",
     .help = "threads to use; the result does not depend on it", .init = "all", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(device), .arg = "NAME", .help = MMLC_DEVICE_HELP, .init = "cpu"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    (void)modality;
    (void)task;
    ((predict_args *)args)->batch = 64;
    return MML_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct table {
    FILE *to;
    const mml_model *model;
    const char *const *ids;
    size_t n, n_prior; /* lines so far */
} table;

static void put_heads(const table *t, const char *what)
{
    size_t k = mml_model_n_outputs(t->model);

    for (size_t j = 0; j < k; j++) {
        fprintf(t->to, "\t%s_", what);
        if (j < mml_model_n_classes(t->model))
            mmlc_put_name(t->to, mml_model_class(t->model, j));
        else
            fprintf(t->to, "%zu", j + 1);
    }
}

static void put_header(const table *t)
{
    fputs("id\tmodalities", t->to);
    switch (mml_model_task_kind(t->model)) {
    case MML_BINARY:
    case MML_MULTICLASS:
        put_heads(t, "logit");
        put_heads(t, "probability");
        break;
    case MML_SURVIVAL:
        if (mml_model_n_outputs(t->model) == 1) { /* Cox: no time bins */
            fputs("\tlogit\trelative_risk\trisk", t->to);
            break;
        }
        put_heads(t, "logit");
        put_heads(t, "hazard");
        put_heads(t, "survival");
        fputs("\trisk", t->to);
        break;
    case MML_REGRESSION: fputs("\tlogit\tvalue", t->to); break;
    }
    fputs("\tprior\n", t->to);
}

/* The modalities used, in the order of the model's blocks, each once; "-" = none. */
static void put_used(const table *t, uint64_t used)
{
    const size_t n = mml_model_n_blocks(t->model);
    const char *name[64];
    size_t written = 0, bit = 0;

    for (size_t b = 0; b < n && bit < 64; b += mml_model_committee(t->model, b), bit++) {
        int again = (used >> bit & 1) == 0;

        name[written] = mml_model_block_modality(t->model, b);
        for (size_t i = 0; i < written; i++)
            again |= strcmp(name[written], name[i]) == 0;
        if (again)
            continue;
        if (written > 0)
            fputc(',', t->to);
        mmlc_put_name(t->to, name[written++]);
    }
    if (written == 0)
        fputc('-', t->to);
}

static void put_values(FILE *to, const float *value, size_t k)
{
    for (size_t j = 0; j < k; j++)
        fprintf(to, "\t%.9g", (double)value[j]); /* 9 digits give the float back exactly */
}

static int put_chunk(void *user, const mml_prediction *p, const size_t *samples)
{
    table *t = user;

    if (t->n == 0) /* not before the model has accepted the cohort: a failure leaves stdout empty */
        put_header(t);
    t->n += p->n;
    for (size_t i = 0; i < p->n; i++) {
        mmlc_put_name(t->to, t->ids[samples[i]]);
        fputc('\t', t->to);
        put_used(t, p->used[i]);
        put_values(t->to, p->logits + i * p->k, p->k);
        put_values(t->to, p->output + i * p->k, p->k);
        if (p->survival != NULL)
            put_values(t->to, p->survival + i * p->k, p->k);
        if (mml_model_task_kind(t->model) == MML_SURVIVAL)
            fprintf(t->to, "\t%.9g", p->score[i]);
        fprintf(t->to, "\t%d\n", p->prior[i] != 0);
        t->n_prior += p->prior[i] != 0;
    }
    return mmlc_signal() != 0 || ferror(t->to);
}

/* ---- the command --------------------------------------------------------------------------------------------------- */

static int predict(const mmlc_call *call, const mml_model *model, mml_cohort *cohort, const size_t *samples, size_t n)
{
    const predict_args *a = call->args;
    mml_predictor *predictor = NULL;
    const mml_unknown_category *unknown = NULL;
    size_t n_unknown = 0;
    mmlc_out out;
    table t = {.model = model, .ids = mml_cohort_ids(cohort)};
    int rc = mmlc_out_open(&out, call->command, a->output);
    mml_status st = MML_OK;

    if (rc != MMLC_GO)
        return rc;
    t.to = out.stream;
    st = mml_predictor_new(&predictor, model, a->device, a->threads);
    if (st == MML_OK)
        st = mml_predict_cohort(predictor, cohort, samples, n, a->batch, put_chunk, &t);
    if (st == MML_OK)
        unknown = mml_predictor_unknown(predictor, &n_unknown);
    if (st == MML_E_STOPPED && mmlc_signal() == 0)
        st = MML_OK; /* stopped because the table could not be written: commit says why */
    if (st != MML_OK) {
        rc = mmlc_fail(call->command, st);
        mmlc_out_abort(&out);
        mml_predictor_free(predictor);
        return rc;
    }
    rc = mmlc_out_commit(&out);
    if (rc == MMLC_OK)
        mmlc_say_unknown(call->command, unknown, n_unknown, n_unknown);
    if (rc == MMLC_OK)
        mmlc_say_ignored(call->command, model, cohort);
    mml_predictor_free(predictor);
    if (rc == MMLC_OK && t.n_prior > 0)
        mmlc_say(call->command, "%zu of %zu %s none of the modalities of the model: %s is what "
                 "was usual in training (prior = 1)", t.n_prior, n, mmlc_by_number(t.n_prior, "patients has", "patients have"),
                 mmlc_by_number(t.n_prior, "that line", "their line"));
    return rc;
}

static int run(mmlc_call *call)
{
    const predict_args *a = call->args;
    mml_model *model = NULL;
    mml_cohort *cohort = NULL;
    size_t *samples = NULL, n = 0;
    int rc = MMLC_GO;

    if (!mmlc_is_stdout(a->output))
        rc = mmlc_not_an_input(call->command, a->output, call->operand, call->n);
    if (rc == MMLC_GO)
        rc = mmlc_device_say(call->command, a->device, 0, 0);
    if (rc == MMLC_GO)
        rc = mmlc_load_model(&model, call->command, call->operand[0]);
    if (rc == MMLC_GO)
        rc = mmlc_open_cohort(&cohort, call->command, call->operand[1]);
    if (rc == MMLC_GO)
        rc = mmlc_check_overlap(call->command, cohort, model);
    if (rc == MMLC_GO)
        rc = mmlc_choose(&samples, &n, call->command, cohort, model, a->on);
    if (rc == MMLC_GO) {
        mmlc_signals_note();
        rc = predict(call, model, cohort, samples, n);
    }
    free(samples);
    mml_cohort_close(cohort);
    mml_model_free(model);
    return rc;
}

const mmlc_command mmlc_cmd_predict = {
    .name = "predict",
    .summary = "predict the patients of a cohort with a model",
    .operands = "MODEL COHORT",
    .n_min = 2,
    .n_max = 2,
    .about =
        "Writes a table (TSV), one line a patient in the order of the cohort: id, the modalities used, the outputs "
        "of the model, and prior. Tasks with classes: logit_CLASS and probability_CLASS. Survival: logit_J, hazard_J "
        "and survival_J for time bins J = 1, 2, ... ('mmlego inspect' shows their edges), or logit and relative_risk "
        "of a model trained by the Cox likelihood, and risk, which is higher "
        "the shorter the expected survival. Regression: logit and value, in the unit of the labels.\n\n"
        "Each patient is predicted from the modalities that he or she has, whatever the others have. A patient with "
        "none gets what was usual in training, marked by prior = 1. A tab, new line or backslash in a name is "
        "written as \\t, \\n or \\\\.\n\n"
        "The columns of tables and series are found by their names, in any order. Columns that the model has not been trained "
        "on are ignored, and named on stderr; one that is missing is an error.\n\n"
        "Categorical columns need not have the categories that they had in training. A category that the model has not "
        "learnt counts as none of those it knows, and a line on stderr says how many patients have it.",
    .examples = "mmlego predict merged.h5 cohort.h5 -o predictions.tsv\n"
                "mmlego predict merged.h5 cohort.h5 --on site=b | cut -f 1,6\n",
    .groups = groups,
    .args_size = sizeof(predict_args),
    .init = init,
    .run = run,
};
