/* gradients.h - attributions of a chunk of samples, before they are given out. */
#ifndef MMLI_EXPLAIN_GRADIENTS_H
#define MMLI_EXPLAIN_GRADIENTS_H

#include "explain/path.h"

typedef struct mmli_explained {
    mmli_path path;
    double **sum;  /* (members) attributions (T, columns), NULL where nothing moves */
    double *score, *base, *gap; /* (B) */
    size_t *cls, *points;       /* (B) class that is explained; gradients that were computed */
} mmli_explained;

/* Fills in what is not there of an explained chunk: all but its path and the zeroed arrays. */
mml_status mmli_explain_gradients(mml_explainer *e, mmli_explained *x);

#endif
