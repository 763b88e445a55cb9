/* mudata.h - MuData (.h5mu): several AnnData of partly the same observations in one file.
 *
 * The first layout (no obsmap) matches observations by their ids.
 */
#ifndef MMLI_FORMATS_MUDATA_H
#define MMLI_FORMATS_MUDATA_H

#include "formats/anndata.h"

typedef struct mmli_mudata {
    char *path;
    hid_t file;
    int64_t axis;       /* 0: observations are shared; 1: variables are, observations were put one after the other; -1: both */
    mmli_ann_frame obs; /* of all */
    size_t n;
    char **names;       /* (n) modalities, in the order of the file */
    mmli_ann **mods;    /* (n) */
    size_t **rows;      /* (n) of (obs.n): row of the modality that is this observation, SIZE_MAX = it has none */
} mmli_mudata;

/* MML_E_FORMAT: not MuData, damaged; MML_E_SHAPE, MML_E_DATA: an observation is mapped twice, or to no row. */
mml_status mmli_mudata_open(mmli_mudata **out, const char *path);
void mmli_mudata_close(mmli_mudata *mudata);

#endif
