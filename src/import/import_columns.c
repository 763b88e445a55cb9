/* import_columns.c - text columns of a cohort: of a table, or one of each file that lists the parts of a division. */
#include "import/importing.h"

#include <string.h>

#include "import/folds.h"
#include "util/alloc.h"
#include "util/error.h"

/* Texts of a column of a table in the order of the samples; "" for samples that it lacks. Lent by both. *unknown = rows of
 * no sample. */
static mml_status align(char ***out, size_t *unknown, const mmli_importing *im, const mmli_table *table, char *const *texts)
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

static mml_status write_column(mmli_importing *im, const mmli_table *table, const char *name, char *const *texts)
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

/* One file of lists as a column. */
static mml_status write_folds(mmli_importing *im, const char *path)
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

mml_status mmli_importing_columns(mmli_importing *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;

    for (size_t i = 0; i < c->n_columns && (c->splits == NULL || im->folds); i++)
        MML_TRY(write_column(im, &im->labels, c->columns[i], mmli_table_column(&im->labels, c->columns[i])));
    for (size_t k = 0; im->folds && k <= c->n_more_splits; k++)
        MML_TRY(mmli_problem(&im->problems, write_folds(im, k == 0 ? c->splits : c->more_splits[k - 1])));
    for (size_t k = 0; k < im->splits.n_columns; k++)
        MML_TRY(write_column(im, &im->splits, im->splits.names[k], im->splits.texts[k]));
    MML_TRY(mmli_importing_unknown(im, &im->splits));
out:
    return st;
}
