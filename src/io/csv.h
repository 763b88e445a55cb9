/* csv.h - comma-separated tables as they are met (formats.md 2.8), read as a stream, .gz included.
 *
 * UTF-8 with or without a byte-order mark, LF or CRLF, RFC 4180 quotes. The first row is the header. Cells are
 * texts; who needs numbers parses them with util/text.h. Row numbers in messages count lines of the file from 1
 * (the header), as an editor shows them; a cell with a line break in it makes its row begin where it begins.
 */
#ifndef MMLI_IO_CSV_H
#define MMLI_IO_CSV_H

#include "mmlego/base.h"

typedef struct mmli_cell {
    const char *text; /* ends in '\0'; lent for the call */
    size_t n;
} mmli_cell;

/* Either may return a failure, which ends the reading and is handed on. */
typedef struct mmli_csv_handler {
    mml_status (*header)(void *user, const mmli_cell *names, size_t n);
    mml_status (*row)(void *user, size_t row, const mmli_cell *cells, size_t n); /* n as in the header */
} mmli_csv_handler;

/* MML_E_IO: cannot be read; MML_E_FORMAT: not a CSV (zip, UTF-16, binary, damaged gzip, bad quotes), a gzip
 * packed too tightly (inflate.h), a row with more or fewer cells than the header (names the row and both numbers), no header. */
mml_status mmli_csv_read(const char *path, const mmli_csv_handler *handler, void *user);

/* Bytes that are no file of their own (formats/csv_file.h reads them out of a zip): up to `room` of them, *n = 0 at the
 * end; a failure ends the reading and is handed on. */
typedef struct mmli_csv_input {
    mml_status (*read)(size_t *n, void *self, void *to, size_t room);
    void *self;
} mmli_csv_input;

/* The same from such bytes, which messages call `name`. They are not unpacked. */
mml_status mmli_csv_read_from(const mmli_csv_input *in, const char *name, const mmli_csv_handler *handler, void *user);

#endif
