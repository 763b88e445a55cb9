/* Fuzz target: zip archives, every member as a stream, and a table in one. */
#include <string.h>

#include "formats/csv_file.h"
#include "formats/zip.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "zip";

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    (void)user;
    (void)names;
    MMLT_PROMISE(n > 0);
    return MML_OK;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)user;
    (void)cells;
    MMLT_PROMISE(n > 0 && row > 0); /* a lone CR ends a row, not a line */
    return MML_OK;
}

static void read_member(mmli_zip *zip, size_t i)
{
    static char bytes[4096];
    mmli_zip_stream *stream;
    mml_status st = mmli_zip_stream_open(&stream, zip, i);
    uint64_t total = 0;
    size_t n = 1;

    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT || st == MML_E_IO || st == MML_E_NOMEM);
    if (st != MML_OK) {
        MMLT_PROMISE(stream == NULL && strstr(mml_last_error(), mmli_zip_path(zip)) != NULL);
        return;
    }
    while (st == MML_OK && n > 0 && total < 1 << 24) {
        st = mmli_zip_stream_read(&n, stream, bytes, sizeof bytes);
        MMLT_PROMISE(n <= sizeof bytes);
        total += n;
    }
    MMLT_PROMISE(st != MML_OK || n > 0 || total == mmli_zip_member(zip, i)->size);
    mmli_zip_stream_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    const char *path = fuzz_file(bytes, n);
    mmli_zip *zip;
    mml_status st = mmli_zip_open(&zip, path);

    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT || st == MML_E_IO || st == MML_E_NOMEM);
    for (size_t i = 0; st == MML_OK && i < mmli_zip_n(zip) && i < 64; i++) {
        MMLT_PROMISE(mmli_zip_member(zip, i)->name != NULL);
        read_member(zip, i);
    }
    mmli_zip_close(zip);
    st = mmli_csv_file_read(path, &handler, NULL);
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL);
    unlink(path);
    return 0;
}
