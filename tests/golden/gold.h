/* gold.h - reading golden files, and the names their authors gave to our parameters. */
#ifndef MMLT_GOLD_H
#define MMLT_GOLD_H

#include <hdf5.h>

#include "lego/block.h"
#include "mmlego/model.h"
#include "nn/params.h"

typedef struct gold {
    hid_t file;
    char name[128];
} gold;

/* Directory of the golden files, or NULL (then a message has been printed and the test should return). */
const char *gold_dir(void);
/* false: not there (message printed). */
bool gold_open(gold *g, const char *name);
void gold_close(gold *g);
bool gold_has(const gold *g, const char *path);
/* Whole data set as float32 / int64, freed by free(); *n elements. Fails the test if absent. */
float *gold_floats(const gold *g, const char *path, size_t *n);
int64_t *gold_ints(const gold *g, const char *path, size_t *n);
double gold_number(const gold *g, const char *attribute, double fallback);
bool gold_text(const gold *g, const char *attribute, char *out, size_t size);

/* Who named the parameters of a block. */
typedef enum gold_style { GOLD_PAPER, GOLD_UPSTREAM } gold_style;

/* One parameter of ours, or half of its rows, is one of theirs, or half of its rows. part: 0 whole, 1 first, 2 second. */
typedef struct gold_pair {
    char ours[96], theirs[128];
    int our_part, their_part;
} gold_pair;

/* Pairs of a block without prefixes; returns their number (at most `most`). */
size_t gold_pairs(gold_pair *out, size_t most, gold_style style, const mml_block_options *o);
/* Sets parameters prefix + ours from group/theirs_prefix + theirs. */
void gold_load(mmli_params *params, const char *prefix, const gold *g, const char *theirs_prefix, const gold_pair *pairs,
               size_t n);
/* Largest relative error (over the largest element of each tensor) of the gradients in `grads` (flat, host). */
double gold_compare_grads(const mmli_params *params, const char *prefix, const float *grads, const gold *g,
                          const char *theirs_prefix, const gold_pair *pairs, size_t n);

#endif
