/* params.c - one flat buffer of parameters, which others may share; keyed random starts. */
#include "nn/params.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/text.h"

enum { ALIGN_FLOATS = MMLI_DECAY_EACH }; /* 64 bytes: a cache line, and parameters of one weight decay */

mml_status mmli_params_new(mmli_params **out)
{
    return mmli_calloc(out, 1, sizeof **out);
}

/* ---- stores ------------------------------------------------------------------------------------------- */

static void store_release(mmli_store *store)
{
    if (!store || atomic_fetch_sub_explicit(&store->users, 1, memory_order_acq_rel) > 1)
        return;
    if (store->data)
        store->dv->k.free(store->dv, store->data);
    mmli_device_close(store->dv);
    mmli_free(store);
}

static mmli_store *store_keep(mmli_store *store)
{
    atomic_fetch_add_explicit(&store->users, 1, memory_order_relaxed);
    return store;
}

static mml_status store_new(mmli_store **out, mmli_device *dv, size_t floats)
{
    mml_status st = MML_OK;
    mmli_store *store = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&store, 1, sizeof *store));
    store->dv = mmli_device_keep(dv);
    atomic_init(&store->users, 1);
    MML_TRY(dv->k.alloc(dv, &store->data, floats * sizeof(float)));
    MML_TRY(dv->k.fill(dv, store->data, floats, 0.0f));
    *out = store;
    store = NULL;
out:
    store_release(store);
    return st;
}

/* ---- declaring ---------------------------------------------------------------------------------------- */

void mmli_params_free(mmli_params *params)
{
    if (!params)
        return;
    for (size_t i = 0; i < params->n; i++) {
        mmli_free(params->list[i].name);
        store_release(params->list[i].store);
    }
    mmli_free(params->list);
    store_release(params->own);
    mmli_free(params);
}

static uint64_t name_hash(const char *name)
{
    return mmli_hash64(name, strlen(name), 0);
}

static size_t position(const mmli_params *params, const char *name)
{
    const uint64_t hash = name_hash(name);
    size_t i = 0;

    while (i < params->n && (params->list[i].hash != hash || strcmp(params->list[i].name, name) != 0))
        i++;
    return i;
}

static size_t padded(size_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

mml_status mmli_params_add(mmli_params *params, size_t *index, const char *prefix, const char *key, size_t rows,
                           size_t cols, mml_init init, float gain, mmli_role role, mmli_section section)
{
    mml_status st = MML_OK;
    char *name = NULL;
    size_t n = 0, total;

    MML_CHECK(params->data == NULL, MML_E_INTERNAL, "parameter %s%s declared after the others were built", prefix, key);
    MML_CHECK(mmli_mul_size(&n, rows, cols) && n <= SIZE_MAX / 8 - params->total, MML_E_NOMEM,
              "parameter %s%s of %zu x %zu is too large", prefix, key, rows, cols);
    MML_TRY(mmli_strf(&name, "%s%s", prefix, key));
    MML_CHECK(position(params, name) == params->n, MML_E_ARG, "two parameters are named %s", name);
    MML_TRY(mmli_grow(&params->list, &params->cap, params->n + 1, sizeof *params->list));
    total = params->total + padded(n);
    params->list[params->n] = (mmli_param){.name = name,
                                           .key = name + strlen(prefix),
                                           .hash = name_hash(name),
                                           .rows = rows,
                                           .cols = cols,
                                           .at = params->total,
                                           .init = init,
                                           .gain = gain,
                                           .role = role,
                                           .section = section};
    *index = params->n++;
    params->total = total;
    name = NULL;
out:
    mmli_free(name);
    return st;
}

mml_status mmli_params_share(mmli_params *params, size_t index, const mmli_params *from, size_t from_index)
{
    mmli_param *p = &params->list[index];
    const mmli_param *q = &from->list[from_index];
    mml_status st = MML_OK;

    MML_CHECK(!params->data && !p->store && q->store, MML_E_INTERNAL, "parameter %s is shared too late, or %s too early",
              p->name, q->name);
    MML_CHECK(p->rows == q->rows && p->cols == q->cols, MML_E_INTERNAL, "%s is %zu x %zu here and %zu x %zu there", p->name,
              p->rows, p->cols, q->rows, q->cols);
    p->store = store_keep(q->store);
    p->mem = q->mem;
out:
    return st;
}

/* Places of what is not shared, one after the other. */
static void lay_out(mmli_params *params)
{
    params->total = 0;
    for (size_t i = 0; i < params->n; i++) {
        mmli_param *p = &params->list[i];

        if (p->store)
            continue;
        p->at = params->total;
        params->total += padded(p->rows * p->cols);
    }
}

mml_status mmli_params_build(mmli_params *params, mmli_device *dv)
{
    mml_status st = MML_OK;

    MML_CHECK(params->data == NULL, MML_E_INTERNAL, "parameters built twice");
    params->dv = dv;
    lay_out(params);
    MML_TRY(store_new(&params->own, dv, params->total));
    params->data = params->own->data;
    for (size_t i = 0; i < params->n; i++) {
        mmli_param *p = &params->list[i];

        if (p->store)
            continue;
        p->store = store_keep(params->own);
        p->mem = mmli_at(params->data, p->at);
    }
out:
    return st;
}

/* One random value of a parameter; index i of its stream. */
static float start_value(const mmli_param *p, uint64_t key, size_t i)
{
    const float fan = p->cols ? 1.0f / sqrtf((float)p->cols) : 0.0f;

    switch (p->init) {
    case MML_INIT_ONE:
        return 1.0f;
    case MML_INIT_UNIFORM_FAN_IN:
        return p->gain * fan * (2.0f * mmli_rng_uniform(key, i) - 1.0f);
    case MML_INIT_NORMAL_FAN_IN:
        return p->gain * fan * mmli_rng_normal(key, i);
    case MML_INIT_NORMAL:
        return p->gain * mmli_rng_normal(key, i);
    case MML_INIT_ZERO:
    default:
        return 0.0f;
    }
}

mml_status mmli_params_start(mmli_params *params, uint64_t seed, const char *scope, uint64_t member)
{
    mml_status st = MML_OK;
    char *stream = NULL;
    float *values = NULL;
    size_t most = 0;

    for (size_t i = 0; i < params->n; i++) {
        const size_t n = params->list[i].rows * params->list[i].cols;
        most = n > most ? n : most;
    }
    MML_TRY(mmli_calloc(&values, most, sizeof *values));
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];
        uint64_t key;

        MML_TRY(mmli_strf(&stream, "%s/%s", scope, p->key));
        key = mmli_rng_key(seed, stream, p->section == MMLI_SECTION_HEAD ? 0 : member);
        mmli_free(stream);
        stream = NULL;
        for (size_t j = 0; j < p->rows * p->cols; j++)
            values[j] = start_value(p, key, j);
        MML_TRY(mmli_params_set(params, i, values));
    }
out:
    mmli_free(stream);
    mmli_free(values);
    return st;
}

mml_status mmli_params_find(size_t *index, const mmli_params *params, const char *name)
{
    mml_status st = MML_OK;

    *index = position(params, name);
    MML_CHECK(*index < params->n, MML_E_NOT_FOUND, "no parameter is named %s", name);
out:
    return st;
}

mml_status mmli_params_get(float *out, const mmli_params *params, size_t index)
{
    const mmli_param *p = &params->list[index];

    return params->dv->k.download(params->dv, out, p->mem, p->rows * p->cols * sizeof *out);
}

mml_status mmli_params_set(mmli_params *params, size_t index, const float *values)
{
    const mmli_param *p = &params->list[index];

    if (p->store != params->own)
        return mmli_fail(MML_E_INTERNAL, "parameter %s is shared with another model: it cannot be set", p->name);
    return params->dv->k.upload(params->dv, p->mem, values, p->rows * p->cols * sizeof *values);
}

size_t mmli_params_count(const mmli_params *params)
{
    size_t n = 0;

    for (size_t i = 0; i < params->n; i++)
        n += params->list[i].dead ? 0 : params->list[i].rows * params->list[i].cols;
    return n;
}

mml_status mmli_params_bind(mmli_bound *out, mmli_tape *tape, const mmli_params *params, mmli_mem *grads,
                            const uint8_t *frozen)
{
    mmli_var *vars = mmli_tape_host(tape, params->n * sizeof *vars);

    if (!vars)
        return mmli_tape_status(tape);
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];
        const bool need = grads && !p->dead && !(frozen && frozen[i]) && mmli_tape_recording(tape);

        vars[i] = (mmli_var){.rows = p->rows,
                             .cols = p->cols,
                             .data = p->mem,
                             .grad = need ? mmli_at(grads, p->at) : NULL,
                             .need = need,
                             .blank = need};
    }
    *out = (mmli_bound){params, vars};
    return mmli_tape_status(tape);
}

mml_status mmli_params_settle(const mmli_bound *bound, mmli_tape *tape)
{
    for (size_t i = 0; i < bound->params->n; i++)
        if (bound->vars[i].blank)
            mmli_tape_grad(tape, &bound->vars[i]);
    return mmli_tape_status(tape);
}
