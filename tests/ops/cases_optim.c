/* cases_optim.c - reductions to one number, the tally of a training, the optimiser. */
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

/* Two steps, and one without a gradient between them: losses and sums of squares are 0, small, large, and not finite (in the first
 * step, or the third). What the scale is good for, too: a step of the optimiser with it. */
static void tally(run *r, size_t i)
{
    enum { GRADIENTS = 7, N = 19 };
    static const float gradients[GRADIENTS] = {0, 0.01f, 3, 1e15f, INFINITY, NAN, 0.5f}, fine = 1.5f, infinite = INFINITY;
    const bool late = i >= GRADIENTS, bad_loss = i % GRADIENTS == 6;
    const float max_norm = i % 3 == 1 ? 0.0f : 2.0f;
    mmli_mem *sums = sum_doubles(r, "tally", MMLI_TALLY, MMLT_TOL_F64), *zero = new_floats(r, "zero", 1, MMLT_TOL_EXACT);
    mmli_mem *scale[2] = {new_floats(r, "scale", 1, MMLT_TOL_ROUND), new_floats(r, "second scale", 1, MMLT_TOL_ROUND)};
    mmli_mem *p = sum_floats(r, "p", N, MMLT_TOL_ROUND), *m = sum_floats(r, "m", N, MMLT_TOL_ROUND);
    mmli_mem *v = sum_floats(r, "v", N, MMLT_TOL_ROUND), *decay = in_uniform(r, 2, 0, 0.3f);

    CALL(r, fill, sums, 2 * MMLI_TALLY, 0.0f);
    CALL(r, fill, zero, 1, 0.0f);
    CALL(r, scale, v, v, N, 0.0f);
    for (int step = 0; step < 2; step++) {
        const bool odd = late == (step == 1);
        mmli_mem *loss = sum_double(r, "loss", MMLT_TOL_F64), *sumsq = sum_double(r, "sumsq", MMLT_TOL_F64);

        CALL(r, fill, sumsq, 2, 0.0f);
        CALL(r, sum_squares, sumsq, in_floats(r, odd ? &gradients[i % GRADIENTS] : &fine, 1), 1);
        CALL(r, sum, loss, in_floats(r, odd && bad_loss ? &infinite : &fine, 1), 1);
        CALL(r, tally, sums, scale[step], loss, sumsq, 0.75, max_norm, (uint64_t)(2 * step + 11));
        if (step == 0)
            CALL(r, tally, sums, NULL, loss, NULL, 0.0, max_norm, (uint64_t)12);
    }
    CALL(r, adamw, p, m, v, in_random(r, N), scale[1], decay, N, 0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.001f);
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
    {"tally", 14, tally},
    {"l1_grad", SIZES, l1_grad},
    {"adamw", 2 * SIZES, adamw},
    {NULL, 0, NULL},
};
