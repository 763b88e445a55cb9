/* alloc.c - checked allocation; every byte of the library that is not a backend's comes from here.
 *
 * Sizes above PTRDIFF_MAX are refused before malloc sees them: they are products that overflowed or
 * dimensions out of a broken file, and pointer differences inside such a block would be undefined.
 */
#include "util/alloc.h"

#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local uint64_t calls;   /* since mmli_alloc_fail_at() */
static _Thread_local uint64_t fail_at; /* 0 = never */

/* Counts a call and says whether it is the one that a test wants to fail. */
static bool must_fail(void)
{
    calls++;
    return fail_at != 0 && calls == fail_at;
}

static mml_status no_memory(size_t count, size_t size)
{
    return mmli_fail(MML_E_NOMEM, "out of memory: %zu x %zu bytes could not be had", count, size);
}

static mml_status checked_size(size_t *bytes, size_t count, size_t size)
{
    if (!mmli_mul_size(bytes, count, size) || *bytes > (size_t)PTRDIFF_MAX)
        return mmli_fail(MML_E_NOMEM, "a size is too large for this machine: %zu x %zu bytes", count, size);
    if (*bytes == 0)
        *bytes = 1; /* a pointer that is not NULL, so that NULL means failure only */
    return MML_OK;
}

bool mmli_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

mml_status mmli_calloc(void *out, size_t count, size_t size)
{
    void *p = NULL;
    size_t bytes;
    mml_status st;

    memcpy(out, &p, sizeof p); /* `out` is the address of a pointer of any type */
    if ((st = checked_size(&bytes, count, size)) != MML_OK)
        return st;
    if (must_fail() || (p = calloc(1, bytes)) == NULL)
        return no_memory(count, size);
    memcpy(out, &p, sizeof p);
    return MML_OK;
}

mml_status mmli_realloc(void *inout, size_t count, size_t size)
{
    void *old, *p;
    size_t bytes;
    mml_status st;

    if ((st = checked_size(&bytes, count, size)) != MML_OK)
        return st;
    memcpy(&old, inout, sizeof old);
    if (must_fail() || (p = realloc(old, bytes)) == NULL)
        return no_memory(count, size);
    memcpy(inout, &p, sizeof p);
    return MML_OK;
}

mml_status mmli_strdup(char **out, const char *text)
{
    mml_status st;

    *out = NULL;
    if (text == NULL)
        return MML_OK;
    if ((st = mmli_calloc(out, strlen(text) + 1, 1)) == MML_OK)
        memcpy(*out, text, strlen(text) + 1);
    return st;
}

mml_status mmli_strf(char **out, const char *format, ...)
{
    va_list args;
    int n;
    mml_status st;

    *out = NULL;
    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return mmli_fail(MML_E_INTERNAL, "a text could not be formatted from \"%s\"", format);
    if ((st = mmli_calloc(out, (size_t)n + 1, 1)) != MML_OK)
        return st;
    va_start(args, format);
    vsnprintf(*out, (size_t)n + 1, format, args);
    va_end(args);
    return MML_OK;
}

void mmli_free(void *p)
{
    free(p);
}

void mml_string_free(char *text)
{
    mmli_free(text);
}

mml_status mmli_grow(void *inout, size_t *cap, size_t need, size_t size)
{
    size_t want;
    mml_status st;

    if (need <= *cap)
        return MML_OK;
    /* Half as much again: amortised O(1) per element, and freed blocks can be used again. */
    want = *cap > SIZE_MAX - *cap / 2 ? need : *cap + *cap / 2;
    if (want < need)
        want = need;
    if (want < 8)
        want = 8;
    if ((st = mmli_realloc(inout, want, size)) == MML_OK)
        *cap = want;
    return st;
}

void mmli_alloc_fail_at(uint64_t k)
{
    calls = 0;
    fail_at = k;
}

uint64_t mmli_alloc_count(void)
{
    return calls;
}
