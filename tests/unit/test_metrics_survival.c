/* Survival metrics: c-index against its definition, textbook data for Kaplan-Meier and log-rank, bins. */
#include <math.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"

enum { N = 200 };

static double risk[N], time_of[N];
static uint8_t event[N], group[N];

static void make(uint64_t key, size_t n, uint64_t times, uint64_t risks, double step)
{
    for (size_t i = 0; i < n; i++) {
        time_of[i] = (double)mmli_rng_below(key, 4 * i, times);
        event[i] = (uint8_t)(mmli_rng_below(key, 4 * i + 1, 3) > 0);
        risk[i] = step * (double)mmli_rng_below(key, 4 * i + 2, risks);
        group[i] = (uint8_t)mmli_rng_below(key, 4 * i + 3, 2);
    }
}

/* The definition of doc/formats.md 3, pair by pair. */
static mml_cindex_pairs count_pairs(size_t n)
{
    mml_cindex_pairs c = {0};

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (i == j || !event[i] || !(time_of[i] < time_of[j] || (time_of[i] == time_of[j] && !event[j])))
                continue;
            c.comparable++;
            c.tied_time += time_of[i] == time_of[j];
            if (fabs(risk[i] - risk[j]) <= 1e-8)
                c.tied_risk++;
            else if (risk[i] > risk[j])
                c.concordant++;
            else
                c.discordant++;
        }
    return c;
}

START_TEST(cindex_counts_are_those_of_the_definition)
{
    mml_cindex_pairs got, want;
    double c = 0;

    for (uint64_t t = 0; t < 200; t++) {
        const size_t n = 10 + t % 190;

        make(t, n, t % 3 == 0 ? 10000 : 12, t % 2 == 0 ? 10000 : 9, 0.37);
        want = count_pairs(n);
        mmlt_assert_ok(mml_metric_cindex(&c, &got, risk, time_of, event, n));
        ck_assert_mem_eq(&got, &want, sizeof got);
        ck_assert_double_eq_tol(c, ((double)want.concordant + 0.5 * (double)want.tied_risk) / (double)want.comparable,
                                1e-15);
    }
}
END_TEST

START_TEST(ties_of_risk_within_1e_8_are_not_transitive)
{
    mml_cindex_pairs got, want;
    double c = 0;

    for (uint64_t t = 0; t < 100; t++) { /* neighbours 0.4e-8 apart: two steps are a tie, three are not */
        make(1000 + t, N, 50, 12, 0.4e-8);
        for (size_t i = 0; i < N; i++)
            risk[i] += t % 2 == 0 ? 0 : 1.0 / 3; /* where differences round */
        want = count_pairs(N);
        mmlt_assert_ok(mml_metric_cindex(&c, &got, risk, time_of, event, N));
        ck_assert_mem_eq(&got, &want, sizeof got);
        ck_assert_uint_gt(got.tied_risk, 0);
        ck_assert_uint_gt(got.concordant, 0);
    }
}
END_TEST

START_TEST(cindex_of_perfect_and_reversed_risks)
{
    const double t[] = {1, 2, 3, 4}, up[] = {1, 2, 3, 4}, down[] = {4, 3, 2, 1}, same[] = {5, 5, 5, 5};
    const uint8_t e[] = {1, 1, 0, 1};
    mml_cindex_pairs pairs;
    double c = 9;

    mmlt_assert_ok(mml_metric_cindex(&c, &pairs, down, t, e, 4));
    ck_assert_double_eq(c, 1);
    ck_assert_uint_eq(pairs.comparable, 5);
    mmlt_assert_ok(mml_metric_cindex(&c, NULL, up, t, e, 4));
    ck_assert_double_eq(c, 0);
    mmlt_assert_ok(mml_metric_cindex(&c, NULL, same, t, e, 4));
    ck_assert_double_eq(c, 0.5);
}
END_TEST

START_TEST(two_events_at_one_time_are_not_comparable_but_an_event_and_a_censored_are)
{
    const double t[] = {5, 5}, r[] = {2, 1};
    const uint8_t both[] = {1, 1}, one[] = {1, 0}, none[] = {0, 0};
    mml_cindex_pairs pairs;
    double c = 9;

    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, t, both, 2), MML_E_DATA, "comparable");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, t, none, 2), MML_E_DATA, "comparable");
    ck_assert_double_eq(c, 9);
    mmlt_assert_ok(mml_metric_cindex(&c, &pairs, r, t, one, 2));
    ck_assert_double_eq(c, 1);
    ck_assert_uint_eq(pairs.tied_time, 1);
}
END_TEST

/* Remission of leukaemia in weeks under 6-MP and placebo (Freireich et al., Blood 1963): the example of most
 * textbooks (Kalbfleisch and Prentice; Klein and Moeschberger). */
static const double leukaemia[42] = {6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35,
                                     1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};
static const uint8_t relapse[42] = {1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0,
                                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

START_TEST(kaplan_meier_of_the_textbook)
{
    static const double at_event[][2] = {{6, 0.857}, {7, 0.807}, {10, 0.753}, {13, 0.690},
                                         {16, 0.627}, {22, 0.538}, {23, 0.448}};
    double at[21], s[21];
    size_t left[21], dead[21], m = 0, j = 0;

    mmlt_assert_ok(mml_metric_kaplan_meier(&m, at, s, left, dead, leukaemia, relapse, 21));
    ck_assert_uint_eq(m, 16);
    for (size_t i = 0; i < m; i++) {
        if (dead[i] == 0) {
            ck_assert_double_eq(s[i], i == 0 ? 1 : s[i - 1]);
            continue;
        }
        ck_assert_double_eq(at[i], at_event[j][0]);
        ck_assert_double_eq_tol(s[i], at_event[j++][1], 5e-4);
    }
    ck_assert_uint_eq(j, 7);
    ck_assert_uint_eq(left[0], 21);
    ck_assert_uint_eq(dead[0], 3);
    ck_assert_uint_eq(left[1], 17); /* the one censored at 6 was at risk at 6 and is not at 7 */
    mmlt_assert_ok(mml_metric_kaplan_meier(&m, at, s, NULL, NULL, leukaemia, relapse, 21));
}
END_TEST

START_TEST(logrank_of_the_textbook)
{
    uint8_t placebo[42] = {0};
    double chi2 = 0, p = 0;

    memset(placebo + 21, 1, 21);
    mmlt_assert_ok(mml_metric_logrank(&chi2, &p, leukaemia, relapse, placebo, 42));
    ck_assert_double_eq_tol(chi2, 16.793, 5e-4);
    ck_assert_double_eq_tol(p, 4.17e-5, 5e-8);
    for (size_t i = 0; i < 42; i++) /* which group is called 1 does not matter */
        placebo[i] = !placebo[i];
    mmlt_assert_ok(mml_metric_logrank(&chi2, NULL, leukaemia, relapse, placebo, 42));
    ck_assert_double_eq_tol(chi2, 16.793, 5e-4);
}
END_TEST

START_TEST(logrank_without_a_comparison_fails)
{
    const double t[] = {1, 2, 3, 4};
    const uint8_t e[] = {1, 1, 0, 0}, none[] = {0, 0, 0, 0}, g[] = {0, 0, 1, 1}, all[] = {1, 1, 1, 1}, odd[] = {0, 1, 2, 1};
    const uint8_t late[] = {0, 0, 1, 1};
    double x = 0;

    mmlt_assert_ok(mml_metric_logrank(&x, NULL, t, e, g, 4));
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, none, g, 4), MML_E_DATA, "both groups are at risk");
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, late, g, 4), MML_E_DATA, "both groups are at risk");
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, e, all, 4), MML_E_DATA, "all 4 samples are in group 1");
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, e, none, 4), MML_E_DATA, "all 4 samples are in group 0");
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, e, odd, 4), MML_E_DATA, "group[2] is 2");
    mmlt_assert_fails(mml_metric_logrank(&x, NULL, t, e, NULL, 4), MML_E_ARG, "NULL");
}
END_TEST

START_TEST(bin_edges_follow_the_written_steps)
{
    /* events at 1 2 4 8 16: quantiles 0, 1/4, ... are these themselves; censored at 0.5 and 40 */
    const double t[] = {8, 0.5, 1, 16, 2, 40, 4};
    const uint8_t e[] = {1, 0, 1, 1, 1, 0, 1};
    const double want[] = {0.5 - 1e-6, 2, 4, 8, 40 + 1e-6};
    const double two[] = {0.5 - 1e-6, 4, 40 + 1e-6}, three[] = {0.5 - 1e-6, 2 + (4.0 / 3 - 1) * 2, 4 + (8.0 / 3 - 2) * 4, 40 + 1e-6};
    double edges[5];

    mmlt_assert_ok(mml_metric_survival_edges(edges, 4, t, e, 7));
    mmlt_assert_same_bits(edges, want, sizeof want);
    mmlt_assert_ok(mml_metric_survival_edges(edges, 2, t, e, 7));
    mmlt_assert_same_bits(edges, two, sizeof two);
    mmlt_assert_ok(mml_metric_survival_edges(edges, 3, t, e, 7));
    mmlt_assert_same_bits(edges, three, sizeof three);
    mmlt_assert_ok(mml_metric_survival_edges(edges, 1, t, e, 7));
    ck_assert_double_eq(edges[1], 40 + 1e-6);
}
END_TEST

START_TEST(a_time_on_an_edge_belongs_to_the_bin_that_begins_there)
{
    const double edges[] = {0.5 - 1e-6, 2, 4, 8, 40 + 1e-6};
    const double t[] = {0.5, 1.9999, 2, 3.9, 4, 7.9, 8, 40, 0, 41, 1e9};
    const int32_t want[] = {0, 0, 1, 1, 2, 2, 3, 3, 0, 3, 3};
    int32_t bin[11];

    mmlt_assert_ok(mml_metric_survival_labels(bin, edges, 4, t, 11));
    ck_assert_mem_eq(bin, want, sizeof want);
}
END_TEST

START_TEST(bins_that_cannot_be_made_are_explained)
{
    const double t[] = {1, 5, 5, 5, 5, 9}, edges[] = {0, 1, 1, 2, 3}, nan2[] = {0, NAN};
    const uint8_t e[] = {1, 1, 1, 1, 1, 1}, one[] = {0, 1, 0, 0, 0, 0}, odd[] = {1, 2, 1, 1, 1, 1};
    double out[5] = {7, 7, 7, 7, 7};
    int32_t bin[6];

    mmlt_assert_fails(mml_metric_survival_edges(out, 4, t, e, 6), MML_E_DATA, "edges 1 and 2 are both 5");
    mmlt_assert_fails(mml_metric_survival_edges(out, 4, t, one, 6), MML_E_DATA, "1 of 6 samples have an event");
    mmlt_assert_fails(mml_metric_survival_edges(out, 0, t, e, 6), MML_E_ARG, "at least 1");
    mmlt_assert_fails(mml_metric_survival_edges(out, 4, t, odd, 6), MML_E_DATA, "event[1] is 2");
    mmlt_assert_fails(mml_metric_survival_edges(out, 4, nan2, e, 2), MML_E_DATA, "time[1] is nan");
    for (size_t i = 0; i < 5; i++)
        ck_assert_double_eq(out[i], 7);
    mmlt_assert_fails(mml_metric_survival_labels(bin, edges, 4, t, 6), MML_E_ARG, "edge 2 is 1");
    mmlt_assert_fails(mml_metric_survival_labels(bin, nan2, 1, t, 6), MML_E_ARG, "edge 1 is nan");
    mmlt_assert_fails(mml_metric_survival_labels(bin, edges, 0, t, 6), MML_E_ARG, "at least 1");
    mmlt_assert_fails(mml_metric_survival_labels(bin, edges, 1, nan2, 2), MML_E_DATA, "time[1]");
}
END_TEST

START_TEST(hazards_multiply_to_the_kaplan_meier_estimate_before_each_edge)
{
    const double edges[] = {0, 7, 11, 20, 36};
    double at[42], s[42], h[4], product = 1;
    size_t m = 0;

    mmlt_assert_ok(mml_metric_kaplan_meier(&m, at, s, NULL, NULL, leukaemia, relapse, 42));
    mmlt_assert_ok(mml_metric_km_hazards(h, edges, 4, leukaemia, relapse, 42));
    for (size_t j = 0; j < 4; j++) {
        double before = 1;

        for (size_t i = 0; i < m && at[i] < edges[j + 1]; i++) /* an event at 11 itself is in the next bin */
            before = s[i];
        product *= 1 - h[j];
        ck_assert(h[j] > 0 && h[j] < 1);
        ck_assert_double_eq_tol(product, before, 1e-14);
    }
}
END_TEST

START_TEST(hazards_of_bins_without_events_are_zero_and_outside_times_count_in_the_end_bins)
{
    const double t[] = {1, 2, 30, 90}, edges[] = {5, 10, 20, 25};
    const uint8_t e[] = {1, 1, 1, 1}, none[] = {0, 0, 0, 0};
    double h[3];

    mmlt_assert_ok(mml_metric_km_hazards(h, edges, 3, t, e, 4));
    ck_assert_double_eq_tol(h[0], 0.5, 1e-15);
    ck_assert_double_eq(h[1], 0);
    ck_assert_double_eq(h[2], 1);
    mmlt_assert_ok(mml_metric_km_hazards(h, edges, 3, t, none, 4));
    for (size_t j = 0; j < 3; j++)
        ck_assert_double_eq(h[j], 0);
    mmlt_assert_ok(mml_metric_km_hazards(h, edges, 3, t, e, 2)); /* all before the second edge */
    ck_assert_double_eq(h[0], 1);
    ck_assert_double_eq(h[2], 0);
    mmlt_assert_fails(mml_metric_km_hazards(h, (const double[]){1, 0}, 1, t, e, 4), MML_E_ARG, "ascending");
    mmlt_assert_fails(mml_metric_km_hazards(NULL, edges, 3, t, e, 4), MML_E_ARG, "NULL");
}
END_TEST

START_TEST(unusable_survival_data_is_named)
{
    const double t[] = {1, 2}, minus[] = {1, -2}, inf2[] = {HUGE_VAL, 1}, r[] = {1, 2}, nan2[] = {NAN, 1};
    const uint8_t e[] = {1, 0}, odd[] = {0, 3};
    double c = 7, at[2], s[2];
    size_t m = 7;

    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, minus, e, 2), MML_E_DATA, "time[1] is -2");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, inf2, e, 2), MML_E_DATA, "time[0] is inf");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, nan2, e, 2), MML_E_DATA, "time[0] is nan");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, t, odd, 2), MML_E_DATA, "event[1] is 3");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, nan2, t, e, 2), MML_E_NOT_FINITE, "risk[0] is NaN");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, t, e, 0), MML_E_DATA, "no samples");
    mmlt_assert_fails(mml_metric_cindex(&c, NULL, r, t, NULL, 2), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_metric_kaplan_meier(&m, at, s, NULL, NULL, minus, e, 2), MML_E_DATA, "time[1]");
    mmlt_assert_fails(mml_metric_kaplan_meier(&m, NULL, s, NULL, NULL, t, e, 2), MML_E_ARG, "NULL");
    mmlt_assert_fails(mml_metric_logrank(&c, NULL, t, e, e, 0), MML_E_DATA, "no samples");
    ck_assert_double_eq(c, 7);
    ck_assert_uint_eq(m, 7);
}
END_TEST

START_TEST(without_memory_every_survival_metric_fails_cleanly)
{
    double x = 0, a[N], b[N], edges[] = {0, 5, 100};
    size_t m;
    uint64_t failures = 0;

    make(3, N, 50, 50, 1);
    for (int which = 0; which < 5; which++)
        for (uint64_t k = 1;; k++) {
            mml_status st;

            mmli_alloc_fail_at(k);
            st = which == 0   ? mml_metric_cindex(&x, NULL, risk, time_of, event, N)
                 : which == 1 ? mml_metric_kaplan_meier(&m, a, b, NULL, NULL, time_of, event, N)
                 : which == 2 ? mml_metric_logrank(&x, NULL, time_of, event, group, N)
                 : which == 3 ? mml_metric_km_hazards(a, edges, 2, time_of, event, N)
                              : mml_metric_survival_edges(a, 4, time_of, event, N);
            mmli_alloc_fail_at(0);
            if (st == MML_OK)
                break;
            ck_assert_int_eq(st, MML_E_NOMEM);
            failures++;
        }
    ck_assert_uint_ge(failures, 14);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics of survival");
    TCase *tc = tcase_create("survival");

    tcase_add_test(tc, cindex_counts_are_those_of_the_definition);
    tcase_add_test(tc, ties_of_risk_within_1e_8_are_not_transitive);
    tcase_add_test(tc, cindex_of_perfect_and_reversed_risks);
    tcase_add_test(tc, two_events_at_one_time_are_not_comparable_but_an_event_and_a_censored_are);
    tcase_add_test(tc, kaplan_meier_of_the_textbook);
    tcase_add_test(tc, logrank_of_the_textbook);
    tcase_add_test(tc, logrank_without_a_comparison_fails);
    tcase_add_test(tc, bin_edges_follow_the_written_steps);
    tcase_add_test(tc, a_time_on_an_edge_belongs_to_the_bin_that_begins_there);
    tcase_add_test(tc, bins_that_cannot_be_made_are_explained);
    tcase_add_test(tc, hazards_multiply_to_the_kaplan_meier_estimate_before_each_edge);
    tcase_add_test(tc, hazards_of_bins_without_events_are_zero_and_outside_times_count_in_the_end_bins);
    tcase_add_test(tc, unusable_survival_data_is_named);
    tcase_add_test(tc, without_memory_every_survival_metric_fails_cleanly);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
