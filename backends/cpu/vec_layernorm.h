/* vec_layernorm.h - rows of layer normalisation, forward and backward. A row is read from memory once;
 * further passes find it in the first-level cache. */

static void ln_rows(const mmli_ln *l, size_t from, size_t to)
{
    const float by = 1.0f / (float)l->cols;
    const float *gamma = l->gamma, *beta = l->beta;

    for (size_t r = from; r < to; r++) {
        const float *x = l->x + r * l->cols;
        float *y = l->y + r * l->cols;
        vf sum = {0}, s1 = {0}, s2 = {0};
        float mean, off, rstd;
        double var;

        VECTORS (0, l->cols)
            sum += LD(x);
        mean = vf_sum(sum) * by;
        /* Deviations from the rounded mean: their own mean corrects it, and the variance. */
        VECTORS (0, l->cols) {
            vf d = LD(x) - mean;

            if (n < W)
                d = vf_pick(first_lanes(n), d, vf_set(0));
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
        VECTORS (0, l->cols)
            ST(y, vf_fma(((LD(x) - mean) - off) * rstd, LD(gamma), LD(beta)));
    }
}

/* With h = (x - mean) rstd, g = dy gamma: dx += rstd (g - mean(g) - h mean(g h)) */
static void ln_grad_rows(const mmli_ln *l, size_t from, size_t to)
{
    const float by = 1.0f / (float)l->cols;
    const float *gamma = l->gamma;

    for (size_t r = from; r < to; r++) {
        const float *x = l->x + r * l->cols, *dy = l->dy + r * l->cols;
        const float mean = l->cstats[2 * r], rstd = l->cstats[2 * r + 1];
        float *dx = l->dx ? l->dx + r * l->cols : NULL;
        vf sum = {0}, sg = {0}, sgh = {0};
        float off, mg, mgh;

        VECTORS (0, l->cols) {
            const vf g = LD(dy) * LD(gamma); /* 0 in lanes past the end */
            vf d = LD(x) - mean;

            if (n < W)
                d = vf_pick(first_lanes(n), d, vf_set(0));
            sum += d;
            sg += g;
            sgh = vf_fma(g, d, sgh);
        }
        off = vf_sum(sum) * by; /* what rounding took from the mean in stats */
        mg = vf_sum(sg) * by;
        mgh = (vf_sum(sgh) * by - off * mg) * rstd;
        if (dx)
            VECTORS (0, l->cols) {
                const vf h = ((LD(x) - mean) - off) * rstd, g = LD(dy) * LD(gamma);
                ST(dx, vf_fma(vf_set(rstd), (g - mg) - h * mgh, LD(dx)));
            }
        if (l->dgamma)
            for (size_t j = 0; j < l->cols; j += HALF) {
                const vd h = ((row_half(x + j, l->cols - j) - (double)mean) - (double)off) * (double)rstd;
                const vd g = row_half(dy + j, l->cols - j);
                vd_store(l->dgamma + j, vd_fma(g, h, vd_load(l->dgamma + j)));
            }
        if (l->dbeta)
            for (size_t j = 0; j < l->cols; j += HALF)
                vd_store(l->dbeta + j, row_half(dy + j, l->cols - j) + vd_load(l->dbeta + j));
    }
}
