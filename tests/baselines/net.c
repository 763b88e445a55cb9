/* net.c - see net.h. */
#include "tests/baselines/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/arrange.h"
#include "ops/internal.h"
#include "util/rng.h"

enum { SEED = 12 };

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    ck_assert_ptr_nonnull(p);
    return p;
}

/* Norms and biases start at 1 and 0, where much cancels. */
static void move(net *t, uint64_t seed)
{
    for (size_t i = 0; i < t->params->n; i++) {
        const mmli_param *p = &t->params->list[i];
        const size_t n = p->rows * p->cols;
        const uint64_t key = mmli_rng_key(seed, p->name, 1);
        float *x;

        if (p->role != MMLI_ROLE_NORM && p->role != MMLI_ROLE_BIAS)
            continue;
        x = zeroed(n, sizeof *x);
        mmlt_assert_ok(mmli_params_get(x, t->params, i));
        for (size_t j = 0; j < n; j++)
            x[j] += 0.3f * mmli_rng_normal(key, j);
        mmlt_assert_ok(mmli_params_set(t->params, i, x));
        free(x);
    }
}

void net_open(net *t, int backend, int threads, uint64_t seed, const mml_baseline_options *o, const mml_modality_kind *kinds,
              const size_t *widths, size_t n, size_t outputs)
{
    static const char *const names[RIG_MOST] = {"m0", "m1", "m2"};
    mmli_baseline_modality modalities[RIG_MOST];

    *t = (net){.dv = mmlt_device(backend, threads)};
    mmlt_assert_ok(mmli_params_new(&t->params));
    mmlt_assert_ok(mmli_tape_new(&t->tape, t->dv));
    for (size_t m = 0; m < n; m++)
        modalities[m] = (mmli_baseline_modality){names[m], kinds[m], widths[m]};
    mmlt_assert_ok(mmli_baseline_new(&t->b, t->params, o, modalities, n, outputs));
    mmlt_assert_ok(mmli_params_build(t->params, t->dv));
    mmlt_assert_ok(mmli_params_start(t->params, seed, "net", 0));
    move(t, seed);
    mmlt_assert_ok(t->dv->k.alloc(t->dv, &t->grads, t->params->total * sizeof(float)));
}

void net_close(net *t)
{
    mmli_baseline_free(t->b);
    t->dv->k.free(t->dv, t->grads);
    mmli_tape_free(t->tape);
    mmli_params_free(t->params);
    mmli_device_close(t->dv);
}

static void input(mmli_input *in, net *t, const mmli_host_tokens *host, size_t B)
{
    if (!host->values || host->offsets[B] == 0)
        return;
    mmlt_assert_ok(mmli_ragged_make(&in->ragged, t->tape, host->offsets, B));
    in->x = mmli_tape_input(t->tape, host->values, (size_t)host->offsets[B], host->width, mmli_tape_recording(t->tape));
}

static void inputs(mmli_input *in, uint8_t *present, net *t, const rig_data *d)
{
    mmli_host_tokens host[RIG_MOST], joined;

    for (size_t m = 0; m < d->m; m++) {
        host[m] = (mmli_host_tokens){d->values[m], d->offsets[m], d->width[m]};
        for (size_t b = 0; b < d->B; b++)
            present[m * d->B + b] = d->offsets[m][b + 1] > d->offsets[m][b];
    }
    if (mmli_baseline_joins(t->b)) {
        mmlt_assert_ok(mmli_join_tokens(&joined, t->tape, t->b, host, d->B));
        input(&in[0], t, &joined, d->B);
        return;
    }
    for (size_t m = 0; m < d->m; m++)
        input(&in[m], t, &host[m], d->B);
}

static float *fetch(const net *t, const mmli_mem *mem, size_t n)
{
    float *host = zeroed(n, sizeof *host);

    mmlt_download(host, t->dv, mem, n * sizeof *host);
    return host;
}

/* Sum of w cross-entropy, in float64 from host copies of the logits. */
static double cross_entropy(const net *t, const mmli_var *logits, const int32_t *label, const float *w)
{
    float *x = fetch(t, logits->data, mmli_size(logits));
    double sum = 0;

    for (size_t b = 0; b < logits->rows; b++) {
        const float *row = x + b * logits->cols;
        double z = 0;

        for (size_t j = 0; j < logits->cols; j++)
            z += exp((double)row[j]);
        sum += (double)w[b] * (log(z) - (double)row[label[b]]);
    }
    free(x);
    return sum;
}

static double losses(net *t, const mmli_stages *stages, const rig_data *d, bool record)
{
    float *w = mmli_tape_host(t->tape, d->B * sizeof *w);
    mmli_mem *loss = mmli_tape_mem(t->tape, sizeof(double));
    double sum = 0;

    mmlt_assert_ok(t->dv->k.fill(t->dv, loss, 2, 0.0f));
    for (size_t s = 0; s < stages->n; s++) {
        for (size_t b = 0; b < d->B; b++)
            w[b] = (stages->share[s] ? stages->share[s][b] : 1) / (float)d->B;
        sum += cross_entropy(t, stages->logits[s], d->label, w);
        if (record)
            mmlt_assert_ok(mmli_loss_cross_entropy(t->tape, loss, stages->logits[s], d->label, w));
    }
    return sum;
}

void net_run(net_result *out, net *t, const rig_data *d, int mode)
{
    mmli_input in[RIG_MOST] = {{0}};
    uint8_t present[RIG_MOST * 64] = {0};
    mmli_baseline_pass pass = {.tape = t->tape, .in = in, .present = present, .samples = d->B, .all = true};
    mmli_bound bound;
    mmli_stages stages;
    const mmli_var *last;

    ck_assert_uint_le(d->B, 64);
    memset(out, 0, sizeof *out);
    mmlt_assert_ok(mmli_tape_begin(t->tape, mode, SEED, 5));
    for (size_t i = 0; i < t->params->n; i++) { /* the pass must overwrite what it finds */
        const mmli_param *p = &t->params->list[i];
        mmlt_assert_ok(t->dv->k.fill(t->dv, mmli_at(t->grads, p->at), p->rows * p->cols, NAN));
    }
    mmlt_assert_ok(mmli_params_bind(&bound, t->tape, t->params, t->grads, NULL));
    inputs(in, present, t, d);
    pass.bound = &bound;
    pass.key = mmli_tape_key(t->tape, "net");
    mmlt_assert_ok(mmli_baseline_forward(&stages, t->b, &pass));
    ck_assert_uint_ge(stages.n, 1);
    last = stages.logits[stages.n - 1];
    out->stages = stages.n;
    out->n_logits = mmli_size(last);
    out->n_params = t->params->total;
    out->logits = fetch(t, last->data, out->n_logits);
    out->objective = losses(t, &stages, d, mode & MMLI_RECORD);
    if (!(mode & MMLI_RECORD))
        return;
    mmlt_assert_ok(mmli_tape_backward(t->tape));
    mmlt_assert_ok(mmli_params_settle(&bound, t->tape));
    out->grads = fetch(t, t->grads, out->n_params);
    for (size_t m = 0; m < d->m; m++)
        if (in[m].x) {
            out->n_x[m] = mmli_size(in[m].x);
            out->dx[m] = in[m].x->grad ? fetch(t, in[m].x->grad, out->n_x[m]) : NULL;
        }
}

void net_result_free(net_result *r)
{
    free(r->logits);
    free(r->grads);
    for (size_t m = 0; m < RIG_MOST; m++)
        free(r->dx[m]);
    memset(r, 0, sizeof *r);
}
