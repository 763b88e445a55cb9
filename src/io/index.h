/* index.h - from a text (a sample id, a column name) to its place in a list. */
#ifndef MMLI_IO_INDEX_H
#define MMLI_IO_INDEX_H

#include <stdbool.h>

#include "mmlego/base.h"

typedef struct mmli_index {
    const char *const *texts; /* lent: must outlive the index */
    size_t *slots;            /* place + 1, 0 = free; open addressing */
    size_t n_slots;           /* a power of 2 */
} mmli_index;

/* Of texts[0 .. n-1]. When a text occurs twice, *first and *second are the places of the first such pair in
 * list order and the later one is left out; SIZE_MAX when all differ. */
mml_status mmli_index_make(mmli_index *index, const char *const *texts, size_t n, size_t *first, size_t *second);
/* Place of a text of n bytes, or SIZE_MAX. */
size_t mmli_index_find(const mmli_index *index, const char *text, size_t n);
/* {0} is fine. */
void mmli_index_free(mmli_index *index);

#endif
