/* h5lzf.h - LZF, the filter of h5py that HDF5 itself does not have. With mmli_h5_lock() held. */
#ifndef MMLI_IO_H5LZF_H
#define MMLI_IO_H5LZF_H

#include <hdf5.h>
#include <stdbool.h>

#include "mmlego/base.h"

/* The number by which the HDF5 Group knows LZF. */
enum { MMLI_H5_LZF = 32000 };

/* Makes HDF5 able to unpack LZF, unless somebody in this process already did (h5py, a plugin). */
void mmli_h5_lzf_use(void);

/* One chunk unpacked: what HDF5 calls, for the fuzz target. *buffer is of H5allocate_memory() and may be replaced. Bytes of
 * the result, 0 when it is damaged: then everything is as it was. */
size_t mmli_h5_lzf_unpack(unsigned flags, size_t n_values, const unsigned *values, size_t bytes, size_t *size,
                          void **buffer);

#endif
