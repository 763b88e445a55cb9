/* test_merge_blocks.c - which blocks count for a sample, and that neither their order nor the other samples do
 * (method.md 3). */
#include <math.h>
#include <string.h>

#include "tests/lego/states.h"

/* ---- who counts --------------------------------------------------------------------------------------------- */

/* Presence by sample: all; 0 and 2; 1 only; none; 2 only. */
static void some_present(states *s)
{
    static const uint8_t present[BLOCKS * B] = {1, 1, 0, 0, 0, /* */ 1, 0, 1, 0, 0, /* */ 1, 1, 0, 0, 1};

    memcpy(s->present, present, sizeof present);
}

START_TEST(one_block_is_itself_to_the_bit_and_none_is_zero)
{
    static const mml_latent_scale scales[] = {MML_LATENT_RAW, MML_LATENT_POOLED};
    static const float zero[SIZE];
    states s;
    merged got;

    for (size_t k = 0; k < 2; k++) {
        states_begin_kind(_i, &s);
        some_present(&s);
        s.rule.scale = scales[k];
        s.rms[1] = 3;
        s.rms[2] = 0.2;
        s.weights[2] = 0.7;
        states_merge(&got, &s, 3, B);
        mmlt_assert_same_bits(got.re + 2 * SIZE, s.re[1] + 2 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.im + 2 * SIZE, s.im[1] + 2 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.re + 4 * SIZE, s.re[2] + 4 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.im + 4 * SIZE, s.im[2] + 4 * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(got.re + 3 * SIZE, zero, sizeof zero);
        mmlt_assert_same_bits(got.im + 3 * SIZE, zero, sizeof zero);
        states_end();
    }
}
END_TEST

START_TEST(samples_do_not_know_of_each_other)
{
    states s;
    merged all, alone;

    states_begin_kind(_i, &s);
    some_present(&s);
    s.weights[0] = 0.5;
    states_merge(&all, &s, 3, B);
    for (size_t b = 0; b < B; b++) {
        states one = s;
        for (size_t i = 0; i < 3; i++) {
            memcpy(one.re[i], s.re[i] + b * SIZE, SIZE * sizeof(float));
            memcpy(one.im[i], s.im[i] + b * SIZE, SIZE * sizeof(float));
            one.present[i] = s.present[i * B + b];
        }
        states_merge(&alone, &one, 3, 1);
        mmlt_assert_same_bits(alone.re, all.re + b * SIZE, SIZE * sizeof(float));
        mmlt_assert_same_bits(alone.im, all.im + b * SIZE, SIZE * sizeof(float));
    }
    states_end();
}
END_TEST

START_TEST(block_of_weight_zero_counts_as_absent)
{
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    s.weights[0] = 0.4;
    s.weights[1] = 0;
    for (size_t i = 0; i < ALL; i++)
        s.re[1][i] = i % 2 ? NAN : 0; /* not even looked at */
    states_merge(&got, &s, 3, B);
    s.weights[1] = 1;
    memset(s.present + B, 0, B);
    states_merge(&want, &s, 3, B);
    assert_merged_same(&got, &want);
    states_end();
}
END_TEST

START_TEST(sample_with_blocks_of_weight_zero_only_gets_them_equally)
{
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    memset(s.present + 2 * B, 0, B);
    s.weights[0] = s.weights[1] = 0;
    states_merge(&got, &s, 3, B);
    s.weights[0] = s.weights[1] = 1;
    states_merge(&want, &s, 3, B);
    assert_merged_same(&got, &want);
    states_end();
}
END_TEST

START_TEST(only_ratios_of_weights_matter)
{
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    some_present(&s);
    s.weights[0] = 0.25;
    states_merge(&want, &s, 3, B);
    for (size_t i = 0; i < 3; i++)
        s.weights[i] *= 16;
    states_merge(&got, &s, 3, B);
    assert_merged_same(&got, &want);
    states_end();
}
END_TEST

/* ---- the same, in another order, louder ------------------------------------------------------------------------ */

START_TEST(merge_of_a_block_with_itself_is_that_block)
{
    static const mml_aggregation how[] = {MML_MERGE_HARMONIC, MML_MERGE_MEAN};
    states s;
    merged got, want;

    states_begin(_i / 4, &s);
    for (size_t i = 1; i < 3; i++) {
        memcpy(s.re[i], s.re[0], sizeof s.re[0]);
        memcpy(s.im[i], s.im[0], sizeof s.im[0]);
    }
    memcpy(want.re, s.re[0], sizeof want.re);
    memcpy(want.im, s.im[0], sizeof want.im);
    s.rule.aggregation = how[_i % 2];
    s.rule.phase = _i / 2 % 2 ? MML_PHASE_ARITHMETIC : MML_PHASE_CIRCULAR;
    for (int scaled = 0; scaled < 2; scaled++) {
        s.rule.scale = scaled ? MML_LATENT_POOLED : MML_LATENT_RAW;
        s.rms[0] = s.rms[1] = s.rms[2] = 0.3;
        for (size_t m = 1; m <= 3; m++) {
            s.weights[1] = 1 + (double)m;
            states_merge(&got, &s, m, B);
            assert_merged_close(&got, &want, MMLT_TOL_MATH);
        }
    }
    states_end();
}
END_TEST

START_TEST(order_of_the_blocks_does_not_matter)
{
    static const size_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    states s;
    merged got, want;

    states_begin_kind(_i, &s);
    some_present(&s);
    s.rule.scale = MML_LATENT_POOLED;
    for (size_t i = 0; i < 3; i++) {
        s.weights[i] = 1 + (double)i;
        s.rms[i] = 0.5 + (double)i;
    }
    states_merge(&want, &s, 3, B);
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
        states_merge(&got, &t, 3, B);
        assert_merged_close(&got, &want, MMLT_TOL_SUM); /* where directions nearly cancel, rounding shows */
    }
    states_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/merge_blocks");
    TCase *tc = tcase_create("blocks of a merge");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, one_block_is_itself_to_the_bit_and_none_is_zero, 0, KINDS * n);
    tcase_add_loop_test(tc, samples_do_not_know_of_each_other, 0, KINDS * n);
    tcase_add_loop_test(tc, block_of_weight_zero_counts_as_absent, 0, KINDS * n);
    tcase_add_loop_test(tc, sample_with_blocks_of_weight_zero_only_gets_them_equally, 0, KINDS * n);
    tcase_add_loop_test(tc, only_ratios_of_weights_matter, 0, KINDS * n);
    tcase_add_loop_test(tc, merge_of_a_block_with_itself_is_that_block, 0, 4 * n);
    tcase_add_loop_test(tc, order_of_the_blocks_does_not_matter, 0, KINDS * n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
