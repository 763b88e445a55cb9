/* path.h - from a baseline to the preprocessed tokens of a chunk of samples, along a straight line. */
#ifndef MMLI_EXPLAIN_PATH_H
#define MMLI_EXPLAIN_PATH_H

#include "explain/explainer.h"

/* Tokens of one member for all samples of a chunk. */
typedef struct mmli_path_part {
    bool moves;         /* else the tokens stay as they are */
    size_t width, T;    /* T 0: no sample has the modality */
    size_t columns;     /* of attributions: values and indicators, which come first in a token; positions have none */
    int64_t *off;       /* (B + 1) */
    float *x, *base;    /* (T, width): the ends of the path; base NULL when nothing moves */
    float *raw;         /* (T, width_in) as measured, for summaries; else NULL */
    size_t width_in;
    size_t *feature;    /* (columns) */
    uint8_t *indicator; /* (columns) */
} mmli_path_part;

typedef struct mmli_path {
    const mml_model *model;
    size_t B;
    bool summarises;      /* the model reads a summary of each modality, one row a sample, ... */
    bool joins;           /* ... or the model reads the tokens of all modalities as one set (baselines/arrange.h) */
    mmli_path_part *part; /* (members) */
} mmli_path;

/* matches (members): as the walk over the cohort has them (walk.h). Which members move is asked of the explainer's options. {0} before the first; the memory of an earlier path is freed. */
mml_status mmli_path_make(mmli_path *path, const mml_explainer *e, const mml_batch *batch, mmli_match *const *matches);
void mmli_path_clear(mmli_path *path);
/* A sample of the chunk at base + at (x - base). */
typedef struct mmli_path_point {
    size_t sample;
    double at;
} mmli_path_point;
/* Inputs of a pass over n points, on the tape, each as a sample; gradients of what moves are wanted when the pass records. */
mml_status mmli_path_inputs(mmli_inputs *in, mmli_tape *tape, const mmli_path *path, const mmli_path_point *point, size_t n);
/* After the way back: dx (members) = gradients of what moves, the tokens of the points one behind the other, in arrays that grow
 * (cap). row (members): for use within. */
mml_status mmli_path_gradients(float **dx, size_t *cap, size_t *row, mmli_tape *tape, const mmli_path *path,
                               const mmli_inputs *in, const mmli_path_point *point, size_t n);

#endif
