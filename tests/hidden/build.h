/* build.h - what turns the sources of backends/reference into the hidden backend; read before each
 * of them (-include). */
#ifndef MMLT_HIDDEN_BUILD_H
#define MMLT_HIDDEN_BUILD_H

#include <stdint.h>

_Static_assert(sizeof(void *) == 8, "hidden memory needs address bits to spare");

#define MMLI_REF_TAG (UINT64_C(1) << 55)
#define MMLI_REF_PREFIX mmlt_hidden_
#define MMLI_REF_TABLE mmlt_hidden_reference /* hidden.c makes its own table from it */
#define MMLI_REF_LABEL "hidden"
#define MMLI_REF_HOST false

#endif
