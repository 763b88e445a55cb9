/* table.c - the reference backend as a table: every slot is filled. */
#include "backends/reference/ref.h"

extern const mmli_backend MMLI_REF_TABLE;

const mmli_backend MMLI_REF_TABLE = {
    .name = MMLI_REF_LABEL,
    .host_memory = MMLI_REF_HOST,
    .open = REF(open),
    .close = REF(close),
    .alloc = REF(alloc),
    .free = REF(free),
    .upload = REF(upload),
    .download = REF(download),
    .copy = REF(copy),
    .sync = REF(sync),
    .group = &REF(group),
#define MML_KERNEL(kernel, args) .kernel = REF(kernel),
#include "backends/kernels.def"
#undef MML_KERNEL
};
