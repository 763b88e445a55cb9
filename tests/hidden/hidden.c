/* hidden.c - the table of the hidden backend: the reference's, with counted allocations. */
#include "tests/hidden/hidden.h"

#include <stdatomic.h>

#include "backends/reference/ref.h"
#include "util/error.h"

/* Devices are opened inside the library, by any thread, so the counters cannot belong to one. */
static atomic_size_t live, allocs, fail_at;

size_t mmlt_hidden_live(void)
{
    return atomic_load(&live);
}

size_t mmlt_hidden_allocs(void)
{
    return atomic_load(&allocs);
}

void mmlt_hidden_fail_at(size_t n)
{
    atomic_store(&fail_at, n ? atomic_load(&allocs) + n : 0);
}

static mml_status counted_alloc(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    mml_status st;

    *out = NULL;
    if (atomic_fetch_add(&allocs, 1) + 1 == atomic_load(&fail_at))
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes (made to fail by the test)", bytes);
    if ((st = REF(alloc)(dv, out, bytes)) == MML_OK)
        atomic_fetch_add(&live, 1);
    return st;
}

static void counted_free(mmli_device *dv, mmli_mem *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    REF(free)(dv, p);
}

const mmli_backend mmlt_backend_hidden = {
    .name = MMLI_REF_LABEL,
    .host_memory = MMLI_REF_HOST,
    .open = REF(open),
    .close = REF(close),
    .alloc = counted_alloc,
    .free = counted_free,
    .upload = REF(upload),
    .download = REF(download),
    .copy = REF(copy),
    .sync = REF(sync),
#define MML_KERNEL(kernel, args) .kernel = REF(kernel),
#include "backends/kernels.def"
#undef MML_KERNEL
};
