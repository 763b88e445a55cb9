/* atomic.h - a file is replaced as a whole or not at all, also when the power fails.
 *
 *     MML_TRY(mmli_atomic_begin(&a, path));
 *     MML_TRY(write_everything(mmli_atomic_path(a)));      a new, empty file in the folder of `path`
 *     MML_TRY(mmli_atomic_commit(a));
 * out:
 *     mmli_atomic_abort(a);                                removes the new file unless committed
 */
#ifndef MMLI_UTIL_ATOMIC_H
#define MMLI_UTIL_ATOMIC_H

#include "mmlego/base.h"

typedef struct mmli_atomic mmli_atomic;

/* Makes the new file, with the permissions that the old one has, or the umask's. A link is followed:
 * the file it names is the one replaced. MML_E_IO: the folder does not exist or cannot be written; the
 * target is a folder, a device or write-protected. *out NULL then. */
mml_status mmli_atomic_begin(mmli_atomic **out, const char *path);
/* Where to write. Close the file before the commit. Lent. */
const char *mmli_atomic_path(const mmli_atomic *a);
/* Flushes the file to the disk, puts it in the target's place, flushes the folder. On MML_E_IO the old
 * file is as it was, except when the message says that only the folder could not be flushed. */
mml_status mmli_atomic_commit(mmli_atomic *a);
/* Ends `a`, and removes the new file unless it was committed. NULL is fine. errno is kept. */
void mmli_atomic_abort(mmli_atomic *a);

#endif
