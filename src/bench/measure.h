/* measure.h - what the measuring files share: made-up numbers, memory of the process, options and results. */
#ifndef MMLI_BENCH_MEASURE_H
#define MMLI_BENCH_MEASURE_H

#include "backends/backend.h"
#include "mmlego/bench.h"

/* numbers.c: *out = n floats on dv, a function of the key; dv->k.free() also after a failure, unless NULL. */
mml_status mmli_bench_numbers(mmli_mem **out, mmli_device *dv, size_t n, uint64_t key);

/* limits.c: floating-point operations a second of C (m, n) = A B through the backend's gemm, each transposed or not; the best of as
 * many repeats as fit into `seconds`: what the machine can do, not what it did while something else ran. */
typedef struct mmli_bench_gemm {
    bool ta, tb;
    size_t m, n, k;
} mmli_bench_gemm;
mml_status mmli_bench_time_gemm(double *flops, mmli_device *dv, const mmli_bench_gemm *product, double seconds, uint64_t seed);

/* limits.c: bytes a second of vectors of n floats in the memory of a device that is not the host's: copied, and added into a third;
 * the best of as many repeats as fit into `seconds`. */
mml_status mmli_bench_time_memory(double *copy, double *sum, mmli_device *dv, size_t n, double seconds);

/* Defaults, and what is given on top, checked. */
mml_status mmli_bench_options_check(mml_bench_options *out, const mml_bench_options *given);
/* A result for the caller, whose struct_size says how much of it he knows. */
mml_status mmli_bench_give(void *out, const void *made, size_t size, const char *type);

#endif
