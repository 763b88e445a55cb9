/* vec_attention.h - the softmax inside attention, on tiles of scores that are in the cache. A token is a row and
 * a query is a lane: maxima and sums over tokens need no shuffles. */

/* exp(x) for x up to about 60, inlined: half the time of a call, 1.2 units in the last place. 0 below -87, NaN stays.
 * exp(x) = 2^n exp(r), n whole, |r| <= ln(2) / 2; the polynomial is the minimax one of degree 6. */
INLINE vf attn_exp(vf x)
{
    const vf least = vf_max(vf_set(-104.0f), x); /* exp(-104) = 0 in float32; a NaN is kept */
    const vf n = vf_round(least * 1.44269504f);
    const vf r = vf_fma(n, vf_set(-1.42860677e-6f), vf_fma(n, vf_set(-0.693145752f), least)); /* ln 2 in two parts */
    vf p = vf_set(1.37805939e-3f);

    p = vf_fma(p, r, vf_set(8.37312452e-3f));
    p = vf_fma(p, r, vf_set(4.16695364e-2f));
    p = vf_fma(p, r, vf_set(1.66664720e-1f));
    p = vf_fma(p, r, vf_set(4.99999851e-1f));
    p = vf_fma(p, r, vf_set(1.0f));
    p = vf_fma(p, r, vf_set(1.0f));
#if W == 16
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    /* 2^n as a float made of its exponent; where x is NaN so is p, and the product */
    return vf_pick(x < -87.0f, vf_set(0), p * (vf)((__builtin_convertvector(n, vi) + vi_set(127)) << 23));
#endif
}

/* Lines of row t of what is needed next, spread over `parts` visits, into the second-level cache: rows lie too far
 * apart for the processor to guess. */
INLINE void attn_fetch(const mmli_attn_next *x, size_t t, size_t part, size_t parts)
{
    for (int i = 0; i < 4; i++)
        if (x->row[i] && t < x->n[i])
            for (size_t b = part * 64; b < x->bytes; b += parts * 64)
                __builtin_prefetch((const char *)x->row[i] + t * x->step + b, 0, 2);
}

static void attn_softmax(float *s, size_t n, size_t pad, float *m, float *l, float *fade, int first,
                         const mmli_attn_next *next)
{
    for (size_t q = 0; q < pad; q += W) {
        const vf before = first ? vf_set(-INFINITY) : vf_load(m + q);
        vf top = before, sum = {0}, f;

        for (size_t t = 0; t < n; t++)
            top = vf_max(vf_load(s + t * pad + q), top);
        for (size_t t = 0; t < n; t++) {
            const vf p = attn_exp(vf_load(s + t * pad + q) - top);

            attn_fetch(next, t, q / W, pad / W);
            vf_store(s + t * pad + q, p);
            sum += p;
        }
        f = first ? vf_set(0) : vf_pick(before == top, vf_set(1), attn_exp(before - top));
        vf_store(l + q, first ? sum : vf_fma(vf_load(l + q), f, sum));
        vf_store(m + q, top);
        vf_store(fade + q, f);
    }
}

static void attn_grad(float *s, float *dp, size_t n, size_t pad, float scale, const float *lse, const float *dot,
                      const mmli_attn_next *next)
{
    for (size_t q = 0; q < pad; q += W) {
        const vf by = vf_load(lse + q), d = vf_load(dot + q);

        for (size_t t = 0; t < n; t++) {
            const vf p = attn_exp(vf_load(s + t * pad + q) - by);

            attn_fetch(next, t, q / W, pad / W);
            vf_store(s + t * pad + q, p);
            vf_store(dp + t * pad + q, p * (vf_load(dp + t * pad + q) - d) * scale);
        }
    }
}

static void attn_fade(float *o, size_t rows, size_t e, const float *fade)
{
    for (size_t r = 0; r < rows; r++) {
        const mmli_el row = {.y = o + r * e, .a = o + r * e, .s = {fade[r]}};

        if (fade[r] != 1.0f)
            el_scale(&row, 0, e);
    }
}

typedef float v4 __attribute__((vector_size(16)));

/* Rows r .. r+3, columns j .. j+3. */
INLINE void attn_transpose4(float *y, size_t pad, const float *x, size_t ld, float scale)
{
    v4 a, b, c, d, ab, cd;

    memcpy(&a, x, sizeof a);
    memcpy(&b, x + ld, sizeof b);
    memcpy(&c, x + 2 * ld, sizeof c);
    memcpy(&d, x + 3 * ld, sizeof d);
    for (int half = 0; half < 2; half++) { /* columns j, j+1, then j+2, j+3 */
        ab = (half ? __builtin_shufflevector(a, b, 2, 6, 3, 7) : __builtin_shufflevector(a, b, 0, 4, 1, 5)) * scale;
        cd = (half ? __builtin_shufflevector(c, d, 2, 6, 3, 7) : __builtin_shufflevector(c, d, 0, 4, 1, 5)) * scale;
        memcpy(y + (2 * half + 0) * (int)pad, &(v4){ab[0], ab[1], cd[0], cd[1]}, sizeof(v4));
        memcpy(y + (2 * half + 1) * (int)pad, &(v4){ab[2], ab[3], cd[2], cd[3]}, sizeof(v4));
    }
}

/* Row by row: columns of x lie in few cache sets, rows of y do not. */
static void attn_transpose(float *y, size_t pad, const float *x, size_t rows, size_t cols, size_t ld, float scale)
{
    const size_t r4 = rows - rows % 4, c4 = cols - cols % 4;

    for (size_t r = 0; r < r4; r += 4) {
        for (size_t j = 0; j < c4; j += 4)
            attn_transpose4(y + j * pad + r, pad, x + r * ld + j, ld, scale);
        for (size_t j = c4; j < cols; j++)
            for (size_t i = r; i < r + 4; i++)
                y[j * pad + i] = x[i * ld + j] * scale;
    }
    for (size_t r = r4; r < rows; r++)
        for (size_t j = 0; j < cols; j++)
            y[j * pad + r] = x[r * ld + j] * scale;
    for (size_t j = 0; j < cols; j++)
        for (size_t r = rows; r < pad; r++)
            y[j * pad + r] = 0;
}
