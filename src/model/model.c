/* model.c - making a model: members are added (declared), then everything is built in one buffer. */
#include "model/model.h"

#include <math.h>
#include <string.h>

#include "baselines/arrange.h"
#include "io/cohort.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"

static void member_clear(mmli_member *m)
{
    mmli_free(m->name);
    mmli_free(m->modality);
    mmli_free(m->preset);
    mmli_block_clear(&m->block);
    mmli_prep_free(m->prep);
    mmli_provenance_clear(&m->from);
}

void mml_model_free(mml_model *model)
{
    if (!model)
        return;
    for (size_t i = 0; i < model->n; i++)
        member_clear(&model->members[i]);
    mmli_free(model->members);
    mmli_free(model->weights);
    mmli_free(model->order);
    mmli_provenance_clear(&model->from);
    mmli_baseline_free(model->baseline);
    mmli_task_free(model->task);
    mmli_params_free(model->params); /* before the device that owns its memory */
    mmli_device_close(model->dv);
    mmli_free(model);
}

mml_status mmli_model_new(mml_model **out, mml_model_kind kind, const char *device, const mmli_backend *table, int threads)
{
    mml_status st = MML_OK;
    mml_model *model = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&model, 1, sizeof *model));
    model->kind = kind;
    model->from.valid_score = NAN;
    MML_TRY(mml_merge_options_init(&model->merge, "mmlego"));
    MML_TRY(mml_fuse_options_init(&model->fuse, "mmlego"));
    MML_TRY(mmli_params_new(&model->params));
    MML_TRY(table ? mmli_device_open_table(&model->dv, table, threads) : mmli_device_open(&model->dv, device, threads));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    return st;
}

/* A modality's name becomes a part of parameter names and of names in files. */
static mml_status check_name(const char *name)
{
    const char *bad = name ? mmli_bad_name(name) : "there is none";

    return bad ? mmli_fail(MML_E_ARG, "name of a modality: %s", bad) : MML_OK;
}

static bool name_taken(const mml_model *model, const char *name)
{
    for (size_t i = 0; i < model->n; i++)
        if (strcmp(model->members[i].name, name) == 0)
            return true;
    return false;
}

/* "labs", then "labs#2", "labs#3": the first that is free, so the names follow from the order of the members. */
static mml_status unique_name(char **out, const mml_model *model, const char *modality)
{
    mml_status st = mmli_strdup(out, modality);

    for (size_t k = 2; st == MML_OK && name_taken(model, *out); k++) {
        mmli_free(*out);
        st = mmli_strf(out, "%s#%zu", modality, k);
    }
    return st;
}

mml_status mmli_model_add(mml_model *model, const char *modality, mml_modality_kind kind, const char *preset,
                          const mml_block_options *o, mmli_prep *prep, size_t outputs, float head_gain,
                          const mml_encoder *custom)
{
    mml_status st = MML_OK;
    mmli_member m = {.kind = kind, .latent_rms = 1.0, .from.valid_score = NAN};
    char *prefix = NULL;

    MML_TRY(check_name(modality));
    MML_CHECK(model->kind != MML_MODEL_BLOCK || model->n == 0, MML_E_INTERNAL, "a block has one member only");
    MML_TRY(unique_name(&m.name, model, modality));
    MML_TRY(mmli_strdup(&m.modality, modality));
    MML_TRY(mmli_strdup(&m.preset, preset ? preset : mmli_preset_of(o, kind)));
    MML_TRY(mmli_strf(&prefix, "blocks.%s.", m.name));
    MML_TRY(mmli_realloc(&model->members, model->n + 1, sizeof *model->members));
    m.first = model->params->n;
    MML_TRY(mmli_block_declare(&m.block, model->params, prefix, o, prep->width_out, outputs, head_gain, custom));
    m.n_params = model->params->n - m.first;
    m.prep = prep; /* taken over only now that nothing can fail */
    model->members[model->n++] = m;
    m = (mmli_member){0};
out:
    m.prep = NULL;
    member_clear(&m);
    mmli_free(prefix);
    return st;
}

mml_status mmli_model_add_input(mml_model *model, const char *modality, mml_modality_kind kind, mmli_prep *prep)
{
    mml_status st = MML_OK;
    mmli_member m = {.kind = kind, .latent_rms = 1.0, .from.valid_score = NAN, .first = model->params->n};

    MML_TRY(check_name(modality));
    MML_CHECK(!name_taken(model, modality), MML_E_ARG, "modality %s is named twice", modality);
    MML_TRY(mmli_strdup(&m.name, modality));
    MML_TRY(mmli_strdup(&m.modality, modality));
    MML_TRY(mmli_strdup(&m.preset, ""));
    MML_TRY(mmli_realloc(&model->members, model->n + 1, sizeof *model->members));
    m.prep = prep;
    model->members[model->n++] = m;
    m = (mmli_member){0};
out:
    m.prep = NULL;
    member_clear(&m);
    return st;
}

mml_status mmli_model_declare_baseline(mml_model *model, const mml_baseline_options *o)
{
    mml_status st = MML_OK;
    mmli_baseline_modality *modalities = NULL;

    MML_CHECK(model->kind == MML_MODEL_BASELINE && !model->baseline, MML_E_INTERNAL, "a baseline declared twice, or in another "
              "kind of model");
    MML_TRY(mmli_calloc(&modalities, model->n, sizeof *modalities));
    for (size_t i = 0; i < model->n; i++) {
        const mmli_member *m = &model->members[i];

        modalities[i] = (mmli_baseline_modality){m->name, m->kind, m->prep->width_out};
        if (mmli_kind_summarises(o->kind))
            modalities[i].width = mmli_summary_width(m->kind, m->prep->width_in, m->prep->width_out);
    }
    MML_TRY(mmli_baseline_new(&model->baseline, model->params, o, modalities, model->n, model->task->outputs));
out:
    mmli_free(modalities);
    return st;
}

mml_status mmli_model_declare_fuse(mml_model *model)
{
    const mmli_block *first;
    mml_status st = MML_OK;

    MML_CHECK(model->n > 0, MML_E_INTERNAL, "a fuse without blocks");
    first = &model->members[0].block;
    MML_TRY(mmli_params_add(model->params, &model->latent, "fuse.", "latent", first->o.latent_c, first->o.latent_d,
                            MML_INIT_NORMAL, 1.0f, MMLI_ROLE_LATENT, MMLI_SECTION_LATENT));
    MML_TRY(mmli_head_declare(&model->head, model->params, "fuse.", first->o.latent_d, first->outputs, -1.0f));
out:
    return st;
}

mml_status mmli_model_build(mml_model *model)
{
    mml_status st = MML_OK;

    MML_CHECK(model->n > 0, MML_E_INTERNAL, "a model without blocks");
    if (model->kind == MML_MODEL_MERGE && !model->weights) {
        MML_TRY(mmli_calloc(&model->weights, model->n, sizeof *model->weights));
        for (size_t i = 0; i < model->n; i++)
            model->weights[i] = 1.0;
    }
    if (model->kind == MML_MODEL_FUSE && !model->order) {
        MML_TRY(mmli_calloc(&model->order, model->n, sizeof *model->order));
        for (size_t i = 0; i < model->n; i++)
            model->order[i] = i;
    }
    MML_TRY(mmli_params_build(model->params, model->dv));
out:
    return st;
}

mml_status mmli_model_add_copy(mml_model *model, const mml_model *from, size_t member)
{
    const mmli_member *m = &from->members[member];
    mml_status st = MML_OK;
    mmli_prep *prep = NULL;
    mmli_member *mine;

    MML_TRY(mmli_prep_copy(&prep, m->prep));
    MML_TRY(mmli_model_add(model, m->modality, m->kind, m->preset, &m->block.o, prep, m->block.outputs, -1.0f,
                           m->block.encoder.custom));
    prep = NULL;
    mine = &model->members[model->n - 1];
    mine->latent_rms = m->latent_rms;
    MML_TRY(mmli_provenance_copy(&mine->from, &m->from));
out:
    mmli_prep_free(prep);
    return st;
}

/* Are two members declared alike? Then their parameters go by pairs. */
static mml_status check_pairs(const mml_model *model, const mmli_member *m, const mml_model *from, const mmli_member *f)
{
    mml_status st = MML_OK;

    MML_CHECK(m->n_params == f->n_params, MML_E_INTERNAL, "%s has %zu parameters here and %zu there", m->name, m->n_params,
              f->n_params);
    for (size_t i = 0; i < m->n_params; i++) {
        const mmli_param *p = &model->params->list[m->first + i], *q = &from->params->list[f->first + i];

        MML_CHECK(strcmp(p->key, q->key) == 0 && p->rows == q->rows && p->cols == q->cols, MML_E_INTERNAL,
                  "%s is %zu x %zu here and %s is %zu x %zu there", p->name, p->rows, p->cols, q->name, q->rows, q->cols);
    }
out:
    return st;
}

bool mmli_model_can_share(const mml_model *model, const mml_model *from)
{
    return mmli_device_same(model->dv, from->dv);
}

mml_status mmli_model_share_values(mml_model *model, size_t member, const mml_model *from, size_t from_member)
{
    const mmli_member *m = &model->members[member], *f = &from->members[from_member];
    mml_status st = MML_OK;

    MML_TRY(check_pairs(model, m, from, f));
    for (size_t i = 0; i < m->n_params; i++)
        MML_TRY(mmli_params_share(model->params, m->first + i, from->params, f->first + i));
out:
    return st;
}

mml_status mmli_model_copy_values(mml_model *model, size_t member, const mml_model *from, size_t from_member)
{
    const mmli_member *m = &model->members[member], *f = &from->members[from_member];
    mml_status st = MML_OK;
    float *values = NULL;
    size_t most = 0;

    MML_TRY(check_pairs(model, m, from, f));
    for (size_t i = 0; i < f->n_params; i++) {
        const mmli_param *p = &from->params->list[f->first + i];

        most = p->rows * p->cols > most ? p->rows * p->cols : most;
    }
    MML_TRY(mmli_calloc(&values, most, sizeof *values));
    for (size_t i = 0; i < f->n_params; i++) {
        MML_TRY(mmli_params_get(values, from->params, f->first + i));
        MML_TRY(mmli_params_set(model->params, m->first + i, values));
    }
out:
    mmli_free(values);
    return st;
}
