/* test_differences.c - gradients of whole architectures against differences of the objective (tests/lego/slopes.h): of every
 * parameter tensor, and of the tokens; and that samples do not see each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/baselines/net.h"
#include "tests/lego/slopes.h"
#include "util/rng.h"

typedef struct net_case {
    mml_baseline_kind kind;
    size_t n;
    mml_modality_kind kinds[RIG_MOST];
} net_case;

static const net_case cases[] = {
    {MML_BASELINE_SNN, 1, {MML_TABLE}},
    {MML_BASELINE_ABMIL, 1, {MML_BAG}},
    {MML_BASELINE_PERCEIVER, 1, {MML_BAG}},
    {MML_BASELINE_PERCEIVER, 3, {MML_TABLE, MML_BAG, MML_SERIES}},
    {MML_BASELINE_MULTIMODN, 1, {MML_TABLE}},
    {MML_BASELINE_MULTIMODN, 3, {MML_TABLE, MML_BAG, MML_SERIES}},
    {MML_BASELINE_LATE_CONCAT, 2, {MML_TABLE, MML_BAG}},
    {MML_BASELINE_LATE_CONCAT, 3, {MML_TABLE, MML_BAG, MML_SERIES}},
    {MML_BASELINE_LATE_BILINEAR, 2, {MML_TABLE, MML_BAG}},
    {MML_BASELINE_LATE_BILINEAR, 3, {MML_TABLE, MML_BAG, MML_SERIES}},
    {MML_BASELINE_MCAT, 2, {MML_TABLE, MML_BAG}},
    {MML_BASELINE_MCAT, 3, {MML_TABLE, MML_BAG, MML_TABLE}},
    {MML_BASELINE_MCAT, 3, {MML_BAG, MML_TABLE, MML_SERIES}},
    {MML_BASELINE_HEALNET, 1, {MML_SERIES}},
    {MML_BASELINE_HEALNET, 3, {MML_TABLE, MML_BAG, MML_SERIES}},
};
enum { CASES = sizeof cases / sizeof *cases, B = 5 };

static const size_t widths[RIG_MOST] = {5, 4, 3};
/* (modalities, B): 0, 1 and many tokens; sample 3 has the first alone, sample 4 nothing of it. */
static const size_t tokens[RIG_MOST * B] = {1, 1, 1, 1, 0, 4, 1, 0, 0, 3, 2, 6, 1, 0, 0};
static const size_t bag_tokens[B] = {3, 0, 1, 6, 2};

static mml_baseline_options small(mml_baseline_kind kind)
{
    mml_baseline_options o;

    mmlt_assert_ok(mml_baseline_options_init(&o, kind));
    o.width = o.reduction ? 32 : o.width ? 8 : 0; /* vectors become narrower by the reduction */
    o.hidden = o.hidden ? 10 : 0;
    o.layers = o.layers ? 2 : 0;
    o.latent_c = o.latent_c ? 3 : 0;
    o.latent_d = o.latent_d ? 4 : 0;
    o.head_width = o.head_width ? 3 : 0;
    o.self_heads = o.self_heads ? 2 : 0;
    o.dropout = 0;
    return o;
}

static void make_data(rig_data *d, const net_case *c)
{
    rig_data_make(d, c->n, B, widths, c->n == 1 && c->kinds[0] != MML_TABLE ? bag_tokens : tokens, 31);
}

/* ---- slopes ---------------------------------------------------------------------------------------------------- */

typedef struct place {
    net *t;
    rig_data *d;
    int mode;
    size_t i; /* a parameter, or behind them the tokens of a modality */
} place;

static bool is_param(const place *p)
{
    return p->i < p->t->params->n;
}

static void put(void *user, const float *x)
{
    const place *p = user;
    const size_t m = p->i - p->t->params->n;

    if (is_param(p))
        mmlt_assert_ok(mmli_params_set(p->t->params, p->i, x));
    else
        memcpy(p->d->values[m], x, (size_t)p->d->offsets[m][B] * p->d->width[m] * sizeof *x);
}

static double objective(void *user)
{
    const place *p = user;
    net_result r;
    double f;

    net_run(&r, p->t, p->d, p->mode);
    f = r.objective;
    net_result_free(&r);
    return f;
}

static double check_place(place *p, const net_result *got, double whole, const char **name)
{
    const size_t m = p->i - p->t->params->n;
    slope_place here = {.user = p, .put = put, .objective = objective};
    float *x;
    double off;

    *name = is_param(p) ? p->t->params->list[p->i].name : "the tokens";
    if (!is_param(p) && !got->dx[m])
        return 0; /* joined: the gradient is that of other rows */
    here.n = is_param(p) ? p->t->params->list[p->i].rows * p->t->params->list[p->i].cols : got->n_x[m];
    here.g = is_param(p) ? got->grads + p->t->params->list[p->i].at : got->dx[m];
    here.x = x = calloc(here.n, sizeof *x);
    if (is_param(p))
        mmlt_assert_ok(mmli_params_get(x, p->t->params, p->i));
    else
        memcpy(x, p->d->values[m], here.n * sizeof *x);
    off = slope_gap(&here, *name, whole);
    free(x);
    return off;
}

/* Checks the places whose off is above 1 (all, to begin with); gives the largest. */
static double check_places(net *t, rig_data *d, int mode, double *off, const char **worst_name)
{
    const size_t n = t->params->n + (t->b->n > 1 && t->b->o.kind == MML_BASELINE_PERCEIVER ? 0 : d->m);
    net_result got;
    double worst = 0;

    net_run(&got, t, d, mode | MMLI_RECORD);
    for (size_t i = 0; i < n; i++) {
        place p = {.t = t, .d = d, .mode = mode, .i = i};
        const char *name;

        if (off[i] <= 1)
            continue;
        off[i] = check_place(&p, &got, slope_norm(got.grads, got.n_params), &name);
        if (off[i] > worst) {
            worst = off[i];
            *worst_name = name;
        }
    }
    net_result_free(&got);
    return worst;
}

static void check_all(const net_case *c, int backend, int mode)
{
    mml_baseline_options o = small(c->kind);
    double off[512], worst = HUGE_VAL;
    const char *name = "";
    char worst_name[128] = "";
    rig_data d;
    net t;

    if (mode & MMLI_TRAINING)
        o.dropout = 0.25;
    make_data(&d, c);
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        off[i] = HUGE_VAL;
    for (uint64_t draw = 0; draw < SLOPE_DRAWS && worst > 1; draw++) {
        for (size_t i = 0; i < d.m; i++)
            mmlt_normal(d.values[i], (size_t)d.offsets[i][B] * d.width[i], mmli_rng_key(draw, "tokens", i));
        /* other parameters, too: units that see a missing modality alone are near their kinks whatever the tokens */
        net_open(&t, backend, 1, draw, &o, c->kinds, widths, c->n, RIG_OUTPUTS);
        ck_assert_uint_le(t.params->n + c->n, sizeof off / sizeof *off);
        worst = check_places(&t, &d, mode, off, &name);
        snprintf(worst_name, sizeof worst_name, "%s", name);
        net_close(&t);
    }
    ck_assert_msg(worst <= 1, "%s of %zu%s: gradient and slope by %s differ by %.3g times what is allowed",
                  mml_baseline_name(c->kind), c->n, mode & MMLI_TRAINING ? ", dropout" : "", worst_name, worst);
    rig_data_free(&d);
}

START_TEST(gradients_are_slopes)
{
    check_all(&cases[_i % CASES], _i / CASES, 0);
    check_all(&cases[_i % CASES], _i / CASES, MMLI_TRAINING);
}
END_TEST

/* ---- samples ----------------------------------------------------------------------------------------------------- */

START_TEST(a_sample_is_predicted_alone_as_among_others)
{
    const net_case *c = &cases[_i];
    const mml_baseline_options o = small(c->kind);
    rig_data d, one;
    net_result all, alone;
    net t;

    make_data(&d, c);
    net_open(&t, 0, 1, 1, &o, c->kinds, widths, c->n, RIG_OUTPUTS);
    net_run(&all, &t, &d, 0);
    for (size_t b = 0; b < B; b++) {
        rig_data_pick(&one, &d, &b, 1);
        net_run(&alone, &t, &one, 0);
        ck_assert_uint_eq(alone.n_logits, RIG_OUTPUTS);
        mmlt_assert_close(alone.logits, all.logits + b * RIG_OUTPUTS, RIG_OUTPUTS, MMLT_TOL_SUM);
        net_result_free(&alone);
        rig_data_free(&one);
    }
    net_result_free(&all);
    net_close(&t);
    rig_data_free(&d);
}
END_TEST

START_TEST(the_order_of_the_tokens_of_a_bag_does_not_matter)
{
    static const size_t bag[1] = {5};
    const net_case *c = &cases[_i];
    const mml_baseline_options o = small(c->kind);
    const mml_modality_kind kind = MML_BAG;
    float turned[5 * 5];
    rig_data d;
    net_result a, b;
    net t;

    if (c->n > 1)
        return;
    rig_data_make(&d, 1, 1, widths, bag, 33);
    net_open(&t, 0, 1, 1, &o, &kind, widths, 1, RIG_OUTPUTS);
    net_run(&a, &t, &d, 0);
    for (size_t i = 0; i < 5; i++)
        memcpy(turned + 5 * i, d.values[0] + 5 * (4 - i), 5 * sizeof *turned);
    memcpy(d.values[0], turned, sizeof turned);
    net_run(&b, &t, &d, 0);
    mmlt_assert_close(b.logits, a.logits, RIG_OUTPUTS, MMLT_TOL_SUM);
    net_result_free(&a);
    net_result_free(&b);
    net_close(&t);
    rig_data_free(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baselines/differences");
    TCase *tc = tcase_create("differences");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, gradients_are_slopes, 0, CASES * mmlt_n_backends());
    tcase_add_loop_test(tc, a_sample_is_predicted_alone_as_among_others, 0, CASES);
    tcase_add_loop_test(tc, the_order_of_the_tokens_of_a_bag_does_not_matter, 0, CASES);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
