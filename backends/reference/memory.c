/* memory.c - memory of the host, aligned to a cache line, as device memory. Everything is done when
 * a call returns, so sync has nothing to wait for. */
#include <stdlib.h>
#include <string.h>

#include "backends/reference/ref.h"
#include "util/error.h"

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector (AVX-512) */

mml_status REF(open)(mmli_device *dv, int threads)
{
    (void)threads;
    dv->impl = NULL;
    return MML_OK;
}

void REF(close)(mmli_device *dv)
{
    (void)dv;
}

mml_status REF(alloc)(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    /* aligned_alloc wants a multiple of the alignment; 0 bytes become one line, so that the pointer
     * is valid and differs from every other. */
    const size_t lines = bytes / ALIGNMENT + (bytes % ALIGNMENT != 0 || bytes == 0);
    void *p;

    (void)dv;
    *out = NULL;
    if (lines > SIZE_MAX / ALIGNMENT)
        return mmli_fail(MML_E_NOMEM, "%zu bytes of device memory: the size overflows", bytes);
    if (!(p = aligned_alloc(ALIGNMENT, lines * ALIGNMENT)))
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes could not be had; use a smaller batch or model",
                         bytes);
    *out = ref_device(p);
    return MML_OK;
}

void REF(free)(mmli_device *dv, mmli_mem *p)
{
    (void)dv;
    free(ref_host(p));
}

mml_status REF(upload)(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    (void)dv;
    if (bytes > 0)
        memcpy(ref_host(dst), src, bytes);
    return MML_OK;
}

mml_status REF(download)(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes)
{
    (void)dv;
    if (bytes > 0)
        memcpy(dst, ref_host(src), bytes);
    return MML_OK;
}

mml_status REF(copy)(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes)
{
    (void)dv;
    if (bytes > 0 && dst != src)
        memcpy(ref_host(dst), ref_host(src), bytes);
    return MML_OK;
}

mml_status REF(sync)(mmli_device *dv)
{
    (void)dv;
    return MML_OK;
}
