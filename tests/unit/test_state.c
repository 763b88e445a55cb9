/* Models as safetensors: names of PyTorch, back to the bit, and one clear message for every state that is none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"
#include "util/base64.h"

static void comes_back(mml_model *model)
{
    mml_model *back = NULL;
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".safetensors");
    mmlt_assert_ok(mml_model_save_state(model, path));
    mmlt_assert_ok(mml_model_load_state(&back, path, NULL, NULL, 0));
    mmlt_assert_same_model(model, back);
    mml_model_free(back);
    mml_model_free(model);
    ck_assert_int_eq(unlink(path), 0);
}

/* A block of a preset, random parameters. */
static mml_model *block(const char *preset, mml_modality_kind kind, mml_encoder_kind encoder, int share)
{
    mml_block_options o;
    mml_model *model;
    mmli_prep *prep;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, preset, kind, MML_BINARY));
    o.latent_c = 6;
    o.latent_d = 5;
    o.steps = 3;
    o.heads = 2;
    o.head_width = 4;
    o.share_steps = share;
    if (!o.raw_layers)
        o.encoder = encoder;
    o.encoder_width = 8;
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, NULL, 1));
    model->task = mmlt_task(MML_MULTICLASS);
    mmlt_assert_ok(mmli_prep_identity(&prep, 7));
    mmlt_assert_ok(mmli_model_add(model, "x", kind, NULL, &o, prep, 3, -1.0f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 3, "outcome"));
    return model;
}

START_TEST(every_kind_of_model_comes_back_to_the_bit)
{
    static const mml_encoder_kind encoders[] = {MML_ENCODER_NONE,  MML_ENCODER_LINEAR,   MML_ENCODER_SNN,
                                                MML_ENCODER_ABMIL, MML_ENCODER_SELFATTN, MML_ENCODER_EMBEDDING};

    for (int task = 0; task < 4; task++)
        comes_back(mmlt_trained("labs", 4, (mml_task_kind)task, 1));
    comes_back(mmlt_merged());
    comes_back(mmlt_fused());
    comes_back(mmlt_block(&(mmlt_block_spec){.modality = "a.b\"\xc3\xa9", .width = 1}));
    for (size_t e = 0; e < sizeof encoders / sizeof *encoders; e++)
        for (int share = 0; share < 2; share++) {
            comes_back(block("paper", MML_BAG, encoders[e], share));
            comes_back(block("upstream", MML_TABLE, encoders[e], share));
        }
    comes_back(block("upstream", MML_SERIES, MML_ENCODER_NONE, 0));
}
END_TEST

static void has(const mmli_tensors *t, const char *name, size_t rows, size_t cols)
{
    const mmli_tensor *x = mmli_tensors_find(t, name);

    ck_assert_msg(x != NULL, "%s is missing", name);
    ck_assert_msg(x->rank == (cols == 0 ? 1 : 2) && x->dims[0] == rows && (cols == 0 || x->dims[1] == cols), "shape of %s", name);
}

START_TEST(the_names_are_those_of_the_released_code)
{
    char path[MMLT_PATH];
    mmli_tensors *t;
    mml_model *model = block("upstream", MML_SERIES, MML_ENCODER_NONE, 0);

    mmlt_fresh_path(path, ".safetensors");
    mmlt_assert_ok(mml_model_save_state(model, path));
    mml_model_free(model);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    has(t, "latent", 6, 5);
    has(t, "layers.2.0.norm.weight", 7, 0);
    has(t, "layers.2.0.fn.to_q.weight", 8, 7);
    has(t, "layers.0.0.fn.to_kv.weight", 16, 7);
    has(t, "layers.0.1.fn.net.0.weight", 56, 7);
    has(t, "layers.1.2.norm_context.bias", 7, 0);
    has(t, "layers.1.2.fn.to_kv.weight", 16, 7);
    has(t, "layers.1.2.fn.to_out.0.bias", 5, 0);
    has(t, "layers.1.3.fn.net.2.weight", 5, 20);
    has(t, "to_logits.1.bias", 5, 0);
    has(t, "to_logits.2.weight", 3, 5);
    ck_assert_uint_eq(t->n, 1 + 4 + 3 * 26);
    ck_assert_str_eq(mmli_tensors_metadata(t, "format"), "pt");
    mmli_tensors_close(t);
    model = block("upstream", MML_BAG, MML_ENCODER_ABMIL, 0);
    mmlt_assert_ok(mml_model_save_state(model, path));
    mml_model_free(model);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    has(t, "encoder.attention_net.0.weight", 8, 7);
    has(t, "encoder.attention_net.3.attention_a.0.weight", 4, 8);
    has(t, "encoder.attention_net.3.attention_b.0.bias", 4, 0);
    has(t, "encoder.attention_net.3.attention_c.weight", 1, 4);
    has(t, "encoder.rho.0.weight", 4, 8);
    has(t, "layers.2.0.rho.0.weight", 4, 8); /* the encoder is the first module of every layer */
    has(t, "layers.2.1.norm_context.weight", 4, 0);
    mmli_tensors_close(t);
    model = mmlt_fused();
    mmlt_assert_ok(mml_model_save_state(model, path));
    mml_model_free(model);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    ck_assert_ptr_nonnull(mmli_tensors_find(t, "L"));
    ck_assert_ptr_nonnull(mmli_tensors_find(t, "layers.1.layers.0.1.fn.to_q.weight"));
    ck_assert_ptr_nonnull(mmli_tensors_find(t, "to_logits.combined_layers.2.weight"));
    mmli_tensors_close(t);
    unlink(path);
}
END_TEST

/* ---- states of the released code --------------------------------------------------------------------------------------------- */

enum { MOST = 200 };
static mmli_tensor_out list[MOST];
static char names[MOST][128];
static float *values[MOST];
static size_t n_list;

static mml_status fill(float *out, void *user, size_t i)
{
    size_t n = 1;

    (void)user;
    for (int k = 0; k < list[i].rank; k++)
        n *= list[i].dims[k];
    memcpy(out, values[i], n * sizeof *out);
    return MML_OK;
}

/* The tensors of a model as a state without a word of ours. */
static void state_of(mml_model *model, const char *path)
{
    mmli_tensors *t;

    mmlt_assert_ok(mml_model_save_state(model, path));
    mml_model_free(model);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    ck_assert_uint_lt(t->n, MOST);
    for (n_list = 0; n_list < t->n; n_list++) {
        const mmli_tensor *x = &t->list[n_list];

        snprintf(names[n_list], sizeof *names, "%s", x->name);
        list[n_list] = (mmli_tensor_out){.name = names[n_list], .rank = x->rank, .dims = {x->dims[0], x->dims[1]}};
        free(values[n_list]);
        values[n_list] = calloc(x->count + 1, sizeof(float));
        mmlt_assert_ok(mmli_tensors_floats(values[n_list], t, x, 0, x->count));
    }
    mmli_tensors_close(t);
}

static size_t at(const char *name)
{
    for (size_t i = 0; i < n_list; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    ck_abort_msg("no tensor %s", name);
    return 0;
}

static void drop(const char *name)
{
    const size_t i = at(name);
    float *gone = values[i];

    n_list--;
    list[i] = list[n_list];
    memmove(names[i], names[n_list], sizeof *names);
    list[i].name = names[i];
    values[i] = values[n_list];
    values[n_list] = gone;
}

static mml_status load(mml_model **out, const char *path, const mml_state_options *o)
{
    mmlt_assert_ok(mmli_tensors_write(path, list, n_list, fill, NULL, NULL, NULL, 0));
    return mml_model_load_state(out, path, o, NULL, 0);
}

static mml_state_options options(void)
{
    mml_state_options o;

    mml_state_options_init(&o);
    o.modality = "x";
    o.task = "outcome";
    o.task_kind = MML_MULTICLASS;
    o.heads = 2;
    return o;
}

static void same_values(const mml_model *a, const mml_model *b)
{
    ck_assert_uint_eq(a->params->n, b->params->n);
    for (size_t i = 0; i < a->params->n; i++) {
        const mmli_param *p = &a->params->list[i];
        float *x = calloc(p->rows * p->cols, sizeof *x), *y = calloc(p->rows * p->cols, sizeof *y);

        ck_assert_str_eq(p->name, b->params->list[i].name);
        mmlt_assert_ok(mmli_params_get(x, a->params, i));
        mmlt_assert_ok(mmli_params_get(y, b->params, i));
        mmlt_assert_same_bits(x, y, p->rows * p->cols * sizeof *x);
        free(x);
        free(y);
    }
}

START_TEST(a_state_without_a_word_of_ours_is_read_by_its_shapes)
{
    static const mml_modality_kind kinds[] = {MML_TABLE, MML_BAG, MML_SERIES};
    static const mml_encoder_kind encoders[] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_SELFATTN};
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".safetensors");
    for (int i = 0; i < 3; i++) {
        mml_model *want = block("upstream", kinds[i], encoders[i], 0), *got;
        mml_state_options o = options();

        state_of(block("upstream", kinds[i], encoders[i], 0), path);
        mmlt_assert_ok(load(&got, path, &o));
        same_values(want, got);
        ck_assert_uint_eq(got->members[0].block.o.steps, 3);
        ck_assert_int_eq(got->members[0].block.o.encoder, want->members[0].block.o.encoder);
        ck_assert_int_eq(got->members[0].kind, kinds[i]);
        ck_assert_uint_eq(got->members[0].block.o.head_width, 4);
        ck_assert_str_eq(mml_model_class(got, 2), "2");
        mml_model_free(want);
        mml_model_free(got);
    }
    unlink(path);
}
END_TEST

START_TEST(wrappers_unused_parts_and_shared_layers_are_understood)
{
    char path[MMLT_PATH];
    mml_state_options o = options();
    mml_model *got, *want;

    mmlt_fresh_path(path, ".safetensors");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    for (int k = 0; k < 4; k++) { /* SNN of the released code: the encoder under one of its names only */
        char name[64];

        for (int bias = 0; bias < 2; bias++) {
            snprintf(name, sizeof name, "encoder.fc_omic.%d.0.%s", k, bias ? "bias" : "weight");
            if (k > 0)
                drop(name);
            snprintf(name, sizeof name, "layers.1.0.fc_omic.%d.0.%s", k, bias ? "bias" : "weight");
            drop(name);
        }
    }
    for (size_t i = 0; i < n_list; i++) {
        memmove(names[i] + 7, names[i], sizeof *names - 7);
        memcpy(names[i], "module.", 7);
    }
    /* The classifier that is there and never used. */
    snprintf(names[n_list], sizeof *names, "module.encoder.classifier.bias");
    list[n_list] = (mmli_tensor_out){.name = names[n_list], .rank = 1, .dims = {3}};
    free(values[n_list]); /* drop() leaves what it dropped there */
    values[n_list] = calloc(3, sizeof(float));
    n_list++;
    mmlt_assert_ok(load(&got, path, &o));
    want = block("upstream", MML_TABLE, MML_ENCODER_SNN, 0);
    same_values(want, got);
    mml_model_free(want);
    mml_model_free(got);

    /* weight_sharing=False: layers 1 and 2 are one, saved once. */
    state_of(block("upstream", MML_SERIES, MML_ENCODER_NONE, 0), path);
    for (size_t i = 0; i < n_list;)
        if (strncmp(names[i], "layers.2.", 9) == 0)
            drop(names[i]);
        else
            i++;
    o.steps = 3;
    mmlt_assert_ok(load(&got, path, &o));
    want = block("upstream", MML_SERIES, MML_ENCODER_NONE, 0);
    {
        float a[49 * 8], b[49 * 8];
        size_t i, k;

        mmlt_assert_ok(mmli_params_find(&i, got->params, "blocks.x.steps.1.raw_ff_in.weight"));
        mmlt_assert_ok(mmli_params_find(&k, got->params, "blocks.x.steps.2.raw_ff_in.weight"));
        mmlt_assert_ok(mmli_params_get(a, got->params, i));
        mmlt_assert_ok(mmli_params_get(b, got->params, k));
        mmlt_assert_same_bits(a, b, sizeof a);
    }
    mml_model_free(want);
    mml_model_free(got);
    o.steps = 1;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "has 2 steps, more than the 1 asked for");
    unlink(path);
}
END_TEST

START_TEST(what_the_state_does_not_say_is_asked_for)
{
    char path[MMLT_PATH];
    static const char *const classes[] = {"a", "b", "c"}, *const twice[] = {"a", "b", "a"};
    static const double edges[] = {0, 12, 24, 60}, back[] = {0, 24, 12, 60};
    mml_state_options o;
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    mmlt_assert_fails(load(&got, path, NULL), MML_E_ARG, "names of the modality and the task are needed");
    o = options();
    o.heads = 3;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "attention of width 8 cannot be divided into 3 heads");
    o = options();
    o.task_kind = -1;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "is task outcome binary, multiclass, survival or regression?");
    o.task_kind = MML_BINARY;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "a binary task has 2 outputs, these parameters have 3");
    o.task_kind = MML_REGRESSION;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "a regression has 1 output, these parameters have 3");
    o.task_kind = MML_SURVIVAL;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "the 4 edges of its 3 time bins are needed");
    o.edges = back;
    o.n_edges = 4;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "edge 3 of the time bins is not above the one before");
    o.edges = edges;
    o.unit = "months";
    mmlt_assert_ok(load(&got, path, &o));
    ck_assert(mml_model_bins(got)[3] == 60);
    comes_back(got); /* what was made so is a model like any other */
    o = options();
    o.classes = twice;
    o.n_classes = 3;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "class a is named twice");
    o.classes = classes;
    o.n_classes = 2;
    mmlt_assert_fails(load(&got, path, &o), MML_E_SHAPE, "2 classes are named, the head has 3 outputs");
    o.n_classes = 3;
    o.features = classes;
    o.n_features = 3;
    mmlt_assert_fails(load(&got, path, &o), MML_E_SHAPE, "tokens of modality x are 7 wide there, 3 features are named");
    o.n_features = 0;
    o.features = NULL;
    o.modality = "";
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "name of a modality");
    ck_assert_ptr_null(got);
    o.modality = "x";
    mmlt_assert_ok(load(&got, path, &o));
    ck_assert_str_eq(mml_model_class(got, 0), "a");
    comes_back(got);
    unlink(path);
}
END_TEST

START_TEST(damaged_states_are_refused)
{
    char path[MMLT_PATH];
    mml_state_options o = options();
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    values[at("layers.1.0.fc_omic.0.0.bias")][0] += 1;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "encoder.fc_omic.0.0.bias and layers.1.0.fc_omic.0.0.bias are one module and differ");
    values[at("layers.1.0.fc_omic.0.0.bias")][0] = values[at("encoder.fc_omic.0.0.bias")][0] = NAN;
    values[at("layers.0.0.fc_omic.0.0.bias")][0] = values[at("layers.2.0.fc_omic.0.0.bias")][0] = NAN;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "tensor encoder.fc_omic.0.0.bias has a value that is not finite");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    list[at("layers.1.1.norm.bias")].dims[0] = 4;
    mmlt_assert_fails(load(&got, path, &o), MML_E_SHAPE, "tensor layers.1.1.norm.bias has 4 values, 5 are needed");
    drop("layers.1.1.norm.bias");
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "tensor layers.1.1.norm.bias is missing");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    snprintf(names[n_list], sizeof *names, "extra");
    list[n_list] = (mmli_tensor_out){.name = "extra", .rank = 1, .dims = {1}};
    values[n_list] = calloc(1, sizeof(float));
    n_list++;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "tensor extra does not belong to this model");
    n_list--;
    drop("to_logits.2.weight");
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "has no tensor to_logits.2.weight");
    unlink(path);
}
END_TEST

/* ---- of a LegoMerge or LegoFuse ------------------------------------------------------------------------------------------------ */

/* Two blocks of one modality, as fuse or merge with the upstream rules. */
static mml_model *joined(mml_model_kind kind)
{
    mml_model *a = block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), *b = block("upstream", MML_SERIES, MML_ENCODER_NONE, 0), *model;
    const mml_model *const both[] = {a, b};
    mml_merge_options m;
    mml_fuse_options f;

    mmlt_assert_ok(mml_merge_options_init(&m, "upstream"));
    mmlt_assert_ok(mml_fuse_options_init(&f, "upstream"));
    mmlt_assert_ok(kind == MML_MODEL_FUSE ? mml_fuse(&model, both, 2, &f) : mml_merge(&model, both, 2, &m));
    mml_model_free(a);
    mml_model_free(b);
    return model;
}

static mml_state_options joined_options(mml_model_kind kind)
{
    static const char *const modalities[] = {"x", "x", "x"};
    mml_state_options o = options();

    o.modality = NULL;
    o.modalities = modalities;
    o.n_modalities = 2;
    o.model_kind = (int)kind;
    return o;
}

static void append(const char *name, int rank, size_t rows, size_t cols, const float *from)
{
    snprintf(names[n_list], sizeof *names, "%s", name);
    list[n_list] = (mmli_tensor_out){.name = names[n_list], .rank = rank, .dims = {rows, cols}};
    free(values[n_list]);
    values[n_list] = calloc(rows * cols, sizeof(float));
    if (from != NULL)
        memcpy(values[n_list], from, rows * cols * sizeof(float));
    n_list++;
}

static void same_as(const mml_model *model, const char *parameter, const char *tensor)
{
    float got[30];
    size_t i;

    mmlt_assert_ok(mmli_params_find(&i, model->params, parameter));
    mmlt_assert_ok(mmli_params_get(got, model->params, i));
    mmlt_assert_same_bits(got, values[at(tensor)], 30 * sizeof(float));
}

START_TEST(the_state_of_a_fuse_without_a_word_of_ours_is_a_stack)
{
    char path[MMLT_PATH];
    mml_state_options o = joined_options(MML_MODEL_FUSE);
    mml_model *want = joined(MML_MODEL_FUSE), *got;

    mmlt_fresh_path(path, ".safetensors");
    state_of(joined(MML_MODEL_FUSE), path);
    ck_assert_ptr_nonnull(names[at("to_logits.head2.2.weight")]); /* the heads of its blocks under their second names, too */
    mmlt_assert_ok(load(&got, path, &o));
    same_values(want, got);
    ck_assert(got->kind == MML_MODEL_FUSE && got->fuse.mode == MML_FUSE_STACK && got->order[0] == 0 && got->order[1] == 1);
    ck_assert(got->members[1].block.o.raw_layers && got->members[0].block.o.encoder == MML_ENCODER_SNN);
    comes_back(got);
    mml_model_free(want);

    got = joined(MML_MODEL_FUSE); /* the first of the stack is the first in the list there */
    got->order[0] = 1;
    got->order[1] = 0;
    state_of(got, path);
    ck_assert_uint_eq(list[at("layers.0.layers.0.2.fn.to_kv.weight")].dims[1], 7);
    got = joined(MML_MODEL_FUSE);
    got->order[0] = 1;
    got->order[1] = 0;
    comes_back(got);
    state_of(joined(MML_MODEL_FUSE), path);

    values[at("L")][7] = 12;
    o.first_latent = 1;
    mmlt_assert_ok(load(&got, path, &o));
    same_as(got, "fuse.latent", "layers.0.latent");
    mml_model_free(got);
    o.first_latent = 0;

    /* A stack that has run leaves in its later blocks what was handed to them: (samples, c, d), never used again. */
    drop("layers.1.latent");
    append("layers.1.latent", 2, 2, 30, NULL);
    list[n_list - 1] = (mmli_tensor_out){.name = names[n_list - 1], .rank = 3, .dims = {2, 6, 5}};
    mmlt_assert_ok(load(&got, path, &o));
    same_as(got, "blocks.x#2.latent", "L");
    same_as(got, "fuse.latent", "L");
    mml_model_free(got);
    o = options();
    o.block = 1;
    mmlt_assert_fails(load(&got, path, &o), MML_E_SHAPE, "tensor layers.1.latent has 3 dimensions");
    o.block = 0;
    mmlt_assert_ok(load(&got, path, &o));
    ck_assert(got->kind == MML_MODEL_BLOCK && got->members[0].block.o.encoder == MML_ENCODER_SNN);
    mml_model_free(got);

    o = joined_options(MML_MODEL_FUSE);
    values[at("to_logits.head1.2.bias")][0] += 1;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "layers.0.to_logits.2.bias and to_logits.head1.2.bias are one module and differ");
    values[at("to_logits.head1.2.bias")][0] = values[at("layers.0.to_logits.2.bias")][0];
    drop("L");
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "tensor L is missing");
    unlink(path);
}
END_TEST

/* to_logits.combined_layers of alpha times the first head, or a head that is no such mean. */
static void set_merged(double alpha, bool linear)
{
    static const char *const parts[] = {"1.weight", "1.bias", "2.weight", "2.bias"};
    static const size_t sizes[] = {5, 5, 15, 3};

    for (int i = 0; i < 4; i++) {
        char a[64], b[64], w[64];

        snprintf(a, sizeof a, "layers.0.to_logits.%s", parts[i]);
        snprintf(b, sizeof b, "layers.1.to_logits.%s", parts[i]);
        snprintf(w, sizeof w, "to_logits.combined_layers.%s", parts[i]);
        for (size_t j = 0; j < sizes[i]; j++)
            values[at(w)][j] = (float)((alpha * (double)values[at(a)][j] + (1 - alpha) * (double)values[at(b)][j]) *
                                       (linear || i != 2 ? 1 : 0.9));
    }
}

START_TEST(the_state_of_a_merge_says_its_alpha_or_is_refused)
{
    char path[MMLT_PATH];
    mml_state_options o = joined_options(MML_MODEL_MERGE);
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    state_of(joined(MML_MODEL_MERGE), path);
    append("to_logits.combined_layers.1.weight", 1, 5, 1, NULL);
    append("to_logits.combined_layers.1.bias", 1, 5, 1, NULL);
    append("to_logits.combined_layers.2.weight", 2, 3, 5, NULL);
    append("to_logits.combined_layers.2.bias", 1, 3, 1, NULL);
    append("L", 2, 6, 5, NULL);
    for (int j = 0; j < 15; j++)
        values[at("layers.1.to_logits.2.weight")][j] = values[at("to_logits.head2.2.weight")][j] = (float)j;
    set_merged(0.8, true);
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "does not say how the latents of this LegoMerge are joined");
    o.aggregation = MML_MERGE_HARMONIC;
    mmlt_assert_ok(load(&got, path, &o));
    ck_assert(got->kind == MML_MODEL_MERGE && got->merge.upstream_harmonic && got->merge.head == MML_HEAD_LINEAR &&
              got->merge.scale == MML_LATENT_RAW && got->merge.phase == MML_PHASE_ARITHMETIC);
    ck_assert_double_eq_tol(got->weights[0], 0.8, 1e-6);
    ck_assert_double_eq_tol(got->weights[1], 0.2, 1e-6);
    comes_back(got);
    o.aggregation = MML_MERGE_SUM;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "its heads are joined with alpha 0.8, its latents are added without it");
    set_merged(0.5, true);
    mmlt_assert_ok(load(&got, path, &o));
    ck_assert(got->weights[0] == 0.5 && got->weights[1] == 0.5);
    mml_model_free(got);
    o.aggregation = MML_MERGE_HARMONIC;
    set_merged(0.5, false);
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "is not a linear mean of the heads of its two blocks");
    set_merged(1.5, true);
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "is not a linear mean of the heads of its two blocks");
    set_merged(0.5, true);
    values[at("to_logits.combined_layers.2.bias")][1] = NAN;
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "to_logits.combined_layers.2.bias has a value that is not finite");
    memcpy(values[at("layers.1.to_logits.2.weight")], values[at("layers.0.to_logits.2.weight")], 15 * sizeof(float));
    memcpy(values[at("to_logits.head2.2.weight")], values[at("layers.0.to_logits.2.weight")], 15 * sizeof(float));
    set_merged(0.5, true);
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "heads of its two blocks are equal, so that alpha cannot be told");
    drop("to_logits.combined_layers.2.bias");
    mmlt_assert_fails(load(&got, path, &o), MML_E_FORMAT, "tensor to_logits.combined_layers.2.bias is missing");
    unlink(path);
}
END_TEST

START_TEST(what_the_state_of_several_blocks_does_not_say_is_asked_for)
{
    char path[MMLT_PATH];
    mml_state_options o = options();
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    state_of(joined(MML_MODEL_FUSE), path);
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "a LegoMerge or a LegoFuse of 2 blocks, which have the same names");
    o = joined_options(MML_MODEL_FUSE);
    o.n_modalities = 3;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "has 2 blocks, and 3 modalities are named");
    o = joined_options(MML_MODEL_FUSE);
    o.modality_kind = MML_TABLE;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "a kind of modality or features are of one block, this has 2");
    o = options();
    o.block = 2;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "block 2 of 2 (they are counted from 0)");
    state_of(block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    o.block = 0;
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "is the state of one LegoBlock");
    o = joined_options(MML_MODEL_MERGE);
    mmlt_assert_fails(load(&got, path, &o), MML_E_ARG, "is the state of one LegoBlock");
    unlink(path);
}
END_TEST

START_TEST(base64_is_that_of_the_standard)
{
    static const char *const pairs[][2] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},        {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {"Zg=", "Z===", "Zg==Zg==", "Z*==", "=AAA", "Zm 9"};
    unsigned char *bytes;
    char *text;
    size_t n;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        mmlt_assert_ok(mmli_base64_encode(&text, pairs[i][0], strlen(pairs[i][0])));
        ck_assert_str_eq(text, pairs[i][1]);
        mmlt_assert_ok(mmli_base64_decode(&bytes, &n, text));
        ck_assert_uint_eq(n, strlen(pairs[i][0]));
        mmlt_assert_same_bits(bytes, pairs[i][0], n);
        mmli_free(text);
        mmli_free(bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        mmlt_assert_fails(mmli_base64_decode(&bytes, &n, bad[i]), MML_E_FORMAT, "base64");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_kind_of_model_comes_back_to_the_bit);
    tcase_add_test(tc, the_names_are_those_of_the_released_code);
    tcase_add_test(tc, a_state_without_a_word_of_ours_is_read_by_its_shapes);
    tcase_add_test(tc, wrappers_unused_parts_and_shared_layers_are_understood);
    tcase_add_test(tc, what_the_state_does_not_say_is_asked_for);
    tcase_add_test(tc, damaged_states_are_refused);
    tcase_add_test(tc, the_state_of_a_fuse_without_a_word_of_ours_is_a_stack);
    tcase_add_test(tc, the_state_of_a_merge_says_its_alpha_or_is_refused);
    tcase_add_test(tc, what_the_state_of_several_blocks_does_not_say_is_asked_for);
    tcase_add_test(tc, base64_is_that_of_the_standard);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
