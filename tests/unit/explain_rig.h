/* explain_rig.h - a cohort with gaps, and models of every kind and task on it, to be explained. */
#ifndef MMLT_EXPLAIN_RIG_H
#define MMLT_EXPLAIN_RIG_H

#include "explain/explainer.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"

enum { N = 12, MODALITIES = MMLT_MODALITIES, COLUMNS = 2 * 4, TASKS = 4 };

/* A cohort of labs, notes and scan with gaps and values that are not measured, values (N, width) of each. scan comes as two
 * tokens. Sample 3 has labs only, sample 4 nothing. */
typedef struct rig_data {
    float x[MODALITIES][2 * N * 4];
    int64_t off[MODALITIES][N + 1];
} rig_data;

/* Does sample b have modality m? Then so many tokens. */
bool rig_has(size_t m, size_t b);
size_t rig_tokens(size_t m);
void rig_make(rig_data *d);
mml_cohort *rig_cohort(mmlt_cohort *made, const rig_data *d);

typedef struct rig_how {
    const char *preset;
    int domain; /* 1 = spatial */
    mml_encoder_kind encoder;
    const mmli_backend *table;
} rig_how;

mml_model *rig_block(size_t m, mml_task_kind task, const rig_how *h);
/* Of modalities first .. last. */
mml_model *rig_baseline(mml_baseline_kind kind, size_t first, size_t last, mml_task_kind task);
/* A merge or a fuse of all modalities; upstream's harmonic merge: of the first two. */
mml_model *rig_join(const rig_how *h, mml_task_kind task, const mml_merge_options *merge, const mml_fuse_options *fuse);

/* explain_models.c: merges of many kinds, then blocks, fuses and baselines. */
enum { RIG_MODELS = 11 + 14 };
mml_model *rig_model(int i);

/* What the gradients tell of each sample and modality. */
typedef struct rig_told {
    double value[2][COLUMNS]; /* token, column */
    size_t feature[COLUMNS];
    bool indicator[COLUMNS];
    mml_attributions a;
    bool there;
} rig_told;

typedef struct rig_features {
    const mml_model *model;
    rig_told got[N][MODALITIES];
} rig_features;

/* Place among mmlt_names of the modality of a block. */
size_t rig_modality_of(const mml_model *model, size_t block);
/* Of all samples; new. */
rig_features *rig_explain(const mml_model *model, mml_cohort *cohort, mml_explain_options *o);

#endif
