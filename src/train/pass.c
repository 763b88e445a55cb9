/* pass.c - one batch through the model: tokens in, loss out, gradients back, one optimiser step.
 *
 * All of that is queued; a device that computes beside the host is not waited for. So it is asked only now and then whether the
 * numbers are still finite: since the step where they were not it has changed nothing (kernel `tally`). */
#include <math.h>

#include "ops/ops.h"
#include "train/trainer.h"
#include "util/error.h"

/* Steps between two looks: a training that has diverged ends soon, and a device stands still for one step in so many. */
enum { LOOK_EVERY = 64 };

/* Weights of the whole batch, normalised to the mean; *total is what they were divided by. */
static void fill_labels(mmli_trainer *t, const mmli_shard *s, double *total)
{
    double sum = 0;

    for (size_t b = 0; b < s->all; b++) {
        const size_t i = s->samples[b];
        t->label[b] = t->labels->index[i];
        t->event[b] = t->labels->event[i];
        t->target[b] = t->labels->target[i];
        t->time[b] = t->labels->value[i];
        t->weight[b] = t->labels->weight[i];
        /* The partial likelihood is a sum over events. */
        sum += mmli_task_is_cox(t->model->task) ? (double)t->event[b] * (double)t->weight[b] : (double)t->weight[b];
    }
    for (size_t b = 0; b < s->all; b++)
        t->weight[b] = sum > 0 ? (float)((double)t->weight[b] / sum) : 0.0f;
    *total = sum;
}

/* A Cox loss compares all patients of a batch: every device computes it whole, from all devices' risks, goes back from its own
 * share, and one of them counts it. risks NULL: this one has none. */
static mml_status cox_of_all(mmli_trainer *t, const mmli_shard *s, mmli_var *risks)
{
    mmli_device *dv = mmli_tape_device(t->tape);
    mml_status st = MML_OK;
    mmli_mem *loss = t->shared->rank == 0 ? t->sums : mmli_tape_mem(t->tape, sizeof(double));
    mmli_var *all;

    MML_TRY(mmli_tape_status(t->tape));
    MML_TRY(mmli_sums_risks(&all, t->shared, t->tape, risks, s));
    if (!risks) /* the first device always has some */
        goto out;
    MML_TRY(dv->k.fill(dv, loss, 2, 0.0f));
    MML_TRY(mmli_loss_cox(t->tape, loss, all, t->time, t->event, t->weight));
    risks->grad = mmli_at(all->grad, s->first);
out:
    return st;
}

/* weight (count) sums to what the loss is to weigh. */
static mml_status loss_of(mmli_trainer *t, const mmli_shard *s, mmli_var *logits, const float *weight)
{
    switch (t->model->task->kind) {
    case MML_SURVIVAL:
        if (mmli_task_is_cox(t->model->task))
            return s->shared ? cox_of_all(t, s, logits)
                             : mmli_loss_cox(t->tape, t->sums, logits, t->time, t->event, weight);
        return mmli_loss_survival_nll(t->tape, t->sums, logits, t->label + s->first, t->event + s->first, weight,
                                      (float)t->o->survival_alpha);
    case MML_REGRESSION:
        return mmli_loss_squared(t->tape, t->sums, logits, t->target + s->first, weight);
    case MML_BINARY:
    case MML_MULTICLASS:
    default:
        return mmli_loss_cross_entropy(t->tape, t->sums, logits, t->label + s->first, weight);
    }
}

/* The sum over all stages of a pass: one, but for a baseline that is read several times. */
static mml_status loss_of_stages(mmli_trainer *t, const mmli_shard *shard, const mmli_stages *stages)
{
    mml_status st = MML_OK;

    for (size_t s = 0; s < stages->n; s++) {
        const size_t n = shard->count;
        const float *weight = t->weight + shard->first;
        float *part;

        if (stages->share[s]) {
            part = mmli_tape_host(t->tape, n * sizeof *part);
            MML_TRY(mmli_tape_status(t->tape));
            for (size_t b = 0; b < n; b++)
                part[b] = t->weight[shard->first + b] * stages->share[s][b];
            weight = part;
        }
        MML_TRY(loss_of(t, shard, stages->logits[s], weight));
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

/* A device that has no sample of the batch adds nothing to what the others have. */
static mml_status pass_without_samples(mmli_trainer *t, double weight)
{
    mmli_device *dv = mmli_tape_device(t->tape);
    mml_status st = MML_OK;

    MML_TRY(mmli_tape_begin(t->tape, 0, t->o->seed, t->at.step));
    MML_TRY(dv->k.fill(dv, t->sums, 2, 0.0f));
    if (mmli_task_is_cox(t->model->task))
        MML_TRY(cox_of_all(t, &t->shard, NULL));
    if (weight > 0)
        MML_TRY(mmli_sums_nothing(t->shared, dv));
out:
    return st;
}

/* The batch, or the shard of it, from its tokens to the gradients. */
static mml_status pass_with_samples(mmli_trainer *t, const mmli_shard *s, bool train, double weight, mmli_var **logits)
{
    mml_status st = MML_OK;
    mmli_device *dv = mmli_tape_device(t->tape);
    uint8_t *drop = train ? t->drop : NULL;
    mmli_bound bound;
    mmli_inputs inputs;
    mmli_stages stages;

    MML_TRY(mmli_train_read(t, s->samples + s->first, s->count));
    if (drop)
        mmli_shard_drops(drop, s, t->model, t->offsets, t->o->seed, t->at.step);
    mmli_shard_cut(t->before, drop, s, t->offsets, t->model->n);
    MML_TRY(mmli_tape_begin(t->tape, train ? MMLI_RECORD | MMLI_TRAINING : 0, t->o->seed, t->at.step));
    MML_TRY(mmli_params_bind(&bound, t->tape, t->model->params, train ? t->optim->grads : NULL, t->frozen));
    MML_TRY(mmli_inputs_make(&inputs, t->tape, t->model, t->batch, drop, t->matches));
    mmli_shard_place(&inputs, t->before, t->model->n);
    MML_TRY(mmli_model_stages(&stages, t->model, t->tape, &bound, &inputs));
    *logits = stages.logits[stages.n - 1];
    MML_TRY(dv->k.fill(dv, t->sums, 2, 0.0f));
    MML_TRY(loss_of_stages(t, s, &stages));
    if (train && weight > 0 && s->shared)
        MML_TRY(mmli_sums_backward(t->shared, &bound, t->tape));
    else if (train && weight > 0) {
        MML_TRY(mmli_tape_backward(t->tape));
        MML_TRY(mmli_params_settle(&bound, t->tape));
    }
out:
    return st;
}

mml_status mmli_train_pass(mmli_trainer *t, const size_t *samples, size_t n, bool train, double *weight, mmli_var **logits)
{
    mml_status st = MML_OK;
    const mmli_shard s = train && t->shared ? t->shard : mmli_shard_whole(samples, n);

    fill_labels(t, &s, weight);
    MML_TRY(s.count > 0 ? pass_with_samples(t, &s, train, *weight, logits) : pass_without_samples(t, *weight));
    if (s.shared && *weight > 0)
        MML_TRY(mmli_sums_take(t->shared));
out:
    return st;
}

/* The steps of a tally are numbered through all epochs. */
static mml_status diverged(const mmli_trainer *t, const double *tally)
{
    const uint64_t first = t->at.step - t->at.in_epoch; /* of this epoch */
    const uint64_t step = (uint64_t)tally[MMLI_TALLY_FAILED] - 1;
    const size_t batch = (size_t)(step - first) + 1;
    const double loss = tally[MMLI_TALLY_BAD_LOSS];
    const double rate = mmli_schedule_rate(t->o, step, t->steps * t->o->epochs, t->at.plateau_factor);

    if (!isfinite(loss))
        return mmli_fail(MML_E_NOT_FINITE,
                         "the loss is %s in epoch %zu, batch %zu of %zu: the training has diverged; lower the learning rate (%g now), "
                         "or look for features of enormous size (scaling none?)",
                         isnan(loss) ? "NaN" : "infinite", t->at.epoch + 1, batch, t->steps, rate);
    return mmli_fail(MML_E_NOT_FINITE,
                     "the gradient is not finite in epoch %zu, batch %zu of %zu: the training has diverged; lower the learning "
                     "rate (%g now) or clip the gradient (%g now)",
                     t->at.epoch + 1, batch, t->steps, rate, t->o->clip_norm);
}

mml_status mmli_train_look(mmli_trainer *t)
{
    mml_status st = MML_OK;
    double tally[MMLI_TALLY];

    MML_TRY(mmli_optim_read(tally, t->optim));
    if (tally[MMLI_TALLY_FAILED] > 0)
        return diverged(t, tally);
    t->at.loss_sum = tally[MMLI_TALLY_LOSS];
    t->at.norm_sum = tally[MMLI_TALLY_NORM];
out:
    return st;
}

mml_status mmli_train_step(mmli_trainer *t, const size_t *samples, size_t n, double rate)
{
    mmli_device *dv = mmli_tape_device(t->tape);
    mml_status st = MML_OK;
    mmli_var *logits;
    double weight = 0;

    if (!t->shared)
        MML_TRY(mmli_step_begin(dv));
    MML_TRY(mmli_train_pass(t, samples, n, true, &weight, &logits));
    MML_TRY(mmli_optim_step(t->optim, t->o, t->sums, weight, rate, t->at.step + 1));
    if (!t->shared)
        MML_TRY(mmli_step_end(dv));
    t->at.weight_sum += weight;
    t->at.step++;
    t->at.in_epoch++;
    if (t->at.in_epoch % LOOK_EVERY == 0 || t->at.in_epoch == t->steps)
        MML_TRY(mmli_train_look(t));
out:
    return st;
}
