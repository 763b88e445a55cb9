/* import_samples.c - the tables of an import, and the samples that they and the modalities have. */
#include "import/importing.h"

#include <string.h>

#include "import/folds.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

/* Every column of the labels file that somebody wants. */
static mml_status read_labels(mmli_importing *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const mmli_sheet sheet = {
        .path = c->labels, .more = c->more, .n_more = c->n_more, .no_header = c->no_header, .names = c->names,
        .repeats = c->repeats, .kept = &im->kept, .problems = &im->problems};
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

mml_status mmli_importing_tables(mmli_importing *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const char *wanted[4];

    if (c->splits != NULL)
        MML_TRY(mmli_is_folds(&im->folds, c->splits));
    MML_CHECK(!im->folds || c->n_columns == 0 || c->labels != NULL, MML_E_FORMAT, "%s: columns are those of the labels file when splits are "
              "lists of ids, and there is no labels file", c->ini.path);
    MML_TRY(mmli_problem(&im->problems, read_labels(im)));
    if (im->problems.n > 0) { /* a check goes on, with the samples that the modalities have */
        mmli_table_free(&im->labels);
        im->config.all_samples = true;
    }
    MML_TRY(mmli_calloc(&im->own, c->n_tasks, sizeof *im->own));
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->tasks[i].file != NULL)
            MML_TRY(mmli_problem(&im->problems, mmli_table_read(&im->own[i], &(mmli_sheet){.path = c->tasks[i].file, .problems = &im->problems},
                                                                c->tasks[i].id, wanted,
                                                                mmli_import_task_columns(wanted, &c->tasks[i]))));
    if (c->splits != NULL && !im->folds)
        MML_TRY(mmli_problem(&im->problems, mmli_table_read(&im->splits,
                                                            &(mmli_sheet){.path = c->splits, .more = c->more_splits, .n_more = c->n_more_splits, .problems = &im->problems},
                                                            c->id,
                                                            (const char *const *)c->columns,
                                                            c->n_columns)));
out:
    return st;
}

/* ---- samples -------------------------------------------------------------------------------------------------------------- */

/* The context outlives the source: it is kept in `im`. */
mml_status mmli_importing_open(mmli_importing *im, size_t which)
{
    if (im->sources[which] != NULL)
        return MML_OK;
    return mmli_source_open(&im->sources[which], &im->config.modalities[which], &im->context);
}

/* Adds those that are not there yet; the index is made anew. The texts are copied but those of the labels file. */
static mml_status add_ids(mmli_importing *im, char *const *ids, size_t n)
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

mml_status mmli_importing_samples(mmli_importing *im)
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
        MML_TRY(mmli_problem(&im->problems, mmli_importing_open(im, i)));
        if (im->sources[i] != NULL)
            MML_TRY(add_ids(im, im->sources[i]->ids, im->sources[i]->n_pieces));
    }
    MML_CHECK(im->n > 0 || im->problems.n > 0, MML_E_DATA, "%s: there are no samples", c->ini.path);
    im->context.samples = &im->samples;
out:
    return st;
}

mml_status mmli_importing_unknown(mmli_importing *im, const mmli_table *table)
{
    size_t unknown = 0;

    for (size_t i = 0; i < table->n; i++)
        unknown += mmli_index_find(&im->samples, table->ids[i], strlen(table->ids[i])) == SIZE_MAX;
    if (unknown == 0)
        return MML_OK;
    return mmli_buf_printf(&im->report, "  %zu %s of %s left out: not in the labels file\n", unknown, mmli_by_number(unknown, "id", "ids"), table->path);
}

/* Groups by sample; a sample of no labels is a group of its own. *out NULL: no groups. */
mml_status mmli_importing_groups(char ***out, mmli_importing *im)
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
