/* import.c - from a cohort.ini to a cohort file, and a report of what was found. */
#include "import/copy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"
#include "util/text.h"

typedef struct import {
    mmli_import_config config;
    mmli_table labels, splits;
    mmli_index samples; /* of labels.ids */
    mmli_cohort_writer writer;
    uint8_t *present;   /* (n_modalities, N) */
    mmli_buf report;
    mml_progress progress;
    void *user;
} import;

/* ---- labels, groups, columns ------------------------------------------------------------------------------------------------- */

/* Every column of the labels file that somebody wants. */
static mml_status read_labels(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const char **wanted = NULL;
    size_t n = 0, first, second;

    MML_TRY(mmli_calloc(&wanted, c->n_reserved + 1, sizeof *wanted));
    for (size_t i = 0; i < c->n_tasks; i++) {
        const mmli_import_task *t = &c->tasks[i];
        const char *const names[] = {t->label, t->time, t->event, t->censorship};

        for (size_t k = 0; k < 4; k++)
            if (names[k] != NULL)
                wanted[n++] = names[k];
    }
    if (c->group != NULL)
        wanted[n++] = c->group;
    for (size_t i = 0; i < c->n_columns && c->splits == NULL; i++)
        wanted[n++] = c->columns[i];
    MML_TRY(mmli_table_read(&im->labels, c->labels, c->id, wanted, n));
    MML_TRY(mmli_index_make(&im->samples, (const char *const *)im->labels.ids, im->labels.n, &first, &second));
    if (c->splits != NULL)
        MML_TRY(mmli_table_read(&im->splits, c->splits, c->id, (const char *const *)c->columns, c->n_columns));
out:
    mmli_free(wanted);
    return st;
}

/* Texts of a column of the splits file in the order of the samples; "" for samples that it lacks. Lent by both. */
static mml_status align(char ***out, const import *im, char *const *texts)
{
    static char none[] = "";
    mml_status st;

    if ((st = mmli_calloc(out, im->labels.n, sizeof **out)) != MML_OK)
        return st;
    for (size_t i = 0; i < im->labels.n; i++)
        (*out)[i] = none;
    for (size_t i = 0; i < im->splits.n; i++) {
        const size_t at = mmli_index_find(&im->samples, im->splits.ids[i], strlen(im->splits.ids[i]));

        if (at != SIZE_MAX)
            (*out)[at] = texts[i];
    }
    return MML_OK;
}

static mml_status write_column(import *im, const char *path, const char *name, char *const *texts)
{
    if (mmli_bad_name(name) != NULL)
        return mmli_fail(MML_E_DATA, "%s: column %s cannot be kept: %s", path, name, mmli_bad_name(name));
    return mmli_cohort_write_column(&im->writer, name, texts);
}

static mml_status write_columns(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    char **aligned = NULL;
    size_t unknown = 0;

    for (size_t i = 0; i < c->n_columns && c->splits == NULL; i++)
        MML_TRY(write_column(im, c->labels, c->columns[i], mmli_table_column(&im->labels, c->columns[i])));
    for (size_t k = 0; k < im->splits.n_columns; k++) {
        MML_TRY(align(&aligned, im, im->splits.texts[k]));
        MML_TRY(write_column(im, c->splits, im->splits.names[k], aligned));
        mmli_free(aligned);
        aligned = NULL;
    }
    for (size_t i = 0; i < im->splits.n; i++)
        unknown += mmli_index_find(&im->samples, im->splits.ids[i], strlen(im->splits.ids[i])) == SIZE_MAX;
    if (unknown > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  %zu ids of %s are not in the labels file and were left out\n", unknown,
                                c->splits));
out:
    mmli_free(aligned);
    return st;
}

static mml_status check_groups(const import *im, char *const *groups)
{
    const mmli_table *t = &im->labels;

    for (size_t i = 0; groups != NULL && i < t->n; i++)
        if (mmli_bad_id(groups[i]) != NULL)
            return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: the group cannot be used: %s", t->path, t->rows[i],
                             im->config.group, mmli_bad_id(groups[i]));
    return MML_OK;
}

/* ---- tasks --------------------------------------------------------------------------------------------------------------------- */

static mml_status report_task(import *im, const mmli_cohort_task *t)
{
    mml_status st = MML_OK;
    const size_t n = im->labels.n;
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
        MML_TRY(mmli_buf_printf(&im->report, ", %zu events, %zu censored", events, known - events));
    for (size_t k = 0; k < t->n_classes; k++)
        MML_TRY(mmli_buf_printf(&im->report, "%s%s %zu", k == 0 ? "; " : ", ", t->classes[k], count[k]));
    MML_TRY(mmli_buf_puts(&im->report, "\n"));
out:
    mmli_free(count);
    return st;
}

static mml_status import_task(import *im, const mmli_import_task *task)
{
    mml_status st = MML_OK;
    mmli_cohort_task t = {0};

    MML_TRY(mmli_import_task_read(&t, task, &im->labels));
    MML_TRY(mmli_cohort_write_task(&im->writer, &t));
    MML_TRY(report_task(im, &t));
out:
    mmli_h5_texts_free(t.classes, t.n_classes);
    mmli_free(t.name);
    mmli_free(t.unit);
    mmli_free(t.value);
    mmli_free(t.event);
    return st;
}

/* ---- modalities ------------------------------------------------------------------------------------------------------------------ */

/* A series kept as one summary token a sample is a table: models choose their defaults by that. */
static mml_modality_kind stored_kind(const mmli_import_modality *m)
{
    return m->summary ? MML_TABLE : m->kind;
}

static mml_status report_modality(import *im, const mmli_import_modality *m, const mmli_token_writer *w,
                                  const mmli_source *source, size_t unknown)
{
    mml_status st = MML_OK;
    double measured = 0, cells = (double)w->written * (double)w->width, missing;
    char list[MMLI_LIST_BYTES];

    for (size_t j = 0; j < w->width; j++)
        measured += (double)w->measured[j];
    missing = cells > 0 ? 100.0 * (cells - measured) / cells : 0;
    MML_TRY(mmli_buf_printf(&im->report, "modality %s (%s): %zu of %zu samples, %zu tokens of %zu features, ", m->name,
                            mmli_modality_kind_name(stored_kind(m)), w->n_present, im->labels.n, w->written, w->width));
    MML_TRY(mmli_buf_double(&im->report, floor(missing * 10 + 0.5) / 10));
    MML_TRY(mmli_buf_puts(&im->report, " % of their values missing\n"));
    if (unknown > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  %zu rows of %s have an id that is not in the labels file and were left out\n",
                                unknown, m->file));
    if (source->n_left_out > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  left out because they are labels, groups or splits: %s\n",
                                mmli_list(list, (const char *const *)source->left_out, source->n_left_out)));
    if (source->notes.len > 0)
        MML_TRY(mmli_buf_add(&im->report, source->notes.text, source->notes.len));
    if (w->n_present == 0)
        MML_TRY(mmli_buf_printf(&im->report, "  WARNING: no sample has this modality\n"));
out:
    return st;
}

static mml_status import_modality(import *im, size_t which, const char *out_path)
{
    mml_status st = MML_OK;
    const mmli_import_modality *m = &im->config.modalities[which];
    const mmli_source_context context = {.beside = out_path, .config = &im->config};
    const mmli_copy_watch watch = {.what = m->name, .progress = im->progress, .user = im->user};
    mmli_source *source = NULL;
    mmli_tokenizer t = {0};
    mmli_token_writer w = {.group = -1, .values = -1, .axes = -1};
    mmli_visits visits = {0};

    MML_TRY(mmli_copy_tell(&watch, 0, 0));
    MML_TRY(mmli_source_open(&source, m, &context));
    MML_TRY(mmli_visits_make(&visits, source, &im->samples));
    MML_CHECK(visits.n > 0, MML_E_DATA,
              "%s: modality %s: none of its %zu ids is in %s; ids look like \"%s\" here and \"%s\" there", m->file, m->name,
              source->n_pieces, im->config.labels, source->ids[0], im->labels.ids[0]);
    MML_TRY(mmli_tokenizer_make(&t, m, source));
    MML_TRY(mmli_token_write_begin(&w, &im->writer, m->name, stored_kind(m), t.width, t.n_axes, t.features,
                                   mmli_tokens_are_half(&t)));
    MML_TRY(mmli_copy_tokens(&w, &t, source, &visits, im->labels.ids, &watch));
    MML_TRY(mmli_token_write_end(&w));
    for (size_t i = 0; i < im->labels.n; i++)
        im->present[which * im->labels.n + i] = w.offsets[i + 1] > w.offsets[i];
    MML_TRY(report_modality(im, m, &w, source, source->n_pieces - visits.n));
out:
    mmli_visits_free(&visits);
    mmli_token_write_free(&w);
    mmli_tokenizer_free(&t);
    mmli_source_close(source);
    return st;
}

/* Samples that have several modalities: what merging and fusing can be judged on. */
static mml_status report_overlap(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const size_t n = im->labels.n, m = c->n_modalities;
    size_t all = 0, none = 0, both;

    if (m < 2)
        goto out;
    for (size_t i = 0; i < n; i++) {
        size_t has = 0;

        for (size_t a = 0; a < m; a++)
            has += im->present[a * n + i];
        all += has == m;
        none += has == 0;
    }
    MML_TRY(mmli_buf_printf(&im->report, "overlap: %zu samples have all %zu modalities, %zu have none\n", all, m, none));
    for (size_t a = 0; a < m && m > 2; a++)
        for (size_t b = a + 1; b < m; b++) {
            both = 0;
            for (size_t i = 0; i < n; i++)
                both += im->present[a * n + i] & im->present[b * n + i];
            MML_TRY(mmli_buf_printf(&im->report, "  %s + %s: %zu\n", c->modalities[a].name, c->modalities[b].name, both));
        }
out:
    return st;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------------- */

static mml_status run(import *im, const char *real, const char *out_path)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    char *const *groups;
    size_t cells;

    MML_TRY(read_labels(im));
    groups = c->group != NULL ? mmli_table_column(&im->labels, c->group) : NULL;
    MML_TRY(check_groups(im, groups));
    MML_CHECK(mmli_mul_size(&cells, c->n_modalities, im->labels.n), MML_E_NOMEM, "%s: too many samples", c->labels);
    MML_TRY(mmli_calloc(&im->present, cells, 1));
    MML_TRY(mmli_cohort_write_begin(&im->writer, real, out_path, im->labels.ids, groups, im->labels.n, c->compress));
    MML_TRY(mmli_buf_printf(&im->report, "samples: %zu\n", im->labels.n));
    MML_TRY(write_columns(im));
    for (size_t i = 0; i < c->n_tasks; i++)
        MML_TRY(import_task(im, &c->tasks[i]));
    for (size_t i = 0; i < c->n_modalities; i++)
        MML_TRY(import_modality(im, i, out_path));
    MML_TRY(report_overlap(im));
    MML_TRY(mmli_cohort_write_end(&im->writer));
out:
    mmli_cohort_write_drop(&im->writer);
    return st;
}

mml_status mml_import(const char *ini_path, const char *out_path, char **report, mml_progress progress, void *user)
{
    mml_status st = MML_OK;
    import im = {.writer = {.file = -1, .columns = -1, .tasks = -1, .modalities = -1}, .progress = progress, .user = user};
    mmli_atomic *file = NULL;

    if (report != NULL)
        *report = NULL;
    MML_TRY(mmli_import_config_read(&im.config, ini_path));
    MML_TRY(mmli_atomic_begin(&file, out_path));
    MML_TRY(run(&im, mmli_atomic_path(file), out_path));
    MML_TRY(mmli_atomic_commit(file));
    if (report != NULL)
        MML_TRY(mmli_buf_take(&im.report, report));
out:
    mmli_atomic_abort(file);
    mmli_buf_free(&im.report);
    mmli_free(im.present);
    mmli_index_free(&im.samples);
    mmli_table_free(&im.labels);
    mmli_table_free(&im.splits);
    mmli_import_config_free(&im.config);
    return st;
}
