/* test_state_joined.c - states of a LegoMerge or LegoFuse. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/state_rig.h"

/* Two blocks of one modality, as fuse or merge with the upstream rules. */
static mml_model *joined(mml_model_kind kind)
{
    mml_model *a = rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), *b = rig_block("upstream", MML_SERIES, MML_ENCODER_NONE, 0), *model;
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
    mml_state_options o = rig_options();

    o.modality = NULL;
    o.modalities = modalities;
    o.n_modalities = 2;
    o.model_kind = (int)kind;
    return o;
}

static void append(const char *name, int rank, size_t rows, size_t cols, const float *from)
{
    snprintf(rig_names[rig_n], sizeof *rig_names, "%s", name);
    rig_list[rig_n] = (mmli_tensor_out){.name = rig_names[rig_n], .rank = rank, .dims = {rows, cols}};
    free(rig_values[rig_n]);
    rig_values[rig_n] = calloc(rows * cols, sizeof(float));
    if (from != NULL)
        memcpy(rig_values[rig_n], from, rows * cols * sizeof(float));
    rig_n++;
}

static void same_as(const mml_model *model, const char *parameter, const char *tensor)
{
    float got[30];
    size_t i;

    mmlt_assert_ok(mmli_params_find(&i, model->params, parameter));
    mmlt_assert_ok(mmli_params_get(got, model->params, i));
    mmlt_assert_same_bits(got, rig_values[rig_at(tensor)], 30 * sizeof(float));
}

START_TEST(the_state_of_a_fuse_without_a_word_of_ours_is_a_stack)
{
    char path[MMLT_PATH];
    mml_state_options o = joined_options(MML_MODEL_FUSE);
    mml_model *want = joined(MML_MODEL_FUSE), *got;

    mmlt_fresh_path(path, ".safetensors");
    rig_state_of(joined(MML_MODEL_FUSE), path);
    ck_assert_ptr_nonnull(rig_names[rig_at("to_logits.head2.2.weight")]); /* the heads of its blocks under their second names, too */
    mmlt_assert_ok(rig_load(&got, path, &o));
    rig_same_values(want, got);
    ck_assert(got->kind == MML_MODEL_FUSE && got->fuse.mode == MML_FUSE_STACK && got->order[0] == 0 && got->order[1] == 1);
    ck_assert(got->members[1].block.o.raw_layers && got->members[0].block.o.encoder == MML_ENCODER_SNN);
    rig_comes_back(got);
    mml_model_free(want);

    got = joined(MML_MODEL_FUSE); /* the first of the stack is the first in the list there */
    got->order[0] = 1;
    got->order[1] = 0;
    rig_state_of(got, path);
    ck_assert_uint_eq(rig_list[rig_at("layers.0.layers.0.2.fn.to_kv.weight")].dims[1], 7);
    got = joined(MML_MODEL_FUSE);
    got->order[0] = 1;
    got->order[1] = 0;
    rig_comes_back(got);
    rig_state_of(joined(MML_MODEL_FUSE), path);

    rig_values[rig_at("L")][7] = 12;
    o.first_latent = 1;
    mmlt_assert_ok(rig_load(&got, path, &o));
    same_as(got, "fuse.latent", "layers.0.latent");
    mml_model_free(got);
    o.first_latent = 0;

    /* A stack that has run leaves in its later blocks what was handed to them: (samples, c, d), never used again. */
    rig_drop("layers.1.latent");
    append("layers.1.latent", 2, 2, 30, NULL);
    rig_list[rig_n - 1] = (mmli_tensor_out){.name = rig_names[rig_n - 1], .rank = 3, .dims = {2, 6, 5}};
    mmlt_assert_ok(rig_load(&got, path, &o));
    same_as(got, "blocks.x#2.latent", "L");
    same_as(got, "fuse.latent", "L");
    mml_model_free(got);
    o = rig_options();
    o.block = 1;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_SHAPE, "tensor layers.1.latent has 3 dimensions");
    o.block = 0;
    mmlt_assert_ok(rig_load(&got, path, &o));
    ck_assert(got->kind == MML_MODEL_BLOCK && got->members[0].block.o.encoder == MML_ENCODER_SNN);
    mml_model_free(got);

    o = joined_options(MML_MODEL_FUSE);
    rig_values[rig_at("to_logits.head1.2.bias")][0] += 1;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "layers.0.to_logits.2.bias and to_logits.head1.2.bias are one module and differ");
    rig_values[rig_at("to_logits.head1.2.bias")][0] = rig_values[rig_at("layers.0.to_logits.2.bias")][0];
    rig_drop("L");
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "tensor L is missing");
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
            rig_values[rig_at(w)][j] = (float)((alpha * (double)rig_values[rig_at(a)][j] + (1 - alpha) * (double)rig_values[rig_at(b)][j]) *
                                       (linear || i != 2 ? 1 : 0.9));
    }
}

START_TEST(the_state_of_a_merge_says_its_alpha_or_is_refused)
{
    char path[MMLT_PATH];
    mml_state_options o = joined_options(MML_MODEL_MERGE);
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    rig_state_of(joined(MML_MODEL_MERGE), path);
    append("to_logits.combined_layers.1.weight", 1, 5, 1, NULL);
    append("to_logits.combined_layers.1.bias", 1, 5, 1, NULL);
    append("to_logits.combined_layers.2.weight", 2, 3, 5, NULL);
    append("to_logits.combined_layers.2.bias", 1, 3, 1, NULL);
    append("L", 2, 6, 5, NULL);
    for (int j = 0; j < 15; j++)
        rig_values[rig_at("layers.1.to_logits.2.weight")][j] = rig_values[rig_at("to_logits.head2.2.weight")][j] = (float)j;
    set_merged(0.8, true);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "does not say how the latents of this LegoMerge are joined");
    o.aggregation = MML_MERGE_HARMONIC;
    mmlt_assert_ok(rig_load(&got, path, &o));
    ck_assert(got->kind == MML_MODEL_MERGE && got->merge.upstream_harmonic && got->merge.head == MML_HEAD_LINEAR &&
              got->merge.scale == MML_LATENT_RAW && got->merge.phase == MML_PHASE_ARITHMETIC);
    ck_assert_double_eq_tol(got->weights[0], 0.8, 1e-6);
    ck_assert_double_eq_tol(got->weights[1], 0.2, 1e-6);
    rig_comes_back(got);
    o.aggregation = MML_MERGE_SUM;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "its heads are joined with alpha 0.8, its latents are added without it");
    set_merged(0.5, true);
    mmlt_assert_ok(rig_load(&got, path, &o));
    ck_assert(got->weights[0] == 0.5 && got->weights[1] == 0.5);
    mml_model_free(got);
    o.aggregation = MML_MERGE_HARMONIC;
    set_merged(0.5, false);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "is not a linear mean of the heads of its two blocks");
    set_merged(1.5, true);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "is not a linear mean of the heads of its two blocks");
    set_merged(0.5, true);
    rig_values[rig_at("to_logits.combined_layers.2.bias")][1] = NAN;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "to_logits.combined_layers.2.bias has a value that is not finite");
    memcpy(rig_values[rig_at("layers.1.to_logits.2.weight")], rig_values[rig_at("layers.0.to_logits.2.weight")], 15 * sizeof(float));
    memcpy(rig_values[rig_at("to_logits.head2.2.weight")], rig_values[rig_at("layers.0.to_logits.2.weight")], 15 * sizeof(float));
    set_merged(0.5, true);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "heads of its two blocks are equal, so that alpha cannot be told");
    rig_drop("to_logits.combined_layers.2.bias");
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "tensor to_logits.combined_layers.2.bias is missing");
    unlink(path);
}
END_TEST

START_TEST(what_the_state_of_several_blocks_does_not_say_is_asked_for)
{
    char path[MMLT_PATH];
    mml_state_options o = rig_options();
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    rig_state_of(joined(MML_MODEL_FUSE), path);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "a LegoMerge or a LegoFuse of 2 blocks, which have the same names");
    o = joined_options(MML_MODEL_FUSE);
    o.n_modalities = 3;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "has 2 blocks, and 3 modalities are named");
    o = joined_options(MML_MODEL_FUSE);
    o.modality_kind = MML_TABLE;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "a kind of modality or features are of one block, this has 2");
    o = rig_options();
    o.block = 2;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "block 2 of 2 (they are counted from 0)");
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    o.block = 0;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "is the state of one LegoBlock");
    o = joined_options(MML_MODEL_MERGE);
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "is the state of one LegoBlock");
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state: of several blocks");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_state_of_a_fuse_without_a_word_of_ours_is_a_stack);
    tcase_add_test(tc, the_state_of_a_merge_says_its_alpha_or_is_refused);
    tcase_add_test(tc, what_the_state_of_several_blocks_does_not_say_is_asked_for);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
