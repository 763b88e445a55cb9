/* hash.c - SipHash-2-4, written from the paper (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", 2012). Reads bytes, never words: same value on every byte order, any alignment.
 */
#include "util/hash.h"

#include "util/rng.h"

static uint64_t rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64u - n));
}

static uint64_t load_le(const unsigned char *p, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

uint64_t mmli_siphash24(uint64_t k0, uint64_t k1, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    const size_t tail = n % 8;
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    uint64_t m;

    for (size_t i = 0; i + 8 <= n; i += 8) {
        m = load_le(p + i, 8);
        v[3] ^= m;
        rounds(v, 2);
        v[0] ^= m;
    }
    m = (uint64_t)n << 56; /* the length modulo 256 closes the last word */
    if (tail > 0)
        m |= load_le(p + (n - tail), tail);
    v[3] ^= m;
    rounds(v, 2);
    v[0] ^= m;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The fixed half of the key is part of the file formats (hashed sample ids): never change it. */
uint64_t mmli_hash64(const void *bytes, size_t n, uint64_t salt)
{
    return mmli_siphash24(0x6d6d6c65676f2d68u, salt ^ 0x6173682d76310000u, bytes, n);
}
