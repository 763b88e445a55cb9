/* blas.c - the only file that calls BLAS for matrix products. Called inside mmli_cpu_for, which sees
 * to it that the call stays on its thread. */
#include "backends/cpu/cpu.h"

#include <limits.h>

#if defined(HAVE_BLIS)
#include <blis.h>
#endif
#include <cblas.h>

/* OpenBLAS with POSIX threads of its own does not see OpenMP's: it would start some in every tile. BLIS takes its number from
 * the environment (BLIS_NUM_THREADS, OMP_NUM_THREADS), not from the thread that calls. The only way to stop either is a setting
 * of the process. */
void mmli_cpu_blas_prepare(void)
{
#if defined(HAVE_OPENBLAS) || !defined(HAVE_CONFIG_H)
    if (openblas_get_parallel() == OPENBLAS_THREAD && openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
#elif defined(HAVE_BLIS)
    if (bli_thread_get_num_threads() != 1)
        bli_thread_set_num_threads(1);
#endif
}

mml_status mmli_cpu_blas_fits(size_t m, size_t n, size_t k, size_t ld)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX || ld > INT_MAX)
        return mmli_fail(MML_E_SHAPE,
                         "matrix product of %zu x %zu x %zu (leading dimension %zu): a side is longer than %d", m, n, k,
                         ld, INT_MAX);
    return MML_OK;
}

void mmli_cpu_sgemm(bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a,
                    size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
