/* input.c - one way to read a file and a member of a zip. */
#include "formats/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

struct mmli_input {
    char *name;
    uint64_t size;
    int fd;
    /* a member */
    mmli_zip *zip;
    size_t index;
    mmli_zip_stream *stream;
    uint64_t at; /* of the stream */
    char *skipped; /* what is read only to get past it */
};

enum { SKIP_BYTES = 1 << 16 };

void mmli_input_close(mmli_input *in)
{
    if (in == NULL)
        return;
    if (in->fd >= 0)
        close(in->fd);
    mmli_zip_stream_close(in->stream);
    mmli_free(in->skipped);
    mmli_free(in->name);
    mmli_free(in);
}

mml_status mmli_input_open(mmli_input **out, const char *path)
{
    mml_status st = MML_OK;
    char text[MMLI_ERRNO_BYTES];
    mmli_input *in = NULL;
    struct stat is;

    *out = NULL;
    MML_TRY(mmli_calloc(&in, 1, sizeof *in));
    in->fd = -1;
    MML_TRY(mmli_strdup(&in->name, path));
    /* O_NONBLOCK: a named pipe is to be refused, not waited for. */
    MML_CHECK((in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) >= 0 && fstat(in->fd, &is) == 0, MML_E_IO,
              "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    MML_CHECK(S_ISREG(is.st_mode), MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    in->size = (uint64_t)is.st_size;
    *out = in;
    in = NULL;
out:
    mmli_input_close(in);
    return st;
}

mml_status mmli_input_member(mmli_input **out, mmli_zip *zip, size_t i)
{
    mml_status st = MML_OK;
    mmli_input *in = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&in, 1, sizeof *in));
    in->fd = -1;
    in->zip = zip;
    in->index = i;
    MML_TRY(mmli_strf(&in->name, "%s: %s", mmli_zip_path(zip), mmli_zip_member(zip, i)->name));
    MML_TRY(mmli_zip_stream_open(&in->stream, zip, i));
    in->size = mmli_zip_member(zip, i)->size;
    *out = in;
    in = NULL;
out:
    mmli_input_close(in);
    return st;
}

const char *mmli_input_name(const mmli_input *in)
{
    return in->name;
}

uint64_t mmli_input_size(const mmli_input *in)
{
    return in->size;
}

static mml_status too_short(const mmli_input *in)
{
    return mmli_fail(MML_E_FORMAT, "%s: ends too early: truncated or damaged", in->name);
}

static mml_status read_file(mmli_input *in, uint64_t at, char *to, size_t n)
{
    char text[MMLI_ERRNO_BYTES];

    while (n > 0) {
        const ssize_t got = pread(in->fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mmli_fail(MML_E_IO, "%s: cannot be read: %s", in->name, mmli_errno_text(text, errno));
        if (got == 0)
            return too_short(in); /* cut off since it was opened */
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return MML_OK;
}

static mml_status read_stream(mmli_input *in, char *to, size_t n)
{
    mml_status st = MML_OK;
    size_t got;

    while (n > 0) {
        MML_TRY(mmli_zip_stream_read(&got, in->stream, to, n));
        if (got == 0) {
            st = too_short(in);
            goto out;
        }
        to += got;
        in->at += got;
        n -= got;
    }
out:
    return st;
}

static mml_status read_member(mmli_input *in, uint64_t at, char *to, size_t n)
{
    mml_status st = MML_OK;

    if (at < in->at) {
        mmli_zip_stream_close(in->stream);
        in->stream = NULL;
        MML_TRY(mmli_zip_stream_open(&in->stream, in->zip, in->index));
        in->at = 0;
    }
    if (at > in->at && in->skipped == NULL)
        MML_TRY(mmli_calloc(&in->skipped, SKIP_BYTES, 1));
    while (in->at < at)
        MML_TRY(read_stream(in, in->skipped, at - in->at < SKIP_BYTES ? (size_t)(at - in->at) : SKIP_BYTES));
    MML_TRY(read_stream(in, to, n));
out:
    return st;
}

mml_status mmli_input_read(mmli_input *in, uint64_t at, void *to, size_t n)
{
    if (at > in->size || n > in->size - at)
        return too_short(in);
    return in->zip == NULL ? read_file(in, at, to, n) : read_member(in, at, to, n);
}
