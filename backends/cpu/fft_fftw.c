/* fft_fftw.c - transforms through FFTW3. Plans are estimated, not measured: the plan, and with it the
 * bits of a result, must not depend on how busy the machine was. */
#include "backends/cpu/fft_plan.h"

#if defined(HAVE_FFTW3)
#include <fftw3.h>
#include <limits.h>
#include <pthread.h>

#include "backends/backend.h"
#include "backends/cpu/cpu.h"
#include "util/alloc.h"

struct mmli_fft_plan {
    fftwf_plan plan;
};

/* FFTW's planner has global state; executing a plan has none. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

mml_status mmli_fft_plan_new(mmli_fft_plan **out, size_t c, size_t d, int axes, int sign)
{
    mml_status st = MML_OK;
    mmli_fft_plan *p = NULL;
    float *in = NULL, *to = NULL;
    fftwf_iodim dims[2], loops[2];
    int rank = 0, nloops = 0;
    size_t n;

    *out = NULL;
    MML_CHECK(mmli_mul_size(&n, c, d) && n <= INT_MAX, MML_E_SHAPE,
              "Fourier transform of %zu x %zu numbers: more than %d", c, d, INT_MAX);
    const fftwf_iodim rows = {(int)c, (int)d, (int)d}, cols = {(int)d, 1, 1};

    *((axes & MMLI_AXIS_C) ? &dims[rank++] : &loops[nloops++]) = rows;
    *((axes & MMLI_AXIS_D) ? &dims[rank++] : &loops[nloops++]) = cols;
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    MML_TRY(mmli_cpu_aligned(&in, n * 2 * sizeof *in));
    MML_TRY(mmli_cpu_aligned(&to, n * 2 * sizeof *to));
    pthread_mutex_lock(&planner);
    p->plan = fftwf_plan_guru_dft(rank, dims, nloops, loops, (fftwf_complex *)(void *)in, (fftwf_complex *)(void *)to,
                                  sign, FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    pthread_mutex_unlock(&planner);
    MML_CHECK(p->plan, MML_E_BACKEND, "FFTW has no plan for %zu x %zu numbers", c, d);
    *out = p;
    p = NULL;
out:
    mmli_cpu_aligned_free(in);
    mmli_cpu_aligned_free(to);
    mmli_free(p);
    return st;
}

void mmli_fft_plan_free(mmli_fft_plan *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&planner);
    fftwf_destroy_plan(p->plan);
    pthread_mutex_unlock(&planner);
    mmli_free(p);
}

void mmli_fft_plan_run(const mmli_fft_plan *p, float *in, float *out)
{
    fftwf_execute_dft(p->plan, (fftwf_complex *)(void *)in, (fftwf_complex *)(void *)out);
}

const char *mmli_fft_library(void)
{
    return fftwf_version;
}
#else
typedef int mmli_fft_fftw_not_built; /* ISO C wants something in a file */
#endif
