/* net.h - an architecture with random parameters on any backend, a ragged batch (tests/lego/rig.h), one pass there and back,
 * results on the host. What is differentiated is the mean cross-entropy of all stages. */
#ifndef MMLT_BASELINES_NET_H
#define MMLT_BASELINES_NET_H

#include "baselines/baseline.h"
#include "tests/lego/rig.h"

typedef struct net {
    mmli_device *dv;
    mmli_params *params;
    mmli_tape *tape;
    mmli_mem *grads; /* as params->data */
    mmli_baseline *b;
} net;

/* Modalities "m0", "m1", ...; parameters at the random start of a seed, norms and biases moved off 1 and 0. */
void net_open(net *t, int backend, int threads, uint64_t seed, const mml_baseline_options *o, const mml_modality_kind *kinds,
              const size_t *widths, size_t n, size_t outputs);
void net_close(net *t);

typedef struct net_result {
    size_t n_logits, n_params, n_x[RIG_MOST];
    size_t stages;
    float *logits; /* of the last stage */
    float *grads, *dx[RIG_MOST]; /* NULL unless the pass recorded, or where no gradient reached the tokens */
    double objective;
} net_result;
/* mode: MMLI_RECORD, MMLI_TRAINING. Joined modalities (baselines/arrange.h) are joined here, and have dx[0] alone. */
void net_run(net_result *out, net *t, const rig_data *d, int mode);
void net_result_free(net_result *r);

#endif
