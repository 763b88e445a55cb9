/* image_inside.h - between image.c and the two decoders. */
#ifndef MMLI_FORMATS_IMAGE_INSIDE_H
#define MMLI_FORMATS_IMAGE_INSIDE_H

#include "formats/image.h"

typedef struct mmli_image_bytes {
    const unsigned char *bytes;
    size_t n;
    const char *path;
    bool pixels; /* wanted, not only what the header says */
} mmli_image_bytes;

/* Sizes as stored and the orientation; pixels as stored. out->pixels is the caller's, also after a failure. */
mml_status mmli_jpeg_read(mmli_image *out, const mmli_image_bytes *in);
mml_status mmli_png_read(mmli_image *out, const mmli_image_bytes *in);

/* Is this size one that is read? MML_E_FORMAT. */
mml_status mmli_image_check_size(const char *path, uint64_t width, uint64_t height);
/* Orientation of an Exif block (TIFF header first); 1 when it says none or is damaged. */
unsigned mmli_exif_orientation(const unsigned char *bytes, size_t n);

#endif
