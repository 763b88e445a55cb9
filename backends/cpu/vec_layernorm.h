/* vec_layernorm.h - rows of layer normalisation, forward and backward. A row is read from memory once;
 * further passes find it in the first-level cache. */

INLINE vf ln_deviation(const float *x, size_t i, size_t n, float mean)
{
    const vf d = LD(x) - mean;

    return n == W ? d : vf_pick(first_lanes(n), d, vf_set(0));
}

static void ln_rows(const mmli_ln *l, size_t from, size_t to)
{
    const size_t cols = l->cols, full = cols - cols % W, rest = cols - full;
    const float by = 1.0f / (float)cols;
    const float *gamma = l->gamma, *beta = l->beta;

    for (size_t r = from; r < to; r++) {
        const float *x = l->x + r * cols;
        float *y = l->y + r * cols;
        vf sum = {0}, s1 = {0}, s2 = {0}, shift;
        float mean, off, rstd;
        double var;

        for (size_t j = 0; j < full; j += W)
            sum += vf_load(x + j);
        if (rest)
            sum += vf_load_part(x + full, rest);
        mean = vf_sum(sum) * by;
        /* Deviations from the rounded mean: their own mean corrects it, and the variance. */
        for (size_t j = 0; j < full; j += W) {
            const vf d = vf_load(x + j) - mean;

            s1 += d;
            s2 = vf_fma(d, d, s2);
        }
        if (rest) {
            const vf d = ln_deviation(x, full, rest, mean);

            s1 += d;
            s2 = vf_fma(d, d, s2);
        }
        off = vf_sum(s1) * by;
        var = (double)vf_sum(s2) * (double)by - (double)off * (double)off;
        rstd = (float)(1.0 / sqrt((var > 0 ? var : var == var ? 0 : var) + (double)l->eps));
        if (l->stats) {
            l->stats[2 * r] = mean + off;
            l->stats[2 * r + 1] = rstd;
        }
        shift = vf_set(off);
        for (size_t j = 0; j < full; j += W)
            vf_store(y + j, vf_fma(((vf_load(x + j) - mean) - shift) * rstd, vf_load(gamma + j), vf_load(beta + j)));
        if (rest) {
            const size_t i = full, n = rest;
            ST(y, vf_fma(((LD(x) - mean) - shift) * rstd, LD(gamma), LD(beta)));
        }
    }
}

typedef struct ln_sums {
    vf d, g, gd;
} ln_sums;

INLINE void ln_grad_sums(ln_sums *s, const float *x, const float *dy, const float *gamma, float mean, size_t i,
                         size_t n)
{
    const vf g = LD(dy) * LD(gamma); /* 0 in lanes past the end */
    const vf d = ln_deviation(x, i, n, mean);

    s->d += d;
    s->g += g;
    s->gd = vf_fma(g, d, s->gd);
}

/* With h = (x - mean) rstd, g = dy gamma: dx += rstd (g - mean(g) - h mean(g h)) */
static void ln_grad_rows(const mmli_ln *l, size_t from, size_t to)
{
    const size_t cols = l->cols, full = cols - cols % W, rest = cols - full;
    const float by = 1.0f / (float)cols;
    const float *gamma = l->gamma;

    for (size_t r = from; r < to; r++) {
        const float *x = l->x + r * cols, *dy = l->dy + r * cols;
        const float mean = l->cstats[2 * r], rstd = l->cstats[2 * r + 1];
        float *dx = l->dx ? l->dx + r * cols : NULL;
        ln_sums s = {{0}, {0}, {0}};
        float off, mg, mgh;

        for (size_t j = 0; j < full; j += W)
            ln_grad_sums(&s, x, dy, gamma, mean, j, W);
        if (rest)
            ln_grad_sums(&s, x, dy, gamma, mean, full, rest);
        off = vf_sum(s.d) * by; /* what rounding took from the mean in stats */
        mg = vf_sum(s.g) * by;
        mgh = (vf_sum(s.gd) * by - off * mg) * rstd;
        for (size_t i = 0; dx && i < full; i += W) {
            const vf h = ((vf_load(x + i) - mean) - off) * rstd, g = vf_load(dy + i) * vf_load(gamma + i);
            vf_store(dx + i, vf_fma(vf_set(rstd), (g - mg) - h * mgh, vf_load(dx + i)));
        }
        if (dx && rest) {
            const size_t i = full, n = rest;
            const vf h = ((LD(x) - mean) - off) * rstd, g = LD(dy) * LD(gamma);
            ST(dx, vf_fma(vf_set(rstd), (g - mg) - h * mgh, LD(dx)));
        }
        if (l->dgamma)
            for (size_t j = 0; j < cols; j += HALF) {
                const vd h = ((row_half(x + j, cols - j) - (double)mean) - (double)off) * (double)rstd;
                const vd g = row_half(dy + j, cols - j);
                vd_store(l->dgamma + j, vd_fma(g, h, vd_load(l->dgamma + j)));
            }
        if (l->dbeta)
            for (size_t j = 0; j < cols; j += HALF)
                vd_store(l->dbeta + j, row_half(dy + j, cols - j) + vd_load(l->dbeta + j));
    }
}
