/* facts.c - what a caller can ask a model without running it. */
#include <string.h>

#include "model/model.h"
#include "util/error.h"

mml_model_kind mml_model_get_kind(const mml_model *model)
{
    return model->kind;
}

mml_status mml_model_baseline(mml_baseline_options *out, const mml_model *model)
{
    MML_GIVEN(out, model);
    if (model->kind != MML_MODEL_BASELINE)
        return mmli_fail(MML_E_ARG, "the model is no baseline");
    *out = model->baseline->o;
    return MML_OK;
}

mml_task_kind mml_model_task_kind(const mml_model *model)
{
    return model->task->kind;
}

const char *mml_model_task(const mml_model *model)
{
    return model->task->name;
}

size_t mml_model_n_outputs(const mml_model *model)
{
    return model->task->outputs;
}

size_t mml_model_n_blocks(const mml_model *model)
{
    return model->n;
}

size_t mml_model_committee(const mml_model *model, size_t i)
{
    const mmli_member *m = i < model->n ? &model->members[i] : NULL;
    size_t here = 0;

    if (!m || m->from.committee < 2)
        return 1;
    for (size_t j = 0; j < model->n; j++) /* not all need be here: one may have been taken out of a file */
        here += model->members[j].from.committee == m->from.committee && strcmp(model->members[j].modality, m->modality) == 0;
    return here < m->from.committee ? here : m->from.committee;
}

const char *mml_model_block_name(const mml_model *model, size_t i)
{
    return i < model->n ? model->members[i].name : NULL;
}

const char *mml_model_block_modality(const mml_model *model, size_t i)
{
    return i < model->n ? model->members[i].modality : NULL;
}

size_t mml_model_n_classes(const mml_model *model)
{
    return model->task->classes ? model->task->outputs : 0;
}

const char *mml_model_class(const mml_model *model, size_t i)
{
    return i < mml_model_n_classes(model) ? model->task->classes[i] : NULL;
}

const double *mml_model_bins(const mml_model *model)
{
    return model->task->edges;
}

size_t mml_model_n_parameters(const mml_model *model)
{
    return mmli_params_count(model->params);
}
