/* h5packed.h - do the chunks of a data set have the bytes that they must have?
 *
 * HDF5 1.10 hands on what a chunk unpacks to, whatever its size: of one that is too small, values are then read from beyond its end,
 * from whatever lies there. So chunks are unpacked here first, once each, and only counted. */
#ifndef MMLI_IO_H5PACKED_H
#define MMLI_IO_H5PACKED_H

#include "io/h5.h"

typedef struct mmli_packed mmli_packed;

/* `dataset` and both names are lent until the closing. `axis` is the dimension whose ranges are asked for. */
mml_status mmli_packed_open(mmli_packed **out, hid_t dataset, int axis, const char *path, const char *name);
void mmli_packed_close(mmli_packed *packed); /* NULL is fine */
/* Chunks of rows first .. first+count-1 along the axis. MML_E_FORMAT: one is too small, or packed in a way that cannot be told. Chunks
 * that were never written are fine; so are those that nothing can unpack, which HDF5 finds, and those of a plug-in, which whoever
 * installed it trusts. Takes the lock. */
mml_status mmli_packed_check(mmli_packed *packed, size_t first, size_t count);

/* All chunks of a data set at once. */
mml_status mmli_h5_check_packed(hid_t dataset, const char *path, const char *name);
/* Bytes of an element in the file: more than in memory where it is or holds a text of variable length. 0: cannot be told. Lock held. */
size_t mmli_h5_bytes_in_file(hid_t type, hid_t object);

#endif
