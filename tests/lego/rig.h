/* rig.h - blocks with random parameters on any backend, a ragged batch, one pass there and back, results on the host.
 *
 * What is differentiated is one number of everything a pass gives:
 *     objective = mean cross-entropy of the logits + sum of p_re R + p_im I        (final state R, I; p random, fixed)
 * so that every output sends a gradient back, the imaginary part included.
 */
#ifndef MMLT_LEGO_RIG_H
#define MMLT_LEGO_RIG_H

#include "lego/block.h"
#include "lego/fuse.h"
#include "tests/support/mmlt.h"

enum { RIG_MOST = 3 /* modalities */, RIG_OUTPUTS = 3 };

/* B samples of m modalities. */
typedef struct rig_data {
    size_t m, B;
    size_t width[RIG_MOST];
    int64_t *offsets[RIG_MOST]; /* (B + 1) */
    float *values[RIG_MOST];    /* (offsets[B], width) */
    int32_t *label;             /* (B) */
} rig_data;

/* tokens (m, B): how many tokens each sample has of each modality. Values N(0, 1), labels 0, 1, 2, 0, ... */
void rig_data_make(rig_data *d, size_t m, size_t B, const size_t *width, const size_t *tokens, uint64_t key);
/* Samples which[0 .. n-1] of d as a batch of their own. */
void rig_data_pick(rig_data *out, const rig_data *d, const size_t *which, size_t n);
void rig_data_free(rig_data *d);

typedef struct rig {
    mmli_device *dv;
    mmli_params *params;
    mmli_tape *tape;
    mmli_mem *grads; /* as params->data */
    size_t m;
    mmli_block block[RIG_MOST];
    bool fused; /* one state through all blocks; else block 0 alone */
    mml_fuse_mode mode;
    size_t order[RIG_MOST];
    size_t latent;  /* of the fuse, or of block 0 */
    mmli_head head; /* likewise */
    size_t outputs; /* RIG_OUTPUTS unless changed before the first block */
    bool loss_only; /* objective without the pull on R and I */
} rig;

/* Options of a preset for a small latent, without dropout. encoder: selfattn with preset upstream means its raw layers. */
mml_block_options rig_options(const char *preset, mml_encoder_kind encoder, size_t c, size_t d, size_t steps);

void rig_open(rig *r, int backend, int threads);
/* Block i is declared under "blocks.<i>.". */
void rig_add(rig *r, const mml_block_options *o, size_t width, const mml_encoder *custom);
/* After the last block: "fuse.latent" and "fuse.head.*". */
void rig_fuse(rig *r, mml_fuse_mode mode);
/* Parameters at their random start, norms and biases moved off 1 and 0. */
void rig_build(rig *r);
void rig_close(rig *r);
/* All parameters, flat as params->data; yours to free(). */
float *rig_params(const rig *r);

/* One pass; nothing is asserted. *z as mmli_state_full gives it; loss: float64 on the device. */
typedef struct rig_vars {
    mmli_var *logits, *x[RIG_MOST];
    mmli_complex z;
    mmli_mem *loss;
    mmli_state state;
} rig_vars;
mml_status rig_pass(rig_vars *v, rig *r, const rig_data *d, int mode);

/* What a pass gave. Freed by rig_free. */
typedef struct rig_result {
    size_t n_logits, n_state, n_params, n_x[RIG_MOST];
    float *logits, *re, *im;
    float *grads, *dx[RIG_MOST]; /* NULL unless the pass recorded; dx[i] NULL where no gradient reached the tokens */
    double objective;
} rig_result;
/* rig_pass, and everything asserted. mode: MMLI_RECORD, MMLI_TRAINING. */
void rig_run(rig_result *out, rig *r, const rig_data *d, int mode);
/* The objective only, without gradients. */
double rig_objective(rig *r, const rig_data *d, int mode);
void rig_free(rig_result *result);

/* Byte for byte the same. */
void rig_assert_same(const rig_result *got, const rig_result *want);
/* Outputs and gradients close, each parameter tensor for itself. Where the wanted gradient of a tensor is rounding of 0
 * (below `zero` of the largest of all), so must be the other. Gives the largest error in units of what is allowed. */
double rig_assert_close(const rig *r, const rig_result *got, const rig_result *want, mmlt_tol outputs, mmlt_tol grads,
                        double zero);

#endif
