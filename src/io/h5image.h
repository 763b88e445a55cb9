/* h5image.h - a small HDF5 file as a text: made in memory, packed, base64. For what has to travel inside another file. */
#ifndef MMLI_IO_H5IMAGE_H
#define MMLI_IO_H5IMAGE_H

#include "io/h5.h"

/* A new file in memory; end it with mmli_h5_image_text() or mmli_h5_drop(). `path` is for messages. */
mml_status mmli_h5_image_create(hid_t *out, const char *path);
/* What was written, "SIZE:BASE64 of zlib"; yours. Closes: *file = -1 whatever happens. */
mml_status mmli_h5_image_text(char **out, hid_t *file, const char *path);
/* Such a text as a file for reading (mmli_h5_drop). MML_E_FORMAT: damaged, or larger than 256 MiB. */
mml_status mmli_h5_image_open(hid_t *out, const char *text, const char *path);

#endif
