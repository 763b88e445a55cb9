/* segments_dft.cu - the real part of the Fourier transform along the rows of each segment, as a product with cosines.
 *
 *   y[k] = x[0] + sum over 1 <= t <= len/2 of cos(2 pi k t / len) (x[t] + x[len - t])     y[len - k] = y[k]
 *
 * (the middle row of an even length counts once): a quarter of the multiplications of the full matrix. The angle is found in
 * whole numbers, k t mod len, so it is as exact for row 1e5 as for row 1.
 *
 * Bound, by data sheet; not measured: len^2 / 4 multiplications a column, on the arithmetic of an H100 0.5 ms for 1e4 rows of
 * width 512 (as long as it takes to read them 70 times), 45 ms for 1e5. An FFT is faster for segments of more than some thousand
 * rows, but its plan needs lengths on the host: waiting for all that is queued, and a plan for every length that comes. */
#include "backends/cuda/attention.h"

namespace {

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
                          cols > first ? static_cast<int>(att_min(ATT_SLAB, cols - first)) : 0);
        }
    }
#pragma unroll
    for (int i = 0; i < SLABS * RQ; i++) {
        const int row = att_row() + ATT_SIDE * (i % RQ);
        const int64_t k = k0 + row;
        const size_t j = j0 + static_cast<size_t>(i / RQ) * ATT_SLAB + 4 * static_cast<size_t>(att_col());
        const int left = j < cols ? static_cast<int>(att_min(4, cols - j)) : 0;

        if (row >= n)
            continue;
        att_store(y + static_cast<size_t>(s.first + k) * cols + j, sum[i / RQ][i % RQ], left, add, vec);
        if (k > 0 && 2 * k != s.len)
            att_store(y + static_cast<size_t>(s.first + s.len - k) * cols + j, sum[i / RQ][i % RQ], left, add, vec);
    }
}

/* A block takes 64 rows of the batch and SLABS times 64 columns in turn; of every segment that has some of them, those up to the
 * middle. */
template <int SLABS>
__global__ void __launch_bounds__(ATT_THREADS, SLABS > 1 ? 2 : 3)
    dft_real(float *y, const float *x, const int64_t *off, size_t segs, size_t cols, bool add, bool vec)
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

            if (s.len > 0 && from < end)
                transform<SLABS>(y, x, s, from, static_cast<int>(end - from), item % across * wide, cols, add, vec, c,
                                 tile);
        }
    }
}

mml_status dft(mmli_device *dv, float *y, const float *x, const int64_t *off, size_t segs, size_t cols, bool add)
{
    const unsigned blocks = 6 * static_cast<unsigned>(mmli_cuda_of(dv)->processors);
    const bool vec = cols % 4 == 0 && att_aligned(y);

    if (segs == 0 || cols == 0)
        return MML_OK;
    if (cols <= ATT_SLAB)
        return MMLI_LAUNCH(dv, dft_real<1>, blocks, ATT_THREADS, 0, y, x, off, segs, cols, add, vec);
    return MMLI_LAUNCH(dv, dft_real<4>, blocks, ATT_THREADS, 0, y, x, off, segs, cols, add, vec);
}

} // namespace

extern "C" mml_status cuda_segment_dft_real(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                            size_t cols)
{
    return dft(dv, dev_f(y), dev_f(x), dev_i64(off), segs, cols, false);
}

extern "C" mml_status cuda_segment_dft_real_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                                 size_t segs, size_t cols)
{
    return dft(dv, dev_f(dx), dev_f(dy), dev_i64(off), segs, cols, true);
}
