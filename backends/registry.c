/* registry.c - which backends there are, and opening one: by name or from a table.
 *
 * An open device holds its own, complete copy of the table. Slots that a table of host memory leaves
 * NULL are filled from the reference, whose kernels keep no state.
 */
#include <stdio.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "backends/backend.h"
#include "util/alloc.h"
#include "util/error.h"

static const mmli_backend *const backends[] = {
#ifndef MMLI_WITHOUT_CPU /* a build of the oracle alone */
    &mmli_backend_cpu,
#endif
    &mmli_backend_reference,
};

const mmli_backend *mmli_backend_at(size_t i)
{
    return i < sizeof backends / sizeof *backends ? backends[i] : NULL;
}

static mml_status unknown(const char *name)
{
    char list[256] = "";
    size_t used = 0;

    for (size_t i = 0; mmli_backend_at(i) && used < sizeof list - 1; i++) {
        const int n = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", mmli_backend_at(i)->name);

        used += n > 0 ? (size_t)n : 0;
    }
    return mmli_fail(MML_E_BACKEND, "no backend `%s` in this build; there are: %s", name, list);
}

static mml_status missing(const char *backend, const char *slot)
{
    return mmli_fail(MML_E_INTERNAL, "backend %s has memory of its own but no `%s`", backend, slot);
}

/* Fills the empty slots of a table of host memory; any other table must have none. */
static mml_status complete(mmli_backend *k)
{
    const mmli_backend *ref = &mmli_backend_reference;

#define FILL(slot)                                                                                 \
    do {                                                                                           \
        if (!k->slot && !k->host_memory)                                                           \
            return missing(k->name, #slot);                                                        \
        if (!k->slot)                                                                              \
            k->slot = ref->slot;                                                                   \
    } while (0);
    FILL(open)
    FILL(close)
    FILL(alloc)
    FILL(free)
    FILL(upload)
    FILL(download)
    FILL(copy)
    FILL(sync)
#define MML_KERNEL(kernel, args) FILL(kernel)
#include "backends/kernels.def"
#undef MML_KERNEL
#undef FILL
    return MML_OK;
}

static int default_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

mml_status mmli_device_open_table(mmli_device **out, const mmli_backend *table, int threads)
{
    mmli_device *dv = NULL;
    mml_status st = MML_OK;

    *out = NULL;
    MML_CHECK(threads >= 0, MML_E_ARG, "%d threads asked for: give 1 or more, or 0 for as many as there are processors",
              threads);
    MML_TRY(mmli_calloc(&dv, 1, sizeof *dv));
    dv->k = *table;
    dv->threads = threads > 0 ? threads : default_threads();
    atomic_init(&dv->users, 1);
    MML_TRY(complete(&dv->k));
    MML_TRY(dv->k.open(dv, dv->threads));
    *out = dv;
    dv = NULL;
out:
    mmli_free(dv); /* not open: nothing of the backend's to give back */
    return st;
}

mml_status mmli_device_open(mmli_device **out, const char *name, int threads)
{
    *out = NULL;
    if (!name)
        return mmli_device_open_table(out, mmli_backend_at(0), threads);
    for (size_t i = 0; mmli_backend_at(i); i++)
        if (strcmp(mmli_backend_at(i)->name, name) == 0)
            return mmli_device_open_table(out, mmli_backend_at(i), threads);
    return unknown(name);
}

mmli_device *mmli_device_keep(mmli_device *dv)
{
    atomic_fetch_add_explicit(&dv->users, 1, memory_order_relaxed);
    return dv;
}

void mmli_device_close(mmli_device *dv)
{
    if (!dv || atomic_fetch_sub_explicit(&dv->users, 1, memory_order_acq_rel) > 1)
        return;
    dv->k.close(dv);
    mmli_free(dv);
}
