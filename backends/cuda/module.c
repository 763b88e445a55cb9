/* module.c - finding and opening mmlego-cuda.so, once, when it is first needed. */
#include "backends/cuda/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/error.h"

#ifndef MMLI_MODULE_DIR /* where `make install` puts it */
#error "compile with -DMMLI_MODULE_DIR"
#endif

static mml_status fail(mml_status st, const char *text)
{
    return mmli_fail(st, "%s", text);
}

static mml_status fail_prefix(mml_status st, const char *text)
{
    return mmli_fail_prefix(st, "%s", text);
}

static const mmli_module_host host = {fail, fail_prefix, mmli_calloc, mmli_realloc, mmli_free};

/* The one module of the process: code that is loaded stays, whoever asked for it first. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const mmli_module *opened;

const char *mmli_module_path(void)
{
    const char *path = secure_getenv("MMLEGO_CUDA_MODULE"); /* NULL in a program that runs with another user's rights */

    return path && *path ? path : MMLI_MODULE_DIR "/" MMLI_MODULE_FILE;
}

static mml_status check_head(const mmli_module *m, const char *path)
{
    mml_status st = MML_OK;

    MML_CHECK(m, MML_E_BACKEND, "%s is not a module of libmmlego: it has no description", path);
    MML_CHECK(m->abi == MMLI_MODULE_ABI && m->fingerprint == mmli_module_fingerprint(), MML_E_BACKEND,
              "%s does not fit this library: it was built with libmmlego %s of another source (this is %s); install both from one build",
              path, m->version ? m->version : "(unknown)", mml_version());
    MML_CHECK(m->backend && m->backend->name && m->built && m->count && m->look, MML_E_BACKEND, "%s is damaged: it is not complete",
              path);
out:
    return st;
}

static mml_status load(const mmli_module **out, const char *path)
{
    mml_status st = MML_OK;
    const mmli_module *m = NULL;
    mmli_module_entry entry = NULL;
    void *library = NULL, *symbol;

    MML_CHECK(access(path, R_OK) == 0, MML_E_BACKEND,
              "no module for NVIDIA GPUs: %s: %s; it is installed with a libmmlego that was configured --with-cuda, or named by "
              "MMLEGO_CUDA_MODULE", path, strerror(errno));
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    MML_CHECK(library, MML_E_BACKEND, "the module for NVIDIA GPUs cannot be loaded: %s; the libraries of CUDA must be where the "
              "system looks for libraries (ldconfig, LD_LIBRARY_PATH)", dlerror());
    symbol = dlsym(library, MMLI_MODULE_ENTRY);
    MML_CHECK(symbol, MML_E_BACKEND, "%s is not a module of libmmlego: it has no %s", path, MMLI_MODULE_ENTRY);
    memcpy(&entry, &symbol, sizeof entry); /* as POSIX has it: ISO C knows no cast from data to function pointers */
    m = entry(&host);
    MML_TRY(check_head(m, path));
    *out = m;
    library = NULL;
out:
    if (library)
        dlclose(library);
    return st;
}

mml_status mmli_module_open(const mmli_module **out)
{
    mml_status st = MML_OK;

    *out = NULL;
    pthread_mutex_lock(&lock);
    if (!opened)
        st = load(&opened, mmli_module_path());
    *out = opened;
    pthread_mutex_unlock(&lock);
    return st;
}
