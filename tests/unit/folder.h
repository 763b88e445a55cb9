/* folder.h - a fresh folder for every test, with the files a reader is to read.
 *
 *     tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
 *     mmlt_write("labels.csv", "id,label\na,1\n");
 *     mml_import(mmlt_path("cohort.ini"), ...)
 *
 * A failure of any of it aborts the test. */
#ifndef MMLT_FOLDER_H
#define MMLT_FOLDER_H

#include <hdf5.h>
#include <stddef.h>

#include "tests/support/mmlt.h"

void mmlt_folder_make(void);
void mmlt_folder_remove(void); /* with all that is in it */
/* Any other folder with all that is in it. */
void mmlt_remove_tree(const char *path);

/* Path of a file in the folder; one of the last eight results is lent. */
const char *mmlt_path(const char *name);
void mmlt_write(const char *name, const char *text);
void mmlt_write_bytes(const char *name, const void *bytes, size_t n);
void mmlt_write_gz(const char *name, const char *text);
/* Files in the folder, "." and ".." aside. */
size_t mmlt_folder_files(void);
/* The bytes of a file, new (free), ended by '\0'. */
char *mmlt_read(const char *path, size_t *n);

/* New data set of an open HDF5 file, by raw HDF5 calls (not by what is tested). */
void mmlt_h5_array(hid_t file, const char *name, hid_t disk, hid_t memory, int rank, const hsize_t *dims,
                   const void *data);
void mmlt_h5_texts(hid_t file, const char *name, const char *const *texts, size_t n);

/* Folder data of ../shared beside the checkout, or of the folder that MMLEGO_SHARED names; or NULL. */
const char *mmlt_shared(void);

#endif
