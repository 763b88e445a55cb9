/* What `inspect` says of a cohort: JSON that holds the numbers of the file. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "tests/unit/raw_cohort.h"
#include "util/alloc.h"

static json_t *describe(const char *name)
{
    mml_cohort *c;
    char *text;
    json_t *root;
    json_error_t error;

    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path(name)));
    mmlt_assert_ok(mml_cohort_describe(&text, c));
    mml_cohort_close(c);
    root = json_loads(text, 0, &error);
    ck_assert_msg(root != NULL, "%s", error.text);
    mml_string_free(text);
    return root;
}

/* A number at "tasks.1.events": keys and places. */
static double at(json_t *o, const char *path)
{
    char key[64];

    while (*path != '\0') {
        const size_t n = strcspn(path, ".");

        memcpy(key, path, n);
        key[n] = '\0';
        path += n + (path[n] == '.');
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
        ck_assert_msg(o != NULL, "%s", key);
    }
    return json_is_null(o) ? NAN : json_number_value(o);
}

START_TEST(a_cohort_of_another_program_is_described)
{
    json_t *root;

    H5Fclose(mmlt_raw_cohort("c.h5"));
    root = describe("c.h5");
    ck_assert(at(root, "samples") == 5);
    ck_assert(json_is_null(json_object_get(root, "data_hash")));
    ck_assert(at(root, "columns.site.distinct") == 3 && at(root, "columns.site.values.B") == 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(root, "tasks"), 1), "kind")), "survival");
    ck_assert(at(root, "tasks.0.labelled") == 5 && at(root, "tasks.0.value.min") == -2 && at(root, "tasks.0.value.median") == 3);
    ck_assert(at(root, "tasks.1.labelled") == 4 && at(root, "tasks.1.unlabelled") == 1 && at(root, "tasks.1.events") == 2);
    ck_assert(at(root, "tasks.1.time.median") == 2.25 && at(root, "tasks.1.time.mean") == 2.125);
    ck_assert(at(root, "tasks.2.classes.0.samples") == 2 && at(root, "tasks.2.classes.2.samples") == 1);
    ck_assert(at(root, "modalities.0.present") == 4 && at(root, "modalities.0.absent") == 1);
    ck_assert(at(root, "modalities.0.tokens") == 7 && at(root, "modalities.0.position_axes") == 1);
    ck_assert(at(root, "modalities.0.tokens_per_sample.max") == 3 && at(root, "modalities.0.tokens_per_sample.median") == 1.5);
    ck_assert_double_eq_tol(at(root, "modalities.0.missing"), 1.0 / 14, 1e-7); /* counted from the tokens */
    ck_assert_double_eq_tol(at(root, "modalities.0.features.1.missing"), 1.0 / 7, 1e-7);
    ck_assert(at(root, "modalities.0.features.0.missing") == 0);
    ck_assert(at(root, "overlap.all") == 2 && at(root, "overlap.none") == 0 && at(root, "overlap.pairs.0.samples") == 2);
    ck_assert_ptr_null(json_object_get(root, "groups"));
    json_decref(root);
}
END_TEST

START_TEST(an_imported_cohort_is_described_without_reading_its_tokens)
{
    json_t *root;

    mmlt_write("l.csv", "id,g,set\na,p,x\nb,p,\nc,q,y\n");
    mmlt_write("m.csv", "id,x,y\na,1,\nb,2,3\n");
    mml_cohort_close(mmlt_imported("[cohort]\nlabels = l.csv\nid = id\ngroup = g\ncolumns = set\n"
                                   "[modality m]\nkind = table\nfile = m.csv\n"));
    root = describe("out.h5");
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(root, "data_hash"))), 16);
    ck_assert(at(root, "groups") == 2);
    ck_assert(at(root, "modalities.0.missing") == 0.25 && at(root, "modalities.0.features.1.missing") == 0.5);
    ck_assert(at(root, "columns.set.distinct") == 3);
    json_decref(root);
}
END_TEST

START_TEST(a_modality_that_nobody_has_is_described)
{
    json_t *root;

    mmlt_write("l.csv", "id\na\n");
    mmlt_write("m.csv", "id,x\na,\n");
    mml_cohort_close(mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n"));
    root = describe("out.h5");
    ck_assert(at(root, "modalities.0.present") == 0 && isnan(at(root, "modalities.0.missing")));
    ck_assert(at(root, "overlap.none") == 1);
    json_decref(root);
}
END_TEST

START_TEST(counts_that_cannot_be_are_refused)
{
    hid_t file = mmlt_raw_cohort("c.h5");
    mml_cohort *c;
    char *text;

    mmlt_h5_array(file, "modalities/bag/measured", H5T_STD_U64LE, H5T_NATIVE_INT64, 1, (hsize_t[]){2}, (int64_t[]){7, 8});
    H5Fclose(file);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("c.h5")));
    mmlt_assert_fails(mml_cohort_describe(&text, c), MML_E_DATA, "more values than tokens");
    ck_assert_ptr_null(text);
    mml_cohort_close(c);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;
    mml_cohort *c;
    char *text;

    H5Fclose(mmlt_raw_cohort("c.h5"));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("c.h5")));
    for (uint64_t k = 1; st != MML_OK; k++) {
        ck_assert_uint_lt(k, 200);
        mmli_alloc_fail_at(k);
        st = mml_cohort_describe(&text, c);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        mml_string_free(text);
    }
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("describe");
    TCase *tc = tcase_create("describe");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_cohort_of_another_program_is_described);
    tcase_add_test(tc, an_imported_cohort_is_described_without_reading_its_tokens);
    tcase_add_test(tc, a_modality_that_nobody_has_is_described);
    tcase_add_test(tc, counts_that_cannot_be_are_refused);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
