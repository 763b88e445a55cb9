/* segments.cu - softmax, sums and means over the rows of each segment, and their gradients.
 *
 * Rows are dealt to blocks in even parts (ragged.h), columns in tiles: a bag of 1e5 rows keeps the whole GPU busy. A reduction
 * has up to three kernels: a part reduces its pieces, and finishes those that are whole segments; the rest are combined,
 * in order; what has a value for each row is written for the pieces of those. Bound by memory: each array is read once
 * for each kernel that needs it (softmax and its gradient: twice, the second time mostly from the cache). */
#include "backends/cuda/ragged.h"

#include "backends/cuda/lanes.h"

namespace {

enum { LEAST = 64 /* rows of a part, at least, times rows of threads over 8 */ };

/* ---- what is reduced: add() one row, merge() two results, finish() one segment, write() one row ---------------------- */

struct weighted_sum {
    typedef double value;
    enum { BY_ROW = false };
    float *y;
    const float *w, *x; /* w NULL = 1 */
    size_t cols;
    bool mean;

    __device__ value none() const { return 0; }
    __device__ void add(value *v, size_t r, size_t j) const
    {
        const double a = static_cast<double>(x[r * cols + j]);

        *v += w ? static_cast<double>(w[r]) * a : a;
    }
    __device__ void merge(value *v, const value &other) const { *v += other; }
    __device__ void finish(size_t s, size_t j, const value &v, int64_t len) const
    {
        y[s * cols + j] = static_cast<float>(mean && len > 0 ? v / static_cast<double>(len) : v);
    }
    __device__ void write(size_t, size_t, const value &) const {}
};

/* Maximum, and sum of exp relative to it: scores reach 1e4, exp would overflow. */
struct softmax_value {
    double sum;
    float most;
};

struct softmax {
    typedef softmax_value value;
    enum { BY_ROW = true };
    float *y;
    const float *x;
    size_t cols;

    __device__ value none() const { return {0, -INFINITY}; }
    __device__ void add(value *v, size_t r, size_t j) const
    {
        const float a = x[r * cols + j];

        if (a <= v->most) {
            v->sum += static_cast<double>(expf(a - v->most));
        } else {
            v->sum = v->sum * static_cast<double>(expf(v->most - a)) + 1;
            v->most = a;
        }
    }
    __device__ void merge(value *v, const value &other) const
    {
        const float most = fmaxf(v->most, other.most);

        if (other.sum == 0) /* no rows */
            return;
        v->sum = (v->sum == 0 ? 0 : v->sum * static_cast<double>(expf(v->most - most))) +
                 other.sum * static_cast<double>(expf(other.most - most));
        v->most = most;
    }
    __device__ void finish(size_t, size_t, const value &, int64_t) const {}
    __device__ void write(size_t r, size_t j, const value &v) const
    {
        y[r * cols + j] = expf(x[r * cols + j] - v.most) / static_cast<float>(v.sum);
    }
};

/* dx += y (dy - sum y dy) */
struct softmax_grad {
    typedef double value;
    enum { BY_ROW = true };
    float *dx;
    const float *y, *dy;
    size_t cols;

    __device__ value none() const { return 0; }
    __device__ void add(value *v, size_t r, size_t j) const
    {
        *v += static_cast<double>(y[r * cols + j]) * static_cast<double>(dy[r * cols + j]);
    }
    __device__ void merge(value *v, const value &other) const { *v += other; }
    __device__ void finish(size_t, size_t, const value &, int64_t) const {}
    __device__ void write(size_t r, size_t j, const value &v) const
    {
        const size_t at = r * cols + j;

        dx[at] = fmaf(y[at], static_cast<float>(static_cast<double>(dy[at]) - v), dx[at]);
    }
};

/* ---- how: blockDim.x columns, blockDim.y (a power of two) rows of threads --------------------------------------------- */

__device__ size_t first_column() { return static_cast<size_t>(blockIdx.y) * blockDim.x; }
__device__ size_t column_step() { return static_cast<size_t>(gridDim.y) * blockDim.x; }

/* Of what every row of threads has; complete for all when it returns. `memory`: one value a thread. */
template <class OP>
__device__ typename OP::value reduce_rows(const OP &op, const typename OP::value &mine, typename OP::value *memory)
{
    const unsigned at = threadIdx.y * blockDim.x + threadIdx.x;
    typename OP::value all;

    memory[at] = mine;
    __syncthreads();
    for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
        if (threadIdx.y < half)
            op.merge(&memory[at], memory[at + half * blockDim.x]);
        __syncthreads();
    }
    all = memory[threadIdx.x];
    __syncthreads();
    return all;
}

template <class OP>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) reduce_parts(OP op, typename OP::value *slots, const int64_t *off,
                                                                size_t segs, size_t cols, int least)
{
    MMLI_DYNAMIC_SHARED(typename OP::value, memory);
    const mmli_parts parts = mmli_parts_of(off, segs, static_cast<int>(gridDim.x), least);

    for (size_t first = first_column(); first < cols; first += column_step()) {
        const size_t j = first + threadIdx.x;

        for (mmli_piece x = mmli_piece_first(&parts, blockIdx.x); x.from < x.to; mmli_piece_next(&parts, &x)) {
            typename OP::value v = op.none();

            if (j < cols) {
#pragma unroll 4
                for (int64_t r = x.from + threadIdx.y; r < x.to; r += blockDim.y)
                    op.add(&v, static_cast<size_t>(r), j);
            }
            v = reduce_rows(op, v, memory);
            if (j >= cols)
                continue;
            if (!mmli_piece_is_whole(&parts, &x)) {
                if (threadIdx.y == 0)
                    slots[static_cast<size_t>(mmli_piece_slot(&x)) * cols + j] = v;
                continue;
            }
            if (threadIdx.y == 0)
                op.finish(x.s, j, v, x.to - x.from);
            if (OP::BY_ROW)
                for (int64_t r = x.from + threadIdx.y; r < x.to; r += blockDim.y)
                    op.write(static_cast<size_t>(r), j, v);
        }
    }
}

/* Segments in several parts: the result goes to their first slot, too. Segments without rows. */
template <class OP>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) combine_parts(OP op, typename OP::value *slots, const int64_t *off,
                                                                 size_t segs, size_t cols, int n_parts, int least)
{
    MMLI_DYNAMIC_SHARED(typename OP::value, memory);
    const mmli_parts parts = mmli_parts_of(off, segs, n_parts, least);

    for (size_t s = blockIdx.x; s < segs; s += gridDim.x) {
        const mmli_slots has = mmli_slots_of(&parts, s);

        if (has.from == has.to && off[s] < off[s + 1])
            continue;
        for (size_t first = first_column(); first < cols; first += column_step()) {
            const size_t j = first + threadIdx.x;
            typename OP::value v = op.none();

            if (j < cols && has.from < has.to)
                for (int64_t p = has.from + threadIdx.y; p <= has.to; p += blockDim.y)
                    op.merge(&v, slots[static_cast<size_t>(mmli_slot_at(&has, p)) * cols + j]);
            v = reduce_rows(op, v, memory);
            if (j >= cols || threadIdx.y != 0)
                continue;
            op.finish(s, j, v, off[s + 1] - off[s]);
            if (has.from < has.to)
                slots[static_cast<size_t>(has.first_slot) * cols + j] = v;
        }
    }
}

/* The rows of segments in several parts. */
template <class OP>
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) write_parts(OP op, const typename OP::value *slots, const int64_t *off,
                                                               size_t segs, size_t cols, int least)
{
    const mmli_parts parts = mmli_parts_of(off, segs, static_cast<int>(gridDim.x), least);

    for (mmli_piece x = mmli_piece_first(&parts, blockIdx.x); x.from < x.to; mmli_piece_next(&parts, &x)) {
        if (mmli_piece_is_whole(&parts, &x))
            continue;
        const size_t slot = static_cast<size_t>(mmli_slots_of(&parts, x.s).first_slot);

        for (size_t j = first_column() + threadIdx.x; j < cols; j += column_step()) {
            const typename OP::value v = slots[slot * cols + j];

            for (int64_t r = x.from + threadIdx.y; r < x.to; r += blockDim.y)
                op.write(static_cast<size_t>(r), j, v);
        }
    }
}

template <class OP> mml_status reduce(mmli_device *dv, const OP &op, const mmli_mem *off_, size_t segs, size_t cols)
{
    const int64_t *off = dev_i64(off_);
    const size_t wanted = 4 * static_cast<size_t>(mmli_cuda_of(dv)->processors);
    const size_t shared = MMLI_CUDA_BLOCK * sizeof(typename OP::value);
    unsigned across = 1, down, tiles, parts;
    int least;
    void *memory;
    typename OP::value *slots;

    if (segs == 0 || cols == 0)
        return MML_OK;
    while (across < cols && across < MMLI_WARP)
        across *= 2;
    down = MMLI_CUDA_BLOCK / across;
    tiles = static_cast<unsigned>(mmli_cuda_ceil_div(cols, across) < 1024 ? mmli_cuda_ceil_div(cols, across) : 1024);
    parts = static_cast<unsigned>(mmli_cuda_ceil_div(wanted, tiles));
    least = static_cast<int>(LEAST * down / 8);
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_SEGMENTS, 2 * static_cast<size_t>(parts) * cols * sizeof *slots, &memory));
    slots = static_cast<typename OP::value *>(memory);
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, (reduce_parts<OP>), dim3(parts, tiles), dim3(across, down), shared, op, slots, off, segs, cols,
                              least));
    MMLI_CUDA_TRY(MMLI_LAUNCH(dv, (combine_parts<OP>), dim3(mmli_cuda_blocks(dv, segs, 1), tiles), dim3(across, down), shared, op,
                              slots, off, segs, cols, static_cast<int>(parts), least));
    if (!OP::BY_ROW)
        return MML_OK;
    return MMLI_LAUNCH(dv, (write_parts<OP>), dim3(parts, tiles), dim3(across, down), 0, op, slots, off, segs, cols, least);
}

/* ---- gradients of sum and mean: a group of blockDim.x lanes (a power of two, 32 at most) a row --------------------------- */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) sum_grad_rows(float *dw, float *dx, const float *w, const float *x,
                                                                 const float *dy, const int64_t *off, size_t segs, size_t cols,
                                                                 bool mean)
{
    const int64_t rows = off[segs], step = static_cast<int64_t>(gridDim.x) * blockDim.y;

    /* all groups of a warp take part in the shuffles, those without a row, too */
    for (int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.y; first < rows; first += step) {
        const int64_t t = first + threadIdx.y;
        float dot = 0;

        if (t < rows) {
            const size_t s = mmli_segment_of(off, segs, t), r = static_cast<size_t>(t);
            const float times = mean ? 1.0f / static_cast<float>(off[s + 1] - off[s]) : w ? w[r] : 1.0f;

            for (size_t j = threadIdx.x; j < cols; j += blockDim.x) {
                const float g = dy[s * cols + j];

                if (dw)
                    dot = fmaf(x[r * cols + j], g, dot);
                if (dx)
                    dx[r * cols + j] = fmaf(times, g, dx[r * cols + j]);
            }
        }
        if (dw) {
            for (int by = static_cast<int>(blockDim.x) / 2; by > 0; by /= 2)
                dot += __shfl_xor_sync(0xffffffffu, dot, by);
            if (t < rows && threadIdx.x == 0)
                dw[t] += dot;
        }
    }
}

mml_status sum_grad(mmli_device *dv, float *dw, float *dx, const float *w, const float *x, const float *dy, const mmli_mem *off,
                    size_t segs, size_t cols, bool mean)
{
    unsigned across = 1;

    if (segs == 0 || cols == 0 || (!dw && !dx))
        return MML_OK;
    while (across < cols && across < MMLI_WARP)
        across *= 2;
    return MMLI_LAUNCH(dv, sum_grad_rows, 16 * static_cast<unsigned>(mmli_cuda_of(dv)->processors),
                       dim3(across, MMLI_CUDA_BLOCK / across), 0, dw, dx, w, x, dy, dev_i64(off), segs, cols, mean);
}

} // namespace

extern "C" mml_status cuda_segment_softmax(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                           size_t cols)
{
    return reduce(dv, softmax{dev_f(y), dev_f(x), cols}, off, segs, cols);
}

extern "C" mml_status cuda_segment_softmax_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy,
                                                const mmli_mem *off, size_t segs, size_t cols)
{
    return reduce(dv, softmax_grad{dev_f(dx), dev_f(y), dev_f(dy), cols}, off, segs, cols);
}

extern "C" mml_status cuda_segment_sum(mmli_device *dv, mmli_mem *y, const mmli_mem *w, const mmli_mem *x, const mmli_mem *off,
                                       size_t segs, size_t cols)
{
    return reduce(dv, weighted_sum{dev_f(y), dev_f(w), dev_f(x), cols, false}, off, segs, cols);
}

extern "C" mml_status cuda_segment_sum_grad(mmli_device *dv, mmli_mem *dw, mmli_mem *dx, const mmli_mem *w, const mmli_mem *x,
                                            const mmli_mem *dy, const mmli_mem *off, size_t segs, size_t cols)
{
    return sum_grad(dv, dev_f(dw), dev_f(dx), dev_f(w), dev_f(x), dev_f(dy), off, segs, cols, false);
}

extern "C" mml_status cuda_segment_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                        size_t cols)
{
    return reduce(dv, weighted_sum{dev_f(y), nullptr, dev_f(x), cols, true}, off, segs, cols);
}

extern "C" mml_status cuda_segment_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                             size_t segs, size_t cols)
{
    return sum_grad(dv, nullptr, dev_f(dx), nullptr, nullptr, dev_f(dy), off, segs, cols, true);
}
