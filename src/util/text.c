/* text.c - cells, names and lists: what is missing, what is near, what fits in a message. */
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ASCII only: tolower() follows the locale. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void mmli_trim(const char **s, size_t *n)
{
    while (*n > 0 && is_blank(**s)) {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && is_blank((*s)[*n - 1]))
        (*n)--;
}

bool mmli_text_is(const char *s, size_t n, const char *word)
{
    if (strlen(word) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower(s[i]) != lower(word[i]))
            return false;
    return true;
}

bool mmli_is_missing(const char *s, size_t n)
{
    static const char *const words[] = {
        "NA",    "NaN",      "nan",      "N/A",     "NULL",    "null", "None", "<NA>", "#N/A",
        "-NaN",  "1.#QNAN",  "n/a",      "#NA",     "#N/A N/A", "-nan", "1.#IND", "-1.#IND",
        "-1.#QNAN", "[Not Available]", "[Not Applicable]"};

    mmli_trim(&s, &n);
    if (n == 0)
        return true;
    if (n > 16)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == n && memcmp(words[i], s, n) == 0)
            return true;
    return false;
}

enum { NAME_LONGEST = 127 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    const unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Damerau-Levenshtein distance, letter case ignored (neighbours swapped at most once: "optimal string
 * alignment"). Three rows of the table are enough for that. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned row[3][NAME_LONGEST + 1];
    unsigned *before = row[0], *last = row[1], *now = row[2], *t;

    for (size_t j = 0; j <= nb; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            const char x = lower(a[i - 1]), y = lower(b[j - 1]);

            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        t = before;
        before = last;
        last = now;
        now = t;
    }
    return last[nb];
}

const char *mmli_nearest(const char *name, const char *const *candidates, size_t n)
{
    const size_t length = strlen(name);
    const char *best = NULL;
    /* One edit for every three letters, at least one: "lr" is no misspelling of "seed". */
    unsigned limit = (unsigned)(length < 6 ? 1 : length / 3);

    if (length > NAME_LONGEST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const size_t other = candidates[i] == NULL ? 0 : strlen(candidates[i]);
        unsigned d;

        if (other == 0 || other > NAME_LONGEST)
            continue;
        d = distance(name, length, candidates[i], other);
        /* All letters replaced is not a misspelling, however short the name. */
        if (d <= limit && d < (unsigned)(length > other ? length : other)) {
            best = candidates[i];
            if (d == 0)
                break;
            limit = d - 1;
        }
    }
    return best;
}

const char *mmli_by_number(size_t n, const char *one, const char *others)
{
    return n == 1 ? one : others;
}

const char *mmli_list(char out[MMLI_LIST_BYTES], const char *const *names, size_t n)
{
    enum { TAIL = 40 }; /* room for ", ... (N more)" */
    size_t len = 0, i;

    snprintf(out, MMLI_LIST_BYTES, "%s", n == 0 ? "(none)" : "");
    for (i = 0; i < n; i++) {
        const char *name = names[i] == NULL ? "" : names[i];
        const size_t add = strlen(name) + (i > 0 ? 2 : 0);

        if (len + add >= MMLI_LIST_BYTES - TAIL)
            break;
        len += (size_t)snprintf(out + len, MMLI_LIST_BYTES - len, "%s%s", i > 0 ? ", " : "", name);
    }
    if (i < n)
        snprintf(out + len, MMLI_LIST_BYTES - len, "%s... (%zu more)", i > 0 ? ", " : "", n - i);
    return out;
}

/* strerror_r gives an int (POSIX) or the text (glibc): both are taken. */
static inline const char *posix_text(int rc, const char *buf)
{
    return rc == 0 ? buf : "unknown error";
}

static inline const char *gnu_text(const char *text, const char *buf)
{
    (void)buf;
    return text;
}

const char *mmli_errno_text(char out[MMLI_ERRNO_BYTES], int err)
{
    char buf[MMLI_ERRNO_BYTES] = "";
    const char *text = _Generic(strerror_r(err, buf, sizeof buf), int: posix_text, default: gnu_text)(
        strerror_r(err, buf, sizeof buf), buf);

    snprintf(out, MMLI_ERRNO_BYTES, "%s", text);
    return out;
}

mml_status mmli_buf_add(mmli_buf *b, const void *bytes, size_t n)
{
    mml_status st = MML_OK;

    MML_CHECK(n < SIZE_MAX - b->len, MML_E_NOMEM, "a text of more than %zu bytes cannot be held", b->len);
    MML_TRY(mmli_grow(&b->text, &b->cap, b->len + n + 1, 1));
    if (n > 0)
        memcpy(b->text + b->len, bytes, n);
    b->len += n;
    b->text[b->len] = '\0';
out:
    return st;
}

mml_status mmli_buf_puts(mmli_buf *b, const char *text)
{
    return mmli_buf_add(b, text, strlen(text));
}

mml_status mmli_buf_printf(mmli_buf *b, const char *format, ...)
{
    mml_status st = MML_OK;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    MML_CHECK(n >= 0, MML_E_INTERNAL, "a text could not be formatted from \"%s\"", format);
    MML_CHECK((size_t)n < SIZE_MAX - b->len, MML_E_NOMEM, "a text of more than %zu bytes cannot be held", b->len);
    MML_TRY(mmli_grow(&b->text, &b->cap, b->len + (size_t)n + 1, 1));
    va_start(args, format);
    vsnprintf(b->text + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
out:
    return st;
}

mml_status mmli_buf_double(mmli_buf *b, double x)
{
    char number[MMLI_NUMBER_BYTES];

    return mmli_buf_puts(b, mmli_format_double(number, x));
}

mml_status mmli_buf_take(mmli_buf *b, char **text)
{
    mml_status st;

    *text = NULL;
    if ((st = mmli_buf_add(b, "", 0)) != MML_OK)
        return st;
    *text = b->text;
    *b = (mmli_buf){0};
    return MML_OK;
}

void mmli_buf_free(mmli_buf *b)
{
    if (b == NULL)
        return;
    mmli_free(b->text);
    *b = (mmli_buf){0};
}
