/* weights_search.c - the weights whose merge scores best on validation samples.
 *
 * All points of a grid on the simplex are tried (as fine as some hundred points allow), and equal and validation
 * weights; then mass is moved between pairs of blocks in halving steps. The blocks run once over the samples for all
 * tries of a round: a try merges their latents and applies the merged head only. Of equals the one nearest to equal
 * weights wins: on few samples many points are as good, and the plain one is the safest. */
#include <math.h>
#include <string.h>

#include "model/scored.h"
#include "model/walk.h"
#include "model/weights.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_SAMPLES = 2000, MOST_POINTS = 500, FINEST = 20, MOST_ROUNDS = 4 };

typedef struct search {
    mml_model *model;
    const mml_merge_options *o;
    const size_t *samples;
    mmli_scored truth;
    size_t n_points, cap;
    double *points; /* (n_points, members), each of sum 1 */
    double *best;   /* (members) */
    double best_value;
} search;

static mml_status add_point(search *s, const double *w)
{
    const size_t m = s->model->n;
    mml_status st = mmli_grow(&s->points, &s->cap, (s->n_points + 1) * m, sizeof *s->points);

    if (st != MML_OK)
        return st;
    memcpy(s->points + s->n_points * m, w, m * sizeof *w);
    mmli_weights_normalise(s->points + s->n_points * m, m);
    s->n_points++;
    return MML_OK;
}

/* Ways to write q as a sum of m numbers, at most `most`. */
static size_t compositions(size_t q, size_t m, size_t most)
{
    double ways = 1.0;

    for (size_t i = 1; i < m; i++)
        ways *= (double)(q + i) / (double)i;
    return ways + 0.5 < (double)most ? (size_t)(ways + 0.5) : most;
}

static size_t grid_size(size_t m)
{
    size_t q = FINEST;

    while (q > 1 && compositions(q, m, MOST_POINTS + 1) > MOST_POINTS)
        q--;
    return q;
}

/* All points with coordinates i/q, in lexical order. */
static mml_status add_grid(search *s, size_t q)
{
    const size_t m = s->model->n;
    mml_status st = MML_OK;
    double *w = NULL;
    size_t i;

    MML_TRY(mmli_calloc(&w, m, sizeof *w));
    w[m - 1] = (double)q;
    for (;;) {
        MML_TRY(add_point(s, w));
        /* The next composition: take one from the last that has some, give it to its left, the rest go to the end. */
        for (i = m; i-- > 1 && w[i] <= 0.0;)
            continue;
        if (i == 0)
            break;
        {
            const double rest = w[i] - 1.0;

            w[i] = 0.0;
            w[i - 1] += 1.0;
            w[m - 1] = rest;
        }
    }
out:
    mmli_free(w);
    return st;
}

/* The best point so far with `step` moved from one block to another, for all pairs. */
static mml_status add_moves(search *s, double step)
{
    const size_t m = s->model->n;
    mml_status st = MML_OK;
    double *w = NULL;

    MML_TRY(mmli_calloc(&w, m, sizeof *w));
    for (size_t from = 0; from < m; from++)
        for (size_t to = 0; to < m; to++) {
            const double moved = s->best[from] < step ? s->best[from] : step;

            if (from == to || !(moved > 0.0))
                continue;
            memcpy(w, s->best, m * sizeof *w);
            w[from] -= moved;
            w[to] += moved;
            MML_TRY(add_point(s, w));
        }
out:
    mmli_free(w);
    return st;
}

/* All tries on one chunk: the blocks' states once, then each point's merge. scores (n_points, n k); at: first sample. */
static mml_status try_chunk(search *s, mmli_trial *trial, mmli_heads *heads, const mml_batch *batch,
                            mmli_match *const *matches, double *scores, size_t at, float *logits, double *one)
{
    const size_t B = mml_batch_size(batch), k = s->model->task->outputs, m = s->model->n;
    mml_status st = MML_OK;
    mml_model tried = *s->model;
    mmli_inputs in;
    mmli_bound bound;
    mmli_complex *z;
    mmli_var *out;

    MML_TRY(mmli_tape_begin(trial->blocks, 0, 0, 0));
    MML_TRY(mmli_inputs_make(&in, trial->blocks, s->model, batch, NULL, matches));
    MML_TRY(mmli_params_bind(&bound, trial->blocks, trial->params, NULL, NULL));
    z = mmli_tape_host(trial->blocks, m * sizeof *z);
    MML_TRY(mmli_tape_status(trial->blocks));
    MML_TRY(mmli_model_latents(z, s->model, trial->blocks, &bound, &in));
    for (size_t p = 0; p < s->n_points; p++) {
        double *score = scores + p * s->truth.n * s->truth.k;

        tried.weights = s->points + p * m;
        MML_TRY(mmli_tape_begin(trial->merge, 0, 0, 0));
        MML_TRY(mmli_params_bind(&bound, trial->merge, trial->params, NULL, NULL));
        MML_TRY(mmli_model_merge_logits(&out, &tried, trial->merge, &bound, z, in.present, B, &heads[p]));
        MML_TRY(trial->dv->k.download(trial->dv, logits, out->data, B * k * sizeof *logits));
        mmli_task_outputs(logits, NULL, one, s->model->task, logits, B);
        for (size_t b = 0; b < B; b++)
            mmli_scored_set(score, &s->truth, at + b, logits + b * k, one[b]);
    }
out:
    return st;
}

static mml_status try_all(search *s, double *scores)
{
    mml_status st = MML_OK;
    mmli_walk walk = {0};
    mmli_trial trial = {0};
    mmli_heads *heads = NULL; /* one a point: merged heads depend on the weights */
    const mml_batch *batch;
    const size_t *which;
    float *logits = NULL;
    double *one = NULL;
    size_t n, cap = 0;

    MML_TRY(mmli_calloc(&heads, s->n_points, sizeof *heads));
    MML_TRY(mmli_trial_begin(&trial, s->model, s->o->device, s->o->threads));
    MML_TRY(mmli_walk_begin(&walk, s->model, s->o->cohort, s->samples, s->truth.n, 0));
    for (;;) {
        const size_t at = walk.at;

        MML_TRY(mmli_walk_next(&batch, &which, &n, &walk));
        if (!batch)
            break;
        if (n > cap) {
            MML_TRY(mmli_realloc(&logits, n * s->model->task->outputs, sizeof *logits));
            MML_TRY(mmli_realloc(&one, n, sizeof *one));
            cap = n;
        }
        MML_TRY(try_chunk(s, &trial, heads, batch, walk.matches, scores, at, logits, one));
    }
out:
    for (size_t p = 0; heads && trial.dv && p < s->n_points; p++)
        mmli_heads_clear(&heads[p], trial.dv);
    mmli_free(heads);
    mmli_free(logits);
    mmli_free(one);
    mmli_walk_end(&walk);
    mmli_trial_end(&trial);
    return st;
}

static double unevenness(const double *w, size_t m)
{
    double sum = 0.0;

    for (size_t i = 0; i < m; i++)
        sum += (w[i] - 1.0 / (double)m) * (w[i] - 1.0 / (double)m);
    return sum;
}

/* Tries the points of the search and keeps the best of them and of what was best before. */
static mml_status round_of(search *s)
{
    const mml_metric metric = mmli_main_metric(s->model->task->kind);
    const size_t m = s->model->n;
    mml_status st = MML_OK;
    double *scores = NULL, value;
    size_t all;

    MML_CHECK(mmli_mul_size(&all, s->truth.n * s->truth.k, s->n_points), MML_E_NOMEM, "merge: too many samples to search on");
    MML_TRY(mmli_calloc(&scores, all, sizeof *scores));
    MML_TRY(try_all(s, scores));
    for (size_t p = 0; p < s->n_points; p++) {
        const double *w = s->points + p * m;
        const mml_metric_input in = mmli_scored_input(&s->truth, scores + p * s->truth.n * s->truth.k);

        if ((st = mml_metric_compute(&value, metric, &in)) != MML_OK) {
            st = mmli_fail_prefix(st, "merge: weights cannot be searched on these %zu samples", s->truth.n);
            goto out;
        }
        if (isnan(s->best_value) || value > s->best_value + 1e-12 ||
            (value > s->best_value - 1e-12 && unevenness(w, m) < unevenness(s->best, m))) {
            s->best_value = value;
            memcpy(s->best, w, m * sizeof *w);
        }
    }
    s->n_points = 0;
out:
    mmli_free(scores);
    return st;
}

static mml_status first_points(search *s, double *w, size_t q)
{
    const size_t m = s->model->n;
    mml_status st = MML_OK;
    bool known = true;

    for (size_t i = 0; i < m; i++)
        w[i] = 1.0;
    MML_TRY(add_point(s, w));
    for (size_t i = 0; i < m; i++)
        known = known && !isnan(mmli_provenance_score(&s->model->members[i].from));
    if (known) {
        MML_TRY(mmli_weights_dprime(w, s->model));
        MML_TRY(add_point(s, w));
    }
    MML_TRY(add_grid(s, q));
out:
    return st;
}

mml_status mmli_weights_search(double *w, mml_model *model, const mml_merge_options *o)
{
    const size_t m = model->n, q = grid_size(model->n);
    mml_status st = MML_OK;
    search s = {.model = model, .o = o, .best_value = NAN};
    mmli_labels *labels = NULL;
    size_t *samples = NULL, n;
    double step = 0.5 / (double)q;

    MML_TRY(mmli_task_map(&labels, model->task, o->cohort, MML_CLASS_EQUAL));
    MML_TRY(mmli_weights_samples(&samples, &n, model, o->cohort, labels, MOST_SAMPLES, o->seed));
    s.samples = samples;
    MML_TRY(mmli_scored_new(&s.truth, model->task, labels, samples, n));
    MML_TRY(mmli_calloc(&s.best, m, sizeof *s.best));
    MML_TRY(first_points(&s, w, q));
    MML_TRY(round_of(&s));
    for (size_t round = 0; round < MOST_ROUNDS && step > 0.5 / FINEST && m * (m - 1) <= MOST_POINTS; round++, step /= 2.0) {
        MML_TRY(add_moves(&s, step));
        MML_TRY(round_of(&s));
    }
    memcpy(w, s.best, m * sizeof *w);
out:
    mmli_scored_clear(&s.truth);
    mmli_free(s.points);
    mmli_free(s.best);
    mmli_free(samples);
    mmli_labels_free(labels);
    return st;
}
