/* rowfile.c - see rowfile.h. */
#include "import/rowfile.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/spool.h"

enum { BUFFERED = 1 << 16 /* numbers */ };

mml_status mmli_rowfile_open(mmli_rowfile *f, const char *beside)
{
    mml_status st = MML_OK;

    *f = (mmli_rowfile){.fd = -1, .beside = beside};
    MML_TRY(mmli_calloc(&f->buffer, BUFFERED, sizeof *f->buffer));
    MML_TRY(mmli_spool_open(&f->fd, beside));
out:
    if (st != MML_OK)
        mmli_rowfile_close(f);
    return st;
}

void mmli_rowfile_close(mmli_rowfile *f)
{
    if (f->buffer != NULL) /* it was opened */
        mmli_spool_close(f->fd);
    mmli_free(f->buffer);
    *f = (mmli_rowfile){.fd = -1};
}

mml_status mmli_rowfile_finish(mmli_rowfile *f)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_spool_write(f->fd, f->beside, f->written * sizeof *f->buffer, f->buffer, f->held * sizeof *f->buffer));
    f->written += f->held;
    f->held = 0;
out:
    return st;
}

mml_status mmli_rowfile_add(mmli_rowfile *f, const float *x, size_t n)
{
    mml_status st = MML_OK;

    while (n > 0) {
        const size_t count = n < BUFFERED - f->held ? n : BUFFERED - f->held;

        memcpy(f->buffer + f->held, x, count * sizeof *x);
        f->held += count;
        x += count;
        n -= count;
        if (f->held == BUFFERED)
            MML_TRY(mmli_rowfile_finish(f));
    }
out:
    return st;
}

mml_status mmli_rowfile_get(float *out, const mmli_rowfile *f, size_t first, size_t n)
{
    return mmli_spool_read(f->fd, f->beside, first * sizeof *out, out, n * sizeof *out);
}
