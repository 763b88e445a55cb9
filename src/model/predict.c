/* predict.c - one thread's workspace for predicting, and what it gives.
 *
 * The model is only read, so its handle can be shared; device, tape, merged heads and results belong to the
 * predictor. After the largest batch has been seen, predicting allocates nothing. */
#include <math.h>
#include <string.h>

#include "model/predictor.h"
#include "model/walk.h"
#include "util/alloc.h"
#include "util/error.h"

struct mml_predictor {
    const mml_model *model;
    mmli_device *dv;
    mmli_tape *tape;
    const mmli_params *params;
    mmli_params *copy; /* NULL while the model's own are read */
    mmli_heads heads;
    size_t cap;                       /* samples that the arrays below have room for */
    float *logits, *output, *survival; /* (cap, k) */
    double *score;
    uint8_t *prior;
    uint64_t *used;
    mml_unknown_category *unknown; /* (n_unknown) of the last cohort */
    size_t n_unknown;
    size_t large; /* bytes of tokens from which on they are read in pieces */
};

mml_status mmli_params_for(const mmli_params **out, mmli_params **copy, const mml_model *model, mmli_device *dv)
{
    const mmli_params *from = model->params;
    mml_status st = MML_OK;
    mmli_params *mine = NULL;
    char *prefix = NULL;
    float *values = NULL;
    size_t at;

    *copy = NULL;
    *out = from;
    if (mmli_device_same(dv, model->dv))
        goto out; /* it can read the model's memory */
    MML_TRY(mmli_params_new(&mine));
    for (size_t i = 0; i < from->n; i++) {
        const mmli_param *p = &from->list[i];

        mmli_free(prefix);
        MML_TRY(mmli_strdup(&prefix, p->name));
        prefix[p->key - p->name] = '\0';
        MML_TRY(mmli_params_add(mine, &at, prefix, p->key, p->rows, p->cols, p->init, p->gain, p->role, p->section));
        mine->list[at].dead = p->dead;
    }
    MML_TRY(mmli_params_build(mine, dv));
    for (size_t i = 0; i < from->n; i++) {
        mmli_free(values);
        MML_TRY(mmli_calloc(&values, from->list[i].rows * from->list[i].cols, sizeof *values));
        MML_TRY(mmli_params_get(values, from, i));
        MML_TRY(mmli_params_set(mine, i, values));
    }
    *out = *copy = mine;
    mine = NULL;
out:
    mmli_free(prefix);
    mmli_free(values);
    mmli_params_free(mine);
    return st;
}

void mml_predictor_free(mml_predictor *predictor)
{
    if (!predictor)
        return;
    if (predictor->dv)
        mmli_heads_clear(&predictor->heads, predictor->dv);
    mmli_tape_free(predictor->tape);
    mmli_params_free(predictor->copy);
    mmli_device_close(predictor->dv);
    mmli_free(predictor->logits);
    mmli_free(predictor->output);
    mmli_free(predictor->survival);
    mmli_free(predictor->score);
    mmli_free(predictor->prior);
    mmli_free(predictor->used);
    mmli_free(predictor->unknown);
    mmli_free(predictor);
}

mml_status mmli_predictor_new_on(mml_predictor **out, const mml_model *model, const char *device,
                                 const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    mml_predictor *p = NULL;

    *out = NULL;
    MML_CHECK(model, MML_E_ARG, "a predictor needs a model");
    if (!device && !table)
        table = &model->dv->k;
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    p->model = model;
    p->large = MMLI_WALK_LARGE;
    MML_TRY(table ? mmli_device_open_table(&p->dv, table, threads) : mmli_device_open(&p->dv, device, threads));
    MML_TRY(mmli_tape_new(&p->tape, p->dv));
    MML_TRY(mmli_params_for(&p->params, &p->copy, model, p->dv));
    *out = p;
    p = NULL;
out:
    mml_predictor_free(p);
    return st;
}

mml_status mml_predictor_new(mml_predictor **out, const mml_model *model, const char *device, int threads)
{
    MML_GIVEN(out);
    return mmli_predictor_new_on(out, model, device, NULL, threads);
}

void mmli_predictor_set_large(mml_predictor *p, size_t bytes)
{
    p->large = bytes;
}

/* Results for n samples. Grown together, by half as much again. */
static mml_status reserve(mml_predictor *p, size_t n)
{
    const size_t k = p->model->task->outputs;
    mml_status st = MML_OK;
    size_t want = p->cap > n / 2 ? p->cap + p->cap / 2 : n;

    if (n <= p->cap)
        return MML_OK;
    want = want < n ? n : want;
    MML_CHECK(want <= SIZE_MAX / (k * sizeof *p->score), MML_E_NOMEM, "%zu samples are too many for one batch", n);
    MML_TRY(mmli_realloc(&p->logits, want * k, sizeof *p->logits));
    MML_TRY(mmli_realloc(&p->output, want * k, sizeof *p->output));
    if (p->model->task->kind == MML_SURVIVAL)
        MML_TRY(mmli_realloc(&p->survival, want * k, sizeof *p->survival));
    MML_TRY(mmli_realloc(&p->score, want, sizeof *p->score));
    MML_TRY(mmli_realloc(&p->prior, want, sizeof *p->prior));
    MML_TRY(mmli_realloc(&p->used, want, sizeof *p->used));
    p->cap = want;
out:
    return st;
}

/* Which blocks made the prediction of sample b: those present, in a merge without those of weight 0 (unless all are). */
static uint64_t used_by(const mml_model *model, const mmli_inputs *in, size_t b)
{
    uint64_t used = 0;
    double total = 0.0;

    for (size_t m = 0; m < model->n && model->weights; m++)
        total += in->present[m * in->samples + b] ? model->weights[m] : 0.0;
    for (size_t m = 0, block = 0; m < model->n && block < 64; block++)
        for (size_t k = mml_model_committee(model, m); k > 0; k--, m++)
            if (in->present[m * in->samples + b] && (!(total > 0.0) || model->weights[m] > 0.0))
                used |= UINT64_C(1) << block;
    return used;
}

static bool has_any(const mml_model *model, const mmli_inputs *in, size_t b)
{
    for (size_t m = 0; m < model->n; m++)
        if (in->present[m * in->samples + b])
            return true;
    return false;
}

/* Logits of one pass to the host, the prior's where there was nothing to predict from. */
static mml_status collect(mml_predictor *p, const mmli_inputs *in, const mmli_var *logits)
{
    const size_t B = in->samples, k = p->model->task->outputs;
    mml_status st = MML_OK;

    MML_CHECK(!logits || (logits->rows == B && logits->cols == k), MML_E_INTERNAL, "%zu x %zu logits for %zu samples of %zu",
              logits->rows, logits->cols, B, k);
    if (logits)
        MML_TRY(p->dv->k.download(p->dv, p->logits, logits->data, B * k * sizeof *p->logits));
    for (size_t b = 0; b < B; b++) {
        float *row = p->logits + b * k;

        p->prior[b] = !has_any(p->model, in, b);
        p->used[b] = used_by(p->model, in, b);
        if (p->prior[b])
            memcpy(row, p->model->task->prior_logits, k * sizeof *row);
        for (size_t j = 0; j < k; j++)
            MML_CHECK(isfinite(row[j]), MML_E_NOT_FINITE,
                      "the prediction of sample %zu of the batch is not finite: the model has diverged, or a value is very "
                      "far from those of training and the model does not clip", b + 1);
    }
out:
    return st;
}

/* walk: where the batch comes from, or NULL. */
static mml_status predict(mml_prediction *out, mml_predictor *p, const mml_batch *batch, const mmli_walk *walk)
{
    const mml_model *model = p->model;
    const size_t B = mml_batch_size(batch);
    mml_status st = MML_OK;
    mmli_var *logits = NULL;
    mmli_inputs in;
    mmli_bound bound;
    bool any = false;

    memset(out, 0, sizeof *out);
    MML_TRY(reserve(p, B));
    MML_TRY(mmli_tape_begin(p->tape, 0, 0, 0));
    MML_TRY(mmli_inputs_make(&in, p->tape, model, batch, NULL, walk ? walk->matches : NULL));
    if (walk && walk->sources)
        MML_TRY(mmli_sources_add(&in, p->tape, model, walk->sources));
    for (size_t m = 0; m < model->n; m++)
        any = any || in.in[m].x != NULL;
    if (any) {
        MML_TRY(mmli_params_bind(&bound, p->tape, p->params, NULL, NULL));
        MML_TRY(mmli_model_forward(&logits, model, p->tape, &bound, &in, &p->heads));
    }
    MML_TRY(collect(p, &in, logits));
    mmli_task_outputs(p->output, p->survival, p->score, model->task, p->logits, B);
    *out = (mml_prediction){.n = B,
                            .k = model->task->outputs,
                            .logits = p->logits,
                            .output = p->output,
                            .survival = mmli_task_is_cox(model->task) ? NULL : p->survival,
                            .score = p->score,
                            .prior = p->prior,
                            .used = p->used};
out:
    return st;
}

mml_status mml_predict(mml_prediction *out, mml_predictor *p, const mml_batch *batch)
{
    MML_GIVEN_AS("out, predictor, batch", out, p, batch);
    return predict(out, p, batch, NULL);
}

/* ---- cohorts ------------------------------------------------------------------------------------------------------------ */

static bool is_listed(const mml_predictor *p, const char *modality, const mmli_unknown *u)
{
    for (size_t i = 0; i < p->n_unknown; i++)
        if (strcmp(p->unknown[i].modality, modality) == 0 && strcmp(p->unknown[i].column, u->column) == 0 &&
            strcmp(p->unknown[i].category, u->category) == 0)
            return true;
    return false;
}

/* Those that samples have; once, when several blocks of one modality do not know it. */
static mml_status list_unknown(mml_predictor *p, const mmli_walk *walk)
{
    mml_status st = MML_OK;
    size_t most = 0;

    for (size_t m = 0; m < walk->model->n; m++)
        most += walk->matches[m] ? walk->matches[m]->n_unknown : 0;
    if (most == 0)
        return MML_OK;
    MML_TRY(mmli_realloc(&p->unknown, most, sizeof *p->unknown));
    for (size_t m = 0; m < walk->model->n; m++) {
        const mmli_match *match = walk->matches[m];

        for (size_t i = 0; match && i < match->n_unknown; i++) {
            const mmli_unknown *u = &match->unknown[i];

            if (u->samples > 0 && !is_listed(p, match->modality, u))
                p->unknown[p->n_unknown++] = (mml_unknown_category){match->modality, u->column, u->category, u->samples};
        }
    }
out:
    return st;
}

const mml_unknown_category *mml_predictor_unknown(const mml_predictor *p, size_t *n)
{
    *n = p->n_unknown;
    return p->n_unknown > 0 ? p->unknown : NULL;
}

mml_status mml_predict_cohort(mml_predictor *p, mml_cohort *cohort, const size_t *samples, size_t n, size_t batch,
                              mml_prediction_sink sink, void *user)
{
    mml_status st = MML_OK;
    mmli_walk walk = {0};
    const mml_batch *chunk;
    const size_t *which;
    size_t count;
    mml_prediction result;

    MML_GIVEN_AS("predictor, cohort", p, cohort);
    p->n_unknown = 0;
    MML_CHECK(sink, MML_E_ARG, "no function to give the predictions to");
    MML_TRY(mmli_walk_begin(&walk, p->model, cohort, samples, n, batch));
    walk.large = p->large;
    for (;;) {
        MML_TRY(mmli_walk_next(&chunk, &which, &count, &walk));
        if (!chunk)
            break;
        MML_TRY(predict(&result, p, chunk, &walk));
        MML_CHECK(sink(user, &result, which) == 0, MML_E_STOPPED, "stopped while predicting, after %zu of %zu samples",
                  walk.at, walk.n);
    }
    MML_TRY(list_unknown(p, &walk));
out:
    mmli_walk_end(&walk);
    return st;
}
