/* rows.c - rows of matrices and groups of equally many rows. */
#include "backends/reference/ref.h"

mml_status REF(col_sum_grad)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t rows, size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t j = 0; j < cols; j++) {
        double sum = 0;

        for (size_t r = 0; r < rows; r++)
            sum += (double)x[r * cols + j];
        y[j] = (float)((double)y[j] + sum);
    }
    return MML_OK;
}

mml_status REF(axpy_rows)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *w_, size_t rows,
                          size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_), *w = ref_f(w_);

    (void)dv;
    for (size_t r = 0; r < rows; r++) {
        if (w[r] == 0) /* also keeps a NaN of an absent row out: 0 * NaN = NaN */
            continue;
        for (size_t j = 0; j < cols; j++)
            y[r * cols + j] = (float)((double)y[r * cols + j] + (double)w[r] * (double)x[r * cols + j]);
    }
    return MML_OK;
}

mml_status REF(repeat)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t groups, size_t n)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t g = 0; g < groups; g++)
        for (size_t i = 0; i < n; i++)
            y[g * n + i] = x[i];
    return MML_OK;
}

mml_status REF(spread)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t groups, size_t len, size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t g = 0; g < groups; g++)
        for (size_t r = 0; r < len; r++)
            for (size_t j = 0; j < cols; j++)
                y[(g * len + r) * cols + j] = x[g * cols + j];
    return MML_OK;
}

/* sum over r of x[g len + r, j] */
static double group_sum(const float *x, size_t g, size_t len, size_t cols, size_t j)
{
    double sum = 0;

    for (size_t r = 0; r < len; r++)
        sum += (double)x[(g * len + r) * cols + j];
    return sum;
}

mml_status REF(spread_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *dy_, size_t groups, size_t len,
                            size_t cols)
{
    float *dx = ref_f(dx_);
    const float *dy = ref_f(dy_);

    (void)dv;
    for (size_t g = 0; g < groups; g++)
        for (size_t j = 0; j < cols; j++)
            dx[g * cols + j] = (float)((double)dx[g * cols + j] + group_sum(dy, g, len, cols, j));
    return MML_OK;
}

mml_status REF(group_mean)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, size_t groups, size_t len, size_t cols)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);

    (void)dv;
    for (size_t g = 0; g < groups; g++)
        for (size_t j = 0; j < cols; j++)
            y[g * cols + j] = (float)(group_sum(x, g, len, cols, j) / (double)len);
    return MML_OK;
}

mml_status REF(group_mean_grad)(mmli_device *dv, mmli_mem *dx_, const mmli_mem *dy_, size_t groups, size_t len,
                                size_t cols)
{
    float *dx = ref_f(dx_);
    const float *dy = ref_f(dy_);

    (void)dv;
    for (size_t g = 0; g < groups; g++)
        for (size_t r = 0; r < len; r++)
            for (size_t j = 0; j < cols; j++) {
                const size_t at = (g * len + r) * cols + j;

                dx[at] = (float)((double)dx[at] + (double)dy[g * cols + j] / (double)len);
            }
    return MML_OK;
}

mml_status REF(gather)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *idx_, size_t n, size_t block)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int32_t *idx = ref_i32(idx_);

    (void)dv;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < block; i++)
            y[j * block + i] = x[(size_t)idx[j] * block + i];
    return MML_OK;
}

mml_status REF(gather_grad)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *idx_, size_t n,
                            size_t block)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int32_t *idx = ref_i32(idx_);

    (void)dv;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < block; i++)
            y[j * block + i] += x[(size_t)idx[j] * block + i];
    return MML_OK;
}

mml_status REF(scatter)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *idx_, size_t n,
                        size_t block)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int32_t *idx = ref_i32(idx_);

    (void)dv;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < block; i++)
            y[(size_t)idx[j] * block + i] = x[j * block + i];
    return MML_OK;
}

mml_status REF(scatter_grad)(mmli_device *dv, mmli_mem *y_, const mmli_mem *x_, const mmli_mem *idx_, size_t n,
                             size_t block)
{
    float *y = ref_f(y_);
    const float *x = ref_f(x_);
    const int32_t *idx = ref_i32(idx_);

    (void)dv;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < block; i++)
            y[(size_t)idx[j] * block + i] += x[j * block + i];
    return MML_OK;
}
