/* test_labels.c - classes and targets learnt from the training part, and labels mapped to them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/labels_help.h"

static mml_cohort *open_classes(mmlt_cohort *made, const char *kind, const char *const *classes, size_t k,
                                const double *code, size_t n)
{
    mmlt_cohort_begin(made, n, NULL);
    mmlt_cohort_classes(made, "t", kind, classes, k, code);
    return mmlt_cohort_open(made);
}

/* ---- classes --------------------------------------------------------------------------------------------------------- */

static const char *const four[] = {"akiec", "bcc", "mel", "nv"};

START_TEST(classes_are_those_of_the_training_part)
{
    const double code[] = {3, 1, -1, 3, 3, 0, 2, 1};
    const size_t train[] = {0, 1, 2, 3, 4};
    static const char *const five[] = {"akiec", "bcc", "mel", "nv", "vasc"}; /* no sample has the last */
    mmlt_cohort made;
    mml_cohort *cohort = open_classes(&made, "multiclass", five, 5, code, 8);
    mmli_task *t = NULL;
    mmli_labels *l = NULL;

    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 5, 0));
    ck_assert_int_eq(t->kind, MML_MULTICLASS);
    ck_assert_uint_eq(t->outputs, 2);
    ck_assert_str_eq(t->classes[0], "bcc");
    ck_assert_str_eq(t->classes[1], "nv");
    ck_assert_uint_eq(t->n_train, 4);
    ck_assert(t->counts[0] == 1 && t->counts[1] == 3);
    ck_assert(t->prior_output[0] == 0.25f && t->prior_output[1] == 0.75f);
    mmlt_assert_ok(mmli_task_map(&l, t, cohort, MML_CLASS_EQUAL));
    for (size_t i = 0; i < 8; i++) {
        const int32_t want = i == 2 ? MMLI_LABEL_MISSING : i == 5 || i == 6 ? MMLI_LABEL_UNKNOWN : code[i] == 3 ? 1 : 0;

        ck_assert_int_eq(l->index[i], want);
        ck_assert_float_eq(l->weight[i], want >= 0 ? 1 : 0);
        ck_assert(want >= 0 ? l->value[i] == want : isnan(l->value[i]));
    }
    ck_assert_uint_eq(l->n_labelled, 5);
    ck_assert_uint_eq(l->n_missing, 1);
    ck_assert_uint_eq(l->n_unknown, 2);
    ck_assert_str_eq(l->unknown, "akiec, mel");
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(class_names_of_the_test_part_do_not_decide_the_order)
{
    /* By byte, because of "x", the cohort has 10 before 9; the training part alone has numbers only. */
    static const char *const with_x[] = {"10", "9", "x"}, *const without[] = {"9", "10"};
    const double a[] = {0, 1, 0, 2}, b[] = {1, 0, 1, 0};
    const size_t train[] = {0, 1, 2};
    mmlt_cohort made_a, made_b;
    mml_cohort *ca = open_classes(&made_a, "multiclass", with_x, 3, a, 4);
    mml_cohort *cb = open_classes(&made_b, "multiclass", without, 2, b, 4);
    mmli_task *ta = NULL, *tb = NULL;
    mmli_labels *l = NULL;

    mmlt_assert_ok(mmlt_labels_fit(&ta, ca, train, 3, 0));
    mmlt_assert_ok(mmlt_labels_fit(&tb, cb, train, 3, 0));
    ck_assert_str_eq(ta->classes[0], "9");
    ck_assert_str_eq(ta->classes[1], "10");
    mmlt_assert_same_task(ta, tb);
    mmlt_assert_ok(mmli_task_map(&l, ta, cb, MML_CLASS_EQUAL)); /* another cohort, another order of its classes */
    ck_assert(l->index[0] == 1 && l->index[1] == 0 && l->index[3] == 0);
    ck_assert_str_eq(l->unknown, "");
    mmli_labels_free(l);
    mmli_task_free(ta);
    mmli_task_free(tb);
    mmlt_close_made(ca, &made_a);
    mmlt_close_made(cb, &made_b);
}
END_TEST

START_TEST(one_and_one_point_zero_are_one_class)
{
    static const char *const plain[] = {"0", "1"}, *const floats[] = {"0.0", "1.0"};
    const double code[] = {0, 1, 1, -1};
    const size_t train[] = {0, 1, 2, 3};
    mmlt_cohort made_a, made_b;
    mml_cohort *a = open_classes(&made_a, "binary", plain, 2, code, 4);
    mml_cohort *b = open_classes(&made_b, "binary", floats, 2, code, 4);
    mmli_task *t = NULL;
    mmli_labels *l = NULL;

    mmlt_assert_ok(mmlt_labels_fit(&t, a, train, 4, 0));
    mmlt_assert_ok(mmli_task_map(&l, t, b, MML_CLASS_EQUAL));
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(l->index[i], (int32_t)code[i]);
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_close_made(a, &made_a);
    mmlt_close_made(b, &made_b);
}
END_TEST

START_TEST(balanced_weights_give_every_class_the_same_say)
{
    const double code[] = {3, 1, -1, 3, 3, 0, 2, 1};
    const size_t train[] = {0, 1, 3, 4, 5};
    mmlt_cohort made;
    mml_cohort *cohort = open_classes(&made, "multiclass", four, 4, code, 8);
    mmli_task *t = NULL;
    mmli_labels *l = NULL;
    double sum[3] = {0};

    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 5, 0));
    ck_assert_uint_eq(t->outputs, 3);
    mmlt_assert_ok(mmli_task_map(&l, t, cohort, MML_CLASS_BALANCED));
    for (size_t i = 0; i < 5; i++)
        sum[l->index[train[i]]] += (double)l->weight[train[i]];
    for (size_t c = 0; c < 3; c++)
        ck_assert_double_eq_tol(sum[c], 5.0 / 3, 1e-6); /* n / k each, n in all */
    ck_assert_float_eq(l->weight[2], 0); /* missing */
    ck_assert_float_eq(l->weight[6], 0); /* unknown */
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(training_parts_without_two_classes_are_refused)
{
    const double code[] = {1, 1, 0, -1};
    const size_t same[] = {0, 1}, none[] = {3}, twice[] = {2, 0, 2}, far[] = {0, 9}, good[] = {0, 2};
    static const char *const classes[] = {"alive", "dead"};
    mmlt_cohort made;
    mml_cohort *cohort = open_classes(&made, "binary", classes, 2, code, 4);
    mmli_task *t = NULL;

    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, same, 2, 0), MML_E_DATA, "all 2 training samples are of class `dead`");
    ck_assert_ptr_null(t);
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, none, 1, 0), MML_E_DATA, "none of the 1 training samples has a label of task t");
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, none, 0, 0), MML_E_DATA, "none of the 0 training samples");
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, twice, 3, 0), MML_E_DATA, "sample `s2` is in the training part twice");
    mmlt_assert_fails(mmlt_labels_fit(&t, cohort, far, 2, 0), MML_E_ARG, "only 4 samples");
    mmlt_assert_fails(mmli_task_fit(&t, cohort, "tt", good, 2, NULL), MML_E_NOT_FOUND, "t");
    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, good, 2, 0));
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

/* ---- regression --------------------------------------------------------------------------------------------------------- */

START_TEST(targets_are_standardised_with_the_training_part)
{
    const double value[] = {1e8 + 1, 1e8 + 3, (double)NAN, 1e8 + 8, 1e8 - 1000};
    const size_t train[] = {0, 1, 2, 3};
    const double sd = sqrt(26.0 / 3);
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_task *t = NULL;
    mmli_labels *l = NULL;

    mmlt_cohort_begin(&made, 5, NULL);
    mmlt_cohort_values(&made, "t", value);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 4, 0));
    ck_assert_uint_eq(t->outputs, 1);
    ck_assert_uint_eq(t->n_train, 3);
    ck_assert_double_eq_tol(t->mean, 1e8 + 4, 1e-7);
    ck_assert_double_eq_tol(t->sd, sd, 1e-9);
    ck_assert(t->prior_logits[0] == 0 && t->prior_output[0] == (float)(1e8 + 4));
    mmlt_assert_ok(mmli_task_map(&l, t, cohort, MML_CLASS_BALANCED));
    ck_assert_float_eq_tol(l->target[0], (float)(-3 / sd), 1e-6f);
    ck_assert_float_eq_tol(l->target[4], (float)(-1004 / sd), 1e-4f);
    ck_assert(l->target[2] == 0 && l->weight[2] == 0 && l->index[2] == MMLI_LABEL_MISSING && isnan(l->value[2]));
    ck_assert(l->index[4] == 0 && l->weight[4] == 1 && l->value[4] == value[4]);
    mmli_labels_free(l);
    mmli_task_free(t);
    mmlt_close_made(cohort, &made);
}
END_TEST

START_TEST(constant_targets_have_deviation_one)
{
    const double value[] = {0.1, 0.1, 0.1, 7}, huge[] = {1e300, -1e300, 0, 0};
    const size_t train[] = {0, 1, 2};
    mmlt_cohort made;
    mml_cohort *cohort;
    mmli_task *t = NULL;

    mmlt_cohort_begin(&made, 4, NULL);
    mmlt_cohort_values(&made, "t", value);
    mmlt_cohort_values(&made, "huge", huge);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 3, 0));
    ck_assert(t->mean == 0.1 && t->sd == 1);
    mmli_task_free(t);
    mmlt_assert_fails(mmli_task_fit(&t, cohort, "huge", train, 3, NULL), MML_E_DATA, "too large");
    mmlt_close_made(cohort, &made);
}
END_TEST

/* ---- other cohorts ------------------------------------------------------------------------------------------------------ */

START_TEST(task_of_another_kind_or_name_is_refused)
{
    const double code[] = {0, 1}, time[] = {1, 2};
    const uint8_t event[] = {1, 1};
    const size_t train[] = {0, 1};
    mmlt_cohort made_a, made_b, made_c;
    mml_cohort *a = open_classes(&made_a, "binary", four, 2, code, 2), *b = mmlt_open_survival(&made_b, time, event, 2), *c;
    mmli_task *t = NULL;
    mmli_labels *l = NULL;

    mmlt_cohort_begin(&made_c, 2, NULL);
    mmlt_cohort_values(&made_c, "los", time);
    c = mmlt_cohort_open(&made_c);
    mmlt_assert_ok(mmlt_labels_fit(&t, a, train, 2, 0));
    mmlt_assert_fails(mmli_task_map(&l, t, b, MML_CLASS_EQUAL), MML_E_DATA,
                      "task t is a survival task here, the model was trained on a binary task");
    ck_assert_ptr_null(l);
    mmlt_assert_fails(mmli_task_map(&l, t, c, MML_CLASS_EQUAL), MML_E_NOT_FOUND, "los");
    mmli_task_free(t);
    mmlt_close_made(a, &made_a);
    mmlt_close_made(b, &made_b);
    mmlt_close_made(c, &made_c);
}
END_TEST

START_TEST(times_in_another_unit_are_refused)
{
    static const char *const units[] = {"months", "Months", "", "days"};
    const double time[] = {1, 2, 3};
    const uint8_t event[] = {1, 1, 0};
    const size_t train[] = {0, 1, 2};
    mmli_task *first = NULL;

    for (size_t i = 0; i < 4; i++) {
        mmlt_cohort made;
        mml_cohort *cohort;
        mmli_task *t = NULL;
        mmli_labels *l = NULL;

        mmlt_cohort_begin(&made, 3, NULL);
        mmlt_cohort_survival(&made, "t", units[i], time, event);
        cohort = mmlt_cohort_open(&made);
        mmlt_assert_ok(mmlt_labels_fit(&t, cohort, train, 3, 2));
        if (i == 0)
            mmlt_assert_ok(mmli_task_copy(&first, t));
        if (i < 3) {
            mmlt_assert_ok(mmli_task_map(&l, first, cohort, MML_CLASS_EQUAL));
            mmlt_assert_ok(mmli_task_agree(NULL, first, t));
        } else {
            mmlt_assert_fails(mmli_task_map(&l, first, cohort, MML_CLASS_EQUAL), MML_E_DATA,
                              "is in days here, the model was trained in months");
            mmlt_assert_fails(mmli_task_agree(NULL, first, t), MML_E_ARG, "one model was trained in months, the other in days");
        }
        mmli_labels_free(l);
        mmli_task_free(t);
        mmlt_close_made(cohort, &made);
    }
    mmli_task_free(first);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/labels");
    TCase *classes = tcase_create("classes"), *rest = tcase_create("rest");

    tcase_add_test(classes, classes_are_those_of_the_training_part);
    tcase_add_test(classes, class_names_of_the_test_part_do_not_decide_the_order);
    tcase_add_test(classes, one_and_one_point_zero_are_one_class);
    tcase_add_test(classes, balanced_weights_give_every_class_the_same_say);
    tcase_add_test(classes, training_parts_without_two_classes_are_refused);
    tcase_add_test(rest, targets_are_standardised_with_the_training_part);
    tcase_add_test(rest, constant_targets_have_deviation_one);
    tcase_add_test(rest, task_of_another_kind_or_name_is_refused);
    tcase_add_test(rest, times_in_another_unit_are_refused);
    suite_add_tcase(suite, classes);
    suite_add_tcase(suite, rest);
    return mmlt_main(suite);
}
