/* cpuinfo.c - what the CPU backend runs on: processor, BLAS and its kernels, FFT, vector code. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "backends/cpu/cpu.h"
#include "backends/cpu/fft_plan.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* "AMD EPYC 9354", as the processor spells it; "unknown". */
static void processor_name(char name[49])
{
    memcpy(name, "unknown", 8);
#if defined(__x86_64__)
    unsigned brand[13] = {0};
    const unsigned top = (unsigned)__get_cpuid_max(0x80000000u, NULL); /* last word: the closing 0 */
    const char *from = (const char *)brand;
    size_t n;

    if (top < 0x80000004u)
        return;
    for (unsigned i = 0; i < 3; i++)
        __get_cpuid(0x80000002u + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2], &brand[4 * i + 3]);
    from += strspn(from, " ");
    n = strlen(from);
    while (n > 0 && from[n - 1] == ' ')
        n--;
    memcpy(name, from, n);
    name[n] = '\0';
#endif
}

#if defined(HAVE_OPENBLAS) || !defined(HAVE_CONFIG_H)
#define WITH_OPENBLAS 1

static int has_avx512(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

const char *mml_blas_better_coretype(void)
{
    static const char *const with_avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    const char *core = openblas_get_corename(), *wish = getenv("OPENBLAS_CORETYPE");

    if (wish && *wish) /* the user's choice */
        return NULL;
    if (!core || !has_avx512() || !strstr(openblas_get_config(), "DYNAMIC_ARCH"))
        return NULL;
    for (size_t i = 0; i < sizeof with_avx512 / sizeof *with_avx512; i++)
        if (strcmp(core, with_avx512[i]) == 0)
            return NULL;
    return with_avx512[0];
}

static const char *threads_word(void)
{
    switch (openblas_get_parallel()) {
    case OPENBLAS_OPENMP:
        return "OpenMP";
    case OPENBLAS_THREAD:
        return "own threads, switched off";
    default:
        return "none";
    }
}
#else
const char *mml_blas_better_coretype(void)
{
    return NULL; /* no BLAS that chooses its kernels this way */
}
#endif

/* printf to the end of a text that may be full. */
static void add_line(char *text, size_t size, size_t *used, const char *key, const char *value)
{
    const int n = *used < size ? snprintf(text + *used, size - *used, "%s: %s\n", key, value) : 0;

    *used += n > 0 ? (size_t)n : 0;
}

size_t mmli_cpu_describe(char *text, size_t size)
{
    const mmli_vec *v = mmli_vec_choose();
    char name[49], line[256];
    size_t used = 0;

    if (size > 0)
        *text = '\0';
    processor_name(name);
    add_line(text, size, &used, "processor", name);
    snprintf(line, sizeof line, "%d, at most %d used", omp_get_num_procs(), omp_get_max_threads());
    add_line(text, size, &used, "processors", line);
    add_line(text, size, &used, "parallel loops", MML_THREADS);
    snprintf(line, sizeof line, "%s, exp and others from %s", v->name, v->math);
    add_line(text, size, &used, "vector code", line);
    add_line(text, size, &used, "fft", mmli_fft_library());
#ifdef WITH_OPENBLAS
    add_line(text, size, &used, "blas", openblas_get_config());
    add_line(text, size, &used, "blas kernels", openblas_get_corename());
    add_line(text, size, &used, "blas threads", threads_word());
    if (mml_blas_better_coretype()) {
        snprintf(line, sizeof line, "OpenBLAS runs %s kernels on a processor with AVX-512: set OPENBLAS_CORETYPE=%s",
                 openblas_get_corename(), mml_blas_better_coretype());
        add_line(text, size, &used, "warning", line);
    }
#else
    add_line(text, size, &used, "blas", MML_BLAS_NAME);
#endif
    return used;
}
