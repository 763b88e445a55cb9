/* count_segments.c - costs of what reduces over the tokens of a segment.
 * Conventions are in count.h, the meaning of parameters in kernels.def. */
#include "bench/count_inside.h"

/* In a wrapper: the tokens of all its segments. */
#define TOKENS mmli_count_tokens(counter, off, segs)

/* ---- segments */

mml_status mmli_counted_segment_softmax(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off,
                                        size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_softmax, 0, 4 * TOKENS * cols, 2 * TOKENS * cols, y, x, off, segs, cols);
}

mml_status mmli_counted_segment_softmax_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy,
                                             const mmli_mem *off, size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_softmax_grad, 0, 5 * TOKENS * cols, 4 * TOKENS * cols, dx, y, dy, off, segs, cols);
}

mml_status mmli_counted_segment_sum(mmli_device *dv, mmli_mem *y, const mmli_mem *w, const mmli_mem *x,
                                    const mmli_mem *off, size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_sum, 0, 2 * TOKENS * cols, (TOKENS + segs) * cols + (w ? TOKENS : 0), y, w, x, off, segs,
                 cols);
}

mml_status mmli_counted_segment_sum_grad(mmli_device *dv, mmli_mem *dw, mmli_mem *dx, const mmli_mem *w,
                                         const mmli_mem *x, const mmli_mem *dy, const mmli_mem *off, size_t segs,
                                         size_t cols)
{
    MMLI_COUNTED(segment_sum_grad, 0, 2 * TOKENS * cols * (uint64_t)((dw != NULL) + (dx != NULL)),
                 (TOKENS * (uint64_t)((dw != NULL) + 2 * (dx != NULL)) + segs) * cols + TOKENS * (uint64_t)((w != NULL) + 2 * (dw != NULL)),
                 dw, dx, w, x, dy, off, segs, cols);
}

mml_status mmli_counted_segment_mean(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off, size_t segs,
                                     size_t cols)
{
    MMLI_COUNTED(segment_mean, 0, TOKENS * cols, (TOKENS + segs) * cols, y, x, off, segs, cols);
}

mml_status mmli_counted_segment_mean_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                          size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_mean_grad, 0, 2 * TOKENS * cols, (2 * TOKENS + segs) * cols, dx, dy, off, segs, cols);
}

mml_status mmli_counted_segment_dft_real(mmli_device *dv, mmli_mem *y, const mmli_mem *x, const mmli_mem *off,
                                         const int64_t *host, size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_dft_real, 0, 5 * mmli_count_transforms(counter, off, segs) * cols, 2 * TOKENS * cols, y, x,
                 off, host, segs, cols);
}

mml_status mmli_counted_segment_dft_real_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *dy, const mmli_mem *off,
                                              const int64_t *host, size_t segs, size_t cols)
{
    MMLI_COUNTED(segment_dft_real_grad, 0, 5 * mmli_count_transforms(counter, off, segs) * cols, 3 * TOKENS * cols, dx,
                 dy, off, host, segs, cols);
}

/* ---- attention: its two products forward, and backward those that the gradients asked for need. pairs = (query, token) */

static uint64_t pairs_of(mmli_counter *counter, const mmli_mem *off, size_t segs, size_t c, mmli_query mode)
{
    return mode == MMLI_QUERY_RAGGED ? mmli_count_squares(counter, off, segs) : c * mmli_count_tokens(counter, off, segs);
}

/* Rows of o. */
static uint64_t rows_of(mmli_counter *counter, const mmli_mem *off, size_t segs, size_t c, mmli_query mode)
{
    return mode == MMLI_QUERY_RAGGED ? mmli_count_tokens(counter, off, segs) : segs * c;
}

mml_status mmli_counted_attention(mmli_device *dv, mmli_mem *o, mmli_mem *lse, const mmli_mem *q, const mmli_mem *k,
                                  const mmli_mem *v, const mmli_mem *off, size_t segs, size_t c, size_t H, size_t e,
                                  float scale, mmli_query mode)
{
    const size_t shared = mode == MMLI_QUERY_SHARED ? c : 0;

    MMLI_COUNTED(attention, 4 * H * e * pairs_of(counter, off, segs, c, mode),
                 4 * H * pairs_of(counter, off, segs, c, mode),
                 (2 * TOKENS + (shared ? 1 : 2) * rows_of(counter, off, segs, c, mode) + shared) * H * e +
                     rows_of(counter, off, segs, c, mode) * H,
                 o, lse, q, k, v, off, segs, c, H, e, scale, mode);
}

mml_status mmli_counted_attention_grad(mmli_device *dv, mmli_mem *dq, mmli_mem *dk, mmli_mem *dv_, const mmli_mem *o,
                                       const mmli_mem *lse, const mmli_mem *q, const mmli_mem *k, const mmli_mem *v,
                                       const mmli_mem *do_, const mmli_mem *off, size_t segs, size_t c, size_t H,
                                       size_t e, float scale, mmli_query mode, bool part)
{
    /* scores; their gradient, when queries or keys want theirs; and a product for each gradient */
    const uint64_t products = (uint64_t)(1 + (dq || dk) + (dq != NULL) + (dk != NULL) + (dv_ != NULL));
    const size_t shared = mode == MMLI_QUERY_SHARED ? c : 0;

    MMLI_COUNTED(attention_grad, 2 * products * H * e * pairs_of(counter, off, segs, c, mode),
                 8 * H * pairs_of(counter, off, segs, c, mode),
                 (2 * TOKENS * (uint64_t)(1 + (dk != NULL) + (dv_ != NULL)) +
                  rows_of(counter, off, segs, c, mode) * (uint64_t)(2 + (shared ? 0 : 1 + 2 * (dq != NULL))) +
                  shared * (uint64_t)(1 + 2 * (dq != NULL))) * H * e +
                     rows_of(counter, off, segs, c, mode) * H,
                 dq, dk, dv_, o, lse, q, k, v, do_, off, segs, c, H, e, scale, mode, part);
}

mml_status mmli_counted_attention_join(mmli_device *dv, mmli_mem *o, mmli_mem *lse, mmli_mem *state, const mmli_mem *o_part,
                                       const mmli_mem *lse_part, const mmli_mem *off, size_t segs, size_t c, size_t H,
                                       size_t e)
{
    MMLI_COUNTED(attention_join, 0, segs * c * H * (3 * e + 8), segs * c * H * (3 * e + (lse ? 6 : 5)), o, lse, state,
                 o_part, lse_part, off, segs, c, H, e);
}
