/* test_differences.c - gradients of whole blocks and fuses against differences of the objective (rig.h): of every parameter
 * tensor, and of the tokens of every modality, as slopes.h says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lego/coders.h"
#include "tests/lego/rig.h"
#include "tests/lego/slopes.h"
#include "util/rng.h"

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

static void put(void *user, const float *x)
{
    const place *p = user;

    if (p->is_param)
        mmlt_assert_ok(mmli_params_set(p->r->params, p->i, x));
    else
        memcpy(p->d->values[p->i], x, p->n * sizeof *x);
}

static double objective(void *user)
{
    const place *p = user;

    return rig_objective(p->r, p->d, p->mode);
}

static double check(place *p, const char *name, double whole)
{
    const slope_place here = {.user = p, .put = put, .objective = objective, .n = p->n, .x = p->x, .g = p->g};

    return slope_gap(&here, name, whole);
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
        off[i] = check(&p, is_param ? r->params->list[i].name : "tokens", slope_norm(got.grads, got.n_params));
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
    for (uint64_t draw = 0; draw < SLOPE_DRAWS && worst > 1; draw++) {
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
