/* committee.c - several trainings of one block that speak as one: a cross-validation committee (Parmanto, Munro, Doyle 1996).
 *
 * Each member has been trained without another fold, chose its epoch on other samples and started from other values, so that their errors
 * differ and their mean has less variance than any of them. The head alone starts the same: their latents are averaged and read by
 * one head, as those of different modalities are in any merge.
 */
#include "train/cross.h"

#include "util/alloc.h"
#include "util/error.h"

/* The member of a fold knows of the whole what the first one does: how good it is, and which samples are for testing. Those
 * of its own fold are not: others of the committee have been trained on them. */
static mml_status belong(mmli_provenance *p, const mmli_provenance *first, size_t size)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_provenance_copy_ids(p, first, 2));
    p->cross_folds = first->cross_folds;
    p->cross_score = first->cross_score;
    p->committee = size;
out:
    return st;
}

mml_status mmli_committee_make(mml_model **block, mml_model *const *more, size_t n)
{
    mml_status st = MML_OK;
    mmli_provenance *first = &(*block)->members[0].from;
    const mml_model **all = NULL;
    mml_merge_options o;
    mml_model *merged = NULL;

    MML_TRY(mmli_calloc(&all, n + 1, sizeof *all));
    all[0] = *block;
    first->committee = n + 1;
    for (size_t i = 0; i < n; i++) {
        MML_TRY(belong(&more[i]->members[0].from, first, n + 1));
        all[i + 1] = more[i];
    }
    MML_TRY(mml_merge_options_init(&o, NULL));
    o.weighting = MML_WEIGHT_EQUAL;
    MML_TRY(mml_merge(&merged, all, n + 1, &o));
    mml_model_free(*block);
    *block = merged;
out:
    mmli_free(all);
    return st;
}
