/* vec_attention.h - the softmax inside attention, on tiles of scores that are in the cache. */

static void attn_softmax(float *s, size_t rows, size_t n_, size_t ld, float scale, float *m, double *l, float *o,
                         size_t e, int first)
{
    for (size_t r = 0; r < rows; r++) {
        float *row = s + r * ld, *or_ = o + r * e;
        vf top = vf_set(-INFINITY), sum = {0};
        float most;

        VECTORS (0, n_) {
            const vf t = LD(row) * scale;
            top = vf_max(n == W ? t : vf_pick(first_lanes(n), t, top), top);
        }
        most = vf_max_lane(top);
        if (!first && m[r] > most)
            most = m[r];
        VECTORS (0, n_) {
            vf p = vf_exp(vf_fma(LD(row), vf_set(scale), vf_set(-most)));

            ST(row, p);
            if (n < W)
                p = vf_pick(first_lanes(n), p, vf_set(0));
            sum += p;
        }
        if (first) {
            l[r] = (double)vf_sum(sum);
        } else {
            const float fade = m[r] == most ? 1.0f : expf(m[r] - most);

            l[r] = l[r] * (double)fade + (double)vf_sum(sum);
            if (fade != 1.0f)
                VECTORS (0, e)
                    ST(or_, LD(or_) * fade);
        }
        m[r] = most;
    }
}

static void attn_grad(float *s, float *dp, size_t rows, size_t n_, size_t ld, float scale, const float *lse,
                      const float *dot)
{
    for (size_t r = 0; r < rows; r++) {
        float *row = s + r * ld, *drow = dp + r * ld;

        VECTORS (0, n_) {
            const vf p = vf_exp(vf_fma(LD(row), vf_set(scale), vf_set(-lse[r])));
            ST(row, p);
            ST(drow, p * (LD(drow) - dot[r]) * scale);
        }
    }
}
