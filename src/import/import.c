/* import.c - from a cohort.ini to a cohort file, and a report of what was found. */
#include "import/copy.h"
#include "import/folds.h"
#include "import/probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"
#include "util/text.h"

typedef struct import {
    mmli_import_config config;
    mmli_problems problems;
    mmli_table labels, splits;
    bool folds;             /* the splits files are lists (folds.h), not a table */
    mmli_table *own;        /* (n_tasks) of tasks with a file of their own; else empty */
    mmli_source **sources;  /* (n_modalities) NULL: not open, not any more, or not to be opened */
    bool suggested; /* the config was made up */
    const char *out_path;
    mmli_source_context context;
    char **ids;             /* (n) samples: of the labels file, then the others; lent by the tables, or own */
    size_t n, cap_ids, n_lent;
    mmli_index samples;     /* of ids */
    mmli_cohort_writer writer;
    uint8_t *present;       /* (n_modalities, n) */
    mmli_buf report;
    mml_progress progress;
    void *user;
} import;

/* ---- tables ------------------------------------------------------------------------------------------------------------------- */

/* Every column of the labels file that somebody wants. */
static mml_status read_labels(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const mmli_sheet sheet = {
        .path = c->labels, .more = c->more, .n_more = c->n_more, .no_header = c->no_header, .names = c->names,
        .repeats = c->repeats};
    const char **wanted = NULL;
    size_t n = 0;

    if (c->labels == NULL)
        return MML_OK;
    MML_TRY(mmli_calloc(&wanted, c->n_reserved + 1, sizeof *wanted)); /* all of these are reserved */
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->tasks[i].file == NULL)
            n += mmli_import_task_columns(wanted + n, &c->tasks[i]);
    if (c->group != NULL)
        wanted[n++] = c->group;
    for (size_t i = 0; i < c->n_columns && (c->splits == NULL || im->folds); i++)
        wanted[n++] = c->columns[i];
    if (c->repeats != NULL)
        wanted[n++] = c->repeats;
    MML_TRY(mmli_table_read(&im->labels, &sheet, c->id, wanted, n));
out:
    mmli_free(wanted);
    return st;
}

static mml_status read_tables(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const char *wanted[4];

    if (c->splits != NULL)
        MML_TRY(mmli_is_folds(&im->folds, c->splits));
    MML_CHECK(!im->folds || c->n_columns == 0 || c->labels != NULL, MML_E_FORMAT, "%s: columns are those of the labels file when splits are "
              "lists of ids, and there is no labels file", c->ini.path);
    MML_TRY(read_labels(im));
    MML_TRY(mmli_calloc(&im->own, c->n_tasks, sizeof *im->own));
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->tasks[i].file != NULL)
            MML_TRY(mmli_problem(&im->problems, mmli_table_read(&im->own[i], &(mmli_sheet){.path = c->tasks[i].file},
                                                                c->tasks[i].id, wanted,
                                                                mmli_import_task_columns(wanted, &c->tasks[i]))));
    if (c->splits != NULL && !im->folds)
        MML_TRY(mmli_problem(&im->problems, mmli_table_read(&im->splits,
                                                            &(mmli_sheet){.path = c->splits, .more = c->more_splits, .n_more = c->n_more_splits},
                                                            c->id,
                                                            (const char *const *)c->columns,
                                                            c->n_columns)));
out:
    return st;
}

/* ---- samples -------------------------------------------------------------------------------------------------------------------- */

/* The context outlives the source: it is kept in `im`. */
static mml_status open_source(import *im, size_t which)
{

    if (im->sources[which] != NULL)
        return MML_OK;
    return mmli_source_open(&im->sources[which], &im->config.modalities[which], &im->context);
}

/* Adds those that are not there yet; the index is made anew. The texts are copied but those of the labels file. */
static mml_status add_ids(import *im, char *const *ids, size_t n)
{
    mml_status st = MML_OK;
    const size_t before = im->n;
    mmli_index index = {0};
    size_t first, second;

    MML_TRY(mmli_grow(&im->ids, &im->cap_ids, im->n + n, sizeof *im->ids));
    im->samples.texts = (const char *const *)im->ids; /* the list may have moved */
    MML_TRY(mmli_index_make(&index, (const char *const *)ids, n, &first, &second));
    for (size_t i = 0; i < n; i++) {
        if (mmli_index_find(&index, ids[i], strlen(ids[i])) != i || mmli_index_find(&im->samples, ids[i], strlen(ids[i])) != SIZE_MAX)
            continue;
        MML_TRY(mmli_strdup(&im->ids[im->n], ids[i]));
        im->n++;
    }
    if (im->n > before) {
        mmli_index_free(&im->samples);
        MML_TRY(mmli_index_make(&im->samples, (const char *const *)im->ids, im->n, &first, &second));
    }
out:
    mmli_index_free(&index);
    return st;
}

/* The samples of the cohort, in order: of the labels file, of the tasks' own files, of the modalities. */
static mml_status collect_samples(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    size_t first, second;

    MML_TRY(mmli_calloc(&im->sources, c->n_modalities, sizeof *im->sources));
    MML_TRY(mmli_grow(&im->ids, &im->cap_ids, im->labels.n + 1, sizeof *im->ids));
    for (; im->n < im->labels.n; im->n++)
        im->ids[im->n] = im->labels.ids[im->n];
    im->n_lent = im->n;
    MML_TRY(mmli_index_make(&im->samples, (const char *const *)im->ids, im->n, &first, &second));
    for (size_t i = 0; i < c->n_tasks && c->all_samples; i++)
        MML_TRY(add_ids(im, im->own[i].ids, im->own[i].n));
    for (size_t i = 0; i < c->n_modalities && c->all_samples; i++) {
        MML_TRY(mmli_copy_tell(&(mmli_copy_watch){c->modalities[i].name, im->progress, im->user}, 0, 0));
        MML_TRY(mmli_problem(&im->problems, open_source(im, i)));
        if (im->sources[i] != NULL)
            MML_TRY(add_ids(im, im->sources[i]->ids, im->sources[i]->n_pieces));
    }
    MML_CHECK(im->n > 0, MML_E_DATA, "%s: there are no samples", c->ini.path);
    im->context.samples = &im->samples;
out:
    return st;
}

/* Texts of a column of a table in the order of the samples; "" for samples that it lacks. Lent by both. *unknown = rows of
 * no sample. */
static mml_status align(char ***out, size_t *unknown, const import *im, const mmli_table *table, char *const *texts)
{
    static char none[] = "";
    mml_status st;

    *unknown = 0;
    if ((st = mmli_calloc(out, im->n, sizeof **out)) != MML_OK)
        return st;
    for (size_t i = 0; i < im->n; i++)
        (*out)[i] = none;
    for (size_t i = 0; i < table->n; i++) {
        const size_t at = mmli_index_find(&im->samples, table->ids[i], strlen(table->ids[i]));

        if (at != SIZE_MAX)
            (*out)[at] = texts[i];
        else
            ++*unknown;
    }
    return MML_OK;
}

static mml_status write_column(import *im, const mmli_table *table, const char *name, char *const *texts)
{
    mml_status st = MML_OK;
    char **aligned = NULL;
    size_t unknown;

    MML_CHECK(mmli_bad_name(name) == NULL, MML_E_DATA, "%s: column %s cannot be kept: %s", table->path, name,
              mmli_bad_name(name));
    MML_TRY(align(&aligned, &unknown, im, table, texts));
    MML_TRY(mmli_cohort_write_column(&im->writer, name, aligned));
out:
    mmli_free(aligned);
    return st;
}

static mml_status report_unknown(import *im, const mmli_table *table)
{
    size_t unknown = 0;

    for (size_t i = 0; i < table->n; i++)
        unknown += mmli_index_find(&im->samples, table->ids[i], strlen(table->ids[i])) == SIZE_MAX;
    if (unknown == 0)
        return MML_OK;
    return mmli_buf_printf(&im->report, "  %zu ids of %s are not in the labels file and were left out\n", unknown, table->path);
}

/* One file of lists as a column. */
static mml_status write_folds(import *im, const char *path)
{
    mml_status st = MML_OK;
    mmli_folds f = {0};

    MML_TRY(mmli_folds_read(&f, path, &im->samples, im->ids, im->n, &im->labels));
    MML_CHECK(mmli_bad_name(f.name) == NULL, MML_E_DATA, "%s: no column can be named by this file: %s", path, mmli_bad_name(f.name));
    MML_TRY(mmli_cohort_write_column(&im->writer, f.name, f.parts));
    MML_TRY(mmli_buf_printf(&im->report, "column %s: %zu train, %zu val, %zu test, %zu in none\n", f.name, f.count[0], f.count[1], f.count[2],
                            f.count[3]));
out:
    mmli_folds_free(&f);
    return st;
}

static mml_status write_columns(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;

    for (size_t i = 0; i < c->n_columns && (c->splits == NULL || im->folds); i++)
        MML_TRY(write_column(im, &im->labels, c->columns[i], mmli_table_column(&im->labels, c->columns[i])));
    for (size_t k = 0; im->folds && k <= c->n_more_splits; k++)
        MML_TRY(mmli_problem(&im->problems, write_folds(im, k == 0 ? c->splits : c->more_splits[k - 1])));
    for (size_t k = 0; k < im->splits.n_columns; k++)
        MML_TRY(write_column(im, &im->splits, im->splits.names[k], im->splits.texts[k]));
    MML_TRY(report_unknown(im, &im->splits));
out:
    return st;
}

/* Groups by sample; a sample of no labels is a group of its own. *out NULL: no groups. */
static mml_status make_groups(char ***out, import *im)
{
    mml_status st = MML_OK;
    const mmli_table *t = &im->labels;
    char **groups = NULL, *const *given;

    if (im->config.group == NULL)
        return MML_OK;
    given = mmli_table_column(t, im->config.group);
    MML_TRY(mmli_calloc(&groups, im->n, sizeof *groups));
    for (size_t i = 0; i < im->n; i++) {
        groups[i] = i < t->n ? given[i] : im->ids[i];
        MML_CHECK(mmli_bad_id(groups[i]) == NULL, MML_E_DATA, "%s: row %zu, column %s: the group cannot be used: %s", t->path,
                  t->rows[i], im->config.group, mmli_bad_id(groups[i]));
    }
    *out = groups;
    groups = NULL;
out:
    mmli_free(groups);
    return st;
}

/* ---- tasks --------------------------------------------------------------------------------------------------------------------- */

static mml_status report_task(import *im, const mmli_cohort_task *t)
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
        MML_TRY(mmli_buf_printf(&im->report, ", %zu events, %zu censored", events, known - events));
    for (size_t k = 0; k < t->n_classes; k++)
        MML_TRY(mmli_buf_printf(&im->report, "%s%s %zu", k == 0 ? "; " : ", ", t->classes[k], count[k]));
    MML_TRY(mmli_buf_puts(&im->report, "\n"));
out:
    mmli_free(count);
    return st;
}

/* Values and events in the order of the samples instead of the table's. */
static mml_status spread(const import *im, mmli_cohort_task *t, const mmli_table *table)
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

static mml_status import_task(import *im, size_t which)
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
        MML_TRY(report_unknown(im, table));
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
                            mmli_modality_kind_name(stored_kind(m)), w->n_present, im->n, w->written, w->width));
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

/* For the message: an id of the modality and one of the cohort. */
static mml_status no_common_ids(const import *im, const mmli_source *source)
{
    return mmli_fail(MML_E_DATA, "%s: modality %s: none of its %zu ids is in %s; ids look like \"%s\" here and \"%s\" there",
                     source->m->file, source->m->name, source->n_pieces, im->config.labels, source->ids[0], im->ids[0]);
}

static mml_status import_modality(import *im, size_t which)
{
    mml_status st = MML_OK;
    const mmli_import_modality *m = &im->config.modalities[which];
    const mmli_copy_watch watch = {.what = m->name, .progress = im->progress, .user = im->user};
    mmli_source *source;
    mmli_tokenizer t = {0};
    mmli_token_writer w = {.group = -1, .values = -1, .axes = -1};
    mmli_visits visits = {0};

    MML_TRY(mmli_copy_tell(&watch, 0, 0));
    MML_TRY(open_source(im, which));
    source = im->sources[which];
    MML_TRY(mmli_visits_make(&visits, source, &im->samples));
    if (visits.n == 0) {
        st = no_common_ids(im, source);
        goto out;
    }
    MML_TRY(mmli_tokenizer_make(&t, m, source));
    im->writer.compress = source->unpacked && im->config.compress == MMLI_COMPRESS_AUTO ? 0 : im->config.compress;
    MML_TRY(mmli_token_write_begin(&w, &im->writer, m->name, stored_kind(m), t.width, t.n_axes, t.features,
                                   mmli_tokens_are_half(&t)));
    if (t.category_of != NULL)
        MML_TRY(mmli_token_write_categories(&w, t.category_of));
    if (source->position_unit > 0)
        MML_TRY(mmli_h5_set_f64(w.group, im->out_path, "position_unit", source->position_unit));
    MML_TRY(mmli_copy_tokens(&w, &t, source, &visits, im->ids, &watch));
    MML_TRY(mmli_token_write_end(&w));
    for (size_t i = 0; i < im->n; i++)
        im->present[which * im->n + i] = w.offsets[i + 1] > w.offsets[i];
    MML_TRY(report_modality(im, m, &w, source, source->n_pieces - visits.n));
    if (t.notes.len > 0)
        MML_TRY(mmli_buf_add(&im->report, t.notes.text, t.notes.len));
out:
    mmli_visits_free(&visits);
    mmli_token_write_free(&w);
    mmli_tokenizer_free(&t);
    mmli_source_close(im->sources[which]);
    im->sources[which] = NULL;
    return st;
}

/* Samples that have several modalities: what merging and fusing can be judged on. */
static mml_status report_overlap(import *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const size_t n = im->n, m = c->n_modalities;
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

static mml_status run(import *im, const char *real)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    char **groups = NULL;
    size_t cells;

    MML_TRY(read_tables(im));
    MML_TRY(collect_samples(im));
    MML_TRY(make_groups(&groups, im));
    MML_CHECK(mmli_mul_size(&cells, c->n_modalities, im->n), MML_E_NOMEM, "%s: too many samples", c->ini.path);
    MML_TRY(mmli_calloc(&im->present, cells, 1));
    MML_TRY(mmli_cohort_write_begin(&im->writer, real, im->out_path, im->ids, groups, im->n, c->compress));
    MML_TRY(mmli_buf_printf(&im->report, "samples: %zu\n", im->n));
    MML_TRY(write_columns(im));
    for (size_t i = 0; i < c->n_tasks; i++)
        MML_TRY(mmli_problem(&im->problems, import_task(im, i)));
    for (size_t i = 0; i < c->n_modalities; i++)
        MML_TRY(mmli_problem(&im->problems, import_modality(im, i)));
    MML_TRY(report_overlap(im));
    if (im->suggested && c->n_tasks == 0)
        MML_TRY(mmli_buf_puts(&im->report, "WARNING: no outcome was recognised; a column that tells it may be among the features: see mmlego "
                                           "inspect --init\n"));
    MML_TRY(mmli_cohort_write_end(&im->writer));
out:
    mmli_free(groups);
    mmli_cohort_write_drop(&im->writer);
    return st;
}

static void finish(import *im)
{
    mmli_buf_free(&im->report);
    mmli_buf_free(&im->problems.text);
    for (size_t i = 0; im->sources != NULL && i < im->config.n_modalities; i++)
        mmli_source_close(im->sources[i]);
    mmli_free(im->sources);
    mmli_free(im->present);
    mmli_index_free(&im->samples);
    for (size_t i = im->n_lent; i < im->n; i++)
        mmli_free(im->ids[i]);
    mmli_free(im->ids);
    mmli_table_free(&im->labels);
    mmli_table_free(&im->splits);
    for (size_t i = 0; im->own != NULL && i < im->config.n_tasks; i++)
        mmli_table_free(&im->own[i]);
    mmli_free(im->own);
    mmli_import_config_free(&im->config);
}

/* A cohort.ini is read; of any other file one is made up. */
static mml_status read_config(import *im, const char *path, const char *format)
{
    mml_status st = MML_OK;
    char *text = NULL;
    bool is_ini = format != NULL && strcmp(format, "ini") == 0;

    if (format == NULL)
        MML_TRY(mmli_is_ini(&is_ini, path));
    if (is_ini) {
        st = mmli_import_config_read(&im->config, path, &im->problems);
        goto out;
    }
    im->suggested = true;
    MML_TRY(mml_suggest_cohort(&text, &path, 1, format));
    MML_CHECK(strstr(text, "\n[modality ") != NULL, MML_E_DATA, "%s: nothing in it can be a feature: ids, outcomes, texts or a list of "
              "samples; name it in a cohort.ini (labels, splits) beside a file of features, or try mmlego inspect --init FILE...", path);
    MML_TRY(mmli_import_config_parse(&im->config, text, "(suggested cohort.ini)", &im->problems));
out:
    mmli_free(text);
    return st;
}

/* All that is wrong, and that there is something. */
static mml_status tell_problems(import *im, const char *path, char **report)
{
    mml_status st = MML_OK;
    const size_t n = im->problems.n;

    if (n > MMLI_PROBLEMS_KEPT)
        MML_TRY(mmli_buf_printf(&im->problems.text, "... and %zu more\n", n - MMLI_PROBLEMS_KEPT));
    if (report != NULL)
        MML_TRY(mmli_buf_take(&im->problems.text, report));
    st = mmli_fail(MML_E_DATA, "%s: %zu problem%s found", path, n, n == 1 ? "" : "s");
out:
    return st;
}

void mml_import_options_init(mml_import_options *options)
{
    *options = (mml_import_options){.struct_size = sizeof *options};
}

mml_status mml_import_with(const char *path, const char *out_path, const mml_import_options *given, char **report)
{
    mml_status st = MML_OK;
    mml_import_options o = {0};
    import im = {.writer = {.file = -1, .columns = -1, .tasks = -1, .modalities = -1}};
    mmli_atomic *file = NULL;

    if (report != NULL)
        *report = NULL;
    if (given != NULL)
        memcpy(&o, given, given->struct_size == 0 || given->struct_size > sizeof o ? sizeof o : given->struct_size);
    im.out_path = out_path != NULL ? out_path : P_tmpdir "/mmlego-check.h5";
    im.context = (mmli_source_context){.beside = im.out_path, .config = &im.config, .problems = &im.problems};
    im.progress = o.progress;
    im.user = o.user;
    im.problems.collect = o.dry_run != 0;
    MML_CHECK(out_path != NULL || o.dry_run, MML_E_ARG, "a file is needed for the cohort");
    MML_TRY(mmli_problem(&im.problems, read_config(&im, path, o.format)));
    im.config.strict = o.strict != 0;
    if (im.problems.n == 0) {
        MML_TRY(mmli_atomic_begin(&file, im.out_path));
        MML_TRY(mmli_problem(&im.problems, run(&im, mmli_atomic_path(file))));
    }
    if (im.problems.n > 0) {
        st = tell_problems(&im, path, report);
        goto out;
    }
    if (!o.dry_run)
        MML_TRY(mmli_atomic_commit(file));
    if (report != NULL)
        MML_TRY(mmli_buf_take(&im.report, report));
out:
    mmli_atomic_abort(file);
    finish(&im);
    return st;
}

mml_status mml_import(const char *ini_path, const char *out_path, char **report, mml_progress progress, void *user)
{
    mml_import_options o;

    mml_import_options_init(&o);
    o.progress = progress;
    o.user = user;
    return mml_import_with(ini_path, out_path, &o, report);
}
