/* state_rig.c - see state_rig.h. */
#include "tests/unit/state_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

mml_model *rig_block(const char *preset, mml_modality_kind kind, mml_encoder_kind encoder, int share)
{
    mml_block_options o;
    mml_model *model;
    mmli_prep *prep;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, preset, kind, MML_BINARY));
    o.latent_c = 6;
    o.latent_d = 5;
    o.steps = 3;
    o.heads = 2;
    o.head_width = 4;
    o.share_steps = share;
    if (!o.raw_layers)
        o.encoder = encoder;
    o.encoder_width = 8;
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, NULL, 1));
    model->task = mmlt_task(MML_MULTICLASS);
    mmlt_assert_ok(mmli_prep_identity(&prep, 7));
    mmlt_assert_ok(mmli_model_add(model, "x", kind, NULL, &o, prep, 3, -1.0f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 3, "outcome", 0));
    return model;
}

mmli_tensor_out rig_list[RIG_MOST];
char rig_names[RIG_MOST][128];
float *rig_values[RIG_MOST];
size_t rig_n;

static mml_status fill(float *out, void *user, size_t i)
{
    size_t n = 1;

    (void)user;
    for (int k = 0; k < rig_list[i].rank; k++)
        n *= rig_list[i].dims[k];
    memcpy(out, rig_values[i], n * sizeof *out);
    return MML_OK;
}

void rig_state_of(mml_model *model, const char *path)
{
    mmli_tensors *t;

    mmlt_assert_ok(mml_model_save_state(model, path));
    mml_model_free(model);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    ck_assert_uint_lt(t->n, RIG_MOST);
    for (rig_n = 0; rig_n < t->n; rig_n++) {
        const mmli_tensor *x = &t->list[rig_n];

        snprintf(rig_names[rig_n], sizeof *rig_names, "%s", x->name);
        rig_list[rig_n] = (mmli_tensor_out){.name = rig_names[rig_n], .rank = x->rank, .dims = {x->dims[0], x->dims[1]}};
        free(rig_values[rig_n]);
        rig_values[rig_n] = calloc(x->count + 1, sizeof(float));
        mmlt_assert_ok(mmli_tensors_floats(rig_values[rig_n], t, x, 0, x->count));
    }
    mmli_tensors_close(t);
}

size_t rig_at(const char *name)
{
    for (size_t i = 0; i < rig_n; i++)
        if (strcmp(rig_names[i], name) == 0)
            return i;
    ck_abort_msg("no tensor %s", name);
    return 0;
}

void rig_drop(const char *name)
{
    const size_t i = rig_at(name);
    float *gone = rig_values[i];

    rig_n--;
    rig_list[i] = rig_list[rig_n];
    memmove(rig_names[i], rig_names[rig_n], sizeof *rig_names);
    rig_list[i].name = rig_names[i];
    rig_values[i] = rig_values[rig_n];
    rig_values[rig_n] = gone;
}

mml_status rig_load(mml_model **out, const char *path, const mml_state_options *o)
{
    mmlt_assert_ok(mmli_tensors_write(path, rig_list, rig_n, fill, NULL, NULL, NULL, 0));
    return mml_model_load_state(out, path, o, NULL, 0);
}

mml_state_options rig_options(void)
{
    mml_state_options o;

    mml_state_options_init(&o);
    o.modality = "x";
    o.task = "outcome";
    o.task_kind = MML_MULTICLASS;
    o.heads = 2;
    return o;
}

void rig_same_values(const mml_model *a, const mml_model *b)
{
    ck_assert_uint_eq(a->params->n, b->params->n);
    for (size_t i = 0; i < a->params->n; i++) {
        const mmli_param *p = &a->params->list[i];
        float *x = calloc(p->rows * p->cols, sizeof *x), *y = calloc(p->rows * p->cols, sizeof *y);

        ck_assert_str_eq(p->name, b->params->list[i].name);
        mmlt_assert_ok(mmli_params_get(x, a->params, i));
        mmlt_assert_ok(mmli_params_get(y, b->params, i));
        mmlt_assert_same_bits(x, y, p->rows * p->cols * sizeof *x);
        free(x);
        free(y);
    }
}

void rig_comes_back(mml_model *model)
{
    mml_model *back = NULL;
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".safetensors");
    mmlt_assert_ok(mml_model_save_state(model, path));
    mmlt_assert_ok(mml_model_load_state(&back, path, NULL, NULL, 0));
    mmlt_assert_same_model(model, back);
    mml_model_free(back);
    mml_model_free(model);
    ck_assert_int_eq(unlink(path), 0);
}
