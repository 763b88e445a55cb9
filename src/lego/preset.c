/* preset.c - the presets `mmlego`, `paper` and `upstream`, spelt out as options (method.md 2, 3b).
 *
 * This is the only place that knows presets: everything else reads the options.
 */
#include <string.h>

#include "mmlego/model.h"
#include "mmlego/train.h"
#include "util/error.h"
#include "util/text.h"

typedef enum preset { PRESET_MMLEGO, PRESET_PAPER, PRESET_UPSTREAM } preset;
static const char *const preset_names[] = {"mmlego", "paper", "upstream"};

static mml_status find(preset *out, const char *name)
{
    mml_status st = MML_OK;
    const char *near;

    if (!name)
        name = preset_names[0];
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(name, preset_names[i]) == 0) {
            *out = (preset)i;
            return MML_OK;
        }
    }
    near = mmli_nearest(name, preset_names, 3);
    MML_CHECK(0, MML_E_ARG, "unknown preset %s: there are mmlego, paper and upstream%s%s%s", name,
              near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
out:
    return st;
}

static const char *const encoder_names[] = {"none", "linear", "snn", "abmil", "selfattn", "embedding", "custom"};
enum { N_ENCODERS = sizeof encoder_names / sizeof *encoder_names };

const char *mml_encoder_name(mml_encoder_kind kind)
{
    return (unsigned)kind < N_ENCODERS ? encoder_names[kind] : "unknown";
}

mml_status mml_encoder_from_name(mml_encoder_kind *out, const char *name)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];
    const char *near;

    MML_GIVEN(out, name);
    for (size_t i = 0; i < N_ENCODERS; i++) {
        if (strcmp(name, encoder_names[i]) == 0) {
            *out = (mml_encoder_kind)i;
            return MML_OK;
        }
    }
    near = mmli_nearest(name, encoder_names, N_ENCODERS);
    MML_CHECK(0, MML_E_ARG, "unknown encoder %s%s%s%s; there are %s", name, near ? " (did you mean " : "", near ? near : "",
              near ? "?)" : "", mmli_list(list, encoder_names, N_ENCODERS));
out:
    return st;
}

/* What the paper's experiments use, and what upstream has in common with it. */
static mml_block_options published(void)
{
    return (mml_block_options){.struct_size = sizeof(mml_block_options),
                               .latent_c = 64,
                               .latent_d = 64,
                               .steps = 2,
                               .heads = 8,
                               .head_width = 64,
                               .transform = MML_TRANSFORM_2D,
                               .tau = 1,
                               .encoder_dropout = -1,
                               .selfattn_limit = 4096};
}

mml_status mml_block_options_init(mml_block_options *block, mml_prep_options *prep, const char *name,
                                  mml_modality_kind kind, mml_task_kind task)
{
    mml_status st = MML_OK;
    preset p = PRESET_MMLEGO;
    mml_block_options o = published();
    mml_prep_options q = {.struct_size = sizeof q, .clip = 5};

    MML_GIVEN(block);
    MML_TRY(find(&p, name));
    switch (kind) {
    case MML_TABLE:
        o.encoder = MML_ENCODER_SNN;
        break;
    case MML_BAG:
        o.encoder = MML_ENCODER_ABMIL;
        break;
    case MML_SERIES:
    case MML_IMAGE:
    default:
        o.encoder = MML_ENCODER_NONE;
    }
    if (kind == MML_SERIES) {
        q.imputation = MML_IMPUTE_LOCF;
        q.indicators = MML_INDICATE_MASK;
        q.position_bands = 8;
    } else if (kind == MML_IMAGE) {
        q.position_bands = 4;
    }
    if (p == PRESET_MMLEGO) { /* method.md 3b: small latents, one step, dropout; measured on PhysioNet 2012 */
        o.latent_c = o.latent_d = 32;
        o.steps = 1;
        o.heads = 4;
        o.head_width = 16;
        o.dropout = 0.3;
        /* The attention reads a row as it is. Few events on many columns want one layer before it, whose weights decay
         * strongly (method.md 3b point 10). */
        if (kind == MML_TABLE && task != MML_SURVIVAL) {
            o.encoder = MML_ENCODER_NONE;
        } else if (kind == MML_TABLE) {
            o.encoder_width = 64;
            o.encoder_layers = 1;
        }
    } else if (p == PRESET_UPSTREAM) {
        o.transform = MML_TRANSFORM_1D;
        o.normalise_latent = 1;
        o.context_dft = 1;
        o.tau = 0.5;
        o.leaky_output = 1;
        o.encoder_each_step = 1;
        o.handover_real = 1;
        o.dropout = 0.5; /* the paper's setting; upstream's own default is 0 */
        o.raw_layers = o.encoder == MML_ENCODER_NONE;
        if (o.raw_layers)
            o.encoder = MML_ENCODER_SELFATTN;
    } else {
        o.dropout = 0.5;
    }
    *block = o;
    if (prep)
        *prep = q;
out:
    return st;
}

mml_status mml_merge_options_init(mml_merge_options *options, const char *name)
{
    mml_status st = MML_OK;
    preset p = PRESET_MMLEGO;

    MML_GIVEN(options);
    MML_TRY(find(&p, name));
    *options = (mml_merge_options){.struct_size = sizeof *options, .head = MML_HEAD_SLERP};
    if (p == PRESET_MMLEGO) {
        options->aggregation = MML_MERGE_MEAN;
        options->phase = MML_PHASE_CIRCULAR;
        options->scale = MML_LATENT_POOLED;
        options->weighting = MML_WEIGHT_VALIDATION;
    } else {
        options->aggregation = MML_MERGE_HARMONIC;
        options->phase = MML_PHASE_ARITHMETIC;
        options->scale = MML_LATENT_RAW;
        options->weighting = MML_WEIGHT_EQUAL;
        options->upstream_harmonic = p == PRESET_UPSTREAM;
    }
out:
    return st;
}

mml_status mml_fuse_options_init(mml_fuse_options *options, const char *name)
{
    mml_status st = MML_OK;
    preset p = PRESET_MMLEGO;

    MML_GIVEN(options);
    MML_TRY(find(&p, name));
    *options = (mml_fuse_options){.struct_size = sizeof *options,
                                  .mode = MML_FUSE_STACK,
                                  .freeze = MML_FREEZE_NOTHING,
                                  .order = p == PRESET_MMLEGO ? MML_ORDER_VALIDATION : MML_ORDER_GIVEN,
                                  .head = MML_HEAD_SLERP,
                                  .loudness = p == PRESET_MMLEGO ? MML_LOUD_WEIGHTED : MML_LOUD_TRAINED};
out:
    return st;
}

/* Settings shared by every training; patients are few, so batches are small and decay is not. */
/* Classes: early stopping that is not deceived by the noise of a small validation part, nor by the plateau of the ranking while
 * the loss already rises; doc/results/README.md has what either brings. */
static void stop_classes(mml_train_options *o, preset p, mml_task_kind task)
{
    if (p == PRESET_MMLEGO && (task == MML_BINARY || task == MML_MULTICLASS)) {
        o->patience = 10;
        o->loss_share = 0.1;
    }
}

static mml_train_options common(void)
{
    mml_train_options o = {.struct_size = sizeof o,
                           .epochs = 20,
                           .batch = 32,
                           .learning_rate = 3e-4,
                           .weight_decay = 1e-2,
                           .encoder_decay = -1,
                           .schedule = MML_SCHEDULE_COSINE,
                           .warmup = 50,
                           .clip_norm = 1,
                           .patience = 5,
                           .survival_loss = MML_LOSS_NLL,
                           .survival_alpha = 0.4,
                           .bins = 4,
                           .shared_head = 1};

    mml_split_options_init(&o.split);
    return o;
}

mml_status mml_train_options_init(mml_train_options *options, const char *name, mml_modality_kind modality,
                                  mml_task_kind task)
{
    mml_status st = MML_OK;
    preset p = PRESET_MMLEGO;

    MML_GIVEN(options);
    (void)modality;
    MML_TRY(find(&p, name));
    *options = common();
    options->shared_head = p == PRESET_MMLEGO;
    options->weight_folds = p == PRESET_MMLEGO ? MML_FOLDS_AUTO : 0;
    options->committee = p == PRESET_MMLEGO ? MML_COMMITTEE_AUTO : MML_COMMITTEE_NO;
    stop_classes(options, p, task);
    if (p == PRESET_MMLEGO && task == MML_SURVIVAL) {
        /* Few patients, many features: the partial likelihood ranks them far better than discrete hazards do, given large
         * batches (risk sets), time, and a strong decay of the encoder (method.md 3b point 7). */
        options->survival_loss = MML_LOSS_COX;
        options->epochs = 60;
        options->batch = 64;
        options->learning_rate = 1e-3;
        options->encoder_decay = 1;
        options->patience = 20;
    }
out:
    return st;
}

mml_status mml_train_options_init_fuse(mml_train_options *options, const char *name, mml_task_kind task)
{
    mml_status st = MML_OK;
    preset p = PRESET_MMLEGO;

    MML_GIVEN(options);
    MML_TRY(find(&p, name));
    *options = common();
    stop_classes(options, p, task);
    options->epochs = 2;
    options->warmup = 0;
    options->shared_head = 0;
out:
    return st;
}
