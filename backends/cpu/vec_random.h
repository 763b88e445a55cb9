/* vec_random.h - dropout masks: Philox4x32-10 on W / 2 counters at once, the numbers of util/rng.h. */

/* Words of counters c .. c + W/2 - 1 in the order of their elements: 2 W numbers. */
INLINE void philox(uint32_t out[2 * W], uint64_t key, uint64_t counter)
{
    const vq m0 = vq_set(0xD2511F53u), m1 = vq_set(0xCD9E8D57u), low = vq_set(0xffffffffu);
    vq c0 = {0}, c1, c2 = {0}, c3 = {0}, w01, w23, lo, hi;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

    for (uint64_t i = 0; i < W / 2; i++)
        c0[i] = counter + i;
    c1 = c0 >> 32;
    for (int round = 0; round < 10; round++) { /* upper halves of lanes hold rubbish; products ignore them */
        const vq p0 = vq_mul32(c0, m0), p1 = vq_mul32(c2, m1);

        c0 = (p1 >> 32) ^ c1 ^ vq_set(k0);
        c1 = p1;
        c2 = (p0 >> 32) ^ c3 ^ vq_set(k1);
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    w01 = (c0 & low) | (c1 << 32);
    w23 = (c2 & low) | (c3 << 32);
    vq_zip(&lo, &hi, w01, w23);
    memcpy(out, &lo, sizeof lo);
    memcpy(out + W, &hi, sizeof hi);
}

/* Mask of the lanes that are kept: upper 24 bits / 2^24 >= p. */
INLINE vi kept(const uint32_t *words, vf p)
{
    vi w;

    memcpy(&w, words, sizeof w);
    w = (w >> 8) & vi_set(0xffffff);
    return __builtin_convertvector(w, vf) * 0x1p-24f >= p;
}

static void el_dropout(const mmli_el *e, size_t from, size_t to)
{
    const vf p = vf_set(e->s[0]), factor = vf_set(e->s[1]), plus = vf_set(e->s[2]), dropped = vf_set(e->s[3]);
    const float *a = e->a;
    uint32_t words[2 * W];
    size_t k = 0;

    VECTORS (from, to) {
        if ((k++ & 1) == 0)
            philox(words, e->key, (e->first + i) / 4);
        ST(e->y, vf_pick(kept(words + (k & 1 ? 0 : W), p), vf_fma(factor, LD(a), plus), dropped));
    }
}

static void el_dropout_grad(const mmli_el *e, size_t from, size_t to)
{
    const vf p = vf_set(e->s[0]), factor = vf_set(e->s[1]);
    const float *a = e->a;
    uint32_t words[2 * W];
    size_t k = 0;

    VECTORS (from, to) {
        const vf y = LD(e->y);

        if ((k++ & 1) == 0)
            philox(words, e->key, (e->first + i) / 4);
        ST(e->y, vf_pick(kept(words + (k & 1 ? 0 : W), p), vf_fma(factor, LD(a), y), y));
    }
}
