/* collect_read.c - the records of all jobs of a comparison, from the folders that have them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compare/collect.h"
#include "compare/record.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

void mmli_collection_clear(mmli_collection *c)
{
    for (size_t i = 0; i < c->n; i++) {
        json_decref(c->list[i].record);
        mmli_free(c->list[i].path);
    }
    mmli_free(c->list);
    json_decref(c->plan);
}

bool mmli_record_is_ok(const json_t *record)
{
    return strcmp(json_string_value(json_object_get(record, "status")), "ok") == 0;
}

/* Of one comparison? And the same job twice (of two folders): with the same settings. */
static mml_status agree(const mmli_found *a, const mmli_found *b)
{
    const json_t *s = json_object_get(a->record, "settings"), *t = json_object_get(b->record, "settings");
    mml_status st = MML_OK;
    char where[512];

    for (const char *const *key = mmli_common_settings; *key; key++)
        MML_CHECK(!mmli_json_differs(where, sizeof where, json_object_get(s, *key), json_object_get(t, *key)), MML_E_ARG,
                  "%s and %s are of different comparisons: %s%s%s", a->path, b->path, *key, where[0] == ':' ? "" : ".", where);
    if (strcmp(a->system, b->system) == 0)
        MML_CHECK(!mmli_json_differs(where, sizeof where, json_object_get(json_object_get(s, "options"), "block"),
                                     json_object_get(json_object_get(t, "options"), "block")),
                  MML_E_ARG, "%s and %s are of one system with different settings: %s", a->path, b->path, where);
out:
    return st;
}

static mml_status add(mmli_collection *c, json_t *record, char *path)
{
    mml_status st = MML_OK;
    char where[64];
    bool known = false;
    mmli_found new = {.record = record,
                      .path = path,
                      .system = json_string_value(json_object_get(record, "system")),
                      .study = json_object_get(record, "study"),
                      .order = json_integer_value(json_object_get(record, "order")),
                      .fold = (size_t)json_integer_value(json_object_get(record, "fold"))};

    for (size_t i = 0; i < c->n; i++) {
        mmli_found *old = &c->list[i];

        if (i == 0 || (!known && strcmp(old->system, new.system) == 0))
            MML_TRY(agree(old, &new)); /* with one of its system: that one agreed with the others */
        known = known || strcmp(old->system, new.system) == 0;
        if (strcmp(old->system, new.system) != 0 || old->fold != new.fold || mmli_json_differs(where, sizeof where, old->study, new.study))
            continue;
        if (mmli_record_is_ok(new.record) && !mmli_record_is_ok(old->record)) { /* what went well counts */
            json_decref(old->record);
            mmli_free(old->path);
            *old = new;
        } else {
            json_decref(record);
            mmli_free(path);
        }
        return MML_OK;
    }
    MML_TRY(mmli_grow(&c->list, &c->cap, c->n + 1, sizeof *c->list));
    c->list[c->n++] = new;
    return MML_OK;
out:
    json_decref(record);
    mmli_free(path);
    return st;
}

static int is_record(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static mml_status read_folder(mmli_collection *c, const char *directory)
{
    mml_status st = MML_OK;
    struct dirent **names = NULL;
    char *folder = NULL, *path = NULL, text[MMLI_ERRNO_BYTES];
    json_t *record = NULL;
    int n = 0;

    MML_TRY(mmli_folder_path(&path, directory, "plan.json"));
    if (!c->plan && mmli_file_exists(path))
        MML_TRY(mmli_json_load(&c->plan, path));
    mmli_free(path);
    path = NULL;
    MML_TRY(mmli_folder_path(&folder, directory, "jobs"));
    n = scandir(folder, &names, is_record, alphasort);
    MML_CHECK(n >= 0, MML_E_IO, "%s: no folder of a comparison: %s", folder, mmli_errno_text(text, errno));
    for (int i = 0; i < n; i++) {
        MML_TRY(mmli_folder_path(&path, folder, names[i]->d_name));
        MML_TRY(mmli_record_load(&record, path));
        st = add(c, record, path); /* which takes both */
        record = NULL;
        path = NULL;
        MML_TRY(st);
    }
out:
    for (int i = 0; i < n; i++)
        free(names[i]); /* scandir's own malloc */
    free(names);
    mmli_free(folder);
    mmli_free(path);
    return st;
}

static int by_order(const void *a, const void *b)
{
    const mmli_found *x = a, *y = b;
    int order = (x->study != NULL) - (y->study != NULL);

    order = order ? order : (x->order > y->order) - (x->order < y->order);
    order = order ? order : strcmp(x->system, y->system);
    return order ? order : (x->fold > y->fold) - (x->fold < y->fold);
}

static mml_status metric_of(mml_metric *out, const json_t *plan)
{
    const char *name = json_string_value(json_object_get(json_object_get(plan, "task"), "metric"));

    for (int i = 0; name && mml_metric_name((mml_metric)i); i++)
        if (strcmp(mml_metric_name((mml_metric)i), name) == 0) {
            *out = (mml_metric)i;
            return MML_OK;
        }
    return mmli_fail(MML_E_FORMAT, "plan.json of the comparison names no metric that is known");
}

mml_status mmli_collection_read(mmli_collection *c, const char *const *directories, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        MML_TRY(read_folder(c, directories[i]));
    MML_CHECK(c->n > 0, MML_E_DATA, "%s: there is no record of any job", n ? directories[0] : "no folder");
    MML_CHECK(c->plan != NULL, MML_E_DATA, "%s: plan.json is missing, which says what was compared", directories[0]);
    MML_TRY(metric_of(&c->metric, c->plan));
    qsort(c->list, c->n, sizeof *c->list, by_order);
    while (c->plain < c->n && !c->list[c->plain].study)
        c->plain++;
    c->folds = (size_t)json_integer_value(json_object_get(c->plan, "folds"));
    for (size_t i = 0; i < c->n; i++)
        c->folds = c->folds > c->list[i].fold ? c->folds : c->list[i].fold + 1;
out:
    return st;
}
