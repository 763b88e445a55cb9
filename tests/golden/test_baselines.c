/* test_baselines.c - other architectures against the original code: logits, loss, gradients of every parameter and of the
 * tokens, on every backend. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/late.h"
#include "tests/baselines/net.h"
#include "tests/golden/gold.h"

enum { MOST_PAIRS = 256, NAME = 160 };

/* One parameter of ours is one of theirs, or a part of its rows or columns. */
typedef struct pair {
    char ours[NAME], theirs[NAME];
    size_t row, col;      /* of theirs, where ours begins */
    size_t their_cols;    /* 0 = as many as ours */
    size_t their_times;   /* so many times our rows; 0 = 1 */
    size_t our_row, rows; /* the part of ours; rows 0 = all */
} pair;

typedef struct pairs {
    pair list[MOST_PAIRS];
    size_t n;
} pairs;

__attribute__((format(printf, 2, 3))) static void text(char out[NAME], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ck_assert_int_lt(vsnprintf(out, NAME, format, args), NAME);
    va_end(args);
}

static pair *add(pairs *p, const char *ours, const char *theirs)
{
    pair *q = &p->list[p->n++];

    ck_assert_uint_lt(p->n, MOST_PAIRS);
    *q = (pair){.row = 0};
    text(q->ours, "baseline.%s", ours);
    text(q->theirs, "%s", theirs);
    return q;
}

/* Gives the pair of the weights. */
static pair *add_both(pairs *p, const char *ours, const char *theirs)
{
    char a[NAME], b[NAME];

    text(a, "%s.weight", ours);
    text(b, "%s.weight", theirs);
    add(p, a, b);
    text(a, "%s.bias", ours);
    text(b, "%s.bias", theirs);
    add(p, a, b);
    return &p->list[p->n - 2];
}

/* One of two vectors of a width that theirs concatenates. */
static void half(pair *q, size_t width, bool second)
{
    q->their_cols = 2 * width;
    q->col = second ? width : 0;
}

/* kv: rows of keys, then as many of values */
static void add_attention(pairs *p, const char *ours, const char *theirs, bool context, size_t inner)
{
    static const char *const parts[][2] = {{"norm", "norm"}, {"out", "fn.to_out.0"}, {"context_norm", "norm_context"}};
    char a[NAME], b[NAME];
    pair *q;

    for (size_t i = 0; i < (context ? 3 : 2); i++) {
        text(a, "%s.%s", ours, parts[i][0]);
        text(b, "%s.%s", theirs, parts[i][1]);
        add_both(p, a, b);
    }
    text(a, "%s.query.weight", ours);
    text(b, "%s.fn.to_q.weight", theirs);
    add(p, a, b);
    text(b, "%s.fn.to_kv.weight", theirs);
    text(a, "%s.key.weight", ours);
    add(p, a, b)->their_times = 2;
    text(a, "%s.value.weight", ours);
    q = add(p, a, b);
    q->row = inner;
    q->their_times = 2;
}

static void add_feed_forward(pairs *p, const char *ours, const char *theirs)
{
    static const char *const parts[][2] = {{"norm", "norm"}, {"in", "fn.net.0"}, {"out", "fn.net.2"}};
    char a[NAME], b[NAME];

    for (size_t i = 0; i < 3; i++) {
        text(a, "%s.%s", ours, parts[i][0]);
        text(b, "%s.%s", theirs, parts[i][1]);
        add_both(p, a, b);
    }
}

static void latent_pairs(pairs *p, const mml_baseline_options *o, size_t modalities)
{
    const bool healnet = o->kind == MML_BASELINE_HEALNET;
    char a[NAME], b[NAME];

    add(p, "latent", "latents");
    add_both(p, "head.norm", "to_logits.1");
    add_both(p, "head.linear", "to_logits.2");
    for (size_t i = 0; i < o->depth; i++) {
        for (size_t m = 0; m < (healnet ? modalities : 1); m++) {
            char where[NAME] = "";

            if (healnet)
                text(where, "inputs.m%zu.", m);
            text(a, "%slayers.%zu.cross", where, i);
            text(b, "layers.%zu.%zu", i, 2 * m);
            add_attention(p, a, b, true, o->cross_heads * o->head_width);
            text(a, "%slayers.%zu.cross_ff", where, i);
            text(b, "layers.%zu.%zu", i, 2 * m + 1);
            add_feed_forward(p, a, b);
        }
        text(a, "layers.%zu.self.0", i);
        text(b, "layers.%zu.%s", i, healnet ? "4.0" : "2.0.0");
        add_attention(p, a, b, false, o->self_heads * o->head_width);
        text(a, "layers.%zu.self_ff.0", i);
        text(b, "layers.%zu.%s", i, healnet ? "4.1" : "2.0.1");
        add_feed_forward(p, a, b);
    }
}

static void bilinear_pairs(pairs *p, const char *ours, const char *theirs, size_t width)
{
    char a[NAME], b[NAME];

    for (int i = 0; i < 2; i++) {
        text(a, "%s.h%d", ours, i);
        text(b, "%slinear_h%d.0", theirs, i + 1);
        add_both(p, a, b);
        text(a, "%s.o%d", ours, i);
        text(b, "%slinear_o%d.0", theirs, i + 1);
        add_both(p, a, b);
        text(a, "%s.z%d.0", ours, i);
        text(b, "%slinear_z%d.0", theirs, i + 1);
        half(add_both(p, a, b), width, false);
        text(a, "%s.z%d.1.weight", ours, i);
        text(b, "%slinear_z%d.0.weight", theirs, i + 1);
        half(add(p, a, b), width, true);
    }
    text(a, "%s.hidden", ours);
    text(b, "%sencoder1.0", theirs);
    add_both(p, a, b);
    text(a, "%s.out", ours);
    text(b, "%sencoder2.0", theirs);
    add_both(p, a, b);
}

/* Theirs also have classifiers of the encoders, which nothing reads. */
static void late_pairs(pairs *p, const mml_baseline_options *o)
{
    static const char *const bag[][2] = {{"fc", "attention_net.0"}, {"score", "attention_net.3.attention_c"}, {"rho", "rho.0"}};
    static const char *const ends[] = {"weight", "bias"};
    char a[NAME], b[NAME];

    for (size_t i = 0; i < o->layers; i++) {
        text(a, "inputs.m0.encoder.fc%zu", i);
        text(b, "m.tab_enc.fc_omic.%zu.0", i);
        add_both(p, a, b);
    }
    for (size_t i = 0; i < 3; i++) {
        text(a, "inputs.m1.encoder.%s", bag[i][0]);
        text(b, "m.img_enc.%s", bag[i][1]);
        add_both(p, a, b);
    }
    for (int gate = 0; gate < 2; gate++)
        for (int e = 0; e < 2; e++) {
            pair *q;

            text(a, "inputs.m1.encoder.gate.%s", ends[e]);
            text(b, "m.img_enc.attention_net.3.attention_%c.0.%s", gate ? 'b' : 'a', ends[e]);
            q = add(p, a, b);
            q->our_row = gate ? o->width : 0;
            q->rows = o->width;
        }
    if (o->kind == MML_BASELINE_LATE_BILINEAR) {
        bilinear_pairs(p, "inputs.m1.fusion", "m.fusion.", o->width);
        add_both(p, "head", "m.head");
        return;
    }
    half(add_both(p, "head.0", "m.head.0"), o->width, false);
    half(add(p, "head.1.weight", "m.head.0.weight"), o->width, true);
}

/* ---- the numbers of a pair ------------------------------------------------------------------------------------ */

/* Theirs into their place in ours, a whole parameter; gives how many, and where they begin. Biases are rows of one. */
static size_t place(float *ours, const mmli_param *p, const float *theirs, size_t total, const pair *q, size_t *at)
{
    const bool vector = p->rows == 1 && (p->role == MMLI_ROLE_BIAS || p->role == MMLI_ROLE_NORM);
    const size_t cols = vector ? 1 : p->cols, all = vector ? p->cols : p->rows, rows = q->rows ? q->rows : all;
    const size_t their_cols = q->their_cols ? q->their_cols : cols;

    ck_assert_msg(rows * (q->their_times ? q->their_times : 1) * their_cols == total, "%s has %zu values", q->theirs, total);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            ours[(q->our_row + r) * cols + c] = theirs[(q->row + r) * their_cols + q->col + c];
    *at = q->our_row * cols;
    return rows * cols;
}

static size_t index_of(const net *t, const pair *q)
{
    size_t i = 0;

    mmlt_assert_ok(mmli_params_find(&i, t->params, q->ours));
    return i;
}

/* Gives how many numbers of ours were set. */
static size_t load(net *t, const gold *g, const pairs *p)
{
    size_t set = 0;

    for (size_t i = 0; i < p->n; i++) {
        const size_t index = index_of(t, &p->list[i]);
        const mmli_param *param = &t->params->list[index];
        float *ours = calloc(param->rows * param->cols, sizeof *ours), *theirs;
        char path[NAME];
        size_t total, at;

        text(path, "params/%s", p->list[i].theirs);
        theirs = gold_floats(g, path, &total);
        mmlt_assert_ok(mmli_params_get(ours, t->params, index));
        set += place(ours, param, theirs, total, &p->list[i], &at);
        mmlt_assert_ok(mmli_params_set(t->params, index, ours));
        free(ours);
        free(theirs);
    }
    return set;
}

static double largest(const float *x, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

/* A bias under a softmax has no gradient: what is there is rounding, 1e-6 of the largest of the model. */
static void compare_grads(const net *t, const gold *g, const pairs *p, const net_result *got, double *worst)
{
    const double all = largest(got->grads, got->n_params);

    for (size_t i = 0; i < p->n; i++) {
        const mmli_param *param = &t->params->list[index_of(t, &p->list[i])];
        const size_t size = param->rows * param->cols;
        float *want = calloc(size, sizeof *want), *theirs;
        const float *ours = got->grads + param->at;
        char path[NAME];
        size_t total, at, n;

        text(path, "grads/%s", p->list[i].theirs);
        theirs = gold_floats(g, path, &total);
        n = place(want, param, theirs, total, &p->list[i], &at);
        if (largest(want + at, n) <= 1e-6 * all)
            ck_assert_msg(largest(ours + at, n) <= 1e-6 * all, "%s should vanish", path);
        else {
            mmlt_assert_close_at(__FILE__, __LINE__, path, ours + at, want + at, n, MMLT_TOL_GOLDEN);
            *worst = fmax(*worst, mmlt_relative_error(ours + at, want + at, n));
        }
        free(want);
        free(theirs);
    }
}

static void compare(const gold *g, const char *path, const float *got, size_t n, double *worst)
{
    size_t total;
    float *want = gold_floats(g, path, &total);

    ck_assert_uint_eq(total, n);
    mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
    *worst = fmax(*worst, mmlt_relative_error(got, want, n));
    free(want);
}

/* ---- cases ------------------------------------------------------------------------------------------------------ */

/* Tokens x0, x1, ... of equal number, and labels. */
static void read_data(rig_data *d, const gold *g, size_t m, const size_t *width)
{
    size_t n;
    int64_t *labels = gold_ints(g, "inputs/labels", &n);

    *d = (rig_data){.m = m, .B = n, .label = calloc(n, sizeof *d->label)};
    for (size_t b = 0; b < n; b++)
        d->label[b] = (int32_t)labels[b];
    for (size_t i = 0; i < m; i++) {
        char path[NAME];

        text(path, "inputs/x%zu", i);
        d->values[i] = gold_floats(g, path, &n);
        d->width[i] = width[i];
        d->offsets[i] = calloc(d->B + 1, sizeof *d->offsets[i]);
        for (size_t b = 0; b <= d->B; b++)
            d->offsets[i][b] = (int64_t)(b * n / width[i] / d->B);
    }
    free(labels);
}

typedef struct golden_case {
    const char *file;
    mml_baseline_kind kind;
    size_t m, width[2];
} golden_case;

static const golden_case cases[] = {{"perceiver", MML_BASELINE_PERCEIVER, 1, {12, 0}},
                                    {"healnet", MML_BASELINE_HEALNET, 2, {30, 16}},
                                    {"late_fusion_concat", MML_BASELINE_LATE_CONCAT, 2, {30, 16}},
                                    {"late_fusion_bilinear", MML_BASELINE_LATE_BILINEAR, 2, {30, 16}}};
enum { CASES = sizeof cases / sizeof *cases };

static mml_baseline_options options_of(const golden_case *c, const gold *g)
{
    mml_baseline_options o;

    mmlt_assert_ok(mml_baseline_options_init(&o, c->kind));
    if (o.latent_c > 0) {
        o.latent_c = (size_t)gold_number(g, "num_latents", 0);
        o.latent_d = (size_t)gold_number(g, "latent_dim", 0);
        o.depth = (size_t)gold_number(g, "depth", 0);
        o.cross_heads = (size_t)gold_number(g, "cross_heads", 0);
        o.self_heads = (size_t)gold_number(g, "latent_heads", 0);
        o.self_layers = (size_t)gold_number(g, "self_per_cross_attn", 1);
    } else {
        o.width = 16; /* encoders are narrowed in the file */
        o.hidden = 24;
        o.reduction = o.reduction ? 4 : 0;
    }
    return o;
}

START_TEST(outputs_and_gradients_are_those_of_the_original_code)
{
    static const mml_modality_kind kinds[] = {MML_TABLE, MML_BAG};
    const golden_case *c = &cases[_i % CASES];
    gold g;
    pairs *p = calloc(1, sizeof *p);
    mml_baseline_options o;
    rig_data d;
    net t;
    net_result got;
    double worst = 0;
    float loss;

    if (!gold_open(&g, c->file)) {
        free(p);
        return;
    }
    o = options_of(c, &g);
    if (o.latent_c > 0)
        latent_pairs(p, &o, c->m);
    else
        late_pairs(p, &o);
    read_data(&d, &g, c->m, c->width);
    net_open(&t, _i / CASES, 1, 1, &o, c->m == 1 ? kinds + 1 : kinds, c->width, c->m, (size_t)gold_number(&g, "n_classes", 0));
    ck_assert_uint_eq(load(&t, &g, p), mmli_params_count(t.params)); /* every number of ours is one of theirs */
    net_run(&got, &t, &d, MMLI_RECORD);
    compare(&g, "outputs/logits", got.logits, got.n_logits, &worst);
    loss = (float)got.objective;
    compare(&g, "outputs/loss", &loss, 1, &worst);
    compare_grads(&t, &g, p, &got, &worst);
    for (size_t i = 0; i < c->m; i++) {
        char path[NAME];

        text(path, "grads/input%zu", i);
        compare(&g, path, got.dx[i], got.n_x[i], &worst);
    }
    printf("%s on %s: within %.1e\n", c->file, mmlt_backend_name(_i / CASES), worst);
    net_result_free(&got);
    net_close(&t);
    rig_data_free(&d);
    gold_close(&g);
    free(p);
}
END_TEST

/* Two given vectors through the fusion alone. */
START_TEST(bilinear_fusion_is_that_of_the_original_code)
{
    static const mml_modality_kind kinds[] = {MML_TABLE, MML_TABLE};
    static const size_t widths[] = {3, 3};
    gold g;
    pairs *p = calloc(1, sizeof *p);
    mml_baseline_options o;
    net t;
    mmli_bound bound;
    mmli_baseline_pass pass;
    mmli_var *v[2], *out;
    float *host, *x[2];
    size_t n, width;
    double worst = 0;

    if (!gold_open(&g, "bilinear_fusion")) {
        free(p);
        return;
    }
    mmlt_assert_ok(mml_baseline_options_init(&o, MML_BASELINE_LATE_BILINEAR));
    width = o.width = (size_t)gold_number(&g, "dim", 0);
    ck_assert_uint_eq(width, (size_t)gold_number(&g, "mmhid", 0));
    o.reduction = (size_t)gold_number(&g, "scale", 0);
    net_open(&t, _i, 1, 1, &o, kinds, widths, 2, 2);
    bilinear_pairs(p, "inputs.m1.fusion", "", width);
    ck_assert_uint_gt(load(&t, &g, p), 0);
    x[0] = gold_floats(&g, "inputs/v1", &n);
    x[1] = gold_floats(&g, "inputs/v2", &n);
    mmlt_assert_ok(mmli_tape_begin(t.tape, 0, 0, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, t.tape, t.params, NULL, NULL));
    pass = (mmli_baseline_pass){.tape = t.tape, .bound = &bound, .samples = n / width};
    for (int i = 0; i < 2; i++)
        v[i] = mmli_tape_input(t.tape, x[i], n / width, width, false);
    out = mmli_apply_bilinear(&pass, ((const mmli_late *)t.b->parts)->fold, v[0], v[1], 0, 0);
    mmlt_assert_ok(mmli_tape_status(t.tape));
    host = calloc(n, sizeof *host);
    mmlt_download(host, t.dv, out->data, n * sizeof *host);
    compare(&g, "outputs/out", host, n, &worst);
    printf("bilinear_fusion on %s: within %.1e\n", mmlt_backend_name(_i), worst);
    free(host);
    free(x[0]);
    free(x[1]);
    net_close(&t);
    gold_close(&g);
    free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/baselines");
    TCase *tc = tcase_create("baselines");

    tcase_add_loop_test(tc, outputs_and_gradients_are_those_of_the_original_code, 0, CASES * mmlt_n_backends());
    tcase_add_loop_test(tc, bilinear_fusion_is_that_of_the_original_code, 0, mmlt_n_backends());
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
