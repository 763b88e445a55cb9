/* attention.cu - attention of each segment's queries to its tokens, without a score matrix.
 *
 * Softmax online (Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022): a block takes a tile of queries of one head and
 * goes over tokens 64 at a time; of what came before it keeps maximum m, sum l and weighted values o, which it scales when
 * the maximum rises. Few queries and many tokens: tokens are split over blocks in parts (ragged.h), whose m, l and o
 * attention_combine puts together in order. Self-attention has queries enough: a block takes 64 of them, whatever segments
 * they belong to, and every row knows its own tokens.
 *
 * Up to e = 256 o stays in registers. Wider (a latent that asks the tokens themselves: as wide as they are) it stays in global
 * memory, in the second-level cache.
 *
 * Bound, by data sheet; not measured. Keys and values are read once for each tile of queries. 17 queries, 8 heads of width 64, a
 * million tokens: 4 GB, 1.3 ms of the memory of an H100; 2 x 32 x 512 x 1e6 multiplications (tiles have 32 rows), 1.1 ms of its
 * arithmetic. From some 20 queries on it is arithmetic. 136 queries of width 1024, a million tokens: 4e11 multiplications, 13 ms,
 * and three times 4 GB. */
#include "backends/cuda/attention.h"

#include "backends/cuda/lanes.h"

namespace {

enum {
    SLABS_KEPT = 4, /* slabs of o that registers hold, at most */
    ROWS_RQ = 4,    /* RQ for self-attention */
};

/* What a block has in shared memory. */
struct tiles {
    int64_t *lo, *hi;         /* (rows) tokens of a query */
    float *q, *p, *x;         /* queries; scores; keys or values */
    float *most, *sum, *fall; /* (rows) m, l, and what older values are multiplied with */
};

template <int RQ> __device__ inline tiles tiles_in(float *memory)
{
    enum { ROWS = ATT_SIDE * RQ };
    tiles t;

    t.lo = reinterpret_cast<int64_t *>(memory);
    t.hi = t.lo + ROWS;
    t.q = memory + 4 * ROWS;
    t.p = t.q + ROWS * ATT_STRIDE;
    t.x = t.p + ROWS * ATT_STRIDE;
    t.most = t.x + ATT_TILE;
    t.sum = t.most + ROWS;
    t.fall = t.sum + ROWS;
    return t;
}

template <int RQ> inline size_t tiles_bytes()
{
    const size_t rows = ATT_SIDE * RQ;

    return (4 * rows + 2 * rows * ATT_STRIDE + ATT_TILE + 3 * rows) * sizeof(float);
}

/* One tile of queries of one head, its tokens, and where the result goes. */
struct job {
    const float *q; /* row 0, at the columns of the head */
    int rows;
    size_t column;    /* of the head */
    int64_t from, to; /* tokens; a query has those in tiles.lo .. tiles.hi - 1 of them */
    float *o;         /* row 0 */
    size_t ldo;
    float *ml;  /* of a part: o stays undivided, m and l of each row go here. NULL: the result is complete */
    float *lse; /* row 0, rows H apart; NULL: not wanted */
    bool mixed; /* rows of several segments */
};

__device__ inline int columns_left(const att &a, int slab)
{
    const size_t left = a.e - static_cast<size_t>(slab) * ATT_SLAB;

    return left < ATT_SLAB ? static_cast<int>(left) : static_cast<int>(ATT_SLAB);
}

/* t.p = scale Q K^T of the tokens from `token` on */
template <int RQ> __device__ void scores(const att &a, const tiles &t, const job &w, int64_t token, int n, int slabs)
{
    const float *k = a.k + static_cast<size_t>(token) * a.ld + w.column;
    const int a0 = att_row(), b0 = att_col();
    float s[RQ][4];

#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        s[i / 4][i % 4] = 0;
    for (int slab = 0; slab < slabs; slab++) {
        const int x = slab * ATT_SLAB, cols = columns_left(a, slab);

        __syncthreads(); /* the tile before has been used */
        if (slabs > 1 || token == w.from)
            att_load(t.q, w.q + x, a.ld, w.rows, ATT_SIDE * RQ, cols, a.vec);
        att_load(t.x, k + x, a.ld, n, ATT_TOKENS, cols, a.vec);
        __syncthreads();
        att_dots<RQ>(s, t.q, t.x, cols, n);
    }
#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        t.p[(a0 + ATT_SIDE * (i / 4)) * ATT_STRIDE + b0 + ATT_SIDE * (i % 4)] = a.scale * s[i / 4][i % 4];
    __syncthreads();
}

/* Scores become probabilities relative to the maximum so far: a warp a row. What a query does not have is -inf. A score that is NaN
 * counts as no maximum, and makes its probability NaN, and so the sum and every column of the row. */
template <int RQ> __device__ void online_softmax(const tiles &t, int64_t token)
{
    const int lane = static_cast<int>(threadIdx.x % MMLI_WARP);
    const int64_t first = token + lane, second = first + MMLI_WARP;

    for (int r = static_cast<int>(threadIdx.x / MMLI_WARP); r < ATT_SIDE * RQ; r += ATT_THREADS / MMLI_WARP) {
        float *row = t.p + r * ATT_STRIDE;
        const float x = first >= t.lo[r] && first < t.hi[r] ? row[lane] : -INFINITY;
        const float y = second >= t.lo[r] && second < t.hi[r] ? row[lane + MMLI_WARP] : -INFINITY;
        const float old = t.most[r], before = t.sum[r], most = fmaxf(old, warp_max(fmaxf(x, y)));
        const float px = x == -INFINITY ? 0 : expf(x - most), py = y == -INFINITY ? 0 : expf(y - most), sum = warp_sum(px + py);

        row[lane] = px;
        row[lane + MMLI_WARP] = py;
        __syncwarp(); /* every lane has read the maximum */
        if (lane == 0) {
            const float fall = most == -INFINITY ? 1 : expf(old - most); /* no token yet: there is nothing to scale */

            t.most[r] = most;
            t.sum[r] = before * fall + sum;
            t.fall[r] = fall;
        }
    }
    __syncthreads();
}

/* o = fall o + P V for one slab, whose values are loaded first unless they are there. */
template <int RQ> __device__ void add_values(float o[RQ][4], const att &a, const tiles &t, const job &w, int64_t token,
                                                    int n, int slab, bool there)
{
    if (!there) {
        if (slab > 0)
            __syncthreads(); /* the slab before has been used */
        att_load(t.x, a.v + static_cast<size_t>(token) * a.ld + w.column + static_cast<size_t>(slab) * ATT_SLAB, a.ld, n,
                 ATT_TOKENS, columns_left(a, slab), a.vec);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const float fall = t.fall[att_row() + ATT_SIDE * i];

#pragma unroll
        for (int u = 0; u < 4; u++)
            o[i][u] *= fall;
    }
    if (w.mixed)
        att_weigh_own<RQ>(o, t.p, t.x, n, columns_left(a, slab), t.lo, t.hi, token);
    else
        att_weigh<RQ>(o, t.p, t.x, n, columns_left(a, slab));
}

/* What row r is divided by. */
__device__ inline float share(const job &w, const tiles &t, int r)
{
    return w.ml || !(t.sum[r] > 0) ? 1 : 1 / t.sum[r];
}

/* One slab of o in registers, and the same in memory. */
template <int RQ> __device__ void o_read(float o[RQ][4], const att &a, const job &w, int slab)
{
    const int left = columns_left(a, slab) - 4 * att_col();

#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + ATT_SIDE * i;
        const float *from = w.o + static_cast<size_t>(r) * w.ldo + slab * ATT_SLAB + 4 * att_col();

        if (a.vec_out && r < w.rows && left > 0) {
            const float4 four = *reinterpret_cast<const float4 *>(from);

            o[i][0] = four.x;
            o[i][1] = four.y;
            o[i][2] = four.z;
            o[i][3] = four.w;
            continue;
        }
#pragma unroll
        for (int u = 0; u < 4; u++)
            o[i][u] = r < w.rows && u < left ? from[u] : 0;
    }
}

template <int RQ>
__device__ void o_write(const float o[RQ][4], const att &a, const tiles &t, const job &w, int slab, bool finish)
{
    const int left = columns_left(a, slab) - 4 * att_col();

#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + ATT_SIDE * i;
        const float times = finish && r < w.rows ? share(w, t, r) : 1;
        const float y[4] = {o[i][0] * times, o[i][1] * times, o[i][2] * times, o[i][3] * times};

        if (r < w.rows)
            att_store(w.o + static_cast<size_t>(r) * w.ldo + slab * ATT_SLAB + 4 * att_col(), y, left, false, a.vec_out);
    }
}

/* A job. KEPT slabs of o are in registers (all there are); 0: they are in w.o. t.lo and t.hi are set. */
template <int RQ, int KEPT> __device__ void attend(const att &a, const tiles &t, const job &w)
{
    enum { SLABS = KEPT > 0 ? KEPT : 1 };
    const int slabs = static_cast<int>((a.e + ATT_SLAB - 1) / ATT_SLAB);
    const bool same = a.k == a.v && slabs == 1; /* the keys of a tile are its values */
    float o[SLABS][RQ][4];

#pragma unroll
    for (int i = 0; i < SLABS * RQ * 4; i++)
        o[i / (RQ * 4)][i / 4 % RQ][i % 4] = 0;
    for (int r = static_cast<int>(threadIdx.x); r < ATT_SIDE * RQ; r += ATT_THREADS) {
        t.most[r] = -INFINITY;
        t.sum[r] = 0;
    }
    for (int64_t token = w.from; token < w.to; token += ATT_TOKENS) {
        const int n = static_cast<int>(w.to - token < ATT_TOKENS ? w.to - token : static_cast<int64_t>(ATT_TOKENS));

        scores<RQ>(a, t, w, token, n, slabs);
        online_softmax<RQ>(t, token);
        if (KEPT > 0) {
#pragma unroll
            for (int slab = 0; slab < SLABS; slab++)
                if (slab < slabs)
                    add_values<RQ>(o[slab], a, t, w, token, n, slab, same);
        } else {
            for (int slab = 0; slab < slabs; slab++) {
                if (token > w.from)
                    o_read<RQ>(o[0], a, w, slab);
                else
                    for (int i = 0; i < RQ * 4; i++)
                        o[0][i / 4][i % 4] = 0;
                add_values<RQ>(o[0], a, t, w, token, n, slab, false);
                o_write<RQ>(o[0], a, t, w, slab, token + ATT_TOKENS >= w.to);
            }
        }
    }
    if (KEPT > 0) {
#pragma unroll
        for (int slab = 0; slab < SLABS; slab++)
            if (slab < slabs)
                o_write<RQ>(o[slab], a, t, w, slab, true);
    }
    for (int r = static_cast<int>(threadIdx.x); r < w.rows; r += ATT_THREADS) {
        if (w.ml) {
            w.ml[2 * r] = t.most[r];
            w.ml[2 * r + 1] = t.sum[r];
        } else if (w.lse) {
            w.lse[static_cast<size_t>(r) * a.H] = t.most[r] + logf(t.sum[r]);
        }
    }
    __syncthreads(); /* before the next job writes lo and hi */
}

/* Blocks a multiprocessor should hold: how many registers a thread may have follows. */
[[maybe_unused]] constexpr int resident(int rq, int kept)
{
    return rq * (kept > 0 ? kept : 1) <= 2 ? 4 : rq * (kept > 0 ? kept : 1) <= 4 ? 3 : 2;
}

/* A block: one part of the tokens, one head, one tile of queries; the pieces of the part in turn. */
template <int RQ, int KEPT>
__global__ void __launch_bounds__(ATT_THREADS, resident(RQ, KEPT)) attention_parts(att a)
{
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<RQ>(memory);
    const mmli_parts parts = mmli_parts_of(a.off, a.segs, a.parts, ATT_TOKENS);
    const size_t blocks = (a.c + ATT_SIDE * RQ - 1) / (ATT_SIDE * RQ);
    const size_t first = blockIdx.x % blocks * (ATT_SIDE * RQ), h = blockIdx.x / blocks % a.H;
    const int64_t part = static_cast<int64_t>(blockIdx.x / blocks / a.H);
    job w;

    w.mixed = false;
    w.rows = static_cast<int>(att_min(ATT_SIDE * RQ, a.c - first));
    w.column = h * a.e;
    for (mmli_piece x = mmli_piece_first(&parts, part); x.from < x.to; mmli_piece_next(&parts, &x)) {
        const size_t row = x.s * a.c + first, slot = (static_cast<size_t>(mmli_piece_slot(&x)) * a.H + h) * a.c + first;
        const bool whole = mmli_piece_is_whole(&parts, &x);

        w.q = a.q + (att_q_row(a, x.s) + first) * a.ld + w.column;
        w.from = x.from;
        w.to = x.to;
        w.o = whole ? a.o + row * a.ld + w.column : a.part + slot * a.e;
        w.ldo = whole ? a.ld : a.e;
        w.ml = whole ? NULL : a.part_ml + slot * 2;
        w.lse = a.lse ? a.lse + row * a.H + h : NULL;
        for (int r = static_cast<int>(threadIdx.x); r < ATT_SIDE * RQ; r += ATT_THREADS) {
            t.lo[r] = r < w.rows ? x.from : 0;
            t.hi[r] = r < w.rows ? x.to : 0;
        }
        attend<RQ, KEPT>(a, t, w);
    }
}

/* Self-attention: a block takes tiles of 64 rows and a head in turn; their tokens are those of all their segments. */
template <int RQ, int KEPT>
__global__ void __launch_bounds__(ATT_THREADS, resident(RQ, KEPT)) attention_rows(att a)
{
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<RQ>(memory);
    const int64_t tokens = a.off[a.segs];
    const size_t items = static_cast<size_t>((tokens + ATT_SIDE * RQ - 1) / (ATT_SIDE * RQ)) * a.H;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const int64_t first = static_cast<int64_t>(item / a.H) * (ATT_SIDE * RQ);
        const size_t h = item % a.H, at = static_cast<size_t>(first) * a.ld + h * a.e;
        job w;

        w.rows = static_cast<int>(tokens - first < ATT_SIDE * RQ ? tokens - first : static_cast<int64_t>(ATT_SIDE * RQ));
        w.column = h * a.e;
        w.q = a.q + at;
        w.mixed = att_segments(a, first, w.rows, ATT_SIDE * RQ, t.lo, t.hi, &w.from, &w.to);
        w.o = a.o + at;
        w.ldo = a.ld;
        w.ml = NULL;
        w.lse = a.lse ? a.lse + static_cast<size_t>(first) * a.H + h : NULL;
        attend<RQ, KEPT>(a, t, w);
    }
}

/* Segments that lie in several parts: a block takes one row and head, 64 columns at a time, four groups of threads every
 * fourth part. Segments without tokens: 0. */
__global__ void __launch_bounds__(ATT_THREADS) attention_combine(att a)
{
    __shared__ float memory[MMLI_WARP], sums[ATT_THREADS];
    const mmli_parts parts = mmli_parts_of(a.off, a.segs, a.parts, ATT_TOKENS);
    const size_t slabs = (a.e + ATT_SLAB - 1) / ATT_SLAB, items = a.segs * a.c * a.H * slabs;
    const size_t x = threadIdx.x % ATT_SLAB, group = threadIdx.x / ATT_SLAB;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const size_t slab = item % slabs, h = item / slabs % a.H, row = item / slabs / a.H, s = row / a.c, j = row % a.c;
        const size_t column = slab * ATT_SLAB + x;
        const mmli_slots slots = mmli_slots_of(&parts, s);
        float *o = a.o + row * a.ld + h * a.e, most = -INFINITY, l = 0, sum = 0;

        if (slots.from == slots.to) {
            if (a.off[s] == a.off[s + 1]) {
                if (threadIdx.x < ATT_SLAB && column < a.e)
                    o[column] = 0;
                if (threadIdx.x == 0 && slab == 0 && a.lse)
                    a.lse[row * a.H + h] = 0;
            }
            continue;
        }
        for (int64_t p = slots.from + threadIdx.x; p <= slots.to; p += ATT_THREADS)
            most = fmaxf(most, a.part_ml[2 * ((static_cast<size_t>(mmli_slot_at(&slots, p)) * a.H + h) * a.c + j)]);
        most = block_max(most, memory);
        for (int64_t p = slots.from + threadIdx.x; p <= slots.to; p += ATT_THREADS) {
            const float *ml = a.part_ml + 2 * ((static_cast<size_t>(mmli_slot_at(&slots, p)) * a.H + h) * a.c + j);

            l += expf(ml[0] - most) * ml[1];
        }
        l = block_sum(l, memory);
        if (column < a.e)
            for (int64_t p = slots.from + static_cast<int64_t>(group); p <= slots.to; p += ATT_THREADS / ATT_SLAB) {
                const size_t slot = (static_cast<size_t>(mmli_slot_at(&slots, p)) * a.H + h) * a.c + j;

                sum = fmaf(expf(a.part_ml[2 * slot] - most), a.part[slot * a.e + column], sum);
            }
        sums[threadIdx.x] = sum;
        __syncthreads();
        if (group == 0 && column < a.e)
            o[column] = (sums[x] + sums[x + ATT_SLAB] + sums[x + 2 * ATT_SLAB] + sums[x + 3 * ATT_SLAB]) / l;
        if (threadIdx.x == 0 && slab == 0 && a.lse)
            a.lse[row * a.H + h] = most + logf(l);
        __syncthreads(); /* before the next item writes sums */
    }
}

/* ---- host -------------------------------------------------------------------------------------------------- */

template <int RQ, int KEPT> mml_status launch(mmli_device *dv, const att &a, size_t blocks)
{
    if (RQ == ROWS_RQ && a.mode == MMLI_QUERY_RAGGED) {
        MMLI_CUDA_TRY(att_allow(dv, attention_rows<ROWS_RQ, KEPT>, tiles_bytes<ROWS_RQ>()));
        return MMLI_LAUNCH(dv, (attention_rows<ROWS_RQ, KEPT>), static_cast<unsigned>(blocks), ATT_THREADS,
                           tiles_bytes<ROWS_RQ>(), a);
    }
    MMLI_CUDA_TRY(att_allow(dv, attention_parts<RQ, KEPT>, tiles_bytes<RQ>()));
    return MMLI_LAUNCH(dv, (attention_parts<RQ, KEPT>), static_cast<unsigned>(blocks), ATT_THREADS, tiles_bytes<RQ>(), a);
}

template <int RQ> mml_status launch_rows(mmli_device *dv, const att &a, size_t blocks)
{
    if (a.e <= ATT_SLAB)
        return launch<RQ, 1>(dv, a, blocks);
    if (a.e <= 2 * ATT_SLAB)
        return launch<RQ, 2>(dv, a, blocks);
    if (a.e <= SLABS_KEPT * ATT_SLAB)
        return launch<RQ, SLABS_KEPT>(dv, a, blocks);
    return launch<RQ, 0>(dv, a, blocks);
}

} // namespace

extern "C" mml_status cuda_attention(mmli_device *dv, mmli_mem *o, mmli_mem *lse, const mmli_mem *q, const mmli_mem *k,
                                     const mmli_mem *v, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                     float scale, mmli_query mode)
{
    const int each = mode == MMLI_QUERY_RAGGED ? ROWS_RQ : att_rows_each(c);
    const size_t tiles = H * mmli_cuda_ceil_div(c, static_cast<size_t>(ATT_SIDE * each));
    att a = {};
    size_t blocks = att_blocks(dv, e);

    if (segs == 0 || H == 0 || e == 0 || (mode != MMLI_QUERY_RAGGED && c == 0))
        return MML_OK;
    a.o = dev_f(o);
    a.lse = dev_f(lse);
    a.q = dev_f(q);
    a.k = dev_f(k);
    a.v = dev_f(v);
    a.off = dev_i64(off);
    a.segs = segs;
    a.c = c;
    a.H = H;
    a.e = e;
    a.ld = H * e;
    a.scale = scale;
    a.mode = mode;
    a.vec = e % 4 == 0 && att_aligned(q) && att_aligned(k) && att_aligned(v);
    a.vec_out = e % 4 == 0 && att_aligned(o);
    if (mode != MMLI_QUERY_RAGGED) {
        void *memory;
        size_t rows;

        a.parts = att_parts(blocks, tiles, 2 * H * c * (e + 2));
        rows = 2 * static_cast<size_t>(a.parts) * H * c;
        blocks = static_cast<size_t>(a.parts) * tiles;
        MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_ATTENTION, rows * (e + 2) * sizeof(float), &memory));
        a.part_ml = static_cast<float *>(memory);
        a.part = a.part_ml + 2 * rows; /* aligned as memory is: rows is even */
    }
    MMLI_CUDA_TRY(each == 1 ? launch_rows<1>(dv, a, blocks) : each == 2 ? launch_rows<2>(dv, a, blocks)
                                                            : launch_rows<4>(dv, a, blocks));
    if (mode == MMLI_QUERY_RAGGED)
        return MML_OK;
    return MMLI_LAUNCH(dv, attention_combine,
                       mmli_cuda_blocks(dv, segs * c * H * mmli_cuda_ceil_div(e, ATT_SLAB), 1), ATT_THREADS, 0, a);
}
