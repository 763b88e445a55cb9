/* merge.c - blocks joined without training (method.md 3): all of them with the parameters they have, and weights. */
#include "model/join.h"
#include "model/options.h"
#include "model/weights.h"
#include "util/alloc.h"
#include "util/error.h"

static mml_status check(const mml_merge_options *o, size_t members)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_merge_options_check(o));
    MML_CHECK(!o->upstream_harmonic || o->aggregation != MML_MERGE_HARMONIC || members <= 2, MML_E_ARG,
              "upstream's harmonic merge is defined for two blocks, there are %zu; use preset paper for more", members);
out:
    return st;
}

mml_status mml_merge(mml_model **out, const mml_model *const *models, size_t n, const mml_merge_options *options)
{
    mml_status st = MML_OK;
    mml_merge_options o;
    mmli_source *sources = NULL;
    mml_model *model = NULL;
    size_t members;

    MML_GIVEN(out);
    *out = NULL;
    MML_TRY(mml_merge_options_init(&o, "mmlego"));
    MML_TRY(mmli_options_take(&o, sizeof o, options, "mml_merge_options"));
    MML_TRY(mmli_join_sources(&sources, &members, models, n, "merged"));
    MML_TRY(check(&o, members));
    MML_TRY(mmli_join_new(&model, MML_MODEL_MERGE, sources, members, NULL, NULL, o.threads));
    model->merge = o;
    model->merge.weights = NULL; /* the caller's, only borrowed */
    model->merge.cohort = NULL;
    model->merge.device = NULL;
    MML_TRY(mmli_join_share(model, sources, members));
    MML_TRY(mmli_merge_weigh(model, &o));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    mmli_free(sources);
    return st;
}
