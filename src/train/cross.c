/* cross.c - see cross.h.
 *
 * The validation score of a block is the best of many epochs on few patients: with ten events it may be .75 for a block that knows
 * nothing. So the weights of a merge come, where that part is small, from samples that neither taught the block nor chose its epoch:
 * the training and validation samples are divided in folds, the block is trained without each in turn, in the same way, and
 * scored on it (doc/results/README.md has what it brings). The test part is not touched. The blocks of the folds may be kept, as
 * a committee.
 */
#include "train/cross.h"

#include <math.h>
#include <string.h>

#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"

enum {
    AUTO_FOLDS = 5,
    FEW_OF_A_KIND = 50, /* validation samples of the rarer kind. The standard error of an AUC or a c-index is about .29 / sqrt(m): .04 */
    FEW_VALUES = 100    /* the same for regression */
};

/* Samples of the validation part of `pool` that are of the rarer kind: events or not, the rarest class; regression: all. */
static size_t rarest(const mmli_block_training *b, const mml_part *pool)
{
    const size_t N = mml_cohort_size(b->cohort), kinds = b->task.kind == MML_SURVIVAL ? 1 : b->task.n_classes;
    size_t least = SIZE_MAX;

    for (size_t k = 0; k < (kinds > 0 ? kinds : 1); k++) {
        size_t n = 0;

        for (size_t i = 0; i < N; i++)
            if (pool[i] == MML_PART_VALID && !isnan(b->task.value[i]))
                n += b->task.kind == MML_REGRESSION || (b->task.kind == MML_SURVIVAL ? b->task.event[i] : b->task.value[i] == (double)k);
        least = n < least ? n : least;
    }
    return least;
}

static size_t count(const mml_part *part, size_t N, mml_part which)
{
    size_t n = 0;

    for (size_t i = 0; i < N; i++)
        n += part[i] == which;
    return n;
}

/* pool: `part` without those the block cannot be scored on. */
static size_t folds_of(const mmli_block_training *b, const mml_train_options *o, const mml_part *part, const mml_part *pool)
{
    const size_t few = b->task.kind == MML_REGRESSION ? FEW_VALUES : FEW_OF_A_KIND;

    if (o->weight_folds == MML_FOLDS_AUTO && o->committee == MML_COMMITTEE_YES)
        return AUTO_FOLDS;
    if (o->weight_folds != MML_FOLDS_AUTO)
        return (size_t)o->weight_folds;
    return count(part, mml_cohort_size(b->cohort), MML_PART_VALID) > 0 && rarest(b, pool) < few ? AUTO_FOLDS : 0;
}

/* The caller's watch sees which fold it is, and may stop. */
typedef struct watched {
    const mml_train_options *o;
    size_t fold, folds;
} watched;

static int watch(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    const watched *w = user;

    (void)epoch;
    (void)epoch_now;
    (void)step;
    (void)steps;
    return w->o->watch(w->o->watch_user, NULL, 0, w->fold, w->folds);
}

/* Means of several trainings on few patients are much better than one of them for survival; for classes they were not (doc/results).
 * Blocks with time bins have other bins in each fold, so that they cannot be joined. Only tables by themselves: each member
 * prepares its tokens anew, and those of slides would take as many times the memory. */
static bool keeps_committee(const mmli_block_training *b, const mml_train_options *o)
{
    return o->committee == MML_COMMITTEE_YES ||
           (o->committee == MML_COMMITTEE_AUTO && b->task.kind == MML_SURVIVAL && o->survival_loss == MML_LOSS_COX &&
            b->modality.kind == MML_TABLE);
}

/* What a fold found out: NaN where it cannot be computed. */
typedef struct held {
    mmli_scored scored;
    size_t done;
    double score;
} held;

static int take(void *user, const mml_prediction *chunk, const size_t *samples)
{
    held *h = user;

    (void)samples; /* in order */
    for (size_t b = 0; b < chunk->n; b++)
        mmli_scored_set(h->scored.score, &h->scored, h->done++, chunk->output + b * chunk->k, chunk->score[b]);
    return 0;
}

/* The block of a fold, and its score on the samples it was trained without. *out yours, also on failure. */
static mml_status one_fold(mml_model **out, held *h, const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    mml_status st = MML_OK;
    mml_predictor *predictor = NULL;
    mmli_labels *labels = NULL;
    size_t *samples = NULL, all, n = 0;

    *h = (held){.score = (double)NAN};
    MML_TRY(b->run(out, b, o, part));
    MML_TRY(mmli_task_map(&labels, (*out)->task, b->cohort, MML_CLASS_EQUAL));
    MML_TRY(mmli_train_places(&samples, &all, part, mml_cohort_size(b->cohort), MML_PART_TEST, NULL));
    for (size_t i = 0; i < all; i++) /* a class may have been held out whole */
        if (labels->index[samples[i]] >= 0)
            samples[n++] = samples[i];
    if (n == 0)
        goto out;
    MML_TRY(mmli_scored_new(&h->scored, (*out)->task, labels, samples, n));
    MML_TRY(mml_predictor_new(&predictor, *out, NULL, o->threads));
    MML_TRY(mml_predict_cohort(predictor, b->cohort, samples, n, 0, take, h));
    MML_TRY(mmli_scored_main(&h->score, &h->scored));
out:
    mmli_scored_clear(&h->scored);
    mml_predictor_free(predictor);
    mmli_labels_free(labels);
    mmli_free(samples);
    return st;
}

mml_status mmli_train_cross(mml_model **block, const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    const size_t N = mml_cohort_size(b->cohort);
    const bool keeps = keeps_committee(b, o);
    mml_status st = MML_OK;
    mml_train_options inner = *o;
    mmli_provenance *from = &(*block)->members[0].from;
    mmli_block_training fold = *b;
    watched w = {.o = o};
    mml_part *pool = NULL, *divided = NULL;
    mml_model **made = NULL;
    double sum = 0, valid;
    size_t folds = 0, scored = 0, n = 0;
    held h;

    from->cross_folds = 0;
    MML_TRY(mmli_calloc(&pool, N, sizeof *pool));
    for (size_t i = 0; i < N; i++) /* those that lack the modality would be scored by the prior */
        pool[i] = b->modality.offsets[i + 1] > b->modality.offsets[i] ? part[i] : MML_PART_NONE;
    w.folds = folds = folds_of(b, o, part, pool);
    if (folds == 0)
        goto out;
    MML_TRY(mmli_calloc(&made, folds, sizeof *made));
    inner.checkpoint = NULL;
    inner.resume = 0;
    inner.watch = o->watch ? watch : NULL;
    inner.watch_user = &w;
    MML_TRY(mmli_calloc(&divided, N, sizeof *divided));
    valid = (double)count(pool, N, MML_PART_VALID);
    valid /= valid + (double)count(pool, N, MML_PART_TRAIN);
    for (size_t k = 0; k < folds; k++) {
        memcpy(divided, pool, N * sizeof *divided);
        MML_TRY(mmli_split_again(divided, b->cohort, b->task.name, k, folds, valid, o->split.seed));
        if (count(divided, N, MML_PART_TEST) == 0)
            continue;
        w.fold = k + 1;
        fold.member = keeps ? k + 1 : 0;
        st = one_fold(&made[n], &h, &fold, &inner, divided);
        if (st == MML_E_DATA || st == MML_E_NOT_FINITE) { /* too few samples for so many folds: the validation score has to do */
            st = MML_OK;
            goto out;
        }
        MML_TRY(st);
        if (isfinite(h.score)) {
            sum += h.score;
            scored++;
        }
        if (keeps) {
            n++;
        } else {
            mml_model_free(made[n]);
            made[n] = NULL;
        }
    }
    if (scored > 0) {
        from->cross_folds = scored;
        from->cross_score = sum / (double)scored;
    }
    if (n > 0)
        MML_TRY(mmli_committee_make(block, made, n));
out:
    for (size_t k = 0; made && k < folds; k++)
        mml_model_free(made[k]);
    mmli_free(made);
    mmli_free(pool);
    mmli_free(divided);
    return st;
}
