/* anndata_obs.h - columns of a table obs as features (x = obs): numbers as they are, words as one number for each category. */
#ifndef MMLI_IMPORT_ANNDATA_OBS_H
#define MMLI_IMPORT_ANNDATA_OBS_H

#include "import/anndata_open.h"

/* The columns that the modality chooses; sets names, width, picks and notes of the source, whose pieces are there already: piece p
 * is rows[start[p]] .. rows[start[p+1] - 1] of obs. A pattern leaves out what it should not meet: the column of the sample, texts, what
 * cannot be read, and columns that are labels or the like under the names of AnnData or MuData ("obs:dead", "rna:dead").
 * *values: yours, mmli_free(). Of a table (pieces, width): a sample must have the same in all its rows, or nothing. Of a bag
 * (all rows of the pieces, width). */
mml_status mmli_ann_obs_values(float **values, mmli_source *source, const mmli_ann_frame *obs, const size_t *rows, const size_t *start,
                               const char *sample);

#endif
