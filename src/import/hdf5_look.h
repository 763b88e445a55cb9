/* hdf5_look.h - an HDF5 file of no special format, seen by inspect, and a cohort.ini for its arrays. */
#ifndef MMLI_IMPORT_HDF5_LOOK_H
#define MMLI_IMPORT_HDF5_LOOK_H

#include <stdbool.h>

#include "import/facts.h"
#include "import/suggest.h"

/* Is it a cohort or a model of ours (damaged, or it would not be looked at)? MML_E_IO, MML_E_NOMEM. */
mml_status mmli_hdf5_is_ours(bool *out, const char *path);
mml_status mmli_hdf5_inspect(mmli_facts *facts, const char *path);
/* A modality for every array whose first dimension has as many rows as some list of ids. */
mml_status mmli_hdf5_suggest(mmli_suggestion *out, const char *path);

#endif
