/* image.h - a JPEG or PNG file as pixels, and these as floats of another size.
 *
 * Pixels are what the file stores: gamma, colour profiles and the background of transparent pixels are left alone. The Exif
 * orientation is applied, so that a photograph stands as a viewer shows it. Sizes are checked before anything is allocated. */
#ifndef MMLI_FORMATS_IMAGE_H
#define MMLI_FORMATS_IMAGE_H

#include <stdbool.h>

#include "mmlego/base.h"

enum { MMLI_IMAGE_SIDE = 1 << 16, MMLI_IMAGE_PIXELS = 1 << 26 }; /* at most; a slide scanner's are no JPEG files */

typedef struct mmli_image {
    size_t width, height;  /* as shown: after the orientation */
    size_t channels;       /* 1 grey, 3 red, green, blue */
    unsigned most;         /* value of white: 255 or 65535 */
    unsigned orientation;  /* of Exif, 1 to 8; 1 = as stored */
    bool jpeg;
    bool transparent;      /* a pixel was not opaque; its colour is what is stored */
    uint16_t *pixels;      /* (height, width, channels); NULL after mmli_image_look() */
} mmli_image;

/* Do the first bytes say that it is one? */
bool mmli_image_is(const unsigned char *bytes, size_t n);
/* All but the pixels (and `transparent`). MML_E_IO; MML_E_FORMAT: not an image, damaged, too large, CMYK. */
mml_status mmli_image_look(mmli_image *out, const char *path);
/* Errors as above; a truncated or damaged file has no pixels at all. */
mml_status mmli_image_read(mmli_image *out, const char *path);
void mmli_image_free(mmli_image *image);

/* out (height, width, channels) in [0, 1]. Each direction for itself: the mean of the area that a smaller pixel covers, or linear
 * between the centres of two pixels where it grows. Grey to colour repeats the value; colour to grey is 0.299 r + 0.587 g + 0.114 b
 * (ITU-R BT.601, what JPEG and Pillow use). */
mml_status mmli_image_resize(float *out, size_t height, size_t width, size_t channels, const mmli_image *image);

#endif
