/* fft_kiss.c - transforms through kissfft, for systems where FFTW's licence (GPL) does not fit. Rows
 * first, then columns; a transform along the columns reads with a stride and writes a column. */
#include "backends/cpu/fft_plan.h"

#if defined(HAVE_KISSFFT) && !defined(HAVE_FFTW3)
#include <kiss_fft.h>
#include <limits.h>
#include <string.h>

#include "backends/backend.h"
#include "util/alloc.h"
#include "util/error.h"

struct mmli_fft_plan {
    size_t c, d;
    kiss_fft_cfg rows, cols; /* along d, along c; NULL where not wanted */
};

/* In memory of ours: kissfft's own malloc could fail without a word. */
static mml_status configure(kiss_fft_cfg *out, size_t n, int sign)
{
    mml_status st = MML_OK;
    void *memory = NULL;
    size_t bytes = 0;

    *out = NULL;
    kiss_fft_alloc((int)n, sign > 0, NULL, &bytes);
    MML_TRY(mmli_calloc(&memory, 1, bytes));
    *out = kiss_fft_alloc((int)n, sign > 0, memory, &bytes);
    if (!*out)
        mmli_free(memory);
    MML_CHECK(*out, MML_E_BACKEND, "kissfft has no plan for %zu numbers", n);
out:
    return st;
}

mml_status mmli_fft_plan_new(mmli_fft_plan **out, size_t c, size_t d, int axes, int sign)
{
    mml_status st = MML_OK;
    mmli_fft_plan *p = NULL;

    *out = NULL;
    MML_CHECK(c <= INT_MAX && d <= INT_MAX, MML_E_SHAPE,
              "Fourier transform of %zu x %zu numbers: a side is longer than %d", c, d, INT_MAX);
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    p->c = c;
    p->d = d;
    if (axes & MMLI_AXIS_D)
        MML_TRY(configure(&p->rows, d, sign));
    if (axes & MMLI_AXIS_C)
        MML_TRY(configure(&p->cols, c, sign));
    *out = p;
    p = NULL;
out:
    mmli_fft_plan_free(p);
    return st;
}

void mmli_fft_plan_free(mmli_fft_plan *p)
{
    if (!p)
        return;
    mmli_free(p->rows);
    mmli_free(p->cols);
    mmli_free(p);
}

void mmli_fft_plan_run(const mmli_fft_plan *p, float *in_, float *out_)
{
    kiss_fft_cpx *in = (kiss_fft_cpx *)(void *)in_, *out = (kiss_fft_cpx *)(void *)out_;

    for (size_t r = 0; p->rows && r < p->c; r++)
        kiss_fft(p->rows, in + r * p->d, out + r * p->d);
    if (!p->rows)
        memcpy(out, in, p->c * p->d * sizeof *in);
    for (size_t j = 0; p->cols && j < p->d; j++) { /* `in` is free now: its start takes the column */
        kiss_fft_stride(p->cols, out + j, in, (int)p->d);
        for (size_t r = 0; r < p->c; r++)
            out[r * p->d + j] = in[r];
    }
}

const char *mmli_fft_library(void)
{
    return "kissfft";
}
#else
typedef int mmli_fft_kiss_not_built; /* ISO C wants something in a file */
#endif
