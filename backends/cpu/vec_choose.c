/* vec_choose.c - which inner loops to run, asked of the processor once a device is opened. */
#include "backends/cpu/vec.h"

#include <stdlib.h>
#include <string.h>

const mmli_vec *mmli_vec_choose(void)
{
#if defined(__x86_64__)
    const char *wish = getenv("MMLEGO_SIMD"); /* for tests and comparisons */
    const int level = !wish ? 2 : strcmp(wish, "avx2") == 0 ? 1 : strcmp(wish, "base") == 0 ? 0 : 2;

    __builtin_cpu_init();
    if (level >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &mmli_vec_avx512;
    if (level >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &mmli_vec_avx2;
#endif
    return &mmli_vec_base;
}
