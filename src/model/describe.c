/* describe.c - what `mmlego inspect` says of a model. Not read back by anything: the file is (file_load.c). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/cohort.h"
#include "model/file.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/json.h"

/* NaN and infinity have no JSON form. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *hex(uint64_t x)
{
    char text[20];

    snprintf(text, sizeof text, "%016" PRIx64, x);
    return json_string(text);
}

static json_t *decimal(uint64_t x)
{
    return x <= INT64_MAX ? json_integer((json_int_t)x) : mmli_json_wide(x);
}

/* Training options were stored as JSON; a text that is none is given as it is. */
static json_t *settings(const char *text)
{
    json_t *value = text ? json_loads(text, 0, NULL) : json_null();

    return value ? value : json_string(text);
}

/* "" = none. */
static const char *word(const char *text)
{
    return text && *text ? text : NULL;
}

static json_t *provenance(const mmli_provenance *p)
{
    if (!p->version)
        return json_null();
    return json_pack("{s:s, s:s?, s:o, s:o, s:s?, s:{s:I, s:I, s:I}, s:I, s:o, s:o, s:I, s:o, s:I, s:o, s:o}", "version", p->version, "backend",
                     word(p->backend), "seed", decimal(p->seed), "data_hash", hex(p->data_hash), "split",
                     word(p->split), "samples", "train", (json_int_t)p->n_ids[0], "valid", (json_int_t)p->n_ids[1],
                     "test", (json_int_t)p->n_ids[2], "epochs", (json_int_t)p->n_history, "best_epoch",
                     p->best_epoch ? json_integer((json_int_t)p->best_epoch) : json_null(), "valid_score",
                     number(p->valid_score), "cross_folds", (json_int_t)p->cross_folds, "cross_score",
                     number(p->cross_folds > 0 ? p->cross_score : (double)NAN), "committee", (json_int_t)p->committee, "seconds", number(p->seconds), "settings", settings(p->settings));
}

/* Scalars of the parameters called before + name + "." and something. */
static size_t count(const mml_model *model, const char *before, const char *name)
{
    const size_t at = strlen(before), n = strlen(name);
    size_t scalars = 0;

    for (size_t i = 0; i < model->params->n; i++) {
        const mmli_param *p = &model->params->list[i];

        if (!p->dead && strncmp(p->name, before, at) == 0 && strncmp(p->name + at, name, n) == 0 && p->name[at + n] == '.')
            scalars += p->rows * p->cols;
    }
    return scalars;
}

static json_t *block(const mml_model *model, size_t i)
{
    const mmli_member *m = &model->members[i];

    if (model->baseline)
        return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "name", m->name, "modality", m->modality, "modality_kind",
                         mmli_modality_kind_name(m->kind), "token_width", (json_int_t)m->prep->width_out, "parameters",
                         (json_int_t)count(model, "baseline.inputs.", m->name), "preprocessing", mmli_prep_json(m->prep));
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:I, s:f, s:o, s:o, s:o}", "name", m->name, "modality", m->modality,
                     "modality_kind", mmli_modality_kind_name(m->kind), "preset", word(m->preset), "custom_encoder",
                     m->block.custom_name, "token_width", (json_int_t)m->prep->width_out, "parameters",
                     (json_int_t)count(model, "blocks.", m->name), "latent_rms", m->latent_rms, "options",
                     mmli_block_options_json(&m->block.o), "preprocessing", mmli_prep_json(m->prep), "provenance",
                     provenance(&m->from));
}

/* Sets a value; a NULL one, or an object that failed before, fails. */
static int set(json_t **object, const char *key, json_t *value)
{
    if (!*object || json_object_set_new(*object, key, value) != 0) {
        if (!*object)
            json_decref(value);
        json_decref(*object);
        *object = NULL;
        return 0;
    }
    return 1;
}

static json_t *blocks(const mml_model *model)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < model->n; i++)
        if (json_array_append_new(list, block(model, i)) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* Weights by block, of sum 1. */
static json_t *weights(const mml_model *model)
{
    json_t *object = json_object();
    double sum = 0.0;

    for (size_t i = 0; i < model->n; i++)
        sum += model->weights[i];
    for (size_t i = 0; i < model->n; i++)
        set(&object, model->members[i].name, json_real(model->weights[i] / sum));
    return object;
}

static json_t *order(const mml_model *model)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < model->n; i++)
        if (json_array_append_new(list, json_string(model->members[model->order[i]].name)) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *describe(const mml_model *model)
{
    json_t *top = json_object();

    set(&top, "format", json_string(MMLI_MODEL_FORMAT));
    set(&top, "kind", json_string(mmli_model_kind_name((int)model->kind)));
    set(&top, "task", mmli_task_json(model->task));
    set(&top, "outputs", json_integer((json_int_t)model->task->outputs));
    set(&top, "parameters", json_integer((json_int_t)mmli_params_count(model->params)));
    set(&top, "blocks", blocks(model));
    if (model->kind == MML_MODEL_MERGE) {
        set(&top, "merge", mmli_merge_options_json(&model->merge));
        set(&top, "weights", weights(model));
    }
    if (model->kind == MML_MODEL_FUSE) {
        set(&top, "fuse", mmli_fuse_options_json(&model->fuse));
        set(&top, "order", order(model));
        set(&top, "provenance", provenance(&model->from));
    }
    if (model->kind == MML_MODEL_BASELINE) {
        set(&top, "baseline", mmli_baseline_options_json(&model->baseline->o));
        set(&top, "provenance", provenance(&model->from));
    }
    return top;
}

mml_status mml_model_describe(char **json, const mml_model *model)
{
    mml_status st = MML_OK;
    json_t *top = NULL;
    char *text = NULL;

    MML_GIVEN(json);
    *json = NULL;
    MML_GIVEN(model);
    top = describe(model);
    text = top ? json_dumps(top, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    MML_CHECK(text, MML_E_NOMEM, "no memory to describe the model, or a name in it is not UTF-8");
    MML_TRY(mmli_strdup(json, text));
out:
    free(text);
    json_decref(top);
    return st;
}
