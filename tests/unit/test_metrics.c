/* Metrics of classes and values: against their definitions, by hand, and at the edges. */
#include <math.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"

enum { N = 300, K = 4 };

static int32_t label[N];
static double score[N], row[N * K];

/* Random labels and scores with ties: `cells` distinct scores. */
static void make_binary(uint64_t key, size_t n, uint64_t cells)
{
    for (size_t i = 0; i < n; i++) {
        label[i] = (int32_t)mmli_rng_below(key, 2 * i, 2);
        score[i] = (double)mmli_rng_below(key, 2 * i + 1, cells) / (double)cells + 0.05 * label[i];
    }
    label[0] = 0;
    label[1] = 1;
}

static double auc_by_pairs(size_t n, int32_t positive, const double *s, size_t stride)
{
    double won = 0, pairs = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (label[i] != positive || label[j] == positive)
                continue;
            pairs++;
            won += s[i * stride] > s[j * stride] ? 1 : s[i * stride] == s[j * stride] ? 0.5 : 0;
        }
    return won / pairs;
}

START_TEST(auc_is_the_share_of_pairs_won)
{
    double auc = 0;

    for (uint64_t t = 0; t < 60; t++) {
        make_binary(t, 2 + 7 * t % N, t % 4 == 0 ? 3 : 1000);
        mmlt_assert_ok(mml_metric_auc(&auc, label, score, 2 + 7 * t % N));
        ck_assert_double_eq_tol(auc, auc_by_pairs(2 + 7 * t % N, 1, score, 1), 1e-15);
    }
}
END_TEST

START_TEST(auc_of_a_perfect_a_reversed_and_a_constant_score)
{
    const int32_t y[] = {0, 1, 0, 1, 1};
    const double good[] = {-5, 1, -1e9, 2, 0}, bad[] = {5, -1, 1e9, -2, 0}, constant[] = {3, 3, 3, 3, 3};
    double auc = 0;

    mmlt_assert_ok(mml_metric_auc(&auc, y, good, 5));
    ck_assert_double_eq(auc, 1);
    mmlt_assert_ok(mml_metric_auc(&auc, y, bad, 5));
    ck_assert_double_eq(auc, 0);
    mmlt_assert_ok(mml_metric_auc(&auc, y, constant, 5));
    ck_assert_double_eq(auc, 0.5);
}
END_TEST

START_TEST(auc_depends_on_the_order_of_scores_only)
{
    double a = 0, b = 0;

    make_binary(5, N, 20);
    for (size_t i = 0; i < N; i++)
        score[i] = floor(20 * score[i]); /* so far apart that exp() keeps them apart */
    mmlt_assert_ok(mml_metric_auc(&a, label, score, N));
    for (size_t i = 0; i < N; i++)
        score[i] = exp(-3 + score[i]);
    mmlt_assert_ok(mml_metric_auc(&b, label, score, N));
    ck_assert_double_eq(a, b);
}
END_TEST

START_TEST(average_precision_by_hand)
{
    /* thresholds 0.9: 1 of 1; 0.6 (tie): 2 of 3; 0.2: 3 of 5 (0.4 adds a negative) */
    const int32_t y[] = {1, 1, 0, 0, 1};
    const double s[] = {0.9, 0.6, 0.6, 0.4, 0.2}, constant[] = {1, 1, 1, 1, 1};
    double ap = 0;

    mmlt_assert_ok(mml_metric_average_precision(&ap, y, s, 5));
    ck_assert_double_eq_tol(ap, (1.0 + 2.0 / 3 + 3.0 / 5) / 3, 1e-15);
    mmlt_assert_ok(mml_metric_average_precision(&ap, y, constant, 5));
    ck_assert_double_eq_tol(ap, 0.6, 1e-15);
}
END_TEST

START_TEST(losses_of_probabilities_by_hand)
{
    const int32_t y[] = {1, 0, 1};
    const double p[] = {0.8, 0.4, 0.5}, sure[] = {1, 0, 1}, wrong[] = {0, 1, 0};
    double x = 0;

    mmlt_assert_ok(mml_metric_brier(&x, y, p, 3));
    ck_assert_double_eq_tol(x, (0.04 + 0.16 + 0.25) / 3, 1e-15);
    mmlt_assert_ok(mml_metric_log_loss(&x, y, p, 3));
    ck_assert_double_eq_tol(x, -(log(0.8) + log(0.6) + log(0.5)) / 3, 1e-15);
    mmlt_assert_ok(mml_metric_log_loss(&x, y, sure, 3));
    ck_assert_double_eq_tol(x, 1e-7, 1e-13);
    mmlt_assert_ok(mml_metric_log_loss(&x, y, wrong, 3)); /* clipped, not infinite */
    ck_assert_double_eq_tol(x, -log(1e-7), 1e-8);
    mmlt_assert_ok(mml_metric_brier(&x, y, wrong, 3));
    ck_assert_double_eq(x, 1);
    mmlt_assert_ok(mml_metric_brier(&x, y, p, 1)); /* one class: the loss is defined */
    ck_assert_double_eq_tol(x, 0.04, 1e-15);
}
END_TEST

START_TEST(f1_predicts_from_the_threshold_on)
{
    const int32_t y[] = {1, 1, 0, 0, 1};
    const double p[] = {0.5, 0.49, 0.5, 0.1, 0.9};
    double f1 = 0;

    mmlt_assert_ok(mml_metric_f1(&f1, y, p, 5, 0.5)); /* TP 2, FP 1, FN 1 */
    ck_assert_double_eq_tol(f1, 4.0 / 6, 1e-15);
    mmlt_assert_ok(mml_metric_f1(&f1, y, p, 5, 1));
    ck_assert_double_eq(f1, 0);
}
END_TEST

START_TEST(classes_are_counted_in_the_confusion_matrix)
{
    const int32_t y[] = {0, 0, 1, 1, 2, 2, 2}, p[] = {0, 1, 1, 1, 2, 0, 2};
    const uint64_t want[9] = {1, 1, 0, 0, 2, 0, 1, 0, 2};
    uint64_t count[9];
    double x = 0;

    mmlt_assert_ok(mml_metric_confusion(count, y, p, 7, 3));
    ck_assert_mem_eq(count, want, sizeof want);
    mmlt_assert_ok(mml_metric_accuracy(&x, y, p, 7, 3));
    ck_assert_double_eq_tol(x, 5.0 / 7, 1e-15);
    mmlt_assert_ok(mml_metric_macro_f1(&x, y, p, 7, 3)); /* 2/4, 4/5, 4/5 */
    ck_assert_double_eq_tol(x, (0.5 + 0.8 + 0.8) / 3, 1e-15);
    mmlt_assert_ok(mml_metric_macro_f1(&x, y, p, 7, 6)); /* classes that nobody has or gets do not count */
    ck_assert_double_eq_tol(x, (0.5 + 0.8 + 0.8) / 3, 1e-15);
}
END_TEST

START_TEST(argmax_takes_the_first_of_equals)
{
    const double p[] = {0.2, 0.5, 0.3, 0.4, 0.2, 0.4, -3, -2, -1};
    int32_t c[3];

    mmlt_assert_ok(mml_metric_argmax(c, p, 3, 3));
    ck_assert_int_eq(c[0], 1);
    ck_assert_int_eq(c[1], 0);
    ck_assert_int_eq(c[2], 2);
}
END_TEST

START_TEST(macro_auc_is_the_mean_over_the_classes_there_are)
{
    double auc = 0, want = 0;
    size_t used = 0;

    for (size_t i = 0; i < N; i++)
        label[i] = (int32_t)(i % 3); /* class 3 has no sample */
    for (size_t i = 0; i < N * K; i++)
        row[i] = (double)mmli_rng_below(8, i, 50) / 50;
    for (int32_t c = 0; c < 3; c++)
        want += auc_by_pairs(N, c, row + c, K) / 3;
    mmlt_assert_ok(mml_metric_macro_auc(&auc, &used, label, row, N, K));
    ck_assert_double_eq_tol(auc, want, 1e-14);
    ck_assert_uint_eq(used, 3);
    mmlt_assert_ok(mml_metric_macro_auc(&auc, NULL, label, row, N, K));
}
END_TEST

START_TEST(regression_by_hand)
{
    const double y[] = {1, 2, 3, 6}, p[] = {1, 2, 4, 5}, mean[] = {3, 3, 3, 3};
    double x = 0;

    mmlt_assert_ok(mml_metric_r2(&x, y, p, 4));
    ck_assert_double_eq_tol(x, 1 - 2.0 / 14, 1e-15);
    mmlt_assert_ok(mml_metric_rmse(&x, y, p, 4));
    ck_assert_double_eq_tol(x, sqrt(0.5), 1e-15);
    mmlt_assert_ok(mml_metric_r2(&x, y, mean, 4));
    ck_assert_double_eq_tol(x, 0, 1e-15);
    mmlt_assert_ok(mml_metric_r2(&x, y, y, 4));
    ck_assert_double_eq(x, 1);
    mmlt_assert_ok(mml_metric_rmse(&x, mean, mean, 4));
    ck_assert_double_eq(x, 0);
}
END_TEST

START_TEST(equal_targets_have_no_r2_whatever_their_rounding)
{
    double y[7], p[7], x = 9;

    for (size_t i = 0; i < 7; i++) {
        y[i] = 0.1; /* their float64 mean is not 0.1 */
        p[i] = (double)i;
    }
    mmlt_assert_fails(mml_metric_r2(&x, y, p, 7), MML_E_DATA, "all 7 targets are equal");
    y[0] = 1e200;
    mmlt_assert_fails(mml_metric_r2(&x, y, p, 7), MML_E_DATA, "range");
    mmlt_assert_fails(mml_metric_rmse(&x, y, p, 7), MML_E_DATA, "range");
    ck_assert_double_eq(x, 9);
}
END_TEST

START_TEST(probit_has_the_published_values_and_inverts_the_normal_distribution)
{
    static const double known[][2] = {/* to 40 digits with mpmath */
                                      {0.5, 0},
                                      {0.975, 1.959963984540054},
                                      {0.025, -1.959963984540054},
                                      {0.9, 1.2815515655446004},
                                      {0.76, 0.7063025628400875},
                                      {1e-10, -6.361340902404056},
                                      {1e-100, -21.27345356096532},
                                      {1e-300, -37.04709629936120}};
    double z = 0;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        mmlt_assert_ok(mml_metric_probit(&z, known[i][0]));
        ck_assert_double_eq_tol(z, known[i][1], 1e-15 * fmax(1, fabs(known[i][1])));
    }
    for (double p = 1e-12; p < 1; p += 0.00037) {
        mmlt_assert_ok(mml_metric_probit(&z, p));
        ck_assert_double_eq_tol(0.5 * erfc(-z / sqrt(2)), p, 4e-15 * fmax(p, 1e-3));
    }
    mmlt_assert_ok(mml_metric_probit(&z, 4.9406564584124654e-324));
    ck_assert(isfinite(z) && z < -37);
    mmlt_assert_ok(mml_metric_probit(&z, nextafter(1, 0)));
    ck_assert(isfinite(z) && z > 8);
    mmlt_assert_fails(mml_metric_probit(&z, 0), MML_E_ARG, "between 0 and 1");
    mmlt_assert_fails(mml_metric_probit(&z, 1), MML_E_ARG, "between 0 and 1");
    mmlt_assert_fails(mml_metric_probit(&z, NAN), MML_E_ARG, "between 0 and 1");
    mmlt_assert_fails(mml_metric_probit(NULL, 0.5), MML_E_ARG, "");
}
END_TEST

START_TEST(dprime_is_finite_for_a_perfect_auc)
{
    double d = 0, e = 0;

    mmlt_assert_ok(mml_metric_dprime(&d, 0.76, 1000));
    ck_assert_double_eq_tol(d, sqrt(2) * 0.7063025628400875, 1e-14);
    mmlt_assert_ok(mml_metric_dprime(&d, 0.5, 10));
    ck_assert_double_eq(d, 0);
    mmlt_assert_ok(mml_metric_dprime(&d, 1, 100));
    mmlt_assert_ok(mml_metric_dprime(&e, 0.995, 1000000));
    ck_assert_double_eq_tol(d, e, 1e-12);
    mmlt_assert_ok(mml_metric_dprime(&e, 0, 100));
    ck_assert_double_eq_tol(d, -e, 1e-12);
    mmlt_assert_ok(mml_metric_dprime(&d, 1, 1));
    ck_assert_double_eq(d, 0);
    mmlt_assert_ok(mml_metric_dprime(&d, 1, UINT64_MAX));
    ck_assert(isfinite(d));
    mmlt_assert_fails(mml_metric_dprime(&d, 1.1, 5), MML_E_ARG, "1.1");
    mmlt_assert_fails(mml_metric_dprime(&d, NAN, 5), MML_E_ARG, "");
    mmlt_assert_fails(mml_metric_dprime(&d, 0.7, 0), MML_E_ARG, "pair");
    mmlt_assert_fails(mml_metric_dprime(NULL, 0.7, 5), MML_E_ARG, "");
}
END_TEST

START_TEST(unusable_input_is_named_and_nothing_is_written)
{
    const int32_t y[] = {0, 1, 1}, ones[] = {1, 1, 1}, zeros[] = {0, 0, 0}, odd[] = {0, 1, 2}, minus[] = {0, -1, 1};
    const double s[] = {1, 2, 3}, nan3[] = {1, 2, NAN}, inf3[] = {1, HUGE_VAL, 2}, p[] = {0.1, 0.9, 1.5}, q[] = {0.1, 0.2, 0.3};
    double x = 7;
    int32_t c[3];
    uint64_t count[4];

    mmlt_assert_fails(mml_metric_auc(&x, y, s, 0), MML_E_DATA, "no samples");
    mmlt_assert_fails(mml_metric_auc(&x, y, s, (size_t)INT32_MAX + 1), MML_E_ARG, "2147483648 samples");
    mmlt_assert_fails(mml_metric_auc(&x, NULL, s, 3), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_metric_auc(NULL, y, s, 3), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_metric_auc(&x, ones, s, 3), MML_E_DATA, "all 3 labels are 1");
    mmlt_assert_fails(mml_metric_auc(&x, zeros, s, 3), MML_E_DATA, "all 3 labels are 0");
    mmlt_assert_fails(mml_metric_auc(&x, odd, s, 3), MML_E_DATA, "label[2] is 2, expected a class from 0 to 1");
    mmlt_assert_fails(mml_metric_auc(&x, minus, s, 3), MML_E_DATA, "label[1] is -1");
    mmlt_assert_fails(mml_metric_auc(&x, y, nan3, 3), MML_E_NOT_FINITE, "score[2] is NaN");
    mmlt_assert_fails(mml_metric_auc(&x, y, inf3, 3), MML_E_NOT_FINITE, "score[1] is infinite");
    mmlt_assert_fails(mml_metric_average_precision(&x, zeros, s, 3), MML_E_DATA, "class 1");
    mmlt_assert_fails(mml_metric_average_precision(&x, y, nan3, 3), MML_E_NOT_FINITE, "NaN");
    mmlt_assert_fails(mml_metric_brier(&x, y, p, 3), MML_E_DATA, "probability[2] is 1.5");
    mmlt_assert_fails(mml_metric_brier(&x, odd, q, 3), MML_E_DATA, "label[2]");
    mmlt_assert_fails(mml_metric_log_loss(&x, y, nan3, 3), MML_E_NOT_FINITE, "NaN");
    mmlt_assert_fails(mml_metric_log_loss(&x, y, s, 3), MML_E_DATA, "not logits");
    mmlt_assert_fails(mml_metric_f1(&x, zeros, q, 3, 0.5), MML_E_DATA, "not defined");
    mmlt_assert_fails(mml_metric_f1(&x, y, q, 3, NAN), MML_E_ARG, "threshold");
    mmlt_assert_fails(mml_metric_argmax(c, s, 3, 1), MML_E_ARG, "2 classes");
    mmlt_assert_fails(mml_metric_argmax(c, nan3, 1, 3), MML_E_NOT_FINITE, "");
    mmlt_assert_fails(mml_metric_argmax(NULL, s, 1, 3), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_metric_accuracy(&x, y, odd, 3, 2), MML_E_DATA, "predicted[2] is 2");
    mmlt_assert_fails(mml_metric_accuracy(&x, y, y, 3, 1), MML_E_ARG, "2 classes");
    mmlt_assert_fails(mml_metric_confusion(count, odd, y, 3, 2), MML_E_DATA, "label[2]");
    mmlt_assert_fails(mml_metric_macro_f1(&x, odd, y, 3, 2), MML_E_DATA, "label[2]");
    mmlt_assert_fails(mml_metric_macro_auc(&x, NULL, ones, row, 3, K), MML_E_DATA, "at least two classes");
    mmlt_assert_fails(mml_metric_macro_auc(&x, NULL, y, row, 3, 1), MML_E_ARG, "2 classes");
    mmlt_assert_fails(mml_metric_r2(&x, nan3, s, 3), MML_E_DATA, "truth[2] is NaN");
    mmlt_assert_fails(mml_metric_r2(&x, s, inf3, 3), MML_E_NOT_FINITE, "predicted[1] is infinite");
    mmlt_assert_fails(mml_metric_rmse(&x, s, s, 0), MML_E_DATA, "no samples");
    ck_assert_double_eq(x, 7);
}
END_TEST

START_TEST(without_memory_every_metric_fails_cleanly)
{
    double x = 0;
    uint64_t failures = 0;

    make_binary(6, N, 20);
    for (int32_t which = 0; which < 4; which++)
        for (uint64_t k = 1;; k++) {
            mml_status st;

            mmli_alloc_fail_at(k);
            st = which == 0   ? mml_metric_auc(&x, label, score, N)
                 : which == 1 ? mml_metric_average_precision(&x, label, score, N)
                 : which == 2 ? mml_metric_macro_auc(&x, NULL, label, row, N, K)
                              : mml_metric_macro_f1(&x, label, label, N, 2);
            mmli_alloc_fail_at(0);
            if (st == MML_OK)
                break;
            ck_assert_int_eq(st, MML_E_NOMEM);
            failures++;
        }
    ck_assert_uint_ge(failures, 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tc = tcase_create("metrics");

    tcase_add_test(tc, auc_is_the_share_of_pairs_won);
    tcase_add_test(tc, auc_of_a_perfect_a_reversed_and_a_constant_score);
    tcase_add_test(tc, auc_depends_on_the_order_of_scores_only);
    tcase_add_test(tc, average_precision_by_hand);
    tcase_add_test(tc, losses_of_probabilities_by_hand);
    tcase_add_test(tc, f1_predicts_from_the_threshold_on);
    tcase_add_test(tc, classes_are_counted_in_the_confusion_matrix);
    tcase_add_test(tc, argmax_takes_the_first_of_equals);
    tcase_add_test(tc, macro_auc_is_the_mean_over_the_classes_there_are);
    tcase_add_test(tc, regression_by_hand);
    tcase_add_test(tc, equal_targets_have_no_r2_whatever_their_rounding);
    tcase_add_test(tc, probit_has_the_published_values_and_inverts_the_normal_distribution);
    tcase_add_test(tc, dprime_is_finite_for_a_perfect_auc);
    tcase_add_test(tc, unusable_input_is_named_and_nothing_is_written);
    tcase_add_test(tc, without_memory_every_metric_fails_cleanly);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
