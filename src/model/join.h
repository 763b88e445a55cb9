/* join.h - what merge and fuse have in common: the blocks of several models in one new model. */
#ifndef MMLI_MODEL_JOIN_H
#define MMLI_MODEL_JOIN_H

#include "model/model.h"

/* A block to be joined: member `at` of `model`. */
typedef struct mmli_source {
    const mml_model *model;
    size_t at;
} mmli_source;

/* The blocks of `models` in order, those of a merge one by one; checked to belong together (mml_merge has the codes).
 * `verb` for messages: "merged", "fused". *out yours: mmli_free(). */
mml_status mmli_join_sources(mmli_source **out, size_t *n, const mml_model *const *models, size_t n_models, const char *verb);

/* The new model with copies of all sources as members and the task; declared, not built. device, table as
 * mmli_model_new; both NULL: the device that the first source is on. */
mml_status mmli_join_new(mml_model **out, mml_model_kind kind, const mmli_source *sources, size_t n, const char *device,
                         const mmli_backend *table, int threads);
/* The values of a fuse, to be trained: copied, after mmli_model_build. */
mml_status mmli_join_copy(mml_model *model, const mmli_source *sources, size_t n);
/* Builds a merge, which is only read: its values are the sources' own where a device can read both, else copied. */
mml_status mmli_join_share(mml_model *model, const mmli_source *sources, size_t n);

static inline const mmli_member *mmli_source_member(const mmli_source *s)
{
    return &s->model->members[s->at];
}

#endif
