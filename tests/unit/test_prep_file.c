/* test_prep_file.c - a prep that is stored, loaded, copied, and compared with a cohort. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/prep.h"
#include "data/prep_inside.h"
#include "io/h5.h"
#include "tests/unit/make_cohort.h"
#include "util/alloc.h"

static const char *const names[] = {"HR", "Temp \u00b0C", "pH", "Glucose"};
static const char *const words[] = {"HR", "stage=I", "stage=", "a=b=c"}, *const columns[] = {"", "stage", "stage", "a=b"};

/* Four columns with numbers that a careless way through a file would change. */
static mmli_prep *make_prep(void)
{
    static const float center[] = {-0.0f, 0.1f, FLT_MAX, 1e-45f}, scale[] = {0, 1 / 3.0f, 1e-40f, FLT_MAX};
    const mml_prep_options o = {.scaling = MML_SCALE_ROBUST, .clip = 0.1, .imputation = MML_IMPUTE_LOCF,
                                .indicators = MML_INDICATE_MISSING, .position_bands = 5};
    mmli_prep *p = NULL;

    mmlt_assert_ok(mmli_prep_new(&p, 4, 2, &o));
    for (size_t f = 0; f < 4; f++) {
        p->center[f] = center[f];
        p->scale_inv[f] = scale[f];
        p->fill[f] = -center[3 - f];
        p->indicator[f] = f == 1 || f == 2;
    }
    mmlt_assert_ok(mmli_prep_set_features(p, names));
    mmlt_assert_ok(mmli_prep_set_width(p));
    return p;
}

static void assert_equal(const mmli_prep *a, const mmli_prep *b)
{
    ck_assert_int_eq(a->o.scaling, b->o.scaling);
    ck_assert_int_eq(a->o.imputation, b->o.imputation);
    ck_assert_int_eq(a->o.indicators, b->o.indicators);
    ck_assert_uint_eq(a->o.position_bands, b->o.position_bands);
    ck_assert_double_eq(a->o.clip, b->o.clip);
    ck_assert_uint_eq(a->width_in, b->width_in);
    ck_assert_uint_eq(a->n_axes, b->n_axes);
    ck_assert_uint_eq(a->width_out, b->width_out);
    mmlt_assert_same_bits(a->center, b->center, a->width_in * sizeof(float));
    mmlt_assert_same_bits(a->scale_inv, b->scale_inv, a->width_in * sizeof(float));
    mmlt_assert_same_bits(a->fill, b->fill, a->width_in * sizeof(float));
    mmlt_assert_same_bits(a->indicator, b->indicator, a->width_in);
    ck_assert_int_eq(a->features == NULL, b->features == NULL);
    for (size_t f = 0; a->features != NULL && f < a->width_in; f++)
        ck_assert_str_eq(a->features[f], b->features[f]);
    ck_assert_int_eq(a->category_of == NULL, b->category_of == NULL);
    for (size_t f = 0; a->category_of != NULL && f < a->width_in; f++)
        ck_assert_str_eq(a->category_of[f], b->category_of[f]);
}

static char path[MMLT_PATH];
static hid_t file, group;

/* A model file with the prep in group "prep". */
static void save(const mmli_prep *p)
{
    mmlt_fresh_path(path, ".h5");
    mmlt_assert_ok(mmli_h5_create(&file, path, path));
    mmlt_assert_ok(mmli_h5_group_new(&group, file, path, "prep"));
    mmlt_assert_ok(mmli_prep_save(p, group, path));
}

static void reopen(void)
{
    mmli_h5_drop(group);
    mmlt_assert_ok(mmli_h5_finish(&file, path));
    mmlt_assert_ok(mmli_h5_open(&file, path));
    mmlt_assert_ok(mmli_h5_group(&group, file, path, "prep"));
}

static void finish(void)
{
    mmli_h5_drop(group);
    mmli_h5_drop(file);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(prep_comes_back_from_a_file_to_the_bit)
{
    mmli_prep *p = NULL, *back = NULL;

    if (_i == 0)
        p = make_prep();
    else if (_i == 1) {
        mmlt_assert_ok(mmli_prep_identity_named(&p, words, NULL, 4));
        mmlt_assert_ok(mmli_prep_set_categories(p, columns));
    } else
        mmlt_assert_ok(mmli_prep_identity(&p, 7));
    save(p);
    reopen();
    mmlt_assert_ok(mmli_prep_load(&back, group, path));
    finish();
    assert_equal(p, back);
    mmli_prep_free(back);
    mmli_prep_free(p);
}
END_TEST

START_TEST(copy_is_equal_and_its_own)
{
    mmli_prep *p = make_prep(), *same = make_prep(), *copy = NULL;

    mmlt_assert_ok(mmli_prep_copy(&copy, p));
    memset(p->center, 1, 4 * sizeof(float));
    p->features[0][0] = '?';
    mmli_prep_free(p);
    assert_equal(copy, same);
    mmli_prep_free(same);
    mmli_prep_free(copy);
}
END_TEST

/* ---- damaged groups ------------------------------------------------------------------------------------------------ */

static void replace(const char *name, mmli_h5_type type, size_t n, const void *data)
{
    mmli_h5_lock();
    ck_assert_int_ge(H5Ldelete(group, name, H5P_DEFAULT), 0);
    mmli_h5_unlock();
    if (data != NULL)
        mmlt_assert_ok(mmli_h5_put(type, 1, &n, data, group, path, name));
}

static void drop_attr(const char *name)
{
    mmli_h5_lock();
    ck_assert_int_ge(H5Adelete(group, name), 0);
    mmli_h5_unlock();
}

static void damage_word(void) { mmlt_assert_ok(mmli_h5_set_text(group, path, "scaling", "logarithmic")); }
static void damage_attr(void) { drop_attr("imputation"); }
static void damage_clip(void) { mmlt_assert_ok(mmli_h5_set_f64(group, path, "clip", -2)); }
static void damage_bands(void) { mmlt_assert_ok(mmli_h5_set_u64(group, path, "position_bands", 1000)); }
static void damage_width(void) { mmlt_assert_ok(mmli_h5_set_u64(group, path, "width", 5)); }
static void damage_huge_width(void) { mmlt_assert_ok(mmli_h5_set_u64(group, path, "width", UINT64_C(1) << 50)); }
static void damage_missing(void) { replace("fill", MMLI_H5_F32, 0, NULL); }
static void damage_length(void) { replace("scale_inv", MMLI_H5_F32, 3, (const float[]){1, 2, 3}); }
static void damage_nan(void) { replace("center", MMLI_H5_F32, 4, (const float[]){1, 2, NAN, 3}); }
static void damage_inf(void) { replace("fill", MMLI_H5_F32, 4, (const float[]){1, 2, INFINITY, 3}); }
static void damage_scale(void) { replace("scale_inv", MMLI_H5_F32, 4, (const float[]){1, -2, 1, 3}); }
static void damage_indicator(void) { replace("indicator", MMLI_H5_U8, 4, (const uint8_t[]){0, 1, 2, 0}); }
static void damage_features(void)
{
    replace("features", MMLI_H5_U8, 0, NULL);
    mmlt_assert_ok(mmli_h5_put_texts(names, 3, group, path, "features"));
}
static void damage_text(void)
{
    static const char *const bad[] = {"a", "b", "\xff", "d"};

    replace("features", MMLI_H5_U8, 0, NULL);
    mmlt_assert_ok(mmli_h5_put_texts(bad, 4, group, path, "features"));
}

static void damage_categories(void) { mmlt_assert_ok(mmli_h5_put_texts(columns, 4, group, path, "category_of")); }
static void damage_categories_length(void) { mmlt_assert_ok(mmli_h5_put_texts(columns, 3, group, path, "category_of")); }

static const struct {
    void (*damage)(void);
    const char *message;
} damages[] = {
    {damage_word, "scaling `logarithmic` is none of standard, robust, none"},
    {damage_attr, "imputation"},
    {damage_clip, "clip"},
    {damage_bands, "bands"},
    {damage_width, "4 centers for a width of 5"},
    {damage_huge_width, "width 1125899906842624"},
    {damage_missing, "fill"},
    {damage_length, "scale_inv"},
    {damage_nan, "column 3"},
    {damage_inf, "column 3"},
    {damage_scale, "column 2"},
    {damage_indicator, "indicator 3 is 2"},
    {damage_features, "3 feature names for 4 columns"},
    {damage_categories, "feature `Temp \u00b0C` is no category of a column `stage`"},
    {damage_categories_length, "category_of has 3 entries for 4"},
    {damage_text, "name of feature 3: it is not UTF-8"},
};
enum { DAMAGES = sizeof damages / sizeof *damages };

START_TEST(damaged_group_is_refused)
{
    mmli_prep *p = make_prep(), *back = p;

    save(p);
    damages[_i].damage();
    reopen();
    mmlt_assert_fails(mmli_prep_load(&back, group, path), MML_E_FORMAT, damages[_i].message);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), path));
    ck_assert_ptr_null(back);
    finish();
    mmli_prep_free(p);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mmli_prep *p = make_prep();
    mml_status st = MML_E_NOMEM;

    save(p);
    reopen();
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_prep *back = NULL, *copy = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_prep_load(&back, group, path);
        if (st == MML_OK)
            st = mmli_prep_copy(&copy, back);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_int_eq(st == MML_OK, copy != NULL);
        ck_assert_uint_lt(k, 500);
        mmli_prep_free(back);
        mmli_prep_free(copy);
    }
    finish();
    mmli_prep_free(p);
}
END_TEST

/* ---- is this cohort the one it was trained for --------------------------------------------------------------------- */

static mml_modality_info info_of(const char *const *features, size_t width)
{
    return (mml_modality_info){.name = "labs", .width = width, .n_axes = 2, .features = features};
}

START_TEST(first_feature_that_differs_is_named)
{
    static const char *const turned[] = {"HR", "pH", "Temp \u00b0C", "Glucose"};
    static const char *const other[] = {"HR", "Temp \u00b0C", "Lactate", "Glucose"};
    static const char *const more[] = {"HR", "Temp \u00b0C", "pH", "Glucose", "Urea"};
    mmli_prep *p = make_prep(), *bare = NULL;
    mml_modality_info info = info_of(names, 4);

    mmlt_assert_ok(mmli_prep_check(p, &info));
    info.n_axes = 1;
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "positions with 1 axes, in training 2");
    info = info_of(turned, 4);
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "in another order: number 2 is `pH`, in training `Temp");
    info = info_of(other, 4);
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "labs: feature 3 is `Lactate`, in training it was `pH`");
    info = info_of(names, 3);
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "feature 4 of training, `Glucose`, is missing");
    info = info_of(more, 5);
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "feature 5, `Urea`, was not there in training");
    info = info_of(turned, 3);
    mmlt_assert_fails(mmli_prep_check(p, &info), MML_E_DATA, "feature 2 is `pH`, in training it was `Temp");
    mmlt_assert_ok(mmli_prep_identity(&bare, 5));
    info = info_of(more, 5);
    mmlt_assert_ok(mmli_prep_check(bare, &info));
    info = info_of(names, 4);
    mmlt_assert_fails(mmli_prep_check(bare, &info), MML_E_DATA, "4 features, in training 5");
    mmli_prep_free(bare);
    mmli_prep_free(p);
}
END_TEST

START_TEST(inspect_sees_options_and_columns)
{
    mmli_prep *p = make_prep();
    json_t *json = mmli_prep_json(p), *feature;

    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "scaling")), "robust");
    ck_assert_str_eq(json_string_value(json_object_get(json, "imputation")), "locf");
    ck_assert_str_eq(json_string_value(json_object_get(json, "indicators")), "missing");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "width")), 4);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "width_out")), 4 + 2 + 2 * 11);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "constant_columns")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "indicator_columns")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "features")), 4);
    feature = json_array_get(json_object_get(json, "features"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(feature, "name")), names[1]);
    ck_assert_double_eq_tol(json_real_value(json_object_get(feature, "scale")), 3, 1e-6);
    ck_assert(json_is_true(json_object_get(feature, "indicator")));
    json_decref(json);
    mmli_prep_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/prep_file");
    TCase *tc = tcase_create("files"), *check = tcase_create("cohorts");

    tcase_add_loop_test(tc, prep_comes_back_from_a_file_to_the_bit, 0, 3);
    tcase_add_test(tc, copy_is_equal_and_its_own);
    tcase_add_loop_test(tc, damaged_group_is_refused, 0, DAMAGES);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    tcase_add_test(check, first_feature_that_differs_is_named);
    tcase_add_test(check, inspect_sees_options_and_columns);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, check);
    return mmlt_main(suite);
}
