/* optim.c - one sweep over runs of parameters that share their settings; nothing is read back in between. */
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

static mml_status make_runs(mmli_optim *optim, const uint8_t *frozen, const mml_train_options *o)
{
    mml_status st = MML_OK;
    const mmli_params *params = optim->params;

    MML_TRY(mmli_calloc(&optim->runs, params->n, sizeof *optim->runs));
    for (size_t i = 0; i < params->n; i++) {
        const mmli_param *p = &params->list[i];
        const size_t end = i + 1 < params->n ? params->list[i + 1].at : params->total;
        const float decay = decay_of(p, o);
        const bool l1 = p->role == MMLI_ROLE_WEIGHT;
        mmli_run *last = optim->n_runs ? &optim->runs[optim->n_runs - 1] : NULL;

        if (p->dead || (frozen && frozen[i]))
            continue;
        if (last && last->at + last->n == p->at && last->decay == decay && last->l1 == l1)
            last->n += end - p->at;
        else
            optim->runs[optim->n_runs++] = (mmli_run){p->at, end - p->at, decay, l1};
    }
out:
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
    mmli_mem *mem[] = {optim->grads, optim->m, optim->v, optim->scale, optim->sumsq};
    for (size_t i = 0; i < sizeof mem / sizeof *mem; i++)
        if (mem[i])
            dv->k.free(dv, mem[i]);
    mmli_free(optim->runs);
    mmli_free(optim);
}

mml_status mmli_optim_step(mmli_optim *optim, const mml_train_options *o, double rate, uint64_t t)
{
    mml_status st = MML_OK;
    mmli_device *dv = optim->params->dv;
    mmli_mem *data = optim->params->data;
    const float c1 = (float)(1 - pow(beta1, (double)t)), c2 = (float)(1 - pow(beta2, (double)t));

    for (size_t i = 0; i < optim->n_runs && o->l1 > 0; i++) {
        const mmli_run *r = &optim->runs[i];
        if (r->l1)
            MML_TRY(dv->k.l1_grad(dv, mmli_at(optim->grads, r->at), mmli_at(data, r->at), r->n, (float)o->l1));
    }
    MML_TRY(dv->k.fill(dv, optim->sumsq, 2, 0.0f)); /* float64 zero has the bits of two float32 zeros */
    MML_TRY(dv->k.sum_squares(dv, optim->sumsq, optim->grads, optim->params->total));
    if (o->clip_norm > 0)
        MML_TRY(dv->k.clip_scale(dv, optim->scale, optim->sumsq, (float)o->clip_norm));
    for (size_t i = 0; i < optim->n_runs; i++) {
        const mmli_run *r = &optim->runs[i];
        MML_TRY(dv->k.adamw(dv, mmli_at(data, r->at), mmli_at(optim->m, r->at), mmli_at(optim->v, r->at),
                            mmli_at(optim->grads, r->at), o->clip_norm > 0 ? optim->scale : NULL, r->n, (float)rate,
                            (float)beta1, (float)beta2, (float)epsilon, r->decay, c1, c2));
    }
out:
    return st;
}
