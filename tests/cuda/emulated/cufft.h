/* cufft.h (of the tests) - the part of cuFFT that backends/cuda uses, as the sums that define it (fft.cc). */
#ifndef MMLT_CUFFT_H
#define MMLT_CUFFT_H

#include "cuda_runtime.h"

typedef int cufftHandle;
typedef float2 cufftComplex;
typedef enum cufftResult {
    CUFFT_SUCCESS = 0,
    CUFFT_INVALID_PLAN = 1,
    CUFFT_ALLOC_FAILED = 2,
    CUFFT_INVALID_VALUE = 4,
    CUFFT_INTERNAL_ERROR = 5,
    CUFFT_EXEC_FAILED = 6,
    CUFFT_SETUP_FAILED = 7,
    CUFFT_INVALID_SIZE = 8
} cufftResult;
typedef enum cufftType { CUFFT_C2C = 0x29 } cufftType;
enum { CUFFT_FORWARD = -1, CUFFT_INVERSE = 1 };

extern "C" {
cufftResult cufftCreate(cufftHandle *plan);
cufftResult cufftDestroy(cufftHandle plan);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftSetAutoAllocation(cufftHandle plan, int yes);
cufftResult cufftSetWorkArea(cufftHandle plan, void *work);
cufftResult cufftMakePlanMany64(cufftHandle plan, int rank, long long *n, long long *inembed, long long istride,
                                long long idist, long long *onembed, long long ostride, long long odist, cufftType type,
                                long long batch, size_t *work_bytes);
cufftResult cufftExecC2C(cufftHandle plan, cufftComplex *in, cufftComplex *out, int sign);
}

#endif
