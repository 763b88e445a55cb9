/* host.c - the module's side: what its code calls of the library (util/error.h, util/alloc.h), handed on to it.
 *
 * Messages are per thread and kept by the library, so a failure inside the module reads like any other.
 */
#include "backends/cuda/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { TEXT = 2048 }; /* as the library keeps of a message */

static const mmli_module_host *host; /* set once, by the entry, before anything else here runs */

void mmli_host_set(const mmli_module_host *h)
{
    host = h;
}

mml_status mmli_fail(mml_status st, const char *format, ...)
{
    char text[TEXT];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    return host->fail(st, text);
}

mml_status mmli_fail_prefix(mml_status st, const char *format, ...)
{
    char text[TEXT];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    return host->fail_prefix(st, text);
}

mml_status mmli_calloc(void *out, size_t count, size_t size)
{
    return host->calloc(out, count, size);
}

mml_status mmli_realloc(void *inout, size_t count, size_t size)
{
    return host->realloc(inout, count, size);
}

void mmli_free(void *p)
{
    if (host)
        host->free(p);
}

bool mmli_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}
