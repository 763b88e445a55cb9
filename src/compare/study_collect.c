/* study_collect.c - records of studies to curves: mean over the folds by x, with one standard deviation either way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/study.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* What is drawn of a study. */
typedef struct drawing {
    const char *study, *key, *x_title, *y_title;
} drawing;

static const drawing drawings[] = {
    {"overlap", "score", "symmetric difference of the training patients", "score"},
    {"missing", "score", "share of patients without the modality", "score"},
    {"modalities", "score", "number of modalities", "score"},
    {"modalities", "train_seconds", "number of modalities", "seconds of training"},
};
enum { N_DRAWINGS = sizeof drawings / sizeof *drawings };

/* A record at a point of a study; one of the plain comparison takes part where a curve begins or ends. */
typedef struct spot {
    const json_t *record;
    char *title; /* of the curve */
    double x;
    size_t order; /* of the curve: that of its first record */
} spot;

typedef struct spots {
    spot *list;
    size_t n, cap;
} spots;

static void clear(spots *s)
{
    for (size_t i = 0; i < s->n; i++)
        mmli_free(s->list[i].title);
    mmli_free(s->list);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static mml_status add(spots *s, const json_t *record, const char *series, double x)
{
    const char *title = text_of(record, "title");
    mml_status st = MML_OK;
    spot new = {.record = record, .x = x, .order = s->n};

    MML_TRY(mmli_strf(&new.title, "%s%s%s", title, series[0] ? ": " : "", series));
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->list[i].title, new.title) == 0) {
            new.order = s->list[i].order;
            break;
        }
    MML_TRY(mmli_grow(&s->list, &s->cap, s->n + 1, sizeof *s->list));
    s->list[s->n++] = new;
    new.title = NULL;
out:
    mmli_free(new.title);
    return st;
}

static bool is_ok(const json_t *record)
{
    return strcmp(text_of(record, "status"), "ok") == 0;
}

/* The plain record of the same system and fold, once for each curve. */
static mml_status add_plain(spots *s, const json_t *const *records, size_t n, const char *study)
{
    const size_t before = s->n;
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++) {
        const json_t *r = records[i];

        if (json_object_get(r, "study") || !is_ok(r))
            continue;
        for (size_t j = 0; j < before; j++) {
            const json_t *other = s->list[j].record, *own = json_object_get(other, "study");

            if (strcmp(text_of(other, "system"), text_of(r, "system")) != 0 || s->list[j].order != j)
                continue; /* once a curve */
            MML_TRY(add(s, r, text_of(own, "series"),
                        strcmp(study, "modalities") == 0 ? (double)json_array_size(json_object_get(r, "modalities")) : 0));
        }
    }
out:
    return st;
}

static int by_curve(const void *a, const void *b)
{
    const spot *x = a, *y = b;
    int order = (x->order > y->order) - (x->order < y->order);

    order = order ? order : (x->x > y->x) - (x->x < y->x);
    return order ? order
                 : (int)(json_integer_value(json_object_get(x->record, "fold")) -
                         json_integer_value(json_object_get(y->record, "fold")));
}

static mml_status gather(spots *s, const json_t *const *records, size_t n, const char *study)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++) {
        const json_t *own = json_object_get(records[i], "study");

        if (own && is_ok(records[i]) && strcmp(text_of(own, "study"), study) == 0)
            MML_TRY(add(s, records[i], text_of(own, "series"), json_number_value(json_object_get(own, "x"))));
    }
    if (s->n > 0 && strcmp(study, "overlap") != 0)
        MML_TRY(add_plain(s, records, n, study));
    if (s->n > 0)
        qsort(s->list, s->n, sizeof *s->list, by_curve);
out:
    return st;
}

/* ---- curves ------------------------------------------------------------------------------------------------------ */

typedef struct curve {
    json_t *x, *mean, *low, *high;
} curve;

static void add_point(curve *c, double x, double sum, double squares, size_t n)
{
    const double mean = sum / (double)n, spread = squares / (double)n - mean * mean;
    const double sd = n > 1 && spread > 0 ? sqrt(spread * (double)n / (double)(n - 1)) : 0;

    json_array_append_new(c->x, json_real(x));
    json_array_append_new(c->mean, json_real(mean));
    json_array_append_new(c->low, json_real(mean - sd));
    json_array_append_new(c->high, json_real(mean + sd));
}

/* The curve of list[from .. to-1]. */
static json_t *curve_json(const spots *s, size_t from, size_t to, const char *key)
{
    curve c = {json_array(), json_array(), json_array(), json_array()};

    for (size_t i = from, end; i < to; i = end) {
        double sum = 0, squares = 0;
        size_t n = 0;

        for (end = i; end < to && !(s->list[end].x > s->list[i].x); end++) {
            const json_t *y = json_object_get(s->list[end].record, key);

            if (!json_is_number(y))
                continue;
            sum += json_number_value(y);
            squares += json_number_value(y) * json_number_value(y);
            n++;
        }
        if (n > 0)
            add_point(&c, s->list[i].x, sum, squares, n);
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "title", s->list[from].title, "x", c.x, "mean", c.mean, "low", c.low, "high",
                     c.high);
}

static json_t *copy_of(const json_t *record, const char *key)
{
    json_t *value = json_object_get(record, key);

    return value ? json_incref(value) : json_null();
}

static json_t *rows_json(const spots *s)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < s->n; i++) {
        const json_t *r = s->list[i].record;

        json_array_append_new(rows, json_pack("{s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "curve", s->list[i].title,
                                              "system", copy_of(r, "system"), "x", s->list[i].x, "fold", copy_of(r, "fold"),
                                              "score", copy_of(r, "score"), "valid_score", copy_of(r, "valid_score"),
                                              "parameters", copy_of(r, "parameters"), "train_seconds",
                                              copy_of(r, "train_seconds"), "predict_seconds", copy_of(r, "predict_seconds"),
                                              "peak_bytes", copy_of(r, "peak_bytes")));
    }
    return rows;
}

static mml_status study_json(json_t **out, const spots *s, const drawing *d)
{
    mml_status st = MML_OK;
    json_t *series = json_array();

    for (size_t i = 0, end; i < s->n; i = end) {
        for (end = i; end < s->n && s->list[end].order == s->list[i].order; end++)
            ;
        MML_CHECK(json_array_append_new(series, curve_json(s, i, end, d->key)) == 0, MML_E_NOMEM, "no memory for a study");
    }
    *out = json_pack("{s:s, s:s, s:s, s:O, s:o}", "study", d->study, "x_title", d->x_title, "y_title", d->y_title, "series",
                     series, "rows", rows_json(s));
    MML_CHECK(*out != NULL, MML_E_NOMEM, "no memory for a study");
out:
    json_decref(series);
    return st;
}

/* ---- interference ------------------------------------------------------------------------------------------------ */

/* A value of the rows of all records, by method and weight: mean over pairs of blocks and folds. */
static json_t *interference_curves(const json_t *const *records, size_t n, const json_t *first, const char *key)
{
    json_t *series = json_array();
    curve c = {0};

    for (size_t r = 0; r < json_array_size(first); r++) {
        const json_t *row = json_array_get(first, r);
        double sum = 0, squares = 0;
        size_t found = 0;

        if (!c.x || strcmp(text_of(row, "method"), text_of(json_array_get(first, r - 1), "method")) != 0) {
            c = (curve){json_array(), json_array(), json_array(), json_array()};
            json_array_append_new(series, json_pack("{s:o, s:o, s:o, s:o, s:s}", "x", c.x, "mean", c.mean, "low", c.low, "high",
                                                    c.high, "title", text_of(row, "method")));
        }
        for (size_t i = 0; i < n; i++) {
            const json_t *y = json_object_get(json_array_get(json_object_get(records[i], "interference"), r), key);

            if (!json_is_number(y))
                continue;
            sum += json_number_value(y);
            squares += json_number_value(y) * json_number_value(y);
            found++;
        }
        if (found > 0)
            add_point(&c, json_number_value(json_object_get(row, "weight")), sum, squares, found);
    }
    return series;
}

static json_t *interference_rows(const json_t *const *records, size_t n)
{
    json_t *all = json_array(), *row;
    size_t r;

    for (size_t i = 0; i < n; i++)
        json_array_foreach(json_object_get(records[i], "interference"), r, row) {
            json_t *one = json_copy(row);

            json_object_set(one, "fold", json_object_get(records[i], "fold"));
            json_object_set(one, "pair", json_object_get(json_object_get(records[i], "study"), "series"));
            json_array_append_new(all, one);
        }
    return all;
}

static mml_status add_interference(json_t *all, const json_t *const *records, size_t n)
{
    static const char *const keys[] = {"to_first", "to_second", "kept"};
    static const char *const titles[] = {"distance to the first latent, as a share of theirs",
                                         "distance to the second latent, as a share of theirs",
                                         "norm, as a share of the latents' own"};
    mml_status st = MML_OK;
    const json_t *first = NULL;

    for (size_t i = 0; i < n && !first; i++)
        first = json_object_get(records[i], "interference");
    for (size_t k = 0; first && k < 3; k++) {
        json_t *one = json_pack("{s:s, s:s, s:s, s:o, s:o}", "study", "interference", "x_title", "weight of the second block",
                                "y_title", titles[k], "series", interference_curves(records, n, first, keys[k]), "rows",
                                interference_rows(records, n));
        MML_CHECK(json_array_append_new(all, one) == 0, MML_E_NOMEM, "no memory for a study");
    }
out:
    return st;
}

mml_status mmli_studies_collect(json_t **out, const json_t *const *records, size_t n)
{
    mml_status st = MML_OK;
    json_t *all = json_array(), *one = NULL;
    spots s = {0};

    for (size_t d = 0; d < N_DRAWINGS; d++) {
        MML_TRY(gather(&s, records, n, drawings[d].study));
        if (s.n > 0) {
            MML_TRY(study_json(&one, &s, &drawings[d]));
            MML_CHECK(json_array_append_new(all, one) == 0, MML_E_NOMEM, "no memory for a study");
        }
        clear(&s);
        s = (spots){0};
    }
    MML_TRY(add_interference(all, records, n));
    *out = all;
    all = NULL;
out:
    clear(&s);
    json_decref(all);
    return st;
}

/* ---- TSV --------------------------------------------------------------------------------------------------------- */

mml_status mmli_study_table(char **out, const json_t *study)
{
    static const char *const scores[] = {"curve", "system", "x", "fold", "score", "valid_score", "parameters", "train_seconds",
                                         "predict_seconds", "peak_bytes"};
    static const char *const mixtures[] = {"pair", "fold", "method", "weight", "to_first", "to_second", "kept", "samples"};
    const bool mixing = strcmp(text_of(study, "study"), "interference") == 0;
    const char *const *keys = mixing ? mixtures : scores;
    const size_t n_keys = mixing ? sizeof mixtures / sizeof *mixtures : sizeof scores / sizeof *scores;
    const json_t *rows = json_object_get(study, "rows");
    mml_status st = MML_OK;
    mmli_buf b = {0};

    for (size_t k = 0; k < n_keys; k++)
        MML_TRY(mmli_buf_printf(&b, "%s%s", k ? "\t" : "", keys[k]));
    MML_TRY(mmli_buf_puts(&b, "\n"));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t k = 0; k < n_keys; k++) {
            const json_t *v = json_object_get(json_array_get(rows, i), keys[k]);

            MML_TRY(mmli_buf_puts(&b, k ? "\t" : ""));
            if (json_is_string(v))
                MML_TRY(mmli_buf_puts(&b, json_string_value(v)));
            else if (json_is_integer(v))
                MML_TRY(mmli_buf_printf(&b, "%lld", (long long)json_integer_value(v)));
            else if (json_is_real(v))
                MML_TRY(mmli_buf_double(&b, json_real_value(v)));
        }
        MML_TRY(mmli_buf_puts(&b, "\n"));
    }
    MML_TRY(mmli_buf_take(&b, out));
out:
    mmli_buf_free(&b);
    return st;
}
