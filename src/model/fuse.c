/* fuse.c - the fused model before fine-tuning: copies of the blocks, one latent, one head (method.md 4). */
#include <math.h>

#include "lego/heads.h"
#include "model/join.h"
#include "model/options.h"
#include "model/weights.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

#define LEAST_SHARE 0.1 /* of an equal weight */

/* Parameter `to` = mean of one parameter of every block, equal weights. from (n). */
static mml_status mean_of(mml_model *model, size_t to, const size_t *from, mml_head_method method)
{
    const size_t size = model->params->list[to].rows * model->params->list[to].cols;
    mml_status st = MML_OK;
    float *values = NULL, *mean = NULL;
    const float **v = NULL;
    double *w = NULL;
    size_t all;

    MML_CHECK(mmli_mul_size(&all, size, model->n), MML_E_NOMEM, "a head of %zu x %zu values is too large", model->n, size);
    MML_TRY(mmli_calloc(&values, all, sizeof *values));
    MML_TRY(mmli_calloc(&mean, size, sizeof *mean));
    MML_TRY(mmli_calloc(&v, model->n, sizeof *v));
    MML_TRY(mmli_calloc(&w, model->n, sizeof *w));
    for (size_t i = 0; i < model->n; i++) {
        MML_TRY(mmli_params_get(values + i * size, model->params, from[i]));
        v[i] = values + i * size;
        w[i] = 1.0;
    }
    MML_TRY(mmli_vector_mean(mean, v, w, model->n, size, method));
    MML_TRY(mmli_params_set(model->params, to, mean));
out:
    mmli_free(values);
    mmli_free(mean);
    mmli_free(v);
    mmli_free(w);
    return st;
}

static mml_status start_values(mml_model *model)
{
    mml_status st = MML_OK;
    size_t *from = NULL;

    MML_TRY(mmli_calloc(&from, model->n, sizeof *from));
#define MEAN(to, member, method)                                                                   \
    do {                                                                                           \
        for (size_t i = 0; i < model->n; i++)                                                      \
            from[i] = model->members[i].block.member;                                              \
        MML_TRY(mean_of(model, to, from, method));                                                 \
    } while (0)
    MEAN(model->latent, latent, MML_HEAD_SLERP);
    MEAN(model->head.norm_w, head.norm_w, model->fuse.head);
    MEAN(model->head.norm_b, head.norm_b, model->fuse.head);
    MEAN(model->head.linear_w, head.linear_w, model->fuse.head);
    MEAN(model->head.linear_b, head.linear_b, model->fuse.head);
#undef MEAN
out:
    mmli_free(from);
    return st;
}

static mml_status scale(mml_model *model, size_t param, double by)
{
    const mmli_param *p = &model->params->list[param];
    const size_t size = p->rows * p->cols;
    mml_status st = MML_OK;
    float *v = NULL;

    MML_TRY(mmli_calloc(&v, size, sizeof *v));
    MML_TRY(mmli_params_get(v, model->params, param));
    for (size_t i = 0; i < size; i++)
        v[i] = (float)(v[i] * by);
    MML_TRY(mmli_params_set(model->params, param, v));
out:
    mmli_free(v);
    return st;
}

/* d' of every block, or equal weights where a block has no score. A block no better than chance is not silenced, only
 * hushed: with output weights of 0 it would have no gradient to come back by. */
static mml_status start_weights(double *w, const mml_model *model)
{
    mml_status st = MML_OK;
    bool scored = true;
    double sum = 0;

    for (size_t i = 0; i < model->n; i++)
        scored = scored && !isnan(mmli_provenance_score(&model->members[i].from));
    if (scored)
        MML_TRY(mmli_weights_known(w, model));
    for (size_t i = 0; i < model->n; i++)
        sum += scored ? w[i] : 0;
    for (size_t i = 0; i < model->n; i++)
        w[i] = sum > 0 ? fmax(w[i], LEAST_SHARE * sum / (double)model->n) : 1 / (double)mml_model_committee(model, i);
out:
    return st;
}

/* What a block adds to R is multiplied by its share of sum_m a_m / rms_m, so that the stack of the blocks starts as the mean of
 * scaled latents that a merge takes, but for the feed-forward, which hears the blocks before it (method.md 3b points 3, 4). */
static mml_status make_weighted(mml_model *model)
{
    mml_status st = MML_OK;
    double *w = NULL;

    MML_TRY(mmli_calloc(&w, model->n, sizeof *w));
    MML_TRY(start_weights(w, model));
    for (size_t i = 0; i < model->n; i++)
        w[i] /= model->members[i].latent_rms;
    mmli_weights_normalise(w, model->n);
    for (size_t i = 0; i < model->n; i++) {
        const mmli_block *block = &model->members[i].block;
        const size_t sets = block->o.share_steps ? 1 : block->o.steps;

        for (size_t s = 0; s < sets; s++) {
            const mmli_step *step = &block->steps[s];
            const size_t outputs[] = {step->out_w, step->out_b, step->ff_out_w, step->ff_out_b};

            for (size_t k = 0; k < sizeof outputs / sizeof *outputs; k++)
                MML_TRY(scale(model, outputs[k], w[i]));
        }
    }
out:
    mmli_free(w);
    return st;
}

/* Weakest block first, so that the strongest has the last word on the state (method.md 3b point 8); blocks without a
 * score come before all others, equal ones stay as given. */
static mml_status by_validation(mml_model *model)
{
    mml_status st = MML_OK;
    double *score = NULL;

    MML_TRY(mmli_calloc(&score, model->n, sizeof *score));
    for (size_t i = 0; i < model->n; i++) {
        score[i] = mmli_provenance_score(&model->members[i].from);
        score[i] = isnan(score[i]) ? -HUGE_VAL : score[i];
    }
    MML_TRY(mmli_argsort(model->order, score, model->n));
out:
    mmli_free(score);
    return st;
}

mml_status mmli_fuse_on(mml_model **out, const mml_model *const *models, size_t n, const mml_fuse_options *options,
                        const char *device, const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    mml_fuse_options o;
    mmli_source *sources = NULL;
    mml_model *model = NULL;
    size_t members;

    *out = NULL;
    MML_TRY(mml_fuse_options_init(&o, "mmlego"));
    MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_fuse_options"));
    MML_TRY(mmli_fuse_options_check(&o));
    MML_TRY(mmli_join_sources(&sources, &members, models, n, "fused"));
    MML_TRY(mmli_join_new(&model, MML_MODEL_FUSE, sources, members, device, table, threads));
    model->fuse = o;
    MML_TRY(mmli_model_declare_fuse(model));
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_join_copy(model, sources, members));
    MML_TRY(start_values(model));
    if (o.loudness == MML_LOUD_WEIGHTED)
        MML_TRY(make_weighted(model));
    if (o.order == MML_ORDER_VALIDATION)
        MML_TRY(by_validation(model));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_free(sources);
    return st;
}

mml_status mml_fuse(mml_model **out, const mml_model *const *models, size_t n, const mml_fuse_options *options)
{
    MML_GIVEN(out);
    return mmli_fuse_on(out, models, n, options, NULL, NULL, 0);
}
