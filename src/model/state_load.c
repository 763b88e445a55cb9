/* state_load.c - a model out of a safetensors file: ours, with all that goes with the parameters in its metadata, or the
 * state_dict of a LegoBlock of the released code, of which options say the rest. */
#include <string.h>

#include "io/cohort.h"
#include "io/h5image.h"
#include "model/file.h"
#include "model/state.h"
#include "util/alloc.h"
#include "util/error.h"

void mml_state_options_init(mml_state_options *options)
{
    *options = (mml_state_options){.struct_size = sizeof *options, .modality_kind = -1, .task_kind = -1};
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
    const char *modality, *task, *unit;
    int task_kind;     /* -1: not said */
    int modality_kind; /* -1: as the encoder is meant for */
    const char *const *classes, *const *features;
    size_t n_classes, n_features;
} said;

static mml_status ask_cohort(said *s, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_modality_info m;
    mml_task_info t;

    MML_TRY(mml_cohort_modality(&m, cohort, s->modality));
    s->modality_kind = s->modality_kind < 0 ? (int)m.kind : s->modality_kind;
    if (s->features == NULL) {
        s->features = m.features;
        s->n_features = m.width;
    }
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

    MML_CHECK(o->modality != NULL && o->task != NULL, MML_E_ARG,
              "%s: names of the modality and the task are needed: the state of a PyTorch module does not have them", path);
    *s = (said){.modality = o->modality, .task = o->task, .unit = o->unit, .task_kind = o->task_kind,
                .modality_kind = o->modality_kind, .classes = o->classes, .features = o->features,
                .n_classes = o->n_classes, .n_features = o->n_features};
    if (o->cohort != NULL)
        MML_TRY(ask_cohort(s, o->cohort));
    MML_CHECK(s->task_kind <= (int)MML_REGRESSION && s->modality_kind <= (int)MML_BAG, MML_E_ARG,
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

static mml_status make_prep(mmli_prep **out, const said *s, size_t width, const char *path)
{
    mml_status st = MML_OK;

    MML_CHECK(s->features == NULL || s->n_features == width, MML_E_SHAPE,
              "%s: tokens of modality %s are %zu wide there, %zu features are named", path, s->modality, width, s->n_features);
    for (size_t i = 0; s->features != NULL && i < width; i++)
        MML_CHECK(mmli_bad_id(s->features[i]) == NULL, MML_E_ARG, "%s: feature %zu: %s", path, i + 1, mmli_bad_id(s->features[i]));
    MML_TRY(s->features == NULL ? mmli_prep_identity(out, width) : mmli_prep_identity_named(out, s->features, width));
out:
    return st;
}

static mml_status load_foreign(mml_model **out, mmli_state_reading *r, const mml_state_options *options)
{
    mml_status st = MML_OK;
    char prefix[MMLI_STATE_NAME];
    mml_block_options o;
    mml_modality_kind kind = MML_TABLE;
    mml_model *model = NULL;
    mmli_prep *prep = NULL;
    size_t width = 0, outputs = 0;
    said s = {0};

    MML_TRY(mmli_state_infer(&o, &kind, &width, &outputs, &r->prefix, prefix, r->tensors, options, r->path));
    MML_TRY(collect(&s, options, r->path));
    if (s.modality_kind >= 0)
        kind = (mml_modality_kind)s.modality_kind;
    MML_TRY(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, NULL, 1));
    MML_TRY(make_task(&model->task, &s, options, outputs, r->path));
    MML_TRY(make_prep(&prep, &s, width, r->path));
    MML_TRY(mmli_model_add(model, s.modality, kind, "upstream", &o, prep, outputs, -1.0f, NULL));
    prep = NULL;
    MML_TRY(mmli_state_check(r, model));
    MML_TRY(mmli_model_build(model));
    MML_TRY(mmli_state_fill(r, model));
    *out = model;
    model = NULL;
out:
    mmli_prep_free(prep);
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

    *out = NULL;
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
