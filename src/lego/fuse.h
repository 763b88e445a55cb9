/* fuse.h - LegoFuse: one state through the steps of several blocks (method.md 4). */
#ifndef MMLI_LEGO_FUSE_H
#define MMLI_LEGO_FUSE_H

#include "lego/block.h"

/* x[m] NULL: no sample of the batch has modality m. keys (m). order (m): indices of blocks, first to last. */
mmli_state mmli_fuse_run(mmli_tape *tape, const mmli_bound *bound, const mmli_block *const *blocks, size_t m,
                         const size_t *order, mml_fuse_mode mode, mmli_var *const *x, const mmli_ragged *ragged,
                         const uint64_t *keys, mmli_state state);

#endif
