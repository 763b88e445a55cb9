/* lanes.h - device code that several kernels share: where a thread is in its grid, sums and maxima over the lanes of a
 * warp and the threads of a block. Every sum is taken in an order fixed by the number of threads. */
#ifndef MMLI_BACKENDS_CUDA_LANES_H
#define MMLI_BACKENDS_CUDA_LANES_H

#include "backends/cuda/cuda.h"

/* Number of this thread in a grid of one dimension, and how many there are. */
__device__ __forceinline__ size_t first_item() { return static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ size_t item_step() { return static_cast<size_t>(gridDim.x) * blockDim.x; }

/* Over all 32 lanes, which must all be there. Every lane gets the same bits: each step adds two numbers that the
 * partner adds as well, and a + b = b + a. */
template <class T> __device__ __forceinline__ T warp_sum(T x)
{
#pragma unroll
    for (int mask = MMLI_WARP / 2; mask > 0; mask /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, mask);
    return x;
}

template <class T> __device__ __forceinline__ T warp_max(T x)
{
#pragma unroll
    for (int mask = MMLI_WARP / 2; mask > 0; mask /= 2) {
        const T other = __shfl_xor_sync(0xffffffffu, x, mask);

        x = x > other ? x : other;
    }
    return x;
}

/* Over the threads of a block of one dimension (a multiple of 32, at most 1024). `memory`: 32 numbers of shared memory,
 * free for other use when it returns. Every thread gets the result. */
template <class T> __device__ __forceinline__ T block_sum(T x, T *memory)
{
    const unsigned lane = threadIdx.x % MMLI_WARP, warp = threadIdx.x / MMLI_WARP;
    T total;

    x = warp_sum(x);
    if (lane == 0)
        memory[warp] = x;
    __syncthreads();
    total = warp_sum(lane < blockDim.x / MMLI_WARP ? memory[lane] : T(0));
    __syncthreads();
    return total;
}

template <class T> __device__ __forceinline__ T block_max(T x, T *memory)
{
    const unsigned lane = threadIdx.x % MMLI_WARP, warp = threadIdx.x / MMLI_WARP;
    T most;

    x = warp_max(x);
    if (lane == 0)
        memory[warp] = x;
    __syncthreads();
    most = warp_max(memory[lane < blockDim.x / MMLI_WARP ? lane : 0]);
    __syncthreads();
    return most;
}

#endif
