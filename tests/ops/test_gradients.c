/* test_gradients.c - every gradient kernel against finite differences of its forward kernel, on every backend of the build, and on
 * the hidden one. */
#include <string.h>

#include "tests/ops/fd.h"

enum { KEY = 77, T = FD_TOKENS, SEGS = FD_SEGS };

static void act(fd *f) { FORWARD(f, act, f->y[0], f->x[0], 12, (mmli_act)f->c->kind); }
static void act_g(fd *f) { GRADIENT(f, act_grad, f->dx[0], f->y[0], f->dy[0], 12, (mmli_act)f->c->kind, true); }

static void gate(fd *f) { FORWARD(f, gate, f->y[0], f->x[0], 3, 4, (mmli_gate)f->c->kind); }
static void gate_g(fd *f) { GRADIENT(f, gate_grad, f->dx[0], f->x[0], f->dy[0], 3, 4, (mmli_gate)f->c->kind, true); }

static void drop(fd *f) { FORWARD(f, dropout, f->y[0], f->x[0], 20, 0.4f, KEY, 0); }
static void drop_g(fd *f) { GRADIENT(f, dropout_grad, f->dx[0], f->dy[0], 20, 0.4f, KEY, 0); }

static void alpha(fd *f) { FORWARD(f, alpha_dropout, f->y[0], f->x[0], 20, 0.4f, KEY, 0); }
static void alpha_g(fd *f) { GRADIENT(f, alpha_dropout_grad, f->dx[0], f->dy[0], 20, 0.4f, KEY, 0); }

static void repeat(fd *f) { FORWARD(f, repeat, f->y[0], f->x[0], 4, 5); }
static void repeat_g(fd *f) { GRADIENT(f, col_sum_grad, f->dx[0], f->dy[0], 4, 5); }

static void spread(fd *f) { FORWARD(f, spread, f->y[0], f->x[0], 2, 3, 4); }
static void spread_g(fd *f) { GRADIENT(f, spread_grad, f->dx[0], f->dy[0], 2, 3, 4); }

static void mean(fd *f) { FORWARD(f, group_mean, f->y[0], f->x[0], 2, 3, 4); }
static void mean_g(fd *f) { GRADIENT(f, group_mean_grad, f->dx[0], f->dy[0], 2, 3, 4); }

/* Rows 4, 0, 2 of five, each of three numbers. */
static mmli_mem *rows_402(fd *f)
{
    static const int32_t idx[] = {4, 0, 2};

    mmlt_assert_ok(f->dv->k.upload(f->dv, f->stats, idx, sizeof idx));
    return f->stats;
}

static void gather(fd *f) { FORWARD(f, gather, f->y[0], f->x[0], rows_402(f), 3, 3); }
static void gather_g(fd *f) { GRADIENT(f, scatter_grad, f->dx[0], f->dy[0], f->stats, 3, 3); }

static void scatter(fd *f)
{
    FORWARD(f, fill, f->y[0], 15, 0.0f);
    FORWARD(f, scatter, f->y[0], f->x[0], rows_402(f), 3, 3);
}
static void scatter_g(fd *f) { GRADIENT(f, gather_grad, f->dx[0], f->dy[0], f->stats, 3, 3); }

static void softmax(fd *f) { FORWARD(f, segment_softmax, f->y[0], f->x[0], f->off, SEGS, 3); }
static void softmax_g(fd *f) { GRADIENT(f, segment_softmax_grad, f->dx[0], f->y[0], f->dy[0], f->off, SEGS, 3); }

static void sum(fd *f) { FORWARD(f, segment_sum, f->y[0], f->x[0], f->x[1], f->off, SEGS, 3); }
static void sum_g(fd *f)
{
    GRADIENT(f, segment_sum_grad, f->dx[0], f->dx[1], f->x[0], f->x[1], f->dy[0], f->off, SEGS, 3);
}

static void plain_sum(fd *f) { FORWARD(f, segment_sum, f->y[0], NULL, f->x[0], f->off, SEGS, 3); }
static void plain_sum_g(fd *f)
{
    GRADIENT(f, segment_sum_grad, NULL, f->dx[0], NULL, f->x[0], f->dy[0], f->off, SEGS, 3);
}

static void segment_mean(fd *f) { FORWARD(f, segment_mean, f->y[0], f->x[0], f->off, SEGS, 3); }
static void segment_mean_g(fd *f) { GRADIENT(f, segment_mean_grad, f->dx[0], f->dy[0], f->off, SEGS, 3); }

static void dft(fd *f) { FORWARD(f, segment_dft_real, f->y[0], f->x[0], f->off, fd_off, SEGS, 3); }
static void dft_g(fd *f) { GRADIENT(f, segment_dft_real_grad, f->dx[0], f->dy[0], f->off, fd_off, SEGS, 3); }

/* Two heads of width 2; two queries a segment, or one a token. */
static void attention(fd *f)
{
    FORWARD(f, attention, f->y[0], f->stats, f->x[0], f->x[1], f->x[2], f->off, SEGS, 2, 2, 2, 0.8f,
            (mmli_query)f->c->kind);
}
static void attention_g(fd *f)
{
    GRADIENT(f, attention_grad, f->dx[0], f->dx[1], f->dx[2], f->y[0], f->stats, f->x[0], f->x[1], f->x[2], f->dy[0],
             f->off, SEGS, 2, 2, 2, 0.8f, (mmli_query)f->c->kind, false);
}

static void layernorm(fd *f)
{
    FORWARD(f, layernorm, f->y[0], f->stats, f->x[0], f->x[1], f->x[2], 3, 6, 1e-5f);
}
static void layernorm_g(fd *f)
{
    GRADIENT(f, layernorm_grad, f->dx[0], f->dx[1], f->dx[2], f->x[0], f->stats, f->x[1], f->dy[0], 3, 6);
}

/* Three rows of width 4, three hidden units; eps = 1: no row is so even that its LayerNorm bends within a step. */
static mmli_ff ff_of(fd *f)
{
    return (mmli_ff){.gamma = f->x[1], .beta = f->x[2], .w1 = f->x[3], .b1 = f->x[4], .w2 = f->x[5], .b2 = f->x[6],
                     .d = 4, .f = 3, .eps = 1, .p = f->c->kind ? 0.4f : 0, .key = KEY};
}
static void feed_forward(fd *f)
{
    const mmli_ff ff = ff_of(f);

    FORWARD(f, feed_forward, f->y[0], f->x[0], &ff, 3);
}
static void feed_forward_g(fd *f)
{
    const mmli_ff ff = ff_of(f);
    const mmli_ff_grad grad = {f->dx[0], f->dx[1], f->dx[2], f->dx[3], f->dx[4], f->dx[5], f->dx[6],
                               .add_x = true, .add = true};

    GRADIENT(f, feed_forward_grad, &grad, f->x[0], f->dy[0], &ff, 3);
}

static void columns(fd *f)
{
    FORWARD(f, col_normalise, f->y[0], f->y[1], f->stats, f->x[0], f->x[1], 2, 4, 3);
}
static void columns_g(fd *f)
{
    GRADIENT(f, col_normalise_grad, f->dx[0], f->dx[1], f->y[0], f->y[1], f->stats, f->dy[0], f->dy[1], 2, 4, 3);
}

/* L1: no forward kernel; the objective is 0.3 sum |x| as 0.3 x sign(x). */
static void l1(fd *f)
{
    float x[12], y[12];

    mmlt_download(x, f->dv, f->x[0], sizeof x);
    for (int i = 0; i < 12; i++)
        y[i] = x[i] < 0 ? -x[i] : x[i];
    mmlt_assert_ok(f->dv->k.upload(f->dv, f->y[0], y, sizeof y));
}
/* sum dy |x|: the kernel has one factor for all, so one element at a time */
static void l1_g(fd *f)
{
    float dy[12];

    mmlt_download(dy, f->dv, f->dy[0], sizeof dy);
    for (size_t i = 0; i < 12; i++)
        GRADIENT(f, l1_grad, mmli_at(f->dx[0], i), mmli_at(f->x[0], i), 1, dy[i]);
}

/* ---- losses: what a row needs besides its outputs lies in `stats` ------------------------------- */
enum { ROWS = 6 };

/* Int32 and float arrays one after the other: (label | order), (tie), event, w. */
static void labels(fd *f)
{
    static const int32_t label[ROWS] = {0, 3, 1, 2, 2, 0}, order[ROWS] = {3, 5, 1, 0, 2, 4};
    static const int32_t tie[ROWS] = {0, 2, 2, 3, 5, 5};
    static const float event[ROWS] = {1, 1, 0, 1, 0, 0}, w[ROWS] = {1, 0.5f, 2, 1.5f, 0, 1};
    mmli_device *dv = f->dv;

    mmlt_assert_ok(dv->k.upload(dv, f->stats, label, sizeof label));
    mmlt_assert_ok(dv->k.upload(dv, mmli_at(f->stats, 10), order, sizeof order));
    mmlt_assert_ok(dv->k.upload(dv, mmli_at(f->stats, 20), tie, sizeof tie));
    mmlt_assert_ok(dv->k.upload(dv, mmli_at(f->stats, 30), event, sizeof event));
    mmlt_assert_ok(dv->k.upload(dv, mmli_at(f->stats, 40), w, sizeof w));
}
static mmli_mem *label_of(fd *f) { return f->stats; }
static mmli_mem *order_of(fd *f) { return mmli_at(f->stats, 10); }
static mmli_mem *tie_of(fd *f) { return mmli_at(f->stats, 20); }
static mmli_mem *event_of(fd *f) { return mmli_at(f->stats, 30); }
static mmli_mem *weight_of(fd *f) { return mmli_at(f->stats, 40); }

static void cross_entropy(fd *f)
{
    labels(f);
    FORWARD(f, loss_cross_entropy, f->loss, NULL, f->x[0], label_of(f), weight_of(f), ROWS, 4);
}
static void cross_entropy_g(fd *f)
{
    GRADIENT(f, loss_cross_entropy, NULL, f->dx[0], f->x[0], label_of(f), weight_of(f), ROWS, 4);
}

static void survival(fd *f)
{
    labels(f);
    FORWARD(f, loss_survival_nll, f->loss, NULL, f->x[0], label_of(f), event_of(f), weight_of(f), ROWS, 4, 0.4f);
}
static void survival_g(fd *f)
{
    GRADIENT(f, loss_survival_nll, NULL, f->dx[0], f->x[0], label_of(f), event_of(f), weight_of(f), ROWS, 4, 0.4f);
}

static void cox(fd *f)
{
    labels(f);
    FORWARD(f, loss_cox, f->loss, NULL, f->x[0], order_of(f), tie_of(f), event_of(f), weight_of(f), ROWS);
}
static void cox_g(fd *f)
{
    GRADIENT(f, loss_cox, NULL, f->dx[0], f->x[0], order_of(f), tie_of(f), event_of(f), weight_of(f), ROWS);
}

static void squared(fd *f)
{
    labels(f);
    FORWARD(f, loss_squared, f->loss, NULL, f->x[0], event_of(f), weight_of(f), ROWS);
}
static void squared_g(fd *f)
{
    GRADIENT(f, loss_squared, NULL, f->dx[0], f->x[0], event_of(f), weight_of(f), ROWS);
}

static const fd_case cases[] = {
    {"act_grad, identity", {12}, {12}, 0, act, act_g, MMLI_ACT_IDENTITY},
    {"act_grad, relu", {12}, {12}, 0.125f, act, act_g, MMLI_ACT_RELU},
    {"act_grad, leaky", {12}, {12}, 0.125f, act, act_g, MMLI_ACT_LEAKY},
    {"act_grad, elu", {12}, {12}, 0.125f, act, act_g, MMLI_ACT_ELU},
    {"act_grad, selu", {12}, {12}, 0.125f, act, act_g, MMLI_ACT_SELU},
    {"act_grad, tanh", {12}, {12}, 0, act, act_g, MMLI_ACT_TANH},
    {"act_grad, sigmoid", {12}, {12}, 0, act, act_g, MMLI_ACT_SIGMOID},
    {"gate_grad, selu", {24}, {12}, 0.125f, gate, gate_g, MMLI_GATE_SELU},
    {"gate_grad, tanh sigmoid", {24}, {12}, 0, gate, gate_g, MMLI_GATE_TANH_SIGMOID},
    {"gate_grad, gelu", {24}, {12}, 0, gate, gate_g, MMLI_GATE_GELU},
    {"dropout_grad", {20}, {20}, 0, drop, drop_g, 0},
    {"alpha_dropout_grad", {20}, {20}, 0, alpha, alpha_g, 0},
    {"col_sum_grad of repeat", {5}, {20}, 0, repeat, repeat_g, 0},
    {"spread_grad", {8}, {24}, 0, spread, spread_g, 0},
    {"group_mean_grad", {24}, {8}, 0, mean, mean_g, 0},
    {"scatter_grad of gather", {15}, {9}, 0, gather, gather_g, 0},
    {"gather_grad of scatter", {9}, {15}, 0, scatter, scatter_g, 0},
    {"segment_softmax_grad", {3 * T}, {3 * T}, 0, softmax, softmax_g, 0},
    {"segment_sum_grad, weights", {T, 3 * T}, {3 * SEGS}, 0, sum, sum_g, 0},
    {"segment_sum_grad", {3 * T}, {3 * SEGS}, 0, plain_sum, plain_sum_g, 0},
    {"segment_mean_grad", {3 * T}, {3 * SEGS}, 0, segment_mean, segment_mean_g, 0},
    {"segment_dft_real_grad", {3 * T}, {3 * T}, 0, dft, dft_g, 0},
    {"attention_grad, shared", {8, 4 * T, 4 * T}, {8 * SEGS}, 0, attention, attention_g, MMLI_QUERY_SHARED},
    {"attention_grad, fixed", {8 * SEGS, 4 * T, 4 * T}, {8 * SEGS}, 0, attention, attention_g, MMLI_QUERY_FIXED},
    {"attention_grad, ragged", {4 * T, 4 * T, 4 * T}, {4 * T}, 0, attention, attention_g, MMLI_QUERY_RAGGED},
    {"layernorm_grad", {18, 6, 6}, {18}, 0, layernorm, layernorm_g, 0},
    {"feed_forward_grad", {12, 4, 4, 24, 6, 12, 4}, {12}, 0, feed_forward, feed_forward_g, 0},
    {"feed_forward_grad, dropout", {12, 4, 4, 24, 6, 12, 4}, {12}, 0, feed_forward, feed_forward_g, 1},
    {"col_normalise_grad, complex", {24, 24}, {24, 24}, 0, columns, columns_g, 0},
    {"col_normalise_grad, real", {24}, {24}, 0, columns, columns_g, 0},
    {"l1_grad", {12}, {12}, 0.125f, l1, l1_g, 0},
    {"loss_cross_entropy", {4 * ROWS}, {0}, 0, cross_entropy, cross_entropy_g, 0},
    {"loss_survival_nll", {4 * ROWS}, {0}, 0, survival, survival_g, 0},
    {"loss_cox", {ROWS}, {0}, 0, cox, cox_g, 0},
    {"loss_squared", {ROWS}, {0}, 0, squared, squared_g, 0},
};
enum { CASES = sizeof cases / sizeof *cases };

/* _i runs over the cases of each backend. */
START_TEST(a_gradient_kernel_gives_the_derivative_of_its_forward_kernel)
{
    mmli_device *dv = mmlt_device(_i / CASES, 1);

    fd_check(&cases[_i % CASES], dv);
    mmli_device_close(dv);
}
END_TEST

static bool has_derivative(const char *kernel)
{
    const size_t n = strlen(kernel);

    return strncmp(kernel, "loss_", 5) == 0 || (n > 5 && strcmp(kernel + n - 5, "_grad") == 0);
}

START_TEST(every_gradient_kernel_of_the_list_was_differentiated)
{
    static const char *const kernels[] = {
#define MML_KERNEL(kernel, args) #kernel,
#include "backends/kernels.def"
#undef MML_KERNEL
    };
    const char *called[CASES];
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    for (size_t i = 0; i < CASES; i++)
        called[i] = fd_check(&cases[i], dv);
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        bool seen = !has_derivative(kernels[k]);

        for (size_t i = 0; i < CASES; i++)
            seen = seen || strcmp(called[i], kernels[k]) == 0;
        ck_assert_msg(seen, "no case of test_gradients differentiates `%s`", kernels[k]);
    }
    mmli_device_close(dv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients of kernels");
    TCase *tc = tcase_create("finite differences");

    tcase_set_timeout(tc, 60); /* on the emulated GPU of a machine that has much else to do Check's 4 s are not enough */
    tcase_add_loop_test(tc, a_gradient_kernel_gives_the_derivative_of_its_forward_kernel, 0, CASES * mmlt_n_backends());
    tcase_add_test(tc, every_gradient_kernel_of_the_list_was_differentiated);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
