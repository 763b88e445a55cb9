/* vec_avx2.c - inner loops for x86-64 with AVX2 and FMA. The build compiles this file with the flags
 * for them (m4/mml_simd.m4), which clang needs to call vector functions; the pragmas make it compile
 * without, too. Every other file keeps running on any x86-64. */
#include "backends/backend.h"
#include "backends/cpu/vec.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#ifdef __SANITIZE_ADDRESS__
#pragma GCC optimize("O2") /* at -O1, the usual of such a build, sums would be in memory, each access checked */
#endif
#pragma GCC target("avx2,fma")
#endif

#define W 8
#define VEC_TABLE mmli_vec_avx2
#define VEC_NAME "avx2"
#include "backends/cpu/vec_table.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
