/* count.h - a backend that counts: every kernel adds what it costs, then does its work on the backend that it wraps.
 *
 * Costs follow from the arguments alone, so they are exact, the same on every machine and for any number of threads:
 * what `mmlego bench` divides times by, and what tests/bench holds warm steps to. Conventions:
 *   matrix  floating-point operations of matrix products, 2 m n k each; attention counts its two products forward (scores,
 *           values) and five backward (scores again, and four gradients), whether or not a backend saves any of them
 *   other   all other arithmetic; exp, log, tanh, sqrt and a division count as one
 *   bytes   each operand read once and each result written once (an added-to result: both): what must move when nothing
 *           is in a cache, and no more. A backend that keeps tiles in its caches can do with that; none can with less.
 */
#ifndef MMLI_BENCH_COUNT_H
#define MMLI_BENCH_COUNT_H

#include "backends/backend.h"

/* The kernels by number, as kernels.def has them. */
typedef enum mmli_kernel {
#define MML_KERNEL(kernel, args) MMLI_KERNEL_##kernel,
#include "backends/kernels.def"
#undef MML_KERNEL
    MMLI_N_KERNELS
} mmli_kernel;

typedef struct mmli_cost {
    uint64_t calls, matrix, other, bytes;
} mmli_cost;

typedef struct mmli_count {
    mmli_cost kernel[MMLI_N_KERNELS];
    uint64_t allocations;       /* device memory asked for */
    uint64_t moved;             /* bytes of upload, download and copy */
    uint64_t live, most;        /* bytes of device memory now, and at most; not reset */
} mmli_count;

/* A table that counts what `device` (NULL = cpu) does. It wraps by name, so devices opened from copies of the
 * table (a model's, a predictor's) count too, each for itself. */
mml_status mmli_count_table(mmli_backend *out, const char *device);

/* Counting begins with everything at 0 but live and most; a device is opened with counting off. dv: from such a table. */
void mmli_count_start(mmli_device *dv);
void mmli_count_stop(mmli_device *dv);
const mmli_count *mmli_count_of(const mmli_device *dv);
mmli_cost mmli_count_total(const mmli_count *count);

#endif
