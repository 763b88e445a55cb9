/* bag_h5.h - the features of one slide's patches, as CLAM and TRIDENT write them (and those who followed them).
 *
 * Data set `features`: (N, D), (1, N, D) or (D) - one vector for the slide - of any type of number; `coords` beside it, (N, 2)
 * or (1, N, 2), x and y of the upper left corner in pixels of level 0. A slide without tissue is written on purpose: (0, D) or
 * (0). Attributes are not needed, and unknown ones do no harm.
 *
 * Refused: files with coordinates or images only (`patches`), links to other files, external storage, virtual data sets,
 * filters that are not there, numbers of rows that do not agree. */
#ifndef MMLI_FORMATS_BAG_H5_H
#define MMLI_FORMATS_BAG_H5_H

#include "io/rows.h"

typedef struct mmli_bag {
    char *path;
    size_t n, width;  /* n = 0: an empty slide; width may then be 0, not known */
    bool half;        /* float16 */
    bool has_coords;  /* one for each row */
    char *encoder;    /* as TRIDENT notes it, or NULL */
    hid_t file, features_set, coords_set;
    mmli_rows *features, *coords;
    bool vector;      /* (D): rows of the data set are values of the one row */
} mmli_bag;

/* MML_E_IO, MML_E_FORMAT, MML_E_SHAPE; each names file and data set. Ended by close, which is fine on {0} and after a failure. */
mml_status mmli_bag_open(mmli_bag *out, const char *path);
void mmli_bag_close(mmli_bag *bag);
/* Rows first .. first+count-1: values (count, width), coords (count, 2) in pixels (NULL: not wanted; has_coords needed). */
mml_status mmli_bag_read(float *values, float *coords, size_t first, size_t count, mmli_bag *bag);

/* Does this file look like one: HDF5 with `features`, or with `coords` or `imgs` alone (*has_features false)? What cannot be read as HDF5
 * does not; MML_E_IO, MML_E_NOMEM. */
mml_status mmli_bag_looks_like(bool *out, bool *has_features, const char *path);

/* "UNI, Phikon-v2, ..." : encoders that give features of this width; "no encoder that is known here" for others. */
const char *mmli_bag_encoders(size_t width);

#endif
