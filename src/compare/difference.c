/* difference.c - how much better one system is than another on the same test samples, with a bootstrap interval.
 *
 * A resample gives every patient (group, else sample) a multiplicity, Poisson with mean 1, that depends on the number of the
 * resample and the patient's name alone: it is the same for both systems, and the same in all folds. So a patient who is in
 * the test part of several folds counts as the one patient that he is; drawing anew in each fold would take the folds for
 * independent and make the interval too narrow. A resample on which the metric is not defined in some fold is drawn again.
 */
#include <math.h>
#include <string.h>

#include "compare/collect.h"
#include "metrics/compute.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/sort.h"

enum { RESAMPLES = 1000, DRAWS_EACH = 10 };

/* One system on one fold. */
typedef struct side {
    size_t n, k;
    int32_t *label;
    double *score, *value;
    uint8_t *event;
    mmli_plan plan;
} side;

/* Both systems on one fold. */
typedef struct pair {
    side s[2];
    uint64_t *patient; /* (n) hash of the name */
    uint32_t *weight;
} pair;

static void side_clear(side *s)
{
    mmli_plan_clear(&s->plan);
    mmli_free(s->label);
    mmli_free(s->score);
    mmli_free(s->value);
    mmli_free(s->event);
}

static void pair_clear(pair *p)
{
    side_clear(&p->s[0]);
    side_clear(&p->s[1]);
    mmli_free(p->patient);
    mmli_free(p->weight);
}

/* ---- from records ------------------------------------------------------------------------------------------------- */

/* Numbers of an array that must have n of them; missing arrays give zeros. */
static mml_status numbers(double *out, const json_t *list, size_t n)
{
    mml_status st = MML_OK;

    if (!list)
        goto out;
    MML_CHECK(json_array_size(list) == n, MML_E_FORMAT, "the test part of a record has %zu samples and %zu values", n,
              json_array_size(list));
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(json_is_number(json_array_get(list, i)), MML_E_DATA, "a prediction is not finite");
        out[i] = json_number_value(json_array_get(list, i));
    }
out:
    return st;
}

static mml_status read_scores(side *s, const json_t *test)
{
    const json_t *rows = json_object_get(test, "probability");
    mml_status st = MML_OK;
    size_t cells;

    s->k = rows ? json_array_size(json_array_get(rows, 0)) : 1;
    MML_CHECK(mmli_mul_size(&cells, s->n, s->k), MML_E_NOMEM, "too many predictions");
    MML_TRY(mmli_calloc(&s->score, cells, sizeof *s->score));
    if (!rows) {
        st = numbers(s->score, json_object_get(test, "score"), s->n);
        goto out;
    }
    MML_CHECK(json_array_size(rows) == s->n && s->k >= 2, MML_E_FORMAT, "a record has too few probabilities");
    for (size_t i = 0; i < s->n; i++)
        MML_TRY(numbers(s->score + i * s->k, json_array_get(rows, i), s->k));
out:
    return st;
}

static mml_status read_side(side *s, const json_t *test, mml_metric metric)
{
    mml_status st = MML_OK;
    double *x = NULL, value;
    mml_metric_input in;

    s->n = json_array_size(json_object_get(test, "id"));
    MML_CHECK(s->n > 0, MML_E_DATA, "a record has no test samples");
    MML_TRY(mmli_calloc(&x, s->n, sizeof *x));
    MML_TRY(mmli_calloc(&s->label, s->n, sizeof *s->label));
    MML_TRY(mmli_calloc(&s->value, s->n, sizeof *s->value));
    MML_TRY(mmli_calloc(&s->event, s->n, sizeof *s->event));
    MML_TRY(read_scores(s, test));
    MML_CHECK((metric == MML_METRIC_MACRO_AUC) == (s->k > 1), MML_E_FORMAT,
              "a record has %zu values for each test sample, which is not what %s is made of", s->k, mml_metric_name(metric));
    MML_TRY(numbers(x, json_object_get(test, "label"), s->n));
    for (size_t i = 0; i < s->n; i++) {
        MML_CHECK(x[i] >= 0 && x[i] < 1e6, MML_E_FORMAT, "a label in a record is not the number of a class");
        s->label[i] = (int32_t)x[i];
    }
    memset(x, 0, s->n * sizeof *x);
    MML_TRY(numbers(x, json_object_get(test, "event"), s->n));
    for (size_t i = 0; i < s->n; i++)
        s->event[i] = x[i] > 0.5;
    MML_TRY(numbers(s->value, json_object_get(test, metric == MML_METRIC_CINDEX ? "time" : "truth"), s->n));
    mml_metric_input_init(&in);
    in.n = s->n;
    in.classes = s->k > 1 ? s->k : 2;
    in.label = s->label;
    in.score = s->score;
    in.time = in.truth = s->value;
    in.event = s->event;
    MML_TRY(mml_metric_compute(&value, metric, &in));
    MML_TRY(mmli_plan_make(&s->plan, metric, &in));
out:
    mmli_free(x);
    return st;
}

static mml_status read_pair(pair *p, const json_t *a, const json_t *b, mml_metric metric)
{
    const json_t *test[2] = {json_object_get(a, "test"), json_object_get(b, "test")};
    const json_t *names = json_object_get(test[0], "group");
    mml_status st = MML_OK;

    MML_CHECK(json_equal(json_object_get(test[0], "id"), json_object_get(test[1], "id")), MML_E_DATA,
              "%s and %s were tested on different samples in fold %lld", json_string_value(json_object_get(a, "system")),
              json_string_value(json_object_get(b, "system")), (long long)json_integer_value(json_object_get(a, "fold")));
    MML_TRY(read_side(&p->s[0], test[0], metric));
    MML_TRY(read_side(&p->s[1], test[1], metric));
    MML_TRY(mmli_calloc(&p->patient, p->s[0].n, sizeof *p->patient));
    MML_TRY(mmli_calloc(&p->weight, p->s[0].n, sizeof *p->weight));
    names = names ? names : json_object_get(test[0], "id");
    for (size_t i = 0; i < p->s[0].n; i++) {
        const json_t *name = json_array_get(names, i);

        MML_CHECK(json_is_string(name), MML_E_FORMAT, "a record has a sample without a name");
        p->patient[i] = mmli_hash64(json_string_value(name), json_string_length(name), 0);
    }
out:
    return st;
}

/* ---- resamples --------------------------------------------------------------------------------------------------- */

/* Poisson with mean 1 by its distribution function; beyond 12 it is rarer than one in 10^10. */
static uint32_t poisson(double u)
{
    double p = 0.36787944117144233, sum = p; /* exp(-1) */
    uint32_t k = 0;

    while (u >= sum && k < 12) {
        k++;
        p /= k;
        sum += p;
    }
    return k;
}

static void draw(pair *p, uint64_t t)
{
    const uint64_t key = mmli_rng_key(0, "compare bootstrap", t);

    for (size_t i = 0; i < p->s[0].n; i++) {
        uint32_t word[4];

        mmli_philox(word, key, p->patient[i]);
        p->weight[i] = poisson(((double)word[0] * 4294967296.0 + (double)word[1]) * 0x1p-64);
    }
}

/* false: not defined in some fold. */
static bool resample(double *out, pair *pairs, size_t n, uint64_t t)
{
    double sum = 0, x, y;

    for (size_t f = 0; f < n; f++) {
        draw(&pairs[f], t);
        if (!mmli_plan_value(&x, &pairs[f].s[0].plan, pairs[f].weight) ||
            !mmli_plan_value(&y, &pairs[f].s[1].plan, pairs[f].weight))
            return false;
        sum += x - y;
    }
    *out = sum / (double)n;
    return isfinite(*out); /* R^2 of enormous values is not */
}

static mml_status interval(mml_interval *out, pair *pairs, size_t n)
{
    mml_status st = MML_OK;
    double *values = NULL, sum = 0, x, y;
    size_t draws = 0;

    MML_TRY(mmli_calloc(&values, RESAMPLES, sizeof *values));
    for (size_t f = 0; f < n; f++) {
        MML_CHECK(mmli_plan_value(&x, &pairs[f].s[0].plan, NULL) && mmli_plan_value(&y, &pairs[f].s[1].plan, NULL),
                  MML_E_DATA, "the score of a fold is not defined");
        sum += x - y;
    }
    MML_CHECK(isfinite(sum), MML_E_DATA, "the score of a fold is not finite");
    *out = (mml_interval){.value = sum / (double)n, .low = (double)NAN, .high = (double)NAN};
    for (; out->resamples < RESAMPLES && draws < DRAWS_EACH * RESAMPLES; draws++)
        if (resample(&values[out->resamples], pairs, n, draws))
            out->resamples++;
    out->redrawn = draws - out->resamples;
    if (out->resamples < RESAMPLES) /* too few samples of the rarest kind: the value stands alone */
        goto out;
    mmli_sort_doubles(values, RESAMPLES);
    out->low = mmli_quantile(values, RESAMPLES, 0.025);
    out->high = mmli_quantile(values, RESAMPLES, 0.975);
out:
    mmli_free(values);
    return st;
}

static bool has_score(const json_t *record)
{
    return record && json_is_number(json_object_get(record, "score"));
}

mml_status mmli_difference(mml_interval *out, mml_metric metric, const json_t *const *a, const json_t *const *b, size_t folds)
{
    mml_status st = MML_OK;
    pair *pairs = NULL;
    size_t n = 0;

    MML_TRY(mmli_calloc(&pairs, folds, sizeof *pairs));
    for (size_t f = 0; f < folds; f++)
        if (has_score(a[f]) && has_score(b[f]))
            MML_TRY(read_pair(&pairs[n++], a[f], b[f], metric));
    MML_CHECK(n > 0, MML_E_DATA, "there is no fold in which both systems have a score");
    MML_TRY(interval(out, pairs, n));
out:
    for (size_t f = 0; pairs && f < folds; f++)
        pair_clear(&pairs[f]);
    mmli_free(pairs);
    return st;
}
