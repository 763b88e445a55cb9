/* labels.c - a task as a thing: made, copied, compared with another; see labels.h. */
#include "data/labels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "data/labels_inside.h"
#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

bool mmli_task_has_classes(mml_task_kind kind)
{
    return kind == MML_BINARY || kind == MML_MULTICLASS;
}

mml_status mmli_task_new(mmli_task **out, mml_task_kind kind, const char *name, const char *unit, size_t outputs,
                         const char *const *classes)
{
    mml_status st = MML_OK;
    mmli_task *t = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&t, 1, sizeof *t));
    t->kind = kind;
    t->outputs = outputs;
    t->sd = 1;
    MML_TRY(mmli_strdup(&t->name, name));
    MML_TRY(mmli_strdup(&t->unit, unit));
    MML_TRY(mmli_calloc(&t->counts, outputs, sizeof *t->counts));
    MML_TRY(mmli_calloc(&t->prior_logits, outputs, sizeof *t->prior_logits));
    MML_TRY(mmli_calloc(&t->prior_output, outputs, sizeof *t->prior_output));
    if (kind == MML_SURVIVAL)
        MML_TRY(mmli_calloc(&t->edges, outputs + 1, sizeof *t->edges));
    if (mmli_task_has_classes(kind)) {
        MML_TRY(mmli_calloc(&t->classes, outputs, sizeof *t->classes));
        for (size_t c = 0; c < outputs; c++)
            MML_TRY(mmli_strdup(&t->classes[c], classes[c]));
    }
    *out = t;
    t = NULL;
out:
    mmli_task_free(t);
    return st;
}

void mmli_task_free(mmli_task *task)
{
    if (task == NULL)
        return;
    for (size_t c = 0; task->classes != NULL && c < task->outputs; c++)
        mmli_free(task->classes[c]);
    mmli_free(task->classes);
    mmli_free(task->name);
    mmli_free(task->unit);
    mmli_free(task->edges);
    mmli_free(task->counts);
    mmli_free(task->prior_logits);
    mmli_free(task->prior_output);
    mmli_free(task);
}

mml_status mmli_task_copy(mmli_task **out, const mmli_task *task)
{
    const size_t k = task->outputs;
    mmli_task *t;
    mml_status st;

    if ((st = mmli_task_new(out, task->kind, task->name, task->unit, k, (const char *const *)task->classes)) != MML_OK)
        return st;
    t = *out;
    t->mean = task->mean;
    t->sd = task->sd;
    t->n_train = task->n_train;
    t->n_events = task->n_events;
    memcpy(t->counts, task->counts, k * sizeof *t->counts);
    memcpy(t->prior_logits, task->prior_logits, k * sizeof *t->prior_logits);
    memcpy(t->prior_output, task->prior_output, k * sizeof *t->prior_output);
    if (t->edges != NULL)
        memcpy(t->edges, task->edges, (k + 1) * sizeof *t->edges);
    return MML_OK;
}

bool mmli_task_same_unit(const char *a, const char *b)
{
    return a[0] == '\0' || b[0] == '\0' || mmli_text_is(a, strlen(a), b);
}

/* ---- do two tasks mean the same ------------------------------------------------------------------------------ */

static mml_status agree_on_classes(const mmli_task *a, const mmli_task *b)
{
    char x[MMLI_LIST_BYTES], y[MMLI_LIST_BYTES];
    size_t c = 0;

    while (c < a->outputs && c < b->outputs && strcmp(a->classes[c], b->classes[c]) == 0)
        c++;
    if (c == a->outputs && c == b->outputs)
        return MML_OK;
    return mmli_fail(a->outputs != b->outputs ? MML_E_SHAPE : MML_E_ARG,
                     "task %s: one model was trained on the %zu classes %s, the other on the %zu classes %s", a->name, a->outputs,
                     mmli_list(x, (const char *const *)a->classes, a->outputs), b->outputs,
                     mmli_list(y, (const char *const *)b->classes, b->outputs));
}

/* A text that says how edges or standardisation differ; NULL when they do not. */
static mml_status differences(char **note, const mmli_task *a, const mmli_task *b)
{
    char x[MMLI_NUMBER_BYTES], y[MMLI_NUMBER_BYTES], z[MMLI_NUMBER_BYTES], w[MMLI_NUMBER_BYTES];

    for (size_t j = 0; a->kind == MML_SURVIVAL && !mmli_task_is_cox(a) && j <= a->outputs; j++)
        if (a->edges[j] != b->edges[j])
            return mmli_strf(note, "their time bins differ: edge %zu of %zu is %s in one and %s in the other", j + 1,
                             a->outputs + 1, mmli_format_double(x, a->edges[j]), mmli_format_double(y, b->edges[j]));
    if (a->mean != b->mean || a->sd != b->sd)
        return mmli_strf(note, "their targets were standardised differently: mean %s and standard deviation %s in one, %s and %s "
                         "in the other", mmli_format_double(x, a->mean), mmli_format_double(y, a->sd),
                         mmli_format_double(z, b->mean), mmli_format_double(w, b->sd));
    return MML_OK;
}

mml_status mmli_task_agree(char **note, const mmli_task *a, const mmli_task *b)
{
    mml_status st = MML_OK;

    if (note != NULL)
        *note = NULL;
    MML_CHECK(a->kind == b->kind, MML_E_ARG, "one model was trained on the %s task %s, the other on the %s task %s",
              mmli_task_kind_name(a->kind), a->name, mmli_task_kind_name(b->kind), b->name);
    MML_CHECK(strcmp(a->name, b->name) == 0, MML_E_ARG, "one model was trained on the task %s, the other on %s", a->name,
              b->name);
    MML_CHECK(mmli_task_same_unit(a->unit, b->unit), MML_E_ARG, "task %s: one model was trained in %s, the other in %s",
              a->name, a->unit, b->unit);
    if (mmli_task_has_classes(a->kind))
        MML_TRY(agree_on_classes(a, b));
    MML_CHECK(mmli_task_is_cox(a) == mmli_task_is_cox(b), MML_E_SHAPE,
              "task %s: one model was trained by the Cox loss (1 output), the other for %zu time bins", a->name,
              mmli_task_is_cox(a) ? b->outputs : a->outputs);
    MML_CHECK(a->outputs == b->outputs, MML_E_SHAPE, "task %s: one model has %zu time bins, the other %zu", a->name,
              a->outputs, b->outputs);
    if (note != NULL)
        MML_TRY(differences(note, a, b));
out:
    return st;
}

/* ---- from logits to outputs -------------------------------------------------------------------------------------- */

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* Softmax of a row; gives the probability of the last class. */
static double softmax_row(float *output, const float *logits, size_t k)
{
    double most = -HUGE_VAL, sum = 0, p = NAN;

    for (size_t j = 0; j < k; j++)
        most = fmax(most, (double)logits[j]);
    for (size_t j = 0; j < k; j++)
        sum += exp((double)logits[j] - most);
    for (size_t j = 0; j < k; j++) {
        p = exp((double)logits[j] - most) / sum;
        if (output != NULL)
            output[j] = (float)p;
    }
    return p;
}

/* Hazards and survival of a row; gives the risk. */
static double hazard_row(float *output, float *survival, const float *logits, size_t k)
{
    double s = 1, risk = 0;

    for (size_t j = 0; j < k; j++) {
        const double x = (double)logits[j];

        s *= sigmoid(-x); /* 1 - hazard, not cancelled away where the hazard is near 1 */
        risk -= s;
        if (output != NULL)
            output[j] = (float)sigmoid(x);
        if (survival != NULL)
            survival[j] = (float)s;
    }
    return risk;
}

/* Relative risk of a row; gives its log. */
static double cox_row(float *output, float *survival, float logit)
{
    if (output != NULL)
        *output = (float)fmin(exp((double)logit), (double)FLT_MAX);
    if (survival != NULL)
        *survival = NAN;
    return (double)logit;
}

void mmli_task_outputs(float *output, float *survival, double *score, const mmli_task *task, const float *logits,
                       size_t rows)
{
    const size_t k = task->outputs;

    for (size_t r = 0; r < rows; r++) {
        const float *x = logits + r * k;
        float *y = output != NULL ? output + r * k : NULL;
        double value = NAN;

        switch (task->kind) {
        case MML_BINARY:
            value = softmax_row(y, x, k);
            break;
        case MML_MULTICLASS:
            softmax_row(y, x, k);
            break;
        case MML_SURVIVAL:
            if (mmli_task_is_cox(task))
                value = cox_row(y, survival != NULL ? survival + r : NULL, *x);
            else
                value = hazard_row(y, survival != NULL ? survival + r * k : NULL, x, k);
            break;
        case MML_REGRESSION:
            value = task->mean + task->sd * (double)*x;
            if (y != NULL)
                *y = (float)value;
            break;
        }
        if (score != NULL)
            score[r] = value;
    }
}
