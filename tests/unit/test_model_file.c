/* test_model_file.c - models come back from files to the bit, and nothing else comes back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/file.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

/* Saves and frees; the path. */
static void saved(char path[MMLT_PATH], mml_model *model)
{
    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mml_model_save(model, path));
    mml_model_free(model);
}

static void comes_back(mml_model *model)
{
    mml_model *back = NULL;
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mml_model_save(model, path));
    mmlt_assert_ok(mml_model_load(&back, path, NULL, 0));
    mmlt_assert_same_model(model, back);
    mml_model_free(back);
    mml_model_free(model);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(every_kind_of_model_comes_back_to_the_bit)
{
    comes_back(mmlt_trained("labs", 4, (mml_task_kind)_i, 1));
    if (_i == 0) {
        comes_back(mmlt_merged());
        comes_back(mmlt_fused());
        comes_back(mmlt_block(&(mmlt_block_spec){.modality = "a.b\"\xc3\xa9", .width = 1})); /* never trained */
    }
}
END_TEST

START_TEST(a_model_saved_twice_gives_the_same_bytes)
{
    char a[MMLT_PATH], b[MMLT_PATH], *x = NULL, *y = NULL;
    struct stat is;
    FILE *f;

    saved(a, mmlt_merged());
    saved(b, mmlt_merged());
    ck_assert_int_eq(stat(a, &is), 0);
    for (int i = 0; i < 2; i++) {
        char **to = i ? &y : &x;

        ck_assert_ptr_nonnull(*to = malloc((size_t)is.st_size + 1));
        ck_assert_ptr_nonnull(f = fopen(i ? b : a, "rb"));
        ck_assert_uint_eq(fread(*to, 1, (size_t)is.st_size + 1, f), (size_t)is.st_size);
        fclose(f);
    }
    mmlt_assert_same_bits(x, y, (size_t)is.st_size);
    free(x);
    free(y);
    unlink(a);
    unlink(b);
}
END_TEST

/* ---- custom encoders, saving, memory ------------------------------------------------------------------------------ */

static size_t same_width(void *user, size_t in)
{
    (void)user;
    return in;
}

static int one_matrix(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    (void)user;
    *spec = (mml_param_spec){"w", in, in, MML_INIT_UNIFORM_FAN_IN};
    return i == 0;
}

static mml_var *apply(void *user, mml_graph *graph, mml_var *tokens)
{
    (void)user;
    return mml_op_linear(graph, tokens, mml_graph_param(graph, 0), NULL);
}

START_TEST(a_custom_encoder_is_found_by_name)
{
    const mml_encoder mine[] = {{.name = "other", .width = same_width, .param = one_matrix, .forward = apply},
                                {.name = "turn", .width = same_width, .param = one_matrix, .forward = apply}};
    mml_model *model = mmlt_block(&(mmlt_block_spec){.modality = "labs", .width = 3, .seed = 5, .custom = &mine[1]}), *back = NULL;
    char path[MMLT_PATH];

    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mml_model_save(model, path));
    mmlt_assert_fails(mml_model_load(&back, path, NULL, 0), MML_E_NOT_FOUND, "custom encoder `turn`");
    mmlt_assert_fails(mml_model_load(&back, path, mine, 1), MML_E_NOT_FOUND, "given: other");
    mmlt_assert_ok(mml_model_load(&back, path, mine, 2));
    mmlt_assert_same_model(model, back);
    ck_assert_ptr_eq(back->members[0].block.encoder.custom, &mine[1]);
    mml_model_free(model);
    mml_model_free(back);
    unlink(path);
}
END_TEST

START_TEST(a_model_that_cannot_be_saved_leaves_the_old_file)
{
    mml_model *model = mmlt_trained("labs", 4, MML_BINARY, 1), *back = NULL;
    char path[MMLT_PATH];

    mmlt_assert_fails(mml_model_save(model, "no-such-folder/model.h5"), MML_E_IO, "no-such-folder");
    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mml_model_save(model, path));
    for (uint64_t k = 1; k < 200; k++) { /* every allocation of a second saving fails once */
        mmli_alloc_fail_at(k);
        if (mml_model_save(model, path) == MML_OK)
            break;
        mmli_alloc_fail_at(0);
        ck_assert_int_eq(mml_last_status(), MML_E_NOMEM);
        mmlt_assert_ok(mml_model_load(&back, path, NULL, 0));
        mml_model_free(back);
        ck_assert_uint_lt(k, 199);
    }
    mmli_alloc_fail_at(0);
    mmlt_assert_ok(mml_model_load(&back, path, NULL, 0));
    mmlt_assert_same_model(model, back);
    mml_model_free(back);
    mml_model_free(model);
    unlink(path);
}
END_TEST

START_TEST(loading_without_memory_fails_cleanly)
{
    mml_model *back = NULL;
    char path[MMLT_PATH];
    uint64_t k = 1;

    saved(path, _i == 0 ? mmlt_merged() : mmlt_fused());
    for (;; k++) {
        mml_status st;

        mmli_alloc_fail_at(k);
        st = mml_model_load(&back, path, NULL, 0);
        mmli_alloc_fail_at(0);
        if (st == MML_OK)
            break;
        ck_assert_msg(st == MML_E_NOMEM, "allocation %llu: %s: %s", (unsigned long long)k, mml_status_name(st), mml_last_error());
        ck_assert_ptr_null(back);
    }
    ck_assert_uint_gt(k, 50);
    mml_model_free(back);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model files");
    TCase *tc = tcase_create("files");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_kind_of_model_comes_back_to_the_bit, 0, 4);
    tcase_add_test(tc, a_model_saved_twice_gives_the_same_bytes);
    tcase_add_test(tc, a_custom_encoder_is_found_by_name);
    tcase_add_test(tc, a_model_that_cannot_be_saved_leaves_the_old_file);
    tcase_add_loop_test(tc, loading_without_memory_fails_cleanly, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
