/* csv_file.h - a CSV as users keep it: plain, .gz (io/csv.h), or alone in a .zip under whatever name. */
#ifndef MMLI_FORMATS_CSV_FILE_H
#define MMLI_FORMATS_CSV_FILE_H

#include "io/csv.h"

/* As mmli_csv_read; what the file is decides its first bytes, not its name. Messages about a zipped table name archive
 * and member. MML_E_FORMAT also: a zip of none or several files, encrypted, damaged, or packed too tightly. */
mml_status mmli_csv_file_read(const char *path, const mmli_csv_handler *handler, void *user);

#endif
