/* philox.h - the random numbers of src/util/rng.h on the device: Philox4x32-10 (Salmon et al., SC 2011), the same masks
 * as on every other backend. */
#ifndef MMLI_BACKENDS_CUDA_PHILOX_H
#define MMLI_BACKENDS_CUDA_PHILOX_H

#include "backends/cuda/cuda.h"

/* The uniform numbers 4 q .. 4 q + 3 of stream `key`, in [0, 1). */
__device__ __forceinline__ void philox_uniform4(float u[4], uint64_t key, uint64_t q)
{
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    uint32_t c0 = static_cast<uint32_t>(q), c1 = static_cast<uint32_t>(q >> 32), c2 = 0, c3 = 0;

#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0, p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;

        c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<uint32_t>(p1);
        c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<uint32_t>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    /* 24 bits: exact, and 1 cannot come out */
    u[0] = static_cast<float>(c0 >> 8) * 0x1p-24f;
    u[1] = static_cast<float>(c1 >> 8) * 0x1p-24f;
    u[2] = static_cast<float>(c2 >> 8) * 0x1p-24f;
    u[3] = static_cast<float>(c3 >> 8) * 0x1p-24f;
}

/* Number i alone. Whoever needs neighbours takes all four at once. */
/* The uniform numbers i .. i + 3. */
__device__ __forceinline__ void philox_uniform4_from(float u[4], uint64_t key, uint64_t i)
{
    const int skip = static_cast<int>(i % 4);
    float next[4];

    philox_uniform4(u, key, i / 4);
    if (skip == 0)
        return;
    philox_uniform4(next, key, i / 4 + 1);
    for (int turn = 0; turn < skip; turn++) { /* no index that the compiler does not know: that would be memory */
        u[0] = u[1];
        u[1] = u[2];
        u[2] = u[3];
        u[3] = next[0];
        next[0] = next[1];
        next[1] = next[2];
    }
}

__device__ __forceinline__ float philox_uniform(uint64_t key, uint64_t i)
{
    float u[4];

    philox_uniform4(u, key, i / 4);
    return i % 4 == 0 ? u[0] : i % 4 == 1 ? u[1] : i % 4 == 2 ? u[2] : u[3];
}

#endif
