/* test_merge.c - joining final states: the formulas, zeros and signs, loudness (method.md 3, 3b). */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lego/states.h"

/* CMPLX of C11, which clang lacks before version 15 with glibc; re + im * I would lose signs of zeros. */
static double complex complex_of(double re, double im)
{
    double complex z;

    memcpy(&z, (double[2]){re, im}, sizeof z);
    return z;
}

static double complex at(const states *s, size_t block, size_t i)
{
    return complex_of((double)s->re[block][i], (double)s->im[block][i]);
}

/* ---- formulas ---------------------------------------------------------------------------------------------- */

START_TEST(harmonic_of_two_equal_weights_is_equation_4)
{
    states s;
    merged got, want;

    states_begin(_i, &s);
    s.rule.phase = MML_PHASE_ARITHMETIC;
    states_merge(&got, &s, 2, B);
    for (size_t i = 0; i < ALL; i++) {
        const double complex a = at(&s, 0, i), b = at(&s, 1, i);
        const double size = 2 * cabs(a) * cabs(b) / (cabs(a) + cabs(b)), angle = (carg(a) + carg(b)) / 2;

        want.re[i] = (float)(size * cos(angle));
        want.im[i] = (float)(size * sin(angle));
    }
    assert_merged_close(&got, &want, MMLT_TOL_MATH);
    states_end();
}
END_TEST

/* Over the blocks present: two samples lack one of the three. */
START_TEST(weighted_merges_are_their_formulas)
{
    const mml_aggregation how = kind_aggregation(_i);
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    s.weights[0] = 2;
    s.weights[1] = 5;
    s.weights[2] = 3;
    s.present[1] = s.present[2 * B + 3] = 0;
    states_merge(&got, &s, 3, B);
    for (size_t i = 0; i < ALL; i++) {
        double complex sum = 0, units = 0, product = 1, z;
        double inverse = 0, angle = 0, n = 0, total = 0;

        for (size_t b = 0; b < 3; b++)
            total += s.present[b * B + i / SIZE] ? s.weights[b] : 0;
        for (size_t b = 0; b < 3; b++) {
            const double a = s.weights[b] / total;
            if (!s.present[b * B + i / SIZE])
                continue;
            z = at(&s, b, i);
            n += 1;
            sum += a * z;
            product *= z;
            units += a * z / cabs(z);
            inverse += a / cabs(z);
            angle += a * carg(z);
        }
        angle = kind_phase(_i) == MML_PHASE_CIRCULAR ? carg(units) : angle;
        z = how == MML_MERGE_HARMONIC  ? complex_of(cos(angle) / inverse, sin(angle) / inverse)
            : how == MML_MERGE_MEAN    ? sum
            : how == MML_MERGE_SUM     ? n * sum
                                       : product;
        want.re[i] = (float)creal(z);
        want.im[i] = (float)cimag(z);
    }
    /* where directions nearly cancel, the circular mean shows the rounding of their sum */
    assert_merged_close(&got, &want, MMLT_TOL_SUM);
    states_end();
}
END_TEST

START_TEST(upstream_harmonic_is_2_a_b_times_equation_4)
{
    states s;
    merged plain, upstream;

    states_begin(_i, &s);
    s.rule.phase = MML_PHASE_ARITHMETIC;
    states_merge(&plain, &s, 2, B);
    s.rule.upstream_half = true;
    states_merge(&upstream, &s, 2, B);
    for (size_t i = 0; i < ALL; i++) {
        plain.re[i] *= 0.5f;
        plain.im[i] *= 0.5f;
    }
    assert_merged_close(&upstream, &plain, MMLT_TOL_ROUND);
    states_end();
}
END_TEST

/* ---- zeros and signs ------------------------------------------------------------------------------------------ */

START_TEST(harmonic_is_zero_where_any_block_is)
{
    states s;
    merged got;

    for (int p = 0; p < 2; p++) {
        states_begin(_i, &s);
        s.rule.phase = p ? MML_PHASE_ARITHMETIC : MML_PHASE_CIRCULAR;
        s.re[0][0] = s.im[0][0] = 0;
        s.re[1][7] = s.im[1][7] = -0.0f;
        for (size_t b = 0; b < 3; b++)
            s.re[b][9] = s.im[b][9] = 0;
        s.re[2][11] = 1e-45f; /* 1 / |Z| overflows */
        s.im[2][11] = 0;
        states_merge(&got, &s, 3, B);
        for (size_t i = 0; i < ALL; i++) {
            const bool zero = i == 0 || i == 7 || i == 9 || i == 11;
            ck_assert_int_eq(got.re[i] == 0 && got.im[i] == 0, zero);
        }
        states_end();
    }
}
END_TEST

START_TEST(circular_mean_of_angles_keeps_negative_numbers_negative)
{
    states s;
    merged got;

    states_begin(_i, &s);
    s.re[0][0] = s.re[1][0] = -1;
    s.im[0][0] = 0.3f;
    s.im[1][0] = -0.3f;
    states_merge(&got, &s, 2, B);
    ck_assert_float_lt(got.re[0], -1);
    ck_assert_float_eq_tol(got.im[0], 0, 1e-6f);
    s.rule.phase = MML_PHASE_ARITHMETIC; /* angles near pi and -pi average to 0 */
    states_merge(&got, &s, 2, B);
    ck_assert_float_gt(got.re[0], 1);
    states_end();
}
END_TEST

/* The latent's own real frequencies: angles 0 and pi, exactly. */
START_TEST(real_numbers_stay_real)
{
    static const float x[][2] = {{-1.3f, -0.7f}, {1.3f, 0.7f}, {-3, -1e-3f}, {2, 5}};
    states s;
    merged got;

    states_begin(_i, &s);
    for (size_t k = 0; k < 4; k++)
        for (size_t b = 0; b < 2; b++) {
            s.re[b][k] = x[k][b];
            s.im[b][k] = k == 1 ? -0.0f : 0.0f;
        }
    s.re[0][4] = 1.7f; /* opposite, equal weights: no direction, taken as angle 0 */
    s.re[1][4] = -0.9f;
    s.im[0][4] = s.im[1][4] = 0;
    states_merge(&got, &s, 2, B);
    for (size_t k = 0; k < 4; k++) {
        const float want = 2 * x[k][0] * x[k][1] / (x[k][0] + x[k][1]);
        ck_assert_float_eq_tol(got.re[k], want, 1e-6f * fabsf(want));
        ck_assert_float_eq(got.im[k], 0);
    }
    ck_assert_float_eq_tol(got.re[4], 2 * 1.7f * 0.9f / 2.6f, 1e-6f);
    ck_assert_float_eq(got.im[4], 0);
    states_end();
}
END_TEST

START_TEST(extreme_numbers_never_give_nan)
{
    static const float x[] = {0, -0.0f, 1e-45f, -1e-38f, 1, -1, 1e18f, -1e18f};
    states s;
    merged got;

    states_begin_kind(_i, &s);
    for (size_t i = 0; i < ALL; i++) {
        s.re[0][i] = x[i % 8];
        s.im[0][i] = x[i / 8 % 8];
        s.re[1][i] = x[(i * 5 + 3) % 8];
        s.im[1][i] = x[(i * 3 + 1) % 8];
    }
    states_merge(&got, &s, 2, B);
    for (size_t i = 0; i < ALL; i++)
        ck_assert_msg(isfinite(got.re[i]) && isfinite(got.im[i]), "element %zu: %g + %gi of %g + %gi and %g + %gi", i,
                      (double)got.re[i], (double)got.im[i], (double)s.re[0][i], (double)s.im[0][i], (double)s.re[1][i],
                      (double)s.im[1][i]);
    states_end();
}
END_TEST

/* ---- loudness -------------------------------------------------------------------------------------------------- */

/* A block k times as loud, and known to be: it speaks no louder than before. The result has the weighted mean of the
 * blocks' loudness, which has grown by g' / g. */
START_TEST(louder_block_makes_the_result_louder_but_no_different)
{
    const double k = 8, a[] = {0.2, 0.5, 0.3};
    double before = 0, after = 0;
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    s.rule.scale = MML_LATENT_POOLED;
    for (size_t i = 0; i < 3; i++) {
        s.weights[i] = a[i];
        s.rms[i] = 0.5 + (double)i;
        before += a[i] * s.rms[i];
        after += a[i] * s.rms[i] * (i == 1 ? k : 1);
    }
    states_merge(&want, &s, 3, B);
    for (size_t i = 0; i < ALL; i++) {
        s.re[1][i] *= (float)k;
        s.im[1][i] *= (float)k;
        want.re[i] = (float)((double)want.re[i] * after / before);
        want.im[i] = (float)((double)want.im[i] * after / before);
    }
    s.rms[1] *= k;
    states_merge(&got, &s, 3, B);
    assert_merged_close(&got, &want, MMLT_TOL_MATH);
    states_end();
}
END_TEST

/* Without scaling the same block drowns the others in the mean. */
START_TEST(equal_loudness_is_what_pooled_scaling_makes)
{
    states s;
    merged raw, scaled;

    states_begin(_i, &s);
    s.rule.aggregation = MML_MERGE_MEAN;
    for (size_t i = 0; i < ALL; i++) {
        s.re[1][i] = 100 * s.re[0][i];
        s.im[1][i] = 100 * s.im[0][i];
    }
    s.rms[1] = 100;
    states_merge(&raw, &s, 2, B);
    s.rule.scale = MML_LATENT_POOLED;
    states_merge(&scaled, &s, 2, B);
    for (size_t i = 0; i < ALL; i++) {
        raw.re[i] = 50.5f * s.re[0][i];
        raw.im[i] = 50.5f * s.im[0][i];
    }
    assert_merged_close(&scaled, &raw, MMLT_TOL_ROUND); /* direction of the one block, mean loudness of both */
    states_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/merge");
    TCase *tc = tcase_create("merge");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, harmonic_of_two_equal_weights_is_equation_4, 0, n);
    tcase_add_loop_test(tc, weighted_merges_are_their_formulas, 0, KINDS * n);
    tcase_add_loop_test(tc, upstream_harmonic_is_2_a_b_times_equation_4, 0, n);
    tcase_add_loop_test(tc, harmonic_is_zero_where_any_block_is, 0, n);
    tcase_add_loop_test(tc, circular_mean_of_angles_keeps_negative_numbers_negative, 0, n);
    tcase_add_loop_test(tc, real_numbers_stay_real, 0, n);
    tcase_add_loop_test(tc, extreme_numbers_never_give_nan, 0, KINDS * n);
    tcase_add_loop_test(tc, louder_block_makes_the_result_louder_but_no_different, 0, KINDS * n);
    tcase_add_loop_test(tc, equal_loudness_is_what_pooled_scaling_makes, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
