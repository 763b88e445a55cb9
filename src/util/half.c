/* half.c - between half and float.
 *
 * Reading is on the path of every batch of a cohort in float16: processors with AVX2 have the instruction for it (F16C is
 * older), others take integer arithmetic that compilers turn into vector instructions. Subnormal halves, k 2^-24, are
 * made by a product of normal floats, which is right even in a program that has switched subnormal floats off. */
#include "util/half.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAS_F16C 1
#else
#define HAS_F16C 0
#endif

static float half_to_float(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, magnitude = h & 0x7FFFu;
    const uint32_t normal = (magnitude << 13) + (112u << 23);     /* exponent bias 15 -> 127 */
    const uint32_t beyond = ((magnitude << 13) + (224u << 23)) | (magnitude > 0x7C00u ? 0x400000u : 0u); /* infinite; NaN */
    const float small = (float)(int32_t)magnitude * 0x1p-24f;     /* below 2^-14 */
    uint32_t bits;
    float value;

    memcpy(&bits, &small, sizeof bits);
    bits = magnitude < 0x400u ? bits : magnitude < 0x7C00u ? normal : beyond;
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void mmli_half_to_float_plain(float *restrict out, const uint16_t *restrict in, size_t n)
{
    enum { BLOCK = 16 }; /* a number of turns that compilers know is what they make vectors of */
    size_t i = 0;

    for (; i + BLOCK <= n; i += BLOCK)
        for (size_t j = 0; j < BLOCK; j++)
            out[i + j] = half_to_float(in[i + j]);
    for (; i < n; i++)
        out[i] = half_to_float(in[i]);
}

#if HAS_F16C
__attribute__((target("avx,f16c"))) static void with_f16c(float *restrict out, const uint16_t *restrict in, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(in + i))));
    for (; i < n; i++)
        out[i] = half_to_float(in[i]);
}
#endif

void mmli_half_to_float(float *restrict out, const uint16_t *restrict in, size_t n)
{
#if HAS_F16C
    if (__builtin_cpu_supports("avx2")) {
        with_f16c(out, in, n);
        return;
    }
#endif
    mmli_half_to_float_plain(out, in, n);
}

static uint16_t half_from_float(float f)
{
    uint32_t bits, magnitude, shift, fraction, rest, half;
    uint16_t sign;

    memcpy(&bits, &f, sizeof bits);
    sign = (uint16_t)(bits >> 16 & 0x8000u);
    magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) /* NaN */
        return (uint16_t)(sign | 0x7E00u | (magnitude >> 13 & 0x3FFu));
    if (magnitude >= 0x477FF000u) /* 65520: halfway between the largest half and what would follow */
        return (uint16_t)(sign | 0x7C00u);
    if (magnitude < 0x33000000u) /* below 2^-25, half of the smallest: 0 */
        return sign;
    /* A subnormal half has the leading 1 of the fraction spelt out, and fewer bits the smaller it is. */
    shift = magnitude < 0x38800000u ? 126 - (magnitude >> 23) : 13;
    fraction = magnitude < 0x38800000u ? (magnitude & 0x7FFFFFu) | 0x800000u : magnitude - (112u << 23);
    half = fraction >> shift;
    rest = fraction & ((1u << shift) - 1);
    half += rest > 1u << (shift - 1) || (rest == 1u << (shift - 1) && (half & 1u) != 0); /* a carry goes into the exponent */
    return (uint16_t)(sign | half);
}

void mmli_half_from_float(uint16_t *restrict out, const float *restrict in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = half_from_float(in[i]);
}
