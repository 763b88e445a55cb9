/* merges.h - merges of three blocks with random parameters, their options, and batches with every set of modalities. */
#ifndef MMLT_LEGO_MERGES_H
#define MMLT_LEGO_MERGES_H

#include "tests/lego/made.h"

enum { M = 3, K = 3, C = 4, D = 5, B = 11 };

extern const size_t width[M];
/* (M, B): every set of three modalities, some twice. */
extern const size_t tokens[M * B];
/* Modalities that sample b has. */
size_t n_present(size_t b);

/* Kinds of blocks: preset paper, upstream, and paper without a transform. */
enum { N_VARIANTS = 3, SPATIAL = 2 };

typedef struct rule {
    mml_aggregation aggregation;
    mml_phase phase;
    mml_latent_scale scale;
    mml_head_method head;
} rule;

/* Every combination of the options of a merge that differs from the others: five means of the latent, raw or scaled, with
 * two kinds of head; then LayerNorm scaling, twice, and the ensemble, which look at no merged latent. */
enum { N_MEANS = 5, N_RULES = N_MEANS * 2 * 2 + 3 };
rule rule_at(int i);
void set_rule(mml_model *model, rule r);

/* Blocks with SNN, ABMIL and no encoder, unequal weights and loudness. */
mml_model *make_merge(int backend, int variant);
/* Three copies of the first block, equal weights and loudness: three modalities of width[0]. */
mml_model *make_copies(int backend, int variant);
mml_batch *make_batch(uint64_t key);

static inline const float *row(const float *logits, size_t b)
{
    return logits + b * K;
}

#endif
