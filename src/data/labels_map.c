/* labels_map.c - a cohort's labels in terms of what a model learnt; see labels.h. */
#include "data/labels.h"

#include <math.h>
#include <string.h>

#include "data/labels_inside.h"
#include "io/cohort.h"
#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static mml_status labels_new(mmli_labels **out, size_t n)
{
    mml_status st = MML_OK;
    mmli_labels *l = NULL;

    MML_TRY(mmli_calloc(&l, 1, sizeof *l));
    l->n = n;
    MML_TRY(mmli_calloc(&l->index, n, sizeof *l->index));
    MML_TRY(mmli_calloc(&l->value, n, sizeof *l->value));
    MML_TRY(mmli_calloc(&l->event, n, sizeof *l->event));
    MML_TRY(mmli_calloc(&l->target, n, sizeof *l->target));
    MML_TRY(mmli_calloc(&l->weight, n, sizeof *l->weight));
    *out = l;
    l = NULL;
out:
    mmli_labels_free(l);
    return st;
}

void mmli_labels_free(mmli_labels *labels)
{
    if (labels == NULL)
        return;
    mmli_free(labels->index);
    mmli_free(labels->value);
    mmli_free(labels->event);
    mmli_free(labels->target);
    mmli_free(labels->weight);
    mmli_free(labels->unknown);
    mmli_free(labels);
}

/* The class of training that a name means, or MMLI_LABEL_UNKNOWN. */
static int32_t find_class(const mmli_task *task, const char *name)
{
    double number, other;

    for (size_t c = 0; c < task->outputs; c++)
        if (strcmp(task->classes[c], name) == 0)
            return (int32_t)c;
    if (!mmli_parse_double(&number, name, strlen(name)))
        return MMLI_LABEL_UNKNOWN;
    for (size_t c = 0; c < task->outputs; c++)
        if (mmli_parse_double(&other, task->classes[c], strlen(task->classes[c])) && other == number)
            return (int32_t)c;
    return MMLI_LABEL_UNKNOWN;
}

/* classes (n_classes of the cohort): what each is in training. */
static mml_status find_classes(int32_t **classes, const mmli_task *task, const mml_task_info *info)
{
    mml_status st;

    if ((st = mmli_calloc(classes, info->n_classes, sizeof **classes)) != MML_OK)
        return st;
    for (size_t c = 0; c < info->n_classes; c++)
        (*classes)[c] = find_class(task, info->classes[c]);
    return MML_OK;
}

/* Names of the classes that samples have and training had not. */
static mml_status list_unknown(mmli_labels *l, const mml_task_info *info, const int32_t *classes)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    uint8_t *used = NULL;
    char list[MMLI_LIST_BYTES];
    size_t n = 0;

    MML_TRY(mmli_calloc(&names, info->n_classes, sizeof *names));
    MML_TRY(mmli_calloc(&used, info->n_classes, sizeof *used));
    for (size_t i = 0; i < l->n; i++)
        if (l->index[i] == MMLI_LABEL_UNKNOWN)
            used[(size_t)info->value[i]] = 1;
    for (size_t c = 0; c < info->n_classes; c++)
        if (classes[c] == MMLI_LABEL_UNKNOWN && used[c])
            names[n++] = info->classes[c];
    MML_TRY(mmli_strdup(&l->unknown, n > 0 ? mmli_list(list, names, n) : ""));
out:
    mmli_free(used);
    mmli_free(names);
    return st;
}

/* What loss and metrics need of sample i, whose value is known. */
static mml_status put_label(mmli_labels *l, size_t i, const mmli_task *task, const mml_task_info *info, const int32_t *classes)
{
    const double value = info->value[i];
    mml_status st = MML_OK;

    l->value[i] = value;
    switch (task->kind) {
    case MML_BINARY:
    case MML_MULTICLASS:
        l->index[i] = classes[(size_t)value];
        l->value[i] = l->index[i] >= 0 ? (double)l->index[i] : NAN;
        break;
    case MML_SURVIVAL:
        st = mml_metric_survival_labels(&l->index[i], task->edges, task->outputs, &value, 1);
        l->event[i] = info->event[i] ? 1.0f : 0.0f;
        break;
    case MML_REGRESSION:
        l->index[i] = 0;
        l->target[i] = (float)((value - task->mean) / task->sd);
        break;
    }
    return st;
}

static float weigh(const mmli_task *task, int32_t index, mml_class_weights weights)
{
    if (index < 0)
        return 0.0f;
    if (weights != MML_CLASS_BALANCED || !mmli_task_has_classes(task->kind))
        return 1.0f;
    return (float)((double)task->n_train / ((double)task->outputs * (double)task->counts[index]));
}

mml_status mmli_task_map(mmli_labels **out, const mmli_task *task, const mml_cohort *cohort, mml_class_weights weights)
{
    mml_status st = MML_OK;
    mml_task_info info;
    mmli_labels *l = NULL;
    int32_t *classes = NULL;
    bool missing;

    *out = NULL;
    MML_TRY(mml_cohort_task(&info, cohort, task->name));
    MML_CHECK(info.kind == task->kind, MML_E_DATA, "%s: task %s is a %s task here, the model was trained on a %s task",
              mml_cohort_path(cohort), task->name, mmli_task_kind_name(info.kind), mmli_task_kind_name(task->kind));
    MML_CHECK(mmli_task_same_unit(info.unit, task->unit), MML_E_DATA,
              "%s: task %s is in %s here, the model was trained in %s; import the cohort again in the unit of training",
              mml_cohort_path(cohort), task->name, info.unit, task->unit);
    MML_TRY(labels_new(&l, mml_cohort_size(cohort)));
    MML_TRY(find_classes(&classes, task, &info));
    for (size_t i = 0; i < l->n; i++) {
        MML_TRY(mmli_label_check(&missing, &info, cohort, i));
        l->index[i] = MMLI_LABEL_MISSING;
        l->value[i] = NAN;
        if (!missing)
            MML_TRY(put_label(l, i, task, &info, classes));
        l->weight[i] = weigh(task, l->index[i], weights);
        l->n_labelled += l->index[i] >= 0;
        l->n_missing += l->index[i] == MMLI_LABEL_MISSING;
        l->n_unknown += l->index[i] == MMLI_LABEL_UNKNOWN;
    }
    MML_TRY(list_unknown(l, &info, classes));
    *out = l;
    l = NULL;
out:
    mmli_labels_free(l);
    mmli_free(classes);
    return st;
}
