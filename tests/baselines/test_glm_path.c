/* test_glm_path.c - a path of penalties finds what a fit of each finds, whatever the shape of the table. */
#include <math.h>
#include <string.h>

#include "baselines/glm.h"
#include "tests/support/mmlt.h"
#include "util/rng.h"

enum { MOST_N = 40, MOST_P = 90, K = 3 };
static const double penalties[] = {10, 1, 0.1, 0.01};
enum { PENALTIES = sizeof penalties / sizeof *penalties };

typedef struct table {
    mmli_glm g;
    double x[MOST_N * MOST_P], y[MOST_N], event[MOST_N], w[MOST_N];
    int32_t label[MOST_N];
} table;

typedef enum oddity { PLAIN = 0, SAME_COLUMNS, CONSTANT_COLUMNS, SAME_ROWS, ALL_CONSTANT, ODDITIES } oddity;

static const struct {
    size_t n, p;
} shapes[] = {{40, 5}, {40, 39}, {40, 40}, {40, 41}, {30, 90}, {1, 7}, {2, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Columns of mean 0 and sd 1, as the training gives them; of constant ones 0. */
static void standardise(table *t)
{
    const size_t n = t->g.n, p = t->g.p;

    for (size_t j = 0; j < p; j++) {
        double mean = 0, square = 0;

        for (size_t i = 0; i < n; i++)
            mean += t->x[i * p + j] / (double)n;
        for (size_t i = 0; i < n; i++)
            square += (t->x[i * p + j] - mean) * (t->x[i * p + j] - mean) / (double)n;
        for (size_t i = 0; i < n; i++)
            t->x[i * p + j] = square > 1e-12 ? (t->x[i * p + j] - mean) / sqrt(square) : 0;
    }
}

static void fill(table *t, mmli_glm_kind kind, size_t shape, oddity odd)
{
    const size_t n = shapes[shape].n, p = shapes[shape].p;
    const uint64_t key = mmli_rng_key(7, "glm-path", shape);

    memset(t, 0, sizeof *t);
    t->g = (mmli_glm){.kind = kind, .n = n, .p = p, .k = kind == MMLI_GLM_MULTINOMIAL ? K : 1};
    t->g.x = t->x;
    t->g.y = t->y;
    t->g.event = t->event;
    t->g.w = t->w;
    t->g.label = t->label;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            const size_t row = odd == SAME_ROWS ? i / 2 : i, column = odd == SAME_COLUMNS ? j / 3 : j;
            const bool constant = odd == ALL_CONSTANT || (odd == CONSTANT_COLUMNS && j % 2 == 0);

            t->x[i * p + j] = constant ? 3 : (double)mmli_rng_normal(key, row * MOST_P + column);
        }
    standardise(t);
    for (size_t i = 0; i < n; i++) {
        const double z = t->x[i * p] - (p > 1 ? t->x[i * p + 1] : 0) + (double)mmli_rng_normal(key, 1000000 + i);

        t->label[i] = kind == MMLI_GLM_MULTINOMIAL ? (z > -0.5) + (z > 0.5) : z > 0;
        t->y[i] = kind == MMLI_GLM_COX ? ceil(3 * exp(-z)) : z; /* whole times: many ties */
        t->event[i] = i % 3 > 0 || n == 1 ? 1 : 0;
        t->w[i] = i % 4 ? 1 : 2;
    }
}

/* Both end at a slope of 1e-9 (1 + largest coefficient) in each coefficient at most. The curvature is the penalty at least, but for
 * intercepts: q (1 - q), here 0.05 or more. */
static void assert_same(const double *got, const double *want, size_t n, double penalty)
{
    double most = 0, curvature = fmin(penalty, 0.05);

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(want[i]));
    for (size_t i = 0; i < n; i++)
        ck_assert_double_le(fabs(got[i] - want[i]), 2 * 1e-9 * (1 + most) * sqrt((double)n) / curvature);
}

START_TEST(each_minimum_is_that_of_a_fit_alone)
{
    const mmli_glm_kind kind = (mmli_glm_kind)(_i / ODDITIES);
    table t;

    for (size_t shape = 0; shape < SHAPES; shape++) {
        mmli_glm_path *path;

        fill(&t, kind, shape, (oddity)(_i % ODDITIES));
        mmlt_assert_ok(mmli_glm_path_open(&path, &t.g));
        for (size_t i = 0; i < PENALTIES; i++) {
            const size_t size = t.g.k * (t.g.p + 1);
            double got[K * (MOST_P + 1)], want[K * (MOST_P + 1)] = {0};

            memset(got, 0x55, sizeof got);
            mmlt_assert_ok(mmli_glm_path_fit(got, path, penalties[i]));
            mmlt_assert_ok(mmli_glm_fit(want, &t.g, penalties[i]));
            /* the intercept of one class alone has its minimum at infinity */
            if (shapes[shape].n > 2 || kind == MMLI_GLM_COX || kind == MMLI_GLM_RIDGE)
                assert_same(got, want, size, penalties[i]);
        }
        mmli_glm_path_close(path);
    }
}
END_TEST

/* What is not unique without a penalty, is at least a minimum: all samples are told apart. */
START_TEST(without_a_penalty_the_samples_are_told_apart)
{
    table t;
    mmli_glm_path *path;
    double beta[MOST_P + 1];

    fill(&t, MMLI_GLM_LOGISTIC, 4, PLAIN);
    mmlt_assert_ok(mmli_glm_path_open(&path, &t.g));
    mmlt_assert_ok(mmli_glm_path_fit(beta, path, 0));
    for (size_t i = 0; i < t.g.n; i++) {
        double z = beta[t.g.p];

        for (size_t j = 0; j < t.g.p; j++)
            z += beta[j] * t.x[i * t.g.p + j];
        ck_assert_int_eq(z > 0, t.label[i]);
    }
    mmli_glm_path_close(path);
}
END_TEST

START_TEST(the_same_path_gives_the_same_bits)
{
    double beta[2][MOST_P + 1];
    table t;

    fill(&t, MMLI_GLM_COX, 4, PLAIN);
    for (size_t time = 0; time < 2; time++) {
        mmli_glm_path *path;

        mmlt_assert_ok(mmli_glm_path_open(&path, &t.g));
        for (size_t i = 0; i < PENALTIES; i++)
            mmlt_assert_ok(mmli_glm_path_fit(beta[time], path, penalties[i]));
        mmli_glm_path_close(path);
    }
    ck_assert_mem_eq(beta[0], beta[1], sizeof beta[0]);
}
END_TEST

static int count_down(void *user)
{
    int *left = user;

    return --*left < 0;
}

/* The first answers come while the products of rows are made, the others at each step. */
START_TEST(a_path_stops_when_it_is_asked_to)
{
    double beta[MOST_P + 1] = {0};
    mmli_glm_path *path = NULL;
    table t;
    int left = 0;

    fill(&t, MMLI_GLM_COX, 4, PLAIN);
    t.g.stop = count_down;
    t.g.stop_user = &left;
    mmlt_assert_fails(mmli_glm_path_open(&path, &t.g), MML_E_STOPPED, "stopped");
    ck_assert_ptr_null(path);
    left = 1000;
    mmlt_assert_ok(mmli_glm_path_open(&path, &t.g));
    left = 12; /* past the second derivatives */
    mmlt_assert_fails(mmli_glm_path_fit(beta, path, 0.01), MML_E_STOPPED, "stopped");
    ck_assert_int_eq(left, -1);
    left = 2;
    mmlt_assert_fails(mmli_glm_fit(beta, &t.g, 0.01), MML_E_STOPPED, "stopped");
    ck_assert_int_eq(left, -1);
    mmli_glm_path_close(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baselines/glm_path");
    TCase *tc = tcase_create("path");

    tcase_add_loop_test(tc, each_minimum_is_that_of_a_fit_alone, 0, 4 * ODDITIES);
    tcase_add_test(tc, without_a_penalty_the_samples_are_told_apart);
    tcase_add_test(tc, the_same_path_gives_the_same_bits);
    tcase_add_test(tc, a_path_stops_when_it_is_asked_to);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
