/* graph.h - what the operations of tensor.h work on. */
#ifndef MMLI_NN_GRAPH_H
#define MMLI_NN_GRAPH_H

#include "nn/encoder.h"

struct mml_graph {
    mmli_tape *tape;
    const mmli_bound *bound;
    const mmli_encoder *enc;
    const mmli_ragged *ragged;
    uint64_t key;   /* stream of dropout */
    uint64_t calls; /* dropout calls so far: each has a stream of its own */
};

#endif
