/* h5lzf.c - unpacks what h5py packed with compression="lzf".
 *
 * h5py hands the filter three numbers: its revision, the version of LZF, and the bytes of a whole chunk. A chunk that LZF could
 * not shrink is stored as it is, and HDF5 then does not call the filter for it.
 *
 * The registration lies with HDF5, which has one table of filters for the process; H5close() empties it, so who needs the
 * filter asks each time. Only unpacking is offered: we write gzip.
 */
#include "io/h5lzf.h"

#include <errno.h>
#include <limits.h>
#include <lzf.h>

enum {
    /* Three bytes, a long match, become 264 at most: beyond that a stated size is a lie and no memory is asked for it. */
    BEST_RATIO = 264 / 3,
    FIRST_GUESS = 4 /* times the packed size, when the chunk size is not stated */
};

size_t mmli_h5_lzf_unpack(unsigned flags, size_t n_values, const unsigned *values, size_t bytes, size_t *size,
                          void **buffer)
{
    const size_t most = bytes > UINT_MAX / BEST_RATIO - 1 ? UINT_MAX : (bytes + 1) * BEST_RATIO;
    size_t room = n_values >= 3 && values[2] > 0 ? values[2] : bytes * FIRST_GUESS;
    unsigned got = 0;
    void *out = NULL;

    if ((flags & H5Z_FLAG_REVERSE) == 0 || bytes == 0 || bytes > UINT_MAX)
        return 0;
    for (;;) {
        room = room > most ? most : room;
        if ((out = H5allocate_memory(room, false)) == NULL)
            return 0;
        errno = 0;
        got = lzf_decompress(*buffer, (unsigned)bytes, out, (unsigned)room);
        if (got > 0 || errno != E2BIG || room == most)
            break;
        H5free_memory(out);
        room = room > most / 2 ? most : 2 * room; /* the stated size was too small: h5py tries on, too */
    }
    if (got == 0) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = out;
    *size = room;
    return got;
}

void mmli_h5_lzf_use(void)
{
    static const H5Z_class2_t filter = {
        .version = H5Z_CLASS_T_VERS,
        .id = MMLI_H5_LZF,
        .encoder_present = 0,
        .decoder_present = 1,
        .name = "lzf",
        .filter = mmli_h5_lzf_unpack,
    };

    if (H5Zfilter_avail(MMLI_H5_LZF) <= 0)
        H5Zregister(&filter); /* a failure shows where the filter is looked for next */
}
