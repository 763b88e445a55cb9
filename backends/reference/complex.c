/* complex.c - complex numbers as two arrays: norms of columns, polar form, reciprocals. */
#include <math.h>

#include "backends/reference/ref.h"

#define PI 3.14159265358979323846264338327950288
#define LEAST_NORM 1e-12 /* of a column; a column of zeros stays one */

mml_status REF(col_normalise)(mmli_device *dv, mmli_mem *yr_, mmli_mem *yi_, mmli_mem *norm_, const mmli_mem *xr_,
                              const mmli_mem *xi_, size_t batch, size_t c, size_t d)
{
    float *yr = ref_f(yr_), *yi = ref_f(yi_), *norm = ref_f(norm_);
    const float *xr = ref_f(xr_), *xi = ref_f(xi_);

    (void)dv;
    for (size_t b = 0; b < batch; b++)
        for (size_t j = 0; j < d; j++) {
            double sum = 0, by;

            for (size_t r = 0; r < c; r++) {
                const size_t at = (b * c + r) * d + j;

                sum += (double)xr[at] * (double)xr[at];
                if (xi)
                    sum += (double)xi[at] * (double)xi[at];
            }
            by = fmax(sqrt(sum), LEAST_NORM);
            for (size_t r = 0; r < c; r++) {
                const size_t at = (b * c + r) * d + j;

                yr[at] = (float)((double)xr[at] / by);
                if (xi)
                    yi[at] = (float)((double)xi[at] / by);
            }
            if (norm)
                norm[b * d + j] = (float)sqrt(sum);
        }
    return MML_OK;
}

/* dx = (dy - y Re(conj(y) . dy)) / norm; where the norm was raised to the least one, dx = dy / least */
mml_status REF(col_normalise_grad)(mmli_device *dv, mmli_mem *dxr_, mmli_mem *dxi_, const mmli_mem *yr_,
                                   const mmli_mem *yi_, const mmli_mem *norm_, const mmli_mem *dyr_,
                                   const mmli_mem *dyi_, size_t batch, size_t c, size_t d)
{
    float *dxr = ref_f(dxr_), *dxi = ref_f(dxi_);
    const float *yr = ref_f(yr_), *yi = ref_f(yi_), *norm = ref_f(norm_), *dyr = ref_f(dyr_), *dyi = ref_f(dyi_);

    (void)dv;
    for (size_t b = 0; b < batch; b++)
        for (size_t j = 0; j < d; j++) {
            const double n = (double)norm[b * d + j], by = fmax(n, LEAST_NORM);
            double dot = 0;

            for (size_t r = 0; n > LEAST_NORM && r < c; r++) {
                const size_t at = (b * c + r) * d + j;

                dot += (double)yr[at] * (double)dyr[at];
                if (yi && dyi)
                    dot += (double)yi[at] * (double)dyi[at];
            }
            for (size_t r = 0; r < c; r++) {
                const size_t at = (b * c + r) * d + j;

                if (dxr)
                    dxr[at] = (float)((double)dxr[at] + ((double)dyr[at] - (double)yr[at] * dot) / by);
                if (dxi && yi)
                    dxi[at] = (float)((double)dxi[at] + ((dyi ? (double)dyi[at] : 0) - (double)yi[at] * dot) / by);
            }
        }
    return MML_OK;
}

mml_status REF(magnitude)(mmli_device *dv, mmli_mem *y_, const mmli_mem *re_, const mmli_mem *im_, size_t n)
{
    float *y = ref_f(y_);
    const float *re = ref_f(re_), *im = ref_f(im_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)hypot((double)re[i], (double)im[i]);
    return MML_OK;
}

mml_status REF(phase)(mmli_device *dv, mmli_mem *y_, const mmli_mem *re_, const mmli_mem *im_, size_t n)
{
    float *y = ref_f(y_);
    const float *re = ref_f(re_), *im = ref_f(im_);

    (void)dv;
    for (size_t i = 0; i < n; i++) {
        if (im[i] == 0) /* atan2 would give -pi for (-1, -0) and +-0 or +-pi for zeros */
            y[i] = re[i] < 0 ? (float)PI : re[i] >= 0 ? 0.0f : re[i];
        else
            y[i] = (float)atan2((double)im[i], (double)re[i]);
    }
    return MML_OK;
}

mml_status REF(unit)(mmli_device *dv, mmli_mem *yr_, mmli_mem *yi_, const mmli_mem *xr_, const mmli_mem *xi_, size_t n)
{
    float *yr = ref_f(yr_), *yi = ref_f(yi_);
    const float *xr = ref_f(xr_), *xi = ref_f(xi_);

    (void)dv;
    for (size_t i = 0; i < n; i++) {
        const double re = (double)xr[i], im = (double)xi[i], size = hypot(re, im);

        yr[i] = size == 0 ? 1.0f : (float)(re / size);
        yi[i] = size == 0 ? 0.0f : (float)(im / size);
    }
    return MML_OK;
}

mml_status REF(from_polar)(mmli_device *dv, mmli_mem *re_, mmli_mem *im_, const mmli_mem *mag_, const mmli_mem *ph_,
                           size_t n)
{
    float *re = ref_f(re_), *im = ref_f(im_);
    const float *mag = ref_f(mag_), *ph = ref_f(ph_);

    (void)dv;
    for (size_t i = 0; i < n; i++) {
        re[i] = (float)((double)mag[i] * cos((double)ph[i]));
        im[i] = (float)((double)mag[i] * sin((double)ph[i]));
    }
    return MML_OK;
}

mml_status REF(recip)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t n)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / x[i];
    return MML_OK;
}
