/* test_state_foreign.c - states of the released code, and one clear message for every one that is none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/state_rig.h"

START_TEST(a_state_without_a_word_of_ours_is_read_by_its_shapes)
{
    static const mml_modality_kind kinds[] = {MML_TABLE, MML_BAG, MML_SERIES};
    static const mml_encoder_kind encoders[] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_SELFATTN};
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".safetensors");
    for (int i = 0; i < 3; i++) {
        mml_model *want = rig_block("upstream", kinds[i], encoders[i], 0), *got;
        mml_state_options o = rig_options();

        rig_state_of(rig_block("upstream", kinds[i], encoders[i], 0), path);
        mmlt_assert_ok(rig_load(&got, path, &o));
        rig_same_values(want, got);
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
    mml_state_options o = rig_options();
    mml_model *got, *want;

    mmlt_fresh_path(path, ".safetensors");
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    for (int k = 0; k < 4; k++) { /* SNN of the released code: the encoder under one of its names only */
        char name[64];

        for (int bias = 0; bias < 2; bias++) {
            snprintf(name, sizeof name, "encoder.fc_omic.%d.0.%s", k, bias ? "bias" : "weight");
            if (k > 0)
                rig_drop(name);
            snprintf(name, sizeof name, "layers.1.0.fc_omic.%d.0.%s", k, bias ? "bias" : "weight");
            rig_drop(name);
        }
    }
    for (size_t i = 0; i < rig_n; i++) {
        memmove(rig_names[i] + 7, rig_names[i], sizeof *rig_names - 7);
        memcpy(rig_names[i], "module.", 7);
    }
    /* The classifier that is there and never used. */
    snprintf(rig_names[rig_n], sizeof *rig_names, "module.encoder.classifier.bias");
    rig_list[rig_n] = (mmli_tensor_out){.name = rig_names[rig_n], .rank = 1, .dims = {3}};
    free(rig_values[rig_n]); /* rig_drop() leaves what it dropped there */
    rig_values[rig_n] = calloc(3, sizeof(float));
    rig_n++;
    mmlt_assert_ok(rig_load(&got, path, &o));
    want = rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0);
    rig_same_values(want, got);
    mml_model_free(want);
    mml_model_free(got);

    /* weight_sharing=False: layers 1 and 2 are one, saved once. */
    rig_state_of(rig_block("upstream", MML_SERIES, MML_ENCODER_NONE, 0), path);
    for (size_t i = 0; i < rig_n;)
        if (strncmp(rig_names[i], "layers.2.", 9) == 0)
            rig_drop(rig_names[i]);
        else
            i++;
    o.steps = 3;
    mmlt_assert_ok(rig_load(&got, path, &o));
    want = rig_block("upstream", MML_SERIES, MML_ENCODER_NONE, 0);
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
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "has 2 steps, more than the 1 asked for");
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
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    mmlt_assert_fails(rig_load(&got, path, NULL), MML_E_ARG, "names of the modality and the task are needed");
    o = rig_options();
    o.heads = 3;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "attention of width 8 cannot be divided into 3 heads");
    o = rig_options();
    o.task_kind = -1;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "is task outcome binary, multiclass, survival or regression?");
    o.task_kind = MML_BINARY;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "a binary task has 2 outputs, these parameters have 3");
    o.task_kind = MML_REGRESSION;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "a regression has 1 output, these parameters have 3");
    o.task_kind = MML_SURVIVAL;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "the 4 edges of its 3 time bins are needed");
    o.edges = back;
    o.n_edges = 4;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "edge 3 of the time bins is not above the one before");
    o.edges = edges;
    o.unit = "months";
    mmlt_assert_ok(rig_load(&got, path, &o));
    ck_assert(mml_model_bins(got)[3] == 60);
    rig_comes_back(got); /* what was made so is a model like any other */
    o = rig_options();
    o.classes = twice;
    o.n_classes = 3;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "class a is named twice");
    o.classes = classes;
    o.n_classes = 2;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_SHAPE, "2 classes are named, the head has 3 outputs");
    o.n_classes = 3;
    o.features = classes;
    o.n_features = 3;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_SHAPE, "tokens of modality x are 7 wide there, 3 features are named");
    o.n_features = 0;
    o.features = NULL;
    o.modality = "";
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_ARG, "name of a modality");
    ck_assert_ptr_null(got);
    o.modality = "x";
    mmlt_assert_ok(rig_load(&got, path, &o));
    ck_assert_str_eq(mml_model_class(got, 0), "a");
    rig_comes_back(got);
    unlink(path);
}
END_TEST

START_TEST(damaged_states_are_refused)
{
    char path[MMLT_PATH];
    mml_state_options o = rig_options();
    mml_model *got;

    mmlt_fresh_path(path, ".safetensors");
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    rig_values[rig_at("layers.1.0.fc_omic.0.0.bias")][0] += 1;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "encoder.fc_omic.0.0.bias and layers.1.0.fc_omic.0.0.bias are one module and differ");
    rig_values[rig_at("layers.1.0.fc_omic.0.0.bias")][0] = rig_values[rig_at("encoder.fc_omic.0.0.bias")][0] = NAN;
    rig_values[rig_at("layers.0.0.fc_omic.0.0.bias")][0] = rig_values[rig_at("layers.2.0.fc_omic.0.0.bias")][0] = NAN;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "tensor encoder.fc_omic.0.0.bias has a value that is not finite");
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    rig_list[rig_at("layers.1.1.norm.bias")].dims[0] = 4;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_SHAPE, "tensor layers.1.1.norm.bias has 4 values, 5 are needed");
    rig_drop("layers.1.1.norm.bias");
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "tensor layers.1.1.norm.bias is missing");
    rig_state_of(rig_block("upstream", MML_TABLE, MML_ENCODER_SNN, 0), path);
    snprintf(rig_names[rig_n], sizeof *rig_names, "extra");
    rig_list[rig_n] = (mmli_tensor_out){.name = "extra", .rank = 1, .dims = {1}};
    rig_values[rig_n] = calloc(1, sizeof(float));
    rig_n++;
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "tensor extra does not belong to this model");
    rig_n--;
    rig_drop("to_logits.2.weight");
    mmlt_assert_fails(rig_load(&got, path, &o), MML_E_FORMAT, "has no tensor to_logits.2.weight");
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state: of others");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_state_without_a_word_of_ours_is_read_by_its_shapes);
    tcase_add_test(tc, wrappers_unused_parts_and_shared_layers_are_understood);
    tcase_add_test(tc, what_the_state_does_not_say_is_asked_for);
    tcase_add_test(tc, damaged_states_are_refused);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
