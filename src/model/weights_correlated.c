/* weights_correlated.c - a = Sigma^-1 d': the best linear combination of scores that say partly the same thing.
 *
 * Sigma is the correlation of the blocks' scores over samples that have both modalities; labels are not looked at. It
 * weighs scores of equal spread. A merge adds what the blocks say as loud as they say it (a timid block has small
 * log-odds), so each weight is divided by the spread of its block's scores: the linear discriminant of the scores.
 * Correlations of few samples are drawn towards 0, r n / (n + M + 1); what is then not positive definite (every pair has
 * its own samples) is drawn further until it is. Negative weights become 0 (method.md 3b point 4). */
#include <math.h>
#include <string.h>

#include "model/walk.h"
#include "model/weights.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_SAMPLES = 5000, FEWEST_PAIRS = 3 };

/* What the blocks say of each sample, as e numbers: log-odds (binary), logits about their mean (multiclass), risk, value. */
typedef struct evidence {
    size_t n, e;
    double *says;     /* (members, n, e) */
    uint8_t *present; /* (members, n) */
} evidence;

static void evidence_clear(evidence *ev)
{
    mmli_free(ev->says);
    mmli_free(ev->present);
}

static mml_status evidence_new(evidence *ev, const mml_model *model, size_t n)
{
    mml_status st = MML_OK;
    size_t all;

    ev->n = n;
    ev->e = model->task->kind == MML_MULTICLASS ? model->task->outputs : 1;
    MML_CHECK(mmli_mul_size(&all, n, ev->e) && mmli_mul_size(&all, all, model->n), MML_E_NOMEM,
              "%zu samples of %zu blocks are too many", n, model->n);
    MML_TRY(mmli_calloc(&ev->says, all, sizeof *ev->says));
    MML_TRY(mmli_calloc(&ev->present, model->n * n, 1));
out:
    return st;
}

static void say(double *to, const mmli_task *task, const float *logits)
{
    const size_t k = task->outputs;
    double mean = 0.0, score;

    switch (task->kind) {
    case MML_BINARY:
        *to = (double)logits[1] - (double)logits[0];
        break;
    case MML_MULTICLASS:
        for (size_t j = 0; j < k; j++)
            mean += (double)logits[j] / (double)k;
        for (size_t j = 0; j < k; j++)
            to[j] = (double)logits[j] - mean;
        break;
    case MML_SURVIVAL:
    case MML_REGRESSION:
    default:
        mmli_task_outputs(NULL, NULL, &score, task, logits, 1);
        *to = score;
    }
}

/* Block m alone over one chunk: a merge of which only one block sees a sample gives that block's own prediction. */
static mml_status one_block(evidence *ev, size_t at, size_t m, mmli_trial *trial, const mmli_walk *walk,
                            const mml_batch *batch, uint8_t *drop, float *logits)
{
    const mml_model *model = walk->model;
    const size_t B = mml_batch_size(batch), k = model->task->outputs;
    mml_status st = MML_OK;
    mmli_heads heads = {0}; /* stays empty: no set has two blocks */
    mmli_inputs in;
    mmli_bound bound;
    mmli_var *out = NULL;

    memset(drop, 1, model->n * B);
    memset(drop + m * B, 0, B);
    MML_TRY(mmli_tape_begin(trial->blocks, 0, 0, 0));
    MML_TRY(mmli_inputs_make(&in, trial->blocks, model, batch, drop, walk->matches));
    if (!in.in[m].x)
        goto out;
    MML_TRY(mmli_params_bind(&bound, trial->blocks, trial->params, NULL, NULL));
    MML_TRY(mmli_model_forward(&out, model, trial->blocks, &bound, &in, &heads));
    MML_TRY(trial->dv->k.download(trial->dv, logits, out->data, B * k * sizeof *logits));
    for (size_t b = 0; b < B; b++) {
        ev->present[m * ev->n + at + b] = in.present[m * B + b];
        if (in.present[m * B + b])
            say(ev->says + (m * ev->n + at + b) * ev->e, model->task, logits + b * k);
    }
out:
    mmli_heads_clear(&heads, trial->dv);
    return st;
}

static mml_status gather(evidence *ev, const mml_model *model, const mml_merge_options *o, const size_t *samples)
{
    mml_status st = MML_OK;
    mmli_walk walk = {0};
    mmli_trial trial = {0};
    const mml_batch *batch;
    const size_t *which;
    size_t n, cap = 0;
    uint8_t *drop = NULL;
    float *logits = NULL;

    MML_TRY(mmli_trial_begin(&trial, model, o->device, o->threads));
    MML_TRY(mmli_walk_begin(&walk, model, o->cohort, samples, ev->n, 0));
    for (;;) {
        const size_t at = walk.at;

        MML_TRY(mmli_walk_next(&batch, &which, &n, &walk));
        if (!batch)
            break;
        if (n > cap) {
            MML_TRY(mmli_realloc(&drop, n, model->n));
            MML_TRY(mmli_realloc(&logits, n * model->task->outputs, sizeof *logits));
            cap = n;
        }
        for (size_t m = 0; m < model->n; m++)
            MML_TRY(one_block(ev, at, m, &trial, &walk, batch, drop, logits));
    }
out:
    mmli_free(drop);
    mmli_free(logits);
    mmli_walk_end(&walk);
    mmli_trial_end(&trial);
    return st;
}

/* Correlation of what two blocks say, over the samples that both see, drawn towards 0. */
static double correlation(const evidence *ev, size_t a, size_t b, size_t members)
{
    double n = 0.0, ma = 0.0, mb = 0.0, saa = 0.0, sbb = 0.0, sab = 0.0, samples;

    for (int pass = 0; pass < 2; pass++) { /* means first: the sums of squares are then about them */
        for (size_t i = 0; i < ev->n; i++) {
            if (!ev->present[a * ev->n + i] || !ev->present[b * ev->n + i])
                continue;
            for (size_t j = 0; j < ev->e; j++) {
                const double x = ev->says[(a * ev->n + i) * ev->e + j], y = ev->says[(b * ev->n + i) * ev->e + j];

                if (pass == 0) {
                    n += 1.0;
                    ma += x;
                    mb += y;
                } else {
                    saa += (x - ma) * (x - ma);
                    sbb += (y - mb) * (y - mb);
                    sab += (x - ma) * (y - mb);
                }
            }
        }
        if (pass == 0 && n > 0.0) {
            ma /= n;
            mb /= n;
        }
    }
    samples = n / (double)ev->e;
    if (samples < FEWEST_PAIRS || !(saa > 0.0) || !(sbb > 0.0))
        return 0.0;
    return sab / sqrt(saa) / sqrt(sbb) * samples / (samples + (double)members + 1.0);
}

/* Standard deviation of what a block says; 0 when it always says the same, or sees too few. */
static double spread(const evidence *ev, size_t m)
{
    double n = 0.0, mean = 0.0, sum = 0.0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < ev->n; i++) {
            const double *x = ev->says + (m * ev->n + i) * ev->e;

            for (size_t j = 0; j < ev->e && ev->present[m * ev->n + i]; j++) {
                n += pass == 0 ? 1.0 : 0.0;
                mean += pass == 0 ? x[j] : 0.0;
                sum += pass == 1 ? (x[j] - mean) * (x[j] - mean) : 0.0;
            }
        }
        if (pass == 0 && n > 0.0)
            mean /= n;
    }
    return n >= (double)(FEWEST_PAIRS * ev->e) ? sqrt(sum / n) : 0.0;
}

/* Cholesky factor of `a` (m, m) into l; false when it is not positive definite. */
static bool cholesky(double *l, const double *a, size_t m)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = a[i * m + j];

            for (size_t k = 0; k < j; k++)
                s -= l[i * m + k] * l[j * m + k];
            if (i == j && !(s > 1e-6))
                return false;
            l[i * m + j] = i == j ? sqrt(s) : s / l[j * m + j];
        }
    return true;
}

/* Solves l l^T x = x in place. */
static void solve(double *x, const double *l, size_t m)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= l[i * m + k] * x[k];
        x[i] /= l[i * m + i];
    }
    for (size_t i = m; i-- > 0;) {
        for (size_t k = i + 1; k < m; k++)
            x[i] -= l[k * m + i] * x[k];
        x[i] /= l[i * m + i];
    }
}

/* w: d' of the blocks, replaced by their weights. */
static mml_status combine(double *w, const evidence *ev, size_t m)
{
    mml_status st = MML_OK;
    double *sigma = NULL, *l = NULL, *d = NULL;

    MML_TRY(mmli_calloc(&d, m, sizeof *d));
    memcpy(d, w, m * sizeof *d);
    MML_TRY(mmli_calloc(&sigma, m * m, sizeof *sigma));
    MML_TRY(mmli_calloc(&l, m * m, sizeof *l));
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b < m; b++)
            sigma[a * m + b] = a == b ? 1.0 : correlation(ev, a < b ? a : b, a < b ? b : a, m);
    while (!cholesky(l, sigma, m)) /* ends: with small correlations it is near the identity */
        for (size_t i = 0; i < m * m; i++)
            sigma[i] *= i % (m + 1) == 0 ? 1.0 : 0.8;
    solve(w, l, m);
    for (size_t i = 0; i < m; i++) { /* a block no better than chance, or one that cannot be judged, counts for nothing */
        const double sd = spread(ev, i);

        w[i] = w[i] > 0.0 && d[i] > 0.0 && sd > 0.0 ? w[i] / sd : 0.0;
    }
out:
    mmli_free(sigma);
    mmli_free(l);
    mmli_free(d);
    return st;
}

mml_status mmli_weights_correlated(double *w, mml_model *model, const mml_merge_options *o)
{
    mml_status st = MML_OK;
    evidence ev = {0};
    size_t *samples = NULL, n;

    MML_TRY(mmli_weights_dprime(w, model));
    MML_TRY(mmli_weights_samples(&samples, &n, model, o->cohort, NULL, MOST_SAMPLES, o->seed));
    MML_TRY(evidence_new(&ev, model, n));
    MML_TRY(gather(&ev, model, o, samples));
    MML_TRY(combine(w, &ev, model->n));
    mmli_weights_normalise(w, model->n);
out:
    evidence_clear(&ev);
    mmli_free(samples);
    return st;
}
