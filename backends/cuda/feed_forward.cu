/* feed_forward.cu - y = x + drop(W2 (a * SELU(g)) + b2), [a g] = W1 LN(x) + b1, composed of other kernels in chunks of rows
 * whose hidden values fit in scratch memory.
 *
 * Bound by the products: 3 d f multiplications a row forward and 9 d f backward (hidden values are computed again), in float32
 * on the arithmetic of the GPU. What lies between passes over the hidden values, 12 bytes for each in and out. */
#include "backends/cuda/activate.h"
#include "backends/cuda/lanes.h"
#include "backends/cuda/layernorm.h"
#include "backends/cuda/philox.h"

namespace {

enum {
    CHUNK = 32 << 20,   /* floats of scratch, about */
    LEAST_ROWS = 1024,  /* rows of a chunk, at least */
    ALIGN = 64          /* floats that each array of a chunk is a multiple of */
};

/* Dropout of rows of the array whose first number is number `first` of the stream. */
struct drop {
    float p, survivor; /* survivor: 1 / (1 - p), or 0 */
    mmli_varying<uint64_t> key;
    uint64_t first;
};

drop drop_of(const mmli_device *dv, const mmli_ff *ff, size_t first)
{
    return {ff->p, ff->p < 1 ? static_cast<float>(1.0 / (1.0 - static_cast<double>(ff->p))) : 0.0f, mmli_cuda_vary(dv, 0, ff->key),
            ff->first + first};
}

/* What numbers 4 i .. 4 i + 3 from `first` on are multiplied with. */
__device__ __forceinline__ void factors(float f[4], const drop &d, uint64_t key, size_t i)
{
    if (d.p > 0)
        philox_uniform4_from(f, key, d.first + 4 * i);
#pragma unroll
    for (int u = 0; u < 4; u++)
        f[u] = d.p <= 0 ? 1.0f : f[u] >= d.p ? d.survivor : 0.0f;
}

/* y = x + drop(y + b2), n = rows d numbers */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) finish(float *y, const float *x, const float *b2, size_t n, size_t d, drop z)
{
    const uint64_t key = z.key.get();

    for (size_t i = first_item(); 4 * i < n; i += item_step()) {
        float f[4];

        factors(f, z, key, i);
#pragma unroll
        for (int u = 0; u < 4; u++) {
            const size_t at = 4 * i + static_cast<size_t>(u);

            if (at < n)
                y[at] = fmaf(f[u], y[at] + b2[at % d], x[at]);
        }
    }
}

/* y = drop(x) */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) mask(float *y, const float *x, size_t n, drop z)
{
    const uint64_t key = z.key.get();

    for (size_t i = first_item(); 4 * i < n; i += item_step()) {
        float f[4];

        factors(f, z, key, i);
#pragma unroll
        for (int u = 0; u < 4; u++)
            if (4 * i + static_cast<size_t>(u) < n)
                y[4 * i + static_cast<size_t>(u)] = f[u] * x[4 * i + static_cast<size_t>(u)];
    }
}

/* z (rows, 2 f) = [a g] becomes its own gradient from du (rows, f): da = du SELU(g), dg = du a SELU'(g). */
__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) hidden_grad(float *z, const float *du, size_t n, size_t f)
{
    for (size_t i = first_item(); i < n; i += item_step()) {
        const size_t at = i / f * 2 * f + i % f;
        const float a = z[at], g = z[at + f], u = du[i];

        z[at] = u * selu(g);
        z[at + f] = u * a * selu_slope(g);
    }
}

/* Arrays of a chunk of `rows` rows, one behind the other; NULL where memory is. */
struct arrays {
    size_t rows;
    mmli_mem *h, *stats, *z, *u, *dout, *dh;
};

size_t padded(size_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }

/* back: those of the gradient, too */
mml_status arrays_new(mmli_device *dv, arrays *a, const mmli_ff *ff, size_t rows, bool back)
{
    const size_t d = ff->d, f = ff->f, each = d + 2 + 3 * f + (back ? 2 * d : 0);
    void *memory;
    mmli_mem *at;

    a->rows = CHUNK / (each + 1) / 4 * 4;
    a->rows = a->rows > LEAST_ROWS ? a->rows : static_cast<size_t>(LEAST_ROWS);
    a->rows = a->rows < rows ? a->rows : rows;
    MMLI_CUDA_TRY(mmli_cuda_scratch(dv, MMLI_CUDA_FF, (a->rows * each + 6 * ALIGN) * sizeof(float), &memory));
    at = static_cast<mmli_mem *>(memory);
    a->h = at;
    a->stats = at = mmli_at(at, padded(a->rows * d));
    a->z = at = mmli_at(at, padded(a->rows * 2));
    a->u = at = mmli_at(at, padded(a->rows * 2 * f));
    at = mmli_at(at, padded(a->rows * f));
    a->dout = back ? at : nullptr;
    a->dh = back ? mmli_at(at, padded(a->rows * d)) : nullptr;
    return MML_OK;
}

/* h = LN(x), z = W1 h + b1, u = a * SELU(g) */
mml_status hidden(mmli_device *dv, const arrays *a, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    MMLI_CUDA_TRY(cuda_layernorm(dv, a->h, a->stats, x, ff->gamma, ff->beta, rows, ff->d, ff->eps));
    MMLI_CUDA_TRY(cuda_linear(dv, a->z, a->h, ff->w1, ff->b1, rows, ff->d, 2 * ff->f));
    return cuda_gate(dv, a->u, a->z, rows, ff->f, MMLI_GATE_SELU);
}

unsigned blocks_for(const mmli_device *dv, size_t n) { return mmli_cuda_blocks(dv, n, MMLI_CUDA_BLOCK); }

/* Gradients of W2 and b2; du, in the place of u. dout: masked dy. */
mml_status outer_grad(mmli_device *dv, const arrays *a, const mmli_ff_grad *grad, const mmli_mem *dout, const mmli_ff *ff,
                      size_t rows)
{
    const size_t d = ff->d, f = ff->f;

    if (grad->b2)
        MMLI_CUDA_TRY(cuda_col_sum_grad(dv, grad->b2, dout, rows, d));
    if (grad->w2)
        MMLI_CUDA_TRY(cuda_gemm(dv, true, false, d, f, rows, 1, dout, d, a->u, f, 1, grad->w2, f));
    return cuda_gemm(dv, false, false, rows, f, d, 1, dout, d, ff->w2, f, 0, a->u, f);
}

/* Gradients of W1 and b1 from dz, which is in the place of z. */
mml_status inner_grad(mmli_device *dv, const arrays *a, const mmli_ff_grad *grad, const mmli_ff *ff, size_t rows)
{
    const size_t d = ff->d, f = ff->f;

    if (grad->b1)
        MMLI_CUDA_TRY(cuda_col_sum_grad(dv, grad->b1, a->z, rows, 2 * f));
    if (grad->w1)
        MMLI_CUDA_TRY(cuda_gemm(dv, true, false, 2 * f, d, rows, 1, a->z, 2 * f, a->h, d, 1, grad->w1, d));
    return MML_OK;
}

/* One chunk, whose first number is number `first` of the array. All parameters' gradients are added to. */
mml_status chunk_grad(mmli_device *dv, const arrays *a, const mmli_ff_grad *grad, const mmli_mem *x, const mmli_mem *dy,
                      const mmli_ff *ff, size_t rows, size_t first)
{
    const size_t d = ff->d, f = ff->f, n = rows * d;
    const bool norm = grad->dx || grad->gamma || grad->beta;
    const mmli_mem *dout = dy;
    mmli_mem *dx = mmli_at(grad->dx, first);

    MMLI_CUDA_TRY(hidden(dv, a, x, ff, rows));
    if (ff->p > 0 && n > 0) {
        MMLI_CUDA_TRY(MMLI_LAUNCH(dv, mask, blocks_for(dv, mmli_cuda_ceil_div(n, 4)), MMLI_CUDA_BLOCK, 0, dev_f(a->dout),
                                  dev_f(dy), n, drop_of(dv, ff, first)));
        dout = a->dout;
    }
    MMLI_CUDA_TRY(outer_grad(dv, a, grad, dout, ff, rows));
    if (!norm && !grad->w1 && !grad->b1)
        return MML_OK;
    if (rows * f > 0)
        MMLI_CUDA_TRY(MMLI_LAUNCH(dv, hidden_grad, blocks_for(dv, rows * f), MMLI_CUDA_BLOCK, 0, dev_f(a->z), dev_f(a->u),
                                  rows * f, f));
    MMLI_CUDA_TRY(inner_grad(dv, a, grad, ff, rows));
    if (!norm)
        return MML_OK;
    MMLI_CUDA_TRY(cuda_gemm(dv, false, false, rows, d, 2 * f, 1, a->z, 2 * f, ff->w1, d, 0, a->dh, d));
    MMLI_CUDA_TRY(cuda_layernorm_grad(dv, nullptr, grad->gamma, grad->beta, x, a->stats, ff->gamma, a->dh, rows, d));
    if (!dx)
        return MML_OK;
    return mmli_cuda_layernorm_dx(dv, dev_f(dx), grad->add_x, dev_f(dy), dev_f(x), dev_f(a->stats), dev_f(ff->gamma),
                                  dev_f(a->dh), rows, d);
}

mml_status zero(mmli_device *dv, mmli_mem *y, size_t n) { return y ? cuda_fill(dv, y, n, 0) : MML_OK; }

} // namespace

extern "C" mml_status cuda_feed_forward(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_ff *ff, size_t rows)
{
    const size_t d = ff->d;
    arrays a;

    if (rows == 0 || d == 0)
        return MML_OK;
    MMLI_CUDA_TRY(arrays_new(dv, &a, ff, rows, false));
    for (size_t r = 0; r < rows; r += a.rows) {
        const size_t n = rows - r < a.rows ? rows - r : a.rows;
        const mmli_mem *in = mmli_at(x, r * d);
        mmli_mem *out = mmli_at(y, r * d);

        MMLI_CUDA_TRY(hidden(dv, &a, in, ff, n));
        MMLI_CUDA_TRY(cuda_gemm(dv, false, true, n, d, ff->f, 1, a.u, ff->f, ff->w2, ff->f, 0, out, d));
        MMLI_CUDA_TRY(MMLI_LAUNCH(dv, finish, blocks_for(dv, mmli_cuda_ceil_div(n * d, 4)), MMLI_CUDA_BLOCK, 0, dev_f(out),
                                  dev_f(in), dev_f(ff->b2), n * d, d, drop_of(dv, ff, r * d)));
    }
    return MML_OK;
}

extern "C" mml_status cuda_feed_forward_grad(mmli_device *dv, const mmli_ff_grad *grad, const mmli_mem *x, const mmli_mem *dy,
                                             const mmli_ff *ff, size_t rows)
{
    const size_t d = ff->d, f = ff->f;
    arrays a;

    if (!grad->add) { /* chunks add */
        MMLI_CUDA_TRY(zero(dv, grad->gamma, d));
        MMLI_CUDA_TRY(zero(dv, grad->beta, d));
        MMLI_CUDA_TRY(zero(dv, grad->w1, 2 * f * d));
        MMLI_CUDA_TRY(zero(dv, grad->b1, 2 * f));
        MMLI_CUDA_TRY(zero(dv, grad->w2, d * f));
        MMLI_CUDA_TRY(zero(dv, grad->b2, d));
    }
    if (rows == 0 || d == 0)
        return MML_OK;
    MMLI_CUDA_TRY(arrays_new(dv, &a, ff, rows, true));
    for (size_t r = 0; r < rows; r += a.rows)
        MMLI_CUDA_TRY(chunk_grad(dv, &a, grad, mmli_at(x, r * d), mmli_at(dy, r * d), ff, rows - r < a.rows ? rows - r : a.rows,
                                 r * d));
    return MML_OK;
}
