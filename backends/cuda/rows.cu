/* rows.cu - rows of matrices and groups of equally many rows. */
#include "backends/cuda/map.h"
#include "backends/cuda/sums.h"

namespace {

struct add_weighted {
    float *y;
    const float *x, *w;
    size_t cols;
    __device__ void operator()(size_t r, size_t j) const
    {
        const float by = w[r];

        if (by != 0) /* also keeps a NaN of an absent row out: 0 * NaN = NaN */
            y[r * cols + j] = fmaf(by, x[r * cols + j], y[r * cols + j]);
    }
};
struct put_repeated {
    float *y;
    const float *x;
    size_t n;
    __device__ void operator()(size_t g, size_t i) const { y[g * n + i] = x[i]; }
};
struct put_spread {
    float *y;
    const float *x;
    size_t len, cols;
    __device__ void operator()(size_t r, size_t j) const { y[r * cols + j] = x[r / len * cols + j]; }
};
struct put_mean {
    float *y;
    size_t cols, len;
    __device__ void operator()(size_t g, size_t j, double sum) const
    {
        y[g * cols + j] = static_cast<float>(sum / static_cast<double>(len));
    }
};
struct add_mean_grad {
    float *dx;
    const float *dy;
    size_t len, cols;
    __device__ void operator()(size_t r, size_t j) const
    {
        dx[r * cols + j] += dy[r / len * cols + j] / static_cast<float>(len);
    }
};

/* idx is read once a cell, from cache after the first */
template <bool ADD, bool INTO> struct move_block {
    float *y;
    const float *x;
    const int32_t *idx;
    size_t block;
    __device__ void operator()(size_t j, size_t i) const
    {
        const size_t there = static_cast<size_t>(idx[j]) * block + i, here = j * block + i;
        float *to = y + (INTO ? there : here);
        const float value = x[INTO ? here : there];

        *to = ADD ? *to + value : value;
    }
};

} // namespace

mml_status cuda_col_sum_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t rows, size_t cols)
{
    return column_sums(dv, dev_f(x), rows, cols, sums_add{dev_f(y), cols});
}

mml_status cuda_axpy_rows(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *w, size_t rows, size_t cols)
{
    return cells(dv, rows, cols, add_weighted{dev_f(y), dev_f(x), dev_f(w), cols});
}

mml_status cuda_repeat(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t n)
{
    return cells(dv, groups, n, put_repeated{dev_f(y), dev_f(x), n});
}

mml_status cuda_spread(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len, size_t cols)
{
    return cells(dv, groups * len, cols, put_spread{dev_f(y), dev_f(x), len, cols});
}

mml_status cuda_spread_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len, size_t cols)
{
    return group_sums(dv, dev_f(dy), groups * len, groups, len, cols, sums_add{dev_f(dx), cols});
}

mml_status cuda_group_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t groups, size_t len, size_t cols)
{
    return group_sums(dv, dev_f(x), groups * len, groups, len, cols, put_mean{dev_f(y), cols, len});
}

mml_status cuda_group_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, size_t groups, size_t len, size_t cols)
{
    return cells(dv, groups * len, cols, add_mean_grad{dev_f(dx), dev_f(dy), len, cols});
}

mml_status cuda_gather(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n, size_t block)
{
    return cells(dv, n, block, move_block<false, false>{dev_f(y), dev_f(x), dev_i32(idx), block});
}

mml_status cuda_gather_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n, size_t block)
{
    return cells(dv, n, block, move_block<true, false>{dev_f(y), dev_f(x), dev_i32(idx), block});
}

mml_status cuda_scatter(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n, size_t block)
{
    return cells(dv, n, block, move_block<false, true>{dev_f(y), dev_f(x), dev_i32(idx), block});
}

mml_status cuda_scatter_grad(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *idx, size_t n, size_t block)
{
    return cells(dv, n, block, move_block<true, true>{dev_f(y), dev_f(x), dev_i32(idx), block});
}
