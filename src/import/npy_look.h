/* npy_look.h - arrays of NumPy seen by inspect, suggested to import, and as tables of labels. */
#ifndef MMLI_IMPORT_NPY_LOOK_H
#define MMLI_IMPORT_NPY_LOOK_H

#include "import/source.h"

mml_status mmli_npy_inspect(mmli_facts *facts, const char *path);
/* Records with a field of booleans and one of floats are survival times, as scikit-survival has them. */
mml_status mmli_npy_suggest(mmli_suggestion *out, const char *path);
/* Fields (or columns c0, c1, ...) as texts: see mmli_source_kind.texts. */
mml_status mmli_npy_labels(mmli_table *out, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted);

#endif
