/* Metrics against scikit-learn and scikit-survival: shared/golden/metrics.h5, random data with ties. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mmlego/metrics.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"

/* float64 sums in another order than NumPy's. */
static const double tolerance = 1e-12;

static gold golden;
static double worst; /* relative error, over everything compared in this test */
static size_t compared;

static bool open_golden(void)
{
    worst = 0;
    compared = 0;
    return gold_open(&golden, "metrics");
}

static void close_golden(const char *what)
{
    gold_close(&golden);
    ck_assert_uint_gt(compared, 0);
    printf("golden metrics, %s: %zu numbers, largest relative error %.2g\n", what, compared, worst);
}

static void compare(const char *what, double got, double want)
{
    const double error = fabs(got - want) / fmax(fabs(want), 1e-300);

    ck_assert_msg(isfinite(got), "%s is not finite", what);
    ck_assert_msg(error <= tolerance, "%s: %.17g, expected %.17g", what, got, want);
    worst = fmax(worst, got == want ? 0 : error);
    compared++;
}

static double number(hid_t group, const char *name)
{
    double x = NAN;
    hid_t a = H5Aopen(group, name, H5P_DEFAULT);

    ck_assert_msg(a >= 0, "no attribute %s", name);
    ck_assert_int_ge(H5Aread(a, H5T_NATIVE_DOUBLE, &x), 0);
    H5Aclose(a);
    return x;
}

/* A whole data set as `type`, n elements of `size` bytes; free() it. */
static void *array(size_t *n, hid_t group, const char *name, hid_t type, size_t size)
{
    hid_t set = H5Dopen2(group, name, H5P_DEFAULT), space;
    void *x;

    ck_assert_msg(set >= 0, "no data set %s", name);
    space = H5Dget_space(set);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    x = malloc(*n * size);
    ck_assert_ptr_nonnull(x);
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x), 0);
    H5Sclose(space);
    H5Dclose(set);
    return x;
}

static double *doubles(size_t *n, hid_t group, const char *name)
{
    return array(n, group, name, H5T_NATIVE_DOUBLE, sizeof(double));
}

static int32_t *classes(size_t *n, hid_t group, const char *name)
{
    return array(n, group, name, H5T_NATIVE_INT32, sizeof(int32_t));
}

static uint8_t *flags(size_t *n, hid_t group, const char *name)
{
    return array(n, group, name, H5T_NATIVE_UINT8, sizeof(uint8_t));
}

/* Opens prefix_<i>, or gives -1 after the last. */
static hid_t open_case(const char *prefix, int i)
{
    char name[64];

    snprintf(name, sizeof name, "%s_%d", prefix, i);
    return H5Lexists(golden.file, name, H5P_DEFAULT) > 0 ? H5Gopen2(golden.file, name, H5P_DEFAULT) : -1;
}

START_TEST(binary_metrics_are_those_of_scikit_learn)
{
    hid_t g;
    int cases = 0;

    if (!open_golden())
        return;
    for (; (g = open_case("binary", cases)) >= 0; cases++) {
        size_t n, np, ns;
        int32_t *label = classes(&n, g, "label");
        double *p = doubles(&np, g, "probability"), *s = doubles(&ns, g, "score"), x = NAN;

        ck_assert(n == np && n == ns);
        mmlt_assert_ok(mml_metric_auc(&x, label, s, n));
        compare("auc", x, number(g, "auc"));
        mmlt_assert_ok(mml_metric_average_precision(&x, label, s, n));
        compare("average_precision", x, number(g, "average_precision"));
        mmlt_assert_ok(mml_metric_brier(&x, label, p, n));
        compare("brier", x, number(g, "brier"));
        mmlt_assert_ok(mml_metric_log_loss(&x, label, p, n));
        compare("log_loss", x, number(g, "log_loss"));
        mmlt_assert_ok(mml_metric_f1(&x, label, p, n, 0.5));
        compare("f1_at_0.5", x, number(g, "f1_at_0.5"));
        free(label);
        free(p);
        free(s);
        H5Gclose(g);
    }
    ck_assert_int_eq(cases, 12);
    close_golden("binary");
}
END_TEST

START_TEST(multiclass_metrics_are_those_of_scikit_learn)
{
    hid_t g;
    int cases = 0;

    if (!open_golden())
        return;
    for (; (g = open_case("multiclass", cases)) >= 0; cases++) {
        size_t n, np, used = 0;
        int32_t *label = classes(&n, g, "label"), *predicted = calloc(n, sizeof *predicted);
        double *p = doubles(&np, g, "probability"), x = NAN;
        const size_t k = np / n;

        ck_assert_ptr_nonnull(predicted);
        mmlt_assert_ok(mml_metric_argmax(predicted, p, n, k));
        mmlt_assert_ok(mml_metric_accuracy(&x, label, predicted, n, k));
        compare("accuracy", x, number(g, "accuracy"));
        mmlt_assert_ok(mml_metric_macro_f1(&x, label, predicted, n, k));
        compare("macro_f1", x, number(g, "macro_f1"));
        mmlt_assert_ok(mml_metric_macro_auc(&x, &used, label, p, n, k));
        compare("macro_auc_ovr", x, number(g, "macro_auc_ovr"));
        ck_assert_uint_eq(used, k);
        free(label);
        free(predicted);
        free(p);
        H5Gclose(g);
    }
    ck_assert_int_eq(cases, 6);
    close_golden("multiclass");
}
END_TEST

static void compare_kaplan_meier(hid_t g, const double *time, const uint8_t *event, size_t n)
{
    size_t m = 0, mt, ms;
    double *want_t = doubles(&mt, g, "km_time"), *want_s = doubles(&ms, g, "km_survival");
    double *t = calloc(n, sizeof *t), *s = calloc(n, sizeof *s);

    ck_assert(t != NULL && s != NULL);
    mmlt_assert_ok(mml_metric_kaplan_meier(&m, t, s, NULL, NULL, time, event, n));
    ck_assert(m == mt && m == ms);
    for (size_t i = 0; i < m; i++) {
        compare("km_time", t[i], want_t[i]);
        compare("km_survival", s[i], want_s[i]);
    }
    free(want_t);
    free(want_s);
    free(t);
    free(s);
}

START_TEST(survival_metrics_are_those_of_scikit_survival)
{
    hid_t g;
    int cases = 0;

    if (!open_golden())
        return;
    for (; (g = open_case("survival", cases)) >= 0; cases++) {
        size_t n, nt, ne, ng;
        double *risk = doubles(&n, g, "risk"), *time = doubles(&nt, g, "time"), x = NAN, p = NAN;
        uint8_t *event = flags(&ne, g, "event"), *group = flags(&ng, g, "group");
        mml_cindex_pairs pairs;

        ck_assert(n == nt && n == ne && n == ng);
        mmlt_assert_ok(mml_metric_cindex(&x, &pairs, risk, time, event, n));
        compare("cindex", x, number(g, "cindex"));
        compare("concordant", (double)pairs.concordant, number(g, "concordant"));
        compare("discordant", (double)pairs.discordant, number(g, "discordant"));
        compare("tied_risk", (double)pairs.tied_risk, number(g, "tied_risk"));
        compare("tied_time", (double)pairs.tied_time, number(g, "tied_time"));
        mmlt_assert_ok(mml_metric_logrank(&x, &p, time, event, group, n));
        compare("logrank_chi2", x, number(g, "logrank_chi2"));
        compare("logrank_p", p, number(g, "logrank_p"));
        compare_kaplan_meier(g, time, event, n);
        free(risk);
        free(time);
        free(event);
        free(group);
        H5Gclose(g);
    }
    ck_assert_int_eq(cases, 16);
    close_golden("survival");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden metrics");
    TCase *tc = tcase_create("golden");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, binary_metrics_are_those_of_scikit_learn);
    tcase_add_test(tc, multiclass_metrics_are_those_of_scikit_learn);
    tcase_add_test(tc, survival_metrics_are_those_of_scikit_survival);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
