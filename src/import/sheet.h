/* sheet.h - CSV files as one table with a header and ids, whatever they lack: rows of several files one after the other,
 * no header, names or ids in files of their own, ids by row.
 *
 * Two columns are added at the end: @row (of all files, from 1, without headers) and @file (name of the file, without folder and
 * ending), so that rows that only their order tells apart, and a division by files, have names. `@index` is another name of
 * the first column, which often has none.
 */
#ifndef MMLI_IMPORT_SHEET_H
#define MMLI_IMPORT_SHEET_H

#include <stdbool.h>

#include "formats/csv_file.h"

typedef struct mmli_sheet {
    const char *path;      /* lent, as all */
    char *const *more;     /* (n_more) further files of the same columns */
    size_t n_more;
    bool no_header;        /* the first row is data */
    const char *names;     /* without a header: file with the name of each column, one a line; NULL: c1, c2, ... */
    const char *ids;       /* file with an id for each row, one a line: becomes the column @ids; or NULL */
    const struct mmli_kept *kept; /* a file that was read before; NULL: none (kept.h) */
    struct mmli_problems *problems; /* all columns that are not there are told (problems.h); NULL: the first */
    const char *repeats;   /* column by which rows of one sample differ (repeats.h); NULL: ids are once */
} mmli_sheet;

/* As mmli_csv_file_read. MML_E_FORMAT also: files whose headers differ; more or fewer names or ids than columns or rows. */
mml_status mmli_sheet_read(const mmli_sheet *sheet, const mmli_csv_handler *handler, void *user);

/* Is this the name of an added column, or of the unnamed first one as pandas and R write it? Patterns leave these out. */
bool mmli_sheet_is_index(const char *name);

#endif
