/* chunks.h - where the chunks of a data set lie in the file, all of them found in one pass. */
#ifndef MMLI_IO_CHUNKS_H
#define MMLI_IO_CHUNKS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/h5guard.h"
#include "mmlego/base.h"

/* *out (n) = address of each chunk of a data set without filters whose chunks are `rows` long along dimension `axis` and
 * as large as the data set in all others, n chunks in all; yours: mmli_free(). NULL, and MML_OK, when they cannot be told this
 * way (an index of another kind than the usual B-tree, chunks that were never written, most that looks damaged): then
 * HDF5 reads them. *damaged: a chunk has another size than it must have; HDF5 1.10 would read beyond its end. Lock held.
 * MML_E_NOMEM. */
mml_status mmli_chunks_find(uint64_t **out, bool *damaged, const mmli_h5_bytes *file, hid_t dataset, int rank, int axis, size_t rows,
                            size_t n, size_t chunk_bytes);

/* *damaged: a chunk of a data set without filters has another size than chunk_bytes, as above; whatever its chunks and whichever of
 * them were written. *told = false: its index is of another kind, or cannot be read past HDF5. Lock held. MML_E_NOMEM. */
mml_status mmli_chunks_sizes(bool *told, bool *damaged, hid_t dataset, int rank, size_t chunk_bytes);

#endif
