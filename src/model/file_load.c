/* file_load.c - a model out of an HDF5 file, with nothing in the file trusted (doc/model-file.md).
 *
 * The order matters: first the small things that say what there must be, then everything that must be there is
 * looked for, and only then is memory asked for and filled. */
#include <math.h>
#include <string.h>

#include "io/cohort.h"
#include "model/file.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* What loading needs everywhere. */
typedef struct loading {
    hid_t loc;
    const char *path;
    const mml_encoder *encoders;
    size_t n_encoders;
    const mmli_parameter_source *source; /* NULL: the parameters are in the file */
    json_t *config;
    mml_model *model;
} loading;

static mml_status read_config(json_t **out, hid_t loc, const char *path)
{
    mml_status st = MML_OK;
    char **texts = NULL;
    size_t n = 0;
    json_error_t error;

    *out = NULL;
    MML_TRY(mmli_h5_get_texts(&texts, &n, loc, path, "config"));
    MML_CHECK(n == 1, MML_E_FORMAT, "%s: config: one text needed, not %zu", path, n);
    MML_CHECK((*out = json_loads(texts[0], JSON_REJECT_DUPLICATES, &error)) != NULL, MML_E_FORMAT,
              "%s: config, line %d: %s", path, error.line, error.text);
out:
    mmli_h5_texts_free(texts, n);
    return st;
}

static mml_status text_of(const char **out, const json_t *object, const char *key, const char *where)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? MML_OK : mmli_fail(MML_E_FORMAT, "%s: %s is missing or no text", where, key);
}

static mml_status find_encoder(const mml_encoder **out, const loading *l, const json_t *block, const char *where)
{
    mml_status st = MML_OK;
    const char *name, **names = NULL;
    char list[MMLI_LIST_BYTES];

    *out = NULL;
    MML_TRY(text_of(&name, block, "custom", where));
    for (size_t i = 0; i < l->n_encoders; i++)
        if (strcmp(l->encoders[i].name, name) == 0) {
            *out = &l->encoders[i];
            goto out;
        }
    MML_TRY(mmli_calloc(&names, l->n_encoders, sizeof *names));
    for (size_t i = 0; i < l->n_encoders; i++)
        names[i] = l->encoders[i].name;
    st = mmli_fail(MML_E_NOT_FOUND, "%s was trained with the custom encoder `%s`: give it to mml_model_load(); given: %s",
                   where, name, mmli_list(list, names, l->n_encoders));
out:
    mmli_free(names);
    return st;
}

static mml_status read_prep(mmli_prep **out, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    hid_t prep = -1;

    *out = NULL;
    MML_TRY(mmli_h5_group(&prep, group, path, "prep"));
    MML_TRY(mmli_prep_load(out, prep, path));
out:
    mmli_h5_drop(prep);
    return st;
}

/* A modality of a baseline. */
static mml_status add_input(const loading *l, const json_t *json, size_t i, hid_t blocks)
{
    mml_status st = MML_OK;
    mmli_prep *prep = NULL;
    const char *modality, *kind;
    char number[24], *where = NULL;
    hid_t group = -1;
    mml_modality_kind k;

    MML_TRY(mmli_strf(&where, "%s: block %zu", l->path, i));
    MML_TRY(text_of(&modality, json, "modality", where));
    MML_TRY(text_of(&kind, json, "modality_kind", where));
    MML_CHECK(mmli_modality_kind_of(&k, kind), MML_E_FORMAT, "%s: unknown kind of modality %s", where, kind);
    snprintf(number, sizeof number, "%zu", i);
    MML_TRY(mmli_h5_group(&group, blocks, l->path, number));
    MML_TRY(read_prep(&prep, group, l->path));
    if ((st = mmli_model_add_input(l->model, modality, k, prep)) != MML_OK) {
        st = mmli_fail_prefix(st, "%s", where);
        goto out;
    }
    prep = NULL;
out:
    mmli_prep_free(prep);
    mmli_h5_drop(group);
    mmli_free(where);
    return st;
}

static mml_status add_block(const loading *l, const json_t *json, size_t i, hid_t blocks)
{
    mml_status st = MML_OK;
    mml_block_options o = {.struct_size = sizeof o};
    const mml_encoder *custom = NULL;
    mmli_prep *prep = NULL;
    mmli_member *m;
    const char *name, *modality, *kind, *preset;
    char number[24], *where = NULL;
    double rms = json_number_value(json_object_get(json, "latent_rms"));
    hid_t group = -1;
    mml_modality_kind k;

    MML_TRY(mmli_strf(&where, "%s: block %zu", l->path, i));
    MML_TRY(text_of(&name, json, "name", where));
    MML_TRY(text_of(&modality, json, "modality", where));
    MML_TRY(text_of(&kind, json, "modality_kind", where));
    MML_TRY(text_of(&preset, json, "preset", where));
    MML_CHECK(mmli_modality_kind_of(&k, kind), MML_E_FORMAT, "%s: unknown kind of modality %s", where, kind);
    MML_CHECK(rms > 0.0 && isfinite(rms), MML_E_FORMAT, "%s: latent_rms is not a number above 0", where);
    MML_TRY(mmli_block_options_parse(&o, json_object_get(json, "options"), where));
    if (o.encoder == MML_ENCODER_CUSTOM)
        MML_TRY(find_encoder(&custom, l, json, where));
    o.custom = custom ? custom->name : NULL;
    snprintf(number, sizeof number, "%zu", i);
    MML_TRY(mmli_h5_group(&group, blocks, l->path, number));
    MML_TRY(read_prep(&prep, group, l->path));
    if ((st = mmli_model_add(l->model, modality, k, preset, &o, prep, l->model->task->outputs, -1.0f,
                             custom)) != MML_OK) {
        st = mmli_fail_prefix(st, "%s", where);
        goto out;
    }
    prep = NULL;
    m = &l->model->members[l->model->n - 1];
    MML_CHECK(strcmp(m->name, name) == 0, MML_E_FORMAT, "%s: it is called %s, but should be %s", where, name, m->name);
    m->latent_rms = rms;
    MML_TRY(mmli_provenance_read(&m->from, group, l->path, "provenance"));
out:
    mmli_prep_free(prep);
    mmli_h5_drop(group);
    mmli_free(where);
    return st;
}

static mml_status add_blocks(const loading *l)
{
    const json_t *list = json_object_get(l->config, "blocks");
    const size_t n = json_array_size(list);
    mml_status st = MML_OK;
    hid_t blocks = -1;
    char **names = NULL;
    size_t n_names = 0;

    MML_CHECK(n > 0, MML_E_FORMAT, "%s: config: no blocks", l->path);
    MML_CHECK(l->model->kind != MML_MODEL_BLOCK || n == 1, MML_E_FORMAT, "%s: config: %zu blocks in a model that is a block",
              l->path, n);
    MML_TRY(mmli_h5_group(&blocks, l->loc, l->path, "blocks"));
    MML_TRY(mmli_h5_members(&names, &n_names, blocks, l->path, NULL));
    MML_CHECK(n_names == n, MML_E_FORMAT, "%s: blocks: %zu groups, the configuration has %zu blocks", l->path, n_names, n);
    for (size_t i = 0; i < n; i++)
        MML_TRY((l->model->kind == MML_MODEL_BASELINE ? add_input : add_block)(l, json_array_get(list, i), i, blocks));
out:
    mmli_h5_texts_free(names, n_names);
    mmli_h5_drop(blocks);
    return st;
}

static mml_status read_merge(const loading *l)
{
    mml_model *model = l->model;
    mml_status st = MML_OK;
    double sum = 0.0;
    char *where = NULL;

    MML_TRY(mmli_strf(&where, "%s: merge", l->path));
    MML_TRY(mmli_merge_options_parse(&model->merge, json_object_get(l->config, "merge"), where));
    MML_TRY(mmli_calloc(&model->weights, model->n, sizeof *model->weights));
    MML_TRY(mmli_h5_get(model->weights, MMLI_H5_F64, 1, &model->n, l->loc, l->path, "weights"));
    for (size_t i = 0; i < model->n; i++) {
        MML_CHECK(model->weights[i] >= 0.0 && isfinite(model->weights[i]), MML_E_FORMAT,
                  "%s: weights: number %zu is not a number >= 0", l->path, i + 1);
        sum += model->weights[i];
    }
    MML_CHECK(sum > 0.0 && isfinite(sum), MML_E_FORMAT, "%s: weights: all of them are 0", l->path);
out:
    mmli_free(where);
    return st;
}

static mml_status read_fuse(const loading *l)
{
    mml_model *model = l->model;
    const json_t *order = json_object_get(l->config, "order");
    mml_status st = MML_OK;
    char *where = NULL;
    uint8_t *seen = NULL;

    MML_TRY(mmli_strf(&where, "%s: fuse", l->path));
    MML_TRY(mmli_fuse_options_parse(&model->fuse, json_object_get(l->config, "fuse"), where));
    MML_TRY(mmli_calloc(&model->order, model->n, sizeof *model->order));
    MML_TRY(mmli_calloc(&seen, model->n, sizeof *seen));
    MML_CHECK(json_array_size(order) == model->n, MML_E_FORMAT, "%s: order has %zu numbers for %zu blocks", where,
              json_array_size(order), model->n);
    for (size_t i = 0; i < model->n; i++) {
        const json_t *value = json_array_get(order, i);
        const json_int_t at = json_integer_value(value);

        MML_CHECK(json_is_integer(value) && at >= 0 && (json_int_t)model->n > at && !seen[at], MML_E_FORMAT,
                  "%s: order does not name every block once", where);
        seen[at] = 1;
        model->order[i] = (size_t)at;
    }
    MML_TRY(mmli_model_declare_fuse(model));
    MML_TRY(mmli_provenance_read(&model->from, l->loc, l->path, "provenance"));
out:
    mmli_free(seen);
    mmli_free(where);
    return st;
}

static mml_status read_baseline(const loading *l)
{
    mml_status st = MML_OK;
    mml_baseline_options o = {.struct_size = sizeof o};
    char *where = NULL;

    MML_TRY(mmli_strf(&where, "%s: baseline", l->path));
    MML_TRY(mmli_baseline_options_parse(&o, json_object_get(l->config, "baseline"), where));
    MML_TRY(mmli_model_declare_baseline(l->model, &o));
    MML_TRY(mmli_provenance_read(&l->model->from, l->loc, l->path, "provenance"));
out:
    mmli_free(where);
    return st;
}

/* All members' states must fit together, as when they were joined. */
static mml_status check_shapes(const mml_model *model, const char *path)
{
    const mmli_block *a = &model->members[0].block;
    mml_status st = MML_OK;

    for (size_t i = 1; i < model->n; i++) {
        const mmli_block *b = &model->members[i].block;

        MML_CHECK(a->o.latent_c == b->o.latent_c && a->o.latent_d == b->o.latent_d, MML_E_FORMAT,
                  "%s: blocks %s and %s have latents of different sizes", path, model->members[0].name,
                  model->members[i].name);
    }
out:
    return st;
}

static bool declared(const mmli_params *params, const char *name)
{
    for (size_t i = 0; i < params->n; i++)
        if (strcmp(params->list[i].name, name) == 0)
            return true;
    return false;
}

/* Every parameter that is declared is in the file, and no other; with its declared shape, so that the memory asked for
 * next is memory that the file can fill. */
static mml_status check_parameters(const mmli_params *params, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    char **names = NULL;
    size_t n = 0, dims[MMLI_H5_MAX_RANK];
    bool there;
    int rank;

    MML_TRY(mmli_h5_members(&names, &n, group, path, NULL));
    for (size_t i = 0; i < n; i++)
        MML_CHECK(declared(params, names[i]), MML_E_FORMAT, "%s: parameter %s does not belong to this model", path, names[i]);
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];

        MML_TRY(mmli_h5_exists(&there, group, path, p->name));
        MML_CHECK(there, MML_E_FORMAT, "%s: parameter %s is missing", path, p->name);
        MML_TRY(mmli_h5_shape(dims, &rank, group, path, p->name));
        MML_CHECK(rank == 2 && dims[0] == p->rows && dims[1] == p->cols, MML_E_FORMAT,
                  "%s: parameter %s has another shape than the configuration says: (%zu, %zu) needed", path, p->name,
                  p->rows, p->cols);
    }
out:
    mmli_h5_texts_free(names, n);
    return st;
}

/* The configuration alone could ask for any amount of memory. Parameters hardly compress: a file cannot be this much
 * smaller than what it says it holds. */
static mml_status check_size(const mmli_params *params, hid_t loc, const char *path)
{
    enum { ALWAYS_FINE = 16 << 20, BEST_RATIO = 32 };
    const double bytes = (double)params->total * (double)sizeof(float);
    mml_status st = MML_OK;
    hsize_t size = 0;
    hid_t file;

    mmli_h5_lock();
    file = H5Iget_file_id(loc);
    if (file < 0 || H5Fget_filesize(file, &size) < 0)
        size = 0;
    mmli_h5_drop(file);
    mmli_h5_unlock();
    MML_CHECK(bytes <= ALWAYS_FINE || bytes <= BEST_RATIO * (double)size, MML_E_FORMAT,
              "%s: the configuration is that of a model of %.0f bytes, the file has %.0f: truncated or damaged", path, bytes,
              (double)size);
out:
    return st;
}

static mml_status read_parameter(mmli_params *params, size_t i, hid_t group, const char *path, uint64_t *checksum)
{
    const mmli_param *p = &params->list[i];
    const size_t n = p->rows * p->cols;
    mml_status st = MML_OK;
    size_t dims[2];
    float *values = NULL;

    MML_TRY(mmli_h5_get_new(&values, MMLI_H5_F32, 2, dims, group, path, p->name));
    MML_CHECK(dims[0] == p->rows && dims[1] == p->cols, MML_E_FORMAT, "%s: parameter %s changed its shape", path, p->name);
    for (size_t j = 0; j < n; j++)
        MML_CHECK(isfinite(values[j]), MML_E_FORMAT, "%s: parameter %s has a value that is not finite (row %zu, column %zu)",
                  path, p->name, j / p->cols, j % p->cols);
    MML_TRY(mmli_params_set(params, i, values));
    *checksum = mmli_param_checksum(*checksum, p->name, values, n);
out:
    mmli_free(values);
    return st;
}

static mml_status read_parameters(const loading *l)
{
    mmli_params *params = l->model->params;
    mml_status st = MML_OK;
    hid_t group = -1;
    uint64_t checksum = 0, stored;
    bool has;

    MML_TRY(mmli_h5_group(&group, l->loc, l->path, "parameters"));
    MML_TRY(check_parameters(params, group, l->path));
    MML_TRY(check_size(params, l->loc, l->path));
    MML_TRY(mmli_model_build(l->model));
    for (size_t i = 0; i < params->n; i++)
        MML_TRY(read_parameter(params, i, group, l->path, &checksum));
    MML_TRY(mmli_h5_has_attr(&has, group, l->path, "checksum"));
    if (!has)
        goto out; /* written by other software */
    MML_TRY(mmli_h5_attr_u64(&stored, group, l->path, "checksum"));
    MML_CHECK(stored == checksum, MML_E_FORMAT, "%s: the parameters are not those that were saved (checksum): the file is "
              "damaged or was edited", l->path);
out:
    mmli_h5_drop(group);
    return st;
}

static mml_status read_other_parameters(const loading *l)
{
    mml_status st = MML_OK;

    MML_TRY(l->source->check(l->source->user, l->model));
    MML_TRY(mmli_model_build(l->model));
    MML_TRY(l->source->fill(l->source->user, l->model));
out:
    return st;
}

static mml_status read_task(const loading *l)
{
    mml_status st = MML_OK;
    hid_t group = -1;

    MML_TRY(mmli_h5_group(&group, l->loc, l->path, "task"));
    MML_TRY(mmli_task_load(&l->model->task, group, l->path));
out:
    mmli_h5_drop(group);
    return st;
}

/* l: all but config and model. */
static mml_status read_model(mml_model **out, loading *l, const char *device, const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    const char *text;
    int kind;

    *out = NULL;
    MML_TRY(read_config(&l->config, l->loc, l->path));
    MML_TRY(text_of(&text, l->config, "kind", l->path));
    MML_CHECK((kind = mmli_model_kind_from(text)) >= 0, MML_E_FORMAT, "%s: unknown kind of model %s", l->path, text);
    MML_TRY(mmli_model_new(&l->model, (mml_model_kind)kind, device, table, threads));
    MML_TRY(read_task(l));
    MML_TRY(add_blocks(l));
    MML_TRY(check_shapes(l->model, l->path));
    if (kind == MML_MODEL_MERGE)
        MML_TRY(read_merge(l));
    if (kind == MML_MODEL_FUSE)
        MML_TRY(read_fuse(l));
    if (kind == MML_MODEL_BASELINE)
        MML_TRY(read_baseline(l));
    MML_TRY(l->source == NULL ? read_parameters(l) : read_other_parameters(l));
    *out = l->model;
    l->model = NULL;
out:
    if (st == MML_E_SHAPE || st == MML_E_ARG || st == MML_E_DATA) /* a mistake in the file is not the caller's */
        st = mmli_fail(MML_E_FORMAT, "%s", mml_last_error());
    mml_model_free(l->model);
    json_decref(l->config);
    return st;
}

mml_status mmli_model_read(mml_model **out, hid_t loc, const char *path, const mml_encoder *encoders, size_t n_encoders,
                           const char *device, const mmli_backend *table, int threads)
{
    loading l = {.loc = loc, .path = path, .encoders = encoders, .n_encoders = n_encoders};

    return read_model(out, &l, device, table, threads);
}

mml_status mmli_model_read_facts(mml_model **out, hid_t loc, const char *path, const mml_encoder *encoders, size_t n_encoders,
                                 const mmli_parameter_source *source)
{
    loading l = {.loc = loc, .path = path, .encoders = encoders, .n_encoders = n_encoders, .source = source};

    return read_model(out, &l, NULL, NULL, 1);
}

mml_status mml_model_load(mml_model **out, const char *path, const mml_encoder *encoders, size_t n_encoders)
{
    mml_status st = MML_OK;
    hid_t file = -1;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(path);
    if (n_encoders > 0)
        MML_GIVEN(encoders);
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(mmli_h5_check_format(NULL, file, path, MMLI_MODEL_FORMAT, MMLI_MODEL_VERSION));
    MML_TRY(mmli_model_read(out, file, path, encoders, n_encoders, NULL, NULL, 1));
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file);
    return st;
}
