/* test_model_damage.c - files that are cut short, damaged, edited or no models are refused, and the message says why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

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

START_TEST(a_file_cut_short_anywhere_is_refused)
{
    mml_model *back = NULL;
    char path[MMLT_PATH];
    struct stat is;
    long step;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    ck_assert_int_eq(stat(path, &is), 0);
    step = (long)is.st_size / 400;
    for (long size = (long)is.st_size - 1; size >= 0; size -= size > (long)is.st_size - 64 || size < 64 ? 1 : step) {
        mml_status st;

        ck_assert_int_eq(truncate(path, size), 0);
        st = mml_model_load(&back, path, NULL, 0);
        ck_assert_msg(st == MML_E_FORMAT || st == MML_E_IO, "cut to %ld of %ld bytes: %s", size, (long)is.st_size,
                      mml_status_name(st));
        ck_assert_ptr_null(back);
        ck_assert_ptr_nonnull(strstr(mml_last_error(), path));
    }
    unlink(path);
}
END_TEST

/* HDF5 1.10 itself loses memory when it gives a damaged file up; nothing but that is forgiven. */
static void forgive_leaks(bool begin)
{
#if defined(__SANITIZE_ADDRESS__)
    if (begin)
        __lsan_disable();
    else
        __lsan_enable();
#else
    (void)begin;
#endif
}

static mml_status load_damaged(mml_model **back, const char *path)
{
    mml_status st;

    forgive_leaks(true);
    st = mml_model_load(back, path, NULL, 0);
    forgive_leaks(false);
    return st;
}

START_TEST(a_damaged_byte_never_crashes_and_never_changes_a_parameter_unseen)
{
    mml_model *right = mmlt_trained("labs", 4, MML_BINARY, 1), *back = NULL;
    char path[MMLT_PATH];
    unsigned char *bytes;
    struct stat is;
    FILE *f;

    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mml_model_save(right, path));
    ck_assert_int_eq(stat(path, &is), 0);
    ck_assert_ptr_nonnull(bytes = malloc((size_t)is.st_size));
    ck_assert_ptr_nonnull(f = fopen(path, "rb"));
    ck_assert_uint_eq(fread(bytes, 1, (size_t)is.st_size, f), (size_t)is.st_size);
    fclose(f);
    for (size_t at = 0; at < (size_t)is.st_size; at += 97) {
        bytes[at] ^= 0x41;
        ck_assert_ptr_nonnull(f = fopen(path, "wb"));
        ck_assert_uint_eq(fwrite(bytes, 1, (size_t)is.st_size, f), (size_t)is.st_size);
        ck_assert_int_eq(fclose(f), 0);
        bytes[at] ^= 0x41;
        if (load_damaged(&back, path) != MML_OK) {
            ck_assert_ptr_null(back);
            continue;
        }
        /* what a checksum does not cover may differ: the bytes of names of groups, of provenance, unused ones */
        ck_assert_uint_eq(back->params->total, right->params->total);
        for (size_t i = 0; i < back->params->n; i++) {
            const size_t n = back->params->list[i].rows * back->params->list[i].cols;
            float x[1024], y[1024];

            ck_assert_uint_le(n, 1024);
            mmlt_assert_ok(mmli_params_get(x, right->params, i));
            mmlt_assert_ok(mmli_params_get(y, back->params, i));
            mmlt_assert_same_bits(x, y, n * sizeof *x);
        }
        mml_model_free(back);
        back = NULL;
    }
    free(bytes);
    mml_model_free(right);
    unlink(path);
}
END_TEST

/* ---- one thing wrong ------------------------------------------------------------------------------------------- */

/* Opens a model file for editing. */
static hid_t edit(const char *path)
{
    hid_t file;

    mmli_h5_lock();
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    mmli_h5_unlock();
    ck_assert_int_ge(file, 0);
    return file;
}

static void refused(const char *path, const char *text)
{
    mml_model *back = NULL;

    mmlt_assert_fails(mml_model_load(&back, path, NULL, 0), MML_E_FORMAT, text);
    ck_assert_ptr_null(back);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), path));
    ck_assert_int_eq(unlink(path), 0);
}

/* Replaces a data set of rank `rank`. */
static void replace(hid_t file, const char *name, mmli_h5_type type, int rank, const size_t *dims, const void *data)
{
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(file, name, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    mmlt_assert_ok(mmli_h5_put(type, rank, dims, data, file, "edited", name));
}

#define HEAD_BIAS "parameters/blocks.labs.head.linear.bias"

START_TEST(a_newer_version_is_refused_by_name)
{
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    mmlt_assert_ok(mmli_h5_set_i64(file, path, "version", MMLI_MODEL_VERSION + 1));
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "newer libmmlego");
}
END_TEST

START_TEST(other_files_are_not_models)
{
    mml_model *back = NULL;
    mmlt_cohort made;
    char path[MMLT_PATH];
    FILE *f;

    mmlt_fresh_path(path, ".h5");
    ck_assert_ptr_nonnull(f = fopen(path, "wb"));
    fputs("PK\003\004 not a model at all", f);
    fclose(f);
    refused(path, "not an HDF5 file");
    mmlt_cohort_begin(&made, 2, NULL);
    mmlt_cohort_modality(&made, "labs", "table", (const float[]){1, 2}, NULL, 1, NULL, 0, NULL);
    mml_cohort_close(mmlt_cohort_open(&made));
    refused(made.path, "not an mmlego model, it is an mmlego cohort");
    mmlt_assert_fails(mml_model_load(&back, "no-such-file.h5", NULL, 0), MML_E_IO, "no-such-file.h5");
}
END_TEST

START_TEST(a_missing_parameter_is_named)
{
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(file, HEAD_BIAS, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "blocks.labs.head.linear.bias is missing");
}
END_TEST

START_TEST(a_parameter_too_many_is_named)
{
    const size_t dims[2] = {1, 1};
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, dims, (const float[]){1}, file, path, "parameters/blocks.labs.extra"));
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "blocks.labs.extra does not belong");
}
END_TEST

START_TEST(a_parameter_of_another_shape_or_not_finite_or_edited_is_named)
{
    static const struct {
        size_t rows;
        float value;
        const char *says;
    } cases[] = {{2, 0, "blocks.labs.head.linear.bias has another shape"},
                 {1, NAN, "blocks.labs.head.linear.bias has a value that is not finite (row 0, column 1)"},
                 {1, INFINITY, "not finite"},
                 {1, 0.5f, "checksum"}};
    const size_t dims[2] = {cases[_i].rows, 2};
    const float values[4] = {0, cases[_i].value, 0, 0};
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    replace(file, HEAD_BIAS, MMLI_H5_F32, 2, dims, values);
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, cases[_i].says);
}
END_TEST

START_TEST(a_model_of_other_software_needs_no_checksum)
{
    const size_t dims[2] = {1, 2};
    mml_model *back = NULL;
    char path[MMLT_PATH];
    float bias[2];
    hid_t file;
    size_t at;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    replace(file, HEAD_BIAS, MMLI_H5_F32, 2, dims, (const float[]){3, 4});
    mmli_h5_lock();
    ck_assert_int_ge(H5Adelete_by_name(file, "parameters", "checksum", H5P_DEFAULT), 0);
    mmli_h5_unlock();
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    mmlt_assert_ok(mml_model_load(&back, path, NULL, 0));
    mmlt_assert_ok(mmli_params_find(&at, back->params, "blocks.labs.head.linear.bias"));
    mmlt_assert_ok(mmli_params_get(bias, back->params, at));
    mmlt_assert_same_bits(bias, ((const float[]){3, 4}), sizeof bias);
    mml_model_free(back);
    unlink(path);
}
END_TEST

/* The configuration with `from` replaced by `to` (same length not needed). */
static void edit_config(const char *path, const char *from, const char *to)
{
    hid_t file = edit(path);
    char **texts = NULL, *at, *text = NULL;
    size_t n;

    mmlt_assert_ok(mmli_h5_get_texts(&texts, &n, file, path, "config"));
    ck_assert_ptr_nonnull(at = strstr(texts[0], from));
    *at = '\0';
    mmlt_assert_ok(mmli_strf(&text, "%s%s%s", texts[0], to, at + strlen(from)));
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(file, "config", H5P_DEFAULT), 0);
    mmli_h5_unlock();
    mmlt_assert_ok(mmli_h5_put_texts((const char *const *)&text, 1, file, path, "config"));
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    mmli_free(text);
    mmli_h5_texts_free(texts, n);
}

START_TEST(a_configuration_that_cannot_be_is_refused)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {{"\"kind\": \"merge\"", "\"kind\": \"tower\"", "unknown kind of model tower"},
                 {"\"latent_d\": 8", "\"latent_d\": 7", "latents of different sizes"},
                 {"\"latent_d\": 8", "\"latent_d\": -8", "latent_d is not a whole number"},
                 {"\"latent_d\": 8", "\"latent_d\": 8.5", "latent_d is not a whole number"},
                 {"\"latent_c\": 6", "\"latent_c\": 0", "latent 0 x 8"},
                 {"\"head_width\": 4", "\"head_width\": 400", "another shape"},
                 {"\"transform\": \"2d\"", "\"transform\": \"3d\"", "transform has a value this version does not know: 3d"},
                 {"\"steps\": 2", "\"steps\": 2, \"magic\": 1", "option magic is not known"},
                 {"\"steps\": 2,", "", "option steps is missing"},
                 {"\"share_steps\": false", "\"share_steps\": 0", "share_steps is not true or false"},
                 {"\"tau\": ", "\"tau\": \"one\", \"x\": ", "tau is not a number"},
                 {"\"name\": \"labs#2\"", "\"name\": \"labs\"", "called labs, but should be labs#2"},
                 {"\"modality_kind\": \"table\"", "\"modality_kind\": \"film\"", "unknown kind of modality film"},
                 {"\"latent_rms\": ", "\"latent_rms\": -", "latent_rms"},
                 {"\"blocks\"", "\"bricks\"", "no blocks"},
                 {"\"seed\": \"", "\"seed\": \"-", "seed"},
                 {"{", "[", "config, line"}};
    char path[MMLT_PATH];

    saved(path, mmlt_merged());
    edit_config(path, cases[_i].from, cases[_i].to);
    refused(path, cases[_i].says);
}
END_TEST

START_TEST(weights_and_order_that_cannot_be_are_refused)
{
    const size_t two[1] = {2}, three[1] = {3};
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_merged());
    file = edit(path);
    if (_i == 0)
        replace(file, "weights", MMLI_H5_F64, 1, two, (const double[]){0.5, -0.5});
    else if (_i == 1)
        replace(file, "weights", MMLI_H5_F64, 1, two, (const double[]){0, 0});
    else
        replace(file, "weights", MMLI_H5_F64, 1, three, (const double[]){1, 1, 1});
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "weights");
    saved(path, mmlt_fused());
    edit_config(path, "\"order\": [\n  1,\n  0", "\"order\": [\n  1,\n  1");
    refused(path, "order does not name every block once");
}
END_TEST

START_TEST(recorded_ids_out_of_order_are_refused)
{
    const size_t three[1] = {3};
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    replace(file, "blocks/0/provenance/train_ids", MMLI_H5_U64, 1, three, (const uint64_t[]){1, 3, 2});
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "train_ids: value 3 is out of order");
}
END_TEST

START_TEST(links_to_other_files_are_refused)
{
    char path[MMLT_PATH];
    hid_t file;

    saved(path, mmlt_trained("labs", 4, MML_BINARY, 1));
    file = edit(path);
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(file, HEAD_BIAS, H5P_DEFAULT), 0);
    ck_assert_int_ge(H5Lcreate_external("secret.h5", "x", file, HEAD_BIAS, H5P_DEFAULT, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    refused(path, "external link");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("damaged model files");
    TCase *tc = tcase_create("damage");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_file_cut_short_anywhere_is_refused);
    tcase_add_test(tc, a_damaged_byte_never_crashes_and_never_changes_a_parameter_unseen);
    tcase_add_test(tc, a_newer_version_is_refused_by_name);
    tcase_add_test(tc, other_files_are_not_models);
    tcase_add_test(tc, a_missing_parameter_is_named);
    tcase_add_test(tc, a_parameter_too_many_is_named);
    tcase_add_loop_test(tc, a_parameter_of_another_shape_or_not_finite_or_edited_is_named, 0, 4);
    tcase_add_test(tc, a_model_of_other_software_needs_no_checksum);
    tcase_add_loop_test(tc, a_configuration_that_cannot_be_is_refused, 0, 17);
    tcase_add_loop_test(tc, weights_and_order_that_cannot_be_are_refused, 0, 3);
    tcase_add_test(tc, recorded_ids_out_of_order_are_refused);
    tcase_add_test(tc, links_to_other_files_are_refused);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
