/* test_model_facts.c - what a model says of itself: its description, its task, the preset of its options; and of the library, how it was built. */
#include <jansson.h>
#include <string.h>

#include "tests/unit/make_model.h"

START_TEST(a_description_is_json_that_names_everything)
{
    mml_model *a = mmlt_trained("labs", 4, MML_BINARY, 1), *b = mmlt_trained("notes", 3, MML_BINARY, 2), *out = NULL;
    mml_merge_options o;
    char *text = NULL;
    json_t *j, *first;

    mmlt_assert_ok(mml_merge_options_init(&o, "mmlego"));
    o.weighting = MML_WEIGHT_GIVEN;
    o.weights = (const double[]){1, 3};
    o.threads = 1;
    mmlt_assert_ok(_i ? mml_fuse(&out, (const mml_model *[]){a, b}, 2, NULL) : mml_merge(&out, (const mml_model *[]){a, b}, 2, &o));
    mmlt_assert_ok(mml_model_describe(&text, out));
    ck_assert_ptr_nonnull(j = json_loads(text, JSON_REJECT_DUPLICATES, NULL));
    ck_assert_str_eq(json_string_value(json_object_get(j, "kind")), _i ? "fuse" : "merge");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(j, "task"), "name")), "outcome");
    ck_assert_int_eq((int)json_integer_value(json_object_get(j, "parameters")), (int)mml_model_n_parameters(out));
    ck_assert_uint_eq(json_array_size(json_object_get(j, "blocks")), 2);
    first = json_array_get(json_object_get(j, "blocks"), 0);
    ck_assert_int_eq((int)json_integer_value(json_object_get(first, "parameters")), (int)mml_model_n_parameters(a));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(first, "options"), "encoder")), "linear");
    ck_assert_int_eq((int)json_integer_value(json_object_get(
                         json_object_get(json_object_get(first, "provenance"), "samples"), "valid")), 1);
    ck_assert_int_eq((int)json_integer_value(json_object_get(
                         json_object_get(json_object_get(first, "provenance"), "settings"), "epochs")), 2);
    if (_i == 0)
        ck_assert_double_eq_tol(json_real_value(json_object_get(json_object_get(j, "weights"), "notes")), 0.75, 1e-8);
    else
        ck_assert_str_eq(json_string_value(json_array_get(json_object_get(j, "order"), 1)), "notes");
    json_decref(j);
    mml_string_free(text);
    mml_model_free(out);
    mml_model_free(a);
    mml_model_free(b);
}
END_TEST

START_TEST(a_preset_is_recognised_by_its_options)
{
    static const char *const presets[] = {"mmlego", "paper", "upstream"};
    mml_model *model = NULL;
    mmli_prep *prep = NULL;
    mml_block_options o;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, presets[_i % 3], MML_TABLE, MML_BINARY));
    if (_i >= 3)
        o.steps++; /* no longer that of any preset */
    mmlt_assert_ok(mmli_prep_identity(&prep, 3));
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, NULL, 1));
    mmlt_assert_ok(mmli_model_add(model, "labs", MML_TABLE, NULL, &o, prep, 2, -1.0f, NULL));
    ck_assert_str_eq(model->members[0].preset, _i >= 3 ? "" : presets[_i]);
    mml_model_free(model);
}
END_TEST

START_TEST(a_model_tells_its_task)
{
    mml_model *m = mmlt_block(&(mmlt_block_spec){.modality = "labs", .width = 4, .task = (mml_task_kind)_i, .seed = 1, .valid_score = 0.7});

    ck_assert_int_eq((int)mml_model_task_kind(m), _i);
    ck_assert_str_eq(mml_model_task(m), "outcome");
    ck_assert_uint_eq(mml_model_n_outputs(m), _i == MML_BINARY ? 2 : _i == MML_MULTICLASS ? 3 : _i == MML_SURVIVAL ? 4 : 1);
    ck_assert_uint_eq(mml_model_n_classes(m), _i == MML_BINARY ? 2 : _i == MML_MULTICLASS ? 3 : 0);
    if (_i == MML_BINARY)
        ck_assert_str_eq(mml_model_class(m, 1), "yes");
    ck_assert_ptr_null(mml_model_class(m, 3));
    ck_assert_int_eq(mml_model_bins(m) != NULL, _i == MML_SURVIVAL);
    if (_i == MML_SURVIVAL)
        ck_assert(mml_model_bins(m)[4] == 8);
    mml_model_free(m);
}
END_TEST

START_TEST(build_information_names_the_backends)
{
    char *text = NULL;

    mmlt_assert_ok(mml_build_info(&text));
    ck_assert_ptr_nonnull(strstr(text, "version: "));
    ck_assert_ptr_nonnull(strstr(text, "\nbackends: cpu (default), reference\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nprocessor: "));
    for (const char *p = text; *p; p = strchr(p, '\n') + 1) { /* every line is "key: value" */
        ck_assert_ptr_nonnull(strchr(p, '\n'));
        ck_assert_ptr_nonnull(strstr(p, ": "));
        ck_assert(strstr(p, ": ") < strchr(p, '\n'));
    }
    mml_string_free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("facts of models");
    TCase *tc = tcase_create("facts");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_description_is_json_that_names_everything, 0, 2);
    tcase_add_loop_test(tc, a_preset_is_recognised_by_its_options, 0, 6);
    tcase_add_loop_test(tc, a_model_tells_its_task, 0, 4);
    tcase_add_test(tc, build_information_names_the_backends);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
