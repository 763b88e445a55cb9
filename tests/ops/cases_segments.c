/* cases_segments.c - softmax, sums, means and transforms over segments. */
#include <math.h>
#include <stdlib.h>

#include "tests/ops/ragged.h"
#include "util/rng.h"

size_t ragged(size_t len[RAGGED_MOST], size_t i)
{
    static const struct {
        size_t segs, len[7];
    } given[RAGGED - 2] = {
        {0, {0}},        {1, {0}},       {1, {1}}, {4, {0, 0, 3, 0}}, {7, {1, 1, 1, 1, 1, 1, 1}},
        {5, {5, 0, 17, 1, 64}}, {2, {1, 611}}, {1, {1500}},
    };
    size_t segs;

    if (i < COUNT(given)) {
        for (size_t s = 0; s < given[i].segs; s++)
            len[s] = given[i].len[s];
        return given[i].segs;
    }
    segs = i == COUNT(given) ? RAGGED_MOST : 150;
    for (size_t s = 0; s < segs; s++)
        len[s] = i == COUNT(given) ? 1 : (size_t)mmli_rng_below(5, s, 40);
    return segs;
}

static const size_t widths[] = {1, 3, 64};
enum { VARIANTS = RAGGED * COUNT(widths) };

/* Variant i: pattern, and columns. */
static mmli_mem *offsets(run *r, size_t i, size_t *segs, size_t *tokens, size_t *cols)
{
    size_t len[RAGGED_MOST];

    *segs = ragged(len, i % RAGGED);
    *cols = widths[i / RAGGED];
    return in_offsets(r, len, *segs, tokens);
}

static void segment_softmax(run *r, size_t i)
{
    size_t segs, tokens, cols;
    mmli_mem *off = offsets(r, i, &segs, &tokens, &cols), *y = new_floats(r, "y", tokens * cols, MMLT_TOL_MATH);

    CALL(r, segment_softmax, y, in_uniform(r, tokens * cols, -5, 5), off, segs, cols);
    CALL(r, segment_softmax_grad, sum_floats(r, "dx", tokens * cols, MMLT_TOL_SUM), y, in_random(r, tokens * cols),
         off, segs, cols);
}

/* Scores up to 1e4, as in early epochs. They are exact multiples of 1/4, so that the differences are
 * exact in float32 and no tolerance need be given for them. */
static void segment_softmax_large(run *r, size_t i)
{
    const size_t n = 64, cols = 5;
    size_t tokens;
    float x[64 * 5];
    mmli_mem *off = in_offsets(r, &n, 1, &tokens);

    for (size_t j = 0; j < COUNT(x); j++)
        x[j] = (i == 0 ? -1e4f : i == 1 ? 0 : 1e4f) + 0.25f * (float)mmli_rng_below(r->key, j, 64);
    x[0] = 1e4f;
    x[cols] = -1e4f;
    CALL(r, segment_softmax, new_floats(r, "y", COUNT(x), MMLT_TOL_MATH), in_floats(r, x, COUNT(x)), off, 1, cols);
}

/* Bits of `part`: weights are given, dw and dx are wanted. */
static void segment_sum(run *r, size_t i)
{
    const size_t part = i / VARIANTS;
    size_t segs, tokens, cols;
    mmli_mem *off = offsets(r, i % VARIANTS, &segs, &tokens, &cols), *x = in_random(r, tokens * cols);
    mmli_mem *w = part & 1 ? in_random(r, tokens) : NULL;

    CALL(r, segment_sum, new_floats(r, "y", segs * cols, MMLT_TOL_SUM), w, x, off, segs, cols);
    CALL(r, segment_sum_grad, part & 2 ? sum_floats(r, "dw", tokens, MMLT_TOL_SUM) : NULL,
         part & 4 ? sum_floats(r, "dx", tokens * cols, MMLT_TOL_ROUND) : NULL, w, x, in_random(r, segs * cols), off,
         segs, cols);
}

static void segment_mean(run *r, size_t i)
{
    size_t segs, tokens, cols;
    mmli_mem *off = offsets(r, i, &segs, &tokens, &cols);

    CALL(r, segment_mean, new_floats(r, "y", segs * cols, MMLT_TOL_SUM), in_random(r, tokens * cols), off, segs, cols);
    CALL(r, segment_mean_grad, sum_floats(r, "dx", tokens * cols, MMLT_TOL_ROUND), in_random(r, segs * cols), off,
         segs, cols);
}

static void segment_dft_real(run *r, size_t i)
{
    size_t segs, tokens, cols;
    mmli_mem *off = offsets(r, i, &segs, &tokens, &cols);

    if (tokens * cols > 20000) /* O(n^2) in the reference: not all columns of the longest ones */
        cols = 3;
    CALL(r, segment_dft_real, new_floats(r, "y", tokens * cols, MMLT_TOL_SUM), in_random(r, tokens * cols), off,
         host_offsets(r, off), segs, cols);
    CALL(r, segment_dft_real_grad, sum_floats(r, "dx", tokens * cols, MMLT_TOL_SUM), in_random(r, tokens * cols), off,
         host_offsets(r, off), segs, cols);
}

/* More columns, and segments longer, than what is worked on at once; then lengths for which a backend takes another way: the
 * emulated GPU transforms more than 1414 rows of one column, 707 of four, 377 of 14, 175 of 65; primes are among them. */
static void segment_dft_real_wide(run *r, size_t i)
{
    static const size_t len[][6] = {{1, 2, 0, 65, 130, 3},      {1, 2, 0, 65, 130, 3},        {1413, 1414, 1415, 1, 0, 1423},
                                    {706, 707, 708, 1, 7, 709}, {376, 377, 378, 379, 1, 512}, {1, 175, 0, 65, 176, 181}};
    static const size_t width[] = {128, 301, 1, 4, 14, 65};
    const size_t cols = width[i], segs = COUNT(len[i]);
    size_t tokens;
    mmli_mem *off = in_offsets(r, len[i], segs, &tokens);

    CALL(r, segment_dft_real, new_floats(r, "y", tokens * cols, MMLT_TOL_SUM), in_random(r, tokens * cols), off,
         host_offsets(r, off), segs, cols);
    CALL(r, segment_dft_real_grad, sum_floats(r, "dx", tokens * cols, MMLT_TOL_SUM), in_random(r, tokens * cols), off,
         host_offsets(r, off), segs, cols);
}

const kernel_case segment_cases[] = {
    {"segment_softmax", VARIANTS, segment_softmax},
    {"segment_softmax of large scores", 3, segment_softmax_large},
    {"segment_sum", 8 * VARIANTS, segment_sum},
    {"segment_mean", VARIANTS, segment_mean},
    {"segment_dft_real", VARIANTS, segment_dft_real},
    {"segment_dft_real of many columns", 6, segment_dft_real_wide},
    {NULL, 0, NULL},
};
