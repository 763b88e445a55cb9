/* complex.cu - complex numbers as two arrays: norms of columns, polar form, reciprocals. In float64 where float32 would
 * overflow or lose what must be exact: the arrays are small. */
#include "backends/cuda/map.h"

#define PI 3.14159265358979323846f
#define LEAST_NORM 1e-12 /* of a column; a column of zeros stays one */

namespace {

__device__ double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

/* The squares of float32 numbers neither overflow nor vanish in float64. */
__device__ double length(float re, float im)
{
    return isinf(re) || isinf(im) ? static_cast<double>(INFINITY) : sqrt(square(re) + square(im));
}

/* Sums over the rows of threads of a block, for every column of threads: part[threadIdx.x] in the end. blockDim.y is a power of two. */
__device__ void add_up(double *part, double sum)
{
    const unsigned at = threadIdx.y * blockDim.x + threadIdx.x;

    part[at] = sum;
    __syncthreads();
    for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
        if (threadIdx.y < half)
            part[at] += part[at + half * blockDim.x];
        __syncthreads();
    }
}

struct columns {
    float *yr, *yi, *norm;
    const float *xr, *xi;
    size_t batch, c, d;
};

__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) normalise_kernel(columns k)
{
    __shared__ double part[MMLI_CUDA_BLOCK];

    for (size_t b = blockIdx.y; b < k.batch; b += gridDim.y)
        for (size_t first = static_cast<size_t>(blockIdx.x) * blockDim.x; first < k.d; first += item_step()) {
            const size_t j = first + threadIdx.x;
            double sum = 0;
            float by;

            for (size_t r = threadIdx.y; j < k.d && r < k.c; r += blockDim.y) {
                const size_t at = (b * k.c + r) * k.d + j;

                sum += square(k.xr[at]) + (k.xi ? square(k.xi[at]) : 0);
            }
            add_up(part, sum);
            sum = sqrt(part[threadIdx.x]);
            by = static_cast<float>(sum < LEAST_NORM ? LEAST_NORM : sum); /* a NaN stays one */
            for (size_t r = threadIdx.y; j < k.d && r < k.c; r += blockDim.y) {
                const size_t at = (b * k.c + r) * k.d + j;

                k.yr[at] = k.xr[at] / by;
                if (k.xi)
                    k.yi[at] = k.xi[at] / by;
            }
            if (k.norm && threadIdx.y == 0 && j < k.d)
                k.norm[b * k.d + j] = static_cast<float>(sum);
            __syncthreads();
        }
}

struct columns_grad {
    float *dxr, *dxi;
    const float *yr, *yi, *norm, *dyr, *dyi;
    size_t batch, c, d;
};

/* dx += (dy - y Re(conj(y) . dy)) / norm; where the norm was raised to the least one, dx += dy / least */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) normalise_grad_kernel(columns_grad k)
{
    __shared__ double part[MMLI_CUDA_BLOCK];

    for (size_t b = blockIdx.y; b < k.batch; b += gridDim.y)
        for (size_t first = static_cast<size_t>(blockIdx.x) * blockDim.x; first < k.d; first += item_step()) {
            const size_t j = first + threadIdx.x;
            const double norm = j < k.d ? static_cast<double>(k.norm[b * k.d + j]) : 0;
            const double by = norm < LEAST_NORM ? LEAST_NORM : norm;
            double dot = 0;

            for (size_t r = threadIdx.y; norm > LEAST_NORM && r < k.c; r += blockDim.y) {
                const size_t at = (b * k.c + r) * k.d + j;

                dot += static_cast<double>(k.yr[at]) * static_cast<double>(k.dyr[at]);
                if (k.yi && k.dyi)
                    dot += static_cast<double>(k.yi[at]) * static_cast<double>(k.dyi[at]);
            }
            add_up(part, dot);
            dot = part[threadIdx.x];
            for (size_t r = threadIdx.y; j < k.d && r < k.c; r += blockDim.y) {
                const size_t at = (b * k.c + r) * k.d + j;

                if (k.dxr)
                    k.dxr[at] = static_cast<float>(
                        static_cast<double>(k.dxr[at]) +
                        (static_cast<double>(k.dyr[at]) - static_cast<double>(k.yr[at]) * dot) / by);
                if (k.dxi && k.yi)
                    k.dxi[at] = static_cast<float>(
                        static_cast<double>(k.dxi[at]) +
                        ((k.dyi ? static_cast<double>(k.dyi[at]) : 0) - static_cast<double>(k.yi[at]) * dot) / by);
            }
            __syncthreads();
        }
}

/* Threads for columns of c numbers, d of them side by side: rows of threads a power of two, no more than there are rows. */
dim3 column_block(size_t c, size_t d)
{
    unsigned across = 1, down = 1;

    while (across < d && across < MMLI_WARP)
        across *= 2;
    while (down < c && down < MMLI_CUDA_BLOCK / across)
        down *= 2;
    return dim3(MMLI_CUDA_BLOCK / down, down);
}

dim3 column_grid(size_t batch, size_t d, unsigned across)
{
    const size_t tiles = mmli_cuda_ceil_div(d, across);

    return dim3(static_cast<unsigned>(tiles < 65536 ? tiles : 65536), static_cast<unsigned>(batch < 65535 ? batch : 65535));
}

struct put_magnitude {
    __device__ float operator()(const float *x) const { return static_cast<float>(length(x[0], x[1])); }
};
struct put_phase {
    __device__ float operator()(const float *x) const
    {
        if (x[1] == 0) /* atan2 would give -pi for (-1, -0) and +-0 or +-pi for zeros */
            return x[0] < 0 ? PI : x[0] >= 0 ? 0.0f : x[0];
        return static_cast<float>(atan2(static_cast<double>(x[1]), static_cast<double>(x[0])));
    }
};
struct put_recip {
    __device__ float operator()(const float *x) const { return 1.0f / x[0]; }
};
struct put_unit {
    float *yr, *yi;
    const float *xr, *xi;
    __device__ void operator()(size_t, size_t i) const
    {
        const float re = xr[i], im = xi[i];
        const double size = length(re, im);

        yr[i] = size == 0 ? 1.0f : static_cast<float>(static_cast<double>(re) / size);
        yi[i] = size == 0 ? 0.0f : static_cast<float>(static_cast<double>(im) / size);
    }
};
struct put_polar {
    float *re, *im;
    const float *mag, *ph;
    __device__ void operator()(size_t, size_t i) const
    {
        float s, c;

        sincosf(ph[i], &s, &c);
        re[i] = mag[i] * c;
        im[i] = mag[i] * s;
    }
};

} // namespace

mml_status cuda_col_normalise(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, mmli_mem *norm, const mmli_mem *xr, const mmli_mem *xi,
                              size_t batch, size_t c, size_t d)
{
    const dim3 block = column_block(c, d);

    if (batch == 0 || d == 0)
        return MML_OK;
    return MMLI_LAUNCH(dv, normalise_kernel, column_grid(batch, d, block.x), block, 0,
                       columns{dev_f(yr), dev_f(yi), dev_f(norm), dev_f(xr), dev_f(xi), batch, c, d});
}

mml_status cuda_col_normalise_grad(mmli_device *dv, mmli_mem *dxr, mmli_mem *dxi, const mmli_mem *yr, const mmli_mem *yi,
                                   const mmli_mem *norm, const mmli_mem *dyr, const mmli_mem *dyi, size_t batch, size_t c, size_t d)
{
    const dim3 block = column_block(c, d);

    if (batch == 0 || d == 0)
        return MML_OK;
    return MMLI_LAUNCH(dv, normalise_grad_kernel, column_grid(batch, d, block.x), block, 0,
                       columns_grad{dev_f(dxr), dev_f(dxi), dev_f(yr), dev_f(yi), dev_f(norm), dev_f(dyr), dev_f(dyi), batch, c, d});
}

mml_status cuda_magnitude(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    return map(dv, y, re, im, n, put_magnitude());
}

mml_status cuda_phase(mmli_device *dv, mmli_mem *y, const mmli_mem *re, const mmli_mem *im, size_t n)
{
    return map(dv, y, re, im, n, put_phase());
}

mml_status cuda_unit(mmli_device *dv, mmli_mem *yr, mmli_mem *yi, const mmli_mem *xr, const mmli_mem *xi, size_t n)
{
    return cells(dv, 1, n, put_unit{dev_f(yr), dev_f(yi), dev_f(xr), dev_f(xi)});
}

mml_status cuda_from_polar(mmli_device *dv, mmli_mem *re, mmli_mem *im, const mmli_mem *mag, const mmli_mem *ph, size_t n)
{
    return cells(dv, 1, n, put_polar{dev_f(re), dev_f(im), dev_f(mag), dev_f(ph)});
}

mml_status cuda_recip(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n)
{
    return map(dv, y, x, n, put_recip());
}
