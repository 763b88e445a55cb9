/* h5.h - the part of HDF5 that cohorts and models need: every failure is a message that names the file and
 * the object, and no file is trusted.
 *
 * `path` is the name of the file in messages only (a file written under a temporary name is spoken of by its
 * final one). `loc` is an open file or group, `name` an object below it ("heads/weight" crosses groups).
 * Links that are not hard links, data in other files (external storage, virtual data sets), filters that are
 * not there and types of the wrong class are refused with MML_E_FORMAT (doc/cohort.md, "what is refused").
 *
 * All functions take mmli_h5_lock() themselves. Raw H5* calls between them need it held.
 */
#ifndef MMLI_IO_H5_H
#define MMLI_IO_H5_H

#include <hdf5.h>
#include <stdbool.h>

#include "io/h5guard.h"
#include "io/h5lock.h"
#include "mmlego/base.h"

/* Element types in memory. On disk: the same width, little-endian; a float may be read from any float or integer
 * type, an integer from any integer or boolean (enum) type; a value that does not fit is clipped by HDF5. */
typedef enum mmli_h5_type {
    MMLI_H5_F32 = 0,
    MMLI_H5_F64,
    MMLI_H5_U8,
    MMLI_H5_I32,
    MMLI_H5_I64,
    MMLI_H5_U64
} mmli_h5_type;

enum { MMLI_H5_MAX_RANK = 4 };

/* ---- files, groups, data sets ------------------------------------------------------------------ */

/* Opens an existing file for reading. MML_E_IO: not there, no permission, a folder; MML_E_FORMAT: not HDF5, or
 * truncated. Close with mmli_h5_drop(). */
mml_status mmli_h5_open(hid_t *out, const char *path);
/* New file, replacing one of that name (for output that must appear whole: util/atomic.h gives `real`, the
 * temporary name; `path` is the final one). Groups remember the order in which their members were made. */
mml_status mmli_h5_create(hid_t *out, const char *real, const char *path);
/* Writes everything and closes; *file = -1 whatever happens. MML_E_IO (disk full). */
mml_status mmli_h5_finish(hid_t *file, const char *path);
/* Closes an id of any kind; negative ids are fine. For reading, and for cleaning up after a failure. */
void mmli_h5_drop(hid_t id);

/* *out = whether `name` (all of its components) exists below loc. Links are checked. */
mml_status mmli_h5_exists(bool *out, hid_t loc, const char *path, const char *name);
/* Existing group, data set or type; MML_E_FORMAT when absent. */
mml_status mmli_h5_object(hid_t *out, hid_t loc, const char *path, const char *name);
/* Existing group; MML_E_FORMAT when absent. */
mml_status mmli_h5_group(hid_t *out, hid_t loc, const char *path, const char *name);
/* New group (parents must exist). */
mml_status mmli_h5_group_new(hid_t *out, hid_t loc, const char *path, const char *name);
/* Names of the members of a group (NULL or "." = loc itself): in the order they were made if the file recorded it,
 * else by byte. Yours: mmli_h5_texts_free(). */
mml_status mmli_h5_members(char ***out, size_t *n, hid_t loc, const char *path, const char *name);
/* Existing data set, checked. rank >= 0: it must have that rank (MML_E_SHAPE). dims (rank) may be NULL. */
mml_status mmli_h5_dataset(hid_t *out, size_t *dims, int rank, hid_t loc, const char *path, const char *name);
/* Rank and shape of a data set; dims has room for MMLI_H5_MAX_RANK. A higher rank is MML_E_SHAPE. */
mml_status mmli_h5_shape(size_t *dims, int *rank, hid_t loc, const char *path, const char *name);

/* An array that claims to be large must be there: a broken shape must not make us ask for terabytes. MML_E_FORMAT unless
 * the file stores enough for n elements of `size` bytes (packed as well as can be). */
mml_status mmli_h5_check_stored(hid_t dataset, size_t n, size_t size, const char *path, const char *name);

/* ---- whole arrays ------------------------------------------------------------------------------- */

/* Fills the caller's array; the shape must be `dims` (rank), else MML_E_SHAPE with both. */
mml_status mmli_h5_get(void *out, mmli_h5_type type, int rank, const size_t *dims, hid_t loc, const char *path,
                       const char *name);
/* *out (address of a pointer) = a new array, yours: mmli_free(); its shape goes to dims (rank). */
mml_status mmli_h5_get_new(void *out, mmli_h5_type type, int rank, size_t *dims, hid_t loc, const char *path,
                           const char *name);
/* New data set. Rank 0 (dims NULL) is a scalar. */
mml_status mmli_h5_put(mmli_h5_type type, int rank, const size_t *dims, const void *data, hid_t loc, const char *path,
                       const char *name);
/* Rows first .. first+count-1 of an open data set (rank >= 1) whose rows have `width` elements in all. */
mml_status mmli_h5_get_rows(void *out, mmli_h5_type type, size_t first, size_t count, size_t width, hid_t dataset,
                            const char *path, const char *name);

/* Text array (n), variable or fixed length; the first only from a file that mmli_h5_open() or mmli_h5_image_open() opened, as with
 * attributes. *out yours: mmli_h5_texts_free(). */
mml_status mmli_h5_get_texts(char ***out, size_t *n, hid_t loc, const char *path, const char *name);
/* New data set (n) of UTF-8 strings, of fixed length unless that would waste much; NULL is written as "". */
mml_status mmli_h5_put_texts(const char *const *texts, size_t n, hid_t loc, const char *path, const char *name);
/* NULL is fine. */
void mmli_h5_texts_free(char **texts, size_t n);

/* ---- attributes (of an open file, group or data set) ---------------------------------------------- */

mml_status mmli_h5_has_attr(bool *out, hid_t object, const char *path, const char *name);
/* A missing attribute is MML_E_FORMAT. Text yours: mmli_free(). */
mml_status mmli_h5_attr_text(char **out, hid_t object, const char *path, const char *name);
mml_status mmli_h5_attr_i64(int64_t *out, hid_t object, const char *path, const char *name);
mml_status mmli_h5_attr_u64(uint64_t *out, hid_t object, const char *path, const char *name);
mml_status mmli_h5_attr_f64(double *out, hid_t object, const char *path, const char *name);
/* Made, or replaced. */
mml_status mmli_h5_set_text(hid_t object, const char *path, const char *name, const char *value);
mml_status mmli_h5_set_i64(hid_t object, const char *path, const char *name, int64_t value);
mml_status mmli_h5_set_u64(hid_t object, const char *path, const char *name, uint64_t value);
mml_status mmli_h5_set_f64(hid_t object, const char *path, const char *name, double value);

/* Checks the attributes `format` (text) and `version` (integer) of a file: MML_E_FORMAT "is not a ..." with what it
 * is, or "written by a newer version ...". what = "mmlego cohort". *version may be NULL. */
mml_status mmli_h5_check_format(int64_t *version, hid_t file, const char *path, const char *what, int64_t newest);
mml_status mmli_h5_set_format(hid_t file, const char *path, const char *what, int64_t version);

/* HDF5 type in memory of an element type; not to be closed. Lock held. */
hid_t mmli_h5_mem_type(mmli_h5_type type);
/* The text of the deepest HDF5 error of this thread for messages ("" if none). Lock held. */
void mmli_h5_reason(char *out, size_t size);

#endif
