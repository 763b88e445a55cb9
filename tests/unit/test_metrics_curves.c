/* ROC curve, reliability diagram, and what pictures of several folds need. */
#include <math.h>

#include "metrics/curves.h"
#include "mmlego/metrics.h"
#include "tests/support/mmlt.h"
#include "util/rng.h"

enum { N = 200 };

/* Scores with ties, that say something about the labels. */
static void made(int32_t label[N], double score[N], uint64_t key)
{
    for (size_t i = 0; i < N; i++) {
        label[i] = mmli_rng_uniform(key, 2 * i) < 0.3f;
        score[i] = round(10.0 * (0.4 * label[i] + 0.6 * (double)mmli_rng_uniform(key, 2 * i + 1))) / 10.0;
    }
}

START_TEST(the_area_under_the_roc_curve_is_the_auc)
{
    int32_t label[N];
    double score[N], fpr[N + 1], tpr[N + 1], auc, area = 0;
    size_t m;

    made(label, score, 77);
    mmlt_assert_ok(mml_metric_roc(&m, fpr, tpr, label, score, N));
    mmlt_assert_ok(mml_metric_auc(&auc, label, score, N));
    ck_assert_uint_eq(m, 12); /* the origin and 11 different scores */
    ck_assert(fpr[0] == 0 && tpr[0] == 0 && fpr[m - 1] == 1 && tpr[m - 1] == 1);
    for (size_t i = 1; i < m; i++) {
        ck_assert(fpr[i] >= fpr[i - 1] && tpr[i] >= tpr[i - 1]);
        area += (fpr[i] - fpr[i - 1]) * (tpr[i] + tpr[i - 1]) / 2;
    }
    mmlt_assert_close_d(&area, &auc, 1, MMLT_TOL_F64);
}
END_TEST

START_TEST(a_roc_curve_by_hand)
{
    const int32_t label[] = {1, 0, 1, 0, 1};
    const double score[] = {0.9, 0.8, 0.8, 0.3, 0.1}, want_f[] = {0, 0, 0.5, 1, 1}, want_t[] = {0, 1.0 / 3, 2.0 / 3, 2.0 / 3, 1};
    double fpr[6], tpr[6], height;
    size_t m;

    mmlt_assert_ok(mml_metric_roc(&m, fpr, tpr, label, score, 5));
    ck_assert_uint_eq(m, 5);
    mmlt_assert_close_d(fpr, want_f, 5, MMLT_TOL_F64);
    mmlt_assert_close_d(tpr, want_t, 5, MMLT_TOL_F64);
    ck_assert_double_eq(mmli_roc_height(fpr, tpr, m, 0), tpr[1]); /* the top of a vertical rise */
    ck_assert_double_eq(mmli_roc_height(fpr, tpr, m, 1), 1);
    height = mmli_roc_height(fpr, tpr, m, 0.25);
    ck_assert_double_eq_tol(height, 0.5, 1e-15);
}
END_TEST

START_TEST(bins_of_a_reliability_diagram_are_equal_in_number_and_keep_ties_together)
{
    int32_t label[N];
    double score[N], predicted[10], observed[10], mean = 0, share = 0, all = 0, positives = 0;
    size_t count[10], m, n = 0;

    made(label, score, 5);
    mmlt_assert_ok(mml_metric_reliability(&m, predicted, observed, count, label, score, N, 10));
    ck_assert_uint_ge(m, 5);
    ck_assert_uint_le(m, 10);
    for (size_t b = 0; b < m; b++) {
        n += count[b];
        mean += predicted[b] * (double)count[b];
        share += observed[b] * (double)count[b];
        ck_assert(b == 0 || predicted[b] > predicted[b - 1]);
    }
    for (size_t i = 0; i < N; i++) {
        all += score[i];
        positives += label[i];
    }
    ck_assert_uint_eq(n, N);
    mmlt_assert_close_d(&mean, &all, 1, MMLT_TOL_F64);
    mmlt_assert_close_d(&share, &positives, 1, MMLT_TOL_F64);
    for (size_t i = 0; i < N; i++) /* all different: as equal as can be */
        score[i] = (double)i / N;
    mmlt_assert_ok(mml_metric_reliability(&m, predicted, observed, count, label, score, N, 7));
    ck_assert_uint_eq(m, 7);
    for (size_t b = 0; b < m; b++)
        ck_assert(count[b] == 28 || count[b] == 29);
    for (size_t i = 0; i < N; i++)
        score[i] = 0.25;
    mmlt_assert_ok(mml_metric_reliability(&m, predicted, observed, count, label, score, N, 10));
    ck_assert_uint_eq(m, 1);
    ck_assert_double_eq(predicted[0], 0.25);
}
END_TEST

START_TEST(curves_refuse_what_they_are_not_defined_for)
{
    int32_t label[] = {1, 1};
    double score[] = {0.1, 1.2}, a[3], b[3];
    size_t m, count[3];

    mmlt_assert_fails(mml_metric_roc(&m, a, b, label, score, 2), MML_E_DATA, "all 2 labels are 1");
    mmlt_assert_fails(mml_metric_roc(&m, a, b, label, score, 0), MML_E_DATA, "no samples");
    mmlt_assert_fails(mml_metric_roc(&m, NULL, b, label, score, 2), MML_E_ARG, "");
    mmlt_assert_fails(mml_metric_reliability(&m, a, b, count, label, score, 2, 3), MML_E_DATA, "");
    mmlt_assert_fails(mml_metric_reliability(&m, a, b, count, label, score, 1, 0), MML_E_ARG, "0 bins");
    label[0] = 2;
    mmlt_assert_fails(mml_metric_reliability(&m, a, b, count, label, score, 2, 3), MML_E_DATA, "");
    label[0] = 0;
    score[0] = (double)NAN;
    mmlt_assert_fails(mml_metric_roc(&m, a, b, label, score, 2), MML_E_NOT_FINITE, "");
}
END_TEST

START_TEST(ranks_are_shares_and_ties_have_one)
{
    const double x[] = {30, 10, 20, 20}, want[] = {0.875, 0.125, 0.5, 0.5};
    double rank[4];

    mmlt_assert_ok(mmli_rank_share(rank, x, 4));
    mmlt_assert_close_d(rank, want, 4, MMLT_TOL_F64);
}
END_TEST

START_TEST(a_mean_leaves_out_what_is_missing)
{
    const double x[] = {1, (double)NAN, 3}, none[] = {(double)NAN};
    double mean, sd;

    ck_assert_uint_eq(mmli_mean_sd(&mean, &sd, x, 3), 2);
    ck_assert_double_eq(mean, 2);
    ck_assert_double_eq_tol(sd, sqrt(2), 1e-15);
    ck_assert_uint_eq(mmli_mean_sd(&mean, &sd, x, 1), 1);
    ck_assert_double_eq(sd, 0);
    ck_assert_uint_eq(mmli_mean_sd(&mean, &sd, none, 1), 0);
    ck_assert(isnan(mean) && isnan(sd));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics: curves");
    TCase *tc = tcase_create("curves");

    tcase_add_test(tc, the_area_under_the_roc_curve_is_the_auc);
    tcase_add_test(tc, a_roc_curve_by_hand);
    tcase_add_test(tc, bins_of_a_reliability_diagram_are_equal_in_number_and_keep_ties_together);
    tcase_add_test(tc, curves_refuse_what_they_are_not_defined_for);
    tcase_add_test(tc, ranks_are_shares_and_ties_have_one);
    tcase_add_test(tc, a_mean_leaves_out_what_is_missing);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
