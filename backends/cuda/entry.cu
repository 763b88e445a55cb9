/* entry.cu - what mmlego-cuda.so exports: its one function, and the GPUs of this machine. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <cuda_runtime.h>
#include <stdio.h>

#include "backends/cuda/host.h"
extern "C" {
#include "util/error.h"

extern const mmli_backend mmli_backend_cuda; /* table.cu */
}
#if __has_include(<nccl.h>) /* as in group.cu */
#define WITH_NCCL ", with NCCL"
#else
#define WITH_NCCL ", without NCCL"
#endif


/* CUDA writes 13.2 as 13020. */
enum { MAJOR = CUDART_VERSION / 1000, MINOR = CUDART_VERSION % 1000 / 10 };

static mml_status no_driver(void)
{
    int version = 0;

    if (cudaDriverGetVersion(&version) != cudaSuccess || version == 0)
        return mmli_fail(MML_E_BACKEND, "there is no NVIDIA driver: the library libcuda.so.1, which comes with it, is not found; "
                         "in a container, start that with its GPUs");
    return mmli_fail(MML_E_BACKEND, "the NVIDIA driver is for CUDA up to %d.%d, and this module was built with CUDA %d.%d: a newer "
                     "driver is needed, or a module built with an older CUDA",
                     version / 1000, version % 1000 / 10, static_cast<int>(MAJOR), static_cast<int>(MINOR));
}

static mml_status count(int *n)
{
    const cudaError_t e = cudaGetDeviceCount(n);

    if (e == cudaSuccess)
        return MML_OK;
    (void)cudaGetLastError(); /* or the next call would give it again */
    *n = 0;
    if (e == cudaErrorNoDevice)
        return MML_OK;
    if (e == cudaErrorInsufficientDriver)
        return no_driver();
    if (e == cudaErrorInitializationError)
        return mmli_fail(MML_E_BACKEND, "CUDA does not start: %s; it does not survive fork(), so a process that has used a GPU must "
                         "not use one in a child",
                         cudaGetErrorString(e));
    return mmli_fail(MML_E_BACKEND, "CUDA does not start: %s (%s)", cudaGetErrorString(e), cudaGetErrorName(e));
}

static mml_status look(mmli_module_device *out, int i)
{
    cudaDeviceProp properties;
    const cudaError_t e = cudaGetDeviceProperties(&properties, i);

    if (e != cudaSuccess) {
        (void)cudaGetLastError();
        return mmli_fail(MML_E_BACKEND, "GPU %d says nothing about itself: %s", i, cudaGetErrorString(e));
    }
    snprintf(out->name, sizeof out->name, "%s", properties.name);
    out->bytes = properties.totalGlobalMem;
    out->major = properties.major;
    out->minor = properties.minor;
    return MML_OK;
}

extern "C" __attribute__((visibility("default"))) const mmli_module *mmlego_module_entry(const mmli_module_host *host)
{
    static mmli_module m;
    static char built[128];

    mmli_host_set(host);
    snprintf(built, sizeof built, "CUDA %d.%d, for compute capability %s" WITH_NCCL, static_cast<int>(MAJOR), static_cast<int>(MINOR),
             MML_CUDA_ARCH);
    m.abi = MMLI_MODULE_ABI;
    m.fingerprint = mmli_module_fingerprint();
    m.version = PACKAGE_VERSION;
    m.backend = &mmli_backend_cuda;
    m.built = built;
    m.count = count;
    m.look = look;
    return &m;
}
