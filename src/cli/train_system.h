/* train_system.h - another architecture in the place of a block: its options, and which of train's it has. */
#ifndef MMLC_TRAIN_SYSTEM_H
#define MMLC_TRAIN_SYSTEM_H

#include <mmlego/baseline.h>

#include "cli/training.h"

/* A part of the arguments of `train`. */
typedef struct mmlc_system {
    const char *name; /* NULL or "block": a block */
    mml_baseline_options baseline;
} mmlc_system;

extern const mmlc_choice mmlc_systems[];
extern const mmlc_opt mmlc_opts_system[]; /* penalty, width, depth; offsets in mmlc_system */

int mmlc_system_is_block(const mmlc_system *system);
/* Defaults of the architecture that is named; nothing of a block. */
mml_status mmlc_system_init(mmlc_system *system);
/*
 * Takes what was given, where blocks and architectures share an option, from `block`; the latent is as large as that of a block,
 * as in `compare`. An option that the architecture does not have is an error; `blocks_only`: tables (NULL ends them) of those
 * that only blocks have. MMLC_GO or an exit code.
 */
int mmlc_system_settle(mmlc_system *system, const mmlc_call *call, const mml_block_options *block,
                       const mmlc_opt *const *blocks_only);
/* None of the options of other architectures is there. MMLC_GO or an exit code. */
int mmlc_system_none(const mmlc_call *call);

#endif
