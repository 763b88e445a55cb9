/* rng.h - random numbers keyed by what they are for: (seed, name, step, index), never by when they
 * are drawn. Philox4x32-10 (Salmon et al., SC 2011): counter = index / 4, key = 64-bit stream key.
 */
#ifndef MMLI_UTIL_RNG_H
#define MMLI_UTIL_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Philox4x32-10 itself. */
void mmli_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* 128 random bits for a key and a counter: its low word first, two zero words above it. */
void mmli_philox(uint32_t out[4], uint64_t key, uint64_t counter);

/* Key of the stream for `name` at `step` under `seed`. */
uint64_t mmli_rng_key(uint64_t seed, const char *name, uint64_t step);

/* The uniform number in [0, 1) with index i of a stream: word i % 4 of counter i / 4, its upper 24 bits. */
float mmli_rng_uniform(uint64_t key, uint64_t i);
/* Standard normal number with index i (Box-Muller in float64 on words 2j, 2j+1). */
float mmli_rng_normal(uint64_t key, uint64_t i);
/* Uniform integer below n (n >= 1), index i; rejection-free 64-bit multiply-shift. */
uint64_t mmli_rng_below(uint64_t key, uint64_t i, uint64_t n);
/* Random order of 0 .. n-1 (Fisher-Yates). */
void mmli_rng_shuffle(uint64_t key, size_t *order, size_t n);

/* 64-bit hash of bytes: SipHash-2-4 with a fixed key. For sample ids, names and data. */
uint64_t mmli_hash64(const void *bytes, size_t n, uint64_t salt);

#endif
