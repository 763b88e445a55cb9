/* fuzz_file.h - the bytes of a fuzz target as a file, for readers that take a path. */
#ifndef MMLT_FUZZ_FILE_H
#define MMLT_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Writes the bytes to a file of this process and gives its path. TMPDIR=/dev/shm makes it fast. */
static const char *fuzz_file(const uint8_t *bytes, size_t n)
{
    static char path[300];
    const char *tmp = getenv("TMPDIR");
    FILE *f;

    snprintf(path, sizeof path, "%s/mmlt-fuzz-%ld", tmp == NULL ? "/tmp" : tmp, (long)getpid());
    f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        abort();
    }
    return path;
}

#endif
