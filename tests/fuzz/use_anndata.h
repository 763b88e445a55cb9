/* use_anndata.h - reads everything that an AnnData or MuData file offers, for fuzz targets. */
#ifndef MMLT_FUZZ_USE_ANNDATA_H
#define MMLT_FUZZ_USE_ANNDATA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/mudata.h"
#include "io/h5.h"
#include "tests/fuzz/fuzz.h"

enum { READ_MOST = 16 << 20 }; /* bytes of rows: a shape may be large and the file still valid */

/* Texts that can be measured are there. */
static void use_frame(const mmli_ann_frame *f)
{
    char room[MMLI_NUMBER_BYTES];
    size_t sum = 0;

    for (size_t i = 0; i < f->n; i++)
        sum += strlen(f->ids[i]);
    for (size_t j = 0; j < f->n_columns; j++) {
        mmli_ann_column c;
        double x;

        if (mmli_ann_column_read(&c, f, f->columns[j]) != MML_OK) {
            MMLT_PROMISE(c.missing == NULL && strstr(mml_last_error(), f->path) != NULL);
            continue;
        }
        MMLT_PROMISE(c.n == f->n);
        for (size_t i = 0; i < c.n; i++) {
            sum += strlen(mmli_ann_column_text(room, &c, i));
            (void)mmli_ann_column_number(&x, &c, i);
        }
        mmli_ann_column_free(&c);
    }
    MMLT_PROMISE(sum < SIZE_MAX);
}

static void use_matrix(const mmli_ann *a, const char *which)
{
    mmli_ann_matrix *m;
    size_t width, piece;
    float *x;
    int finite = 0;

    if (mmli_ann_matrix_open(&m, a, which, NULL) != MML_OK) {
        MMLT_PROMISE(m == NULL && (strstr(mml_last_error(), a->path) != NULL || mml_last_status() == MML_E_NOMEM));
        return;
    }
    width = mmli_ann_matrix_width(m);
    for (size_t j = 0; j < width && j < 1000; j++)
        finite += mmli_ann_matrix_names(m)[j][0] != '\0';
    piece = width == 0 ? a->obs.n : READ_MOST / sizeof *x / width;
    piece = piece < a->obs.n ? piece : a->obs.n;
    x = malloc(piece * width * sizeof *x + 1);
    MMLT_PROMISE(x != NULL);
    if (mmli_ann_matrix_rows(x, 0, piece, m) == MML_OK)
        for (size_t i = 0; i < piece * width; i++)
            finite += x[i] < 1e30f;
    for (size_t i = 0; i < piece && i < 8; i++) /* one by one, from the end */
        (void)mmli_ann_matrix_rows(x, piece - 1 - i, 1, m);
    MMLT_PROMISE(finite >= 0);
    free(x);
    mmli_ann_matrix_close(m);
}

static void use_ann(const mmli_ann *a)
{
    char **names;
    size_t n;

    use_frame(&a->obs);
    use_frame(&a->var);
    if (mmli_ann_matrices(&names, &n, a) != MML_OK)
        return;
    for (size_t i = 0; i < n; i++)
        use_matrix(a, names[i]);
    mmli_h5_texts_free(names, n);
}

static void use_anndata(const char *path)
{
    mmli_ann *a;
    mmli_mudata *m;
    mml_status st = mmli_ann_open(&a, path);

    MMLT_PROMISE((st == MML_OK) == (a != NULL));
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL || st == MML_E_NOMEM);
    if (a != NULL)
        use_ann(a);
    mmli_ann_close(a);
    st = mmli_mudata_open(&m, path);
    MMLT_PROMISE((st == MML_OK) == (m != NULL));
    for (size_t i = 0; m != NULL && i < m->n; i++) {
        for (size_t k = 0; k < m->obs.n; k++)
            MMLT_PROMISE(m->rows[i][k] == SIZE_MAX || m->rows[i][k] < m->mods[i]->obs.n);
        use_ann(m->mods[i]);
    }
    if (m != NULL)
        use_frame(&m->obs);
    mmli_mudata_close(m);
}

#endif
