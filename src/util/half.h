/* half.h - numbers of 16 bits (IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction), as files keep features.
 *
 * From half to float is exact, and a NaN keeps its sign and payload but becomes a quiet one: the same bits with and without
 * the instruction of the processor. From float to half rounds to the nearest, ties to the even one; from 65520 on it is
 * infinite. A float that was a half comes back to the bit. */
#ifndef MMLI_UTIL_HALF_H
#define MMLI_UTIL_HALF_H

#include <stddef.h>
#include <stdint.h>

/* (n) each; they may not overlap. */
void mmli_half_to_float(float *restrict out, const uint16_t *restrict in, size_t n);
void mmli_half_from_float(uint16_t *restrict out, const float *restrict in, size_t n);
/* The first without the instruction: what other processors run, for tests. */
void mmli_half_to_float_plain(float *restrict out, const uint16_t *restrict in, size_t n);

#endif
