/* vec_elements.h - elementwise bodies of the vec table; included with W set (vec.h). */

/* Runs BODY for every vector from e->..[from] to e->..[to]: `i` is the index of its first element
 * and `n` the number of its elements that count; LD and ST honour it. */
#define VECTORS(from, to)                                                                          \
    for (size_t i = (from), n = W; i < (to) && (n = (to) - i < W ? (to) - i : W) > 0; i += W)
#define LD(p) (n == W ? vf_load((p) + i) : vf_load_part((p) + i, n))
#define ST(p, v) (n == W ? vf_store((p) + i, (v)) : vf_store_part((p) + i, (v), n))

/* An elementwise loop from the body for one vector; twice, so that full vectors do without tests. */
#define EL(name, BODY)                                                                             \
    INLINE void name##_at(const mmli_el *e, size_t i, size_t n)                                    \
    {                                                                                              \
        float *y = e->y;                                                                           \
        const float *a = e->a, *b = e->b;                                                          \
        const vf s0 = vf_set(e->s[0]);                                                             \
        (void)a, (void)b, (void)s0;                                                                \
        BODY;                                                                                      \
    }                                                                                              \
    static void name(const mmli_el *e_, size_t from, size_t to)                                    \
    {                                                                                              \
        const mmli_el copy = *e_, *e = &copy; /* stores to y cannot change it: stays in registers */ \
        size_t i = from;                                                                           \
        for (; i + W <= to; i += W)                                                                \
            name##_at(e, i, W);                                                                    \
        if (i < to)                                                                                \
            name##_at(e, i, to - i);                                                               \
    }

EL(el_fill, ST(y, s0))
EL(el_add, ST(y, LD(a) + LD(b)))
EL(el_mul, ST(y, LD(a) * LD(b)))
EL(el_mul_add, ST(y, vf_fma(LD(a), LD(b), LD(y))))
EL(el_axpy, ST(y, vf_fma(s0, LD(a), LD(y))))
EL(el_scale, ST(y, s0 * LD(a)))
EL(el_recip, ST(y, 1.0f / LD(a)))
EL(el_l1_grad, const vf x = LD(a);
   ST(y, LD(y) + (vf_pick(x > 0.0f, s0, vf_set(0)) - vf_pick(x < 0.0f, s0, vf_set(0)))))

/* ---- activations: value from x, slope from the value --------------------------------------- */
#define SELU_ALPHA 1.6732632423543772f
#define SELU_LAMBDA 1.0507009873554805f
#define SELU_LA (SELU_LAMBDA * SELU_ALPHA)
#define LEAKY 0.01f

/* exp(x) - 1 for x <= 0, inlined: a fraction of the time of a call; anything above 0. exp(x) = 2^n exp(r), n whole,
 * |r| <= ln(2) / 2, exp(r) - 1 by its series; 1.5 units in the last place, exact near 0. NaN stays. */
INLINE vf expm1_low(vf x)
{
    const vf least = vf_max(vf_set(-87.0f), x); /* exp(-87) - 1 = -1 in float32 */
    const vf n = vf_round(least * 1.44269504f);
    const vf r = vf_fma(n, vf_set(-1.42860677e-6f), vf_fma(n, vf_set(-0.693145752f), least)); /* ln 2 in two parts */
    vf p = vf_set(1.0f / 5040), s;

    p = vf_fma(p, r, vf_set(1.0f / 720));
    p = vf_fma(p, r, vf_set(1.0f / 120));
    p = vf_fma(p, r, vf_set(1.0f / 24));
    p = vf_fma(p, r, vf_set(1.0f / 6));
    p = vf_fma(p, r, vf_set(0.5f));
    p = vf_fma(p * r, r, r);
#if W == 16
    s = (vf)_mm512_scalef_ps((__m512)vf_set(1), (__m512)n);
#else
    s = (vf)((__builtin_convertvector(n, vi) + vi_set(127)) << 23); /* x > 0: rubbish, not used */
#endif
    return vf_fma(s, p, s - 1.0f);
}
INLINE vf relu(vf x)
{
    return vf_max(vf_set(0), x); /* NaN stays: the second operand */
}
INLINE vf leaky(vf x)
{
    return vf_pick(x > 0.0f, x, x * LEAKY);
}
INLINE vf elu(vf x)
{
    return vf_pick(x > 0.0f, x, expm1_low(x));
}
INLINE vf selu(vf x)
{
    return vf_pick(x > 0.0f, x * SELU_LAMBDA, expm1_low(x) * SELU_LA);
}
INLINE vf relu_slope(vf y)
{
    return vf_pick(y > 0.0f, vf_set(1), vf_set(0));
}
INLINE vf leaky_slope(vf y)
{
    return vf_pick(y > 0.0f, vf_set(1), vf_set(LEAKY));
}
INLINE vf elu_slope(vf y)
{
    return vf_pick(y > 0.0f, vf_set(1), y + 1.0f);
}
INLINE vf selu_slope(vf y)
{
    return vf_pick(y > 0.0f, vf_set(SELU_LAMBDA), y + SELU_LA);
}

EL(act_relu, ST(y, relu(LD(a))))
EL(act_leaky, ST(y, leaky(LD(a))))
EL(act_elu, ST(y, elu(LD(a))))
EL(act_selu, ST(y, selu(LD(a))))
EL(act_tanh, ST(y, vf_tanh(LD(a))))
EL(act_sigmoid, ST(y, vf_sigmoid(LD(a))))
EL(act_identity, ST(y, LD(a)))

static void el_act(const mmli_el *e, size_t from, size_t to)
{
    switch ((mmli_act)e->kind) {
    case MMLI_ACT_RELU:
        act_relu(e, from, to);
        break;
    case MMLI_ACT_LEAKY:
        act_leaky(e, from, to);
        break;
    case MMLI_ACT_ELU:
        act_elu(e, from, to);
        break;
    case MMLI_ACT_SELU:
        act_selu(e, from, to);
        break;
    case MMLI_ACT_TANH:
        act_tanh(e, from, to);
        break;
    case MMLI_ACT_SIGMOID:
        act_sigmoid(e, from, to);
        break;
    case MMLI_ACT_IDENTITY:
        act_identity(e, from, to);
        break;
    }
}

/* Twice: added to y, and in its place. */
#define GRAD(name, slope)                                                                          \
    EL(add_##name, const vf v = LD(a); ST(y, vf_fma(LD(b), slope, LD(y))))                         \
    EL(put_##name, const vf v = LD(a); ST(y, LD(b) * (slope)))                                     \
    static void grad_##name(const mmli_el *e, size_t from, size_t to)                              \
    {                                                                                              \
        (e->add ? add_##name : put_##name)(e, from, to);                                           \
    }

GRAD(relu, relu_slope(v))
GRAD(leaky, leaky_slope(v))
GRAD(elu, elu_slope(v))
GRAD(selu, selu_slope(v))
GRAD(tanh, 1.0f - v * v)
GRAD(sigmoid, v * (1.0f - v))
EL(add_identity, ST(y, LD(b) + LD(y)))
EL(put_identity, ST(y, LD(b)))

static void el_act_grad(const mmli_el *e, size_t from, size_t to)
{
    switch ((mmli_act)e->kind) {
    case MMLI_ACT_RELU:
        grad_relu(e, from, to);
        break;
    case MMLI_ACT_LEAKY:
        grad_leaky(e, from, to);
        break;
    case MMLI_ACT_ELU:
        grad_elu(e, from, to);
        break;
    case MMLI_ACT_SELU:
        grad_selu(e, from, to);
        break;
    case MMLI_ACT_TANH:
        grad_tanh(e, from, to);
        break;
    case MMLI_ACT_SIGMOID:
        grad_sigmoid(e, from, to);
        break;
    case MMLI_ACT_IDENTITY:
        (e->add ? add_identity : put_identity)(e, from, to);
        break;
    }
}

/* ---- gates: rows [a g] of width 2 f ----------------------------------------------------------- */
/* The same for the two halves of a row and dy. */
#define ROW(name, BODY)                                                                            \
    INLINE void name##_at(float *y, float *y2, const float *a, const float *g, const float *dy, size_t i, size_t n) \
    {                                                                                              \
        (void)y2, (void)dy;                                                                        \
        BODY;                                                                                      \
    }                                                                                              \
    static void name(float *y, float *y2, const float *a, const float *g, const float *dy, size_t f) \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + W <= f; i += W)                                                                 \
            name##_at(y, y2, a, g, dy, i, W);                                                      \
        if (i < f)                                                                                 \
            name##_at(y, y2, a, g, dy, i, f - i);                                                  \
    }

/* Phi(x), the normal distribution, and through *e exp(-x^2 / 2). 1 - Phi(|x|) = erfc(|x| / sqrt 2) / 2 by formula 7.1.26 of
 * Abramowitz and Stegun, 1e-7 at most: no difference of nearly equal numbers below 0. */
INLINE vf normal_below(vf x, vf *e)
{
    const vf t = 1.0f / vf_fma(vf_abs(x), vf_set(0.3275911f * 0.70710678f), vf_set(1));
    vf p = vf_set(0.5f * 1.061405429f);

    *e = vf_exp(-0.5f * x * x);
    p = vf_fma(p, t, vf_set(0.5f * -1.453152027f));
    p = vf_fma(p, t, vf_set(0.5f * 1.421413741f));
    p = vf_fma(p, t, vf_set(0.5f * -0.284496736f));
    p = vf_fma(p, t, vf_set(0.5f * 0.254829592f));
    p *= t * *e;
    return vf_pick(x > 0.0f, 1.0f - p, p);
}

ROW(gate_selu, ST(y, LD(a) * selu(LD(g))))
ROW(gate_gelu, vf e; const vf x = LD(g); ST(y, LD(a) * (x * normal_below(x, &e))))
ROW(gate_tanh, ST(y, vf_tanh(LD(a)) * vf_sigmoid(LD(g))))
/* da = dy a'(a) g(g) and dg = dy a(a) g'(g) as products of two factors each; twice, as above. */
#define ROW_GRAD(name, SETUP, a0, a1, g0, g1)                                                      \
    ROW(add_##name, const vf d = LD(dy); SETUP; ST(y, vf_fma(a0, a1, LD(y))); ST(y2, vf_fma(g0, g1, LD(y2)))) \
    ROW(put_##name, const vf d = LD(dy); SETUP; ST(y, (a0) * (a1)); ST(y2, (g0) * (g1)))

ROW_GRAD(gate_selu, const vf s = selu(LD(g)), d, s, d * LD(a), selu_slope(s))
ROW_GRAD(gate_gelu, vf e; const vf x = LD(g); const vf s = normal_below(x, &e), d, x * s, d * LD(a),
         vf_fma(x * 0.398942280f, e, s))
ROW_GRAD(gate_tanh, const vf t = vf_tanh(LD(a)); const vf s = vf_sigmoid(LD(g)), d * (1.0f - t * t), s, d * t,
         s * (1.0f - s))

static void el_gate(const mmli_el *e, size_t from, size_t to)
{
    void (*const row)(float *, float *, const float *, const float *, const float *, size_t) =
        e->kind == MMLI_GATE_SELU ? gate_selu : e->kind == MMLI_GATE_GELU ? gate_gelu : gate_tanh;

    for (size_t r = from; r < to; r++) {
        const float *a = e->a + r * 2 * e->f;

        row(e->y + r * e->f, NULL, a, a + e->f, NULL, e->f);
    }
}

static void el_gate_grad(const mmli_el *e, size_t from, size_t to)
{
    void (*const row)(float *, float *, const float *, const float *, const float *, size_t) =
        e->kind == MMLI_GATE_SELU   ? (e->add ? add_gate_selu : put_gate_selu)
        : e->kind == MMLI_GATE_GELU ? (e->add ? add_gate_gelu : put_gate_gelu)
                                    : (e->add ? add_gate_tanh : put_gate_tanh);

    for (size_t r = from; r < to; r++) {
        const float *a = e->a + r * 2 * e->f;
        float *da = e->y + r * 2 * e->f;

        row(da, da + e->f, a, a + e->f, e->b + r * e->f, e->f);
    }
}

/* ---- complex numbers ------------------------------------------------------------------------------ */
/* Squares of floats neither overflow nor vanish in doubles. */
INLINE vf magnitude(vf re, vf im)
{
    const vd rl = vd_low(re), rh = vd_high(re), il = vd_low(im), ih = vd_high(im);
    float t[W];

    vd_to(t, vd_sqrt(rl * rl + il * il));
    vd_to(t + W / 2, vd_sqrt(rh * rh + ih * ih));
    return vf_load(t);
}

/* x / size, both parts of a complex number have one size */
INLINE vf unit_part(vf x, vf re, vf im)
{
    const vd rl = vd_low(re), rh = vd_high(re), il = vd_low(im), ih = vd_high(im);
    float t[W];

    vd_to(t, vd_low(x) / vd_sqrt(rl * rl + il * il));
    vd_to(t + W / 2, vd_high(x) / vd_sqrt(rh * rh + ih * ih));
    return vf_load(t);
}

EL(el_unit, const vf re = LD(a); const vf im = LD(b); const vi zero = (re == 0.0f) & (im == 0.0f);
   ST(y, vf_pick(zero, vf_set(1), unit_part(re, re, im))); ST(e->y2, vf_pick(zero, vf_set(0), unit_part(im, re, im))))
EL(el_magnitude, ST(y, magnitude(LD(a), LD(b))))
EL(el_phase, const vf im = LD(b) + 0.0f; /* -0 + 0 = 0: (-1, -0) is at pi */
   ST(y, vf_pick((LD(a) == 0.0f) & (im == 0.0f), vf_set(0), vf_atan2(im, LD(a)))))
EL(el_from_polar, const vf p = LD(b); ST(y, LD(a) * vf_cos(p)); ST(e->y2, LD(a) * vf_sin(p)))

/* p y, m y2, v y3, g a, decay b (one for MMLI_DECAY_EACH elements, a multiple of W); s = factor, lr, b1, b2, eps, -, lr / c1,
 * 1 / sqrt(c2) */
EL(el_adamw, const vf grad = LD(a) * s0; const float b1 = e->s[2]; const float b2 = e->s[3];
   const vf decay = vf_set(-e->s[1] * b[i / MMLI_DECAY_EACH]); const vf p = LD(y);
   const vf m = vf_fma(vf_set(b1), LD(e->y2), (1.0f - b1) * grad);
   const vf v = vf_fma(vf_set(b2), LD(e->y3), (1.0f - b2) * (grad * grad)); ST(e->y2, m); ST(e->y3, v);
   ST(y, vf_fma(decay, p, p) - e->s[6] * m / vf_fma(vf_sqrt(v), vf_set(e->s[7]), vf_set(e->s[4]))))
