/* probe.h - a first look at a file or folder: its first bytes, unpacked if it is gzip. */
#ifndef MMLI_IMPORT_PROBE_H
#define MMLI_IMPORT_PROBE_H

#include "import/source.h"

typedef struct mmli_probe_file {
    mmli_probe probe;
    unsigned char *bytes, *text;
} mmli_probe_file;

/* MML_E_IO: cannot be opened or read, or is a device. A damaged gzip file has an empty text. */
mml_status mmli_probe_open(mmli_probe_file *out, const char *path);
void mmli_probe_close(mmli_probe_file *file);

/* Does the file begin with these bytes? */
bool mmli_probe_begins(const mmli_probe *probe, const void *bytes, size_t n);
/* Does the name end so (case of letters ignored)? */
bool mmli_probe_ends(const mmli_probe *probe, const char *ending);

/* Of a look at the file that failed: `st` where that leaves open what the file is (see mmli_source_kind.probe), else MML_OK. */
mml_status mmli_probe_failure(mml_status st);

/* Is this a cohort.ini: does its first line that is no comment begin with '['? MML_E_IO. */
mml_status mmli_is_ini(bool *out, const char *path);

#endif
