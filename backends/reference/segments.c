/* segments.c - reductions over the rows of each segment of a ragged batch. A segment without rows
 * gives 0 where it has an output row, and nothing where it has none. */
#include <math.h>

#include "backends/reference/ref.h"

mml_status REF(segment_softmax)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *off_, size_t segs,
                                size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++)
        for (size_t j = 0; j < cols; j++) {
            const size_t first = ref_first(off, s), len = ref_len(off, s);
            double most = -HUGE_VAL, sum = 0;

            /* Maximum first: scores reach 1e4, exp would overflow. */
            for (size_t t = first; t < first + len; t++)
                most = fmax(most, (double)x[t * cols + j]);
            for (size_t t = first; t < first + len; t++)
                sum += exp((double)x[t * cols + j] - most);
            for (size_t t = first; t < first + len; t++)
                y[t * cols + j] = (float)(exp((double)x[t * cols + j] - most) / sum);
        }
    return MML_OK;
}

/* dx = y (dy - sum y dy) */
mml_status REF(segment_softmax_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *y_, const mmli_mem *dy_,
                                     const mmli_mem *off_, size_t segs, size_t cols)
{
    float *dx = ref_f(dx_);
    const float *y = ref_f(y_), *dy = ref_f(dy_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++)
        for (size_t j = 0; j < cols; j++) {
            const size_t first = ref_first(off, s), len = ref_len(off, s);
            double dot = 0;

            for (size_t t = first; t < first + len; t++)
                dot += (double)y[t * cols + j] * (double)dy[t * cols + j];
            for (size_t t = first; t < first + len; t++) {
                const size_t at = t * cols + j;

                dx[at] = (float)((double)dx[at] + (double)y[at] * ((double)dy[at] - dot));
            }
        }
    return MML_OK;
}

mml_status REF(segment_sum)(mmli_device *dv, mmli_mem *y_, const mmli_mem *w_, const mmli_mem *x_,
                            const mmli_mem *off_, size_t segs, size_t cols)
{
    float *y = ref_f(y_);
    const float *w = ref_f(w_), *x = ref_f(x_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++)
        for (size_t j = 0; j < cols; j++) {
            const size_t first = ref_first(off, s), len = ref_len(off, s);
            double sum = 0;

            for (size_t t = first; t < first + len; t++)
                sum += (w ? (double)w[t] : 1) * (double)x[t * cols + j];
            y[s * cols + j] = (float)sum;
        }
    return MML_OK;
}

mml_status REF(segment_sum_grad)(mmli_device *dv, mmli_mem *dw_, mmli_mem *dx_, const mmli_mem *w_,
                                 const mmli_mem *x_, const mmli_mem *dy_, const mmli_mem *off_, size_t segs,
                                 size_t cols)
{
    float *dw = ref_f(dw_), *dx = ref_f(dx_);
    const float *w = ref_f(w_), *x = ref_f(x_), *dy = ref_f(dy_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++) {
        const size_t first = ref_first(off, s), len = ref_len(off, s);

        for (size_t t = first; t < first + len; t++) {
            if (dw) {
                double dot = 0;

                for (size_t j = 0; j < cols; j++)
                    dot += (double)x[t * cols + j] * (double)dy[s * cols + j];
                dw[t] = (float)((double)dw[t] + dot);
            }
            if (dx)
                for (size_t j = 0; j < cols; j++) {
                    const size_t at = t * cols + j;

                    dx[at] = (float)((double)dx[at] + (w ? (double)w[t] : 1) * (double)dy[s * cols + j]);
                }
        }
    }
    return MML_OK;
}

mml_status REF(segment_mean)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *off_, size_t segs,
                             size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++)
        for (size_t j = 0; j < cols; j++) {
            const size_t first = ref_first(off, s), len = ref_len(off, s);
            double sum = 0;

            for (size_t t = first; t < first + len; t++)
                sum += (double)x[t * cols + j];
            y[s * cols + j] = len > 0 ? (float)(sum / (double)len) : 0.0f;
        }
    return MML_OK;
}

mml_status REF(segment_mean_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *dy_, const mmli_mem *off_,
                                  size_t segs, size_t cols)
{
    float *dx = ref_f(dx_);
    const float *dy = ref_f(dy_);
    const int64_t *off = ref_i64(off_);

    (void)dv;
    for (size_t s = 0; s < segs; s++) {
        const size_t first = ref_first(off, s), len = ref_len(off, s);

        for (size_t t = first; t < first + len; t++)
            for (size_t j = 0; j < cols; j++) {
                const size_t at = t * cols + j;

                dx[at] = (float)((double)dx[at] + (double)dy[s * cols + j] / (double)len);
            }
    }
    return MML_OK;
}
