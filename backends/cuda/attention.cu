/* attention.cu - attention of each segment's queries to its tokens, without a score matrix.
 *
 * Softmax online (Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022): a block takes a tile of queries of one head and
 * goes over tokens 64 at a time; of what came before it keeps maximum m, sum l and weighted values o, which it scales when
 * the maximum rises. Few queries and many tokens: tokens are split over blocks in parts (ragged.h), whose m, l and o
 * attention_combine puts together in order. Self-attention has queries enough: a block takes 64 of them, whatever segments
 * they belong to, and every row knows its own tokens.
 *
 * Tiles are as high as queries ask for: 8, 16, 20, 24 or 32 by blocks of 64 threads, each with 4 columns of up to 8 rows, or 64 by
 * blocks of 256. Scores stay in registers until they are probabilities; a warp has whole rows.
 *
 * Up to e = 256 o stays in registers. Wider (a latent that asks the tokens themselves: as wide as they are) it stays in global
 * memory, in the second-level cache.
 *
 * Bound: an estimate from instructions counted and an H100's data sheet (132 multiprocessors at 1.7 GHz, each 128 multiplications
 * and 4 instructions of warps a cycle; 2 cycles for a warp's LDS.128; 3.35 TB/s), not measured. Milliseconds for a million tokens:
 *
 *     queries, heads, width   memory   multiplications   shared memory   instructions
 *            1, 8, 64            1.2              0.3             0.6            0.6
 *           17, 8, 64            1.2              0.7             0.8            1.2
 *           64, 8, 64            1.2              2.3             2.6            3.6
 *           32, 4, 16            0.2              0.1             0.1            0.4
 *
 * The largest of a row is the least it takes. 136 queries of width 1024: 4e11 multiplications, 14 ms. */
#include "backends/cuda/attention.h"

#include "backends/cuda/lanes.h"

namespace {

enum {
    SLABS_KEPT = 4,  /* slabs of o that registers hold, at most */
    FEW_SIDE = 4,    /* SIDE and RQ: tiles of up to 32 queries, */
    FEW_MOST = 32,
    MANY_RQ = 4,     /* ... of 64 */
    MANY = ATT_SIDE * MANY_RQ,
};

/* What a block has in shared memory. */
struct tiles {
    int64_t *lo, *hi; /* (rows) tokens of a query, where they are of several segments */
    float *q, *p, *x; /* queries; probabilities; keys or values */
};

template <int SIDE, int RQ> __device__ inline tiles tiles_in(float *memory)
{
    enum { ROWS = SIDE * RQ };
    tiles t;

    t.lo = reinterpret_cast<int64_t *>(memory);
    t.hi = t.lo + ROWS;
    t.q = memory + 4 * ROWS;
    t.p = t.q + ROWS * ATT_STRIDE;
    t.x = t.p + ROWS * ATT_STRIDE;
    return t;
}

inline size_t tiles_bytes(int rows)
{
    return (4 * static_cast<size_t>(rows) + 2 * static_cast<size_t>(rows) * ATT_STRIDE + ATT_TILE) * sizeof(float);
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

/* s = Q K^T of the tokens from `token` on */
template <int SIDE, int RQ>
__device__ void scores(float s[RQ][4], const att &a, const tiles &t, const job &w, int64_t token, int n, int slabs)
{
    const float *k = a.k + static_cast<size_t>(token) * a.ld + w.column;

#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        s[i / 4][i % 4] = 0;
    for (int slab = 0; slab < slabs; slab++) {
        const int x = slab * ATT_SLAB, cols = att_columns_left(a, slab);

        __syncthreads(); /* the tile before has been used */
        if (slabs > 1 || token == w.from)
            att_load<SIDE>(t.q, w.q + x, a.ld, w.rows, SIDE * RQ, cols, a.vec);
        att_load<SIDE>(t.x, k + x, a.ld, n, ATT_TOKENS, cols, a.vec);
        __syncthreads();
        att_dots<RQ, SIDE>(s, t.q, t.x, cols, n);
    }
}

/* Maximum m and sum l of each row, the same in all threads of the row, and what older values are multiplied with. */
template <int RQ> struct state {
    float most[RQ], sum[RQ], fall[RQ];
};

/* Scores become probabilities relative to the maximum so far, in t.p. What a query does not have is -inf. A score that is NaN
 * counts as no maximum, and makes its probability NaN, and so the sum and every column of the row. A warp writes the rows of t.p
 * that it reads: no other has to wait. */
template <int SIDE, int RQ>
__device__ void online_softmax(float s[RQ][4], state<RQ> &at, const att &a, const tiles &t, const job &w, int64_t token, int n)
{
    float top[RQ], sum[RQ];

#pragma unroll
    for (int i = 0; i < RQ; i++) {
        int from = 0, to = n;

        if (w.mixed)
            att_own(t.lo[att_row() + SIDE * i], t.hi[att_row() + SIDE * i], token, n, &from, &to);
        top[i] = -INFINITY;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const int x = att_col() + ATT_SIDE * j;

            s[i][j] = x >= from && x < to ? a.scale * s[i][j] : -INFINITY;
            top[i] = fmaxf(top[i], s[i][j]);
        }
    }
#pragma unroll
    for (int mask = 2; mask < MMLI_WARP; mask *= 2) /* all rows at each step: none waits for another */
#pragma unroll
        for (int i = 0; i < RQ; i++)
            top[i] = fmaxf(top[i], __shfl_xor_sync(0xffffffffu, top[i], mask));
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const float most = fmaxf(at.most[i], top[i]);

        sum[i] = 0;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const float p = s[i][j] == -INFINITY ? 0 : expf(s[i][j] - most);

            t.p[(att_row() + SIDE * i) * ATT_STRIDE + att_col() + ATT_SIDE * j] = p;
            sum[i] += p;
        }
        at.fall[i] = most == -INFINITY ? 1 : expf(at.most[i] - most); /* no token yet: there is nothing to scale */
        at.most[i] = most;
    }
#pragma unroll
    for (int mask = 2; mask < MMLI_WARP; mask *= 2)
#pragma unroll
        for (int i = 0; i < RQ; i++)
            sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], mask);
#pragma unroll
    for (int i = 0; i < RQ; i++)
        at.sum[i] = at.sum[i] * at.fall[i] + sum[i];
    __syncwarp();
}

/* o = fall o + P V for one slab, whose values are loaded first unless they are there. */
template <int SIDE, int RQ>
__device__ void add_values(float o[RQ][4], const state<RQ> &at, const att &a, const tiles &t, const job &w, int64_t token, int n,
                           int slab, bool there)
{
    const int cols = att_columns_left(a, slab);

    if (!there) {
        __syncthreads(); /* the keys, or the slab before, have been used */
        att_load<SIDE>(t.x, a.v + static_cast<size_t>(token) * a.ld + w.column + static_cast<size_t>(slab) * ATT_SLAB, a.ld, n,
                       ATT_TOKENS, cols, a.vec);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        o[i / 4][i % 4] *= at.fall[i / 4];
    if (w.mixed)
        att_weigh_own<RQ, SIDE>(o, t.p, t.x, n, cols, t.lo, t.hi, token);
    else
        att_weigh<RQ, SIDE>(o, t.p, t.x, n, cols);
}

/* One slab of o in registers, and the same in memory. The first of several groups of threads has all of it. */
template <int SIDE, int RQ> __device__ void o_read(float o[RQ][4], const att &a, const job &w, int slab)
{
    const int cols = att_columns_left(a, slab), left = att_left(cols);

#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + SIDE * i;
        const float *from = w.o + static_cast<size_t>(r) * w.ldo + slab * ATT_SLAB + att_x(cols);

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

/* finish: divided by the sum, unless it is a part or has no token. */
template <int SIDE, int RQ>
__device__ void o_write(float o[RQ][4], const state<RQ> &at, const att &a, const job &w, int slab, bool finish)
{
    const int cols = att_columns_left(a, slab), left = att_left(cols);

    att_gather<RQ>(o, cols);
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + SIDE * i;
        const float times = !finish || w.ml || !(at.sum[i] > 0) ? 1 : 1 / at.sum[i];
        const float y[4] = {o[i][0] * times, o[i][1] * times, o[i][2] * times, o[i][3] * times};

        if (r < w.rows)
            att_store(w.o + static_cast<size_t>(r) * w.ldo + slab * ATT_SLAB + att_x(cols), y, left, false, a.vec_out);
    }
}

/* A job. KEPT slabs of o are in registers (all there are); 0: they are in w.o. Where it is mixed t.lo and t.hi are set. */
template <int SIDE, int RQ, int KEPT> __device__ void attend(const att &a, const tiles &t, const job &w)
{
    enum { SLABS = KEPT > 0 ? KEPT : 1 };
    const int slabs = static_cast<int>((a.e + ATT_SLAB - 1) / ATT_SLAB);
    const bool same = a.k == a.v && slabs == 1; /* the keys of a tile are its values */
    float o[SLABS][RQ][4];
    state<RQ> at;

#pragma unroll
    for (int i = 0; i < SLABS * RQ * 4; i++)
        o[i / (RQ * 4)][i / 4 % RQ][i % 4] = 0;
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        at.most[i] = -INFINITY;
        at.sum[i] = 0;
    }
    for (int64_t token = w.from; token < w.to; token += ATT_TOKENS) {
        const int n = static_cast<int>(w.to - token < ATT_TOKENS ? w.to - token : static_cast<int64_t>(ATT_TOKENS));
        float s[RQ][4];

        scores<SIDE, RQ>(s, a, t, w, token, n, slabs);
        online_softmax<SIDE, RQ>(s, at, a, t, w, token, n);
        if (KEPT > 0) {
#pragma unroll
            for (int slab = 0; slab < SLABS; slab++)
                if (slab < slabs)
                    add_values<SIDE, RQ>(o[slab], at, a, t, w, token, n, slab, same);
        } else {
            for (int slab = 0; slab < slabs; slab++) {
                if (token > w.from)
                    o_read<SIDE, RQ>(o[0], a, w, slab);
                else
                    for (int i = 0; i < RQ * 4; i++)
                        o[0][i / 4][i % 4] = 0;
                add_values<SIDE, RQ>(o[0], at, a, t, w, token, n, slab, false);
                o_write<SIDE, RQ>(o[0], at, a, w, slab, token + ATT_TOKENS >= w.to);
            }
        }
    }
    if (KEPT > 0) {
#pragma unroll
        for (int slab = 0; slab < SLABS; slab++)
            if (slab < slabs)
                o_write<SIDE, RQ>(o[slab], at, a, w, slab, true);
    }
    if (att_col() > 0)
        return;
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + SIDE * i;

        if (r < w.rows && w.ml) {
            w.ml[2 * r] = at.most[i];
            w.ml[2 * r + 1] = at.sum[i];
        } else if (r < w.rows && w.lse) {
            w.lse[static_cast<size_t>(r) * a.H] = at.most[i] + logf(at.sum[i]);
        }
    }
}

/* Blocks that a multiprocessor holds, if shared memory allows: how many registers a thread may have follows. (168 where that is
 * six blocks of 64 threads.) */
constexpr int resident(int side, int rq, int kept)
{
    return side == FEW_SIDE ? (kept > 0 && rq * kept <= 16 ? 6 : 4) : kept == 1 ? 3 : 2;
}

/* A block: one part of the tokens, one head, one tile of queries; the pieces of the part in turn. */
template <int SIDE, int RQ, int KEPT>
__global__ void __launch_bounds__(SIDE *ATT_SIDE, resident(SIDE, RQ, KEPT)) attention_parts(att a)
{
    enum { ROWS = SIDE * RQ };
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<SIDE, RQ>(memory);
    const mmli_parts parts = mmli_parts_of(a.off, a.segs, a.parts, ATT_TOKENS);
    const size_t blocks = (a.c + ROWS - 1) / ROWS;
    const size_t first = blockIdx.x % blocks * ROWS, h = blockIdx.x / blocks % a.H;
    const int64_t part = static_cast<int64_t>(blockIdx.x / blocks / a.H);
    job w;

    w.mixed = false;
    w.rows = static_cast<int>(att_min(ROWS, a.c - first));
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
        attend<SIDE, RQ, KEPT>(a, t, w);
    }
}

/* Self-attention: a block takes tiles of 64 rows and a head in turn; their tokens are those of all their segments. */
template <int KEPT>
__global__ void __launch_bounds__(ATT_THREADS, resident(ATT_SIDE, MANY_RQ, KEPT)) attention_rows(att a)
{
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<ATT_SIDE, MANY_RQ>(memory);
    const int64_t tokens = a.off[a.segs];
    const size_t items = static_cast<size_t>((tokens + MANY - 1) / MANY) * a.H;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const int64_t first = static_cast<int64_t>(item / a.H) * MANY;
        const size_t h = item % a.H, at = static_cast<size_t>(first) * a.ld + h * a.e;
        job w;

        w.rows = static_cast<int>(tokens - first < MANY ? tokens - first : static_cast<int64_t>(MANY));
        w.column = h * a.e;
        w.q = a.q + at;
        __syncthreads(); /* lo and hi before have been used */
        w.mixed = att_segments(a, first, w.rows, MANY, t.lo, t.hi, &w.from, &w.to);
        w.o = a.o + at;
        w.ldo = a.ld;
        w.ml = NULL;
        w.lse = a.lse ? a.lse + static_cast<size_t>(first) * a.H + h : NULL;
        attend<ATT_SIDE, MANY_RQ, KEPT>(a, t, w);
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

/* Rows of a tile for c queries: that of 64, unless tiles of up to 32 have fewer empty rows, or c fits one. */
inline int tile_rows(size_t c)
{
    const size_t tiles = mmli_cuda_ceil_div(c, FEW_MOST), each = mmli_cuda_ceil_div(c, tiles);
    const size_t few = each <= 8 ? 8 : each <= 16 ? 16 : each <= 20 ? 20 : each <= 24 ? 24 : static_cast<size_t>(FEW_MOST);

    return static_cast<int>(tiles == 1 || tiles * few < mmli_cuda_ceil_div(c, MANY) * MANY ? few : static_cast<size_t>(MANY));
}

template <int KEPT> mml_status rows_of_segments(mmli_device *dv, const att &a)
{
    const size_t bytes = tiles_bytes(MANY), blocks = att_blocks(dv, resident(ATT_SIDE, MANY_RQ, KEPT), bytes);

    MMLI_CUDA_TRY(att_allow(dv, attention_rows<KEPT>, bytes));
    return MMLI_LAUNCH(dv, attention_rows<KEPT>, static_cast<unsigned>(blocks), ATT_THREADS, bytes, a);
}

template <int SIDE, int RQ, int KEPT> mml_status parts_of_tokens(mmli_device *dv, att a)
{
    const size_t bytes = tiles_bytes(SIDE * RQ), tiles = a.H * mmli_cuda_ceil_div(a.c, static_cast<size_t>(SIDE * RQ));
    size_t rows;
    void *memory;

    a.parts = att_parts(att_blocks(dv, resident(SIDE, RQ, KEPT), bytes), tiles, 2 * a.H * a.c * (a.e + 2));
    rows = 2 * static_cast<size_t>(a.parts) * a.H * a.c;
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_ATTENTION, rows * (a.e + 2) * sizeof(float), &memory));
    a.part_ml = static_cast<float *>(memory);
    a.part = a.part_ml + 2 * rows; /* aligned as memory is: rows is even */
    MMLI_CUDA_TRY(att_allow(dv, attention_parts<SIDE, RQ, KEPT>, bytes));
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, (attention_parts<SIDE, RQ, KEPT>), static_cast<unsigned>(static_cast<size_t>(a.parts) * tiles),
                              SIDE * ATT_SIDE, bytes, a));
    return MMLI_LAUNCH(dv, attention_combine,
                       mmli_cuda_blocks(dv, a.segs * a.c * a.H * mmli_cuda_ceil_div(a.e, ATT_SLAB), 1), ATT_THREADS, 0, a);
}

template <int KEPT> mml_status launch(mmli_device *dv, const att &a)
{
    if (a.mode == MMLI_QUERY_RAGGED)
        return rows_of_segments<KEPT>(dv, a);
    switch (tile_rows(a.c)) {
    case 8:
        return parts_of_tokens<FEW_SIDE, 2, KEPT>(dv, a);
    case 16:
        return parts_of_tokens<FEW_SIDE, 4, KEPT>(dv, a);
    case 20:
        return parts_of_tokens<FEW_SIDE, 5, KEPT>(dv, a);
    case 24:
        return parts_of_tokens<FEW_SIDE, 6, KEPT>(dv, a);
    case FEW_MOST:
        return parts_of_tokens<FEW_SIDE, 8, KEPT>(dv, a);
    default:
        return parts_of_tokens<ATT_SIDE, MANY_RQ, KEPT>(dv, a);
    }
}

} // namespace

extern "C" mml_status cuda_attention(mmli_device *dv, mmli_mem *o, mmli_mem *lse, const mmli_mem *q, const mmli_mem *k,
                                     const mmli_mem *v, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                     float scale, mmli_query mode)
{
    att a = {};

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
    if (e <= ATT_SLAB)
        return launch<1>(dv, a);
    if (e <= 2 * ATT_SLAB)
        return launch<2>(dv, a);
    if (e <= SLABS_KEPT * ATT_SLAB)
        return launch<SLABS_KEPT>(dv, a);
    return launch<0>(dv, a);
}
