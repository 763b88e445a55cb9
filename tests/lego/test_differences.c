/* test_differences.c - gradients of whole blocks and fuses against differences of the objective (rig.h).
 *
 * Of every parameter tensor, and of the tokens of every modality, the slope along directions u in the space of all its
 * elements is compared: half the gradient itself (a strong signal), half random (every element takes part).
 *     s(h) = (f(x + h u) - f(x - h u)) / 2 h,   |u| = 1,   slope = (4 s(h/2) - s(h)) / 3
 * f is a double made of float32 outputs. What is between slope and gradient when all is right:
 * - rounding of the outputs, some 1e-7 in f, which 1/h makes larger: NOISE times the gradient of all parameters together;
 * - h^4 times a fifth derivative, and kinks of SELU, ReLU and LeakyReLU between x - h u and x + h u, each of which moves the
 *   slope by its share of it. Both vanish with h, and most directions meet no kink that matters.
 * So h = 2^-5 .. 2^-9 are tried, the nearest slope counts, and the median of three directions is held to ERROR times the
 * gradient of the tensor. Where a unit happens to sit within 2^-9 of its kink, no h helps: then other tokens are drawn, up
 * to three times. A wrong factor or a forgotten term is there for every h, in every direction and for all tokens, and is of
 * the size of the gradient itself.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lego/coders.h"
#include "tests/lego/rig.h"
#include "util/rng.h"

#define ERROR 1e-3
#define NOISE 2e-5
enum { DIRECTIONS = 3, STEPS = 5, DRAWS = 3 };
static const double widest = 0x1p-5;

/* An array that the objective depends on: parameter i, or the tokens of modality i. */
typedef struct place {
    rig *r;
    rig_data *d;
    int mode;
    bool is_param;
    size_t i, n;
    float *x;       /* (n) host, as it is */
    const float *g; /* (n) */
} place;

static void put(const place *p, const float *x)
{
    if (p->is_param)
        mmlt_assert_ok(mmli_params_set(p->r->params, p->i, x));
    else
        memcpy(p->d->values[p->i], x, p->n * sizeof *x);
}

static double norm(const float *x, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += (double)x[i] * (double)x[i];
    return sqrt(s);
}

/* Measured minus predicted slope over the step h; both for the places really reached in float32. */
static double gap(const place *p, const double *u, double h)
{
    float *plus = calloc(p->n, sizeof *plus), *minus = calloc(p->n, sizeof *minus);
    double predicted = 0, f;

    for (size_t i = 0; i < p->n; i++) {
        plus[i] = (float)((double)p->x[i] + h * u[i]);
        minus[i] = (float)((double)p->x[i] - h * u[i]);
        predicted += (double)p->g[i] * ((double)plus[i] - (double)minus[i]);
    }
    put(p, plus);
    f = rig_objective(p->r, p->d, p->mode);
    put(p, minus);
    f -= rig_objective(p->r, p->d, p->mode);
    put(p, p->x);
    free(plus);
    free(minus);
    return (f - predicted) / (2 * h);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double nearest_gap(const place *p, const double *u)
{
    double before = gap(p, u, widest), least = HUGE_VAL;

    for (int i = 1; i < STEPS; i++) {
        const double now = gap(p, u, ldexp(widest, -i));
        least = fmin(least, fabs(4 * now - before) / 3);
        before = now;
    }
    return least;
}

static double median_gap(const place *p, double size, uint64_t key)
{
    double gaps[DIRECTIONS], *u = calloc(p->n, sizeof *u);

    for (size_t k = 0; k < DIRECTIONS; k++) {
        double len = 0;

        for (size_t i = 0; i < p->n; i++) {
            u[i] = (double)mmli_rng_normal(key + k, i) / sqrt((double)p->n);
            u[i] += size > 0 ? (double)p->g[i] / size : 0;
            len += u[i] * u[i];
        }
        for (size_t i = 0; i < p->n; i++)
            u[i] /= sqrt(len);
        gaps[k] = nearest_gap(p, u);
    }
    free(u);
    qsort(gaps, DIRECTIONS, sizeof *gaps, ascending);
    return gaps[DIRECTIONS / 2];
}

/* The gap in units of what is allowed. A gradient of exactly 0 says that f does not depend on x at all. */
static double check(const place *p, const char *name, double whole)
{
    const double size = norm(p->g, p->n);

    if (size == 0) {
        double *u = calloc(p->n, sizeof *u), off;
        for (size_t i = 0; i < p->n; i++)
            u[i] = (i % 3 ? 1 : -1) / sqrt((double)p->n);
        off = fabs(gap(p, u, 1));
        free(u);
        return off / (NOISE * whole);
    }
    return median_gap(p, size, mmli_rng_key(1, name, 0)) / (ERROR * size + NOISE * whole);
}

/* Checks the places whose off is above 1 (all, to begin with); gives the largest. Places: parameters, then modalities. */
static double check_places(rig *r, rig_data *d, int mode, double *off, const char **name)
{
    rig_result got;
    double worst = 0;

    rig_run(&got, r, d, mode | MMLI_RECORD);
    for (size_t i = 0; i < r->params->n + r->m; i++) {
        const bool is_param = i < r->params->n;
        place p = {.r = r, .d = d, .mode = mode, .is_param = is_param, .i = is_param ? i : i - r->params->n};

        p.n = is_param ? r->params->list[i].rows * r->params->list[i].cols : got.n_x[p.i];
        p.g = is_param ? got.grads + r->params->list[i].at : got.dx[p.i];
        ck_assert_msg(p.g || p.n == 0, "the tokens of modality %zu got no gradient", p.i);
        if (off[i] <= 1 || p.n == 0 || (is_param && r->params->list[i].dead))
            continue;
        p.x = calloc(p.n, sizeof *p.x);
        if (is_param)
            mmlt_assert_ok(mmli_params_get(p.x, r->params, i));
        else
            memcpy(p.x, d->values[p.i], p.n * sizeof *p.x);
        off[i] = check(&p, is_param ? r->params->list[i].name : "tokens", norm(got.grads, got.n_params));
        if (off[i] > worst) {
            worst = off[i];
            *name = is_param ? r->params->list[i].name : "the tokens";
        }
        free(p.x);
    }
    rig_free(&got);
    return worst;
}

static void check_all(rig *r, rig_data *d, int mode, const char *what)
{
    double *off = calloc(r->params->n + r->m, sizeof *off), worst = HUGE_VAL;
    const char *name = "";

    for (size_t i = 0; i < r->params->n + r->m; i++)
        off[i] = HUGE_VAL;
    for (uint64_t draw = 0; draw < DRAWS && worst > 1; draw++) {
        for (size_t i = 0; i < d->m; i++)
            mmlt_normal(d->values[i], (size_t)d->offsets[i][d->B] * d->width[i], mmli_rng_key(draw, what, i));
        worst = check_places(r, d, mode, off, &name);
    }
    free(off);
    ck_assert_msg(worst <= 1, "%s: gradient and slope by %s differ by %.3g times what is allowed", what, name, worst);
}

/* ---- blocks ----------------------------------------------------------------------------------------------- */

typedef struct block_case {
    const char *name, *preset;
    mml_encoder_kind encoder;
    int coder; /* of MML_ENCODER_CUSTOM */
    const mmli_cross_plan *plan;
} block_case;

static const mmli_cross_plan folded_pieces = {.folded = true, .piece = 2}, projected_pieces = {.folded = false, .piece = 2};

static const block_case block_cases[] = {{"paper none", "paper", MML_ENCODER_NONE, 0, NULL},
                                         {"paper linear", "paper", MML_ENCODER_LINEAR, 0, NULL},
                                         {"paper snn", "paper", MML_ENCODER_SNN, 0, NULL},
                                         {"paper abmil", "paper", MML_ENCODER_ABMIL, 0, NULL},
                                         {"paper selfattn", "paper", MML_ENCODER_SELFATTN, 0, NULL},
                                         {"paper embedding", "paper", MML_ENCODER_EMBEDDING, 0, NULL},
                                         {"custom ops", "paper", MML_ENCODER_CUSTOM, 0, NULL},
                                         {"custom ops pooled", "paper", MML_ENCODER_CUSTOM, 1, NULL},
                                         {"custom host", "paper", MML_ENCODER_CUSTOM, 2, NULL},
                                         {"custom host pooled", "paper", MML_ENCODER_CUSTOM, 3, NULL},
                                         {"upstream raw", "upstream", MML_ENCODER_SELFATTN, 0, NULL},
                                         {"upstream snn", "upstream", MML_ENCODER_SNN, 0, NULL},
                                         {"upstream abmil", "upstream", MML_ENCODER_ABMIL, 0, NULL},
                                         {"mmlego linear", "mmlego", MML_ENCODER_LINEAR, 0, NULL},
                                         {"folded in pieces", "paper", MML_ENCODER_NONE, 0, &folded_pieces},
                                         {"projected in pieces", "paper", MML_ENCODER_SNN, 0, &projected_pieces}};
enum { N_BLOCKS = sizeof block_cases / sizeof *block_cases };

/* 0, 1 and many tokens a sample. */
static const size_t ragged[] = {3, 0, 1, 6}, single[] = {1, 0, 1, 1};

static void run_block(const block_case *c, mml_block_options o, const size_t *tokens, int mode, int backend)
{
    static const size_t width[] = {4};
    rig r;
    rig_data d;
    char what[96];

    if (mode & MMLI_TRAINING) {
        o.dropout = 0.3;
        o.encoder_dropout = 0.25;
    }
    snprintf(what, sizeof what, "%s, %s tokens%s", c->name, tokens == single ? "single" : "ragged",
             mode & MMLI_TRAINING ? ", dropout" : "");
    rig_data_make(&d, 1, 4, width, tokens, 21);
    rig_open(&r, backend, 1);
    rig_add(&r, &o, width[0], o.encoder == MML_ENCODER_CUSTOM ? coder(c->coder) : NULL);
    rig_build(&r);
    r.block[0].plan = c->plan;
    check_all(&r, &d, mode, what);
    rig_close(&r);
    rig_data_free(&d);
}

START_TEST(gradients_of_blocks_are_slopes)
{
    const block_case *c = &block_cases[_i % N_BLOCKS];
    const mml_block_options o = rig_options(c->preset, c->encoder, 3, 4, 2);

    run_block(c, o, ragged, 0, _i / N_BLOCKS);
    run_block(c, o, single, 0, _i / N_BLOCKS);
    run_block(c, o, ragged, MMLI_TRAINING, _i / N_BLOCKS);
}
END_TEST

/* _i runs over the backends. */
START_TEST(gradients_of_the_ablations_are_slopes)
{
    static const block_case names[] = {{.name = "spatial"}, {.name = "drop"}, {.name = "shared steps"}, {.name = "1-D"}};
    mml_block_options o = rig_options("paper", MML_ENCODER_NONE, 3, 4, 2);

    o.transform = MML_TRANSFORM_SPATIAL;
    run_block(&names[0], o, ragged, 0, _i);
    o = rig_options("upstream", MML_ENCODER_SNN, 3, 4, 2);
    o.drop_imaginary = 1;
    run_block(&names[1], o, ragged, 0, _i);
    o = rig_options("paper", MML_ENCODER_ABMIL, 3, 4, 3);
    o.share_steps = 1;
    run_block(&names[2], o, ragged, MMLI_TRAINING, _i);
    o = rig_options("upstream", MML_ENCODER_SELFATTN, 3, 4, 2);
    o.normalise_latent = 0;
    run_block(&names[3], o, ragged, 0, _i);
}
END_TEST

/* ---- fuses ------------------------------------------------------------------------------------------------ */

typedef struct fuse_case {
    const char *name, *preset;
    mml_fuse_mode mode;
} fuse_case;

static const fuse_case fuse_cases[] = {{"paper stack", "paper", MML_FUSE_STACK},
                                       {"paper weave", "paper", MML_FUSE_WEAVE},
                                       {"upstream stack", "upstream", MML_FUSE_STACK},
                                       {"upstream weave", "upstream", MML_FUSE_WEAVE}};
enum { N_FUSES = sizeof fuse_cases / sizeof *fuse_cases };

START_TEST(gradients_of_fuses_are_slopes)
{
    static const mml_encoder_kind encoders[] = {MML_ENCODER_LINEAR, MML_ENCODER_ABMIL, MML_ENCODER_NONE};
    static const size_t width[] = {5, 3, 4}, steps[] = {1, 2, 2};
    static const size_t tokens[] = {1, 0, 1, 0, 2, 4, 0, 0, 1, 3, 2, 0};
    const fuse_case *c = &fuse_cases[_i % N_FUSES];

    for (int training = 0; training < 2; training++) {
        rig r;
        rig_data d;
        char what[64];

        rig_data_make(&d, 3, 4, width, tokens, 22);
        rig_open(&r, _i / N_FUSES, 1);
        for (size_t i = 0; i < 3; i++) {
            mml_block_options o = rig_options(c->preset, encoders[i], 3, 4, steps[i]);
            o.dropout = 0.3;
            o.encoder_dropout = 0.25;
            rig_add(&r, &o, width[i], NULL);
        }
        r.order[0] = 1;
        r.order[1] = 0;
        rig_fuse(&r, c->mode);
        rig_build(&r);
        snprintf(what, sizeof what, "%s%s", c->name, training ? ", dropout" : "");
        check_all(&r, &d, training ? MMLI_TRAINING : 0, what);
        rig_close(&r);
        rig_data_free(&d);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/differences");
    TCase *tc = tcase_create("differences");
    const int n = mmlt_n_backends();

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, gradients_of_blocks_are_slopes, 0, N_BLOCKS * n);
    tcase_add_loop_test(tc, gradients_of_the_ablations_are_slopes, 0, n);
    tcase_add_loop_test(tc, gradients_of_fuses_are_slopes, 0, N_FUSES * n);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
