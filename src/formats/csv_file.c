/* csv_file.c - a table out of a zip, handed to the CSV reader as it is unpacked. */
#include "formats/csv_file.h"

#include "formats/zip.h"
#include "util/alloc.h"
#include "util/error.h"

static mml_status next_bytes(size_t *n, void *self, void *to, size_t room)
{
    return mmli_zip_stream_read(n, self, to, room);
}

mml_status mmli_csv_file_read(const char *path, const mmli_csv_handler *handler, void *user)
{
    mml_status st = MML_OK;
    mmli_zip *zip = NULL;
    mmli_zip_stream *stream = NULL;
    char *name = NULL;
    size_t i = 0;

    if (!mmli_zip_is(path))
        return mmli_csv_read(path, handler, user);
    MML_TRY(mmli_zip_open(&zip, path));
    MML_TRY(mmli_zip_single(&i, zip, "CSV file"));
    MML_TRY(mmli_zip_stream_open(&stream, zip, i));
    MML_TRY(mmli_strf(&name, "%s: %s", path, mmli_zip_member(zip, i)->name));
    MML_TRY(mmli_csv_read_from(&(mmli_csv_input){next_bytes, stream}, name, handler, user));
out:
    mmli_zip_stream_close(stream);
    mmli_zip_close(zip);
    mmli_free(name);
    return st;
}
