/* collect.c - records to compare.json: one row a system, differences to the best baseline, all records. */
#include "compare/collect.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/record.h"
#include "compare/study.h"
#include "model/options.h"
#include "report/report.h"
#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"
#include "util/text.h"

/* A record and the file it is from. */
typedef struct found {
    json_t *record;
    char *path;
    const char *system; /* lent from the record */
    const json_t *study; /* NULL: of the plain comparison */
    json_int_t order;
    size_t fold;
} found;

typedef struct collection {
    json_t *plan; /* of the first folder that has one */
    found *list;
    size_t n, cap, folds, plain; /* plain: those before the records of studies */
    mml_metric metric;
} collection;

static void clear(collection *c)
{
    for (size_t i = 0; i < c->n; i++) {
        json_decref(c->list[i].record);
        mmli_free(c->list[i].path);
    }
    mmli_free(c->list);
    json_decref(c->plan);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool is_ok(const json_t *record)
{
    return strcmp(json_string_value(json_object_get(record, "status")), "ok") == 0;
}

/* Of one comparison? And the same job twice (of two folders): with the same settings. */
static mml_status agree(const found *a, const found *b)
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

static mml_status add(collection *c, json_t *record, char *path)
{
    mml_status st = MML_OK;
    char where[64];
    bool known = false;
    found new = {.record = record,
                 .path = path,
                 .system = json_string_value(json_object_get(record, "system")),
                 .study = json_object_get(record, "study"),
                 .order = json_integer_value(json_object_get(record, "order")),
                 .fold = (size_t)json_integer_value(json_object_get(record, "fold"))};

    for (size_t i = 0; i < c->n; i++) {
        found *old = &c->list[i];

        if (i == 0 || (!known && strcmp(old->system, new.system) == 0))
            MML_TRY(agree(old, &new)); /* with one of its system: that one agreed with the others */
        known = known || strcmp(old->system, new.system) == 0;
        if (strcmp(old->system, new.system) != 0 || old->fold != new.fold || mmli_json_differs(where, sizeof where, old->study, new.study))
            continue;
        if (is_ok(new.record) && !is_ok(old->record)) { /* what went well counts */
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

static mml_status read_folder(collection *c, const char *directory)
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
    const found *x = a, *y = b;
    int order = (x->study != NULL) - (y->study != NULL);

    order = order ? order : (x->order > y->order) - (x->order < y->order);
    order = order ? order : strcmp(x->system, y->system);
    return order ? order : (x->fold > y->fold) - (x->fold < y->fold);
}

static mml_status metric_of(mml_metric *out, const json_t *plan)
{
    const char *name = json_string_value(json_object_get(json_object_get(plan, "task"), "metric"));
    mml_status st = MML_OK;

    for (int i = 0; name && mml_metric_name((mml_metric)i); i++)
        if (strcmp(mml_metric_name((mml_metric)i), name) == 0) {
            *out = (mml_metric)i;
            return MML_OK;
        }
    MML_CHECK(0, MML_E_FORMAT, "plan.json of the comparison names no metric that is known");
out:
    return st;
}

static mml_status read_all(collection *c, const char *const *directories, size_t n)
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

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The records of one system, list[first .. last-1]. */
typedef struct row {
    size_t first, last, n; /* n: those with a score */
    const json_t **by_fold; /* (folds) or NULL */
    double mean, sd;
} row;

static void summarise(row *r, size_t folds)
{
    double sum = 0, squares = 0;

    for (size_t f = 0; f < folds; f++) {
        const json_t *score = json_object_get(r->by_fold[f], "score");

        if (json_is_number(score)) {
            sum += json_number_value(score);
            r->n++;
        }
    }
    r->mean = r->n ? sum / (double)r->n : (double)NAN;
    for (size_t f = 0; f < folds; f++) {
        const json_t *score = json_object_get(r->by_fold[f], "score");

        if (json_is_number(score))
            squares += (json_number_value(score) - r->mean) * (json_number_value(score) - r->mean);
    }
    r->sd = r->n > 1 ? sqrt(squares / (double)(r->n - 1)) : (double)NAN;
}

static mml_status make_rows(row **out, size_t *n, const collection *c)
{
    mml_status st = MML_OK;
    row *rows = NULL;

    *n = 0;
    MML_TRY(mmli_calloc(&rows, c->n, sizeof *rows));
    for (size_t i = 0, end; i < c->plain; i = end) {
        row *r = &rows[(*n)++];

        for (end = i; end < c->plain && strcmp(c->list[end].system, c->list[i].system) == 0; end++)
            ;
        *r = (row){.first = i, .last = end};
        MML_TRY(mmli_calloc(&r->by_fold, c->folds, sizeof *r->by_fold));
        for (size_t j = i; j < end; j++)
            if (is_ok(c->list[j].record))
                r->by_fold[c->list[j].fold] = c->list[j].record;
        summarise(r, c->folds);
    }
out:
    *out = rows;
    return st;
}

/* The baseline with the highest mean over the folds; SIZE_MAX when none has a score. */
static size_t best_baseline(const collection *c, const row *rows, size_t n)
{
    size_t best = SIZE_MAX, most = 0;

    for (size_t i = 0; i < n; i++)
        most = rows[i].n > most ? rows[i].n : most;
    for (size_t i = 0; i < n; i++) {
        const char *group = json_string_value(json_object_get(c->list[rows[i].first].record, "group"));

        /* one that failed in some fold may be better for it: only where all did */
        if (strcmp(group, "lego") != 0 && rows[i].n > 0 && rows[i].n == most &&
            (best == SIZE_MAX || rows[i].mean > rows[best].mean))
            best = i;
    }
    return best;
}

/* Mean of a number over the records of a row; NaN when none has it. */
static double mean_of(const collection *c, const row *r, const char *key)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = r->first; i < r->last; i++) {
        const json_t *value = json_object_get(c->list[i].record, key);

        if (is_ok(c->list[i].record) && json_is_number(value)) {
            sum += json_number_value(value);
            n++;
        }
    }
    return n ? sum / (double)n : (double)NAN;
}

static json_t *whole_or_null(double x)
{
    return isfinite(x) ? json_integer((json_int_t)(x + 0.5)) : json_null();
}

static mml_status add_difference(json_t *out, const collection *c, const row *r, const row *best)
{
    mml_status st = MML_OK;
    mml_interval d;

    st = mmli_difference(&d, c->metric, r->by_fold, best->by_fold, c->folds);
    if (st == MML_E_DATA) /* nothing in common to be compared */
        return MML_OK;
    MML_TRY(st);
    MML_CHECK(json_object_set_new(out, "difference",
                                  json_pack("{s:s, s:f, s:o, s:o}", "to", c->list[best->first].system, "value", d.value,
                                            "low", mmli_real_or_null(d.low), "high", mmli_real_or_null(d.high))) == 0,
              MML_E_NOMEM, "no memory for the comparison");
out:
    return st;
}

/* What became of the folds without a score, in a few words. */
static void remark(char *out, size_t size, const collection *c, const row *r)
{
    size_t bad = 0, first = SIZE_MAX;

    out[0] = '\0';
    for (size_t i = r->first; i < r->last; i++)
        if (!is_ok(c->list[i].record)) {
            bad++;
            first = first == SIZE_MAX ? i : first;
        }
    if (bad == 0)
        return;
    snprintf(out, size, "%s in %zu of %zu: %.400s", json_string_value(json_object_get(c->list[first].record, "status")), bad,
             r->last - r->first, json_string_value(json_object_get(c->list[first].record, "message")));
    for (char *p = out; *p; p++) /* a cell of a table */
        if (*p == '\t' || *p == '\n')
            *p = ' ';
}

static mml_status row_json(json_t **out, const collection *c, const row *r, const row *best)
{
    const json_t *record = c->list[r->first].record;
    mml_status st = MML_OK;
    json_t *scores = json_array(), *root = NULL;
    char text[512];

    for (size_t f = 0; f < c->folds; f++) {
        json_t *score = json_object_get(r->by_fold[f], "score");

        json_array_append_new(scores, json_is_number(score) ? json_incref(score) : json_null());
    }
    remark(text, sizeof text, c, r);
    root = json_pack("{s:O, s:O, s:O, s:O, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:s}", "system",
                     json_object_get(record, "system"), "title", json_object_get(record, "title"), "group",
                     json_object_get(record, "group"), "modalities", json_object_get(record, "modalities"), "scores", scores,
                     "mean", mmli_real_or_null(r->mean), "sd", mmli_real_or_null(r->sd), "n", (json_int_t)r->n, "parameters",
                     whole_or_null(mean_of(c, r, "parameters")), "train_seconds", mmli_real_or_null(mean_of(c, r, "train_seconds")),
                     "peak_bytes", whole_or_null(mean_of(c, r, "peak_bytes")), "remark", text);
    MML_CHECK(root != NULL, MML_E_NOMEM, "no memory for the comparison");
    if (best && best != r)
        MML_TRY(add_difference(root, c, r, best));
    *out = root;
    root = NULL;
out:
    json_decref(root);
    return st;
}

static mml_status systems_json(json_t **out, const collection *c)
{
    mml_status st = MML_OK;
    json_t *list = json_array(), *one = NULL;
    row *rows = NULL;
    size_t n = 0, best;

    MML_TRY(make_rows(&rows, &n, c));
    best = best_baseline(c, rows, n);
    for (size_t i = 0; i < n; i++) {
        MML_TRY(row_json(&one, c, &rows[i], best == SIZE_MAX ? NULL : &rows[best]));
        MML_CHECK(json_array_append_new(list, one) == 0, MML_E_NOMEM, "no memory for the comparison");
    }
    *out = list;
    list = NULL;
out:
    for (size_t i = 0; i < n; i++)
        mmli_free(rows[i].by_fold);
    mmli_free(rows);
    json_decref(list);
    return st;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static mml_status studies_json(json_t **out, const collection *c)
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

static mml_status comparison_json(json_t **out, const collection *c)
{
    mml_status st = MML_OK;
    json_t *root = json_copy(c->plan), *systems = NULL, *studies = NULL, *jobs = json_array();
    int bad = 0;

    MML_TRY(systems_json(&systems, c));
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
    mmli_atomic *a = NULL;
    char *path = NULL;
    FILE *f = NULL;
    bool written;

    MML_TRY(mmli_folder_path(&path, directory, name));
    MML_TRY(mmli_atomic_begin(&a, path));
    MML_CHECK((f = fopen(mmli_atomic_path(a), "w")) != NULL, MML_E_IO, "%s: cannot be written", path);
    written = fputs(text, f) >= 0;
    written = fclose(f) == 0 && written;
    MML_CHECK(written, MML_E_IO, "%s: cannot be written; is there room on the disk?", path);
    MML_TRY(mmli_atomic_commit(a));
out:
    mmli_atomic_abort(a);
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
    collection c = {0};
    json_t *root = NULL;
    char *path = NULL, *table = NULL, *text = NULL;

    if (json)
        *json = NULL;
    MML_TRY(read_all(&c, directories, n));
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
    clear(&c);
    return st;
}
