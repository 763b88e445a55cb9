/* npy_ids.h - sample ids for the rows of a NumPy array, which has none of its own. */
#ifndef MMLI_IMPORT_NPY_IDS_H
#define MMLI_IMPORT_NPY_IDS_H

#include "formats/npy.h"
#include "import/source.h"

typedef struct mmli_npy_id_source {
    const char *file;
    mmli_npy *array;   /* its field may have them */
    mmli_zip *zip;     /* or another array of its archive; NULL: it is no archive */
    const char *id;    /* that name, or @row; may be NULL */
    const char *ids;   /* a file with one id a line, or NULL: key `ids` of the source */
    const mmli_source *source; /* of a modality; NULL: a table of labels */
} mmli_npy_id_source;

/* n ids, each and the list yours. MML_E_FORMAT says what can be given; MML_E_SHAPE: another number of them. */
mml_status mmli_npy_ids(char ***out, size_t n, const mmli_npy_id_source *from);
/* n texts that are the array `name` of an archive; `what` ("ids", "columns") for the message. */
mml_status mmli_npz_texts(char ***out, size_t n, mmli_zip *zip, const char *name, const char *what);
/* Is it a structured array? */
bool mmli_npy_is_record(const mmli_npy *a);

#endif
