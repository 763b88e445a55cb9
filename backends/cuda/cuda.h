/* cuda.h - what the files of the CUDA backend share: the state of an open device, launching kernels, errors,
 * scratch memory, and the one way from mmli_mem to the numbers.
 *
 * A device has one stream that computes: everything is queued on it in order, so memory freed or scratch reused by a later call is
 * safe without waiting. Only `download` and `sync` wait. What is sent goes on a stream of its own (ahead.cu), which the first waits for
 * before it does anything else. No float atomics; sums are taken in an order that follows
 * from the sizes alone: the same call gives the same bits, on any GPU of one kind.
 *
 * The sources are compiled twice: by nvcc, and by any C++ compiler with the headers of tests/cuda/emulated, which run a grid on the
 * host, thread by thread. Hence MMLI_LAUNCH and MMLI_DYNAMIC_SHARED in place of nvcc's syntax. Of libmmlego only mmli_fail is
 * called. No exceptions, no C++ library: the emulated build is linked by the C compiler.
 */
#ifndef MMLI_BACKENDS_CUDA_CUDA_H
#define MMLI_BACKENDS_CUDA_CUDA_H

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include "backends/backend.h"
#include "backends/cuda/step.h"
extern "C" {
#include "util/error.h"
}

/* ---- state of a device -------------------------------------------------------------------------- */

/* Scratch memory by use: a slot lives until the next call that asks for the same one, so a kernel that
 * calls another must not share a slot with it. One line a use. */
enum mmli_cuda_slot {
    MMLI_CUDA_SUMS,     /* partial sums of blocks: optim.cu, rows.cu, losses.cu */
    MMLI_CUDA_ROW_LOSS, /* losses.cu */
    MMLI_CUDA_COX,      /* losses.cu */
    MMLI_CUDA_FFT_DATA, /* fft.cu, segments_dft.cu */
    MMLI_CUDA_FFT_WORK, /* fft.cu */
    MMLI_CUDA_ATTENTION, /* attention.cu, attention_grad.cu: results of parts */
    MMLI_CUDA_SEGMENTS, /* segments.cu: results of parts */
    MMLI_CUDA_NORM,     /* layernorm.cu: partial sums of columns */
    MMLI_CUDA_FF,       /* feed_forward.cu: a chunk of rows */
    MMLI_CUDA_LT,       /* linear.cu: of cuBLASLt */
    MMLI_CUDA_BLAS,     /* device.cu: of cuBLAS */
    MMLI_CUDA_STEP,     /* step.cu: what varies */
    MMLI_CUDA_SLOTS
};

typedef struct mmli_cuda_buffer {
    void *p;
    size_t bytes;
} mmli_cuda_buffer;

/* Pinned memory that uploads go through: parts used in turn, each free again when its event has passed. */
enum { MMLI_CUDA_PARTS = 4 };
typedef struct mmli_cuda_staging {
    char *pinned; /* MMLI_CUDA_PARTS times part_bytes */
    size_t part_bytes;
    cudaEvent_t done[MMLI_CUDA_PARTS];
    int part;    /* being filled */
    size_t used; /* of it */
} mmli_cuda_staging;

/* A second stream for what is sent: ahead.cu. */
typedef struct mmli_cuda_ahead {
    cudaStream_t stream;
    mmli_cuda_staging staging;
    cudaEvent_t turn[2]; /* on the stream that computes, where a turn began */
    cudaEvent_t made;    /* there, behind the memory that was asked for */
    cudaEvent_t sent;    /* on this one, behind its copies */
    uint64_t turns;      /* so far */
    bool fresh;   /* memory was asked for that this stream has not waited for */
    bool pending; /* copies that the stream that computes has not waited for */
} mmli_cuda_ahead;

typedef struct mmli_cuda_fft mmli_cuda_fft; /* plans: fft.cu */
typedef struct mmli_cuda_lt mmli_cuda_lt;   /* plans: linear.cu */

typedef struct mmli_cuda {
    int gpu;  /* its number */
    bool one; /* there is no other, so every thread uses it */
    cudaStream_t stream;
    cudaMemPool_t pool; /* keeps what is freed: a warm step does not go to the driver */
    cublasHandle_t blas;
    int processors;       /* multiprocessors of the GPU */
    size_t shared_most;   /* bytes of shared memory a block may have (above 48 KiB: cudaFuncSetAttribute) */
    mmli_cuda_buffer scratch[MMLI_CUDA_SLOTS];
    mmli_cuda_staging staging;
    mmli_cuda_ahead ahead;
    mmli_cuda_fft *fft;
    mmli_cuda_lt *lt;
    mmli_cuda_step step;
} mmli_cuda;

static inline mmli_cuda *mmli_cuda_of(const mmli_device *dv)
{
    return static_cast<mmli_cuda *>(dv->impl);
}

/* The stream that computes waits for what has been sent. */
void mmli_cuda_join(mmli_cuda *cuda);

/* The stream to queue on, whatever it is. What a thread launches goes to the GPU that it has chosen last, which must be the stream's. */
static inline cudaStream_t mmli_cuda_stream(const mmli_device *dv)
{
    mmli_cuda *cuda = mmli_cuda_of(dv);

    if (!cuda->one)
        (void)cudaSetDevice(cuda->gpu); /* a failure comes back from the launch */
    if (cuda->ahead.pending)
        mmli_cuda_join(cuda); /* so too */
    if (cuda->step.waiting)
        mmli_cuda_step_hurry(&cuda->step); /* a failure comes back from the next call that waits, or from step_end */
    return cuda->stream;
}

/* Number i of those that vary in this call. Read in kernels by get(). */
template <class T> static inline mmli_varying<T> mmli_cuda_vary(const mmli_device *dv, size_t i, T given)
{
    const uint64_t *at = mmli_cuda_of(dv)->step.given;

    return mmli_varying<T>{at ? reinterpret_cast<const T *>(at + i) : nullptr, given};
}

/* ---- the numbers behind an mmli_mem: NULL stays NULL ------------------------------------------------ */
static inline float *dev_f(mmli_mem *p) { return reinterpret_cast<float *>(p); }
static inline const float *dev_f(const mmli_mem *p) { return reinterpret_cast<const float *>(p); }
static inline double *dev_d(mmli_mem *p) { return reinterpret_cast<double *>(p); }
static inline const double *dev_d(const mmli_mem *p) { return reinterpret_cast<const double *>(p); }
static inline const int32_t *dev_i32(const mmli_mem *p) { return reinterpret_cast<const int32_t *>(p); }
static inline const int64_t *dev_i64(const mmli_mem *p) { return reinterpret_cast<const int64_t *>(p); }

/* ---- errors --------------------------------------------------------------------------------------- */
/* MML_OK, or a failure whose message names the call and says what CUDA says. */
mml_status mmli_cuda_check(cudaError_t e, const char *call);
mml_status mmli_cuda_check_blas(cublasStatus_t s, const char *call);
/* The same behind a launch. */
mml_status mmli_cuda_check_launch(cudaError_t e, const char *kernel);

/* Returns from the function on a failure. (Not MML_TRY: C++ has no goto past a declaration.) */
#define MMLI_CUDA_TRY(call)                                                                        \
    do {                                                                                           \
        const mml_status try_ = (call);                                                            \
        if (try_ != MML_OK)                                                                        \
            return try_;                                                                           \
    } while (0)
#define MMLI_CUDA_CALL(call) MMLI_CUDA_TRY(mmli_cuda_check((call), #call))

/* ---- memory --------------------------------------------------------------------------------------- */
/* *out = memory of the stream, 256-byte aligned; cuda_alloc and scratch. */
mml_status mmli_cuda_new(mmli_device *dv, void **out, size_t bytes);
/* At least `bytes` of scratch, contents undefined: grown, never shrunk, so that warm steps allocate nothing. Fails where a step is
 * captured: what is captured has been done before, with the same sizes. */
mml_status mmli_cuda_scratch(mmli_device *dv, mmli_cuda_slot slot, size_t bytes, void **out);

/* *out += part[0] + .. + part[n-1], in an order that follows from n: optim.cu. */
mml_status mmli_cuda_add_total(mmli_device *dv, double *out, const double *part, size_t n);

/* Transforms `lines` arrays of n >= 2 complex numbers, one behind the other, in place; forward, not scaled: fft.cu. */
mml_status mmli_cuda_fft_lines(mmli_device *dv, float2 *z, size_t n, size_t lines);

/* Plans of fft.cu and linear.cu; NULL is fine. */
void mmli_cuda_fft_free(mmli_cuda_fft *plans);
void mmli_cuda_lt_free(mmli_cuda_lt *plans);

/* Written down with the calls of a step; false: it has to be done now. */
bool mmli_cuda_step_upload(mmli_cuda_step *s, void *dst, const void *src, size_t bytes);

mml_status mmli_cuda_staging_open(mmli_cuda_staging *s);
void mmli_cuda_staging_close(mmli_cuda_staging *s);
void mmli_cuda_ahead_close(mmli_cuda_ahead *a);
mml_status mmli_cuda_staging_upload(mmli_cuda_staging *s, cudaStream_t stream, void *dst, const void *src, size_t bytes);

/* ---- launching -------------------------------------------------------------------------------------- */
/* MMLI_LAUNCH(dv, kernel, grid, block, shared_bytes, arguments...) gives an mml_status. A kernel that is a template
 * with a comma goes in brackets: (kernel<float, 3>). No grid may be empty: return before it. */
#ifdef __CUDACC__
#define MMLI_LAUNCH(dv, kernel, grid, block, shared, ...)                                          \
    mmli_cuda_check_launch(                                                                        \
        (kernel<<<(grid), (block), (shared), mmli_cuda_stream(dv)>>>(__VA_ARGS__), cudaGetLastError()), #kernel)
#define MMLI_DYNAMIC_SHARED(type, name)                                                            \
    extern __shared__ __align__(16) unsigned char mmli_dynamic_shared_[];                          \
    type *const name = reinterpret_cast<type *>(mmli_dynamic_shared_)
#else
#define MMLI_LAUNCH(dv, kernel, grid, block, shared, ...)                                          \
    mmli_cuda_check_launch(                                                                        \
        (mmlt_cuda_launch((grid), (block), (shared), mmli_cuda_stream(dv), kernel, __VA_ARGS__), cudaGetLastError()), #kernel)
#define MMLI_DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(mmlt_cuda_dynamic_shared())
#endif

enum {
    MMLI_WARP = 32,
    MMLI_CUDA_BLOCK = 256,      /* threads of an ordinary block */
    MMLI_CUDA_GRID_YZ = 65535   /* the most blocks along y and z; x has 2^31 - 1 */
};

static inline size_t mmli_cuda_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }

/* Blocks for n pieces of work, each of `per_block`, in a kernel with a grid-stride loop: no more than keep the GPU busy. */
static inline unsigned mmli_cuda_blocks(const mmli_device *dv, size_t n, size_t per_block)
{
    const size_t most = 32 * static_cast<size_t>(mmli_cuda_of(dv)->processors);
    const size_t need = mmli_cuda_ceil_div(n, per_block);

    return static_cast<unsigned>(need < most ? need : most);
}

/* ---- the table ---------------------------------------------------------------------------------------- */
extern "C" {
extern const mmli_backend mmli_backend_cuda;
extern const mmli_backend_group mmli_cuda_group; /* group.cu */

#define MML_KERNEL(kernel, args) mml_status cuda_##kernel args;
#include "backends/kernels.def"
#undef MML_KERNEL
}

mml_status cuda_open(mmli_device *dv, int threads);
void cuda_close(mmli_device *dv);
mml_status cuda_alloc(mmli_device *dv, mmli_mem **out, size_t bytes);
void cuda_free(mmli_device *dv, mmli_mem *p);
mml_status cuda_upload(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes);
mml_status cuda_turn(mmli_device *dv);
mml_status cuda_send(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes);
mml_status cuda_download(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes);
mml_status cuda_copy(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes);
mml_status cuda_sync(mmli_device *dv);
mml_status cuda_step_begin(mmli_device *dv);
mml_status cuda_step_end(mmli_device *dv, bool *again);

#endif
