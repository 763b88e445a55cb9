/* test_heads.c - weighted means of parameter vectors, spherical and linear (method.md 3). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lego/heads.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"

enum { N = 24, MOST = 4 };

typedef struct vectors {
    float x[MOST][N];
    const float *v[MOST];
} vectors;

static void draw(vectors *s, uint64_t key)
{
    for (size_t j = 0; j < MOST; j++) {
        mmlt_normal(s->x[j], N, key + j);
        s->v[j] = s->x[j];
    }
}

static double dot(const float *a, const float *b)
{
    double sum = 0;

    for (size_t i = 0; i < N; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double norm(const float *a)
{
    return sqrt(dot(a, a));
}

/* Scales a vector to a norm. */
static void resize(float *x, double to)
{
    const double by = to / norm(x);

    for (size_t i = 0; i < N; i++)
        x[i] = (float)((double)x[i] * by);
}

static void mean(float *out, const vectors *s, const double *w, size_t m, mml_head_method method)
{
    mmlt_assert_ok(mmli_vector_mean(out, s->v, w, m, N, method));
}

/* Between two vectors; acos would lose small angles. */
static double angle(const float *a, const float *b)
{
    double across = 0;

    for (size_t i = 0; i < N; i++) {
        const double x = (double)b[i] - dot(a, b) / dot(a, a) * (double)a[i];
        across += x * x;
    }
    return atan2(sqrt(across), dot(a, b) / norm(a));
}

/* The formula of method.md 3. */
static void closed_form(float *out, const float *a, const float *b, double mu)
{
    const double theta = angle(a, b), s = sin(theta);

    for (size_t i = 0; i < N; i++)
        out[i] = (float)((double)a[i] * sin((1 - mu) * theta) / s + (double)b[i] * sin(mu * theta) / s);
}

static void straight(float *out, const vectors *s, const double *w, size_t m)
{
    double total = 0;

    for (size_t j = 0; j < m; j++)
        total += w[j];
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t j = 0; j < m; j++)
            sum += w[j] / total * (double)s->x[j][i];
        out[i] = (float)sum;
    }
}

/* ---- two ----------------------------------------------------------------------------------------------- */

START_TEST(slerp_of_two_is_the_closed_form)
{
    static const double mus[] = {0.1, 0.3, 0.5, 0.9};
    vectors s;
    float got[N], want[N];

    for (uint64_t key = 0; key < 20; key++) {
        const double mu = mus[key % 4];

        draw(&s, 10 * key);
        mean(got, &s, (const double[]){1 - mu, mu}, 2, MML_HEAD_SLERP);
        closed_form(want, s.v[0], s.v[1], mu);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

START_TEST(slerp_of_equal_vectors_is_that_vector_to_the_bit)
{
    static const double weights[][MOST] = {{1, 1, 1, 1}, {0.3, 0.7, 0.1, 2}, {1e-9, 5, 3, 0}};
    vectors s;
    float got[N];

    draw(&s, 1);
    for (size_t j = 1; j < MOST; j++)
        s.v[j] = s.v[0];
    for (size_t k = 0; k < 3; k++)
        for (size_t m = 1; m <= MOST; m++)
            for (int method = MML_HEAD_SLERP; method <= MML_HEAD_LINEAR; method++) {
                mean(got, &s, weights[k], m, (mml_head_method)method);
                mmlt_assert_same_bits(got, s.v[0], sizeof got);
            }
}
END_TEST

START_TEST(quarter_turn_is_halved)
{
    vectors s = {{{0}}, {NULL}};
    float got[N], want[N] = {0};

    s.v[0] = s.x[0];
    s.v[1] = s.x[1];
    s.x[0][0] = 3;
    s.x[1][5] = 3;
    want[0] = want[5] = (float)(3 / sqrt(2));
    mean(got, &s, (const double[]){1, 1}, 2, MML_HEAD_SLERP);
    mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
}
END_TEST

START_TEST(vectors_of_one_line_are_interpolated_linearly)
{
    static const double ratios[] = {2, 0.25, -1, -3, 1 + 1e-7};
    const double w[] = {0.25, 0.75};
    vectors s;
    float got[N], want[N];

    draw(&s, 2);
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < N; i++)
            s.x[1][i] = (float)(ratios[k] * (double)s.x[0][i]);
        mean(got, &s, w, 2, MML_HEAD_SLERP);
        straight(want, &s, w, 2);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

/* Around the limit of sin theta = 1e-6 both ways agree to what floats can show; from some 1e-3 they do not. */
START_TEST(slerp_is_smooth_where_it_becomes_linear)
{
    static const double angles[] = {1e-7, 5e-7, 2e-6, 1e-5, 1e-4, 3e-3, 1e-2, 0.1};
    const double w[] = {0.4, 0.6};
    vectors s;
    float got[N], want[N];

    for (size_t k = 0; k < 8; k++) {
        draw(&s, 3);
        for (size_t i = 0; i < N; i++)
            s.x[1][i] = s.x[0][i] + (float)(angles[k] * (double)s.x[2][i]);
        mean(got, &s, w, 2, MML_HEAD_SLERP);
        if (angles[k] < 1e-3)
            straight(want, &s, w, 2);
        else
            closed_form(want, s.v[0], s.v[1], w[1]);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

START_TEST(zero_vector_is_interpolated_linearly)
{
    const double w[] = {0.3, 0.5, 0.2};
    vectors s;
    float got[N], want[N];

    draw(&s, 4);
    memset(s.x[1], 0, sizeof s.x[1]);
    for (size_t m = 2; m <= 3; m++) {
        mean(got, &s, w, m, MML_HEAD_SLERP);
        straight(want, &s, w, m);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

/* The head of a task with one output has a bias of one number. */
START_TEST(vectors_of_one_element_have_a_mean)
{
    const float a[] = {2}, b[] = {-6}, c[] = {4};
    float got[1];

    mmlt_assert_ok(mmli_vector_mean(got, (const float *const[]){a, c}, (const double[]){1, 1}, 2, 1, MML_HEAD_SLERP));
    ck_assert_float_eq(got[0], 3);
    mmlt_assert_ok(mmli_vector_mean(got, (const float *const[]){a, b}, (const double[]){3, 1}, 2, 1, MML_HEAD_SLERP));
    ck_assert_float_eq(got[0], 0);
}
END_TEST

/* ---- weights ------------------------------------------------------------------------------------------------ */

START_TEST(block_of_weight_zero_does_not_count)
{
    vectors s;
    float got[N], want[N];

    draw(&s, 5);
    for (size_t i = 0; i < N; i++)
        s.x[2][i] = NAN; /* not even looked at */
    for (int method = MML_HEAD_SLERP; method <= MML_HEAD_LINEAR; method++) {
        mean(got, &s, (const double[]){0.3, 0.7, 0}, 3, (mml_head_method)method);
        mean(want, &s, (const double[]){0.3, 0.7}, 2, (mml_head_method)method);
        mmlt_assert_same_bits(got, want, sizeof got);
        mean(got, &s, (const double[]){0, 1, 0}, 3, (mml_head_method)method);
        mmlt_assert_same_bits(got, s.v[1], sizeof got);
    }
}
END_TEST

START_TEST(only_ratios_of_weights_matter)
{
    vectors s;
    float got[N], want[N];

    draw(&s, 6);
    for (size_t m = 2; m <= MOST; m++)
        for (int method = MML_HEAD_SLERP; method <= MML_HEAD_LINEAR; method++) {
            mean(got, &s, (const double[]){1, 2, 3, 0.5}, m, (mml_head_method)method);
            mean(want, &s, (const double[]){8, 16, 24, 4}, m, (mml_head_method)method);
            mmlt_assert_same_bits(got, want, sizeof got);
        }
}
END_TEST

START_TEST(weights_without_a_positive_finite_sum_are_refused)
{
    static const double bad[][2] = {{0, 0}, {-1, 0}, {INFINITY, 1}, {NAN, 0}};
    vectors s;
    float got[N];

    draw(&s, 7);
    for (size_t k = 0; k < 4; k++)
        mmlt_assert_fails(mmli_vector_mean(got, s.v, bad[k], 2, N, MML_HEAD_SLERP), MML_E_ARG, "weights");
}
END_TEST

START_TEST(linear_mean_is_the_weighted_sum)
{
    const double w[] = {1, 2, 3, 4};
    vectors s;
    float got[N], want[N];

    draw(&s, 8);
    for (size_t m = 2; m <= MOST; m++) {
        mean(got, &s, w, m, MML_HEAD_LINEAR);
        straight(want, &s, w, m);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

/* ---- more than two -------------------------------------------------------------------------------------------- */

/* Three of which two are equal are two: the spherical mean meets the closed form where norms are equal. */
START_TEST(spherical_mean_of_many_agrees_with_the_closed_form_of_two)
{
    vectors s;
    float got[N], want[N];

    for (uint64_t key = 0; key < 10; key++) {
        draw(&s, 100 + 10 * key);
        resize(s.x[0], 2.5);
        resize(s.x[1], 2.5);
        memcpy(s.x[2], s.x[1], sizeof s.x[2]);
        mean(got, &s, (const double[]){0.4, 0.25, 0.35}, 3, MML_HEAD_SLERP);
        closed_form(want, s.v[0], s.v[1], 0.6);
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

START_TEST(order_of_the_vectors_does_not_matter)
{
    static const size_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const double w[] = {0.2, 0.5, 0.3};
    vectors s;
    float got[N], want[N];

    for (uint64_t key = 0; key < 10; key++) {
        draw(&s, 200 + 10 * key);
        mean(want, &s, w, 3, MML_HEAD_SLERP);
        for (size_t k = 0; k < 5; k++) {
            const float *v[3];
            double permuted[3];
            for (size_t j = 0; j < 3; j++) {
                v[j] = s.v[orders[k][j]];
                permuted[j] = w[orders[k][j]];
            }
            mmlt_assert_ok(mmli_vector_mean(got, v, permuted, 3, N, MML_HEAD_SLERP));
            mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
        }
        mean(want, &s, w, 2, MML_HEAD_SLERP);
        mmlt_assert_ok(mmli_vector_mean(got, (const float *const[]){s.v[1], s.v[0]}, (const double[]){w[1], w[0]}, 2, N,
                                        MML_HEAD_SLERP));
        mmlt_assert_close(got, want, N, MMLT_TOL_ROUND);
    }
}
END_TEST

/* The Frechet mean is where the weighted logarithms of the directions cancel; its length is the weighted mean of norms. */
START_TEST(logarithms_at_the_spherical_mean_cancel)
{
    const double w[] = {0.1, 0.2, 0.3, 0.4};
    vectors s;
    float mu[N];

    for (uint64_t key = 0; key < 10; key++) {
        double size, expected = 0, rest[N] = {0};

        draw(&s, 300 + 10 * key);
        mean(mu, &s, w, MOST, MML_HEAD_SLERP);
        size = norm(mu);
        for (size_t j = 0; j < MOST; j++) {
            const double c = dot(mu, s.v[j]) / (size * norm(s.v[j])), theta = acos(c);

            expected += w[j] * norm(s.v[j]);
            for (size_t i = 0; i < N; i++)
                rest[i] += w[j] * theta / sin(theta) * ((double)s.x[j][i] / norm(s.v[j]) - c * (double)mu[i] / size);
        }
        ck_assert_double_eq_tol(size, expected, 1e-6 * expected);
        for (size_t i = 0; i < N; i++)
            ck_assert_double_eq_tol(rest[i], 0, 1e-6); /* mu is rounded to float32 */
    }
}
END_TEST

START_TEST(directions_that_cancel_or_oppose_give_finite_numbers)
{
    vectors s = {{{0}}, {NULL}};
    float got[N];

    for (size_t j = 0; j < 3; j++) {
        s.v[j] = s.x[j];
        s.x[j][0] = (float)cos(2 * 3.14159265358979 * (double)j / 3);
        s.x[j][1] = (float)sin(2 * 3.14159265358979 * (double)j / 3);
    }
    mean(got, &s, (const double[]){1, 1, 1}, 3, MML_HEAD_SLERP);
    for (size_t i = 0; i < N; i++)
        ck_assert(isfinite(got[i]));
    draw(&s, 9);
    for (size_t i = 0; i < N; i++)
        s.x[1][i] = -s.x[0][i];
    mean(got, &s, (const double[]){2, 1, 1}, 3, MML_HEAD_SLERP);
    for (size_t i = 0; i < N; i++)
        ck_assert(isfinite(got[i]));
}
END_TEST

START_TEST(mean_without_memory_fails_cleanly)
{
    vectors s;
    float got[N];
    mml_status st = MML_E_NOMEM;
    uint64_t k = 0;

    draw(&s, 10);
    while (st != MML_OK) {
        ck_assert_uint_lt(++k, 20);
        mmli_alloc_fail_at(k);
        st = mmli_vector_mean(got, s.v, (const double[]){1, 1, 1}, 3, N, MML_HEAD_SLERP);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
    }
    ck_assert_uint_gt(k, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/heads");
    TCase *tc = tcase_create("heads");

    tcase_add_test(tc, slerp_of_two_is_the_closed_form);
    tcase_add_test(tc, slerp_of_equal_vectors_is_that_vector_to_the_bit);
    tcase_add_test(tc, quarter_turn_is_halved);
    tcase_add_test(tc, vectors_of_one_line_are_interpolated_linearly);
    tcase_add_test(tc, slerp_is_smooth_where_it_becomes_linear);
    tcase_add_test(tc, zero_vector_is_interpolated_linearly);
    tcase_add_test(tc, vectors_of_one_element_have_a_mean);
    tcase_add_test(tc, block_of_weight_zero_does_not_count);
    tcase_add_test(tc, only_ratios_of_weights_matter);
    tcase_add_test(tc, weights_without_a_positive_finite_sum_are_refused);
    tcase_add_test(tc, linear_mean_is_the_weighted_sum);
    tcase_add_test(tc, spherical_mean_of_many_agrees_with_the_closed_form_of_two);
    tcase_add_test(tc, order_of_the_vectors_does_not_matter);
    tcase_add_test(tc, logarithms_at_the_spherical_mean_cancel);
    tcase_add_test(tc, directions_that_cancel_or_oppose_give_finite_numbers);
    tcase_add_test(tc, mean_without_memory_fails_cleanly);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
