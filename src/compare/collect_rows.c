/* collect_rows.c - records to one row a system: mean and spread over the folds, the difference to the best baseline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/collect.h"
#include "compare/record.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"

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

static mml_status make_rows(row **out, size_t *n, const mmli_collection *c)
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
            if (mmli_record_is_ok(c->list[j].record))
                r->by_fold[c->list[j].fold] = c->list[j].record;
        summarise(r, c->folds);
    }
out:
    *out = rows;
    return st;
}

/* The baseline with the highest mean over the folds; SIZE_MAX when none has a score. */
static size_t best_baseline(const mmli_collection *c, const row *rows, size_t n)
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
static double mean_of(const mmli_collection *c, const row *r, const char *key)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = r->first; i < r->last; i++) {
        const json_t *value = json_object_get(c->list[i].record, key);

        if (mmli_record_is_ok(c->list[i].record) && json_is_number(value)) {
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

static mml_status add_difference(json_t *out, const mmli_collection *c, const row *r, const row *best)
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
static void remark(char *out, size_t size, const mmli_collection *c, const row *r)
{
    size_t bad = 0, first = SIZE_MAX;

    out[0] = '\0';
    for (size_t i = r->first; i < r->last; i++)
        if (!mmli_record_is_ok(c->list[i].record)) {
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

static mml_status row_json(json_t **out, const mmli_collection *c, const row *r, const row *best)
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

mml_status mmli_systems_json(json_t **out, const mmli_collection *c)
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
