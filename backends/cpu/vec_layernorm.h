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

enum { LN_ROWS = 4 }; /* rows at a time, backward: float64 sums are visited once for all */

/* What the second pass over a row needs. */
typedef struct ln_row {
    const float *x, *dy;
    float *dx;
    float mean, off, rstd, mg, mgh;
} ln_row;

INLINE void ln_grad_sums(vf s[3], const ln_row *row, const float *gamma, size_t i, size_t n)
{
    const float *x = row->x, *dy = row->dy;
    const vf g = LD(dy) * LD(gamma); /* 0 in lanes past the end */
    const vf d = ln_deviation(x, i, n, row->mean);

    s[0] += d;
    s[1] += g;
    s[2] = vf_fma(g, d, s[2]);
}

static ln_row ln_grad_first(const mmli_ln *l, size_t r)
{
    const size_t cols = l->cols, full = cols - cols % W;
    const float by = 1.0f / (float)cols;
    ln_row row = {.x = l->x + r * cols, .dy = l->dy + r * cols, .dx = l->dx ? l->dx + r * cols : NULL,
                  .mean = l->cstats[2 * r], .rstd = l->cstats[2 * r + 1]};
    vf s[3] = {{0}, {0}, {0}};

    for (size_t j = 0; j < full; j += W)
        ln_grad_sums(s, &row, l->gamma, j, W);
    if (full < cols)
        ln_grad_sums(s, &row, l->gamma, full, cols - full);
    row.off = vf_sum(s[0]) * by; /* what rounding took from the mean in stats */
    row.mg = vf_sum(s[1]) * by;
    row.mgh = (vf_sum(s[2]) * by - row.off * row.mg) * row.rstd;
    return row;
}

/* One vector of columns of up to LN_ROWS rows. */
INLINE void ln_grad_columns(const mmli_ln *l, const ln_row *row, size_t rows, size_t i, size_t n)
{
    const float *gamma = l->gamma;
    vf sum_h = {0}, sum = {0};

    for (size_t r = 0; r < rows; r++) {
        const float *x = row[r].x, *dy_ = row[r].dy;
        float *dx = row[r].dx;
        const vf dy = LD(dy_), h = ((LD(x) - row[r].mean) - row[r].off) * row[r].rstd;

        if (dx)
            ST(dx, vf_fma(vf_set(row[r].rstd), (dy * LD(gamma) - row[r].mg) - h * row[r].mgh, LD(dx)));
        sum_h = vf_fma(dy, h, sum_h);
        sum += dy;
    }
    if (l->dgamma) {
        vd_store(l->dgamma + i, vd_load(l->dgamma + i) + vd_low(sum_h));
        vd_store(l->dgamma + i + HALF, vd_load(l->dgamma + i + HALF) + vd_high(sum_h));
    }
    if (l->dbeta) {
        vd_store(l->dbeta + i, vd_load(l->dbeta + i) + vd_low(sum));
        vd_store(l->dbeta + i + HALF, vd_load(l->dbeta + i + HALF) + vd_high(sum));
    }
}

/* With h = (x - mean) rstd, g = dy gamma: dx += rstd (g - mean(g) - h mean(g h)). Sums of LN_ROWS rows are float32,
 * of those float64. `from` is a multiple of LN_ROWS, so tiles do not show. */
static void ln_grad_rows(const mmli_ln *l, size_t from, size_t to)
{
    const size_t cols = l->cols, full = cols - cols % W;

    for (size_t r = from; r < to; r += LN_ROWS) {
        const size_t rows = to - r < LN_ROWS ? to - r : LN_ROWS;
        ln_row row[LN_ROWS];

        for (size_t k = 0; k < rows; k++)
            row[k] = ln_grad_first(l, r + k);
        for (size_t j = 0; j < full; j += W)
            ln_grad_columns(l, row, rows, j, W);
        if (full < cols)
            ln_grad_columns(l, row, rows, full, cols - full);
    }
}
