/* table.cu - the CUDA backend as a table: its memory is not the host's, so every slot is filled. */
#include "backends/cuda/cuda.h"

extern "C" const mmli_backend mmli_backend_cuda = {
    "cuda", false, 0, cuda_open, cuda_close, cuda_alloc, cuda_free, cuda_upload, cuda_turn, cuda_send,
    cuda_download, cuda_copy, cuda_sync,
    &mmli_cuda_group,
#define MML_KERNEL(kernel, args) cuda_##kernel,
#include "backends/kernels.def"
#undef MML_KERNEL
};
