/* attention_grad.cu - gradients of attention: probabilities are computed again from q, k and lse.
 *
 *   p = exp(scale q.k - lse)   ds = scale p (do.v - do.o)   dq = ds k   dk = ds^T q   dv = p^T do
 *
 * do.o stands for the sum of p do.v over all tokens, so the tokens given may be a part of those of o and lse.
 *
 * Queries of their own: a block takes a part of the tokens (ragged.h) and a head, and does everything for them in one pass: five
 * products, k and v read once, dk and dv written once for each tile of queries. Its share of dq goes to memory of the part;
 * dq_combine adds the parts up in order. Self-attention: two kernels, since a token's gradients come from all queries of its
 * segment and a query's from all tokens: four products by tiles of tokens, three by tiles of queries.
 *
 * Sums that are longer than a tile are kept in global memory, which is the second-level cache: that goes for any width.
 *
 * Bound: an estimate (as in attention.cu), not measured. 17 queries, 8 heads of width 64, a million tokens: k, v, and dk, dv read and
 * written, 12 GB, 3.7 ms of the memory of an H100; products take 2.3 ms of its arithmetic and 3.3 ms of its shared memory. */
#include "backends/cuda/attention.h"

namespace {

/* What a block has in shared memory. */
struct tiles {
    int64_t *lo, *hi;    /* (rows) tokens of a query */
    float *q, *g, *k, *v; /* slabs of queries, of do, of keys, of values */
    float *p;             /* o, then p, then ds */
    float *lse, *mean;    /* (rows) lse, do.o */
};

template <int RQ> __device__ inline tiles tiles_in(float *memory)
{
    enum { ROWS = ATT_SIDE * RQ };
    tiles t;

    t.lo = reinterpret_cast<int64_t *>(memory);
    t.hi = t.lo + ROWS;
    t.q = memory + 4 * ROWS;
    t.g = t.q + ROWS * ATT_STRIDE;
    t.p = t.g + ROWS * ATT_STRIDE;
    t.k = t.p + ROWS * ATT_STRIDE;
    t.v = t.k + ATT_TILE;
    t.lse = t.v + ATT_TILE;
    t.mean = t.lse + ROWS;
    return t;
}

template <int RQ> inline size_t tiles_bytes()
{
    const size_t rows = ATT_SIDE * RQ;

    return (4 * rows + 3 * rows * ATT_STRIDE + 2 * ATT_TILE + 2 * rows) * sizeof(float);
}

/* One tile of queries against one of tokens, one head. */
struct step {
    size_t q_row, o_row; /* first query in q, and in o, lse and do */
    int rows;            /* queries */
    int64_t token;       /* first token */
    int n;               /* tokens */
    size_t column;       /* of the head */
    float *dq;           /* row 0, `ldq` apart; NULL: not wanted */
    size_t ldq;
    bool dq_add;
    float *dk, *dv;       /* token 0; NULL: not wanted */
    bool new_q, new_token; /* not those of the step before */
    bool mixed;            /* queries or tokens of several segments */
};

__device__ inline void load_queries(float *dst, const float *src, const att &a, const step &w, size_t row, int want,
                                           int slab)
{
    att_load(dst, src + row * a.ld + w.column + static_cast<size_t>(slab) * ATT_SLAB, a.ld, w.rows, want,
             att_columns_left(a, slab), a.vec);
}

__device__ inline void load_tokens(float *dst, const float *src, const att &a, const step &w, int slab)
{
    att_load(dst, src + static_cast<size_t>(w.token) * a.ld + w.column + static_cast<size_t>(slab) * ATT_SLAB, a.ld, w.n,
             ATT_TOKENS, att_columns_left(a, slab), a.vec);
}

/* do.o of one slab in t.g and t.p: a thread a row. Terms are added in the order of att_dots: a query with one token has o = v,
 * and do.v - do.o is 0 exactly. */
template <int RQ> __device__ float add_mean(float mean, const tiles &t, int cols)
{
    const int r = static_cast<int>(threadIdx.x);

    if (r >= ATT_SIDE * RQ)
        return 0;
    for (int x = 0; x < cols; x += 4) {
        const float4 g = att_four(t.g, r, x), o = att_four(t.p, r, x);

        mean = fmaf(g.x, o.x, mean);
        mean = fmaf(g.y, o.y, mean);
        mean = fmaf(g.z, o.z, mean);
        mean = fmaf(g.w, o.w, mean);
    }
    return mean;
}

/* s = q.k, dp = do.v of this thread's pairs; lse and do.o of new queries */
template <int RQ>
__device__ void both_dots(float s[RQ][4], float dp[RQ][4], const att &a, const tiles &t, const step &w, int slabs)
{
    const int r = static_cast<int>(threadIdx.x);
    float mean = 0;

#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        s[i / 4][i % 4] = dp[i / 4][i % 4] = 0;
    for (int slab = 0; slab < slabs; slab++) {
        const int cols = att_columns_left(a, slab);

        __syncthreads(); /* tiles and rows before have been used */
        if (slabs > 1 || w.new_q) {
            load_queries(t.q, a.q, a, w, w.q_row, ATT_SIDE * RQ, slab);
            load_queries(t.g, a.dout, a, w, w.o_row, ATT_SIDE * RQ, slab);
        }
        if (w.new_q)
            load_queries(t.p, a.out, a, w, w.o_row, ATT_SIDE * RQ, slab);
        if (slabs > 1 || w.new_token) {
            load_tokens(t.k, a.k, a, w, slab);
            load_tokens(t.v, a.v, a, w, slab);
        }
        __syncthreads();
        if (w.new_q)
            mean = add_mean<RQ>(mean, t, cols);
        att_dots<RQ>(s, t.q, t.k, cols, w.n);
        att_dots<RQ>(dp, t.g, t.v, cols, w.n);
    }
    if (!w.new_q)
        return;
    if (r < ATT_SIDE * RQ) {
        t.mean[r] = mean;
        t.lse[r] = r < w.rows ? a.lse_in[(w.o_row + static_cast<size_t>(r)) * a.H + w.column / a.e] : 0;
    }
    __syncthreads(); /* o in t.p has been used, the rows are complete */
}

/* s becomes p, dp becomes ds; 0 where a query does not have the token */
template <int RQ>
__device__ void probabilities(float s[RQ][4], float dp[RQ][4], const att &a, const tiles &t, const step &w)
{
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + ATT_SIDE * i;
        const int64_t lo = t.lo[r], hi = t.hi[r];

#pragma unroll
        for (int j = 0; j < 4; j++) {
            const int64_t token = w.token + att_col() + ATT_SIDE * j;
            const bool mine = token >= lo && token < hi;

            s[i][j] = mine ? expf(a.scale * s[i][j] - t.lse[r]) : 0;
            dp[i][j] = mine ? a.scale * (s[i][j] * (dp[i][j] - t.mean[r])) : 0;
        }
    }
}

template <int RQ> __device__ void put_pairs(const tiles &t, const float s[RQ][4])
{
#pragma unroll
    for (int i = 0; i < RQ * 4; i++)
        t.p[(att_row() + ATT_SIDE * (i / 4)) * ATT_STRIDE + att_col() + ATT_SIDE * (i % 4)] = s[i / 4][i % 4];
}

/* y (tokens) += P^T X in one slab: P in t.p */
__device__ inline void add_by_token(float *y, const att &a, const tiles &t, const step &w, const float *X, int slab)
{
    const int cols = att_columns_left(a, slab);
    float sum[4][4] = {};

    if (w.mixed)
        att_weigh_by_token_own(sum, t.p, X, w.rows, cols, w.n, t.lo, t.hi, w.token);
    else
        att_weigh_by_token(sum, t.p, X, w.rows, cols, w.n);
    att_gather<4>(sum, cols);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int n = 4 * att_row() + i;

        if (n < w.n)
            att_store(y + static_cast<size_t>(n) * a.ld + slab * ATT_SLAB + att_x(cols), sum[i], att_left(cols), true, a.vec_out);
    }
}

/* dq (or +=) ds K in one slab: ds in t.p, K in t.k */
template <int RQ> __device__ void add_by_query(const att &a, const tiles &t, const step &w, int slab)
{
    const int cols = att_columns_left(a, slab);
    float sum[RQ][4] = {};

    if (w.mixed)
        att_weigh_own<RQ>(sum, t.p, t.k, w.n, cols, t.lo, t.hi, w.token);
    else
        att_weigh<RQ>(sum, t.p, t.k, w.n, cols);
    att_gather<RQ>(sum, cols);
#pragma unroll
    for (int i = 0; i < RQ; i++) {
        const int r = att_row() + ATT_SIDE * i;

        if (r < w.rows)
            att_store(w.dq + static_cast<size_t>(r) * w.ldq + slab * ATT_SLAB + att_x(cols), sum[i], att_left(cols), w.dq_add,
                      a.vec_out);
    }
}

/* A step: t.lo and t.hi are set. */
template <int RQ> __device__ void take_step(const att &a, const tiles &t, const step &w)
{
    const int slabs = static_cast<int>((a.e + ATT_SLAB - 1) / ATT_SLAB);
    float s[RQ][4], dp[RQ][4];

    both_dots<RQ>(s, dp, a, t, w, slabs);
    probabilities<RQ>(s, dp, a, t, w);
    if (w.dv) {
        put_pairs<RQ>(t, s);
        for (int slab = 0; slab < slabs; slab++) {
            if (slabs > 1) {
                __syncthreads();
                load_queries(t.g, a.dout, a, w, w.o_row, ATT_SIDE * RQ, slab);
            }
            __syncthreads();
            add_by_token(w.dv, a, t, w, t.g, slab);
        }
        __syncthreads(); /* p has been used */
    }
    if (!w.dk && !w.dq)
        return;
    put_pairs<RQ>(t, dp);
    for (int slab = 0; slab < slabs; slab++) {
        if (slabs > 1) {
            __syncthreads();
            if (w.dk)
                load_queries(t.q, a.q, a, w, w.q_row, ATT_SIDE * RQ, slab);
            if (w.dq)
                load_tokens(t.k, a.k, a, w, slab);
        }
        __syncthreads();
        if (w.dk)
            add_by_token(w.dk, a, t, w, t.q, slab);
        if (w.dq)
            add_by_query<RQ>(a, t, w, slab);
    }
}

/* Blocks that a multiprocessor holds, if shared memory allows: how many registers a thread may have follows. */
constexpr int resident(int rq) { return rq <= 2 ? 3 : 2; }

/* A block: one part of the tokens and one head; the pieces of the part, their tiles, and tiles of queries in turn. What it adds
 * to dq is in a.part: shared queries: a row for each part; else for each slot (ragged.h), and in dq itself where a segment is
 * whole. */
template <int RQ> __global__ void __launch_bounds__(ATT_THREADS, resident(RQ)) grad_parts(att a)
{
    enum { ROWS = ATT_SIDE * RQ };
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<RQ>(memory);
    const mmli_parts parts = mmli_parts_of(a.off, a.segs, a.parts, ATT_TOKENS);
    const size_t h = blockIdx.x % a.H;
    const int64_t part = static_cast<int64_t>(blockIdx.x / a.H);
    const bool shared = a.mode == MMLI_QUERY_SHARED;
    bool started = false; /* shared: dq of the part holds something */
    step w;

    w.mixed = false;
    w.column = h * a.e;
    for (mmli_piece x = mmli_piece_first(&parts, part); x.from < x.to; mmli_piece_next(&parts, &x)) {
        const bool direct = !shared && mmli_piece_is_whole(&parts, &x);
        const size_t slot = shared ? static_cast<size_t>(part) : static_cast<size_t>(mmli_piece_slot(&x));

        if (!shared)
            started = direct;
        for (w.token = x.from; w.token < x.to; w.token += ATT_TOKENS) {
            w.n = static_cast<int>(x.to - w.token < ATT_TOKENS ? x.to - w.token : static_cast<int64_t>(ATT_TOKENS));
            w.dk = a.dk ? a.dk + static_cast<size_t>(w.token) * a.ld + w.column : NULL;
            w.dv = a.dv ? a.dv + static_cast<size_t>(w.token) * a.ld + w.column : NULL;
            w.new_token = true;
            for (size_t first = 0; first < a.c; first += ROWS) {
                w.rows = static_cast<int>(att_min(ROWS, a.c - first));
                w.q_row = att_q_row(a, x.s) + first;
                w.o_row = x.s * a.c + first;
                w.new_q = w.token == x.from || a.c > ROWS;
                w.ldq = direct ? a.ld : a.e;
                w.dq = !a.dq ? NULL : direct ? a.dq + w.q_row * a.ld + w.column : a.part + ((slot * a.H + h) * a.c + first) * a.e;
                w.dq_add = started;
                if (w.new_q) {
                    __syncthreads(); /* lo and hi before have been used */
                    for (int r = static_cast<int>(threadIdx.x); r < ROWS; r += ATT_THREADS) {
                        t.lo[r] = r < w.rows ? x.from : 0;
                        t.hi[r] = r < w.rows ? x.to : 0;
                    }
                }
                take_step<RQ>(a, t, w);
                w.new_token = false;
            }
            started = true;
        }
    }
}

/* Self-attention by tiles of tokens: dk and dv. Queries that have one of these tokens are the rows of their segments. */
template <int RQ> __global__ void __launch_bounds__(ATT_THREADS, resident(RQ)) grad_by_token(att a)
{
    enum { ROWS = ATT_SIDE * RQ };
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<RQ>(memory);
    const int64_t tokens = a.off[a.segs];
    const size_t items = static_cast<size_t>((tokens + ATT_TOKENS - 1) / ATT_TOKENS) * a.H;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        size_t s, end;
        int64_t from, to;
        step w;

        w.token = static_cast<int64_t>(item / a.H) * ATT_TOKENS;
        w.n = static_cast<int>(tokens - w.token < ATT_TOKENS ? tokens - w.token : static_cast<int64_t>(ATT_TOKENS));
        w.column = item % a.H * a.e;
        w.dq = NULL;
        w.dk = a.dk ? a.dk + static_cast<size_t>(w.token) * a.ld + w.column : NULL;
        w.dv = a.dv ? a.dv + static_cast<size_t>(w.token) * a.ld + w.column : NULL;
        w.new_token = w.new_q = true;
        s = mmli_segment_of(a.off, a.segs, w.token);
        end = mmli_segment_of(a.off, a.segs, w.token + w.n - 1);
        from = a.off[s];
        to = a.off[end + 1];
        w.mixed = s != end; /* else all these queries have all these tokens */
        for (; from < to; from += ROWS) {
            int64_t lo, hi;

            w.q_row = w.o_row = static_cast<size_t>(from);
            w.rows = static_cast<int>(to - from < ROWS ? to - from : static_cast<int64_t>(ROWS));
            __syncthreads(); /* lo and hi before have been used */
            (void)att_segments(a, from, w.rows, ROWS, t.lo, t.hi, &lo, &hi);
            take_step<RQ>(a, t, w);
            w.new_token = false;
        }
    }
}

/* Self-attention by tiles of queries: dq. */
template <int RQ> __global__ void __launch_bounds__(ATT_THREADS, resident(RQ)) grad_by_query(att a)
{
    enum { ROWS = ATT_SIDE * RQ };
    MMLI_DYNAMIC_SHARED(float, memory);
    const tiles t = tiles_in<RQ>(memory);
    const int64_t tokens = a.off[a.segs];
    const size_t items = static_cast<size_t>((tokens + ROWS - 1) / ROWS) * a.H;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const int64_t first = static_cast<int64_t>(item / a.H) * ROWS;
        int64_t to;
        step w;

        w.q_row = w.o_row = static_cast<size_t>(first);
        w.rows = static_cast<int>(tokens - first < ROWS ? tokens - first : static_cast<int64_t>(ROWS));
        w.column = item % a.H * a.e;
        w.dk = w.dv = NULL;
        w.dq = a.dq + w.q_row * a.ld + w.column;
        w.ldq = a.ld;
        w.dq_add = w.new_q = w.new_token = true;
        __syncthreads(); /* lo and hi before have been used */
        w.mixed = att_segments(a, first, w.rows, ROWS, t.lo, t.hi, &w.token, &to);
        for (; w.token < to; w.token += ATT_TOKENS) {
            w.n = static_cast<int>(to - w.token < ATT_TOKENS ? to - w.token : static_cast<int64_t>(ATT_TOKENS));
            take_step<RQ>(a, t, w);
            w.new_q = false;
        }
    }
}

/* dq += what the parts have: shared queries: of all parts that have tokens; else of the segments that lie in several. A block
 * takes one row and head, 64 columns at a time, four groups of threads every fourth part. */
__global__ void __launch_bounds__(ATT_THREADS) dq_combine(att a)
{
    __shared__ float sums[ATT_THREADS];
    const mmli_parts parts = mmli_parts_of(a.off, a.segs, a.parts, ATT_TOKENS);
    const bool shared = a.mode == MMLI_QUERY_SHARED;
    const size_t slabs = (a.e + ATT_SLAB - 1) / ATT_SLAB, items = (shared ? 1 : a.segs) * a.c * a.H * slabs;
    const size_t x = threadIdx.x % ATT_SLAB, group = threadIdx.x / ATT_SLAB;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const size_t slab = item % slabs, h = item / slabs % a.H, row = item / slabs / a.H, j = row % a.c;
        const size_t column = slab * ATT_SLAB + x;
        mmli_slots slots = {0, (parts.tokens - 1) / parts.chunk, 0};
        float sum = 0;

        if (!shared)
            slots = mmli_slots_of(&parts, row / a.c);
        if (parts.tokens == 0 || (!shared && slots.from == slots.to))
            continue;
        if (column < a.e)
            for (int64_t p = slots.from + static_cast<int64_t>(group); p <= slots.to; p += ATT_THREADS / ATT_SLAB) {
                const size_t slot = static_cast<size_t>(shared ? p : mmli_slot_at(&slots, p));

                sum += a.part[((slot * a.H + h) * a.c + j) * a.e + column];
            }
        sums[threadIdx.x] = sum;
        __syncthreads();
        if (group == 0 && column < a.e)
            a.dq[row * a.ld + h * a.e + column] +=
                (sums[x] + sums[x + ATT_SLAB]) + (sums[x + 2 * ATT_SLAB] + sums[x + 3 * ATT_SLAB]);
        __syncthreads(); /* before the next item writes sums */
    }
}

/* ---- host -------------------------------------------------------------------------------------------------- */

/* RQ for c queries: the largest tile, unless a smaller one leaves far fewer of its rows empty. */
inline int rows_each(size_t c)
{
    return c <= 16 ? 1 : c <= 32 || (c > 64 && c <= 96) ? 2 : 4;
}

template <int RQ> mml_status self_attention(mmli_device *dv, const att &a)
{
    const size_t bytes = tiles_bytes<RQ>();
    const unsigned blocks = static_cast<unsigned>(att_blocks(dv, resident(RQ), bytes));

    if (a.dk || a.dv) {
        MMLI_CUDA_TRY(att_allow(dv, grad_by_token<RQ>, bytes));
        MMLI_CUDA_TRY(MMLI_LAUNCH(dv, (grad_by_token<RQ>), blocks, ATT_THREADS, bytes, a));
    }
    if (!a.dq)
        return MML_OK;
    MMLI_CUDA_TRY(att_allow(dv, grad_by_query<RQ>, bytes));
    return MMLI_LAUNCH(dv, (grad_by_query<RQ>), blocks, ATT_THREADS, bytes, a);
}

template <int RQ> mml_status own_queries(mmli_device *dv, att a)
{
    const size_t bytes = tiles_bytes<RQ>(), each = (a.mode == MMLI_QUERY_SHARED ? 1 : 2) * a.ld * a.c; /* floats of a part */
    void *memory = NULL;

    a.parts = att_parts(att_blocks(dv, resident(RQ), bytes), a.H, each);
    if (a.dq)
        MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_ATTENTION, static_cast<size_t>(a.parts) * each * sizeof(float), &memory));
    a.part = static_cast<float *>(memory);
    MMLI_CUDA_TRY(att_allow(dv, grad_parts<RQ>, bytes));
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, (grad_parts<RQ>), static_cast<unsigned>(static_cast<size_t>(a.parts) * a.H), ATT_THREADS,
                              bytes, a));
    if (!a.dq)
        return MML_OK;
    return MMLI_LAUNCH(dv, dq_combine,
                       mmli_cuda_blocks(dv, (a.mode == MMLI_QUERY_SHARED ? 1 : a.segs) * a.c * a.H *
                                                mmli_cuda_ceil_div(a.e, ATT_SLAB), 1), ATT_THREADS, 0, a);
}

} // namespace

extern "C" mml_status cuda_attention_grad(mmli_device *dv, mmli_mem *dq, mmli_mem *dk, mmli_mem *dv_, const mmli_mem *o,
                                          const mmli_mem *lse, const mmli_mem *q, const mmli_mem *k, const mmli_mem *v,
                                          const mmli_mem *do_, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                          float scale, mmli_query mode, bool part)
{
    /* Tiles of 64 queries take 87 KiB of shared memory, tiles of 32 take 61: of 64 that a block may have (compute capability 7.5). */
    const bool large = tiles_bytes<4>() <= mmli_cuda_of(dv)->shared_most;
    att a = {};

    (void)part; /* o and lse are used in any case */
    if (segs == 0 || H == 0 || e == 0 || (mode != MMLI_QUERY_RAGGED && c == 0) || (!dq && !dk && !dv_))
        return MML_OK;
    a.out = dev_f(o);
    a.lse_in = dev_f(lse);
    a.q = dev_f(q);
    a.k = dev_f(k);
    a.v = dev_f(v);
    a.dout = dev_f(do_);
    a.dq = dev_f(dq);
    a.dk = dev_f(dk);
    a.dv = dev_f(dv_);
    a.off = dev_i64(off);
    a.segs = segs;
    a.c = c;
    a.H = H;
    a.e = e;
    a.ld = H * e;
    a.scale = scale;
    a.mode = mode;
    a.vec = e % 4 == 0 && att_aligned(q) && att_aligned(k) && att_aligned(v) && att_aligned(do_) && att_aligned(o);
    a.vec_out = e % 4 == 0 && att_aligned(dq) && att_aligned(dk) && att_aligned(dv_);
    if (mode == MMLI_QUERY_RAGGED)
        return large ? self_attention<4>(dv, a) : self_attention<2>(dv, a);
    switch (rows_each(c)) {
    case 1:
        return own_queries<1>(dv, a);
    case 2:
        return own_queries<2>(dv, a);
    default:
        return large ? own_queries<4>(dv, a) : own_queries<2>(dv, a);
    }
}
