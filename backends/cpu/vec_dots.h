/* vec_dots.h - products C = A B^T of matrices with rows of many terms: blocks of C in registers, a lane a part of the sum, so
 * that both are read along their rows, where they lie. Each value is the same sum of lanes, whatever block it falls into:
 * tiles may be cut anywhere. Not for the narrowest vectors. */

#if W >= 8
#if W == 16
enum { DOTS_ROWS = 6, DOTS_COLS = 4 }; /* of 32 registers */
#else
enum { DOTS_ROWS = 3, DOTS_COLS = 4 }; /* of 16 */
#endif

/* Adds a vector of terms to rows x cols sums. */
INLINE void dots_terms(vf s[DOTS_ROWS][DOTS_COLS], const float *a, size_t lda, const float *b, size_t ldb, int rows, int cols,
                       vm mask, bool part)
{
    vf x[DOTS_ROWS];

    UNROLL
    for (int r = 0; r < rows; r++)
        x[r] = part ? vf_load_mask(a + (size_t)r * lda, mask) : vf_load(a + (size_t)r * lda);
    UNROLL
    for (int c = 0; c < cols; c++) {
        const vf y = part ? vf_load_mask(b + (size_t)c * ldb, mask) : vf_load(b + (size_t)c * ldb);

        UNROLL
        for (int r = 0; r < rows; r++)
            s[r][c] = vf_fma(x[r], y, s[r][c]);
    }
}

/* The sums of the lanes of four vectors: first over quarters of a quarter, then over the quarters, alike for all four. */
INLINE void dots_sum(float out[4], const vf s[DOTS_COLS])
{
#if W == 16
    const __m512 a = (__m512)s[0], b = (__m512)s[1], c = (__m512)s[2], d = (__m512)s[3];
    const __m512d ab = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
    const __m512d cd = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)));
    const __m512 q = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)), _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(q), _mm512_extractf32x8_ps(q, 1));
#else
    const __m256 a = (__m256)s[0], b = (__m256)s[1], c = (__m256)s[2], d = (__m256)s[3];
    const __m256d ab = _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)));
    const __m256d cd = _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d)));
    const __m256 h = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd)), _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd)));
#endif
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)));
}

INLINE void dots_block(const mmli_mm *p, size_t i, size_t j, int rows, int cols)
{
    const size_t lda = p->a_row, ldb = p->ldb, full = p->k - p->k % W;
    const vm mask = vm_first(p->k - full);
    const float *a = p->a + i * lda, *b = p->b + j * ldb;
    vf s[DOTS_ROWS][DOTS_COLS];

    UNROLL
    for (int r = 0; r < DOTS_ROWS; r++)
        UNROLL
        for (int c = 0; c < DOTS_COLS; c++)
            s[r][c] = vf_set(0);
    for (size_t l = 0; l < full; l += W)
        dots_terms(s, a + l, lda, b + l, ldb, rows, cols, mask, false);
    if (full < p->k)
        dots_terms(s, a + full, lda, b + full, ldb, rows, cols, mask, true);
    UNROLL
    for (int r = 0; r < rows; r++) {
        float *at = p->c + (i + (size_t)r) * p->ldc + j, sum[DOTS_COLS];

        dots_sum(sum, s[r]);
        UNROLL
        for (int c = 0; c < cols; c++)
            at[c] = sum[c] + (p->add ? at[c] : p->bias ? p->bias[j + (size_t)c] : 0.0f);
    }
}

typedef void (*dots_fn)(const mmli_mm *p, size_t i, size_t j);

#define DOTS(rows, cols)                                                                                     \
    static void dots_##rows##x##cols(const mmli_mm *p, size_t i, size_t j)                                   \
    {                                                                                                        \
        dots_block(p, i, j, rows, cols);                                                                     \
    }
#define DOTS_4(rows) DOTS(rows, 1) DOTS(rows, 2) DOTS(rows, 3) DOTS(rows, 4)
#define DOTS_LIST(r) {dots_##r##x1, dots_##r##x2, dots_##r##x3, dots_##r##x4}
DOTS_4(1) DOTS_4(2) DOTS_4(3)
#if W == 16
DOTS_4(4) DOTS_4(5) DOTS_4(6)
static const dots_fn dots_blocks[][DOTS_COLS] = {DOTS_LIST(1), DOTS_LIST(2), DOTS_LIST(3),
                                                 DOTS_LIST(4), DOTS_LIST(5), DOTS_LIST(6)};
#else
static const dots_fn dots_blocks[][DOTS_COLS] = {DOTS_LIST(1), DOTS_LIST(2), DOTS_LIST(3)};
#endif

/* Asks for part t of `parts` of the rows of B that come next: they may lie in memory. */
static void dots_ahead(const mmli_mm *p, size_t j, size_t t, size_t parts)
{
    const size_t end = j + DOTS_COLS < p->n ? j + DOTS_COLS : p->n, lines = (p->k + LINE - 1) / LINE;

    for (; j < end; j++)
        for (size_t l = lines * t / parts; l < lines * (t + 1) / parts; l++)
            __builtin_prefetch(p->b + j * p->ldb + l * LINE, 0, 2);
}

static void mm_dots(const mmli_mm *p)
{
    const size_t high = (p->m + DOTS_ROWS - 1) / DOTS_ROWS;

    for (size_t j = 0, u = (p->n + DOTS_COLS - 1) / DOTS_COLS, cols; j < p->n; j += cols, u--) {
        cols = (p->n - j + u - 1) / u;
        for (size_t i = 0, t = high, rows; i < p->m; i += rows, t--) { /* of nearly equal heights */
            rows = (p->m - i + t - 1) / t;
            dots_ahead(p, j + cols, high - t, high);
            dots_blocks[rows - 1][cols - 1](p, i, j);
        }
    }
}
#undef DOTS
#endif
