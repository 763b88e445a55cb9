/* scratch.c - aligned memory, and the scratch memory of kernels: two areas a device that grow and are kept, so
 * that a warm step allocates nothing. */
#include "backends/cpu/cpu.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "util/alloc.h"

enum { ALIGN = 64 }; /* a cache line, and the widest vector */

/* Large pages spare most of the translation misses when a tile strides over tokens. Only advice. */
static void advise(void *p, size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t huge = (uintptr_t)2 << 20;
    const uintptr_t from = ((uintptr_t)p + huge - 1) / huge * huge, to = ((uintptr_t)p + bytes) / huge * huge;

    if (bytes >= 2 * huge && to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)p;
    (void)bytes;
#endif
}

mml_status mmli_cpu_aligned(void *out, size_t bytes)
{
    mml_status st = MML_OK;
    char *raw = NULL, *p;

    *(void **)out = NULL;
    MML_CHECK(bytes <= SIZE_MAX - 2 * ALIGN, MML_E_NOMEM, "%zu bytes are more than can be addressed", bytes);
    MML_TRY(mmli_calloc(&raw, bytes + 2 * ALIGN, 1));
    p = raw + ALIGN; /* room for the address to free */
    p += (ALIGN - (uintptr_t)p % ALIGN) % ALIGN;
    ((void **)(void *)p)[-1] = raw;
    advise(p, bytes);
    *(void **)out = p;
out:
    return st;
}

void mmli_cpu_aligned_free(void *p)
{
    if (p)
        mmli_free(((void **)p)[-1]);
}

static mml_status area_grow(mmli_cpu *cpu, int which, size_t bytes)
{
    mml_status st = MML_OK;
    void *more = NULL;

    if (bytes <= cpu->area_size[which])
        goto out;
    bytes += bytes / 4; /* a slightly longer bag should not allocate again */
    mmli_cpu_aligned_free(cpu->area[which]);
    cpu->area[which] = NULL;
    cpu->area_size[which] = 0;
    MML_TRY(mmli_cpu_aligned(&more, bytes));
    cpu->area[which] = more;
    cpu->area_size[which] = bytes;
out:
    return st;
}

mml_status mmli_cpu_shared(mmli_device *dv, void *out, size_t count, size_t size)
{
    mml_status st = MML_OK;
    size_t bytes = 0;

    *(void **)out = NULL;
    MML_CHECK(mmli_mul_size(&bytes, count, size), MML_E_NOMEM, "scratch of %zu x %zu bytes overflows", count, size);
    MML_TRY(area_grow(mmli_cpu_of(dv), 0, mmli_max_size(bytes, 1)));
    *(void **)out = mmli_cpu_of(dv)->area[0];
out:
    return st;
}

mml_status mmli_cpu_own_reserve(mmli_device *dv, size_t bytes)
{
    mml_status st = MML_OK;
    mmli_cpu *cpu = mmli_cpu_of(dv);
    /* Workers a whole number of pages apart, and one line more: no false sharing, no shared cache sets. */
    const size_t each = mmli_ceil_div(bytes, 4096) * 4096 + ALIGN;

    if (each <= cpu->each)
        goto out;
    MML_CHECK(each <= SIZE_MAX / 2 / (size_t)dv->threads, MML_E_NOMEM, "scratch of %zu bytes a thread overflows",
              bytes);
    cpu->each = 0;
    MML_TRY(area_grow(cpu, 1, each * (size_t)dv->threads));
    cpu->each = each;
out:
    return st;
}
