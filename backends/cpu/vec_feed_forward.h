/* vec_feed_forward.h - the gate of a feed-forward on a tile in cache. A hidden unit is a row and a row of the batch is a
 * lane: biases are one number a row. */

static void ff_gate(float *a, const float *g, const float *ba, const float *bg, size_t n, size_t pad)
{
    for (size_t i = 0; i < n; i++) {
        const vf plus_a = vf_set(ba[i]), plus_g = vf_set(bg[i]);

        for (size_t q = i * pad; q < (i + 1) * pad; q += W)
            vf_store(a + q, (vf_load(a + q) + plus_a) * selu(vf_load(g + q) + plus_g));
    }
}

static void ff_gate_grad(float *a, float *g, float *d, const float *ba, const float *bg, double *sa, double *sg, size_t n,
                         size_t pad)
{
    for (size_t i = 0; i < n; i++) {
        const vf plus_a = vf_set(ba[i]), plus_g = vf_set(bg[i]);
        vf sum_a = {0}, sum_g = {0};

        for (size_t q = i * pad; q < (i + 1) * pad; q += W) {
            const vf v = vf_load(a + q) + plus_a, s = selu(vf_load(g + q) + plus_g), dy = vf_load(d + q);
            const vf da = dy * s, dg = dy * v * selu_slope(s);

            vf_store(d + q, v * s);
            vf_store(a + q, da);
            vf_store(g + q, dg);
            sum_a += da;
            sum_g += dg;
        }
        sa[i] += (double)vf_sum(sum_a);
        sg[i] += (double)vf_sum(sum_g);
    }
}
