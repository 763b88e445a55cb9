/* h5guard.h - how HDF5 reads files from elsewhere: a driver of our own that keeps HDF5 away from damaged object headers and from
 * global heaps.
 *
 * All of it with mmli_h5_lock() held, but for one function.
 */
#ifndef MMLI_IO_H5GUARD_H
#define MMLI_IO_H5GUARD_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmlego/base.h"

/* Puts the driver into a list of file access properties; in_memory: for a file image (H5Pset_file_image), else for a file on the
 * disk. Negative on failure. */
herr_t mmli_h5_guard_use(hid_t access, bool in_memory);
/* Why no file could be opened since then: the driver had no memory. */
bool mmli_h5_guard_no_memory(void);
/* What HDF5 was kept from since this was asked last. mmli_h5_why() has the words. */
typedef enum mmli_h5_refusal { MMLI_H5_NOTHING, MMLI_H5_GLOBAL_HEAP, MMLI_H5_ELSEWHERE /* values in another file */, MMLI_H5_DAMAGED, MMLI_H5_NO_MEMORY } mmli_h5_refusal;
mmli_h5_refusal mmli_h5_guard_refused(void);

/* A file opened with it, as bytes: its addresses count from `base` (behind a user block). */
typedef struct mmli_h5_bytes {
    _Atomic int *error; /* of the file, lent: errno of the last lock or read that failed, 0 = none; NULL = nobody wants to know */
    int fd;                      /* of HDF5, lent: lives as long as the file is open */
    const unsigned char *memory; /* of a file image: instead of it */
    uint64_t base, size;
} mmli_h5_bytes;

/* Of the file of an object; false when another driver opened it. */
bool mmli_h5_bytes_of(mmli_h5_bytes *out, hid_t object);
/* All n bytes, or false (end of the file, disk). `at` as HDF5 counts. Needs no lock. */
bool mmli_h5_bytes_get(void *out, const mmli_h5_bytes *file, uint64_t at, size_t n);

/* A file that the disk did not give, or for which there was no memory, is not damaged, whatever it looks like: MML_E_IO or MML_E_NOMEM, with
 * what the system said, if a lock or read of the file of `object` has failed so; before the file is closed. object < 0: MML_OK. */
mml_status mmli_h5_guard_trouble(hid_t object, const char *path);
/* The same if `st` is a failure; else, and if there was no such trouble, `st`. */
mml_status mmli_h5_guard_verdict(mml_status st, hid_t file, const char *path);
/* Of a failure of a file that could not be opened just now. */
mml_status mmli_h5_guard_verdict_open(mml_status st, const char *path);

#endif
