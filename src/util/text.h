/* text.h - text out of users' files into numbers, and numbers and names into messages.
 *
 * Nothing here depends on setlocale(): a host application may run in a locale that writes 0,5.
 * Pieces of text are (s, n), n bytes without a terminator needed. The parsers say only yes or no and
 * leave *out alone on no: the caller knows file, row and column and writes the message.
 */
#ifndef MMLI_UTIL_TEXT_H
#define MMLI_UTIL_TEXT_H

#include "mmlego/base.h"
#include <stdbool.h>

/* Takes blanks (space, tab, CR, LF) off both ends. */
void mmli_trim(const char **s, size_t *n);
/* Same bytes but for the case of ASCII letters? `word` ends in '\0'. */
bool mmli_text_is(const char *s, size_t n, const char *word);

/* A decimal number, correctly rounded: 1, 1.0, .5, 1e-05, -0.0, inf, -Infinity; blanks around it are
 * allowed. Not: hexadecimal, NaN (mmli_is_missing), 0,5, 1 000, and what overflows a double. */
bool mmli_parse_double(double *out, const char *s, size_t n);
/* The same for a float32: rounded once from the text's double, a value beyond FLT_MAX is a no. */
bool mmli_parse_float(float *out, const char *s, size_t n);
/* Whole numbers in digits only, at most `max`. mmli_parse_int64 also takes a sign. */
bool mmli_parse_uint64(uint64_t *out, const char *s, size_t n, uint64_t max);
bool mmli_parse_size(size_t *out, const char *s, size_t n, size_t max);
bool mmli_parse_int64(int64_t *out, const char *s, size_t n, int64_t min, int64_t max);
/* 1/0 written 1, 1.0, true, yes, on / 0, 0.0, false, no, off in any case (formats.md 2.1, 2.5). */
bool mmli_parse_bool(bool *out, const char *s, size_t n);

/* Does a cell say "no value"? Empty or blank, the spellings of pandas.read_csv (formats.md 2.8), and
 * [Not Available], [Not Applicable] of the MMP tables (2.4). Case matters, as in pandas. */
bool mmli_is_missing(const char *s, size_t n);

enum { MMLI_NUMBER_BYTES = 32 };
/* Shortest decimal text that reads back as the same number: "0.1", "1e-05", "nan", "-inf". */
const char *mmli_format_double(char out[MMLI_NUMBER_BYTES], double x);
const char *mmli_format_float(char out[MMLI_NUMBER_BYTES], float x);

/* The candidate that `name` may be a misspelling of (Damerau-Levenshtein distance, letter case
 * ignored), or NULL when none is near. The first of equals. */
const char *mmli_nearest(const char *name, const char *const *candidates, size_t n);

enum { MMLI_LIST_BYTES = 512 };
/* "a, b, c" for a message, into `out`, which is given back; what does not fit becomes
 * ", ... (12 more)". No names: "(none)". */
const char *mmli_list(char out[MMLI_LIST_BYTES], const char *const *names, size_t n);

/* The words for one thing, or for any other number of them: "row has", "rows have". */
const char *mmli_by_number(size_t n, const char *one, const char *others);

enum { MMLI_ERRNO_BYTES = 160 };
/* The system's words for an errno value. */
const char *mmli_errno_text(char out[MMLI_ERRNO_BYTES], int err);

/* A text that grows. {0} is an empty one; `text` always ends in '\0' and is NULL until something is added. */
typedef struct mmli_buf {
    char *text;
    size_t len, cap;
} mmli_buf;

mml_status mmli_buf_add(mmli_buf *b, const void *bytes, size_t n);
mml_status mmli_buf_puts(mmli_buf *b, const char *text);
/* Not for fractions (%f, %g follow the locale): mmli_buf_double. */
mml_status mmli_buf_printf(mmli_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
mml_status mmli_buf_double(mmli_buf *b, double x);
/* The text, now the caller's (mmli_free; "" and not NULL when empty); the buffer is empty again. */
mml_status mmli_buf_take(mmli_buf *b, char **text);
void mmli_buf_free(mmli_buf *b);

#endif
