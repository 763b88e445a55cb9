/* state_save.c - a model as a safetensors file: parameters by their names in PyTorch, all else in the metadata. */
#include <string.h>

#include "io/h5image.h"
#include "model/file.h"
#include "model/state.h"
#include "util/alloc.h"
#include "util/error.h"

/* One tensor of the file and the parameters (one or two) that it is made of. */
typedef struct entry {
    mmli_state_piece piece[2];
    size_t param[2], n;
} entry;

typedef struct saving {
    const mml_model *model;
    const char *path;
    entry *list;
    size_t n, cap;
    mmli_tensor_out *tensors;
    float *room; /* a parameter */
} saving;

static entry *find(saving *s, const char *name)
{
    for (size_t i = s->n; i > 0; i--) /* halves follow each other */
        if (strcmp(s->list[i - 1].piece[0].name, name) == 0)
            return &s->list[i - 1];
    return NULL;
}

static mml_status add_piece(saving *s, const mmli_state_piece *piece, size_t param)
{
    mml_status st = MML_OK;
    entry *e = find(s, piece->name);

    if (e == NULL) {
        MML_TRY(mmli_grow(&s->list, &s->cap, s->n + 1, sizeof *s->list));
        e = &s->list[s->n++];
        e->n = 0;
    }
    MML_CHECK(e->n < 2 && (e->n == 0 || piece->their_rows > piece->rows), MML_E_ARG, "%s: two parameters would be called %s",
              s->path, piece->name);
    e->piece[e->n] = *piece;
    e->param[e->n++] = param;
out:
    return st;
}

static mml_status list_entries(saving *s)
{
    const mmli_params *params = s->model->params;
    mml_status st = MML_OK;
    mmli_state_piece piece;

    MML_CHECK(s->model->kind != MML_MODEL_BASELINE, MML_E_ARG, "%s: a baseline has no names in the released code: save it as a "
              "model file", s->path);
    for (size_t p = 0; p < params->n; p++) {
        MML_CHECK(mmli_state_piece_at(&piece, s->model, &params->list[p], "", 0, 0), MML_E_ARG,
                  "%s: parameter %s has no name in PyTorch that fits", s->path, params->list[p].name);
        for (size_t i = 0; i < 2; i++)
            for (size_t k = 0; mmli_state_piece_at(&piece, s->model, &params->list[p], "", i, k); k++)
                MML_TRY(add_piece(s, &piece, p));
    }
out:
    return st;
}

static size_t columns(const mmli_state_piece *piece, const mmli_param *p)
{
    return piece->flat ? 1 : p->cols;
}

static mml_status fill(float *values, void *user, size_t i)
{
    saving *s = user;
    const entry *e = &s->list[i];
    mml_status st = MML_OK;

    for (size_t k = 0; k < e->n; k++) {
        const size_t cols = columns(&e->piece[k], &s->model->params->list[e->param[k]]);

        MML_TRY(mmli_params_get(s->room, s->model->params, e->param[k]));
        memcpy(values + e->piece[k].their_at * cols, s->room + e->piece[k].at * cols, e->piece[k].rows * cols * sizeof *values);
    }
out:
    return st;
}

static mml_status facts_text(char **out, const mml_model *model, const char *path)
{
    mml_status st = MML_OK;
    hid_t file = -1;

    *out = NULL;
    MML_TRY(mmli_h5_image_create(&file, path));
    MML_TRY(mmli_h5_set_format(file, path, MMLI_MODEL_FORMAT, MMLI_MODEL_VERSION));
    MML_TRY(mmli_model_write_facts(model, file, path));
    MML_TRY(mmli_h5_image_text(out, &file, path));
out:
    mmli_h5_drop(file);
    return st;
}

mml_status mml_model_save_state(const mml_model *model, const char *path)
{
    static const char *const keys[] = {"format", MMLI_STATE_VERSION, MMLI_STATE_ABOUT, MMLI_STATE_FACTS};
    mml_status st = MML_OK;
    saving s = {.model = model, .path = path};
    char *about = NULL, *facts = NULL;
    size_t most = 0;

    MML_GIVEN(model, path);
    MML_TRY(list_entries(&s));
    MML_TRY(mmli_calloc(&s.tensors, s.n, sizeof *s.tensors));
    for (size_t i = 0; i < s.n; i++) {
        const mmli_state_piece *piece = &s.list[i].piece[0];
        const mmli_param *p = &model->params->list[s.list[i].param[0]];

        s.tensors[i] = (mmli_tensor_out){piece->name, piece->flat ? 1 : 2, {piece->their_rows, p->cols}};
    }
    for (size_t i = 0; i < model->params->n; i++) {
        const size_t n = model->params->list[i].rows * model->params->list[i].cols;

        most = n > most ? n : most;
    }
    MML_TRY(mmli_calloc(&s.room, most, sizeof *s.room));
    MML_TRY(mml_model_describe(&about, model));
    MML_TRY(facts_text(&facts, model, path));
    MML_TRY(mmli_tensors_write(path, s.tensors, s.n, fill, &s, keys, (const char *const[]){"pt", mml_version(), about, facts}, 4));
out:
    mml_string_free(about);
    mmli_free(facts);
    mmli_free(s.list);
    mmli_free(s.tensors);
    mmli_free(s.room);
    return st;
}
