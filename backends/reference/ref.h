/* ref.h - what the files of the reference backend share: names, and the way from device memory to
 * numbers.
 *
 * The reference is the oracle of the conformance suite: plain loops that read like the formulas of
 * kernels.def, no library, one thread, sums in float64. It keeps no state (dv->impl is not its own),
 * so its kernels also fill the empty slots of any backend whose memory is the host's.
 *
 * The same sources make the test-only backend "hidden" (tests/hidden): compiled with MMLI_REF_TAG,
 * MMLI_REF_PREFIX and MMLI_REF_TABLE, every address that leaves this folder carries a bit that makes it
 * fault when the host touches it. Memory is therefore read and written through ref_f & co. only.
 */
#ifndef MMLI_BACKENDS_REFERENCE_REF_H
#define MMLI_BACKENDS_REFERENCE_REF_H

#include <stdint.h>

#include "backends/backend.h"

#ifndef MMLI_REF_TAG
#define MMLI_REF_TAG 0             /* bits flipped in every address given out */
#define MMLI_REF_PREFIX mmli_ref_  /* of the functions below */
#define MMLI_REF_TABLE mmli_backend_reference
#define MMLI_REF_LABEL "reference"
#define MMLI_REF_HOST true
#endif

#define MMLI_REF_JOIN2(a, b) a##b
#define MMLI_REF_JOIN(a, b) MMLI_REF_JOIN2(a, b)
#define REF(name) MMLI_REF_JOIN(MMLI_REF_PREFIX, name)

#define MML_KERNEL(kernel, args) mml_status REF(kernel) args;
#include "backends/kernels.def"
#undef MML_KERNEL

mml_status REF(open)(mmli_device *dv, int threads);
void REF(close)(mmli_device *dv);
mml_status REF(alloc)(mmli_device *dv, mmli_mem **out, size_t bytes);
void REF(free)(mmli_device *dv, mmli_mem *p);
mml_status REF(upload)(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes);
mml_status REF(download)(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes);
mml_status REF(copy)(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes);
mml_status REF(sync)(mmli_device *dv);
extern const mmli_backend_group REF(group);

/* The host address behind a device address, and back. NULL stays NULL. */
static inline void *ref_host(const mmli_mem *p)
{
    return p ? (void *)((uintptr_t)p ^ (uintptr_t)(MMLI_REF_TAG)) : NULL;
}
static inline mmli_mem *ref_device(const void *p)
{
    return p ? (mmli_mem *)((uintptr_t)p ^ (uintptr_t)(MMLI_REF_TAG)) : NULL;
}

static inline float *ref_f(const mmli_mem *p) { return (float *)ref_host(p); }
static inline double *ref_d(const mmli_mem *p) { return (double *)ref_host(p); }
static inline const int32_t *ref_i32(const mmli_mem *p) { return (const int32_t *)ref_host(p); }
static inline const int64_t *ref_i64(const mmli_mem *p) { return (const int64_t *)ref_host(p); }

/* First row and number of rows of segment s. */
static inline size_t ref_first(const int64_t *off, size_t s) { return (size_t)off[s]; }
static inline size_t ref_len(const int64_t *off, size_t s) { return (size_t)(off[s + 1] - off[s]); }

#endif
