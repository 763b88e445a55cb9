/* registry.c - which backends are in the library, and opening a device of one.
 *
 * An open device holds its own, complete copy of the table. Slots that a table of host memory leaves
 * NULL are filled from the reference, whose kernels keep no state.
 */
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

static mml_status missing(const char *backend, const char *slot)
{
    return mmli_fail(MML_E_INTERNAL, "backend %s has memory of its own but no `%s`", backend, slot);
}

/* Fills the empty slots of a table of host memory; any other table must have none (but turn and send together, and the two of a
 * step). */
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
    if (!k->group && k->host_memory)
        k->group = ref->group;
#define MML_KERNEL(kernel, args) FILL(kernel)
#include "backends/kernels.def"
#undef MML_KERNEL
#undef FILL
    if (!k->turn != !k->send)
        return missing(k->name, k->turn ? "send" : "turn");
    return !k->step_begin == !k->step_end ? MML_OK : missing(k->name, k->step_begin ? "step_end" : "step_begin");
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
    mml_status st = MML_OK;
    mmli_backend table;

    *out = NULL;
    MML_TRY(mmli_device_find(&table, name));
    MML_TRY(mmli_device_open_table(out, &table, threads));
out:
    return st;
}

bool mmli_device_same(const mmli_device *a, const mmli_device *b)
{
    return strcmp(a->k.name, b->k.name) == 0 && a->k.index == b->k.index;
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
