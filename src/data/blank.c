/* blank.c - the task of a model that was trained elsewhere: nothing is known of its training part. */
#include <math.h>
#include <string.h>

#include "data/labels.h"
#include "data/labels_inside.h"
#include "io/cohort.h"
#include "util/error.h"

static mml_status check_classes(const char *name, const char *const *classes, size_t k)
{
    mml_status st = MML_OK;

    for (size_t c = 0; c < k; c++) {
        MML_CHECK(mmli_bad_id(classes[c]) == NULL, MML_E_ARG, "task %s: name of class %zu: %s", name, c + 1, mmli_bad_id(classes[c]));
        for (size_t d = 0; d < c; d++)
            MML_CHECK(strcmp(classes[c], classes[d]) != 0, MML_E_ARG, "task %s: class %s is named twice", name, classes[c]);
    }
out:
    return st;
}

static mml_status check(mml_task_kind kind, const char *name, const char *unit, size_t k, const char *const *classes,
                        const double *edges)
{
    mml_status st = MML_OK;

    MML_CHECK(mmli_bad_name(name) == NULL, MML_E_ARG, "name of the task: %s", mmli_bad_name(name));
    MML_CHECK(unit[0] == '\0' || mmli_bad_id(unit) == NULL, MML_E_ARG, "task %s: unit: %s", name, mmli_bad_id(unit));
    MML_CHECK(kind != MML_BINARY || k == 2, MML_E_ARG, "task %s: a binary task has 2 outputs, these parameters have %zu", name, k);
    MML_CHECK(kind != MML_MULTICLASS || k >= 2, MML_E_ARG, "task %s: a multiclass task has 2 or more outputs, not %zu", name, k);
    MML_CHECK(kind != MML_REGRESSION || k == 1, MML_E_ARG, "task %s: a regression has 1 output, these parameters have %zu", name, k);
    MML_CHECK(kind != MML_SURVIVAL || k <= MMLI_TASK_MAX_BINS, MML_E_ARG, "task %s: %zu time bins; at most %d", name, k,
              MMLI_TASK_MAX_BINS);
    if (mmli_task_has_classes(kind))
        MML_TRY(check_classes(name, classes, k));
    for (size_t j = 0; kind == MML_SURVIVAL && j <= k; j++)
        MML_CHECK(isfinite(edges[j]) && (j == 0 || edges[j - 1] < edges[j]), MML_E_ARG,
                  "task %s: edge %zu of the time bins is not above the one before", name, j + 1);
out:
    return st;
}

mml_status mmli_task_blank(mmli_task **out, mml_task_kind kind, const char *name, const char *unit, size_t k,
                           const char *const *classes, const double *edges)
{
    mml_status st = MML_OK;
    mmli_task *t = NULL;

    *out = NULL;
    MML_TRY(check(kind, name, unit, k, classes, edges));
    MML_TRY(mmli_task_new(&t, kind, name, unit, k, classes));
    t->n_train = kind == MML_SURVIVAL ? k + 1 : k;
    t->n_events = kind == MML_SURVIVAL ? k : 0;
    for (size_t j = 0; j < k; j++) {
        /* As if one sample were in each class; or one event in each bin, and one sample survived them all. */
        const double p = mmli_task_has_classes(kind) ? 1 / (double)k : 1 / (double)(k + 1 - j);

        t->counts[j] = 1;
        t->prior_output[j] = kind == MML_REGRESSION ? 0.0f : mmli_task_is_cox(t) ? 1.0f : (float)p;
        t->prior_logits[j] = kind != MML_SURVIVAL || mmli_task_is_cox(t) ? 0.0f : (float)log(p / (1 - p));
    }
    if (edges != NULL && kind == MML_SURVIVAL)
        memcpy(t->edges, edges, (k + 1) * sizeof *edges);
    *out = t;
    t = NULL;
out:
    mmli_task_free(t);
    return st;
}
