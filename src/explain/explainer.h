/* explainer.h - the workspace of all explanations, and the score that they explain. */
#ifndef MMLI_EXPLAIN_EXPLAINER_H
#define MMLI_EXPLAIN_EXPLAINER_H

#include "mmlego/explain.h"
#include "model/model.h"
#include "model/walk.h"

struct mml_explainer {
    const mml_model *model;
    mml_explain_options o; /* pointers in it: device and target NULL */
    mmli_device *dv;
    mmli_tape *tape;
    const mmli_params *params;
    mmli_params *copy; /* NULL while the model's own are read */
    mmli_heads heads;
    size_t target; /* class; SIZE_MAX = the predicted one */
    char *score;   /* in words */
    size_t large;  /* bytes of tokens from which on they are read in pieces */
};

/* Tests: that limit. */
void mmli_explainer_set_large(mml_explainer *explainer, size_t bytes);

/* ---- the score (score.c): logits (k) on the host, cls: class of a classifier */
double mmli_score(const mmli_task *task, const float *logits, size_t cls);
/* g (k) = d score / d logits */
void mmli_score_grad(float *g, const mmli_task *task, const float *logits, size_t cls);
/* Probability of the class; else the score. */
double mmli_score_output(const mmli_task *task, const float *logits, size_t cls);
/* The class that is explained: target, or, SIZE_MAX, the one with the largest logit (the first of equal ones). 0 unless a
 * classifier. */
size_t mmli_score_class(const mmli_task *task, const float *logits, size_t target);

/* Logits (B, k) of a pass to the host, those of the prior for samples without any modality. logits NULL: for all. */
mml_status mmli_explainer_logits(float *out, const mml_explainer *e, const mmli_inputs *in, const mmli_var *logits);

#endif
