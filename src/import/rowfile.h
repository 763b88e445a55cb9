/* rowfile.h - numbers put aside in a temporary file: added one after the other, then got from anywhere. */
#ifndef MMLI_IMPORT_ROWFILE_H
#define MMLI_IMPORT_ROWFILE_H

#include "mmlego/base.h"

typedef struct mmli_rowfile {
    int fd;             /* of util/spool.h */
    const char *beside; /* lent */
    float *buffer;      /* what is not in the file yet */
    size_t held, written;
} mmli_rowfile;

/* beside: the output. mmli_rowfile_close() is fine for {0}. */
mml_status mmli_rowfile_open(mmli_rowfile *out, const char *beside);
void mmli_rowfile_close(mmli_rowfile *file);
mml_status mmli_rowfile_add(mmli_rowfile *file, const float *x, size_t n);
/* Call it between the last add and the first get. */
mml_status mmli_rowfile_finish(mmli_rowfile *file);
/* n numbers from place `first`. */
mml_status mmli_rowfile_get(float *out, const mmli_rowfile *file, size_t first, size_t n);

#endif
