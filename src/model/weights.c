/* weights.c - weights of a merge from what is known of its blocks; those that need a cohort are in their own files. */
#include "model/weights.h"

#include <math.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "model/predictor.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

enum { FEWEST_SAMPLES = 10 };

void mmli_weights_normalise(double *w, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += w[i];
    for (size_t i = 0; i < n; i++)
        w[i] = sum > 0.0 ? w[i] / sum : 1.0 / (double)n;
}

/* ---- d' -------------------------------------------------------------------------------------------- */

/* Pairs of samples that a validation score was counted over, from the shares of the classes in training. It only limits
 * how far from 1/2 a perfect score on a small validation part can be. */
static uint64_t pairs_of(const mmli_task *task, size_t n_valid)
{
    const double n = n_valid > 0 ? (double)n_valid : 100.0, all = task->n_train > 0 ? (double)task->n_train : 1.0;
    double share = 0.0;

    if (task->kind == MML_SURVIVAL)
        share = (double)task->n_events / all / 2.0; /* the one with the event lived shorter: half of the pairs */
    for (size_t j = 0; task->kind != MML_SURVIVAL && j < task->outputs; j++) {
        const double p = (double)task->counts[j] / all;

        share += p * (1.0 - p) / (double)task->outputs;
    }
    return n * n * share > 1.0 ? (uint64_t)(n * n * share) : 1;
}

/* Samples that as many pairs are in as a score was counted over: of a cross-validation, those of all folds. */
static size_t counted(const mmli_provenance *p)
{
    return p->cross_folds > 0 ? (size_t)((double)(p->n_ids[0] + p->n_ids[1]) / sqrt((double)p->cross_folds)) : p->n_ids[1];
}

/* The same for regression: R^2 of a normal score and target has signal to noise r / sqrt(1 - r^2). */
static double dprime_of_r2(double r2, size_t n_valid)
{
    const double most = 1.0 - 1.0 / (n_valid > 1 ? (double)n_valid : 100.0);

    r2 = r2 > most ? most : r2;
    return r2 > 0.0 ? sqrt(r2 / (1.0 - r2)) : 0.0;
}

mml_status mmli_weights_dprime(double *d, const mml_model *model)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < model->n; i++) {
        const mmli_member *m = &model->members[i];
        const double score = mmli_provenance_score(&m->from);

        MML_CHECK(!isnan(score), MML_E_DATA,
                  "block %s has no validation score to weigh it by: train it with a validation part, or merge with equal "
                  "or given weights", m->name);
        if (model->task->kind == MML_REGRESSION)
            d[i] = dprime_of_r2(score, counted(&m->from));
        else
            MML_TRY(mml_metric_dprime(&d[i], score, pairs_of(model->task, counted(&m->from))));
        d[i] = d[i] > 0.0 ? d[i] : 0.0; /* no better than chance */
    }
out:
    return st;
}

/* Members of a committee share the weight of one block. */
static void share_out(double *w, const mml_model *model)
{
    for (size_t i = 0; i < model->n; i++)
        w[i] /= (double)mml_model_committee(model, i);
}

/* A cross-validation is made where patients are few, and its score is then uncertain by about as much as blocks differ: d' is drawn half
 * way to the mean of the blocks (doc/results/README.md). */
mml_status mmli_weights_known(double *w, const mml_model *model)
{
    mml_status st = MML_OK;
    double sum = 0.0, blocks = 0.0;
    bool few = true;

    MML_TRY(mmli_weights_dprime(w, model));
    for (size_t i = 0; i < model->n; i++)
        few = few && model->members[i].from.cross_folds > 0;
    share_out(w, model);
    for (size_t i = 0; i < model->n; i++) {
        sum += w[i];
        blocks += 1.0 / (double)mml_model_committee(model, i);
    }
    for (size_t i = 0; few && i < model->n; i++)
        w[i] = (w[i] + sum / blocks / (double)mml_model_committee(model, i)) / 2.0;
out:
    return st;
}

/* ---- samples ------------------------------------------------------------------------------------------ */

/* Offsets of each member's modality in the cohort; NULL = it does not have it. */
static mml_status offsets_of(const int64_t **offsets, const mml_model *model, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_modality_info info;

    for (size_t i = 0; i < model->n; i++) {
        offsets[i] = NULL;
        for (size_t j = 0; j < mml_cohort_n_modalities(cohort); j++) {
            MML_TRY(mml_cohort_modality_at(&info, cohort, j));
            if (strcmp(info.name, model->members[i].modality) == 0)
                offsets[i] = info.offsets;
        }
    }
out:
    return st;
}

/* May sample s be used, and do two blocks see it? Weights chosen on training samples would favour the block that has
 * learnt them by heart; the test part must not choose anything. */
static bool usable(const mml_model *model, const int64_t *const *offsets, size_t s, const char *id, const mmli_labels *labels)
{
    const uint64_t hash = mmli_sample_hash(id);
    size_t seen = 0;

    if (labels && labels->index[s] < 0)
        return false;
    for (size_t i = 0; i < model->n; i++) {
        const mml_part part = mmli_provenance_part(&model->members[i].from, hash);
        const bool has = offsets[i] && offsets[i][s + 1] > offsets[i][s];

        if (part == MML_PART_TRAIN || part == MML_PART_TEST || (labels && has && part != MML_PART_VALID))
            return false;
        seen += has;
    }
    return seen >= 2;
}

static int by_size(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x > y) - (x < y);
}

mml_status mmli_weights_samples(size_t **out, size_t *n, const mml_model *model, const mml_cohort *cohort,
                                const mmli_labels *labels, size_t most, uint64_t seed)
{
    const size_t N = mml_cohort_size(cohort);
    const char *const *ids = mml_cohort_ids(cohort);
    mml_status st = MML_OK;
    const int64_t **offsets = NULL;
    size_t *list = NULL, count = 0;

    *out = NULL;
    *n = 0;
    MML_TRY(mmli_calloc(&offsets, model->n, sizeof *offsets));
    MML_TRY(mmli_calloc(&list, N, sizeof *list));
    MML_TRY(offsets_of(offsets, model, cohort));
    for (size_t s = 0; s < N; s++)
        if (usable(model, offsets, s, ids[s], labels))
            list[count++] = s;
    MML_CHECK(count >= FEWEST_SAMPLES, MML_E_DATA,
              "%s: %zu samples have two of the blocks' modalities and are %s; at least %d are needed to choose weights. "
              "Train all blocks on the same split, without committees, which have seen all its training and validation samples; or "
              "merge with validation or equal weights", mml_cohort_path(cohort), count,
              labels ? "in the validation part of every block" : "in no block's training or test part", (int)FEWEST_SAMPLES);
    if (count > most) {
        mmli_rng_shuffle(mmli_rng_key(seed, "merge.samples", 0), list, count);
        count = most;
        qsort(list, count, sizeof *list, by_size);
    }
    *out = list;
    *n = count;
    list = NULL;
out:
    mmli_free(list);
    mmli_free(offsets);
    return st;
}

/* ---- trial ------------------------------------------------------------------------------------------------ */

mml_status mmli_trial_begin(mmli_trial *trial, const mml_model *model, const char *device, int threads)
{
    mml_status st = MML_OK;

    *trial = (mmli_trial){0};
    MML_TRY(device ? mmli_device_open(&trial->dv, device, threads) : mmli_device_open_table(&trial->dv, &model->dv->k, threads));
    MML_TRY(mmli_tape_new(&trial->blocks, trial->dv));
    MML_TRY(mmli_tape_new(&trial->merge, trial->dv));
    MML_TRY(mmli_params_for(&trial->params, &trial->copy, model, trial->dv));
out:
    if (st != MML_OK)
        mmli_trial_end(trial);
    return st;
}

void mmli_trial_end(mmli_trial *trial)
{
    mmli_tape_free(trial->blocks);
    mmli_tape_free(trial->merge);
    mmli_params_free(trial->copy);
    mmli_device_close(trial->dv);
    *trial = (mmli_trial){0};
}

/* ---- all kinds of weights ------------------------------------------------------------------------------------- */

static mml_status given(double *w, const mml_model *model, const mml_merge_options *o)
{
    mml_status st = MML_OK;
    double sum = 0.0;

    MML_CHECK(o->weights, MML_E_ARG, "merge: weights are to be given, one for each of %zu blocks, but there are none", model->n);
    for (size_t i = 0, block = 0; i < model->n; block++) {
        const size_t members = mml_model_committee(model, i);
        const double weight = o->weights[block];

        MML_CHECK(weight >= 0.0 && isfinite(weight), MML_E_ARG, "merge: the weight of block %s is not a number >= 0",
                  model->members[i].name);
        for (size_t k = 0; k < members; k++)
            w[i++] = weight / (double)members;
        sum += weight;
    }
    MML_CHECK(sum > 0.0 && isfinite(sum), MML_E_ARG, "merge: all weights are 0");
out:
    return st;
}

mml_status mmli_merge_weigh(mml_model *merged, const mml_merge_options *o)
{
    mml_status st = MML_OK;
    double *w = NULL;

    MML_CHECK(o->cohort || (o->weighting != MML_WEIGHT_CORRELATED && o->weighting != MML_WEIGHT_SEARCH), MML_E_ARG,
              "merge: %s weights need a cohort (--cohort) with samples of which several modalities are known",
              o->weighting == MML_WEIGHT_SEARCH ? "search" : "correlated");
    MML_TRY(mmli_calloc(&w, merged->n, sizeof *w));
    switch (o->weighting) {
    case MML_WEIGHT_GIVEN:
        MML_TRY(given(w, merged, o));
        break;
    case MML_WEIGHT_VALIDATION:
        MML_TRY(mmli_weights_known(w, merged));
        break;
    case MML_WEIGHT_CORRELATED:
        MML_TRY(mmli_weights_correlated(w, merged, o));
        break;
    case MML_WEIGHT_SEARCH:
        MML_TRY(mmli_weights_search(w, merged, o));
        break;
    case MML_WEIGHT_EQUAL:
    default:
        for (size_t i = 0; i < merged->n; i++)
            w[i] = 1.0;
        share_out(w, merged);
        break;
    }
    mmli_weights_normalise(w, merged->n);
    memcpy(merged->weights, w, merged->n * sizeof *w);
out:
    mmli_free(w);
    return st;
}
