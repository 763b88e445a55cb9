/* explain_models.c - the models of explain_rig.h. */
#include "tests/unit/explain_rig.h"

typedef struct merging {
    const char *preset;
    int domain;
    mml_aggregation aggregation;
    mml_phase phase;
    int upstream;
    mml_head_method head;
    mml_latent_scale scale;
} merging;

static const merging merges[] = {
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 0, MML_MERGE_SUM, MML_PHASE_CIRCULAR, 0, MML_HEAD_LINEAR, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_PRODUCT, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 0, MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_RAW},
    {"paper", 0, MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"upstream", 0, MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 1, MML_HEAD_SLERP, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_ENSEMBLE, MML_LATENT_RAW},
    {"mmlego", 0, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_LAYERNORM},
    {"mmlego", 1, MML_MERGE_MEAN, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 1, MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_POOLED},
    {"mmlego", 1, MML_MERGE_PRODUCT, MML_PHASE_CIRCULAR, 0, MML_HEAD_SLERP, MML_LATENT_RAW},
};
enum { MERGES = sizeof merges / sizeof *merges };

static mml_model *make_merge(const merging *g, mml_task_kind task)
{
    static const double weights[] = {0.45, 0.33, 0.22}; /* none is the sum of others: opposite directions do not cancel */
    const rig_how h = {g->preset, g->domain, MML_ENCODER_LINEAR, NULL};
    mml_merge_options o;

    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.aggregation = g->aggregation;
    o.phase = g->phase;
    o.upstream_harmonic = g->upstream;
    o.head = g->head;
    o.scale = g->scale;
    o.weighting = MML_WEIGHT_GIVEN;
    o.weights = weights;
    return rig_join(&h, task, &o, NULL);
}

/* _i: models of the table above, then blocks and fuses of the kinds of task */
mml_model *rig_model(int i)
{
    const rig_how linear = {"mmlego", 0, MML_ENCODER_LINEAR, NULL}, snn = {"mmlego", 0, MML_ENCODER_SNN, NULL};
    const rig_how none = {"paper", 0, MML_ENCODER_NONE, NULL}, abmil = {"paper", 0, MML_ENCODER_ABMIL, NULL}, up = {"upstream", 0, MML_ENCODER_NONE, NULL};
    mml_fuse_options o;

    if (i < MERGES)
        return make_merge(&merges[i], (mml_task_kind)(i % TASKS));
    mmlt_assert_ok(mml_fuse_options_init(&o, "mmlego"));
    o.mode = i % 2 ? MML_FUSE_WEAVE : MML_FUSE_STACK;
    switch (i - MERGES) {
    case 0: return rig_block(0, MML_BINARY, &linear);
    case 1: return rig_block(1, MML_SURVIVAL, &snn);
    case 2: return rig_block(2, MML_REGRESSION, &none);
    case 3: return rig_join(&snn, MML_MULTICLASS, NULL, &o);
    case 4: return rig_join(&none, MML_SURVIVAL, NULL, &o);
    case 5: return rig_join(&up, MML_BINARY, NULL, &o);
    case 6: return rig_baseline(MML_BASELINE_SNN, 0, 0, MML_SURVIVAL);
    case 7: return rig_baseline(MML_BASELINE_ABMIL, 2, 2, MML_BINARY);
    case 8: return rig_baseline(MML_BASELINE_PERCEIVER, 0, 2, MML_REGRESSION); /* reads all tokens as one set */
    case 9: return rig_baseline(MML_BASELINE_HEALNET, 0, 2, MML_MULTICLASS);
    case 10: return rig_baseline(MML_BASELINE_MULTIMODN, 0, 2, MML_BINARY);
    case 12: return rig_baseline(MML_BASELINE_LINEAR, 0, 2, MML_BINARY); /* reads summaries */
    case 11: return rig_baseline(MML_BASELINE_LATE_BILINEAR, 0, 2, MML_SURVIVAL);
    default: return rig_block(2, MML_MULTICLASS, &(rig_how){"paper", 0, abmil.encoder, NULL});
    }
}

_Static_assert(RIG_MODELS == MERGES + 14, "all of rig_model");
