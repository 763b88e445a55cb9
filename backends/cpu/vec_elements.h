/* vec_elements.h - elementwise bodies of the vec table; included with W set (vec.h). */

/* Runs BODY for every vector from e->..[from] to e->..[to]: `i` is the index of its first element
 * and `n` the number of its elements that count; LD and ST honour it. */
#define VECTORS(from, to)                                                                          \
    for (size_t i = (from), n = W; i < (to) && (n = (to) - i < W ? (to) - i : W) > 0; i += W)
#define LD(p) (n == W ? vf_load((p) + i) : vf_load_part((p) + i, n))
#define ST(p, v) (n == W ? vf_store((p) + i, (v)) : vf_store_part((p) + i, (v), n))

#define EL(name, BODY)                                                                             \
    static void name(const mmli_el *e, size_t from, size_t to)                                     \
    {                                                                                              \
        float *y = e->y;                                                                           \
        const float *a = e->a, *b = e->b;                                                          \
        const vf s0 = vf_set(e->s[0]), s1 = vf_set(e->s[1]);                                       \
        (void)a, (void)b, (void)s0, (void)s1;                                                      \
        VECTORS (from, to) {                                                                       \
            BODY;                                                                                  \
        }                                                                                          \
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
    return vf_pick(x > 0.0f, x, vf_expm1(x));
}
INLINE vf selu(vf x)
{
    return vf_pick(x > 0.0f, x * SELU_LAMBDA, vf_expm1(x) * SELU_LA);
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

EL(grad_relu, ST(y, vf_fma(LD(b), relu_slope(LD(a)), LD(y))))
EL(grad_leaky, ST(y, vf_fma(LD(b), leaky_slope(LD(a)), LD(y))))
EL(grad_elu, ST(y, vf_fma(LD(b), elu_slope(LD(a)), LD(y))))
EL(grad_selu, ST(y, vf_fma(LD(b), selu_slope(LD(a)), LD(y))))
EL(grad_tanh, const vf v = LD(a); ST(y, vf_fma(LD(b), 1.0f - v * v, LD(y))))
EL(grad_sigmoid, const vf v = LD(a); ST(y, vf_fma(LD(b), v * (1.0f - v), LD(y))))
EL(grad_identity, ST(y, LD(b) + LD(y)))

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
        grad_identity(e, from, to);
        break;
    }
}

/* ---- gates: rows [a g] of width 2 f ----------------------------------------------------------- */
static void el_gate(const mmli_el *e, size_t from, size_t to)
{
    for (size_t r = from; r < to; r++) {
        const float *a = e->a + r * 2 * e->f, *g = a + e->f;
        float *y = e->y + r * e->f;

        if (e->kind == MMLI_GATE_SELU)
            VECTORS (0, e->f)
                ST(y, LD(a) * selu(LD(g)));
        else
            VECTORS (0, e->f)
                ST(y, vf_tanh(LD(a)) * vf_sigmoid(LD(g)));
    }
}

static void el_gate_grad(const mmli_el *e, size_t from, size_t to)
{
    for (size_t r = from; r < to; r++) {
        const float *a = e->a + r * 2 * e->f, *g = a + e->f, *dy = e->b + r * e->f;
        float *da = e->y + r * 2 * e->f, *dg = da + e->f;

        if (e->kind == MMLI_GATE_SELU)
            VECTORS (0, e->f) {
                const vf d = LD(dy), s = selu(LD(g));
                /* where g > 0 the slope does not come from the value: selu_slope looks at its sign */
                ST(da, vf_fma(d, s, LD(da)));
                ST(dg, vf_fma(d * LD(a), selu_slope(s), LD(dg)));
            }
        else
            VECTORS (0, e->f) {
                const vf d = LD(dy), t = vf_tanh(LD(a)), s = vf_sigmoid(LD(g));
                ST(da, vf_fma(d * (1.0f - t * t), s, LD(da)));
                ST(dg, vf_fma(d * t, s * (1.0f - s), LD(dg)));
            }
    }
}

/* ---- complex numbers ------------------------------------------------------------------------------ */
static void el_magnitude(const mmli_el *e, size_t from, size_t to)
{
    const float *a = e->a, *b = e->b;

    VECTORS (from, to) { /* squares of floats neither overflow nor vanish in doubles */
        const vf re = LD(a), im = LD(b);
        const vd rl = vd_low(re), rh = vd_high(re), il = vd_low(im), ih = vd_high(im);
        float t[W];

        vd_to(t, vd_sqrt(rl * rl + il * il));
        vd_to(t + W / 2, vd_sqrt(rh * rh + ih * ih));
        ST(e->y, vf_load(t));
    }
}

EL(el_phase, const vf im = LD(b) + 0.0f; /* -0 + 0 = 0: (-1, -0) is at pi */
   ST(y, vf_pick((LD(a) == 0.0f) & (im == 0.0f), vf_set(0), vf_atan2(im, LD(a)))))

static void el_from_polar(const mmli_el *e, size_t from, size_t to)
{
    const float *mag = e->a, *ph = e->b;

    VECTORS (from, to) {
        const vf m = LD(mag), p = LD(ph);
        ST(e->y, m * vf_cos(p));
        ST(e->y2, m * vf_sin(p));
    }
}

/* p y, m y2, v y3, g a; s = factor, lr, b1, b2, eps, 1 - lr wd, lr / c1, 1 / sqrt(c2) */
static void el_adamw(const mmli_el *e, size_t from, size_t to)
{
    float *p = e->y, *m = e->y2, *v = e->y3;
    const float *g = e->a;
    const vf factor = vf_set(e->s[0]), b1 = vf_set(e->s[2]), b2 = vf_set(e->s[3]), eps = vf_set(e->s[4]);
    const vf keep = vf_set(e->s[5]), step = vf_set(e->s[6]), root = vf_set(e->s[7]);

    VECTORS (from, to) {
        const vf grad = LD(g) * factor;
        const vf mt = vf_fma(b1, LD(m), (1.0f - b1) * grad), vt = vf_fma(b2, LD(v), (1.0f - b2) * (grad * grad));

        ST(m, mt);
        ST(v, vt);
        ST(p, keep * LD(p) - step * mt / vf_fma(vf_sqrt(vt), root, eps));
    }
}
