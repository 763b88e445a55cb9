/* import.c - from a cohort.ini to a cohort file, and a report of what was found: the order of it all. */
#include <stdio.h>
#include <string.h>

#include "import/importing.h"
#include "import/probe.h"
#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"

static mml_status run(mmli_importing *im, const char *real)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    char **groups = NULL;
    size_t cells;

    MML_TRY(mmli_importing_tables(im));
    MML_TRY(mmli_importing_samples(im));
    if (im->n == 0) /* a check has found why */
        goto out;
    MML_TRY(mmli_problem(&im->problems, mmli_importing_groups(&groups, im)));
    MML_CHECK(mmli_mul_size(&cells, c->n_modalities, im->n), MML_E_NOMEM, "%s: too many samples", c->ini.path);
    MML_TRY(mmli_calloc(&im->present, cells, 1));
    MML_TRY(mmli_cohort_write_begin(&im->writer, real, im->out_path, im->ids, groups, im->n, c->compress));
    MML_TRY(mmli_buf_printf(&im->report, "samples: %zu\n", im->n));
    if (c->labels == NULL || im->labels.n > 0)
        MML_TRY(mmli_problem(&im->problems, mmli_importing_columns(im)));
    for (size_t i = 0; i < c->n_tasks; i++)
        MML_TRY(mmli_problem(&im->problems, mmli_importing_task(im, i)));
    for (size_t i = 0; i < c->n_modalities; i++)
        MML_TRY(mmli_problem(&im->problems, mmli_importing_modality(im, i)));
    MML_TRY(mmli_importing_overlap(im));
    MML_TRY(mmli_importing_taken(im));
    if (im->suggested && c->n_tasks == 0)
        MML_TRY(mmli_buf_puts(&im->report, "WARNING: no outcome was recognised; a column that tells it may be among the features: see mmlego "
                                           "inspect --init\n"));
    MML_TRY(mmli_cohort_write_end(&im->writer));
out:
    mmli_free(groups);
    mmli_cohort_write_drop(&im->writer);
    return st;
}

static void finish(mmli_importing *im)
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
    mmli_kept_free(&im->kept);
    mmli_import_config_free(&im->config);
}

/* A cohort.ini is read; of any other file one is made up. */
static mml_status read_config(mmli_importing *im, const char *path, const char *format)
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
    MML_TRY(mmli_suggest_file(&text, path, format, &im->kept));
    MML_CHECK(strstr(text, "\n[modality ") != NULL, MML_E_DATA, "%s: nothing in it can be a feature: ids, outcomes, texts or a list of "
              "samples; name it in a cohort.ini (labels, splits) beside a file of features, or try mmlego inspect --init FILE...", path);
    MML_TRY(mmli_import_config_parse(&im->config, text, "(suggested cohort.ini)", &im->problems));
out:
    mmli_free(text);
    return st;
}

/* All that is wrong, and that there is something. */
static mml_status tell_problems(mmli_importing *im, const char *path, char **report)
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
    mmli_importing im = {.writer = {.file = -1, .columns = -1, .tasks = -1, .modalities = -1}};
    mmli_atomic *file = NULL;

    if (report != NULL)
        *report = NULL;
    MML_GIVEN(path);
    if (given != NULL)
        memcpy(&o, given, given->struct_size == 0 || given->struct_size > sizeof o ? sizeof o : given->struct_size);
    im.out_path = out_path != NULL ? out_path : P_tmpdir "/mmlego-check.h5";
    im.kept.beside = im.out_path;
    im.context = (mmli_source_context){.beside = im.out_path, .config = &im.config, .kept = &im.kept, .problems = &im.problems};
    im.progress = o.progress;
    im.user = o.user;
    im.problems.collect = o.dry_run != 0;
    MML_CHECK(out_path != NULL || o.dry_run, MML_E_ARG, "a file is needed for the cohort");
    MML_TRY(mmli_problem(&im.problems, read_config(&im, path, o.format)));
    im.config.strict = o.strict != 0;
    if (im.problems.n == 0)
        MML_TRY(mmli_problem(&im.problems, mmli_importing_spare(&im.config, out_path)));
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

    MML_GIVEN(ini_path);
    mml_import_options_init(&o);
    o.progress = progress;
    o.user = user;
    return mml_import_with(ini_path, out_path, &o, report);
}
