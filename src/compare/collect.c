/* collect.c - records to compare.json, its tables and its page: one row a system, the studies, all records. */
#include "compare/collect.h"

#include <stdlib.h>

#include "compare/record.h"
#include "compare/study.h"
#include "model/options.h"
#include "report/report.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static mml_status studies_json(json_t **out, const mmli_collection *c)
{
    mml_status st = MML_OK;
    const json_t **records = NULL;

    MML_TRY(mmli_calloc(&records, c->n, sizeof *records));
    for (size_t i = 0; i < c->n; i++)
        records[i] = c->list[i].record;
    MML_TRY(mmli_studies_collect(out, records, c->n));
out:
    mmli_free(records);
    return st;
}

static mml_status comparison_json(json_t **out, const mmli_collection *c)
{
    mml_status st = MML_OK;
    json_t *root = json_copy(c->plan), *systems = NULL, *studies = NULL, *jobs = json_array();
    int bad = 0;

    MML_TRY(mmli_systems_json(&systems, c));
    MML_TRY(studies_json(&studies, c));
    for (size_t i = 0; i < c->plain; i++)
        bad |= json_array_append(jobs, c->list[i].record);
    bad |= json_object_set_new(root, "format", json_string("mmlego comparison"));
    bad |= json_object_set_new(root, "folds", json_integer((json_int_t)c->folds));
    bad |= json_object_set(root, "systems", systems);
    bad |= json_object_set(root, "studies", studies);
    bad |= json_object_set(root, "jobs", jobs);
    MML_CHECK(bad == 0, MML_E_NOMEM, "no memory for the comparison");
    *out = root;
    root = NULL;
out:
    json_decref(root);
    json_decref(systems);
    json_decref(studies);
    json_decref(jobs);
    return st;
}

static mml_status save_text(const char *text, const char *directory, const char *name)
{
    mml_status st = MML_OK;
    char *path = NULL;

    MML_TRY(mmli_folder_path(&path, directory, name));
    MML_TRY(mmli_text_save(text, path));
out:
    mmli_free(path);
    return st;
}

/* study_NAME.tsv of each study. */
static mml_status save_studies(const json_t *comparison, const char *directory)
{
    const json_t *studies = json_object_get(comparison, "studies");
    mml_status st = MML_OK;
    char *name = NULL, *table = NULL;

    for (size_t i = 0; i < json_array_size(studies); i++) {
        const json_t *study = json_array_get(studies, i);

        MML_TRY(mmli_strf(&name, "study_%s.tsv", json_string_value(json_object_get(study, "study"))));
        MML_TRY(mmli_study_table(&table, study));
        MML_TRY(save_text(table, directory, name));
        mmli_free(name);
        mmli_free(table);
        name = table = NULL;
    }
out:
    mmli_free(name);
    mmli_free(table);
    return st;
}

static mml_status save_report(const json_t *comparison, const char *directory)
{
    mml_status st = MML_OK;
    char *html = NULL;

    MML_TRY(mmli_report_html(&html, &comparison, 1));
    MML_TRY(save_text(html, directory, "report.html"));
out:
    mmli_free(html);
    return st;
}

mml_status mml_compare_collect(char **json, const char *const *directories, size_t n, const char *out)
{
    mml_status st = MML_OK;
    mmli_collection c = {0};
    json_t *root = NULL;
    char *path = NULL, *table = NULL, *text = NULL;

    if (json)
        *json = NULL;
    MML_GIVEN(directories, out);
    MML_TRY(mmli_collection_read(&c, directories, n));
    MML_TRY(comparison_json(&root, &c));
    MML_TRY(mmli_compare_table(&table, root));
    MML_TRY(mmli_folder_make(out));
    MML_TRY(mmli_folder_path(&path, out, "compare.json"));
    MML_TRY(mmli_json_save(root, path));
    MML_TRY(save_text(table, out, "table.tsv"));
    MML_TRY(save_studies(root, out));
    MML_TRY(save_report(root, out));
    if (json) {
        text = json_dumps(root, MMLI_JSON_REALS | JSON_COMPACT);
        MML_CHECK(text != NULL, MML_E_NOMEM, "no memory for the comparison");
        MML_TRY(mmli_strdup(json, text));
    }
out:
    free(text); /* Jansson's own malloc */
    mmli_free(table);
    mmli_free(path);
    json_decref(root);
    mmli_collection_clear(&c);
    return st;
}
