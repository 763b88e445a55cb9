/* attention_truth.h - attention of a small block over slides, once more in float64 and directly. */
#ifndef MMLT_ATTENTION_TRUTH_H
#define MMLT_ATTENTION_TRUTH_H

#include "explain/explainer.h"
#include "tests/unit/make_model.h"

enum { N = 5, WIDTH = 5, C = 3, D = 4, HEADS = 2, E = 3, STEPS = 2, HIDDEN = 6, TOKENS = 310 };
/* Of each of the N slides; TOKENS of all. */
extern const size_t slide_tokens[N];
#define TAU 0.7

/* What an explainer has shown. */
typedef struct shown {
    size_t n;
    mml_attention list[200];
    float *weights[200], *positions[200];
} shown;

/* All that was shown is what the model must attend to, x (TOKENS, WIDTH): in its steps; in the pooling of abmil and its steps. */
void slide_check_steps(const shown *g, const mml_model *model, const float *x);
void slide_check_pooling(const shown *g, const mml_model *model, const float *x);

#endif
