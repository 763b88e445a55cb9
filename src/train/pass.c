/* pass.c - one batch through the model: tokens in, loss out, gradients back, one optimiser step. */
#include <math.h>

#include "ops/ops.h"
#include "train/trainer.h"
#include "util/error.h"
#include "util/rng.h"

/* Leaves present modalities of training samples out at random; the mask is a function of (seed, step, member, sample), and
 * one modality that is there always stays. */
static void draw_drops(mmli_trainer *t, size_t n)
{
    const uint64_t key = mmli_rng_key(t->o->seed, "modality-dropout", t->at.step);
    const double p = t->model->fuse.modality_dropout;
    mml_tokens tokens;

    for (size_t b = 0; b < n; b++) {
        size_t have = 0, dropped = 0, spare = 0;
        for (size_t i = 0; i < t->model->n; i++) {
            uint8_t *drop = &t->drop[i * n + b];
            const bool present = mml_batch_get(&tokens, t->batch, t->model->members[i].modality) == MML_OK &&
                                 tokens.offsets[b + 1] > tokens.offsets[b];
            *drop = present && (double)mmli_rng_uniform(key, b * t->model->n + i) < p;
            have += present;
            dropped += *drop;
        }
        if (have == 0 || dropped < have)
            continue;
        spare = (size_t)mmli_rng_below(mmli_rng_key(t->o->seed, "modality-kept", t->at.step), b, have);
        for (size_t i = 0; i < t->model->n; i++)
            if (t->drop[i * n + b] && spare-- == 0)
                t->drop[i * n + b] = 0;
    }
}

/* Weights of the batch, normalised to the mean; *total is what they were divided by. */
static void fill_labels(mmli_trainer *t, const size_t *samples, size_t n, double *total)
{
    double sum = 0;

    for (size_t b = 0; b < n; b++) {
        const size_t i = samples[b];
        t->label[b] = t->labels->index[i];
        t->event[b] = t->labels->event[i];
        t->target[b] = t->labels->target[i];
        t->time[b] = t->labels->value[i];
        t->weight[b] = t->labels->weight[i];
        /* The partial likelihood is a sum over events. */
        sum += mmli_task_is_cox(t->model->task) ? (double)t->event[b] * (double)t->weight[b] : (double)t->weight[b];
    }
    for (size_t b = 0; b < n; b++)
        t->weight[b] = sum > 0 ? (float)((double)t->weight[b] / sum) : 0.0f;
    *total = sum;
}

/* weight (batch) sums to what the loss is to weigh. */
static mml_status loss_of(mmli_trainer *t, mmli_var *logits, const float *weight)
{
    switch (t->model->task->kind) {
    case MML_SURVIVAL:
        if (mmli_task_is_cox(t->model->task))
            return mmli_loss_cox(t->tape, t->sums, logits, t->time, t->event, weight);
        return mmli_loss_survival_nll(t->tape, t->sums, logits, t->label, t->event, weight,
                                      (float)t->o->survival_alpha);
    case MML_REGRESSION:
        return mmli_loss_squared(t->tape, t->sums, logits, t->target, weight);
    case MML_BINARY:
    case MML_MULTICLASS:
    default:
        return mmli_loss_cross_entropy(t->tape, t->sums, logits, t->label, weight);
    }
}

/* The sum over all stages of a pass: one, but for a baseline that is read several times. */
static mml_status loss_of_stages(mmli_trainer *t, const mmli_stages *stages, size_t n)
{
    mml_status st = MML_OK;

    for (size_t s = 0; s < stages->n; s++) {
        const float *weight = t->weight;
        float *part;

        if (stages->share[s]) {
            part = mmli_tape_host(t->tape, n * sizeof *part);
            MML_TRY(mmli_tape_status(t->tape));
            for (size_t b = 0; b < n; b++)
                part[b] = t->weight[b] * stages->share[s][b];
            weight = part;
        }
        MML_TRY(loss_of(t, stages->logits[s], weight));
    }
out:
    return st;
}

void mmli_train_expect(mmli_trainer *t, size_t *samples, size_t at, size_t all)
{
    const size_t left = at < all ? all - at : 0;

    t->next = (mmli_part){.samples = left > 0 ? samples + at : NULL, .n = left < t->o->batch ? left : t->o->batch};
}

mml_status mmli_train_read(mmli_trainer *t, const size_t *samples, size_t n)
{
    return mmli_ahead_read(&t->batch, t->ahead, samples, n, t->next.samples, t->next.n);
}

mml_status mmli_train_pass(mmli_trainer *t, const size_t *samples, size_t n, bool train, double *loss, double *weight,
                           mmli_var **logits)
{
    mml_status st = MML_OK;
    mmli_device *dv = mmli_tape_device(t->tape);
    const bool dropping = train && t->drop;
    mmli_bound bound;
    mmli_inputs inputs;
    mmli_stages stages;
    double sum = 0;

    MML_TRY(mmli_train_read(t, samples, n));
    if (dropping)
        draw_drops(t, n);
    MML_TRY(mmli_tape_begin(t->tape, train ? MMLI_RECORD | MMLI_TRAINING : 0, t->o->seed, t->at.step));
    MML_TRY(mmli_params_bind(&bound, t->tape, t->model->params, train ? t->optim->grads : NULL, t->frozen));
    MML_TRY(mmli_inputs_make(&inputs, t->tape, t->model, t->batch, dropping ? t->drop : NULL, t->matches));
    MML_TRY(mmli_model_stages(&stages, t->model, t->tape, &bound, &inputs));
    *logits = stages.logits[stages.n - 1];
    fill_labels(t, samples, n, weight);
    MML_TRY(dv->k.fill(dv, t->sums, 2, 0.0f));
    MML_TRY(loss_of_stages(t, &stages, n));
    if (train && *weight > 0) {
        MML_TRY(mmli_tape_backward(t->tape));
        MML_TRY(mmli_params_settle(&bound, t->tape));
    }
    MML_TRY(dv->k.download(dv, &sum, t->sums, sizeof sum));
    *loss = sum * *weight;
out:
    return st;
}

mml_status mmli_train_step(mmli_trainer *t, const size_t *samples, size_t n, double rate)
{
    mml_status st = MML_OK;
    mmli_device *dv = t->model->params->dv;
    mmli_var *logits;
    double loss = 0, weight = 0, sumsq = 0;

    MML_TRY(mmli_train_pass(t, samples, n, true, &loss, &weight, &logits));
    MML_CHECK(isfinite(loss), MML_E_NOT_FINITE,
              "the loss is %s in epoch %zu, batch %zu of %zu: the training has diverged; lower the learning rate (%g now), "
              "or look for features of enormous size (scaling none?)",
              isnan(loss) ? "NaN" : "infinite", t->at.epoch + 1, t->at.in_epoch + 1, t->steps, rate);
    if (weight > 0) { /* a Cox batch without events teaches nothing */
        MML_TRY(mmli_optim_step(t->optim, t->o, rate, t->at.step + 1));
        MML_TRY(dv->k.download(dv, &sumsq, t->optim->sumsq, sizeof sumsq));
        MML_CHECK(isfinite(sumsq), MML_E_NOT_FINITE,
                  "the gradient is not finite in epoch %zu, batch %zu of %zu: the training has diverged; lower the learning "
                  "rate (%g now) or clip the gradient (%g now)",
                  t->at.epoch + 1, t->at.in_epoch + 1, t->steps, rate, t->o->clip_norm);
    }
    t->at.loss_sum += loss;
    t->at.weight_sum += weight;
    t->at.norm_sum += sqrt(sumsq);
    t->at.step++;
    t->at.in_epoch++;
out:
    return st;
}
