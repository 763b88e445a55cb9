/* sums.h - sums over the rows of groups of rows, column by column, in float64 and in an order that follows from the sizes alone. */
#ifndef MMLI_BACKENDS_CUDA_SUMS_H
#define MMLI_BACKENDS_CUDA_SUMS_H

#include "backends/cuda/lanes.h"

/* For each group g of `len` rows (the last may end early, at `rows`) and each column j: out(g, j, sum). A block takes
 * blockDim.x columns of one group; its blockDim.y rows of threads (a power of two) each add every blockDim.y-th row, then
 * the halves are added. */
template <class T, class OUT>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) group_sums_kernel(const T *x, size_t rows, size_t groups, size_t len, size_t cols, OUT out)
{
    __shared__ double part[MMLI_CUDA_BLOCK];
    const unsigned at = threadIdx.y * blockDim.x + threadIdx.x;

    for (size_t g = blockIdx.y; g < groups; g += gridDim.y)
        for (size_t first = static_cast<size_t>(blockIdx.x) * blockDim.x; first < cols; first += item_step()) {
            const size_t j = first + threadIdx.x, end = g * len + len < rows ? g * len + len : rows;
            double sum = 0;

            for (size_t r = g * len + threadIdx.y; j < cols && r < end; r += blockDim.y)
                sum += static_cast<double>(x[r * cols + j]);
            part[at] = sum;
            __syncthreads();
            for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
                if (threadIdx.y < half)
                    part[at] += part[at + half * blockDim.x];
                __syncthreads();
            }
            if (threadIdx.y == 0 && j < cols)
                out(g, j, part[at]);
            __syncthreads();
        }
}

template <class T, class OUT>
static mml_status group_sums(mmli_device *dv, const T *x, size_t rows, size_t groups, size_t len, size_t cols, OUT out)
{
    unsigned across = 1, down = 1;
    size_t tiles;

    if (groups == 0 || cols == 0)
        return MML_OK;
    while (across < cols && across < MMLI_WARP)
        across *= 2;
    while (down < len && down < MMLI_CUDA_BLOCK / across)
        down *= 2;
    across = MMLI_CUDA_BLOCK / down;
    tiles = mmli_cuda_ceil_div(cols, across);
    return MMLI_LAUNCH(dv, (group_sums_kernel<T, OUT>),
                       dim3(static_cast<unsigned>(tiles < 65536 ? tiles : 65536),
                            static_cast<unsigned>(groups < 65535 ? groups : 65535)),
                       dim3(across, down), 0, x, rows, groups, len, cols, out);
}

struct sums_add {
    float *y;
    size_t cols;
    __device__ void operator()(size_t g, size_t j, double sum) const
    {
        y[g * cols + j] = static_cast<float>(static_cast<double>(y[g * cols + j]) + sum);
    }
};
struct sums_put {
    float *y;
    size_t cols;
    __device__ void operator()(size_t g, size_t j, double sum) const { y[g * cols + j] = static_cast<float>(sum); }
};
struct sums_keep {
    double *y;
    size_t cols;
    __device__ void operator()(size_t g, size_t j, double sum) const { y[g * cols + j] = sum; }
};

/* out(0, j, sum over all rows of x[:,j]): many rows are cut into groups, whose sums are added next. Uses MMLI_CUDA_SUMS. */
template <class OUT> static mml_status column_sums(mmli_device *dv, const float *x, size_t rows, size_t cols, OUT out)
{
    constexpr size_t LEAST = 256 /* rows of a group */, MOST = 512 /* blocks, about */;
    const size_t tiles = mmli_cuda_ceil_div(cols, MMLI_WARP);
    size_t groups = rows / LEAST, len;
    void *part;

    if (groups * tiles > MOST)
        groups = MOST / tiles;
    if (groups <= 1 || cols == 0)
        return group_sums(dv, x, rows, 1, rows, cols, out);
    len = mmli_cuda_ceil_div(rows, groups);
    groups = mmli_cuda_ceil_div(rows, len);
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_SUMS, groups * cols * sizeof(double), &part));
    MMLI_CUDA_TRY(group_sums(dv, x, rows, groups, len, cols, sums_keep{static_cast<double *>(part), cols}));
    return group_sums(dv, static_cast<const double *>(part), groups, 1, groups, cols, out);
}

#endif
