/* number.c - stored bytes to numbers of this machine. */
#include "formats/number.h"

#include <math.h>
#include <string.h>

size_t mmli_number_size(mmli_number type)
{
    static const uint8_t size[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8};

    return size[type];
}

bool mmli_number_whole(mmli_number type)
{
    return type < MMLI_F16;
}

/* The bytes as an unsigned number, whatever the order of bytes of this machine. */
static uint16_t get16(const unsigned char *s, bool big)
{
    return (uint16_t)(big ? s[0] << 8 | s[1] : s[1] << 8 | s[0]);
}

static uint32_t get32(const unsigned char *s, bool big)
{
    return big ? (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3]
               : (uint32_t)s[3] << 24 | (uint32_t)s[2] << 16 | (uint32_t)s[1] << 8 | s[0];
}

static uint64_t get64(const unsigned char *s, bool big)
{
    return big ? (uint64_t)get32(s, true) << 32 | get32(s + 4, true) : (uint64_t)get32(s + 4, false) << 32 | get32(s, false);
}

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static double double_of(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* IEEE half: sign, 5 bits of exponent (bias 15), 10 of fraction. Every one is a float32. */
static float half_of(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 1023u;

    if (exponent == 31)
        return float_of(sign | 0x7F800000u | fraction << 13);
    if (exponent == 0) {
        const float x = (float)fraction * 0x1p-24f; /* zero, or too small for an exponent */

        return sign ? -x : x;
    }
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

/* The loop over n numbers with the type outside of it. */
#define EACH(expression)                                                                           \
    for (size_t i = 0; i < n; i++, s += stride)                                                    \
        out[i] = (expression);                                                                     \
    break

#define CONVERT(real)                                                                              \
    const unsigned char *s = from;                                                                 \
                                                                                                   \
    switch (type) {                                                                                \
    case MMLI_BOOL: EACH((real)(s[0] != 0));                                                       \
    case MMLI_I8: EACH((real)(int8_t)s[0]);                                                        \
    case MMLI_U8: EACH((real)s[0]);                                                                \
    case MMLI_I16: EACH((real)(int16_t)get16(s, big));                                             \
    case MMLI_U16: EACH((real)get16(s, big));                                                      \
    case MMLI_I32: EACH((real)(int32_t)get32(s, big));                                             \
    case MMLI_U32: EACH((real)get32(s, big));                                                      \
    case MMLI_I64: EACH((real)(int64_t)get64(s, big));                                             \
    case MMLI_U64: EACH((real)get64(s, big));                                                      \
    case MMLI_F16: EACH((real)half_of(get16(s, big)));                                             \
    case MMLI_BF16: EACH((real)float_of((uint32_t)get16(s, big) << 16));                           \
    case MMLI_F32: EACH((real)float_of(get32(s, big)));                                            \
    case MMLI_F64: EACH((real)double_of(get64(s, big)));                                           \
    }

void mmli_number_floats(float *out, const void *from, size_t n, size_t stride, mmli_number type, bool big)
{
    CONVERT(float)
}

void mmli_number_doubles(double *out, const void *from, size_t n, size_t stride, mmli_number type, bool big)
{
    CONVERT(double)
}

bool mmli_number_int64(int64_t *out, const void *from, mmli_number type, bool big)
{
    double x;

    if (type == MMLI_I64 || type == MMLI_U64) {
        const uint64_t bits = get64(from, big);

        if (type == MMLI_U64 && bits > INT64_MAX)
            return false;
        *out = (int64_t)bits;
        return true;
    }
    mmli_number_doubles(&x, from, 1, 0, type, big);
    if (!(fabs(x) < 0x1p63) || x != floor(x))
        return false;
    *out = (int64_t)x;
    return true;
}

void mmli_number_put_floats(void *to, const float *values, size_t n)
{
    unsigned char *s = to;

    for (size_t i = 0; i < n; i++, s += 4) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof bits);
        for (int k = 0; k < 4; k++)
            s[k] = (unsigned char)(bits >> 8 * k);
    }
}
