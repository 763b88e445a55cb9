/* validate.c - passes without training: the validation score, and the loudness of latents. */
#include <math.h>

#include "mmlego/metrics.h"
#include "ops/ops.h"
#include "train/parallel.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_train_validate_batches(mmli_trainer *t, mmli_trainer *into, size_t first, size_t stride)
{
    mml_status st = MML_OK;
    mmli_device *dv = t->model->params->dv;
    const mmli_part *valid = &t->part[1];
    const size_t k = t->model->task->outputs, batch = t->o->batch;

    for (size_t i = first; i * batch < valid->n; i += stride) {
        const size_t at = i * batch, n = valid->n - at < batch ? valid->n - at : batch;
        double loss = 0, weight = 0;
        mmli_var *logits;

        mmli_train_expect(t, valid->samples, at + stride * batch, valid->n);
        MML_TRY(mmli_train_pass(t, valid->samples + at, n, false, &weight, &logits));
        MML_TRY(dv->k.download(dv, t->outputs, logits->data, n * k * sizeof *t->outputs));
        MML_TRY(dv->k.download(dv, &loss, t->sums, sizeof loss));
        mmli_task_outputs(t->outputs, NULL, t->one, t->model->task, t->outputs, n);
        for (size_t b = 0; b < n; b++)
            mmli_scored_set(into->scored.score, &into->scored, at + b, t->outputs + b * k, t->one[b]);
        into->batches[i] = (mmli_batch_loss){.loss = loss * weight, .weight = weight};
    }
out:
    return st;
}

/* Several devices take the batches in turns: each is computed as one device would, and summed in its order. */
mml_status mmli_train_validate(mmli_trainer *t, double *loss, double *score)
{
    mml_status st = MML_OK;
    const mmli_part *valid = &t->part[1];
    double loss_sum = 0, weight_sum = 0;

    *loss = *score = NAN;
    if (valid->n == 0)
        goto out;
    MML_TRY(t->parallel ? mmli_parallel_validate(t->parallel) : mmli_train_validate_batches(t, t, 0, 1));
    for (size_t i = 0; i * t->o->batch < valid->n; i++) {
        loss_sum += t->batches[i].loss;
        weight_sum += t->batches[i].weight;
    }
    *loss = weight_sum > 0 ? loss_sum / weight_sum : NAN;
    if (t->by_score) {
        const mml_metric_input in = mmli_scored_input(&t->scored, t->scored.score);
        MML_TRY(mml_metric_compute(score, mmli_main_metric(t->model->task->kind), &in));
    }
out:
    return st;
}

/* Adds the squares of the pooled states of one batch, for every member, over the samples it has. */
static mml_status add_squares(mmli_trainer *t, const size_t *samples, size_t n, double *sum, double *count)
{
    mml_status st = MML_OK;
    mmli_device *dv = t->model->params->dv;
    const size_t c = t->model->members[0].block.o.latent_c, d = t->model->members[0].block.o.latent_d;
    mmli_bound bound;
    mmli_inputs inputs;
    mmli_complex *z;
    float *host;

    MML_TRY(mmli_train_read(t, samples, n));
    MML_TRY(mmli_tape_begin(t->tape, 0, t->o->seed, 0));
    MML_TRY(mmli_params_bind(&bound, t->tape, t->model->params, NULL, NULL));
    MML_TRY(mmli_inputs_make(&inputs, t->tape, t->model, t->batch, NULL, t->matches));
    z = mmli_tape_host(t->tape, t->model->n * sizeof *z);
    host = mmli_tape_host(t->tape, n * d * sizeof *host);
    MML_TRY(mmli_tape_status(t->tape));
    MML_TRY(mmli_model_latents(z, t->model, t->tape, &bound, &inputs));
    for (size_t i = 0; i < t->model->n; i++) {
        mmli_var *pooled = mmli_op_group_mean(t->tape, z[i].re, c);
        MML_TRY(mmli_tape_status(t->tape));
        MML_TRY(dv->k.download(dv, host, pooled->data, n * d * sizeof *host));
        for (size_t b = 0; b < n; b++) {
            if (!inputs.present[i * n + b])
                continue;
            for (size_t j = 0; j < d; j++)
                sum[i] += (double)host[b * d + j] * (double)host[b * d + j];
            count[i] += (double)d;
        }
    }
out:
    return st;
}

mml_status mmli_train_loudness(mmli_trainer *t)
{
    mml_status st = MML_OK;
    const mmli_part *train = &t->part[0];
    double *sum = NULL, *count = NULL;

    MML_TRY(mmli_calloc(&sum, t->model->n, sizeof *sum));
    MML_TRY(mmli_calloc(&count, t->model->n, sizeof *count));
    for (size_t at = 0; at < train->n; at += t->o->batch) {
        const size_t n = train->n - at < t->o->batch ? train->n - at : t->o->batch;

        mmli_train_expect(t, train->samples, at + n, train->n);
        MML_TRY(add_squares(t, train->samples + at, n, sum, count));
    }
    for (size_t i = 0; i < t->model->n; i++)
        if (count[i] > 0 && sum[i] > 0)
            t->model->members[i].latent_rms = sqrt(sum[i] / count[i]);
out:
    mmli_free(sum);
    mmli_free(count);
    return st;
}
