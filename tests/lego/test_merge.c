/* test_merge.c - joining final states, sample by sample (method.md 3, 3b): the formulas, who counts, scale and order. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lego/merge.h"
#include "ops/internal.h"
#include "tests/support/mmlt.h"
#include "util/rng.h"

enum { MOST = 3, B = 5, C = 4, D = 6, SIZE = C * D, ALL = B * SIZE };

static const mml_aggregation aggregations[] = {MML_MERGE_HARMONIC, MML_MERGE_MEAN, MML_MERGE_SUM, MML_MERGE_PRODUCT};
static const mml_phase phases[] = {MML_PHASE_CIRCULAR, MML_PHASE_ARITHMETIC};

/* States of up to three blocks, and what is made of them. */
typedef struct states {
    float re[MOST][ALL], im[MOST][ALL];
    uint8_t present[MOST * B];
    double weights[MOST], rms[MOST];
    mmli_merge_rule rule;
} states;

typedef struct merged {
    float re[ALL], im[ALL];
} merged;

static mmli_device *dv;
static mmli_tape *tape;

/* All present, equal weights, no scaling. */
static void begin(int backend, states *s)
{
    dv = mmlt_device(backend, 2);
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < MOST; i++) {
        mmlt_normal(s->re[i], ALL, mmli_rng_key(61, "re", i));
        mmlt_normal(s->im[i], ALL, mmli_rng_key(61, "im", i));
        s->weights[i] = s->rms[i] = 1;
    }
    memset(s->present, 1, sizeof s->present);
    s->rule = (mmli_merge_rule){.aggregation = MML_MERGE_HARMONIC};
}

static void end(void)
{
    mmli_tape_free(tape);
    mmli_device_close(dv);
}

static void merge_n(merged *out, states *s, size_t m, size_t samples)
{
    mmli_complex z[MOST], y;

    s->rule.weights = s->weights;
    s->rule.rms = s->rms;
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    for (size_t i = 0; i < m; i++) {
        z[i].re = mmli_tape_input(tape, s->re[i], samples * C, D, false);
        z[i].im = mmli_tape_input(tape, s->im[i], samples * C, D, false);
    }
    y = mmli_merge_latents(tape, z, m, samples, C, s->present, &s->rule);
    mmlt_assert_ok(mmli_tape_status(tape));
    mmlt_download(out->re, dv, y.re->data, samples * SIZE * sizeof(float));
    mmlt_download(out->im, dv, y.im->data, samples * SIZE * sizeof(float));
}

static void merge(merged *out, states *s, size_t m)
{
    merge_n(out, s, m, B);
}

static void assert_close(const merged *got, const merged *want, mmlt_tol tol)
{
    mmlt_assert_close(got->re, want->re, ALL, tol);
    mmlt_assert_close(got->im, want->im, ALL, tol);
}

static void assert_same(const merged *got, const merged *want)
{
    mmlt_assert_same_bits(got->re, want->re, sizeof got->re);
    mmlt_assert_same_bits(got->im, want->im, sizeof got->im);
}

static double complex at(const states *s, size_t block, size_t i)
{
    return CMPLX((double)s->re[block][i], (double)s->im[block][i]);
}

/* ---- formulas ---------------------------------------------------------------------------------------------- */

START_TEST(harmonic_of_two_equal_weights_is_equation_4)
{
    states s;
    merged got, want;

    begin(_i, &s);
    s.rule.phase = MML_PHASE_ARITHMETIC;
    merge(&got, &s, 2);
    for (size_t i = 0; i < ALL; i++) {
        const double complex a = at(&s, 0, i), b = at(&s, 1, i);
        const double size = 2 * cabs(a) * cabs(b) / (cabs(a) + cabs(b)), angle = (carg(a) + carg(b)) / 2;

        want.re[i] = (float)(size * cos(angle));
        want.im[i] = (float)(size * sin(angle));
    }
    assert_close(&got, &want, MMLT_TOL_MATH);
    end();
}
END_TEST

/* _i: backend, aggregation, phase. */
START_TEST(weighted_merges_are_their_formulas)
{
    const mml_aggregation how = aggregations[_i % 4];
    const mml_phase phase = phases[_i / 4 % 2];
    states s;
    merged got, want;

    begin(_i / 8, &s);
    s.rule.aggregation = how;
    s.rule.phase = phase;
    s.weights[0] = 2;
    s.weights[1] = 5;
    s.weights[2] = 3;
    merge(&got, &s, 3);
    for (size_t i = 0; i < ALL; i++) {
        double complex sum = 0, units = 0, product = 1, z;
        double inverse = 0, angle = 0;

        for (size_t b = 0; b < 3; b++) {
            const double a = s.weights[b] / 10;
            z = at(&s, b, i);
            sum += a * z;
            product *= z;
            units += a * z / cabs(z);
            inverse += a / cabs(z);
            angle += a * carg(z);
        }
        angle = phase == MML_PHASE_CIRCULAR ? carg(units) : angle;
        z = how == MML_MERGE_HARMONIC  ? CMPLX(cos(angle) / inverse, sin(angle) / inverse)
            : how == MML_MERGE_MEAN    ? sum
            : how == MML_MERGE_SUM     ? 3 * sum
                                       : product;
        want.re[i] = (float)creal(z);
        want.im[i] = (float)cimag(z);
    }
    assert_close(&got, &want, MMLT_TOL_MATH);
    end();
}
END_TEST

START_TEST(upstream_harmonic_is_2_a_b_times_equation_4)
{
    states s;
    merged plain, upstream;

    begin(_i, &s);
    s.rule.phase = MML_PHASE_ARITHMETIC;
    merge(&plain, &s, 2);
    s.rule.upstream_half = true;
    merge(&upstream, &s, 2);
    for (size_t i = 0; i < ALL; i++) {
        plain.re[i] *= 0.5f;
        plain.im[i] *= 0.5f;
    }
    assert_close(&upstream, &plain, MMLT_TOL_ROUND);
    end();
}
END_TEST

/* ---- zeros and signs ------------------------------------------------------------------------------------------ */

START_TEST(harmonic_is_zero_where_any_block_is)
{
    states s;
    merged got;

    for (size_t p = 0; p < 2; p++) {
        begin(_i, &s);
        s.rule.phase = phases[p];
        s.re[0][0] = s.im[0][0] = 0;
        s.re[1][7] = s.im[1][7] = -0.0f;
        for (size_t b = 0; b < 3; b++)
            s.re[b][9] = s.im[b][9] = 0;
        s.re[2][11] = 1e-45f; /* 1 / |Z| overflows */
        s.im[2][11] = 0;
        merge(&got, &s, 3);
        for (size_t i = 0; i < ALL; i++) {
            const bool zero = i == 0 || i == 7 || i == 9 || i == 11;
            ck_assert_int_eq(got.re[i] == 0 && got.im[i] == 0, zero);
        }
        end();
    }
}
END_TEST

START_TEST(circular_mean_of_angles_keeps_negative_numbers_negative)
{
    states s;
    merged got;

    begin(_i, &s);
    s.re[0][0] = s.re[1][0] = -1;
    s.im[0][0] = 0.3f;
    s.im[1][0] = -0.3f;
    merge(&got, &s, 2);
    ck_assert_float_lt(got.re[0], -1);
    ck_assert_float_eq_tol(got.im[0], 0, 1e-6f);
    s.rule.phase = MML_PHASE_ARITHMETIC; /* angles near pi and -pi average to 0 */
    merge(&got, &s, 2);
    ck_assert_float_gt(got.re[0], 1);
    end();
}
END_TEST

/* The latent's own real frequencies: angles 0 and pi, exactly. */
START_TEST(real_numbers_stay_real)
{
    static const float x[][2] = {{-1.3f, -0.7f}, {1.3f, 0.7f}, {-3, -1e-3f}, {2, 5}};
    states s;
    merged got;

    begin(_i, &s);
    for (size_t k = 0; k < 4; k++)
        for (size_t b = 0; b < 2; b++) {
            s.re[b][k] = x[k][b];
            s.im[b][k] = k == 1 ? -0.0f : 0.0f;
        }
    s.re[0][4] = 1.7f; /* opposite, equal weights: no direction, taken as angle 0 */
    s.re[1][4] = -0.9f;
    s.im[0][4] = s.im[1][4] = 0;
    merge(&got, &s, 2);
    for (size_t k = 0; k < 4; k++) {
        const float want = 2 * x[k][0] * x[k][1] / (x[k][0] + x[k][1]);
        ck_assert_float_eq_tol(got.re[k], want, 1e-6f * fabsf(want));
        ck_assert_float_eq(got.im[k], 0);
    }
    ck_assert_float_eq_tol(got.re[4], 2 * 1.7f * 0.9f / 2.6f, 1e-6f);
    ck_assert_float_eq(got.im[4], 0);
    end();
}
END_TEST

START_TEST(extreme_numbers_never_give_nan)
{
    static const float x[] = {0, -0.0f, 1e-45f, -1e-38f, 1, -1, 1e18f, -1e18f};
    states s;
    merged got;

    begin(_i / 8, &s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    for (size_t i = 0; i < ALL; i++) {
        s.re[0][i] = x[i % 8];
        s.im[0][i] = x[i / 8 % 8];
        s.re[1][i] = x[(i * 5 + 3) % 8];
        s.im[1][i] = x[(i * 3 + 1) % 8];
    }
    merge(&got, &s, 2);
    for (size_t i = 0; i < ALL; i++)
        ck_assert_msg(isfinite(got.re[i]) && isfinite(got.im[i]), "element %zu: %g + %gi of %g + %gi and %g + %gi", i,
                      (double)got.re[i], (double)got.im[i], (double)s.re[0][i], (double)s.im[0][i], (double)s.re[1][i],
                      (double)s.im[1][i]);
    end();
}
END_TEST

/* ---- who counts --------------------------------------------------------------------------------------------- */

/* Presence by sample: all; 0 and 2; 1 only; none; 2 only. */
static void some_present(states *s)
{
    static const uint8_t present[MOST * B] = {1, 1, 0, 0, 0, /* */ 1, 0, 1, 0, 0, /* */ 1, 1, 0, 0, 1};

    memcpy(s->present, present, sizeof present);
}

START_TEST(one_block_is_itself_to_the_bit_and_none_is_zero)
{
    static const mml_latent_scale scales[] = {MML_LATENT_RAW, MML_LATENT_POOLED};
    static const float zero[SIZE];
    states s;
    merged got;

    for (size_t k = 0; k < 2; k++) {
        begin(_i / 8, &s);
        some_present(&s);
        s.rule.aggregation = aggregations[_i % 4];
        s.rule.phase = phases[_i / 4 % 2];
        s.rule.scale = scales[k];
        s.rms[1] = 3;
        s.rms[2] = 0.2;
        s.weights[2] = 0.7;
        merge(&got, &s, 3);
        mmlt_assert_same_bits(got.re + 2 * SIZE, s.re[1] + 2 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.im + 2 * SIZE, s.im[1] + 2 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.re + 4 * SIZE, s.re[2] + 4 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.im + 4 * SIZE, s.im[2] + 4 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.re + 3 * SIZE, zero, sizeof zero);
        mmlt_assert_same_bits(got.im + 3 * SIZE, zero, sizeof zero);
        end();
    }
}
END_TEST

START_TEST(samples_do_not_know_of_each_other)
{
    states s;
    merged all, alone;

    begin(_i / 8, &s);
    some_present(&s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    s.weights[0] = 0.5;
    merge(&all, &s, 3);
    for (size_t b = 0; b < B; b++) {
        states one = s;
        for (size_t i = 0; i < 3; i++) {
            memcpy(one.re[i], s.re[i] + b * SIZE, SIZE * sizeof(float));
            memcpy(one.im[i], s.im[i] + b * SIZE, SIZE * sizeof(float));
            one.present[i] = s.present[i * B + b];
        }
        merge_n(&alone, &one, 3, 1);
        mmlt_assert_same_bits(alone.re, all.re + b * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(alone.im, all.im + b * SIZE, SIZE * sizeof(float));
    }
    end();
}
END_TEST

START_TEST(block_of_weight_zero_counts_as_absent)
{
    states s;
    merged got, want;

    begin(_i / 8, &s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    s.weights[0] = 0.4;
    s.weights[1] = 0;
    for (size_t i = 0; i < ALL; i++)
        s.re[1][i] = i % 2 ? NAN : 0; /* not even looked at */
    merge(&got, &s, 3);
    s.weights[1] = 1;
    memset(s.present + B, 0, B);
    merge(&want, &s, 3);
    assert_same(&got, &want);
    end();
}
END_TEST

START_TEST(sample_with_blocks_of_weight_zero_only_gets_them_equally)
{
    states s;
    merged got, want;

    begin(_i / 8, &s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    memset(s.present + 2 * B, 0, B);
    s.weights[0] = s.weights[1] = 0;
    merge(&got, &s, 3);
    s.weights[0] = s.weights[1] = 1;
    merge(&want, &s, 3);
    assert_same(&got, &want);
    end();
}
END_TEST

START_TEST(only_ratios_of_weights_matter)
{
    states s;
    merged got, want;

    begin(_i / 8, &s);
    some_present(&s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    s.weights[0] = 0.25;
    merge(&want, &s, 3);
    for (size_t i = 0; i < 3; i++)
        s.weights[i] *= 16;
    merge(&got, &s, 3);
    assert_same(&got, &want);
    end();
}
END_TEST

/* ---- the same, in another order, louder ------------------------------------------------------------------------ */

START_TEST(merge_of_a_block_with_itself_is_that_block)
{
    static const mml_aggregation how[] = {MML_MERGE_HARMONIC, MML_MERGE_MEAN};
    states s;
    merged got, want;

    begin(_i / 4, &s);
    for (size_t i = 1; i < 3; i++) {
        memcpy(s.re[i], s.re[0], sizeof s.re[0]);
        memcpy(s.im[i], s.im[0], sizeof s.im[0]);
    }
    memcpy(want.re, s.re[0], sizeof want.re);
    memcpy(want.im, s.im[0], sizeof want.im);
    s.rule.aggregation = how[_i % 2];
    s.rule.phase = phases[_i / 2 % 2];
    for (int scaled = 0; scaled < 2; scaled++) {
        s.rule.scale = scaled ? MML_LATENT_POOLED : MML_LATENT_RAW;
        s.rms[0] = s.rms[1] = s.rms[2] = 0.3;
        for (size_t m = 1; m <= 3; m++) {
            s.weights[1] = 1 + (double)m;
            merge(&got, &s, m);
            assert_close(&got, &want, MMLT_TOL_MATH);
        }
    }
    end();
}
END_TEST

START_TEST(order_of_the_blocks_does_not_matter)
{
    static const size_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    states s;
    merged got, want;

    begin(_i / 8, &s);
    some_present(&s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    s.rule.scale = MML_LATENT_POOLED;
    for (size_t i = 0; i < 3; i++) {
        s.weights[i] = 1 + (double)i;
        s.rms[i] = 0.5 + (double)i;
    }
    merge(&want, &s, 3);
    for (size_t k = 0; k < 5; k++) {
        states t = s;
        for (size_t i = 0; i < 3; i++) {
            const size_t from = orders[k][i];
            memcpy(t.re[i], s.re[from], sizeof s.re[0]);
            memcpy(t.im[i], s.im[from], sizeof s.im[0]);
            memcpy(t.present + i * B, s.present + from * B, B);
            t.weights[i] = s.weights[from];
            t.rms[i] = s.rms[from];
        }
        merge(&got, &t, 3);
        assert_close(&got, &want, MMLT_TOL_SUM); /* where directions nearly cancel, rounding shows */
    }
    end();
}
END_TEST

/* A block k times as loud, and known to be: it speaks no louder than before. The result has the weighted mean of the
 * blocks' loudness, which has grown by g' / g. */
START_TEST(louder_block_makes_the_result_louder_but_no_different)
{
    const double k = 8, a[] = {0.2, 0.5, 0.3};
    double before = 0, after = 0;
    states s;
    merged got, want;

    begin(_i / 8, &s);
    s.rule.aggregation = aggregations[_i % 4];
    s.rule.phase = phases[_i / 4 % 2];
    s.rule.scale = MML_LATENT_POOLED;
    for (size_t i = 0; i < 3; i++) {
        s.weights[i] = a[i];
        s.rms[i] = 0.5 + (double)i;
        before += a[i] * s.rms[i];
        after += a[i] * s.rms[i] * (i == 1 ? k : 1);
    }
    merge(&want, &s, 3);
    for (size_t i = 0; i < ALL; i++) {
        s.re[1][i] *= (float)k;
        s.im[1][i] *= (float)k;
        want.re[i] = (float)((double)want.re[i] * after / before);
        want.im[i] = (float)((double)want.im[i] * after / before);
    }
    s.rms[1] *= k;
    merge(&got, &s, 3);
    assert_close(&got, &want, MMLT_TOL_MATH);
    end();
}
END_TEST

/* Without scaling the same block drowns the others in the mean. */
START_TEST(equal_loudness_is_what_pooled_scaling_makes)
{
    states s;
    merged raw, scaled;

    begin(_i, &s);
    s.rule.aggregation = MML_MERGE_MEAN;
    for (size_t i = 0; i < ALL; i++) {
        s.re[1][i] = 100 * s.re[0][i];
        s.im[1][i] = 100 * s.im[0][i];
    }
    s.rms[1] = 100;
    merge(&raw, &s, 2);
    s.rule.scale = MML_LATENT_POOLED;
    merge(&scaled, &s, 2);
    for (size_t i = 0; i < ALL; i++) {
        raw.re[i] = 50.5f * s.re[0][i];
        raw.im[i] = 50.5f * s.im[0][i];
    }
    assert_close(&scaled, &raw, MMLT_TOL_ROUND); /* direction of the one block, mean loudness of both */
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/merge");
    TCase *tc = tcase_create("merge");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, harmonic_of_two_equal_weights_is_equation_4, 0, n);
    tcase_add_loop_test(tc, weighted_merges_are_their_formulas, 0, 8 * n);
    tcase_add_loop_test(tc, upstream_harmonic_is_2_a_b_times_equation_4, 0, n);
    tcase_add_loop_test(tc, harmonic_is_zero_where_any_block_is, 0, n);
    tcase_add_loop_test(tc, circular_mean_of_angles_keeps_negative_numbers_negative, 0, n);
    tcase_add_loop_test(tc, real_numbers_stay_real, 0, n);
    tcase_add_loop_test(tc, extreme_numbers_never_give_nan, 0, 8 * n);
    tcase_add_loop_test(tc, one_block_is_itself_to_the_bit_and_none_is_zero, 0, 8 * n);
    tcase_add_loop_test(tc, samples_do_not_know_of_each_other, 0, 8 * n);
    tcase_add_loop_test(tc, block_of_weight_zero_counts_as_absent, 0, 8 * n);
    tcase_add_loop_test(tc, sample_with_blocks_of_weight_zero_only_gets_them_equally, 0, 8 * n);
    tcase_add_loop_test(tc, only_ratios_of_weights_matter, 0, 8 * n);
    tcase_add_loop_test(tc, merge_of_a_block_with_itself_is_that_block, 0, 4 * n);
    tcase_add_loop_test(tc, order_of_the_blocks_does_not_matter, 0, 8 * n);
    tcase_add_loop_test(tc, louder_block_makes_the_result_louder_but_no_different, 0, 8 * n);
    tcase_add_loop_test(tc, equal_loudness_is_what_pooled_scaling_makes, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
