/* join.c - the blocks of several models in one new model, if they belong together.
 *
 * Latents can be averaged when they have one shape and live in one domain; heads, when their outputs mean the same.
 * How a block got to its latent (encoder, steps, attention heads, temperature) is its own affair. */
#include "model/join.h"

#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"

static mml_status check_latents(const mmli_source *a, const mmli_source *b, const char *verb)
{
    const mmli_member *x = mmli_source_member(a), *y = mmli_source_member(b);
    const mml_block_options *o = &x->block.o, *p = &y->block.o;
    mml_status st = MML_OK;

    MML_CHECK(o->latent_c == p->latent_c && o->latent_d == p->latent_d, MML_E_SHAPE,
              "blocks cannot be %s: the latent of %s is %zu x %zu, that of %s %zu x %zu; train both with one size", verb,
              x->name, o->latent_c, o->latent_d, y->name, p->latent_c, p->latent_d);
    MML_CHECK(o->transform == p->transform, MML_E_ARG,
              "blocks cannot be %s: %s and %s were trained with different transforms of the latent; train them with one preset",
              verb, x->name, y->name);
    MML_CHECK(!o->normalise_latent == !p->normalise_latent, MML_E_ARG,
              "blocks cannot be %s: only one of %s and %s normalises its latent; train them with one preset", verb, x->name,
              y->name);
    MML_CHECK(!o->drop_imaginary == !p->drop_imaginary, MML_E_ARG,
              "blocks cannot be %s: only one of %s and %s drops the imaginary part", verb, x->name, y->name);
    MML_CHECK(!o->handover_real == !p->handover_real, MML_E_ARG,
              "blocks cannot be %s: only one of %s and %s hands its latent over as real; train them with one preset", verb,
              x->name, y->name);
out:
    return st;
}

static mml_status check_task(const mmli_source *a, const mmli_source *b, const char *verb)
{
    const char *x = mmli_source_member(a)->name, *y = mmli_source_member(b)->name;
    mml_status st = MML_OK;
    char *note = NULL;

    if ((st = mmli_task_agree(&note, a->model->task, b->model->task)) != MML_OK) {
        st = mmli_fail_prefix(st, "blocks %s and %s cannot be %s", x, y, verb);
        goto out;
    }
    MML_CHECK(!note, MML_E_ARG,
              "blocks %s and %s cannot be %s: %s. Their outputs mean different things: train all blocks on the same split "
              "(the same --train, --valid, --test or --fold and the same number of bins)", x, y, verb, note);
out:
    mmli_free(note);
    return st;
}

/* at: counted from 1, as people do. */
static mml_status add_model(mmli_source *list, size_t *n, const mml_model *model, size_t at, const char *verb)
{
    mml_status st = MML_OK;

    MML_CHECK(model, MML_E_ARG, "model %zu of those to be %s is NULL", at, verb);
    MML_CHECK(model->kind != MML_MODEL_FUSE, MML_E_ARG,
              "model %zu of those to be %s is a fuse: its blocks were tuned to work together; give the blocks it was made of",
              at, verb);
    MML_CHECK(model->kind != MML_MODEL_BASELINE, MML_E_ARG,
              "model %zu of those to be %s is a baseline (%s): only blocks can be, it has none", at, verb,
              mml_baseline_name(model->baseline->o.kind));
    for (size_t i = 0; i < model->n; i++)
        list[(*n)++] = (mmli_source){model, i};
out:
    return st;
}

mml_status mmli_join_sources(mmli_source **out, size_t *n, const mml_model *const *models, size_t n_models, const char *verb)
{
    mml_status st = MML_OK;
    mmli_source *list = NULL;
    size_t total = 0;

    *out = NULL;
    *n = 0;
    MML_CHECK(models && n_models > 0, MML_E_ARG, "no models to be %s", verb);
    for (size_t i = 0; i < n_models; i++)
        total += models[i] ? models[i]->n : 0;
    MML_TRY(mmli_calloc(&list, total, sizeof *list));
    for (size_t i = 0; i < n_models; i++)
        MML_TRY(add_model(list, n, models[i], i + 1, verb));
    for (size_t i = 1; i < *n; i++) {
        MML_TRY(check_task(&list[0], &list[i], verb)); /* first: of different tasks a latent of one size is no help */
        MML_TRY(check_latents(&list[0], &list[i], verb));
    }
    *out = list;
    list = NULL;
out:
    mmli_free(list);
    return st;
}

/* The task that saw most training samples: its prior is the best known one, whatever the order of the blocks. */
static const mmli_task *best_task(const mmli_source *sources, size_t n)
{
    const mmli_task *best = sources[0].model->task;

    for (size_t i = 1; i < n; i++)
        if (sources[i].model->task->n_train > best->n_train)
            best = sources[i].model->task;
    return best;
}

mml_status mmli_join_new(mml_model **out, mml_model_kind kind, const mmli_source *sources, size_t n, const char *device,
                         const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    mml_model *model = NULL;

    *out = NULL;
    if (!device && !table)
        table = &sources[0].model->dv->k;
    MML_TRY(mmli_model_new(&model, kind, device, table, threads));
    MML_TRY(mmli_task_copy(&model->task, best_task(sources, n)));
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_model_add_copy(model, sources[i].model, sources[i].at));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    return st;
}

mml_status mmli_join_copy(mml_model *model, const mmli_source *sources, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_model_copy_values(model, i, sources[i].model, sources[i].at));
out:
    return st;
}

mml_status mmli_join_share(mml_model *model, const mmli_source *sources, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        if (mmli_model_can_share(model, sources[i].model))
            MML_TRY(mmli_model_share_values(model, i, sources[i].model, sources[i].at));
    MML_TRY(mmli_model_build(model));
    for (size_t i = 0; i < n; i++)
        if (!mmli_model_can_share(model, sources[i].model))
            MML_TRY(mmli_model_copy_values(model, i, sources[i].model, sources[i].at));
out:
    return st;
}
