/* test_known_kernels.c - forward kernels on arrays small enough to be worked out by hand: what the
 * oracle itself must get right. _i runs over the backends. */
#include <math.h>

#include "tests/ops/bench.h"

/* Runs a kernel on a new y of the size of `want`, and compares. */
#define EXPECT(want, tol, kernel, ...)                                                             \
    do {                                                                                           \
        float got_[COUNT(want)] = {0};                                                             \
        mmli_mem *out_ = GIVE(got_);                                                                \
        RUN(kernel, out_, __VA_ARGS__);                                                            \
        TAKE(got_, out_);                                                                          \
        mmlt_assert_close(got_, want, COUNT(want), tol);                                           \
    } while (0)

START_TEST(activations_have_their_textbook_values)
{
    static const struct {
        mmli_act kind;
        float want[4];
    } rows[] = {
        {MMLI_ACT_IDENTITY, {-3, -0.5f, 0, 2}},
        {MMLI_ACT_RELU, {0, 0, 0, 2}},
        {MMLI_ACT_LEAKY, {-0.03f, -0.005f, 0, 2}},
        {MMLI_ACT_ELU, {-0.950212932f, -0.393469340f, 0, 2}},
        {MMLI_ACT_SELU, {-1.67056873f, -0.691758188f, 0, 2.10140197f}},
        {MMLI_ACT_TANH, {-0.995054754f, -0.462117157f, 0, 0.964027580f}},
        {MMLI_ACT_SIGMOID, {0.0474258732f, 0.377540669f, 0.5f, 0.880797078f}},
    };
    const float x[] = {-3, -0.5f, 0, 2};
    mmli_mem *m;

    begin(_i);
    m = GIVE(x);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(rows[i].want, MMLT_TOL_MATH, act, m, 4, rows[i].kind);
    end();
}
END_TEST

/* Halves of a row are [a g]: two rows of two numbers each. */
START_TEST(gates_multiply_the_first_half_with_the_function_of_the_second)
{
    const float z[] = {2, 3, 1, -0.5f, -1, 0.5f, 0, 2};
    const float selu[] = {2.10140197f, -2.07527456f, 0, 1.05070099f};
    const float tanh_sigmoid[] = {0.964027580f * 0.731058579f, 0.995054754f * 0.377540669f, -0.761594156f * 0.5f,
                                  0.462117157f * 0.880797078f};
    mmli_mem *m;

    begin(_i);
    m = GIVE(z);
    EXPECT(selu, MMLT_TOL_MATH, gate, m, 2, 2, MMLI_GATE_SELU);
    EXPECT(tanh_sigmoid, MMLT_TOL_MATH, gate, m, 2, 2, MMLI_GATE_TANH_SIGMOID);
    end();
}
END_TEST

/* a = (q + alpha'^2 q p)^(-1/2) with p = 1/2: 0.886405, alpha' = -1.758099, b = -a alpha' p = 0.779194 */
START_TEST(alpha_dropout_gives_dropped_units_one_value)
{
    float x[64], y[64];
    mmli_mem *mx, *my;
    int dropped = 0;

    begin(_i);
    for (int i = 0; i < 64; i++)
        x[i] = 3;
    mx = GIVE(x), my = GIVE(x);
    RUN(alpha_dropout, my, mx, 64, 0.5f, 99, 0);
    TAKE(y, my);
    for (int i = 0; i < 64; i++) {
        dropped += y[i] < 0;
        ck_assert_float_eq_tol(y[i], y[i] < 0 ? -0.77919393f : 0.88640489f * 3 + 0.77919393f, 2e-6f);
    }
    ck_assert(dropped > 10 && dropped < 54);
    end();
}
END_TEST

START_TEST(elementwise_kernels_do_as_their_names_say)
{
    const float a[] = {1, -2, 3}, b[] = {4, 5, -6}, y[] = {10, 20, 30};
    mmli_mem *ma, *mb;

    begin(_i);
    ma = GIVE(a), mb = GIVE(b);
    EXPECT(((const float[]){7, 7, 7}), MMLT_TOL_EXACT, fill, 3, 7.0f);
    EXPECT(((const float[]){5, 3, -3}), MMLT_TOL_EXACT, add, ma, mb, 3);
    EXPECT(((const float[]){4, -10, -18}), MMLT_TOL_EXACT, mul, ma, mb, 3);
    EXPECT(((const float[]){-2, 4, -6}), MMLT_TOL_EXACT, scale, ma, 3, -2.0f);
    {
        float got[3];
        mmli_mem *my = GIVE(y);

        RUN(mul_add, my, ma, mb, 3);
        RUN(axpy, my, ma, 3, 0.5f);
        RUN(l1_grad, my, mb, 3, 0.25f);
        TAKE(got, my);
        mmlt_assert_close(got, ((const float[]){14.75f, 9.25f, 13.25f}), 3, MMLT_TOL_EXACT);
    }
    end();
}
END_TEST

START_TEST(groups_and_picked_rows_go_where_they_belong)
{
    const float x[] = {1, 2, 3, 4, 5, 6};
    const int32_t idx[] = {2, 0};
    float got[6];
    mmli_mem *m, *index, *y;

    begin(_i);
    m = GIVE(x), index = GIVE(idx);
    EXPECT(((const float[]){1, 2, 3, 1, 2, 3}), MMLT_TOL_EXACT, repeat, m, 2, 3);
    EXPECT(((const float[]){1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}), MMLT_TOL_EXACT, spread, m, 2, 3, 2);
    EXPECT(((const float[]){3, 4}), MMLT_TOL_EXACT, group_mean, m, 1, 3, 2);
    EXPECT(((const float[]){2, 5}), MMLT_TOL_EXACT, group_mean, m, 2, 3, 1);
    EXPECT(((const float[]){5, 6, 1, 2}), MMLT_TOL_EXACT, gather, m, index, 2, 2);
    y = GIVE(x);
    RUN(scatter, y, m, index, 2, 2); /* y: rows 1, 2 of m in places 2, 0 */
    TAKE(got, y);
    mmlt_assert_close(got, ((const float[]){3, 4, 3, 4, 1, 2}), 6, MMLT_TOL_EXACT);
    RUN(scatter_grad, y, m, index, 2, 2);
    TAKE(got, y);
    mmlt_assert_close(got, ((const float[]){6, 8, 3, 4, 2, 4}), 6, MMLT_TOL_EXACT);
    end();
}
END_TEST

START_TEST(rows_of_weight_zero_are_left_alone)
{
    const float x[] = {1, 2, NAN, INFINITY, 5, 6}, w[] = {2, 0, -1}, y[] = {1, 1, 1, 1, 1, 1};
    float got[6];
    mmli_mem *my;

    begin(_i);
    my = GIVE(y);
    RUN(axpy_rows, my, GIVE(x), GIVE(w), 3, 2);
    TAKE(got, my);
    mmlt_assert_close(got, ((const float[]){3, 5, 1, 1, -4, -5}), 6, MMLT_TOL_EXACT);
    end();
}
END_TEST

START_TEST(segments_are_reduced_each_by_itself_and_empty_ones_give_zero)
{
    const int64_t off[] = {0, 0, 2, 3, 3};
    const float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, -1, 2};
    mmli_mem *m, *o;

    begin(_i);
    m = GIVE(x), o = GIVE(off);
    EXPECT(((const float[]){0, 0, 4, 6, 5, 6, 0, 0}), MMLT_TOL_EXACT, segment_sum, NULL, m, o, 4, 2);
    EXPECT(((const float[]){0, 0, -2, -2, 10, 12, 0, 0}), MMLT_TOL_EXACT, segment_sum, GIVE(w), m, o, 4, 2);
    EXPECT(((const float[]){0, 0, 2, 3, 5, 6, 0, 0}), MMLT_TOL_EXACT, segment_mean, m, o, 4, 2);
    EXPECT(((const float[]){4, 6, -2, -2, 5, 6}), MMLT_TOL_SUM, segment_dft_real, m, o, off, 4, 2);
    end();
}
END_TEST

/* Two heads of width 2. Head 0 reads the first number of a query against the first of a key, head 1 the
 * second against the second: keys are 0 and log 3 apart, so a query 1 weighs the second token 3/4, a
 * query 0 both alike, a query -1 the second 1/4. Values: 4 t + column. */
enum { H = 2, E = 2, W = H * E, T = 5 };
static const int64_t attended[] = {0, 2, 2, 4, 5};
static const float values[T * W] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

static void keys(float k[T * W])
{
    for (int t = 0; t < T; t++) {
        const float score = t % 2 ? 2 * logf(3) : 0; /* the scale is 1/2 */

        k[t * W] = k[t * W + 3] = score;
        k[t * W + 1] = k[t * W + 2] = 0;
    }
}

/* Queries (x, y): head 0 sees x in its first place, head 1 y in its second. */
#define QUERY(x, y) x, 7, 7, y
/* Values of token t, t + 1 mixed: head 0 with weight a of the second one, head 1 with b. */
#define MIXED(t, a, b) 4 * (t) + 4 * (a), 4 * (t) + 1 + 4 * (a), 4 * (t) + 2 + 4 * (b), 4 * (t) + 3 + 4 * (b)
#define NOTHING 0, 0, 0, 0

START_TEST(attention_with_shared_queries_asks_every_segment_the_same)
{
    const float q[] = {QUERY(1, 0), QUERY(-1, 1)};
    const float want[] = {MIXED(0, 0.75f, 0.5f), MIXED(0, 0.25f, 0.75f), NOTHING, NOTHING,
                          MIXED(2, 0.75f, 0.5f), MIXED(2, 0.25f, 0.75f), MIXED(4, 0, 0), MIXED(4, 0, 0)};
    const float want_lse[] = {logf(4), logf(2), logf(4 / 3.0f), logf(4), 0, 0, 0, 0,
                              logf(4), logf(2), logf(4 / 3.0f), logf(4), 0, 0, 0, 0};
    float k[T * W], lse[COUNT(want_lse)];
    mmli_mem *l;

    begin(_i);
    keys(k);
    l = GIVE(want_lse);
    EXPECT(want, MMLT_TOL_SUM, attention, l, GIVE(q), GIVE(k), GIVE(values), GIVE(attended), 4, 2, H, E, 0.5f,
           MMLI_QUERY_SHARED);
    TAKE(lse, l);
    mmlt_assert_close(lse, want_lse, COUNT(lse), MMLT_TOL_SUM);
    end();
}
END_TEST

START_TEST(attention_with_fixed_queries_asks_each_segment_its_own)
{
    const float q[] = {QUERY(1, 0), QUERY(0, 1),  QUERY(0, 1), QUERY(-1, -1),
                       QUERY(1, 1), QUERY(0, -1), QUERY(1, 1), QUERY(1, 0)};
    const float want[] = {MIXED(0, 0.75f, 0.5f),  MIXED(0, 0.5f, 0.75f), NOTHING,        NOTHING,
                          MIXED(2, 0.75f, 0.75f), MIXED(2, 0.5f, 0.25f), MIXED(4, 0, 0), MIXED(4, 0, 0)};
    float k[T * W];

    begin(_i);
    keys(k);
    EXPECT(want, MMLT_TOL_SUM, attention, NULL, GIVE(q), GIVE(k), GIVE(values), GIVE(attended), 4, 2, H, E, 0.5f,
           MMLI_QUERY_FIXED);
    end();
}
END_TEST

START_TEST(attention_with_ragged_queries_asks_for_every_token)
{
    const float q[] = {QUERY(1, 0), QUERY(0, 1), QUERY(1, 1), QUERY(-1, -1), QUERY(1, 1)};
    const float want[] = {MIXED(0, 0.75f, 0.5f), MIXED(0, 0.5f, 0.75f), MIXED(2, 0.75f, 0.75f),
                          MIXED(2, 0.25f, 0.25f), MIXED(4, 0, 0)};
    float k[T * W];

    begin(_i);
    keys(k);
    EXPECT(want, MMLT_TOL_SUM, attention, NULL, GIVE(q), GIVE(k), GIVE(values), GIVE(attended), 4, 0, H, E, 0.5f,
           MMLI_QUERY_RAGGED);
    end();
}
END_TEST

START_TEST(products_respect_transposes_gaps_and_factors)
{
    const float a[] = {1, 2, 3, 4, 5, 6};            /* (2, 3); or (3, 2) transposed */
    const float b[] = {1, 0, 2, -1, 0, 1};           /* (3, 2) */
    const float plain[] = {5, 1, 14, 1};             /* a b */
    const float ta[] = {1 + 6, -3 + 5, 2 + 8, -4 + 6}; /* a as (3, 2): a^T b */
    const float tb[] = {7, 2, 16, 2};                /* b as (2, 3): a b^T */
    const float bias[] = {10, 20}, with_bias[] = {17, 22, 26, 22};
    float c[] = {2, 1, 9, 1, -2, 9};
    mmli_mem *ma, *mb, *mc;

    begin(_i);
    ma = GIVE(a), mb = GIVE(b);
    {
        float got[4];

        mc = GIVE(got);
        RUN(gemm, false, false, 2, 2, 3, 1.0f, ma, 3, mb, 2, 0.0f, mc, 2);
        TAKE(got, mc);
        mmlt_assert_close(got, plain, 4, MMLT_TOL_EXACT);
        RUN(gemm, true, false, 2, 2, 3, 1.0f, ma, 2, mb, 2, 0.0f, mc, 2);
        TAKE(got, mc);
        mmlt_assert_close(got, ta, 4, MMLT_TOL_EXACT);
        RUN(gemm, false, true, 2, 2, 3, 1.0f, ma, 3, mb, 3, 0.0f, mc, 2);
        TAKE(got, mc);
        mmlt_assert_close(got, tb, 4, MMLT_TOL_EXACT);
        /* two products of rows of a with the same column vectors of b */
        RUN(gemm_batched, false, false, 1, 2, 3, 1.0f, ma, 3, 3, mb, 2, 0, 0.0f, mc, 2, 2, 2);
        TAKE(got, mc);
        mmlt_assert_close(got, plain, 4, MMLT_TOL_EXACT);
    }
    mc = GIVE(c);
    RUN(gemm, false, false, 2, 2, 3, 2.0f, ma, 3, mb, 2, -3.0f, mc, 3);
    TAKE(c, mc);
    mmlt_assert_close(c, ((const float[]){4, -1, 9, 25, 8, 9}), 6, MMLT_TOL_EXACT);
    EXPECT(with_bias, MMLT_TOL_EXACT, linear, ma, mb, GIVE(bias), 2, 3, 2);
    EXPECT(tb, MMLT_TOL_EXACT, linear, ma, mb, NULL, 2, 3, 2);
    end();
}
END_TEST

/* Rows 1, 3: mean 2, variance 1. eps = 3 makes rstd 1/2. */
START_TEST(layernorm_divides_by_the_biased_deviation)
{
    const float x[] = {1, 3}, gamma[] = {4, 6}, beta[] = {10, 20}, want[] = {8, 23}, want_stats[] = {2, 0.5f};
    float stats[2];
    mmli_mem *s;

    begin(_i);
    s = GIVE(want);
    EXPECT(want, MMLT_TOL_ROUND, layernorm, s, GIVE(x), GIVE(gamma), GIVE(beta), 1, 2, 3.0f);
    TAKE(stats, s);
    mmlt_assert_close(stats, want_stats, 2, MMLT_TOL_ROUND);
    end();
}
END_TEST

/* Columns (3, 4i) and (0, 0): norms 5 and 0. */
START_TEST(columns_are_divided_by_their_complex_norm)
{
    const float re[] = {3, 0, 0, 0}, im[] = {0, 0, 4, 0}, want_re[] = {0.6f, 0, 0, 0}, want_im[] = {0, 0, 0.8f, 0};
    float got_im[4], norm[2];
    mmli_mem *mi, *mn;

    begin(_i);
    mi = GIVE(re), mn = GIVE(norm);
    EXPECT(want_re, MMLT_TOL_ROUND, col_normalise, mi, mn, GIVE(re), GIVE(im), 1, 2, 2);
    TAKE(got_im, mi);
    TAKE(norm, mn);
    mmlt_assert_close(got_im, want_im, 4, MMLT_TOL_ROUND);
    mmlt_assert_close(norm, ((const float[]){5, 0}), 2, MMLT_TOL_ROUND);
    end();
}
END_TEST

/* i at place 1 of 4: exp(-2 pi i k / 4) i = i, 1, -i, -1 forward. */
START_TEST(transform_has_the_sign_it_is_asked_for)
{
    const float zero[4] = {0}, im[] = {0, 1, 0, 0}, forward_re[] = {0, 1, 0, -1}, inverse_re[] = {0, -1, 0, 1};
    const float want_im[] = {1, 0, -1, 0};
    float got[4];
    mmli_mem *xr, *xi, *yi;

    begin(_i);
    xr = GIVE(zero), xi = GIVE(im), yi = GIVE(zero);
    EXPECT(forward_re, MMLT_TOL_SUM, fft, yi, xr, xi, 1, 1, 4, MMLI_AXIS_D, -1, 1.0f);
    TAKE(got, yi);
    mmlt_assert_close(got, want_im, 4, MMLT_TOL_SUM);
    EXPECT(inverse_re, MMLT_TOL_SUM, fft, yi, xr, xi, 1, 4, 1, MMLI_AXIS_C, 1, 1.0f);
    TAKE(got, yi);
    mmlt_assert_close(got, want_im, 4, MMLT_TOL_SUM);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("known values of forward kernels");
    TCase *tc = tcase_create("on every backend");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, activations_have_their_textbook_values, 0, n);
    tcase_add_loop_test(tc, gates_multiply_the_first_half_with_the_function_of_the_second, 0, n);
    tcase_add_loop_test(tc, alpha_dropout_gives_dropped_units_one_value, 0, n);
    tcase_add_loop_test(tc, elementwise_kernels_do_as_their_names_say, 0, n);
    tcase_add_loop_test(tc, groups_and_picked_rows_go_where_they_belong, 0, n);
    tcase_add_loop_test(tc, rows_of_weight_zero_are_left_alone, 0, n);
    tcase_add_loop_test(tc, segments_are_reduced_each_by_itself_and_empty_ones_give_zero, 0, n);
    tcase_add_loop_test(tc, attention_with_shared_queries_asks_every_segment_the_same, 0, n);
    tcase_add_loop_test(tc, attention_with_fixed_queries_asks_each_segment_its_own, 0, n);
    tcase_add_loop_test(tc, attention_with_ragged_queries_asks_for_every_token, 0, n);
    tcase_add_loop_test(tc, products_respect_transposes_gaps_and_factors, 0, n);
    tcase_add_loop_test(tc, layernorm_divides_by_the_biased_deviation, 0, n);
    tcase_add_loop_test(tc, columns_are_divided_by_their_complex_norm, 0, n);
    tcase_add_loop_test(tc, transform_has_the_sign_it_is_asked_for, 0, n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
