/* bootstrap.c - percentile intervals by resampling samples, or whole groups of them (patients).
 *
 * A resample is a multiplicity for each sample (core.h). Draw number t uses the random stream
 * (seed, "metric bootstrap", t), so nothing depends on what was drawn before or by whom.
 */
#include <math.h>
#include <string.h>

#include "metrics/compute.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/sort.h"

enum { DRAWS_EACH = 10 }; /* draws allowed for every resample asked for */

typedef struct resampler {
    size_t n, units;          /* units: samples, or groups that have a member */
    const size_t *group;      /* (n) or NULL */
    size_t *unit_of;          /* (n) number of the unit of a group id; groups only */
    uint32_t *drawn, *weight; /* (units), (n); the same array without groups */
    uint64_t seed;
} resampler;

void mml_bootstrap_options_init(mml_bootstrap_options *options)
{
    *options = (mml_bootstrap_options){.struct_size = sizeof *options, .resamples = 1000, .level = 0.95};
}

/* Units in the order of their first sample: the numbers that stand for the groups do not matter. */
static mml_status number_groups(resampler *r)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&r->unit_of, r->n, sizeof *r->unit_of));
    for (size_t i = 0; i < r->n; i++)
        r->unit_of[i] = SIZE_MAX;
    for (size_t i = 0; i < r->n; i++) {
        MML_CHECK(r->group[i] < r->n, MML_E_ARG, "bootstrap: group[%zu] is %zu, expected a number below %zu", i,
                  r->group[i], r->n);
        if (r->unit_of[r->group[i]] == SIZE_MAX)
            r->unit_of[r->group[i]] = r->units++;
    }
out:
    return st;
}

static mml_status start(resampler *r, size_t n, const mml_bootstrap_options *o)
{
    mml_status st = MML_OK;

    *r = (resampler){.n = n, .group = o->group, .seed = o->seed};
    MML_TRY(mmli_calloc(&r->weight, n, sizeof *r->weight));
    if (r->group == NULL) {
        r->units = n;
        r->drawn = r->weight;
    } else {
        MML_TRY(number_groups(r));
        MML_TRY(mmli_calloc(&r->drawn, r->units, sizeof *r->drawn));
    }
    MML_CHECK(r->units >= 2, MML_E_DATA, "bootstrap: an interval needs at least two %s, there is one",
              r->group == NULL ? "samples" : "groups");
out:
    return st;
}

static void finish(resampler *r)
{
    if (r->drawn != r->weight)
        mmli_free(r->drawn);
    mmli_free(r->weight);
    mmli_free(r->unit_of);
}

static void draw(resampler *r, uint64_t t)
{
    const uint64_t key = mmli_rng_key(r->seed, "metric bootstrap", t);

    memset(r->drawn, 0, r->units * sizeof *r->drawn);
    for (size_t i = 0; i < r->units; i++)
        r->drawn[mmli_rng_below(key, i, r->units)]++;
    if (r->group != NULL)
        for (size_t i = 0; i < r->n; i++)
            r->weight[i] = r->drawn[r->unit_of[r->group[i]]];
}

static mml_status read_options(mml_bootstrap_options *o, const mml_bootstrap_options *given)
{
    mml_status st = MML_OK;

    mml_bootstrap_options_init(o);
    if (given != NULL)
        MML_TRY(mmli_read_options(o, sizeof *o, given, "mml_bootstrap_options_init"));
    MML_CHECK(o->resamples >= 2 && o->resamples <= 100000000, MML_E_ARG,
              "bootstrap: the number of resamples must be from 2 to 100000000, not %zu", o->resamples);
    MML_CHECK(o->level > 0.0 && o->level < 1.0, MML_E_ARG, "bootstrap: the level must be between 0 and 1, not %g",
              o->level);
out:
    return st;
}

mml_status mml_metric_bootstrap(mml_interval *out, mml_metric metric, const mml_metric_input *input,
                                const mml_bootstrap_options *options)
{
    mml_status st = MML_OK;
    mml_bootstrap_options o;
    mml_interval in = {0};
    mmli_plan plan = {0};
    resampler r = {0};
    double *values = NULL, tail;
    size_t draws = 0;

    MML_CHECK(out != NULL, MML_E_ARG, "bootstrap: there is nowhere to put the interval");
    MML_TRY(mml_metric_compute(&in.value, metric, input));
    MML_TRY(read_options(&o, options));
    MML_TRY(mmli_plan_make(&plan, metric, input));
    MML_TRY(start(&r, plan.in.n, &o));
    MML_TRY(mmli_calloc(&values, o.resamples, sizeof *values));
    for (; in.resamples < o.resamples && draws < DRAWS_EACH * o.resamples; draws++) {
        draw(&r, draws);
        if (mmli_plan_value(&values[in.resamples], &plan, r.weight))
            in.resamples++;
    }
    MML_CHECK(in.resamples == o.resamples, MML_E_DATA,
              "bootstrap of %s: only %zu of %zu resamples could be used, in the others a class or every comparable pair "
              "was missing: too few samples of the rarest kind for an interval", mml_metric_name(metric), in.resamples,
              draws);
    mmli_sort_doubles(values, o.resamples);
    tail = 0.5 * (1.0 - o.level);
    in.low = mmli_quantile(values, o.resamples, tail);
    in.high = mmli_quantile(values, o.resamples, 1.0 - tail);
    in.redrawn = draws - in.resamples;
    *out = in;
out:
    mmli_free(values);
    finish(&r);
    mmli_plan_clear(&plan);
    return st;
}
