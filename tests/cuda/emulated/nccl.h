/* nccl.h (of the tests) - the part of NCCL that backends/cuda uses, for emulated GPUs (nccl.cc). */
#ifndef MMLT_NCCL_H
#define MMLT_NCCL_H

#include "cuda_runtime.h"

typedef struct mmlt_nccl *ncclComm_t;
typedef enum ncclResult_t { ncclSuccess = 0, ncclInvalidArgument = 4, ncclInvalidUsage = 5 } ncclResult_t;
typedef enum ncclDataType_t { ncclFloat32 = 7, ncclFloat64 = 8 } ncclDataType_t;
typedef enum ncclRedOp_t { ncclSum = 0 } ncclRedOp_t;

extern "C" {
ncclResult_t ncclCommInitAll(ncclComm_t *comms, int n, const int *gpus);
ncclResult_t ncclCommDestroy(ncclComm_t comm);
ncclResult_t ncclCommAbort(ncclComm_t comm);
ncclResult_t ncclGroupStart(void);
ncclResult_t ncclGroupEnd(void);
ncclResult_t ncclAllReduce(const void *from, void *to, size_t n, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                           cudaStream_t stream);
const char *ncclGetErrorString(ncclResult_t r);
}

#endif
