/* layernorm.h - what feed_forward.cu takes from layernorm.cu. */
#ifndef MMLI_CUDA_LAYERNORM_H
#define MMLI_CUDA_LAYERNORM_H

#include "backends/cuda/cuda.h"

/* dx = [dx, if add] + [plus, unless NULL] + gradient of kernel layernorm; plus may be dx (then without add). */
mml_status mmli_cuda_layernorm_dx(mmli_device *dv, float *dx, bool add, const float *plus, const float *x, const float *stats,
                                  const float *gamma, const float *dy, size_t rows, size_t cols);

#endif
