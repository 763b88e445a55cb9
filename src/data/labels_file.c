/* labels_file.c - a task in the group of a model file, and as JSON for `inspect`; see labels.h.
 *
 * Attributes kind (word), name, unit, mean, sd, n_train, n_events; data sets classes (k) or edges (k + 1), counts,
 * prior_logits, prior_output (k). */
#include "data/labels.h"

#include <math.h>
#include <string.h>

#include "data/labels_inside.h"
#include "io/cohort.h"
#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_task_save(const mmli_task *task, hid_t group, const char *path)
{
    const size_t k[1] = {task->outputs}, edges[1] = {task->outputs + 1};
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_set_text(group, path, "kind", mmli_task_kind_name(task->kind)));
    MML_TRY(mmli_h5_set_text(group, path, "name", task->name));
    MML_TRY(mmli_h5_set_text(group, path, "unit", task->unit));
    MML_TRY(mmli_h5_set_f64(group, path, "mean", task->mean));
    MML_TRY(mmli_h5_set_f64(group, path, "sd", task->sd));
    MML_TRY(mmli_h5_set_u64(group, path, "n_train", task->n_train));
    MML_TRY(mmli_h5_set_u64(group, path, "n_events", task->n_events));
    if (task->classes != NULL)
        MML_TRY(mmli_h5_put_texts((const char *const *)task->classes, task->outputs, group, path, "classes"));
    if (task->edges != NULL)
        MML_TRY(mmli_h5_put(MMLI_H5_F64, 1, edges, task->edges, group, path, "edges"));
    MML_TRY(mmli_h5_put(MMLI_H5_U64, 1, k, task->counts, group, path, "counts"));
    MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, k, task->prior_logits, group, path, "prior_logits"));
    MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, k, task->prior_output, group, path, "prior_output"));
out:
    return st;
}

/* ---- loading ---------------------------------------------------------------------------------------------------------- */

/* What a file says before the arrays are read; texts are to be freed. */
typedef struct head {
    mml_task_kind kind;
    char *kind_word, *name, *unit;
    char **classes;
    size_t n_classes, outputs;
    uint64_t n_train, n_events;
} head;

static mml_status load_classes(head *h, hid_t group, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_get_texts(&h->classes, &h->n_classes, group, path, "classes"));
    MML_CHECK(h->n_classes >= 2 && (h->kind != MML_BINARY || h->n_classes == 2), MML_E_FORMAT,
              "%s: task %s: %zu classes for a %s task", path, h->name, h->n_classes, h->kind_word);
    for (size_t c = 0; c < h->n_classes; c++) {
        const char *bad = mmli_bad_id(h->classes[c]);

        MML_CHECK(bad == NULL, MML_E_FORMAT, "%s: task %s: name of class %zu: %s", path, h->name, c + 1, bad);
        for (size_t d = 0; d < c; d++)
            MML_CHECK(strcmp(h->classes[c], h->classes[d]) != 0, MML_E_FORMAT, "%s: task %s: class `%s` is there twice", path,
                      h->name, h->classes[c]);
    }
    h->outputs = h->n_classes;
out:
    return st;
}

static mml_status load_head(head *h, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK];
    int rank;

    MML_TRY(mmli_h5_attr_text(&h->kind_word, group, path, "kind"));
    MML_CHECK(mmli_task_kind_of(&h->kind, h->kind_word), MML_E_FORMAT,
              "%s: task kind `%s` is none of binary, multiclass, survival, regression", path, h->kind_word);
    MML_TRY(mmli_h5_attr_text(&h->name, group, path, "name"));
    MML_CHECK(mmli_bad_name(h->name) == NULL, MML_E_FORMAT, "%s: name of the task: %s", path, mmli_bad_name(h->name));
    MML_TRY(mmli_h5_attr_text(&h->unit, group, path, "unit"));
    MML_CHECK(h->unit[0] == '\0' || mmli_bad_id(h->unit) == NULL, MML_E_FORMAT, "%s: task %s: unit: %s", path, h->name,
              mmli_bad_id(h->unit));
    MML_TRY(mmli_h5_attr_u64(&h->n_train, group, path, "n_train"));
    MML_TRY(mmli_h5_attr_u64(&h->n_events, group, path, "n_events"));
    h->outputs = 1;
    if (mmli_task_has_classes(h->kind))
        MML_TRY(load_classes(h, group, path));
    if (h->kind == MML_SURVIVAL) {
        MML_TRY(mmli_h5_shape(dims, &rank, group, path, "edges"));
        MML_CHECK(rank == 1 && dims[0] >= 2 && dims[0] <= (size_t)MMLI_TASK_MAX_BINS + 1, MML_E_FORMAT,
                  "%s: task %s: edges of time bins are damaged", path, h->name);
        h->outputs = dims[0] - 1;
    }
out:
    return st;
}

/* Numbers that could have been written by mmli_task_save(). */
static mml_status check_numbers(const mmli_task *t, const char *path)
{
    const size_t k = t->outputs;
    mml_status st = MML_OK;
    uint64_t sum = 0;

    MML_CHECK(isfinite(t->mean) && isfinite(t->sd) && t->sd > 0, MML_E_FORMAT,
              "%s: task %s: the standardisation is damaged (mean %g, standard deviation %g)", path, t->name, t->mean, t->sd);
    MML_CHECK(t->n_train > 0 && t->n_events <= t->n_train, MML_E_FORMAT, "%s: task %s: %zu training samples, %zu events",
              path, t->name, t->n_train, t->n_events);
    for (size_t j = 0; t->edges != NULL && j <= k; j++)
        MML_CHECK(isfinite(t->edges[j]) && (j == 0 || t->edges[j - 1] < t->edges[j]), MML_E_FORMAT,
                  "%s: task %s: edge %zu of the time bins is not finite or not above the one before", path, t->name, j + 1);
    for (size_t j = 0; j < k; j++) {
        MML_CHECK(isfinite(t->prior_logits[j]) && isfinite(t->prior_output[j]), MML_E_FORMAT,
                  "%s: task %s: prior %zu is not a finite number", path, t->name, j + 1);
        MML_CHECK(t->kind == MML_REGRESSION || (t->prior_output[j] >= 0 && t->prior_output[j] <= 1), MML_E_FORMAT,
                  "%s: task %s: prior %zu is %g, not a probability", path, t->name, j + 1, (double)t->prior_output[j]);
        MML_CHECK(t->counts[j] <= t->n_train && (t->classes == NULL || t->counts[j] > 0), MML_E_FORMAT,
                  "%s: task %s: %llu of %zu training samples are in class or bin %zu", path, t->name,
                  (unsigned long long)t->counts[j], t->n_train, j + 1);
        sum += t->counts[j];
    }
    MML_CHECK(sum == (t->kind == MML_SURVIVAL ? t->n_events : t->n_train), MML_E_FORMAT,
              "%s: task %s: the counts of classes or bins do not add up", path, t->name);
out:
    return st;
}

mml_status mmli_task_load(mmli_task **out, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    head h = {0};
    mmli_task *t = NULL;
    size_t k[1], edges[1];

    *out = NULL;
    MML_TRY(load_head(&h, group, path));
    k[0] = h.outputs;
    edges[0] = h.outputs + 1;
    MML_TRY(mmli_task_new(&t, h.kind, h.name, h.unit, h.outputs, (const char *const *)h.classes));
    t->n_train = h.n_train;
    t->n_events = h.n_events;
    MML_TRY(mmli_h5_attr_f64(&t->mean, group, path, "mean"));
    MML_TRY(mmli_h5_attr_f64(&t->sd, group, path, "sd"));
    if (t->edges != NULL)
        MML_TRY(mmli_h5_get(t->edges, MMLI_H5_F64, 1, edges, group, path, "edges"));
    MML_TRY(mmli_h5_get(t->counts, MMLI_H5_U64, 1, k, group, path, "counts"));
    MML_TRY(mmli_h5_get(t->prior_logits, MMLI_H5_F32, 1, k, group, path, "prior_logits"));
    MML_TRY(mmli_h5_get(t->prior_output, MMLI_H5_F32, 1, k, group, path, "prior_output"));
    MML_TRY(check_numbers(t, path));
    *out = t;
    t = NULL;
out:
    if (st == MML_E_SHAPE) /* sizes that do not fit together are no mistake of the caller here */
        st = mmli_fail_prefix(MML_E_FORMAT, "the task");
    mmli_task_free(t);
    mmli_h5_texts_free(h.classes, h.n_classes);
    mmli_free(h.kind_word);
    mmli_free(h.name);
    mmli_free(h.unit);
    return st;
}

/* ---- inspect ------------------------------------------------------------------------------------------------------------- */

/* One entry of `outputs`. */
static json_t *output_json(const mmli_task *t, size_t j)
{
    const double prior = (double)t->prior_output[j];
    const json_int_t count = (json_int_t)t->counts[j];

    if (t->classes != NULL)
        return json_pack("{s:s, s:I, s:f}", "class", t->classes[j], "samples", count, "prior", prior);
    if (mmli_task_is_cox(t))
        return json_pack("{s:s, s:I, s:f}", "loss", "cox", "events", count, "prior", prior);
    if (t->edges != NULL)
        return json_pack("{s:f, s:f, s:I, s:f}", "from", t->edges[j], "to", t->edges[j + 1], "events", count, "prior", prior);
    return json_pack("{s:f, s:f, s:f}", "mean", t->mean, "sd", t->sd, "prior", prior);
}

json_t *mmli_task_json(const mmli_task *task)
{
    json_t *outputs = json_array(), *root;

    for (size_t j = 0; j < task->outputs && outputs != NULL; j++)
        if (json_array_append_new(outputs, output_json(task, j)) != 0) {
            json_decref(outputs);
            outputs = NULL;
        }
    if (outputs == NULL)
        return NULL;
    root = json_pack("{s:s, s:s, s:s, s:I, s:o}", "name", task->name, "kind", mmli_task_kind_name(task->kind), "unit",
                     task->unit, "n_train", (json_int_t)task->n_train, "outputs", outputs);
    if (root == NULL || task->kind != MML_SURVIVAL)
        return root;
    if (json_object_set_new(root, "n_events", json_integer((json_int_t)task->n_events)) != 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}
