/* state_read.c - parameters out of named tensors: every one found, of the right shape, used; shared ones the same. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- which tensor ----------------------------------------------------------------------------------------------------- */

static mml_status check_shape(const mmli_state_reading *r, const mmli_tensor *x, const mmli_state_piece *piece,
                              const mmli_param *p)
{
    const bool fits = piece->flat ? x->count == piece->their_rows
                                  : x->rank == 2 && x->dims[0] == piece->their_rows && x->dims[1] == p->cols;

    if (x->unread != NULL)
        return mmli_fail(MML_E_FORMAT, "%s: tensor %s is of type %s, which is not read", r->path, x->name, x->unread);
    if (fits)
        return MML_OK;
    if (piece->flat)
        return mmli_fail(MML_E_SHAPE, "%s: tensor %s has %zu values, %zu are needed", r->path, x->name, x->count,
                         piece->their_rows);
    return mmli_fail(MML_E_SHAPE, "%s: tensor %s has %d dimensions and %zu values, (%zu, %zu) is needed", r->path, x->name,
                     x->rank, x->count, piece->their_rows, p->cols);
}

/* Steps 1 and up may share one set of weights, which is then there once (formats.md 5.2). */
static const mmli_tensor *shared_step(mmli_state_piece *piece, const mmli_state_reading *r, const mml_model *model,
                                      const mmli_param *p, size_t i)
{
    size_t own = 0;

    if (!r->foreign || !mmli_state_step_name(piece, model, p, r->prefix, i, 1, &own))
        return NULL;
    for (size_t step = own; step-- > 1;)
        if (mmli_state_step_name(piece, model, p, r->prefix, i, step, &own)) {
            const mmli_tensor *x = mmli_tensors_find(r->tensors, piece->name);

            if (x != NULL)
                return x;
        }
    return NULL;
}

/* What a model of the released code never uses: where the blocks of a fuse start alone, which, after a batch, is what the block
 * before had left of it, (B, c, d), and needs a value here. */
static bool is_spent_latent(const mmli_state_reading *r, const mml_model *model, const mmli_param *p)
{
    return r->foreign && model->kind == MML_MODEL_FUSE && p != &model->params->list[model->latent] && strcmp(p->key, "latent") == 0;
}

static const mmli_tensor *find_tensor(const mmli_state_reading *r, const mml_model *model, const mmli_param *p,
                                      const mmli_state_piece *piece)
{
    char name[MMLI_STATE_NAME];
    const mmli_tensor *x = mmli_tensors_find(r->tensors, piece->name);

    if (is_spent_latent(r, model, p) && x != NULL && x->rank != 2) {
        snprintf(name, sizeof name, "%.400sL", r->prefix);
        x = mmli_tensors_find(r->tensors, name);
    } else if (r->first_latent && model->kind == MML_MODEL_FUSE && p == &model->params->list[model->latent]) {
        snprintf(name, sizeof name, "%.400slayers.0.latent", r->prefix);
        x = mmli_tensors_find(r->tensors, name);
    }
    return x;
}

/* The tensor of a piece under its k-th name that is there, counted from *k, which is moved behind it. NULL: no more. */
static const mmli_tensor *next_tensor(mmli_state_piece *piece, size_t *k, const mmli_state_reading *r, const mml_model *model,
                                      const mmli_param *p, size_t i)
{
    for (; mmli_state_piece_at(piece, model, p, r->prefix, i, *k); ++*k) {
        const mmli_tensor *x = find_tensor(r, model, p, piece);

        if (x != NULL) {
            ++*k;
            return x;
        }
    }
    return NULL;
}

static bool ends(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

/* Parts of the released code whose results it never uses, and the merged head of a LegoMerge, which state_merge.c looks at. */
static bool is_unused(const mmli_state_reading *r, const mml_model *model, const char *name)
{
    const size_t n = strlen(r->prefix);
    const bool ours = strncmp(name, r->prefix, n) == 0;

    if (!r->foreign)
        return false;
    if (!ours)
        return r->part;
    if (ends(name, ".classifier.weight") || ends(name, ".classifier.bias"))
        return true;
    if (model->kind == MML_MODEL_MERGE)
        return strcmp(name + n, "L") == 0 || strncmp(name + n, "to_logits.combined_layers.", 26) == 0;
    return model->kind == MML_MODEL_FUSE && (ends(name, ".latent") || strcmp(name + n, "L") == 0);
}

static mml_status check_piece(uint8_t *used, const mmli_state_reading *r, const mml_model *model, const mmli_param *p, size_t i)
{
    mml_status st = MML_OK;
    mmli_state_piece piece;
    size_t k = 0, found = 0;

    for (const mmli_tensor *x; (x = next_tensor(&piece, &k, r, model, p, i)) != NULL; found++) {
        MML_TRY(check_shape(r, x, &piece, p));
        used[x - r->tensors->list] = 1;
    }
    if (found == 0) {
        const mmli_tensor *x = shared_step(&piece, r, model, p, i);

        if (x == NULL) {
            (void)mmli_state_piece_at(&piece, model, p, r->prefix, i, 0);
            st = mmli_fail(MML_E_FORMAT, "%s: tensor %s is missing", r->path, piece.name);
            goto out;
        }
        MML_TRY(check_shape(r, x, &piece, p));
    }
out:
    return st;
}

mml_status mmli_state_check(void *reading, const mml_model *model)
{
    const mmli_state_reading *r = reading;
    mml_status st = MML_OK;
    mmli_state_piece piece;
    uint8_t *used = NULL;

    MML_TRY(mmli_calloc(&used, r->tensors->n, 1));
    for (size_t p = 0; p < model->params->n; p++) {
        MML_CHECK(mmli_state_piece_at(&piece, model, &model->params->list[p], r->prefix, 0, 0), MML_E_FORMAT,
                  "%s: parameter %s has no name in PyTorch that fits", r->path, model->params->list[p].name);
        for (size_t i = 0; i < 2; i++)
            if (mmli_state_piece_at(&piece, model, &model->params->list[p], r->prefix, i, 0))
                MML_TRY(check_piece(used, r, model, &model->params->list[p], i));
    }
    for (size_t t = 0; t < r->tensors->n; t++)
        MML_CHECK(used[t] || is_unused(r, model, r->tensors->list[t].name), MML_E_FORMAT,
                  "%s: tensor %s does not belong to this model", r->path, r->tensors->list[t].name);
out:
    mmli_free(used);
    return st;
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

static mml_status read_piece(float *values, float *again, const mmli_state_reading *r, const mml_model *model,
                             const mmli_param *p, size_t i)
{
    mml_status st = MML_OK;
    mmli_state_piece piece, other;
    size_t k = 0;
    const mmli_tensor *x = next_tensor(&piece, &k, r, model, p, i), *y;
    const size_t cols = p->role == MMLI_ROLE_BIAS || p->role == MMLI_ROLE_NORM ? 1 : p->cols;

    if (x == NULL)
        x = shared_step(&piece, r, model, p, i);
    MML_CHECK(x != NULL, MML_E_INTERNAL, "%s: parameter %s was there before", r->path, p->name);
    values += piece.at * cols;
    MML_TRY(mmli_tensors_floats(values, r->tensors, x, piece.their_at * cols, piece.rows * cols));
    while ((y = next_tensor(&other, &k, r, model, p, i)) != NULL) {
        MML_TRY(mmli_tensors_floats(again, r->tensors, y, other.their_at * cols, other.rows * cols));
        MML_CHECK(memcmp(again, values, piece.rows * cols * sizeof *values) == 0, MML_E_FORMAT,
                  "%s: tensors %s and %s are one module and differ", r->path, x->name, y->name);
    }
    for (size_t j = 0; j < piece.rows * cols; j++)
        MML_CHECK(isfinite(values[j]), MML_E_FORMAT, "%s: tensor %s has a value that is not finite", r->path, x->name);
out:
    return st;
}

mml_status mmli_state_fill(void *reading, mml_model *model)
{
    const mmli_state_reading *r = reading;
    mml_status st = MML_OK;
    mmli_state_piece piece;
    float *values = NULL, *again = NULL;
    size_t most = 0;

    for (size_t p = 0; p < model->params->n; p++) {
        const size_t n = model->params->list[p].rows * model->params->list[p].cols;

        most = n > most ? n : most;
    }
    MML_TRY(mmli_calloc(&values, most, sizeof *values));
    MML_TRY(mmli_calloc(&again, most, sizeof *again));
    for (size_t p = 0; p < model->params->n; p++) {
        for (size_t i = 0; i < 2; i++)
            if (mmli_state_piece_at(&piece, model, &model->params->list[p], r->prefix, i, 0))
                MML_TRY(read_piece(values, again, r, model, &model->params->list[p], i));
        MML_TRY(mmli_params_set(model->params, p, values));
    }
out:
    mmli_free(values);
    mmli_free(again);
    return st;
}
