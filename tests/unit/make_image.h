/* make_image.h - images for tests, written by libpng and libjpeg into the folder of the test. */
#ifndef MMLT_MAKE_IMAGE_H
#define MMLT_MAKE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/unit/folder.h"

typedef struct mmlt_png {
    unsigned width, height;
    int depth, colour;          /* PNG_COLOR_TYPE_... */
    const unsigned char *bytes; /* rows as PNG has them, without padding between them but to bytes */
    bool interlaced, transparent_first; /* of a palette: its first colour */
    unsigned orientation;       /* 0 = says none */
} mmlt_png;

void mmlt_write_png(const char *name, const mmlt_png *png);

typedef struct mmlt_jpeg {
    unsigned width, height;
    int channels;               /* 1, 3, 4 (CMYK) */
    const unsigned char *bytes;
    bool progressive, big_endian; /* big_endian: of the Exif block */
    unsigned orientation;       /* 0 = says none */
} mmlt_jpeg;

/* Quality 100, no subsampling. */
void mmlt_write_jpeg(const char *name, const mmlt_jpeg *jpeg);

#endif
