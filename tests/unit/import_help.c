/* import_help.c - see import_help.h. */
#include "tests/unit/import_help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"

static char *report;

mml_cohort *mmlt_imported(const char *ini)
{
    mml_cohort *c;
    size_t before;

    if (access(mmlt_path("m.csv"), F_OK) != 0)
        mmlt_write("m.csv", "id,x\na,1\n");
    mmlt_write("cohort.ini", ini);
    mml_string_free(report);
    before = mmlt_folder_files() + (access(mmlt_path("out.h5"), F_OK) != 0);
    mmlt_assert_ok(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), &report, NULL, NULL));
    ck_assert_uint_eq(mmlt_folder_files(), before); /* no temporary file stays */
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    return c;
}

const char *mmlt_report(void)
{
    return report;
}

void mmlt_assert_not_imported(const char *ini, mml_status status, const char *text)
{
    size_t before;
    char *none = NULL;

    mmlt_write("cohort.ini", ini);
    before = mmlt_folder_files();
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), &none, NULL, NULL), status, text);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(mmlt_folder_files(), before);
}

void mmlt_assert_tokens(mml_cohort *c, const char *modality, const float *values, const float *positions)
{
    const size_t n = mml_cohort_size(c);
    size_t *all;
    mml_batch *b;
    mml_tokens t;

    mmlt_assert_ok(mmli_calloc(&all, n, sizeof *all));
    for (size_t i = 0; i < n; i++)
        all[i] = i;
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, all, n, &modality, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, modality));
    mmlt_assert_close(t.values, values, (size_t)t.offsets[n] * t.width, MMLT_TOL_EXACT);
    ck_assert_int_eq(t.positions != NULL, positions != NULL);
    if (positions != NULL)
        mmlt_assert_close(t.positions, positions, (size_t)t.offsets[n] * t.n_axes, MMLT_TOL_EXACT);
    mml_batch_free(b);
    mmli_free(all);
}

bool mmlt_has(const char *in, const char *words)
{
    return strstr(in, words) != NULL;
}

char *mmlt_text;

void mmlt_text_make(void)
{
    mmlt_folder_make();
    mmlt_text = NULL;
}

void mmlt_text_free(void)
{
    mml_string_free(mmlt_text);
    mmlt_folder_remove();
}
