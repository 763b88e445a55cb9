/* Real AnnData and MuData files: every table, column and matrix is, to the last bit, what anndata reads (anndata_truth.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "formats/mudata.h"
#include "io/h5.h"
#include "mmlego/data.h"
#include "tests/unit/anndata_truth.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

enum { N_TRUTH = sizeof truth / sizeof *truth };

static const char *user_file(const char *name)
{
    static char path[2][600];
    static unsigned next;
    char *out = path[next++ % 2];

    snprintf(out, sizeof path[0], "%s/user_files/%s", mmlt_shared(), name);
    return out;
}

/* ---- checksums, made as anndata_truth.py makes them ------------------------------------------------------------------------ */

static unsigned long bytes(unsigned long crc, const void *data, size_t n)
{
    return crc32_z(crc, data, n);
}

static unsigned long texts(unsigned long crc, char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] != NULL)
            crc = bytes(crc, list[i], strlen(list[i]));
        crc = bytes(crc, "\n", 1);
    }
    return crc;
}

static unsigned long column(const mmli_ann_frame *f, const char *name)
{
    mmli_ann_column c;
    unsigned long crc = 0;

    mmlt_assert_ok(mmli_ann_column_read(&c, f, name));
    ck_assert_uint_eq(c.n, f->n);
    for (size_t i = 0; i < c.n; i++) { /* what stands under a mask does not count */
        if (c.missing[i] && c.kind == MMLI_ANN_TEXT)
            c.texts[i][0] = '\0';
        else if (c.missing[i] && c.kind == MMLI_ANN_REAL)
            c.reals[i] = 0;
        else if (c.missing[i] && c.kind != MMLI_ANN_CATEGORY)
            c.integers[i] = 0;
    }
    if (c.kind == MMLI_ANN_TEXT)
        crc = texts(crc, c.texts, c.n);
    else
        crc = bytes(crc, c.kind == MMLI_ANN_REAL ? (void *)c.reals : (void *)c.integers, c.n * 8);
    crc = texts(crc, c.levels, c.n_levels);
    crc = bytes(crc, c.missing, c.n);
    mmli_ann_column_free(&c);
    return crc;
}

/* Rows are read in uneven pieces, backwards: each read stands for itself. */
static unsigned long matrix(const mmli_ann *a, const char *which, bool names)
{
    mmli_ann_matrix *m;
    unsigned long crc = 0;
    float *x;
    size_t width;

    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, which, NULL));
    width = mmli_ann_matrix_width(m);
    x = malloc(a->obs.n * width * sizeof *x + 1);
    ck_assert_ptr_nonnull(x);
    for (size_t end = a->obs.n; end > 0;) {
        const size_t n = end < 7 ? end : 7;

        end -= n;
        mmlt_assert_ok(mmli_ann_matrix_rows(x + end * width, end, n, m));
    }
    if (names)
        for (size_t j = 0; j < width; j++)
            crc = texts(crc, (char *const[]){(char *)(uintptr_t)mmli_ann_matrix_names(m)[j]}, 1);
    else
        crc = bytes(crc, x, a->obs.n * width * sizeof *x);
    free(x);
    mmli_ann_matrix_close(m);
    return crc;
}

/* part: "obs", "var:NAME", "X", "layers/NAME", "raw:names". */
static unsigned long part_of(const mmli_ann *a, const char *part)
{
    const mmli_ann_frame *f = strncmp(part, "obs", 3) == 0 ? &a->obs : &a->var;

    if (strcmp(part, "obs") == 0 || strcmp(part, "var") == 0)
        return texts(0, f->ids, f->n);
    if (strncmp(part, "obs:", 4) == 0 || strncmp(part, "var:", 4) == 0)
        return column(f, part + 4);
    return matrix(a, strcmp(part, "raw:names") == 0 ? "raw" : part, strcmp(part, "raw:names") == 0);
}

static unsigned long part_of_mudata(const mmli_mudata *m, const char *part)
{
    unsigned long crc = 0;

    if (strcmp(part, "obs") == 0)
        return texts(0, m->obs.ids, m->obs.n);
    if (strncmp(part, "obs:", 4) == 0)
        return column(&m->obs, part + 4);
    if (strcmp(part, "modalities") == 0)
        return texts(0, m->names, m->n);
    for (size_t i = 0; i < m->n; i++) {
        const size_t n = strlen(m->names[i]);

        if (strncmp(part, "obsmap/", 7) == 0 && strcmp(part + 7, m->names[i]) == 0) {
            for (size_t k = 0; k < m->obs.n; k++)
                crc = bytes(crc, &(int64_t){(int64_t)(m->rows[i][k] + 1)}, 8);
            return crc;
        }
        if (strncmp(part, "mod/", 4) == 0 && strncmp(part + 4, m->names[i], n) == 0 && part[4 + n] == '/')
            return part_of(m->mods[i], part + 5 + n);
    }
    ck_abort_msg("%s: no such part", part);
    return 0;
}

START_TEST(every_part_is_what_anndata_reads)
{
    const char *path = user_file(truth[_i].file);
    unsigned long crc;
    mmli_mudata *mu;
    mmli_ann *a;

    if (strstr(path, ".h5mu") != NULL) {
        mmlt_assert_ok(mmli_mudata_open(&mu, path));
        crc = part_of_mudata(mu, truth[_i].part);
        mmli_mudata_close(mu);
    } else {
        mmlt_assert_ok(mmli_ann_open(&a, path));
        crc = part_of(a, truth[_i].part);
        mmli_ann_close(a);
    }
    ck_assert_msg(crc == truth[_i].crc, "%s: %s: checksum %08lx, anndata has %08lx", truth[_i].file, truth[_i].part, crc,
                  truth[_i].crc);
}
END_TEST

/* ---- what the README of the files says ---------------------------------------------------------------------------------------- */

START_TEST(values_are_those_of_the_readme)
{
    mmli_ann *a;
    mmli_ann_matrix *m;
    mmli_ann_column c;
    char room[MMLI_NUMBER_BYTES];
    float x[45 * 50];
    double sum = 0;

    mmlt_assert_ok(mmli_ann_open(&a, user_file("reference_writers/blca_rna.h5ad")));
    ck_assert_str_eq(a->obs.ids[0], "TCGA-2F-A9KO");
    mmlt_assert_ok(mmli_ann_column_read(&c, &a->obs, "sex"));
    ck_assert(c.kind == MMLI_ANN_CATEGORY && !c.ordered && c.n_levels == 2);
    ck_assert_str_eq(mmli_ann_column_text(room, &c, 0), "male");
    mmli_ann_column_free(&c);
    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "X", NULL));
    ck_assert_str_eq(mmli_ann_matrix_names(m)[0], "AAK1_rna");
    ck_assert_str_eq(mmli_ann_matrix_storage(m), "dense");
    mmlt_assert_ok(mmli_ann_matrix_rows(x, 0, 1, m));
    mmlt_assert_close(x, ((float[]){-0.6734f, -0.466f, 0.8401f}), 3, MMLT_TOL_EXACT);
    mmli_ann_matrix_close(m);
    mmlt_assert_ok(mmli_ann_matrix_open(&m, a, "layers/counts", NULL));
    ck_assert_uint_eq(mmli_ann_matrix_stored(m), 1045);
    mmlt_assert_ok(mmli_ann_matrix_rows(x, 0, 45, m));
    for (size_t i = 0; i < 45 * 50; i++)
        sum += x[i];
    ck_assert_double_eq(sum, 15743);
    mmli_ann_matrix_close(m);
    mmli_ann_close(a);
}
END_TEST

START_TEST(a_file_without_x_says_so)
{
    mmli_ann *a;
    mmli_ann_matrix *m;

    mmlt_assert_ok(mmli_ann_open(&a, user_file("h5ad/anndata_v0.11.4.h5ad")));
    ck_assert(a->obs.n == 10 && a->var.n == 20 && a->obs.n_columns == 0);
    mmlt_assert_fails(mmli_ann_matrix_open(&m, a, "X", NULL), MML_E_NOT_FOUND,
                      "anndata_v0.11.4.h5ad: there is no matrix X; there are: (none)");
    ck_assert_ptr_null(m);
    mmli_ann_close(a);
}
END_TEST

START_TEST(a_10x_file_is_called_by_its_name)
{
    mmli_ann *a;

    mmlt_assert_fails(mmli_ann_open(&a, user_file("h5ad/not_anndata/10x_v1.2.0_filtered_gene_bc_matrices_h5.h5")),
                      MML_E_FORMAT, "is a 10x Genomics file");
    ck_assert_ptr_null(a);
    mmlt_assert_fails(mmli_ann_open(&a, user_file("h5mu/mudata_v0.4.1_axis0.h5mu")), MML_E_FORMAT, "is a MuData file");
    mmlt_assert_fails(mmli_mudata_open(&(mmli_mudata *){NULL}, user_file("h5ad/test_rna.h5ad")), MML_E_FORMAT, "is AnnData");
}
END_TEST

START_TEST(inspect_says_what_else_a_file_is)
{
    char *json = NULL;

    mmlt_assert_fails(mml_file_describe(&json, user_file("h5mu/mudata_v0.4.1_axis0.h5mu"), "anndata"), MML_E_FORMAT, "is a MuData file");
    ck_assert_ptr_null(json);
    mmlt_assert_fails(mml_suggest_cohort(&json, &(const char *){user_file("h5mu/mudata_v0.4.1_axis0.h5mu")}, 1, "anndata"),
                      MML_E_FORMAT, "is a MuData file");
    mmlt_assert_fails(mml_file_describe(&json, user_file("h5ad/test_rna.h5ad"), "mudata"), MML_E_FORMAT, "is AnnData");
    mmlt_assert_ok(mml_file_describe(&json, user_file("h5mu/mudata_v0.4.1_axis0.h5mu"), "mudata"));
    mml_string_free(json);
}
END_TEST

START_TEST(missing_modalities_are_counted_from_the_map)
{
    static const size_t missing[] = {12, 17, 7};
    mmli_mudata *m;
    mmli_ann_column c;
    char room[MMLI_NUMBER_BYTES];

    mmlt_assert_ok(mmli_mudata_open(&m, user_file("reference_writers/blca_three_modalities.h5mu")));
    ck_assert(m->n == 3 && m->obs.n == 57 && m->axis == 0);
    for (size_t i = 0; i < 3; i++) {
        size_t none = 0;

        for (size_t k = 0; k < m->obs.n; k++)
            none += m->rows[i][k] == SIZE_MAX;
        ck_assert_uint_eq(none, missing[i]);
    }
    mmlt_assert_ok(mmli_ann_column_read(&c, &m->obs, "grade"));
    ck_assert_str_eq(mmli_ann_column_text(room, &c, 0), "");
    mmli_ann_column_free(&c);
    mmlt_assert_ok(mmli_ann_column_read(&c, &m->obs, "event"));
    ck_assert(c.kind == MMLI_ANN_BOOLEAN);
    ck_assert_str_eq(mmli_ann_column_text(room, &c, 0), "True");
    mmli_ann_column_free(&c);
    mmli_mudata_close(m);
    mmlt_assert_ok(mmli_mudata_open(&m, user_file("h5mu/mudata_v0.3.10_axis1.h5mu")));
    ck_assert_int_eq(m->axis, 1);
    for (size_t k = 0; k < m->obs.n; k++)
        ck_assert((m->rows[0][k] == SIZE_MAX) != (m->rows[1][k] == SIZE_MAX));
    mmli_mudata_close(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("anndata files");
    TCase *tc = tcase_create("shared");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_part_is_what_anndata_reads, 0, N_TRUTH);
    tcase_add_test(tc, values_are_those_of_the_readme);
    tcase_add_test(tc, a_file_without_x_says_so);
    tcase_add_test(tc, a_10x_file_is_called_by_its_name);
    tcase_add_test(tc, inspect_says_what_else_a_file_is);
    tcase_add_test(tc, missing_modalities_are_counted_from_the_map);
    if (mmlt_shared() != NULL)
        suite_add_tcase(s, tc);
    else
        puts("skip - the user files of ../shared/data are not there (MMLEGO_SHARED)");
    return mmlt_main(s);
}
