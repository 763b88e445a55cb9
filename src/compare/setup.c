/* setup.c - the options of each system: the defaults of the library for this kind of modality and task.
 *
 * The training seed of a fold is the same for all systems, so blocks start alike (method.md 3b point 1), and a block can be
 * had again with `mmlego train --fold K --seed S+K`.
 */
#include "compare/setup.h"

#include <string.h>

#include "model/options.h"
#include "train/trainer.h"
#include "util/error.h"

static mml_status training(mml_train_options *o, const mml_compare *plan, int fold)
{
    o->seed = plan->seed + (uint64_t)fold;
    o->threads = plan->threads;
    o->device = plan->device;
    return mmli_division(&o->split, plan, fold);
}

static mml_status merging(mml_merge_options *o, mmli_system_kind kind, const mml_compare *plan, int fold)
{
    mml_status st = mml_merge_options_init(o, NULL);

    o->seed = plan->seed + (uint64_t)fold;
    o->threads = plan->threads;
    o->device = plan->device;
    if (kind == MMLI_SYSTEM_ENSEMBLE || kind == MMLI_SYSTEM_WEIGHTED)
        o->head = MML_HEAD_ENSEMBLE;
    if (kind == MMLI_SYSTEM_ENSEMBLE)
        o->weighting = MML_WEIGHT_EQUAL;
    return st;
}

mml_status mmli_setup_make(mmli_setup *out, const mml_compare *plan, size_t system, int fold)
{
    const mmli_system *s = &plan->systems[system];
    mml_status st = MML_OK;
    size_t first, n;

    memset(out, 0, sizeof *out);
    switch (s->type->kind) {
    case MMLI_SYSTEM_BLOCK:
        MML_TRY(mml_block_options_init(&out->block, &out->prep, NULL, plan->modalities[s->modality].kind, plan->kind));
        MML_TRY(mml_train_options_init(&out->training, NULL, plan->modalities[s->modality].kind, plan->kind));
        MML_TRY(training(&out->training, plan, fold));
        out->training.weight_folds = plan->weight_folds;
        out->training.committee = plan->committee;
        break;
    case MMLI_SYSTEM_ENSEMBLE:
    case MMLI_SYSTEM_WEIGHTED:
    case MMLI_SYSTEM_MERGE:
    case MMLI_SYSTEM_INTERFERENCE:
        MML_TRY(merging(&out->merge, s->type->kind, plan, fold));
        break;
    case MMLI_SYSTEM_BASELINE:
        mmli_system_modalities(&first, &n, plan, s, 0);
        MML_TRY(mml_baseline_options_init(&out->baseline, s->type->baseline));
        if (out->baseline.latent_c > 0) { /* a latent of the size that the blocks have: compared is what is done with it */
            MML_TRY(mml_block_options_init(&out->block, NULL, NULL, plan->modalities[first].kind, plan->kind));
            out->baseline.latent_c = out->block.latent_c;
            out->baseline.latent_d = out->block.latent_d;
        }
        MML_TRY(mml_train_options_init(&out->training, NULL, plan->modalities[first].kind, plan->kind));
        MML_TRY(training(&out->training, plan, fold));
        break;
    case MMLI_SYSTEM_STACK:
    case MMLI_SYSTEM_WEAVE:
    default:
        MML_TRY(mml_fuse_options_init(&out->fuse, NULL));
        MML_TRY(mml_train_options_init_fuse(&out->training, NULL, plan->kind));
        MML_TRY(training(&out->training, plan, fold));
        out->fuse.mode = s->type->kind == MMLI_SYSTEM_STACK ? MML_FUSE_STACK : MML_FUSE_WEAVE;
    }
out:
    return st;
}

void mmli_setup_clear(mmli_setup *setup)
{
    mmli_division_clear(&setup->training.split);
}

/* ---- as JSON ------------------------------------------------------------------------------------------------ */

/* Options of all blocks, by modality. */
static mml_status blocks_json(json_t **out, const mml_compare *plan, int fold)
{
    mml_status st = MML_OK;
    json_t *all = json_object(), *one = NULL;

    for (size_t i = 0; i < plan->n_systems; i++) {
        const mmli_system *s = &plan->systems[i];

        if (s->type->kind != MMLI_SYSTEM_BLOCK)
            continue;
        MML_TRY(mmli_setup_json(&one, plan, i, fold));
        MML_CHECK(json_object_set_new(all, plan->modalities[s->modality].name, one) == 0, MML_E_NOMEM,
                  "no memory for the settings of %s", s->name);
    }
    *out = all;
    all = NULL;
out:
    json_decref(all);
    return st;
}

mml_status mmli_setup_json(json_t **out, const mml_compare *plan, size_t system, int fold)
{
    const mmli_system *s = &plan->systems[system];
    mml_status st = MML_OK;
    mmli_setup o;
    json_t *blocks = NULL;

    *out = NULL;
    MML_TRY(mmli_setup_make(&o, plan, system, fold));
    if (mmli_system_is_joined(s) || s->type->kind == MMLI_SYSTEM_INTERFERENCE)
        MML_TRY(blocks_json(&blocks, plan, fold));
    switch (s->type->kind) {
    case MMLI_SYSTEM_BLOCK:
        *out = json_pack("{s:o, s:o}", "block", mmli_block_options_json(&o.block), "training",
                         mmli_train_options_json(&o.training));
        break;
    case MMLI_SYSTEM_ENSEMBLE:
    case MMLI_SYSTEM_WEIGHTED:
    case MMLI_SYSTEM_MERGE:
    case MMLI_SYSTEM_INTERFERENCE:
        *out = json_pack("{s:o, s:O}", "merge", mmli_merge_options_json(&o.merge), "blocks", blocks);
        break;
    case MMLI_SYSTEM_BASELINE:
        *out = json_pack("{s:o, s:o}", "baseline", mmli_baseline_options_json(&o.baseline), "training",
                         mmli_train_options_json(&o.training));
        break;
    case MMLI_SYSTEM_STACK:
    case MMLI_SYSTEM_WEAVE:
    default:
        *out = json_pack("{s:o, s:o, s:O}", "fuse", mmli_fuse_options_json(&o.fuse), "training",
                         mmli_train_options_json(&o.training), "blocks", blocks);
    }
    MML_CHECK(*out != NULL, MML_E_NOMEM, "no memory for the settings of %s", s->name);
out:
    json_decref(blocks);
    mmli_setup_clear(&o);
    return st;
}
