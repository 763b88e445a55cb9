/* tpe.c - see tpe.h. Numbers are computed with on [0, 1], where every dimension is as long as the others. */
#include "compare/tpe.h"

#include <math.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/sort.h"

enum { START = 5, CANDIDATES = 24 }; /* random trials before there is anything to learn from; draws of each dimension */

static double to_unit(const mmli_dimension *d, double x)
{
    const double u = d->log ? (log(x) - log(d->low)) / (log(d->high) - log(d->low)) : (x - d->low) / (d->high - d->low);

    return u < 0 ? 0 : u > 1 ? 1 : u;
}

static double from_unit(const mmli_dimension *d, double u)
{
    return d->log ? exp(log(d->low) + u * (log(d->high) - log(d->low))) : d->low + u * (d->high - d->low);
}

static double uniform(uint64_t key, uint64_t i)
{
    return (double)mmli_rng_uniform(key, i);
}

/* ---- densities of one dimension --------------------------------------------------------------------------------- */

/* Centres (n) ascending, each with its width; and a flat part as heavy as one centre, so that nothing is ruled out. */
typedef struct density {
    size_t n;
    double *at, *width;
} density;

/* As wide as the longer gap to a neighbour, within limits. */
static void set_widths(density *d)
{
    const double least = 1.0 / (double)(d->n + 1 < 100 ? d->n + 1 : 100) / 2;

    for (size_t i = 0; i < d->n; i++) {
        const double left = d->at[i] - (i > 0 ? d->at[i - 1] : 0), right = (i + 1 < d->n ? d->at[i + 1] : 1) - d->at[i];
        const double gap = left > right ? left : right;

        d->width[i] = gap < least ? least : gap;
    }
}

static double normal_below(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

static double value_at(const density *d, double u)
{
    double sum = 1; /* the flat part */

    for (size_t i = 0; i < d->n; i++) {
        const double w = d->width[i], z = (u - d->at[i]) / w;
        const double inside = normal_below((1 - d->at[i]) / w) - normal_below(-d->at[i] / w);

        sum += exp(-0.5 * z * z) / (w * sqrt(2 * 3.14159265358979323846) * inside);
    }
    return sum / (double)(d->n + 1);
}

/* A draw, by inverting the distribution function of the chosen part. */
static mml_status draw(double *u, const density *d, uint64_t key)
{
    mml_status st = MML_OK;
    const size_t part = (size_t)mmli_rng_below(key, 0, d->n + 1);
    const double r = uniform(key, 8);
    double low, high, z;

    if (part == d->n) {
        *u = r;
        goto out;
    }
    low = normal_below(-d->at[part] / d->width[part]);
    high = normal_below((1 - d->at[part]) / d->width[part]);
    MML_TRY(mml_metric_probit(&z, low + (high - low) * (r > 0 ? r : 1e-9)));
    *u = d->at[part] + d->width[part] * z;
    *u = *u < 0 ? 0 : *u > 1 ? 1 : *u;
out:
    return st;
}

/* ---- one dimension ------------------------------------------------------------------------------------------------ */

/* Trials in the order of their scores, the best first; the first n_good are the better ones. */
typedef struct history {
    size_t n, trials, n_good, *order;
    const double *past;
} history;

static void fill(density *d, const history *h, const mmli_dimension *dim, size_t k, size_t from, size_t to)
{
    d->n = to - from;
    for (size_t i = from; i < to; i++)
        d->at[i - from] = to_unit(dim, h->past[h->order[i] * h->n + k]);
    mmli_sort_doubles(d->at, d->n);
    set_widths(d);
}

static mml_status number(double *x, const history *h, const mmli_dimension *dim, size_t k, uint64_t key)
{
    mml_status st = MML_OK;
    density good = {0}, rest = {0};
    double best = -INFINITY, u;

    MML_TRY(mmli_calloc(&good.at, h->trials, sizeof *good.at));
    MML_TRY(mmli_calloc(&good.width, h->trials, sizeof *good.width));
    MML_TRY(mmli_calloc(&rest.at, h->trials, sizeof *rest.at));
    MML_TRY(mmli_calloc(&rest.width, h->trials, sizeof *rest.width));
    fill(&good, h, dim, k, 0, h->n_good);
    fill(&rest, h, dim, k, h->n_good, h->trials);
    for (uint64_t c = 0; c < CANDIDATES; c++) {
        double gain;

        MML_TRY(draw(&u, &good, mmli_rng_key(key, "candidate", c)));
        gain = log(value_at(&good, u)) - log(value_at(&rest, u));
        if (gain > best) {
            best = gain;
            *x = from_unit(dim, u);
        }
    }
out:
    mmli_free(good.at);
    mmli_free(good.width);
    mmli_free(rest.at);
    mmli_free(rest.width);
    return st;
}

/* How often a choice was made among trials from .. to-1, and once more for each, so that nothing is ruled out. */
static double share(const history *h, size_t k, size_t choice, size_t from, size_t to, size_t choices)
{
    double n = 1;

    for (size_t i = from; i < to; i++)
        n += h->past[h->order[i] * h->n + k] == (double)choice;
    return n / (double)(to - from + choices);
}

static double choice(const history *h, const mmli_dimension *dim, size_t k, uint64_t key)
{
    double best = -INFINITY;
    size_t at = 0;

    for (uint64_t c = 0; c < CANDIDATES; c++) {
        double r = uniform(mmli_rng_key(key, "choice", c), 0), gain;
        size_t j = 0;

        for (; j + 1 < dim->choices && r >= share(h, k, j, 0, h->n_good, dim->choices); j++)
            r -= share(h, k, j, 0, h->n_good, dim->choices);
        gain = log(share(h, k, j, 0, h->n_good, dim->choices)) - log(share(h, k, j, h->n_good, h->trials, dim->choices));
        if (gain > best) {
            best = gain;
            at = j;
        }
    }
    return (double)at;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static mml_status order_by_score(history *h, const double *score)
{
    mml_status st = MML_OK;
    double *worse = NULL; /* ascending: the best first, what failed last */

    MML_TRY(mmli_calloc(&worse, h->trials, sizeof *worse));
    MML_TRY(mmli_calloc(&h->order, h->trials, sizeof *h->order));
    for (size_t i = 0; i < h->trials; i++)
        worse[i] = isfinite(score[i]) ? -score[i] : INFINITY;
    MML_TRY(mmli_argsort(h->order, worse, h->trials));
out:
    mmli_free(worse);
    return st;
}

mml_status mmli_tpe_next(double *x, const mmli_dimension *space, size_t n, const double *past, const double *score,
                         size_t trials, uint64_t key)
{
    mml_status st = MML_OK;
    history h = {.n = n, .trials = trials, .past = past, .n_good = (size_t)ceil(0.25 * (double)trials)};

    if (trials >= START)
        MML_TRY(order_by_score(&h, score));
    for (size_t k = 0; k < n; k++) {
        const uint64_t own = mmli_rng_key(key, "dimension", k);

        if (trials < START)
            x[k] = space[k].choices ? (double)mmli_rng_below(own, 0, space[k].choices) : from_unit(&space[k], uniform(own, 8));
        else if (space[k].choices)
            x[k] = choice(&h, &space[k], k, own);
        else
            MML_TRY(number(&x[k], &h, &space[k], k, own));
    }
out:
    mmli_free(h.order);
    return st;
}
