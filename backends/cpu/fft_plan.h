/* fft_plan.h - the two FFT libraries behind one face: fft_fftw.c (FFTW3, the default) or fft_kiss.c
 * (kissfft), whichever configure found. Complex numbers are pairs (re, im), nothing is scaled.
 */
#ifndef MMLI_CPU_FFT_PLAN_H
#define MMLI_CPU_FFT_PLAN_H

#include <stddef.h>

#include "mmlego/base.h"

typedef struct mmli_fft_plan mmli_fft_plan;

/* For (c, d) arrays, transformed along the axes whose bits are set; sign -1 forward, +1 inverse. The
 * same sizes always give the same plan. Safe in several threads. */
mml_status mmli_fft_plan_new(mmli_fft_plan **out, size_t c, size_t d, int axes, int sign);
void mmli_fft_plan_free(mmli_fft_plan *plan);
/* in and out: c d pairs, 64-byte aligned, not the same; `in` may be overwritten. Safe in several
 * threads, each with its own arrays. */
void mmli_fft_plan_run(const mmli_fft_plan *plan, float *in, float *out);
/* "FFTW 3.3.10". Static. */
const char *mmli_fft_library(void);

#endif
