/* number.c - numbers from text and to text, the same in every locale.
 *
 * Tables of genes have millions of cells, so the usual number takes a short way: up to 19 digits that
 * fit 2^53 and a power of ten up to 22 are both exact doubles, and one multiplication or division
 * rounds once (Clinger, "How to read floating point numbers accurately", PLDI 1990). The rest goes
 * to strtod_l() in the C locale.
 */
#include "util/text.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024 }; /* a double has at most 767 digits that matter */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number's parts: value = digits * 10^exponent unless digits were dropped. */
typedef struct parts {
    bool negative, dropped; /* dropped: more digits than 64 bits hold */
    uint64_t digits;
    long exponent;
} parts;

static void add_digit(parts *p, char c, bool fraction)
{
    const uint64_t d = (uint64_t)(c - '0');

    if (p->dropped || p->digits > (UINT64_MAX - d) / 10) {
        p->dropped = true;
        return;
    }
    p->digits = p->digits * 10 + d;
    if (fraction)
        p->exponent--;
}

/* sign? (digit+ (. digit*)? | . digit+) ([eE] sign? digit+)? and nothing else */
static bool scan(parts *p, const char *s, size_t n)
{
    size_t i = 0, n_digits = 0;
    bool negative = false;
    long e = 0;

    *p = (parts){0};
    if (i < n && (s[i] == '-' || s[i] == '+'))
        p->negative = s[i++] == '-';
    for (; i < n && is_digit(s[i]); i++, n_digits++)
        add_digit(p, s[i], false);
    if (i < n && s[i] == '.')
        for (i++; i < n && is_digit(s[i]); i++, n_digits++)
            add_digit(p, s[i], true);
    if (n_digits == 0)
        return false;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        if (i < n && (s[i] == '-' || s[i] == '+'))
            negative = s[i++] == '-';
        if (i == n)
            return false;
        for (; i < n && is_digit(s[i]); i++)
            if (e < 100000) /* far beyond any double: more digits change nothing */
                e = e * 10 + (s[i] - '0');
        p->exponent += negative ? -e : e;
    }
    return i == n;
}

static bool short_way(double *out, const parts *p)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double x;

    if (FLT_EVAL_METHOD != 0 || p->dropped || p->digits > (UINT64_C(1) << 53) || p->exponent < -22 ||
        p->exponent > 22)
        return false;
    x = (double)p->digits;
    x = p->exponent < 0 ? x / ten[-p->exponent] : x * ten[p->exponent];
    *out = p->negative ? -x : x;
    return true;
}

static bool long_way(double *out, const char *s, size_t n)
{
    char text[LONGEST + 1], *end = NULL;
    const int saved = errno;
    locale_t c_locale;
    bool ok = false;
    double x = 0.0;

    if (n > LONGEST)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* the C libraries give a static one: no memory */
    if (c_locale != (locale_t)0) {
        x = strtod_l(text, &end, c_locale);
        ok = end == text + n && isfinite(x);
        freelocale(c_locale);
    }
    errno = saved;
    if (ok)
        *out = x;
    return ok;
}

/* What nearly all cells are, sign? digit* (. digit*)? in at most 19 characters: 64 bits hold its digits, whatever they are.
 * The same rounding as the short way; false is no verdict. */
static bool plain_way(double *out, const char *s, size_t n)
{
    static const double ten[] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    size_t i, point;
    uint64_t digits = 0;
    double x;

    if (FLT_EVAL_METHOD != 0 || n == 0 || n > 19)
        return false;
    i = s[0] == '-';
    for (; i < n && is_digit(s[i]); i++)
        digits = digits * 10 + (uint64_t)(s[i] - '0');
    point = i;
    if (i < n && s[i] == '.')
        for (i++; i < n && is_digit(s[i]); i++)
            digits = digits * 10 + (uint64_t)(s[i] - '0');
    if (i < n || digits > (UINT64_C(1) << 53) || !is_digit(s[n - 1])) /* "1." is left to the others */
        return false;
    x = (double)digits;
    if (point < n)
        x /= ten[n - 1 - point];
    *out = s[0] == '-' ? -x : x;
    return true;
}

bool mmli_parse_double(double *out, const char *s, size_t n)
{
    parts p;
    size_t sign;

    if (plain_way(out, s, n))
        return true;
    mmli_trim(&s, &n);
    if (scan(&p, s, n))
        return short_way(out, &p) || long_way(out, s, n);
    sign = n > 0 && (s[0] == '-' || s[0] == '+') ? 1 : 0;
    if (!mmli_text_is(s + sign, n - sign, "inf") && !mmli_text_is(s + sign, n - sign, "infinity"))
        return false;
    *out = s[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    return true;
}

bool mmli_parse_float(float *out, const char *s, size_t n)
{
    double x;
    float f;

    if (!mmli_parse_double(&x, s, n))
        return false;
    f = (float)x;
    if (isinf(f) && !isinf(x))
        return false;
    *out = f;
    return true;
}

bool mmli_parse_uint64(uint64_t *out, const char *s, size_t n, uint64_t max)
{
    uint64_t x = 0;

    mmli_trim(&s, &n);
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s[i]))
            return false;
        if (x > (UINT64_MAX - (uint64_t)(s[i] - '0')) / 10)
            return false;
        x = x * 10 + (uint64_t)(s[i] - '0');
    }
    if (x > max)
        return false;
    *out = x;
    return true;
}

bool mmli_parse_size(size_t *out, const char *s, size_t n, size_t max)
{
    uint64_t x;

    if (!mmli_parse_uint64(&x, s, n, max))
        return false;
    *out = (size_t)x;
    return true;
}

bool mmli_parse_int64(int64_t *out, const char *s, size_t n, int64_t min, int64_t max)
{
    bool negative = false;
    uint64_t x;
    int64_t y;

    mmli_trim(&s, &n);
    if (n > 0 && (s[0] == '-' || s[0] == '+')) {
        negative = s[0] == '-';
        s++;
        n--;
    }
    if (n == 0 || !is_digit(s[0])) /* "- 5": the blank is inside the number */
        return false;
    if (!mmli_parse_uint64(&x, s, n, negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX))
        return false;
    y = !negative ? (int64_t)x : x == 0 ? 0 : -(int64_t)(x - 1) - 1; /* INT64_MIN without overflow */
    if (y < min || y > max)
        return false;
    *out = y;
    return true;
}

bool mmli_parse_bool(bool *out, const char *s, size_t n)
{
    static const char *const yes[] = {"1", "1.0", "true", "yes", "on"};
    static const char *const no[] = {"0", "0.0", "false", "no", "off"};

    mmli_trim(&s, &n);
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (mmli_text_is(s, n, yes[i]) || mmli_text_is(s, n, no[i])) {
            *out = mmli_text_is(s, n, yes[i]);
            return true;
        }
    }
    return false;
}

/* snprintf follows the locale in one thing only, the decimal point, which may be several bytes. */
static void use_point(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0';) {
        if (is_digit(*from) || strchr("+-e", *from) != NULL) {
            *to++ = *from++;
            continue;
        }
        *to++ = '.';
        while (*from != '\0' && !is_digit(*from) && strchr("+-e", *from) == NULL)
            from++;
    }
    *to = '\0';
}

/* Fewest digits from `least` to `most` that read back as the same double or, if `single`, float. */
static const char *format(char *out, double x, int least, int most, bool single)
{
    double back = 0.0;

    if (!isfinite(x)) {
        snprintf(out, MMLI_NUMBER_BYTES, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return out;
    }
    for (int digits = least; digits <= most; digits++) {
        snprintf(out, MMLI_NUMBER_BYTES, "%.*g", digits, x);
        use_point(out);
        if (mmli_parse_double(&back, out, strlen(out)) &&
            (single ? (float)back == (float)x : back == x))
            break;
    }
    return out;
}

const char *mmli_format_double(char out[MMLI_NUMBER_BYTES], double x)
{
    return format(out, x, 15, 17, false);
}

const char *mmli_format_float(char out[MMLI_NUMBER_BYTES], float x)
{
    return format(out, (double)x, 6, 9, true);
}
