/* h5disk.h - how HDF5 writes our files: a driver of our own, which never lets a full disk reach HDF5.
 *
 * HDF5 1.10 cannot close a file that it could not write: the rest stays behind, and its exit handler crashes on it, in
 * the middle of the application that embeds us. So a write that fails is kept in memory and called a success; from then
 * on nothing more reaches the disk, and whoever writes asks here, after every data set, whether it did.
 *
 * All of it with mmli_h5_lock() held.
 */
#ifndef MMLI_IO_H5DISK_H
#define MMLI_IO_H5DISK_H

#include <hdf5.h>
#include <stdbool.h>

#include "mmlego/base.h"

/* What went wrong with one file; outlives its closing. */
typedef struct mmli_h5_trouble mmli_h5_trouble;

/* Puts the driver into a list of file access properties; negative on failure. */
herr_t mmli_h5_disk_use(hid_t access);
/* Why no file could be opened since then: the driver had no memory (HDF5 would not tell, and tries twice). */
bool mmli_h5_disk_no_memory(void);
/* MML_E_IO when something of the file of `object` could not be written. */
mml_status mmli_h5_disk_check(hid_t object, const char *path);
/* For the moment after the closing: yours, end it with the next. NULL for a file of another driver. */
mmli_h5_trouble *mmli_h5_trouble_of(hid_t file);
/* The verdict: MML_E_IO as above. NULL is fine. */
mml_status mmli_h5_trouble_end(mmli_h5_trouble *trouble, const char *path);

#endif
