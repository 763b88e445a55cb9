/* alloc.h - memory whose sizes are checked for overflow and whose failure has a message.
 *
 * The k-th allocation can be made to fail for tests (mmli_alloc_fail_at).
 */
#ifndef MMLI_UTIL_ALLOC_H
#define MMLI_UTIL_ALLOC_H

#include "mmlego/base.h"
#include <stdbool.h>

/* *out = count * size bytes, zeroed; count * size = 0 gives a valid pointer. On failure *out = NULL. */
mml_status mmli_calloc(void *out, size_t count, size_t size);
/* *inout grown or shrunk to count * size bytes; on failure *inout is as it was. */
mml_status mmli_realloc(void *inout, size_t count, size_t size);
/* Copy of a string (NULL gives NULL). */
mml_status mmli_strdup(char **out, const char *text);
/* printf into a new string. */
mml_status mmli_strf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mmli_free(void *p);

/* true, and *out = a * b, unless the product overflows. */
bool mmli_mul_size(size_t *out, size_t a, size_t b);

/* Grows an array that holds `need` elements of `size` bytes geometrically; *cap in elements. */
mml_status mmli_grow(void *inout, size_t *cap, size_t need, size_t size);

/* Tests: the k-th call from now in this thread fails (0 = none). Calls made since are counted. */
void mmli_alloc_fail_at(uint64_t k);
uint64_t mmli_alloc_count(void);

#endif
