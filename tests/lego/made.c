/* made.c - see made.h. */
#include "tests/lego/made.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/predictor.h"
#include "ops/internal.h"
#include "util/alloc.h"
#include "util/rng.h"

static const mmli_backend *table(int i)
{
    const mmli_backend *be = mmli_backend_at((size_t)i);

    return be ? be : &mmlt_backend_hidden;
}

static mmli_task *make_task(size_t outputs)
{
    mmli_task *t = NULL;

    mmlt_assert_ok(mmli_calloc(&t, 1, sizeof *t));
    t->kind = MML_MULTICLASS;
    t->outputs = outputs;
    t->sd = 1;
    t->n_train = 1;
    mmlt_assert_ok(mmli_strdup(&t->name, "made"));
    mmlt_assert_ok(mmli_strdup(&t->unit, ""));
    mmlt_assert_ok(mmli_calloc(&t->classes, outputs, sizeof *t->classes));
    mmlt_assert_ok(mmli_calloc(&t->counts, outputs, sizeof *t->counts));
    mmlt_assert_ok(mmli_calloc(&t->prior_logits, outputs, sizeof *t->prior_logits));
    mmlt_assert_ok(mmli_calloc(&t->prior_output, outputs, sizeof *t->prior_output));
    for (size_t j = 0; j < outputs; j++) {
        t->prior_logits[j] = 20.0f + (float)j;
        mmlt_assert_ok(mmli_strf(&t->classes[j], "class %zu", j));
    }
    return t;
}

/* Norms and biases off 1 and 0, and a little of everything, so that blocks differ in all their tensors. */
static void move(mml_model *model)
{
    for (size_t i = 0; i < model->params->n; i++) {
        const mmli_param *p = &model->params->list[i];
        const size_t n = p->rows * p->cols;
        const uint64_t key = mmli_rng_key(5, p->name, 0);
        float *x = calloc(n, sizeof *x);

        mmlt_assert_ok(mmli_params_get(x, model->params, i));
        for (size_t j = 0; j < n; j++)
            x[j] += (p->role == MMLI_ROLE_WEIGHT ? 0.05f : 0.3f) * mmli_rng_normal(key, j);
        mmlt_assert_ok(mmli_params_set(model->params, i, x));
        free(x);
    }
}

static mml_model *new_model(mml_model_kind kind, const mmli_backend *be, int threads)
{
    mml_model *model = NULL;

    mmlt_assert_ok(mmli_model_new(&model, kind, NULL, be, threads));
    return model;
}

mml_model *made_model(mml_model_kind kind, int backend, int threads, size_t m, const mml_block_options *o,
                      const size_t *width, size_t outputs)
{
    mml_model *model = new_model(kind, table(backend), threads);

    model->task = make_task(outputs);
    for (size_t i = 0; i < m; i++) {
        mmli_prep *prep = NULL;
        char name[32];

        snprintf(name, sizeof name, "m%zu", i);
        mmlt_assert_ok(mmli_prep_identity(&prep, width[i]));
        mmlt_assert_ok(mmli_model_add(model, name, MML_BAG, "paper", &o[i], prep, outputs, -1.0f, NULL));
    }
    if (kind == MML_MODEL_FUSE)
        mmlt_assert_ok(mmli_model_declare_fuse(model));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 3, "made", 0));
    move(model);
    return model;
}

mml_model *made_block(const mml_model *merge, size_t member)
{
    mml_model *model = new_model(MML_MODEL_BLOCK, &merge->dv->k, merge->dv->threads);

    mmlt_assert_ok(mmli_task_copy(&model->task, merge->task));
    mmlt_assert_ok(mmli_model_add_copy(model, merge, member));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_model_copy_values(model, 0, merge, member));
    return model;
}

mml_batch *made_batch(const rig_data *d)
{
    mml_batch *batch = NULL;

    mmlt_assert_ok(mml_batch_new(&batch, d->B));
    for (size_t i = 0; i < d->m; i++) {
        char name[32];

        snprintf(name, sizeof name, "m%zu", i);
        mmlt_assert_ok(mml_batch_set(batch, name, d->values[i], d->offsets[i], d->width[i], NULL, 0));
    }
    return batch;
}

float *made_logits(const mml_model *model, const mml_batch *batch)
{
    mmli_heads heads = {0};
    mmli_tape *tape = NULL;
    mmli_inputs in;
    mmli_bound bound;
    mmli_var *logits = NULL;
    float *out;

    mmlt_assert_ok(mmli_tape_new(&tape, model->dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_inputs_make(&in, tape, model, batch, NULL, NULL));
    mmlt_assert_ok(mmli_params_bind(&bound, tape, model->params, NULL, NULL));
    mmlt_assert_ok(mmli_model_forward(&logits, model, tape, &bound, &in, &heads));
    ck_assert_ptr_nonnull(logits);
    out = calloc(mmli_size(logits), sizeof *out);
    mmlt_download(out, model->dv, logits->data, mmli_size(logits) * sizeof *out);
    mmli_heads_clear(&heads, model->dv);
    mmli_tape_free(tape);
    return out;
}

float *made_predictions(const mml_model *model, const mml_batch *batch, int threads, uint8_t *prior)
{
    mml_predictor *predictor = NULL;
    mml_prediction p;
    float *out;

    mmlt_assert_ok(mmli_predictor_new_on(&predictor, model, NULL, NULL, threads));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    out = calloc(p.n * p.k, sizeof *out);
    memcpy(out, p.logits, p.n * p.k * sizeof *out);
    if (prior)
        memcpy(prior, p.prior, p.n);
    mml_predictor_free(predictor);
    return out;
}
