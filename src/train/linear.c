/* linear.c - the linear reference is solved, not trained in steps: features of the training part are read once, standardised, and
 * fitted for each penalty of a path, from the largest down; the penalty with the best validation score is kept. Each is a row of the
 * history, with the penalty in the place of the learning rate. */
#include <math.h>
#include <string.h>

#include "baselines/glm.h"
#include "baselines/linear.h"
#include "ops/ops.h"
#include "train/trainer.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"

/* 10, 10^0.5, ... 10^-4.5 */
double mmli_linear_penalty(size_t i)
{
    return pow(10.0, 1.0 - 0.5 * (double)i);
}

typedef struct fitting {
    mmli_trainer *t;
    const mmli_baseline *b;
    mmli_glm g;
    mmli_glm_path *path;
    size_t tried; /* penalties */
    double *x, *mean, *scale; /* (n, p), (p), (p): 1 / sd, 0 of what is constant */
    double *y, *event, *w, *beta;
    int32_t *label;
} fitting;

static void fitting_clear(fitting *f)
{
    mmli_glm_path_close(f->path);
    mmli_free(f->x);
    mmli_free(f->mean);
    mmli_free(f->scale);
    mmli_free(f->y);
    mmli_free(f->event);
    mmli_free(f->w);
    mmli_free(f->beta);
    mmli_free(f->label);
}

/* The watch, between two steps of a fit. */
static int is_stopped(void *user)
{
    const fitting *f = user;
    const mml_train_options *o = f->t->o;

    return o->watch && o->watch(o->watch_user, NULL, f->tried + 1, 0, 1) != 0;
}

/* Features of one modality of a batch into its columns; NaN where it is missing. */
static mml_status take_columns(fitting *f, const mmli_input *in, size_t row, size_t n, size_t column, size_t width)
{
    mmli_tape *tape = f->t->tape;
    mmli_device *dv = mmli_tape_device(tape);
    float *host = mmli_tape_host(tape, n * width * sizeof *host);
    mml_status st = MML_OK;

    MML_TRY(mmli_tape_status(tape));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width; j++)
            f->x[(row + i) * f->g.p + column + j] = NAN;
    if (!in->x)
        goto out;
    MML_TRY(dv->k.download(dv, host, in->x->data, in->ragged.segs * width * sizeof *host));
    for (size_t s = 0; s < in->ragged.segs; s++)
        for (size_t j = 0; j < width; j++)
            f->x[(row + (size_t)in->ragged.idx[s]) * f->g.p + column + j] = (double)host[s * width + j];
out:
    return st;
}

static mml_status read_features(fitting *f)
{
    mmli_trainer *t = f->t;
    const mmli_part *train = &t->part[0];
    mml_status st = MML_OK;

    for (size_t at = 0; at < train->n; at += t->o->batch) {
        const size_t n = train->n - at < t->o->batch ? train->n - at : t->o->batch;
        mmli_inputs inputs;
        size_t column = 0;

        MML_CHECK(!is_stopped(f), MML_E_STOPPED, "stopped");
        mmli_train_expect(t, train->samples, at + n, train->n);
        MML_TRY(mmli_train_read(t, train->samples + at, n));
        MML_TRY(mmli_tape_begin(t->tape, 0, t->o->seed, 0));
        MML_TRY(mmli_inputs_make(&inputs, t->tape, t->model, t->batch, NULL, NULL));
        for (size_t m = 0; m < f->b->n; m++) {
            MML_TRY(take_columns(f, &inputs.in[m], at, n, column, f->b->widths[m]));
            column += f->b->widths[m];
        }
    }
out:
    return st;
}

/* Mean 0 and population sd 1 over the samples that have the modality; 0 for the others. Row by row, as they lie in memory. */
static mml_status standardise(fitting *f)
{
    const size_t n = f->g.n, p = f->g.p;
    mml_status st = MML_OK;
    double *count = NULL;

    MML_TRY(mmli_calloc(&count, p, sizeof *count));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            const double x = f->x[i * p + j];

            f->mean[j] += isnan(x) ? 0 : x;
            count[j] += isnan(x) ? 0 : 1;
        }
    for (size_t j = 0; j < p; j++)
        f->mean[j] /= fmax(1, count[j]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            const double d = f->x[i * p + j] - f->mean[j];

            f->scale[j] += isnan(d) ? 0 : d * d;
        }
    for (size_t j = 0; j < p; j++) {
        const double sd = sqrt(f->scale[j] / fmax(1, count[j]));

        f->scale[j] = sd > 1e-6 * (1 + fabs(f->mean[j])) ? 1 / sd : 0; /* features are float32 */
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            double *x = f->x + i * p + j;

            *x = isnan(*x) ? 0 : (*x - f->mean[j]) * f->scale[j];
        }
out:
    mmli_free(count);
    return st;
}

static mml_status prepare(fitting *f)
{
    mmli_trainer *t = f->t;
    const mmli_task *task = t->model->task;
    mml_status st = MML_OK;
    size_t p = 0;

    for (size_t m = 0; m < f->b->n; m++)
        p += f->b->widths[m];
    f->g = (mmli_glm){.n = t->part[0].n, .p = p, .k = task->kind == MML_MULTICLASS ? task->outputs : 1};
    f->g.kind = task->kind == MML_BINARY       ? MMLI_GLM_LOGISTIC
                : task->kind == MML_MULTICLASS ? MMLI_GLM_MULTINOMIAL
                : task->kind == MML_SURVIVAL   ? MMLI_GLM_COX
                                               : MMLI_GLM_RIDGE;
    MML_TRY(mmli_calloc(&f->x, f->g.n * p, sizeof *f->x));
    MML_TRY(mmli_calloc(&f->mean, p, sizeof *f->mean));
    MML_TRY(mmli_calloc(&f->scale, p, sizeof *f->scale));
    MML_TRY(mmli_calloc(&f->y, f->g.n, sizeof *f->y));
    MML_TRY(mmli_calloc(&f->event, f->g.n, sizeof *f->event));
    MML_TRY(mmli_calloc(&f->w, f->g.n, sizeof *f->w));
    MML_TRY(mmli_calloc(&f->label, f->g.n, sizeof *f->label));
    MML_TRY(mmli_calloc(&f->beta, f->g.k * (p + 1), sizeof *f->beta));
    for (size_t i = 0; i < f->g.n; i++) {
        const size_t s = t->part[0].samples[i];

        f->label[i] = t->labels->index[s];
        f->event[i] = (double)t->labels->event[s];
        f->w[i] = (double)t->labels->weight[s];
        f->y[i] = task->kind == MML_REGRESSION ? (double)t->labels->target[s] : t->labels->value[s];
    }
    f->g.x = f->x;
    f->g.label = f->label;
    f->g.y = f->y;
    f->g.event = f->event;
    f->g.w = f->w;
    f->g.stop = is_stopped;
    f->g.stop_user = f;
    MML_TRY(read_features(f));
    MML_TRY(standardise(f));
    MML_TRY(mmli_glm_path_open(&f->path, &f->g));
out:
    return st;
}

/* The coefficients, in units of the features, as parameters. Of two classes the first has logit 0. */
static mml_status set_parameters(const fitting *f)
{
    const mmli_linear_net *net = f->b->parts;
    mmli_params *params = f->t->model->params;
    const size_t p = f->g.p, k = f->b->outputs, rows = f->g.k;
    mml_status st = MML_OK;
    float *w = NULL, *bias = NULL, *center = NULL;
    size_t column = 0;

    MML_TRY(mmli_calloc(&w, k * p, sizeof *w));
    MML_TRY(mmli_calloc(&center, p, sizeof *center));
    MML_TRY(mmli_calloc(&bias, k, sizeof *bias));
    for (size_t r = 0; r < rows; r++) {
        const double *beta = f->beta + r * (p + 1);
        double b = beta[p];

        for (size_t j = 0; j < p; j++)
            b -= beta[j] * f->scale[j] * f->mean[j];
        bias[k - rows + r] = (float)b;
    }
    for (size_t m = 0; m < f->b->n; column += f->b->widths[m++]) {
        const size_t width = f->b->widths[m];

        for (size_t j = 0; j < width; j++)
            center[j] = (float)f->mean[column + j];
        memset(w, 0, k * width * sizeof *w);
        for (size_t r = 0; r < rows; r++)
            for (size_t j = 0; j < width; j++)
                w[(k - rows + r) * width + j] = (float)(f->beta[r * (p + 1) + column + j] * f->scale[column + j]);
        MML_TRY(mmli_params_set(params, net->parts[m].w, w));
        MML_TRY(mmli_params_set(params, net->centers[m], center));
    }
    MML_TRY(mmli_params_set(params, net->parts[0].b, bias));
out:
    mmli_free(w);
    mmli_free(bias);
    mmli_free(center);
    return st;
}

/* Mean training loss of the model as it is. */
static mml_status training_loss(mmli_trainer *t, double *loss)
{
    mmli_device *dv = t->model->params->dv;
    double sum = 0, weight = 0;
    mml_status st = MML_OK;

    for (size_t at = 0; at < t->part[0].n; at += t->o->batch) {
        const size_t n = t->part[0].n - at < t->o->batch ? t->part[0].n - at : t->o->batch;
        double l = 0, w = 0;
        mmli_var *logits;

        mmli_train_expect(t, t->part[0].samples, at + n, t->part[0].n);
        MML_TRY(mmli_train_pass(t, t->part[0].samples + at, n, false, &w, &logits));
        MML_TRY(dv->k.download(dv, &l, t->sums, sizeof l));
        sum += l * w;
        weight += w;
    }
    *loss = weight > 0 ? sum / weight : NAN;
out:
    return st;
}

/* Is this the best so far? By the score, at equal scores and without one by the loss. */
static bool is_better(const mmli_trainer *t, double score, double loss)
{
    if (t->at.best_epoch == 0)
        return true;
    if (t->by_score && score != t->at.best_score)
        return score > t->at.best_score;
    return loss < t->at.best_loss;
}

static mml_status try_penalty(fitting *f, double penalty, size_t i, size_t all)
{
    mmli_trainer *t = f->t;
    mmli_device *dv = t->model->params->dv;
    const double began = mmli_now();
    mml_epoch *e = &t->history[i];
    mml_status st = MML_OK;

    MML_TRY(mmli_glm_path_fit(f->beta, f->path, penalty));
    MML_TRY(set_parameters(f));
    *e = (mml_epoch){.epoch = i + 1, .epochs = all, .learning_rate = penalty};
    MML_TRY(training_loss(t, &e->train_loss));
    MML_TRY(mmli_train_validate(t, &e->valid_loss, &e->valid_score));
    if (is_better(t, e->valid_score, e->valid_loss)) {
        t->at.best_score = e->valid_score;
        t->at.best_loss = e->valid_loss;
        t->at.best_epoch = i + 1;
        e->best = 1;
        MML_TRY(dv->k.copy(dv, t->best, t->model->params->data, t->model->params->total * sizeof(float)));
    }
    e->seconds = mmli_now() - began;
    t->at.seconds += e->seconds;
    t->n_history = t->at.epoch = i + 1;
    f->tried = i + 1;
    MML_CHECK(!t->o->watch || t->o->watch(t->o->watch_user, e, i + 1, 1, 1) == 0 || i + 1 == all, MML_E_STOPPED, "stopped");
out:
    return st;
}

mml_status mmli_train_linear(mmli_trainer *t)
{
    fitting f = {.t = t, .b = t->model->baseline};
    mmli_device *dv = t->model->params->dv;
    const double given = f.b->o.penalty;
    mml_status st = MML_OK;

    MML_CHECK(given >= 0 || t->by_loss, MML_E_DATA, "%s: give a penalty",
              t->part[1].n == 0 ? "there is no validation part to choose the penalty on" : "no validation sample has the event, to choose the penalty by");
    MML_TRY(prepare(&f));
    for (size_t i = 0; i < t->o->epochs; i++)
        MML_TRY(try_penalty(&f, given >= 0 ? given : mmli_linear_penalty(i), i, t->o->epochs));
    MML_TRY(dv->k.copy(dv, t->model->params->data, t->best, t->model->params->total * sizeof(float)));
out:
    if (st == MML_E_STOPPED)
        st = mmli_fail(MML_E_STOPPED, "stopped after %zu of %zu penalties", f.tried, t->o->epochs);
    fitting_clear(&f);
    return st;
}
