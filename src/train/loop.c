/* loop.c - epochs: shuffled steps, validation, early stopping with the best weights, checkpoints, the watch. */
#include <math.h>

#include "train/parallel.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/rng.h"

/* The order of an epoch depends on (seed, epoch) alone, so a resumed training goes on in the same one. */
static void shuffle(mmli_trainer *t)
{
    const mmli_part *train = &t->part[0];

    mmli_rng_shuffle(mmli_rng_key(t->o->seed, "shuffle", t->at.epoch), t->order, train->n);
    for (size_t i = 0; i < train->n; i++)
        t->order[i] = train->samples[t->order[i]];
}

static mml_status save_checkpoint(const mmli_trainer *t)
{
    return t->o->checkpoint ? mmli_checkpoint_save(t, t->o->checkpoint) : MML_OK;
}

/* A stop is asked for: the checkpoint first, then the status that says so. */
static mml_status stop(mmli_trainer *t)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_train_look(t));
    MML_TRY(save_checkpoint(t));
    st = mmli_fail(MML_E_STOPPED, "stopped in epoch %zu after %zu of %zu steps%s%s", t->at.epoch + 1, t->at.in_epoch, t->steps,
                   t->o->checkpoint ? "; resume from " : "", t->o->checkpoint ? t->o->checkpoint : "");
out:
    return st;
}

/* What early stopping looks at: higher is better. The ranking of few samples moves by chance from epoch to epoch; among epochs
 * of nearly the same score a share of the loss, which moves less, prefers those before overfitting. Without validation samples,
 * or where they can say nothing (the Cox loss without an event), the last epoch is the best. */
static double criterion(const mmli_trainer *t, double loss, double score)
{
    if (!t->by_loss)
        return (double)t->at.epoch;
    return t->by_score ? score - t->o->loss_share * loss : -loss;
}

static mml_status keep_best(mmli_trainer *t, double loss, double score, bool *best)
{
    mml_status st = MML_OK;
    mmli_params *p = t->model->params;
    const double value = criterion(t, loss, score);

    *best = value > t->at.best_value || (value == t->at.best_value && loss < t->at.best_loss);
    if (*best) {
        MML_TRY(p->dv->k.copy(p->dv, t->best, p->data, p->total * sizeof(float)));
        t->at.best_value = value;
        t->at.best_score = score;
        t->at.best_loss = loss;
        t->at.best_epoch = t->at.epoch;
        t->at.since_best = 0;
    } else {
        t->at.since_best++;
    }
out:
    return st;
}

/* After the last step of an epoch. t->at.epoch counts it already. */
static mml_status end_epoch(mmli_trainer *t, double rate, double seconds, mml_epoch *line)
{
    mml_status st = MML_OK;
    double loss, score;
    bool best = false;

    MML_TRY(mmli_train_validate(t, &loss, &score));
    MML_CHECK(!t->by_loss || isfinite(loss), MML_E_NOT_FINITE,
              "the validation loss is not finite after epoch %zu: the training has diverged; lower the learning rate (%g)",
              t->at.epoch, t->o->learning_rate);
    MML_TRY(keep_best(t, loss, score, &best));
    mmli_schedule_plateau(&t->at.plateau_factor, &t->at.plateau_best, &t->at.plateau_bad, criterion(t, loss, score));
    *line = (mml_epoch){.epoch = t->at.epoch,
                        .epochs = t->o->epochs,
                        .train_loss = t->at.weight_sum > 0 ? t->at.loss_sum / t->at.weight_sum : NAN,
                        .valid_loss = loss,
                        .valid_score = score,
                        .learning_rate = rate,
                        .gradient_norm = t->at.norm_sum / (double)t->steps,
                        .seconds = seconds,
                        .best = best};
    t->history[t->n_history++] = *line;
    t->at.in_epoch = 0;
    t->at.loss_sum = t->at.weight_sum = t->at.norm_sum = 0;
    t->at.seconds += seconds;
out:
    return st;
}

static mml_status run_epoch(mmli_trainer *t)
{
    mml_status st = MML_OK;
    const double start = mmli_now();
    double rate = 0;
    mml_epoch line;

    shuffle(t);
    MML_TRY(mmli_optim_begin(t->optim, t->at.loss_sum, t->at.norm_sum));
    while (t->at.in_epoch < t->steps) {
        const size_t first = t->at.in_epoch * t->o->batch, left = t->part[0].n - first;
        const size_t n = left < t->o->batch ? left : t->o->batch;

        if (left > n)
            mmli_train_expect(t, t->order, first + n, t->part[0].n);
        else
            mmli_train_expect(t, t->part[1].samples, 0, t->part[1].n); /* validation follows */
        rate = mmli_schedule_rate(t->o, t->at.step, t->steps * t->o->epochs, t->at.plateau_factor);
        MML_TRY(t->parallel ? mmli_parallel_step(t->parallel, t->order + first, n, rate)
                            : mmli_train_step(t, t->order + first, n, rate));
        if (t->o->watch && t->at.in_epoch < t->steps &&
            t->o->watch(t->o->watch_user, NULL, t->at.epoch + 1, t->at.in_epoch, t->steps))
            return stop(t);
    }
    t->at.epoch++;
    MML_TRY(end_epoch(t, rate, mmli_now() - start, &line));
    MML_TRY(save_checkpoint(t));
    if (t->o->watch && t->o->watch(t->o->watch_user, &line, t->at.epoch, t->steps, t->steps) &&
        t->at.epoch < t->o->epochs)
        st = mmli_fail(MML_E_STOPPED, "stopped after epoch %zu of %zu%s%s", t->at.epoch, t->o->epochs,
                       t->o->checkpoint ? "; resume from " : "", t->o->checkpoint ? t->o->checkpoint : "");
out:
    return st;
}

/* A fuse starts as good as a merge, and few patients can spoil it: its start is kept if no epoch is better. */
static mml_status consider_start(mmli_trainer *t)
{
    mml_status st = MML_OK;
    double loss, score;
    bool best;

    MML_TRY(mmli_train_validate(t, &loss, &score));
    if (isfinite(loss))
        MML_TRY(keep_best(t, loss, score, &best));
out:
    return st;
}

mml_status mmli_train_run(mmli_trainer *t)
{
    mml_status st = MML_OK;
    mmli_params *p = t->model->params;

    if (t->from_start && t->by_loss && t->at.step == 0)
        MML_TRY(consider_start(t));
    while (t->at.epoch < t->o->epochs && !(t->o->patience && t->by_loss && t->at.since_best >= t->o->patience))
        MML_TRY(run_epoch(t));
    if (t->at.best_value > -INFINITY)
        MML_TRY(p->dv->k.copy(p->dv, p->data, t->best, p->total * sizeof(float)));
out:
    return st;
}
