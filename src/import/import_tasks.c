/* import_tasks.c - tasks of a cohort: read, brought into the order of the samples, written. */
#include "import/importing.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static mml_status report_task(mmli_importing *im, const mmli_cohort_task *t)
{
    mml_status st = MML_OK;
    const size_t n = im->n;
    size_t known = 0, events = 0, *count = NULL;

    MML_TRY(mmli_calloc(&count, t->n_classes, sizeof *count));
    for (size_t i = 0; i < n; i++) {
        if (isnan(t->value[i]))
            continue;
        known++;
        if (t->n_classes > 0)
            count[(size_t)t->value[i]]++;
        if (t->event != NULL)
            events += t->event[i];
    }
    MML_TRY(mmli_buf_printf(&im->report, "task %s (%s): %zu labelled", t->name, mmli_task_kind_name(t->kind), known));
    if (known < n)
        MML_TRY(mmli_buf_printf(&im->report, ", %zu without a label", n - known));
    if (t->event != NULL)
        MML_TRY(mmli_buf_printf(&im->report, ", %zu %s, %zu censored", events, mmli_by_number(events, "event", "events"), known - events));
    for (size_t k = 0; k < t->n_classes; k++)
        MML_TRY(mmli_buf_printf(&im->report, "%s%s %zu", k == 0 ? "; " : ", ", t->classes[k], count[k]));
    MML_TRY(mmli_buf_puts(&im->report, "\n"));
out:
    mmli_free(count);
    return st;
}

/* Values and events in the order of the samples instead of the table's. */
static mml_status spread(const mmli_importing *im, mmli_cohort_task *t, const mmli_table *table)
{
    mml_status st = MML_OK;
    double *value = NULL;
    uint8_t *event = NULL;

    MML_TRY(mmli_calloc(&value, im->n, sizeof *value));
    if (t->event != NULL)
        MML_TRY(mmli_calloc(&event, im->n, 1));
    for (size_t i = 0; i < im->n; i++)
        value[i] = NAN;
    for (size_t i = 0; i < table->n; i++) {
        const size_t at = mmli_index_find(&im->samples, table->ids[i], strlen(table->ids[i]));

        if (at == SIZE_MAX)
            continue;
        value[at] = t->value[i];
        if (event != NULL)
            event[at] = t->event[i];
    }
    mmli_free(t->value);
    mmli_free(t->event);
    t->value = value;
    t->event = event;
    value = NULL;
    event = NULL;
out:
    mmli_free(value);
    mmli_free(event);
    return st;
}

mml_status mmli_importing_task(mmli_importing *im, size_t which)
{
    mml_status st = MML_OK;
    mmli_cohort_task t = {0};
    const mmli_import_task *task = &im->config.tasks[which];
    const mmli_table *table = task->file != NULL ? &im->own[which] : &im->labels;

    if (table->n == 0) /* a check has found its file wrong */
        return MML_OK;
    MML_TRY(mmli_import_task_read(&t, task, table, &im->problems));
    MML_TRY(spread(im, &t, table));
    MML_TRY(mmli_cohort_write_task(&im->writer, &t));
    MML_TRY(report_task(im, &t));
    if (task->file != NULL)
        MML_TRY(mmli_importing_unknown(im, table));
out:
    mmli_h5_texts_free(t.classes, t.n_classes);
    mmli_free(t.name);
    mmli_free(t.unit);
    mmli_free(t.value);
    mmli_free(t.event);
    return st;
}

mml_status mmli_importing_taken(mmli_importing *im)
{
    mml_status st = MML_OK;

    for (size_t i = 0; im->suggested && i < im->config.n_tasks; i++) {
        const mmli_import_task *t = &im->config.tasks[i];

        if (t->label != NULL)
            MML_TRY(mmli_buf_printf(&im->report, "taken for task %s: label %s", t->name, t->label));
        else
            MML_TRY(mmli_buf_printf(&im->report, "taken for task %s: time %s, %s %s%s%s", t->name, t->time, t->event != NULL ? "event" : "censorship",
                                    t->event != NULL ? t->event : t->censorship, t->word != NULL ? " where it is " : "",
                                    t->word != NULL ? t->word : ""));
        MML_TRY(mmli_buf_puts(&im->report, ", as mmlego inspect --init suggests\n"));
    }
out:
    return st;
}
