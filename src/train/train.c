/* train.c - mml_train_block and mml_train_fuse: the model before its first step, then the common loop. */
#include <math.h>
#include <string.h>

#include "model/options.h"
#include "train/cross.h"
#include "train/trainer.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_train_check_folds(int folds, mml_committee committee)
{
    mml_status st = MML_OK;

    MML_CHECK(folds == MML_FOLDS_AUTO || folds == 0 || (folds >= 2 && folds <= 1000), MML_E_ARG,
              "weight folds must be 2 to 1000, or 0 for none, not %d", folds);
    MML_CHECK(committee == MML_COMMITTEE_AUTO || committee == MML_COMMITTEE_NO || committee == MML_COMMITTEE_YES, MML_E_ARG,
              "there is no choice %d of a committee", (int)committee);
    MML_CHECK(committee != MML_COMMITTEE_YES || folds != 0, MML_E_ARG,
              "a committee is made of the trainings of a cross-validation: weight folds must not be 0");
out:
    return st;
}

mml_status mmli_train_check(const mml_train_options *o)
{
    mml_status st = MML_OK;

    MML_CHECK(o->epochs >= 1 && o->epochs <= 1000000, MML_E_ARG, "epochs must be 1 to 1000000, not %zu", o->epochs);
    MML_CHECK(o->batch >= 1 && o->batch <= 1000000, MML_E_ARG, "batch must be 1 to 1000000, not %zu", o->batch);
    MML_CHECK(isfinite(o->learning_rate) && o->learning_rate > 0, MML_E_ARG, "learning rate must be above 0, not %g",
              o->learning_rate);
    MML_CHECK(isfinite(o->weight_decay) && o->weight_decay >= 0, MML_E_ARG, "weight decay must be 0 or more, not %g",
              o->weight_decay);
    MML_CHECK(isfinite(o->encoder_decay), MML_E_ARG, "encoder decay is not finite");
    MML_CHECK(isfinite(o->clip_norm) && o->clip_norm >= 0, MML_E_ARG, "clip norm must be 0 or more, not %g", o->clip_norm);
    MML_CHECK(isfinite(o->loss_share) && o->loss_share >= 0, MML_E_ARG, "loss share must be 0 or more, not %g", o->loss_share);
    MML_CHECK(isfinite(o->l1) && o->l1 >= 0, MML_E_ARG, "l1 must be 0 or more, not %g", o->l1);
    MML_CHECK(o->survival_alpha >= 0 && o->survival_alpha <= 1, MML_E_ARG, "alpha must be in [0, 1], not %g",
              o->survival_alpha);
    MML_TRY(mmli_train_check_folds(o->weight_folds, o->committee));
    MML_CHECK(o->threads >= 0, MML_E_ARG, "threads must be 0 (all) or more, not %d", o->threads);
    MML_CHECK(!o->resume || o->checkpoint, MML_E_ARG, "resume needs the name of a checkpoint");
out:
    return st;
}

mml_status mmli_train_places(size_t **out, size_t *n, const mml_part *part, size_t N, mml_part which, const int64_t *offsets)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(out, N, sizeof **out));
    *n = 0;
    for (size_t i = 0; i < N; i++)
        if (part[i] == which && (!offsets || offsets[i + 1] > offsets[i]))
            (*out)[(*n)++] = i;
out:
    return st;
}

/* The parts of a cohort as the options ask. */
mml_status mmli_train_divide(mml_part **part, mml_cohort *cohort, const char *task, const mml_train_options *o)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(part, mml_cohort_size(cohort), sizeof **part));
    MML_TRY(mml_split(*part, cohort, task, &o->split));
out:
    return st;
}

mml_status mmli_train_devices(mmli_devices *out, const char *name, const mmli_backend *table)
{
    if (!table)
        return mmli_devices_find(out, name);
    out->n = 1;
    out->table[0] = *table;
    return MML_OK;
}

/* The head stays as it started: blocks then share it (method.md 3b point 2). */
static mml_status freeze_head(uint8_t **frozen, const mml_model *model)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(frozen, model->params->n, 1));
    for (size_t i = 0; i < model->params->n; i++)
        (*frozen)[i] = model->params->list[i].section == MMLI_SECTION_HEAD;
out:
    return st;
}

/* A block on samples of the cohort that are divided already; all options complete. */
static mml_status on_parts(mml_model **out, const mmli_block_training *b, const mml_train_options *o, const mml_part *part)
{
    mml_status st = MML_OK;
    const size_t N = mml_cohort_size(b->cohort);
    const mmli_task_options to = {.bins = o->bins, .cox = o->survival_loss == MML_LOSS_COX};
    mmli_devices devices;
    size_t *all = NULL, *have = NULL, n_all, n_have;
    mmli_prep *fitted = NULL;
    mml_model *model = NULL;
    uint8_t *frozen = NULL;

    *out = NULL;
    MML_TRY(mmli_train_places(&all, &n_all, part, N, MML_PART_TRAIN, NULL));
    MML_TRY(mmli_train_places(&have, &n_have, part, N, MML_PART_TRAIN, b->modality.offsets));
    MML_CHECK(n_have > 0, MML_E_DATA, "no sample of the training part (%zu samples) has modality %s", n_all, b->modality.name);
    MML_TRY(mmli_prep_fit(&fitted, b->cohort, b->modality.name, have, n_have, &b->prep));
    MML_TRY(mmli_train_devices(&devices, o->device, b->table));
    MML_TRY(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, &devices.table[0], o->threads));
    MML_TRY(mmli_task_fit(&model->task, b->cohort, b->task.name, all, n_all, &to));
    MML_TRY(mmli_model_add(model, b->modality.name, b->modality.kind, NULL, &b->block, fitted, model->task->outputs,
                           o->shared_head ? 0.25f : -1.0f, b->encoder));
    fitted = NULL;
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_params_start(model->params, o->seed, model->task->name, b->member));
    if (o->shared_head)
        MML_TRY(freeze_head(&frozen, model));
    MML_TRY(mmli_train_model(model, b->cohort, o, part, frozen, &devices, &model->members[0].from));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_prep_free(fitted);
    mmli_free(frozen);
    mmli_free(all);
    mmli_free(have);
    return st;
}

mml_status mmli_train_block_on(mml_model **out, mml_cohort *cohort, const char *modality, const char *task,
                               const mml_block_options *block, const mml_prep_options *prep, const mml_encoder *encoder,
                               const mml_train_options *options, const mmli_backend *table)
{
    mml_status st = MML_OK;
    mmli_block_training b = {.cohort = cohort, .encoder = encoder, .table = table, .run = on_parts};
    mml_train_options o;
    mml_part *part = NULL;
    mml_model *model = NULL;

    *out = NULL;
    MML_TRY(mml_cohort_modality(&b.modality, cohort, modality));
    MML_TRY(mml_cohort_task(&b.task, cohort, task));
    MML_TRY(mml_block_options_init(&b.block, &b.prep, NULL, b.modality.kind, b.task.kind));
    MML_TRY(mml_train_options_init(&o, NULL, b.modality.kind, b.task.kind));
    if (block)
        MML_TRY(mmli_options_take(&b.block, sizeof b.block, block, "mml_block_options"));
    if (prep)
        MML_TRY(mmli_options_take(&b.prep, sizeof b.prep, prep, "mml_prep_options"));
    if (options)
        MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_train_options"));
    MML_TRY(mmli_train_check(&o));
    MML_TRY(mmli_block_options_check(&b.block));
    if (o.encoder_decay < 0 && b.block.encoder == MML_ENCODER_LINEAR)
        o.encoder_decay = 0.1; /* what makes it the low-variance encoder (method.md 5) */
    MML_CHECK((b.block.encoder == MML_ENCODER_CUSTOM) == (encoder != NULL), MML_E_ARG,
              encoder ? "an encoder of your own is given, but the options ask for encoder %s"
                      : "the options ask for encoder %s, but none is given",
              mml_encoder_name(b.block.encoder));
    MML_CHECK(o.committee != MML_COMMITTEE_YES || b.task.kind != MML_SURVIVAL || o.survival_loss == MML_LOSS_COX, MML_E_ARG,
              "blocks with time bins cannot be a committee, for each would have bins of its own: train with loss cox, or without a committee");
    MML_TRY(mmli_train_divide(&part, cohort, task, &o));
    MML_TRY(on_parts(&model, &b, &o, part));
    MML_TRY(mmli_train_cross(&model, &b, &o, part));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_free(part);
    return st;
}

mml_status mml_train_block(mml_model **out, mml_cohort *cohort, const char *modality, const char *task,
                           const mml_block_options *block, const mml_prep_options *prep, const mml_encoder *encoder,
                           const mml_train_options *options)
{
    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(cohort, modality, task);
    return mmli_train_block_on(out, cohort, modality, task, block, prep, encoder, options, NULL);
}

/* Parameters that fine-tuning leaves alone: the members' own heads and latents (the fuse has its own), and what the user
 * freezes. */
static mml_status freeze_fuse(uint8_t **frozen, const mml_model *model)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(frozen, model->params->n, 1));
    for (size_t i = 0; i < model->params->n; i++) {
        const mmli_param *p = &model->params->list[i];
        const bool own = strncmp(p->name, "blocks.", 7) != 0;
        bool f = !own && (p->section == MMLI_SECTION_HEAD || p->section == MMLI_SECTION_LATENT);

        f = f || (model->fuse.freeze != MML_FREEZE_NOTHING && p->section == MMLI_SECTION_ENCODER);
        f = f || (model->fuse.freeze == MML_FREEZE_BLOCKS && !own);
        (*frozen)[i] = f;
    }
out:
    return st;
}

/* A step of AdamW has its length whatever the size of a weight. Members of a committee share the loudness of one block, and the same
 * steps on the output weights of all of them would move the fuse as many times as far. */
static double rate_of(double rate, const mml_model *model)
{
    size_t most = 1;

    for (size_t i = 0; i < model->n; i++)
        most = mml_model_committee(model, i) > most ? mml_model_committee(model, i) : most;
    return rate / (double)most;
}

mml_status mmli_train_fuse_on(mml_model **out, mml_cohort *cohort, const mml_model *const *models, size_t n,
                              const mml_fuse_options *fuse, const mml_train_options *options, const mmli_backend *table)
{
    mml_status st = MML_OK;
    mml_train_options o;
    mmli_devices devices;
    mml_part *part = NULL;
    mml_model *model = NULL;
    uint8_t *frozen = NULL;

    *out = NULL;
    MML_CHECK(n > 0, MML_E_ARG, "a fuse needs at least one block");
    MML_TRY(mml_train_options_init_fuse(&o, NULL, models[0]->task->kind));
    if (options)
        MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_train_options"));
    MML_TRY(mmli_train_check(&o));
    MML_TRY(mmli_train_devices(&devices, o.device, table ? table : o.device ? NULL : &models[0]->dv->k));
    MML_TRY(mmli_fuse_on(&model, models, n, fuse, NULL, &devices.table[0], o.threads));
    o.learning_rate = rate_of(o.learning_rate, model);
    MML_TRY(mmli_train_divide(&part, cohort, model->task->name, &o));
    MML_TRY(freeze_fuse(&frozen, model));
    MML_TRY(mmli_train_model(model, cohort, &o, part, frozen, &devices, &model->from));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_free(frozen);
    mmli_free(part);
    return st;
}

mml_status mml_train_fuse(mml_model **out, mml_cohort *cohort, const mml_model *const *models, size_t n,
                          const mml_fuse_options *fuse, const mml_train_options *options)
{
    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(cohort, models);
    return mmli_train_fuse_on(out, cohort, models, n, fuse, options, NULL);
}
