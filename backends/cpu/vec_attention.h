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

/* y (rows, pad) = x times `by` column by column, + y if `add`; y may be x. */
static void attn_scale(float *y, const float *x, size_t rows, size_t pad, const float *by, int add)
{
    for (size_t q = 0; q < pad; q += W) {
        const vf b = vf_load(by + q);

        if (y == x && !add && !vi_any(b != vf_set(1)))
            continue;
        for (size_t r = q; r < rows * pad; r += pad)
            vf_store(y + r, add ? vf_fma(vf_load(x + r), b, vf_load(y + r)) : vf_load(x + r) * b);
    }
}

/* Two vectors laced: a0 b0 a1 b1 ... */
INLINE void vf_zip(vf *lo, vf *hi, vf a, vf b)
{
#if W == 16
    *lo = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *hi = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif W == 8
    *lo = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *hi = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    *lo = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *hi = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

/* One round of the transpose of W vectors: after log2(W) rounds element (i, j) is where (j, i) was. */
INLINE void attn_lace(vf to[W], const vf from[W])
{
    UNROLL
    for (int i = 0; i < W / 2; i++)
        vf_zip(&to[2 * i], &to[2 * i + 1], from[i], from[i + W / 2]);
}

/* Rows 0 .. rows-1 (<= W; the others count as 0) and columns 0 .. cols-1 (<= W) of x; `put` elements of each row of y. */
INLINE void attn_transpose_block(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols, size_t put,
                                 float scale, int add)
{
    const int whole = rows == W && cols == W && put == W;
    vf a[W], b[W];

    UNROLL
    for (int i = 0; i < W; i++)
        a[i] = whole ? vf_load(x + (size_t)i * ldx) : (size_t)i < rows ? vf_load_part(x + (size_t)i * ldx, cols) : vf_set(0);
    attn_lace(b, a);
    attn_lace(a, b);
#if W >= 8
    attn_lace(b, a);
#endif
#if W >= 16
    attn_lace(a, b);
#endif
    UNROLL
    for (int j = 0; j < W; j++) {
        float *at = y + (size_t)j * ldy;
        const vf v = (W == 8 ? b[j] : a[j]) * scale;

        if (whole)
            vf_store(at, add ? vf_load(at) + v : v);
        else if ((size_t)j < cols)
            vf_store_part(at, add ? vf_load_part(at, put) + v : v, put);
    }
}

static void attn_transpose(float *y, size_t ldy, size_t pad, const float *x, size_t ldx, size_t rows, size_t cols,
                           float scale, int add)
{
    for (size_t r = 0; r < pad; r += W) {
        const size_t n = r >= rows ? 0 : rows - r < W ? rows - r : W, put = pad - r < W ? pad - r : W;

        for (size_t j = 0; j < cols; j += W)
            attn_transpose_block(y + j * ldy + r, ldy, x + r * ldx + j, ldx, n, cols - j < W ? cols - j : W, put, scale,
                                 add);
    }
}
