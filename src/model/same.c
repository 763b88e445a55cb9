/* same.c - is a block a copy of another? */
#include <string.h>

#include "model/model.h"
#include "util/alloc.h"
#include "util/error.h"

/* Parameters stand in the same order in blocks of the same options: of others a shape differs, or a number. */
static bool may_be_same(const mml_model *a, const mmli_member *x, const mml_model *b, const mmli_member *y)
{
    if (strcmp(x->modality, y->modality) != 0 || x->n_params != y->n_params || x->n_params == 0)
        return false;
    for (size_t k = 0; k < x->n_params; k++) {
        const mmli_param *p = &a->params->list[x->first + k], *q = &b->params->list[y->first + k];

        if (strcmp(p->key, q->key) != 0 || p->rows != q->rows || p->cols != q->cols)
            return false;
    }
    return true;
}

static mml_status compare(bool *same, const mml_model *a, const mmli_member *x, const mml_model *b, const mmli_member *y)
{
    mml_status st = MML_OK;
    float *p = NULL, *q = NULL;

    for (size_t k = 0; k < x->n_params && *same; k++) {
        const mmli_param *of = &a->params->list[x->first + k];
        const size_t n = of->rows * of->cols;

        MML_TRY(mmli_calloc(&p, n, sizeof *p));
        MML_TRY(mmli_calloc(&q, n, sizeof *q));
        MML_TRY(mmli_params_get(p, a->params, x->first + k));
        MML_TRY(mmli_params_get(q, b->params, y->first + k));
        *same = memcmp(p, q, n * sizeof *p) == 0;
        mmli_free(p);
        mmli_free(q);
        p = q = NULL;
    }
out:
    mmli_free(p);
    mmli_free(q);
    return st;
}

mml_status mml_model_same_block(int *same, const mml_model *a, size_t i, const mml_model *b, size_t j)
{
    mml_status st = MML_OK;
    bool is;

    MML_GIVEN(same);
    *same = 0;
    MML_GIVEN(a, b);
    MML_CHECK(i < a->n && j < b->n, MML_E_ARG, "mml_model_same_block: block %zu of %zu and %zu of %zu", i, a->n, j, b->n);
    is = may_be_same(a, &a->members[i], b, &b->members[j]);
    MML_TRY(compare(&is, a, &a->members[i], b, &b->members[j]));
    *same = is;
out:
    return st;
}
