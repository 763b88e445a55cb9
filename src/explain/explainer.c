/* explainer.c - a device, a tape and the parameters of a model: what every explanation runs passes with. */
#include "explain/explainer.h"

#include <math.h>
#include <string.h>

#include "model/predictor.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { POINTS = 32, MOST_POINTS = 4096 };

void mml_explain_options_init(mml_explain_options *options)
{
    *options = (mml_explain_options){.struct_size = sizeof *options, .points = POINTS, .tolerance = 0.01};
}

void mml_explainer_free(mml_explainer *e)
{
    if (!e)
        return;
    if (e->dv)
        mmli_heads_clear(&e->heads, e->dv);
    mmli_tape_free(e->tape);
    mmli_params_free(e->copy);
    mmli_device_close(e->dv);
    mmli_free(e->score);
    mmli_free(e);
}

void mmli_explainer_set_large(mml_explainer *e, size_t bytes)
{
    e->large = bytes;
}

const char *mml_explainer_score(const mml_explainer *e)
{
    return e->score;
}

/* Options of an older header are shorter: what they lack keeps its default. */
static mml_status take_options(mml_explain_options *o, const mml_explain_options *given)
{
    mml_status st = MML_OK;

    mml_explain_options_init(o);
    if (given) {
        MML_CHECK(given->struct_size >= sizeof given->struct_size && given->struct_size <= sizeof *given, MML_E_ARG,
                  "mml_explain_options: struct_size %zu is not that of any version; mml_explain_options_init() sets it",
                  given->struct_size);
        memcpy(o, given, given->struct_size);
    }
    MML_CHECK(o->points >= 2 && o->points <= MOST_POINTS, MML_E_ARG, "points must be from 2 to %d, not %zu", MOST_POINTS,
              o->points);
    MML_CHECK(o->tolerance > 0, MML_E_ARG, "tolerance must be above 0, not %g", o->tolerance);
out:
    return st;
}

static mml_status find_target(mml_explainer *e, const char *name)
{
    const mmli_task *task = e->model->task;
    char list[MMLI_LIST_BYTES];
    mml_status st = MML_OK;

    e->target = task->kind == MML_BINARY ? task->outputs - 1 : SIZE_MAX;
    if (!name)
        goto out;
    MML_CHECK(task->classes, MML_E_ARG, "task %s has no classes: there is none to choose", task->name);
    for (size_t i = 0; i < task->outputs; i++)
        if (strcmp(task->classes[i], name) == 0) {
            e->target = i;
            goto out;
        }
    st = mmli_fail(MML_E_NOT_FOUND, "task %s has no class `%s`; it has %s", task->name, name,
                   mmli_list(list, (const char *const *)task->classes, task->outputs));
out:
    return st;
}

static mml_status name_score(mml_explainer *e)
{
    const mmli_task *task = e->model->task;
    mml_status st = MML_OK;
    mmli_buf text = {0};

    if (task->kind == MML_SURVIVAL)
        MML_TRY(mmli_buf_puts(&text, mmli_task_is_cox(task) ? "log relative risk" : "risk"));
    else if (task->kind == MML_REGRESSION)
        MML_TRY(mmli_buf_puts(&text, "value"));
    else {
        MML_TRY(mmli_buf_puts(&text, "log odds of "));
        MML_TRY(mmli_buf_puts(&text, e->target < task->outputs ? task->classes[e->target] : "the predicted class"));
    }
    st = mmli_buf_take(&text, &e->score);
out:
    mmli_buf_free(&text);
    return st;
}

static mml_status check_modalities(const mml_explainer *e)
{
    char list[MMLI_LIST_BYTES];
    const char **names = NULL;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&names, e->model->n, sizeof *names));
    for (size_t i = 0; i < e->model->n; i++)
        names[i] = e->model->members[i].modality;
    for (size_t j = 0; e->o.modalities && j < e->o.n_modalities; j++) {
        bool known = false;

        for (size_t i = 0; i < e->model->n; i++)
            known = known || strcmp(names[i], e->o.modalities[j]) == 0;
        MML_CHECK(known, MML_E_NOT_FOUND, "the model has no modality %s; it has %s", e->o.modalities[j],
                  mmli_list(list, names, e->model->n));
    }
out:
    mmli_free(names);
    return st;
}

mml_status mml_explainer_new(mml_explainer **out, const mml_model *model, const mml_explain_options *options)
{
    mml_status st = MML_OK;
    mml_explainer *e = NULL;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(model);
    MML_TRY(mmli_calloc(&e, 1, sizeof *e));
    e->model = model;
    e->large = MMLI_WALK_LARGE;
    MML_TRY(take_options(&e->o, options));
    MML_TRY(find_target(e, e->o.target));
    MML_TRY(name_score(e));
    MML_TRY(check_modalities(e));
    MML_TRY(e->o.device ? mmli_device_open(&e->dv, e->o.device, e->o.threads)
                        : mmli_device_open_table(&e->dv, &model->dv->k, e->o.threads));
    MML_TRY(mmli_tape_new(&e->tape, e->dv));
    MML_TRY(mmli_params_for(&e->params, &e->copy, model, e->dv));
    e->o.device = e->o.target = NULL;
    *out = e;
    e = NULL;
out:
    mml_explainer_free(e);
    return st;
}

mml_status mmli_explainer_logits(float *out, const mml_explainer *e, const mmli_inputs *in, const mmli_var *logits)
{
    const size_t B = in->samples, k = e->model->task->outputs;
    mml_status st = MML_OK;

    if (logits)
        MML_TRY(e->dv->k.download(e->dv, out, logits->data, B * k * sizeof *out));
    for (size_t b = 0; b < B; b++) {
        bool any = false;

        for (size_t m = 0; m < e->model->n; m++)
            any = any || in->present[m * B + b];
        if (!any)
            memcpy(out + b * k, e->model->task->prior_logits, k * sizeof *out);
        for (size_t j = 0; j < k; j++)
            MML_CHECK(isfinite(out[b * k + j]), MML_E_NOT_FINITE,
                      "the prediction of sample %zu of the batch is not finite: the model has diverged", b + 1);
    }
out:
    return st;
}
