/* setup.h - the options that a system of a comparison is trained with. */
#ifndef MMLI_COMPARE_SETUP_H
#define MMLI_COMPARE_SETUP_H

#include "compare/plan.h"

typedef struct mmli_setup {
    mml_block_options block;    /* of a block */
    mml_prep_options prep;
    mml_merge_options merge;    /* of an ensemble or a merge */
    mml_fuse_options fuse;      /* of a fuse */
    mml_baseline_options baseline; /* of a baseline */
    mml_train_options training; /* of all that is trained */
} mmli_setup;

/* Defaults for the system on this cohort and fold; only what belongs to its kind is set. mmli_setup_clear() in any case. */
mml_status mmli_setup_make(mmli_setup *out, const mml_compare *plan, size_t system, int fold);
void mmli_setup_clear(mmli_setup *setup);
/* As JSON; a joined system has those of its blocks too. New reference. */
mml_status mmli_setup_json(json_t **out, const mml_compare *plan, size_t system, int fold);

#endif
