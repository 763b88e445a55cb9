/* test_identities.c - what the kernels must fulfil whatever the reference says: identities,
 * extremes, statistics. _i runs over the backends. */
#include <math.h>

#include "tests/ops/bench.h"
#include "util/rng.h"

/* ---- Fourier -------------------------------------------------------------------------------------- */
enum { B = 3, C = 15, D = 22, N = B * C * D };

START_TEST(inverse_transform_of_the_transform_is_the_array)
{
    static float re[N], im[N], got[N];
    const float unit = 1 / sqrtf((float)(C * D));
    mmli_mem *xr, *xi, *yr, *yi, *zr, *zi;

    begin(_i);
    mmlt_normal(re, N, 1);
    mmlt_normal(im, N, 2);
    xr = GIVE(re), xi = GIVE(im), yr = GIVE(got), yi = GIVE(got), zr = GIVE(got), zi = GIVE(got);
    RUN(fft, yr, yi, xr, xi, B, C, D, MMLI_AXIS_C | MMLI_AXIS_D, -1, unit);
    RUN(fft, zr, zi, yr, yi, B, C, D, MMLI_AXIS_C | MMLI_AXIS_D, 1, unit);
    TAKE(got, zr);
    mmlt_assert_close(got, re, N, MMLT_TOL_SUM);
    TAKE(got, zi);
    mmlt_assert_close(got, im, N, MMLT_TOL_SUM);

    /* One axis, not normalised: the inverse has 1/c. */
    RUN(fft, yr, yi, xr, NULL, B, C, D, MMLI_AXIS_C, -1, 1.0f);
    RUN(fft, zr, NULL, yr, yi, B, C, D, MMLI_AXIS_C, 1, 1.0f / C);
    TAKE(got, zr);
    mmlt_assert_close(got, re, N, MMLT_TOL_SUM);
    end();
}
END_TEST

START_TEST(unitary_transform_keeps_the_norm)
{
    static float re[N], zero[N];
    double before = 0, after = 0;
    mmli_mem *xr, *yr, *yi, *sum;

    begin(_i);
    mmlt_normal(re, N, 3);
    xr = GIVE(re), yr = GIVE(zero), yi = GIVE(zero), sum = bytes(&before, sizeof before);
    RUN(sum_squares, sum, xr, N);
    mmlt_download(&before, dv, sum, sizeof before);
    RUN(fft, yr, yi, xr, NULL, B, C, D, MMLI_AXIS_C | MMLI_AXIS_D, -1, 1 / sqrtf((float)(C * D)));
    mmlt_assert_ok(dv->k.upload(dv, sum, &after, sizeof after));
    RUN(sum_squares, sum, yr, N);
    RUN(sum_squares, sum, yi, N);
    mmlt_download(&after, dv, sum, sizeof after);
    ck_assert_double_eq_tol(after / before, 1, 1e-6);
    end();
}
END_TEST

START_TEST(transform_of_a_wave_is_one_peak)
{
    float x[C * D], re[C * D], im[C * D], want[C * D] = {0};
    mmli_mem *xr, *yr, *yi;

    begin(_i);
    for (int r = 0; r < C; r++)
        for (int j = 0; j < D; j++)
            x[r * D + j] = cosf(6.2831853f * (2.0f * (float)r / C + 5.0f * (float)j / D));
    want[2 * D + 5] = want[(C - 2) * D + D - 5] = C * D / 2.0f;
    xr = GIVE(x), yr = GIVE(x), yi = GIVE(x);
    RUN(fft, yr, yi, xr, NULL, 1, C, D, MMLI_AXIS_C | MMLI_AXIS_D, -1, 1.0f);
    TAKE(re, yr);
    TAKE(im, yi);
    mmlt_assert_close(re, want, C * D, MMLT_TOL_SUM);
    for (int i = 0; i < C * D; i++)
        ck_assert_float_eq_tol(im[i], 0, 1e-3f);
    end();
}
END_TEST

/* Two ways to one result, on a prime, an even and a short length. */
START_TEST(real_transform_of_a_segment_is_the_real_part_of_the_transform)
{
    enum { LEN = 13, COLS = 3 };
    const int64_t off[] = {0, LEN, LEN + 8, LEN + 9};
    float x[(LEN + 9) * COLS], want[COUNT(x)], got[COUNT(x)];
    mmli_mem *mx, *my, *mz;

    begin(_i);
    mmlt_normal(x, COUNT(x), 16);
    mx = GIVE(x), my = GIVE(x), mz = GIVE(x);
    RUN(segment_dft_real, my, mx, GIVE(off), off, 3, COLS);
    TAKE(got, my);
    for (int s = 0; s < 3; s++) {
        const size_t at = (size_t)off[s] * COLS;

        RUN(fft, mmli_at(mz, at), NULL, mmli_at(mx, at), NULL, 1, (size_t)(off[s + 1] - off[s]), COLS, MMLI_AXIS_C, -1,
            1.0f);
    }
    TAKE(want, mz);
    mmlt_assert_close(got, want, COUNT(x), MMLT_TOL_SUM);
    end();
}
END_TEST

/* Where the indices are their own negatives the imaginary part is 0, not a rounding error of either
 * sign: the phase of a negative number would be pi or -pi by chance. */
START_TEST(transform_of_real_numbers_is_exactly_real_where_it_mirrors_itself)
{
    static const size_t shapes[][2] = {{15, 22}, {64, 64}, {1, 6}, {6, 1}, {7, 5}};
    static float x[64 * 64], im[64 * 64];

    begin(_i);
    mmlt_normal(x, COUNT(x), 17);
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (int axes = 1; axes <= 3; axes++) {
            const size_t c = shapes[s][0], d = shapes[s][1];
            mmli_mem *xr = mmlt_upload(dv, x, c * d * sizeof *x), *yr = mmlt_upload(dv, x, c * d * sizeof *x);
            mmli_mem *yi = mmlt_upload(dv, x, c * d * sizeof *x);

            RUN(fft, yr, yi, xr, NULL, 1, c, d, axes, -1, 0.3f);
            mmlt_download(im, dv, yi, c * d * sizeof *im);
            for (size_t i = 0; i < c * d; i++) {
                const bool row = !(axes & MMLI_AXIS_C) || 2 * (i / d) % c == 0;
                const bool column = !(axes & MMLI_AXIS_D) || 2 * (i % d) % d == 0;

                ck_assert_msg((im[i] == 0) == (row && column), "(%zu, %zu), axes %d: imaginary part %zu is %g", c, d,
                              axes, i, (double)im[i]);
            }
            dv->k.free(dv, xr);
            dv->k.free(dv, yr);
            dv->k.free(dv, yi);
        }
    end();
}
END_TEST

START_TEST(unit_numbers_have_the_direction_and_size_one)
{
    const float re[] = {3, -2, 0, 0, 0, -1e-30f, 3e38f}, im[] = {-4, 0, 5, 0, -0.0f, -0.0f, 3e38f};
    const float want_re[] = {0.6f, -1, 0, 1, 1, -1, 0.70710678f}, want_im[] = {-0.8f, 0, 1, 0, 0, 0, 0.70710678f};
    float got_re[COUNT(re)], got_im[COUNT(re)];
    mmli_mem *xr, *xi, *yr, *yi;

    begin(_i);
    xr = GIVE(re), xi = GIVE(im), yr = GIVE(re), yi = GIVE(re);
    RUN(unit, yr, yi, xr, xi, COUNT(re));
    RUN(unit, xr, xi, xr, xi, COUNT(re)); /* in place */
    TAKE(got_re, yr);
    TAKE(got_im, yi);
    mmlt_assert_close(got_re, want_re, COUNT(re), MMLT_TOL_ROUND);
    mmlt_assert_close(got_im, want_im, COUNT(re), MMLT_TOL_ROUND);
    ck_assert(got_re[1] == -1 && got_re[3] == 1 && got_re[5] == -1); /* exactly */
    ck_assert(got_im[1] == 0 && got_im[3] == 0 && got_im[5] == 0);
    TAKE(got_im, xr);
    mmlt_assert_same_bits(got_im, got_re, sizeof got_re);
    end();
}
END_TEST

START_TEST(polar_form_and_back_is_the_number)
{
    static float re[N], im[N], got[N];
    mmli_mem *xr, *xi, *mag, *ph, *yr, *yi;

    begin(_i);
    mmlt_normal(re, N, 4);
    mmlt_normal(im, N, 5);
    re[0] = im[0] = 0;
    re[1] = -1, im[1] = -0.0f; /* phase pi, not -pi */
    xr = GIVE(re), xi = GIVE(im), mag = GIVE(re), ph = GIVE(re), yr = GIVE(re), yi = GIVE(re);
    RUN(magnitude, mag, xr, xi, N);
    RUN(phase, ph, xr, xi, N);
    TAKE(got, ph);
    ck_assert_float_eq(got[0], 0);
    ck_assert_float_eq(got[1], 3.14159265f);
    RUN(from_polar, yr, yi, mag, ph, N);
    TAKE(got, yr);
    mmlt_assert_close(got, re, N, MMLT_TOL_MATH);
    TAKE(got, yi);
    mmlt_assert_close(got, im, N, MMLT_TOL_MATH);
    end();
}
END_TEST

/* 1 / (1/a + 1/0) = 0: the harmonic mean of magnitudes goes through infinity. */
START_TEST(reciprocal_of_zero_is_infinite_and_comes_back_as_zero)
{
    const float x[] = {0, 2, INFINITY};
    float y[3];
    mmli_mem *m;

    begin(_i);
    m = GIVE(x);
    RUN(recip, m, m, 3);
    TAKE(y, m);
    ck_assert(isinf(y[0]) && y[0] > 0);
    ck_assert_float_eq(y[1], 0.5f);
    ck_assert_float_eq(y[2], 0);
    end();
}
END_TEST

/* ---- softmax, attention, LayerNorm ----------------------------------------------------------------- */
START_TEST(softmax_of_a_segment_sums_to_one)
{
    enum { ROWS = 700, COLS = 3 };
    const int64_t off[] = {0, 1, 1, 100, ROWS};
    float x[ROWS * COLS], zero[5 * COLS] = {0}, sum[4 * COLS], want[4 * COLS];
    mmli_mem *m, *o, *s, *y;

    begin(_i);
    mmlt_uniform(x, ROWS * COLS, 6, -9, 9);
    m = GIVE(x), y = GIVE(x), o = GIVE(off), s = GIVE(zero);
    RUN(segment_softmax, y, m, o, 4, COLS);
    RUN(segment_sum, s, NULL, y, o, 4, COLS);
    TAKE(sum, s);
    for (int i = 0; i < 4 * COLS; i++)
        want[i] = i / COLS == 1 ? 0 : 1; /* the empty segment: 0 */
    mmlt_assert_close(sum, want, COUNT(want), MMLT_TOL_SUM);
    end();
}
END_TEST

START_TEST(softmax_survives_scores_that_overflow_exp)
{
    const int64_t off[] = {0, 3, 5};
    const float x[] = {1e4f, 1e4f, 0, -1e4f, -3e4f}, want[] = {0.5f, 0.5f, 0, 1, 0};
    float y[5];
    mmli_mem *m, *o, *out;

    begin(_i);
    m = GIVE(x), o = GIVE(off), out = GIVE(x);
    RUN(segment_softmax, out, m, o, 2, 1);
    TAKE(y, out);
    mmlt_assert_close(y, want, 5, MMLT_TOL_EXACT);
    end();
}
END_TEST

/* One token: its value, whatever queries and keys are. Equal keys: the mean of the values. */
START_TEST(attention_to_one_token_gives_its_value_and_to_equal_keys_the_mean)
{
    enum { H = 2, E = 3, W = H * E, Q = 4, T = 6 };
    const int64_t off[] = {0, 1, T};
    float q[2 * Q * W], k[T * W], v[T * W], o[2 * Q * W], want[2 * Q * W];
    mmli_mem *mq, *mk, *mv, *mo, *moff;

    begin(_i);
    mmlt_normal(q, COUNT(q), 7);
    mmlt_normal(v, COUNT(v), 8);
    for (int i = 0; i < T * W; i++)
        k[i] = (float)(i % W);
    for (int i = 0; i < 2 * Q * W; i++) {
        const int col = i % W;
        float sum = 0;

        for (int t = 1; t < T; t++)
            sum += v[t * W + col];
        want[i] = i < Q * W ? v[col] : sum / (T - 1);
    }
    mq = GIVE(q), mk = GIVE(k), mv = GIVE(v), mo = GIVE(o), moff = GIVE(off);
    RUN(attention, mo, NULL, mq, mk, mv, moff, 2, Q, H, E, 0.5f, MMLI_QUERY_FIXED);
    TAKE(o, mo);
    mmlt_assert_close(o, want, COUNT(o), MMLT_TOL_SUM);
    end();
}
END_TEST

START_TEST(attention_with_huge_scores_picks_the_best_token)
{
    const int64_t off[] = {0, 3};
    const float q[] = {100, -100}, k[] = {-150, 150, 100}, v[] = {7, 8, 9}, want[] = {8, 7};
    float o[2], lse[2];
    mmli_mem *mq, *mk, *mv, *mo, *ml, *moff;

    begin(_i);
    mq = GIVE(q), mk = GIVE(k), mv = GIVE(v), mo = GIVE(o), ml = GIVE(lse), moff = GIVE(off);
    RUN(attention, mo, ml, mq, mk, mv, moff, 1, 2, 1, 1, 1.0f, MMLI_QUERY_SHARED);
    TAKE(o, mo);
    TAKE(lse, ml);
    mmlt_assert_close(o, want, 2, MMLT_TOL_EXACT);
    ck_assert_float_eq(lse[0], 15000);
    ck_assert_float_eq(lse[1], 15000);
    end();
}
END_TEST

/* A constant row has variance 0: rstd is 1/sqrt(eps), the output beta, the gradient finite. 0.1 is
 * not exact in float32, so a sum of 37 of them does not average to it exactly. */
START_TEST(layernorm_of_constant_rows_is_beta)
{
    enum { ROWS = 4, COLS = 37 };
    static const float levels[ROWS] = {0, 0.1f, -1e4f, 3e-39f};
    float x[ROWS * COLS], y[ROWS * COLS], gamma[COLS], beta[COLS], dx[ROWS * COLS] = {0};
    mmli_mem *mx, *my, *ms, *mg, *mb, *md;

    begin(_i);
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = levels[i / COLS];
    mmlt_normal(gamma, COLS, 9);
    mmlt_normal(beta, COLS, 10);
    mx = GIVE(x), my = GIVE(x), ms = GIVE(x), mg = GIVE(gamma), mb = GIVE(beta), md = GIVE(dx);
    RUN(layernorm, my, ms, mx, mg, mb, ROWS, COLS, 1e-5f);
    RUN(layernorm_grad, md, NULL, NULL, mx, ms, mg, mx, ROWS, COLS);
    TAKE(y, my);
    TAKE(dx, md);
    for (int i = 0; i < ROWS * COLS; i++) {
        /* rounding of the mean, 1e-8 for 0.1, times rstd = 316 */
        ck_assert_float_eq_tol(y[i], beta[i % COLS], 1e-5f);
        ck_assert(isfinite(dx[i]));
    }
    end();
}
END_TEST

START_TEST(layernorm_gives_rows_of_mean_0_and_variance_1)
{
    enum { ROWS = 5, COLS = 301 };
    float x[ROWS * COLS], y[ROWS * COLS], one[COLS], zero[COLS] = {0};
    mmli_mem *mx, *my, *ms, *mg, *mb;

    begin(_i);
    mmlt_uniform(x, ROWS * COLS, 11, 95, 105);
    for (int i = 0; i < COLS; i++)
        one[i] = 1;
    mx = GIVE(x), my = GIVE(x), ms = GIVE(x), mg = GIVE(one), mb = GIVE(zero);
    RUN(layernorm, my, ms, mx, mg, mb, ROWS, COLS, 1e-5f);
    TAKE(y, my);
    for (int r = 0; r < ROWS; r++) {
        double sum = 0, squares = 0;

        for (int j = 0; j < COLS; j++) {
            sum += (double)y[r * COLS + j];
            squares += (double)y[r * COLS + j] * (double)y[r * COLS + j];
        }
        ck_assert_double_eq_tol(sum / COLS, 0, 1e-5);
        ck_assert_double_eq_tol(squares / COLS, 1, 1e-5);
    }
    end();
}
END_TEST

/* ---- dropout -------------------------------------------------------------------------------------- */
enum { MANY = 400000 };
static float big_x[MANY], big_y[MANY];

/* The rule of kernels.def, word for word: so the mask is the same on every backend. */
START_TEST(dropout_keeps_where_the_generator_says_so)
{
    const uint64_t key = mmli_rng_key(5, "mask", 3);
    const float p = 0.3f;
    mmli_mem *x, *y;

    begin(_i);
    for (int i = 0; i < MANY; i++)
        big_x[i] = 1;
    x = GIVE(big_x), y = GIVE(big_x);
    RUN(dropout, y, x, MANY, p, key, 0);
    TAKE(big_y, y);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_float_eq_tol(big_y[i], mmli_rng_uniform(key, i) >= p ? 1 / (1 - p) : 0, 1e-6f);
    RUN(alpha_dropout, y, x, MANY, p, key, 0);
    TAKE(big_y, y);
    for (size_t i = 0; i < MANY; i++)
        ck_assert((mmli_rng_uniform(key, i) >= p) == (big_y[i] > 0));
    end();
}
END_TEST

/* 400000 draws: standard error 1/632 of the mean, about 1/400 of the variance; five of them. */
START_TEST(alpha_dropout_keeps_mean_0_and_variance_1)
{
    double sum = 0, squares = 0;
    mmli_mem *x, *y;

    begin(_i);
    mmlt_normal(big_x, MANY, 12);
    x = GIVE(big_x), y = GIVE(big_x);
    RUN(alpha_dropout, y, x, MANY, 0.25f, 13, 0);
    TAKE(big_y, y);
    for (int i = 0; i < MANY; i++) {
        sum += (double)big_y[i];
        squares += (double)big_y[i] * (double)big_y[i];
    }
    ck_assert_double_eq_tol(sum / MANY, 0, 5 / 632.0);
    ck_assert_double_eq_tol(squares / MANY, 1, 5 / 400.0);
    end();
}
END_TEST

START_TEST(dropout_with_probability_0_copies_every_bit)
{
    mmli_mem *x, *y;

    begin(_i);
    mmlt_normal(big_x, MANY, 14);
    x = GIVE(big_x), y = GIVE(big_y);
    RUN(dropout, y, x, MANY, 0.0f, 15, 0);
    TAKE(big_y, y);
    mmlt_assert_same_bits(big_y, big_x, sizeof big_x);
    RUN(alpha_dropout, y, x, MANY, 0.0f, 15, 0);
    TAKE(big_y, y);
    mmlt_assert_close(big_y, big_x, MANY, MMLT_TOL_EXACT);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identities of kernels");
    TCase *tc = tcase_create("on every backend");
    const int n = mmlt_n_backends();

    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, inverse_transform_of_the_transform_is_the_array, 0, n);
    tcase_add_loop_test(tc, unitary_transform_keeps_the_norm, 0, n);
    tcase_add_loop_test(tc, transform_of_a_wave_is_one_peak, 0, n);
    tcase_add_loop_test(tc, real_transform_of_a_segment_is_the_real_part_of_the_transform, 0, n);
    tcase_add_loop_test(tc, transform_of_real_numbers_is_exactly_real_where_it_mirrors_itself, 0, n);
    tcase_add_loop_test(tc, unit_numbers_have_the_direction_and_size_one, 0, n);
    tcase_add_loop_test(tc, polar_form_and_back_is_the_number, 0, n);
    tcase_add_loop_test(tc, reciprocal_of_zero_is_infinite_and_comes_back_as_zero, 0, n);
    tcase_add_loop_test(tc, softmax_of_a_segment_sums_to_one, 0, n);
    tcase_add_loop_test(tc, softmax_survives_scores_that_overflow_exp, 0, n);
    tcase_add_loop_test(tc, attention_to_one_token_gives_its_value_and_to_equal_keys_the_mean, 0, n);
    tcase_add_loop_test(tc, attention_with_huge_scores_picks_the_best_token, 0, n);
    tcase_add_loop_test(tc, layernorm_of_constant_rows_is_beta, 0, n);
    tcase_add_loop_test(tc, layernorm_gives_rows_of_mean_0_and_variance_1, 0, n);
    tcase_add_loop_test(tc, dropout_keeps_where_the_generator_says_so, 0, n);
    tcase_add_loop_test(tc, alpha_dropout_keeps_mean_0_and_variance_1, 0, n);
    tcase_add_loop_test(tc, dropout_with_probability_0_copies_every_bit, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
