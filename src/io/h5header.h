/* h5header.h - object headers and what they lead to, checked before HDF5 reads them.
 *
 * HDF5 1.10 decodes the messages of an object header without looking where they end: a name without its '\0' is read on into other
 * memory, sizes and positions are believed, trees may contain themselves. So h5guard.c, through which all that HDF5 reads of files
 * from elsewhere passes, has each header checked before HDF5 gets its bytes: the whole header with its continuations and every message
 * (h5message.c, h5dtype.c), and the structures that the messages point to as far as HDF5 1.10 believes them: old groups (h5symbols.c),
 * heaps and trees of many links or attributes (h5dense.c, h5tree2.c), indices of chunks (h5index.c).
 *
 * With mmli_h5_lock() held. What objects share (SOHM), images of the cache and files in several parts are refused: files of this field have
 * none of them, and h5repack takes them away.
 */
#ifndef MMLI_IO_H5HEADER_H
#define MMLI_IO_H5HEADER_H

#include "io/h5check.h"
#include "mmlego/base.h"

/* Continuations of the header that HDF5 reads just now, in the order in which it will ask for them: in version 1 they have no signature. */
typedef struct mmli_h5_next {
    uint64_t at, size;
} mmli_h5_next;

typedef struct mmli_h5_headers {
    mmli_h5_check c;
    bool known; /* the sizes in c */
    mmli_h5_next *next; /* (n_next) */
    size_t n_next, cap_next, at_next;
    uint64_t last; /* header that was found sound; UINT64_MAX: none */
    size_t last_n; /* bytes of it that were read */
    bool external; /* what was refused last has its values in another file */
} mmli_h5_headers;

/* Room for what small files need, so that memory can only fail while a file is opened. */
mml_status mmli_h5_headers_init(mmli_h5_headers *h);
void mmli_h5_headers_free(mmli_h5_headers *h);
/* Whether HDF5 may have these n bytes that it reads as object header at `at`. If not, h->c.why has the reason. h->c.file is up to date. */
bool mmli_h5_header_ok(mmli_h5_headers *h, uint64_t at, const unsigned char *bytes, size_t n);

#endif
