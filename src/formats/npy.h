/* npy.h - NumPy arrays: .npy of versions 1 to 3, and .npz (a zip of them), read in pieces (formats.md 7).
 *
 *     MML_TRY(mmli_npy_open(&a, path));          or mmli_npz_member() for an array of an archive
 *     MML_TRY(mmli_npy_floats(a, 0, 10, 20, out)); rows 10 to 29 of the first dimension, field 0
 *
 * Elements come in the order of the indices (C order) whichever way the file has them. A structured array has
 * several fields, any other has one without a name. Object arrays hold a Python pickle and are refused. */
#ifndef MMLI_FORMATS_NPY_H
#define MMLI_FORMATS_NPY_H

#include "formats/input.h"
#include "formats/number.h"

enum { MMLI_NPY_MAX_RANK = 8 };

typedef enum mmli_npy_class { MMLI_NPY_NUMBER = 0, MMLI_NPY_BYTES /* |S */, MMLI_NPY_UNICODE /* <U */ } mmli_npy_class;

typedef struct mmli_npy_field {
    char *name;         /* "" in an array that is not structured */
    mmli_npy_class cls;
    mmli_number number; /* if it is one */
    bool big_endian;
    size_t at, size;    /* bytes, in a record */
} mmli_npy_field;

typedef struct mmli_npy {
    mmli_input *in;
    int rank;
    size_t dims[MMLI_NPY_MAX_RANK]; /* rank 0 is a scalar */
    size_t row_values;              /* elements of one row: product of all dimensions but the first */
    bool fortran;
    mmli_npy_field *fields;
    size_t n_fields, record;        /* bytes of one element with all fields */
    uint64_t data;                  /* where the elements begin */
    char *piece;                    /* what is read at once */
    size_t cap_piece;
} mmli_npy;

/* MML_E_IO; MML_E_FORMAT: not an array of NumPy, damaged, truncated, objects, a type that is not read (all named). */
mml_status mmli_npy_open(mmli_npy **out, const char *path);
/* Array `i` of an archive, which must outlive it. */
mml_status mmli_npz_member(mmli_npy **out, mmli_zip *zip, size_t i);
/* Finds an array by the name that it was saved under. MML_E_NOT_FOUND lists them. With name = NULL, the only array. */
mml_status mmli_npz_find(size_t *out, const mmli_zip *zip, const char *name);
void mmli_npy_close(mmli_npy *a);

size_t mmli_npy_n_rows(const mmli_npy *a); /* first dimension; 1 for a scalar */
/* Field by its name; MML_E_NOT_FOUND. */
mml_status mmli_npy_field_at(size_t *out, const mmli_npy *a, const char *name);

/* Rows [from, from + n) of one field, which must be a number: (n, row_values). MML_E_FORMAT: texts. */
mml_status mmli_npy_floats(float *out, mmli_npy *a, size_t field, size_t from, size_t n);
/* Elements [from, from + n) in the order of the indices, of an array in C order without fields. */
mml_status mmli_npy_elements(float *out, mmli_npy *a, size_t from, size_t n);
mml_status mmli_npy_doubles(double *out, mmli_npy *a, size_t field, size_t from, size_t n);
/* As ids: texts as they are (UTF-8, without the zeros that fill them up), whole numbers in decimal. (n * row_values)
 * strings, each yours. MML_E_DATA: a number that is not whole, a text that is not Unicode. */
mml_status mmli_npy_texts(char **out, mmli_npy *a, size_t field, size_t from, size_t n);

/* "float32", "unicode of 4 characters": for descriptions. */
const char *mmli_npy_type_name(char out[64], const mmli_npy_field *field);

#endif
