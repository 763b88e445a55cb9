/* module.h - what libmmlego and its module for NVIDIA GPUs, mmlego-cuda.so, know of each other.
 *
 * The library never links with CUDA: it opens the module when a cuda device is asked for, so one package serves machines with
 * and without a GPU. The library hides its symbols, so what the module calls of it is handed over in a struct, and the module
 * exports one function, which gives a struct back. Both are compiled from this tree; a module of another version is recognised
 * by its head, which never changes, before anything else of it is read.
 *
 * Read by C (module.c: the library's side, host.c: the module's) and by C++ (entry.cu).
 */
#ifndef MMLI_BACKENDS_CUDA_MODULE_H
#define MMLI_BACKENDS_CUDA_MODULE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MMLI_MODULE_FILE "mmlego-cuda.so"
#define MMLI_MODULE_ENTRY "mmlego_module_entry"
enum { MMLI_MODULE_ABI = 1 }; /* + 1 when the structs below change */

/* What the module calls of the library. */
typedef struct mmli_module_host {
    mml_status (*fail)(mml_status st, const char *text);
    mml_status (*fail_prefix)(mml_status st, const char *text);
    mml_status (*calloc)(void *out, size_t count, size_t size);
    mml_status (*realloc)(void *inout, size_t count, size_t size);
    void (*free)(void *p);
} mmli_module_host;

/* A GPU. */
typedef struct mmli_module_device {
    char name[256];
    uint64_t bytes;   /* of its memory */
    int major, minor; /* compute capability */
} mmli_module_device;

typedef struct mmli_module {
    /* The head. */
    uint64_t abi, fingerprint;
    const char *version; /* of the library that it was built with */
    /* The rest is read when the head is right. */
    const mmli_backend *backend; /* named cuda */
    const char *built;           /* with what, in words: "CUDA 13.0 for sm_80, sm_90" */
    /* How many GPUs there are; 0, or a failure with its message, where there is no driver or none is allowed. */
    mml_status (*count)(int *n);
    mml_status (*look)(mmli_module_device *out, int i);
} mmli_module;

/* `host` outlives the module. */
typedef const mmli_module *(*mmli_module_entry)(const mmli_module_host *host);

/* Of all that both sides must agree on: FNV-1a over the list of kernels with their arguments, and the sizes of structs. */
static inline uint64_t mmli_module_fingerprint(void)
{
    static const char *const kernels[] = {
#define MML_KERNEL(kernel, args) #kernel #args,
#include "backends/kernels.def"
#undef MML_KERNEL
    };
    const uint64_t sizes[] = {sizeof(mmli_backend), sizeof(mmli_device), sizeof(mmli_ff), sizeof(mmli_ff_grad),
                              sizeof(mmli_backend_group), sizeof(mmli_module_host), sizeof(mmli_module)};
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        for (const char *c = kernels[i]; *c != '\0'; c++)
            h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        h = (h ^ sizes[i]) * UINT64_C(1099511628211);
    return h;
}

/* ---- the library's side (module.c) -------------------------------------------------------------------------------- */

/* The module, opened at the first call that finds it and kept until the program ends; from any thread. A failure says where it
 * was looked for and why it is of no use; the next call tries again. */
mml_status mmli_module_open(const mmli_module **out);
/* Where it is or would be. Lent: static, or the environment's. */
const char *mmli_module_path(void);

#ifdef __cplusplus
}
#endif
#endif
