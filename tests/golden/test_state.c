/* test_state.c - the state of a LegoBlock of the original code, as PyTorch saves it, predicts the logits that the original code
 * computed; that of a LegoMerge or LegoFuse those that follow from the latents which it computed. The files are written here
 * from the parameters of the golden files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "mmlego/predict.h"
#include "model/model.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

enum { MOST = 256 };

/* The file that is written: tensors of golden files under a prefix, and some that are made here. */
typedef struct state {
    mmli_tensor_out list[MOST];
    char names[MOST][160];
    float *values[MOST]; /* own */
    size_t n;
} state;

typedef struct visiting {
    state *s;
    const gold *g;
    const char *prefix;
} visiting;

/* Values become the state's. rank 1 or 2. */
static void add(state *s, const char *prefix, const char *name, int rank, size_t rows, size_t cols, float *values)
{
    ck_assert_uint_lt(s->n, MOST);
    snprintf(s->names[s->n], sizeof *s->names, "%s%s", prefix, name);
    s->list[s->n] = (mmli_tensor_out){.name = s->names[s->n], .rank = rank, .dims = {rows, cols}};
    s->values[s->n++] = values;
}

static herr_t visit(hid_t loc, const char *name, const H5O_info_t *info, void *user)
{
    const visiting *v = user;
    char path[160];
    hid_t set, space;
    hsize_t dims[8] = {1, 1};
    size_t n;
    int rank;

    if (info->type != H5O_TYPE_DATASET)
        return 0;
    set = H5Dopen2(loc, name, H5P_DEFAULT);
    space = H5Dget_space(set);
    rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    H5Dclose(set);
    snprintf(path, sizeof path, "params/%s", name);
    add(v->s, v->prefix, name, rank, (size_t)dims[0], (size_t)dims[1], gold_floats(v->g, path, &n));
    return 0;
}

static void add_params(state *s, const gold *g, const char *prefix)
{
    visiting v = {s, g, prefix};
    hid_t group = H5Gopen2(g->file, "params", H5P_DEFAULT);

    ck_assert_int_ge(group, 0);
#if H5_VERSION_GE(1, 12, 0)
    ck_assert_int_ge(H5Ovisit(group, H5_INDEX_NAME, H5_ITER_INC, visit, &v, H5O_INFO_BASIC), 0);
#else
    ck_assert_int_ge(H5Ovisit(group, H5_INDEX_NAME, H5_ITER_INC, visit, &v), 0);
#endif
    H5Gclose(group);
}

static mml_status fill(float *out, void *user, size_t i)
{
    const state *s = user;
    size_t n = 1;

    for (int k = 0; k < s->list[i].rank; k++)
        n *= s->list[i].dims[k];
    memcpy(out, s->values[i], n * sizeof *out);
    return MML_OK;
}

/* Writes the file and forgets the tensors. */
static void write_state(state *s, const char *path)
{
    mmlt_assert_ok(mmli_tensors_write(path, s->list, s->n, fill, s, NULL, NULL, 0));
    for (size_t i = 0; i < s->n; i++)
        free(s->values[i]);
    s->n = 0;
}

static const char *const files[] = {"block_raw",
                                    "block_raw_depth1",
                                    "block_raw_imaginary_dropped",
                                    "block_raw_not_normalised",
                                    "block_raw_odd_depth3",
                                    "block_raw_one_token",
                                    "block_raw_spatial_domain",
                                    "block_snn",
                                    "block_abmil"};

/* A model made of the state in `path`, saved and loaded as `mmlego predict` does; both files are gone afterwards. */
static mml_model *converted(const char *path, const mml_state_options *o)
{
    mml_model *model = NULL;
    char copy[520];

    snprintf(copy, sizeof copy, "%s.h5", path);
    mmlt_assert_ok(mml_model_load_state(&model, path, o, NULL, 0));
    mmlt_assert_ok(mml_model_save(model, copy));
    mml_model_free(model);
    mmlt_assert_ok(mml_model_load(&model, copy, NULL, 0));
    unlink(path);
    unlink(copy);
    return model;
}

/* inputs/x0 of each golden file (or x0, x1 of one) as modalities: (samples, tokens, width). */
typedef struct input {
    const gold *g;
    const char *path, *modality;
    size_t tokens;
} input;

static mml_batch *made_batch(size_t samples, const input *in, size_t n_in)
{
    mml_batch *batch;

    mmlt_assert_ok(mml_batch_new(&batch, samples));
    for (size_t i = 0; i < n_in; i++) {
        size_t n_values;
        float *values = gold_floats(in[i].g, in[i].path, &n_values);
        int64_t *offsets = calloc(samples + 1, sizeof *offsets);

        for (size_t b = 0; b <= samples; b++)
            offsets[b] = (int64_t)(b * in[i].tokens);
        mmlt_assert_ok(mml_batch_set(batch, in[i].modality, values, offsets, n_values / samples / in[i].tokens, NULL, 0));
        free(offsets);
        free(values);
    }
    return batch;
}

static void predicts(const mml_model *model, const char *name, const input *in, size_t n_in, const float *logits, size_t n)
{
    mml_batch *batch = made_batch(n / mml_model_n_outputs(model), in, n_in);
    mml_predictor *predictor;
    mml_prediction p;

    mmlt_assert_ok(mml_predictor_new(&predictor, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    mmlt_assert_close_at(__FILE__, __LINE__, name, p.logits, logits, n, MMLT_TOL_GOLDEN);
    printf("%-28s largest relative error of the logits %.1e\n", name, mmlt_relative_error(p.logits, logits, n));
    mml_predictor_free(predictor);
    mml_batch_free(batch);
}

static void fresh_path(char *path, size_t size)
{
    ck_assert_int_lt(snprintf(path, size, "%s", mmlt_path("state.safetensors")), (int)size);
}

START_TEST(a_state_of_the_original_code_predicts_its_logits)
{
    static state s;
    char path[512];
    mml_state_options o;
    mml_model *model;
    float *logits;
    size_t n;
    gold g;

    if (!gold_open(&g, files[_i]))
        return;
    fresh_path(path, sizeof path);
    add_params(&s, &g, "");
    write_state(&s, path);
    mml_state_options_init(&o);
    o.modality = "x";
    o.task = "class";
    o.task_kind = MML_MULTICLASS;
    o.spatial = gold_number(&g, "frequency_domain", 1) == 0;
    o.drop_imaginary = gold_number(&g, "track_imaginary", 1) == 0;
    o.not_normalised = gold_number(&g, "normalise", 1) == 0;
    model = converted(path, &o);
    logits = gold_floats(&g, "outputs/logits", &n);
    predicts(model, g.name, &(input){&g, "inputs/x0", "x", (size_t)gold_number(&g, "tokens", 0)}, 1, logits, n);
    mml_model_free(model);
    free(logits);
    gold_close(&g);
}
END_TEST

static mml_state_options joined_options(mml_model_kind kind)
{
    static const char *const modalities[] = {"rna", "slides"};
    mml_state_options o;

    mml_state_options_init(&o);
    o.model_kind = (int)kind;
    o.modalities = modalities;
    o.n_modalities = 2;
    o.task = "class";
    o.task_kind = MML_MULTICLASS;
    return o;
}

/* ---- merge --------------------------------------------------------------------------------------------------------------- */

enum { SAMPLES = 3, CHANNELS = 8, WIDTH = 6, CLASSES = 4 /* of block_snn, block_abmil and fuse_stack */ };

/* alpha of a parameter of the first block, the rest of the second. */
static float *mixed(const gold g[2], const char *name, double alpha, size_t *n)
{
    char path[512];
    float *a, *b;

    snprintf(path, sizeof path, "params/to_logits.%s", name);
    a = gold_floats(&g[0], path, n);
    b = gold_floats(&g[1], path, n);
    for (size_t i = 0; i < *n; i++)
        a[i] = (float)(alpha * (double)a[i] + (1 - alpha) * (double)b[i]);
    free(b);
    return a;
}

/* Real part of the joined latents of two blocks: one value. */
static double joined(double x, double xi, double y, double yi, double alpha, mml_aggregation how)
{
    const double a = hypot(x, xi), b = hypot(y, yi);

    if (how == MML_MERGE_MEAN)
        return (x + y) / 2;
    if (how == MML_MERGE_SUM)
        return x + y;
    if (how == MML_MERGE_PRODUCT)
        return x * y - xi * yi;
    return 2 * alpha * (1 - alpha) * a * b / (alpha * b + (1 - alpha) * a) * cos((atan2(xi, x) + atan2(yi, y)) / 2);
}

/* The head on real parts (SAMPLES, CHANNELS, WIDTH), in float64: mean over channels, norm, linear. */
static void head_by_hand(float *logits, const double *z, float *const head[4])
{
    for (size_t b = 0; b < SAMPLES; b++) {
        double pooled[WIDTH] = {0}, mean = 0, var = 0;

        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t d = 0; d < WIDTH; d++)
                pooled[d] += z[(b * CHANNELS + c) * WIDTH + d] / CHANNELS;
        for (size_t d = 0; d < WIDTH; d++)
            mean += pooled[d] / WIDTH;
        for (size_t d = 0; d < WIDTH; d++)
            var += (pooled[d] - mean) * (pooled[d] - mean) / WIDTH;
        for (size_t k = 0; k < CLASSES; k++) {
            double y = (double)head[3][k];

            for (size_t d = 0; d < WIDTH; d++)
                y += (double)head[2][k * WIDTH + d] * ((pooled[d] - mean) / sqrt(var + 1e-5) * (double)head[0][d] + (double)head[1][d]);
            logits[b * CLASSES + k] = (float)y;
        }
    }
}

static const char *const parts[] = {"1.weight", "1.bias", "2.weight", "2.bias"};

/* Imaginary parts of the final latents that the blocks of a merge have here. */
static void imaginary(float *out[2], const mml_model *model, const input *in)
{
    mml_batch *batch = made_batch(SAMPLES, in, 2);
    mmli_device *dv = model->dv;
    mmli_tape *tape = NULL;
    mmli_inputs inputs;
    mmli_bound bound;
    mmli_complex z[2];

    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    mmlt_assert_ok(mmli_params_bind(&bound, tape, model->params, NULL, NULL));
    mmlt_assert_ok(mmli_inputs_make(&inputs, tape, model, batch, NULL, NULL));
    mmlt_assert_ok(mmli_model_latents(z, model, tape, &bound, &inputs));
    for (int i = 0; i < 2; i++) {
        out[i] = calloc(SAMPLES * CHANNELS * WIDTH, sizeof **out);
        mmlt_assert_ok(dv->k.download(dv, out[i], z[i].im->data, SAMPLES * CHANNELS * WIDTH * sizeof **out));
    }
    mmli_tape_free(tape);
    mml_batch_free(batch);
}

/* Rows 0 and c/2 of the transform of a real latent are real. What stands for the zero of their imaginary part is a rounding error whose
 * sign is another one with another FFT library, and angle(-1 + 0i) is pi or -pi by it: a mean of two angles then points there or
 * back. Where the golden latent has such a zero, the sign is that of ours, which has to be as small. */
static void take_signs(float *im, const float *re, const float *mine)
{
    size_t taken = 0;

    for (size_t i = 0; i < SAMPLES * CHANNELS * WIDTH; i++) {
        if (fabsf(im[i]) > 1e-6f * fabsf(re[i]))
            continue;
        ck_assert_float_le(fabsf(mine[i]), 1e-6f * fabsf(re[i]));
        im[i] = mine[i];
        taken++;
    }
    ck_assert_uint_le(taken, 2 * SAMPLES * WIDTH);
}

/* What LegoMerge does with the final latents of its blocks (golden): join them, and the merged head. */
static void merge_by_hand(float *logits, const gold g[2], double alpha, mml_aggregation how, float *const mine[2])
{
    float *z[2][2], *head[4];
    double all[SAMPLES * CHANNELS * WIDTH];
    size_t n;

    for (int i = 0; i < 2; i++) {
        z[i][0] = gold_floats(&g[i], "outputs/latent_real", &n);
        ck_assert_uint_eq(n, SAMPLES * CHANNELS * WIDTH);
        z[i][1] = gold_floats(&g[i], "outputs/latent_imag", &n);
        take_signs(z[i][1], z[i][0], mine[i]);
    }
    for (size_t i = 0; i < n; i++)
        all[i] = joined((double)z[0][0][i], (double)z[0][1][i], (double)z[1][0][i], (double)z[1][1][i], alpha, how);
    for (int i = 0; i < 4; i++)
        head[i] = mixed(g, parts[i], alpha, &n);
    head_by_hand(logits, all, head);
    for (int i = 0; i < 4; i++) {
        free(z[i / 2][i % 2]);
        free(head[i]);
    }
}

/* Golden blocks as the state of a LegoMerge with a linear head. */
static void write_merge(state *s, const gold g[2], double alpha, const char *path)
{
    static const char merged[] = "to_logits.combined_layers.";
    size_t n;

    add_params(s, &g[0], "layers.0.");
    add_params(s, &g[1], "layers.1.");
    for (int i = 0; i < 2; i++) { /* the heads a second time: the same modules */
        const char *to = i == 0 ? "to_logits.head1." : "to_logits.head2.";

        add(s, to, "1.weight", 1, WIDTH, 1, gold_floats(&g[i], "params/to_logits.1.weight", &n));
        add(s, to, "1.bias", 1, WIDTH, 1, gold_floats(&g[i], "params/to_logits.1.bias", &n));
        add(s, to, "2.weight", 2, CLASSES, WIDTH, gold_floats(&g[i], "params/to_logits.2.weight", &n));
        add(s, to, "2.bias", 1, CLASSES, 1, gold_floats(&g[i], "params/to_logits.2.bias", &n));
    }
    add(s, merged, "1.weight", 1, WIDTH, 1, mixed(g, "1.weight", alpha, &n));
    add(s, merged, "1.bias", 1, WIDTH, 1, mixed(g, "1.bias", alpha, &n));
    add(s, merged, "2.weight", 2, CLASSES, WIDTH, mixed(g, "2.weight", alpha, &n));
    add(s, merged, "2.bias", 1, CLASSES, 1, mixed(g, "2.bias", alpha, &n));
    add(s, "", "L", 2, CHANNELS, WIDTH, calloc(CHANNELS * WIDTH, sizeof(float))); /* there and never used */
    write_state(s, path);
}

static const struct {
    mml_aggregation aggregation;
    double alpha;
    const char *name;
} merges[] = {{MML_MERGE_HARMONIC, 0.5, "harmonic 0.5"}, {MML_MERGE_HARMONIC, 0.8, "harmonic 0.8"}, {MML_MERGE_MEAN, 0.5, "mean 0.5"},
              {MML_MERGE_SUM, 0.5, "sum 0.5"},           {MML_MERGE_PRODUCT, 0.8, "product 0.8"}};

START_TEST(the_state_of_a_merge_predicts_what_joining_the_golden_latents_gives)
{
    static state s;
    mml_state_options o = joined_options(MML_MODEL_MERGE);
    char path[512];
    float logits[SAMPLES * CLASSES], *mine[2];
    mml_model *model;
    gold g[2];
    const input in[] = {{&g[0], "inputs/x0", "rna", 1}, {&g[1], "inputs/x0", "slides", 9}};

    if (!gold_open(&g[0], "block_snn"))
        return;
    ck_assert(gold_open(&g[1], "block_abmil"));
    fresh_path(path, sizeof path);
    write_merge(&s, g, merges[_i].alpha, path);
    o.aggregation = (int)merges[_i].aggregation;
    model = converted(path, &o);
    imaginary(mine, model, in);
    merge_by_hand(logits, g, merges[_i].alpha, merges[_i].aggregation, mine);
    predicts(model, merges[_i].name, in, 2, logits, SAMPLES * CLASSES);
    free(mine[0]);
    free(mine[1]);
    mml_model_free(model);
    gold_close(&g[0]);
    gold_close(&g[1]);
}
END_TEST

START_TEST(a_block_is_taken_out_of_the_state_of_a_merge)
{
    static state s;
    mml_state_options o;
    char path[512];
    mml_model *model;
    float *logits;
    size_t n;
    gold g[2];

    if (!gold_open(&g[0], "block_snn"))
        return;
    ck_assert(gold_open(&g[1], "block_abmil"));
    fresh_path(path, sizeof path);
    write_merge(&s, g, 0.8, path);
    mml_state_options_init(&o);
    o.modality = "slides";
    o.task = "class";
    o.task_kind = MML_MULTICLASS;
    o.block = 1;
    model = converted(path, &o);
    logits = gold_floats(&g[1], "outputs/logits", &n);
    predicts(model, "block 1 of a merge", &(input){&g[1], "inputs/x0", "slides", 9}, 1, logits, n);
    mml_model_free(model);
    free(logits);
    gold_close(&g[0]);
    gold_close(&g[1]);
}
END_TEST

/* ---- fuse ---------------------------------------------------------------------------------------------------------------- */

static float *values_of(state *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->names[i], name) == 0)
            return s->values[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

/* The latent of the golden file is good; its logits are not numbers, for the original slerp made NaN of two biases of 0. */
START_TEST(the_state_of_a_fuse_predicts_what_its_head_makes_of_the_golden_latent)
{
    static state s;
    const mml_state_options o = joined_options(MML_MODEL_FUSE);
    char path[512], name[64];
    float logits[SAMPLES * CLASSES], *latent, *head[4];
    double all[SAMPLES * CHANNELS * WIDTH];
    mml_model *model;
    size_t n;
    gold g;

    if (!gold_open(&g, "fuse_stack"))
        return;
    fresh_path(path, sizeof path);
    add_params(&s, &g, "");
    mmlt_assert_ok(mmli_tensors_write(path, s.list, s.n, fill, &s, NULL, NULL, 0));
    mmlt_assert_fails(mml_model_load_state(&model, path, &o, NULL, 0), MML_E_FORMAT,
                      "to_logits.combined_layers.1.bias has a value that is not finite");
    memset(values_of(&s, "to_logits.combined_layers.1.bias"), 0, WIDTH * sizeof(float));
    for (int i = 0; i < 4; i++) {
        const size_t size = i < 2 ? WIDTH : i == 2 ? CLASSES * WIDTH : CLASSES;

        snprintf(name, sizeof name, "to_logits.combined_layers.%s", parts[i]);
        head[i] = malloc(size * sizeof(float));
        memcpy(head[i], values_of(&s, name), size * sizeof(float));
    }
    write_state(&s, path);
    model = converted(path, &o);
    latent = gold_floats(&g, "outputs/latent", &n);
    ck_assert_uint_eq(n, SAMPLES * CHANNELS * WIDTH);
    for (size_t i = 0; i < n; i++)
        all[i] = (double)latent[i];
    head_by_hand(logits, all, head);
    predicts(model, g.name, (const input[]){{&g, "inputs/x0", "rna", 1}, {&g, "inputs/x1", "slides", 9}}, 2, logits, SAMPLES * CLASSES);
    mml_model_free(model);
    for (int i = 0; i < 4; i++)
        free(head[i]);
    free(latent);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/state");
    TCase *tc = tcase_create("states");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_loop_test(tc, a_state_of_the_original_code_predicts_its_logits, 0, sizeof files / sizeof *files);
    tcase_add_loop_test(tc, the_state_of_a_merge_predicts_what_joining_the_golden_latents_gives, 0,
                        sizeof merges / sizeof *merges);
    tcase_add_test(tc, a_block_is_taken_out_of_the_state_of_a_merge);
    tcase_add_test(tc, the_state_of_a_fuse_predicts_what_its_head_makes_of_the_golden_latent);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
