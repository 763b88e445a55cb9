/* inflate.h - how much a compressed file may grow: one rule for gzip and zip, against files made to fill disks. */
#ifndef MMLI_IO_INFLATE_H
#define MMLI_IO_INFLATE_H

#include "mmlego/base.h"

/* A file of 10 MB can unpack to 10 GB (deflate packs at most 1032 to 1). Real tables come to 3 to 100 to 1, those of
 * nearly nothing but zeros to 300. So whatever unpacks to less than 1 GiB passes, beyond that at most 400 to 1 does,
 * and nothing of more than 256 GiB. */
#define MMLI_INFLATE_FREE ((uint64_t)1 << 30)
#define MMLI_INFLATE_RATIO ((uint64_t)400)
#define MMLI_INFLATE_MOST ((uint64_t)1 << 38)

/* `inflated` bytes that came, or are said to come, out of `packed`. MML_E_FORMAT names the limit that is passed. */
mml_status mmli_inflate_check(const char *path, uint64_t packed, uint64_t inflated);

#endif
