/* dictionary.h - texts numbered in the order in which they are first met, while they are met. */
#ifndef MMLI_IMPORT_DICTIONARY_H
#define MMLI_IMPORT_DICTIONARY_H

#include "mmlego/base.h"

typedef struct mmli_dictionary {
    char **texts; /* (n) */
    size_t n, cap;
    size_t *slots; /* number + 1, 0 = free; open addressing */
    size_t n_slots; /* a power of 2 */
} mmli_dictionary;

/* Number of the text, which is copied when it is new. {0} is an empty dictionary. */
mml_status mmli_dictionary_number(size_t *out, mmli_dictionary *d, const char *text, size_t n);
void mmli_dictionary_free(mmli_dictionary *d);

#endif
