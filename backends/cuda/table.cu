/* table.cu - the CUDA backend as a table: its memory is not the host's, so every slot is filled. Kernels and copies are
 * written down where they are part of a step (calls.h). */
#include "backends/cuda/calls.h"

extern "C" const mmli_backend mmli_backend_cuda = {
    "cuda", false, 0, cuda_open, cuda_close, cuda_alloc, cuda_free, cuda_upload, cuda_turn, cuda_send,
    cuda_download, mmli_cuda_call<cuda_copy>::slot, cuda_sync, cuda_step_begin, cuda_step_end,
    &mmli_cuda_group,
#define MML_KERNEL(kernel, args) mmli_cuda_call<cuda_##kernel>::slot,
#include "backends/kernels.def"
#undef MML_KERNEL
};
