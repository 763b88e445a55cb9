/* replica.c - the same model on another device: for trainings that share their batches. */
#include <string.h>

#include "model/model.h"
#include "util/alloc.h"
#include "util/error.h"

/* All values at once: both sets are declared alike and have nothing that is another's. */
static mml_status copy_values(mmli_params *to, const mmli_params *from)
{
    mml_status st = MML_OK;
    float *values = NULL;

    MML_CHECK(to->n == from->n && to->total == from->total, MML_E_INTERNAL, "a replica has %zu parameters in %zu numbers, not %zu in %zu",
              to->n, to->total, from->n, from->total);
    MML_TRY(mmli_calloc(&values, from->total, sizeof *values));
    MML_TRY(from->dv->k.download(from->dv, values, from->data, from->total * sizeof *values));
    MML_TRY(to->dv->k.upload(to->dv, to->data, values, from->total * sizeof *values));
out:
    mmli_free(values);
    return st;
}

mml_status mmli_model_replica(mml_model **out, const mml_model *model, const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    mml_model *copy = NULL;

    *out = NULL;
    MML_CHECK(model->kind == MML_MODEL_BLOCK || model->kind == MML_MODEL_FUSE, MML_E_ARG,
              "only blocks and fuses are trained with several devices; give one");
    MML_TRY(mmli_model_new(&copy, model->kind, NULL, table, threads));
    MML_TRY(mmli_task_copy(&copy->task, model->task));
    for (size_t i = 0; i < model->n; i++)
        MML_TRY(mmli_model_add_copy(copy, model, i));
    copy->fuse = model->fuse;
    if (model->kind == MML_MODEL_FUSE)
        MML_TRY(mmli_model_declare_fuse(copy));
    MML_TRY(mmli_model_build(copy));
    if (model->order)
        memcpy(copy->order, model->order, model->n * sizeof *copy->order);
    MML_TRY(copy_values(copy->params, model->params));
    *out = copy;
    copy = NULL;
out:
    mml_model_free(copy);
    return st;
}
