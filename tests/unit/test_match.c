/* test_match.c - columns and categories of a cohort matched by name with those that a model has learnt. */
#include <math.h>
#include <string.h>

#include "data/match.h"
#include "data/prep_inside.h"
#include "io/h5.h"
#include "tests/unit/make_cohort.h"
#include "tests/unit/make_model.h"
#include "util/alloc.h"

static const char *const names[] = {"age", "stage=I", "stage=II", "stage=III", "bmi"};
static const char *const columns[] = {"", "stage", "stage", "stage", ""};

/* Training has met every category but III. */
static mmli_prep *trained(void)
{
    mmli_prep *p = NULL;

    mmlt_assert_ok(mmli_prep_identity_named(&p, names, NULL, 5));
    mmlt_assert_ok(mmli_prep_set_categories(p, columns));
    p->scale_inv[3] = 0.0f;
    return p;
}

static mml_modality_info info_of(const char *const *features, const char *const *of, size_t width)
{
    return (mml_modality_info){.name = "clinical", .width = width, .features = features, .category_of = of};
}

START_TEST(categories_are_matched_by_name_and_those_not_learnt_are_counted)
{
    static const char *const theirs[] = {"stage=II", "stage=IV", "age", "bmi", "stage=III"};
    static const char *const of[] = {"stage", "stage", "", "", "stage"};
    const float x[] = {1, 0, 50, 20, 0, 0, 1, 60, 21, 0, NAN, NAN, 70, NAN, NAN, 0, 0, 80, 22, 1, 0, 1, 90, 23, 0};
    const float want[] = {50, 0, 1, 0, 20, 60, 0, 0, 0, 21, 70, NAN, NAN, NAN, NAN, 80, 0, 0, 1, 22, 90, 0, 0, 0, 23};
    const mml_tokens tokens = {.values = x, .offsets = (int64_t[]){0, 1, 3, 3, 5}, .width = 5}; /* the second has two, the third none */
    const mml_modality_info info = info_of(theirs, of, 5);
    mmli_prep *p = trained();
    mmli_match *m = NULL;
    float out[25];

    mmlt_assert_ok(mmli_match_make(&m, p, &info));
    mmli_match_values(out, m, x, 5, 5);
    mmlt_assert_close(out, want, 25, MMLT_TOL_EXACT);
    mmli_match_count(m, &tokens, 4);
    mmli_match_count(m, &tokens, 2);
    ck_assert_uint_eq(m->n_unknown, 2); /* IV, which the model has no feature for, and III, which its training part lacked */
    ck_assert_str_eq(m->unknown[0].column, "stage");
    ck_assert_str_eq(m->unknown[0].category, "IV");
    ck_assert_uint_eq(m->unknown[0].samples, 1 + 1 + 1);
    ck_assert_str_eq(m->unknown[1].category, "III");
    ck_assert_uint_eq(m->unknown[1].samples, 1);
    mmli_match_free(m);
    mmli_prep_free(p);
}
END_TEST

START_TEST(the_same_features_are_taken_as_they_are)
{
    mml_modality_info info = info_of(names, columns, 5);
    mmli_prep *p = trained();
    mmli_match *m = NULL;

    mmlt_assert_ok(mmli_match_make(&m, p, &info));
    ck_assert_ptr_null(m->from);
    ck_assert_uint_eq(m->n_unknown, 1); /* III again */
    mmli_match_free(m);
    info.category_of = NULL; /* a file that does not say: names alone */
    mmlt_assert_ok(mmli_match_make(&m, p, &info));
    ck_assert_ptr_null(m->from);
    ck_assert_uint_eq(m->n_unknown, 0);
    mmli_match_free(m);
    mmli_prep_free(p);
}
END_TEST

START_TEST(columns_are_found_by_name_and_others_are_ignored)
{
    static const char *const theirs[] = {"sex=f", "bmi", "x", "stage=II", "sex=m", "age", "stage=IV"};
    static const char *const of[] = {"sex", "", "", "stage", "sex", "", "stage"};
    const float x[] = {1, 20, 7, 1, 0, 50, 0, 0, NAN, 8, 0, 1, 60, 1}, want[] = {50, 0, 1, 0, 20, 60, 0, 0, 0, NAN};
    mml_modality_info info = info_of(theirs, of, 7);
    mmli_prep *p = trained();
    mmli_match *m = NULL;
    float out[10];

    info.kind = _i == 0 ? MML_TABLE : MML_SERIES;
    mmlt_assert_ok(mmli_match_make(&m, p, &info));
    mmli_match_values(out, m, x, 2, 7);
    mmlt_assert_close(out, want, 10, MMLT_TOL_EXACT);
    ck_assert_uint_eq(m->n_ignored, 2); /* a categorical column once */
    ck_assert_str_eq(m->ignored[0].name, "sex");
    ck_assert_uint_eq(m->ignored[0].at, 0);
    ck_assert_str_eq(m->ignored[1].name, "x");
    ck_assert_uint_eq(m->ignored[1].at, 2);
    ck_assert_uint_eq(m->n_unknown, 1); /* sex is ignored, not unknown */
    ck_assert_str_eq(m->unknown[0].category, "IV");
    mmli_match_free(m);
    mmli_prep_free(p);
}
END_TEST

/* A model that does not say what is a category: its features are numbers, wherever the cohort has them from. */
START_TEST(a_model_without_categories_finds_its_features_among_those_of_a_column)
{
    static const char *const mine[] = {"age", "stage=I", "stage=II"}, *const theirs[] = {"stage=II", "stage=I", "stage=IV", "age"};
    static const char *const of[] = {"stage", "stage", "stage", ""};
    const float x[] = {0, 1, 0, 50}, want[] = {50, 1, 0};
    const mml_modality_info info = info_of(theirs, of, 4);
    mmli_prep *p = NULL;
    mmli_match *m = NULL;
    float out[3];

    mmlt_assert_ok(mmli_prep_identity_named(&p, mine, NULL, 3));
    mmlt_assert_ok(mmli_match_make(&m, p, &info));
    mmli_match_values(out, m, x, 1, 4);
    mmlt_assert_close(out, want, 3, MMLT_TOL_EXACT);
    ck_assert_uint_eq(m->n_ignored, 1);
    ck_assert_str_eq(m->ignored[0].name, "stage=IV");
    ck_assert_uint_eq(m->n_unknown, 0);
    mmli_match_free(m);
    mmli_prep_free(p);
}
END_TEST

START_TEST(a_column_of_training_that_is_missing_is_named)
{
    static const struct {
        const char *features[6], *of[6];
        size_t width;
        const char *says;
    } cases[] = {
        {{"age", "stage=IV", "height"}, {"", "stage", ""}, 3, "clinical: the feature `bmi` of training is missing (training had no `height`, which is there); import"},
        {{"height", "stage=I"}, {"", "stage"}, 2, "clinical: the feature `age` of training is missing, and 1 more of its 5 features (training had no `height`, which is there); import"},
        {{"stage=I", "age"}, {"stage", ""}, 2, "clinical: the feature `bmi` of training is missing; import the cohort again with it"},
        {{"age", "bmi", "sex=f"}, {"", "", "sex"}, 3, "the categorical column `stage` of training is missing"},
        {{"age", "stage", "bmi"}, {"", "", ""}, 3, "the categorical column `stage` of training is missing"},
    };
    mmli_prep *p = trained();
    mmli_match *m = NULL;
    mml_modality_info info = info_of(cases[_i].features, cases[_i].of, cases[_i].width);

    mmlt_assert_fails(mmli_match_make(&m, p, &info), MML_E_DATA, cases[_i].says);
    ck_assert_ptr_null(m);
    info.category_of = NULL; /* nor are names alone enough for categories that differ */
    mmlt_assert_fails(mmli_match_make(&m, p, &info), MML_E_DATA, "modality clinical: ");
    mmli_prep_free(p);
}
END_TEST

/* Of bags, of images, and where names are no names. */
START_TEST(elsewhere_what_is_no_category_must_be_as_in_training)
{
    static const struct {
        const char *features[6], *of[6];
        size_t width;
        const char *says;
    } cases[] = {
        {{"age", "stage=IV", "height"}, {"", "stage", ""}, 3, "clinical: feature 2 is `height`, in training it was `bmi` (2 features besides categories"},
        {{"bmi", "stage=IV", "age"}, {"", "stage", ""}, 3, "in another order: number 1 is `bmi`, in training `age`"},
        {{"age", "stage=I"}, {"", "stage"}, 2, "feature 2 of training, `bmi`, is missing"},
        {{"age", "bmi", "stage=I", "x"}, {"", "", "stage", ""}, 4, "feature 3, `x`, was not there in training"},
        {{"age", "bmi", "sex=f"}, {"", "", "sex"}, 3, "the categorical column `stage` of training is missing"},
        {{"age", "bmi", "stage=I", "sex=f"}, {"", "", "stage", "sex"}, 4, "the categorical column `sex` was not there in training"},
        {{"age", "stage", "bmi"}, {"", "", ""}, 3, "feature 2 is `stage`, in training it was `bmi`"},
        {{"age", "bmi", "stage=I", "bmi"}, {"", "", "stage", ""}, 4, "feature 3, `bmi`, was not there in training"},
    };
    static const char *const counted[] = {"c0", "c1"}, *const more[] = {"c0", "c1", "c2"};
    mmli_prep *p = trained();
    mmli_match *m = NULL;
    mml_modality_info info = info_of(cases[_i].features, cases[_i].of, cases[_i].width);

    info.kind = _i == 7 ? MML_TABLE : _i % 2 ? MML_IMAGE : MML_BAG; /* the last has a name twice */
    mmlt_assert_fails(mmli_match_make(&m, p, &info), MML_E_DATA, cases[_i].says);
    mmli_prep_free(p);
    mmlt_assert_ok(mmli_prep_identity_named(&p, counted, NULL, 2));
    info = info_of(more, NULL, 3);
    mmlt_assert_fails(mmli_match_make(&m, p, &info), MML_E_DATA, "feature 3, `c2`, was not there in training");
    mmli_prep_free(p);
}
END_TEST

START_TEST(every_failed_allocation_of_a_match_is_reported)
{
    static const char *const theirs[] = {"age", "bmi", "stage=IV", "x"}, *const of[] = {"", "", "stage", ""};
    const mml_modality_info info = info_of(theirs, of, 4);
    mmli_prep *p = trained();
    mml_status st = MML_E_NOMEM;

    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_match *m = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_match_make(&m, p, &info);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_int_eq(st == MML_OK, m != NULL);
        ck_assert_uint_lt(k, 100);
        mmli_match_free(m);
    }
    mmli_prep_free(p);
}
END_TEST

/* ---- a model and two cohorts ---------------------------------------------------------------------------------- */

static mml_cohort *cohort_of(mmlt_cohort *made, const float *x, size_t n, const char *const *features, const char *const *of, size_t width)
{
    const double code[] = {0, 1, 0, 1};
    hid_t group;

    mmlt_cohort_begin(made, n, NULL);
    mmlt_cohort_modality(made, "labs", "table", x, NULL, width, NULL, 0, features);
    mmlt_cohort_classes(made, "outcome", "binary", (const char *const[]){"no", "yes"}, 2, code);
    group = H5Gopen2(made->modalities, "labs", H5P_DEFAULT);
    mmlt_assert_ok(mmli_h5_put_texts(of, width, group, made->path, "category_of"));
    H5Gclose(group);
    return mmlt_cohort_open(made);
}

static mml_model *model_of(uint64_t seed, const char *const *features, size_t width)
{
    mml_model *model = mmlt_block(&(mmlt_block_spec){.modality = "labs", .width = width, .task = MML_BINARY, .seed = seed});
    mmli_prep *prep = model->members[0].prep;

    mmlt_assert_ok(mmli_prep_set_features(prep, features));
    mmlt_assert_ok(mmli_prep_set_categories(prep, columns));
    return model;
}

static int keep_logits(void *user, const mml_prediction *chunk, const size_t *samples)
{
    memcpy((float *)user + 2 * samples[0], chunk->logits, chunk->n * 2 * sizeof(float));
    return 0;
}

START_TEST(another_hospital_is_predicted_as_if_it_had_been_imported_with_the_categories_of_training)
{
    static const char *const theirs[] = {"age", "stage=II", "stage=IV", "bmi"};
    static const char *const of[] = {"", "stage", "stage", ""}, *const fewer[] = {"age", "stage=IV", "stage=I"};
    const float own[] = {1, 0, 1, 0, 2, 2, 0, 0, 0, 3, 3, NAN, NAN, NAN, 4, 4, 0, 0, 0, 5};
    const float other[] = {1, 1, 0, 2, 2, 0, 1, 3, 3, NAN, NAN, 4, 4, 0, 1, 5};
    mml_model *model = model_of(3, names, 5), *second = model_of(4, (const char *const[]){"age", "stage=I", "stage=II", "stage=V", "bmi"}, 5);
    mml_model *merged = NULL, *mixed = NULL, *bare = model_of(5, fewer, 3);
    mml_model *wants = model_of(6, (const char *const[]){"age", "stage=I", "stage=II", "stage=III", "height"}, 5);
    mml_ignored_column *ignored;
    mml_predictor *p = NULL;
    const mml_unknown_category *unknown;
    mml_merge_options mo;
    mml_evaluate_options eo;
    mml_evaluation e;
    mmlt_cohort made[2];
    mml_cohort *a = cohort_of(&made[0], own, 4, names, columns, 5), *b = cohort_of(&made[1], other, 4, theirs, of, 4);
    float la[8], lb[8];
    size_t n;

    mmlt_assert_ok(mml_merge_options_init(&mo, NULL));
    mo.weighting = MML_WEIGHT_EQUAL;
    mmlt_assert_ok(mml_merge(&merged, (const mml_model *const[]){model, second}, 2, &mo)); /* both of labs: each by its own names */
    for (int i = 0; i < 2; i++) {
        mmlt_assert_ok(mml_predictor_new(&p, i == 0 ? model : merged, NULL, 1));
        ck_assert_ptr_null(mml_predictor_unknown(p, &n));
        ck_assert_uint_eq(n, 0);
        mmlt_assert_ok(mml_predict_cohort(p, a, NULL, 0, 3, keep_logits, la));
        ck_assert_ptr_null(mml_predictor_unknown(p, &n));
        ck_assert_uint_eq(n, 0);
        mmlt_assert_ok(mml_predict_cohort(p, b, NULL, 0, 3, keep_logits, lb));
        mmlt_assert_close(lb, la, 8, MMLT_TOL_EXACT);
        unknown = mml_predictor_unknown(p, &n);
        ck_assert_uint_eq(n, 1); /* once, though neither block knows it */
        ck_assert_str_eq(unknown[0].modality, "labs");
        ck_assert_str_eq(unknown[0].column, "stage");
        ck_assert_str_eq(unknown[0].category, "IV");
        ck_assert_uint_eq(unknown[0].n, 2);
        mml_predictor_free(p);
    }
    mml_evaluate_options_init(&eo);
    eo.on = "all";
    eo.bootstrap = 0;
    mmlt_assert_ok(mml_evaluate(&e, model, b, &eo));
    ck_assert_uint_eq(e.n_unknown, 1);
    ck_assert_str_eq(e.unknown[0].category, "IV");
    ck_assert_uint_eq(e.unknown[0].n, 2);
    mmlt_assert_ok(mml_predictor_new(&p, bare, NULL, 1));
    mmlt_assert_ok(mml_predict_cohort(p, b, NULL, 0, 0, keep_logits, lb));
    mml_predictor_free(p);
    mmlt_assert_ok(mml_model_ignored(&ignored, &n, bare, b));
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(ignored[0].modality, "labs");
    ck_assert_str_eq(ignored[0].column, "bmi");
    mml_ignored_columns_free(ignored);
    mmlt_assert_ok(mml_merge(&mixed, (const mml_model *const[]){bare, model}, 2, &mo)); /* one of its blocks reads it */
    mmlt_assert_ok(mml_model_ignored(&ignored, &n, mixed, b));
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_null(ignored);
    mml_model_free(mixed);
    mmlt_assert_fails(mml_model_ignored(&ignored, &n, wants, b), MML_E_DATA, "the feature `height` of training is missing");
    ck_assert_ptr_null(ignored);
    mmlt_assert_fails(mml_predictor_new(&p, wants, NULL, 1) == MML_OK ? mml_predict_cohort(p, b, NULL, 0, 0, keep_logits, lb) : MML_E_INTERNAL,
                      MML_E_DATA, "the feature `height` of training is missing");
    mml_predictor_free(p);
    mml_model_free(merged);
    mml_model_free(second);
    mml_model_free(model);
    mml_model_free(bare);
    mml_model_free(wants);
    mml_cohort_close(a);
    mml_cohort_close(b);
    mmlt_cohort_remove(&made[0]);
    mmlt_cohort_remove(&made[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/match");
    TCase *tc = tcase_create("match");

    tcase_add_test(tc, categories_are_matched_by_name_and_those_not_learnt_are_counted);
    tcase_add_test(tc, the_same_features_are_taken_as_they_are);
    tcase_add_loop_test(tc, columns_are_found_by_name_and_others_are_ignored, 0, 2);
    tcase_add_test(tc, a_model_without_categories_finds_its_features_among_those_of_a_column);
    tcase_add_loop_test(tc, a_column_of_training_that_is_missing_is_named, 0, 5);
    tcase_add_loop_test(tc, elsewhere_what_is_no_category_must_be_as_in_training, 0, 8);
    tcase_add_test(tc, every_failed_allocation_of_a_match_is_reported);
    tcase_add_test(tc, another_hospital_is_predicted_as_if_it_had_been_imported_with_the_categories_of_training);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
