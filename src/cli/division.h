/* division.h - how the blocks of some models divided their cohort, to fine-tune on the same division. */
#ifndef MMLC_DIVISION_H
#define MMLC_DIVISION_H

#include "cli/load.h"

typedef struct mmlc_division {
    int found;                   /* 1 = all blocks recorded the same division: the rest is it */
    char *words;                 /* "train site=a, valid 0.15 of it, test site=b" */
    char *train, *valid, *test;  /* as mml_split_options; NULL likewise */
    int fold;
    double valid_fraction;
    uint64_t seed;
} mmlc_division;

/*
 * Read from what the models say of themselves. Blocks of the same cohort that were divided differently are a
 * usage error: no division of that cohort would be fair to all of them. Blocks of different cohorts may differ:
 * nothing is found then. MMLC_GO or an exit code. mmlc_division_free() in any case.
 */
int mmlc_division_read(mmlc_division *out, const mmlc_command *command, const mmlc_models *models);
void mmlc_division_free(mmlc_division *division);

#endif
