/* vec_avx512.c - inner loops for x86-64 with AVX-512 (F, BW, DQ, VL), compiled like vec_avx2.c. */
#include "backends/backend.h"
#include "backends/cpu/vec.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#else
#pragma GCC push_options
#ifdef __SANITIZE_ADDRESS__
#pragma GCC optimize("O2") /* at -O1, the usual of such a build, sums would be in memory, each access checked */
#endif
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif

#define W 16
#define VEC_TABLE mmli_vec_avx512
#define VEC_NAME "avx512"
#include "backends/cpu/vec_table.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
