/* vec_simd.h - vectors of W floats for the bodies in vec_*.h, W = 4, 8 or 16 (set by the file that
 * includes this). Compiler vector types wherever both gcc and clang make good code of them,
 * intrinsics where they do not. Everything is inlined into functions of one instruction set.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#if W != 4 && W != 8 && W != 16
#error "W is 4, 8 or 16"
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));
typedef uint64_t vq __attribute__((vector_size(4 * W))); /* W / 2 lanes */
typedef float vh __attribute__((vector_size(2 * W)));    /* half as many floats: sources of vd */
typedef double vd __attribute__((vector_size(4 * W)));

INLINE vf vf_set(float x)
{
    return x - (vf){0}; /* x - 0 keeps -0 and NaN */
}
INLINE vi vi_set(int32_t x)
{
    return x - (vi){0};
}
INLINE vq vq_set(uint64_t x)
{
    return x - (vq){0};
}
INLINE vd vd_set(double x)
{
    return x - (vd){0};
}
INLINE vf vf_load(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void vf_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}
/* Which lanes count: the first n <= W. The others load as 0 and are not stored. */
#if W == 16
typedef __mmask16 vm;
INLINE vm vm_first(size_t n)
{
    return (vm)((1u << n) - 1);
}
INLINE vf vf_load_mask(const float *p, vm m)
{
    return (vf)_mm512_maskz_loadu_ps(m, p);
}
INLINE void vf_store_mask(float *p, vf v, vm m)
{
    _mm512_mask_storeu_ps(p, m, (__m512)v);
}
#elif W == 8
typedef vi vm;
INLINE vm vm_first(size_t n)
{
    return (vi){0, 1, 2, 3, 4, 5, 6, 7} < vi_set((int32_t)n);
}
INLINE vf vf_load_mask(const float *p, vm m)
{
    return (vf)_mm256_maskload_ps(p, (__m256i)m);
}
INLINE void vf_store_mask(float *p, vf v, vm m)
{
    _mm256_maskstore_ps(p, (__m256i)m, (__m256)v);
}
#else
typedef size_t vm;
INLINE vm vm_first(size_t n)
{
    return n;
}
INLINE vf vf_load_mask(const float *p, vm n)
{
    float t[W] = {0};
    if (n == W)
        return vf_load(p);
    for (size_t i = 0; i < n; i++)
        t[i] = p[i];
    return vf_load(t);
}
INLINE void vf_store_mask(float *p, vf v, vm n)
{
    float t[W];
    vf_store(t, v);
    for (size_t i = 0; i < n; i++)
        p[i] = t[i];
}
#endif
/* The first n < W lanes. */
INLINE vf vf_load_part(const float *p, size_t n)
{
    return vf_load_mask(p, vm_first(n));
}
INLINE void vf_store_part(float *p, vf v, size_t n)
{
    vf_store_mask(p, v, vm_first(n));
}
INLINE vd vd_load(const double *p)
{
    vd v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void vd_store(double *p, vd v)
{
    memcpy(p, &v, sizeof v);
}
/* W / 2 floats as doubles */
INLINE vd vd_from(const float *p)
{
    vh h;
    memcpy(&h, p, sizeof h);
    return __builtin_convertvector(h, vd);
}
INLINE void vd_to(float *p, vd v)
{
    const vh h = __builtin_convertvector(v, vh);
    memcpy(p, &h, sizeof h);
}

INLINE vf vf_pick(vi mask, vf yes, vf no)
{
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}
INLINE vf vf_abs(vf x)
{
    return (vf)((vi)x & vi_set(INT32_MAX));
}
/* a b + c in one rounding where the processor can */
INLINE vf vf_fma(vf a, vf b, vf c)
{
#if W == 16
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif W == 8
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}
INLINE vd vd_fma(vd a, vd b, vd c)
{
#if W == 16
    return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif W == 8
    return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}
/* The larger one; b where either is NaN. */
INLINE vf vf_max(vf a, vf b)
{
#if W == 16
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif W == 8
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
#else
    return vf_pick(a > b, a, b);
#endif
}
/* The nearest whole number. */
INLINE vf vf_round(vf x)
{
#if W == 16
/* without optimisation this is a macro of gcc's, and its mask of -1 is warned of here */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
    return (vf)_mm512_roundscale_ps((__m512)x, 8);
#pragma GCC diagnostic pop
#elif W == 8
    return (vf)_mm256_round_ps((__m256)x, 8);
#else
    const vf big = vf_set(12582912.0f); /* 1.5 2^23: |x| < 2^22 */
    return (x + big) - big;
#endif
}
INLINE vf vf_sqrt(vf x)
{
#if W == 16
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif W == 8
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (vf)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < W; i++)
        x[i] = sqrtf(x[i]);
    return x;
#endif
}
INLINE vd vd_sqrt(vd x)
{
#if W == 16
    return (vd)_mm512_sqrt_pd((__m512d)x);
#elif W == 8
    return (vd)_mm256_sqrt_pd((__m256d)x);
#elif defined(__x86_64__)
    return (vd)_mm_sqrt_pd((__m128d)x);
#else
    for (int i = 0; i < W / 2; i++)
        x[i] = sqrt(x[i]);
    return x;
#endif
}
/* Product of the lower 32 bits of each lane. */
INLINE vq vq_mul32(vq a, vq b)
{
#if W == 16
    return (vq)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif W == 8
    return (vq)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
    return (vq)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}
/* Halves of a and b laced: a0 b0 a1 b1 ... */
INLINE void vq_zip(vq *lo, vq *hi, vq a, vq b)
{
#if W == 16
    *lo = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *hi = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif W == 8
    *lo = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *hi = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
    *lo = __builtin_shufflevector(a, b, 0, 2);
    *hi = __builtin_shufflevector(a, b, 1, 3);
#endif
}
/* Sums by halves: lane i with lane i + W/2, and so on. */
INLINE float vf_sum(vf v)
{
#if defined(__x86_64__)
#if W == 16
    const __m256 h8 = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#elif W == 8
    const __m256 h8 = (__m256)v;
#endif
#if W == 4
    const __m128 h4 = (__m128)v;
#else
    const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
#endif
    const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));

    return _mm_cvtss_f32(_mm_add_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
#else
    float t[W];
    vf_store(t, v);
    for (int half = W / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
#endif
}
INLINE double vd_sum(vd v)
{
    double t[W / 2];
    vd_store(t, v);
    for (int half = W / 4; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
}
INLINE vd vd_low(vf v)
{
#if W == 16
    return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)v));
#elif W == 8
    return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)v));
#else
    return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1), vd);
#endif
}
INLINE vd vd_high(vf v)
{
#if W == 16
    return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)v, 1));
#elif W == 8
    return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)v, 1));
#else
    return __builtin_convertvector(__builtin_shufflevector(v, v, 2, 3), vd);
#endif
}
INLINE float vf_max_lane(vf v)
{
    float t[W];
    float m;
    vf_store(t, v);
    m = t[0];
    for (int i = 1; i < W; i++)
        m = t[i] > m || t[i] != t[i] ? t[i] : m;
    return m;
}
/* Any lane of a mask set? */
INLINE int vi_any(vi m)
{
    int32_t t[W], any = 0;
    memcpy(t, &m, sizeof t);
    for (int i = 0; i < W; i++)
        any |= t[i];
    return any != 0;
}
