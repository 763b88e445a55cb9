/* csv_cut.c - see csv_cut.h. The rules are those of libcsv in strict mode (test_csv_cut.c holds them together): blanks, which are
 * spaces and tabs, around a cell and around its quotes are no part of it; blanks within quotes are.
 *
 * libcsv looks at a byte, asks what state it is in and copies it. A table of genes has ten bytes a cell and no quotes, so here
 * eight bytes at once are asked whether one of them divides cells, and cells stay where they are. */
#include "io/csv_cut.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static mml_status add(mmli_csv_cut *cut, char *begin, char *end)
{
    if (cut->n == cut->cap) {
        const mml_status st = mmli_grow(&cut->cells, &cut->cap, cut->n + 1, sizeof *cut->cells);

        if (st != MML_OK)
            return st;
    }
    *end = '\0';
    cut->cells[cut->n++] = (mmli_cell){begin, (size_t)(end - begin)};
    return MML_OK;
}

static mml_status add_trimmed(mmli_csv_cut *cut, char *begin, char *end)
{
    while (begin < end && is_blank(*begin))
        begin++;
    while (end > begin && is_blank(end[-1]))
        end--;
    return add(cut, begin, end);
}

/* ---- without quotes ----------------------------------------------------------------------------------------------------------- */

/* Bit 8 k + 7 of the result: byte k from s is c. Exact: no carry goes from a byte to the next. */
static uint64_t where(const char *s, uint64_t c_eightfold)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t x;

    memcpy(&x, s, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    x ^= c_eightfold;
    return ~(((x & low) + low) | x | low);
}

static mml_status cut_plain(mmli_csv_cut *cut, char *line, size_t n, char delimiter)
{
    mml_status st = MML_OK;
    const uint64_t eightfold = UINT64_C(0x0101010101010101) * (unsigned char)delimiter;
    char *begin = line;
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (uint64_t found = where(line + i, eightfold); found != 0; found &= found - 1) {
            char *end = line + i + (size_t)__builtin_ctzll(found) / 8;

            MML_TRY(add_trimmed(cut, begin, end));
            begin = end + 1;
        }
    for (; i < n; i++)
        if (line[i] == delimiter) {
            MML_TRY(add_trimmed(cut, begin, line + i));
            begin = line + i + 1;
        }
    MML_TRY(add_trimmed(cut, begin, line + n));
out:
    return st;
}

/* ---- with quotes ---------------------------------------------------------------------------------------------------------------- */

/* The text of a quoted cell, moved together where a quote is doubled: from begin, behind the quote, to *end. *next = behind the
 * closing quote and its blanks. false: not closed in this line. */
static bool unquote(char **end, char **next, char *begin, char *stop, char delimiter)
{
    char *to = begin, *from = begin, *quote;

    while ((quote = memchr(from, '"', (size_t)(stop - from))) != NULL) {
        const size_t n = (size_t)(quote - from);

        memmove(to, from, n);
        to += n;
        from = quote + 1;
        if (from == stop || *from != '"') {
            *end = to;
            for (; from < stop && is_blank(*from) && *from != delimiter; from++)
                continue;
            *next = from;
            return true;
        }
        *to++ = '"';
        from++;
    }
    return false;
}

static mml_status cut_quoted(bool *done, mmli_csv_cut *cut, char *at, char *stop, char delimiter)
{
    mml_status st = MML_OK;
    char *end, *next;

    for (;; at = next + 1) {
        for (; at < stop && is_blank(*at) && *at != delimiter; at++)
            continue;
        if (at < stop && *at == '"') {
            if (!unquote(&end, &next, at + 1, stop, delimiter) || (next < stop && *next != delimiter))
                goto out;
            at++;
        } else {
            next = memchr(at, delimiter, (size_t)(stop - at));
            next = next != NULL ? next : stop;
            if (memchr(at, '"', (size_t)(next - at)) != NULL)
                goto out;
            for (end = next; end > at && is_blank(end[-1]); end--)
                continue;
        }
        *done = next == stop; /* before the end of the cell is written: it may be there */
        MML_TRY(add(cut, at, end));
        if (*done)
            goto out;
    }
out:
    return st;
}

/* ---- a line ----------------------------------------------------------------------------------------------------------------------- */

static bool is_empty(const char *line, size_t n, char delimiter)
{
    size_t i = 0;

    while (i < n && is_blank(line[i]) && line[i] != delimiter)
        i++;
    return i == n;
}

mml_status mmli_csv_cut_line(bool *done, mmli_csv_cut *cut, char *line, size_t n, char delimiter)
{
    mml_status st = MML_OK;

    *done = false;
    cut->n = 0;
    n--;
    if (n > 0 && line[n - 1] == '\r')
        n--;
    if (memchr(line, '\r', n) != NULL)
        return MML_OK;
    if (is_empty(line, n, delimiter)) {
        *done = true;
    } else if (memchr(line, '"', n) == NULL) {
        MML_TRY(cut_plain(cut, line, n, delimiter));
        *done = true;
    } else {
        MML_TRY(mmli_grow(&cut->copy, &cut->cap_copy, n + 1, 1));
        memcpy(cut->copy, line, n);
        MML_TRY(cut_quoted(done, cut, cut->copy, cut->copy + n, delimiter));
    }
out:
    return st;
}

void mmli_csv_cut_free(mmli_csv_cut *cut)
{
    mmli_free(cut->cells);
    mmli_free(cut->copy);
    *cut = (mmli_csv_cut){0};
}
