/* states.h - final states of up to three blocks, made up, and what mmli_merge_latents makes of them. */
#ifndef MMLT_LEGO_STATES_H
#define MMLT_LEGO_STATES_H

#include "lego/merge.h"
#include "tests/support/mmlt.h"

enum { BLOCKS = 3, B = 5, C = 4, D = 6, SIZE = C * D, ALL = B * SIZE };

/* _i of a loop test over all kinds of merge on all backends: 8 a backend. */
enum { KINDS = 8 };
mml_aggregation kind_aggregation(int i);
mml_phase kind_phase(int i);

typedef struct states {
    float re[BLOCKS][ALL], im[BLOCKS][ALL];
    uint8_t present[BLOCKS * B];
    double weights[BLOCKS], rms[BLOCKS];
    mmli_merge_rule rule;
} states;

typedef struct merged {
    float re[ALL], im[ALL];
} merged;

/* Opens a device; random states, all present, equal weights, harmonic and circular, no scaling. */
void states_begin(int backend, states *s);
/* The same with the aggregation and the phase of kind i. */
void states_begin_kind(int i, states *s);
void states_end(void);
/* Of the first m blocks and n samples. */
void states_merge(merged *out, states *s, size_t m, size_t n);

void assert_merged_close(const merged *got, const merged *want, mmlt_tol tol);
void assert_merged_same(const merged *got, const merged *want);

#endif
