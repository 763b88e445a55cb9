/* state_merge.c - the merged head of a LegoMerge of the released code: how it was made of the heads of its two blocks.
 *
 * It is a tensor of its own there; here a merge makes its heads of those of the blocks present. Both are the same where the
 * heads were joined linearly, alpha of the first and 1 - alpha of the second, and alpha can be told from the result. */
#include <math.h>
#include <stdlib.h>

#include "model/state.h"
#include "util/alloc.h"
#include "util/error.h"

static const double nearly = 1e-5; /* relative: a sum of two products in float32, there, has about 1e-7 */

/* Sums over all values of the head, h1, h2 of the blocks, w merged: of (w - h2)(h1 - h2), (h1 - h2)^2, (w - h2)^2, w^2. */
typedef struct sums {
    double cross, apart, moved, size;
} sums;

static mml_status add_tensor(sums *s, const mml_model *model, const mmli_state_reading *r, size_t first, size_t second,
                             const char *name)
{
    const mmli_param *p = &model->params->list[first];
    const size_t n = p->rows * p->cols;
    mml_status st = MML_OK;
    char full[MMLI_STATE_NAME];
    float *h[3] = {NULL, NULL, NULL};
    const mmli_tensor *x;

    snprintf(full, sizeof full, "%.400sto_logits.combined_layers.%s", r->prefix, name);
    x = mmli_tensors_find(r->tensors, full);
    MML_CHECK(x != NULL, MML_E_FORMAT, "%s: tensor %s is missing", r->path, full);
    MML_CHECK(x->count == n, MML_E_SHAPE, "%s: tensor %s has %zu values, %zu are needed", r->path, full, x->count, n);
    for (size_t i = 0; i < 3; i++)
        MML_TRY(mmli_calloc(&h[i], n, sizeof *h[i]));
    MML_TRY(mmli_params_get(h[0], model->params, first));
    MML_TRY(mmli_params_get(h[1], model->params, second));
    MML_TRY(mmli_tensors_floats(h[2], r->tensors, x, 0, n));
    for (size_t j = 0; j < n; j++) {
        const double apart = (double)h[0][j] - (double)h[1][j], moved = (double)h[2][j] - (double)h[1][j];

        MML_CHECK(isfinite(h[2][j]), MML_E_FORMAT, "%s: tensor %s has a value that is not finite", r->path, full);
        s->cross += moved * apart;
        s->apart += apart * apart;
        s->moved += moved * moved;
        s->size += (double)h[2][j] * (double)h[2][j];
    }
out:
    for (size_t i = 0; i < 3; i++)
        mmli_free(h[i]);
    return st;
}

static mml_status find_alpha(double *alpha, const mml_model *model, const mmli_state_reading *r)
{
    const mmli_head *a = &model->members[0].block.head, *b = &model->members[1].block.head;
    const size_t pairs[4][2] = {
        {a->norm_w, b->norm_w}, {a->norm_b, b->norm_b}, {a->linear_w, b->linear_w}, {a->linear_b, b->linear_b}};
    static const char *const names[] = {"1.weight", "1.bias", "2.weight", "2.bias"};
    mml_status st = MML_OK;
    sums s = {0};
    double left;

    for (size_t i = 0; i < 4; i++)
        MML_TRY(add_tensor(&s, model, r, pairs[i][0], pairs[i][1], names[i]));
    *alpha = s.apart > 0 ? s.cross / s.apart : 0.5;
    left = s.moved - *alpha * s.cross; /* of |w - h2 - alpha (h1 - h2)|^2 at its least */
    MML_CHECK(left <= nearly * nearly * s.size && *alpha > -nearly && *alpha < 1 + nearly, MML_E_FORMAT,
              "%s: its merged head (%sto_logits.combined_layers) is not a linear mean of the heads of its two blocks: head_method slerp "
              "of the released code is no spherical interpolation, and not computed here; take each block with block 0 and 1 "
              "(--block), and merge them", r->path, r->prefix);
    MML_CHECK(s.apart > nearly * nearly * s.size, MML_E_FORMAT, "%s: the heads of its two blocks are equal, so that alpha cannot be told "
              "from the merged head; take each block with block 0 and 1 (--block), and merge them", r->path);
    *alpha = fmin(fmax(*alpha, 0.0), 1.0);
out:
    return st;
}

mml_status mmli_state_take_merge(mml_model *model, const mmli_state_reading *r, const mml_state_options *options)
{
    mml_status st = MML_OK;
    const bool weighted = options->aggregation == (int)MML_MERGE_MEAN || options->aggregation == (int)MML_MERGE_SUM;
    double alpha = 0.5;

    MML_TRY(find_alpha(&alpha, model, r));
    MML_CHECK(!weighted || fabs(alpha - 0.5) < 1e-4, MML_E_FORMAT, "%s: its heads are joined with alpha %.4g, its latents are %s without "
              "it; here weights are of both. Take each block with block 0 and 1 (--block), and merge them", r->path, alpha,
              options->aggregation == (int)MML_MERGE_MEAN ? "averaged" : "added");
    MML_TRY(mml_merge_options_init(&model->merge, "upstream"));
    model->merge.aggregation = (mml_aggregation)options->aggregation;
    model->merge.head = MML_HEAD_LINEAR;
    model->merge.weighting = MML_WEIGHT_GIVEN;
    model->weights[0] = weighted ? 0.5 : alpha;
    model->weights[1] = weighted ? 0.5 : 1 - alpha;
out:
    return st;
}
