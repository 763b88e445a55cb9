/* vec_rows.h - reductions over elements and over rows. Accumulators `acc` are float64 and have room
 * for whole vectors: cols rounded up to MMLI_PAD. */

/* All ones in the first n lanes. */
INLINE vi first_lanes(size_t n)
{
    vi lane = {0};

    for (int i = 0; i < W; i++)
        lane[i] = i;
    return lane < vi_set((int32_t)n);
}

static double rows_sum(const float *x, size_t n_)
{
    vd lo = {0}, hi = {0};

    VECTORS (0, n_) {
        const vf v = LD(x);
        lo += vd_low(v);
        hi += vd_high(v);
    }
    return vd_sum(lo + hi);
}

static double rows_sum_squares(const float *x, size_t n_)
{
    vd lo = {0}, hi = {0};

    VECTORS (0, n_) {
        const vf v = LD(x);
        const vd l = vd_low(v), h = vd_high(v);
        lo = vd_fma(l, l, lo);
        hi = vd_fma(h, h, hi);
    }
    return vd_sum(lo + hi);
}

static float rows_dot(const float *x, const float *y, size_t n_)
{
    vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    size_t j = 0;

    for (; j + 4 * W <= n_; j += 4 * W) {
        s0 = vf_fma(vf_load(x + j), vf_load(y + j), s0);
        s1 = vf_fma(vf_load(x + j + W), vf_load(y + j + W), s1);
        s2 = vf_fma(vf_load(x + j + 2 * W), vf_load(y + j + 2 * W), s2);
        s3 = vf_fma(vf_load(x + j + 3 * W), vf_load(y + j + 3 * W), s3);
    }
    VECTORS (j, n_)
        s0 = vf_fma(LD(x), LD(y), s0);
    return vf_sum((s0 + s1) + (s2 + s3));
}

/* out[j] = x . row j, for four rows: one vector of x serves all. */
static void rows_dot4(float out[4], const float *x, const float *const row[4], size_t n_)
{
    const float *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    const size_t full = n_ - n_ % W;
    vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};

    for (size_t j = 0; j < full; j += W) {
        const vf v = vf_load(x + j);

        s0 = vf_fma(v, vf_load(r0 + j), s0);
        s1 = vf_fma(v, vf_load(r1 + j), s1);
        s2 = vf_fma(v, vf_load(r2 + j), s2);
        s3 = vf_fma(v, vf_load(r3 + j), s3);
    }
    if (full < n_) {
        const size_t i = full, n = n_ - full;
        const vf v = LD(x);

        s0 = vf_fma(v, LD(r0), s0);
        s1 = vf_fma(v, LD(r1), s1);
        s2 = vf_fma(v, LD(r2), s2);
        s3 = vf_fma(v, LD(r3), s3);
    }
    out[0] = vf_sum(s0);
    out[1] = vf_sum(s1);
    out[2] = vf_sum(s2);
    out[3] = vf_sum(s3);
}

/* out[r] = x . row r of `rows`, each sum in the order of dot4. One row after the other is how memory is read fastest: its
 * prefetching follows one stream to its end, but does not get going on many short ones. Terms of one sum wait for each other,
 * which is no slower than the second level of cache for wide vectors; narrow ones take four rows at a time. */
static void rows_dots(float *out, const float *x, const float *rows, size_t ld, size_t count, size_t n_)
{
    const size_t full = n_ - n_ % W;
    size_t r = 0;

#if W < 16
    for (; r + 4 <= count; r += 4) {
        const float *const row[4] = {rows + r * ld, rows + (r + 1) * ld, rows + (r + 2) * ld, rows + (r + 3) * ld};

        rows_dot4(out + r, x, row, n_);
    }
#endif
    for (; r < count; r++) {
        const float *y = rows + r * ld;
        vf s = {0};

        for (size_t j = 0; j < full; j += W)
            s = vf_fma(vf_load(x + j), vf_load(y + j), s);
        if (full < n_) {
            const size_t i = full, n = n_ - full;

            s = vf_fma(LD(x), LD(y), s);
        }
        out[r] = vf_sum(s);
    }
}

static float rows_max(const float *x, size_t n_)
{
    vf m = vf_set(-INFINITY), bad = {0}; /* bad: x - x is 0, or NaN where x is NaN or infinite */

    VECTORS (0, n_) {
        const vf v = LD(x), part = n == W ? v : vf_pick(first_lanes(n), v, m);
        m = vf_max(part, m);
        bad += part * 0.0f;
    }
    if (vi_any(bad != bad)) /* NaN or an infinity: the slow way tells which */
        for (size_t j = 0; j < n_; j++)
            if (x[j] != x[j])
                return x[j];
    return vf_max_lane(m);
}

static double rows_exp_sum(float *y, const float *x, size_t n_, float shift)
{
    vd lo = {0}, hi = {0};

    VECTORS (0, n_) {
        vf v = vf_exp(LD(x) - shift);

        ST(y, v);
        if (n < W)
            v = vf_pick(first_lanes(n), v, vf_set(0));
        lo += vd_low(v);
        hi += vd_high(v);
    }
    return vd_sum(lo + hi);
}

enum { HALF = W / 2 };

/* One half vector of columns of a row that may end inside it. */
INLINE vd row_half(const float *p, size_t left)
{
    float t[HALF] = {0};

    if (left >= HALF)
        return vd_from(p);
    for (size_t i = 0; i < left; i++)
        t[i] = p[i];
    return vd_from(t);
}

static void rows_col_acc(double *acc, const float *w, const float *x, size_t rows, size_t ld, size_t cols)
{
    size_t r = 0;

    for (; r + 4 <= rows; r += 4) { /* four rows per visit of acc */
        const float *x0 = x + r * ld, *x1 = x0 + ld, *x2 = x1 + ld, *x3 = x2 + ld;
        const vd w0 = vd_set(w ? (double)w[r] : 1), w1 = vd_set(w ? (double)w[r + 1] : 1);
        const vd w2 = vd_set(w ? (double)w[r + 2] : 1), w3 = vd_set(w ? (double)w[r + 3] : 1);

        for (size_t j = 0; j < cols; j += HALF) {
            vd s = vd_load(acc + j);

            s = vd_fma(w0, row_half(x0 + j, cols - j), s);
            s = vd_fma(w1, row_half(x1 + j, cols - j), s);
            s = vd_fma(w2, row_half(x2 + j, cols - j), s);
            s = vd_fma(w3, row_half(x3 + j, cols - j), s);
            vd_store(acc + j, s);
        }
    }
    for (; r < rows; r++) {
        const vd wr = vd_set(w ? (double)w[r] : 1);

        for (size_t j = 0; j < cols; j += HALF)
            vd_store(acc + j, vd_fma(wr, row_half(x + r * ld + j, cols - j), vd_load(acc + j)));
    }
}

static void rows_col_acc_dot(double *acc, const float *x, const float *y, size_t rows, size_t ld, size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < cols; j += HALF)
            vd_store(acc + j, vd_fma(row_half(x + r * ld + j, cols - j), row_half(y + r * ld + j, cols - j),
                                     vd_load(acc + j)));
}

static void rows_put_acc(float *y, const double *acc, size_t n_, double factor, int add)
{
    size_t j = 0;

    for (; j + HALF <= n_; j += HALF) {
        const vd v = vd_load(acc + j) * factor;
        vd_to(y + j, add ? vd_from(y + j) + v : v);
    }
    for (; j < n_; j++)
        y[j] = (float)(add ? (double)y[j] + acc[j] * factor : acc[j] * factor);
}
