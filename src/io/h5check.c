/* h5check.c - see h5check.h: bytes, numbers, complaints. */
#include "io/h5check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

bool mmli_h5_bad(mmli_h5_check *c, uint64_t at, const char *format, ...)
{
    va_list args;
    size_t n;

    if (c->why[0] != '\0')
        return false;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    n = strlen(c->why);
    snprintf(c->why + n, sizeof c->why - n, ", at byte %llu", (unsigned long long)(c->file.base + at));
    return false;
}

const unsigned char *mmli_h5_take(mmli_h5_piece *p, size_t n)
{
    const unsigned char *bytes = p->bytes;

    if (p->over || n > p->n) {
        p->over = true;
        return NULL;
    }
    p->bytes += n;
    p->at += n;
    p->n -= n;
    return bytes;
}

uint64_t mmli_h5_number(mmli_h5_piece *p, size_t n)
{
    const unsigned char *bytes = mmli_h5_take(p, n);
    uint64_t v = 0;

    for (size_t i = bytes == NULL ? 0 : n; i-- > 0;) {
        if (i >= sizeof v && bytes[i] != 0)
            return UINT64_MAX;
        v = v << 8 | bytes[i];
    }
    return v;
}

uint64_t mmli_h5_address(mmli_h5_piece *p, const mmli_h5_check *c)
{
    const uint64_t undefined = c->address >= 8 ? UINT64_MAX : ((uint64_t)1 << (8 * c->address)) - 1;
    const uint64_t v = mmli_h5_number(p, c->address);

    return v == undefined ? UINT64_MAX : v;
}

uint64_t mmli_h5_length(mmli_h5_piece *p, const mmli_h5_check *c)
{
    return mmli_h5_number(p, c->length);
}

mmli_h5_piece mmli_h5_part(mmli_h5_piece *p, size_t n)
{
    const uint64_t at = p->at;
    const unsigned char *bytes = mmli_h5_take(p, n);

    return (mmli_h5_piece){bytes, bytes == NULL ? 0 : n, at, bytes == NULL};
}

bool mmli_h5_text(size_t *length, mmli_h5_piece *p)
{
    const unsigned char *end = p->over || p->n == 0 ? NULL : memchr(p->bytes, '\0', p->n);

    if (end == NULL) {
        p->over = true;
        return false;
    }
    *length = (size_t)(end - p->bytes);
    (void)mmli_h5_take(p, *length + 1);
    return true;
}

bool mmli_h5_load(mmli_h5_piece *out, mmli_h5_check *c, int buffer, uint64_t at, uint64_t n, const char *what)
{
    enum { TIMES_MOST = 32, FREE = 1 << 20 }; /* sound structures do not overlap; others could keep us busy for days */
    mmli_h5_buffer *b = &c->buffers[buffer];

    *out = (mmli_h5_piece){.at = at, .over = true};
    if (at > c->file.size || n > c->file.size - at || n > SIZE_MAX)
        return mmli_h5_bad(c, at, "%s goes over the end of the file", what);
    c->loaded += n;
    if (c->loaded > FREE && c->loaded / TIMES_MOST > c->file.size)
        return mmli_h5_bad(c, at, "%s is one of too many that share bytes", what);
    if (mmli_grow(&b->bytes, &b->cap, (size_t)n, 1) != MML_OK) {
        c->no_memory = true;
        return mmli_h5_bad(c, at, "no memory left to look at %s", what);
    }
    if (!mmli_h5_bytes_get(b->bytes, &c->file, at, (size_t)n))
        return mmli_h5_bad(c, at, "%s could not be read", what);
    *out = (mmli_h5_piece){b->bytes, (size_t)n, at, false};
    return true;
}

/* ---- what was walked ---------------------------------------------------------------------------------------------------- */

static size_t place_of(const mmli_h5_check *c, int kind, uint64_t a, uint64_t b)
{
    const uint64_t mixed = (a ^ (b << 17 | b >> 47) ^ (uint64_t)(unsigned)kind) * 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(mixed >> 32) & (c->cap_walked - 1);

    while (c->walked[i].kind != 0 && (c->walked[i].kind != kind || c->walked[i].a != a || c->walked[i].b != b))
        i = (i + 1) & (c->cap_walked - 1);
    return i;
}

bool mmli_h5_was_walked(const mmli_h5_check *c, int kind, uint64_t a, uint64_t b)
{
    return c->cap_walked > 0 && c->walked[place_of(c, kind, a, b)].kind == kind;
}

void mmli_h5_walked_add(mmli_h5_check *c, int kind, uint64_t a, uint64_t b)
{
    enum { LEAST = 64 };
    const mmli_h5_check old = *c;

    if (2 * c->n_walked >= c->cap_walked) {
        c->cap_walked = old.cap_walked == 0 ? LEAST : 2 * old.cap_walked;
        c->walked = NULL;
        if (mmli_calloc(&c->walked, c->cap_walked, sizeof *c->walked) != MML_OK) {
            c->walked = old.walked;
            c->cap_walked = old.cap_walked;
            return;
        }
        for (size_t i = 0; i < old.cap_walked; i++)
            if (old.walked[i].kind != 0)
                c->walked[place_of(c, old.walked[i].kind, old.walked[i].a, old.walked[i].b)] = old.walked[i];
        mmli_free(old.walked);
    }
    c->walked[place_of(c, kind, a, b)] = (mmli_h5_walked){a, b, kind};
    c->n_walked++;
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------------- */

int mmli_h5_log2(uint64_t v)
{
    int n = 0;

    if (v == 0 || (v & (v - 1)) != 0)
        return -1;
    while (v >>= 1)
        n++;
    return n;
}

unsigned mmli_h5_bytes_for(uint64_t v)
{
    unsigned n = 1;

    while (v >>= 8)
        n++;
    return n;
}
