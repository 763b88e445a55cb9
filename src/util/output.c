/* output.c - see output.h. */
#include "util/output.h"

#include <errno.h>

#include "util/error.h"
#include "util/text.h"

static mml_status failed(const mmli_output *o)
{
    char text[MMLI_ERRNO_BYTES];

    return mmli_fail(MML_E_IO, "%s: cannot be written: %s", o->path, mmli_errno_text(text, errno));
}

mml_status mmli_output_begin(mmli_output *o, const char *path)
{
    mml_status st = MML_OK;

    *o = (mmli_output){.path = path};
    MML_TRY(mmli_atomic_begin(&o->atomic, path));
    if ((o->f = fopen(mmli_atomic_path(o->atomic), "wb")) == NULL) {
        st = failed(o);
        mmli_atomic_abort(o->atomic);
        o->atomic = NULL;
    }
out:
    return st;
}

mml_status mmli_output_put(mmli_output *o, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, o->f) == n ? MML_OK : failed(o);
}

mml_status mmli_output_check(const mmli_output *o)
{
    return ferror(o->f) ? failed(o) : MML_OK;
}

mml_status mmli_output_end(mmli_output *o, mml_status st)
{
    if (o->f == NULL)
        return st;
    if (st == MML_OK)
        st = mmli_output_check(o);
    if (fclose(o->f) != 0 && st == MML_OK)
        st = failed(o);
    if (st == MML_OK)
        st = mmli_atomic_commit(o->atomic);
    mmli_atomic_abort(o->atomic);
    *o = (mmli_output){.f = NULL};
    return st;
}
