/* attention_join.cu - what attention gives for tokens in pieces becomes that of all of them: a warp a row and head. Bound by
 * memory: o is read twice and written once. */
#include "backends/cuda/lanes.h"

namespace {

__global__ void __launch_bounds__(MMLI_CUDA_BLOCK) join(float *o, float *lse, float *state, const float *o_part,
                                                        const float *lse_part, const int64_t *off, size_t rows, size_t each,
                                                        size_t e)
{
    const size_t lane = threadIdx.x % MMLI_WARP;

    for (size_t i = first_item() / MMLI_WARP; i < rows; i += item_step() / MMLI_WARP) {
        const size_t s = i / each;

        if (off[s] == off[s + 1])
            continue;
        const float before = state[2 * i], now = lse_part[i], most = isnan(now) ? now : fmaxf(before, now); /* NaN stays */
        const bool first = isinf(before); /* nothing yet: o and the sum are not to be read */
        const float old = first ? 0 : state[2 * i + 1] * expf(before - most), more = expf(now - most), sum = old + more;
        const float keep = old / sum, take = more / sum;

        for (size_t x = lane; x < e; x += MMLI_WARP)
            o[i * e + x] = first ? o_part[i * e + x] : fmaf(keep, o[i * e + x], take * o_part[i * e + x]);
        __syncwarp(); /* every lane has read the state */
        if (lane == 0) {
            state[2 * i] = most;
            state[2 * i + 1] = sum;
            if (lse)
                lse[i] = most + logf(sum);
        }
    }
}

} // namespace

extern "C" mml_status cuda_attention_join(mmli_device *dv, mmli_mem *o, mmli_mem *lse, mmli_mem *state, const mmli_mem *o_part,
                                          const mmli_mem *lse_part, const mmli_mem *off, size_t segs, size_t c, size_t H,
                                          size_t e)
{
    const size_t rows = segs * c * H;

    if (rows == 0)
        return MML_OK;
    return MMLI_LAUNCH(dv, join, mmli_cuda_blocks(dv, rows, MMLI_CUDA_BLOCK / MMLI_WARP), MMLI_CUDA_BLOCK, 0, dev_f(o),
                       dev_f(lse), dev_f(state), dev_f(o_part), dev_f(lse_part), dev_i64(off), rows, c * H, e);
}
