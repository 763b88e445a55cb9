/* segments_dft.cu - the real part of the Fourier transform along the rows of each segment: of short ones as a product with
 * cosines, of long ones by cuFFT.
 *
 * The product:
 *
 *   y[k] = x[0] + sum over 1 <= t <= len/2 of cos(2 pi k t / len) (x[t] + x[len - t])     y[len - k] = y[k]
 *
 * (the middle row of an even length counts once): a quarter of the multiplications of the full matrix. The angle is found in
 * whole numbers, k t mod len, so it is as exact for row 1e5 as for row 1.
 *
 * Bound, by data sheet; not measured: len^2 / 4 multiplications a column, on the arithmetic of an H100 0.5 ms for 1e4 rows of
 * width 512 (as long as it takes to read them 70 times), 45 ms for 1e5: there a transform, bound by memory, takes under 1 ms. But
 * it needs a plan, bags have a length each, and making a plan takes the host a millisecond or two, while nothing else is queued. So
 * a segment is transformed from where the product would take about 2 ms.
 *
 * The transform: columns are taken in pairs, as the real and the imaginary part of z = a + i b. The transforms of a and b have
 * real parts that are even in k and imaginary parts that are odd, so with Z of z
 *
 *     Re A[k] = (Re Z[k] + Re Z[len - k]) / 2     Re B[k] = (Im Z[k] + Im Z[len - k]) / 2
 *
 * The lengths come from the host, so what is queued holds for them alone (whoever records it to run it again must see to that). */
#include "backends/cuda/attention.h"

#include "backends/cuda/map.h"

/* Multiplications of a product, at most: about 2 ms of an H100. The tests have fewer. */
#ifndef MMLI_DFT_PRODUCT
#define MMLI_DFT_PRODUCT 5e10
#endif

namespace {

enum { CHUNK = 4 << 20 /* complex numbers transformed at once, about: 32 MB, which the second-level cache of an H100 holds */ };

enum { RQ = 4, ROWS = ATT_SIDE * RQ /* of a tile: 64 */ };

/* A segment: rows first .. first + len - 1; t and k count from its first. */
struct span {
    int64_t first, len;
};

/* c[k][t] = cos(2 pi (k0 + k) (t0 + t) / len), 64 x 64. Four threads a row, every fourth column. */
__device__ void cosines(float *c, const span &s, int64_t k0, int64_t t0)
{
    const int row = static_cast<int>(threadIdx.x / 4), column = static_cast<int>(threadIdx.x % 4);
    const int64_t k = (k0 + row) % s.len, step = 4 * k % s.len;
    int64_t at = k * ((t0 + column) % s.len) % s.len;

    for (int t = column; t < ATT_TOKENS; t += 4) {
        const int64_t nearest = at <= s.len / 2 ? at : s.len - at; /* cos(2 pi - x) = cos x */
        float sine, cosine;

        sincospif(2.0f * static_cast<float>(nearest) / static_cast<float>(s.len), &sine, &cosine);
        c[row * ATT_STRIDE + t] = cosine;
        at += step;
        if (at >= s.len)
            at -= s.len;
    }
}

/* x[t][j] = x[t] + x[len - t], rows t0 .. up to len/2, columns j0 ..; 0 beyond */
__device__ void folded(float *dst, const float *x, const span &s, int64_t t0, size_t j0, size_t cols)
{
    for (int i = static_cast<int>(threadIdx.x); i < ATT_TOKENS * ATT_SLAB; i += ATT_THREADS) {
        const int r = i / ATT_SLAB, c = i % ATT_SLAB;
        const int64_t t = t0 + r;
        const size_t j = j0 + static_cast<size_t>(c);
        float v = 0;

        if (t <= s.len / 2 && j < cols) {
            v = x[static_cast<size_t>(s.first + t) * cols + j];
            if (t > 0 && 2 * t != s.len)
                v += x[static_cast<size_t>(s.first + s.len - t) * cols + j];
        }
        dst[r * ATT_STRIDE + c] = v;
    }
}

/* Rows k0 .. k0 + 63 of what there are up to len/2, and their mirror images; SLABS times 64 columns from j0 on. */
template <int SLABS>
__device__ void transform(float *y, const float *x, const span &s, int64_t k0, int n, size_t j0, size_t cols, bool add, bool vec,
                          float *c, float *tile)
{
    float sum[SLABS][RQ][4];

#pragma unroll
    for (int i = 0; i < SLABS * RQ * 4; i++)
        sum[i / (RQ * 4)][i / 4 % RQ][i % 4] = 0;
    for (int64_t t = 0; t <= s.len / 2; t += ATT_TOKENS) {
        const int64_t left = s.len / 2 + 1 - t;

        __syncthreads(); /* the tiles before have been used */
        cosines(c, s, k0, t);
#pragma unroll
        for (int slab = 0; slab < SLABS; slab++) {
            const size_t first = j0 + static_cast<size_t>(slab) * ATT_SLAB;

            if (slab > 0)
                __syncthreads();
            folded(tile, x, s, t, first, cols);
            __syncthreads();
            att_weigh<RQ>(sum[slab], c, tile, left < ATT_TOKENS ? static_cast<int>(left) : static_cast<int>(ATT_TOKENS),
                          att_columns(cols, first));
        }
    }
#pragma unroll
    for (int slab = 0; slab < SLABS; slab++)
        att_gather<RQ>(sum[slab], att_columns(cols, j0 + static_cast<size_t>(slab) * ATT_SLAB));
#pragma unroll
    for (int i = 0; i < SLABS * RQ; i++) {
        const int row = att_row() + ATT_SIDE * (i % RQ);
        const int64_t k = k0 + row;
        const size_t first = j0 + static_cast<size_t>(i / RQ) * ATT_SLAB;
        const int own = att_columns(cols, first), left = att_left(own);
        const size_t j = first + static_cast<size_t>(att_x(own));

        if (row >= n)
            continue;
        att_store(y + static_cast<size_t>(s.first + k) * cols + j, sum[i / RQ][i % RQ], left, add, vec);
        if (k > 0 && 2 * k != s.len)
            att_store(y + static_cast<size_t>(s.first + s.len - k) * cols + j, sum[i / RQ][i % RQ], left, add, vec);
    }
}

/* A block takes 64 rows of the batch and SLABS times 64 columns in turn; of every segment that has some of them, those up to the
 * middle. Segments of more than `longest` rows are left out. */
template <int SLABS>
__global__ void __launch_bounds__(ATT_THREADS, SLABS > 1 ? 2 : 3)
    dft_real(float *y, const float *x, const int64_t *off, size_t segs, size_t cols, int64_t longest, bool add, bool vec)
{
    __shared__ float4 memory[2 * ATT_TILE / 4]; /* aligned as tiles are read */
    float *c = reinterpret_cast<float *>(memory), *tile = c + ATT_TILE;
    const size_t wide = static_cast<size_t>(SLABS) * ATT_SLAB, across = (cols + wide - 1) / wide;
    const int64_t rows = off[segs];
    const size_t items = static_cast<size_t>((rows + ROWS - 1) / ROWS) * across;

    for (size_t item = blockIdx.x; item < items; item += gridDim.x) {
        const int64_t first = static_cast<int64_t>(item / across) * ROWS, last = first + ROWS < rows ? first + ROWS : rows;

        for (size_t i = mmli_segment_of(off, segs, first); i < segs && off[i] < last; i++) {
            const span s = {off[i], off[i + 1] - off[i]};
            const int64_t from = first > s.first ? first - s.first : 0;
            const int64_t middle = s.len / 2 + 1, end = last - s.first < middle ? last - s.first : middle;

            if (s.len > 0 && s.len <= longest && from < end)
                transform<SLABS>(y, x, s, from, static_cast<int>(end - from), item % across * wide, cols, add, vec, c,
                                 tile);
        }
    }
}

mml_status product(mmli_device *dv, float *y, const float *x, const int64_t *off, size_t segs, size_t cols, int64_t longest, bool add)
{
    const unsigned blocks = 6 * static_cast<unsigned>(mmli_cuda_of(dv)->processors);
    const bool vec = cols % 4 == 0 && att_aligned(y);

    if (cols <= ATT_SLAB)
        return MMLI_LAUNCH(dv, dft_real<1>, blocks, ATT_THREADS, 0, y, x, off, segs, cols, longest, add, vec);
    return MMLI_LAUNCH(dv, dft_real<4>, blocks, ATT_THREADS, 0, y, x, off, segs, cols, longest, add, vec);
}

/* z (pairs, len) = columns 2 p and 2 p + 1, counted from x, of which there are `left`; rows are cols apart */
struct pack_pairs {
    float2 *z;
    const float *x;
    size_t len, cols, left;
    __device__ void operator()(size_t t, size_t p) const
    {
        const float *at = x + t * cols + 2 * p;

        z[p * len + t] = make_float2(at[0], 2 * p + 1 < left ? at[1] : 0.0f);
    }
};

struct unpack_pairs {
    float *y;
    const float2 *z;
    size_t len, cols, left;
    bool add;
    __device__ void operator()(size_t k, size_t p) const
    {
        const float2 u = z[p * len + k], v = z[p * len + (k > 0 ? len - k : 0)];
        const float a = 0.5f * (u.x + v.x), b = 0.5f * (u.y + v.y);
        float *at = y + k * cols + 2 * p;

        at[0] = add ? at[0] + a : a;
        if (2 * p + 1 < left)
            at[1] = add ? at[1] + b : b;
    }
};

/* One segment, by cuFFT; y and x are its first row. */
mml_status transformed(mmli_device *dv, float *y, const float *x, size_t len, size_t cols, bool add)
{
    const size_t all = mmli_cuda_ceil_div(cols, 2), room = CHUNK / len > 0 ? CHUNK / len : 1, most = all < room ? all : room;
    void *memory;

    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_FFT_DATA, most * len * sizeof(float2), &memory));
    for (size_t p = 0; p < all; p += most) {
        const size_t pairs = all - p < most ? all - p : most, left = cols - 2 * p;
        float2 *z = static_cast<float2 *>(memory);

        MMLI_CUDA_TRY(cells(dv, len, pairs, pack_pairs{z, x + 2 * p, len, cols, left}));
        MMLI_CUDA_TRY(mmli_cuda_fft_lines(dv, z, len, pairs));
        MMLI_CUDA_TRY(cells(dv, len, pairs, unpack_pairs{y + 2 * p, z, len, cols, left, add}));
    }
    return MML_OK;
}

/* host: off on the host */
mml_status dft(mmli_device *dv, float *y, const float *x, const int64_t *off, const int64_t *host, size_t segs, size_t cols, bool add)
{
    const double most = sqrt(4 * MMLI_DFT_PRODUCT / static_cast<double>(cols > 0 ? cols : 1));
    const int64_t longest = most > 1 ? static_cast<int64_t>(most) : 1;
    bool any = false;

    if (cols == 0)
        return MML_OK;
    for (size_t s = 0; s < segs; s++) {
        const int64_t len = host[s + 1] - host[s];
        const size_t first = static_cast<size_t>(host[s]) * cols;

        any = any || (len > 0 && len <= longest);
        if (len > longest)
            MMLI_CUDA_TRY(transformed(dv, y + first, x + first, static_cast<size_t>(len), cols, add));
    }
    return any ? product(dv, y, x, off, segs, cols, longest, add) : MML_OK;
}

} // namespace

extern "C" mml_status cuda_segment_dft_real(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, const int64_t *host,
                                            size_t segs, size_t cols)
{
    return dft(dv, dev_f(y), dev_f(x), dev_i64(off), host, segs, cols, false);
}

extern "C" mml_status cuda_segment_dft_real_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                                 const int64_t *host, size_t segs, size_t cols)
{
    return dft(dv, dev_f(dx), dev_f(dy), dev_i64(off), host, segs, cols, true);
}
