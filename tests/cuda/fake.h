/* fake.h - what turns the sources of backends/reference into the fake module for GPUs; read before each of them (-include).
 *
 * As in tests/hidden, addresses carry a bit that makes them fault when the host touches them: memory of a GPU is not the
 * host's either.
 */
#ifndef MMLT_CUDA_FAKE_H
#define MMLT_CUDA_FAKE_H

#include <stdint.h>

_Static_assert(sizeof(void *) == 8, "hidden memory needs address bits to spare");

#define MMLI_REF_TAG (UINT64_C(1) << 55)
#define MMLI_REF_PREFIX mmlt_fake_
#define MMLI_REF_TABLE mmlt_fake_table
#define MMLI_REF_LABEL "cuda"
#define MMLI_REF_HOST false

#endif
