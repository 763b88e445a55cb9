/* Intervals: the weights and prepared orders must give what drawing, copying and computing anew gives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"

enum { N = 60, K = 3, R = 200, N_METRICS = MML_METRIC_RMSE + 1 };

/* One data set that serves all metrics. */
typedef struct data {
    size_t n;
    int32_t label[N * 3];
    double score[N * 3 * K], time[N * 3], truth[N * 3];
    uint8_t event[N * 3];
} data;

static void make(data *d, uint64_t key, int32_t classes)
{
    d->n = N;
    for (size_t i = 0; i < N; i++) {
        d->label[i] = (int32_t)(i % (size_t)classes);
        d->time[i] = (double)mmli_rng_below(key, 5 * i, 30);
        d->event[i] = (uint8_t)(mmli_rng_below(key, 5 * i + 1, 4) > 0);
        d->truth[i] = (double)mmli_rng_normal(key, i);
    }
    for (size_t i = 0; i < N * K; i++)
        d->score[i] = (double)mmli_rng_below(key + 1, i, 40) / 40;
}

static mml_metric_input input_of(const data *d, mml_metric metric)
{
    mml_metric_input in;

    mml_metric_input_init(&in);
    in.n = d->n;
    in.classes = metric == MML_METRIC_MACRO_AUC || metric == MML_METRIC_MACRO_F1 ? K : 2;
    in.label = d->label;
    in.score = d->score;
    in.time = d->time;
    in.event = d->event;
    in.truth = d->truth;
    return in;
}

static int32_t classes_of(mml_metric metric)
{
    return metric == MML_METRIC_MACRO_AUC || metric == MML_METRIC_MACRO_F1 ? K : 2;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double quantile(const double *sorted, size_t m, double q)
{
    const double h = (double)(m - 1) * q;
    const size_t i = (size_t)h;

    return i + 1 < m ? sorted[i] + (h - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[m - 1];
}

/* Copies sample i of `from` to the end of `to`. */
static void append(data *to, const data *from, size_t i, size_t width)
{
    to->label[to->n] = from->label[i];
    to->time[to->n] = from->time[i];
    to->event[to->n] = from->event[i];
    to->truth[to->n] = from->truth[i];
    memcpy(to->score + to->n * width, from->score + i * width, width * sizeof *to->score);
    to->n++;
}

START_TEST(an_interval_is_that_of_copied_samples)
{
    static data all, drawn;
    const mml_metric metric = (mml_metric)_i;
    const size_t width = classes_of(metric) == K ? K : 1;
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval got;
    double value[R], whole = 0;

    make(&all, 400 + (uint64_t)_i, classes_of(metric));
    in = input_of(&all, metric);
    mml_bootstrap_options_init(&o);
    o.resamples = R;
    o.seed = 77;
    o.level = 0.9;
    mmlt_assert_ok(mml_metric_bootstrap(&got, metric, &in, &o));
    for (uint64_t t = 0; t < R; t++) {
        const uint64_t key = mmli_rng_key(77, "metric bootstrap", t);
        mml_metric_input again;

        drawn.n = 0;
        for (uint64_t i = 0; i < N; i++)
            append(&drawn, &all, (size_t)mmli_rng_below(key, i, N), width);
        again = input_of(&drawn, metric);
        mmlt_assert_ok(mml_metric_compute(&value[t], metric, &again)); /* defined on all of these */
    }
    qsort(value, R, sizeof *value, ascending);
    mmlt_assert_ok(mml_metric_compute(&whole, metric, &in));
    ck_assert_double_eq(got.value, whole);
    ck_assert_double_eq_tol(got.low, quantile(value, R, 0.05), 1e-12);
    ck_assert_double_eq_tol(got.high, quantile(value, R, 0.95), 1e-12);
    ck_assert_double_lt(got.low, got.high);
    ck_assert_uint_eq(got.resamples, R);
    ck_assert_uint_eq(got.redrawn, 0);
}
END_TEST

START_TEST(groups_are_drawn_whole)
{
    static data all, drawn;
    static size_t group[N];
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval got;
    double value[R];
    size_t members[7] = {0, 1, 4, 9, 16, 25, 5}; /* groups 1 .. 6; number 0 is not used */

    make(&all, 5, 2);
    for (size_t i = 0, g = 1; i < N; i++) { /* first met in the order 1 .. 6 */
        while (members[g] == 0)
            g++;
        group[i] = 59 - g; /* any numbers below n */
        members[g]--;
    }
    in = input_of(&all, MML_METRIC_BRIER);
    mml_bootstrap_options_init(&o);
    o.resamples = R;
    o.group = group;
    mmlt_assert_ok(mml_metric_bootstrap(&got, MML_METRIC_BRIER, &in, &o));
    for (uint64_t t = 0; t < R; t++) {
        const uint64_t key = mmli_rng_key(0, "metric bootstrap", t);
        double sum = 0, count = 0;

        for (uint64_t u = 0; u < 6; u++)
            for (size_t i = 0; i < N; i++)
                if (59 - group[i] == mmli_rng_below(key, u, 6) + 1) {
                    sum += pow(all.score[i] - all.label[i], 2);
                    count++;
                }
        value[t] = sum / count;
    }
    qsort(value, R, sizeof *value, ascending);
    ck_assert_double_eq_tol(got.low, quantile(value, R, 0.025), 1e-12);
    ck_assert_double_eq_tol(got.high, quantile(value, R, 0.975), 1e-12);
    group[3] = N;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_BRIER, &in, &o), MML_E_ARG, "group[3] is 60");
    memset(group, 0, sizeof group);
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_BRIER, &in, &o), MML_E_DATA, "at least two groups");
    (void)drawn;
}
END_TEST

START_TEST(resamples_of_a_single_class_are_drawn_again)
{
    static data all;
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval got;

    make(&all, 6, 2);
    for (size_t i = 0; i < N; i++)
        all.label[i] = i == 0;
    in = input_of(&all, MML_METRIC_AUC);
    mml_bootstrap_options_init(&o);
    mmlt_assert_ok(mml_metric_bootstrap(&got, MML_METRIC_AUC, &in, &o));
    ck_assert_uint_eq(got.resamples, 1000);
    /* without the only positive: (1 - 1/60)^60 = 0.365 of all draws */
    ck_assert_double_eq_tol((double)got.redrawn / (1000.0 + (double)got.redrawn), 0.365, 0.06);
    ck_assert(got.low >= 0 && got.high <= 1 && got.low <= got.value && got.value <= got.high);
}
END_TEST

START_TEST(resamples_that_lose_a_class_do_not_enter_the_macro_auc)
{
    static data all;
    mml_metric_input in;
    mml_interval got;

    make(&all, 7, 2);
    all.label[10] = 2;
    in = input_of(&all, MML_METRIC_MACRO_AUC);
    mmlt_assert_ok(mml_metric_bootstrap(&got, MML_METRIC_MACRO_AUC, &in, NULL));
    ck_assert_uint_gt(got.redrawn, 300);
}
END_TEST

START_TEST(too_few_samples_of_a_kind_are_an_error_not_a_loop)
{
    static data all;
    mml_metric_input in;
    mml_interval got = {.value = 7};

    make(&all, 8, 2);
    all.n = 8;
    for (size_t i = 0; i < 8; i++) { /* one event, before all others: a pair only where it is drawn with another */
        all.event[i] = i == 0;
        all.time[i] = (double)i;
    }
    in = input_of(&all, MML_METRIC_CINDEX);
    mmlt_assert_ok(mml_metric_bootstrap(&got, MML_METRIC_CINDEX, &in, NULL));
    in.classes = 8; /* eight classes of one sample: 8! / 8^8 = 0.0024 of the draws have them all */
    in.score = (double[64]){0.5};
    for (size_t i = 0; i < 8; i++)
        all.label[i] = (int32_t)i;
    got.value = 7;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_MACRO_AUC, &in, NULL), MML_E_DATA, "too few samples");
    ck_assert_double_eq(got.value, 7);
}
END_TEST

START_TEST(an_interval_repeats_bit_for_bit_and_follows_the_seed)
{
    static data all;
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval a, b;

    make(&all, 9, 2);
    in = input_of(&all, MML_METRIC_CINDEX);
    mml_bootstrap_options_init(&o);
    mmlt_assert_ok(mml_metric_bootstrap(&a, MML_METRIC_CINDEX, &in, NULL));
    mmlt_assert_ok(mml_metric_bootstrap(&b, MML_METRIC_CINDEX, &in, &o));
    mmlt_assert_same_bits(&a, &b, sizeof a);
    o.seed = 1;
    mmlt_assert_ok(mml_metric_bootstrap(&b, MML_METRIC_CINDEX, &in, &o));
    ck_assert_double_eq(a.value, b.value);
    ck_assert(a.low != b.low || a.high != b.high);
    o.seed = 0;
    o.level = 0.5;
    mmlt_assert_ok(mml_metric_bootstrap(&b, MML_METRIC_CINDEX, &in, &o));
    ck_assert(a.low < b.low && b.high < a.high);
}
END_TEST

START_TEST(an_interval_covers_the_truth_about_as_often_as_it_says)
{
    /* Accuracy of a predictor that is right with probability 0.7, 100 samples, 400 trials of 95 % (the
     * percentile interval is known to cover a little less): between 0.90 and 0.98. */
    enum { TRIALS = 400, M = 100 };
    int32_t label[M];
    double p[M];
    size_t covered = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        mml_metric_input in;
        mml_bootstrap_options o;
        mml_interval got;

        mml_metric_input_init(&in);
        mml_bootstrap_options_init(&o);
        for (uint64_t i = 0; i < M; i++) {
            label[i] = (int32_t)(i % 2);
            p[i] = (mmli_rng_uniform(mmli_rng_key(4, "coverage", t), i) < 0.7f) == (label[i] == 1) ? 0.9 : 0.1;
        }
        in.n = M;
        in.label = label;
        in.score = p;
        o.resamples = 400;
        o.seed = t;
        mmlt_assert_ok(mml_metric_bootstrap(&got, MML_METRIC_ACCURACY, &in, &o));
        covered += got.low <= 0.7 && 0.7 <= got.high;
    }
    ck_assert_double_gt((double)covered / TRIALS, 0.90);
    ck_assert_double_lt((double)covered / TRIALS, 0.98);
}
END_TEST

START_TEST(metrics_have_names_and_directions)
{
    for (int i = 0; i < N_METRICS; i++) {
        ck_assert_ptr_nonnull(mml_metric_name((mml_metric)i));
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(mml_metric_name((mml_metric)i), mml_metric_name((mml_metric)j));
        ck_assert_int_eq(mml_metric_higher_is_better((mml_metric)i),
                         i != MML_METRIC_BRIER && i != MML_METRIC_LOG_LOSS && i != MML_METRIC_RMSE);
    }
    ck_assert_str_eq(mml_metric_name(MML_METRIC_AUC), "auc");
    ck_assert_str_eq(mml_metric_name(MML_METRIC_CINDEX), "cindex");
    ck_assert_ptr_null(mml_metric_name((mml_metric)N_METRICS));
    ck_assert_ptr_null(mml_metric_name((mml_metric)-1));
    ck_assert_int_eq(mml_metric_higher_is_better((mml_metric)99), 0);
}
END_TEST

START_TEST(compute_gives_what_the_metrics_own_function_gives)
{
    static data d;
    mml_metric_input in;
    int32_t predicted[N];
    double a = 0, b = 1;

    make(&d, 12, 2);
    in = input_of(&d, MML_METRIC_F1);
    in.threshold = 0.3;
    mmlt_assert_ok(mml_metric_compute(&a, MML_METRIC_F1, &in));
    mmlt_assert_ok(mml_metric_f1(&b, d.label, d.score, N, 0.3));
    ck_assert_double_eq(a, b);
    for (size_t i = 0; i < N; i++)
        predicted[i] = d.score[i] >= 0.3;
    mmlt_assert_ok(mml_metric_compute(&a, MML_METRIC_ACCURACY, &in));
    mmlt_assert_ok(mml_metric_accuracy(&b, d.label, predicted, N, 2));
    ck_assert_double_eq(a, b);
    make(&d, 12, K);
    in.classes = K;
    mmlt_assert_ok(mml_metric_argmax(predicted, d.score, N, K));
    mmlt_assert_ok(mml_metric_compute(&a, MML_METRIC_ACCURACY, &in));
    mmlt_assert_ok(mml_metric_accuracy(&b, d.label, predicted, N, K));
    ck_assert_double_eq(a, b);
    mmlt_assert_ok(mml_metric_compute(&a, MML_METRIC_MACRO_F1, &in));
    mmlt_assert_ok(mml_metric_macro_f1(&b, d.label, predicted, N, K));
    ck_assert_double_eq(a, b);
}
END_TEST

START_TEST(wrong_options_are_named)
{
    static data d;
    mml_metric_input in, zero = {0};
    mml_bootstrap_options o;
    mml_interval got = {.value = 7};
    double x = 7;

    make(&d, 13, 2);
    in = input_of(&d, MML_METRIC_AUC);
    mml_bootstrap_options_init(&o);
    mmlt_assert_fails(mml_metric_compute(&x, (mml_metric)99, &in), MML_E_ARG, "metric number 99");
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_AUC, NULL), MML_E_ARG, "input");
    mmlt_assert_fails(mml_metric_compute(NULL, MML_METRIC_AUC, &in), MML_E_ARG, "value");
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_AUC, &zero), MML_E_ARG, "mml_metric_input_init()");
    in.struct_size = sizeof in + 8;
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_AUC, &in), MML_E_ARG, "newer libmmlego");
    in.struct_size = sizeof in;
    in.threshold = NAN;
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_ACCURACY, &in), MML_E_ARG, "threshold");
    in.label = NULL;
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_AUC, &in), MML_E_ARG, "NULL");
    in.label = d.label;
    in.score = NULL;
    mmlt_assert_fails(mml_metric_compute(&x, MML_METRIC_MACRO_F1, &in), MML_E_ARG, "NULL");
    in.score = d.score;
    mmlt_assert_fails(mml_metric_bootstrap(NULL, MML_METRIC_AUC, &in, &o), MML_E_ARG, "");
    o.resamples = 1;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_AUC, &in, &o), MML_E_ARG, "resamples");
    o.resamples = 10;
    o.level = 1;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_AUC, &in, &o), MML_E_ARG, "level");
    o.level = 0.95;
    o.struct_size = 0;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_AUC, &in, &o), MML_E_ARG, "mml_bootstrap_options_init()");
    in.n = 1;
    mmlt_assert_fails(mml_metric_bootstrap(&got, MML_METRIC_BRIER, &in, NULL), MML_E_DATA, "at least two samples");
    ck_assert_double_eq(x, 7);
    ck_assert_double_eq(got.value, 7);
}
END_TEST

START_TEST(an_older_and_shorter_options_struct_is_accepted)
{
    static data d;
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval a, b;
    size_t nonsense = 1;

    make(&d, 14, 2);
    in = input_of(&d, MML_METRIC_AUC);
    mml_bootstrap_options_init(&o);
    mmlt_assert_ok(mml_metric_bootstrap(&a, MML_METRIC_AUC, &in, &o));
    o.struct_size = offsetof(mml_bootstrap_options, group); /* made before `group` was there */
    o.group = &nonsense;
    mmlt_assert_ok(mml_metric_bootstrap(&b, MML_METRIC_AUC, &in, &o));
    mmlt_assert_same_bits(&a, &b, sizeof a);
}
END_TEST

START_TEST(without_memory_a_bootstrap_fails_cleanly)
{
    static data d;
    static size_t group[N];
    const mml_metric metric = (mml_metric)_i;
    mml_metric_input in;
    mml_bootstrap_options o;
    mml_interval got = {.value = 7};
    uint64_t k = 1;

    make(&d, 15, classes_of(metric));
    in = input_of(&d, metric);
    mml_bootstrap_options_init(&o);
    o.resamples = 5;
    for (size_t i = 0; i < N; i++)
        group[i] = i;
    o.group = group;
    for (;; k++) {
        mml_status st;

        mmli_alloc_fail_at(k);
        st = mml_metric_bootstrap(&got, metric, &in, &o);
        mmli_alloc_fail_at(0);
        if (st == MML_OK)
            break;
        ck_assert_int_eq(st, MML_E_NOMEM);
        ck_assert_double_eq(got.value, 7);
    }
    ck_assert_uint_ge(k, 5); /* weights, group numbers, draws, values at least */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics with intervals");
    TCase *tc = tcase_create("bootstrap");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, an_interval_is_that_of_copied_samples, 0, N_METRICS);
    tcase_add_test(tc, groups_are_drawn_whole);
    tcase_add_test(tc, resamples_of_a_single_class_are_drawn_again);
    tcase_add_test(tc, resamples_that_lose_a_class_do_not_enter_the_macro_auc);
    tcase_add_test(tc, too_few_samples_of_a_kind_are_an_error_not_a_loop);
    tcase_add_test(tc, an_interval_repeats_bit_for_bit_and_follows_the_seed);
    tcase_add_test(tc, an_interval_covers_the_truth_about_as_often_as_it_says);
    tcase_add_test(tc, metrics_have_names_and_directions);
    tcase_add_test(tc, compute_gives_what_the_metrics_own_function_gives);
    tcase_add_test(tc, wrong_options_are_named);
    tcase_add_test(tc, an_older_and_shorter_options_struct_is_accepted);
    tcase_add_loop_test(tc, without_memory_a_bootstrap_fails_cleanly, 0, N_METRICS);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
