/* cases_optim.c - reductions to one number, clipping, the optimiser. */
#include <math.h>

#include "tests/ops/case.h"

static const size_t sizes[] = {0, 1, 7, 64, 1003, 200001};
enum { SIZES = COUNT(sizes) };

/* Positive numbers, so that the tolerance is relative to the sum of magnitudes. */
static void sums(run *r, size_t i)
{
    const size_t n = sizes[i];
    mmli_mem *x = in_uniform(r, n, 0, 3);

    CALL(r, sum, sum_double(r, "sum", MMLT_TOL_F64), x, n);
    CALL(r, sum_squares, sum_double(r, "squares", MMLT_TOL_F64), x, n);
}

/* The sum of squares as the trainer has it: of a gradient. 0, small, large, infinite. */
static void clip_scale(run *r, size_t i)
{
    static const float gradients[] = {0, 0.01f, 3, 1e15f, INFINITY};
    const mmlt_tol tol = i == 4 ? MMLT_TOL_EXACT : MMLT_TOL_F64;
    mmli_mem *sumsq = sum_double(r, "sumsq", tol);

    CALL(r, sum_squares, sumsq, in_floats(r, &gradients[i], 1), 1);
    CALL(r, clip_scale, new_floats(r, "scale", 1, MMLT_TOL_ROUND), sumsq, 2.0f);
}

static void l1_grad(run *r, size_t i)
{
    static const float signs[] = {0, -0.0f, 1e-40f, -1e-40f, 2, -2, 0};

    CALL(r, l1_grad, sum_floats(r, "g", sizes[i], MMLT_TOL_EXACT), in_random(r, sizes[i]), sizes[i], 0.125f);
    CALL(r, l1_grad, sum_floats(r, "g of zeros", COUNT(signs), MMLT_TOL_EXACT), in_floats(r, signs, COUNT(signs)),
         COUNT(signs), 0.125f);
}

/* Three steps; second half without a scale. Gradients include 0: v = 0 must not divide by 0. */
static void adamw(run *r, size_t i)
{
    const size_t n = sizes[i % SIZES];
    const float half = 0.5f;
    mmli_mem *p = sum_floats(r, "p", n, MMLT_TOL_ROUND), *m = sum_floats(r, "m", n, MMLT_TOL_ROUND);
    mmli_mem *v = sum_floats(r, "v", n, MMLT_TOL_ROUND), *scale = i < SIZES ? in_floats(r, &half, 1) : NULL;
    mmli_mem *zero = new_floats(r, "zero", n, MMLT_TOL_EXACT);
    mmli_mem *decay = in_uniform(r, (n + MMLI_DECAY_EACH - 1) / MMLI_DECAY_EACH, 0, 0.3f);
    float b1t = 1, b2t = 1;

    CALL(r, scale, m, m, n, 0.0f);
    CALL(r, scale, v, v, n, 0.0f);
    CALL(r, fill, zero, n, 0.0f);
    CALL(r, adamw, p, m, v, zero, scale, decay, n, 0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.001f);
    for (int step = 0; step < 2; step++) {
        b1t *= 0.9f;
        b2t *= 0.999f;
        CALL(r, adamw, p, m, v, in_random(r, n), scale, decay, n, 0.01f, 0.9f, 0.999f, 1e-8f, 1 - b1t,
             1 - b2t);
    }
}

const kernel_case optim_cases[] = {
    {"sum and sum_squares", SIZES, sums},
    {"clip_scale", 5, clip_scale},
    {"l1_grad", SIZES, l1_grad},
    {"adamw", 2 * SIZES, adamw},
    {NULL, 0, NULL},
};
