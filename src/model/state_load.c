/* state_load.c - a model out of a safetensors file: ours, with all that goes with the parameters in its metadata, or the
 * state_dict of a LegoBlock, LegoMerge or LegoFuse of the released code, of which options say the rest. */
#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "io/h5image.h"
#include "model/file.h"
#include "model/state.h"
#include "util/alloc.h"
#include "util/error.h"

void mml_state_options_init(mml_state_options *options)
{
    *options = (mml_state_options){.struct_size = sizeof *options, .modality_kind = -1, .task_kind = -1, .model_kind = -1, .block = -1,
                                    .aggregation = -1};
}

/* ---- ours ---------------------------------------------------------------------------------------------------------------- */

static mml_status load_ours(mml_model **out, mmli_state_reading *r, const char *facts, const mml_encoder *encoders,
                            size_t n_encoders)
{
    mml_status st = MML_OK;
    const mmli_parameter_source source = {mmli_state_check, mmli_state_fill, r};
    hid_t file = -1;

    MML_TRY(mmli_h5_image_open(&file, facts, r->path));
    MML_TRY(mmli_h5_check_format(NULL, file, r->path, MMLI_MODEL_FORMAT, MMLI_MODEL_VERSION));
    MML_TRY(mmli_model_read_facts(out, file, r->path, encoders, n_encoders, &source));
out:
    mmli_h5_drop(file);
    return st;
}

/* ---- of the released code -------------------------------------------------------------------------------------------------- */

/* What options and the cohort say together. Pointers are lent by them. */
typedef struct said {
    const char *task, *unit;
    int task_kind;     /* -1: not said */
    const char *const *classes;
    size_t n_classes;
} said;

static mml_status ask_cohort(said *s, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_task_info t;

    if (mml_cohort_task(&t, cohort, s->task) != MML_OK)
        goto out; /* the cohort need not have the labels */
    s->task_kind = s->task_kind < 0 ? (int)t.kind : s->task_kind;
    s->unit = s->unit == NULL ? t.unit : s->unit;
    if (s->n_classes == 0 && t.n_classes > 0) {
        s->classes = t.classes;
        s->n_classes = t.n_classes;
    }
out:
    return st;
}

static mml_status collect(said *s, const mml_state_options *o, const char *path)
{
    mml_status st = MML_OK;

    MML_CHECK((o->modality != NULL || o->n_modalities > 0) && o->task != NULL, MML_E_ARG,
              "%s: names of the modality and the task are needed: the state of a PyTorch module does not have them", path);
    *s = (said){.task = o->task, .unit = o->unit, .task_kind = o->task_kind, .classes = o->classes, .n_classes = o->n_classes};
    if (o->cohort != NULL)
        MML_TRY(ask_cohort(s, o->cohort));
    MML_CHECK(s->task_kind <= (int)MML_REGRESSION && o->modality_kind <= (int)MML_BAG, MML_E_ARG,
              "%s: a kind of modality or task that there is not", path);
    MML_CHECK(s->task_kind >= 0, MML_E_ARG,
              "%s: is task %s binary, multiclass, survival or regression? The state of a PyTorch module does not say it", path,
              s->task);
    s->unit = s->unit == NULL ? "" : s->unit;
out:
    return st;
}

/* "0", "1", ...: what tables without names of classes have. */
static mml_status numbered(char ***out, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(out, n, sizeof **out));
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_strf(&(*out)[i], "%zu", i));
out:
    return st;
}

static mml_status make_task(mmli_task **out, const said *s, const mml_state_options *o, size_t k, const char *path)
{
    const bool classes = s->task_kind == (int)MML_BINARY || s->task_kind == (int)MML_MULTICLASS;
    mml_status st = MML_OK;
    char **numbers = NULL;

    MML_CHECK(!classes || s->n_classes == 0 || s->n_classes == k, MML_E_SHAPE, "%s: %zu classes are named, the head has %zu outputs",
              path, s->n_classes, k);
    MML_CHECK(s->task_kind != (int)MML_SURVIVAL || o->n_edges == k + 1, MML_E_ARG,
              "%s: the %zu edges of its %zu time bins are needed, in the order of time; %zu are given", path, k + 1, k, o->n_edges);
    if (classes && s->n_classes == 0)
        MML_TRY(numbered(&numbers, k));
    MML_TRY(mmli_task_blank(out, (mml_task_kind)s->task_kind, s->task, s->unit, k,
                            numbers != NULL ? (const char *const *)numbers : s->classes, o->edges));
out:
    mmli_h5_texts_free(numbers, k);
    return st;
}

/* features NULL: any; category_of NULL: all are numbers. */
static mml_status make_prep(mmli_prep **out, const char *const *features, const char *const *category_of, size_t n_features,
                            const char *modality, size_t width, const char *path)
{
    mml_status st = MML_OK;

    MML_CHECK(features == NULL || n_features == width, MML_E_SHAPE,
              "%s: tokens of modality %s are %zu wide there, %zu features are named", path, modality, width, n_features);
    for (size_t i = 0; features != NULL && i < width; i++)
        MML_CHECK(mmli_bad_id(features[i]) == NULL, MML_E_ARG, "%s: feature %zu: %s", path, i + 1, mmli_bad_id(features[i]));
    MML_TRY(features == NULL ? mmli_prep_identity(out, width) : mmli_prep_identity_named(out, features, category_of, width));
out:
    return st;
}

/* Declares the block under `prefix` as the next member. */
static mml_status add_block(mml_model *model, const char *modality, const char *prefix, size_t outputs, const mmli_state_reading *r,
                            const mml_state_options *options)
{
    mml_status st = MML_OK;
    mml_block_options o;
    mml_modality_kind kind = MML_TABLE;
    mml_modality_info m;
    mmli_prep *prep = NULL;
    const char *const *features = options->features, *const *category_of = NULL;
    size_t n_features = options->n_features, width = 0;

    MML_TRY(mmli_state_infer(&o, &kind, &width, prefix, r->tensors, options, r->path));
    if (options->cohort != NULL) {
        MML_TRY(mml_cohort_modality(&m, options->cohort, modality));
        kind = m.kind;
        n_features = features == NULL ? m.width : n_features;
        category_of = features == NULL ? m.category_of : NULL;
        features = features == NULL ? m.features : features;
    }
    if (options->modality_kind >= 0)
        kind = (mml_modality_kind)options->modality_kind;
    MML_TRY(make_prep(&prep, features, category_of, n_features, modality, width, r->path));
    MML_TRY(mmli_model_add(model, modality, kind, "upstream", &o, prep, outputs, -1.0f, NULL));
    prep = NULL;
out:
    mmli_prep_free(prep);
    return st;
}

/* Is what the options say of several blocks right for them? */
static mml_status check_joined(const mmli_state_layout *l, const mml_state_options *o, const char *path)
{
    mml_status st = MML_OK;

    MML_CHECK(l->n > 0 || (o->model_kind <= (int)MML_MODEL_BLOCK && o->block < 0), MML_E_ARG,
              "%s: is the state of one LegoBlock, not of a LegoMerge or LegoFuse", path);
    MML_CHECK(o->model_kind <= (int)MML_MODEL_FUSE && o->aggregation <= (int)MML_MERGE_PRODUCT, MML_E_ARG,
              "%s: a kind of model or aggregation that there is not", path);
    if (l->n == 0 || o->block >= 0) {
        MML_CHECK(l->n == 0 || (size_t)o->block < l->n, MML_E_ARG, "%s: block %d of %zu (they are counted from 0)", path, o->block, l->n);
        goto out;
    }
    MML_CHECK(o->model_kind > (int)MML_MODEL_BLOCK, MML_E_ARG, "%s: is the state of a LegoMerge or a LegoFuse of %zu blocks, which have "
              "the same names: say which it is (--as), or take one block of it (--block)", path, l->n);
    MML_CHECK(o->n_modalities == l->n, MML_E_ARG, "%s: has %zu blocks, and %zu modalities are named: one for each is needed, in the order "
              "of the blocks", path, l->n, o->n_modalities);
    MML_CHECK(o->modality_kind < 0 && o->features == NULL, MML_E_ARG,
              "%s: a kind of modality or features are of one block, this has %zu; a cohort says them of each", path, l->n);
    MML_CHECK(o->model_kind != (int)MML_MODEL_MERGE || l->n == 2, MML_E_FORMAT, "%s: a LegoMerge of %zu blocks, whose head is that of the first "
              "two alone, which no model here has; take its blocks one by one (--block), and merge them", path, l->n);
    MML_CHECK(o->model_kind != (int)MML_MODEL_MERGE || o->aggregation >= 0, MML_E_ARG, "%s: does not say how the latents of this LegoMerge are "
              "joined: harmonic, mean, sum (the default there) or product?", path);
out:
    return st;
}

/* Members, each with its prefix; then what a fuse has of its own. */
static mml_status declare(mml_model *model, const mmli_state_layout *l, const mmli_state_reading *r, const mml_state_options *o)
{
    mml_status st = MML_OK;
    char prefix[MMLI_STATE_NAME];

    for (size_t m = 0; m < (model->kind == MML_MODEL_BLOCK ? 1 : l->n); m++) {
        const char *modality = model->kind == MML_MODEL_BLOCK && o->modality != NULL ? o->modality : o->modalities[m];
        const mml_block_options *a, *b;

        mmli_state_block_prefix(prefix, l, o->block >= 0 ? (size_t)o->block : m);
        MML_TRY(add_block(model, modality, prefix, l->outputs, r, o));
        a = &model->members[0].block.o;
        b = &model->members[m].block.o;
        MML_CHECK(a->latent_c == b->latent_c && a->latent_d == b->latent_d, MML_E_SHAPE, "%s: the latent of block 0 is %zu x %zu, that of block %zu "
                  "%zu x %zu", r->path, a->latent_c, a->latent_d, m, b->latent_c, b->latent_d);
    }
    if (model->kind == MML_MODEL_FUSE) {
        snprintf(prefix, sizeof prefix, "%.400sL", l->prefix);
        MML_CHECK(mmli_tensors_find(r->tensors, prefix) != NULL, MML_E_FORMAT, "%s: tensor %s is missing", r->path, prefix);
        MML_TRY(mml_fuse_options_init(&model->fuse, "upstream"));
        MML_TRY(mmli_model_declare_fuse(model));
    }
out:
    return st;
}

static mml_status load_foreign(mml_model **out, mmli_state_reading *r, const mml_state_options *options)
{
    mml_status st = MML_OK;
    mmli_state_layout layout;
    char prefix[MMLI_STATE_NAME];
    mml_model *model = NULL;
    said s = {0};

    MML_TRY(mmli_state_look(&layout, r->tensors, r->path));
    MML_TRY(check_joined(&layout, options, r->path));
    MML_TRY(collect(&s, options, r->path));
    r->part = options->block >= 0;
    r->first_latent = options->first_latent != 0;
    memcpy(prefix, layout.prefix, sizeof prefix);
    if (r->part)
        mmli_state_block_prefix(prefix, &layout, (size_t)options->block);
    r->prefix = prefix;
    MML_TRY(mmli_model_new(&model, layout.n == 0 || r->part ? MML_MODEL_BLOCK : (mml_model_kind)options->model_kind, NULL, NULL, 1));
    MML_TRY(make_task(&model->task, &s, options, layout.outputs, r->path));
    MML_TRY(declare(model, &layout, r, options));
    MML_TRY(mmli_state_check(r, model));
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_state_fill(r, model));
    if (model->kind == MML_MODEL_MERGE)
        MML_TRY(mmli_state_take_merge(model, r, options));
    *out = model;
    model = NULL;
out:
    mml_model_free(model);
    return st;
}

mml_status mml_model_load_state(mml_model **out, const char *path, const mml_state_options *options, const mml_encoder *encoders,
                                size_t n_encoders)
{
    mml_status st = MML_OK;
    mml_state_options all;
    mmli_state_reading r = {.path = path, .prefix = ""};
    const char *facts;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(path);
    if (n_encoders > 0)
        MML_GIVEN(encoders);
    mml_state_options_init(&all);
    if (options != NULL)
        memcpy(&all, options, options->struct_size < sizeof all ? options->struct_size : sizeof all);
    MML_TRY(mmli_tensors_open(&r.tensors, path));
    facts = mmli_tensors_metadata(r.tensors, MMLI_STATE_FACTS);
    r.foreign = facts == NULL;
    MML_TRY(facts != NULL ? load_ours(out, &r, facts, encoders, n_encoders) : load_foreign(out, &r, &all));
out:
    mmli_tensors_close(r.tensors);
    return st;
}
