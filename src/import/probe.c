/* probe.c - first bytes. */
#include "import/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <zlib.h>

#include "util/alloc.h"
#include "util/error.h"

bool mmli_probe_begins(const mmli_probe *p, const void *bytes, size_t n)
{
    return !p->folder && p->n >= n && memcmp(p->bytes, bytes, n) == 0;
}

mml_status mmli_probe_failure(mml_status st)
{
    return mmli_machine_failed(st) ? st : MML_OK;
}

bool mmli_probe_ends(const mmli_probe *p, const char *ending)
{
    const size_t n = strlen(p->path), m = strlen(ending);

    return n >= m && strcasecmp(p->path + n - m, ending) == 0;
}

/* The first bytes of a gzip file, unpacked. zlib's own reader, which a zip bomb cannot make read more than asked for. */
static mml_status unpack(mmli_probe_file *f)
{
    mml_status st = MML_OK;
    gzFile gz = NULL;
    int n;

    MML_TRY(mmli_calloc(&f->text, MMLI_PROBE_BYTES, 1));
    MML_CHECK((gz = gzopen(f->probe.path, "rb")) != NULL, MML_E_NOMEM, "%s: out of memory", f->probe.path);
    n = gzread(gz, f->text, MMLI_PROBE_BYTES);
    f->probe.text = f->text;
    f->probe.n_text = n > 0 ? (size_t)n : 0;
out:
    if (gz != NULL)
        gzclose(gz);
    return st;
}

mml_status mmli_probe_open(mmli_probe_file *f, const char *path)
{
    mml_status st = MML_OK;
    struct stat is;
    FILE *file = NULL;
    char text[MMLI_ERRNO_BYTES];

    *f = (mmli_probe_file){.probe = {.path = path}};
    MML_CHECK(stat(path, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    f->probe.folder = S_ISDIR(is.st_mode);
    if (f->probe.folder)
        goto out;
    MML_CHECK(S_ISREG(is.st_mode), MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    f->probe.size = (uint64_t)is.st_size;
    MML_TRY(mmli_calloc(&f->bytes, MMLI_PROBE_BYTES, 1));
    MML_CHECK((file = fopen(path, "rb")) != NULL, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    f->probe.n = fread(f->bytes, 1, MMLI_PROBE_BYTES, file);
    MML_CHECK(!ferror(file), MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(text, errno));
    f->probe.bytes = f->probe.text = f->bytes;
    f->probe.n_text = f->probe.n;
    if (mmli_probe_begins(&f->probe, "\x1f\x8b", 2))
        MML_TRY(unpack(f));
out:
    if (file != NULL)
        fclose(file);
    if (st != MML_OK)
        mmli_probe_close(f);
    return st;
}

void mmli_probe_close(mmli_probe_file *f)
{
    mmli_free(f->bytes);
    mmli_free(f->text);
    *f = (mmli_probe_file){0};
}

mml_status mmli_is_ini(bool *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_probe_file f = {0};
    size_t i = 0;

    *out = false;
    MML_TRY(mmli_probe_open(&f, path));
    if (f.probe.folder)
        goto out;
    if (mmli_probe_begins(&f.probe, "\xef\xbb\xbf", 3))
        i = 3;
    *out = mmli_probe_ends(&f.probe, ".ini");
    for (; i < f.probe.n && !*out; i++) {
        const unsigned char c = f.probe.bytes[i];

        if (c == ';' || c == '#')
            for (; i < f.probe.n && f.probe.bytes[i] != '\n'; i++)
                continue;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            break;
    }
    *out = *out || (i < f.probe.n && f.probe.bytes[i] == '[');
out:
    mmli_probe_close(&f);
    return st;
}
