/* safetensors.h - named arrays in one file (formats.md 5.1): a length, a JSON header, the numbers.
 *
 * Everything that the header says is checked before it is believed: shapes against lengths, lengths against each other
 * and the file, names and keys against the form. Numbers may lie at odd addresses. */
#ifndef MMLI_FORMATS_SAFETENSORS_H
#define MMLI_FORMATS_SAFETENSORS_H

#include "formats/input.h"
#include "formats/number.h"

enum { MMLI_TENSOR_MAX_RANK = 8 };

typedef struct mmli_tensor {
    char *name;
    int rank;
    size_t dims[MMLI_TENSOR_MAX_RANK], count;
    mmli_number type;
    const char *unread; /* name of the type when it is one that is not read (F8_E4M3, C64, ...), else NULL */
    uint64_t at, bytes; /* in the file */
} mmli_tensor;

typedef struct mmli_tensors {
    mmli_input *in;
    mmli_tensor *list; /* in the order of their bytes */
    size_t n;
    char **keys, **values; /* (n_metadata) __metadata__ */
    size_t n_metadata;
    char *piece;
} mmli_tensors;

/* MML_E_IO; MML_E_FORMAT: no safetensors file, damaged, truncated (names the tensor). A type that is not read is an error
 * only when its numbers are wanted. */
mml_status mmli_tensors_open(mmli_tensors **out, const char *path);
void mmli_tensors_close(mmli_tensors *t);
/* NULL when absent. */
const mmli_tensor *mmli_tensors_find(const mmli_tensors *t, const char *name);
const char *mmli_tensors_metadata(const mmli_tensors *t, const char *key);
/* Elements [from, from + n). MML_E_FORMAT: a type that is not read. */
mml_status mmli_tensors_floats(float *out, mmli_tensors *t, const mmli_tensor *x, size_t from, size_t n);
mml_status mmli_tensors_doubles(double *out, mmli_tensors *t, const mmli_tensor *x, size_t from, size_t n);
/* "F32", "BF16", ... */
const char *mmli_tensor_type_name(const mmli_tensor *x);

/* ---- writing: float32 ------------------------------------------------------------------------------------------------------ */

typedef struct mmli_tensor_out {
    const char *name; /* lent */
    int rank;
    size_t dims[MMLI_TENSOR_MAX_RANK];
} mmli_tensor_out;

/* Called once for each tensor, in the order of their names. */
typedef mml_status (*mmli_tensor_fill)(float *values, void *user, size_t i);

/* Writes a file, whole or not at all; sorted by name, aligned to 8 bytes as the reference writer does. Metadata: n_metadata
 * pairs. MML_E_ARG: two tensors of one name, a name that is not UTF-8; MML_E_IO. */
mml_status mmli_tensors_write(const char *path, const mmli_tensor_out *tensors, size_t n, mmli_tensor_fill fill, void *user,
                              const char *const *keys, const char *const *values, size_t n_metadata);

#endif
