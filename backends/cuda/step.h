/* step.h - a training step as one graph (backend.h: step_begin, step_end). Included by cuda.h.
 *
 * Between the two, calls are not done but written down: which kernel, and its arguments, as cells of 8 bytes. Arguments that may
 * differ in steps that are alike (`mmli_cuda_varies`, calls.h) are written down apart. At the end:
 *
 *     a step that was never seen      its calls are done one after the other, and kept to compare with
 *     seen before, not captured yet   its calls are captured as a graph, which is launched
 *     captured                        the graph is launched: its calls are those of the graph, byte for byte
 *
 * So a graph is replayed only where the calls are the same, with the same sizes and the same memory, which the caller has just asked for:
 * none of that can be stale. What a graph uses besides belongs to the device: scratch memory and plans of cuFFT. When such a thing
 * is given back, `memory` goes up by one and what was captured before is of no use.
 *
 * Arguments that vary go to the GPU in one copy before the graph, into memory that its kernels read (mmli_varying). The same kernels run
 * without a graph and get them by value, so there is one arithmetic for both. What is uploaded in a step travels with them.
 *
 * Whatever else is asked of the device in between (a download, memory) ends the writing down: mmli_cuda_stream, through which everything
 * is queued, first does what is written down, and the rest of the step is done as it comes. A capture that fails has done nothing
 * yet: the same calls are then done one after the other.
 */
#ifndef MMLI_BACKENDS_CUDA_STEP_H
#define MMLI_BACKENDS_CUDA_STEP_H

#include <cuda_runtime.h>

#include "backends/backend.h"

enum {
    MMLI_CUDA_STEPS = 8,          /* kept: of each shape there are two, as what is sent lies in two sets of memory in turns */
    MMLI_CUDA_STEP_TRIES = 3,     /* of capturing a step, before it is left alone */
    MMLI_CUDA_STEP_UPLOAD = 16384 /* bytes: what is larger is uploaded as ever */
};

typedef struct mmli_cuda_cells {
    uint64_t *p;
    size_t n, room;
} mmli_cuda_cells;

/* A step that has been. */
typedef struct mmli_cuda_known {
    mmli_cuda_cells calls;
    cudaGraphExec_t graph; /* NULL: not captured, or not any more */
    uint64_t memory;       /* as of its capture */
    uint64_t used;
    int failed; /* captures */
} mmli_cuda_known;

typedef struct mmli_cuda_step {
    bool wanted;    /* MMLEGO_CUDA_GRAPHS is not 0 */
    bool open;      /* calls are written down */
    bool waiting;   /* there are some */
    bool capturing; /* nothing may be waited for, or asked of the driver */
    bool no_room;   /* on the host, for the call that is being written down */
    mmli_device *dv;
    mml_status st; /* of calls that were done before the end */
    mmli_cuda_cells calls, values;
    size_t host_cells; /* of the array on the host that the call being written down is given: calls.h */
    const uint64_t *given; /* on the GPU: values of the call that is being captured; NULL: it gets them itself */
    uint64_t memory;
    uint64_t clock;
    int n;
    mmli_cuda_known known[MMLI_CUDA_STEPS];
} mmli_cuda_step;

/* Reads what is written down. */
typedef struct mmli_cuda_reader {
    const uint64_t *call, *value;
} mmli_cuda_reader;
typedef mml_status (*mmli_cuda_doing)(mmli_device *dv, mmli_cuda_reader *r);

/* Room for `cells` more; false: there is none. */
bool mmli_cuda_cells_grow(mmli_cuda_cells *c, size_t cells);

/* Does what is written down; the rest of the step is done as it comes. */
void mmli_cuda_step_hurry(mmli_cuda_step *s);
void mmli_cuda_step_close(mmli_cuda_step *s);
/* What came of calls that were hurried; told once. */
mml_status mmli_cuda_step_status(mmli_cuda_step *s);

/* Held while a step is captured, and by whoever waits for a whole GPU, from whatever thread: neither may happen during the other. */
void mmli_cuda_lock(void);
void mmli_cuda_unlock(void);

/* A number that differs from step to step: beside the other arguments of the kernel, or, in a graph, where the step has put it. */
template <class T> struct mmli_varying {
    const T *at;
    T given;
    __device__ __forceinline__ T get() const { return at ? *at : given; }
};

#endif
