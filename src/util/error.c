/* error.c - the message and the status of the last failure, one of each per thread.
 *
 * The buffer is fixed: "out of memory" can be reported when there is none. Messages carry text out of
 * users' files (ids, column names), so control characters are masked before anyone prints them.
 */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 2048 };

static _Thread_local char message[MESSAGE_BYTES];
static _Thread_local mml_status last = MML_OK;

/* Masks control characters, and marks a text that did not fit with "..." without cutting a UTF-8
 * character in two. `wanted` is what vsnprintf asked for. */
static void tidy(char *text, int wanted)
{
    static const char more[] = "...";
    size_t end;

    if (wanted < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)wanted >= MESSAGE_BYTES) {
        end = MESSAGE_BYTES - sizeof more;
        while (end > 0 && ((unsigned char)text[end] & 0xC0u) == 0x80u)
            end--;
        memcpy(text + end, more, sizeof more);
    }
    for (char *p = text; *p != '\0'; p++)
        if (((unsigned char)*p < 0x20u && *p != '\n' && *p != '\t') || *p == 0x7F)
            *p = '?';
}

mml_status mmli_fail(mml_status st, const char *format, ...)
{
    char text[MESSAGE_BYTES]; /* the arguments may point into `message` */
    va_list args;
    int wanted;

    text[0] = '\0';
    va_start(args, format);
    wanted = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tidy(text, wanted);
    memcpy(message, text, strlen(text) + 1);
    last = st == MML_OK ? MML_E_INTERNAL : st; /* a failure cannot be called a success */
    return last;
}

mml_status mmli_fail_prefix(mml_status st, const char *format, ...)
{
    char prefix[MESSAGE_BYTES], text[MESSAGE_BYTES];
    va_list args;
    int wanted;

    prefix[0] = '\0';
    va_start(args, format);
    wanted = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    tidy(prefix, wanted);
    memcpy(text, message, strlen(message) + 1);
    return mmli_fail(st, "%s: %s", prefix, text);
}

const char *mml_last_error(void)
{
    return message;
}

mml_status mml_last_status(void)
{
    return last;
}

const char *mml_status_name(mml_status st)
{
    switch (st) {
    case MML_OK: return "ok";
    case MML_E_ARG: return "argument";
    case MML_E_NOMEM: return "memory";
    case MML_E_IO: return "io";
    case MML_E_FORMAT: return "format";
    case MML_E_DATA: return "data";
    case MML_E_SHAPE: return "shape";
    case MML_E_NOT_FOUND: return "not found";
    case MML_E_NOT_FINITE: return "not finite";
    case MML_E_BACKEND: return "backend";
    case MML_E_LEAK: return "leak";
    case MML_E_STOPPED: return "stopped";
    case MML_E_INTERNAL: return "internal";
    }
    return "unknown";
}

mml_status mmli_given(const char *function, const char *names, const void *const *pointers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pointers[i] == NULL)
            return mmli_fail(MML_E_ARG, "%s: %.*s is NULL", function, (int)strcspn(names, ","), names);
        names += strcspn(names, ",");
        names += strspn(names, ", ");
    }
    return MML_OK;
}
