/* h5_inside.h - what the files h5*.c share; others use io/h5.h. All of it with the lock held. */
#ifndef MMLI_IO_H5_INSIDE_H
#define MMLI_IO_H5_INSIDE_H

#include "io/h5.h"

/* Texts by value, so that a message can be put together in one expression. */
typedef struct mmli_h5_note {
    char text[240];
} mmli_h5_note;
typedef struct mmli_h5_full {
    char text[400];
} mmli_h5_full;

/* " (HDF5: ...)" for the failure just seen; call it before any other HDF5 function. */
mmli_h5_note mmli_h5_why(void);
/* Name of an object from the root of its file. */
mmli_h5_full mmli_h5_full_name(hid_t loc, const char *name);
mml_status mmli_h5_shape_of(size_t *dims, int *rank, hid_t dataset, const char *path, const char *full);
/* Text out of a string type as HDF5 stores it: padding off, ended by '\0'. */
mml_status mmli_h5_fixed_text(char **out, const char *bytes, size_t size, H5T_str_t padding);

#endif
