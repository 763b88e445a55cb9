/* races.cc - whether races between threads of a block are found: kernels that lack a barrier, and the same ones with it. Made and run by
 * races.sh, which gives the case's name and knows what ThreadSanitizer has to say of it. */
#include "emulated/cuda_runtime.h"

#include <stdio.h>

static const unsigned THREADS = 64;
enum order { NONE, SHUFFLE, WARP, BLOCK };

static __device__ void wait(order o)
{
    if (o == SHUFFLE)
        (void)__shfl_xor_sync(0xffffffffu, 1.0f, 1);
    if (o == WARP)
        __syncwarp();
    if (o == BLOCK)
        __syncthreads();
}

/* Each thread writes one number and reads that of a neighbour `by` threads on: of its own warp if by is less than 32 and o is not BLOCK.
 * again: whether the next round begins before the last one has been read everywhere. */
static __global__ void neighbours(float *y, unsigned by, order o, bool again)
{
    __shared__ float x[THREADS];
    float *const shared = static_cast<float *>(mmlt_cuda_dynamic_shared());
    const unsigned i = threadIdx.x, other = o == BLOCK ? (i + by) % THREADS : i / 32 * 32 + (i + by) % 32;
    float sum = 0;

    for (unsigned round = 0; round < 3; round++) {
        x[i] = (float)(i + round);
        shared[i] = (float)i;
        wait(o);
        sum += x[other] + shared[other];
        if (!again)
            wait(o);
    }
    y[i] = sum;
}

/* Two threads write one number of the result, each the same one. */
static __global__ void same_place(float *y)
{
    y[threadIdx.x / 2] = 1.0f;
}

static const struct {
    const char *name;
    order o;
    unsigned by;
    bool again;
} CASES[] = {
    {"nothing", NONE, 1, false},         {"shuffles", SHUFFLE, 1, false}, {"half-of-warps", WARP, 1, true},
    {"half-of-block", BLOCK, 40, true},  {"warps", WARP, 5, false},       {"block", BLOCK, 40, false},
};

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";
    const cudaMemPoolProps props = {cudaMemAllocationTypePinned, {cudaMemLocationTypeDevice, 0}};
    cudaMemPool_t pool;
    cudaStream_t stream;
    void *y;
    bool ran = false;

    if (cudaSetDevice(0) != cudaSuccess || cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaMemPoolCreate(&pool, &props) != cudaSuccess ||
        cudaMallocFromPoolAsync(&y, THREADS * sizeof(float), pool, stream) != cudaSuccess)
        return 2;
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++)
        if (strcmp(name, CASES[c].name) == 0) {
            mmlt_cuda_launch(2, THREADS, THREADS * sizeof(float), stream, neighbours, static_cast<float *>(y), CASES[c].by, CASES[c].o,
                             CASES[c].again);
            ran = true;
        }
    if (strcmp(name, "same-place") == 0) {
        mmlt_cuda_launch(1, THREADS, 0, stream, same_place, static_cast<float *>(y));
        ran = true;
    }
    if (!ran || cudaStreamSynchronize(stream) != cudaSuccess || cudaGetLastError() != cudaSuccess)
        return 2;
    return 0;
}
