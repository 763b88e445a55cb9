/* vec_base.c - inner loops for any processor: SSE2 on x86-64, plain C vectors elsewhere. */
#include "backends/backend.h"
#include "backends/cpu/vec.h"

#if defined(__GLIBC__)
#include <features.h>
#endif

#define W 4
#define VEC_TABLE mmli_vec_base
#if defined(__x86_64__)
#define VEC_NAME "sse2"
#else
#define VEC_NAME "generic"
#endif
#include "backends/cpu/vec_table.h"
