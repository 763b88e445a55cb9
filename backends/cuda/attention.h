/* attention.h - what the forward and the backward pass of attention share: the tiles, and the three products of tiles.
 *
 * A block has SIDE x 16 threads (SIDE = 16, or 4 for few queries) and works on SIDE RQ queries and 64 tokens of one head at a time.
 * The width e of a head goes through shared memory in slabs of 64 columns, so any width goes. A thread has RQ x 4 numbers of a
 * result in registers, and takes what it multiplies as float4: RQ + 4 loads for 16 RQ multiplications.
 *
 * Thread (a, b) of SIDE x 16 has queries a + SIDE i, and tokens b + 16 j of scores, columns 4 b .. 4 b + 3 of what is e wide. A warp
 * is 2 rows of threads, the whole of 16 columns, so what a row of scores needs (maximum, sum) stays in it. Neighbouring lanes are
 * the two rows: of the 16 lanes of a half warp, pairs read the same key and every second one the same query, which is what lets
 * shared memory serve a half warp at a time (as in CUTLASS, "interleaved"), not a quarter. Rows of a tile are 68 floats apart: the
 * 8 keys of a half warp lie in different banks.
 *
 * Products along tokens whose result is narrow (a head of 16 or 32 columns) would leave most threads without a column. There threads
 * are dealt again: 4 or 8 for the columns, 4 or 2 groups of those for a share of the terms each; att_gather adds the shares up. */
#ifndef MMLI_CUDA_ATTENTION_H
#define MMLI_CUDA_ATTENTION_H

#include "backends/cuda/ragged.h"

enum {
    ATT_SIDE = 16,    /* threads along tokens or columns of a tile; along queries, too, where nothing else is said */
    ATT_THREADS = ATT_SIDE * ATT_SIDE,
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

static __device__ inline int att_row() { return static_cast<int>(threadIdx.x / MMLI_WARP * 2 + threadIdx.x % 2); }
static __device__ inline int att_col() { return static_cast<int>(threadIdx.x % MMLI_WARP / 2); }

/* Of a slab with so many columns: threads along them, this thread's first column, its share of the terms, and how many there are. */
static __device__ inline int att_span(int cols) { return cols <= 16 ? 4 : cols <= 32 ? 8 : static_cast<int>(ATT_SIDE); }
static __device__ inline int att_x(int cols) { return 4 * (att_col() & (att_span(cols) - 1)); }
static __device__ inline int att_group(int cols) { return att_col() / att_span(cols); }
static __device__ inline int att_groups(int cols) { return ATT_SIDE / att_span(cols); }

/* Numbers of a result, from att_x on, that are this thread's to write (below 4, or more): none, or less, but for the first group. */
static __device__ inline int att_left(int cols) { return att_group(cols) > 0 ? 0 : cols - att_x(cols); }

static __device__ inline size_t att_min(size_t a, size_t b) { return a < b ? a : b; }

/* First row of the queries of segment s in q, and in o and lse; not for RAGGED, where both are the row itself. */
static __device__ inline size_t att_q_row(const att &a, size_t s) { return a.mode == MMLI_QUERY_SHARED ? 0 : s * a.c; }

/* Of `cols` columns, those of the slab that begins at `first`: up to 64; 0 beyond the last. */
static __device__ inline int att_columns(size_t cols, size_t first)
{
    return cols > first ? static_cast<int>(att_min(ATT_SLAB, cols - first)) : 0;
}

/* The same of a head, whose slabs are counted. */
static __device__ inline int att_columns_left(const att &a, int slab)
{
    return att_columns(a.e, static_cast<size_t>(slab) * ATT_SLAB);
}

/* dst (want, 64) = src (rows, cols) and zeros beyond; rows of src ld apart, cols <= 64, want a multiple of SIDE. */
template <int SIDE = ATT_SIDE>
static __device__ inline void att_load(float *dst, const float *src, size_t ld, int rows, int want, int cols, bool vec)
{
    const int first = static_cast<int>(threadIdx.x / ATT_SIDE), x = static_cast<int>(threadIdx.x % ATT_SIDE) * 4;
    const int n = x < cols ? rows : 0;

    src += static_cast<size_t>(first) * ld + x;
    dst += first * ATT_STRIDE + x;
    ld *= SIDE;
    if (vec) { /* then cols is a multiple of 4. Eight loads under way at a time: memory is far */
#pragma unroll 8
        for (int i = 0; i < want; i += SIDE, src += ld, dst += SIDE * ATT_STRIDE)
            *reinterpret_cast<float4 *>(dst) =
                first + i < n ? *reinterpret_cast<const float4 *>(src) : make_float4(0, 0, 0, 0);
        return;
    }
#pragma unroll 1
    for (int i = 0; i < want; i += SIDE, src += ld, dst += SIDE * ATT_STRIDE) {
        float4 v = make_float4(0, 0, 0, 0);

        if (first + i < n) {
            v.x = src[0];
            v.y = x + 1 < cols ? src[1] : 0;
            v.z = x + 2 < cols ? src[2] : 0;
            v.w = x + 3 < cols ? src[3] : 0;
        }
        *reinterpret_cast<float4 *>(dst) = v;
    }
}

static __device__ inline float4 att_four(const float *tile, int row, int x)
{
    return *reinterpret_cast<const float4 *>(tile + row * ATT_STRIDE + x);
}

/* s[i][j] += A[a + SIDE i] . B[b + 16 j] over columns x .. x + 3, for j < J */
template <int RQ, int SIDE, int J>
static __device__ inline void att_dots_four(float s[RQ][4], const float *A, const float *B, int x)
{
    float4 u[RQ];

#pragma unroll
    for (int i = 0; i < RQ; i++)
        u[i] = att_four(A, att_row() + SIDE * i, x);
#pragma unroll
    for (int j = 0; j < J; j++) {
        const float4 w = att_four(B, att_col() + ATT_SIDE * j, x);

#pragma unroll
        for (int i = 0; i < RQ; i++) {
            s[i][j] = fmaf(u[i].x, w.x, s[i][j]);
            s[i][j] = fmaf(u[i].y, w.y, s[i][j]);
            s[i][j] = fmaf(u[i].z, w.z, s[i][j]);
            s[i][j] = fmaf(u[i].w, w.w, s[i][j]);
        }
    }
}

/* The same over `cols` columns; B has n rows: the half, or three quarters, that are not there are left out. */
template <int RQ, int SIDE = ATT_SIDE>
static __device__ inline void att_dots(float s[RQ][4], const float *A, const float *B, int cols, int n)
{
    if (n > 2 * ATT_SIDE) { /* no branch in the loop: loads go ahead of it */
#pragma unroll 2
        for (int x = 0; x < cols; x += 4)
            att_dots_four<RQ, SIDE, 4>(s, A, B, x);
    } else if (n > ATT_SIDE) {
#pragma unroll 1
        for (int x = 0; x < cols; x += 4)
            att_dots_four<RQ, SIDE, 2>(s, A, B, x);
    } else {
#pragma unroll 1
        for (int x = 0; x < cols; x += 4)
            att_dots_four<RQ, SIDE, 1>(s, A, B, x);
    }
}

static __device__ inline void att_axpy(float y[4], float p, const float4 &x)
{
    y[0] = fmaf(p, x.x, y[0]);
    y[1] = fmaf(p, x.y, y[1]);
    y[2] = fmaf(p, x.z, y[2]);
    y[3] = fmaf(p, x.w, y[3]);
}

/* y[i][.] += sum over t < n of P[a + SIDE i][t] X[t][x ..], of `cols` columns: rows of P are queries. This thread's share of it. */
template <int RQ, int SIDE = ATT_SIDE>
static __device__ inline void att_weigh(float y[RQ][4], const float *P, const float *X, int n, int cols)
{
    const int a = att_row(), x = att_x(cols), step = 4 * att_groups(cols);

    if (x >= cols)
        return;
#pragma unroll 2
    for (int t = 4 * att_group(cols); t < n; t += step) { /* P is 0 beyond n */
        float4 p[RQ];

#pragma unroll
        for (int i = 0; i < RQ; i++)
            p[i] = att_four(P, a + SIDE * i, t);
#pragma unroll
        for (int u = 0; u < 4; u++) {
            const float4 v = att_four(X, t + u, x);

#pragma unroll
            for (int i = 0; i < RQ; i++)
                att_axpy(y[i], u == 0 ? p[i].x : u == 1 ? p[i].y : u == 2 ? p[i].z : p[i].w, v);
        }
    }
}

/* Of n tokens from `first` on a row that has tokens lo .. hi - 1 has *from .. *to - 1 */
static __device__ inline void att_own(int64_t lo, int64_t hi, int64_t first, int n, int *from, int *to)
{
    *from = static_cast<int>(lo > first ? (lo - first < n ? lo - first : n) : 0);
    *to = static_cast<int>(hi > first ? (hi - first < n ? hi - first : n) : 0);
}

/* The same where rows of the tile belong to several segments: row r has the tokens lo[r] .. hi[r] - 1, column 0 of P is token `first`.
 * Of other tokens P is 0, and X may be NaN: they are left out, for 0 * NaN is NaN. */
template <int RQ, int SIDE = ATT_SIDE>
static __device__ inline void att_weigh_own(float y[RQ][4], const float *P, const float *X, int n, int cols, const int64_t *lo,
                                            const int64_t *hi, int64_t first)
{
    const int a = att_row(), x = att_x(cols);

    if (x >= cols)
        return;
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = a + SIDE * i;
        int from, to;

        att_own(lo[r], hi[r], first, n, &from, &to);
        for (int t = from + att_group(cols); t < to; t += att_groups(cols))
            att_axpy(y[i], P[r * ATT_STRIDE + t], att_four(X, t, x));
    }
}

/* y[i][.] += sum over j < n of P[j][4 a + i] X[j][x ..], of `cols` columns: rows of P and X are queries, those of y tokens
 * 4 a + i, of which there are `tokens`. This thread's share. */
static __device__ inline void att_weigh_by_token(float y[4][4], const float *P, const float *X, int n, int cols, int tokens)
{
    const int a = att_row(), x = att_x(cols), step = att_groups(cols);

    if (x >= cols || 4 * a >= tokens)
        return;
#pragma unroll 4
    for (int j = att_group(cols); j < n; j += step) {
        const float4 p = att_four(P, j, 4 * a), v = att_four(X, j, x);

        att_axpy(y[0], p.x, v);
        att_axpy(y[1], p.y, v);
        att_axpy(y[2], p.z, v);
        att_axpy(y[3], p.w, v);
    }
}

/* The same where rows of the tile belong to several segments, as above; token 4 a + i is token first + 4 a + i. */
static __device__ inline void att_weigh_by_token_own(float y[4][4], const float *P, const float *X, int n, int cols, int tokens,
                                                     const int64_t *lo, const int64_t *hi, int64_t first)
{
    const int a = att_row(), x = att_x(cols);

    if (x >= cols || 4 * a >= tokens)
        return;
    for (int j = att_group(cols); j < n; j += att_groups(cols)) {
        const float4 p = att_four(P, j, 4 * a), v = att_four(X, j, x);
        const int64_t token = first + 4 * a;

#pragma unroll
        for (int i = 0; i < 4; i++)
            if (token + i >= lo[j] && token + i < hi[j])
                att_axpy(y[i], i == 0 ? p.x : i == 1 ? p.y : i == 2 ? p.z : p.w, v);
    }
}

/* y becomes the sum of the groups' shares, in all of them. All lanes of a warp must come. */
template <int RQ> static __device__ inline void att_gather(float y[RQ][4], int cols)
{
    for (int mask = 2 * att_span(cols); mask < MMLI_WARP; mask *= 2)
#pragma unroll
        for (int i = 0; i < RQ * 4; i++)
            y[i / 4][i % 4] += __shfl_xor_sync(0xffffffffu, y[i / 4][i % 4], mask);
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

/* Blocks that should be there: as many as are resident at once, `each` on a multiprocessor unless their shared memory, and the
 * 1 KiB that CUDA takes of it for each, allows fewer. A multiprocessor has 1 KiB more than a block may have. */
static inline size_t att_blocks(const mmli_device *dv, int each, size_t bytes)
{
    const mmli_cuda *cuda = mmli_cuda_of(dv);
    const size_t fit = (cuda->shared_most + 1024) / (bytes + 1024), most = static_cast<size_t>(each);

    return static_cast<size_t>(cuda->processors) * (fit < 1 ? 1 : fit < most ? fit : most);
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

#endif
