/* fake.c - a module as mmlego-cuda.so is one, whose two GPUs are the reference backend, for tests of what surrounds a module.
 *
 * MMLT_FAKE makes it go wrong: "abi" and "kernels" (of another version), "none" (no GPU), "driver" (no driver), "busy" (the
 * second GPU cannot be opened).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cuda/host.h"
#include "backends/reference/ref.h"
#include "util/error.h"

static bool is(const char *what)
{
    const char *wanted = getenv("MMLT_FAKE");

    return wanted && strcmp(wanted, what) == 0;
}

static mml_status open_gpu(mmli_device *dv, int threads)
{
    if (is("busy") && dv->k.index == 1)
        return mmli_fail(MML_E_BACKEND, "GPU %d is busy", dv->k.index);
    return REF(open)(dv, threads);
}

extern const mmli_backend MMLI_REF_TABLE; /* backends/reference/table.c */

static mml_status count(int *n)
{
    *n = is("none") ? 0 : 2;
    return is("driver") ? mmli_fail(MML_E_BACKEND, "there is no NVIDIA driver (a fake one)") : MML_OK;
}

static mml_status look(mmli_module_device *out, int i)
{
    *out = (mmli_module_device){.bytes = (uint64_t)(i + 1) << 30, .major = 9, .minor = i};
    snprintf(out->name, sizeof out->name, "Fake %d", i);
    return MML_OK;
}

__attribute__((visibility("default"))) const mmli_module *mmlego_module_entry(const mmli_module_host *host);
const mmli_module *mmlego_module_entry(const mmli_module_host *host)
{
    static mmli_backend table;
    static mmli_module m = {.version = PACKAGE_VERSION, .backend = &table, .built = "a fake", .count = count, .look = look};

    mmli_host_set(host);
    table = MMLI_REF_TABLE;
    table.open = open_gpu;
    m.abi = MMLI_MODULE_ABI + (is("abi") ? 1 : 0);
    m.fingerprint = mmli_module_fingerprint() ^ (is("kernels") ? 1 : 0);
    return &m;
}
