/* count_inside.h - what count.c and the wrappers in count_*.c share. */
#ifndef MMLI_BENCH_COUNT_INSIDE_H
#define MMLI_BENCH_COUNT_INSIDE_H

#include "bench/count.h"

/* State of an open counting device (dv->impl). */
typedef struct mmli_counter {
    mmli_device *inner; /* does the work */
    bool on;
    mmli_count count;
} mmli_counter;

static inline mmli_counter *mmli_counter_of(const mmli_device *dv)
{
    return dv->impl;
}

/* One call of a kernel; floats: 4 bytes each, moved. */
static inline void mmli_count_add(mmli_counter *c, mmli_kernel kernel, uint64_t matrix, uint64_t other, uint64_t floats)
{
    mmli_cost *cost = &c->count.kernel[kernel];

    cost->calls++;
    cost->matrix += matrix;
    cost->other += other;
    cost->bytes += sizeof(float) * floats;
}

/* Tokens of all segments: off[segs]. */
uint64_t mmli_count_tokens(mmli_counter *c, const mmli_mem *off, size_t segs);
/* Sum over the segments of the square of their tokens. */
uint64_t mmli_count_squares(mmli_counter *c, const mmli_mem *off, size_t segs);
/* Sum over the segments of len log2(len), the logarithm rounded up. */
uint64_t mmli_count_transforms(mmli_counter *c, const mmli_mem *off, size_t segs);
/* Rounded up; 0 for n <= 1. */
uint64_t mmli_count_log2(uint64_t n);

/* The end of every wrapper: adds the cost, runs the kernel of the wrapped backend. Costs are expressions of the
 * arguments, computed only while counting. */
#define MMLI_COUNTED(kernel_, matrix_, other_, floats_, ...)                                                           \
    do {                                                                                                               \
        mmli_counter *counter = mmli_counter_of(dv);                                                                   \
        if (counter->on)                                                                                               \
            mmli_count_add(counter, MMLI_KERNEL_##kernel_, (matrix_), (other_), (floats_));                            \
        return counter->inner->k.kernel_(counter->inner, __VA_ARGS__);                                                 \
    } while (0)

/* One wrapper a kernel, in count_*.c: a kernel without one does not link. */
#define MML_KERNEL(kernel, args) mml_status mmli_counted_##kernel args;
#include "backends/kernels.def"
#undef MML_KERNEL

#endif
