/* train_rig.c - see train_rig.h. */
#include "tests/unit/train_rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/rng.h"

typedef struct rig_data {
    float *labs, *vitals;
    int64_t labs_off[RIG_N + 1], vitals_off[RIG_N + 1];
    double code[RIG_N], time[RIG_N];
    uint8_t event[RIG_N];
} rig_data;

static bool in_test(size_t i)
{
    return i % 4 == 3;
}

/* A hidden severity decides the label; both modalities show it through noise of their own. */
static void fill(rig_data *d, const rig_spec *spec)
{
    const double factor = spec->factor > 0 ? spec->factor : 1, rare = spec->rare > 0 ? spec->rare : 0.5;
    size_t labs = 0, vitals = 0;

    for (size_t i = 0; i < RIG_N; i++) {
        const uint64_t salt = spec->other_test && in_test(i) ? 1000 : 0;
        const uint64_t key = mmli_rng_key(7 + salt, "rig", i);
        const double severity = (double)mmli_rng_normal(key, 0);
        const bool bad = (double)mmli_rng_uniform(mmli_rng_key(key, "rare", 0), 0) < rare;
        const double z = (bad ? 1.5 : -1.5) + 0.3 * severity;
        const size_t tokens = (size_t)mmli_rng_below(key, 9, RIG_MOST + 1);

        d->code[i] = bad;
        d->time[i] = 10 * exp(-0.5 * z) * (0.5 + (double)mmli_rng_uniform(key, 20));
        d->event[i] = mmli_rng_uniform(key, 21) < 0.7f;
        d->labs_off[i] = (int64_t)labs;
        d->vitals_off[i] = (int64_t)vitals;
        if (i % 7 != 6) {
            for (size_t j = 0; j < RIG_WIDTH; j++)
                d->labs[labs * RIG_WIDTH + j] = (float)(factor * (z * (j < 3 ? 0.5 : 0) + (double)mmli_rng_normal(key, 30 + j)));
            labs++;
        }
        for (size_t t = 0; t < tokens; t++, vitals++)
            for (size_t j = 0; j < RIG_WIDTH; j++)
                d->vitals[vitals * RIG_WIDTH + j] =
                    j == 5 && t % 2 ? NAN : (float)(z * (j < 2 ? 0.7 : 0) + (double)mmli_rng_normal(key, 60 + 6 * t + j));
    }
    d->labs_off[RIG_N] = (int64_t)labs;
    d->vitals_off[RIG_N] = (int64_t)vitals;
}

static void add_sets(mmlt_cohort *made)
{
    const hsize_t n = RIG_N;
    const char *sets[RIG_N];
    const hid_t group = H5Gcreate2(made->file, "columns", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &n, NULL), type = H5Tcopy(H5T_C_S1);
    hid_t set;

    for (size_t i = 0; i < RIG_N; i++)
        sets[i] = in_test(i) ? "b" : "a";
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    set = H5Dcreate2(group, "set", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, sets), 0);
    H5Dclose(set);
    H5Tclose(type);
    H5Sclose(space);
    H5Gclose(group);
}

mml_cohort *rig_cohort(mmlt_cohort *made, const rig_spec *spec)
{
    static const rig_spec standard = {0};
    static const char *const classes[] = {"0", "1"};
    rig_data *d = calloc(1, sizeof *d);

    ck_assert_ptr_nonnull(d);
    spec = spec ? spec : &standard;
    d->labs = calloc(RIG_N * RIG_WIDTH, sizeof *d->labs);
    d->vitals = calloc(RIG_N * RIG_MOST * RIG_WIDTH, sizeof *d->vitals);
    fill(d, spec);
    mmlt_cohort_begin(made, RIG_N, NULL);
    mmlt_cohort_modality(made, "labs", "table", d->labs, d->labs_off, RIG_WIDTH, NULL, 0, NULL);
    mmlt_cohort_modality(made, "vitals", "series", d->vitals, d->vitals_off, RIG_WIDTH, NULL, 0, NULL);
    if (spec->survival)
        mmlt_cohort_survival(made, "outcome", "months", d->time, d->event);
    else
        mmlt_cohort_classes(made, "outcome", "binary", classes, 2, d->code);
    add_sets(made);
    free(d->labs);
    free(d->vitals);
    free(d);
    return mmlt_cohort_open(made);
}

mml_block_options rig_block(mml_encoder_kind encoder)
{
    mml_block_options o;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, NULL, MML_TABLE, MML_BINARY));
    o.latent_c = 8;
    o.latent_d = 8;
    o.heads = 2;
    o.head_width = 4;
    o.encoder = encoder;
    o.encoder_width = 16;
    o.encoder_layers = 2;
    o.dropout = 0.1;
    return o;
}

mml_train_options rig_options(void)
{
    mml_train_options o;

    mmlt_assert_ok(mml_train_options_init(&o, NULL, MML_TABLE, MML_BINARY));
    o.epochs = 6;
    o.batch = 16;
    o.learning_rate = 3e-3;
    o.warmup = 5;
    o.threads = 2;
    o.seed = 3;
    o.weight_folds = 0; /* test_train_cross.c has them */
    o.split.train = "set=a";
    o.split.test = "set=b";
    return o;
}

mml_model *rig_train(mml_cohort *cohort, const char *modality, const mml_train_options *o)
{
    const mml_block_options block = rig_block(strcmp(modality, "labs") == 0 ? MML_ENCODER_SNN : MML_ENCODER_NONE);
    mml_model *model = NULL;

    mmlt_assert_ok(mml_train_block(&model, cohort, modality, "outcome", &block, NULL, NULL, o));
    return model;
}

void rig_same_parameters(const mml_model *a, const mml_model *b)
{
    ck_assert_uint_eq(a->params->n, b->params->n);
    for (size_t i = 0; i < a->params->n; i++) {
        const size_t n = a->params->list[i].rows * a->params->list[i].cols;
        float *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);

        ck_assert_str_eq(a->params->list[i].name, b->params->list[i].name);
        mmlt_assert_ok(mmli_params_get(x, a->params, i));
        mmlt_assert_ok(mmli_params_get(y, b->params, i));
        mmlt_assert_same_bits_at(__FILE__, __LINE__, a->params->list[i].name, x, y, n * sizeof *x);
        free(x);
        free(y);
    }
}

double rig_score(const mml_model *model, mml_cohort *cohort, const char *on)
{
    mml_evaluate_options eo;
    mml_evaluation e;

    mml_evaluate_options_init(&eo);
    eo.on = on;
    eo.bootstrap = 0;
    mmlt_assert_ok(mml_evaluate(&e, model, cohort, &eo));
    return e.metrics[0].value;
}

int rig_count(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    rig_counts *c = user;
    const uint64_t now = c->device ? mmlt_hidden_allocs() : mmli_alloc_count();

    (void)steps;
    if (!epoch && epoch_now >= c->from_epoch && step > 1) {
        c->steps++;
        c->grew += now != c->last;
    }
    c->last = now;
    return 0;
}
