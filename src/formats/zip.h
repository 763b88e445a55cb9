/* zip.h - zip archives: what is in them, and one member as a stream. Nothing is ever extracted to a stored path.
 *
 * Members are stored, deflated, or packed as libzip can unpack; zip64 is fine. io/inflate.h limits what a member
 * may grow to, by what its entry declares before it is opened and by what really comes out. */
#ifndef MMLI_FORMATS_ZIP_H
#define MMLI_FORMATS_ZIP_H

#include "mmlego/base.h"
#include <stdbool.h>

typedef struct mmli_zip mmli_zip;

typedef struct mmli_zip_entry {
    const char *name; /* the stored path, control characters as '?': for messages and for finding, never a path here */
    uint64_t size, packed; /* as declared, bytes */
    bool folder;
} mmli_zip_entry;

/* Does the file begin as a zip does (PK 3 4, or PK 5 6 when empty)? No when it cannot be read. */
bool mmli_zip_is(const char *path);

/* MML_E_IO: cannot be opened; MML_E_FORMAT: not a zip, damaged, truncated, a part of a split archive. */
mml_status mmli_zip_open(mmli_zip **out, const char *path);
void mmli_zip_close(mmli_zip *zip);
const char *mmli_zip_path(const mmli_zip *zip);
size_t mmli_zip_n(const mmli_zip *zip);
const mmli_zip_entry *mmli_zip_member(const mmli_zip *zip, size_t i);

/* Was it written by torch.save (a member data.pkl in one folder)? */
bool mmli_zip_is_torch(const mmli_zip *zip);

/* The one member that is a file, folders and what macOS adds aside. MML_E_FORMAT: none or several (lists them); `what`
 * is the kind of file that is wanted, for the message. */
mml_status mmli_zip_single(size_t *out, const mmli_zip *zip, const char *what);

typedef struct mmli_zip_stream mmli_zip_stream;

/* MML_E_FORMAT: encrypted, packed in a way that libzip cannot unpack (named), declared larger than allowed. */
mml_status mmli_zip_stream_open(mmli_zip_stream **out, mmli_zip *zip, size_t i);
/* Up to `room` bytes; *n = 0 is the end, where the checksum has been compared. MML_E_FORMAT: damaged, or more bytes
 * than declared or allowed. */
mml_status mmli_zip_stream_read(size_t *n, mmli_zip_stream *stream, void *to, size_t room);
void mmli_zip_stream_close(mmli_zip_stream *stream);

#endif
