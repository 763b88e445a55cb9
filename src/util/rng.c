/* rng.c - Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011) and the distributions on top of it. Stateless: number i of a stream can be had by any
 * thread at any time, which is what makes results independent of the number of threads.
 */
#include "util/rng.h"

#include "util/hash.h"

#include <math.h>
#include <string.h>

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u /* golden ratio */
#define PHILOX_W1 0xBB67AE85u /* sqrt(3) - 1 */

void mmli_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void mmli_philox(uint32_t out[4], uint64_t key, uint64_t counter)
{
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    const uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};

    mmli_philox4x32(out, c, k);
}

uint64_t mmli_rng_key(uint64_t seed, const char *name, uint64_t step)
{
    return mmli_siphash24(seed, step, name, name == NULL ? 0 : strlen(name));
}

float mmli_rng_uniform(uint64_t key, uint64_t i)
{
    uint32_t w[4];

    mmli_philox(w, key, i / 4);
    return (float)(w[i % 4] >> 8) * 0x1p-24f; /* 24 bits: every value is exact, 1 cannot come out */
}

float mmli_rng_normal(uint64_t key, uint64_t i)
{
    const double two_pi = 6.283185307179586476925286766559;
    const size_t at = (size_t)(i & 2u); /* words 0, 1 or 2, 3 of the counter */
    uint32_t w[4];
    double radius, angle;

    mmli_philox(w, key, i / 4);
    radius = sqrt(-2.0 * log(((double)w[at] + 0.5) * 0x1p-32)); /* +0.5: the logarithm of 0 cannot occur */
    angle = two_pi * ((double)w[at + 1] * 0x1p-32);
    return (float)(radius * (i % 2 == 0 ? cos(angle) : sin(angle)));
}

/* High 64 bits of a 128-bit product, without a 128-bit type (not in C11, not on every compiler). */
static uint64_t mul_high(uint64_t a, uint64_t b)
{
    const uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
    const uint64_t mid = ah * bl + (al * bl >> 32);
    const uint64_t cross = al * bh + (mid & 0xffffffffu);

    return ah * bh + (mid >> 32) + (cross >> 32);
}

uint64_t mmli_rng_below(uint64_t key, uint64_t i, uint64_t n)
{
    const size_t at = (size_t)(i % 2) * 2;
    uint32_t w[4];

    mmli_philox(w, key, i / 2);
    /* floor(x n / 2^64): no rejection, so index i always costs index i; bias below n / 2^64 */
    return mul_high(((uint64_t)w[at + 1] << 32) | w[at], n);
}

void mmli_rng_shuffle(uint64_t key, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)mmli_rng_below(key, n - i, i);
        const size_t t = order[i - 1];

        order[i - 1] = order[j];
        order[j] = t;
    }
}
