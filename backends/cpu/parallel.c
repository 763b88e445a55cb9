/* parallel.c - the one parallel loop of the backend, and its scratch memory.
 *
 * OpenBLAS in its OpenMP flavour starts threads of its own unless it is called inside a parallel
 * region or the caller's nthreads-var is 1. That variable belongs to the calling task: it is set to 1
 * for the length of a loop and given back, so nothing that the user's program sees is changed. */
#include "backends/cpu/cpu.h"

#include <omp.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "util/alloc.h"

enum { ALIGN = 64 };

/* Waking a thread costs some microseconds; one that has less to do than this is not woken. */
static const double ns_per_thread = 12000.0;

static int threads_for(const mmli_device *dv, size_t tiles, double ns)
{
    const double wanted = ns / ns_per_thread;
    size_t most = mmli_min_size((size_t)dv->threads, tiles);

    if (wanted < (double)most)
        most = wanted < 2.0 ? 1 : (size_t)wanted;
    return (int)most;
}

void mmli_cpu_for(const mmli_device *dv, size_t tiles, double ns, mmli_cpu_tile fn, const void *ctx)
{
    const int threads = threads_for(dv, tiles, ns);

    if (threads <= 1) {
        const int before = omp_get_max_threads();

        if (before != 1)
            omp_set_num_threads(1);
        for (size_t t = 0; t < tiles; t++)
            fn(ctx, t, 0);
        if (before != 1)
            omp_set_num_threads(before);
        return;
    }
#pragma omp parallel num_threads(threads)
    {
        const int worker = omp_get_thread_num();

        omp_set_num_threads(1); /* in force until the region ends, should it have got one thread only */
#pragma omp for schedule(dynamic, 1)
        for (size_t t = 0; t < tiles; t++)
            fn(ctx, t, worker);
    }
}

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
    MML_CHECK(each <= SIZE_MAX / 2 / (size_t)dv->threads, MML_E_NOMEM, "scratch of %zu bytes a thread overflows", bytes);
    cpu->each = 0;
    MML_TRY(area_grow(cpu, 1, each * (size_t)dv->threads));
    cpu->each = each;
out:
    return st;
}
