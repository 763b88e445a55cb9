/* vec_math.h - exp and its kin on vectors: glibc's libmvec (2.35 and later) or SLEEF, else libm lane by
 * lane. Infinities and NaN are handled as libm does, which is how divergence is noticed.
 *
 * The functions are declared here: libmvec has no header, and sleef.h hides the variants of
 * instruction sets that the whole file is not compiled for. */
#if defined(__clang__) && ((W == 8 && !defined(__AVX2__)) || (W == 16 && !defined(__AVX512F__)))
#define VMATH_BY_LANE 1 /* clang passes wide vectors in registers only where the whole file has them */
#endif

#if !defined(VMATH_BY_LANE) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35) && (defined(HAVE_LIBMVEC) || !defined(HAVE_CONFIG_H))
#define VMATH_LIBMVEC 1
#endif
#endif

#if defined(VMATH_LIBMVEC)
#define VMATH_NAME "libmvec"
#if W == 16
#define VMATH(letters, name) _ZGVeN16##letters##_##name
#elif W == 8
#define VMATH(letters, name) _ZGVdN8##letters##_##name
#else
#define VMATH(letters, name) _ZGVbN4##letters##_##name
#endif
vf VMATH(v, expf)(vf);
vf VMATH(v, tanhf)(vf);
vf VMATH(v, sinf)(vf);
vf VMATH(v, cosf)(vf);
vf VMATH(vv, atan2f)(vf, vf);
#define vf_exp VMATH(v, expf)
#define vf_tanh VMATH(v, tanhf)
#define vf_sin VMATH(v, sinf)
#define vf_cos VMATH(v, cosf)
#define vf_atan2 VMATH(vv, atan2f)

#elif defined(HAVE_SLEEF) && defined(__x86_64__) && !defined(VMATH_BY_LANE)
#define VMATH_NAME "SLEEF"
#if W == 16
#define VMATH(name, ulp) Sleef_finz_##name##16_##ulp##avx512f
#elif W == 8
#define VMATH(name, ulp) Sleef_finz_##name##8_##ulp##avx2
#else
#define VMATH(name, ulp) Sleef_cinz_##name##4_##ulp##sse2
#endif
vf VMATH(expf, u10)(vf);
vf VMATH(tanhf, u35)(vf);
vf VMATH(sinf, u35)(vf);
vf VMATH(cosf, u35)(vf);
vf VMATH(atan2f, u35)(vf, vf);
#define vf_exp VMATH(expf, u10)
#define vf_tanh VMATH(tanhf, u35)
#define vf_sin VMATH(sinf, u35)
#define vf_cos VMATH(cosf, u35)
#define vf_atan2 VMATH(atan2f, u35)

#else
#define VMATH_NAME "libm"
#define BY_LANE(name, function)                                                                    \
    INLINE vf name(vf x)                                                                           \
    {                                                                                              \
        for (int i = 0; i < W; i++)                                                                \
            x[i] = function(x[i]);                                                                 \
        return x;                                                                                  \
    }
BY_LANE(vf_exp, expf)
BY_LANE(vf_tanh, tanhf)
BY_LANE(vf_sin, sinf)
BY_LANE(vf_cos, cosf)
#undef BY_LANE
INLINE vf vf_atan2(vf y, vf x)
{
    for (int i = 0; i < W; i++)
        y[i] = atan2f(y[i], x[i]);
    return y;
}
#endif

/* From exp of a negative number: exp(-x) would overflow where the value is still a (subnormal) number. */
INLINE vf vf_sigmoid(vf x)
{
    const vf e = vf_exp((vf)((vi)x | vi_set(INT32_MIN)));

    return vf_pick(x < 0.0f, e, vf_set(1)) / (1.0f + e);
}
