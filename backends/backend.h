/* backend.h - the table of functions through which everything numeric goes.
 *
 * A backend works on memory that the code above it cannot read: `mmli_mem` is an incomplete type, so
 * a dereference does not compile; tests/hidden runs the whole library on a backend whose addresses
 * fault when the host touches them. Addresses can be moved by the caller (mmli_at), as CUDA's can.
 *
 * Contents are float32 unless a comment in kernels.def says otherwise (int32 and int64 indices,
 * float64 accumulators). Calls are queued in order; only `download` and `sync` wait. Matrices are
 * row-major. A kernel with `_grad` in its name ADDS into what it gives, unless an argument asks for
 * less; the others overwrite.
 *
 * The same call with the same bytes gives the same bits for any number of threads.
 */
#ifndef MMLI_BACKENDS_BACKEND_H
#define MMLI_BACKENDS_BACKEND_H

#ifdef __cplusplus /* backends/cuda */
#include <atomic>
#else
#include <stdatomic.h>
#include <stdbool.h>
#endif
#include <stddef.h>
#include <stdint.h>

#include "mmlego/base.h"

#ifdef __cplusplus
extern "C" {
typedef std::atomic<size_t> mmli_users; /* of the same size and layout as C's */
#else
typedef atomic_size_t mmli_users;
#endif

typedef struct mmli_mem mmli_mem; /* device memory: never defined, never dereferenced */
typedef struct mmli_device mmli_device;

/* `count` elements of `size` bytes further on. NULL stays NULL. */
static inline mmli_mem *mmli_at_bytes(const mmli_mem *p, size_t bytes)
{
    return p ? (mmli_mem *)((uintptr_t)p + bytes) : NULL;
}
static inline mmli_mem *mmli_at(const mmli_mem *p, size_t floats)
{
    return mmli_at_bytes(p, floats * sizeof(float));
}

typedef enum mmli_act {
    MMLI_ACT_IDENTITY = 0,
    MMLI_ACT_RELU,
    MMLI_ACT_LEAKY, /* slope 0.01 */
    MMLI_ACT_ELU,   /* alpha 1 */
    MMLI_ACT_SELU,
    MMLI_ACT_TANH,
    MMLI_ACT_SIGMOID
} mmli_act;

typedef enum mmli_gate {
    MMLI_GATE_SELU = 0,     /* [a g] -> a * SELU(g): method.md 2 */
    MMLI_GATE_TANH_SIGMOID, /* [a b] -> tanh(a) * sigmoid(b): gated attention of ABMIL */
    MMLI_GATE_GELU          /* [a g] -> a * g Phi(g), Phi the normal distribution: Perceiver */
} mmli_gate;

/* Where the queries of a segment are. */
typedef enum mmli_query {
    MMLI_QUERY_SHARED = 0, /* q is (c, H e): the same for all segments */
    MMLI_QUERY_FIXED,      /* q is (segs c, H e): c rows a segment */
    MMLI_QUERY_RAGGED      /* q has one row a token (self-attention); c is ignored */
} mmli_query;

/* A residual feed-forward, y = x + drop(W2 (a * SELU(g)) + b2), [a g] = W1 LN(x) + b1: method.md 2. */
typedef struct mmli_ff {
    const mmli_mem *gamma, *beta; /* (d) of the LayerNorm */
    const mmli_mem *w1, *b1;      /* (2 f, d), (2 f) */
    const mmli_mem *w2, *b2;      /* (d, f), (d) */
    size_t d, f;
    float eps;    /* of the LayerNorm */
    float p;      /* dropout; 0 = none */
    uint64_t key; /* ... its stream: element i of the (rows, d) array is kept as in kernel `dropout` */
    size_t first; /* ... */
} mmli_ff;

/* Where its gradients go; shapes as above, each NULL when it is not wanted. */
typedef struct mmli_ff_grad {
    mmli_mem *dx; /* (rows, d); may be dy unless add_x */
    mmli_mem *gamma, *beta, *w1, *b1, *w2, *b2;
    bool add_x, add; /* added to what dx holds, what the others hold; false: overwritten, not read */
} mmli_ff_grad;

enum { MMLI_DECAY_EACH = 16 }; /* parameters that share a weight decay in kernel adamw */

/* What a training writes down on the device while it goes on (kernel `tally`), in float64: sums over the steps, and the first step whose
 * loss or gradient was not finite (0: none; steps are numbered from 1), with what they were. */
enum { MMLI_TALLY_LOSS = 0, MMLI_TALLY_NORM, MMLI_TALLY_FAILED, MMLI_TALLY_BAD_LOSS, MMLI_TALLY_BAD_SUMSQ, MMLI_TALLY };

enum { MMLI_AXIS_C = 1, MMLI_AXIS_D = 2 }; /* bits of `axes` in fft: rows axis (c), column axis (d) */

/* Sums over several devices of one backend; what is called when is group.c's affair. One state for all devices, *out. */
enum { MMLI_GROUP_SLOTS = 16 };
typedef enum mmli_group_type { MMLI_GROUP_F32 = 0, MMLI_GROUP_F64 } mmli_group_type;
typedef struct mmli_backend_group {
    mml_status (*open)(void **out, mmli_device *const *devices, size_t n);
    void (*close)(void *group);
    /* Ends the sums that are under way, when a device has failed: there are no others afterwards. */
    void (*abort)(void *group);
    /* By the thread of device i: what it has queued so far comes before the next sum in this slot. */
    mml_status (*mark)(void *group, size_t i, size_t slot);
    /* By one thread for all devices, when all have marked: every x[i] becomes the sum of all x, n numbers; queued. */
    mml_status (*sum)(void *group, size_t slot, mmli_mem *const *x, size_t n, mmli_group_type type);
    /* By the thread of device i: what it queues from now on comes after that sum. */
    mml_status (*wait)(void *group, size_t i, size_t slot);
} mmli_backend_group;

typedef struct mmli_backend {
    const char *name;
    /* mmli_mem is a plain address of the host: slots left NULL are the reference's (registry.c).
     * A table whose memory is not the host's must be complete. */
    bool host_memory;
    /* Which of the backend's devices: 1 in the table of cuda:1. 0 in the tables of this folder. */
    int index;
    /* Fills dv->impl. `threads` >= 1 is the most that a call may use. */
    mml_status (*open)(mmli_device *dv, int threads);
    void (*close)(mmli_device *dv);
    /* 64-byte aligned, contents undefined; bytes = 0 gives a valid pointer. */
    mml_status (*alloc)(mmli_device *dv, mmli_mem **out, size_t bytes);
    void (*free)(mmli_device *dv, mmli_mem *p);
    /* From the host. `src` is the caller's again when it returns, even where the copy is queued: it may be freed or
     * overwritten at once. */
    mml_status (*upload)(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes);
    /* Uploads that do not wait for the calls before them, so that the next batch comes in while this one is computed with. The
     * caller keeps two sets of memory, uses them in turns, and says when the other one's turn is: all calls that use a set lie between the
     * turn at which it was taken up and the next one. `send` is `upload` into the set whose turn it is, each byte once a turn, and may be
     * done as soon as the calls before the last turn but one have been; calls after it find it done. Both NULL where calls are
     * done as they come: then there is nothing to gain, and one set of memory will do. */
    mml_status (*turn)(mmli_device *dv);
    mml_status (*send)(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes);
    /* To the host, when all calls before it have been done; `dst` holds the values when it returns. */
    mml_status (*download)(mmli_device *dv, void *dst, const mmli_mem *src, size_t bytes);
    mml_status (*copy)(mmli_device *dv, mmli_mem *dst, const mmli_mem *src, size_t bytes);
    mml_status (*sync)(mmli_device *dv);
    /* The calls between the two are a training step, which others like it follow: the same calls, sizes and memory, with numbers that
     * differ where kernels.def says so. They may be held back until the end, which does them all, or until something is asked that has to
     * come behind them; a failure comes back then, or from the next download or sync. *again (NULL: nobody asks) = the backend had been
     * through this step and has done it as a whole. A step that fails half way need not be ended. Not with sums over several
     * devices (group) in between. Both NULL where calls are done as they come: mmli_step_begin. */
    mml_status (*step_begin)(mmli_device *dv);
    mml_status (*step_end)(mmli_device *dv, bool *again);
    const mmli_backend_group *group; /* NULL: its devices work alone */
#define MML_KERNEL(kernel, args) mml_status(*kernel) args;
#include "backends/kernels.def"
#undef MML_KERNEL
} mmli_backend;

/* One open device: a complete table (slots a backend leaves NULL come from the reference, when its
 * memory is the host's) and the backend's own state. Not for two threads at once: each predictor or
 * trainer opens its own. Its memory may be read by those of which mmli_device_same is true. */
struct mmli_device {
    mmli_backend k;
    void *impl;
    int threads;
    mmli_users users;
};

/* Where a backend makes nothing of steps, nothing. */
static inline mml_status mmli_step_begin(mmli_device *dv)
{
    return dv->k.step_begin ? dv->k.step_begin(dv) : MML_OK;
}
static inline mml_status mmli_step_end(mmli_device *dv)
{
    return dv->k.step_end ? dv->k.step_end(dv, NULL) : MML_OK;
}

/* Backends of this build: "cpu" first (the default), then "reference". NULL past the end. That of NVIDIA GPUs is in a module
 * (cuda/module.h), which is opened when it is asked for. */
const mmli_backend *mmli_backend_at(size_t i);

/* choose.c: names of devices. "cpu", "reference"; "cuda" or "cuda:N", GPU N from 0; "auto": cuda:0 where there is one, else cpu;
 * NULL = cpu. Gives a copy of the table with its index. */
mml_status mmli_device_find(mmli_backend *table, const char *name);
/* devices.c: one name, or several for a training that shares its batches: "cuda:0,1" (GPUs by number), "cuda:all",
 * "reference,reference" (plain loops, to compare with). At most MMLI_DEVICES_MOST, none of them twice. */
enum { MMLI_DEVICES_MOST = 16 };
typedef struct mmli_devices {
    size_t n;
    mmli_backend table[MMLI_DEVICES_MOST];
} mmli_devices;
mml_status mmli_devices_find(mmli_devices *out, const char *name);
/* Does the name stand for several, if there are several? */
bool mmli_devices_are_several(const char *name);
/* What a name stands for, in words, names of several devices too: "cpu", "cuda:0 (NVIDIA H100, 79.1 GiB, compute capability 9.0)"; for "auto" on a machine
 * without a GPU also why. */
mml_status mmli_device_words(char *text, size_t size, const char *name);
/* Lines "key: value" about the module for GPUs and what it finds, for mml_build_info. */
void mmli_cuda_describe(char *text, size_t size);

/* By name. threads 0 = as many as OpenMP would use. */
mml_status mmli_device_open(mmli_device **out, const char *name, int threads);
/* From a table not in the list: tests. */
mml_status mmli_device_open_table(mmli_device **out, const mmli_backend *table, int threads);
/* Of one backend and one GPU: kernels of the one can read and write the other's memory. */
bool mmli_device_same(const mmli_device *a, const mmli_device *b);
/* One more user: what lies in its memory may outlive the one who opened it. Gives dv. */
mmli_device *mmli_device_keep(mmli_device *dv);
/* One user less; the last one closes it, from whichever thread. NULL is fine. */
void mmli_device_close(mmli_device *dv);

extern const mmli_backend mmli_backend_reference;
extern const mmli_backend mmli_backend_cpu;

/* Lines "key: value" about the CPU backend for mmlego version --build; see mml_build_info. */
size_t mmli_cpu_describe(char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
