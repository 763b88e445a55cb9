/* host.h - the module's side of module.h: the library that has opened it. */
#ifndef MMLI_BACKENDS_CUDA_HOST_H
#define MMLI_BACKENDS_CUDA_HOST_H

#include "backends/cuda/module.h"

#ifdef __cplusplus
extern "C" {
#endif

/* By the entry, first of all. */
void mmli_host_set(const mmli_module_host *host);

#ifdef __cplusplus
}
#endif
#endif
