/* vec_gemm.h - products of matrices that lie in cache: blocks of C in registers, nothing packed. Each value is
 * one sum over k in order, whatever block it falls into: tiles may be cut anywhere. */

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Registers of a block: rows x vectors of sums, the vectors of a row of B, a value of A. */
#if W == 16
enum { MM_VECS = 4, MM_ROWS_1 = 12, MM_ROWS_2 = 12, MM_ROWS_3 = 8, MM_ROWS_4 = 6 }; /* of 32 */
#else
enum { MM_VECS = 2, MM_ROWS_1 = 12, MM_ROWS_2 = 6, MM_ROWS_3 = 4 }; /* of 16 */
#endif
enum { MM_ROWS_MOST = 12, MM_VECS_MOST = 4 };
enum { LINE = 16 }; /* floats of a line of the cache */

INLINE vf mm_get(const float *p, size_t n)
{
    return W < 16 && n == W ? vf_load(p) : vf_load_part(p, n);
}
INLINE void mm_put(float *p, vf v, size_t n)
{
    if (W < 16 && n == W) /* AVX-512 has masks for nothing */
        vf_store(p, v);
    else
        vf_store_part(p, v, n);
}

/* Rows i .. i+rows-1, `vecs` vectors of columns from j on, of the last one `last` columns. */
INLINE void mm_block(const mmli_mm *p, size_t i, size_t j, size_t last, int rows, int vecs)
{
    const vm mask = vm_first(last);
    const size_t row = p->a_row, step = p->a_k, ldb = p->ldb;
    const float *a = p->a + i * row, *b = p->b + j;
    float *c = p->c + i * p->ldc + j;
    vf s[MM_ROWS_MOST][MM_VECS_MOST], w[MM_VECS_MOST];

    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int v = 0; v < vecs; v++)
            s[r][v] = vf_set(0);
    for (size_t l = 0; l < p->k; l++, a += step, b += ldb) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            w[v] = v + 1 < vecs ? vf_load(b + v * W) : vf_load_mask(b + v * W, mask);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * row]);

            UNROLL
            for (int v = 0; v < vecs; v++)
                s[r][v] = vf_fma(x, w[v], s[r][v]);
        }
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const size_t n = v + 1 < vecs ? W : last, left = (size_t)v * W;
        const vf alpha = vf_set(p->alpha);
        const vf bias = p->bias ? mm_get(p->bias + j + left, n) : vf_set(0);

        UNROLL
        for (int r = 0; r < rows; r++) {
            float *at = c + (size_t)r * p->ldc + left;

            mm_put(at, vf_fma(alpha, s[r][v], p->add ? mm_get(at, n) + bias : bias), n);
        }
    }
}

typedef void (*mm_block_fn)(const mmli_mm *p, size_t i, size_t j, size_t last);

#define MM(rows, vecs)                                                                                       \
    static void mm_##rows##x##vecs(const mmli_mm *p, size_t i, size_t j, size_t last)                        \
    {                                                                                                        \
        mm_block(p, i, j, W == 4 ? W : last, rows, vecs);                                                    \
    }
#define MM_4(vecs) MM(1, vecs) MM(2, vecs) MM(3, vecs) MM(4, vecs)
#define MM_6(vecs) MM_4(vecs) MM(5, vecs) MM(6, vecs)
#define MM_8(vecs) MM_6(vecs) MM(7, vecs) MM(8, vecs)
#define MM_12(vecs) MM_8(vecs) MM(9, vecs) MM(10, vecs) MM(11, vecs) MM(12, vecs)
#define MM_LIST_4(v) mm_1x##v, mm_2x##v, mm_3x##v, mm_4x##v
#define MM_LIST_6(v) MM_LIST_4(v), mm_5x##v, mm_6x##v
#define MM_LIST_8(v) MM_LIST_6(v), mm_7x##v, mm_8x##v
#define MM_LIST_12(v) MM_LIST_8(v), mm_9x##v, mm_10x##v, mm_11x##v, mm_12x##v
MM_12(1)
#if W == 16
MM_12(2) MM_8(3) MM_6(4)
static const mm_block_fn mm_blocks[][MM_ROWS_MOST] = {{MM_LIST_12(1)}, {MM_LIST_12(2)}, {MM_LIST_8(3)}, {MM_LIST_6(4)}};
static const size_t mm_rows[] = {MM_ROWS_1, MM_ROWS_2, MM_ROWS_3, MM_ROWS_4};
#else
MM_6(2) MM_4(3)
static const mm_block_fn mm_blocks[][MM_ROWS_MOST] = {{MM_LIST_12(1)}, {MM_LIST_6(2)}, {MM_LIST_4(3)}};
static const size_t mm_rows[] = {MM_ROWS_1, MM_ROWS_2, MM_ROWS_3};
#endif

#if W == 4
/* The last columns, where there are no masks: the same sums one by one. */
static void mm_columns(const mmli_mm *p, size_t from)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = from; j < p->n; j++) {
            float s = 0, *c = p->c + i * p->ldc + j, before = p->bias ? p->bias[j] : 0;

            if (p->add)
                before = *c + before;
            for (size_t l = 0; l < p->k; l++)
                s = p->a[i * p->a_row + l * p->a_k] * p->b[l * p->ldb + j] + s;
            *c = p->alpha * s + before;
        }
}
#endif

/* Asks for rows i .. of A, a block's worth of them. */
static void mm_ahead(const mmli_mm *p, size_t i, size_t rows)
{
    const size_t end = i + rows < p->m ? i + rows : p->m;

    for (; i < end; i++)
        for (size_t l = 0; l < p->k; l += LINE)
            __builtin_prefetch(p->a + i * p->a_row + l, 0, 2);
}

static void mm(const mmli_mm *p)
{
    size_t j = 0, vecs;

    for (size_t left = W == 4 ? p->n / W : (p->n + W - 1) / W; left > 0; left -= vecs, j += vecs * W) {
        /* a single vector at the end would wait for loads: three come first */
        vecs = left > 1 && left % MM_VECS == 1 ? 3 : left < MM_VECS ? left : MM_VECS;
        const size_t most = mm_rows[vecs - 1], blocks = (p->m + most - 1) / most;
        const size_t last = left > vecs || p->n % W == 0 ? W : p->n % W;

        for (size_t i = 0, t = blocks, rows; i < p->m; i += rows, t--) { /* of nearly equal heights */
            rows = (p->m - i + t - 1) / t;
            if (p->ahead && j == 0)
                mm_ahead(p, i + rows, rows);
            mm_blocks[vecs - 1][rows - 1](p, i, j, last);
        }
    }
#if W == 4
    mm_columns(p, j);
#endif
}
