/* spool.h - a file without a name, for what does not fit in memory: it vanishes with the process. */
#ifndef MMLI_UTIL_SPOOL_H
#define MMLI_UTIL_SPOOL_H

#include "mmlego/base.h"

/* New and empty, in the folder of `beside`, the file that is being made of it: there is room for both there, or nowhere.
 * NULL: in $TMPDIR, else /tmp. *fd is ended by mmli_spool_close(). `beside` names the file in messages of the others, too. */
mml_status mmli_spool_open(int *fd, const char *beside);
/* n bytes at a place. MML_E_IO: the disk is full. */
mml_status mmli_spool_write(int fd, const char *beside, uint64_t at, const void *bytes, size_t n);
mml_status mmli_spool_read(int fd, const char *beside, uint64_t at, void *bytes, size_t n);
/* -1 is fine. */
void mmli_spool_close(int fd);

#endif
