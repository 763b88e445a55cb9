/* h5foreign.h - what the HDF5 files of other programs need beyond io/h5.h: what kind of thing a name is, attributes of several
 * values, object references, compound data sets. Same conventions, same checks.
 */
#ifndef MMLI_IO_H5FOREIGN_H
#define MMLI_IO_H5FOREIGN_H

#include "io/h5.h"

typedef enum mmli_h5_kind {
    MMLI_H5_IS_GROUP = 0,
    MMLI_H5_IS_INT,    /* signed integer, also an enumeration other than a boolean */
    MMLI_H5_IS_UINT,   /* unsigned integer */
    MMLI_H5_IS_SINGLE, /* float of 4 bytes or fewer */
    MMLI_H5_IS_DOUBLE, /* wider float */
    MMLI_H5_IS_BOOL,   /* as h5py writes it: an enumeration of FALSE = 0, TRUE = 1 */
    MMLI_H5_IS_TEXT,
    MMLI_H5_IS_COMPOUND,
    MMLI_H5_IS_OTHER   /* references, opaque bytes, lists of variable length, times */
} mmli_h5_kind;

/* "text", "a group": for messages. */
const char *mmli_h5_kind_text(mmli_h5_kind kind);
/* Of an existing object; MML_E_FORMAT when absent. */
mml_status mmli_h5_kind_of(mmli_h5_kind *out, hid_t loc, const char *path, const char *name);

/* Array attribute of texts; one of no elements may be of any type (h5py writes an empty list as floats). *out yours:
 * mmli_h5_texts_free(). */
mml_status mmli_h5_attr_texts(char ***out, size_t *n, hid_t object, const char *path, const char *name);
/* Array attribute of exactly n integers. */
mml_status mmli_h5_attr_i64s(int64_t *out, size_t n, hid_t object, const char *path, const char *name);
/* *out: the attribute is an object reference to the data set or group `name` below loc. The reference is compared and not
 * followed: a wild one would make HDF5 read an object where there is none. */
mml_status mmli_h5_attr_refers_to(bool *out, hid_t object, const char *path, const char *attr, hid_t loc,
                                  const char *name);

/* ---- compound data sets (records), field by field ------------------------------------------------------------------------ */

/* Names of the fields of a compound data set. *out yours: mmli_h5_texts_free(). */
mml_status mmli_h5_fields(char ***out, size_t *n, hid_t loc, const char *path, const char *name);
mml_status mmli_h5_field_kind(mmli_h5_kind *out, hid_t loc, const char *path, const char *name, const char *field);
/* *out (address of a pointer) = field of all records of a data set (n): MMLI_H5_I64 or MMLI_H5_F64. Yours: mmli_free(). */
mml_status mmli_h5_field_get(void *out, mmli_h5_type type, size_t *n, hid_t loc, const char *path, const char *name,
                             const char *field);
/* Yours: mmli_h5_texts_free(). */
mml_status mmli_h5_field_texts(char ***out, size_t *n, hid_t loc, const char *path, const char *name, const char *field);

#endif
