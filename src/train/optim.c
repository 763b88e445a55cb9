/* optim.c - one sweep for the norm, one for the step, over all that is trained. Nothing is read back: that a number is not finite is
 * found on the device, which then leaves the parameters alone (kernel `tally`), and is told when somebody asks. */
#include "train/optim.h"

#include <math.h>

#include "util/alloc.h"
#include "util/error.h"

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

/* Decay acts on weights only: a bias, a LayerNorm or the latent has no size that should shrink. */
static float decay_of(const mmli_param *p, const mml_train_options *o)
{
    if (p->role != MMLI_ROLE_WEIGHT)
        return 0.0f;
    if (p->section == MMLI_SECTION_ENCODER && o->encoder_decay >= 0)
        return (float)o->encoder_decay;
    return (float)o->weight_decay;
}

/* Parameters begin at multiples of MMLI_DECAY_EACH (src/nn/params.c); what fills the last one up has gradient 0 and stays. */
static void extend(mmli_run *runs, size_t *n, size_t at, size_t end)
{
    mmli_run *last = *n ? &runs[*n - 1] : NULL;

    if (last && last->at + last->n == at)
        last->n = end - last->at;
    else
        runs[(*n)++] = (mmli_run){at, end - at};
}

static mml_status make_runs(mmli_optim *optim, const uint8_t *frozen, const mml_train_options *o)
{
    const mmli_params *params = optim->params;
    mmli_device *dv = params->dv;
    const size_t blocks = params->total / MMLI_DECAY_EACH;
    mml_status st = MML_OK;
    float *decay = NULL;

    MML_TRY(mmli_calloc(&optim->runs, params->n, sizeof *optim->runs));
    MML_TRY(mmli_calloc(&optim->weights, params->n, sizeof *optim->weights));
    MML_TRY(mmli_calloc(&decay, blocks, sizeof *decay));
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];
        const size_t end = i + 1 < params->n ? params->list[i + 1].at : params->total;

        if (p->dead || (frozen && frozen[i]))
            continue;
        extend(optim->runs, &optim->n_runs, p->at, end);
        if (p->role == MMLI_ROLE_WEIGHT)
            extend(optim->weights, &optim->n_weights, p->at, end);
        for (size_t j = p->at; j < end; j += MMLI_DECAY_EACH)
            decay[j / MMLI_DECAY_EACH] = decay_of(p, o);
    }
    MML_TRY(dv->k.alloc(dv, &optim->decay, blocks * sizeof *decay));
    MML_TRY(dv->k.upload(dv, optim->decay, decay, blocks * sizeof *decay));
out:
    mmli_free(decay);
    return st;
}

static mml_status zeros(mmli_mem **out, mmli_device *dv, size_t floats)
{
    mml_status st = dv->k.alloc(dv, out, floats * sizeof(float));

    return st == MML_OK ? dv->k.fill(dv, *out, floats, 0.0f) : st;
}

mml_status mmli_optim_new(mmli_optim **out, mmli_params *params, const uint8_t *frozen, const mml_train_options *o)
{
    mml_status st = MML_OK;
    mmli_optim *optim = NULL;
    mmli_device *dv = params->dv;

    *out = NULL;
    MML_TRY(mmli_calloc(&optim, 1, sizeof *optim));
    optim->params = params;
    MML_TRY(make_runs(optim, frozen, o));
    MML_TRY(zeros(&optim->grads, dv, params->total));
    MML_TRY(zeros(&optim->m, dv, params->total));
    MML_TRY(zeros(&optim->v, dv, params->total));
    MML_TRY(zeros(&optim->scale, dv, 1));
    MML_TRY(zeros(&optim->sumsq, dv, 2));
    MML_TRY(dv->k.alloc(dv, &optim->tally, MMLI_TALLY * sizeof(double)));
    MML_TRY(mmli_optim_begin(optim, 0, 0));
    *out = optim;
    optim = NULL;
out:
    mmli_optim_free(optim);
    return st;
}

void mmli_optim_free(mmli_optim *optim)
{
    if (!optim)
        return;
    mmli_device *dv = optim->params->dv;
    mmli_mem *mem[] = {optim->grads, optim->m, optim->v, optim->scale, optim->sumsq, optim->tally, optim->decay};
    for (size_t i = 0; i < sizeof mem / sizeof *mem; i++)
        if (mem[i])
            dv->k.free(dv, mem[i]);
    mmli_free(optim->runs);
    mmli_free(optim->weights);
    mmli_free(optim);
}

mml_status mmli_optim_begin(mmli_optim *optim, double loss, double norm)
{
    mmli_device *dv = optim->params->dv;
    const double tally[MMLI_TALLY] = {[MMLI_TALLY_LOSS] = loss, [MMLI_TALLY_NORM] = norm};

    return dv->k.upload(dv, optim->tally, tally, sizeof tally);
}

mml_status mmli_optim_read(double tally[MMLI_TALLY], const mmli_optim *optim)
{
    mmli_device *dv = optim->params->dv;

    return dv->k.download(dv, tally, optim->tally, MMLI_TALLY * sizeof *tally);
}

/* What the gradient is, penalty included, in one number. */
static mml_status measure(mmli_optim *optim, const mml_train_options *o)
{
    mml_status st = MML_OK;
    mmli_device *dv = optim->params->dv;

    for (size_t i = 0; i < optim->n_weights && o->l1 > 0; i++) {
        const mmli_run *r = &optim->weights[i];
        MML_TRY(dv->k.l1_grad(dv, mmli_at(optim->grads, r->at), mmli_at(optim->params->data, r->at), r->n, (float)o->l1));
    }
    MML_TRY(dv->k.fill(dv, optim->sumsq, 2, 0.0f)); /* float64 zero has the bits of two float32 zeros */
    for (size_t i = 0; i < optim->n_runs; i++)
        MML_TRY(dv->k.sum_squares(dv, optim->sumsq, mmli_at(optim->grads, optim->runs[i].at), optim->runs[i].n));
out:
    return st;
}

mml_status mmli_optim_step(mmli_optim *optim, const mml_train_options *o, const mmli_mem *loss, double weight, double rate,
                           uint64_t t)
{
    mml_status st = MML_OK;
    mmli_device *dv = optim->params->dv;
    mmli_mem *data = optim->params->data;
    const float c1 = (float)(1 - pow(beta1, (double)t)), c2 = (float)(1 - pow(beta2, (double)t));

    if (!(weight > 0)) /* a Cox batch without events teaches nothing */
        return dv->k.tally(dv, optim->tally, NULL, loss, NULL, weight, 0.0f, t);
    MML_TRY(measure(optim, o));
    MML_TRY(dv->k.tally(dv, optim->tally, optim->scale, loss, optim->sumsq, weight, (float)o->clip_norm, t));
    for (size_t i = 0; i < optim->n_runs; i++) {
        const mmli_run *r = &optim->runs[i];
        MML_TRY(dv->k.adamw(dv, mmli_at(data, r->at), mmli_at(optim->m, r->at), mmli_at(optim->v, r->at),
                            mmli_at(optim->grads, r->at), optim->scale, mmli_at(optim->decay, r->at / MMLI_DECAY_EACH), r->n,
                            (float)rate, (float)beta1, (float)beta2, (float)epsilon, c1, c2));
    }
out:
    return st;
}
