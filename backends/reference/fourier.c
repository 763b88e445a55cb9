/* fourier.c - discrete Fourier transforms as the sums that define them, O(n^2) along an axis, any
 * size, in float64. */
#include <math.h>

#include "backends/reference/ref.h"
#include "util/alloc.h"
#include "util/error.h"

#define TWO_PI 6.28318530717958647692528676655900577

/* cosine[j] = cos(2 pi j / n), sine[j] = sign sin(2 pi j / n); sine may be NULL */
static void roots(double *cosine, double *sine, size_t n, int sign)
{
    for (size_t j = 0; j < n; j++) {
        cosine[j] = cos(TWO_PI * (double)j / (double)n);
        if (sine)
            sine[j] = sign * sin(TWO_PI * (double)j / (double)n);
    }
}

/* In place, n elements `stride` apart: y[k] = sum_t x[t] exp(sign 2 pi i k t / n). `tmp` has 4 n. */
static void line(double *re, double *im, size_t n, size_t stride, int sign, double *tmp)
{
    double *cosine = tmp, *sine = tmp + n, *yr = tmp + 2 * n, *yi = tmp + 3 * n;

    roots(cosine, sine, n, sign);
    for (size_t k = 0; k < n; k++) {
        yr[k] = yi[k] = 0;
        for (size_t t = 0; t < n; t++) {
            const double xr = re[t * stride], xi = im[t * stride], wr = cosine[k * t % n], wi = sine[k * t % n];

            yr[k] += xr * wr - xi * wi;
            yi[k] += xr * wi + xi * wr;
        }
    }
    for (size_t k = 0; k < n; k++) {
        re[k * stride] = yr[k];
        im[k * stride] = yi[k];
    }
}

/* Real input: y[-k] is the conjugate of y[k], so where k = -k along every transformed axis y[k] is real. */
static void make_real(float *yi, size_t c, size_t d, int axes)
{
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < d; j++)
            if ((!(axes & MMLI_AXIS_C) || 2 * i % c == 0) && (!(axes & MMLI_AXIS_D) || 2 * j % d == 0))
                yi[i * d + j] = 0;
}

mml_status REF(fft)(mmli_device *dv, mmli_mem *yr_, mmli_mem *yi_, const mmli_mem *xr_, const mmli_mem *xi_,
                    size_t batch, size_t c, size_t d, int axes, int sign, float scale)
{
    float *yr = ref_f(yr_), *yi = ref_f(yi_);
    const float *xr = ref_f(xr_), *xi = ref_f(xi_);
    const size_t n = c * d;
    double *re = NULL, *im = NULL, *tmp = NULL;
    mml_status st = MML_OK;

    (void)dv;
    MML_TRY(mmli_calloc(&re, n, sizeof *re));
    MML_TRY(mmli_calloc(&im, n, sizeof *im));
    MML_TRY(mmli_calloc(&tmp, c > d ? c : d, 4 * sizeof *tmp));
    for (size_t b = 0; b < batch; b++) {
        for (size_t i = 0; i < n; i++) {
            re[i] = (double)xr[b * n + i];
            im[i] = xi ? (double)xi[b * n + i] : 0;
        }
        for (size_t r = 0; (axes & MMLI_AXIS_D) && r < c; r++)
            line(re + r * d, im + r * d, d, 1, sign, tmp);
        for (size_t j = 0; (axes & MMLI_AXIS_C) && j < d; j++)
            line(re + j, im + j, c, d, sign, tmp);
        for (size_t i = 0; i < n; i++) {
            yr[b * n + i] = (float)((double)scale * re[i]);
            if (yi)
                yi[b * n + i] = (float)((double)scale * im[i]);
        }
        if (!xi && yi)
            make_real(yi + b * n, c, d, axes);
    }
out:
    mmli_free(re);
    mmli_free(im);
    mmli_free(tmp);
    return st;
}

/* y[k,:] = (or +=) sum_t x[t,:] cos(2 pi k t / len) in every segment */
static mml_status segment_cosine(float *y, const float *x, const int64_t *off, size_t segs, size_t cols, bool adding)
{
    double *cosine = NULL;
    size_t longest = 0;
    mml_status st = MML_OK;

    for (size_t s = 0; s < segs; s++)
        longest = ref_len(off, s) > longest ? ref_len(off, s) : longest;
    MML_TRY(mmli_calloc(&cosine, longest, sizeof *cosine));
    for (size_t s = 0; s < segs; s++) {
        const size_t first = ref_first(off, s), len = ref_len(off, s);

        roots(cosine, NULL, len, 1);
        for (size_t k = 0; k < len; k++)
            for (size_t j = 0; j < cols; j++) {
                const size_t at = (first + k) * cols + j;
                double sum = adding ? (double)y[at] : 0;

                for (size_t t = 0; t < len; t++)
                    sum += (double)x[(first + t) * cols + j] * cosine[k * t % len];
                y[at] = (float)sum;
            }
    }
out:
    mmli_free(cosine);
    return st;
}

mml_status REF(segment_dft_real)(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, const int64_t *host,
                                 size_t segs, size_t cols)
{
    (void)dv;
    (void)host;
    return segment_cosine(ref_f(y), ref_f(x), ref_i64(off), segs, cols, false);
}

mml_status REF(segment_dft_real_grad)(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                      const int64_t *host, size_t segs, size_t cols)
{
    (void)dv;
    (void)host;
    return segment_cosine(ref_f(dx), ref_f(dy), ref_i64(off), segs, cols, true);
}
