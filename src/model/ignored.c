/* ignored.c - columns of a cohort that no block of a model reads. */
#include <string.h>

#include "io/cohort.h"
#include "mmlego/predict.h"
#include "model/model.h"
#include "util/alloc.h"
#include "util/error.h"

/* What stays of the list is in the other one, too. Both are in the order of the cohort's features. */
static size_t keep_common(mmli_ignored *list, size_t n, const mmli_match *other)
{
    size_t kept = 0, o = 0;

    for (size_t i = 0; i < n; i++) {
        while (o < other->n_ignored && other->ignored[o].at < list[i].at)
            o++;
        if (o < other->n_ignored && other->ignored[o].at == list[i].at)
            list[kept++] = list[i];
    }
    return kept;
}

/* Those of one modality: ignored by all blocks that read it. */
static mml_status ignored_of(mmli_ignored **list, size_t *n, const mml_model *model, const mml_cohort *cohort,
                             const mml_modality_info *info)
{
    mml_status st = MML_OK;
    mmli_match *match = NULL;

    *n = 0;
    for (size_t m = 0; m < model->n; m++) {
        if (strcmp(model->members[m].modality, info->name) != 0 || model->members[m].kind != info->kind)
            continue;
        if ((st = mmli_match_make(&match, model->members[m].prep, info)) != MML_OK) {
            st = mmli_fail_prefix(st, "%s", mml_cohort_path(cohort));
            goto out;
        }
        if (*list == NULL) {
            *list = match->ignored;
            *n = match->n_ignored;
            match->ignored = NULL;
        } else {
            *n = keep_common(*list, *n, match);
        }
        mmli_match_free(match);
        match = NULL;
        if (*n == 0)
            break;
    }
out:
    return st;
}

mml_status mml_model_ignored(mml_ignored_column **out, size_t *n, const mml_model *model, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_ignored_column *list = NULL;
    mmli_ignored *one = NULL;
    size_t n_list = 0, n_one;
    mml_modality_info info;

    MML_GIVEN_AS("list, n", out, n);
    *out = NULL;
    *n = 0;
    MML_GIVEN(model, cohort);
    for (size_t i = 0; i < mml_cohort_n_modalities(cohort); i++) {
        MML_TRY(mml_cohort_modality_at(&info, cohort, i));
        MML_TRY(ignored_of(&one, &n_one, model, cohort, &info));
        if (n_one > 0) {
            MML_TRY(mmli_realloc(&list, n_list + n_one, sizeof *list));
            for (size_t k = 0; k < n_one; k++)
                list[n_list++] = (mml_ignored_column){info.name, one[k].name};
        }
        mmli_free(one);
        one = NULL;
    }
    *out = list;
    *n = n_list;
    list = NULL;
out:
    mmli_free(one);
    mmli_free(list);
    return st;
}

void mml_ignored_columns_free(mml_ignored_column *list)
{
    mmli_free(list);
}
