/* record.c - comparisons, systems and runs out of JSON. */
#include "report/record.h"

#include <math.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_FOLDS = 1000, FORMAT_VERSION = 1 };
#define FORMAT "mmlego comparison"

/* ---- values --------------------------------------------------------------------------------------------------------- */

const char *mmli_json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

double mmli_json_number(const json_t *value)
{
    const double x = json_is_number(value) ? json_number_value(value) : json_is_boolean(value) ? json_is_true(value) : (double)NAN;

    return fabs(x) <= 1e100 ? x : (double)NAN;
}

double mmli_json_number_at(const json_t *object, const char *key)
{
    return mmli_json_number(json_object_get(object, key));
}

mml_status mmli_json_numbers(double **out, size_t *n, const json_t *array)
{
    mml_status st;

    *out = NULL;
    *n = json_array_size(array);
    if (!json_is_array(array))
        return MML_OK;
    if ((st = mmli_calloc(out, *n, sizeof **out)) != MML_OK)
        return st;
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = mmli_json_number(json_array_get(array, i));
    return MML_OK;
}

/* ---- systems -------------------------------------------------------------------------------------------------------- */

static mmli_group group_of(const char *name)
{
    static const char *const names[] = {"unimodal", "multimodal", "lego", "reference"};

    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (mmli_group)i;
    return MMLI_GROUP_OTHER;
}

static mml_status read_entry(mmli_entry *e, const json_t *json, size_t folds)
{
    const json_t *scores = json_object_get(json, "scores"), *difference = json_object_get(json, "difference");
    mml_status st = MML_OK;

    *e = (mmli_entry){.json = json, .name = mmli_json_text(json, "system"), .title = mmli_json_text(json, "title")};
    e->name = e->name != NULL ? e->name : "";
    e->title = e->title != NULL ? e->title : e->name;
    e->group = group_of(mmli_json_text(json, "group"));
    MML_TRY(mmli_calloc(&e->job, folds, sizeof *e->job));
    MML_TRY(mmli_calloc(&e->score, folds, sizeof *e->score));
    for (size_t k = 0; k < folds; k++)
        e->score[k] = mmli_json_number(json_array_get(scores, k));
    e->mean = mmli_json_number_at(json, "mean");
    e->sd = mmli_json_number_at(json, "sd");
    e->to = mmli_json_text(difference, "to");
    e->difference = mmli_json_number_at(difference, "value");
    e->low = mmli_json_number_at(difference, "low");
    e->high = mmli_json_number_at(difference, "high");
    e->parameters = mmli_json_number_at(json, "parameters");
    e->train_seconds = mmli_json_number_at(json, "train_seconds");
    e->peak_bytes = mmli_json_number_at(json, "peak_bytes");
out:
    return st;
}

size_t mmli_entry_find(const mmli_comparison *c, const char *name)
{
    size_t i = 0;

    while (i < c->n && (name == NULL || strcmp(c->entry[i].name, name) != 0))
        i++;
    return i;
}

bool mmli_is_better(const mmli_comparison *c, double a, double b)
{
    return !isnan(a) && (isnan(b) || (c->higher ? a > b : a < b));
}

/* The best but one of a subset: 1 << group, or the blocks. */
static size_t best_of(const mmli_comparison *c, unsigned groups, bool blocks, size_t except)
{
    size_t best = c->n;

    for (size_t i = 0; i < c->n; i++) {
        const mmli_entry *e = &c->entry[i];

        if (i == except || (groups >> e->group & 1u) == 0 || (blocks && strncmp(e->name, "block:", 6) != 0))
            continue;
        if (mmli_is_better(c, e->mean, best < c->n ? c->entry[best].mean : (double)NAN))
            best = i;
    }
    return best;
}

static void rank(mmli_comparison *c)
{
    const unsigned all = (1u << MMLI_GROUPS) - 1u;

    c->best = best_of(c, all, false, c->n);
    c->second = best_of(c, all, false, c->best);
    c->block = best_of(c, all, true, c->n);
    c->baseline = c->n;
    for (size_t i = 0; i < c->n && c->baseline == c->n; i++)
        c->baseline = mmli_entry_find(c, c->entry[i].to);
    if (c->baseline == c->n)
        c->baseline = best_of(c, all & ~(1u << MMLI_GROUP_LEGO), false, c->n);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static mmli_outcome outcome_of(const char *kind)
{
    static const char *const names[] = {"", "survival", "binary", "multiclass", "regression"};

    for (size_t i = 1; kind != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(kind, names[i]) == 0)
            return (mmli_outcome)i;
    return MMLI_OUTCOME_OTHER;
}

static bool higher_is_better(const char *metric)
{
    for (int i = 0; metric != NULL && mml_metric_name((mml_metric)i) != NULL; i++)
        if (strcmp(mml_metric_name((mml_metric)i), metric) == 0)
            return mml_metric_higher_is_better((mml_metric)i) != 0;
    return true;
}

static size_t count_folds(const json_t *json)
{
    const json_t *systems = json_object_get(json, "systems");
    const double said = mmli_json_number_at(json, "folds");
    size_t folds = said > 0 && said < MOST_FOLDS ? (size_t)said : 0;

    for (size_t i = 0; i < json_array_size(systems); i++) {
        const size_t n = json_array_size(json_object_get(json_array_get(systems, i), "scores"));

        folds = n > folds ? n : folds;
    }
    return folds < MOST_FOLDS ? folds : MOST_FOLDS;
}

static void link_jobs(mmli_comparison *c)
{
    const json_t *jobs = json_object_get(c->json, "jobs");

    for (size_t j = 0; j < json_array_size(jobs); j++) {
        const json_t *job = json_array_get(jobs, j);
        const size_t i = mmli_entry_find(c, mmli_json_text(job, "system"));
        const double fold = mmli_json_number_at(job, "fold");
        const char *status = mmli_json_text(job, "status");

        if (i < c->n && fold >= 0 && fold < (double)c->folds && (status == NULL || strcmp(status, "ok") == 0))
            c->entry[i].job[(size_t)fold] = job;
    }
}

mml_status mmli_comparison_read(mmli_comparison *c, const json_t *json)
{
    const json_t *task = json_object_get(json, "task"), *systems = json_object_get(json, "systems");
    const char *format = mmli_json_text(json, "format"), *metric = mmli_json_text(task, "metric");
    const double version = mmli_json_number_at(json, "version");
    mml_status st = MML_OK;

    *c = (mmli_comparison){.json = json, .outcome = outcome_of(mmli_json_text(task, "kind")), .higher = higher_is_better(metric)};
    MML_CHECK(format != NULL && strcmp(format, FORMAT) == 0, MML_E_FORMAT,
              "not a comparison: its \"format\" is not \"" FORMAT "\", as in the compare.json that mmlego compare writes");
    MML_CHECK(!(version > FORMAT_VERSION), MML_E_FORMAT, "a comparison of version %.0f: this libmmlego (%s) knows %d", version, mml_version(),
              FORMAT_VERSION);
    c->title = mmli_json_text(json, "title");
    if (c->title == NULL || c->title[0] == '\0')
        c->title = mmli_json_text(json_object_get(json, "cohort"), "path");
    c->title = c->title != NULL ? c->title : "Comparison";
    c->metric_title = mmli_json_text(task, "metric_title");
    c->metric_title = c->metric_title != NULL ? c->metric_title : metric != NULL ? metric : "score";
    c->folds = count_folds(json);
    MML_TRY(mmli_calloc(&c->entry, json_array_size(systems), sizeof *c->entry));
    for (int g = 0; g < MMLI_GROUPS; g++)
        for (size_t i = 0; i < json_array_size(systems); i++) {
            const json_t *system = json_array_get(systems, i);

            if (json_is_object(system) && group_of(mmli_json_text(system, "group")) == (mmli_group)g)
                MML_TRY(read_entry(&c->entry[c->n++], system, c->folds));
        }
    rank(c);
    link_jobs(c);
out:
    return st;
}

void mmli_comparison_free(mmli_comparison *c)
{
    for (size_t i = 0; i < c->n; i++) {
        mmli_free(c->entry[i].job);
        mmli_free(c->entry[i].score);
    }
    mmli_free(c->entry);
    *c = (mmli_comparison){0};
}

size_t mmli_choose(size_t chosen[MMLI_MOST_CHOSEN], const mmli_comparison *c)
{
    const size_t wanted[MMLI_MOST_CHOSEN] = {
        mmli_entry_find(c, "fuse-stack"), mmli_entry_find(c, "fuse-weave"), mmli_entry_find(c, "merge"), c->baseline, c->block,
        mmli_entry_find(c, "ensemble"),   mmli_entry_find(c, "linear")};
    size_t n = 0;

    for (size_t w = 0; w < MMLI_MOST_CHOSEN; w++) {
        bool twice = wanted[w] == c->n || isnan(c->entry[wanted[w]].mean);

        for (size_t i = 0; i < n && !twice; i++)
            twice = chosen[i] == wanted[w];
        if (!twice)
            chosen[n++] = wanted[w];
    }
    return n;
}

/* ---- predictions ---------------------------------------------------------------------------------------------------- */

/* One of the arrays of `test`: NULL unless it has n numbers. */
static mml_status read_part(double **out, const json_t *test, const char *key, size_t n)
{
    size_t got;
    mml_status st = mmli_json_numbers(out, &got, json_object_get(test, key));

    if (st == MML_OK && got != n) {
        mmli_free(*out);
        *out = NULL;
    }
    return st;
}

static mml_status read_probability(mmli_test *t, const json_t *rows)
{
    size_t cells;
    mml_status st;

    t->k = json_array_size(json_array_get(rows, 0));
    if (json_array_size(rows) != t->n || t->n == 0 || t->k < 2)
        return MML_OK;
    for (size_t i = 0; i < t->n; i++)
        if (json_array_size(json_array_get(rows, i)) != t->k)
            return MML_OK;
    if (!mmli_mul_size(&cells, t->n, t->k))
        return MML_OK;
    if ((st = mmli_calloc(&t->probability, cells, sizeof *t->probability)) != MML_OK)
        return st;
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < t->k; j++)
            t->probability[i * t->k + j] = mmli_json_number(json_array_get(json_array_get(rows, i), j));
    return MML_OK;
}

mml_status mmli_test_read(mmli_test *t, const json_t *job)
{
    const json_t *test = json_object_get(job, "test"), *score = json_object_get(test, "score"),
                 *rows = json_object_get(test, "probability"), *id = json_object_get(test, "id");
    mml_status st = MML_OK;

    *t = (mmli_test){.n = json_is_array(score) ? json_array_size(score) : json_array_size(rows)};
    MML_TRY(read_part(&t->score, test, "score", t->n));
    MML_TRY(read_part(&t->label, test, "label", t->n));
    MML_TRY(read_part(&t->time, test, "time", t->n));
    MML_TRY(read_part(&t->event, test, "event", t->n));
    MML_TRY(read_part(&t->truth, test, "truth", t->n));
    MML_TRY(read_probability(t, rows));
    t->id = json_array_size(id) == t->n ? id : NULL;
out:
    return st;
}

void mmli_test_free(mmli_test *t)
{
    mmli_free(t->score);
    mmli_free(t->label);
    mmli_free(t->time);
    mmli_free(t->event);
    mmli_free(t->truth);
    mmli_free(t->probability);
    *t = (mmli_test){0};
}
