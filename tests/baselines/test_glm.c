/* test_glm.c - penalised linear models against coefficients found another way (glm_truth.py: Newton's method), and what a large
 * penalty and equal times come to. */
#include <math.h>
#include <string.h>

#include "baselines/glm.h"
#include "tests/support/mmlt.h"

/* Printed by glm_truth.py. */
enum { N = 20, P = 3, K = 3 };
#define PENALTY 0.05
/* Both are minima of one function to 1e-9 in the slope; the curvature is 0.05 or more. */
#define TOLERANCE ((mmlt_tol){0, 1e-7})
static const double x[] = {1.26, -0.85, 0.22, -2.16, -0.09, 1.42, 1.68, -1.14, -0.55, -0.27, -2.71, 1.68, 0.7, 0.53, 1.04,
    -0.34, 0.22, 0.84, 0.76, -0.49, -1.26, 0.62, 0.4, -1.09, 1.14, 0.64, 0.43, 0.1, 0.56, 1.43, -0.32, 1.5, 0.26, 0.43, 1.55, 0.23,
    0.45, -0.55, 0.01, 0.16, -0.52, -0.67, 0.94, 1.09, -0.88, -0.64, 0.82, 1.17, -1, -0.37, 1.17, 1.98, 1, -1.16, 1.32, -0.03,
    -0.28, 0.41, -0.94, -0.76};
static const int32_t label[] = {0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1};
static const int32_t class_of[] = {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 2, 0};
static const double target[] = {1.92, -6.09, 3.38, -2.61, 0.1, -1.21, 3.47, 2.55, 2.21, -1.56, -0.58, 0.24, 0.87, 1.89, 2.96,
    -2.55, -2.87, 4.8, 2.98, 1.17};
static const double times[] = {2, 7, 1, 1, 1, 1, 3, 1, 1, 1, 1, 3, 1, 3, 1, 2, 2, 1, 1, 2};
static const double event[] = {1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1};
static const double weight[] = {2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1};
static const double logistic[] = {0.735538032108, -0.810355023924, -0.647855517219, 0.046284817729};
static const double multinomial[] = {0.237557899729, -0.512495541683, -0.111838180027, 0.923453255332, -0.716003960304,
    0.632914613749, 0.186401832832, 0.689315783186, 0.478446060575, -0.120419072066, -0.074563652805, -1.612769038517};
static const double cox[] = {0.720366092616, 0.043713892290, 0.619393835540};
static const double ridge[] = {1.709474997911, 0.048171988740, -1.245243211222, 0.137238215927};

static mmli_glm table(mmli_glm_kind kind)
{
    static double ones[N];

    for (size_t i = 0; i < N; i++)
        ones[i] = 1;
    return (mmli_glm){.kind = kind,
                      .n = N,
                      .p = P,
                      .k = kind == MMLI_GLM_MULTINOMIAL ? K : 1,
                      .x = x,
                      .label = kind == MMLI_GLM_MULTINOMIAL ? class_of : label,
                      .y = kind == MMLI_GLM_COX ? times : target,
                      .event = event,
                      .w = kind == MMLI_GLM_LOGISTIC ? weight : ones};
}

START_TEST(coefficients_are_those_of_newtons_method)
{
    static const struct {
        mmli_glm_kind kind;
        const double *want;
        size_t n;
    } cases[] = {{MMLI_GLM_LOGISTIC, logistic, P + 1},
                 {MMLI_GLM_MULTINOMIAL, multinomial, K *(P + 1)},
                 {MMLI_GLM_COX, cox, P},
                 {MMLI_GLM_RIDGE, ridge, P + 1}};
    const mmli_glm g = table(cases[_i].kind);
    double beta[K * (P + 1)] = {0}, far[K * (P + 1)] = {0};

    mmlt_assert_ok(mmli_glm_fit(beta, &g, PENALTY));
    mmlt_assert_close_d(beta, cases[_i].want, cases[_i].n, TOLERANCE);
    /* from elsewhere, as on a path of penalties (the intercepts of a multinomial model keep their sum) */
    for (size_t j = 0; j < P; j++)
        far[j] = 3;
    mmlt_assert_ok(mmli_glm_fit(far, &g, PENALTY));
    mmlt_assert_close_d(far, cases[_i].want, cases[_i].n, TOLERANCE);
}
END_TEST

START_TEST(a_large_penalty_leaves_the_base_rate)
{
    const mmli_glm g = table(MMLI_GLM_LOGISTIC);
    double beta[P + 1] = {0}, ones = 0, all = 0;

    for (size_t i = 0; i < N; i++) {
        ones += weight[i] * label[i];
        all += weight[i];
    }
    mmlt_assert_ok(mmli_glm_fit(beta, &g, 1e6));
    for (size_t j = 0; j < P; j++)
        ck_assert_double_lt(fabs(beta[j]), 1e-5);
    ck_assert_double_lt(fabs(beta[P] - log(ones / (all - ones))), 1e-5);
}
END_TEST

/* A weight of 2 is two samples. */
START_TEST(weights_count_samples)
{
    mmli_glm g = table(MMLI_GLM_LOGISTIC), h;
    double xs[2 * N * P], ws[2 * N], a[P + 1] = {0}, b[P + 1] = {0};
    int32_t labels[2 * N];
    size_t n = 0;

    for (size_t i = 0; i < N; i++)
        for (double w = 0; w < weight[i]; w++, n++) {
            memcpy(xs + n * P, x + i * P, P * sizeof *xs);
            labels[n] = label[i];
            ws[n] = 1;
        }
    h = g;
    h.n = n;
    h.x = xs;
    h.label = labels;
    h.w = ws;
    mmlt_assert_ok(mmli_glm_fit(a, &g, PENALTY));
    mmlt_assert_ok(mmli_glm_fit(b, &h, PENALTY));
    mmlt_assert_close_d(a, b, P + 1, TOLERANCE);
}
END_TEST

START_TEST(without_an_event_there_is_nothing_to_fit)
{
    static const double none[N] = {0};
    mmli_glm g = table(MMLI_GLM_COX);
    double beta[P + 1] = {0};

    g.event = none;
    mmlt_assert_fails(mmli_glm_fit(beta, &g, PENALTY), MML_E_DATA, "no event");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baselines/glm");
    TCase *tc = tcase_create("glm");

    tcase_add_loop_test(tc, coefficients_are_those_of_newtons_method, 0, 4);
    tcase_add_test(tc, a_large_penalty_leaves_the_base_rate);
    tcase_add_test(tc, weights_count_samples);
    tcase_add_test(tc, without_an_event_there_is_nothing_to_fit);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
