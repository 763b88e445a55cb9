/* hash.h - SipHash-2-4 (Aumasson and Bernstein, 2012) under a key of the caller's choice.
 *
 * mmli_hash64() in util/rng.h is the hash for ids, names and data; this is what it is made of.
 */
#ifndef MMLI_UTIL_HASH_H
#define MMLI_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 64-bit SipHash-2-4 of n bytes. k0 and k1 are bytes 0-7 and 8-15 of the key, little-endian. */
uint64_t mmli_siphash24(uint64_t k0, uint64_t k1, const void *bytes, size_t n);

#endif
