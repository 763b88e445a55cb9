/* attention.h - what the forward and the backward pass of attention share: the tiles, and the three products of tiles.
 *
 * A block of 256 threads works on 16 RQ queries (RQ = 1, 2, 4) and 64 tokens of one head at a time. The width e of a head goes
 * through shared memory in slabs of 64 columns, so any width goes. A thread has RQ x 4 numbers of a result in registers, and
 * takes what it multiplies as float4: RQ + 4 loads for 16 RQ multiplications. Rows of a tile are 68 floats apart: the 8 rows that
 * a quarter of a warp reads lie in different banks.
 *
 * In a warp 4 rows of threads (queries) meet 8 columns (tokens, or groups of 4 columns); 8 warps are 4 x 2 of those:
 * thread (a, b) of 16 x 16 has queries a + 16 i, and tokens b + 16 j of scores, columns 4 b .. 4 b + 3 of what is e wide. */
#ifndef MMLI_CUDA_ATTENTION_H
#define MMLI_CUDA_ATTENTION_H

#include "backends/cuda/ragged.h"

enum {
    ATT_THREADS = 256,
    ATT_SIDE = 16,    /* threads along each side of a tile */
    ATT_TOKENS = 64,  /* of a tile */
    ATT_SLAB = 64,    /* columns of a slab */
    ATT_STRIDE = 68,  /* floats between rows of a tile in shared memory */
    ATT_TILE = ATT_TOKENS * ATT_STRIDE,
    ATT_PART_FLOATS = 64 << 20, /* of results of parts, about, at most */
};

/* Arguments of all kernels of attention. */
struct att {
    float *o, *lse;            /* forward: results; lse may be NULL */
    const float *q, *k, *v;
    const float *out, *lse_in, *dout; /* backward */
    float *dq, *dk, *dv;              /* NULL: not wanted */
    const int64_t *off;
    size_t segs, c, H, e, ld; /* ld = H e */
    float scale;
    mmli_query mode;
    int parts;      /* of tokens; not for MMLI_QUERY_RAGGED */
    bool vec;       /* rows may be read as float4, */
    bool vec_out;   /* ... those of results written, too */
    float *part;    /* results of parts: attention.cu, attention_grad.cu */
    float *part_ml; /* maximum and sum beside them */
};

static __device__ inline int att_row() { return static_cast<int>(threadIdx.x / 64 * 4 + threadIdx.x % 32 / 8); }
static __device__ inline int att_col() { return static_cast<int>(threadIdx.x / 32 % 2 * 8 + threadIdx.x % 8); }

static __device__ inline size_t att_min(size_t a, size_t b) { return a < b ? a : b; }

/* First row of the queries of segment s in q, and in o and lse; not for RAGGED, where both are the row itself. */
static __device__ inline size_t att_q_row(const att &a, size_t s) { return a.mode == MMLI_QUERY_SHARED ? 0 : s * a.c; }

/* dst (want, 64) = src (rows, cols) and zeros beyond; rows of src ld apart, cols <= 64. */
static __device__ inline void att_load(float *dst, const float *src, size_t ld, int rows, int want, int cols, bool vec)
{
    for (int i = static_cast<int>(threadIdx.x); i < want * (ATT_SLAB / 4); i += ATT_THREADS) {
        const int r = i / (ATT_SLAB / 4), x = i % (ATT_SLAB / 4) * 4;
        float4 v = make_float4(0, 0, 0, 0);

        if (r < rows && x < cols) {
            const float *p = src + static_cast<size_t>(r) * ld + x;

            if (vec) { /* then cols is a multiple of 4 */
                v = *reinterpret_cast<const float4 *>(p);
            } else {
                v.x = p[0];
                v.y = x + 1 < cols ? p[1] : 0;
                v.z = x + 2 < cols ? p[2] : 0;
                v.w = x + 3 < cols ? p[3] : 0;
            }
        }
        *reinterpret_cast<float4 *>(dst + r * ATT_STRIDE + x) = v;
    }
}

static __device__ inline float4 att_four(const float *tile, int row, int x)
{
    return *reinterpret_cast<const float4 *>(tile + row * ATT_STRIDE + x);
}

/* s[i][j] += A[a + 16 i] . B[b + 16 j] over `cols` columns; B has n rows */
template <int RQ> static __device__ inline void att_dots(float s[RQ][4], const float *A, const float *B, int cols, int n)
{
    const int a = att_row(), b = att_col();

#pragma unroll 4
    for (int x = 0; x < cols; x += 4) {
        float4 u[RQ];

#pragma unroll
        for (int i = 0; i < RQ; i++)
            u[i] = att_four(A, a + ATT_SIDE * i, x);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (ATT_SIDE * j >= n)
                break;
            const float4 w = att_four(B, b + ATT_SIDE * j, x);

#pragma unroll
            for (int i = 0; i < RQ; i++) {
                s[i][j] = fmaf(u[i].x, w.x, s[i][j]);
                s[i][j] = fmaf(u[i].y, w.y, s[i][j]);
                s[i][j] = fmaf(u[i].z, w.z, s[i][j]);
                s[i][j] = fmaf(u[i].w, w.w, s[i][j]);
            }
        }
    }
}

static __device__ inline void att_axpy(float y[4], float p, const float4 &x)
{
    y[0] = fmaf(p, x.x, y[0]);
    y[1] = fmaf(p, x.y, y[1]);
    y[2] = fmaf(p, x.z, y[2]);
    y[3] = fmaf(p, x.w, y[3]);
}

/* y[i][.] += sum over t < n of P[a + 16 i][t] X[t][4 b ..], of `cols` columns: rows of P are queries */
template <int RQ> static __device__ inline void att_weigh(float y[RQ][4], const float *P, const float *X, int n, int cols)
{
    const int a = att_row(), b = att_col();

    if (4 * b >= cols)
        return;
#pragma unroll 2
    for (int t = 0; t < n; t += 4) { /* P is 0 beyond n */
        float4 p[RQ];

#pragma unroll
        for (int i = 0; i < RQ; i++)
            p[i] = att_four(P, a + ATT_SIDE * i, t);
#pragma unroll
        for (int u = 0; u < 4; u++) {
            const float4 x = att_four(X, t + u, 4 * b);

#pragma unroll
            for (int i = 0; i < RQ; i++)
                att_axpy(y[i], u == 0 ? p[i].x : u == 1 ? p[i].y : u == 2 ? p[i].z : p[i].w, x);
        }
    }
}

/* The same where rows of the tile belong to several segments: row r has the tokens lo[r] .. hi[r] - 1, column 0 of P is token `first`.
 * Of other tokens P is 0, and X may be NaN: they are left out, for 0 * NaN is NaN. */
template <int RQ>
static __device__ inline void att_weigh_own(float y[RQ][4], const float *P, const float *X, int n, int cols, const int64_t *lo,
                                            const int64_t *hi, int64_t first)
{
    const int a = att_row(), b = att_col();

    if (4 * b >= cols)
        return;
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = a + ATT_SIDE * i;
        const int from = static_cast<int>(lo[r] > first ? (lo[r] - first < n ? lo[r] - first : n) : 0);
        const int to = static_cast<int>(hi[r] > first ? (hi[r] - first < n ? hi[r] - first : n) : 0);

        for (int t = from; t < to; t++)
            att_axpy(y[i], P[r * ATT_STRIDE + t], att_four(X, t, 4 * b));
    }
}

/* y[i][.] += sum over j < n of P[j][4 a + i] X[j][4 b ..], of `cols` columns: rows of P and X are queries, those of y tokens
 * 4 a + i, of which there are `tokens` */
static __device__ inline void att_weigh_by_token(float y[4][4], const float *P, const float *X, int n, int cols, int tokens)
{
    const int a = att_row(), b = att_col();

    if (4 * b >= cols || 4 * a >= tokens)
        return;
#pragma unroll 4
    for (int j = 0; j < n; j++) {
        const float4 p = att_four(P, j, 4 * a), x = att_four(X, j, 4 * b);

        att_axpy(y[0], p.x, x);
        att_axpy(y[1], p.y, x);
        att_axpy(y[2], p.z, x);
        att_axpy(y[3], p.w, x);
    }
}

/* The same where rows of the tile belong to several segments, as above; token 4 a + i is token first + 4 a + i. */
static __device__ inline void att_weigh_by_token_own(float y[4][4], const float *P, const float *X, int n, int cols, int tokens,
                                                     const int64_t *lo, const int64_t *hi, int64_t first)
{
    const int a = att_row(), b = att_col();

    if (4 * b >= cols || 4 * a >= tokens)
        return;
    for (int j = 0; j < n; j++) {
        const float4 p = att_four(P, j, 4 * a), x = att_four(X, j, 4 * b);
        const int64_t token = first + 4 * a;

#pragma unroll
        for (int i = 0; i < 4; i++)
            if (token + i >= lo[j] && token + i < hi[j])
                att_axpy(y[i], i == 0 ? p.x : i == 1 ? p.y : i == 2 ? p.z : p.w, x);
    }
}

/* y (or +=) x for up to 4 numbers; `left` of them are there. vec: y is aligned, and left a multiple of 4. */
static __device__ inline void att_store(float *y, const float x[4], int left, bool add, bool vec)
{
    if (vec) {
        if (left > 0) {
            const float4 old = add ? *reinterpret_cast<const float4 *>(y) : make_float4(0, 0, 0, 0);

            *reinterpret_cast<float4 *>(y) = make_float4(old.x + x[0], old.y + x[1], old.z + x[2], old.w + x[3]);
        }
        return;
    }
#pragma unroll
    for (int u = 0; u < 4; u++)
        if (u < left)
            y[u] = add ? y[u] + x[u] : x[u];
}

/* Self-attention: tokens lo .. hi - 1 of each of `rows` rows from `first` on (none for what is beyond them, up to `want`), and
 * of all together. Gives whether the rows belong to several segments. */
static __device__ inline bool att_segments(const att &a, int64_t first, int rows, int want, int64_t *lo, int64_t *hi,
                                           int64_t *from, int64_t *to)
{
    for (int r = static_cast<int>(threadIdx.x); r < want; r += ATT_THREADS) {
        const size_t s = r < rows ? mmli_segment_of(a.off, a.segs, first + r) : 0;

        lo[r] = r < rows ? a.off[s] : 0;
        hi[r] = r < rows ? a.off[s + 1] : 0;
    }
    const size_t s = mmli_segment_of(a.off, a.segs, first), end = mmli_segment_of(a.off, a.segs, first + rows - 1);

    *from = a.off[s];
    *to = a.off[end + 1];
    return s != end;
}

/* ---- host -------------------------------------------------------------------------------------------------- */

/* NULL is aligned. */
static inline bool att_aligned(const void *p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }

/* Blocks that should be there: some for each multiprocessor, fewer where a partial result is wide. */
static inline size_t att_blocks(const mmli_device *dv, size_t e)
{
    return static_cast<size_t>(mmli_cuda_of(dv)->processors) * (e > 256 ? 2 : 6);
}

/* Parts of the tokens, for so many blocks when a part is `tiles` of them; fewer where its results, `floats`, would take much
 * memory. */
static inline int att_parts(size_t blocks, size_t tiles, size_t floats)
{
    const size_t n = mmli_cuda_ceil_div(blocks, tiles), room = ATT_PART_FLOATS / floats;

    return static_cast<int>(n < room ? n : room > 0 ? room : 1);
}

/* Allows a kernel more than the 48 KiB of shared memory that every kernel may have, on the GPU of this device. */
template <class K> static inline mml_status att_allow(const mmli_device *dv, K *kernel, size_t bytes)
{
    (void)mmli_cuda_stream(dv);
    return mmli_cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
                           "cudaFuncSetAttribute");
}

/* RQ for c queries: the largest tile, unless a smaller one leaves far fewer of its rows empty. */
static inline int att_rows_each(size_t c)
{
    return c <= 16 ? 1 : c <= 32 || (c > 64 && c <= 96) ? 2 : 4;
}

#endif
