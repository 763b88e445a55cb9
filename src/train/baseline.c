/* baseline.c - mml_train_baseline: the model before its first step, then the common loop. */
#include <string.h>

#include "model/options.h"
#include "train/trainer.h"
#include "util/alloc.h"
#include "util/error.h"

/* What a training is given, with defaults in place. */
typedef struct setup {
    mml_cohort *cohort;
    const char *const *modalities;
    size_t n;
    const char *task;
    mml_modality_info *infos; /* (n) */
    mml_baseline_options baseline;
    mml_train_options o;
    mml_part *part;
} setup;

static mml_status prepare(setup *s, const mml_baseline_options *baseline, const mml_train_options *options)
{
    mml_status st = MML_OK;
    mml_task_info task;

    MML_CHECK(s->modalities && s->n > 0, MML_E_ARG, "a baseline needs at least one modality");
    MML_CHECK(baseline, MML_E_ARG, "no options of a baseline: its kind is in them");
    MML_TRY(mml_baseline_options_init(&s->baseline, MML_BASELINE_SNN));
    MML_TRY(mmli_options_take(&s->baseline, sizeof s->baseline, baseline, "mml_baseline_options"));
    MML_TRY(mmli_calloc(&s->infos, s->n, sizeof *s->infos));
    for (size_t m = 0; m < s->n; m++)
        MML_TRY(mml_cohort_modality(&s->infos[m], s->cohort, s->modalities[m]));
    MML_TRY(mml_baseline_check(&s->baseline, s->infos, s->n));
    MML_TRY(mml_cohort_task(&task, s->cohort, s->task));
    MML_TRY(mml_train_options_init(&s->o, NULL, s->infos[0].kind, task.kind));
    MML_TRY(mmli_options_take(&s->o, sizeof s->o, options, "mml_train_options"));
    if (s->baseline.kind == MML_BASELINE_LINEAR) { /* solved: an epoch is a penalty */
        s->o.survival_loss = MML_LOSS_COX;
        s->o.epochs = s->baseline.penalty >= 0 ? 1 : MMLI_LINEAR_PENALTIES;
        s->o.checkpoint = NULL;
        s->o.resume = 0;
    }
    MML_TRY(mmli_train_check(&s->o));
    MML_TRY(mmli_train_divide(&s->part, s->cohort, s->task, &s->o));
out:
    return st;
}

static mml_status add_modality(mml_model *model, const setup *s, size_t m, const mml_prep_options *prep)
{
    const mml_modality_info *info = &s->infos[m];
    mml_status st = MML_OK;
    mml_block_options unused;
    mml_prep_options po;
    mmli_prep *fitted = NULL;
    size_t *have = NULL, n_have;

    MML_TRY(mml_block_options_init(&unused, &po, NULL, info->kind, MML_BINARY));
    if (prep)
        MML_TRY(mmli_options_take(&po, sizeof po, prep, "mml_prep_options"));
    MML_TRY(mmli_train_places(&have, &n_have, s->part, mml_cohort_size(s->cohort), MML_PART_TRAIN, info->offsets));
    MML_CHECK(n_have > 0, MML_E_DATA, "no sample of the training part has modality %s", info->name);
    MML_TRY(mmli_prep_fit(&fitted, s->cohort, info->name, have, n_have, &po));
    MML_TRY(mmli_model_add_input(model, info->name, info->kind, fitted));
    fitted = NULL;
out:
    mmli_prep_free(fitted);
    mmli_free(have);
    return st;
}

static mml_status fit_task(mml_model *model, const setup *s)
{
    const mmli_task_options to = {.bins = s->o.bins, .cox = s->o.survival_loss == MML_LOSS_COX};
    mml_status st = MML_OK;
    size_t *all = NULL, n_all;

    MML_TRY(mmli_train_places(&all, &n_all, s->part, mml_cohort_size(s->cohort), MML_PART_TRAIN, NULL));
    MML_TRY(mmli_task_fit(&model->task, s->cohort, s->task, all, n_all, &to));
out:
    mmli_free(all);
    return st;
}

mml_status mmli_train_baseline_on(mml_model **out, mml_cohort *cohort, const char *const *modalities, size_t n,
                                  const char *task, const mml_baseline_options *baseline, const mml_prep_options *prep,
                                  const mml_train_options *options, const mmli_backend *table)
{
    setup s = {.cohort = cohort, .modalities = modalities, .n = n, .task = task};
    mml_status st = MML_OK;
    mml_model *model = NULL;

    *out = NULL;
    MML_TRY(prepare(&s, baseline, options));
    MML_TRY(mmli_model_new(&model, MML_MODEL_BASELINE, s.o.device, table, s.o.threads));
    MML_TRY(fit_task(model, &s));
    for (size_t m = 0; m < n; m++)
        MML_TRY(add_modality(model, &s, m, prep ? &prep[m] : NULL));
    MML_TRY(mmli_model_declare_baseline(model, &s.baseline));
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_params_start(model->params, s.o.seed, model->task->name, 0));
    MML_TRY(mmli_train_model(model, cohort, &s.o, s.part, NULL, &(mmli_devices){.n = 1}, &model->from));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_free(s.infos);
    mmli_free(s.part);
    return st;
}

mml_status mml_train_baseline(mml_model **out, mml_cohort *cohort, const char *const *modalities, size_t n, const char *task,
                              const mml_baseline_options *baseline, const mml_prep_options *prep,
                              const mml_train_options *options)
{
    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(cohort, modalities, task);
    return mmli_train_baseline_on(out, cohort, modalities, n, task, baseline, prep, options, NULL);
}
