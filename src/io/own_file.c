/* own_file.c - is a file one of ours, and of which kind? */
#include "io/own_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io/h5.h"
#include "mmlego/data.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* HDF5 by its signature, wherever it stands (MuData has a block of 512 bytes before it). */
static mml_status has_signature(bool *out, const char *path)
{
    mml_status st = MML_OK;
    char text[MMLI_ERRNO_BYTES];
    struct stat is;
    FILE *file;
    htri_t is_hdf5;

    *out = false;
    MML_CHECK(stat(path, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    if (!S_ISREG(is.st_mode))
        goto out;
    MML_CHECK((file = fopen(path, "rb")) != NULL, MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(text, errno));
    fclose(file);
    is_hdf5 = H5Fis_hdf5(path);
    MML_CHECK(is_hdf5 >= 0, MML_E_IO, "%s: could not be read", path);
    *out = is_hdf5 > 0;
out:
    return st;
}

/* NULL: it has none that is a text. */
static mml_status format_of(char **out, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    bool there;

    *out = NULL;
    MML_TRY(mmli_h5_has_attr(&there, file, path, "format"));
    if (!there)
        goto out;
    st = mmli_h5_guard_verdict(mmli_h5_attr_text(out, file, path, "format"), file, path);
    if (!mmli_machine_failed(st))
        st = MML_OK; /* another program's, of another type */
out:
    return st;
}

mml_status mml_file_kind_of(mml_file_kind *out, const char *path)
{
    static const char *const formats[] = {[MML_FILE_COHORT] = MMLI_COHORT_FORMAT, [MML_FILE_MODEL] = MMLI_MODEL_FORMAT,
                                          [MML_FILE_CHECKPOINT] = MMLI_CHECKPOINT_FORMAT};
    mml_status st = MML_OK;
    char *format = NULL;
    hid_t file = -1;
    bool is;

    MML_GIVEN(out, path);
    *out = MML_FILE_OTHER;
    mmli_h5_lock();
    MML_CHECK(path != NULL && path[0] != '\0', MML_E_ARG, "a file name is needed, this one is empty");
    MML_TRY(has_signature(&is, path));
    if (!is)
        goto out;
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(format_of(&format, file, path));
    for (unsigned i = MML_FILE_COHORT; format != NULL && i <= MML_FILE_CHECKPOINT; i++)
        if (strcmp(format, formats[i]) == 0)
            *out = (mml_file_kind)i;
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_free(format);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return st;
}
