/* layernorm.cu - y = (x - mean) rstd gamma + beta, a warp a row, and its gradients.
 *
 * With h = (x - mean) rstd and g = dy gamma:  dx = rstd (g - mean(g) - h mean(g h)), dgamma = sum over rows of dy h, dbeta = sum
 * over rows of dy. Means, variances and sums over rows are in float64: rows may lie far from 0.
 *
 * Bound by memory: rows up to 1024 wide stay in registers, so that x is read and y written once; wider ones are read again for
 * each step, mostly from the cache. Sums over rows: a block adds some rows of 32 columns, a second kernel what the blocks
 * have, in order. */
#include "backends/cuda/layernorm.h"

#include "backends/cuda/lanes.h"

namespace {

enum {
    COLUMNS = 32,      /* a block of column sums is this wide, */
    DOWN = 8,          /* ... has so many rows of threads */
    LEAST_ROWS = 64,   /* ... and at least so many rows to add */
};

/* f(i, j) for the columns j of this lane, i counting them. N > 0: there are at most N, f may keep things in registers by i. */
template <int N, class F> __device__ __forceinline__ void each_column(size_t cols, F f)
{
    const size_t lane = threadIdx.x % MMLI_WARP;

    if constexpr (N == 0) {
        for (size_t j = lane; j < cols; j += MMLI_WARP)
            f(0, j);
    } else {
#pragma unroll
        for (int i = 0; i < N; i++)
            if (lane + static_cast<size_t>(i) * MMLI_WARP < cols)
                f(i, lane + static_cast<size_t>(i) * MMLI_WARP);
    }
}

/* A row: in registers (N > 0) or where it is. */
template <int N> struct lane_row {
    const float *from;
    float v[N > 0 ? N : 1];

    __device__ __forceinline__ lane_row(const float *x, size_t cols) : from(x)
    {
        if (N > 0)
            each_column<N>(cols, [&](int i, size_t j) { v[i] = x[j]; });
    }
    __device__ __forceinline__ float at(int i, size_t j) const { return N > 0 ? v[i] : from[j]; }
};

template <int N> __device__ __forceinline__ double mean_of(const lane_row<N> &row, size_t cols)
{
    double sum = 0;

    each_column<N>(cols, [&](int i, size_t j) { sum += static_cast<double>(row.at(i, j)); });
    return warp_sum(sum) / static_cast<double>(cols);
}

template <int N>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) normalise(float *y, float *stats, const float *x, const float *gamma,
                                                             const float *beta, size_t rows, size_t cols, float eps)
{
    for (size_t r = first_item() / MMLI_WARP; r < rows; r += item_step() / MMLI_WARP) {
        const lane_row<N> row(x + r * cols, cols);
        const double mean = mean_of<N>(row, cols);
        double var = 0;
        float rstd;

        each_column<N>(cols, [&](int i, size_t j) {
            const double d = static_cast<double>(row.at(i, j)) - mean;

            var += d * d;
        });
        var = warp_sum(var) / static_cast<double>(cols);
        rstd = static_cast<float>(1 / sqrt(var + static_cast<double>(eps)));
        each_column<N>(cols, [&](int i, size_t j) {
            const float d = static_cast<float>(static_cast<double>(row.at(i, j)) - mean);

            y[r * cols + j] = fmaf(d * rstd, gamma[j], beta[j]);
        });
        if (stats && threadIdx.x % MMLI_WARP == 0) {
            stats[2 * r] = static_cast<float>(mean);
            stats[2 * r + 1] = rstd;
        }
    }
}

/* No __restrict__: plus may be dx. */
template <int N>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) grad_rows(float *dx, bool add, const float *plus, const float *x,
                                                             const float *stats, const float *gamma, const float *dy,
                                                             size_t rows, size_t cols)
{
    for (size_t r = first_item() / MMLI_WARP; r < rows; r += item_step() / MMLI_WARP) {
        const lane_row<N> row(x + r * cols, cols), grad(dy + r * cols, cols);
        const double mean = mean_of<N>(row, cols); /* not the rounded one of stats */
        const float rstd = stats[2 * r + 1];
        float mean_g = 0, mean_gh = 0;

        each_column<N>(cols, [&](int i, size_t j) {
            const float g = grad.at(i, j) * gamma[j];

            mean_g += g;
            mean_gh = fmaf(g, static_cast<float>(static_cast<double>(row.at(i, j)) - mean) * rstd, mean_gh);
        });
        mean_g = warp_sum(mean_g) / static_cast<float>(cols);
        mean_gh = warp_sum(mean_gh) / static_cast<float>(cols);
        each_column<N>(cols, [&](int i, size_t j) {
            const float h = static_cast<float>(static_cast<double>(row.at(i, j)) - mean) * rstd;
            const float d = rstd * (grad.at(i, j) * gamma[j] - mean_g - h * mean_gh);
            const size_t at = r * cols + j;

            dx[at] = (add ? dx[at] : 0.0f) + (plus ? plus[at] : 0.0f) + d;
        });
    }
}

/* A block: 32 columns, rows from group * len on. sums (groups, 2, cols): of dy h (x NULL: not wanted), of dy. */
__global__ void __launch_bounds__(COLUMNS * DOWN) column_parts(double *sums, const float *x, const float *stats, const float *dy,
                                                              size_t rows, size_t len, size_t cols)
{
    __shared__ double part[2][DOWN][COLUMNS];
    const size_t j = static_cast<size_t>(blockIdx.x) * COLUMNS + threadIdx.x, first = blockIdx.y * len;
    const size_t end = first + len < rows ? first + len : rows;
    double sum_h = 0, sum = 0;

    if (j < cols)
#pragma unroll 4
        for (size_t r = first + threadIdx.y; r < end; r += DOWN) {
            const double g = static_cast<double>(dy[r * cols + j]);

            sum += g;
            if (x)
                sum_h += g * (static_cast<double>(x[r * cols + j]) - static_cast<double>(stats[2 * r])) *
                         static_cast<double>(stats[2 * r + 1]);
        }
    part[0][threadIdx.y][threadIdx.x] = sum_h;
    part[1][threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y < 2 && j < cols) {
        double all = 0;

        for (int i = 0; i < DOWN; i++)
            all += part[threadIdx.y][i][threadIdx.x];
        sums[(2 * static_cast<size_t>(blockIdx.y) + threadIdx.y) * cols + j] = all;
    }
}

/* blockIdx.y: 0 dgamma, 1 dbeta */
__global__ void __launch_bounds__(COLUMNS * DOWN) column_combine(float *dgamma, float *dbeta, const double *sums, size_t groups,
                                                                size_t cols)
{
    __shared__ double part[DOWN][COLUMNS];
    const size_t j = static_cast<size_t>(blockIdx.x) * COLUMNS + threadIdx.x;
    float *y = blockIdx.y == 0 ? dgamma : dbeta;
    double sum = 0;

    if (j < cols)
        for (size_t g = threadIdx.y; g < groups; g += DOWN)
            sum += sums[(2 * g + blockIdx.y) * cols + j];
    part[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && j < cols && y) {
        sum = 0;
        for (int i = 0; i < DOWN; i++)
            sum += part[i][threadIdx.x];
        y[j] = static_cast<float>(static_cast<double>(y[j]) + sum);
    }
}

mml_status grad_columns(mmli_device *dv, float *dgamma, float *dbeta, const float *x, const float *stats, const float *dy,
                        size_t rows, size_t cols)
{
    const size_t tiles = mmli_cuda_ceil_div(cols, COLUMNS), wanted = 8 * static_cast<size_t>(mmli_cuda_of(dv)->processors);
    size_t groups = mmli_cuda_ceil_div(wanted, tiles), len;
    void *sums;

    if (groups > mmli_cuda_ceil_div(rows, LEAST_ROWS))
        groups = mmli_cuda_ceil_div(rows, LEAST_ROWS);
    len = mmli_cuda_ceil_div(rows, groups);
    groups = mmli_cuda_ceil_div(rows, len);
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_NORM, groups * 2 * cols * sizeof(double), &sums));
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, column_parts, dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(groups)),
                              dim3(COLUMNS, DOWN), 0, static_cast<double *>(sums), dgamma ? x : nullptr, stats, dy, rows, len,
                              cols));
    return MMLI_LAUNCH(dv, column_combine, dim3(static_cast<unsigned>(tiles), 2), dim3(COLUMNS, DOWN), 0, dgamma, dbeta,
                       static_cast<const double *>(sums), groups, cols);
}

unsigned row_blocks(const mmli_device *dv, size_t rows) { return mmli_cuda_blocks(dv, rows, MMLI_CUDA_BLOCK / MMLI_WARP); }

} // namespace

/* kernel<N>, N the columns of a lane that registers hold. */
#define BY_WIDTH(kernel, ...)                                                                                                  \
    (cols <= 2 * MMLI_WARP    ? MMLI_LAUNCH(dv, kernel<2>, row_blocks(dv, rows), MMLI_CUDA_BLOCK, 0, __VA_ARGS__)              \
     : cols <= 8 * MMLI_WARP  ? MMLI_LAUNCH(dv, kernel<8>, row_blocks(dv, rows), MMLI_CUDA_BLOCK, 0, __VA_ARGS__)              \
     : cols <= 16 * MMLI_WARP ? MMLI_LAUNCH(dv, kernel<16>, row_blocks(dv, rows), MMLI_CUDA_BLOCK, 0, __VA_ARGS__)             \
     : cols <= 32 * MMLI_WARP ? MMLI_LAUNCH(dv, kernel<32>, row_blocks(dv, rows), MMLI_CUDA_BLOCK, 0, __VA_ARGS__)             \
                              : MMLI_LAUNCH(dv, kernel<0>, row_blocks(dv, rows), MMLI_CUDA_BLOCK, 0, __VA_ARGS__))

mml_status mmli_cuda_layernorm_dx(mmli_device *dv, float *dx, bool add, const float *plus, const float *x, const float *stats,
                                  const float *gamma, const float *dy, size_t rows, size_t cols)
{
    if (rows == 0 || cols == 0)
        return MML_OK;
    return BY_WIDTH(grad_rows, dx, add, plus, x, stats, gamma, dy, rows, cols);
}

extern "C" mml_status cuda_layernorm(mmli_device *dv, mmli_mem *y, mmli_mem *stats, const mmli_mem *x, const mmli_mem *gamma,
                                     const mmli_mem *beta, size_t rows, size_t cols, float eps)
{
    if (rows == 0 || cols == 0)
        return MML_OK;
    return BY_WIDTH(normalise, dev_f(y), dev_f(stats), dev_f(x), dev_f(gamma), dev_f(beta), rows, cols, eps);
}

extern "C" mml_status cuda_layernorm_grad(mmli_device *dv, mmli_mem *dx, mmli_mem *dgamma, mmli_mem *dbeta, const mmli_mem *x,
                                          const mmli_mem *stats, const mmli_mem *gamma, const mmli_mem *dy, size_t rows,
                                          size_t cols)
{
    if (rows == 0 || cols == 0)
        return MML_OK;
    if (dx)
        MMLI_CUDA_TRY(mmli_cuda_layernorm_dx(dv, dev_f(dx), true, nullptr, dev_f(x), dev_f(stats), dev_f(gamma), dev_f(dy), rows,
                                             cols));
    if (!dgamma && !dbeta)
        return MML_OK;
    return grad_columns(dv, dev_f(dgamma), dev_f(dbeta), dev_f(x), dev_f(stats), dev_f(dy), rows, cols);
}
