/* stream.h - rows of numbers that are too many to lie in memory: whoever needs them asks for one piece after the other. */
#ifndef MMLI_UTIL_STREAM_H
#define MMLI_UTIL_STREAM_H

#include <stddef.h>

#include "mmlego/base.h"

typedef struct mmli_stream {
    size_t rows, cols;
    /* *out = rows first .. first + n - 1, lent until the next call. Pieces come in order: `first` is where the last piece
     * ended, or 0 to begin again. The piece behind this one will have `next` rows: it may be read ahead. 0: none follows. */
    mml_status (*read)(void *user, const float **out, size_t first, size_t n, size_t next);
    void *user;
} mmli_stream;

#endif
