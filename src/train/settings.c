/* settings.c - all that decides the result of a training, as JSON: a checkpoint must agree in it, a model records it. */
#include "model/options.h"
#include "train/trainer.h"
#include "util/error.h"
#include "util/json.h"

static json_t *split_json(const mml_split_options *s)
{
    return json_pack("{s:s?, s:s?, s:s?, s:i, s:f, s:o}", "train", s->train, "valid", s->valid, "test", s->test, "fold", s->fold,
                     "valid_fraction", s->valid_fraction, "seed", mmli_json_wide(s->seed));
}

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
    return i < n ? names[i] : "?";
}

json_t *mmli_train_options_json(const mml_train_options *o)
{
    static const char *const schedules[] = {"cosine", "constant", "plateau"};
    static const char *const losses[] = {"nll", "cox"};
    static const char *const weights[] = {"equal", "balanced"};
    static const char *const committees[] = {"no", "yes", "auto"};

    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:s, s:I, s:f, s:I, s:f, s:f, s:s, s:s, s:f, s:I, s:i, s:s, s:b, s:o, s:o}", "epochs",
                     (json_int_t)o->epochs, "batch", (json_int_t)o->batch, "learning_rate", o->learning_rate,
                     "weight_decay", o->weight_decay, "encoder_decay", o->encoder_decay, "schedule",
                     name_of(schedules, 3, o->schedule), "warmup", (json_int_t)o->warmup, "clip_norm", o->clip_norm,
                     "patience", (json_int_t)o->patience, "loss_share", o->loss_share, "l1", o->l1, "class_weights",
                     name_of(weights, 2, o->class_weights), "survival_loss", name_of(losses, 2, o->survival_loss),
                     "survival_alpha", o->survival_alpha, "bins", (json_int_t)o->bins, "weight_folds", o->weight_folds, "committee",
                     name_of(committees, 3, o->committee), "shared_head", o->shared_head,
                     "seed", mmli_json_wide(o->seed), "split", split_json(&o->split));
}

static json_t *members_json(const mml_model *model)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < model->n; i++) {
        const mmli_member *m = &model->members[i];
        json_t *one = json_pack("{s:s, s:s, s:o}", "name", m->name, "modality", m->modality, "preprocessing", mmli_prep_json(m->prep));

        if (one && !model->baseline && json_object_set_new(one, "block", mmli_block_options_json(&m->block.o)) != 0) {
            json_decref(one);
            one = NULL;
        }
        if (!one || json_array_append_new(list, one) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

mml_status mmli_train_settings(json_t **out, const mml_model *model, const mml_train_options *o, uint64_t data_hash)
{
    json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:s}", "version", mml_version(), "data_hash", mmli_json_wide(data_hash), "training",
                             mmli_train_options_json(o), "blocks", members_json(model), "task", model->task->name);

    if (root && model->kind == MML_MODEL_FUSE && json_object_set_new(root, "fuse", mmli_fuse_options_json(&model->fuse)) != 0) {
        json_decref(root);
        root = NULL;
    }
    if (root && model->baseline && json_object_set_new(root, "baseline", mmli_baseline_options_json(&model->baseline->o)) != 0) {
        json_decref(root);
        root = NULL;
    }
    *out = root;
    return root ? MML_OK : mmli_fail(MML_E_NOMEM, "no memory for the settings of the training");
}
