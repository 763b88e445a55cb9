/* cross.c - see cross.h.
 *
 * The validation score of a block is the best of many epochs on few patients: with ten events it may be .75 for a block that knows
 * nothing. So the weights of a merge come, where that part is small, from samples that neither taught the block nor chose its epoch:
 * the training and validation samples are divided in folds, the block is trained without each in turn, in the same way, and
 * scored on it (doc/results/README.md has what it brings). The test part is not touched.
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

/* Samples of the validation part that are of the rarer kind: events or not, the rarest class; regression: all. */
static size_t rarest(const mmli_block_training *b, const mml_part *part)
{
    const size_t N = mml_cohort_size(b->cohort), kinds = b->task.kind == MML_SURVIVAL ? 1 : b->task.n_classes;
    size_t least = SIZE_MAX;

    for (size_t k = 0; k < (kinds > 0 ? kinds : 1); k++) {
        size_t n = 0;

        for (size_t i = 0; i < N; i++)
            if (part[i] == MML_PART_VALID && !isnan(b->task.value[i]))
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

static size_t folds_of(const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    const size_t few = b->task.kind == MML_REGRESSION ? FEW_VALUES : FEW_OF_A_KIND;

    if (o->weight_folds != MML_FOLDS_AUTO)
        return (size_t)o->weight_folds;
    return count(part, mml_cohort_size(b->cohort), MML_PART_VALID) > 0 && rarest(b, part) < few ? AUTO_FOLDS : 0;
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

/* Score of the block on the samples it was trained without; NaN when it cannot be computed there. */
static mml_status one_fold(double *score, const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    mml_status st = MML_OK;
    mml_evaluate_options eo;
    mml_evaluation *found = NULL;
    mml_model *model = NULL;

    mml_evaluate_options_init(&eo);
    eo.on = "test";
    eo.bootstrap = 0;
    eo.threads = o->threads;
    MML_TRY(mmli_calloc(&found, 1, sizeof *found));
    MML_TRY(b->run(&model, b, o, part));
    MML_TRY(mml_evaluate(found, model, b->cohort, &eo));
    *score = found->n_metrics > 0 ? found->metrics[0].value : (double)NAN;
out:
    mml_model_free(model);
    mmli_free(found);
    return st;
}

mml_status mmli_train_cross(mmli_provenance *from, const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    const size_t N = mml_cohort_size(b->cohort), folds = folds_of(b, o, part);
    mml_status st = MML_OK;
    mml_train_options inner = *o;
    watched w = {.o = o, .folds = folds};
    mml_part *pool = NULL, *divided = NULL;
    double sum = 0, score, valid;
    size_t scored = 0;

    from->cross_folds = 0;
    if (folds == 0)
        goto out;
    inner.checkpoint = NULL;
    inner.resume = 0;
    inner.watch = o->watch ? watch : NULL;
    inner.watch_user = &w;
    MML_TRY(mmli_calloc(&pool, N, sizeof *pool));
    MML_TRY(mmli_calloc(&divided, N, sizeof *divided));
    for (size_t i = 0; i < N; i++) /* those that lack the modality would be scored by the prior */
        pool[i] = b->modality.offsets[i + 1] > b->modality.offsets[i] ? part[i] : MML_PART_NONE;
    valid = (double)count(pool, N, MML_PART_VALID);
    valid /= valid + (double)count(pool, N, MML_PART_TRAIN);
    for (size_t k = 0; k < folds; k++) {
        memcpy(divided, pool, N * sizeof *divided);
        MML_TRY(mmli_split_again(divided, b->cohort, b->task.name, k, folds, valid, o->split.seed));
        if (count(divided, N, MML_PART_TEST) == 0)
            continue;
        w.fold = k + 1;
        st = one_fold(&score, b, &inner, divided);
        if (st == MML_E_DATA || st == MML_E_NOT_FINITE) { /* too few samples for so many folds: the validation score has to do */
            st = MML_OK;
            goto out;
        }
        MML_TRY(st);
        if (isfinite(score)) {
            sum += score;
            scored++;
        }
    }
    if (scored > 0) {
        from->cross_folds = scored;
        from->cross_score = sum / (double)scored;
    }
out:
    mmli_free(pool);
    mmli_free(divided);
    return st;
}
