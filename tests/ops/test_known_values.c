/* test_known_values.c - losses, reductions and the optimiser against numbers worked out by hand. _i
 * runs over the backends. */
#include <math.h>

#include "tests/ops/bench.h"

static void zero_loss(mmli_mem **loss)
{
    const double zero = 0;

    *loss = bytes(&zero, sizeof zero);
}

START_TEST(cross_entropy_of_equal_logits_is_the_logarithm_of_their_number)
{
    const float x[] = {3, 3, 3, 3, 0, logf(3), -50, -50}, w[] = {1, 2};
    const int32_t label[] = {2, 1};
    /* row 0: log 4. Row 1: probabilities 1/4, 3/4: 2 (-log 3/4) */
    const double want = log(4.0) + 2 * log(4.0 / 3);
    const float grad[] = {0.25f, 0.25f, -0.75f, 0.25f, 0.5f, -0.5f, 0, 0};
    float got[8];
    double value;
    mmli_mem *loss, *dx;

    begin(_i);
    zero_loss(&loss);
    dx = GIVE(got);
    RUN(loss_cross_entropy, loss, dx, GIVE(x), GIVE(label), GIVE(w), 2, 4);
    mmlt_download(&value, dv, loss, sizeof value);
    TAKE(got, dx);
    ck_assert_double_eq_tol(value, want, 2e-6);
    mmlt_assert_close(got, grad, 8, MMLT_TOL_MATH);
    end();
}
END_TEST

/* All hazards 1/2, so S = 1/2, 1/4, 1/8, 1/16. Event in bin 1: -(log S_0 + log h_1) = 2 log 2.
 * Censored in bin 2: (1 - 0.4) 3 log 2. Event in bin 0: log 2. */
START_TEST(survival_loss_of_even_hazards_counts_halvings)
{
    const float x[12] = {0}, event[] = {1, 0, 1}, w[] = {1, 1, 1};
    const int32_t bin[] = {1, 2, 0};
    const float grad[] = {0.5f, -0.5f, 0, 0, 0.3f, 0.3f, 0.3f, 0, -0.5f, 0, 0, 0};
    float got[12];
    double value;
    mmli_mem *loss, *dx;

    begin(_i);
    zero_loss(&loss);
    dx = GIVE(got);
    RUN(loss_survival_nll, loss, dx, GIVE(x), GIVE(bin), GIVE(event), GIVE(w), 3, 4, 0.4f);
    mmlt_download(&value, dv, loss, sizeof value);
    TAKE(got, dx);
    ck_assert_double_eq_tol(value, (2 + 0.6 * 3 + 1) * log(2.0), 2e-6);
    mmlt_assert_close(got, grad, 12, MMLT_TOL_MATH);
    end();
}
END_TEST

START_TEST(survival_loss_of_impossible_events_is_clamped)
{
    const float x[] = {-200, 200}, event[] = {1, 1}, w[] = {1, 1};
    const int32_t bin[] = {0, 0};
    float got[2];
    double value;
    mmli_mem *loss, *dx;

    begin(_i);
    zero_loss(&loss);
    dx = GIVE(got);
    RUN(loss_survival_nll, loss, dx, GIVE(x), GIVE(bin), GIVE(event), GIVE(w), 2, 1, 0.4f);
    mmlt_download(&value, dv, loss, sizeof value);
    TAKE(got, dx);
    ck_assert_double_eq_tol(value, 7 * log(10.0), 2e-5);
    ck_assert_float_eq(got[0], 0); /* below the clamp there is no slope */
    ck_assert_float_eq(got[1], 0);
    end();
}
END_TEST

/* Times 3, 2, 2, 1, events at 2 (twice) and 1, all risks 0: log 3 + log 3 + log 4. */
START_TEST(cox_loss_of_equal_risks_counts_the_risk_sets)
{
    const float risk[4] = {0}, event[] = {0, 1, 1, 1}, w[] = {1, 1, 1, 1};
    const int32_t order[] = {0, 1, 2, 3}, tie[] = {0, 2, 2, 3};
    double value;
    float got[4], want[] = {2 / 3.0f + 0.25f, 2 / 3.0f + 0.25f - 1, 2 / 3.0f + 0.25f - 1, 0.25f - 1};
    mmli_mem *loss, *dx;

    begin(_i);
    zero_loss(&loss);
    dx = GIVE(got);
    RUN(loss_cox, loss, dx, GIVE(risk), GIVE(order), GIVE(tie), GIVE(event), GIVE(w), 4);
    mmlt_download(&value, dv, loss, sizeof value);
    TAKE(got, dx);
    ck_assert_double_eq_tol(value, 2 * log(3.0) + log(4.0), 2e-6);
    mmlt_assert_close(got, want, 4, MMLT_TOL_MATH);
    end();
}
END_TEST

START_TEST(squared_loss_is_the_weighted_square_of_the_difference)
{
    const float y[] = {3, NAN, 1}, target[] = {1, 5, 2}, w[] = {2, 0, 1};
    double value;
    float got[3];
    mmli_mem *loss, *dy;

    begin(_i);
    zero_loss(&loss);
    dy = GIVE(got);
    RUN(loss_squared, loss, dy, GIVE(y), GIVE(target), GIVE(w), 3);
    mmlt_download(&value, dv, loss, sizeof value);
    TAKE(got, dy);
    ck_assert_double_eq(value, 9);
    mmlt_assert_close(got, ((const float[]){8, 0, -2}), 3, MMLT_TOL_EXACT);
    end();
}
END_TEST

/* g = 1, eps = 1: half of the learning rate. */
START_TEST(epsilon_of_adamw_is_added_to_the_root)
{
    const float p[] = {2}, g[] = {1}, zero[] = {0}; /* zero: no decay either */
    float got[1];
    mmli_mem *mp;

    begin(_i);
    mp = GIVE(p);
    RUN(adamw, mp, GIVE(zero), GIVE(zero), GIVE(g), NULL, GIVE(zero), 1, 0.5f, 0.5f, 0.75f, 1.0f, 0.5f, 0.25f);
    TAKE(got, mp);
    ck_assert_float_eq_tol(got[0], 1.75f, 1e-6f);
    end();
}
END_TEST

/* m / c1 = g and v / c2 = g^2 after one step from 0, so p moves by lr against the sign of g; decay
 * takes lr wd p before. */
START_TEST(first_step_of_adamw_is_the_learning_rate)
{
    const float p[] = {1, -2, 3}, g[] = {0.5f, -1e-3f, 0},
        want[] = {1 - 0.01f - 0.001f, -2 + 0.01f + 0.002f, 3 - 0.003f};
    const float zero[3] = {0}, decay[] = {0.1f}, g2[] = {1, -2e-3f, 0}, half[] = {0.5f};
    float got[3];
    mmli_mem *mp, *mm, *mv;

    begin(_i);
    mp = GIVE(p), mm = GIVE(zero), mv = GIVE(zero);
    RUN(adamw, mp, mm, mv, GIVE(g), NULL, GIVE(decay), 3, 0.01f, 0.9f, 0.999f, 1e-12f, 1 - 0.9f, 1 - 0.999f);
    TAKE(got, mp);
    mmlt_assert_close(got, want, 3, ((mmlt_tol){2e-6, 0}));

    /* Then g twice as large and scaled by a half: m = (0.9 0.1 + 0.1) g, v = (0.999 0.001 + 0.001) g^2
     * (1 - 0.999f is 1.3e-5 away from 0.001). */
    RUN(adamw, mp, mm, mv, GIVE(g2), GIVE(half), GIVE(zero), 3, 0.01f, 0.9f, 0.999f, 1e-12f, 1.0f, 1.0f);
    TAKE(got, mm);
    mmlt_assert_close(got, ((const float[]){0.095f, -0.19e-3f, 0}), 3, ((mmlt_tol){2e-6, 0}));
    TAKE(got, mv);
    mmlt_assert_close(got, ((const float[]){0.49975e-3f, 1.999e-9f, 0}), 3, ((mmlt_tol){2e-5, 0}));
    end();
}
END_TEST

/* 3-4-5: norm 5, limit 2.5 -> 0.5; a norm below the limit is left alone, and no limit is none. */
START_TEST(clipping_scales_to_the_limit_and_never_up)
{
    static const float limits[] = {2.5f, 100, 0}, want[] = {0.5f, 1, 1};
    const float g[] = {3, -4};
    const double two = 2;
    double sums[MMLI_TALLY] = {10, 20};
    float scale;
    mmli_mem *sumsq, *out, *loss, *tally;

    begin(_i);
    zero_loss(&sumsq);
    out = bytes(g, sizeof scale);
    loss = bytes(&two, sizeof two);
    tally = bytes(sums, sizeof sums);
    RUN(sum_squares, sumsq, GIVE(g), 2);
    for (size_t i = 0; i < COUNT(limits); i++) {
        RUN(tally, tally, out, loss, sumsq, 0.25, limits[i], i + 1);
        mmlt_download(&scale, dv, out, sizeof scale);
        ck_assert_float_eq_tol(scale, want[i], 1e-6f);
    }
    mmlt_download(sums, dv, tally, sizeof sums);
    ck_assert_double_eq(sums[MMLI_TALLY_LOSS], 10 + 3 * 0.5);
    ck_assert_double_eq(sums[MMLI_TALLY_NORM], 20 + 3 * 5);
    ck_assert_double_eq(sums[MMLI_TALLY_FAILED], 0);
    end();
}
END_TEST

/* Step 7 has an infinite gradient: neither it nor the sound step 8 moves anything, and 7 is what is told. */
START_TEST(a_step_that_is_not_finite_is_called_off_with_all_that_follow)
{
    const double one = 1, squares[] = {INFINITY, 4};
    const float p[] = {1, -2, 3}, m[] = {0.5f, 0, -0.5f}, v[] = {1, 2, 3}, g[] = {1, 1, 1}, decay[] = {0.1f};
    double sums[MMLI_TALLY] = {10, 20};
    float got[3], scale = 0;
    mmli_mem *mp, *mm, *mv, *out, *loss, *tally;

    begin(_i);
    mp = GIVE(p), mm = GIVE(m), mv = GIVE(v);
    out = bytes(&scale, sizeof scale);
    loss = bytes(&one, sizeof one);
    tally = bytes(sums, sizeof sums);
    for (size_t i = 0; i < COUNT(squares); i++) {
        RUN(tally, tally, out, loss, bytes(&squares[i], sizeof *squares), 1.0, 2.5f, i + 7);
        RUN(adamw, mp, mm, mv, GIVE(g), out, GIVE(decay), 3, 0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.001f);
    }
    TAKE(got, mp);
    mmlt_assert_close(got, p, 3, MMLT_TOL_EXACT);
    TAKE(got, mm);
    mmlt_assert_close(got, m, 3, MMLT_TOL_EXACT);
    TAKE(got, mv);
    mmlt_assert_close(got, v, 3, MMLT_TOL_EXACT);
    mmlt_download(sums, dv, tally, sizeof sums);
    ck_assert(sums[MMLI_TALLY_LOSS] == 10 && sums[MMLI_TALLY_NORM] == 20 && sums[MMLI_TALLY_FAILED] == 7);
    ck_assert(sums[MMLI_TALLY_BAD_LOSS] == 1 && isinf(sums[MMLI_TALLY_BAD_SUMSQ]));
    end();
}
END_TEST

/* In float32 the ones would be lost beside 2^24; sums are float64. */
START_TEST(sum_does_not_lose_small_terms_beside_a_large_one)
{
    enum { ONES = 1000 };
    float x[ONES + 1] = {0x1p24f};
    double value = 0;
    mmli_mem *sum;

    begin(_i);
    for (int i = 1; i <= ONES; i++)
        x[i] = 1;
    zero_loss(&sum);
    RUN(sum, sum, GIVE(x), COUNT(x));
    mmlt_download(&value, dv, sum, sizeof value);
    ck_assert_double_eq(value, 0x1p24 + ONES);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("known values of kernels");
    TCase *tc = tcase_create("on every backend");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, cross_entropy_of_equal_logits_is_the_logarithm_of_their_number, 0, n);
    tcase_add_loop_test(tc, survival_loss_of_even_hazards_counts_halvings, 0, n);
    tcase_add_loop_test(tc, survival_loss_of_impossible_events_is_clamped, 0, n);
    tcase_add_loop_test(tc, cox_loss_of_equal_risks_counts_the_risk_sets, 0, n);
    tcase_add_loop_test(tc, first_step_of_adamw_is_the_learning_rate, 0, n);
    tcase_add_loop_test(tc, squared_loss_is_the_weighted_square_of_the_difference, 0, n);
    tcase_add_loop_test(tc, epsilon_of_adamw_is_added_to_the_root, 0, n);
    tcase_add_loop_test(tc, clipping_scales_to_the_limit_and_never_up, 0, n);
    tcase_add_loop_test(tc, a_step_that_is_not_finite_is_called_off_with_all_that_follow, 0, n);
    tcase_add_loop_test(tc, sum_does_not_lose_small_terms_beside_a_large_one, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
