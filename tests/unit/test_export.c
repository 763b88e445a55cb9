/* Parts of a cohort as files: whoever is told how far it is may stop it. What is in the files: tests/cli/export.sh. */
#include <string.h>

#include "mmlego/data.h"
#include "tests/unit/folder.h"

static mml_cohort *cohort;

static void make(void)
{
    mmlt_folder_make();
    mmlt_write("l.csv", "id,label,a,b\np1,0,1,2\np2,1,3,4\np3,1,5,6\n");
    mmlt_assert_ok(mml_import(mmlt_path("l.csv"), mmlt_path("c.h5"), NULL, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&cohort, mmlt_path("c.h5")));
}

static void clean(void)
{
    mml_cohort_close(cohort);
    mmlt_folder_remove();
}

typedef struct told {
    size_t times, stop_at; /* 0: never */
    uint64_t last;
} told;

static int tell(void *user, const char *what, uint64_t done, uint64_t total)
{
    told *t = user;

    ck_assert_str_eq(what, "samples");
    ck_assert_uint_eq(total, 3);
    ck_assert_uint_le(done, total);
    t->last = done;
    return ++t->times == t->stop_at;
}

enum { TABLE_CSV, TABLE_NPY, LABELS_CSV, LABELS_NPY, EXPORTS };

static mml_status export(int what, told *t)
{
    const mml_export_format format = what == TABLE_CSV || what == LABELS_CSV ? MML_EXPORT_CSV : MML_EXPORT_NPY;

    return what == TABLE_CSV || what == TABLE_NPY
               ? mml_export_modality(cohort, "l", MML_EXPORT_VALUES, format, mmlt_path("out"), tell, t)
               : mml_export_labels(cohort, "label", format, mmlt_path("out"), tell, t);
}

START_TEST(an_export_tells_how_far_it_is)
{
    told t = {0};

    mmlt_assert_ok(export(_i, &t));
    ck_assert_uint_ge(t.times, 1);
    if (_i == TABLE_CSV || _i == TABLE_NPY)
        ck_assert_uint_eq(t.last, 3);
    ck_assert_uint_eq(mmlt_folder_files(), 3);
}
END_TEST

START_TEST(an_export_that_is_stopped_leaves_no_file)
{
    told t = {.stop_at = 1};

    mmlt_assert_fails(export(_i, &t), MML_E_STOPPED, "the export was stopped on request; nothing was written");
    ck_assert_uint_eq(t.times, 1);
    ck_assert_uint_eq(mmlt_folder_files(), 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("export");
    TCase *tc = tcase_create("export");

    tcase_add_checked_fixture(tc, make, clean);
    tcase_add_loop_test(tc, an_export_tells_how_far_it_is, 0, EXPORTS);
    tcase_add_loop_test(tc, an_export_that_is_stopped_leaves_no_file, 0, EXPORTS);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
