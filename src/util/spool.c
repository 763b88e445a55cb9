/* spool.c - see spool.h. */
#include "util/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static const char *name_of(const char *beside)
{
    return beside == NULL ? "temporary file" : beside;
}

mml_status mmli_spool_open(int *fd, const char *beside)
{
    mml_status st = MML_OK;
    const char *slash = beside == NULL ? NULL : strrchr(beside, '/'), *folder = getenv("TMPDIR");
    char *name = NULL, text[MMLI_ERRNO_BYTES];

    *fd = -1;
    if (beside != NULL)
        MML_TRY(mmli_strf(&name, "%.*s.mmlego-import-XXXXXX", slash == NULL ? 0 : (int)(slash - beside) + 1, beside));
    else
        MML_TRY(mmli_strf(&name, "%s/mmlego-XXXXXX", folder == NULL || folder[0] == '\0' ? "/tmp" : folder));
    *fd = mkostemp(name, O_CLOEXEC);
    MML_CHECK(*fd >= 0, MML_E_IO, "%s: no temporary file can be made%s: %s", name_of(beside),
              beside == NULL ? "" : " beside it", mmli_errno_text(text, errno));
    unlink(name);
out:
    mmli_free(name);
    return st;
}

mml_status mmli_spool_write(int fd, const char *beside, uint64_t at, const void *bytes, size_t n)
{
    const char *from = bytes;
    char text[MMLI_ERRNO_BYTES];

    while (n > 0) {
        const ssize_t done = pwrite(fd, from, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return mmli_fail(MML_E_IO, "%s: the temporary file could not be written: %s", name_of(beside),
                             mmli_errno_text(text, done < 0 ? errno : ENOSPC));
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return MML_OK;
}

mml_status mmli_spool_read(int fd, const char *beside, uint64_t at, void *bytes, size_t n)
{
    char *to = bytes, text[MMLI_ERRNO_BYTES];

    while (n > 0) {
        const ssize_t done = pread(fd, to, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return mmli_fail(MML_E_IO, "%s: the temporary file could not be read: %s", name_of(beside),
                             mmli_errno_text(text, done < 0 ? errno : EIO));
        to += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return MML_OK;
}

void mmli_spool_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
