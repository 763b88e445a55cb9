/* map.h - one number out of one, two or three at the same place: the loop of the elementwise kernels. What is done is a functor
 * (nvcc's extended lambdas are no C++ for the emulator). */
#ifndef MMLI_BACKENDS_CUDA_MAP_H
#define MMLI_BACKENDS_CUDA_MAP_H

#include "backends/cuda/lanes.h"

template <int N> struct map_inputs {
    const float *x[N];
};

/* f(x): x[0 .. N-1] are the numbers of one place. Four at a time while `quads` last, where all addresses allow it. An output may
 * be an input: a place is read before it is written, by one thread. */
template <int N, class F> __global__ void __launch_bounds__(MMLI_CUDA_BLOCK) map_kernel(float *y, map_inputs<N> in, size_t n, size_t quads, F f)
{
    for (size_t q = first_item(); q < quads; q += item_step()) {
        float a[4][N];
        float4 r;

#pragma unroll
        for (int k = 0; k < N; k++) {
            const float4 v = reinterpret_cast<const float4 *>(in.x[k])[q];

            a[0][k] = v.x;
            a[1][k] = v.y;
            a[2][k] = v.z;
            a[3][k] = v.w;
        }
        r.x = f(a[0]);
        r.y = f(a[1]);
        r.z = f(a[2]);
        r.w = f(a[3]);
        reinterpret_cast<float4 *>(y)[q] = r;
    }
    for (size_t i = 4 * quads + first_item(); i < n; i += item_step()) {
        float a[N];

#pragma unroll
        for (int k = 0; k < N; k++)
            a[k] = in.x[k][i];
        y[i] = f(a);
    }
}

static inline bool map_aligned(const void *p)
{
    return reinterpret_cast<uintptr_t>(p) % sizeof(float4) == 0;
}

template <int N, class F> static mml_status map_launch(mmli_device *dv, float *y, const map_inputs<N> &in, size_t n, F f)
{
    bool wide = map_aligned(y);
    size_t quads;

    if (n == 0)
        return MML_OK;
    for (int k = 0; k < N; k++)
        wide = wide && map_aligned(in.x[k]);
    quads = wide ? n / 4 : 0;
    return MMLI_LAUNCH(dv, (map_kernel<N, F>), mmli_cuda_blocks(dv, wide ? mmli_cuda_ceil_div(n, 4) : n, MMLI_CUDA_BLOCK),
                       MMLI_CUDA_BLOCK, 0, y, in, n, quads, f);
}

template <class F> static mml_status map(mmli_device *dv, mmli_mem *y, const mmli_mem *a, size_t n, F f)
{
    return map_launch<1>(dv, dev_f(y), map_inputs<1>{{dev_f(a)}}, n, f);
}
template <class F> static mml_status map(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n, F f)
{
    return map_launch<2>(dv, dev_f(y), map_inputs<2>{{dev_f(a), dev_f(b)}}, n, f);
}
template <class F>
static mml_status map(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, const mmli_mem *c, size_t n, F f)
{
    return map_launch<3>(dv, dev_f(y), map_inputs<3>{{dev_f(a), dev_f(b), dev_f(c)}}, n, f);
}

/* f(r, j) for every cell of a (rows, cols) array: threads side by side along the columns, no division. */
template <class F> __global__ void __launch_bounds__(MMLI_CUDA_BLOCK) cells_kernel(size_t rows, size_t cols, F f)
{
    const size_t row_step = static_cast<size_t>(gridDim.y) * blockDim.y;

    for (size_t r = static_cast<size_t>(blockIdx.y) * blockDim.y + threadIdx.y; r < rows; r += row_step)
        for (size_t j = first_item(); j < cols; j += item_step())
            f(r, j);
}

template <class F> static mml_status cells(mmli_device *dv, size_t rows, size_t cols, F f)
{
    unsigned x = 1, most_y = MMLI_CUDA_GRID_YZ;
    size_t down, across;

    if (rows == 0 || cols == 0)
        return MML_OK;
    while (x < cols && x < MMLI_CUDA_BLOCK)
        x *= 2;
    across = mmli_cuda_ceil_div(cols, x);
    across = across < 1024 ? across : 1024;
    down = mmli_cuda_ceil_div(rows, MMLI_CUDA_BLOCK / x);
    down = down < most_y ? down : most_y;
    return MMLI_LAUNCH(dv, cells_kernel<F>, dim3(static_cast<unsigned>(across), static_cast<unsigned>(down)),
                       dim3(x, MMLI_CUDA_BLOCK / x), 0, rows, cols, f);
}

#endif
