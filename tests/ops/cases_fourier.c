/* cases_fourier.c - transforms, complex columns, polar form. */
#include <math.h>

#include "tests/ops/case.h"
#include "util/rng.h"

/* batch, c, d: odd, prime and even sizes, one row, one column, the shapes of latents */
static const size_t shapes[][3] = {{0, 4, 4}, {1, 1, 1},    {2, 1, 7},   {3, 5, 1},   {2, 4, 6},
                                   {2, 7, 5}, {33, 16, 32}, {3, 64, 64}, {2, 31, 37}, {200, 6, 10}};
enum { SHAPES = COUNT(shapes), FFTS = SHAPES * 3 * 2 * 4 };

/* Variant: shape, then axes, then sign, then: imaginary part given, imaginary part wanted. */
static void fft(run *r, size_t i)
{
    const size_t *z = shapes[i % SHAPES], parts = i / (SHAPES * 6), n = z[0] * z[1] * z[2];
    const int axes = (int)(i / SHAPES % 3) + 1, sign = i / (SHAPES * 3) % 2 ? 1 : -1;
    mmli_mem *xr = in_random(r, n), *xi = parts & 1 ? in_random(r, n) : NULL;
    mmli_mem *yr = new_floats(r, "re", n, MMLT_TOL_SUM), *yi = parts & 2 ? new_floats(r, "im", n, MMLT_TOL_SUM) : NULL;

    CALL(r, fft, yr, yi, xr, xi, z[0], z[1], z[2], axes, sign, 0.37f);
}

/* In every array one column of zeros and one of almost nothing; both stay near 0. */
static void col_normalise(run *r, size_t i)
{
    static const size_t most = 33 * 16 * 32;
    const size_t batch = shapes[i % 7][0], c = shapes[i % 7][1], d = shapes[i % 7][2], n = batch * c * d;
    const bool real = i >= 7;
    static float re[33 * 16 * 32], im[33 * 16 * 32];
    mmli_mem *xr, *xi, *yr, *yi, *norm;

    ck_assert_uint_le(n, most);
    mmlt_normal(re, n, r->key);
    mmlt_normal(im, n, r->key + 1);
    for (size_t row = 0; d >= 3 && row < batch * c; row++) {
        re[row * d] = im[row * d] = 0;
        re[row * d + 2] *= 1e-16f;
        im[row * d + 2] *= 1e-16f;
    }
    xr = in_floats(r, re, n);
    xi = real ? NULL : in_floats(r, im, n);
    yr = new_floats(r, "re", n, MMLT_TOL_SUM);
    yi = real ? NULL : new_floats(r, "im", n, MMLT_TOL_SUM);
    norm = new_floats(r, "norm", batch * d, MMLT_TOL_SUM);
    CALL(r, col_normalise, yr, yi, norm, xr, xi, batch, c, d);
    CALL(r, col_normalise_grad, sum_floats(r, "dre", n, MMLT_TOL_SUM),
         real ? NULL : sum_floats(r, "dim", n, MMLT_TOL_SUM), yr, yi, norm, in_random(r, n),
         real ? NULL : in_random(r, n), batch, c, d);
}

static const size_t sizes[] = {0, 1, 7, 1003, 50001};
enum { SIZES = COUNT(sizes) };

/* Zeros of both signs, the axes, the edges of the range; every pair of them. */
static const float edges[] = {0, -0.0f, 1, -1, 1e-30f, -1e-30f, 1e-42f, 3e38f, -3e38f, INFINITY, -INFINITY};
enum { EDGES = COUNT(edges) };

static void edge_pairs(float re[EDGES * EDGES], float im[EDGES * EDGES])
{
    for (size_t i = 0; i < EDGES * EDGES; i++) {
        re[i] = edges[i / EDGES];
        im[i] = edges[i % EDGES];
    }
}

static void polar(run *r, size_t i)
{
    const size_t n = sizes[i];
    mmli_mem *re = in_random(r, n), *im = in_random(r, n);

    CALL(r, magnitude, new_floats(r, "mag", n, MMLT_TOL_ROUND), re, im, n);
    CALL(r, phase, new_floats(r, "ph", n, MMLT_TOL_MATH), re, im, n);
    CALL(r, unit, new_floats(r, "unit re", n, MMLT_TOL_ROUND), new_floats(r, "unit im", n, MMLT_TOL_ROUND), re, im, n);
    CALL(r, from_polar, new_floats(r, "re", n, MMLT_TOL_MATH), new_floats(r, "im", n, MMLT_TOL_MATH),
         in_uniform(r, n, 0, 3), in_uniform(r, n, -6, 6), n);
}

/* Element by element: `norm` tolerances would hide the small ones. 1e-42 is denormal: a backend that
 * flushes it to 0 fails. */
static void polar_edges(run *r, size_t i)
{
    const size_t n = EDGES * EDGES;
    float a[EDGES * EDGES], b[EDGES * EDGES];
    mmli_mem *re, *im;

    (void)i;
    edge_pairs(a, b);
    re = in_floats(r, a, n);
    im = in_floats(r, b, n);
    CALL(r, magnitude, new_floats(r, "mag", n, (mmlt_tol){5e-7, 0}), re, im, n);
    CALL(r, phase, new_floats(r, "ph", n, (mmlt_tol){2e-6, 0}), re, im, n);
    CALL(r, unit, new_floats(r, "unit re", n, (mmlt_tol){5e-7, 1e-37}),
         new_floats(r, "unit im", n, (mmlt_tol){5e-7, 1e-37}),
         re, im, n); /* 1e-37: the quotient of 1e-42 and 3e38 vanishes */
}

static void recip(run *r, size_t i)
{
    if (i < SIZES) {
        mmli_mem *y = sum_floats(r, "y in place", sizes[i], MMLT_TOL_EXACT);

        CALL(r, recip, new_floats(r, "y", sizes[i], MMLT_TOL_EXACT), in_random(r, sizes[i]), sizes[i]);
        CALL(r, recip, y, y, sizes[i]);
    } else {
        CALL(r, recip, new_floats(r, "y", EDGES, MMLT_TOL_EXACT), in_floats(r, edges, EDGES), EDGES);
    }
}

const kernel_case fourier_cases[] = {
    {"fft", FFTS, fft},
    {"col_normalise", 14, col_normalise},
    {"polar form", SIZES, polar},
    {"polar form of extreme numbers", 2, polar_edges},
    {"recip", SIZES + 1, recip},
    {NULL, 0, NULL},
};
