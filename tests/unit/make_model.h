/* make_model.h - small models for tests, made by hand: random parameters, a task, a training that is said to have been.
 *
 * A failure aborts the test. */
#ifndef MMLT_MAKE_MODEL_H
#define MMLT_MAKE_MODEL_H

#include "model/model.h"
#include "tests/support/mmlt.h"

typedef struct mmlt_block_spec {
    const char *modality; /* "labs" */
    size_t width;         /* of its tokens */
    mml_task_kind task;   /* named "outcome" */
    uint64_t seed;        /* of the parameters */
    size_t latent_d;      /* 0 = 8; the latent is 6 x d */
    double valid_score;   /* 0 = none (NaN) */
    double rms;           /* of the pooled latent; 0 = 1 */
    const mml_encoder *custom;  /* else the encoder is linear, width 5 */
    const char *const *ids[3];  /* samples of the parts train, valid, test; all NULL = never trained */
    size_t n_ids[3];
    const mmli_backend *table;  /* NULL = the default */
} mmlt_block_spec;

mml_model *mmlt_block(const mmlt_block_spec *spec);
/* Said to have been trained: p1, p2, p3 are training samples, p4 validation, p5, p6 test; score 0.6 + 0.05 seed. */
mml_model *mmlt_trained(const char *modality, size_t width, mml_task_kind task, uint64_t seed);
/* Binary, of labs and labs#2; survival, of labs and notes, woven and said to be fine-tuned. */
mml_model *mmlt_merged(void);
mml_model *mmlt_fused(void);

/* Block m alone, of labs (width 4), notes (3) and scan (2); or, by mml_model_kind, block 0, or all three joined. */
enum { MMLT_MODALITIES = 3, MMLT_PAPER_MERGE = 3 /* a merge by preset paper */, MMLT_KINDS = 4 };
extern const char *const mmlt_names[MMLT_MODALITIES];
extern const size_t mmlt_widths[MMLT_MODALITIES];
mml_model *mmlt_one(size_t m, mml_task_kind task, const mmli_backend *table);
mml_model *mmlt_any(int kind, mml_task_kind task, const mmli_backend *table);

/* classes: "no", "yes" or "a", "b", "c"; bins: 4 with edges 0, 1, 2, 4, 8; regression: mean 2, sd 3 */
mmli_task *mmlt_task(mml_task_kind kind);

/* Both models are the same to the bit: options, names, preprocessing, task, parameters, weights, order, provenance. */
void mmlt_assert_same_model(const mml_model *a, const mml_model *b);

/* A batch of n samples of N(0, 1): sample b has modality m unless bit b of missing[m] is set; tokens = of each. */
mml_batch *mmlt_batch(size_t n, const char *const *modalities, const size_t *widths, size_t n_modalities,
                      const uint64_t *missing, size_t tokens, uint64_t seed);

#endif
