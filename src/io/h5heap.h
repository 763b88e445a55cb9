/* h5heap.h - texts of variable length, read out of the file without HDF5's own reader of global heaps, which checks nothing.
 *
 * In the file such a text is a reference: its length, the address of a heap collection, the number of an object in that. Both are
 * read here, and every number in them is checked. Files opened by mmli_h5_open() or mmli_h5_image_open() only.
 *
 * All of it with mmli_h5_lock() held. Messages name path, data set or attribute, and the text by its place (from 1).
 */
#ifndef MMLI_IO_H5HEAP_H
#define MMLI_IO_H5HEAP_H

#include <hdf5.h>

#include "mmlego/base.h"

/* All n texts of a data set of variable-length strings (one that mmli_h5_dataset() gave) into texts (n, NULL so far); each yours, also
 * after a failure: mmli_h5_texts_free(). */
mml_status mmli_h5_heap_texts(char **texts, size_t n, hid_t dataset, hid_t type, const char *path, const char *name);
/* The same of an attribute. */
mml_status mmli_h5_heap_attr(char **texts, size_t n, hid_t attr, hid_t type, const char *path, const char *name);

/* H5Dget_create_plist(), which would follow a fill value into the heap: here a fill value of variable length is an empty text. */
hid_t mmli_h5_creation(hid_t dataset);

#endif
