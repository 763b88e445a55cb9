/* describe.c - what `mmlego inspect` says of a cohort, as JSON. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "io/condition.h"
#include "util/alloc.h"
#include "util/error.h"

enum { VALUES_SHOWN = 50 /* of a text column; beyond, their number only */ };

static mml_status no_memory(void)
{
    return mmli_fail(MML_E_NOMEM, "out of memory while a cohort was described");
}

/* Takes `value` over; a NULL among the calls of a function is found once, by its caller. */
static void put(bool *ok, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) /* also when value is NULL */
        *ok = false;
}

static void put_size(bool *ok, json_t *object, const char *key, size_t value)
{
    put(ok, object, key, json_integer((json_int_t)value));
}

/* JSON has no NaN. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* min, median, max, mean of n numbers, which are sorted on return. */
static json_t *spread(double *x, size_t n)
{
    json_t *o = json_object();
    double sum = 0;
    bool ok = o != NULL;

    qsort(x, n, sizeof *x, by_value);
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    if (ok && n > 0) {
        put(&ok, o, "min", number(x[0]));
        put(&ok, o, "median", number(n % 2 == 1 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2])));
        put(&ok, o, "max", number(x[n - 1]));
        put(&ok, o, "mean", number(sum / (double)n));
    }
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* ---- columns and groups ------------------------------------------------------------------------------------------------ */

/* {"distinct": k, "values": {text: samples}} */
static mml_status describe_texts(json_t **out, char *const *texts, size_t n)
{
    mml_status st = MML_OK;
    const char **all = NULL;
    size_t k = 0, *count = NULL;
    json_t *o = json_object(), *values = NULL;
    bool ok = o != NULL;

    *out = NULL;
    MML_TRY(mmli_distinct(&all, &k, texts, n));
    if (ok)
        put_size(&ok, o, "distinct", k);
    if (ok && k <= VALUES_SHOWN) {
        MML_TRY(mmli_calloc(&count, k, sizeof *count));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < k; j++)
                count[j] += strcmp(all[j], texts[i]) == 0;
        if ((values = json_object()) == NULL)
            ok = false;
        for (size_t j = 0; j < k && ok; j++)
            put_size(&ok, values, all[j], count[j]);
        if (ok) {
            put(&ok, o, "values", values);
            values = NULL;
        }
    }
    if (!ok) {
        st = no_memory();
        goto out;
    }
    *out = o;
    o = NULL;
out:
    json_decref(values);
    json_decref(o);
    mmli_free(all);
    mmli_free(count);
    return st;
}

static mml_status describe_columns(json_t *root, const mml_cohort *c)
{
    mml_status st = MML_OK;
    json_t *list = json_object(), *one;
    bool ok = list != NULL;

    for (size_t i = 0; ok && i < c->n_columns; i++) {
        MML_TRY(describe_texts(&one, c->columns[i].text, c->n));
        put(&ok, list, c->columns[i].name, one);
    }
    if (ok) {
        put(&ok, root, "columns", list);
        list = NULL;
    }
    if (ok && c->groups != NULL) {
        const char **all;
        size_t k;

        MML_TRY(mmli_distinct(&all, &k, c->groups, c->n));
        mmli_free(all);
        put_size(&ok, root, "groups", k);
    }
    if (!ok)
        st = no_memory();
out:
    json_decref(list);
    return st;
}

/* ---- tasks ---------------------------------------------------------------------------------------------------------------- */

static mml_status describe_task(json_t **out, const mmli_cohort_task *t, size_t n)
{
    mml_status st = MML_OK;
    json_t *o = json_object(), *classes = NULL;
    double *known = NULL;
    size_t n_known = 0, events = 0, *count = NULL;
    bool ok = o != NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&known, n, sizeof *known));
    MML_TRY(mmli_calloc(&count, t->n_classes, sizeof *count));
    for (size_t i = 0; i < n; i++) {
        if (isnan(t->value[i]))
            continue;
        known[n_known++] = t->value[i];
        events += t->event != NULL && t->event[i];
        if (t->n_classes > 0)
            count[(size_t)t->value[i]]++;
    }
    if (ok) {
        put(&ok, o, "name", json_string(t->name));
        put(&ok, o, "kind", json_string(mmli_task_kind_name(t->kind)));
        put(&ok, o, "unit", json_string(t->unit));
        put_size(&ok, o, "labelled", n_known);
        put_size(&ok, o, "unlabelled", n - n_known);
    }
    if (ok && t->event != NULL) {
        put_size(&ok, o, "events", events);
        put_size(&ok, o, "censored", n_known - events);
    }
    if (ok && t->n_classes == 0)
        put(&ok, o, t->event != NULL ? "time" : "value", spread(known, n_known));
    if (ok && t->n_classes > 0) {
        put(&ok, o, "classes", classes = json_array());
        for (size_t k = 0; ok && k < t->n_classes; k++) {
            json_t *pair = json_pack("{s:s, s:I}", "name", t->classes[k], "samples", (json_int_t)count[k]);

            ok = json_array_append_new(classes, pair) == 0;
        }
    }
    if (!ok) {
        st = no_memory();
        goto out;
    }
    *out = o;
    o = NULL;
out:
    json_decref(o);
    mmli_free(known);
    mmli_free(count);
    return st;
}

/* ---- modalities -------------------------------------------------------------------------------------------------------------- */

/* Measured values of each feature: as import counted them, else counted now. measured: (width). */
static mml_status count_measured(uint64_t *measured, const mml_cohort *c, const mmli_cohort_modality *m)
{
    mml_status st = MML_OK;
    const size_t row = m->width * sizeof(float), block = ((size_t)4 << 20) / row + 1;
    char *name = NULL;
    float *rows = NULL;
    mmli_rows *file = NULL; /* its own: another thread may be reading ahead */
    bool there;

    MML_TRY(mmli_strf(&name, "modalities/%s/measured", m->name));
    MML_TRY(mmli_h5_exists(&there, c->file, c->path, name));
    if (there) {
        MML_TRY(mmli_h5_get(measured, MMLI_H5_U64, 1, &m->width, c->file, c->path, name));
        for (size_t j = 0; j < m->width; j++)
            MML_CHECK(measured[j] <= m->n_tokens, MML_E_DATA, "%s: %s: more values than tokens", c->path, name);
        goto out;
    }
    MML_TRY(mmli_calloc(&rows, block, row));
    MML_TRY(mmli_rows_open(&file, m->values_set, 0, c->path, m->name));
    for (size_t at = 0; at < m->n_tokens; at += block) {
        const size_t n = m->n_tokens - at < block ? m->n_tokens - at : block;

        MML_TRY(mmli_rows_get(rows, at, n, file));
        for (size_t i = 0; i < n * m->width; i++)
            measured[i % m->width] += isnan(rows[i]) ? 0u : 1u;
    }
out:
    mmli_rows_close(file);
    mmli_free(name);
    mmli_free(rows);
    return st;
}

static json_t *describe_features(const mmli_cohort_modality *m, const uint64_t *measured)
{
    json_t *list = json_array();
    bool ok = list != NULL;

    for (size_t j = 0; ok && j < m->width; j++) {
        json_t *one = json_object();

        ok = one != NULL;
        if (!ok)
            break;
        put(&ok, one, "name", json_string(m->features[j]));
        if (m->category_of != NULL && m->category_of[j][0] != '\0')
            put(&ok, one, "category_of", json_string(m->category_of[j]));
        put(&ok, one, "missing",
            number(m->n_tokens > 0 ? 1.0 - (double)measured[j] / (double)m->n_tokens : NAN));
        if (json_array_append_new(list, one) != 0)
            ok = false;
    }
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static mml_status describe_modality(json_t **out, const mml_cohort *c, const mmli_cohort_modality *m)
{
    mml_status st = MML_OK;
    json_t *o = json_object();
    uint64_t *measured = NULL;
    double *lengths = NULL, total = 0;
    size_t n = 0;
    bool ok = o != NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&measured, m->width, sizeof *measured));
    MML_TRY(mmli_calloc(&lengths, c->n, sizeof *lengths));
    MML_TRY(count_measured(measured, c, m));
    for (size_t j = 0; j < m->width; j++)
        total += (double)measured[j];
    for (size_t i = 0; i < c->n; i++)
        if (m->offsets[i + 1] > m->offsets[i])
            lengths[n++] = (double)(m->offsets[i + 1] - m->offsets[i]);
    if (ok) {
        put(&ok, o, "name", json_string(m->name));
        put(&ok, o, "kind", json_string(mmli_modality_kind_name(m->kind)));
        put_size(&ok, o, "width", m->width);
        put_size(&ok, o, "position_axes", m->n_axes);
        put_size(&ok, o, "tokens", m->n_tokens);
        put_size(&ok, o, "present", m->n_present);
        put_size(&ok, o, "absent", c->n - m->n_present);
        put(&ok, o, "tokens_per_sample", spread(lengths, n));
        put(&ok, o, "missing",
            number(m->n_tokens > 0 ? 1.0 - total / ((double)m->n_tokens * (double)m->width) : NAN));
        put(&ok, o, "features", describe_features(m, measured));
    }
    if (!ok) {
        st = no_memory();
        goto out;
    }
    *out = o;
    o = NULL;
out:
    json_decref(o);
    mmli_free(measured);
    mmli_free(lengths);
    return st;
}

static bool has(const mml_cohort *c, size_t m, size_t i)
{
    return c->modalities[m].offsets[i + 1] > c->modalities[m].offsets[i];
}

/* {"all": n, "none": n, "pairs": [{"a", "b", "samples"}]} */
static json_t *describe_overlap(const mml_cohort *c)
{
    json_t *o = json_object(), *pairs = json_array(), *one;
    size_t all = 0, none = 0, count, both;
    bool ok = o != NULL && pairs != NULL;

    for (size_t i = 0; i < c->n; i++) {
        count = 0;
        for (size_t m = 0; m < c->n_modalities; m++)
            count += has(c, m, i);
        all += count == c->n_modalities;
        none += count == 0;
    }
    for (size_t a = 0; ok && a < c->n_modalities; a++)
        for (size_t b = a + 1; ok && b < c->n_modalities; b++) {
            both = 0;
            for (size_t i = 0; i < c->n; i++)
                both += has(c, a, i) && has(c, b, i);
            one = json_pack("{s:s, s:s, s:I}", "a", c->modalities[a].name, "b", c->modalities[b].name, "samples",
                            (json_int_t)both);
            ok = json_array_append_new(pairs, one) == 0;
        }
    if (ok) {
        put_size(&ok, o, "all", all);
        put_size(&ok, o, "none", none);
        put(&ok, o, "pairs", pairs);
        pairs = NULL;
    }
    json_decref(pairs);
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

static mml_status describe_lists(json_t *root, const mml_cohort *c)
{
    mml_status st = MML_OK;
    json_t *tasks = json_array(), *modalities = json_array(), *one = NULL;
    bool ok = tasks != NULL && modalities != NULL;

    for (size_t i = 0; ok && i < c->n_tasks; i++) {
        MML_TRY(describe_task(&one, &c->tasks[i], c->n));
        ok = json_array_append_new(tasks, one) == 0;
    }
    for (size_t i = 0; ok && i < c->n_modalities; i++) {
        MML_TRY(describe_modality(&one, c, &c->modalities[i]));
        ok = json_array_append_new(modalities, one) == 0;
    }
    if (ok) {
        put(&ok, root, "tasks", json_incref(tasks));
        put(&ok, root, "modalities", json_incref(modalities));
        put(&ok, root, "overlap", describe_overlap(c));
    }
    if (!ok)
        st = no_memory();
out:
    json_decref(tasks);
    json_decref(modalities);
    return st;
}

mml_status mml_cohort_describe(char **json, const mml_cohort *c)
{
    mml_status st = MML_OK;
    json_t *root, *path;
    char hash[17], *text = NULL;
    bool ok;

    MML_GIVEN(json);
    *json = NULL;
    MML_GIVEN_AS("cohort", c);
    root = json_object();
    path = json_string(c->path);
    ok = root != NULL;
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)c->hash);
    if (ok) {
        put(&ok, root, "file", path != NULL ? path : json_null()); /* a file name need not be UTF-8 */
        put(&ok, root, "format", json_string(MMLI_COHORT_FORMAT));
        put_size(&ok, root, "samples", c->n);
        put(&ok, root, "data_hash", c->has_hash ? json_string(hash) : json_null());
    }
    if (!ok) {
        if (root == NULL)
            json_decref(path);
        st = no_memory();
        goto out;
    }
    MML_TRY(describe_columns(root, c));
    MML_TRY(describe_lists(root, c));
    if ((text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(7))) == NULL) {
        st = no_memory();
        goto out;
    }
    MML_TRY(mmli_strdup(json, text));
out:
    free(text); /* jansson's own malloc */
    json_decref(root);
    return st;
}
