/* zip.c - libzip reads the archive, this file distrusts it. */
#include "formats/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "io/inflate.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { MEMBERS_MOST = 1 << 20, NAME_MOST = 400 };

struct mmli_zip {
    zip_t *z;
    char *path;
    size_t n;
    mmli_zip_entry *entries;
    char **names;
};

struct mmli_zip_stream {
    zip_file_t *file;
    const mmli_zip *zip;
    const mmli_zip_entry *entry;
    uint64_t inflated;
};

bool mmli_zip_is(const char *path)
{
    unsigned char s[4];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool four = fd >= 0 && pread(fd, s, 4, 0) == 4;

    if (fd >= 0)
        close(fd);
    return four && (memcmp(s, "PK\3\4", 4) == 0 || memcmp(s, "PK\5\6", 4) == 0);
}

/* libzip's words for its error, under the status that fits. `member` may be NULL. */
static mml_status trouble(const char *path, const char *member, zip_error_t *error)
{
    const int code = zip_error_code_zip(error);
    const char *colon = member != NULL ? ": " : "", *which = member != NULL ? member : "";

    if (code == ZIP_ER_MEMORY)
        return mmli_fail(MML_E_NOMEM, "%s%s%s: out of memory", path, colon, which);
    if (code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_SEEK)
        return mmli_fail(MML_E_IO, "%s%s%s: cannot be read: %s", path, colon, which, zip_error_strerror(error));
    if (code == ZIP_ER_CRC)
        return mmli_fail(MML_E_FORMAT, "%s%s%s: is damaged: its checksum does not fit", path, colon, which);
    return mmli_fail(MML_E_FORMAT, "%s%s%s: is damaged or truncated (zip: %s)", path, colon, which,
                     zip_error_strerror(error));
}

void mmli_zip_close(mmli_zip *zip)
{
    if (zip == NULL)
        return;
    if (zip->z != NULL)
        zip_discard(zip->z);
    for (size_t i = 0; i < zip->n; i++)
        mmli_free(zip->names[i]);
    mmli_free(zip->names);
    mmli_free(zip->entries);
    mmli_free(zip->path);
    mmli_free(zip);
}

static mml_status open_archive(zip_t **out, const char *path)
{
    mml_status st = MML_OK;
    char text[MMLI_ERRNO_BYTES];
    struct stat is;
    zip_error_t error;
    int code = 0, fd;

    /* O_NONBLOCK: a named pipe is to be refused, not waited for. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    MML_CHECK(fd >= 0 && fstat(fd, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    MML_CHECK(S_ISREG(is.st_mode), MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    if ((*out = zip_fdopen(fd, 0, &code)) == NULL) {
        zip_error_init_with_code(&error, code);
        st = code == ZIP_ER_NOZIP ? mmli_fail(MML_E_FORMAT, "%s: is no zip archive, or its end is missing (truncated)", path)
                                  : trouble(path, NULL, &error);
        zip_error_fini(&error);
        goto out;
    }
    fd = -1; /* libzip's now */
out:
    if (fd >= 0)
        close(fd);
    return st;
}

/* A name that a message can carry: control characters are '?', what is too long ends in "...". */
static mml_status clean_name(char **out, const char *name)
{
    mml_status st = MML_OK;
    const size_t n = strlen(name);

    MML_TRY(n > NAME_MOST ? mmli_strf(out, "%.*s...", NAME_MOST, name) : mmli_strdup(out, name));
    for (char *c = *out; *c != '\0'; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = '?';
out:
    return st;
}

static mml_status read_entry(mmli_zip *zip, size_t i)
{
    mml_status st = MML_OK;
    struct zip_stat is;
    char number[40];

    zip_stat_init(&is);
    if (zip_stat_index(zip->z, i, 0, &is) != 0) {
        snprintf(number, sizeof number, "member %zu", i);
        st = trouble(zip->path, number, zip_get_error(zip->z));
        goto out;
    }
    MML_CHECK((is.valid & ZIP_STAT_NAME) && (is.valid & ZIP_STAT_SIZE) && (is.valid & ZIP_STAT_COMP_SIZE), MML_E_FORMAT,
              "%s: member %zu: its entry is damaged", zip->path, i);
    MML_TRY(clean_name(&zip->names[i], is.name));
    zip->entries[i] = (mmli_zip_entry){.name = zip->names[i], .size = is.size, .packed = is.comp_size};
    zip->entries[i].folder = is.name[0] != '\0' && is.name[strlen(is.name) - 1] == '/';
out:
    return st;
}

mml_status mmli_zip_open(mmli_zip **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_zip *zip = NULL;
    zip_int64_t n;

    *out = NULL;
    MML_TRY(mmli_calloc(&zip, 1, sizeof *zip));
    MML_TRY(mmli_strdup(&zip->path, path));
    MML_TRY(open_archive(&zip->z, path));
    n = zip_get_num_entries(zip->z, 0);
    MML_CHECK(n >= 0 && n <= MEMBERS_MOST, MML_E_FORMAT, "%s: more than %d members", path, MEMBERS_MOST);
    MML_TRY(mmli_calloc(&zip->names, (size_t)n, sizeof *zip->names));
    MML_TRY(mmli_calloc(&zip->entries, (size_t)n, sizeof *zip->entries));
    zip->n = (size_t)n;
    for (size_t i = 0; i < zip->n; i++)
        MML_TRY(read_entry(zip, i));
    *out = zip;
    zip = NULL;
out:
    mmli_zip_close(zip);
    return st;
}

const char *mmli_zip_path(const mmli_zip *zip)
{
    return zip->path;
}

size_t mmli_zip_n(const mmli_zip *zip)
{
    return zip->n;
}

const mmli_zip_entry *mmli_zip_member(const mmli_zip *zip, size_t i)
{
    return &zip->entries[i];
}

bool mmli_zip_is_torch(const mmli_zip *zip)
{
    for (size_t i = 0; i < zip->n; i++) {
        const char *slash = strrchr(zip->names[i], '/');

        if (slash != NULL && strcmp(slash, "/data.pkl") == 0 && memchr(zip->names[i], '/', (size_t)(slash - zip->names[i])) == NULL)
            return true;
    }
    return false;
}

/* Folders, resource forks and listings that macOS puts in. */
static bool is_aside(const mmli_zip_entry *e)
{
    const char *slash = strrchr(e->name, '/');

    return e->folder || strncmp(e->name, "__MACOSX/", 9) == 0 || strcmp(slash != NULL ? slash + 1 : e->name, ".DS_Store") == 0;
}

mml_status mmli_zip_single(size_t *out, const mmli_zip *zip, const char *what)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];
    size_t n = 0;

    MML_CHECK(!mmli_zip_is_torch(zip), MML_E_FORMAT,
              "%s: was written by torch.save and holds a Python pickle, which is a program and is not run here; in Python: "
              "x = torch.load(FILE, weights_only=True), then numpy.save(\"x.npy\", x.numpy()), or for a dict of tensors "
              "safetensors.torch.save_file(x, \"x.safetensors\")", zip->path);
    MML_TRY(mmli_calloc(&names, zip->n, sizeof *names));
    for (size_t i = 0; i < zip->n; i++) {
        if (is_aside(&zip->entries[i]))
            continue;
        names[n++] = zip->names[i];
        *out = i;
    }
    MML_CHECK(n > 0, MML_E_FORMAT, "%s: the archive is empty; one %s is needed in it", zip->path, what);
    MML_CHECK(n == 1, MML_E_FORMAT, "%s: holds %zu files (%s); one %s is needed: unpack it and name the right file", zip->path,
              n, mmli_list(list, names, n), what);
out:
    mmli_free(names);
    return st;
}

/* ---- a member ------------------------------------------------------------------------------------------------------- */

/* Methods of the zip specification (APPNOTE 4.4.5) that are met. */
static const char *method_name(char number[24], int method)
{
    static const struct {
        int method;
        const char *name;
    } known[] = {{6, "implode"},  {9, "deflate64"}, {12, "bzip2"}, {14, "lzma"},
                 {93, "zstd"}, {95, "xz"},       {98, "ppmd"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].method == method)
            return known[i].name;
    snprintf(number, 24, "method %d", method);
    return number;
}

mml_status mmli_zip_stream_open(mmli_zip_stream **out, mmli_zip *zip, size_t i)
{
    mml_status st = MML_OK;
    const mmli_zip_entry *e = &zip->entries[i];
    mmli_zip_stream *s = NULL;
    struct zip_stat is;
    char number[24], *where = NULL;

    *out = NULL;
    zip_stat_init(&is);
    MML_TRY(mmli_strf(&where, "%s: %s", zip->path, e->name));
    MML_CHECK(!e->folder, MML_E_FORMAT, "%s: is a folder, a file is needed", where);
    MML_CHECK(zip_stat_index(zip->z, i, 0, &is) == 0 && (is.valid & ZIP_STAT_COMP_METHOD) &&
                  (is.valid & ZIP_STAT_ENCRYPTION_METHOD), MML_E_FORMAT, "%s: its entry is damaged", where);
    MML_CHECK(is.encryption_method == ZIP_EM_NONE, MML_E_FORMAT, "%s: is encrypted; unpack it with its password first", where);
    MML_CHECK(zip_compression_method_supported(is.comp_method, 0), MML_E_FORMAT,
              "%s: is packed by %s, which cannot be unpacked here; pack it by deflate, or unpack it first", where,
              method_name(number, is.comp_method));
    MML_TRY(mmli_inflate_check(where, e->packed, e->size));
    MML_TRY(mmli_calloc(&s, 1, sizeof *s));
    s->zip = zip;
    s->entry = e;
    if ((s->file = zip_fopen_index(zip->z, i, 0)) == NULL) {
        st = trouble(zip->path, e->name, zip_get_error(zip->z));
        goto out;
    }
    *out = s;
    s = NULL;
out:
    mmli_zip_stream_close(s);
    mmli_free(where);
    return st;
}

mml_status mmli_zip_stream_read(size_t *n, mmli_zip_stream *s, void *to, size_t room)
{
    mml_status st = MML_OK;
    zip_int64_t got;

    *n = 0;
    if ((got = zip_fread(s->file, to, room)) < 0) {
        st = trouble(s->zip->path, s->entry->name, zip_file_get_error(s->file));
        goto out;
    }
    s->inflated += (uint64_t)got;
    MML_CHECK(s->inflated <= s->entry->size, MML_E_FORMAT, "%s: %s: unpacks to more than the %llu bytes that are declared: damaged",
              s->zip->path, s->entry->name, (unsigned long long)s->entry->size);
    MML_CHECK(got > 0 || room == 0 || s->inflated == s->entry->size, MML_E_FORMAT,
              "%s: %s: unpacks to %llu bytes instead of the %llu that are declared: damaged", s->zip->path, s->entry->name,
              (unsigned long long)s->inflated, (unsigned long long)s->entry->size);
    *n = (size_t)got;
out:
    return st;
}

void mmli_zip_stream_close(mmli_zip_stream *s)
{
    if (s == NULL)
        return;
    if (s->file != NULL)
        zip_fclose(s->file);
    mmli_free(s);
}
