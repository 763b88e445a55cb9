/* The page of a comparison: what is in it, what cannot get into it, and what may be missing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/metrics.h"
#include "mmlego/report.h"
#include "report/report.h"
#include "tests/support/mmlt.h"
#include "tests/unit/make_comparison.h"
#include "tests/unit/markup_check.h"
#include "util/alloc.h"

static const char *const kinds[] = {"survival", "binary", "multiclass", "regression"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The page of a comparison, which is freed. */
static char *page_of(json_t *comparison)
{
    const json_t *one = comparison;
    char *html;

    mmlt_assert_ok(mmli_report_html(&html, &one, 1));
    json_decref(comparison);
    return html;
}

/* The first samples of a run. */
static void shorten(json_t *job)
{
    const char *key;
    json_t *array;

    json_object_foreach(json_object_get(job, "test"), key, array)
        while (json_array_size(array) > 12)
            json_array_remove(array, json_array_size(array) - 1);
}

/* A small one, for tests that make thousands of pages: the best baseline and a system compared with it, two runs each. */
static json_t *small_comparison(const char *kind)
{
    json_t *comparison = mmlt_comparison(kind, "Cohort", 1);

    for (int list = 0; list < 2; list++) {
        json_t *all = json_object_get(comparison, list == 0 ? "systems" : "jobs");

        for (size_t i = json_array_size(all); i-- > 0;) {
            const json_t *one = json_array_get(all, i);
            const char *name = json_string_value(json_object_get(one, "system"));
            const bool kept = strcmp(name, "healnet") == 0 || strcmp(name, "merge") == 0;

            if (!kept || json_integer_value(json_object_get(one, "fold")) > 1)
                json_array_remove(all, i);
            else if (list == 1)
                shorten(json_array_get(all, i));
        }
    }
    return comparison;
}

/* ---- what is in it -------------------------------------------------------------------------------------------------------- */

START_TEST(a_page_is_well_formed_and_has_its_plots)
{
    static const char *const own[KINDS] = {"Survival of risk groups", "ROC curves", "Calibration", "Predicted and true values"};
    char *html = page_of(mmlt_comparison(kinds[_i], "Cohort", 1));

    mmlt_assert_well_formed(html);
    for (size_t k = 0; k < KINDS; k++) { /* calibration is for binary ones too */
        const bool wanted = k == (size_t)_i || (k == 2 && _i == 1);

        ck_assert_msg((strstr(html, own[k]) != NULL) == wanted, "%s: %s", kinds[_i], own[k]);
    }
    ck_assert_ptr_nonnull(strstr(html, "Learning curves"));
    ck_assert_ptr_nonnull(strstr(html, "Score and cost"));
    ck_assert_ptr_nonnull(strstr(html, "Unpaired training"));
    ck_assert_ptr_nonnull(strstr(html, "What merging gains"));
    mmli_free(html);
}
END_TEST

START_TEST(the_page_stands_alone)
{
    static const char *const outside[] = {"<script", "<link", "<img", "<iframe", "url(", "@import", "http:", "https:", "src=", "javascript:"};
    char *html = page_of(mmlt_comparison("binary", "Cohort", 1));

    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        ck_assert_msg(strstr(html, outside[i]) == NULL, "%s", outside[i]);
    ck_assert_ptr_nonnull(strstr(html, "default-src 'none'"));
    ck_assert_ptr_nonnull(strstr(html, "prefers-color-scheme:dark"));
    ck_assert_ptr_nonnull(strstr(html, "@media print"));
    mmli_free(html);
}
END_TEST

START_TEST(the_table_has_a_row_for_every_system_and_a_cell_for_every_fold)
{
    char *html = page_of(mmlt_comparison("binary", "Cohort", 1));
    const size_t systems = mmlt_comparison_systems();

    ck_assert_uint_eq(mmlt_count_between(html, "<h3>Systems</h3>", "</section>", "<th scope=\"row\">"), systems);
    ck_assert_uint_eq(mmlt_count(html, "<td class=\"fold\">"), systems * MMLT_FOLDS);
    /* One has never run, one failed in one fold. */
    ck_assert_uint_eq(mmlt_count(html, "<td class=\"fold\">\xe2\x80\x93</td>"), MMLT_FOLDS + 1);
    ck_assert_uint_eq(mmlt_count(html, "<tr class=\"first\">"), 1);
    ck_assert_uint_eq(mmlt_count(html, "<tr class=\"second\">"), 1);
    ck_assert_uint_eq(mmlt_count_between(html, "<tr class=\"first\">", "</tr>", "LegoFuse (stack)"), 1);
    ck_assert_uint_eq(mmlt_count_between(html, "HEALNet</th>", "</tr>", "best baseline"), 1);
    mmli_free(html);
}
END_TEST

START_TEST(every_fold_that_has_a_score_is_a_point)
{
    char *html = page_of(mmlt_comparison("binary", "Cohort", 1));
    const size_t with_scores = (mmlt_comparison_systems() - 1) * MMLT_FOLDS - 1;

    ck_assert_uint_eq(mmlt_count_between(html, ">All systems</text>", "</svg>", "<circle class=\"dt "), with_scores);
    ck_assert_uint_eq(mmlt_count_between(html, ">All systems</text>", "</svg>", ", mean: "), mmlt_comparison_systems() - 1);
    /* Three blocks, ensemble, merge and two fuses. */
    ck_assert_uint_eq(mmlt_count_between(html, ">Blocks, ensemble, merge and fuse</text>", "</svg>", "<circle class=\"dt "), 7 * MMLT_FOLDS);
    ck_assert_uint_eq(mmlt_count_between(html, ">LegoMerge minus the best single block</text>", "</svg>", "<circle class=\"dt "), MMLT_FOLDS);
    mmli_free(html);
}
END_TEST

/* AUC of every fold of a system, from the JSON. */
static double mean_auc(const json_t *comparison, const char *system)
{
    const json_t *jobs = json_object_get(comparison, "jobs");
    double sum = 0, n = 0;

    for (size_t j = 0; j < json_array_size(jobs); j++) {
        const json_t *job = json_array_get(jobs, j), *test = json_object_get(job, "test");
        double score[MMLT_TESTED], auc;
        int32_t label[MMLT_TESTED];

        if (test == NULL || strcmp(json_string_value(json_object_get(job, "system")), system) != 0)
            continue;
        for (size_t i = 0; i < MMLT_TESTED; i++) {
            score[i] = json_number_value(json_array_get(json_object_get(test, "score"), i));
            label[i] = (int32_t)json_integer_value(json_array_get(json_object_get(test, "label"), i));
        }
        mmlt_assert_ok(mml_metric_auc(&auc, label, score, MMLT_TESTED));
        sum += auc;
        n += 1;
    }
    ck_assert_double_eq(n, MMLT_FOLDS);
    return sum / n;
}

START_TEST(the_auc_above_a_roc_curve_is_that_of_the_predictions)
{
    json_t *comparison = mmlt_comparison("binary", "Cohort", 1);
    char wanted[64], *html;

    snprintf(wanted, sizeof wanted, "AUC %.3f \xc2\xb1 ", mean_auc(comparison, "healnet"));
    html = page_of(comparison);
    ck_assert_uint_eq(mmlt_count_between(html, "<h3>ROC curves</h3>", "</section>", wanted), 1);
    /* A pale line for every fold of every system that has run, and one of the failed ones less. */
    ck_assert_uint_eq(mmlt_count_between(html, "<h3>ROC curves</h3>", "</section>", "<path class=\"gh "),
                      (mmlt_comparison_systems() - 1) * MMLT_FOLDS - 1);
    mmli_free(html);
}
END_TEST

START_TEST(a_sample_that_was_tested_in_several_folds_counts_once_in_survival_curves)
{
    json_t *comparison = mmlt_comparison("survival", "Cohort", 1), *seen = json_object();
    const json_t *jobs = json_object_get(comparison, "jobs");
    char wanted[64], *html;
    size_t events = 0;

    for (size_t j = 0; j < json_array_size(jobs); j++) {
        const json_t *test = json_object_get(json_array_get(jobs, j), "test"), *id = json_object_get(test, "id");

        for (size_t i = 0; i < json_array_size(id); i++) {
            const char *name = json_string_value(json_array_get(id, i));

            if (json_object_get(seen, name) != NULL)
                continue;
            json_object_set_new(seen, name, json_true());
            events += (size_t)json_integer_value(json_array_get(json_object_get(test, "event"), i));
        }
    }
    snprintf(wanted, sizeof wanted, ">%zu samples, %zu events, log-rank p", json_object_size(seen), events);
    ck_assert_uint_lt(json_object_size(seen), MMLT_FOLDS * MMLT_TESTED); /* some do come twice */
    json_decref(seen);
    html = page_of(comparison);
    ck_assert_uint_ge(mmlt_count(html, wanted), mmlt_comparison_systems() - 2);
    mmli_free(html);
}
END_TEST

START_TEST(a_run_that_failed_is_named_with_its_reason)
{
    char *html = page_of(mmlt_comparison("binary", "Cohort", 1));

    ck_assert_ptr_nonnull(strstr(html, "<li>MCAT, fold 3: failed: the loss became NaN in epoch 3</li>"));
    mmli_free(html);
}
END_TEST

START_TEST(several_comparisons_are_one_page_with_a_row_for_each)
{
    json_t *all[KINDS];
    char *html;

    for (size_t k = 0; k < KINDS; k++)
        all[k] = mmlt_comparison(kinds[k], kinds[k], k);
    mmlt_assert_ok(mmli_report_html(&html, (const json_t *const *)all, KINDS));
    mmlt_assert_well_formed(html);
    ck_assert_uint_eq(mmlt_count_between(html, "<h3>All data sets</h3>", "</section>", "<th scope=\"row\">"), KINDS);
    ck_assert_uint_eq(mmlt_count(html, "<h3>What merging gains</h3>"), 1);
    ck_assert_uint_eq(mmlt_count_between(html, ">LegoMerge minus the best single block</text>", "</svg>", "<circle class=\"dt "),
                      KINDS * MMLT_FOLDS);
    mmli_free(html);
    for (size_t k = 0; k < KINDS; k++)
        json_decref(all[k]);
}
END_TEST

START_TEST(the_same_comparison_gives_the_same_bytes)
{
    char *first = page_of(mmlt_comparison(kinds[_i], "Cohort", 3)), *second = page_of(mmlt_comparison(kinds[_i], "Cohort", 3));

    ck_assert_str_eq(first, second);
    mmli_free(first);
    mmli_free(second);
}
END_TEST

START_TEST(where_lower_is_better_the_lowest_mean_is_the_best)
{
    json_t *comparison = mmlt_comparison("regression", "Cohort", 1);
    char *html;

    json_object_set_new(json_object_get(comparison, "task"), "metric", json_string("rmse"));
    html = page_of(comparison);
    ck_assert_uint_eq(mmlt_count_between(html, "<tr class=\"first\">", "</tr>", "MultiModN cnv"), 1);
    ck_assert_ptr_nonnull(strstr(html, "lower is better"));
    mmli_free(html);
}
END_TEST

/* ---- what cannot get into it ---------------------------------------------------------------------------------------------- */

#define HOSTILE "</title></style></svg><script>alert(1)</script>\" onload=\"x&'\x01\xe2\x80\xae<b"

static bool decides(const char *key)
{
    static const char *const kept[] = {"format", "kind", "metric", "group", "system", "status", "to"};

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(key, kept[i]) == 0)
            return true;
    return false;
}

/* Every text but those that decide what is shown. */
static void make_hostile(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_object(value)) {
        json_object_foreach(value, key, member) {
            if (json_is_string(member) && !decides(key))
                ck_assert_int_eq(json_string_setn_nocheck(member, HOSTILE, strlen(HOSTILE)), 0);
            make_hostile(member);
        }
    }
    json_array_foreach(value, i, member)
        make_hostile(member);
}

START_TEST(texts_of_others_are_shown_as_texts)
{
    json_t *comparison = mmlt_comparison(kinds[_i], "Cohort", 1);
    char *html;

    make_hostile(comparison);
    html = page_of(comparison);
    mmlt_assert_well_formed(html);
    ck_assert_ptr_null(strstr(html, "<script"));
    ck_assert_ptr_null(strstr(html, "<b"  "<"));
    ck_assert_ptr_null(strchr(html, '\x01'));
    ck_assert_ptr_null(strstr(html, "\xe2\x80\xae")); /* turns the direction of writing */
    ck_assert_ptr_nonnull(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd&lt;b"));
    mmli_free(html);
}
END_TEST

/* ---- what may be missing -------------------------------------------------------------------------------------------------- */

START_TEST(a_comparison_that_has_nothing_yet_is_a_page)
{
    static const char *const texts[] = {
        "{\"format\": \"mmlego comparison\", \"version\": 1}",
        "{\"format\": \"mmlego comparison\", \"version\": 1, \"systems\": []}",
        "{\"format\": \"mmlego comparison\", \"version\": 1, \"task\": {\"kind\": \"survival\"}, \"folds\": 5, \"systems\": [{}, {\"system\": \"merge\"}]}",
        "{\"format\": \"mmlego comparison\", \"version\": 1, \"task\": {\"kind\": \"binary\"}, \"systems\": [{\"system\": \"merge\", \"mean\": 0.7}]}",
    };
    char *html = page_of(json_loads(texts[_i], 0, NULL));

    mmlt_assert_well_formed(html);
    ck_assert_ptr_null(strstr(html, "<svg"));
    mmli_free(html);
}
END_TEST

/* Puts `value` in the place of the k-th member of all objects, counted in depth; false when there are not so many. */
static bool replace(json_t *in, size_t *k, json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_object(in)) {
        json_object_foreach(in, key, member) {
            if ((*k)-- == 0)
                return json_object_set(in, key, value) == 0;
            if (replace(member, k, value))
                return true;
        }
    }
    json_array_foreach(in, i, member)
        if (i < 2 && replace(member, k, value)) /* the rest is like them */
            return true;
    return false;
}

static bool fast; /* thousands of pages: of each kind two of the values then, others than the next */

START_TEST(a_value_of_another_type_is_as_good_as_none)
{
    json_t *wrong[] = {json_null(), json_string("x"), json_integer(-7), json_real(1e300), json_array(), json_object(), json_pack("[[s]]", "y"),
                       json_true()};
    json_t *whole = small_comparison(kinds[_i]);

    for (size_t w = fast ? (size_t)_i : 0; w < sizeof wrong / sizeof *wrong; w += fast ? KINDS : 1)
        for (size_t k = 0;; k++) {
            json_t *comparison = json_deep_copy(whole);
            const json_t *one = comparison;
            size_t left = k;
            char *html;
            const bool replaced = replace(comparison, &left, wrong[w]);
            const mml_status st = mmli_report_html(&html, &one, 1);

            if (st == MML_OK)
                mmlt_assert_well_formed(html);
            else
                ck_assert_int_eq(st, MML_E_FORMAT); /* "format" or "version" */
            mmli_free(html);
            json_decref(comparison);
            if (!replaced)
                break;
        }
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
        json_decref(wrong[w]);
    json_decref(whole);
}
END_TEST

START_TEST(a_fold_with_one_class_has_no_roc_curve_and_the_others_have)
{
    json_t *comparison = mmlt_comparison("binary", "Cohort", 1);
    const json_t *jobs = json_object_get(comparison, "jobs");
    json_t *label = json_object_get(json_object_get(json_array_get(jobs, 0), "test"), "label");
    char *html;

    for (size_t i = 0; i < json_array_size(label); i++)
        json_array_set_new(label, i, json_integer(0));
    html = page_of(comparison);
    ck_assert_uint_eq(mmlt_count_between(html, "<h3>ROC curves</h3>", "</section>", ", 4 folds</text>"), 2); /* and the failed one */
    mmli_free(html);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_said_and_nothing_is_left)
{
    json_t *comparison = small_comparison(kinds[_i]);
    const json_t *one = comparison;
    mml_status st = MML_E_NOMEM;
    char *html;

    for (uint64_t k = 1; st != MML_OK; k += 1 + k / 24) { /* near ones all, far ones some */
        mmli_alloc_fail_at(k);
        st = mmli_report_html(&html, &one, 1);
        mmli_alloc_fail_at(0);
        if (st != MML_OK) {
            ck_assert_int_eq(st, MML_E_NOMEM);
            ck_assert_ptr_null(html);
        }
    }
    mmli_free(html);
    json_decref(comparison);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------ */

START_TEST(what_is_not_a_comparison_is_refused)
{
    json_t *other = json_pack("{s:s}", "format", "something else"), *newer = json_pack("{s:s, s:i}", "format", "mmlego comparison", "version", 2);
    const json_t *one = other;
    char *html;

    mmlt_assert_fails(mmli_report_html(&html, &one, 1), MML_E_FORMAT, "not a comparison");
    ck_assert_ptr_null(html);
    one = newer;
    mmlt_assert_fails(mmli_report_html(&html, &one, 1), MML_E_FORMAT, "version 2");
    mmlt_assert_fails(mmli_report_html(&html, &one, 0), MML_E_ARG, "at least one");
    json_decref(other);
    json_decref(newer);
}
END_TEST

START_TEST(files_become_a_page_and_a_wrong_one_is_named)
{
    json_t *comparison = mmlt_comparison("binary", "Cohort", 1);
    const json_t *one = comparison;
    const char *good = "test_report_good.json", *bad = "test_report_bad.json", *none = "test_report_none.json", *files[2];
    char *from_json, *from_file;
    FILE *f = fopen(bad, "w");

    ck_assert_int_eq(json_dump_file(comparison, good, 0), 0);
    ck_assert_int_ge(fputs("{\"format\":\n oops", f), 0);
    fclose(f);
    mmlt_assert_ok(mmli_report_html(&from_json, &one, 1));
    files[0] = good;
    mmlt_assert_ok(mml_report_html(&from_file, files, 1));
    ck_assert_str_eq(from_file, from_json);
    mml_string_free(from_file);
    mmli_free(from_json);
    files[1] = bad;
    mmlt_assert_fails(mml_report_html(&from_file, files, 2), MML_E_FORMAT, "test_report_bad.json: line 2");
    ck_assert_ptr_null(from_file);
    files[1] = none;
    mmlt_assert_fails(mml_report_html(&from_file, files, 2), MML_E_IO, none);
    mmlt_assert_fails(mml_report_html(&from_file, files, 0), MML_E_ARG, "");
    remove(good);
    remove(bad);
    json_decref(comparison);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("report");
    TCase *tc = tcase_create("page");

    fast = mmlt_fast("of each kind of report, six of eight wrong values");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_page_is_well_formed_and_has_its_plots, 0, KINDS);
    tcase_add_test(tc, the_page_stands_alone);
    tcase_add_test(tc, the_table_has_a_row_for_every_system_and_a_cell_for_every_fold);
    tcase_add_test(tc, every_fold_that_has_a_score_is_a_point);
    tcase_add_test(tc, the_auc_above_a_roc_curve_is_that_of_the_predictions);
    tcase_add_test(tc, a_sample_that_was_tested_in_several_folds_counts_once_in_survival_curves);
    tcase_add_test(tc, a_run_that_failed_is_named_with_its_reason);
    tcase_add_test(tc, several_comparisons_are_one_page_with_a_row_for_each);
    tcase_add_loop_test(tc, the_same_comparison_gives_the_same_bytes, 0, KINDS);
    tcase_add_test(tc, where_lower_is_better_the_lowest_mean_is_the_best);
    tcase_add_loop_test(tc, texts_of_others_are_shown_as_texts, 0, KINDS);
    tcase_add_loop_test(tc, a_comparison_that_has_nothing_yet_is_a_page, 0, 4);
    tcase_add_loop_test(tc, a_value_of_another_type_is_as_good_as_none, 0, KINDS);
    tcase_add_test(tc, a_fold_with_one_class_has_no_roc_curve_and_the_others_have);
    tcase_add_loop_test(tc, memory_that_cannot_be_had_is_said_and_nothing_is_left, 0, KINDS);
    tcase_add_test(tc, what_is_not_a_comparison_is_refused);
    tcase_add_test(tc, files_become_a_page_and_a_wrong_one_is_named);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
