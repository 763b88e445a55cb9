/* file_save.c - a model as an HDF5 file (doc/model-file.md). */
#include <string.h>

#include "io/cohort.h"
#include "model/file.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"

/* What is no array: kind and options, as JSON. */
static json_t *block_json(const mmli_member *m)
{
    if (!m->block.steps) /* a modality of a baseline */
        return json_pack("{s:s, s:s, s:s}", "name", m->name, "modality", m->modality, "modality_kind",
                         mmli_modality_kind_name(m->kind));
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:f, s:o}", "name", m->name, "modality", m->modality, "modality_kind",
                     mmli_modality_kind_name(m->kind), "preset", m->preset, "custom",
                     m->block.o.encoder == MML_ENCODER_CUSTOM ? m->block.custom_name : NULL, "latent_rms", m->latent_rms,
                     "options", mmli_block_options_json(&m->block.o));
}

/* NULL = no memory, or a name that is not UTF-8. */
static json_t *config_json(const mml_model *model)
{
    json_t *blocks = json_array(), *config = NULL, *order;
    int failed = blocks == NULL;

    for (size_t i = 0; i < model->n && !failed; i++)
        failed = json_array_append_new(blocks, block_json(&model->members[i])) != 0;
    if (!failed)
        config = json_pack("{s:s, s:O}", "kind", mmli_model_kind_name((int)model->kind), "blocks", blocks);
    json_decref(blocks);
    if (config && model->kind == MML_MODEL_MERGE)
        failed = json_object_set_new(config, "merge", mmli_merge_options_json(&model->merge)) != 0;
    if (config && model->kind == MML_MODEL_FUSE) {
        failed = json_object_set_new(config, "fuse", mmli_fuse_options_json(&model->fuse)) != 0;
        order = json_array();
        for (size_t i = 0; i < model->n && !failed; i++)
            failed = json_array_append_new(order, json_integer((json_int_t)model->order[i])) != 0;
        failed = json_object_set_new(config, "order", order) != 0 || failed;
    }
    if (config && model->kind == MML_MODEL_BASELINE)
        failed = json_object_set_new(config, "baseline", mmli_baseline_options_json(&model->baseline->o)) != 0;
    if (failed) {
        json_decref(config);
        config = NULL;
    }
    return config;
}

static mml_status write_config(const mml_model *model, hid_t loc, const char *path)
{
    mml_status st = MML_OK;
    json_t *config = config_json(model);
    char *text = NULL;

    MML_CHECK(config, MML_E_NOMEM, "%s: no memory for the configuration, or a name in it is not UTF-8", path);
    MML_CHECK((text = json_dumps(config, JSON_INDENT(1) | MMLI_JSON_REALS)) != NULL, MML_E_NOMEM,
              "%s: no memory for the configuration", path);
    MML_TRY(mmli_h5_put_texts((const char *const *)&text, 1, loc, path, "config"));
out:
    free(text);
    json_decref(config);
    return st;
}

static mml_status write_parameters(const mml_model *model, hid_t loc, const char *path)
{
    const mmli_params *params = model->params;
    mml_status st = MML_OK;
    hid_t group = -1;
    float *values = NULL;
    size_t most = 0;
    uint64_t checksum = 0;

    for (size_t i = 0; i < params->n; i++) {
        const size_t n = params->list[i].rows * params->list[i].cols;

        most = n > most ? n : most;
    }
    MML_TRY(mmli_calloc(&values, most, sizeof *values));
    MML_TRY(mmli_h5_group_new(&group, loc, path, "parameters"));
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];
        const size_t dims[2] = {p->rows, p->cols};

        MML_TRY(mmli_params_get(values, params, i));
        MML_TRY(mmli_h5_put(MMLI_H5_F32, 2, dims, values, group, path, p->name));
        checksum = mmli_param_checksum(checksum, p->name, values, p->rows * p->cols);
    }
    MML_TRY(mmli_h5_set_u64(group, path, "checksum", checksum));
out:
    mmli_h5_drop(group);
    mmli_free(values);
    return st;
}

static mml_status write_block(const mmli_member *m, size_t i, hid_t blocks, const char *path)
{
    mml_status st = MML_OK;
    hid_t group = -1, prep = -1;
    char number[24];

    snprintf(number, sizeof number, "%zu", i);
    MML_TRY(mmli_h5_group_new(&group, blocks, path, number));
    MML_TRY(mmli_h5_set_text(group, path, "name", m->name)); /* for readers of the file; ours is in the JSON */
    MML_TRY(mmli_h5_group_new(&prep, group, path, "prep"));
    MML_TRY(mmli_prep_save(m->prep, prep, path));
    MML_TRY(mmli_provenance_write(&m->from, group, path, "provenance"));
out:
    mmli_h5_drop(prep);
    mmli_h5_drop(group);
    return st;
}

mml_status mmli_model_write_facts(const mml_model *model, hid_t loc, const char *path)
{
    mml_status st = MML_OK;
    hid_t task = -1, blocks = -1;

    MML_TRY(mmli_h5_set_text(loc, path, "library", mml_version()));
    MML_TRY(write_config(model, loc, path));
    MML_TRY(mmli_h5_group_new(&task, loc, path, "task"));
    MML_TRY(mmli_task_save(model->task, task, path));
    MML_TRY(mmli_h5_group_new(&blocks, loc, path, "blocks"));
    for (size_t i = 0; i < model->n; i++)
        MML_TRY(write_block(&model->members[i], i, blocks, path));
    if (model->kind == MML_MODEL_MERGE)
        MML_TRY(mmli_h5_put(MMLI_H5_F64, 1, &model->n, model->weights, loc, path, "weights"));
    if (model->kind == MML_MODEL_FUSE || model->kind == MML_MODEL_BASELINE)
        MML_TRY(mmli_provenance_write(&model->from, loc, path, "provenance"));
out:
    mmli_h5_drop(blocks);
    mmli_h5_drop(task);
    return st;
}

mml_status mmli_model_write(const mml_model *model, hid_t loc, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_model_write_facts(model, loc, path));
    MML_TRY(write_parameters(model, loc, path));
out:
    return st;
}

mml_status mml_model_save(const mml_model *model, const char *path)
{
    mml_status st = MML_OK;
    mmli_atomic *a = NULL;
    hid_t file = -1;

    MML_GIVEN(model, path);
    MML_TRY(mmli_atomic_begin(&a, path));
    MML_TRY(mmli_h5_create(&file, mmli_atomic_path(a), path));
    MML_TRY(mmli_h5_set_format(file, path, MMLI_MODEL_FORMAT, MMLI_MODEL_VERSION));
    MML_TRY(mmli_model_write(model, file, path));
    MML_TRY(mmli_h5_finish(&file, path));
    MML_TRY(mmli_atomic_commit(a));
out:
    mmli_h5_drop(file);
    mmli_atomic_abort(a);
    return st;
}
