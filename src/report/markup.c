/* markup.c - escaping, and numbers as people and machines read them. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/markup.h"
#include "util/alloc.h"
#include "util/error.h"

#define MINUS "\xe2\x88\x92"
#define DASH "\xe2\x80\x93"
#define NARROW "\xe2\x80\xaf"
#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

static void add(mmli_markup *m, const char *bytes, size_t n)
{
    if (m->st == MML_OK && n > 0)
        m->st = mmli_buf_add(&m->text, bytes, n);
}

void mmli_put(mmli_markup *m, const char *markup)
{
    add(m, markup, strlen(markup));
}

void mmli_putf(mmli_markup *m, const char *format, ...)
{
    char text[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (m->st == MML_OK && (n < 0 || (size_t)n >= sizeof text))
        m->st = mmli_fail(MML_E_INTERNAL, "a piece of markup is longer than %zu bytes", sizeof text);
    else
        add(m, text, (size_t)n);
}

/* ---- texts of others ------------------------------------------------------------------------------------------------ */

/* Bytes of the character at s; broken UTF-8 is taken byte by byte (0 beyond the end never happens: s is not at its '\0'). */
static size_t character(const char *s)
{
    const unsigned char c = (unsigned char)*s;
    const size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* U+202A to U+202E and U+2066 to U+2069: a name must not turn around the text beside it. U+FFFE and U+FFFF, surrogates and the
 * controls of Latin-1 are not allowed in XML. */
static bool harmful(const char *s, size_t n)
{
    const unsigned char *c = (const unsigned char *)s;

    if (n == 1)
        return c[0] < 0x20 || c[0] == 0x7f;
    if (n == 2)
        return c[0] == 0xc2 && c[1] < 0xa0;
    if (n == 3 && c[0] == 0xe2)
        return (c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
    if (n == 3 && c[0] == 0xed)
        return c[1] >= 0xa0;
    return n == 3 && c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe;
}

static void put_character(mmli_markup *m, const char *s, size_t n)
{
    if (n == 0 || (harmful(s, n) && *s != '\t' && *s != '\n')) {
        mmli_put(m, REPLACEMENT);
        return;
    }
    switch (*s) {
    case '&': mmli_put(m, "&amp;"); break;
    case '<': mmli_put(m, "&lt;"); break;
    case '>': mmli_put(m, "&gt;"); break;
    case '"': mmli_put(m, "&quot;"); break;
    case '\'': mmli_put(m, "&#39;"); break;
    case '\t':
    case '\n': mmli_put(m, " "); break;
    default: add(m, s, n);
    }
}

size_t mmli_characters(const char *text)
{
    size_t count = 0;

    for (const char *s = text != NULL ? text : ""; *s != '\0'; count++)
        s += character(s) > 0 ? character(s) : 1;
    return count;
}

void mmli_put_clipped(mmli_markup *m, const char *text, size_t most)
{
    const bool cut = most > 0 && mmli_characters(text) > most;
    size_t count = 0;

    for (const char *s = text != NULL ? text : ""; *s != '\0' && !(cut && count + 1 == most); count++) {
        const size_t n = character(s);

        put_character(m, s, n);
        s += n > 0 ? n : 1;
    }
    if (cut)
        mmli_put(m, ELLIPSIS);
}

void mmli_put_text(mmli_markup *m, const char *text)
{
    mmli_put_clipped(m, text, 0);
}

void mmli_put_attribute(mmli_markup *m, const char *name, const char *text)
{
    mmli_putf(m, " %s=\"", name);
    mmli_put_text(m, text);
    mmli_put(m, "\"");
}

/* ---- numbers -------------------------------------------------------------------------------------------------------- */

/* Rounded decimal digits by whole numbers: printf would ask the locale for its point. */
static void put_fixed(mmli_markup *m, double x, int digits, const char *minus)
{
    char shortest[MMLI_NUMBER_BYTES];
    double scale = 1.0;
    long long whole, part;

    for (int i = 0; i < digits; i++)
        scale *= 10.0;
    if (!(fabs(x) * scale < 9e15)) {
        mmli_put(m, x < 0 ? minus : "");
        mmli_put(m, mmli_format_double(shortest, fabs(x)));
        return;
    }
    part = llround(fabs(x) * scale);
    whole = part / (long long)scale;
    mmli_putf(m, "%s%lld", x < 0 && part > 0 ? minus : "", whole);
    if (digits > 0)
        mmli_putf(m, ".%0*lld", digits, part % (long long)scale);
}

void mmli_put_number(mmli_markup *m, double x, int digits)
{
    if (isfinite(x))
        put_fixed(m, x, digits < 0 ? 0 : digits > 9 ? 9 : digits, MINUS);
    else
        mmli_put(m, DASH);
}

void mmli_put_px(mmli_markup *m, double x)
{
    if (!isfinite(x) || fabs(x) > 1e6)
        x = 0.0;
    put_fixed(m, x, llround(fabs(x) * 10.0) % 10 == 0 ? 0 : 1, "-");
}

void mmli_put_count(mmli_markup *m, double x)
{
    char digits[32];
    int n;

    if (!isfinite(x) || fabs(x) >= 1e18) {
        mmli_put_number(m, x, 0);
        return;
    }
    n = snprintf(digits, sizeof digits, "%lld", llround(fabs(x)));
    mmli_put(m, llround(x) < 0 ? MINUS : "");
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            mmli_put(m, NARROW);
        add(m, &digits[i], 1);
    }
}

/* Three digits that count. */
static void put_significant(mmli_markup *m, double x)
{
    mmli_put_number(m, x, x == 0.0 ? 0 : fabs(x) < 0.0995 ? 3 : fabs(x) < 9.95 ? 2 : fabs(x) < 99.5 ? 1 : 0);
}

void mmli_put_seconds(mmli_markup *m, double seconds)
{
    if (!isfinite(seconds) || seconds < 0) {
        mmli_put(m, DASH);
    } else if (seconds < 99.5) {
        put_significant(m, seconds);
        mmli_put(m, " s");
    } else if (seconds < 3599.5) {
        mmli_putf(m, "%lld min %02lld s", llround(seconds) / 60, llround(seconds) % 60);
    } else if (seconds < 1e12) {
        mmli_putf(m, "%lld h %02lld min", llround(seconds / 60) / 60, llround(seconds / 60) % 60);
    } else {
        mmli_put(m, DASH);
    }
}

void mmli_put_bytes(mmli_markup *m, double bytes)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB"};
    size_t unit = 0;

    if (!isfinite(bytes) || bytes < 0) {
        mmli_put(m, DASH);
        return;
    }
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000.0;
    if (unit == 0)
        mmli_put_number(m, bytes, 0);
    else
        put_significant(m, bytes);
    mmli_put(m, units[unit]);
}

void mmli_put_plain_p(mmli_markup *m, double p)
{
    if (p < 0.001) {
        mmli_put(m, "p < 0.001");
    } else {
        mmli_put(m, "p = ");
        mmli_put_number(m, p, p < 0.01 ? 4 : 3);
    }
}

void mmli_put_mean_sd(mmli_markup *m, double mean, double sd, int digits)
{
    mmli_put_number(m, mean, digits);
    if (isfinite(mean) && isfinite(sd)) {
        mmli_put(m, " \xc2\xb1 ");
        mmli_put_number(m, sd, digits);
    }
}

void mmli_undo(mmli_markup *m, size_t length)
{
    if (m->st == MML_OK && length < m->text.len) {
        m->text.len = length;
        m->text.text[length] = '\0';
    }
}

/* ---- end ------------------------------------------------------------------------------------------------------------ */

mml_status mmli_markup_take(mmli_markup *m, char **text)
{
    const mml_status st = m->st != MML_OK ? m->st : mmli_buf_take(&m->text, text);

    if (st != MML_OK)
        *text = NULL;
    mmli_markup_free(m);
    return st;
}

void mmli_markup_free(mmli_markup *m)
{
    mmli_buf_free(&m->text);
    *m = (mmli_markup){0};
}
