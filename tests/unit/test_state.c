/* test_state.c - models as safetensors: names of PyTorch, and back to the bit. */
#include <unistd.h>

#include "tests/unit/state_rig.h"

START_TEST(every_kind_of_model_comes_back_to_the_bit)
{
    static const mml_encoder_kind encoders[] = {MML_ENCODER_NONE,  MML_ENCODER_LINEAR,   MML_ENCODER_SNN,
                                                MML_ENCODER_ABMIL, MML_ENCODER_SELFATTN, MML_ENCODER_EMBEDDING};

    for (int task = 0; task < 4; task++)
        rig_comes_back(mmlt_trained("labs", 4, (mml_task_kind)task, 1));
    rig_comes_back(mmlt_merged());
    rig_comes_back(mmlt_fused());
    rig_comes_back(mmlt_block(&(mmlt_block_spec){.modality = "a.b\"\xc3\xa9", .width = 1}));
    for (size_t e = 0; e < sizeof encoders / sizeof *encoders; e++)
        for (int share = 0; share < 2; share++) {
            rig_comes_back(rig_block("paper", MML_BAG, encoders[e], share));
            rig_comes_back(rig_block("upstream", MML_TABLE, encoders[e], share));
        }
    rig_comes_back(rig_block("upstream", MML_SERIES, MML_ENCODER_NONE, 0));
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
    mml_model *model = rig_block("upstream", MML_SERIES, MML_ENCODER_NONE, 0);

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
    model = rig_block("upstream", MML_BAG, MML_ENCODER_ABMIL, 0);
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

int main(void)
{
    Suite *s = suite_create("state");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, every_kind_of_model_comes_back_to_the_bit);
    tcase_add_test(tc, the_names_are_those_of_the_released_code);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
